"""Scripted players of Cups."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.cups.rules import BALL, BULGE, CUPS, DT, REACH, SCREEN_AT, STRIDE, TURN, _pace
from unseen.envs.planar.belief import belief, disc_motion, update_belief
from unseen.envs.planar.layout import (
    disc_start,
)
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import (
    ACT,
    OBSERVE,
)

STAY = 3
BELIEF = belief(
    1, CUPS + 1,
    # The ball's place, the two places of the event under way, the step at which that is over, whether cups only meet.
    ("mx", FLOAT), ("my", FLOAT), ("ex", FLOAT), ("ey", FLOAT), ("fx", FLOAT), ("fy", FLOAT), ("until", INT), ("meets", INT),
)  # fmt: skip


@device
def oracle(s, m, p):
    """Is told which cup; stays put until it may move."""
    if s.phase != ACT:
        return STAY
    j = s.disc_cover[p.cups] - 1
    return steer_to_disc(s, j, s.disc_x[j], s.disc_y[j], REACH, STRIDE, TURN)


@device
def _look(o, m, p):
    """Enter what the row shows into the believed world: the cups in sight, from m.disc_x[0] on, and the ball's place
    (m.mx, m.my) a step on, while it shows. Returns how many cups are in sight, and whether the ball is."""
    update_belief(o, m, p, DT, 0.0, 0.0)
    m.n_discs = p.disc_slots
    n = 0
    ball = False
    for k in range(p.disc_slots):
        q = disc_start(p) + (5 + p.colours) * k
        if o[q] < 0.5:
            continue
        x, y, u, v = disc_motion(o, m, p, q)
        if o[q + 5 + BALL] > 0.5:
            ball = True
            m.mx = x + u * DT
            m.my = y + v * DT
            continue
        m.disc_x[n], m.disc_y[n], m.disc_vx[n], m.disc_vy[n] = x, y, u, v
        n += 1
    for k in range(n, p.disc_slots):
        m.disc_x[k] = 1e3 * (k + 1)
        m.disc_vx[k] = 0.0
        m.disc_vy[k] = 0.0
    return n, ball


@device
def _approach(m, p):
    """The arc towards the believed place of the ball, round every other cup in sight."""
    m.n_boxes = 0
    for k in range(p.disc_slots):
        m.disc_vx[k] = 0.0
        m.disc_vy[k] = 0.0
        if (m.disc_x[k] - m.mx) ** 2 + (m.disc_y[k] - m.my) ** 2 < 0.04:
            m.disc_x[k] = 1e3 * (k + 1)
    m.disc_x[p.cups] = m.mx
    m.disc_y[p.cups] = m.my
    return steer_to_disc(m, p.cups, m.mx, m.my, REACH, STRIDE, TURN)


@device
def _exchange(m):
    """The two places that the event under way is about have exchanged what they hide."""
    if (m.mx - m.ex) ** 2 + (m.my - m.ey) ** 2 < 0.04:
        m.mx, m.my = m.fx, m.fy
    elif (m.mx - m.fx) ** 2 + (m.my - m.fy) ** 2 < 0.04:
        m.mx, m.my = m.ex, m.ey


@device
def _notice(m, p, n):
    """When cups that were at rest begin to move, note which two places this is about: one that moves alone does so
    with the one place that the screen hides. Along the ring they meet, else they change places."""
    i = -1
    k = -1
    for j in range(n):
        if m.disc_vx[j] != 0.0 or m.disc_vy[j] != 0.0:
            if i < 0:
                i = j
            else:
                k = j
    if i < 0 or m.t < m.until:
        return
    m.until = m.t + _pace(p)
    m.ex, m.ey = m.disc_x[i], m.disc_y[i]
    m.fx, m.fy = m.ex, m.ey
    if k >= 0:
        m.fx, m.fy = m.disc_x[k], m.disc_y[k]
    elif m.n_boxes > 0:
        m.fx = m.agent_x + (m.box_x[0] - m.agent_x) / SCREEN_AT
        m.fy = m.agent_y + (m.box_y[0] - m.agent_y) / SCREEN_AT
    out = math.hypot(m.ex + m.disc_vx[i] * DT, m.ey + m.disc_vy[i] * DT) - math.hypot(m.ex, m.ey)
    m.meets = 1 if abs(out) < 0.5 * BULGE * math.sin(math.pi / _pace(p)) else 0
    if m.meets == 0:
        _exchange(m)


@device
def tracker(o, m, p):
    """Keeps the place of the ball: as each event begins it sees which two places take part, and follows."""
    n, ball = _look(o, m, p)
    if m.phase == OBSERVE and not ball:
        _notice(m, p, n)
        if o[7] > 0.5 and m.meets != 0:
            _exchange(m)
    m.t += 1
    if m.phase != ACT:
        for k in range(p.disc_slots):
            m.disc_vx[k] = 0.0
            m.disc_vy[k] = 0.0
        return STAY
    return _approach(m, p)


@device
def reflex(o, m, p):
    """The best that one observation allows: the ball if it shows, else the nearest cup."""
    _, ball = _look(o, m, p)
    if m.phase != ACT:
        return STAY
    if not ball:
        best = 1e30
        for k in range(p.disc_slots):
            d = (m.disc_x[k] - m.agent_x) ** 2 + (m.disc_y[k] - m.agent_y) ** 2
            if d < best:
                best = d
                m.mx = m.disc_x[k]
                m.my = m.disc_y[k]
    return _approach(m, p)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
