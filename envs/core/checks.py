"""Checks of what a caller gives: counts, seeds, reset options, modes and actions. One function each, for every surface."""

import reprlib
from collections.abc import Collection
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from unseen.envs.core.rng import MAX_SEED
from unseen.envs.core.task import Task
from unseen.envs.errors import BadAction, BadParameter, nearest

_SLACK = 1e-6  # by which float32 rounding may carry an action beyond its bounds


def _is_integer(value: Any) -> bool:
    """Python's integers and numpy's, but no bools."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def count(name: str, value: Any) -> int:
    """A positive integer. Raises BadParameter."""
    if not _is_integer(value) or value < 1:
        raise BadParameter(f"{name}={value!r}: allowed is a positive integer")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """True or False. Raises BadParameter."""
    if not isinstance(value, (bool, np.bool_)):
        raise BadParameter(f"{name}={value!r}: allowed are True and False")
    return bool(value)


def one_seed(value: Any) -> int:
    """An integer of 0..2^62-1. Raises BadParameter."""
    if not _is_integer(value) or not 0 <= value <= MAX_SEED:
        raise BadParameter(f"seed={value!r}: allowed is an integer of 0..{MAX_SEED}")
    return int(value)


def seeds(value: Any, n: int) -> list[int | None]:
    """A seed for each of n environments; None leaves a generator as it is.

    Args:
        value: None; an integer s, which gives environment i the seed s + i; or n integers or Nones.

    Raises:
        BadParameter: anything else.
    """
    if value is None:
        return [None] * n
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        if len(value) != n:
            raise BadParameter(f"seed={value!r}: {n} environments need one integer, or a list of {n}")
        return [None if s is None else one_seed(s) for s in value]
    first = one_seed(value)
    one_seed(first + n - 1)
    return [first + i for i in range(n)]


def autoreset_mode(value: Any) -> AutoresetMode:
    """Gymnasium's mode, of which the member, its value or its name may be given. Raises BadParameter."""
    for mode in AutoresetMode:
        if value in (mode, mode.value, mode.name):
            return mode
    allowed = ", ".join(repr(mode.value) for mode in AutoresetMode)
    raise BadParameter(f"autoreset_mode={value!r}: allowed are {allowed}, and gymnasium.vector.AutoresetMode's members")


def reset_options(options: Any, known: Collection[str] = ()) -> dict[str, Any]:
    """The options of a reset, of which only the `known` may be given. Raises BadParameter."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise BadParameter(f"options={options!r}: allowed is a dict or None")
    for name in options:
        if name not in known:
            hint = nearest(str(name), known) if known else "there are none; difficulty is set by parameters"
            raise BadParameter(f"unknown reset option {name!r}; {hint}")
    return options


def reset_mask(mask: Any, n: int) -> np.ndarray | None:
    """A numpy array (n,) of bools that marks one environment at least, or None. Raises BadParameter."""
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.shape != (n,) or mask.dtype != np.bool_ or not mask.any():
        raise BadParameter(f"reset_mask={mask!r}: allowed is a numpy array of {n} bools, of which one at least is True")
    return mask


def _numbers(actions: Any, kinds: str, shape: tuple[int, ...], allowed: str) -> np.ndarray:
    """`actions` as an array of a shape, whose dtype is of one of the `kinds` (numpy's letters)."""
    try:
        array = np.asarray(actions)
    except Exception as error:  # anything may be given, and its conversion may raise anything
        raise BadAction(
            f"action {reprlib.repr(actions)} is no array of numbers ({error}): allowed is {allowed}"
        ) from None
    if array.shape != shape or array.dtype.kind not in kinds:
        raise BadAction(
            f"action {reprlib.repr(actions)} has shape {array.shape} and dtype {array.dtype}: allowed is {allowed}, "
            f"for all environments of shape {shape}"
        )
    return array


def discrete_actions(task: type[Task], actions: Any, n: int) -> np.ndarray:
    """Actions (n,) as integers. Raises BadAction naming the first bad one."""
    most = len(task.actions) - 1
    a = _numbers(actions, "iu", (n,), f"an integer of 0..{most}")
    if a.min() < 0 or a.max() > most:
        i = int(((a < 0) | (a > most)).argmax())
        raise BadAction(f"action {a[i]} of environment {i} is out of range: allowed is 0..{most}")
    return a


def continuous_actions(task: type[Task], actions: Any, n: int) -> np.ndarray:
    """Actions (n, d) as float64. Raises BadAction naming the first bad one."""
    low, high = np.array(task.action_low), np.array(task.action_high)
    allowed = f"{len(low)} floats within {task.action_low} .. {task.action_high}"
    a = _numbers(actions, "fiu", (n, len(low)), allowed).astype(np.float64)
    inside = ((a >= low - _SLACK) & (a <= high + _SLACK)).all(1)  # false for a NaN
    if not inside.all():
        i = int((~inside).argmax())
        raise BadAction(f"action {a[i].tolist()} of environment {i} is out of range: allowed is {allowed}")
    return a
