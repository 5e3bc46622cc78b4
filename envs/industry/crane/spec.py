"""Crane: carry a swinging load that is seen only now and then."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.industry.crane import rules
from unseen.envs.industry.crane.look import LOOK
from unseen.envs.industry.crane.references import ACTIONS, REFERENCES
from unseen.envs.industry.crane.rules import STEPS, SWING, TIME, WEAR


class CraneParams(Params):
    """Parameters of Crane."""

    blind: int = integer(1, 300, default=110, doc="steps from one sight of the load to the next; 1: always seen")
    gauges: bool = flag(default=False, doc="gauges of the rope's true length and of the wear")
    noise: float = real(0.0, 0.05, default=0.002, doc="standard deviation of a sight of the angle, rad, and of its rate, rad/s")
    variability: float = real(0.0, 1.2, default=1.0, doc="how much ropes and drag differ from the nominal ones; 0: not at all")
    swing: tuple[int, int] = span(0, 400, default=(200, 350), doc="amplitude of the swing at the start, mrad, drawn")
    distance: tuple[int, int] = span(5, 60, default=(8, 24), doc="way to the target, m, drawn")
    rope: tuple[int, int] = span(3, 12, default=(4, 9), doc="rope at the start and at the target by the hoist's reading, m, drawn")
    worn: tuple[int, int] = span(0, 95, default=(0, 95), doc="wear at the start by the log, %, drawn")
    wear: float = real(0.0, 0.5, default=0.1, doc="wear by a second of 1 m/s^2")
    gust: float = real(0.0, 0.05, default=0.0, doc="standard deviation of what the wind adds to the swing in a step, rad/s")

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
    """Carry a swinging load that is seen only now and then."""

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
        "worn": P(worn=(60, 95), wear=0.1),
        "gusts": P(blind=20, gust=0.004),
    }
    visible: ClassVar[dict[str, Any]] = {"blind": 1, "gauges": True}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    keys: ClassVar[dict[str, str]] = dict(zip(actions, "qazwsxedcrfvtgbyhnujm p", strict=True))
    action_low = (-1.0, -1.0, -1.0)
    action_high = (1.0, 1.0, 1.0)
    reset, step = rules.reset, rules.step
    metrics = ("is_success", "quality", "seconds", "residual_swing", "miss_m", "wear", "mean_swing", "ended_by")
    hidden = Hidden(rules.write_hidden, size=1, when=rules.blind, change=rules.change_rope, found=rules.found)
    references = REFERENCES
    score = Score(unit="quality less time, swing and wear", low=-(TIME + SWING + WEAR), high=1.0, gates={"oracle": 0.8})
    view = LOOK
