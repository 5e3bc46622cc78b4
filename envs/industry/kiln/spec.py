"""Kiln: heat a slab of steel to its core, which cannot be seen."""

import math
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
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
    noise: float = real(0.0, 50.0, default=15.0, doc="standard deviation of a reading of the surface, K; of the core a quarter")
    variability: float = real(0.0, 1.2, default=1.0, doc="how much plants differ from the nominal one; 0: not at all")
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
    """DOC"""

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
    reset, step = rules.reset, rules.step
    metrics = (
        "is_success", "quality", "soak_minutes", "unevenness_K", "hottest_C", "growth", "minutes", "mean_furnace_C", "ended_by",
    )  # fmt: skip
    hidden = Hidden(rules.write_hidden, size=1, when=rules.blind, change=rules.change_emissivity, found=rules.found)
    faculties: ClassVar[dict[str, Faculty]] = {
        "core": Faculty(
            "know how hot the core is from what the slab has taken up so far",
            without=("reflex",), windows=(1, 4),
        ),
        "slab": Faculty("find out from the readings how this slab takes up heat", without=("nominal",)),
        "plan": Faculty("foresee when the core will be ready", without=("pid",)),
    }  # fmt: skip
    references = REFERENCES
    score = Score(
        unit="quality less time and fuel", low=-(TIME + FUEL), high=1.0, gates={"oracle": 0.85, "tracker": 0.5}
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"blind": (1, 5, 12, 30, 60)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The return of the best reactive player without memory that a random search found."""
        if params.probe:
            return 0.93
        return float(np.interp(math.log(params.blind), np.log((5, 12, 30)), (0.6, 0.45, 0.35)))
