"""The rules of Rex: state, reset and step. Metres, seconds, radians.

Dogs are discs that follow a script drawn at the reset: they stand round the mat, run through a gap and round to the spot
behind a piece of furniture, and then pairs of neighbours may meet.
"""

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.rex.draw import draw_gaps, draw_meetings, place_furniture
from unseen.envs.permanence.rex.motion import scripted_place, set_velocities, spot_behind
from unseen.envs.planar.free import ASKED
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import (
    FIXED,
    LATE,
    may_act,
    next_phase,
    out_of_time,
    outcome,
    reset_stage,
    set_query,
    write_stage,
)
from unseen.envs.planar.world import DT, DUSK, OBSERVE, STRIDE, TURN, drive, planar, swap_colours, touch

MAX_PIECES, MAX_DOGS, MAX_ROUNDS = 6, 6, 6  # boxes, discs and rounds of meetings
MAX_MEETINGS = MAX_ROUNDS * MAX_PIECES // 2
COUCH, ARMCHAIR = 0, 1  # kinds of furniture

REACH = 0.5  # m from the spot behind a piece at which the agent looks behind it
START = 0.65  # initial distance of dogs from the mat, m
NEAR = 0.85  # maximum initial distance of dogs from the agent, m
REST = 2  # steps for which all dogs stand still at first
GAP = 1  # steps between the starts of two dogs
SHORTEST_MEETING = 4  # steps: with fewer, dogs could not be tracked
COLLAR, FURNITURE, BOTH = 0, 1, 2  # `request`: the kind of query

STATE = planar(
    MAX_PIECES, MAX_DOGS,
    ("answer", INT), ("asks_furniture", INT), ("wanted", INT),  # the right piece; 1 if the query is a kind of furniture; the query
    ("angle", FLOAT, (MAX_PIECES,)), ("behind", INT, (MAX_PIECES,)),  # of each piece: its angle, and the dog that ends behind it (-1: none)
    # The script: steps of a run to the dogs' ring, of a run along it, and of a meeting; first step of meetings; their number.
    ("run_steps", INT), ("round_steps", INT), ("meeting_steps", INT), ("first_meeting", INT), ("n_meetings", INT),
    # Of each dog: its piece before the meetings, the side of its gap, its first step, its initial distance from the mat.
    ("home", INT, (MAX_PIECES,)), ("side", INT, (MAX_DOGS,)), ("launch", INT, (MAX_DOGS,)), ("start", FLOAT, (MAX_DOGS,)),
    # Of each meeting: the piece before its gap, the dogs of the pieces before and after it (-1: none), whether they pass.
    ("gap", INT, (MAX_MEETINGS,)), ("lower", INT, (MAX_MEETINGS,)), ("upper", INT, (MAX_MEETINGS,)),
    ("passes", INT, (MAX_MEETINGS,)),
)  # fmt: skip
STATE_DOGS = 8 + 4 * MAX_DOGS  # values that `state` has after a lit slots row; 3 per meeting follow
STATE_EXTRA = STATE_DOGS + 3 * MAX_MEETINGS


@device
def reset(s, p):
    """Draw an episode: query and answer, furniture, collars, runs, meetings, and the pose after the blackout."""
    shift = p.split == SHIFT
    if s.tries == 1:
        # Drawn once for all tries, so that rejections do not bias the answer.
        s.answer = below(s, p.pieces)
        s.asks_furniture = below(s, 2) if p.request == BOTH else p.request
    reset_stage(s, p)
    s.colour_range = p.near
    s.kinds_hidden = 1
    kind = place_furniture(s, p)
    fewer = (
        shift and p.dogs > 3 and 2 * (p.dogs - 1) > p.pieces
    )  # of two dogs, a guess would find the right one too often
    s.n_discs = p.dogs - (1 if fewer else 0)
    faster = 1 if shift else 0
    s.run_steps = max(p.run_steps - faster, 1)
    s.round_steps = max(p.round_steps - faster, 1)
    s.meeting_steps = max(p.meeting_steps - 2 * faster, SHORTEST_MEETING)
    rounds = p.crossings_low + below(s, p.crossings_high - p.crossings_low + 1)
    s.n_meetings = rounds * p.pairs
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
    draw_gaps(s, p)
    s.first_meeting = REST + GAP * (s.n_discs - 1) + s.run_steps + s.round_steps
    s.observe_steps = s.first_meeting + rounds * s.meeting_steps + 1
    draw_meetings(s, p)
    target = s.behind[s.answer]
    if s.asks_furniture != 0:
        s.wanted = kind
    elif target < 0:
        return False
    else:
        if p.query == FIXED:  # Rex wears red, or under shift any other colour
            swap_colours(s, p.dogs, target, shift)
        s.wanted = s.disc_colour[target]
    for j in range(s.n_discs):
        s.disc_x[j], s.disc_y[j] = scripted_place(s, p, j, 0)
    set_velocities(s, p)
    set_query(s, s.wanted, p.query == LATE)
    return True


@device
def _looked_behind(s):
    """The piece whose spot is within REACH of the agent with nothing solid in between; -1 for none."""
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
        set_velocities(s, p)
    if next_phase(s, DUSK):
        set_query(s, s.wanted, p.query == LATE)
    if not moves:
        return 0.0, False, False
    place = _looked_behind(s)
    touch(s, s.behind[place] if place >= 0 else -1)
    if place >= 0 and p.queries > p.colours and (s.touched < 0 or (s.asks_furniture != 0 and p.free == ASKED)):
        s.contact = p.colours + s.box_kind[place]
    return outcome(s, p, info, 1.0 if place == s.answer else 0.0, place >= 0, out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The piece of furniture to look behind."""
    out[0] = s.answer


@device
def change_hidden(s, p):
    """Exchange what is behind the right piece, or its kind if furniture is asked for, with that of the next piece."""
    old = s.answer
    new = (old + 1) % p.pieces
    if s.asks_furniture != 0:
        s.box_kind[old], s.box_kind[new] = s.box_kind[new], s.box_kind[old]
    else:
        s.behind[old], s.behind[new] = s.behind[new], s.behind[old]
        for k in (old, new):
            if s.behind[k] >= 0:
                s.disc_x[s.behind[k]], s.disc_y[s.behind[k]] = spot_behind(s, k)
    s.answer = new
    return True


@device
def found(s, p):
    """Whether the agent has looked behind a piece."""
    return _looked_behind(s) >= 0


@device
def write_state(s, p, o):
    """Write lit slots with the query, then phases, the answer, and the script of dogs and meetings."""
    write_script(s, p, o, MAX_MEETINGS)


@device
def write_script(s, p, o, meetings):
    """As `write_state`, with room for the given number of meetings."""
    write_lit_slots(s, p, o, s.wanted)
    at = o.shape[0] - STATE_DOGS - 3 * meetings
    write_stage(s, p, o, at)
    o[at + 7] = s.answer / MAX_PIECES
    at += 8
    for j in range(s.n_discs):
        q = at + 4 * s.disc_colour[j]
        o[q] = max(s.launch[j] - s.t, 0) / 16.0
        o[q + 1] = s.start[j]
        o[q + 2] = s.home[j] / MAX_PIECES
        o[q + 3] = s.side[j]
    at += 4 * MAX_DOGS
    for m in range(s.n_meetings):
        if s.lower[m] >= 0:
            o[at + 3 * m] = (s.disc_colour[s.lower[m]] + 1.0) / MAX_DOGS
        if s.upper[m] >= 0:
            o[at + 3 * m + 1] = (s.disc_colour[s.upper[m]] + 1.0) / MAX_DOGS
        o[at + 3 * m + 2] = s.passes[m]
