"""BlindMonitor: hold the effect of a drug at its target while the monitor fails. An environment without a room.

unseen watch oracle examples/blind_monitor.py:BlindMonitor --save dose.png
unseen audit examples/blind_monitor.py:BlindMonitor
unseen train ppo examples/blind_monitor.py:BlindMonitor --level 0 --steps 200000
"""

from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, derived, integer, real, span
from unseen.envs.core.reference import Reference
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import FLOAT, INT, Score, Task, record
from unseen.envs.core.view import Gauge, Gauges

DT = 0.25  # h per step
DOSE = 3.0  # mg/l per h, the pump at full rate
KE0 = 1.5  # 1/h, rate at which the effect site follows the blood
TYPICAL = 1.0  # 1/h, the clearance of a typical patient


class MonitorParams(Params):
    """Parameters of BlindMonitor."""

    blind: tuple[int, int] = span(0, 200, default=(20, 30), doc="steps without monitor, drawn")
    spread: float = real(0.0, 0.6, default=0.5, doc="clearance of patients is 1 +- this, 1/h")
    tolerance: float = real(0.02, 0.5, default=0.12, doc="allowed relative error of the effect")
    lead: int = integer(8, 100, default=16, doc="steps with monitor, at the start")

    @derived
    def steps(self) -> int:
        """Maximum episode length in steps."""
        return self.lead + self.blind[1]

    @property
    def horizon(self) -> int:
        return self.steps


STATE = record(
    ("blood", FLOAT), ("effect", FLOAT), ("clearance", FLOAT), ("target", FLOAT), ("next_target", FLOAT),
    ("end", INT), ("scored", INT), ("hits", INT), ("worst", FLOAT), ("rate", FLOAT),
)  # fmt: skip
MEMORY = record(("blood", FLOAT), ("effect", FLOAT), ("clearance", FLOAT), ("rate", FLOAT), ("seen", INT))


@device
def reset(s, p):
    """Draw the patient, two targets and the episode's length. On split="shift" patients clear the drug more slowly."""
    shift = 0.3 if p.split == 2 else 0.0
    s.clearance = TYPICAL - shift + uniform(s, -1.0, 1.0) * p.spread * (1.0 - shift)
    s.target = uniform(s, 0.6, 1.4)  # mg/l
    s.next_target = uniform(s, 0.6, 1.4)
    s.end = p.lead + p.blind_low + below(s, p.blind_high - p.blind_low + 1)
    s.blood = s.effect = s.worst = s.rate = 0.0
    s.scored = s.hits = 0
    return True


@device
def flow(x, rate):
    """Advance blood and effect site of the record x by DT, with the pump at `rate` in 0..1."""
    blood = x.blood + DT * (DOSE * rate - x.clearance * x.blood)
    x.effect += DT * KE0 * (x.blood - x.effect)
    x.blood = blood


@device
def step(s, a, p, info):
    """One step; a[0]: rate of the pump. Each step of the second half of the blind time with the effect near its target is
    rewarded."""
    s.rate = a[0]
    flow(s, a[0])
    if s.t == p.lead:
        s.target = s.next_target
    reward = 0.0
    settled = p.lead + (s.end - p.lead) // 2  # until then the effect may be approaching the new target
    if s.t > settled:
        off = abs(s.effect / s.target - 1.0)
        s.worst = max(s.worst, off)
        s.scored += 1
        if off <= p.tolerance:
            s.hits += 1
            reward = 1.0 / (s.end - settled)
    done = s.t >= s.end
    if done:
        info[0] = s.hits == s.scored
        info[1] = s.worst
    return reward, False, done


@device
def write_monitor(s, p, o):
    """The drug in the blood if the monitor works, whether it works, the target, and the time."""
    on = s.t < p.lead
    o[0] = s.blood if on else 0.0
    o[1] = on
    o[2] = s.target
    o[3] = s.t / p.steps


@device
def write_state(s, p, o):
    o[0], o[1], o[2], o[3], o[4], o[5] = s.blood, s.effect, s.clearance, s.target, s.next_target, s.t / p.steps


@device
def write_hidden(s, p, out):
    """The patient's clearance, 1/h."""
    out[0] = s.clearance


@device
def long_blind(s, p):
    """Blind for so long that no short window of observations contains a reading."""
    return s.t >= p.lead + p.blind_low // 4


@device
def rate_for(target, blood, effect, clearance):
    """The pump rate that holds the target, plus a proportional correction of the errors."""
    hold = clearance * target + 2.0 * (target - effect) - 1.0 * (blood - target)
    return min(max(hold / DOSE, 0.0), 1.0)


@device
def oracle(s, m, p, a):
    """Knows the patient and the effect."""
    a[0] = rate_for(s.target, s.blood, s.effect, s.clearance)


@device
def tracker(o, m, p, a):
    """Estimates the clearance from two consecutive readings and the dose between them, then simulates the patient."""
    flow(m, m.rate)
    if o[1] > 0.5:
        before = m.seen
        if before > 0 and m.blood > 0.0:
            last = (m.blood - DT * DOSE * m.rate) / (1.0 - DT * m.clearance)
            if last > 0.05:
                m.clearance = (last + DT * DOSE * m.rate - o[0]) / (DT * last)
        m.blood = o[0]
        m.seen += 1
    if m.clearance == 0.0:
        m.clearance = TYPICAL
    m.rate = rate_for(o[2], m.blood, m.effect, m.clearance)
    a[0] = m.rate


@device
def reflex(o, m, p, a):
    """Uses only the current reading, and assumes a typical patient."""
    blood = o[0] if o[1] > 0.5 else o[2]
    a[0] = rate_for(o[2], blood, o[2], TYPICAL)


def within(s: Any, params: MonitorParams) -> tuple[float, float]:
    """The range in which the effect should be, mg/l."""
    return (1.0 - params.tolerance) * s["target"], (1.0 + params.tolerance) * s["target"]


P = MonitorParams


class BlindMonitor(Task):
    """Hold the effect of a drug at its target, also while nothing is measured.

    **Story.** A pump infuses a drug into the blood, from where it reaches its effect site. For the first `lead` steps a
    monitor shows the drug in the blood; then it fails, and the target changes. Patients clear the drug at different rates.
    An agent that has not estimated the clearance from the readings cannot know the rate that holds the new target.

    **Hidden.** The patient's clearance and the effect, always; the drug in the blood, after the monitor has failed.

    **Levels.** 0: all patients are typical, so nothing has to be estimated. 1: blind for 10 steps. 2 (default): for 20 to 30.
    3: for 60 to 100.

    **Actions.** Continuous: rate of the pump, 0 to 1.

    **Reward.** 1 / n for each of the n steps of the second half of the blind time with the effect within `tolerance` of the
    target.
    """

    title = "hold the effect of a drug while the monitor is blind"
    params = P
    state = STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "monitor": Sensor(
            write_monitor,
            parts=lambda params: [
                Part("drug in the blood", 1, 0.0, 30.0, "mg/l"),
                Part("monitor works", 1, 0.0, 1.0),
                Part("target", 1, 0.0, 2.0, "mg/l"),
                Part("time", 1, 0.0, 1.0, "maximum length"),
            ],
        ),
        "state": Sensor(write_state, parts=lambda params: [Part("the patient", 6, 0.0, 30.0)], privileged=True),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(blind=(20, 30), spread=0.0),
        1: P(blind=10),
        2: P(),
        3: P(blind=(60, 100)),
    }
    action_low = (0.0,)
    action_high = (1.0,)
    reset, step = reset, step
    metrics = ("is_success", "worst_error")
    hidden = Hidden(write_hidden, size=1, when=long_blind)
    references: ClassVar[dict[str, Reference]] = {
        "oracle": Reference(oracle),
        "tracker": Reference(tracker, reads="monitor", memory=MEMORY),
        "reflex": Reference(reflex, reads="monitor"),
    }
    score = Score(unit="fraction of time within tolerance")
    anchors: ClassVar[dict[int, tuple[float, float]]] = {
        0: (0.115, 1.0), 1: (0.122, 0.994), 2: (0.128, 1.0), 3: (0.134, 1.0),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"blind": (10, 20, 40, 80, 160)}
    view = Gauges(
        request="hold the effect at its target",
        gauges=(
            Gauge(
                "blood", lambda s, params: s["blood"], 0.0, 3.0, "mg/l", hidden=lambda s, params: s["t"] >= params.lead
            ),
            Gauge(
                "effect", lambda s, params: s["effect"], 0.0, 2.0, "mg/l", hidden=lambda s, params: True, target=within
            ),
        ),
        controls=(Gauge("pump", lambda s, params: s["rate"], 0.0, 1.0),),
        succeeded=lambda s, params: bool(s["hits"] == s["scored"]),
        caption=lambda s, params: "The monitor has failed." if s["t"] >= params.lead else "The monitor works.",
    )

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """Score of the best policy that assumes one clearance g for all patients. It is within tolerance for clearances in
        [g / (1 + tolerance), g / (1 - tolerance)], an interval that is widest if it ends at the maximum, 1 + spread."""
        return min(
            1.0, (1.0 + params.spread) * params.tolerance / ((1.0 + params.tolerance) * max(params.spread, 1e-9))
        )
