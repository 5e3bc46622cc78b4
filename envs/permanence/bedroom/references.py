"""Scripted players of Bedroom."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT
from unseen.envs.permanence.bedroom.rules import (
    ACTIONS,
    ARC,
    DT,
    LINE,
    REACH,
    STAY,
    STRIDE,
    TALL,
    TURN,
    TURN_ROUND,
    _rings,
)
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.navigate import steer_to_place
from unseen.envs.planar.sight import ALL_ROUND
from unseen.envs.planar.world import (
    ACT,
    OBSERVE,
)

RINGS = (("zx", FLOAT, (TALL + 1,)), ("zy", FLOAT, (TALL + 1,)), ("zr", FLOAT, (TALL + 1,)))  # see rules
BELIEF = belief(TALL, 1, *RINGS, signals=1)


@device
def oracle(s, m, p):
    """Knows where everything is; stays put until it may act."""
    if s.phase != ACT:
        return STAY
    n = s.n_boxes + s.n_discs
    return steer_to_place(s, s.zx[s.target], s.zy[s.target], s.zx, s.zy, s.zr, n, 0.1, STRIDE, ARC * TURN)


@device
def _blind(m, p):
    """Without an idea where: along the line of the spots, so as to try one after the other."""
    a = math.atan2(m.agent_y, m.agent_x) - 0.6
    c = math.cos(a)
    n = math.sin(a)
    d = (p.room - LINE - 0.5 * REACH) / max(abs(c), abs(n))
    return steer_to_place(m, d * c, d * n, m.zx, m.zy, m.zr, 0, 0.0, STRIDE, ARC * TURN)


@device
def _by_map(m, p):
    """Walk to what is asked for by the map m, out of what else is on it; the less odometry holds, the wider."""
    asked = _rings(m, p, m.query)
    if asked < 0:
        return _blind(m, p)
    n = m.n_boxes + m.n_discs
    return steer_to_place(m, m.zx[asked], m.zy[asked], m.zx, m.zy, m.zr, n, 0.1 + p.drift, STRIDE, ARC * TURN)


@device
def tracker(o, m, p):
    """Looks round, keeps a map of what it saw, lets the cat walk on in it, and walks by the map."""
    update_belief(o, m, p, DT, 0.0, 1.0)
    if m.phase == ACT and m.query >= 0:
        return _by_map(m, p)
    return TURN_ROUND if m.phase == OBSERVE and p.fov * math.pi / 180.0 < ALL_ROUND else STAY


@device
def reflex(o, m, p):
    """The best that one observation allows: to what is asked for if it shows, else round the walls until something
    is reached."""
    update_belief(o, m, p, DT, 0.0, 1.0)
    return _by_map(m, p) if m.phase == ACT and m.query >= 0 else STAY


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS)),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
}
