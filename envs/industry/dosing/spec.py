"""Dosing: keep a patient asleep while the monitor is blind."""

import math
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import HISTORY, Hidden
from unseen.envs.core.params import Params, choice, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.errors import BadParameter
from unseen.envs.industry.dosing import rules
from unseen.envs.industry.dosing.look import LOOK
from unseen.envs.industry.dosing.patients import HEAVIER
from unseen.envs.industry.dosing.references import ACTIONS, REFERENCES
from unseen.envs.industry.dosing.rules import RECOVERY

BMI = (12.0, 60.0)  # kg/m^2: range in which the models are used


class DosingParams(Params):
    """Parameters of Dosing."""

    blind: int = integer(
        1, 240, default=60, doc="steps of 10 s from one reading of the monitor to the next; 1: always visible"
    )
    held: bool = flag(default=False, doc="the screen keeps the last reading until the next")
    noise: float = real(0.0, 10.0, default=2.0, doc="standard deviation of a reading, BIS")
    variability: float = real(0.0, 2.0, default=1.0, doc="how much patients differ from a typical one; 0: not at all")
    model: str = choice("schnider", "marsh", default="schnider", doc="pharmacokinetics of the patients")
    surgery: tuple[int, int] = span(60, 720, default=(200, 360), doc="steps of the surgery, drawn")
    notice: int = integer(0, 720, default=90, doc="steps before its end at which the end is announced")
    age: tuple[int, int] = span(18, 80, default=(20, 70), doc="years, drawn; shift: up to 15 more")
    weight: tuple[int, int] = span(40, 145, default=(50, 100), doc="kg, drawn; shift: 15 more")
    height: tuple[int, int] = span(140, 210, default=(155, 190), doc="cm, drawn")

    def check(self) -> None:
        low, high = BMI
        if (
            self.weight[0] / (self.height[1] / 100) ** 2 < low
            or (self.weight[1] + HEAVIER) / (self.height[0] / 100) ** 2 > high
        ):
            raise BadParameter(
                f"weight={self.weight}, height={self.height}: the body mass index of all patients, on the split 'shift' too, "
                f"must be in {low:g}..{high:g} kg/m2"
            )

    @property
    def horizon(self) -> int:
        return self.surgery[1] + RECOVERY


P = DosingParams


def monitor(params: P) -> list[Part]:
    minutes = params.horizon / 6
    return [
        Part("BIS on the screen", 1, 0.0, 1.0, "100"),
        Part("the monitor shows", 1, 0.0, 1.0),
        Part("age of the last reading", 1, 0.0, 4.0, "10 min"),
        Part("rate of the pump", 1, 0.0, 1.0, "100 mg/min"),
        Part("its average over about 1, 4 and 15 min", 3, 0.0, 1.0, "100 mg/min"),
        Part("given so far", 1, 0.0, minutes * 10.0 / 40, "10 mg/kg"),
        Part("age", 1, 0.0, 1.0, "100 years"),
        Part("weight", 1, 0.0, 2.0, "100 kg"),
        Part("height", 1, 0.0, 3.0, "m"),
        Part("male", 1, 0.0, 1.0),
        Part("time", 1, 0.0, minutes / 60, "h"),
        Part("the end is announced", 1, 0.0, 1.0),
        Part("time to the announced end", 1, 0.0, params.notice / 60, "10 min"),
    ]


class Dosing(Task):
    """Keep a patient asleep while the monitor is blind.

    **Story.** A patient is put to sleep with propofol, has surgery, and has to wake up soon after it. The pump's rate is the only action.
    The monitor shows the depth of sleep as BIS (97 awake; the target is 40 to 60), but only now and then. In between, the patient's state
    has to be predicted: the drug spreads over three compartments and reaches the brain minutes later.

    **Levels.** How often the monitor shows, `blind` in steps of 10 s: 0, the visible twin of level 1: every step. 1: every 3 min. 2
    (default): every 10 min. 3: every 20 min. Patients are the same at all levels.

    **Physics.** Schnider's model with an effect site, and the Hill curve of BIS (`unseen.envs.industry.kit.pharmacology`). Each
    patient differs from a typical one of this age, height, weight and sex: standard deviations of logarithms .14 (V3), .10 (clearance),
    .40 (ke0), .26 (C50) and .30 (gamma), truncated at 2.5 standard deviations.

    **Actions.** Discrete: 0, 3, 6, 9, 12, 20, 40 or 100 mg/min. Continuous: -1 to 1 for 0 to 100 mg/min.

    **Observation.** `monitor`: BIS when the monitor shows it, else 0 (with `held`, the last reading); whether it does; the time since
    it did; the pump's rate, its averages over about 1, 4 and 15 min, and the dose so far; age, weight, height and sex; the clock; and,
    in the last `notice` steps before it, the time to the end of surgery. A reading has noise. `state` adds concentrations, patient and
    true BIS.

    **Reward.** 0.5 / n for each of the n steps of surgery after the first five minutes with BIS in 40..60; -1 / n where it is below 30,
    or above 75 before the end. Reward from between two readings is paid at the second, so that it does not reveal what the monitor hides.
    For waking (BIS above 75): 0.5, less 0.05 for each minute after the end. So a return of 1 is a patient who was in the window all the
    time and awake at the end; no policy reaches it, since BIS takes time to rise from 60 to 75.

    **End.** Terminated when the patient is awake after the surgery, or when BIS was below 20 for two minutes, or if the state
    diverges: if a concentration leaves 0..1000 ug/ml, or a number is not finite. Truncated ten minutes after the surgery. The last
    step's info has `is_success` (80 % of the time in the window, and awake within 6 min), `time_in_window`, `minutes_to_wake` (10 if
    never), `lowest_bis`, `dose_mg` and `ended_by`: 0 awake, 1 still asleep, 2 too deep, 3 diverged, and then all others are 0.

    **Faculties.** "now": "reflex" acts on the present observation, by tuned feedback when the monitor shows BIS and by weight and clock
    when it does not; "tracker-k" knows the last k observations only. "who": "nominal" plans for a typical patient, whatever the monitor
    shows. "plan": "pid" and "pid-stop" are tuned controllers that remember the last reading; the latter stops five minutes before the
    end. "tracker" fits C50, gamma, ke0 and clearance to all readings and plans with them; "oracle" plans with the true patient and end.
    Mean returns (split "test", 4,000 episodes; 1,000 for tracker-k):

        level           0      1      2      3
        random        -.08   -.08   -.08   -.08
        pid            .73    .71    .64    .57
        nominal        .67    .67    .67    .67
        tracker-1       -     .47    .43    .42
        tracker-16      -     .81    .71    .67
        reflex         .91    .71    .67    .65
        pid-stop       .88    .85    .78    .71
        tracker        .94    .91    .86    .79
        oracle         .96    .96    .96    .96

    The window of 20 BIS is wide, so a PI controller with a reading every 3 or 10 min does well: declared exceptions at levels 1
    and 2. A local search from the oracle's rates over those of the last 20 minutes finds .004 more, a lower bound of the best (24
    patients; results/industry/dosing_bound.txt).

    **Where this departs from its specification**, and why. C50 varies by .26, not by .18, and level 3 has a reading every 20 min: with
    .18 and 10 min, dosing by weight and clock alone scores .76, within .2 of the oracle. Being awake during surgery is penalised, since
    otherwise waking the patient early would pay. Rewards are delayed until the next reading.

    **Leaks closed.** Neither observation, reward nor picture depends on what happens between readings, except that an episode ends
    if the patient was in danger for too long. The audit changes C50 and compares. Patients are drawn from continuous ranges, with
    other seeds in each split.

    **Shift.** Patients are up to 15 years older than any in training, and 15 kg heavier.

    **Presets.** "elderly": 65 to 80 years. "short": 15 to 20 min, announced from the start. "held": level 2 with the last reading kept on
    the screen, which PID controllers usually get.

    **Validated** against python-anesthesia-simulator, scipy and closed forms (results/industry/dosing_validation.txt): both
    pharmacokinetic models, the exact step, times to peak effect, the Hill curve. **Unvalidated**, and choices of this environment: how
    patients differ in C50, gamma and ke0 (and that they do so independently), the noise of a reading (2 BIS), readings without
    delay, no drug but propofol, and no arousal by surgery. Not for clinical use.
    """

    title = "keep a patient asleep while the monitor is blind"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "monitor": Sensor(rules.write_monitor, parts=monitor),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [*monitor(params), Part("patient", rules.STATE_EXTRA, -10, 100)],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(blind=1),
        1: P(blind=18),
        2: P(blind=60),
        3: P(blind=120),
    }
    presets: ClassVar[dict[str, P]] = {
        "elderly": P(age=(65, 80)),
        "short": P(surgery=(90, 120), notice=120),
        "held": P(held=True),
    }
    visible: ClassVar[dict[str, Any]] = {"blind": 1}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    keys: ClassVar[dict[str, str]] = dict(zip(actions, "0123456789", strict=False))
    action_low = (-1.0,)
    action_high = (1.0,)
    action_names = ("rate of the pump",)
    reset, step, diverged = rules.reset, rules.step, rules.diverged
    metrics = ("is_success", "time_in_window", "minutes_to_wake", "lowest_bis", "dose_mg", "ended_by")
    hidden = Hidden(
        rules.write_hidden, size=1, when=rules.blind, change=rules.change_sensitivity, found=rules.found,
        unjudged={HISTORY: "it ends 16 steps after the first reading, which is of a patient without drug"},
    )  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {
        "now": Faculty(
            "know how deep the patient sleeps while the monitor is blind",
            without=("reflex",), windows=(1, 16),
        ),
        "who": Faculty("find out from the readings how this patient differs from a typical one", without=("nominal",)),
        "plan": Faculty(
            "foresee what a dose does minutes later, and when to stop",
            without=("pid", "pid-stop"),
            excess={
                1: Excess(0.11, "with a reading every three minutes, correcting the rate is nearly enough", only=("pid-stop",)),
                2: Excess(
                    0.10, "the window forgives much: a rate that is corrected every ten minutes is seldom outside for long",
                    only=("pid-stop",),
                ),
            },
        ),
    }  # fmt: skip
    references = REFERENCES
    reactive = ("reflex", "pid", "pid-stop", "tracker-1")
    score = Score(
        unit="half the time in the window, half the waking", low=-1.0, high=1.0, gates={"oracle": 0.93, "tracker": 0.75}
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"blind": (1, 6, 18, 60, 120)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of the best memoryless policy that a random search found: feedback when the monitor shows BIS, and doses by
        weight and clock when it does not, so it depends on how often the monitor shows it. Older and heavier patients are
        easier."""
        return float(np.interp(math.log(params.blind), np.log((1, 18, 60, 120)), (0.91, 0.75, 0.69, 0.67))) + 0.04 * (
            split == "shift"
        )
