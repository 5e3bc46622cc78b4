"""The rules of Cups: state, reset and step. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.cups.motion import CYCLE, REST, ROLL, event_steps, move_ball, move_cups
from unseen.envs.permanence.cups.script import MAX_CUPS, MAX_EVENTS, MAX_PLACES, ROUND, ROUNDS, draw_script
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import DAY, OBSERVE, STRIDE, TURN, drive, place_box, planar, touch, touching

MAX_BOXES, MAX_DISCS = 2, MAX_CUPS + 1  # panels of the screen; cups and the ball
BALL, CUP = 0, 1  # colours

REACH = 0.45  # m, centre to centre, at which a cup is touched
PAUSE = 2  # steps from the final covering of the ball to the first event
SCREEN_AT = 0.6  # position of the screen, as a fraction of the distance from the agent to the hidden place
SCREEN_DEPTH = 0.03  # half depth of the screen, m

STATE = planar(
    MAX_BOXES, MAX_DISCS,
    ("ball_rank", INT),  # rank by x of the ball's cup among the cups in the act phase
    ("first_place", INT), ("decoy_place", INT), ("free_place", INT), ("screened_place", INT),  # -1: none
    ("covered_at", INT), ("events_at", INT), ("n_events", INT),  # steps of the covering and of the first event; number of events
    ("kind", INT, (MAX_EVENTS,)), ("place_a", INT, (MAX_EVENTS,)), ("place_b", INT, (MAX_EVENTS,)),
    ("side", INT, (MAX_EVENTS,)),  # 1: the cup of place_a passes outside, -1: inside
    # Of each round: the place with which each place swaps (itself: its cup stays), and the lane of its cup: 1, 2, ...
    # outside the arc, -1, -2, ... inside.
    ("partner", INT, (MAX_EVENTS, MAX_PLACES)), ("lane", INT, (MAX_EVENTS, MAX_PLACES)),
    ("order", INT, (MAX_PLACES,)),  # scratch: a random order of the places
    ("cup_at", INT, (MAX_PLACES,)),  # the cup at each place; -1: none
    ("place_angle", FLOAT, (MAX_PLACES,)), ("place_radius", FLOAT, (MAX_PLACES,)),  # polar coordinates of the places
)  # fmt: skip
STATE_EXTRA = 12 + 4 * MAX_EVENTS  # values that `state` has after a lit slots row


@device
def reset(s, p):
    """Draw an episode: script, places, cups, screen, blackout length and the pose after it."""
    reset_stage(s, p)
    draw_script(s, p)
    s.covered_at = p.hides * CYCLE + REST + ROLL
    s.events_at = s.covered_at + PAUSE
    s.observe_steps = s.events_at + s.n_events * (event_steps(p) + 1)
    s.query = BALL
    s.n_discs = p.cups + 1
    size = 1.2 if p.split == SHIFT else 1.0
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
    ball = p.cups  # the last disc, so that a touch finds a cup before the ball under it
    s.disc_radius[ball] = 0.6 * p.radius * size
    s.disc_colour[ball] = BALL
    move_ball(s, p)
    s.screened_place = -1
    if p.screen != 0:
        _place_screen(s, p)
    return True


@device
def _place_screen(s, p):
    """Place the screen: one panel in front of each hidden place, which hides only that place.

    With rounds, it hides p.panels neighbouring places, else one that takes part in a random event.
    """
    if p.play == ROUNDS:
        s.screened_place = below(s, p.places - p.panels + 1)
        for k in range(p.panels):
            _place_panel(s, p, k, s.screened_place + k)
        return
    h = below(s, p.places)
    if s.n_events > 0:
        q = below(s, s.n_events)
        h = s.place_b[q] if p.places > p.cups or below(s, 2) == 0 else s.place_a[q]
    s.screened_place = h
    _place_panel(s, p, 0, h)


@device
def _place_panel(s, p, k, h):
    """Place panel k of the screen in front of place h."""
    dx = s.place_radius[h] * math.cos(s.place_angle[h]) - s.agent_x
    dy = s.place_radius[h] * math.sin(s.place_angle[h]) - s.agent_y
    d = math.sqrt(dx * dx + dy * dy)
    place_box(s, k, 0, s.agent_x + SCREEN_AT * dx, s.agent_y + SCREEN_AT * dy, dx / d, dy / d, SCREEN_DEPTH, p.breadth)


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    s.bump = 0
    if s.phase == OBSERVE and s.t < s.observe_steps:
        move_cups(s, p)
        move_ball(s, p)
        s.n_boxes = p.panels if p.screen != 0 and s.t > s.covered_at else 0
    if not moves:
        next_phase(s, DAY)
        if s.phase != OBSERVE:
            s.n_boxes = 0  # the screen is removed
        return 0.0, False, False
    drive(s, STRIDE * a[0], TURN * a[1])
    k = touching(s, s.agent_x, s.agent_y, REACH)
    touch(s, k)
    reward = 1.0 if k >= 0 and s.disc_cover[p.cups] == k + 1 else 0.0
    return outcome(s, p, info, reward, k >= 0, out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The rank by x of the cup with the ball in the act phase."""
    out[0] = s.ball_rank


@device
def change_hidden(s, p):
    """Put the hidden ball under the next cup. False while it is in the open."""
    ball = p.cups
    if s.disc_cover[ball] == 0:
        return False
    j = s.disc_cover[ball] % p.cups  # the cup after cup disc_cover - 1
    s.disc_cover[ball] = j + 1
    s.disc_x[ball] = s.disc_x[j]
    s.disc_y[ball] = s.disc_y[j]
    s.disc_vx[ball] = s.disc_vx[j]
    s.disc_vy[ball] = s.disc_vy[j]
    s.ball_rank = 0
    for k in range(p.cups):
        if s.disc_x[k] < s.disc_x[j]:
            s.ball_rank += 1
    return True


@device
def found(s, p):
    """Whether a cup has been lifted."""
    return s.touched >= 0


@device
def _code(row, first, end):
    """Partners row[first:end] as digits of one number in [0, 1)."""
    code = 0.0
    for i in range(end - 1, first - 1, -1):
        code = (code + row[i]) / MAX_PLACES
    return code


@device
def write_state(s, p, o):
    """Write lit slots, then phases, ball and all events."""
    write_lit_slots(s, p, o, s.query)
    at = o.shape[0] - STATE_EXTRA
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
        if s.kind[q] == ROUND:  # the lanes of the cups show once they move
            o[at + 1] = _code(s.partner[q], 0, MAX_PLACES // 2)
            o[at + 2] = _code(s.partner[q], MAX_PLACES // 2, MAX_PLACES)
        at += 4
