"""The interface that an environment implements: a record, parameters, sensors and a few device functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params
from unseen.envs.core.reference import Reference
from unseen.envs.core.sensor import Sensor
from unseen.envs.core.view import View
from unseen.envs.errors import BadParameter, shown

FLOAT, INT = "f8", "i8"  # of record fields

# The fields that every record has, kept by the engine: generator state, steps taken (in `step`, with the current one),
# whether the episode has ended, tries of the last reset, and failed resets.
HEADER = [("rng", "u8"), ("t", INT), ("done", INT), ("tries", INT), ("failed", INT)]


def record(*fields: tuple) -> np.dtype:
    """The aligned dtype of a task's record: HEADER, then the task's fields, each (name, FLOAT | INT[, shape])."""
    return np.dtype([*HEADER, *fields], align=True)


@dataclass(frozen=True)
class Score:
    """The meaning and bounds of an episode's return.

    Attributes:
        unit: the unit of the return.
        low, high: bounds of the return; None if there is no bound.
        gates: reference -> the minimum mean return that the audit requires.
    """

    unit: str = "success rate"
    low: float | None = 0.0
    high: float | None = 1.0
    gates: Mapping[str, float] = field(default_factory=lambda: {"oracle": 0.95, "tracker": 0.9})


class Task:
    """The rules of an environment. Subclasses set the class attributes; those that are functions are device functions.

    Attributes:
        title: one line for lists.
        params: the class of its parameters.
        state: dtype of its record, made by `record`.
        sensors: name -> Sensor; the first is the default observation.
        levels: level -> parameters; level 0 is the visible twin.
        presets: name -> parameters: named levels that follow published experiments.
        default_level: the level used if none is given.
        actions: name of a discrete action -> the row of floats that `step` receives; empty if there are none.
        action_low, action_high: bounds of the row with action="continuous"; empty if that mode is not supported.
        action_names: names of the components of that row, for messages; may be left empty.
        keys: name of a discrete action -> keyboard key; empty if the task cannot be played.
        reset(s, p) -> bool: draws an episode into the record s. False rejects the draw, which is then repeated, at most
            `max_tries` times. Records are reused, so `reset` must set every field that is read later.
        scratch: dtype of scratch memory for `reset`, which is then called as reset(s, p, w).
        step(s, a, p, info) -> (reward, terminated, truncated): step s.t, from 1, with the action row a. `info` is a
            row of floats, one per metric, which is reported when the episode ends.
        diverged(s, info): fills `info`, which is then 0 throughout, with the reason when the state has diverged: when, after
            a step, a float of the record is NaN, infinite or above 1e30, or so is the reward, which `step` may return as
            NaN to say so. The episode is then terminated with reward 0, and the record, whose last observation has to be
            finite, is drawn anew by `reset`. None: floats are not checked.
        metrics: names of the elements of `info`; the first is "is_success".
        hidden: the hidden variable, for the audit; None if nothing is hidden.
        faculties: name -> what the task demands of an agent, such as "where", "which", "when", "count" or "plan".
        visible: parameters that remove exactly the hiding, for `twin`; empty if nothing is hidden.
        instance: device function (s, p) -> uint64, a hash of everything that distinguishes a freshly drawn episode from
            others, equal for episodes that differ by a symmetry only. With it, the splits are disjoint in instances, not
            only in seeds. None if episodes are drawn from continuous ranges and never coincide.
        references: name -> scripted policy. By convention "oracle" (privileged), "tracker" (scripted memory) and
            "reflex" (no memory; greedy in planning tasks).
        reactive: names of the references that only react, without a memory of what is hidden and without a model; also
            "tracker-1". In the industry group the audit compares the best of them with the oracle.
        view: how it is rendered.
        score: the meaning and bounds of the return.
        curves: parameter -> values of increasing difficulty, for plots of the score against it.
        anchors: level -> mean returns (random, oracle) that normalise scores, for a task that is not in the suite.
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
    action_names: ClassVar[tuple[str, ...]] = ()
    keys: ClassVar[Mapping[str, str]] = {}
    reset: ClassVar[Callable]
    scratch: ClassVar[np.dtype | None] = None
    step: ClassVar[Callable]
    diverged: ClassVar[Callable | None] = None
    max_tries: ClassVar[int] = 500
    metrics: ClassVar[tuple[str, ...]] = ("is_success",)
    hidden: ClassVar[Hidden | None] = None
    faculties: ClassVar[Mapping[str, Faculty]] = {}
    visible: ClassVar[Mapping[str, Any]] = {}
    instance: ClassVar[Callable | None] = None
    references: ClassVar[Mapping[str, Reference]] = {}
    reactive: ClassVar[tuple[str, ...]] = ("reflex",)
    view: ClassVar[View]
    score: ClassVar[Score] = Score()
    curves: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    anchors: ClassVar[Mapping[int, tuple[float, float]]] = {}

    @classmethod
    def chance(cls, params: Any, split: str = "test") -> float:
        """The highest mean return that a memoryless policy can reach in a split if something is hidden."""
        return 1.0 / cls.hidden.classes(params) if cls.hidden is not None and cls.hidden.classes is not None else 1.0

    @classmethod
    def declares_chance(cls) -> bool:
        """Whether the task overrides `chance`."""
        return cls.chance.__func__ is not Task.chance.__func__  # type: ignore[attr-defined]

    @classmethod
    def level_named(cls, level: Any) -> int | str:
        """`level` as an int (2 or "2") or the name of a preset. Raises BadParameter."""
        named: dict[Any, Params] = {**cls.levels, **cls.presets}
        key = int(level) if isinstance(level, str) and level.isdecimal() and level not in named else level
        if isinstance(key, (bool, np.bool_)) or not isinstance(key, (int, np.integer, str)) or key not in named:
            raise BadParameter(f"level={shown(level)}: {cls.__name__} has levels {', '.join(map(repr, named))}")
        return key if isinstance(key, str) else int(key)

    @classmethod
    def at(cls, level: int | str, overrides: Mapping[str, Any] | None = None, also: Iterable[str] = ()) -> Any:
        """The parameters of a level or preset, with `overrides`.

        Args:
            level: a level (2 or "2"), or the name of a preset.
            also: other keywords, to list in the message about an unknown keyword.

        Raises:
            BadParameter: the level is unknown, a value is out of range, or the combination is invalid.
            UnknownKeyword: there is no such parameter.
        """
        named: dict[Any, Params] = {**cls.levels, **cls.presets}
        params = named[cls.level_named(level)]
        return params.replace(also, **overrides) if overrides else params

    @classmethod
    def twin(cls, level: int | str) -> Any:
        """The parameters of a level with exactly the hiding removed: its visible twin. Raises BadParameter."""
        return cls.at(level, cls.visible)

    @classmethod
    def width(cls) -> int:
        """The length of an action row."""
        return len(cls.action_low) or len(next(iter(cls.actions.values())))
