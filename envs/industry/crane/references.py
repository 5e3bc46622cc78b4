"""Scripted reference policies of Crane."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.industry.crane.control import (
    MAINTAIN,
    PLAN,
    PUSHES,
    WINDINGS,
    foresee,
    must_maintain,
    ride,
)
from unseen.envs.industry.crane.estimate import ESTIMATE, observe, worth
from unseen.envs.industry.crane.reactive import SHAPED, react, shape, steer
from unseen.envs.industry.crane.rules import AGE, CLOCK, LOWER, PUSH, SERVICED, SPEED, STEPS, WAY, WINDING, length_of

MOST, ENOUGH = 0.6, 0.95  # maximum acceleration, m/s^2, and quality at which to set down, of the oracle
BELIEVED = (0.6, 0.9)  # the same, of policies with an estimate of the load
TRUST = 4.0  # s after a sighting for which a policy with the nominal rope relies on its estimate of the swing


@device
def oracle(s, m, p):
    """Knows the swing, the rope and the wear."""
    if s.service == 0 and must_maintain(s.wear, s.target - s.x, p.wear) and s.worn == 0.0:
        return MAINTAIN
    length, way, lower = length_of(s), s.target - s.x, s.depth - s.hoist
    good = foresee(s.angle, s.rate, length, way, s.v, lower)
    return ride(m, way, s.v, s.angle, s.rate, length, lower, good, s.t, MOST, ENOUGH)


@device
def go(o, m, p, learns, careful):
    """Drive the estimated load by a plan. learns: see `observe`; careful: call for maintenance if needed."""
    observe(o, m, p, learns)
    t = int(o[CLOCK] * STEPS + 0.5)
    way, lower = o[WAY] * 10.0, o[LOWER] * 10.0
    if careful and o[SERVICED] == 0.0 and t < 3 and must_maintain(m.wear, way, p.wear):
        return MAINTAIN
    most, enough = BELIEVED
    good = worth(o, m, learns) if learns or o[AGE] * 60.0 < TRUST or t >= STEPS - 2 else 0.0
    return ride(m.plan, way, o[SPEED], m.now, m.rising, m.length, lower, good, t, most, enough)


@device
def tracker(o, m, p):
    """Infers the length of the rope from sightings of the load, and plans for the estimated load."""
    return go(o, m, p, True, True)


@device
def nominal(o, m, p):
    """The same, with a rope as long as the hoist's reading."""
    return go(o, m, p, False, True)


@device
def careless(o, m, p):
    """The tracker, but it never calls for maintenance."""
    return go(o, m, p, True, False)


@device
def direct(o, m, p):
    """Estimates the swing as the tracker, and sets the load down when it is small, but steers the trolley straight to the target."""
    observe(o, m, p, True)
    return steer(o, m, p, worth(o, m, True))


@device
def reflex(o, m, p):
    """Acts on the present observation."""
    return react(o, m, p)


@device
def shaper(o, m, p):
    """Drives by a zero-vibration shaper for the nominal rope, whatever is seen of the load."""
    return shape(o, m, p)


def action(push: float, winding: float, call: float = 0.0) -> tuple[float, ...]:
    """An action vector: acceleration (m/s^2) and hoist speed (m/s) scaled to [-1, 1], and the call (1: set down, -1: maintain)."""
    return push / PUSH, winding / WINDING, call


ACTIONS: dict[str, tuple[float, ...]] = {
    f"{push:g} m/s2, {way}": action(push, winding)
    for push in PUSHES
    for way, winding in zip(("level", "up", "down"), WINDINGS, strict=True)
} | {"set down": action(0.0, 0.0, 1.0), "maintain": action(0.0, 0.0, -1.0)}
REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLAN),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="panel", memory=ESTIMATE),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="panel", memory=PLAN, remembers=False),
    "nominal": Reference(by_index(nominal, ACTIONS), reads="panel", memory=ESTIMATE),
    "shaper": Reference(by_index(shaper, ACTIONS), reads="panel", memory=SHAPED),
    "direct": Reference(by_index(direct, ACTIONS), reads="panel", memory=ESTIMATE),
    "careless": Reference(by_index(careless, ACTIONS), reads="panel", memory=ESTIMATE),
}
