"""The rules of Cups: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import (
    DAY,
    OBSERVE,
    drive,
    place_box,
    planar,
    touch,
    touching,
)

CUPS = 6
PLACES = CUPS + 1  # one may be free
EVENTS = 11  # a shift adds one to what the knob allows
DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.45  # m, centre to centre, at which a cup is touched
CLEAR = 0.45  # m between neighbouring cups, at least
SPOT = 0.45  # m from the mat's centre to where the ball lies at first
REST, ROLL, HELD = 2, 3, 2  # steps that the ball lies, rolls, and is hidden before it is shown again
BULGE = 0.3  # m by which one cup passes inside, the other outside of the ring
SCREEN_AT = 0.6  # of the way from the agent to the place that the screen hides
SCREEN_DEPTH = 0.03  # half depth, m
SWAP, MEET, TIP = 0, 1, 2  # two cups go round each other; meet and part; the same, and the ball passes over
BALL, CUP = 0, 1  # colours

STATE = planar(
    1, CUPS + 1,
    ("answer", INT), ("first", INT), ("decoy", INT), ("vacant", INT), ("hidden", INT),
    ("covered", INT), ("onset", INT), ("events", INT),
    ("kind", INT, (EVENTS,)), ("pa", INT, (EVENTS,)), ("pb", INT, (EVENTS,)), ("side", INT, (EVENTS,)),
    ("cup", INT, (PLACES,)), ("angle", FLOAT, (PLACES,)), ("far", FLOAT, (PLACES,)),
)  # fmt: skip
STILL_TO_COME = 12 + 4 * EVENTS


@device
def _pace(p):
    """Steps that one event takes."""
    return p.swap_steps - (1 if p.split == 2 else 0)


@device
def _draw_pair(s, p, q):
    """Draw event q's two places: at most p.apart from each other, and not those of the swap just before."""
    if s.kind[q] != SWAP:
        s.pa[q] = below(s, p.places - 1)
        s.pb[q] = s.pa[q] + 1
        return
    pairs = 0
    last = -1
    apart = min(p.apart, p.places - 1)
    for d in range(1, apart + 1):
        for i in range(p.places - d):
            if q > 0 and s.kind[q - 1] == SWAP and s.pa[q - 1] == i and s.pb[q - 1] == i + d:
                last = pairs
            pairs += 1
    if pairs == 1:
        last = -1
    left = below(s, pairs - (last >= 0))
    if 0 <= last <= left:
        left += 1
    for d in range(1, apart + 1):
        for i in range(p.places - d):
            if left == 0:
                s.pa[q] = i
                s.pb[q] = i + d
            left -= 1


@device
def _script(s, p):
    """Draw all that will happen: the events, without a look at the answer, then, backwards from it, where the ball
    goes under. So nothing seen of the events alone tells of the answer."""
    s.answer = below(s, p.cups)
    s.vacant = below(s, p.places) if p.places > p.cups else -1
    place = s.answer
    if 0 <= s.vacant <= place:
        place += 1
    s.events = p.swaps_low + below(s, p.swaps_high - p.swaps_low + 1) + (1 if p.split == 2 and p.swaps_high > 0 else 0)
    for q in range(s.events, EVENTS):  # nothing stays of an earlier episode
        s.kind[q] = s.pa[q] = s.pb[q] = s.side[q] = 0
    for q in range(s.events):
        s.kind[q] = SWAP
        if uniform(s, 0.0, 1.0) < p.hops:
            s.kind[q] = MEET + below(s, 2)
        s.side[q] = 2 * below(s, 2) - 1
        if p.places == p.cups:
            _draw_pair(s, p, q)
    for q in range(s.events - 1, -1, -1):
        if p.places > p.cups:
            s.pa[q] = s.vacant
            s.pb[q] = place
            s.vacant = place
        place = _moved(s, q, place)
    s.first = place
    s.decoy = -1
    if p.hides > 0:
        s.decoy = below(s, p.cups - 1)
        if s.decoy >= place:
            s.decoy += 1


@device
def _moved(s, q, place):
    """Where what is at `place` before event q is after it, and the other way round."""
    if s.kind[q] != MEET and place == s.pa[q]:
        return s.pb[q]
    if s.kind[q] != MEET and place == s.pb[q]:
        return s.pa[q]
    return place


@device
def reset(s, p):
    """Draw an episode: the script, the places, which cup stands where, the blackout and the pose after it."""
    reset_stage(s, p)
    _script(s, p)
    cycle = REST + ROLL + HELD + ROLL
    s.covered = p.hides * cycle + REST + ROLL
    s.onset = s.covered + 2
    s.observe_steps = s.onset + s.events * (_pace(p) + 1)
    s.query = BALL
    s.n_discs = p.cups + 1
    size = 1.2 if p.split == 2 else 1.0
    shuffle(s, s.cup, p.cups)
    if s.vacant >= 0:
        for k in range(p.cups, s.vacant, -1):
            s.cup[k] = s.cup[k - 1]
        s.cup[s.vacant] = -1
    for k in range(p.places):
        a = 0.5 * math.pi + p.spacing * (0.5 * (p.places - 1) - k) + uniform(s, -1.0, 1.0) * p.jitter
        s.angle[k] = a
        s.far[k] = p.ring + uniform(s, -1.0, 1.0) * p.jitter
        j = s.cup[k]
        if j >= 0:
            s.disc_x[j] = s.far[k] * math.cos(a)
            s.disc_y[j] = s.far[k] * math.sin(a)
            s.disc_vx[j] = 0.0
            s.disc_vy[j] = 0.0
            s.disc_radius[j] = p.radius * size
            s.disc_colour[j] = CUP
            s.disc_cover[j] = 0
    ball = p.cups  # the last of the small things, so that of a cup and the ball under it the cup is what is touched
    s.disc_radius[ball] = 0.6 * p.radius * size
    s.disc_colour[ball] = BALL
    _ball(s, p)
    s.hidden = -1
    if p.screen != 0:
        _place_screen(s, p)
    return True


@device
def _place_screen(s, p):
    """Before a place that takes part in a drawn event, and so wide that it hides that place alone."""
    h = below(s, p.places)
    if s.events > 0:
        q = below(s, s.events)
        h = s.pb[q] if p.places > p.cups or below(s, 2) == 0 else s.pa[q]
    s.hidden = h
    dx = s.far[h] * math.cos(s.angle[h]) - s.agent_x
    dy = s.far[h] * math.sin(s.angle[h]) - s.agent_y
    d = math.sqrt(dx * dx + dy * dy)
    place_box(s, 0, 0, s.agent_x + SCREEN_AT * dx, s.agent_y + SCREEN_AT * dy, dx / d, dy / d, SCREEN_DEPTH, p.breadth)


@device
def _ball(s, p):
    """The ball at step s.t: it lies, rolls under a cup, is shown again as often as p.hides, and goes with its cup."""
    ball = p.cups
    if s.t > s.covered:
        j = s.disc_cover[ball] - 1
        s.disc_x[ball], s.disc_y[ball], s.disc_vx[ball], s.disc_vy[ball] = (
            s.disc_x[j],
            s.disc_y[j],
            s.disc_vx[j],
            s.disc_vy[j],
        )
        return
    cycle = REST + ROLL + HELD + ROLL
    place = s.decoy if s.t // cycle < p.hides else s.first
    w = s.t % cycle
    j = s.cup[place]
    s.disc_cover[ball] = j + 1 if REST + ROLL <= w < REST + ROLL + HELD else 0
    f = 0.0  # of the way from its spot to the cup
    v = 0.0
    if w >= REST + ROLL + HELD:
        f = (cycle - w) / ROLL
        v = -1.0
    elif w >= REST:
        f = min((w - REST) / ROLL, 1.0)
        v = 1.0 if f < 1.0 else 0.0
    dx = s.disc_x[j]
    dy = s.disc_y[j] - SPOT
    s.disc_x[ball] = f * dx
    s.disc_y[ball] = SPOT + f * dy
    s.disc_vx[ball] = v * dx / (ROLL * DT)
    s.disc_vy[ball] = v * dy / (ROLL * DT)


@device
def _path(s, p, q, i, k, side, u):
    """Where the cup that leaves place i for place k is, u steps into event q."""
    f = u / _pace(p)
    if s.kind[q] == SWAP:
        a = s.angle[i] + (s.angle[k] - s.angle[i]) * f
        r = s.far[i] + (s.far[k] - s.far[i]) * f + side * BULGE * math.sin(math.pi * f)
    else:  # to where both touch, and back
        g = min(1.0, 3.0 * min(f, 1.0 - f))
        away = s.disc_radius[0] / p.ring * (1.0 if s.angle[i] > s.angle[k] else -1.0)
        a = s.angle[i] + (0.5 * (s.angle[i] + s.angle[k]) + away - s.angle[i]) * g
        r = s.far[i] + 0.5 * (s.far[k] - s.far[i]) * g
    return r * math.cos(a), r * math.sin(a)


@device
def _shift(s, p, q, i, k, side, u):
    """Move the cup of place i, if any, to where it is u steps into event q; its velocity is what comes next."""
    j = s.cup[i]
    if j < 0:
        return
    s.disc_x[j] += s.disc_vx[j] * DT
    s.disc_y[j] += s.disc_vy[j] * DT
    s.disc_vx[j] = 0.0
    s.disc_vy[j] = 0.0
    if u < _pace(p):
        x, y = _path(s, p, q, i, k, side, u + 1)
        s.disc_vx[j] = (x - s.disc_x[j]) / DT
        s.disc_vy[j] = (y - s.disc_y[j]) / DT


@device
def _events(s, p):
    """The cups at step s.t."""
    e = s.t - s.onset
    pace = _pace(p)
    q = e // (pace + 1)
    u = e % (pace + 1)
    if e < 0 or q >= s.events:
        return
    i = s.pa[q]
    k = s.pb[q]
    _shift(s, p, q, i, k, float(s.side[q]), u)
    _shift(s, p, q, k, i, -float(s.side[q]), u)
    if s.kind[q] == SWAP and u == pace:
        s.cup[i], s.cup[k] = s.cup[k], s.cup[i]
    if s.kind[q] == TIP and u == (pace + 1) // 2:
        s.bump = 1
        if s.disc_cover[p.cups] == s.cup[i] + 1:
            s.disc_cover[p.cups] = s.cup[k] + 1
        elif s.disc_cover[p.cups] == s.cup[k] + 1:
            s.disc_cover[p.cups] = s.cup[i] + 1


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    s.t += 1
    s.bump = 0
    if s.phase == OBSERVE and s.t < s.observe_steps:
        _events(s, p)
        _ball(s, p)
        s.n_boxes = 1 if p.screen != 0 and s.t > s.covered else 0
    if not moves:
        next_phase(s, DAY)
        if s.phase != OBSERVE:
            s.n_boxes = 0  # what the screen hid is in the open again
        return 0.0, False, False
    drive(s, STRIDE * a[0], TURN * a[1])
    k = touching(s, s.agent_x, s.agent_y, REACH)
    touch(s, k)
    return outcome(s, info, 1.0 if k >= 0 and s.disc_cover[p.cups] == k + 1 else 0.0, k >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The rank by x, among the cups, of the one with the ball in the act phase."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on, then everything that is still to come."""
    write_lit_slots(s, p, o, s.query)
    at = o.shape[0] - 12 - 4 * EVENTS
    write_stage(s, p, o, at)
    o[at + 7] = s.observe_steps / CLOCK
    o[at + 8] = s.disc_cover[p.cups] != 0
    o[at + 9] = s.answer / PLACES
    o[at + 10] = s.first / PLACES
    o[at + 11] = s.decoy / PLACES
    at += 12
    for q in range(s.events):
        o[at] = s.kind[q]
        o[at + 1] = s.pa[q] / PLACES
        o[at + 2] = s.pb[q] / PLACES
        o[at + 3] = s.side[q]
        at += 4
