"""Scripted reference policies of Bedroom. They avoid rings round places and obstacles, kept in their memory."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.bedroom.contact import REACH
from unseen.envs.permanence.bedroom.draw import LINE, VASE, spot_of
from unseen.envs.permanence.bedroom.rules import ACTIONS, ARC, MAX_BOXES, TURN
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.navigate import steer_to_place
from unseen.envs.planar.sight import ALL_ROUND
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, drive

TURN_AROUND, STAY = 3, 4  # actions
VASE_RING, CRATE_RING, CAT_RING = 0.4, 0.5, 0.45  # radii, m
MARGIN = 0.1  # m: preferred distance from rings

RINGS = [
    ("ring_x", FLOAT, (MAX_BOXES + 1,)),
    ("ring_y", FLOAT, (MAX_BOXES + 1,)),
    ("ring_radius", FLOAT, (MAX_BOXES + 1,)),
]
BELIEF = belief(MAX_BOXES, 1, *RINGS, ("last", INT), signals=1)  # last: the last action
ROWS = np.array(list(ACTIONS.values()))


@device
def _fill_rings(s, m, query):
    """Write the rings of memory m for the true or believed room s: one per place, vase and crate, then the cat.

    Returns the box index of place `query`, whose ring may be entered, or -1.
    """
    found = -1
    for k in range(s.n_boxes):
        kind = s.box_kind[k]
        if kind < VASE:
            m.ring_x[k], m.ring_y[k] = spot_of(s, k)
            m.ring_radius[k] = REACH + 0.02
        else:
            m.ring_x[k] = s.box_x[k]
            m.ring_y[k] = s.box_y[k]
            m.ring_radius[k] = VASE_RING if kind == VASE else CRATE_RING
        if kind == query:
            found = k
            m.ring_radius[k] = -10.0
    if s.n_discs > 0:
        m.ring_x[s.n_boxes] = s.disc_x[0]
        m.ring_y[s.n_boxes] = s.disc_y[0]
        m.ring_radius[s.n_boxes] = CAT_RING
    return found


@device
def _steer(s, m, x, y, rings, margin):
    """The best arc in the true or believed room s towards (x, y) that avoids the first `rings` rings of memory m."""
    return steer_to_place(s, x, y, m.ring_x, m.ring_y, m.ring_radius, rings, margin, STRIDE, ARC * TURN)


@device
def oracle(s, m, p):
    """Knows where everything is."""
    if s.phase != ACT:
        return STAY
    k = _fill_rings(s, m, s.target)
    return _steer(s, m, m.ring_x[k], m.ring_y[k], s.n_boxes + s.n_discs, MARGIN)


@device
def _search(m, p):
    """Walk along the line of spots, to try one after the other."""
    a = math.atan2(m.agent_y, m.agent_x) - 0.6
    cos = math.cos(a)
    sin = math.sin(a)
    d = (p.room - LINE - 0.5 * REACH) / max(abs(cos), abs(sin))
    return _steer(m, m, d * cos, d * sin, 0, 0.0)


@device
def _walk_by_map(m, p):
    """Walk to the queried place of the map m if it is known, else search. The margin grows with the odometry error."""
    k = _fill_rings(m, m, m.query)
    if k < 0:
        return _search(m, p)
    return _steer(m, m, m.ring_x[k], m.ring_y[k], m.n_boxes + m.n_discs, MARGIN + p.drift * p.dark)


@device
def _move_belief(m):
    """Move the believed agent by its last action."""
    drive(m, STRIDE * ROWS[m.last, 0], TURN * ROWS[m.last, 1])


@device
def _choose(m, p):
    """The tracker's action."""
    if m.phase == ACT and m.query >= 0:
        return _walk_by_map(m, p)
    return TURN_AROUND if m.phase == OBSERVE and p.fov * math.pi / 180.0 < ALL_ROUND else STAY


@device
def tracker(o, m, p):
    """Looks around, keeps a map of what it has seen, in which the cat keeps walking, and navigates by the map.

    Where it does not sense its pose, it counts its own moves.
    """
    acted = m.phase == ACT
    update_belief(o, m, p, DT, 0.0, 1.0)
    if acted and abs(o[2]) + abs(o[3]) < 0.5:
        _move_belief(m)
    m.last = _choose(m, p)
    return m.last


@device
def still(o, m, p):
    """The tracker, if it did not count its own moves: it believes that it is where it last sensed its pose."""
    update_belief(o, m, p, DT, 0.0, 1.0)
    return _choose(m, p)


@device
def reflex(o, m, p):
    """The best memoryless policy: go to the queried place if visible, else along the walls until a place is reached."""
    update_belief(o, m, p, DT, 0.0, 1.0)
    return _walk_by_map(m, p) if m.phase == ACT and m.query >= 0 else STAY


@device
def beeline(s, m, p):
    """Knows where the queried place and itself are, and walks there as if nothing stood in between."""
    if s.phase != ACT:
        return STAY
    x, y = spot_of(s, s.target)
    return _steer(s, m, x, y, 0, 0.0)


@device
def swing(s, m, p):
    """The beeline, if it swung out to its left before every place, as if it had learnt that a vase stands in front."""
    if s.phase != ACT:
        return STAY
    x, y = spot_of(s, s.target)
    d = math.hypot(x, y)
    out = (y * s.agent_x - x * s.agent_y) / d  # m to the side of the line from the middle to the spot
    if out > 0.5 or math.hypot(x - s.agent_x, y - s.agent_y) < REACH:
        return _steer(s, m, x, y, 0, 0.0)
    return _steer(s, m, x - 0.8 * x / d + 0.75 * y / d, y - 0.8 * y / d - 0.75 * x / d, 0, 0.0)


@device
def nearest(s, m, p):
    """Knows where everything is, but not which place is which: goes to the nearest one."""
    if s.phase != ACT:
        return STAY
    near = 0
    best = FAR
    for k in range(p.places):
        x, y = spot_of(s, k)
        d = math.hypot(x - s.agent_x, y - s.agent_y)
        if d < best:
            best = d
            near = k
    _fill_rings(s, m, near)
    return _steer(s, m, m.ring_x[near], m.ring_y[near], s.n_boxes + s.n_discs, MARGIN)


@device
def one_place(o, m, p):
    """The tracker, if it remembered only where the bed is."""
    action = tracker(o, m, p)
    return _search(m, p) if m.phase == ACT and m.query > 0 else action


@device
def unmoved(o, m, p):
    """The tracker, if it believed that it was not moved when the light went out: it only counts its own moves."""
    acted = m.phase == ACT
    x = m.agent_x
    y = m.agent_y
    heading = m.heading
    update_belief(o, m, p, DT, 0.0, 1.0)
    if m.phase == ACT:
        m.agent_x = x
        m.agent_y = y
        m.heading = heading
        if acted:
            _move_belief(m)
    m.last = _choose(m, p)
    return m.last


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=np.dtype(RINGS, align=True), remembers=False),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
    "beeline": Reference(by_index(beeline, ACTIONS), memory=np.dtype(RINGS, align=True), remembers=False),
    "swing": Reference(by_index(swing, ACTIONS), memory=np.dtype(RINGS, align=True), remembers=False),
    "nearest": Reference(by_index(nearest, ACTIONS), memory=np.dtype(RINGS, align=True), remembers=False),
    "one_place": Reference(by_index(one_place, ACTIONS), reads="slots", memory=BELIEF),
    "still": Reference(by_index(still, ACTIONS), reads="slots", memory=BELIEF),
    "unmoved": Reference(by_index(unmoved, ACTIONS), reads="slots", memory=BELIEF),
}
