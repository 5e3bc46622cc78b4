"""Device functions and kernels that run in Python (`NUMBA_DISABLE_JIT=1`), for breakpoints and prints.

Numbers are read as compiled code reads them, so that the same operations give the same bits: fields and elements of
all widths as 64-bit numbers, which wrap around, and divide by zero, without a word.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


def device(function: Callable) -> Callable:
    """The function itself."""
    return function


def kernel(function: Callable) -> Callable:
    """The function, with arguments that read as they do in compiled code."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*map(_wide, args))

    call.py_func = function  # type: ignore[attr-defined]
    return call


host = kernel


def _wide(value: Any) -> Any:
    """A view of records and arrays that reads 64-bit numbers; such a number itself."""
    if isinstance(value, np.ndarray):
        return value.view(_Array) if value.dtype.names is None else value.view(np.dtype((_Record, value.dtype)))
    if isinstance(value, np.void):
        return value.view(np.dtype((_Record, value.dtype)))
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.floating):
        return np.float64(value)
    if isinstance(value, np.integer) and not isinstance(value, np.uint64):
        return np.int64(value)
    return value


class _Array(np.ndarray):
    """An array whose elements are read as 64-bit numbers."""

    def __getitem__(self, at: Any) -> Any:
        return _wide(super().__getitem__(at))


class _Record(np.void):  # type: ignore[misc]  # final only in the stubs
    """A record whose fields are attributes."""

    def __getattr__(self, name: str) -> Any:
        return _wide(self[name])

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value
