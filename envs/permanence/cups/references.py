"""Scripted reference policies of Cups."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.cups.motion import BULGE, event_steps
from unseen.envs.permanence.cups.rules import BALL, MAX_BOXES, MAX_DISCS, REACH, SCREEN_AT
from unseen.envs.planar.belief import belief, disc_motion, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.layout import disc_start
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, TURN

STAY = 3
SAME = 0.04  # m^2: positions closer than this squared distance are the same place
BELIEF = belief(
    MAX_BOXES, MAX_DISCS,
    ("ball_x", FLOAT), ("ball_y", FLOAT),  # believed position of the ball
    ("a_x", FLOAT), ("a_y", FLOAT), ("b_x", FLOAT), ("b_y", FLOAT),  # the two places of the current event
    ("busy_until", INT), ("meets", INT),  # the step at which the event ends; 1 if it is a meeting
)  # fmt: skip


@device
def oracle(s, m, p):
    """Knows which cup covers the ball."""
    if s.phase != ACT:
        return STAY
    j = s.disc_cover[p.cups] - 1
    return steer_to_disc(s, j, s.disc_x[j], s.disc_y[j], REACH, STRIDE, TURN)


@device
def _read(o, m, p):
    """Enter the row into the belief. Returns the number n of visible cups, and whether the ball is visible.

    Visible cups become discs 0..n-1; all other discs are moved far away. The ball's position is predicted one step ahead.
    """
    for k in range(p.disc_slots):  # the row has every position, so nothing should roll
        m.disc_vx[k] = 0.0
        m.disc_vy[k] = 0.0
    update_belief(o, m, p, DT, 0.0, 0.0)
    m.n_discs = p.disc_slots
    n = 0
    ball = False
    for k in range(p.disc_slots):
        at = disc_start(p) + (5 + p.colours) * k
        if o[at] < 0.5:
            continue
        x, y, vx, vy = disc_motion(o, m, p, at)
        if o[at + 5 + BALL] > 0.5:
            ball = True
            m.ball_x = x + vx * DT
            m.ball_y = y + vy * DT
            continue
        m.disc_x[n], m.disc_y[n], m.disc_vx[n], m.disc_vy[n] = x, y, vx, vy
        n += 1
    for k in range(n, p.disc_slots):
        m.disc_x[k] = 1e3 * (k + 1)
        m.disc_vx[k] = 0.0
        m.disc_vy[k] = 0.0
    return n, ball


@device
def _approach(m, p):
    """The action that leads to the believed position of the ball, round every other visible cup."""
    m.n_boxes = 0
    for k in range(p.disc_slots):
        if (m.disc_x[k] - m.ball_x) ** 2 + (m.disc_y[k] - m.ball_y) ** 2 < SAME:
            m.disc_x[k] = 1e3 * (k + 1)
    m.disc_x[p.cups] = m.ball_x
    m.disc_y[p.cups] = m.ball_y
    return steer_to_disc(m, p.cups, m.ball_x, m.ball_y, REACH, STRIDE, TURN)


@device
def _swap_ball(m):
    """If the ball is believed to be at one of the two places of the current event, move it to the other."""
    if (m.ball_x - m.a_x) ** 2 + (m.ball_y - m.a_y) ** 2 < SAME:
        m.ball_x, m.ball_y = m.b_x, m.b_y
    elif (m.ball_x - m.b_x) ** 2 + (m.ball_y - m.b_y) ** 2 < SAME:
        m.ball_x, m.ball_y = m.a_x, m.a_y


@device
def _notice_event(m, p, n):
    """When cups start to move, store the two places of the event, and swap the ball if it is a swap.

    If only one cup starts to move, its partner is at the occluded place. Tangential start = meeting; radial = swap.
    """
    i = -1
    k = -1
    for j in range(n):
        if m.disc_vx[j] != 0.0 or m.disc_vy[j] != 0.0:
            if i < 0:
                i = j
            else:
                k = j
    if i < 0 or m.t < m.busy_until:
        return
    m.busy_until = m.t + event_steps(p)
    m.a_x, m.a_y = m.disc_x[i], m.disc_y[i]
    m.b_x, m.b_y = m.a_x, m.a_y
    if k >= 0:
        m.b_x, m.b_y = m.disc_x[k], m.disc_y[k]
    elif m.n_boxes > 0:
        m.b_x = m.agent_x + (m.box_x[0] - m.agent_x) / SCREEN_AT
        m.b_y = m.agent_y + (m.box_y[0] - m.agent_y) / SCREEN_AT
    outward = math.hypot(m.a_x + m.disc_vx[i] * DT, m.a_y + m.disc_vy[i] * DT) - math.hypot(m.a_x, m.a_y)
    m.meets = 1 if abs(outward) < 0.5 * BULGE * math.sin(math.pi / event_steps(p)) else 0
    if m.meets == 0:
        _swap_ball(m)


@device
def tracker(o, m, p):
    """Tracks the place of the ball from the two places that take part in each event."""
    n, ball = _read(o, m, p)
    if m.phase == OBSERVE and not ball:
        _notice_event(m, p, n)
        if o[7] > 0.5 and m.meets != 0:  # a bump is heard: the cups were tipped
            _swap_ball(m)
    m.t += 1
    return _approach(m, p) if m.phase == ACT else STAY


@device
def reflex(o, m, p):
    """The best memoryless policy: go to the ball if visible, else to the nearest cup."""
    _, ball = _read(o, m, p)
    if m.phase != ACT:
        return STAY
    if not ball:
        best = FAR
        for k in range(p.disc_slots):
            d = (m.disc_x[k] - m.agent_x) ** 2 + (m.disc_y[k] - m.agent_y) ** 2
            if d < best:
                best = d
                m.ball_x = m.disc_x[k]
                m.ball_y = m.disc_y[k]
    return _approach(m, p)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
