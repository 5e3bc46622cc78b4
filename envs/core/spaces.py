"""Spaces of a task's observations and actions, and the checks of what a caller gives."""

from typing import Any

import numpy as np
from gymnasium import spaces

from unseen.envs.core.batch import ALL, Batch
from unseen.envs.core.rng import MAX_SEED
from unseen.envs.core.task import Task
from unseen.envs.errors import BadAction, BadParameter

DISCRETE, CONTINUOUS = "discrete", "continuous"


def observation_space(batch: Batch) -> spaces.Space:
    """The space of one environment's observation."""
    boxes: dict[str, spaces.Space] = {}
    for name in batch.names:
        sensor = batch.task.sensors[name]
        low, high = sensor.bounds(batch.params)
        boxes[name] = spaces.Box(low, high, dtype=sensor.dtype.type)
    return spaces.Dict(boxes) if batch.mode == ALL else boxes[batch.mode]


def action_kinds(task: type[Task]) -> tuple[str, ...]:
    """The values of `action=` that a task has; the first is the default."""
    return (DISCRETE,) * bool(task.actions) + (CONTINUOUS,) * bool(task.action_low)


def action_kind(task: type[Task], kind: str | None) -> str:
    """The kind of actions asked for, or the task's default. Raises BadParameter."""
    known = action_kinds(task)
    if kind is not None and kind not in known:
        raise BadParameter(f"action={kind!r}: {task.__name__} has {', '.join(map(repr, known))}")
    return known[0] if kind is None else kind


def action_space(task: type[Task], kind: str) -> spaces.Space:
    """The space of one environment's action."""
    if kind == DISCRETE:
        return spaces.Discrete(len(task.actions))
    low, high = (np.array(v, np.float32) for v in (task.action_low, task.action_high))
    return spaces.Box(low, high, dtype=np.float32)


def refuse_options(options: dict[str, Any] | None) -> None:
    """Raise BadParameter for any reset option."""
    if options:
        raise BadParameter(f"reset options {sorted(options)}: none are known; difficulty is set by the parameters")


def whole_seed(value: Any) -> int:
    """A seed as an int. Raises BadParameter for anything but an integer of 0..2^62-1, numpy's included."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or not 0 <= value <= MAX_SEED:
        raise BadParameter(f"seed={value!r}: allowed is an integer of 0..{MAX_SEED}")
    return int(value)


def check_seeds(seed: Any, n: int) -> list[int | None]:
    """A seed for each of n environments, None where its generator is left as it is. Raises BadParameter."""
    if seed is None:
        return [None] * n
    if isinstance(seed, (bool, int, np.bool_, np.integer)):
        first = whole_seed(seed)
        whole_seed(first + n - 1)
        return [first + i for i in range(n)]
    try:
        seeds = list(seed)
    except TypeError:
        seeds = []
    if len(seeds) != n:
        raise BadParameter(f"seed={seed!r}: {n} environments need one integer, or {n} of them")
    return [None if s is None else whole_seed(s) for s in seeds]


def check_mask(mask: Any, n: int) -> np.ndarray | None:
    """A reset mask (n,) of bools. Raises BadParameter for anything else, and for one that marks nothing."""
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.shape != (n,) or mask.dtype != np.bool_ or not mask.any():
        raise BadParameter(f"reset_mask={mask!r}: allowed is a numpy array of {n} bools, of which one at least is True")
    return mask


def check_indices(task: type[Task], actions: Any, n: int) -> np.ndarray:
    """Discrete actions (n,) as integers. Raises BadAction naming the first bad one."""
    a = np.asarray(actions)
    if a.shape != (n,) or a.dtype.kind not in "iu":
        raise BadAction(f"actions of shape {a.shape}, dtype {a.dtype}: allowed are {n} integers")
    bad = (a < 0) | (a >= len(task.actions))
    if bad.any():
        i = int(bad.argmax())
        raise BadAction(f"action {a[i]} of environment {i} is out of range: allowed is 0..{len(task.actions) - 1}")
    return a


def check_rows(task: type[Task], actions: Any, n: int) -> np.ndarray:
    """Continuous actions (n, d) as float64. Raises BadAction naming the first bad one."""
    shape = (n, task.width())
    try:
        a = np.asarray(actions)
    except ValueError:  # rows of different lengths
        raise BadAction(f"actions {actions!r} are no array: allowed are floats of shape {shape}") from None
    if a.shape != shape or a.dtype.kind not in "fiu":
        raise BadAction(f"actions of shape {a.shape}, dtype {a.dtype}: allowed are floats of shape {shape}")
    a = a.astype(np.float64)
    finite = np.isfinite(a).all(1)
    if not finite.all():
        i = int((~finite).argmax())
        raise BadAction(f"action {a[i].tolist()} of environment {i} is not finite")
    bad = ((a < np.array(task.action_low) - 1e-6) | (a > np.array(task.action_high) + 1e-6)).any(1)
    if bad.any():
        i = int(bad.argmax())
        raise BadAction(
            f"action {a[i].tolist()} of environment {i} is out of range: allowed is {task.action_low} .. {task.action_high}"
        )
    return a
