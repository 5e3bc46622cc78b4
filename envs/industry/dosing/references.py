"""Scripted reference policies of Dosing."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.industry.dosing.control import PLAN, rate_for, should_stop
from unseen.envs.industry.dosing.estimate import ESTIMATE, observe
from unseen.envs.industry.dosing.reactive import CONTROL, pi_control, react
from unseen.envs.industry.dosing.rules import ANNOUNCED, LEFT, RATES
from unseen.envs.industry.kit.pharmacology import ce_of

HOLD, LIGHT = 52.0, 58.5  # BIS at which a patient is held: by estimate; by an exact model, and towards the end
EARLY = 30.0  # steps before the end at which the PI controller stops
LATEST = 120  # steps before the end of surgery at which stopping is first considered


@device
def nearest(rate):
    """Index of the discrete rate nearest to `rate` mg/min."""
    best = 0
    for i in range(1, len(RATES)):
        if abs(RATES[i] - rate) < abs(RATES[best] - rate):
            best = i
    return best


@device
def at_most(rate):
    """Index of the highest discrete rate that is not above `rate` mg/min."""
    best = 0
    for i in range(1, len(RATES)):
        if RATES[i] <= rate + 1e-9:
            best = i
    return best


@device
def plan(d, w, c50, gamma, t, end, hold):
    """The rate (mg/min) for a known patient whose surgery ends at step `end`: hold BIS at `hold`, then stop in time.

    d: the drug; w: scratch of dtype PLAN; c50, gamma: of the Hill curve; t: the present step.
    """
    if t >= end - LATEST:
        if t >= end or should_stop(d, w, c50, gamma, t, end, ce_of(LIGHT, c50, gamma)):
            return 0.0
        hold = LIGHT
    return rate_for(d, w, ce_of(hold, c50, gamma))


@device
def oracle(s, m, p):
    """Knows the patient and the end."""
    return at_most(plan(s.drug, m, s.c50, s.gamma, s.t, s.end, LIGHT))


@device
def dose(o, m, p, learns):
    """Dose the estimated patient by a plan."""
    t = observe(o, m, p, learns)
    end = t + int(o[LEFT] * 60.0 + 0.5) if o[ANNOUNCED] > 0.5 else t + 10 * LATEST
    return nearest(plan(m.drug, m.plan, m.c50, m.gamma, t, end, HOLD))


@device
def tracker(o, m, p):
    """Fits a model of the patient to all readings, and plans with it."""
    return dose(o, m, p, True)


@device
def nominal(o, m, p):
    """Plans for a typical patient of this age, height, weight and sex, whatever the monitor shows."""
    return dose(o, m, p, False)


@device
def reflex(o, m, p):
    """Feedback on the present reading and on the doses of the last minutes; without a reading, doses by weight and clock."""
    return nearest(react(o))


@device
def pid(o, m, p):
    """A tuned PI controller on the last reading, which it remembers, with a first dose by weight."""
    return nearest(pi_control(o, m, p, 0.0))


@device
def pid_stop(o, m, p):
    """The same, but it stops five minutes before the end."""
    return nearest(pi_control(o, m, p, EARLY))


ACTIONS: dict[str, tuple[float, ...]] = {f"{rate:g} mg/min": (rate / 50.0 - 1.0,) for rate in RATES}
REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLAN),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="monitor", memory=ESTIMATE),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="monitor"),
    "nominal": Reference(by_index(nominal, ACTIONS), reads="monitor", memory=ESTIMATE),
    "pid": Reference(by_index(pid, ACTIONS), reads="monitor", memory=CONTROL),
    "pid-stop": Reference(by_index(pid_stop, ACTIONS), reads="monitor", memory=CONTROL),
}
