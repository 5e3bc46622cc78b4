"""Scripted reference policies of Tunnel."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.tunnel.draw import SPACING, exit_x, lever_place, shift_lead
from unseen.envs.permanence.tunnel.rules import (
    GAP,
    GAPS,
    MAT,
    MAX_BALLS,
    MAX_EXITS,
    PLATE,
    PLATE_AT,
    first_due,
    in_reach,
)
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.layout import HEAD
from unseen.envs.planar.navigate import arc_pose, arc_towards
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, TURN

STAY = 3
NEAR_PLATE = 0.25  # m: near enough to the place in front of a plate
STOP_FRICTION = 1e9  # m/s^2: friction of the belief, so that balls stay where they were last seen

BELIEF = belief(
    MAX_EXITS + 2, MAX_BALLS,
    # Speed factor of each lane; 1 if a ball is held up; of each ball: its exit, exit step, and steps held up.
    ("factor", FLOAT, (MAX_EXITS,)), ("held_up", INT),
    ("exit", INT, (MAX_BALLS,)), ("due", INT, (MAX_BALLS,)), ("wait", INT, (MAX_BALLS,)),
    ("pulled_at", INT),  # -1 if the lever has not been pulled
    signals=2 * MAX_EXITS + 1,
)  # fmt: skip


@device
def _meet_at(s, p, k, left):
    """The arc to be on the plate of exit k when a ball comes out there in `left` steps.

    Leaves as late as possible: with one step to spare on the plate, or none if gates shut early.
    """
    return _be_at(s, p, k, left, 1 if p.patience > 2 else 0)


@device
def _be_at(s, p, k, left, spare):
    """The arc to be on the plate of exit k in `left` steps, with `spare` steps to spare, by way of a lever not yet pulled."""
    gx = exit_x(p, k)
    gy = p.mouth - PLATE_AT
    x = s.agent_x
    y = s.agent_y
    h = s.heading
    first = arc_towards(x, y, h, gx, gy, TURN)
    if p.lever > 0 and s.pulled_at < 0:
        lx, ly = lever_place(p)
        first = arc_towards(x, y, h, lx, ly, TURN)
        while left > 0 and not in_reach(x, y, p):
            x, y, h = arc_pose(s, x, y, h, arc_towards(x, y, h, lx, ly, TURN), STRIDE, TURN)
            left -= 1
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
    if m.started == 0:
        m.pulled_at = -1
    update_belief(o, m, p, DT, STOP_FRICTION, 0.0)
    m.room_hx = p.wide
    m.room_hy = p.deep
    at = HEAD + 2 * p.queries
    for k in range(p.exits):
        m.factor[k] = o[at + p.exits + k] if p.carpet < 1.0 else 1.0
        m.signal[k] = o[at + k]
        if o[at + k] > 0.0:
            m.pulled_at = m.t
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
        if m.disc_colour[j] == m.query and m.due[j] > 0:
            return _meet_at(m, p, m.exit[j], m.due[j] - m.t + 1)
    return _sweep(m, p)


@device
def reflex(o, m, p):
    """The best memoryless policy: predict from the queried ball if visible, else stand on the nearest plate until its
    gate shuts, then on the next.

    A ball that a siding may hold up is awaited in front of its plate until it is in its lane.
    """
    _update_map(o, m, p)
    if m.phase != ACT or m.query < 0:
        return STAY
    for j in range(m.n_discs):
        if m.disc_colour[j] == m.query and m.held_up != 0 and p.bend - 1e-3 < m.disc_y[j] < p.top:
            return _wait_near(m, p, _exit_ahead(m, p, j))
        if m.disc_colour[j] == m.query and m.disc_vy[j] < 0.0:
            k, left = _predict(m, p, j)
            return _meet_at(m, p, k, left)
    return _sweep(m, p)


@device
def _exit_ahead(m, p, j):
    """The exit of ball j, which is seen in the hall."""
    x = m.disc_x[j]
    if m.disc_vy[j] < 0.0:
        x += m.disc_vx[j] * (p.bend - m.disc_y[j]) / m.disc_vy[j]
    return min(max(int(math.floor(x / SPACING + 0.5 * p.exits)), 0), p.exits - 1)


@device
def _wait_near(w, p, k):
    """The arc to wait in front of the plate of exit k, without standing on it."""
    gx = exit_x(p, k)
    gy = p.mouth - MAT
    if (w.agent_x - gx) ** 2 + (w.agent_y - gy) ** 2 < NEAR_PLATE**2:
        return STAY
    return arc_towards(w.agent_x, w.agent_y, w.heading, gx, gy, TURN)


@device
def _sweep(m, p):
    """The arc to the nearest plate whose gate is open."""
    best = FAR
    near = 0
    for k in range(p.exits):
        d = abs(exit_x(p, k) - m.agent_x)
        if m.signal[k] > 0.01 and d < best:
            best = d
            near = k
    return _meet_at(m, p, near, 0)


# Policies that lack one faculty and are given everything else.


@device
def _rank(s, j):
    """How many balls come out before ball j."""
    return (j - s.held_up) % s.n_discs


@device
def _first_chance(s, p):
    """The first step in which the queried ball may come out, for a player that knows only the order of the balls."""
    return first_due(s, p, p.walk + p.slack_low + shift_lead(p)) + GAP * _rank(s, s.target)


@device
def _last_chance(s, p):
    """The last such step."""
    return first_due(s, p, p.walk + p.slack_high + shift_lead(p)) + (GAP + GAPS - 1) * _rank(s, s.target)


@device
def nearest_exit(s, m, p):
    """Knows when but not where: the exit nearest to where the act phase starts."""
    if s.phase != ACT:
        return STAY
    k = min(max(int(math.floor(s.spawn_x / SPACING + 0.5 * p.exits)), 0), p.exits - 1)
    return _meet_at(s, p, k, s.due[s.target] - s.t)


@device
def last_exit(s, m, p):
    """Knows when but not where: always the last exit."""
    return _meet_at(s, p, p.exits - 1, s.due[s.target] - s.t) if s.phase == ACT else STAY


@device
def sweep(s, m, p):
    """Knows neither when nor where: from the first step in which the ball may come out, stands on one plate after the
    other, on each until its gate shuts."""
    if s.phase != ACT:
        return STAY
    best = FAR
    near = 0
    for k in range(p.exits):
        d = (exit_x(p, k) - s.agent_x) ** 2 + (p.mouth - PLATE_AT - s.agent_y) ** 2
        if s.stood_on[k] <= p.patience and d < best:
            best = d
            near = k
    return _be_at(s, p, near, _first_chance(s, p) - s.t, 0)


@device
def stand(s, m, p):
    """Knows where but not when: goes to the plate at once and stays."""
    return _be_at(s, p, s.answer, 0, 0) if s.phase == ACT else STAY


@device
def early(s, m, p):
    """Knows where but not when: stands on the plate from the first step in which the ball may come out."""
    return _be_at(s, p, s.answer, _first_chance(s, p) - s.t, 0) if s.phase == ACT else STAY


@device
def midway(s, m, p):
    """Knows where but not when: stands on the plate in the middle of the time in which the ball may come out."""
    if s.phase != ACT:
        return STAY
    return _be_at(s, p, s.answer, (_first_chance(s, p) + _last_chance(s, p) - p.patience) // 2 - s.t, 0)


@device
def late(s, m, p):
    """Knows where but not when: stands on the plate up to the last step in which the ball may come out."""
    return _be_at(s, p, s.answer, _last_chance(s, p) - p.patience - s.t, 0) if s.phase == ACT else STAY


@device
def early_and_late(s, m, p):
    """Knows where but not when: stands on the plate for half of the patience as `early` does, and for the rest later."""
    if s.phase != ACT:
        return STAY
    half = (p.patience + 1) // 2
    if s.stood_on[s.answer] < half:
        return early(s, m, p)
    left = (_first_chance(s, p) + _last_chance(s, p)) // 2 - s.t
    return _be_at(s, p, s.answer, left, 0) if left <= 3 else _wait_near(s, p, s.answer)


@device
def no_clock(s, m, p):
    """Knows where and how long the ball takes from the start, but takes the blackout for one of mean length."""
    if s.phase != ACT:
        return STAY
    error = (p.blackout_low + p.blackout_high) // 2 - s.blackout_steps
    return _be_at(s, p, s.answer, s.due[s.target] - error - p.patience // 2 - s.t, 0)


@device
def act_clock(s, m, p):
    """Knows where and how long the ball takes from the start, but takes the blackout for the longest."""
    if s.phase != ACT:
        return STAY
    error = p.blackout_high - s.blackout_steps
    return _be_at(s, p, s.answer, s.due[s.target] - error - s.t, 0)


@device
def first_in(s, m, p):
    """Knows when and where each ball comes out, but not which one to catch: the one that went in first."""
    return _meet_at(s, p, s.exit[0], s.due[0] - s.t) if s.phase == ACT else STAY


@device
def last_in(s, m, p):
    """Knows when and where each ball comes out, but not which one to catch: the one that went in last."""
    j = s.n_discs - 1
    return _meet_at(s, p, s.exit[j], s.due[j] - s.t) if s.phase == ACT else STAY


@device
def straight_ahead(s, m, p):
    """Knows when, and where the ball went in, but not its direction: the exit nearest to its start."""
    if s.phase != ACT:
        return STAY
    k = min(max(int(math.floor(s.start_x[s.target] / SPACING + 0.5 * p.exits)), 0), p.exits - 1)
    return _meet_at(s, p, k, s.due[s.target] - s.t)


@device
def _on_floor(s, p, factor):
    """The arc of a player that knows everything but the lane's floor, and takes its speed factor for `factor`."""
    if s.phase != ACT:
        return STAY
    j = s.target
    error = p.lane / (s.speed[j] * s.factor[s.answer]) - p.lane / (s.speed[j] * factor)
    return _be_at(s, p, s.answer, s.due[j] - int(round(error / DT)) - p.patience // 2 - s.t, 0)


@device
def plain_floor(s, m, p):
    """Ignores the carpets."""
    return _on_floor(s, p, 1.0)


@device
def usual_floor(s, m, p):
    """Takes every carpet for one of mean speed factor."""
    return _on_floor(s, p, 0.5 * (1.0 + p.carpet))


@device
def hasty(s, m, p):
    """Knows when and where but does not plan: pulls the lever at once."""
    if s.phase != ACT:
        return STAY
    left = s.due[s.target] - s.t
    return _be_at(s, p, s.answer, left if p.lever == 0 or s.pulled_at >= 0 else 0, 0)


WITHOUT_WHERE = {"nearest-exit": nearest_exit, "last-exit": last_exit, "sweep": sweep}
WITHOUT_WHEN = {"stand": stand, "early": early, "midway": midway, "late": late, "early-and-late": early_and_late}
WITHOUT_CLOCK = {"no-clock": no_clock, "act-clock": act_clock}
WITHOUT_PATH = {"straight-ahead": straight_ahead}
WITHOUT_FLOOR = {"plain-floor": plain_floor, "usual-floor": usual_floor}
WITHOUT_WHICH = {"first-in": first_in, "last-in": last_in}
WITHOUT_PLAN = {"hasty": hasty}

REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
} | {
    name: Reference(by_index(choose, ARCS))
    for family in (WITHOUT_WHERE, WITHOUT_WHEN, WITHOUT_CLOCK, WITHOUT_PATH, WITHOUT_FLOOR, WITHOUT_WHICH, WITHOUT_PLAN)
    for name, choose in family.items()
}
