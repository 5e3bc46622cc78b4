"""Scripted reference policies of Tunnel."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.tunnel.draw import SPACING, exit_x
from unseen.envs.permanence.tunnel.rules import MAX_BALLS, MAX_EXITS, PLATE, PLATE_AT
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.layout import HEAD
from unseen.envs.planar.navigate import arc_pose, arc_towards
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, TURN

STAY = 3
STOP_FRICTION = 1e9  # m/s^2: friction of the belief, so that balls stay where they were last seen

BELIEF = belief(
    MAX_EXITS + 1, MAX_BALLS,
    # Speed factor of each lane; 1 if a ball is held up; of each ball: its exit, exit step, and steps held up.
    ("factor", FLOAT, (MAX_EXITS,)), ("held_up", INT),
    ("exit", INT, (MAX_BALLS,)), ("due", INT, (MAX_BALLS,)), ("wait", INT, (MAX_BALLS,)),
    signals=2 * MAX_EXITS + 1,
)  # fmt: skip


@device
def _meet_at(s, p, k, left):
    """The arc to be on the plate of exit k when a ball comes out there in `left` steps.

    Leaves as late as possible: with one step to spare on the plate, or none if gates shut early.
    """
    spare = 1 if p.patience > 2 else 0
    gx = exit_x(p, k)
    gy = p.mouth - PLATE_AT
    x = s.agent_x
    y = s.agent_y
    h = s.heading
    first = arc_towards(x, y, h, gx, gy, TURN)
    for n in range(64):
        if (x - gx) ** 2 + (y - gy) ** 2 < (PLATE - 0.02) ** 2:
            return STAY if n == 0 or left > n + spare else first
        x, y, h = arc_pose(s, x, y, h, arc_towards(x, y, h, gx, gy, TURN), STRIDE, TURN)
    return first


@device
def oracle(s, m, p):
    """Knows the exit and the exit step."""
    if s.phase != ACT:
        return STAY
    return _meet_at(s, p, s.answer, s.due[s.target] - s.t)


@device
def _update_map(o, m, p):
    """Update the belief and read the signals.

    Unseen balls stay where they were last seen, because rolling on the floor does not predict motion in the tunnel.
    """
    update_belief(o, m, p, DT, STOP_FRICTION, 0.0)
    m.room_hx = p.wide
    m.room_hy = p.deep
    at = HEAD + 2 * p.queries
    for k in range(p.exits):
        m.factor[k] = o[at + p.exits + k] if p.carpet < 1.0 else 1.0
        m.signal[k] = o[at + k]
    if p.siding != 0 and o[at + p.signals - 1] > 0.5:
        m.held_up = 1


@device
def _predict(m, p, j):
    """The exit of ball j, which is seen in motion, and the steps until it is out if it is not held up."""
    v = math.sqrt(m.disc_vx[j] * m.disc_vx[j] + m.disc_vy[j] * m.disc_vy[j])
    x = m.disc_x[j]
    t = 0.0
    if m.disc_y[j] > p.bend:
        t = (p.bend - m.disc_y[j]) / m.disc_vy[j]
        x += m.disc_vx[j] * t
    k = min(max(int(math.floor(x / SPACING + 0.5 * p.exits)), 0), p.exits - 1)
    t += p.lane / (v * m.factor[k]) if m.disc_y[j] > p.bend else (m.disc_y[j] - p.mouth) / v
    return k, int(math.floor(t / DT + 1.0))


@device
def tracker(o, m, p):
    """Predicts exit and exit step from what it sees at the entry, then counts steps."""
    _update_map(o, m, p)
    latest = 0
    for j in range(m.n_discs):
        latest = max(latest, m.due[j])
    for j in range(m.n_discs):
        if m.phase == OBSERVE and m.disc_vy[j] < 0.0:
            m.exit[j], left = _predict(m, p, j)
            if latest == 0 and m.held_up != 0:  # the first ball is held up
                m.wait[j] = p.hold
            m.due[j] = m.t + left + m.wait[j]
    m.t += 1
    if m.phase != ACT or m.query < 0:
        return STAY
    for j in range(m.n_discs):
        if m.disc_colour[j] == m.query:
            return _meet_at(m, p, m.exit[j], m.due[j] - m.t + 1)
    return STAY


@device
def reflex(o, m, p):
    """The best memoryless policy: predict from the queried ball if visible, else stand on the nearest plate until its
    gate shuts, then on the next."""
    _update_map(o, m, p)
    if m.phase != ACT or m.query < 0:
        return STAY
    for j in range(m.n_discs):
        if m.disc_colour[j] == m.query and m.disc_vy[j] < 0.0:
            k, left = _predict(m, p, j)
            return _meet_at(m, p, k, left)
    best = FAR
    near = 0
    for k in range(p.exits):
        d = abs(exit_x(p, k) - m.agent_x)
        if m.signal[k] > 0.01 and d < best:
            best = d
            near = k
    return _meet_at(m, p, near, 0)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
