"""The motion of the ball and the cups in the observe phase of Cups. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT
from unseen.envs.permanence.cups.script import ROUND, SWAP, TIP
from unseen.envs.planar.world import DT

BALL_Y = 0.45  # y of the ball before it rolls, m; its x is 0
REST, ROLL, HELD = 2, 3, 2  # steps for which the ball rests, rolls, and stays under a decoy cup
CYCLE = REST + ROLL + HELD + ROLL  # steps from one showing of the ball to the next
BULGE = 0.3  # m by which one of two swapping cups passes inside the arc, the other outside


@device
def event_steps(p):
    """Steps of one event, which is followed by one step of rest."""
    return p.swap_steps - (1 if p.split == SHIFT else 0)


@device
def move_ball(s, p):
    """Write position, velocity and cover of the ball at step s.t.

    It rests, rolls under a cup, comes out again p.hides times, and then moves with the cup that covers it.
    """
    ball = p.cups
    if s.t > s.covered_at:
        j = s.disc_cover[ball] - 1
        s.disc_x[ball] = s.disc_x[j]
        s.disc_y[ball] = s.disc_y[j]
        s.disc_vx[ball] = s.disc_vx[j]
        s.disc_vy[ball] = s.disc_vy[j]
        return
    place = s.decoy_place if s.t // CYCLE < p.hides else s.first_place
    w = s.t % CYCLE
    j = s.cup_at[place]
    s.disc_cover[ball] = j + 1 if REST + ROLL <= w < REST + ROLL + HELD else 0
    f = 0.0  # fraction of the path to the cup
    v = 0.0
    if w >= REST + ROLL + HELD:
        f = (CYCLE - w) / ROLL
        v = -1.0
    elif w >= REST:
        f = min((w - REST) / ROLL, 1.0)
        v = 1.0 if f < 1.0 else 0.0
    dx = s.disc_x[j]
    dy = s.disc_y[j] - BALL_Y
    s.disc_x[ball] = f * dx
    s.disc_y[ball] = BALL_Y + f * dy
    s.disc_vx[ball] = v * dx / (ROLL * DT)
    s.disc_vy[ball] = v * dy / (ROLL * DT)


def widest(pairs: int) -> float:
    """How far from the arc the outermost of several pairs passes that swap at once, m."""
    return BULGE * (2 * pairs - 1) / pairs


@device
def _path(s, p, q, i, k, side, u):
    """The position (x, y), u steps into event q, of the cup from place i whose partner is at place k.

    It passes side * BULGE m outside the arc.
    """
    f = u / event_steps(p)
    if s.kind[q] == SWAP or s.kind[q] == ROUND:
        angle = s.place_angle[i] + (s.place_angle[k] - s.place_angle[i]) * f
        r = s.place_radius[i] + (s.place_radius[k] - s.place_radius[i]) * f + side * BULGE * math.sin(math.pi * f)
    else:  # until the two cups touch, and back
        g = min(1.0, 3.0 * min(f, 1.0 - f))
        away = s.disc_radius[0] / p.ring * (1.0 if s.place_angle[i] > s.place_angle[k] else -1.0)
        angle = s.place_angle[i] + (0.5 * (s.place_angle[i] + s.place_angle[k]) + away - s.place_angle[i]) * g
        r = s.place_radius[i] + 0.5 * (s.place_radius[k] - s.place_radius[i]) * g
    return r * math.cos(angle), r * math.sin(angle)


@device
def _move_cup(s, p, q, i, k, side, u):
    """Move the cup of place i, if any, to its position u steps into event q, and set its velocity for the next step."""
    j = s.cup_at[i]
    if j < 0:
        return
    s.disc_x[j] += s.disc_vx[j] * DT
    s.disc_y[j] += s.disc_vy[j] * DT
    s.disc_vx[j] = 0.0
    s.disc_vy[j] = 0.0
    if u < event_steps(p):
        x, y = _path(s, p, q, i, k, side, u + 1)
        s.disc_vx[j] = (x - s.disc_x[j]) / DT
        s.disc_vy[j] = (y - s.disc_y[j]) / DT


@device
def _move_round(s, p, q, u):
    """Move all cups to their positions u steps into round q. Pairs pass each other in lanes of their own."""
    pairs = p.cups // 2
    for i in range(p.cups):
        lane = s.lane[q, i]
        if lane != 0:
            side = (2.0 * abs(lane) - 1.0) / pairs * (1.0 if lane > 0 else -1.0)
            _move_cup(s, p, q, i, s.partner[q, i], side, u)
    if u == event_steps(p):
        for i in range(p.cups):
            k = s.partner[q, i]
            if i < k:
                s.cup_at[i], s.cup_at[k] = s.cup_at[k], s.cup_at[i]


@device
def move_cups(s, p):
    """Move the cups to their positions at step s.t. A tip sets bump and passes the ball on."""
    steps = event_steps(p)
    since = s.t - s.events_at
    q = since // (steps + 1)
    u = since % (steps + 1)
    if since < 0 or q >= s.n_events:
        return
    if s.kind[q] == ROUND:
        _move_round(s, p, q, u)
        return
    i = s.place_a[q]
    k = s.place_b[q]
    _move_cup(s, p, q, i, k, float(s.side[q]), u)
    _move_cup(s, p, q, k, i, -float(s.side[q]), u)
    if s.kind[q] == SWAP and u == steps:
        s.cup_at[i], s.cup_at[k] = s.cup_at[k], s.cup_at[i]
    if s.kind[q] == TIP and u == (steps + 1) // 2:
        s.bump = 1
        if s.disc_cover[p.cups] == s.cup_at[i] + 1:
            s.disc_cover[p.cups] = s.cup_at[k] + 1
        elif s.disc_cover[p.cups] == s.cup_at[k] + 1:
            s.disc_cover[p.cups] = s.cup_at[i] + 1
