"""The rules of Rex: what is drawn at a reset, and what a step does. Metres, seconds, radians.

Dogs are discs that follow a script, which is drawn at the reset: they stand round the mat, run out through a gap and round
to the spot behind a piece of furniture, and then pairs of neighbours may meet.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import may_act, next_phase, out_of_time, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import DUSK, OBSERVE, drive, place_box, planar, swap_colours, touch

TALL, SMALL, MEETINGS = 6, 6, 4  # boxes, discs and meetings, at most
COUCH, ARMCHAIR = 0, 1  # kinds of furniture

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.5  # m from the spot behind a piece within which the agent looks behind it
BACK = 0.65  # m from a piece's centre to the spot behind it
START = 0.65  # m from the mat to where dogs stand at first
NEAR = 0.85  # m from the agent within which all of them then stand
GIVE_WAY = 0.19  # m by which each of two dogs that meet gives way
REST = 2  # steps for which all dogs stand still at first
GAP = 1  # steps from one dog's start to the next
FEINT = 0.42  # part of the way to the next piece after which dogs turn back in a feint
SHORTEST_MEETING = 4  # steps: fewer frames would not show who is who
FIXED, FIRST, LATE = 0, 1, 2  # when the question is known
COLLAR, FURNITURE, BOTH = 0, 1, 2  # what is asked for

STATE = planar(
    TALL, SMALL,
    ("answer", INT), ("asks_furniture", INT), ("wanted", INT),  # the right piece; 1: its kind is asked for; the query
    ("angle", FLOAT, (TALL,)), ("behind", INT, (TALL,)),  # of each piece, and the dog that ends behind it, or -1
    # The script: steps of a run to the dogs' ring, of one round to a spot, and of a meeting; when meetings begin.
    ("run_steps", INT), ("round_steps", INT), ("meeting_steps", INT), ("first_meeting", INT), ("n_meetings", INT),
    # Of each dog: its piece before the meetings, on which side of it its gap is, its first step, its distance at first.
    ("home", INT, (TALL,)), ("side", INT, (SMALL,)), ("launch", INT, (SMALL,)), ("start", FLOAT, (SMALL,)),
    # Of each meeting: the piece before its gap, the dogs of the pieces before and after it, whether they pass.
    ("gap", INT, (MEETINGS,)), ("lower", INT, (MEETINGS,)), ("upper", INT, (MEETINGS,)),
    ("passes", INT, (MEETINGS,)),
)  # fmt: skip
STILL_TO_COME = 8 + 4 * SMALL + 3 * MEETINGS  # numbers that `state` adds behind a lit slots row


@device
def spot_behind(s, k):
    """The spot behind piece k."""
    return s.box_x[k] + BACK * s.box_cos[k], s.box_y[k] + BACK * s.box_sin[k]


@device
def _arc(s, k):
    """The angle from piece k to the next one, counter-clockwise."""
    if k == s.n_boxes - 1:
        return s.angle[0] + 2.0 * math.pi - s.angle[k]
    return s.angle[k + 1] - s.angle[k]


@device
def _scripted_place(s, p, j, t):
    """Where dog j is at step t.

    It runs out through its gap to the dogs' ring, then round on it to its spot. In a meeting, two neighbours run towards
    each other on the ring and give way to their right, then pass or turn back.
    """
    ring = p.ring + BACK
    before = (s.home[j] + s.n_boxes - 1) % s.n_boxes
    half = 0.5 * (_arc(s, s.home[j]) if s.side[j] > 0 else -_arc(s, before))
    u = min(max(t - s.launch[j], 0), s.run_steps + s.round_steps)
    d = s.start[j] + (ring - s.start[j]) * min(u / s.run_steps, 1.0)
    a = s.angle[s.home[j]] + half * (1.0 - max(u - s.run_steps, 0) / s.round_steps)
    for m in range(s.n_meetings):
        w = (t - s.first_meeting - m * s.meeting_steps) / s.meeting_steps
        if w <= 0.0:
            break
        way = (1.0 if s.lower[m] == j else 0.0) - (1.0 if s.upper[m] == j else 0.0)
        if way != 0.0:
            w = min(w, 1.0)
            f = w if s.passes[m] != 0 else 2.0 * FEINT * min(w, 1.0 - w)
            a += way * f * _arc(s, s.gap[m])
            d += way * GIVE_WAY * math.sin(math.pi * f)
    return d * math.cos(a), d * math.sin(a)


@device
def _set_velocities(s, p):
    """Give every dog the velocity that takes it to its place of the next step."""
    for j in range(s.n_discs):
        x, y = _scripted_place(s, p, j, s.t + 1)
        dx = x - s.disc_x[j]
        dy = y - s.disc_y[j]
        moves = abs(dx) + abs(dy) > 1e-9
        s.disc_vx[j] = dx / DT if moves else 0.0
        s.disc_vy[j] = dy / DT if moves else 0.0


@device
def _place_furniture(s, p):
    """Place a ring of pieces of equal size, one of another kind than the others. Returns the query for the odd kind."""
    s.n_boxes = p.pieces
    odd = below(s, 2)
    single = s.answer if s.asks_furniture != 0 else below(s, p.pieces)
    for k in range(p.pieces):
        s.angle[k] = 0.5 * math.pi + 2.0 * math.pi * k / p.pieces + uniform(s, -1.0, 1.0) * p.jitter
        cos = math.cos(s.angle[k])
        sin = math.sin(s.angle[k])
        place_box(s, k, odd if k == single else 1 - odd, p.ring * cos, p.ring * sin, cos, sin, p.depth, p.breadth)
    return p.colours + odd


@device
def _draw_gaps(s, p):
    """Give every dog a gap of its own beside its piece, on a random side where that is possible.

    Going round from a vacant piece, a gap can be taken already only by the dog of the piece before it.
    """
    way = 1 if below(s, 2) == 0 else -1
    taken = False
    for i in range(1, p.pieces):
        j = s.behind[(s.home[p.pieces - 1] + way * i + p.pieces) % p.pieces]
        if j < 0:
            taken = False
            continue
        taken = taken or below(s, 2) == 0
        s.side[j] = way if taken else -way


@device
def _draw_meeting(s, p, m):
    """Draw meeting m: which neighbours run towards each other, and whether they pass, which exchanges their pieces."""
    pairs = 0
    for k in range(p.pieces):
        pairs += s.behind[k] >= 0 and s.behind[(k + 1) % p.pieces] >= 0
    pick = below(s, pairs)
    for k in range(p.pieces):
        after = (k + 1) % p.pieces
        if s.behind[k] >= 0 and s.behind[after] >= 0:
            if pick == 0:
                s.gap[m] = k
                s.lower[m] = s.behind[k]
                s.upper[m] = s.behind[after]
                s.passes[m] = 1 if p.feints == 0 else below(s, 2)
                if s.passes[m] != 0:
                    s.behind[k], s.behind[after] = s.behind[after], s.behind[k]
                return
            pick -= 1


@device
def reset(s, p):
    """Draw an episode: the question and its answer, furniture, collars, runs, meetings, and the pose afterwards."""
    shift = p.split == 2
    if s.tries == 1:
        # Drawn once for all tries, so that rejecting a draw does not bias the answers.
        s.answer = below(s, p.pieces)
        s.asks_furniture = below(s, 2) if p.request == BOTH else p.request
    reset_stage(s, p)
    s.colour_range = p.near
    s.kinds_hidden = 1
    kind = _place_furniture(s, p)
    fewer = shift and 2 * (p.dogs - 1) > p.pieces
    s.n_discs = p.dogs - (1 if fewer else 0)
    faster = 1 if shift else 0
    s.run_steps = max(p.run_steps - faster, 1)
    s.round_steps = max(p.round_steps - faster, 1)
    s.meeting_steps = max(p.meeting_steps - 2 * faster, SHORTEST_MEETING)
    s.n_meetings = p.crossings_low + below(s, p.crossings_high - p.crossings_low + 1)
    shuffle(s, s.disc_colour, p.dogs)
    shuffle(s, s.launch, s.n_discs)
    shuffle(s, s.home, p.pieces)
    for k in range(p.pieces):
        s.behind[k] = -1
    for j in range(s.n_discs):
        s.disc_radius[j] = p.radius * (1.2 if shift else 1.0)
        s.disc_cover[j] = 0
        s.start[j] = START + uniform(s, -0.05, 0.05)
        s.launch[j] = REST + GAP * s.launch[j]
        s.behind[s.home[j]] = j
    _draw_gaps(s, p)
    s.first_meeting = REST + GAP * (s.n_discs - 1) + s.run_steps + s.round_steps
    s.observe_steps = s.first_meeting + s.n_meetings * s.meeting_steps + 1
    for m in range(MEETINGS):
        s.gap[m], s.lower[m], s.upper[m], s.passes[m] = -1, -1, -1, 0
        if m < s.n_meetings:
            _draw_meeting(s, p, m)
    target = s.behind[s.answer]
    if s.asks_furniture != 0:
        s.wanted = kind
    elif target < 0:
        return False
    else:
        if p.query == FIXED:  # Rex wears red, and under shift any other colour
            swap_colours(s, p.dogs, target, shift)
        s.wanted = s.disc_colour[target]
    for j in range(s.n_discs):
        s.disc_x[j], s.disc_y[j] = _scripted_place(s, p, j, 0)
    _set_velocities(s, p)
    set_query(s, s.wanted, p.query == LATE)
    return True


@device
def _looked_behind(s):
    """The piece whose spot is within REACH of the agent with nothing between, -1 for none."""
    for k in range(s.n_boxes):
        x, y = spot_behind(s, k)
        if (x - s.agent_x) ** 2 + (y - s.agent_y) ** 2 < REACH * REACH and path_clear(s, s.agent_x, s.agent_y, x, y):
            return k
    return -1


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    if s.phase == OBSERVE:
        for j in range(s.n_discs):
            s.disc_x[j] += DT * s.disc_vx[j]
            s.disc_y[j] += DT * s.disc_vy[j]
        _set_velocities(s, p)
    if next_phase(s, DUSK):
        set_query(s, s.wanted, p.query == LATE)
    if not moves:
        return 0.0, False, False
    place = _looked_behind(s)
    if place >= 0:
        touch(s, s.behind[place])
        if p.queries > p.colours and (s.touched < 0 or s.asks_furniture != 0):
            s.contact = p.colours + s.box_kind[place]
    return outcome(s, info, 1.0 if place == s.answer else 0.0, place >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The piece of furniture to look behind."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question asked, then everything that is still to come."""
    write_lit_slots(s, p, o, s.wanted)
    at = o.shape[0] - STILL_TO_COME
    write_stage(s, p, o, at)
    o[at + 7] = s.answer / TALL
    at += 8
    for j in range(s.n_discs):
        q = at + 4 * s.disc_colour[j]
        o[q] = max(s.launch[j] - s.t, 0) / 16.0
        o[q + 1] = s.start[j]
        o[q + 2] = s.home[j] / TALL
        o[q + 3] = s.side[j]
    at += 4 * SMALL
    for m in range(s.n_meetings):
        o[at + 3 * m] = (s.disc_colour[s.lower[m]] + 1.0) / SMALL
        o[at + 3 * m + 1] = (s.disc_colour[s.upper[m]] + 1.0) / SMALL
        o[at + 3 * m + 2] = s.passes[m]
