"""The rules of Rex: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import (
    may_act,
    next_phase,
    out_of_time,
    outcome,
    reset_stage,
    set_query,
    write_stage,
)
from unseen.envs.planar.world import (
    DUSK,
    OBSERVE,
    drive,
    place_box,
    planar,
    swap_colours,
    touch,
)

TALL, SMALL, MEETINGS = 6, 6, 4
COUCH, ARMCHAIR = 0, 1
DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.5  # m from the spot behind a piece of furniture at which the agent looks behind it
BACK = 0.65  # m from a piece's centre to the spot behind it
START = 0.65  # m from the mat at which dogs are introduced
NEAR = 0.85  # m within which all of them then stand
LANE = 0.19  # m by which each of two dogs that meet gives way
REST = 2  # steps for which all dogs stand still at first
GAP = 1  # steps from one dog's run to the next
FEINT = 0.42  # of the way to the next piece after which dogs turn that do not pass each other
COLLAR, FURNITURE, BOTH = 0, 1, 2
FIXED, FIRST, LATE = 0, 1, 2

STATE = planar(
    TALL, SMALL,
    ("answer", INT), ("furniture", INT), ("wanted", INT), ("angle", FLOAT, (TALL,)),
    # The script: steps of its legs, gap and piece of every dog, meetings; and who is behind each piece at last.
    ("out", INT), ("along", INT), ("meet", INT), ("first", INT), ("meetings", INT), ("lane", FLOAT),
    ("homes", INT, (TALL,)), ("inside", INT, (TALL,)),
    ("base", INT, (SMALL,)), ("side", INT, (SMALL,)), ("launch", INT, (SMALL,)), ("start", FLOAT, (SMALL,)),
    ("gap", INT, (MEETINGS,)), ("lower", INT, (MEETINGS,)), ("upper", INT, (MEETINGS,)),
    ("passes", INT, (MEETINGS,)),
)  # fmt: skip
STILL_TO_COME = 8 + 4 * SMALL + 3 * MEETINGS


@device
def _spot(s, k):
    """The spot behind piece k."""
    return s.box_x[k] + BACK * s.box_cos[k], s.box_y[k] + BACK * s.box_sin[k]


@device
def _arc(s, k):
    """The angle from piece k to the next one round."""
    if k == s.n_boxes - 1:
        return s.angle[0] + 2.0 * math.pi - s.angle[k]
    return s.angle[k + 1] - s.angle[k]


@device
def _where(s, j, t):
    """Where the script has dog j at step t: it runs out through a gap, then round to its piece; later, when two
    meet in the gap between their pieces, each giving way to its right, they pass or turn back."""
    left = (s.base[j] + s.n_boxes - 1) % s.n_boxes
    half = 0.5 * (_arc(s, s.base[j]) if s.side[j] > 0 else -_arc(s, left))
    u = min(max(t - s.launch[j], 0), s.out + s.along)
    d = s.start[j] + (s.lane - s.start[j]) * min(u / s.out, 1.0)
    a = s.angle[s.base[j]] + half * (1.0 - max(u - s.out, 0) / s.along)
    for m in range(s.meetings):
        w = (t - s.first - m * s.meet) / s.meet
        if w <= 0.0:
            break
        way = (1.0 if s.lower[m] == j else 0.0) - (1.0 if s.upper[m] == j else 0.0)
        if way != 0.0:
            w = min(w, 1.0)
            f = w if s.passes[m] != 0 else 2.0 * FEINT * min(w, 1.0 - w)
            a += way * f * _arc(s, s.gap[m])
            d += way * LANE * math.sin(math.pi * f)
    return d * math.cos(a), d * math.sin(a)


@device
def _set_off(s):
    """Give every dog the velocity of the step to come."""
    for j in range(s.n_discs):
        x, y = _where(s, j, s.t + 1)
        dx = x - s.disc_x[j]
        dy = y - s.disc_y[j]
        moves = abs(dx) + abs(dy) > 1e-9
        s.disc_vx[j] = dx / DT if moves else 0.0
        s.disc_vy[j] = dy / DT if moves else 0.0


@device
def _place_furniture(s, p):
    """A ring of pieces of equal size, one of them of another kind than all others."""
    s.n_boxes = p.pieces
    odd = below(s, 2)
    single = s.answer if s.furniture != 0 else below(s, p.pieces)
    for k in range(p.pieces):
        s.angle[k] = 0.5 * math.pi + 2.0 * math.pi * k / p.pieces + uniform(s, -1.0, 1.0) * p.jitter
        c = math.cos(s.angle[k])
        n = math.sin(s.angle[k])
        place_box(s, k, odd if k == single else 1 - odd, p.ring * c, p.ring * n, c, n, p.depth, p.breadth)
    return p.colours + odd


@device
def _choose_gaps(s, p):
    """Give every dog a gap of its own beside its piece, on either side. Pieces are gone round from a vacant one on,
    so that the gap before the next one is taken only by the dog of the piece before."""
    way = 1 if below(s, 2) == 0 else -1
    taken = False
    for i in range(1, p.pieces):
        j = s.inside[(s.homes[p.pieces - 1] + way * i + p.pieces) % p.pieces]
        if j < 0:
            taken = False
            continue
        taken = taken or below(s, 2) == 0
        s.side[j] = way if taken else -way


@device
def _meet(s, m, p):
    """Draw meeting m: dogs behind neighbouring pieces run out towards each other and pass, or turn back."""
    pairs = 0
    for k in range(p.pieces):
        pairs += s.inside[k] >= 0 and s.inside[(k + 1) % p.pieces] >= 0
    pick = below(s, pairs)
    for k in range(p.pieces):
        n = (k + 1) % p.pieces
        if s.inside[k] >= 0 and s.inside[n] >= 0:
            if pick == 0:
                s.gap[m] = k
                s.lower[m] = s.inside[k]
                s.upper[m] = s.inside[n]
                s.passes[m] = 1 if p.feints == 0 else below(s, 2)
                if s.passes[m] != 0:
                    s.inside[k], s.inside[n] = s.inside[n], s.inside[k]
                return
            pick -= 1


@device
def reset(s, p):
    """Draw an episode: the request and its answer, furniture, collars, runs, meetings, and the pose afterwards."""
    shift = p.split == 2
    if s.tries == 1:
        # Drawn once for all tries: what is rejected must not tilt the answers.
        s.answer = below(s, p.pieces)
        s.furniture = below(s, 2) if p.request == BOTH else p.request
    reset_stage(s, p)
    s.colour_range = p.near
    s.kinds_hidden = 1
    kind = _place_furniture(s, p)
    fewer = shift and 2 * (p.dogs - 1) > p.pieces
    s.n_discs = p.dogs - (1 if fewer else 0)
    faster = 1 if shift else 0
    s.out = max(p.out - faster, 1)
    s.along = max(p.along - faster, 1)
    s.meet = max(p.meet - 2 * faster, 4)  # fewer frames of a meeting would not tell who is who
    s.lane = p.ring + BACK
    s.meetings = p.crossings_low + below(s, p.crossings_high - p.crossings_low + 1)
    shuffle(s, s.disc_colour, p.dogs)
    shuffle(s, s.launch, s.n_discs)
    shuffle(s, s.homes, p.pieces)
    for k in range(p.pieces):
        s.inside[k] = -1
    for j in range(s.n_discs):
        s.disc_radius[j] = p.radius * (1.2 if shift else 1.0)
        s.disc_cover[j] = 0
        s.start[j] = START + uniform(s, -0.05, 0.05)
        s.launch[j] = REST + GAP * s.launch[j]
        s.base[j] = s.homes[j]
        s.inside[s.base[j]] = j
    _choose_gaps(s, p)
    s.first = REST + GAP * (s.n_discs - 1) + s.out + s.along
    s.observe_steps = s.first + s.meetings * s.meet + 1
    for m in range(MEETINGS):
        s.gap[m], s.lower[m], s.upper[m], s.passes[m] = -1, -1, -1, 0
        if m < s.meetings:
            _meet(s, m, p)
    target = s.inside[s.answer]
    if s.furniture != 0:
        s.wanted = kind
    elif target < 0:
        return False
    else:
        if p.query == FIXED:  # Rex wears red, and in the shift another colour
            swap_colours(s, p.dogs, target, shift)
        s.wanted = s.disc_colour[target]
    for j in range(s.n_discs):
        s.disc_x[j], s.disc_y[j] = _where(s, j, 0)
    _set_off(s)
    set_query(s, s.wanted, p.query == LATE)
    return True


@device
def _looked_behind(s):
    """The piece behind which the agent looks: whose spot is within REACH, with nothing between; -1 for none."""
    for k in range(s.n_boxes):
        x, y = _spot(s, k)
        if (x - s.agent_x) ** 2 + (y - s.agent_y) ** 2 < REACH * REACH and path_clear(s, s.agent_x, s.agent_y, x, y):
            return k
    return -1


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    s.t += 1
    if s.phase == OBSERVE:
        for j in range(s.n_discs):
            s.disc_x[j] += DT * s.disc_vx[j]
            s.disc_y[j] += DT * s.disc_vy[j]
        _set_off(s)
    if next_phase(s, DUSK):
        set_query(s, s.wanted, p.query == LATE)
    if not moves:
        return 0.0, False, False
    place = _looked_behind(s)
    if place >= 0:
        touch(s, s.inside[place])
        if p.queries > p.colours and (s.touched < 0 or s.furniture != 0):
            s.contact = p.colours + s.box_kind[place]
    return outcome(s, info, 1.0 if place == s.answer else 0.0, place >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The piece of furniture to look behind."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then everything that is still to come."""
    write_lit_slots(s, p, o, s.wanted)
    at = o.shape[0] - 8 - 4 * SMALL - 3 * MEETINGS
    write_stage(s, p, o, at)
    o[at + 7] = s.answer / TALL
    at += 8
    for j in range(s.n_discs):
        q = at + 4 * s.disc_colour[j]
        o[q] = max(s.launch[j] - s.t, 0) / 16.0
        o[q + 1] = s.start[j]
        o[q + 2] = s.base[j] / TALL
        o[q + 3] = s.side[j]
    at += 4 * SMALL
    for m in range(s.meetings):
        o[at + 3 * m] = (s.disc_colour[s.lower[m]] + 1.0) / SMALL
        o[at + 3 * m + 1] = (s.disc_colour[s.upper[m]] + 1.0) / SMALL
        o[at + 3 * m + 2] = s.passes[m]
