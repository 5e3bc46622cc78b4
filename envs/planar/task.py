"""The base of tasks in a planar room: parameters, phases, sensors, actions and view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.params import Params, choice, derived, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Task
from unseen.envs.core.view import View
from unseen.envs.planar.free import FREE
from unseen.envs.planar.layout import BOUND, FRAMES, ORDERS, Layout, Sizes, row_parts
from unseen.envs.planar.rays import ray_parts, write_rays
from unseen.envs.planar.slots import write_slots
from unseen.envs.planar.world import DAY, REVEAL


class PlanarParams(Params):
    """Parameters of every planar task. A subclass defines `room` (half extent, m), as a parameter or derived."""

    renamed: ClassVar[Mapping[str, str]] = {"curtain": "blackout"}

    order: str = choice(*ORDERS, default="colour", doc="order of the disc slots, see Layout")
    frame: str = choice(*FRAMES, default="room", doc="frame of positions: the room's or the agent's")
    fov: float = real(60.0, 360.0, default=360.0, doc="field of view, degrees")
    glass: bool = flag(default=False, doc="everything that hides is transparent, and there is no dusk")
    reveal: bool = flag(default=True, doc="the last observation of an episode reveals everything")
    free: str = choice(
        *FREE,
        default="no",
        doc="free play: nothing is asked for or rewarded, and only time ends an episode; shown: the same, but the query shows",
    )

    @derived
    def sizes(self) -> Sizes:
        """The sizes of the parts of a slots row."""
        raise NotImplementedError


class RoomParams(PlanarParams):
    """Parameters of a planar task with a room of adjustable size."""

    room: float = real(1.5, 5.0, default=2.5, doc="half extent of the room, m")


class StagedParams(RoomParams):
    """Parameters of a task with the three phases of `unseen.envs.planar.stage`: observe, blackout, act.

    A subclass defines `observe_steps`, the number of steps of the observe phase (the maximum, if it is drawn).
    """

    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn per episode")
    scramble: float = real(
        0.0, 0.5, default=0.35, doc="largest offset of the new position from the mat, along each axis, m"
    )
    act: int = integer(4, 100, default=16, doc="steps of the act phase")

    @property
    def observe_steps(self) -> int:
        """The maximum number of steps of the observe phase."""
        raise NotImplementedError

    @property
    def horizon(self) -> int:
        return self.observe_steps + self.blackout[1] + self.act


@dataclass(frozen=True)
class Phase:
    """A part of every episode.

    Attributes:
        name: displayed name.
        steps: (record, params) -> the maximum number of steps in this episode.
        can_act: whether actions have an effect.
    """

    name: str
    steps: Callable[[np.void, Any], int]
    can_act: bool = True


def stages(act_steps: Callable[[np.void, Any], int] = lambda record, params: params.act) -> tuple[Phase, ...]:
    """The phases of `unseen.envs.planar.stage`; `act_steps`: (record, params) -> the maximum number of steps of the act phase."""
    return (
        Phase("observe", lambda record, params: record["observe_steps"], can_act=False),
        Phase("blackout", lambda record, params: record["blackout_steps"], can_act=False),
        Phase("act", act_steps),
    )


UNSTAGED = (Phase("act", lambda record, params: params.horizon),)  # for a task with a single phase


@dataclass(frozen=True)
class Prop:
    """A thing of a task's own in its pictures, such as a belt or a roof. No sensor sees it, and nothing collides with it.

    Attributes:
        paint: (brush, record, params) paints it with a `unseen.envs.watch.brush.Brush`, in metres of the room. Players
            see it too, so it shows nothing that the agent could not know.
        over: it is painted over boxes and discs; else under them.
        opacity: (record, params) -> from 0, not there, to 1.
    """

    paint: Callable[[Any, np.void, Any], None]
    over: bool = False
    opacity: Callable[[np.void, Any], float] = lambda record, params: 1.0


ENDS = {
    "over": "Lights on: everything is visible.",
    "end": "The end. What was hidden stays hidden.",
}  # captions of an end that reveals everything, and of one that does not


@dataclass(frozen=True)
class Look(View):
    """How a planar task is rendered. `unseen.envs.watch.things` draws boxes and discs by name.

    Attributes:
        boxes: the object drawn for each kind of box ("block", "couch", ...); the last one also for all further kinds.
        discs: the same for each colour of disc ("block", "ball", "dog", ...).
        queries: names of possible queries. The icon beside a name shows the kind of box whose name it contains, or else
            the disc of the colour that it contains or that has its index. Empty: colours, then kinds of box.
        request: the sentence above the picture; {} is replaced by the query.
        request_box: the same for a query of a box, if it differs.
        request_unknown: the same while there is no query yet.
        phases: in the order of `s.phase`; the last one also for all further values.
        captions: a sentence for each phase by name, for "lit" (the last phase in full light), for "over" (an end that
            reveals everything) and for "end" (one that does not); or a function (record, params) that returns it and,
            like `Prop.paint`, tells nothing that the agent could not know.
        won, lost: label of an end with and without reward.
        signals: names of the task-specific values, in the order of `s.signal`.
        counts: name of a signal that counts something -> (params) -> the number for which it is 1. It is written as a
            number with a bar from zero; other signals are bars from the middle.
        props: the task's own things, in the order in which they are painted.
    """

    painter: ClassVar[str] = "unseen.envs.watch.room:RoomPainter"

    boxes: tuple[str, ...] = ("block",)
    discs: tuple[str, ...] = ("block",)
    queries: tuple[str, ...] = ()
    request: str = "fetch the {} block"
    request_box: str = ""
    request_unknown: str = "what to fetch will be shown after the blackout"
    phases: tuple[Phase, ...] = stages()
    captions: Mapping[str, str | Callable[[np.void, Any], str]] = field(default_factory=dict)
    won: str = "fetched it"
    lost: str = "wrong"
    signals: tuple[str, ...] = ()
    counts: Mapping[str, Callable[[Any], int]] = field(default_factory=dict)
    props: tuple[Prop, ...] = ()

    def check(self, record: np.void, params: Any) -> None:
        for phase in self.phases:
            phase.steps(record, params)
        for caption in self.captions.values():
            if not isinstance(caption, str):
                caption(record, params)

    def phase(self, record: np.void) -> Phase:
        """The current phase."""
        return self.phases[min(int(record["phase"]), len(self.phases) - 1)]

    def caption(self, record: np.void, params: Any) -> str:
        """The sentence about the current phase, or about the end; empty if there is none."""
        phase = self.phase(record)
        if record["done"]:
            name = "over" if record["light"] == REVEAL else "end"
        elif phase is self.phases[-1] and record["light"] == DAY and "lit" in self.captions:
            name = "lit"
        else:
            name = phase.name
        caption = self.captions.get(name, "")
        return caption if isinstance(caption, str) else caption(record, params)

    def chapter(self, record: np.void) -> str:
        return self.phase(record).name

    def can_act(self, record: np.void) -> bool:
        return self.phase(record).can_act


# Turns also move forward, so that random play explores. The row is speed and turn, as fractions of the task's maximum.
ARCS: dict[str, tuple[float, ...]] = {
    "forward": (1.0, 0.0), "left": (1.0, 1.0), "right": (1.0, -1.0), "stay": (0.0, 0.0),
}  # fmt: skip
ARC_KEYS = {"forward": "w", "left": "a", "right": "d", "stay": "s"}


def planar_sensors(
    write_state: Callable, more: int, covers: tuple[int, ...] = (), by_touch: bool = False
) -> dict[str, Sensor]:
    """The sensors of a planar task: slots, rays, pixels, and the privileged state.

    Args:
        write_state: device function (s, p, o) that writes a fully lit slots row followed by `more` numbers.
        covers, by_touch: see Layout.
    """

    def layout(params: Any) -> Layout:
        return Layout(params.sizes, params.room, params.order, params.frame, covers, by_touch)

    def state_parts(params: Any) -> list[Part]:
        return [*row_parts(params.sizes), Part("future of the episode", more, -BOUND, BOUND)]

    return {
        "slots": Sensor(write_slots, parts=lambda params: row_parts(params.sizes), layout=layout),
        "rays": Sensor(write_rays, parts=lambda params: ray_parts(params.sizes)),
        "pixels": Sensor(
            "unseen.envs.planar.camera.pixels:write_pixels", image=(64, 64, 3)
        ),  # the camera loads when it is used
        "state": Sensor(write_state, parts=state_parts, privileged=True),
    }


class PlanarTask(Task):
    """A task in a planar room. A subclass makes its `sensors` with `planar_sensors` and defines the rest of `Task`."""

    actions: ClassVar[Mapping[str, tuple[float, ...]]] = ARCS
    action_low: ClassVar[tuple[float, ...]] = (-1.0, -1.0)
    action_high: ClassVar[tuple[float, ...]] = (1.0, 1.0)
    keys: ClassVar[Mapping[str, str]] = ARC_KEYS
    view: ClassVar[View] = Look()
