"""What the author of an environment writes: a record, parameters, sensors, and a handful of device functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params
from unseen.envs.core.reference import Reference
from unseen.envs.core.sensor import Sensor
from unseen.envs.core.view import View
from unseen.envs.errors import BadParameter

FLOAT, INT = "f8", "i8"  # of record fields

# What the engine keeps in any task's record: generator, steps taken (in `step`, the present one is counted already),
# whether the episode has ended, tries of the last reset, resets that failed.
HEADER = [("rng", "u8"), ("t", INT), ("done", INT), ("tries", INT), ("failed", INT)]


def record(*fields: tuple) -> np.dtype:
    """The dtype of a task's record: HEADER, then the task's own fields (name, FLOAT | INT[, shape]), aligned."""
    return np.dtype([*HEADER, *fields], align=True)


@dataclass(frozen=True)
class Score:
    """What an episode's return means.

    Attributes:
        unit: what one unit of it is.
        low, high: the least and the most that an episode can return; None where there is no bound.
        gates: reference -> the least mean return that the audit asks of it.
    """

    unit: str = "success rate"
    low: float | None = 0.0
    high: float | None = 1.0
    gates: Mapping[str, float] = field(default_factory=lambda: {"oracle": 0.95, "tracker": 0.9})


class Task:
    """An environment's rules. Subclasses fill in the class attributes; the functions among them are device functions.

    Attributes:
        title: one line for lists.
        params: class of its parameters.
        state: dtype of its record, made by `record`.
        sensors: name -> Sensor; the first is the default observation.
        levels: level -> parameters; level 0 is the visible twin.
        presets: name -> parameters: further levels, called by name, that follow a published set-up.
        default_level: the level of the plain id.
        actions: discrete action name -> row of floats, which is what `step` receives; empty: there are none.
        action_low, action_high: bounds of the row with action="continuous"; empty: there is no such mode.
        keys: discrete action name -> keyboard key, for play; empty: it cannot be played.
        reset(s, p) -> bool: draws an episode into the record s; False rejects the draw, and it is drawn again, at most
            `max_tries` times. Records are used again: it sets all that is relied on later.
        scratch: dtype of memory that `reset` needs and that is no state; it is then called reset(s, p, w).
        step(s, a, p, info) -> (reward, terminated, truncated): step s.t, from 1, with the action row a. `info` is a row of
            floats, one for each of `metrics`, which is told when the episode ends.
        metrics: names of the numbers in `info`; the first is "is_success".
        hidden: the hidden truth, for the audit; None where nothing is hidden.
        references: name -> scripted policy. By convention "oracle" (privileged), "tracker" (scripted memory) and
            "reflex" (no memory; where planning is what is asked for, greedy).
        view: how it is shown.
        score: what an episode's return means.
        curves: parameter -> values along which difficulty grows, for plots of a score against it.
        anchors: level -> mean returns (random, oracle) that normalise it, for a task that is in no table.
    """

    title: ClassVar[str]
    params: ClassVar[type[Params]]
    state: ClassVar[np.dtype]
    sensors: ClassVar[Mapping[str, Sensor]]
    levels: ClassVar[Mapping[int, Params]]
    presets: ClassVar[Mapping[str, Params]] = {}
    default_level: ClassVar[int] = 2
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = {}
    action_low: ClassVar[tuple[float, ...]] = ()
    action_high: ClassVar[tuple[float, ...]] = ()
    keys: ClassVar[Mapping[str, str]] = {}
    reset: ClassVar[Callable]
    scratch: ClassVar[np.dtype | None] = None
    step: ClassVar[Callable]
    max_tries: ClassVar[int] = 500
    metrics: ClassVar[tuple[str, ...]] = ("is_success",)
    hidden: ClassVar[Hidden | None] = None
    references: ClassVar[Mapping[str, Reference]] = {}
    view: ClassVar[View]
    score: ClassVar[Score] = Score()
    curves: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    anchors: ClassVar[Mapping[int, tuple[float, float]]] = {}

    @classmethod
    def chance(cls, params: Any) -> float:
        """The highest mean return that a policy without a memory can reach where something is hidden."""
        return 1.0 / cls.hidden.classes(params) if cls.hidden is not None and cls.hidden.classes is not None else 1.0

    @classmethod
    def level_named(cls, level: Any) -> int | str:
        """A level (2, also given as "2") or the name of a preset. Raises BadParameter for anything else."""
        named: dict[Any, Params] = {**cls.levels, **cls.presets}
        key = int(level) if isinstance(level, str) and level.isdecimal() and level not in named else level
        if isinstance(key, (bool, np.bool_)) or not isinstance(key, (int, np.integer, str)) or key not in named:
            raise BadParameter(f"level={level!r}: {cls.__name__} has levels {', '.join(map(repr, named))}")
        return key if isinstance(key, str) else int(key)

    @classmethod
    def at(cls, level: int | str, overrides: Mapping[str, Any] | None = None, also: Iterable[str] = ()) -> Any:
        """The parameters of a level or preset, with some of them set anew.

        Args:
            level: a level (2 or "2"), or the name of a preset.
            also: further keywords, which a message about an unknown one lists too.

        Raises:
            BadParameter: unknown level, or a value out of its range, or an impossible combination.
            UnknownKeyword: unknown parameter.
        """
        named: dict[Any, Params] = {**cls.levels, **cls.presets}
        params = named[cls.level_named(level)]
        return params.replace(also, **overrides) if overrides else params

    @classmethod
    def width(cls) -> int:
        """Length of an action row."""
        return len(cls.action_low) or len(next(iter(cls.actions.values())))
