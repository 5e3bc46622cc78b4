"""Dosing: keep a patient asleep while the monitor is blind."""

import math
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, choice, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.errors import BadParameter
from unseen.envs.industry.dosing import rules
from unseen.envs.industry.dosing.look import LOOK
from unseen.envs.industry.dosing.patients import HEAVIER
from unseen.envs.industry.dosing.references import REFERENCES
from unseen.envs.industry.dosing.rules import RATES, RECOVERY

BMI = (12.0, 60.0)  # kg/m^2: what the models may be asked about


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
    """Keep a patient asleep while the monitor is blind."""

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
    visible: ClassVar[dict[str, Any]] = {"blind": 1}
    actions: ClassVar[dict[str, tuple[float, ...]]] = {f"{rate:g} mg/min": (rate / 50 - 1,) for rate in RATES}
    action_low = (-1.0,)
    action_high = (1.0,)
    reset, step = rules.reset, rules.step
    metrics = ("is_success", "time_in_window", "minutes_to_wake", "lowest_bis", "dose_mg", "ended_by")
    hidden = Hidden(rules.write_hidden, size=1, when=rules.blind, change=rules.change_sensitivity, found=rules.found)
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
                1: Excess(0.13, "with a reading every three minutes, correcting the rate is nearly enough"),
                2: Excess(0.12, "the window forgives much: a rate that is corrected every ten minutes is seldom outside for long"),
            },
        ),
    }  # fmt: skip
    references = REFERENCES
    score = Score(
        unit="half the time in the window, half the waking", low=-1.0, high=1.0, gates={"oracle": 0.93, "tracker": 0.75}
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"blind": (1, 6, 18, 60, 120)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of the best reactive player without memory that a random search found: feedback where the monitor shows, and
        doses by weight and clock where it does not, so it depends on how often the monitor shows. Older and heavier patients
        are easier."""
        return float(np.interp(math.log(params.blind), np.log((1, 18, 60, 120)), (0.91, 0.75, 0.69, 0.67))) + 0.04 * (
            split == "shift"
        )
