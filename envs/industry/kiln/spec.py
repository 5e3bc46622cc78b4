"""Kiln: heat a slab of steel to its core, which cannot be seen."""

import math
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import HISTORY, Hidden
from unseen.envs.core.params import Params, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.industry.kiln import rules
from unseen.envs.industry.kiln.look import LOOK
from unseen.envs.industry.kiln.references import ACTIONS, REFERENCES
from unseen.envs.industry.kiln.rules import FUEL, STEPS, TIME


class KilnParams(Params):
    """Parameters of Kiln."""

    blind: int = integer(1, 180, default=12, doc="minutes from one opening of the door to the next; 1: always open")
    probe: bool = flag(default=False, doc="a thermocouple in the core, and a count of the minutes of the soak")
    noise: float = real(
        0.0, 50.0, default=15.0, doc="standard deviation of a reading of the surface, K; of the core a quarter"
    )
    variability: float = real(
        0.0,
        1.2,
        default=1.0,
        doc="how much plants differ from the nominal one; 0: not at all, but for the emissivity in shift",
    )
    half: tuple[int, int] = span(20, 110, default=(40, 100), doc="half the thickness of a slab, mm, drawn")
    charge: tuple[int, int] = span(20, 600, default=(20, 100), doc="temperature of a slab when it is charged, C, drawn")

    @property
    def horizon(self) -> int:
        return STEPS


P = KilnParams


def panel(params: P) -> list[Part]:
    return [
        Part("surface by the pyrometer", 1, 0.0, 1.5, "1000 C"),
        Part("the door is open", 1, 0.0, 1.0),
        Part("age of the last reading", 1, 0.0, 3.0, "h"),
        Part("core by the thermocouple", 1, 0.0, 1.5, "1000 C"),
        Part("the core has been hot for", 1, 0.0, 3.0, "h"),
        Part("there is a thermocouple", 1, 0.0, 1.0),
        Part("furnace", 1, 0.0, 1.5, "1000 C"),
        Part("set-point", 1, 0.0, 1.5, "1000 C"),
        Part("mean of the furnace since charging", 1, 0.0, 1.5, "1000 C"),
        Part("half the thickness on the order", 1, 0.0, 1.5, "100 mm"),
        Part("time", 1, 0.0, 3.0, "h"),
        Part("the extractor has been called", 1, 0.0, 1.0),
    ]


class Kiln(Task):
    """Heat a slab of steel to its core, which cannot be seen.

    **Story.** A slab of carbon steel is charged into a furnace. It has to be discharged when its core has been at 850 C for ten minutes,
    not before, and not long after, because grains grow. The only actions are the set-point of the furnace and the call of the extractor.
    A pyrometer measures the surface while the door is open, which it is only now and then; nothing measures the core. The temperatures
    inside have to be predicted from the furnace's history, and how this slab takes up heat has to be inferred from readings of the surface.

    **Levels.** How often the door opens, `blind` in steps of one minute: 0, the visible twin of level 1: it is always open, and there is a
    thermocouple in the core, which also counts the minutes of the soak. 1: every 5 min. 2 (default): every 12 min. 3: every 30 min. A
    firing takes about 50 min. Plants are the same at all levels.

    **Physics.** Conduction in half a slab of 16 cells with the properties of AISI 1045, heated by convection and radiation
    (`unseen.envs.industry.kit.heat`). The furnace follows its set-point with a time constant of 5 min. Hidden, and drawn uniformly:
    the thickness, within 5 % of the order's; h, 10 to 60 W/m2K; emissivity, .60 to .90; and the slab's initial temperature, 20 to 100 C.

    **Actions.** Discrete: set-point 700, 800, 850, 870, 900, 1000, 1100 or 1200 C, or "discharge", which calls the extractor, at 870 C.
    The extractor comes at the second step in a row in which it is called. Continuous: -1 to 1 for 700 to 1200 C, and above .8 for the call.

    **Observation.** `panel`: the surface while the door is open, else 0, and whether it is; time since it was; core and time of
    soak, 0 without a thermocouple, and whether there is one; furnace, set-point and the furnace's mean since charging; half the
    thickness on the order; the clock; whether the extractor has been called. Readings of the surface have noise (15 K), those of the core a
    quarter of it. `state` adds temperatures, the slab's properties, soak, growth and the hottest surface.

    **Reward.** Each minute costs .15 / 180 for time and up to as much for fuel, by the furnace's temperature. A slab that is discharged
    is worth its quality, the product of four factors: minutes with the core at 850 C or above, up to 10, divided by 10; 1 if surface and
    core differ by up to 25 K, 0 from 75 K on; 1 if the surface was never above 1000 C, 0 from 1050 C on; 1 up to a growth of 12, 0 from
    24 on, where growth is the equivalent number of minutes of the core at 875 C, by Arrhenius (250 kJ/mol). The reward reveals nothing
    else.

    **End.** Terminated when the slab is out, or if the state diverges: if a temperature leaves -273..3000 C, or a number is not
    finite. Truncated after 180 min. The last step's info has `is_success` (quality at least .9), `quality`, `soak_minutes`,
    `unevenness_K`, `hottest_C`, `growth`, `minutes`, `mean_furnace_C` and `ended_by`: 0 discharged, 1 left in
    the furnace, 2 diverged, and then all others are 0.

    **Faculties.** "core": "reflex" acts on the present observation; it uses set-point and furnace temperature as a memory of whether and
    when the soak began. "tracker-k" knows the last k observations only. "slab": "nominal" fires every slab as a nominal one, whatever the
    readings. "plan": "pid" is a tuned schedule by thickness that each reading corrects, without a model. "tracker" estimates emissivity,
    convection, thickness and the initial temperature by a Kalman filter and fires the estimated slab; "oracle" knows the slab. All
    policies that know or estimate the slab's temperatures fire it alike. Mean returns (split "test", 4,000 episodes; 1,000 for tracker-k;
    the constants of "pid" are for a door that shuts):

        level           0      1      2      3
        random        -.08   -.08   -.08   -.08
        tracker-1       -    -.07   -.04   -.04
        tracker-4       -     .12    .16    .14
        nominal        .21    .21    .21    .21
        reflex         .91    .38    .28    .28
        pid            .22    .49    .38    .35
        tracker        .91    .79    .72    .52
        oracle         .91    .91    .91    .91

    Declared exceptions: "pid" remembers what it concluded from the last reading and scores .08 to .11 more than the best memoryless
    policy in "test", and up to .22 more in "shift", whose slabs are more alike. It is at least .4 below the oracle at levels 1 to 3.

    **Where this departs from its specification**, and why. Grain growth limits the soak from above: without it, waiting
    long enough is nearly as good as knowing. Emissivity reaches down to .60, charges are cold, and readings have a noise of 15 K: with
    .65, 20 to 400 C and 8 K, a schedule with corrections is .2 above the best memoryless policy.

    **Leaks closed.** Fuel is counted by the furnace's temperature, not by what the slab takes up, and the slab does not cool the
    furnace. Neither observation, reward nor picture depends on the slab between readings: the audit changes the emissivity and compares.
    Plants are drawn from continuous ranges, with other seeds in each split.

    **Shift.** Bright slabs: emissivity .50 to .60, below any in training.

    **Presets.** "thin": 40 to 80 mm thick. "thick": 180 to 220 mm. "hot": charged at 400 to 600 C.

    **Validated** against the series of the linear slab and scipy's BDF (results/industry/kiln_validation.txt). **Unvalidated**, and
    choices of this environment: the properties of the steel, how plants differ, the furnace's lag and that the slab does not cool it,
    grain growth, the limits of a good slab, and no heat of scale formation and phase transformation beyond the table of specific heat.
    """

    title = "heat a slab of steel to its core, which cannot be seen"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "panel": Sensor(rules.write_panel, parts=panel),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [*panel(params), Part("slab", rules.STATE_EXTRA, -1, 100)],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(blind=1, probe=True),
        1: P(blind=5),
        2: P(blind=12),
        3: P(blind=30),
    }
    presets: ClassVar[dict[str, P]] = {
        "thin": P(half=(20, 40)),
        "thick": P(half=(90, 110)),
        "hot": P(charge=(400, 600)),
    }
    visible: ClassVar[dict[str, Any]] = {"blind": 1, "probe": True}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    keys: ClassVar[dict[str, str]] = dict(zip(actions, "12345678x", strict=True))
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    action_names = ("set-point", "call of the extractor")
    reset, step, diverged = rules.reset, rules.step, rules.diverged
    metrics = (
        "is_success", "quality", "soak_minutes", "unevenness_K", "hottest_C", "growth", "minutes", "mean_furnace_C", "ended_by",
    )  # fmt: skip
    hidden = Hidden(
        rules.write_hidden, size=1, when=rules.blind, change=rules.change_emissivity, found=rules.found,
        unjudged={HISTORY: "it ends before the second reading, and the first is of a cold slab"},
    )  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {
        "core": Faculty(
            "know how hot the core is from what the slab has taken up so far",
            without=("reflex",), windows=(1, 4),
        ),
        "slab": Faculty("find out from the readings how this slab takes up heat", without=("nominal",)),
        "plan": Faculty(
            "foresee when the core will be ready",
            without=("pid",),
            excess={
                1: Excess(0.21, "a schedule that is corrected every five minutes is often right, most of all for the like slabs of shift"),
                2: Excess(0.22, "the same, every twelve minutes"),
                3: Excess(0.11, "the first and only reading comes when most slabs have been soaked for some minutes"),
            },
        ),
    }  # fmt: skip
    references = REFERENCES
    reactive = ("reflex", "pid", "tracker-1")
    score = Score(
        unit="quality less time and fuel", low=-(TIME + FUEL), high=1.0, gates={"oracle": 0.85, "tracker": 0.42}
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"blind": (1, 5, 12, 30, 60)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of the best memoryless policy that a search found, on the split "test"."""
        if params.probe:
            return 0.92
        return float(np.interp(math.log(params.blind), np.log((5, 12, 30)), (0.39, 0.28, 0.27)))
