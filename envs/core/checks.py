"""Validation of arguments: counts, seeds, reset options, autoreset modes and actions."""

from collections.abc import Collection
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from unseen.envs.core.rng import MAX_SEED
from unseen.envs.core.task import Task
from unseen.envs.errors import BadAction, BadParameter, nearest, shown

_SLACK = 1e-6  # tolerance for float32 rounding at the action bounds


def _is_integer(value: Any) -> bool:
    """Whether a value is a Python or NumPy integer; a bool is not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def count(name: str, value: Any) -> int:
    """`value` as a positive integer. Raises BadParameter."""
    if not _is_integer(value) or value < 1:
        raise BadParameter(f"{name}={shown(value)}: must be a positive integer")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """True or False. Raises BadParameter."""
    if not isinstance(value, (bool, np.bool_)):
        raise BadParameter(f"{name}={shown(value)}: allowed are True and False")
    return bool(value)


def one_seed(value: Any) -> int:
    """`value` as an integer in 0..2^62-1. Raises BadParameter."""
    if not _is_integer(value) or not 0 <= value <= MAX_SEED:
        raise BadParameter(f"seed={shown(value)}: must be an integer in 0..{MAX_SEED}")
    return int(value)


def seeds(value: Any, n: int) -> list[int | None]:
    """A seed for each of n environments; None leaves a generator unchanged.

    Args:
        value: None; an integer s, so that environment i gets seed s + i; or a sequence of n integers or Nones.

    Raises:
        BadParameter: anything else.
    """
    if value is None:
        return [None] * n
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        if len(value) != n:
            raise BadParameter(f"seed={shown(value)}: must be one integer or a list of {n}, one per environment")
        return [None if s is None else one_seed(s) for s in value]
    first = one_seed(value)
    one_seed(first + n - 1)
    return [first + i for i in range(n)]


def autoreset_mode(value: Any) -> AutoresetMode:
    """Gymnasium's AutoresetMode from a member, its value or its name. Raises BadParameter."""
    for mode in AutoresetMode:
        if value in (mode, mode.value, mode.name):
            return mode
    allowed = ", ".join(repr(mode.value) for mode in AutoresetMode)
    raise BadParameter(f"autoreset_mode={shown(value)}: must be one of {allowed}, or a gymnasium.vector.AutoresetMode")


def reset_options(options: Any, known: Collection[str] = ()) -> dict[str, Any]:
    """Reset options as a dict whose keys are all in `known`. Raises BadParameter."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise BadParameter(f"options={shown(options)}: must be a dict or None")
    for name in options:
        if name not in known:
            hint = (
                nearest(name if isinstance(name, str) else shown(name), known)
                if known
                else "this environment has none (set the difficulty with its parameters)"
            )
            raise BadParameter(f"unknown reset option {shown(name)}; {hint}")
    return options


def reset_mask(mask: Any, n: int) -> np.ndarray | None:
    """None, or a NumPy bool array (n,) with at least one True. Raises BadParameter."""
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.shape != (n,) or mask.dtype != np.bool_ or not mask.any():
        raise BadParameter(f"reset_mask={shown(mask)}: must be a NumPy array of {n} bools with at least one True")
    return mask


def _numbers(actions: Any, kinds: str, shape: tuple[int, ...], allowed: str) -> np.ndarray:
    """`actions` as an array of the given shape, with a dtype of one of `kinds` (NumPy kind codes). Raises BadAction."""
    try:
        array = np.asarray(actions)
    except Exception as error:  # converting an arbitrary object may raise anything
        raise BadAction(f"action {shown(actions)} is not an array of numbers ({error}): must be {allowed}") from None
    if array.shape != shape or array.dtype.kind not in kinds:
        raise BadAction(
            f"action {shown(actions)} has shape {array.shape} and dtype {array.dtype}: must be {allowed}, "
            f"with shape {shape} over all environments"
        )
    return array


def discrete_actions(task: type[Task], actions: Any, n: int) -> np.ndarray:
    """Actions (n,) as integers. Raises BadAction for the first invalid one."""
    most = len(task.actions) - 1
    a = _numbers(actions, "iu", (n,), f"an integer in 0..{most}")
    if a.min() < 0 or a.max() > most:
        i = int(((a < 0) | (a > most)).argmax())
        raise BadAction(f"action {a[i]} of environment {i} is out of range: must be in 0..{most}")
    return a


def continuous_actions(task: type[Task], actions: Any, n: int) -> np.ndarray:
    """Actions (n, d) as float64, within the bounds. Raises BadAction for the first component of one that is not."""
    low, high = np.array(task.action_low), np.array(task.action_high)
    a = _numbers(actions, "fiu", (n, len(low)), _box(task)).astype(np.float64)
    inside = (a >= low - _SLACK) & (a <= high + _SLACK)  # false for a NaN
    if not inside.all():
        i, k = divmod(int((~inside).argmax()), len(low))
        name = task.action_names[k] if task.action_names else f"number {k}"
        raise BadAction(f"action of environment {i}: {name}={a[i, k]:.9g}: must be in {low[k]:g}..{high[k]:g}")
    return np.minimum(np.maximum(a, low), high)


def _box(task: type[Task]) -> str:
    """The bounds of a continuous action, for messages."""
    low, high = task.action_low, task.action_high
    if len(set(low)) == len(set(high)) == 1:
        return f"{len(low)} floats in {low[0]:g}..{high[0]:g}"
    return f"{len(low)} floats between {low} and {high}"
