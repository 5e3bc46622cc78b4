"""Device functions, kernels, and the modules of kernels that are written at run time.

A *device function* is scalar code over one state record: it takes records, scalars and rows, and allocates nothing, so
that the same source runs for one environment, for a batch, and on other targets. A *kernel* is called from Python and
loops device functions over the environments of a batch. `unseen.envs.core.jit` says how they are compiled.

Environment variables:
    NUMBA_DISABLE_JIT=1: compile nothing; breakpoints work in device functions.
    UNSEEN_COMPILER=plain: compile by the public interface of Numba alone, as is done for a version of it that was not
        tested; UNSEEN_COMPILER=linked: as for one that was.
    UNSEEN_CACHE: folder for compiled code; see `unseen.envs.core.jit.cache`.
"""

import hashlib
import importlib
import linecache
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numba

from unseen.envs.core.jit.versions import way

_disabled: bool = numba.config.DISABLE_JIT  # type: ignore[attr-defined]
_way = way(numba.__version__, bool(_disabled), os.environ.get("UNSEEN_COMPILER", ""))
_jit: Any = importlib.import_module(f"unseen.envs.core.jit.{_way}")
device, host, kernel = _jit.device, _jit.host, _jit.kernel

_built: dict[tuple[str, str, tuple[int, ...]], ModuleType] = {}
_building = threading.Lock()


def build(name: str, source: str, *depends: ModuleType) -> ModuleType:
    """The module of kernels that a source makes; its kernels are compiled when they are first called.

    Args:
        name: for messages and tracebacks.
        source: Python source that decorates its functions with `device` and `kernel` of this module.
        depends: modules that it imports; where one of these was imported anew, so is what is built on it.
    """
    with _building:
        key = name, source, tuple(map(id, depends))
        if key not in _built:
            _built[key] = _execute(name, source, depends)
        return _built[key]


def _execute(name: str, source: str, depends: tuple[ModuleType, ...]) -> ModuleType:
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    module = ModuleType(f"unseen_kernels_{name}_{digest}")
    file = f"<unseen kernels {name} {digest}>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file  # for tracebacks and debuggers
    vars(module).update(__file__=file, __source__=source, __depends__=depends)
    sys.modules[module.__name__] = module  # by whose name stored code is loaded
    exec(compile(source, file, "exec"), vars(module))
    return module


def announced(kernel: Callable, what: str, args: tuple) -> Any:
    """Call a kernel by the name `what`, which is said where it has to be compiled first."""
    return named(kernel, what)(*args)


def named(kernel: Callable, what: str) -> Callable:
    """A kernel, which will be called `what` where its compilation is announced."""
    kernel.label = what  # type: ignore[attr-defined]
    return kernel


__all__ = ["announced", "build", "device", "host", "kernel", "named"]
