"""Scripted reference policies of Cups."""

import math
from typing import Any

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.core.view import Belief
from unseen.envs.permanence.cups.motion import BULGE, event_steps
from unseen.envs.permanence.cups.rules import BALL, MAX_BOXES, MAX_DISCS, REACH, SCREEN_AT
from unseen.envs.permanence.cups.script import MAX_EVENTS, ROUNDS
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
    ("seen", INT), ("events", INT),  # 1 once the ball has been seen; number of events noticed
    ("first_x", FLOAT), ("first_y", FLOAT),  # where the ball was last seen
    ("last_x", FLOAT), ("last_y", FLOAT),  # its believed position before the last event
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
            m.seen = 1
            m.ball_x = m.first_x = m.last_x = x + vx * DT
            m.ball_y = m.first_y = m.last_y = y + vy * DT
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
def _hidden_angle(m, k):
    """The angle of the place behind panel k of the screen."""
    x = m.agent_x + (m.box_x[k] - m.agent_x) / SCREEN_AT
    y = m.agent_y + (m.box_y[k] - m.agent_y) / SCREEN_AT
    return math.atan2(y, x)


@device
def _target_angle(m, p, j):
    """The angle of the place to which visible cup j goes in the round that starts now: it turns evenly."""
    angle = math.atan2(m.disc_y[j], m.disc_x[j])
    next_angle = math.atan2(m.disc_y[j] + m.disc_vy[j] * DT, m.disc_x[j] + m.disc_vx[j] * DT)
    return angle + (next_angle - angle) * event_steps(p)


@device
def _notice_round(m, p, n):
    """When a round starts, move the believed ball to the place to which its cup goes.

    A cup behind the screen is not seen to start. It goes to the place from which a visible cup comes to it, or, if no
    visible cup goes to either of the places behind the screen, it swaps with the other one there.
    """
    moving = False
    for j in range(n):
        if m.disc_vx[j] != 0.0 or m.disc_vy[j] != 0.0:
            moving = True
    if not moving or m.t < m.busy_until:
        return
    m.busy_until = m.t + event_steps(p)
    near = 0.4 * p.spacing
    ball = math.atan2(m.ball_y, m.ball_x)
    to = FAR
    for j in range(n):
        angle = math.atan2(m.disc_y[j], m.disc_x[j])
        target = _target_angle(m, p, j)
        if abs(angle - ball) < near:
            to = target
        elif abs(target - ball) < near:
            to = angle
    if to == FAR:
        to = ball
        for k in range(m.n_boxes):
            other = _hidden_angle(m, k)
            free = abs(other - ball) > near
            for j in range(n):
                if abs(_target_angle(m, p, j) - other) < near:
                    free = False
            if free:
                to = other
    m.ball_x = p.ring * math.cos(to)
    m.ball_y = p.ring * math.sin(to)


@device
def _behind_screen(m, p):
    """Whether the ball is believed to be behind the screen."""
    ball = math.atan2(m.ball_y, m.ball_x)
    for k in range(m.n_boxes):
        if abs(_hidden_angle(m, k) - ball) < 0.4 * p.spacing:
            return True
    return False


@device
def _follow(o, m, p, most, infers):
    """Enter the row and track the ball through the first `most` events.

    Args:
        infers: whether it follows a ball behind the screen.
    """
    n, ball = _read(o, m, p)
    if m.phase == OBSERVE and not ball:
        x = m.ball_x
        y = m.ball_y
        until = m.busy_until
        ignored = not infers and _behind_screen(m, p)
        if p.play == ROUNDS:
            _notice_round(m, p, n)
        else:
            _notice_event(m, p, n)
        if m.busy_until != until:
            m.events += 1
            m.last_x = x
            m.last_y = y
            if ignored or m.events > most:
                m.ball_x = x
                m.ball_y = y
        if o[7] > 0.5 and m.meets != 0 and m.events <= most:  # a bump is heard: the cups were tipped
            _swap_ball(m)
    m.t += 1
    return n


@device
def _nearest_cup(m, n, x, y, avoid):
    """Believe the ball under the visible cup nearest to (x, y), except those where it was last seen if `avoid`."""
    best = FAR
    for k in range(n):
        d = (m.disc_x[k] - x) ** 2 + (m.disc_y[k] - y) ** 2
        first = (m.disc_x[k] - m.first_x) ** 2 + (m.disc_y[k] - m.first_y) ** 2 < SAME
        if d < best and not (avoid and first):
            best = d
            m.ball_x = m.disc_x[k]
            m.ball_y = m.disc_y[k]


@device
def _lift(m, p, n):
    """Go to the believed ball; to the nearest cup if it has never been seen."""
    if m.phase != ACT:
        return STAY
    if m.seen == 0:
        _nearest_cup(m, n, m.agent_x, m.agent_y, False)
    elif p.play == ROUNDS:
        _nearest_cup(m, n, m.ball_x, m.ball_y, False)
    return _approach(m, p)


def _follower(most=MAX_EVENTS, infers=True):
    """A player that tracks the ball as `_follow` does."""

    @device
    def choose(o, m, p):
        n = _follow(o, m, p, most, infers)
        return _lift(m, p, n)

    return choose


tracker = _follower()  # tracks the place of the ball from the places that take part in each event
first = _follower(most=0)  # goes to the cup that the ball went under, as if nothing had moved since
one_swap = _follower(most=1)  # tracks the first event only
two_swaps = _follower(most=2)
screen_ignored = _follower(infers=False)  # leaves a ball behind the screen where it is


@device
def last_missed(o, m, p):
    """Tracks all events but the last."""
    n = _follow(o, m, p, MAX_EVENTS, True)
    m.ball_x = m.last_x if m.phase == ACT else m.ball_x
    m.ball_y = m.last_y if m.phase == ACT else m.ball_y
    return _lift(m, p, n)


@device
def not_first(o, m, p):
    """Goes to the nearest cup at another place than the first."""
    n = _follow(o, m, p, 0, True)
    if m.phase != ACT:
        return STAY
    _nearest_cup(m, n, m.agent_x, m.agent_y, True)
    return _approach(m, p)


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


def tracked(memory: np.ndarray, params: Any) -> Belief:
    """Where the tracker takes the ball to be; see `Reference.belief`. Of cups there are several."""
    known, xy = np.zeros((len(memory), params.sizes.colours)), np.zeros((len(memory), params.sizes.colours, 2))
    known[:, BALL] = memory["seen"] != 0
    xy[:, BALL] = np.stack([memory["ball_x"], memory["ball_y"]], -1)
    return Belief(known, xy)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF, belief=tracked),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
    "first": Reference(by_index(first, ARCS), reads="slots", memory=BELIEF),
    "one_swap": Reference(by_index(one_swap, ARCS), reads="slots", memory=BELIEF),
    "two_swaps": Reference(by_index(two_swaps, ARCS), reads="slots", memory=BELIEF),
    "last_missed": Reference(by_index(last_missed, ARCS), reads="slots", memory=BELIEF),
    "not_first": Reference(by_index(not_first, ARCS), reads="slots", memory=BELIEF),
    "screen_ignored": Reference(by_index(screen_ignored, ARCS), reads="slots", memory=BELIEF),
}
