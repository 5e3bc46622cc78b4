"""Crane: carry a swinging load that is seen only now and then."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import HISTORY, Hidden
from unseen.envs.core.params import Params, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.industry.crane import rules
from unseen.envs.industry.crane.look import LOOK
from unseen.envs.industry.crane.references import ACTIONS, REFERENCES
from unseen.envs.industry.crane.rules import STEPS, SWING, TIME, WEAR


class CraneParams(Params):
    """Parameters of Crane."""

    blind: int = integer(1, 300, default=110, doc="steps from one sighting of the load to the next; 1: always seen")
    gauges: bool = flag(default=False, doc="gauges of the rope's true length and of the wear")
    noise: float = real(
        0.0, 0.05, default=0.002, doc="standard deviation of an observed angle, rad, and of its rate, rad/s"
    )
    variability: float = real(
        0.0,
        1.2,
        default=1.0,
        doc="how much ropes and drag differ from nominal; 0: not at all, but for the drag in shift",
    )
    swing: tuple[int, int] = span(0, 400, default=(200, 350), doc="amplitude of the swing at the start, mrad, drawn")
    distance: tuple[int, int] = span(5, 60, default=(8, 24), doc="distance to the target, m, drawn")
    rope: tuple[int, int] = span(
        3, 12, default=(4, 9), doc="hoist's reading of the rope length at the start and at the target, m, drawn"
    )
    worn: tuple[int, int] = span(0, 95, default=(0, 95), doc="wear at the start, which the log tells, %, drawn")
    wear: float = real(0.0, 0.5, default=0.1, doc="wear caused by one second at 1 m/s^2")
    gust: float = real(
        0.0, 0.05, default=0.0, doc="standard deviation of the angular rate that wind adds in a step, rad/s"
    )

    @property
    def horizon(self) -> int:
        return STEPS


P = CraneParams


def panel(params: P) -> list[Part]:
    return [
        Part("way to the target", 1, -7.0, 7.0, "10 m"),
        Part("speed of the trolley", 1, -3.0, 3.0, "m/s"),
        Part("its acceleration in the last step", 1, -1.0, 1.0, "m/s^2"),
        Part("way from the start", 1, -1.0, 7.0, "10 m"),
        Part("hoist's reading", 1, 0.0, 1.5, "10 m"),
        Part("speed of the hoist in the last step", 1, -0.5, 0.5, "m/s"),
        Part("way down to the target", 1, -1.0, 1.0, "10 m"),
        Part("angle of the rope", 1, -1.5, 1.5, "rad"),
        Part("its rate", 1, -2.0, 2.0, "rad/s"),
        Part("the load is seen", 1, 0.0, 1.0),
        Part("age of the last sight", 1, 0.0, 1.0, "min"),
        Part("true length of the rope by its gauge", 1, 0.0, 2.0, "10 m"),
        Part("wear by its gauge", 1, 0.0, 1.5),
        Part("there are gauges", 1, 0.0, 1.0),
        Part("wear at the last inspection by the log", 1, 0.0, 1.0),
        Part("what is left of maintenance", 1, 0.0, 1.0),
        Part("called: 1 to set down, -1 for maintenance", 1, -1.0, 1.0),
        Part("time", 1, 0.0, 1.0, "min"),
    ]


class Crane(Task):
    """Carry a swinging load that is seen only now and then.

    **Story.** A load hangs on a rope from the trolley of a crane, and swings from the start. It has to be set down at the target, at the
    target's height and at rest. The trolley accelerates, and the hoist winds the rope. The driver sees the load only now and then;
    between two sightings its swing has to be predicted from the trolley's motion. The hoist's reading of the rope length is wrong by up
    to 15 %, and so is the swing's period computed from it: the length has to be inferred from two or more sightings. The crane wears, and
    fails when it is worn out.

    **Levels.** How rarely the load is seen, `blind` in steps of .2 s: 0, the visible twin of level 1: it is always seen, and there are
    gauges of the rope's true length and of the wear. 1: seen every 8 s. 2 (default): every 22 s. 3: every 30 s, which is once at the
    start and once half-way to the time limit. A ride takes 15 to 40 s. Loads and cranes are the same at all levels.

    **Physics.** `l th'' + 2 l' th' + g sin th = -a cos th - c l th'` (`unseen.envs.industry.kit.pendulum`), for the angle th of a rope of
    length l, m, that grows by l', under a trolley that accelerates by a; Runge-Kutta, four parts in a step of .2 s. a: -.8 to .8 m/s2, up
    to a speed of 2.5 m/s; l': -.3 to .3 m/s, between readings of 3 and 12 m. Wear: w' = kappa a^2 (1 + |th|), kappa .1 s^3/m^2; at 1 the
    crane fails. Drawn uniformly: distance 8 to 24 m; readings at the start and at the target 4 to 9 m; amplitude of the swing at the
    start .2 to .35 rad. Hidden, and drawn uniformly: the relative error of the reading (true length / reading - 1), -.15 to -.08 or .08
    to .15; the drag c, .005 to .03 1/s. The wear at the start, 0 to .95, is in the log.

    **Actions.** Discrete: one of seven accelerations (0, .1, .3 or .8 m/s2 to either side) with hoist up, level or down; "set down";
    "maintain". Continuous, -1 to 1 each: acceleration, speed of the hoist (down), and a call: above .8 to set down, below -.8 for
    maintenance. A call takes effect at the second step in a row in which it is made. Maintenance takes 60 steps, during which trolley and
    hoist stand still and the load swings on; afterwards the wear is 0.

    **Observation.** `panel`: distance to the target, speed and acceleration of the trolley, distance from the start; the hoist's reading
    and speed, and how much further down the target is; angle of the rope and its rate while the load is seen, else 0, whether it is seen,
    and the time since it was; the rope's true length and the wear by their gauges, 0 without, and whether there are gauges; wear by the
    log; the remaining time of maintenance; calls; the clock. Observed angle and rate have a noise of .002 rad and rad/s. `state` adds the
    swing, the rope, its drag, the wear and the accumulated swing.

    **Reward.** Each step costs .15 / 300. A load that is set down is worth its quality, the product of three factors: 1 up to an
    amplitude of .01 rad, 0 from .03 rad on; 1 up to .15 m from the target along the rail, 0 from .5 m on; the same for the vertical
    distance, by the hoist's reading. At the end the whole ride is charged: for swing, in proportion to the sum of |th|, at most .1, which
    a mean of .1 rad over 300 steps costs; and for wear, in proportion, at most .1, which a wear of 1 costs. The reward reveals nothing
    else of swing and wear.

    **End.** Terminated when the load is set down; if the crane fails, the trolley hits a buffer (4 m behind start and target), or the
    load tears loose (|th| > 1 rad); or if the state diverges. Truncated after 300 steps. The last step's info has `is_success` (quality
    at least .8), `quality`, `seconds`, `residual_swing` (amplitude, rad), `miss_m`, `wear` (caused by this ride), `mean_swing` (rad) and
    `ended_by`: 0 set down, 1 still on the hook, 2 the crane failed, 3 buffer, 4 torn loose, 5 diverged, and then all others are 0.

    **Faculties.** "swing": "reflex" plans for the load as it is seen and, while it is not seen, for one that hangs still; "shaper" drives
    by a zero-vibration shaper for the nominal rope, which raises no swing but does not damp what is there; "tracker-k" knows the last k
    observations only. "rope": "nominal" is the tracker with the rope length that the hoist reads, and sets the load down only in the
    first four seconds after a sighting, which was best for it. "plan": "direct" knows the swing as the tracker does, waits for it to be
    small, but steers the trolley straight to its place. "tracker" simulates a pendulum for each candidate rope length, and weights them
    by the sightings; "oracle" knows swing, rope and wear. Both plan minimum-energy accelerations that bring the load to rest. "careless"
    is the tracker without maintenance. Mean returns (split "test", 4,000 episodes of random and oracle, 1,000 of tracker, nominal and, at
    level 0, reflex and shaper, 200 to 400 of the others):

        level           0      1      2      3
        random        -.13   -.13   -.13   -.13
        direct        -.26   -.26   -.26   -.26
        shaper        -.14   -.14   -.14   -.14
        tracker-4       -    -.10   -.10   -.10
        reflex         .88   -.11   -.11   -.11
        nominal        .87    .81    .58    .07
        careless       .82    .78    .71    .69
        tracker        .88    .85    .80    .77
        oracle         .89    .89    .89    .89

    No memoryless policy that was tried returns as much as giving up, that is, setting the load down at once (-.00, because of the costs).

    **Where this departs from its specification**, and why. The hoist is always wrong by at least 8 %, and the swing at the start is wide:
    with -15 to 15 % and .08 to .2 rad, a policy that trusts the reading and acts only just after a sighting scored .7 at level 3, because
    each sighting lets it damp most of the remaining swing. For the same reason level 3 has its second sighting only after 30 s. A
    sighting shows the rate as well as the angle. The wear at the start is in the log; without it, maintenance would be a gamble.

    **Declared exceptions.** "rope" is demanded at level 3 only: at levels 1 and 2 "nominal" scores .81 and .58, because sightings are
    frequent enough to damp the swing step by step. Its limit at level 3 was set on the split "train", where it scored .06, before the split
    "test" was looked at. The split "shift" was changed after a test: with drag above that of training, nominal scored .34 there at
    level 3, so drag is now below it instead.

    **Leaks closed.** Swing and wear are charged at the end. Neither observation, reward nor picture depends on the rope between two
    sightings: the audit changes its length, from 16 steps after a sighting on, and compares. A failure of the crane does reveal something
    about the swing, but ends the episode. The audit's history probe is shown, and not judged: it ends 16 steps after the first
    sighting, and one sighting does not tell how long the rope is. That the history tells it is shown by the tracker.

    **Shift.** Calm air: drag below .004 1/s, less than in any of training, so that swings last.

    **Presets.** "long": 30 to 50 m, readings of 7 to 12 m. "worn": worn by 60 to 95 % at the start, and wearing twice as fast. "gusts":
    wind changes the angular rate by .004 rad/s (standard deviation) in each step; the load is seen every 4 s.

    **Validated** against scipy's DOP853, the elliptic integral and closed forms (results/industry/crane_validation.txt). **Unvalidated**,
    and choices of this environment: the drag, how a crane wears and when it fails, how wrong a hoist is, the limits of a good delivery,
    a trolley and a hoist without lag, a rope without mass, and no swing across the rail.
    """

    title = "carry a swinging load that is seen only now and then"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "panel": Sensor(rules.write_panel, parts=panel),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [*panel(params), Part("load", rules.STATE_EXTRA, -2, 2)],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(blind=1, gauges=True),
        1: P(blind=40),
        2: P(blind=110),
        3: P(blind=150),
    }
    presets: ClassVar[dict[str, P]] = {
        "long": P(distance=(30, 50), rope=(7, 12)),
        "worn": P(worn=(60, 95), wear=0.2),
        "gusts": P(blind=20, gust=0.004),
    }
    visible: ClassVar[dict[str, Any]] = {"blind": 1, "gauges": True}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    # Along a row of the keyboard the push goes from -.8 to .8 m/s2; digits wind up, the lowest row (and l) winds down.
    keys: ClassVar[dict[str, str]] = dict(zip(actions, "f4vg5bj6mk7ld3cs2xa1z e", strict=True))
    action_low = (-1.0, -1.0, -1.0)
    action_high = (1.0, 1.0, 1.0)
    action_names = ("acceleration", "speed of the hoist", "call")
    reset, step, diverged = rules.reset, rules.step, rules.diverged
    metrics = ("is_success", "quality", "seconds", "residual_swing", "miss_m", "wear", "mean_swing", "ended_by")
    hidden = Hidden(
        rules.write_hidden, size=1, when=rules.blind, change=rules.change_rope, found=rules.found,
        unjudged={HISTORY: "it ends 16 steps after the first sighting, and one sighting does not tell how long the rope is"},
    )  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {
        "swing": Faculty(
            "know how the load swings while it is not seen",
            without=("reflex", "shaper"), windows=(1, 4),
        ),
        "rope": Faculty(
            "find out from the sights how long the rope is",
            without=("nominal",), levels=(3,),
            excess={3: Excess(0.15, "a player that acts only just after its one late sight damps a part of the swings well enough")},
        ),
        "plan": Faculty("find accelerations that leave the load at rest", without=("direct",)),
    }  # fmt: skip
    references = REFERENCES
    reactive = ("reflex", "shaper", "tracker-1")
    score = Score(
        unit="quality less time, swing and wear",
        low=-(TIME + SWING + WEAR),
        high=1.0,
        gates={"oracle": 0.8, "tracker": 0.6},
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"blind": (1, 40, 75, 110, 150)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of setting the load down at once; no memoryless policy that was tried returns more."""
        return 0.92 if params.blind == 1 and params.gauges else 0.0
