"""Scripted reference policies of Kiln."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.industry.kiln.control import HOLD, fire
from unseen.envs.industry.kiln.estimate import ESTIMATE, observe
from unseen.envs.industry.kiln.reactive import RECORD, control, react
from unseen.envs.industry.kiln.rules import COOLEST, HOTTEST, SETPOINTS
from unseen.envs.industry.kit.heat import core, mean

INERTIA, SWITCH, MARGIN = 0.0227, 863.0, -0.9  # arguments of `fire`, of the oracle
BELIEVED = (0.0215, 861.0, -0.5)  # the same, of policies with an estimate of the slab


@device
def oracle(s, m, p):
    """Knows the slab and its temperatures."""
    slab = s.slab
    return fire(
        mean(slab), core(slab), slab.surface, s.soak, s.furnace, slab.half, INERTIA, SWITCH, MARGIN
    )  # fmt: skip


@device
def act_on(m):
    """Fire the estimated slab."""
    slab = m.slabs[0]
    inertia, switch, margin = BELIEVED
    return fire(mean(slab), core(slab), slab.surface, m.soak, m.furnace, slab.half, inertia, switch, margin)


@device
def tracker(o, m, p):
    """Fits a model of the slab to all readings, and fires by it."""
    observe(o, m, p, True)
    return act_on(m)


@device
def nominal(o, m, p):
    """Fires a nominal slab of this thickness and temperature at charging, whatever the readings say."""
    observe(o, m, p, False)
    return act_on(m)


@device
def reflex(o, m, p):
    """Acts on the present observation."""
    return react(o, p)


@device
def pid(o, m, p):
    """A schedule by thickness and temperature at charging, corrected by the last hot reading."""
    return control(o, m, p)


def action(setpoint: float, call: bool) -> tuple[float, ...]:
    """An action vector: the set-point (C) scaled to [-1, 1], and the call for the extractor (1: yes, -1: no)."""
    return 2.0 * (setpoint - COOLEST) / (HOTTEST - COOLEST) - 1.0, 1.0 if call else -1.0


ACTIONS: dict[str, tuple[float, ...]] = {f"{t:g} C": action(t, False) for t in SETPOINTS} | {
    "discharge": action(SETPOINTS[HOLD], True)
}
REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS)),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="panel", memory=ESTIMATE),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="panel"),
    "nominal": Reference(by_index(nominal, ACTIONS), reads="panel", memory=ESTIMATE),
    "pid": Reference(by_index(pid, ACTIONS), reads="panel", memory=RECORD),
}
