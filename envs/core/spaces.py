"""Observation and action spaces of a task."""

import numpy as np
from gymnasium import spaces

from unseen.envs.core.batch import ALL, Batch
from unseen.envs.core.task import Task
from unseen.envs.errors import BadParameter, shown

DISCRETE, CONTINUOUS = "discrete", "continuous"


def observation_space(batch: Batch) -> spaces.Space:
    """The observation space of a single environment."""
    boxes: dict[str, spaces.Space] = {}
    for name in batch.names:
        sensor = batch.task.sensors[name]
        low, high = sensor.bounds(batch.params)
        boxes[name] = spaces.Box(low, high, dtype=sensor.dtype.type)
    return spaces.Dict(boxes) if batch.mode == ALL else boxes[batch.mode]


def action_kinds(task: type[Task]) -> tuple[str, ...]:
    """The values of `action=` that a task supports; the first is the default."""
    return (DISCRETE,) * bool(task.actions) + (CONTINUOUS,) * bool(task.action_low)


def action_kind(task: type[Task], kind: str | None) -> str:
    """`kind` if the task supports it, or the task's default for None. Raises BadParameter."""
    known = action_kinds(task)
    if kind is not None and kind not in known:
        raise BadParameter(f"action={shown(kind)}: {task.__name__} supports {', '.join(map(repr, known))}")
    return known[0] if kind is None else kind


def action_space(task: type[Task], kind: str) -> spaces.Space:
    """The action space of a single environment."""
    if kind == DISCRETE:
        return spaces.Discrete(len(task.actions))
    low, high = (np.array(v, np.float32) for v in (task.action_low, task.action_high))
    return spaces.Box(low, high, dtype=np.float32)
