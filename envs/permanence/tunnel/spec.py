"""Tunnel: a ball rolls into a tunnel; be at the right exit when it comes out."""

import math
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.tunnel import draw, references, rules
from unseen.envs.permanence.tunnel.look import LOOK
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import PlanarParams, PlanarTask, planar_sensors
from unseen.envs.planar.world import DT, STRIDE


class TunnelParams(PlanarParams):
    """Parameters of Tunnel, which determine the size of the room and the length of the act phase."""

    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn per episode")
    scramble: float = real(
        0.0, 0.5, default=0.35, doc="largest offset of the new position from its mean, along each axis, m"
    )
    fov: float = real(180.0, 360.0, default=360.0, doc="field of view, degrees")
    exits: int = integer(2, rules.MAX_EXITS, default=4, doc="exits of the tunnel")
    balls: int = integer(1, rules.MAX_BALLS, default=1, doc="balls per episode")
    query: str = choice(
        "first", "late", default="first", doc="the query is shown from the start, or after the blackout"
    )
    fork: float = real(
        0.0, 2.0, default=1.2, doc="depth of the hall, in which the entry angle determines the exit, m; 0: no hall"
    )
    lane: float = real(0.5, 3.0, default=1.5, doc="length of the lanes behind the hall, m")
    carpet: float = real(0.3, 1.0, default=0.5, doc="speed factor on carpets; 1: no carpets")
    carpets: str = choice(
        "half",
        "graded",
        default="half",
        doc="half of the lanes have a carpet, drawn; or all have, each with a factor of its own from `carpet` to 1",
    )
    entry: str = choice(
        "nearby",
        "anywhere",
        default="nearby",
        doc="a ball enters the hall near its exit, or anywhere, so that its direction is needed to tell the exit",
    )
    siding: bool = flag(default=False, doc="in half of the episodes the first ball is held up and comes out last")
    slack: tuple[int, int] = span(
        0, 80, default=(0, 8), doc="spare steps in addition to the walk to the farthest exit, drawn"
    )
    timing: str = choice(
        "act",
        "start",
        default="act",
        doc="slack counts from the act phase, so that a long blackout means a slow ball; or from where the longest "
        "blackout would end, so that neither tells anything about the other",
    )
    apart: bool = flag(default=False, doc="no two balls come out at the same exit")
    chute: bool = flag(default=False, doc="balls drop out of sight as they come out: only a ball that is caught shows")
    patience: int = integer(
        1, 40, default=3, doc="steps that the agent may stand on a plate before its gate shuts permanently"
    )
    lever: int = integer(
        0,
        40,
        default=0,
        doc="all gates are shut until the agent has been at the lever, and then open for this many steps, once; 0: no lever",
    )
    radius: float = real(0.06, 0.12, default=0.1, doc="radius of a ball, m")

    def check(self) -> None:
        if self.balls > self.exits:
            raise BadParameter(f"balls={self.balls}: must be at most exits={self.exits}")
        if self.siding and (self.balls < 2 or self.fork == 0.0):
            raise BadParameter(
                f"siding=True needs at least two balls and a hall: got balls={self.balls}, fork={self.fork}"
            )
        if self.query == "late" and self.balls < 2:
            raise BadParameter("query='late' needs at least two balls")
        if 0 < self.lever < self._from_lever:
            raise BadParameter(
                f"lever={self.lever}: must be at least {self._from_lever}, the steps from the lever to the farthest exit"
            )
        hall = rules.HALL * (self.balls - 1)
        if self.fork < hall - 1e-9:
            raise BadParameter(
                f"fork={self.fork}: must be at least {hall:g} with balls={self.balls}, whose paths cross in the hall"
            )
        if self.entry == "anywhere" and 0.0 < self.fork < rules.OPEN:
            raise BadParameter(f"fork={self.fork}: must be 0 or at least {rules.OPEN:g} with entry='anywhere'")
        speed = self.fastest
        if speed > rules.FASTEST:
            raise BadParameter(
                f"carpet={self.carpet}, lane={self.lane}, fork={self.fork}: balls would have to enter at {speed:.1f} m/s "
                f"to come out in time, but the maximum is {rules.FASTEST} m/s; use a longer blackout or more slack"
            )

    @property
    def fastest(self) -> float:
        """The highest entry speed that an episode of any split may need, m/s."""
        steps = self.walk + self.slack[0] + self.blackout[0 if self.timing == "act" else 1]
        if self.siding:
            steps = min(steps, steps + (draw.ROLL + rules.GAP) * (self.balls - 1) - self.hold)
        carpet = self.carpet * draw.SHIFT_CARPET if self.carpet < 1.0 else 1.0
        hall = self.fork * math.hypot(1.0, draw.STEEP)
        if self.entry == "anywhere" and self.fork > 0.0:
            hall = math.hypot(self.fork, self.wide + 0.5 * (self.exits - 1) * draw.SPACING)
        path = hall + self.lane / carpet
        return path / (steps * DT) if steps > 0 else math.inf

    @derived
    def walk(self) -> int:
        """Maximum number of steps of a walk to a plate, from any spawn pose, by way of the lever if there is one."""
        aside = 0.5 * (self.exits - 1) * draw.SPACING + self.scramble
        distance = math.hypot(aside, rules.MAT - rules.PLATE_AT + self.scramble) - rules.PLATE
        if self.lever > 0:
            away = self.wide - draw.LEVER + self.scramble, draw.LEVER_AT - rules.MAT + self.scramble
            return math.ceil((math.hypot(*away) - rules.PULL) / STRIDE) + 4 + self._from_lever
        return math.ceil(distance / STRIDE) + 4  # and a few for turning

    @property
    def _from_lever(self) -> int:
        """Maximum number of steps of a walk from the lever to a plate."""
        aside = self.wide - draw.LEVER + 0.5 * (self.exits - 1) * draw.SPACING
        return math.ceil((math.hypot(aside, draw.LEVER_AT - rules.PLATE_AT) - rules.PLATE) / STRIDE) + 4

    @derived
    def hold(self) -> int:
        """Steps for which a siding holds up the first ball: longer than all gaps between balls together."""
        return (rules.GAP + rules.GAPS - 1) * (self.balls - 1) + 2

    @derived
    def wide(self) -> float:
        """Half extent of the room in x, m."""
        return 0.5 * draw.SPACING * self.exits

    @derived
    def deep(self) -> float:
        """Half extent of the room in y, m."""
        far = max(1.3, (draw.ROLL - 0.5) * DT * self.fastest + 0.75)
        return 0.5 * (rules.NEAR + self.lane + self.fork + far)

    @derived
    def room(self) -> float:
        """The unit of positions in observations, m."""
        return max(self.wide, self.deep)

    @derived
    def mouth(self) -> float:
        """The y at which the lanes end, m."""
        return rules.NEAR - self.deep

    @derived
    def bend(self) -> float:
        """The y at which the lanes begin, m."""
        return self.mouth + self.lane

    @derived
    def top(self) -> float:
        """The y at which the tunnel begins, m."""
        return self.mouth + self.lane + self.fork

    @derived
    def observe_steps(self) -> int:
        """Steps of the observe phase."""
        return rules.REST + draw.ROLL * self.balls

    @derived
    def depth(self) -> float:
        """Unused: the slots of all boxes give their shape."""
        return 0.0

    @derived
    def breadth(self) -> float:
        """Unused, like `depth`."""
        return 0.0

    @derived
    def sizes(self) -> Sizes:
        signals = self.exits * (2 if self.carpet < 1.0 else 1) + (1 if self.siding else 0)
        return Sizes(
            colours=self.balls, disc_slots=self.balls, box_shape=1, signals=signals,
            box_slots=self.exits + (1 if self.fork > 0.0 else 0) + (1 if self.lever > 0 else 0),
        )  # fmt: skip

    @property
    def horizon(self) -> int:
        low, high = self.slack
        most = 2 * high - low + 1 + (rules.GAP + rules.GAPS - 1) * (self.balls - 1)  # slack under shift, and gaps
        return self.observe_steps + self.blackout[1] + self.walk + most


P = TunnelParams


class Tunnel(PlanarTask):
    """Be at the right exit when the ball comes out of the tunnel.

    **Story.** An opaque tunnel crosses the room from wall to wall. From the far side the agent watches balls at rest,
    which then roll into the tunnel one after the other. After a blackout of random length the agent is on the near side
    with a random heading, while the balls keep rolling inside. In daylight, it has to be on the plate in front of the
    right exit in the step in which the queried ball comes out. Arriving early has a cost: a gate shuts permanently once
    the agent has stood on its plate for more than `patience` steps in total. If another ball comes out at the agent's
    plate, the episode ends without reward.

    **Motion in the tunnel.** A ball rolls straight at its entry speed v through the hall (`fork` metres deep; none at
    level 1) to the start of a lane, which is determined by where and at which angle it enters. It turns into this lane,
    which is straight. On a carpeted lane it rolls at a fraction of v, the lane's factor, and after the lane at v again.
    The time inside is therefore hall / v + lane / (v * factor), which is a whole number of steps. Balls keep their
    identity and their order, except if the hall has the sign of a siding: then the first ball is held at the end of the
    hall for `hold` = 8 * (balls - 1) + 2 steps and comes out last. Balls do not collide inside. Hall and lanes are visible
    as boxes with their extents; signals give the factors of the lanes and the siding.

    **Levels.** 0: the visible twin of level 1, of glass. 1: 3 straight lanes, one ball, patience 3, blackout of 1-3
    steps. 2 (default): 4 exits behind a hall, which a ball enters anywhere, whatever its exit; each lane has a carpet of
    its own; patience 2, blackout 16-27; how long a ball takes is counted from the start of the episode, so that the
    blackout must be counted too. 3: four balls, which come out at different ones of 5 exits; in half of the episodes a
    siding; the query is shown after a blackout of 16-30 steps; egocentric frame, slots by distance. Balls drop out of
    sight as they come out, and nothing is revealed at the end: only a ball that is caught shows.

    **Preset "lever".** Level 2 with planning: all gates are shut until the agent has been at the lever in a corner, and
    then open for 19 steps, once. It has to pull the lever late enough, and still be at the exit in time. A policy that
    knows when and where and pulls the lever at once (reference "hasty") scores .00, the oracle 1.00.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees per step. Actions have no effect before the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Signals, with exits in order of x: how far each gate is
    still open (1 to 0); if there are carpets, each lane's factor; if there may be a siding, whether there is one. The
    terminal observation shows the balls, except at level 3.

    **Reward.** 1 if the agent is on the plate of the right exit in the step in which the queried ball comes out, else 0.

    **End.** The step in which the queried ball comes out or is stopped by its shut gate, or in which another ball comes
    out at the agent's plate: `terminated`.

    **Faculties.** Best policy that lacks exactly one, on 4,000 test episodes; limits are chance + .1 at level 1 and
    chance + .05 at levels 2 and 3, where `tracker` scores 1.00, 1.00, 1.00.

    | lacks | level 1 | level 2 | level 3 |
    |---|---|---|---|
    | chance | .333 | .250 | .200 |
    | where | .337 | .253 | .203 |
    | when | .341 | .259 | .198 |
    | how long the blackout was | - | .248 | .204 |
    | path: knows only where the ball went in | - | .253 | .202 |
    | floor: takes the lane's factor for 1 or for the mean | - | .200 | .114 |
    | which ball is which | - | - | .247 |
    | memory: the last 4, 8 or 16 observations only | .674 (excess) | .068 | .043 |

    Level 1's blackout is short, so that small agents learn within a minute of CPU time; 16 observations then often reach
    back to the ball: a declared excess of .4. The siding is no faculty: a policy that ignores it errs in an eighth of the
    episodes of level 3.

    **Leaks closed.** The tunnel hides one side of the room from the other, and the agent changes sides, so the pose
    cannot serve as memory. The queried ball first becomes visible in the step that ends the episode, so waiting to see it
    is too late. Exits are drawn uniformly and independently of the exit time, the carpets and the siding, and at levels
    1 and 2 of the exits of other balls; speeds follow from these. Observations of the act phase therefore leave all exits
    equally likely. At levels 2 and 3 neither the length of the blackout nor the ball's speed tells about the other.
    Plates are disjoint, so a policy that does not know where scores at most 1 / exits. A gate stays open for patience + 1
    steps of standing and the first ball comes out in any of (patience + 1) * exits steps, so a policy that does not know
    when scores no more than that either.

    **Shift.** Longer times inside, hence slower balls; slower carpets (x 0.8); larger balls (x 1.25).
    """

    title = "be at the right exit of a tunnel when the ball comes out"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, by_touch=True)
    levels: ClassVar[dict[int, P]] = {
        0: P(exits=3, fork=0.0, lane=2.2, carpet=1.0, blackout=(1, 3), slack=(0, 11), glass=True),
        1: P(exits=3, fork=0.0, lane=2.2, carpet=1.0, blackout=(1, 3), slack=(0, 11)),
        2: P(carpets="graded", entry="anywhere", blackout=(16, 27), slack=(0, 11), timing="start", patience=2),
        3: P(
            exits=5, balls=4, query="late", fork=1.6, lane=2.2, carpet=0.4, carpets="graded", entry="anywhere",
            siding=True, blackout=(16, 30), slack=(0, 14), timing="start", patience=2, apart=True, chute=True,
            reveal=False, order="distance", frame="ego",
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "lever": P(
            carpets="graded", entry="anywhere", blackout=(16, 27), slack=(0, 11), timing="start", patience=2, lever=19
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "blackout": (0, 5, 10, 20, 30), "exits": (2, 3, 4, 5, 6), "slack": (0, 5, 10, 20, 30), "patience": (4, 3, 2, 1),
    }  # fmt: skip
    view = LOOK
    hidden = Hidden(
        rules.write_hidden,
        classes=lambda params: params.exits,
        when=acting,
        change=rules.change_hidden,
        found=rules.found,
    )
    faculties: ClassVar[dict[str, Faculty]] = {
        "where": Faculty("know at which exit the ball comes out", without=tuple(references.WITHOUT_WHERE)),
        "when": Faculty("know when it comes out", without=tuple(references.WITHOUT_WHEN)),
        "how long": Faculty(
            "count how long the blackout was", without=tuple(references.WITHOUT_CLOCK), levels=(2, 3)
        ),
        "path": Faculty(
            "follow the direction of the ball, not only where it went in", without=tuple(references.WITHOUT_PATH),
            levels=(2, 3),
        ),
        "floor": Faculty(
            "work out how long the ball takes on the floor of its lane", without=tuple(references.WITHOUT_FLOOR),
            levels=(2, 3),
        ),
        "which": Faculty("tell the balls apart", without=tuple(references.WITHOUT_WHICH), levels=(3,)),
        "memory": Faculty(
            "remember where and when until long after the ball is out of sight", windows=(4, 8, 16),
            excess={1: Excess(0.4, "the blackout is short, so that small agents learn within a minute of CPU time", only=("tracker-16",))},
        ),
    }  # fmt: skip
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    reset, step = rules.reset, rules.step
    references = references.REFERENCES

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The highest success rate of a player that knows neither where nor when, but may know one of the two.

        It stands at one plate at a time: 1 / exits. It stands on a plate for patience + 1 of the steps in which the first
        ball may come out, all equally likely. Balls that are seen to come out before the queried one tell more about when.
        """
        low, high = params.slack
        told = params.balls > 1 and not params.chute
        return 1.0 / params.exits if told else min(1.0 / params.exits, (params.patience + 1) / (high - low + 1))
