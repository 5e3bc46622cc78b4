"""What the author of an environment writes: a record, knobs, and a handful of device functions.

A task need not have a room: the runtime asks for `HEADER` in its record, for `begin` and `step`, and for at least
one sensor. `PlanarTask` adds what the tasks in a planar world share.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.rng import SPLITS
from unseen.envs.errors import BadParameter
from unseen.envs.planar.sensors import FRAMES, ORDERS, RAYS, Layout, Sizes, rays, rays_size, slots


@dataclass(frozen=True)
class Knob:
    """One keyword of an environment: its default, its allowed values and what it does.

    Attributes:
        default: an int, a float, a bool, a string of `choices`, or a (low, high) pair of ints where `pair`.
        low, high: inclusive bounds of a number, or of both ends of a pair.
    """

    default: Any
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    pair: bool = False
    doc: str = ""

    def fields(self, name: str) -> list[tuple[str, str]]:
        if self.pair:
            return [(f"{name}_low", "i8"), (f"{name}_high", "i8")]
        return [(name, "f8" if isinstance(self.default, float) else "i8")]

    def check(self, name: str, value: Any) -> Any:
        """The value in its canonical form, or BadParameter naming the knob, the value and what is allowed."""
        if self.choices:
            if value not in self.choices:
                raise BadParameter(f"{name}={value!r}: allowed are {', '.join(map(repr, self.choices))}")
            return value
        if isinstance(self.default, bool):
            if not isinstance(value, (bool, np.bool_)):
                raise BadParameter(f"{name}={value!r}: allowed are True and False")
            return bool(value)
        if self.pair:
            ends = list(value) if isinstance(value, (tuple, list)) else [value, value]
            whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in ends)
            if len(ends) != 2 or not whole or not self.low <= ends[0] <= ends[1] <= self.high:
                raise BadParameter(
                    f"{name}={value!r}: allowed is an integer or a pair low <= high, within {self.low:g}..{self.high:g}"
                )
            return (int(ends[0]), int(ends[1]))
        number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if number and isinstance(self.default, int) and value != int(value):
            number = False
        if not number or not self.low <= value <= self.high:
            kind = "a number" if isinstance(self.default, float) else "an integer"
            raise BadParameter(f"{name}={value!r}: allowed is {kind} within {self.low:g}..{self.high:g}")
        return type(self.default)(value)

    def store(self, row: np.void, name: str, value: Any) -> None:
        if self.pair:
            row[f"{name}_low"], row[f"{name}_high"] = value
        else:
            row[name] = self.choices.index(value) if self.choices else value


@dataclass(frozen=True)
class Look:
    """What pictures need to know of a task. Names of things are drawn by `unseen.envs.watch.things`.

    Attributes:
        tall: what each kind of tall thing is ("block", "couch", ...); the last one stands for all further kinds.
        small: what each colour of small thing is ("block", "ball", "dog", ...); likewise.
        asks: names of what can be asked for; where empty, the colours' names.
        request: the sentence above the picture; {} is what is asked for.
        request_tall: the same where a tall thing is asked for, if that is another sentence.
        untold: the same while it is not told.
        phases: names of the phases, in the order of `s.phase`; empty: a task without them.
        captions: a sentence for each phase, for "lit" (acting in full light) and "over".
        won, lost: what an end with and without reward is called.
        signals: names of the task's own numbers, in the order of `s.signal`.
    """

    tall: tuple[str, ...] = ("block",)
    small: tuple[str, ...] = ("block",)
    asks: tuple[str, ...] = ()
    request: str = "fetch the {} block"
    request_tall: str = ""
    untold: str = "what to fetch is told after the blackout"
    phases: tuple[str, ...] = ("observe", "blackout", "act")
    captions: Mapping[str, str] = field(default_factory=dict)
    won: str = "fetched it"
    lost: str = "wrong"
    signals: tuple[str, ...] = ()


class Task:
    """An environment's rules. Subclasses fill in the class attributes; all functions are device functions.

    Attributes:
        title: one line for lists.
        state: record dtype; starts with `unseen.envs.planar.world.HEADER`.
        knobs: name -> Knob.
        levels: level -> knob values; level 0 is the visible twin.
        presets: name -> knob values: further levels, called by name, that follow a published set-up.
        curves: knob -> values along which difficulty grows, for plots of a score against it.
        default_level: the level of the plain id.
        anchors: level -> mean scores (random, oracle) that normalise it, for a task that is in no table.
        actions: discrete action names -> row of floats; the row is what `step` receives.
        action_low, action_high: bounds of the row when action="continuous".
        keys: discrete action name -> keyboard key, for play.
        modes: observation modes; "dict" gives several at once.
        begin(s, p) -> bool: draw an episode; False rejects the draw, and the runtime draws again.
        step(s, a, p) -> (reward, terminated, truncated).
        answer(s) -> int: the hidden answer, for the audit; `answers(values)` how many there are. None: no such notion.
        oracle(s, p) -> int, tracker(o, m, p) -> int, reflex(o, m, p) -> int: reference policies; o is a slots row,
            m a record of the same dtype as the state, that the policy may use as its memory (the reflex's is empty
            at every step). Where planning is what is asked for, the reflex is greedy, the oracle searches, and there
            need be no tracker.
        look: what pictures need to know.
    """

    title: ClassVar[str]
    state: ClassVar[np.dtype]
    knobs: ClassVar[Mapping[str, Knob]]
    levels: ClassVar[Mapping[int, Mapping[str, Any]]]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    curves: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    look: ClassVar[Look] = Look()
    default_level: ClassVar[int] = 2
    anchors: ClassVar[Mapping[int, tuple[float, float]]] = {}
    actions: ClassVar[Mapping[str, tuple[float, ...]]]
    action_low: ClassVar[tuple[float, ...]]
    action_high: ClassVar[tuple[float, ...]]
    keys: ClassVar[Mapping[str, str]]
    begin: ClassVar[Callable]
    step: ClassVar[Callable]
    answer: ClassVar[Callable | None] = None
    oracle: ClassVar[Callable]
    tracker: ClassVar[Callable | None] = None
    reflex: ClassVar[Callable]
    modes: ClassVar[tuple[str, ...]]
    max_tries: ClassVar[int] = 500

    @classmethod
    def values(cls, level: int | str, knobs: Mapping[str, Any]) -> dict[str, Any]:
        """Knob values of a level with the user's own over them, checked.

        Raises:
            BadParameter: unknown level or knob, or a value out of its range, or an impossible combination.
        """
        named: dict[Any, Mapping[str, Any]] = {**cls.levels, **cls.presets}
        if isinstance(level, bool) or not isinstance(level, (int, np.integer, str)) or level not in named:
            raise BadParameter(f"level={level!r}: {cls.__name__} has levels {', '.join(map(repr, named))}")
        for name in knobs:
            if name not in cls.knobs:
                near = difflib.get_close_matches(name, cls.knobs, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise BadParameter(
                    f"{cls.__name__} has no knob {name!r}; {hint}knobs are {', '.join(sorted(cls.knobs))}"
                )
        merged = {name: knob.default for name, knob in cls.knobs.items()} | dict(named[level]) | dict(knobs)
        checked = {name: cls.knobs[name].check(name, value) for name, value in merged.items()}
        cls.check(checked)
        return checked

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Refuse impossible combinations by raising BadParameter."""

    @classmethod
    def params(cls, values: Mapping[str, Any], split: str) -> np.ndarray:
        """The knobs as a record array of length 1, which is how kernels receive them."""
        fields = [field for name, knob in cls.knobs.items() for field in knob.fields(name)]
        extra = cls.parameters(values)
        fields += [(name, "f8" if isinstance(v, float) else "i8") for name, v in extra.items()]
        row = np.zeros(1, np.dtype([("split", "i8"), *fields], align=True))
        row[0]["split"] = SPLITS.index(split)
        for name, knob in cls.knobs.items():
            knob.store(row[0], name, values[name])
        for name, value in extra.items():
            row[0][name] = value
        return row

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        """Further parameters that follow from the knobs."""
        return {}

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        """All that kernels receive beside the knobs."""
        return cls.derived(values)

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        """The most steps that an episode can take."""
        raise NotImplementedError

    @classmethod
    def sensor(cls, mode: str) -> Callable:
        """The device function (s, p, o) of an observation mode."""
        raise NotImplementedError

    @classmethod
    def shape(cls, mode: str, values: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
        """Shape and dtype of one observation of a mode."""
        raise NotImplementedError

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        """Number of possible hidden answers; 0 where the notion does not apply."""
        return 0

    @classmethod
    def chance(cls, values: Mapping[str, Any]) -> float:
        """The mean score that the best policy without a memory can reach where something is hidden."""
        return 1.0 / max(cls.answers(values), 1)

    @classmethod
    def layout(cls, values: Mapping[str, Any]) -> Layout | None:
        """Where the parts of a slots row lie, if the task has slots."""
        return None


class PlanarTask(Task):
    """A task in a planar world: slots, rays, pixels and the privileged state, by common knobs."""

    shared: ClassVar[dict[str, Knob]] = {
        "room": Knob(2.5, 1.5, 5.0, doc="half extent of the room, m"),
        "order": Knob("colour", choices=ORDERS, doc="what decides the slot of a small thing: see Layout"),
        "frame": Knob("room", choices=FRAMES, doc="positions in the room's frame, or the agent's"),
        "fov": Knob(360.0, 60.0, 360.0, doc="field of view, degrees"),
        "glass": Knob(False, doc="what hides is transparent, and there is no dusk"),
    }
    staged: ClassVar[dict[str, Knob]] = {  # for tasks with a blackout: see `unseen.envs.planar.stage`
        "blackout": Knob((2, 6), 0, 60, pair=True, doc="steps of the blackout, drawn"),
        "scramble": Knob(0.35, 0.0, 0.5, doc="the agent is carried up to this far from the mat, m"),
        "act": Knob(16, 4, 100, doc="steps of the act phase"),
    }
    # Arcs, so that random play gets about: the row is speed and turn, as parts of the task's own most.
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "forward": (1.0, 0.0), "left": (1.0, 1.0), "right": (1.0, -1.0), "stay": (0.0, 0.0),
    }  # fmt: skip
    action_low: ClassVar[tuple[float, ...]] = (-1.0, -1.0)
    action_high: ClassVar[tuple[float, ...]] = (1.0, 1.0)
    keys: ClassVar[Mapping[str, str]] = {"forward": "w", "left": "a", "right": "d", "stay": "s"}
    modes: ClassVar[tuple[str, ...]] = ("slots", "rays", "pixels", "state")
    covers: ClassVar[tuple[int, ...]] = ()  # see Layout
    extra_state: ClassVar[int] = 0  # numbers that `state` adds behind a fully lit slots row

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        """How many numbers of each sort a slots row has."""
        raise NotImplementedError

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        return cls.derived(values) | asdict(cls.sizes(values))

    @classmethod
    def layout(cls, values: Mapping[str, Any]) -> Layout:
        return Layout(cls.sizes(values), values["room"], values["order"], values["frame"], cls.covers)

    @classmethod
    def sensor(cls, mode: str) -> Callable:
        if mode == "pixels":  # the camera's tables are loaded only by those who look
            from unseen.envs.planar.camera.pixels import pixels

            return pixels
        sensors: dict[str, Callable] = {"slots": slots, "rays": rays, "state": cls.write_state}
        return sensors[mode]

    @classmethod
    def shape(cls, mode: str, values: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
        layout = cls.layout(values)
        return {
            "slots": ((layout.size,), "f4"),
            "rays": ((rays_size(layout.sizes),), "f4"),
            "pixels": ((64, 64, 3), "u1"),
            "state": ((layout.size + cls.extra_state,), "f4"),
        }[mode]

    write_state: ClassVar[Callable]


__all__ = ["RAYS", "Knob", "Look", "PlanarTask", "Sizes", "Task"]
