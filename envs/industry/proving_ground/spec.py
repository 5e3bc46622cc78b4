"""ProvingGround: design a car in imagination, build few prototypes."""

from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import HISTORY, REWARDS, Hidden
from unseen.envs.core.params import Params, integer, real
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import BRIEF, OFFSET_SHIFT, PARTS, WETTER
from unseen.envs.industry.proving_ground.look import LOOK
from unseen.envs.industry.proving_ground.references import REFERENCES


class GroundParams(Params):
    """Parameters of ProvingGround."""

    hidden: int = integer(0, PARTS, default=7, doc="number of unknown offsets between drawing and car, of 10")
    offset: float = real(0.0, 0.4, default=0.35, doc="largest offset, in units of the design; shift: 1.2 times as much")
    slack: float = real(
        0.0, 3.0, default=0.5, doc="how much worse than the benchmark car a metric may be, in units of its spread"
    )
    noise: float = real(
        0.0, 1.0, default=0.1, doc="standard deviation of a margin that a test shows, in the same units"
    )
    certify: int = integer(1, 500, default=8, doc="held-out scenarios of each family in the certification")

    @property
    def horizon(self) -> int:
        return rules.MOST


P = GroundParams


def file(params: P) -> list[Part]:
    wide = params.offset * OFFSET_SHIFT
    return [
        Part("brief: wet and snow share", 2, -1.0, WETTER),
        Part("brief: other numbers", BRIEF - 2, -1.0, 1.0),
        Part("offset, where it is known", PARTS, -wide, wide),
        Part("the offset is known", PARTS, 0.0, 1.0),
        Part("the prototype as drawn", PARTS, -1.0, 1.0),
        Part("a prototype is built", 1, 0.0, 1.0),
        Part("family of the last test", rules.COUNT, 0.0, 1.0),
        Part("its surface", len(rules.SURFACES), 0.0, 1.0),
        Part("its speed, severity, roughness and slope", rules.NUMBERS, -1.0, 1.0),
        Part("its margins", 3, -1.0, 1.0, f"{rules.FURTHEST:g} units"),
        Part("the car spun", 1, 0.0, 1.0),
        Part("tests of this prototype by family", rules.COUNT, 0.0, 1.0, "24"),
        Part("their worst margins", rules.COUNT, -1.0, 1.0, f"{rules.FURTHEST:g} units"),
        Part("steps left", 1, 0.0, 1.0, "24"),
        Part("prototypes built", 1, 0.0, 1.0, "24"),
    ]


class ProvingGround(Task):
    """Design a car in imagination, build few prototypes.

    **Story.** A car is designed for a brief: how much snow, how fast, how rough. Prototypes are costly, and the car as built
    differs from its drawing: pads, springs, tyres, steel and payload are off, always in the same way within a programme. A test
    on the proving ground shows by which margins a prototype passes or fails. In the end the car is certified on held-out
    scenarios.

    **Levels.** How many of the ten offsets between drawing and car are unknown, `hidden`; which ones is drawn. 0, the visible
    twin: none. 1: 4. 2 (default): 7. 3: all. `slack` sets how strict the limits are, `noise` how noisy a test is.

    **Physics.** Braking with ABS, braking in a bend and lane change with the single-track drift model with Pacejka tyres
    (`unseen.envs.industry.kit.vehicle`), in steps of 5 ms; crash (`kit.crash`) and rough road (`kit.ride`); resistance and hill
    start.

    **Actions.** Continuous, 17 numbers in [-1, 1]: the design (brake bias, spring, damper, tyre compound, crush stiffness,
    crumple length, downforce, time to collision at which emergency braking starts, ABS slip, centre of gravity); the scenario
    to test (family, surface, speed, severity, roughness, slope); and commit, if above 0. A step builds a prototype of the
    design, if it differs from the last one, and runs one test, or commits to it. The 24th step always commits.

    **Observation.** `file`: the brief (wet and snow share; speeds in the city, on the highway and of the crash; roughness,
    agility; emphasis on each family), the known offsets, the prototype, its last test with three margins, and by family the number
    of its tests and their worst margin; steps left and prototypes built. `state` adds all offsets, and the design that is
    built exactly as the benchmark car.

    **Limits.** A metric may be worse than that of the brief's benchmark car, in the same scenario, by `slack` units, less in a
    family that the brief emphasises. A unit is half the distance between the 16 % and 84 % quantiles over random designs. The
    benchmark car is a fixed linear function of the brief, and a compromise in every variable.

    **Reward.** -.02 for a prototype, -.005 for a test, and at the end the share of held-out scenarios that passes in the worst
    of the six families, on `certify` scenarios each (`unseen build` certifies on 500 each).

    **End.** Terminated by certification, or if a number of the state is not finite. The info has `is_success` (90 % pass in every
    family), `pass_rate` of the worst, `pass_...` of each, `prototypes`, `tests`, and `ended_by`: 0 certified, 1 diverged, and
    then all others are 0. If the car spins (slip angle above .8 rad), the test ends with the lowest margins.

    **Faculties.** "tests": "reflex" commits to the benchmark, corrected by the known offsets; "tracker-1" knows the
    last test only. "brief": "universal" is one design for all; "portfolio" tests three designs, and commits to the best;
    "briefless" is the tracker with an average brief. "tracker" fits the offsets to ten tests of one prototype (an extended
    Kalman filter on the physics) and commits to the second. "oracle" knows the offsets. Mean returns (split "test", 1,000
    episodes, standard errors at most .013; on "lenient" 300 episodes of briefless, tracker-1 and tracker, at most .016):

        level           0      1      2      3   lenient
        random        -.04   -.04   -.04   -.04     -.01
        universal      .08    .08    .08    .08      .51
        portfolio     -.05   -.05   -.05   -.05      .40
        briefless      .27    .40    .52    .67      .77
        tracker-1      .93    .59    .38    .24      .80
        reflex         .98    .53    .33    .22      .81
        tracker        .93    .89    .88    .86      .89
        oracle         .98    .98    .98    .98      .98

    Declared exceptions: at levels 2 and 3 "briefless" returns up to .20 and .48 more than a policy that does not test. Tests
    show how far a car is from its benchmark, so they reveal much of the brief, and the more offsets are fitted, the more of a
    wrong brief they make up for. It stays .36 and .19 below the tracker.

    What else was measured is in results/industry/proving_ground_gates.txt: the optimum against the best universal design,
    random search, and what each offset costs.

    **Where this departs from its specification**, and why. Limits come from a benchmark car, not from quantiles of 128 designs
    and a search for the strictest feasible ones: every programme is feasible and its optimum is known, so a reset draws 33
    numbers, there is no bank of programmes, and no calibration on the true context that could leak it. The hidden context is an
    offset in every variable; the specification's payload and sensors are offsets of centre of gravity and time to collision,
    and the driver is always the same. A certificate has 48 scenarios by default, not 256.

    Scenarios are not filtered by how many random designs pass them (the specification keeps those that 2 to 98 % pass), since that
    would take a hundred simulated cars for each scenario. Measured instead, on 40 scenarios of each family: all scenarios of lane
    change, crash, rough road, and energy and hills are within these bounds, but only .90 of braking, where the others are passed by
    fewer, and .82 of braking in a bend, where the others are passed by more (results/industry/proving_ground_gates.txt).

    ABS slip is .02 to .25, not .06 to .40. In the car in the middle of the box the slip that brakes hardest is about .15 on a dry road
    (9.36 m/s2; 9.11 at .06 and 9.19 at .40), .08 to .10 on a wet one, and .02 on snow (3.46 m/s2; 3.15 at .06 and 2.22 at .40).

    One step is one macro action, which builds and tests, or commits. There are no primitive steps beside it, for instance to change one
    variable: nothing is observed between drawing, building and testing, so they would only make episodes longer.

    **Leaks closed.** Before the first test nothing depends on unknown offsets. Briefs and offsets are drawn from continuous
    ranges, with other seeds in each split.

    **Shift.** More wet and snow than in any programme in training, and offsets up to 1.2 times as large.

    **Presets.** "lenient": level 2 with twice the `slack`, for learners that begin with random designs. By the limits of the
    levels none of 200 of these scores, so that random play finds no reward; by lenient ones every tenth does
    (results/industry/proving_ground_slack.txt; whether offsets are known does not change what a given design scores). In return
    the preset asks for less: an agent that does not test returns only .08 less than the tracker.

    **Validated** against commonroad-vehicle-models, scipy and closed forms (results/industry/proving_ground_validation.txt):
    the single-track model, its integration, the quarter car, the crash. **Unvalidated**, and choices of this environment: ABS,
    the lag of the load transfer, drag, downforce and slope, restraint, what compound and bumps do to grip, the driver, roll,
    resistances, and how far factories are off.
    """

    title = "design a car in imagination, build few prototypes"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "file": Sensor(rules.write_file, parts=file),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [
                *file(params),
                Part("offsets", PARTS, -1.0, 1.0),
                Part("design that is built as the benchmark", PARTS, -2.0, 2.0),
            ],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(hidden=0),
        1: P(hidden=4),
        2: P(hidden=7),
        3: P(hidden=10),
    }
    presets: ClassVar[dict[str, P]] = {
        "lenient": P(slack=1.0),
    }
    visible: ClassVar[dict[str, Any]] = {"hidden": 0}
    action_low = (-1.0,) * rules.ACTION
    action_high = (1.0,) * rules.ACTION
    action_names = rules.ACTION_NAMES
    reset, step, diverged = rules.reset, rules.step, rules.diverged
    metrics = (
        "is_success", "pass_rate", "pass_braking", "pass_bend", "pass_lane_change", "pass_crash", "pass_rough_road",
        "pass_energy", "prototypes", "tests", "ended_by",
    )  # fmt: skip
    hidden = Hidden(
        rules.write_hidden, size=PARTS, when=rules.untested, change=rules.change_factory, found=rules.tested,
        unjudged={
            HISTORY: "the offsets have to be hidden until the first test, and nothing depends on them before it",
            REWARDS: "every step tests or certifies, and so depends on the offsets",
        },
    )  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {
        "tests": Faculty(
            "find out from tests how what is built differs from what is drawn",
            without=("reflex",), windows=(1,),
        ),
        "brief": Faculty(
            "design for what this car will meet",
            without=("universal", "portfolio", "briefless"),
            excess={
                2: Excess(0.20, "tests show how far a car is from its benchmark, so they reveal much of the brief", only=("briefless",)),
                3: Excess(
                    0.48, "the same, and the more offsets are fitted, the more of a wrong brief they make up for",
                    only=("briefless",),
                ),
            },
        ),
    }  # fmt: skip
    references = REFERENCES
    reactive = ("reflex", "universal", "tracker-1")
    score = Score(
        unit="share that passes in the worst family", low=-0.6, high=1.0, gates={"oracle": 0.95, "tracker": 0.75}
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"hidden": (0, 2, 4, 7, 10)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of a policy that does not test: the benchmark, corrected by the known offsets."""
        strict, lenient = (
            np.interp(params.hidden, (0, 4, 7, 10), returns)
            for returns in ((0.98, 0.54, 0.34, 0.22), (0.98, 0.89, 0.81, 0.74))
        )
        return float(np.interp(params.slack, (0.5, 1.0, 2.0), (strict, lenient, 0.98)))
