"""How a task is rendered. A view only declares what to draw; the drawing code is imported on first use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np


class View:
    """Base class of a task's view.

    Attributes:
        painter: "module:Class" of the `unseen.envs.watch.painter.Painter` that draws it, imported on first use.
    """

    painter: ClassVar[str]

    def check(self, record: np.void, params: Any) -> None:
        """Read what it needs of a record, all zero, and of parameters; an AttributeError, KeyError or ValueError about
        what they lack is told when an environment is made, not when it is first drawn."""

    def chapter(self, record: np.void) -> str:
        """The part of the episode that this state belongs to; a contact sheet shows one frame of each."""
        return ""

    def can_act(self, record: np.void) -> bool:
        """Whether actions have an effect now. If not, `unseen play` does not wait for a key."""
        return True


@dataclass(frozen=True)
class Belief:
    """Where an agent takes objects to be, for n environments and k distinguishable objects, in world coordinates (m).

    Attributes:
        seen: (n, k) in [0, 1]: the probability that the position is known.
        xy: (n, k, 2) m; meaningful only where `seen`.
        box_seen, box_xy: the same for m kinds of box, (n, m) and (n, m, 2); None or m = 0 if boxes are not remembered.
        by_slot: the objects are the slots of the observation; else they are the colours of discs.
    """

    seen: np.ndarray
    xy: np.ndarray
    box_seen: np.ndarray | None = None
    box_xy: np.ndarray | None = None
    by_slot: bool = False


@dataclass(frozen=True)
class Imagined:
    """An imagined rollout: H steps of an agent's world model under its plan or its policy, or given actions, in n environments.

    Attributes:
        xy: (n, H, k, 2) m: positions of the objects of `Belief`; k = 0 if the model predicts none.
        pose: (n, H, 4): x, y (m), cos and sin of the heading, or zeros for an unknown pose; (n, H, 0) if the model
            predicts no pose.
        reward: (n, H).
        cont: (n, H) probability that the episode continues after the step.
        action: (n, H) indices or (n, H, a) rows: the action before each step; None if unknown.
        dropped: (n, K, H, 2) m: where the agent would have gone by other plans, which it imagined and dropped when it made the
            present one; NaN after their ends. (n, K, H, 0) if the model predicts no pose; None for an agent that does not plan, or
            has no plan.
        seen: (n, H, k) in [0, 1]: the probability that the position is predicted at all; None: it is.
        box_seen, box_xy: the same for the m box slots of the observation, (n, H, m) and (n, H, m, 2); None if not predicted.
    """

    xy: np.ndarray
    pose: np.ndarray
    reward: np.ndarray
    cont: np.ndarray
    action: np.ndarray | None = None
    dropped: np.ndarray | None = None
    seen: np.ndarray | None = None
    box_seen: np.ndarray | None = None
    box_xy: np.ndarray | None = None


@dataclass(frozen=True)
class Gauge:
    """One quantity of a task without a room, drawn as a curve over time, or as a bar if it is one of `controls`.

    Attributes:
        name: its label.
        read: (record, params) -> its current value.
        low, high: the range of the axis.
        unit: its unit.
        hidden: (record, params) -> whether the agent cannot sense it now.
        target: (record, params) -> the current target range (low, high), drawn as a band; None if there is none.
        bars: draw a bar for each step instead of a curve, as for what is given in it.
    """

    name: str
    read: Callable[[np.void, Any], float]
    low: float
    high: float
    unit: str = ""
    hidden: Callable[[np.void, Any], bool] = lambda record, params: False
    target: Callable[[np.void, Any], tuple[float, float]] | None = None
    bars: bool = False


@dataclass(frozen=True)
class Gauges(View):
    """The view of a task without a room: quantities over time.

    Attributes:
        gauges: the curves, from top to bottom.
        controls: what the agent sets, drawn as bars. They are read from the record, so the task must store its last
            action there.
        request: one sentence above the picture that states the task.
        caption: (record, params) -> one sentence about the current state.
        succeeded: (record, params) -> whether the ended episode was a success; None if it was neither.
        outcome: value of `succeeded` -> label of the end of an episode.
        appointment: (record, params) -> a step that the agent knows of, such as an announced end, and its name, drawn as a
            vertical line; None if there is none now.
        time: the unit of the time axis, and how many of it a step takes.
    """

    painter: ClassVar[str] = "unseen.envs.watch.gauges:GaugePainter"

    gauges: tuple[Gauge, ...]
    controls: tuple[Gauge, ...] = ()
    request: str = ""
    caption: Callable[[np.void, Any], str] = lambda record, params: ""
    succeeded: Callable[[np.void, Any], bool | None] = lambda record, params: None
    outcome: Mapping[bool | None, str] = field(
        default_factory=lambda: {True: "success", False: "failure", None: "end of the episode"}
    )
    appointment: Callable[[np.void, Any], tuple[int, str] | None] = lambda record, params: None
    time: tuple[str, float] = ("step", 1.0)


@dataclass(frozen=True)
class Section(Gauges):
    """The view of a piece in a furnace: its section in the colours of its temperatures, beside the curves.

    Attributes:
        profile: (record, params) -> temperatures through half of the piece, from the core outwards, C. The agent never sees it.
        outer, inner: (record, params) -> temperature of the surface and of the core, C, sensed or true.
        shut, unprobed: (record, params) -> whether the agent cannot sense `outer` or `inner` now.
        around: (record, params) -> temperature of the furnace, C.
        half: (record, params) -> half the thickness of the piece, m, as the agent knows it.
    """

    painter: ClassVar[str] = "unseen.envs.watch.section:SectionPainter"

    profile: Callable[[np.void, Any], np.ndarray] = lambda record, params: np.zeros(0)
    outer: Callable[[np.void, Any], float] = lambda record, params: 0.0
    inner: Callable[[np.void, Any], float] = lambda record, params: 0.0
    shut: Callable[[np.void, Any], bool] = lambda record, params: False
    unprobed: Callable[[np.void, Any], bool] = lambda record, params: False
    around: Callable[[np.void, Any], float] = lambda record, params: 0.0
    half: Callable[[np.void, Any], float] = lambda record, params: 0.1


@dataclass(frozen=True)
class Ride:
    """What there is to draw of a load on a crane, in m and rad, seen from the side.

    Attributes:
        trolley, target: along the rail; the start is at 0.
        buffers: the ends of the rail.
        depth: of the target below the rail.
        hoist: length of the rope, as the hoist's reading says.
        seen: angle of the rope at the last sight of the load, which the agent saw.
        reach: how far the load would swing to either side if it went on as at that sight, rad.
        age: of that sight, s; 0: the load is seen now.
        angle: the true one, which the agent does not see.
        deepest: m below the rail that the picture has to show.
        service: part of the maintenance that is still to come; 0: none.
        wear, logged: of the crane, 1: it fails; now, and at its last inspection, of which the agent knows.
        gauged: whether the agent sees a gauge of the wear.
    """

    trolley: float
    target: float
    buffers: tuple[float, float]
    depth: float
    hoist: float
    seen: float
    reach: float
    age: float
    angle: float
    deepest: float
    service: float
    wear: float
    logged: float
    gauged: bool


@dataclass(frozen=True)
class Hoist(Gauges):
    """The view of a load on a crane: from the side, over the curves of its swing. The record has the fields x, hoist and angle.

    Attributes:
        ride: (record, params) -> what there is to draw.
    """

    painter: ClassVar[str] = "unseen.envs.watch.hoist:HoistPainter"

    ride: Callable[[np.void, Any], Ride] = lambda record, params: Ride(
        0, 0, (0, 1), 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, False
    )

    def check(self, record: np.void, params: Any) -> None:
        self.ride(record, params)
        self.caption(record, params)


@dataclass(frozen=True)
class Lane:
    """A lane of a tunnel.

    Attributes:
        length: steps of a running belt.
        parts: (kind, steps of a running belt to the exit) of the parts inside. The agent never sees them.
        free: whether the entry is.
        state: "runs", "restarting" or "jammed".
        lamp: whether a lamp shows its state to the agent.
    """

    length: int
    parts: tuple[tuple[int, int], ...]
    free: bool
    state: str
    lamp: bool


@dataclass(frozen=True)
class Plant:
    """What there is to draw of a tunnel with its entry, gate and machines. The last kind is that of parts for the bin.

    Attributes:
        waiting: kinds of the parts at the entry; the agent sees the first.
        slots: places for them.
        lanes: from top to bottom.
        out: the kind of the part that has just come out, which the agent does not see; None if there is none.
        gate: the kind whose machine the gate leads to.
        busy: for each machine, whether it is.
        glass: (lane, kind, steps) of what comes out next, as the agent sees it; None if it does not.
        counts: name and number of what the agent can count.
    """

    waiting: tuple[int, ...]
    slots: int
    lanes: tuple[Lane, ...]
    out: int | None
    gate: int
    busy: tuple[bool, ...]
    glass: tuple[int, int, int] | None
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Conveyor(View):
    """The view of parts that go through a tunnel, from above.

    Attributes:
        plant: (record, params) -> what there is to draw.
        request, caption, succeeded, outcome: as in `Gauges`.
    """

    painter: ClassVar[str] = "unseen.envs.watch.conveyor:ConveyorPainter"

    plant: Callable[[np.void, Any], Plant]
    request: str = ""
    caption: Callable[[np.void, Any], str] = lambda record, params: ""
    succeeded: Callable[[np.void, Any], bool | None] = lambda record, params: None
    outcome: Mapping[bool | None, str] = field(
        default_factory=lambda: {True: "success", False: "failure", None: "end of the episode"}
    )

    def check(self, record: np.void, params: Any) -> None:
        self.plant(record, params)
        self.caption(record, params)


@dataclass(frozen=True)
class Track(View):
    """The view of a proving ground: a test on the track, its margins, and the design.

    The record has the fields of ProvingGround's: rig, other, scenario, shown, worst, tried, passed, certified, drawn and offset.

    Attributes:
        families: names of the families of scenarios.
        metrics: the three metrics of each family.
        surfaces: names of the surfaces.
        variables: of the design: name, unit, value at -1 and at 1, and whether it is spaced in ratios.
        furthest: where margins are cut off.
        request: one sentence above the picture that states the task.
        caption: (record, params) -> one sentence about the current state.
    """

    painter: ClassVar[str] = "unseen.envs.watch.track:TrackPainter"

    families: tuple[str, ...]
    metrics: tuple[tuple[str, str, str], ...]
    surfaces: tuple[str, ...]
    variables: tuple[tuple[str, str, float, float, bool], ...]
    furthest: float
    request: str
    caption: Callable[[np.void, Any], str]

    def check(self, record: np.void, params: Any) -> None:
        self.caption(record, params)


@dataclass(frozen=True)
class Pedestrian:
    """Somebody in a street.

    Attributes:
        x, y: where they are, m. The agent sees them there if `seen`.
        seen: whether the agent does.
        last_y: where it last saw them; None if it never did, or if they are in a house now.
        empty: whether they have empty hands, as the agent saw.
    """

    x: float
    y: float
    seen: bool
    last_y: float | None
    empty: bool


@dataclass(frozen=True)
class Scene:
    """What there is to draw of a car in a street. Metres and seconds; x along the street, y to the left.

    Attributes:
        length, half: of the street, and half the width of its carriageway.
        car: x, y and yaw of its centre of gravity.
        outline: distances from there to its front, rear and side.
        eye: where the driver looks from.
        vans: x of rear and front, y of both sides, each.
        glass: whether one can see through them.
        people: who is outside.
        speed, top: m/s, and the most.
        accel, lateral: m/s^2.
        pedal: -1 to 1.
        grip: of the road, and whether the agent knows it from a sensor.
        hit: where somebody or something was hit; None: nowhere.
    """

    length: float
    half: float
    car: tuple[float, float, float]
    outline: tuple[float, float, float]
    eye: tuple[float, float]
    vans: tuple[tuple[float, float, float, float], ...]
    glass: bool
    people: tuple[Pedestrian, ...]
    speed: float
    top: float
    accel: float
    lateral: float
    pedal: float
    grip: tuple[float, bool]
    hit: tuple[float, float] | None


@dataclass(frozen=True)
class Street(View):
    """The view of a drive along a street, from above.

    Attributes:
        scene: (record, params) -> what there is to draw.
        request, caption, succeeded, outcome: as in `Gauges`.
    """

    painter: ClassVar[str] = "unseen.envs.watch.street:StreetPainter"

    scene: Callable[[np.void, Any], Scene]
    request: str = ""
    caption: Callable[[np.void, Any], str] = lambda record, params: ""
    succeeded: Callable[[np.void, Any], bool | None] = lambda record, params: None
    outcome: Mapping[bool | None, str] = field(
        default_factory=lambda: {True: "success", False: "failure", None: "end of the episode"}
    )

    def check(self, record: np.void, params: Any) -> None:
        self.scene(record, params)
        self.caption(record, params)
