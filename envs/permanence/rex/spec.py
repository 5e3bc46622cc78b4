"""Rex: remember which dog wears which collar, where each has gone, and which grey shape is the couch."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.planar.belief import disc_motion, update_belief
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.sensors import disc_start, write_lit_slots
from unseen.envs.planar.stage import may_act, next_phase, out_of_time, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import ACT, DUSK, FLOAT, INT, OBSERVE, drive, place_box, planar, swap_colours, touch

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
def begin(s, p):
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
def step(s, a, p):
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
    return outcome(s, 1.0 if place == s.answer else 0.0, place >= 0 or out_of_time(s, p))


@device
def answer(s):
    """The piece of furniture to look behind."""
    return s.answer


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


@device
def _go_behind(s, p, place):
    """The arc that best begins a way to the spot behind a piece, without a look behind another: for the time of the
    planning, the spots are the small things."""
    n = s.n_discs
    for k in range(TALL):
        s.kx[k] = s.disc_x[k]
        s.ky[k] = s.disc_y[k]
        if k < s.n_boxes:
            s.disc_x[k], s.disc_y[k] = _spot(s, k)
    s.n_discs = s.n_boxes
    arc = steer_to_disc(s, place, s.disc_x[place], s.disc_y[place], REACH, STRIDE, TURN)
    s.n_discs = n
    for k in range(TALL):
        s.disc_x[k] = s.kx[k]
        s.disc_y[k] = s.ky[k]
    return arc


@device
def _nearest_spot(s, x, y):
    best = 1e30
    near = 0
    for k in range(s.n_boxes):
        u, v = _spot(s, k)
        d = (u - x) ** 2 + (v - y) ** 2
        if d < best:
            best = d
            near = k
    return near


@device
def oracle(s, p):
    """Knows the answer; stays put until it may move."""
    if s.phase != ACT:
        return 3
    return _go_behind(s, p, s.answer)


@device
def _follow(o, m, p):
    """Keep one track for each dog, by continuity of place and velocity, and the collar that it once showed.

    m.gx, m.gy: where the dog is believed to be; m.ux, m.uy: its velocity; m.collar: colour + 1, or 0.
    """
    width = 5 + p.colours
    fresh = m.tracks == 0
    if fresh:  # all dogs stand near and show
        for k in range(p.disc_slots):
            m.tracks += o[disc_start(p) + width * k] > 0.5
    for i in range(m.tracks):
        m.gx[i] += DT * m.ux[i]
        m.gy[i] += DT * m.uy[i]
        m.mark[i] = 0
    for k in range(p.disc_slots):
        m.slot[k] = 0
    for _ in range(m.tracks):  # the pair of a slot and a track that agree best, then the next best
        best = 1e30
        track = -1
        slot = -1
        for k in range(p.disc_slots):
            if o[disc_start(p) + width * k] < 0.5 or m.slot[k] != 0:
                continue
            x, y, u, v = disc_motion(o, m, p, disc_start(p) + width * k)
            for i in range(m.tracks):
                if m.mark[i] != 0:
                    continue
                d = 0.0 if fresh else (x - m.gx[i]) ** 2 + (y - m.gy[i]) ** 2
                if m.ux[i] == 0.0 and m.uy[i] == 0.0:  # who comes out was, a step ago, where its velocity points back
                    d = min(d, (x - DT * u - m.gx[i]) ** 2 + (y - DT * v - m.gy[i]) ** 2)
                if d < best:
                    best = d
                    track = i
                    slot = k
        if track < 0:
            break
        m.mark[track] = 1
        m.slot[slot] = 1
        q = disc_start(p) + width * slot
        m.gx[track], m.gy[track], m.ux[track], m.uy[track] = disc_motion(o, m, p, q)
        for c in range(p.colours):
            if o[q + 5 + c] > 0.5:
                m.collar[track] = c + 1
    for i in range(m.tracks):
        if m.mark[i] == 0 and (m.ux[i] != 0.0 or m.uy[i] != 0.0):  # it has just gone behind something
            m.gx[i], m.gy[i] = _spot(m, _nearest_spot(m, m.gx[i], m.gy[i]))
            m.ux[i] = 0.0
            m.uy[i] = 0.0


@device
def tracker(o, m, p):
    """Follows every dog from slots alone, binds collars to them while these show, and remembers the furniture."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    for j in range(m.n_discs):  # what dogs do is followed here, not by physics
        m.disc_vx[j] = 0.0
        m.disc_vy[j] = 0.0
    if m.phase == OBSERVE:
        _follow(o, m, p)
    if m.phase != ACT or m.query < 0:
        return 3
    place = 0
    if m.query < p.colours:
        for i in range(m.tracks):
            if m.collar[i] == m.query + 1:
                place = _nearest_spot(m, m.gx[i], m.gy[i])
    else:
        for k in range(m.n_boxes):
            if m.box_kind[k] == m.query - p.colours:
                place = k
    return _go_behind(m, p, place)


@device
def reflex(o, m, p):
    """The best that one observation allows: go behind what shows to be right, else behind the nearest piece."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    if m.phase != ACT or m.query < 0:
        return 3
    place = _nearest_spot(m, m.agent_x, m.agent_y)
    if m.query < p.colours:
        for j in range(m.n_discs):
            if m.disc_colour[j] == m.query and m.disc_x[j] < 100.0:
                place = _nearest_spot(m, m.disc_x[j], m.disc_y[j])
    else:
        at = 1e30
        for k in range(m.n_boxes):
            d = (m.box_x[k] - m.agent_x) ** 2 + (m.box_y[k] - m.agent_y) ** 2
            if m.box_kind[k] == m.query - p.colours and d < at:
                at = d
                place = k
    return _go_behind(m, p, place)


class Rex(PlanarTask):
    """Find the dog by its collar, and the couch by what it was before dusk.

    **Story.** The agent stands on a mat, ringed by furniture: one couch among armchairs, or one armchair among
    couches. Dogs stand close round it, where their coloured collars can be told. One after the other they run out
    through a gap and hide behind a piece of furniture each; collars do not show from there. Two neighbours may then
    run towards each other in the gap between their pieces, and there either pass or turn back: only their places and
    velocities from moment to moment tell which is which. A blackout falls for a random time; the agent is carried to
    another spot and heading; then it is dusk, in which dogs do not show and any furniture is a grey shape.

    **Request.** The collar of a dog, or (knob `request`) the kind of the odd piece of furniture. Either has one right
    piece of furniture: the one behind which that dog is, or the odd one. The agent has one look: the first piece it
    looks behind, that is, comes within 0.5 m of the spot 0.65 m behind its centre with nothing between, is its
    answer. So an empty place ends the search as a wrong dog does, and who remembers nothing is right once in as many
    times as there are pieces, however few the dogs.

    **Levels.** 0: glass furniture, daylight, collars told from anywhere: the visible twin. 1: "find Rex, who wears
    red": 2 dogs, 3 pieces, no meeting, each dog with a slot of its own (dogs can be told apart by build), blackout
    1-3. 2 (default): 3 anonymous dogs, 4 pieces, in half of the episodes a meeting of two dogs that pass, "find Rex",
    "the couch" or "the armchair", told from the start, blackout 3-6. 3: any collar or kind, asked only after the
    blackout; 5 dogs, 6 pieces in a jittered ring, three meetings of which half are feints, egocentric, blackout 15-25.

    What level 2 asks is set by what a recurrent network learns from 6,000 whole episodes that ask for a collar: it is
    right in .999 of others as it stands, and in .42 where the asked collar is drawn (`query="first"`).

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. What can be asked for, and held, are the colours and
    then couch and armchair (where furniture is never asked for: colours only, and kinds are not told). A dog's
    velocity is that of the step to come. The eye sees all round (knob `fov`). `held` tells at the end what was found:
    the collar, or, if furniture was asked for or no dog is there, the kind of furniture. When the episode ends the
    lights go on: the terminal observation shows everything.

    **Reward.** 1 if the piece looked behind is the right one, else 0.

    **End.** A look behind furniture, or `act` steps of search; both `terminated`.

    **Leaks closed.** The answer is drawn first and uniform. All pieces have one size, so that a grey shape tells
    nothing; exactly one is odd whatever is asked for, so that the room does not tell the request. No slot tells who a
    dog is where its collar cannot be told: they are filled round the room (level 2) or by distance (level 3). A
    blackout of random length with a scramble of pose and heading, at levels 2 and 3 so long that the last 4 and the
    last 16 observations of the act phase hold none from before it; dusk; all dogs are seen at rest before they run, and
    rest fully hidden when the blackout falls.

    **Shift.** Faster runs (each leg a step shorter), larger dogs (1.2 x), at level 3 one dog fewer, and where only
    the red collar is asked for, another one.
    """

    title = "find the dog by its collar, and the couch in the dusk"
    state = planar(
        TALL, SMALL,
        ("answer", INT), ("furniture", INT), ("wanted", INT), ("angle", FLOAT, (TALL,)),
        # The script: steps of its legs, gap and piece of every dog, meetings; and who is behind each piece at last.
        ("out", INT), ("along", INT), ("meet", INT), ("first", INT), ("meetings", INT), ("lane", FLOAT),
        ("homes", INT, (TALL,)), ("inside", INT, (TALL,)),
        ("base", INT, (SMALL,)), ("side", INT, (SMALL,)), ("launch", INT, (SMALL,)), ("start", FLOAT, (SMALL,)),
        ("gap", INT, (MEETINGS,)), ("lower", INT, (MEETINGS,)), ("upper", INT, (MEETINGS,)),
        ("passes", INT, (MEETINGS,)),
        ("kx", FLOAT, (TALL,)), ("ky", FLOAT, (TALL,)),
        # Of the tracker's memory.
        ("tracks", INT), ("gx", FLOAT, (SMALL,)), ("gy", FLOAT, (SMALL,)), ("ux", FLOAT, (SMALL,)),
        ("uy", FLOAT, (SMALL,)), ("collar", INT, (SMALL,)), ("mark", INT, (SMALL,)), ("slot", INT, (SMALL,)),
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = (
        PlanarTask.shared
        | PlanarTask.staged
        | {
            "pieces": Knob(4, 2, TALL, doc="pieces of furniture"),
            "dogs": Knob(3, 1, SMALL - 1, doc="dogs, fewer than pieces"),
            "crossings": Knob((0, 1), 0, MEETINGS, pair=True, doc="meetings of two dogs, out of collar range, drawn"),
            "feints": Knob(False, doc="half of the meetings end with both dogs turning back; else they always pass"),
            "request": Knob(
                "both", choices=("collar", "furniture", "both"), doc="what is asked for; both: half and half"
            ),
            "query": Knob(
                "first", choices=("fixed", "first", "late"), doc="of collars always red; asked first, or late"
            ),
            "pace": Knob(2.8, 1.0, 4.0, doc="of running dogs, m/s, or what comes near it in whole steps"),
            "near": Knob(0.9, 0.0, 3.0, doc="m within which a collar can be told; 0: from anywhere"),
            "jitter": Knob(0.0, 0.0, 0.15, doc="of the ring of furniture, rad"),
            "ring": Knob(1.1, 0.9, 1.6, doc="radius of the ring of furniture, m"),
            "breadth": Knob(0.34, 0.2, 0.45, doc="half width of a piece, m"),
            "depth": Knob(0.2, 0.1, 0.25, doc="half depth of a piece, m"),
            "radius": Knob(0.15, 0.1, 0.15, doc="of a dog, m"),
        }
    )
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(glass=True, near=0.0),
        1: dict(pieces=3, dogs=2, crossings=(0, 0), request="collar", query="fixed", order="index", ring=1.0,
                breadth=0.38, blackout=(1, 3), act=14),
        2: dict(order="told", query="fixed", blackout=(3, 6)),
        3: dict(pieces=6, dogs=5, crossings=(3, 3), feints=True, query="late", order="distance", frame="ego",
                jitter=0.06, ring=1.3, breadth=0.27, room=2.9, blackout=(15, 25), act=24),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crossings": ((0, 0), (1, 1), (2, 2), (3, 3)), "blackout": (0, 5, 10, 20, 40), "pieces": (4, 5),
    }  # fmt: skip
    look = Look(
        tall=("couch", "armchair"),
        small=("dog",),
        request="find the dog with the {} collar",
        request_tall="go to the {}, grey in the dusk",
        untold="whom or what to find is told after the blackout",
        captions={
            "observe": "Collars show from near. Then the dogs run and hide, and some may change places.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Dusk hides the dogs, and all furniture is grey. One look behind a piece is the answer.",
            "lit": "In full light: all that is in sight shows.",
            "over": "Lights on: now everything shows.",
        },
        won="found",
        lost="not here",
    )
    extra_state = 8 + 4 * SMALL + 3 * MEETINGS

    begin, step, answer, write_state = begin, step, answer, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        pieces, dogs, ring = values["pieces"], values["dogs"], values["ring"]
        if dogs >= pieces:
            raise BadParameter(f"dogs={dogs}: allowed is fewer than pieces={pieces}")
        if values["crossings"][1] and 2 * dogs <= pieces:
            raise BadParameter(
                f"crossings={values['crossings']}: needs two dogs behind neighbouring pieces, so more dogs than half "
                f"the pieces; dogs={dogs}, pieces={pieces}"
            )
        if 0.0 < values["near"] < NEAR:
            raise BadParameter(f"near={values['near']}: allowed is 0, or {NEAR} and more, else no collar ever shows")
        half = math.pi / pieces
        gap = (ring - values["depth"]) * math.sin(half) - values["breadth"] * math.cos(half) - ring * values["jitter"]
        if gap < 0.2:
            raise BadParameter(f"pieces={pieces} of breadth={values['breadth']} on ring={ring}: no way between them")
        if ring + BACK + LANE + 0.2 > values["room"]:
            raise BadParameter(f"ring={ring}: the dogs behind it do not fit into room={values['room']}")

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        lane = values["ring"] + BACK
        pace = DT * values["pace"]
        half = math.pi / values["pieces"] * lane / pace  # steps from a gap round to the spot beside it
        out, along, meet = math.ceil((lane - START) / pace - 0.1), math.ceil(half - 0.1), 2 * math.ceil(half - 0.1)
        watch = REST + GAP * (values["dogs"] - 1) + out + along + values["crossings"][1] * meet + 1
        return {"out": out, "along": along, "meet": meet, "observe_steps": watch}

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        dogs = values["dogs"]
        kinds = 0 if values["request"] == "collar" else 2
        return Sizes(colours=dogs, disc_slots=dogs, box_slots=values["pieces"], box_kinds=kinds, queries=dogs + kinds)

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        return int(cls.derived(values)["observe_steps"]) + values["blackout"][1] + values["act"]

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        return int(values["pieces"])
