"""What tasks in a planar room share: parameters, sensors, arcs to move by, and how they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.params import Params, choice, derived, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Task
from unseen.envs.core.view import View
from unseen.envs.planar.layout import FRAMES, ORDERS, REACH, Layout, Sizes, row_parts
from unseen.envs.planar.rays import ray_parts, write_rays
from unseen.envs.planar.slots import write_slots


class PlanarParams(Params):
    """Parameters of every planar task. A subclass gives `room` (half extent, m) as a parameter or a derived property."""

    renamed: ClassVar[Mapping[str, str]] = {"curtain": "blackout"}

    order: str = choice(*ORDERS, default="colour", doc="what decides the slot of a disc: see Layout")
    frame: str = choice(*FRAMES, default="room", doc="positions in the room's frame, or the agent's")
    fov: float = real(60.0, 360.0, default=360.0, doc="field of view, degrees")
    glass: bool = flag(default=False, doc="what hides is transparent, and there is no dusk")

    @derived
    def sizes(self) -> Sizes:
        """How many numbers of each sort a slots row has."""
        raise NotImplementedError


class RoomParams(PlanarParams):
    """Parameters of a planar task whose room can be set."""

    room: float = real(1.5, 5.0, default=2.5, doc="half extent of the room, m")


class StagedParams(RoomParams):
    """Parameters of a task with the three phases of `unseen.envs.planar.stage`: observe, blackout, act.

    A subclass gives `observe_steps`: steps of the first phase, or the most of them where they are drawn.
    """

    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn")
    scramble: float = real(0.0, 0.5, default=0.35, doc="the agent is carried up to this far from the mat, m")
    act: int = integer(4, 100, default=16, doc="steps of the act phase")


@dataclass(frozen=True)
class Phase:
    """A part of every episode.

    Attributes:
        name: as it is shown.
        steps: (record, params) -> how many steps it lasts in this episode at most.
        can_act: whether actions have an effect in it.
    """

    name: str
    steps: Callable[[np.void, Any], int]
    can_act: bool = True


def stages(act_steps: Callable[[np.void, Any], int] = lambda record, params: params.act) -> tuple[Phase, ...]:
    """The phases of `unseen.envs.planar.stage`; `act_steps`: (record, params) -> the most steps of the act phase."""
    return (
        Phase("observe", lambda record, params: record["observe_steps"], can_act=False),
        Phase("blackout", lambda record, params: record["blackout_steps"], can_act=False),
        Phase("act", act_steps),
    )


UNSTAGED = (Phase("act", lambda record, params: params.horizon),)  # of a task that is one phase


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


@dataclass(frozen=True)
class Look(View):
    """What pictures need to know of a planar task. Names of things are drawn by `unseen.envs.watch.things`.

    Attributes:
        boxes: what each kind of box is ("block", "couch", ...); the last one stands for all further kinds.
        discs: what each colour of disc is ("block", "ball", "dog", ...); likewise.
        queries: names of what can be asked for. The picture beside a name is of the kind of box that the name contains,
            or else of the disc of the colour that it contains or that has its index. Empty: colours, then kinds of boxes.
        request: the sentence above the picture; {} is what is asked for.
        request_box: the same where a box is asked for, if that is another sentence.
        untold: the same while it is not yet known what is asked for.
        phases: in the order of `s.phase`; the last one stands for all further numbers.
        captions: a sentence for each phase by its name, for "lit" (the last phase in full light) and for "over".
        won, lost: what an end with and without reward is called.
        signals: names of the task's own numbers, in the order of `s.signal`.
        props: things of the task's own, from the lowest up.
    """

    painter: ClassVar[str] = "unseen.envs.watch.room:RoomPainter"

    boxes: tuple[str, ...] = ("block",)
    discs: tuple[str, ...] = ("block",)
    queries: tuple[str, ...] = ()
    request: str = "fetch the {} block"
    request_box: str = ""
    untold: str = "what to fetch is asked after the blackout"
    phases: tuple[Phase, ...] = stages()
    captions: Mapping[str, str] = field(default_factory=dict)
    won: str = "fetched it"
    lost: str = "wrong"
    signals: tuple[str, ...] = ()
    props: tuple[Prop, ...] = ()

    def check(self, record: np.void, params: Any) -> None:
        for phase in self.phases:
            phase.steps(record, params)

    def phase(self, record: np.void) -> Phase:
        """The present phase."""
        return self.phases[min(int(record["phase"]), len(self.phases) - 1)]

    def chapter(self, record: np.void) -> str:
        return self.phase(record).name

    def can_act(self, record: np.void) -> bool:
        return self.phase(record).can_act


# Arcs, so that random play gets about: the row is speed and turn, as parts of the task's own most.
ARCS: dict[str, tuple[float, ...]] = {
    "forward": (1.0, 0.0), "left": (1.0, 1.0), "right": (1.0, -1.0), "stay": (0.0, 0.0),
}  # fmt: skip
ARC_KEYS = {"forward": "w", "left": "a", "right": "d", "stay": "s"}


def planar_sensors(write_state: Callable, more: int, covers: tuple[int, ...] = ()) -> dict[str, Sensor]:
    """The sensors of a planar task: slots, rays, pixels, and the privileged state.

    Args:
        write_state: device function (s, p, o) of the state: a fully lit slots row, and `more` numbers behind it.
        covers: see Layout.
    """

    def layout(params: Any) -> Layout:
        return Layout(params.sizes, params.room, params.order, params.frame, covers)

    def state_parts(params: Any) -> list[Part]:
        return [*row_parts(params.sizes), Part("what is still to come", more, -REACH, REACH)]

    return {
        "slots": Sensor(write_slots, parts=lambda params: row_parts(params.sizes), layout=layout),
        "rays": Sensor(write_rays, parts=lambda params: ray_parts(params.sizes)),
        "pixels": Sensor(
            "unseen.envs.planar.camera.pixels:write_pixels", image=(64, 64, 3)
        ),  # the camera loads when it is used
        "state": Sensor(write_state, parts=state_parts, privileged=True),
    }


class PlanarTask(Task):
    """A task in a planar room. A subclass gives `sensors` by `planar_sensors`, and what `Task` asks for."""

    actions: ClassVar[Mapping[str, tuple[float, ...]]] = ARCS
    action_low: ClassVar[tuple[float, ...]] = (-1.0, -1.0)
    action_high: ClassVar[tuple[float, ...]] = (1.0, 1.0)
    keys: ClassVar[Mapping[str, str]] = ARC_KEYS
    view: ClassVar[View] = Look()
