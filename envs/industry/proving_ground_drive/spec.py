"""ProvingGroundDrive: drive past parked vans that people have gone behind."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.errors import BadParameter
from unseen.envs.industry.proving_ground_drive import rules
from unseen.envs.industry.proving_ground_drive.look import LOOK
from unseen.envs.industry.proving_ground_drive.references import ACTIONS, REFERENCES
from unseen.envs.industry.proving_ground_drive.rules import MOST_VANS, STEPS


class ProvingGroundDriveParams(Params):
    """Parameters of ProvingGroundDrive."""

    glass: bool = flag(
        default=False,
        doc="vans are of glass, and the cockpit shows when people behind them will step onto the carriageway",
    )
    sensor: bool = flag(default=False, doc="a sensor shows the grip of the road")
    rest: float = real(0.2, 10.0, default=2.5, doc="mean time that people stay behind a van, s")
    spread: float = real(0.0, 5.0, default=0.7, doc="greatest deviation from this time, s")
    vans: int = integer(1, MOST_VANS, default=8, doc="parked vans")
    length: float = real(2.0, 18.0, default=6.0, doc="length of a van, m")
    returning: float = real(0.0, 1.0, default=0.55, doc="probability that somebody goes behind a van and comes back")
    staying: float = real(0.0, 1.0, default=0.2, doc="probability that somebody goes there and stays")
    turning: float = real(
        0.0, 1.0, default=0.1, doc="probability that somebody comes out, and turns back at the corner of the van"
    )
    meeting: float = real(
        0.0, 1.0, default=0.8, doc="probability that somebody who comes back meets a car that drives at full speed"
    )
    grip: tuple[int, int] = span(10, 120, default=(25, 100), doc="grip of the road, percent of dry asphalt, drawn")

    def check(self) -> None:
        if self.returning + self.staying + self.turning > 1.0 + 1e-9:
            raise BadParameter(
                f"returning={self.returning}, staying={self.staying}, turning={self.turning}: their sum must be at most 1"
            )

    @property
    def horizon(self) -> int:
        return STEPS


P = ProvingGroundDriveParams


def cockpit(params: P) -> list[Part]:
    return [
        Part("speed", 1, 0.0, 3.0, "10 m/s"),
        Part("left of the middle", 1, -2.0, 2.0, "m"),
        Part("yaw", 1, -10.0, 10.0, "0.1 rad"),
        Part("yaw rate", 1, -4.0, 4.0, "rad/s"),
        Part("steering angle", 1, -10.0, 10.0, "0.1 rad"),
        Part("acceleration", 1, -2.0, 2.0, "10 m/s2"),
        Part("pedal", 1, -1.0, 1.0),
        Part("slip of the front wheels", 1, -1.0, 1.0),
        Part("a sensor shows the grip", 1, 0.0, 1.0),
        Part("its grip", 1, 0.0, 1.2),
        Part("way to the end of the street", 1, 0.0, 3.0, "100 m"),
        Part("time", 1, 0.0, 1.0, "20 s"),
        *(
            part
            for k in range(1, MOST_VANS + 1)
            for part in (
                Part(f"van {k} is ahead", 1, 0.0, 1.0),
                Part("way to where people walk", 1, 0.0, 3.0, "100 m"),
                Part("somebody is in sight", 1, 0.0, 1.0),
                Part("left of the middle", 1, -1.0, 1.5, "4 m"),
                Part("speed to the left", 1, -1.0, 1.0, "3 m/s"),
                Part("with empty hands", 1, 0.0, 1.0),
                Part("glass: is on the carriageway in", 1, 0.0, 2.0, "10 s"),
            )
        ),
    ]


class ProvingGroundDrive(Task):
    """Drive past parked vans that people have gone behind.

    **Story.** A narrow street, parked vans on the right. People come out of the doors on the left, cross the street, and go behind a van,
    where a driver does not see them. People who went with empty hands fetch something and come back across the street without looking;
    people who carried something stay there, or appear at the corner of the van and turn back. A driver who remembers who went where
    slows down only before the right vans, and by as much as the grip requires, which is unknown until the car has braked.

    **Levels.** How long people stay hidden: 0, the visible twin of level 1: vans of glass, a sensor for the grip of the road, and a
    display of when somebody will step onto the carriageway. 1: always 1.5 s behind the van. 2 (default): 1.8 to 3.2 s. 3: 1.7 to 5.3 s.

    **Physics.** The single-track drift model STD with Pacejka tyres of `unseen.envs.industry.kit.vehicle` at 5 ms, with ABS down to 2
    m/s, all-wheel drive, a speed limiter at 50 km/h and a lane-keeping assistant, which steering offsets. 265 m of street, 3.2 m wide, 8
    vans of 6 m. People walk at 1.0 to 2.2 m/s to and from a place .5 m beyond the far end of a van. At each van there is somebody who
    comes back (.55), stays (.20), turns back at the corner (.10), or nobody. Times of those who come back are drawn so that in four of
    five cases they meet a car at full speed, or miss it by about a second. They set out when the car is at a drawn place; from then on
    they walk regardless of the car, except that nobody walks into the side of a car. Somebody is in sight when the straight line from the
    driver's eye to them meets no van. Hidden: who is behind a van, for how much longer, and the grip, 25 to 100 % of dry asphalt.

    **Actions.** Continuous: brake (-1, 10 m/s2) to throttle (1, 3 m/s2), and steering, which moves the car by up to a metre to either
    side (-1 to 1). Discrete: eight pedal positions, with a target .4 m to the left of the lane's middle, and, coasting, "left" (.8 m to
    the left) and "right" (.4 m to the right). A car that holds "left" for longer than 2 s leaves the lane.

    **Observation.** `cockpit`: speed, place in the lane, yaw, yaw rate, steering angle, acceleration, pedal, slip of the front wheels;
    the grip, if there is a sensor; way and time left; and for each van ahead the distance to where people walk, whether somebody is in
    sight there, how far to the left they are and how fast they move to the left, and whether with empty hands; with glass also when they
    will step onto the carriageway. `state` adds grip, slip angle and people.

    **Reward.** The fraction of the street that is driven; -2 for hitting somebody, leaving the lane (vans and bollards stand there) or
    spinning; -.0002 for each m/s2 by which the acceleration changes in a step; -.04 for a needless stop: below 5 m/s within 25 m before a
    van while nobody is on the carriageway there. In units of a tenth of the street these are the specification's progress, -20 (instead of
    -10) for a collision, and -.04 (instead of -.1) for each m/s3 of mean jerk.

    **End.** Terminated at the end of the street, on an impact, when the slip angle exceeds .8 rad, or when the state diverges. Truncated
    after 20 s; the street takes 19 s at full speed, which leaves little time. The last step's info has `is_success` (at least .9 of the
    street, and nothing hit), `hit`, `seconds`, `way_m`, `hardest_braking_mps2`, `nuisance_stops`, `jerk_mps3` (mean, as if the drive took
    20 s), and `ended_by`: 0 arrived, 1 late, 2 hit somebody, 3 left the lane, 4 spun, 5 diverged, and then all others are 0.

    **Faculties.** "where": "reflex" plans like the tracker, but only for people in sight; "tracker-k" knows the last k observations only.
    "plan": "greedy" remembers people and brakes for those who walk now; "aeb" is an emergency brake at full speed (time to collision
    1.6 s), "creeper" one at 8 m/s, "at-vans" one that slows down to 7 m/s at every van. "when", at level 1 only: "wary" slows down
    wherever somebody hides who will come back, whenever that will be. Two more remember like the tracker and do not measure the grip:
    "nominal" assumes a dry road, "icy" an icy one. "tracker"
    remembers who went where, at what pace and since when, brakes for .2 s at the start to estimate the grip, and either times its passage
    or, where the time is unknown, drives so that it can still stop, or will have passed. "oracle" knows people and grip. Mean returns
    (split "test", 300 episodes each, standard errors .006 to .07; of creeper, icy, wary and tracker at levels 2 and 3 4,000, at most
    .009; tracker-1: split "train", 200 episodes, seen after the limits were set):

        level           0      1      2      3
        random        -.16   -.16   -.06   -.00
        aeb             -     .02    .15    .18
        at-vans         -     .36    .39    .41
        greedy          -     .38    .32    .30
        creeper         -     .47    .52    .51
        tracker-1       -     .56     -     .19
        reflex         .85    .46    .09    .12
        nominal        .87    .79    .42    .48
        icy            .87    .88    .78    .73
        wary           .71    .71    .77    .77
        tracker        .87    .87    .82    .80
        oracle         .87    .87    .88    .89

    Emergency brakes win nowhere. Caution nearly does. "wary" is .16 below the tracker at level 1, but .06 and .04 at levels 2 and 3, so
    these do *not* demand to foresee when somebody steps out. "icy" is .04 and .08 below it there, so no level demands to find out how
    slippery the road is: who always expects ice comes late, and hits nobody. A memoryless policy that is none of these exceeds
    `chance` at level 1: "reflex" with an assumed grip of .5 (DRY = .5) returns .59, standard error .02 (split "train", 1,500
    episodes), where the audit allows .6; at levels 2 and 3 it returns .11 and .19 (200 episodes).

    Declared exception, set from the split "train" before any test score: at level 1 "wary" returns up to .25 more than the best
    memoryless policy, because it hits nobody, but arrives late.

    **Shift.** People walk at 2.2 to 2.8 m/s, faster than any in training.

    **Presets.** "ice": grip 12 to 25 %. "bus": buses of 12 m, behind which people stay for 3.5 to 6.5 s.

    **Where this departs from its specification.** There is no lead car. A collision costs 2 streets, not 1: with 1, an emergency brake
    at 8 m/s was within .3 of the oracle on the split "train". Jerk costs less, so that even random pedals cost less than an impact.
    Steering acts on lane keeping: with raw steering angles at 20 Hz, any untrained policy leaves the lane within a second or two.

    **Leaks closed.** Who comes back is drawn independently of pace, stay and time, so that nothing visible reveals it later; the audit
    changes it behind the van and compares. Needless stops are counted from what is in sight. Stays of those who will not come out go on
    behind the van. *When* people come back is not independent: since most are drawn to meet a car at full speed, the car's position when
    they set out correlates with their stay (.24 at level 2, .52 at level 3). An agent may use that; none of the policies here does. The
    grip is not drawn in the plain picture; in principle the slip at light throttle reveals it.

    **Validated**: the car against commonroad-vehicle-models and LSODA (tests/vehicle.py; at 5 ms to .13 m in 1.5 s), sight and contacts
    against independent geometry (tests/street.py). At 5 ms stops on dry asphalt are 6 % longer than at .5 ms, elsewhere equal.
    **Unvalidated**, and choices of this environment: ABS, lane keeping, limiter, how people walk, that their hands show whether they
    come back, what mistakes cost.
    """

    title = "drive past parked vans that people have gone behind"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "cockpit": Sensor(rules.write_cockpit, parts=cockpit),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [*cockpit(params), Part("grip, slip angle, people", rules.STATE_EXTRA, -10, 100)],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(glass=True, sensor=True, rest=1.5, spread=0.0),
        1: P(rest=1.5, spread=0.0),
        2: P(rest=2.5, spread=0.7),
        3: P(rest=3.5, spread=1.8),
    }
    presets: ClassVar[dict[str, P]] = {
        "ice": P(grip=(12, 25)),
        "bus": P(length=12.0, rest=5.0, spread=1.5),
    }
    visible: ClassVar[dict[str, Any]] = {"glass": True, "sensor": True}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    keys: ClassVar[dict[str, str]] = dict(zip(actions, "wes12345ad", strict=True))
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    action_names = ("pedal", "steering")
    reset, step, diverged = rules.reset, rules.step, rules.diverged
    metrics = (
        "is_success", "hit", "seconds", "way_m", "hardest_braking_mps2", "nuisance_stops", "jerk_mps3", "ended_by",
    )  # fmt: skip
    hidden = Hidden(rules.write_hidden, size=1, when=rules.hides, change=rules.change_plan, found=rules.found)
    faculties: ClassVar[dict[str, Faculty]] = {
        "where": Faculty("remember who went behind which van", without=("reflex",), windows=(1, 4)),
        "plan": Faculty("slow down before somebody steps out", without=("aeb", "creeper", "at-vans", "greedy")),
        "when": Faculty(
            "foresee when somebody steps out",
            without=("wary",),
            levels=(1,),
            excess={1: Excess(0.25, "who slows down for everybody who may come back loses time, and hits nobody")},
        ),
    }
    references = REFERENCES
    reactive = ("reflex", "aeb", "creeper", "at-vans", "tracker-1")
    score = Score(unit="street driven, less what was hit", low=-4.0, high=1.0, gates={"oracle": 0.83, "tracker": 0.65})
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"rest": (0.5, 1.5, 2.5, 4.0, 6.0)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of an emergency brake at 8 m/s: the best memoryless policy found on the split "train" when the limits were set."""
        return 0.87 if params.glass else 0.5
