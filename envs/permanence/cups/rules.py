"""The rules of Cups: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.cups.script import MAX_CUPS, MAX_EVENTS, MAX_PLACES, SWAP, TIP, draw_script
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import DAY, OBSERVE, drive, place_box, planar, touch, touching

MAX_BOXES, MAX_DISCS = 1, MAX_CUPS + 1  # the screen; cups and the ball
BALL, CUP = 0, 1  # colours

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.45  # m, centre to centre, at which a cup is touched
BALL_Y = 0.45  # y of the ball before it rolls, m; its x is 0
REST, ROLL, HELD = 2, 3, 2  # steps that the ball lies, rolls, and stays under a cup before it is shown again
CYCLE = REST + ROLL + HELD + ROLL  # steps from one showing of the ball to the next
PAUSE = 2  # steps from when the ball is covered for good to the first event
BULGE = 0.3  # m by which one of two swapping cups passes inside the arc, the other outside
SCREEN_AT = 0.6  # where the screen stands, on the way from the agent to the place that it hides
SCREEN_DEPTH = 0.03  # half depth of the screen, m

STATE = planar(
    MAX_BOXES, MAX_DISCS,
    ("ball_rank", INT),  # of the ball's cup among the cups in the act phase, by x
    ("first_place", INT), ("decoy_place", INT), ("free_place", INT), ("screened_place", INT),  # -1: none
    ("covered_at", INT), ("events_at", INT), ("n_events", INT),  # step at which the ball is covered; of the first event
    ("kind", INT, (MAX_EVENTS,)), ("place_a", INT, (MAX_EVENTS,)), ("place_b", INT, (MAX_EVENTS,)),
    ("side", INT, (MAX_EVENTS,)),  # 1: the cup of place_a passes outside, -1: inside
    ("cup_at", INT, (MAX_PLACES,)),  # the cup at each place; -1: none
    ("place_angle", FLOAT, (MAX_PLACES,)), ("place_radius", FLOAT, (MAX_PLACES,)),  # polar coordinates of the places
)  # fmt: skip
STILL_TO_COME = 12 + 4 * MAX_EVENTS  # numbers that `state` adds behind a lit slots row


@device
def event_steps(p):
    """Steps that one event takes; a step of rest follows it."""
    return p.swap_steps - (1 if p.split == 2 else 0)


@device
def reset(s, p):
    """Draw an episode: the script, the places, which cup stands where, the blackout and the pose after it."""
    reset_stage(s, p)
    draw_script(s, p)
    s.covered_at = p.hides * CYCLE + REST + ROLL
    s.events_at = s.covered_at + PAUSE
    s.observe_steps = s.events_at + s.n_events * (event_steps(p) + 1)
    s.query = BALL
    s.n_discs = p.cups + 1
    size = 1.2 if p.split == 2 else 1.0
    shuffle(s, s.cup_at, p.cups)
    if s.free_place >= 0:
        for k in range(p.cups, s.free_place, -1):
            s.cup_at[k] = s.cup_at[k - 1]
        s.cup_at[s.free_place] = -1
    for k in range(p.places):
        s.place_angle[k] = 0.5 * math.pi + p.spacing * (0.5 * (p.places - 1) - k) + uniform(s, -1.0, 1.0) * p.jitter
        s.place_radius[k] = p.ring + uniform(s, -1.0, 1.0) * p.jitter
        j = s.cup_at[k]
        if j >= 0:
            s.disc_x[j] = s.place_radius[k] * math.cos(s.place_angle[k])
            s.disc_y[j] = s.place_radius[k] * math.sin(s.place_angle[k])
            s.disc_vx[j] = 0.0
            s.disc_vy[j] = 0.0
            s.disc_radius[j] = p.radius * size
            s.disc_colour[j] = CUP
            s.disc_cover[j] = 0
    ball = p.cups  # the last disc, so that of a cup and the ball under it the cup is what is touched
    s.disc_radius[ball] = 0.6 * p.radius * size
    s.disc_colour[ball] = BALL
    _move_ball(s, p)
    s.screened_place = -1
    if p.screen != 0:
        _place_screen(s, p)
    return True


@device
def _place_screen(s, p):
    """Put the screen before a place that takes part in a drawn event, so wide that it hides that place alone."""
    h = below(s, p.places)
    if s.n_events > 0:
        q = below(s, s.n_events)
        h = s.place_b[q] if p.places > p.cups or below(s, 2) == 0 else s.place_a[q]
    s.screened_place = h
    dx = s.place_radius[h] * math.cos(s.place_angle[h]) - s.agent_x
    dy = s.place_radius[h] * math.sin(s.place_angle[h]) - s.agent_y
    d = math.sqrt(dx * dx + dy * dy)
    place_box(s, 0, 0, s.agent_x + SCREEN_AT * dx, s.agent_y + SCREEN_AT * dy, dx / d, dy / d, SCREEN_DEPTH, p.breadth)


@device
def _move_ball(s, p):
    """Move the ball to where it is at step s.t: it lies, rolls under a cup, comes out again p.hides times, and then
    goes with the cup that covers it."""
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
    f = 0.0  # of the way to the cup
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


@device
def _path(s, p, q, i, k, side, u):
    """The position u steps into event q of the cup from place i whose partner is at place k."""
    f = u / event_steps(p)
    if s.kind[q] == SWAP:
        angle = s.place_angle[i] + (s.place_angle[k] - s.place_angle[i]) * f
        r = s.place_radius[i] + (s.place_radius[k] - s.place_radius[i]) * f + side * BULGE * math.sin(math.pi * f)
    else:  # to where the two touch, and back
        g = min(1.0, 3.0 * min(f, 1.0 - f))
        away = s.disc_radius[0] / p.ring * (1.0 if s.place_angle[i] > s.place_angle[k] else -1.0)
        angle = s.place_angle[i] + (0.5 * (s.place_angle[i] + s.place_angle[k]) + away - s.place_angle[i]) * g
        r = s.place_radius[i] + 0.5 * (s.place_radius[k] - s.place_radius[i]) * g
    return r * math.cos(angle), r * math.sin(angle)


@device
def _move_cup(s, p, q, i, k, side, u):
    """Move the cup of place i, if any, to where it is u steps into event q; its velocity is what the next step brings."""
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
def _move_cups(s, p):
    """Move the cups to where they are at step s.t; a tip sounds, and passes the ball on."""
    steps = event_steps(p)
    since = s.t - s.events_at
    q = since // (steps + 1)
    u = since % (steps + 1)
    if since < 0 or q >= s.n_events:
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


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    s.bump = 0
    if s.phase == OBSERVE and s.t < s.observe_steps:
        _move_cups(s, p)
        _move_ball(s, p)
        s.n_boxes = 1 if p.screen != 0 and s.t > s.covered_at else 0
    if not moves:
        next_phase(s, DAY)
        if s.phase != OBSERVE:
            s.n_boxes = 0  # what the screen hid is in the open again
        return 0.0, False, False
    drive(s, STRIDE * a[0], TURN * a[1])
    k = touching(s, s.agent_x, s.agent_y, REACH)
    touch(s, k)
    reward = 1.0 if k >= 0 and s.disc_cover[p.cups] == k + 1 else 0.0
    return outcome(s, info, reward, k >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The rank by x, among the cups, of the one with the ball in the act phase."""
    out[0] = s.ball_rank


@device
def write_state(s, p, o):
    """Slots with the lights on, then everything that is still to come."""
    write_lit_slots(s, p, o, s.query)
    at = o.shape[0] - STILL_TO_COME
    write_stage(s, p, o, at)
    o[at + 7] = s.observe_steps / CLOCK
    o[at + 8] = s.disc_cover[p.cups] != 0
    o[at + 9] = s.ball_rank / MAX_PLACES
    o[at + 10] = s.first_place / MAX_PLACES
    o[at + 11] = s.decoy_place / MAX_PLACES
    at += 12
    for q in range(s.n_events):
        o[at] = s.kind[q]
        o[at + 1] = s.place_a[q] / MAX_PLACES
        o[at + 2] = s.place_b[q] / MAX_PLACES
        o[at + 3] = s.side[q]
        at += 4
