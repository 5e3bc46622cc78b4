"""The rules of Bedroom: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.geometry import disc_box
from unseen.envs.planar.physics import roll
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
    AGENT_RADIUS,
    BLACKOUT,
    DAY,
    NIGHT,
    OBSERVE,
    drive,
    place_box,
    planar,
)

PLACES, LOOSE, SPOTS = 5, 4, 8  # at most: askable pieces, vases and crates, spots
TALL = PLACES + LOOSE
NAMES = ("bed", "door", "lamp", "table", "armchair", "vase", "crate")  # by kind; the first PLACES can be asked for
VASE, CRATE = 5, 6
KINDS = len(NAMES)
DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 2  # rad a step at full turn
ARC = 0.5  # part of it that an arc takes
TURN_ROUND, STAY = 3, 4
LINE = 0.3  # m from the wall to the line of the spots
REACH = 0.72  # m from a spot within which its place is reached: no piece, grown by the agent, sticks out of this ring
TOUCH = 0.05  # m within which a solid is touched
SPACE = 1.44  # m between spots, so that no two pieces overlap however far they are shifted
VASE_RING, CRATE_RING, CAT_RING = 0.4, 0.5, 0.45  # m, what scripted walkers keep out of
VASE_HALF, CRATE_HALF, CAT = 0.09, 0.17, 0.12  # m
CAT_REACH, PURR = 0.35, 1.0  # m, within which the cat is stepped on, and heard
CAT_SPEED = 0.4  # m/s
WANDER = 0.2  # of the bound on drift, the most that a step adds
VEER = 0.5  # rad of heading that drift for each metre of place
NARROW = 0.92  # half extent of the shifted room in y, of that in x
FIXED, FIRST, LATE = 0, 1, 2

ACTIONS = {
    "forward": (1.0, 0.0), "left": (1.0, ARC), "right": (1.0, -ARC), "turn": (0.0, 1.0), "stay": (0.0, 0.0),
}  # fmt: skip

STATE = planar(
    TALL, 1,
    ("target", INT), ("answer", INT), ("home", INT, (SPOTS,)),
    ("zx", FLOAT, (TALL + 1,)), ("zy", FLOAT, (TALL + 1,)), ("zr", FLOAT, (TALL + 1,)),  # see _rings
    signals=1,
)  # fmt: skip
STILL_TO_COME = 11


@device
def _half(kind):
    """Half depth and half breadth of a kind of piece, m: no corner lies further than REACH - AGENT_RADIUS from a spot."""
    if kind == 0:
        return 0.3, 0.4
    if kind == 1:
        return 0.05, 0.35
    if kind == 2:
        return 0.12, 0.12
    if kind == 3:
        return 0.22, 0.36
    return 0.26, 0.28


def spot(k, count, a, b, aside):
    """Spot k of `count`, evenly spaced on the rectangle |x| <= a, |y| <= b, then moved `aside` metres along its wall:
    x, y, and the unit vector into the room."""
    u = ((k + (0.5 if count == 8 else 0.0)) * 4.0 * (a + b) / count) % (4.0 * (a + b))
    if u < a or u >= 3.0 * a + 4.0 * b:
        x = u if u < a else u - 4.0 * (a + b)
        return min(max(x + aside, 0.12 - a), a - 0.12), b, 0.0, -1.0
    u -= a
    if u < 2.0 * b:
        return a, min(max(b - u - aside, 0.12 - b), b - 0.12), -1.0, 0.0
    u -= 2.0 * b
    if u < 2.0 * a:
        return min(max(a - u - aside, 0.12 - a), a - 0.12), -b, 0.0, 1.0
    u -= 2.0 * a
    return -a, min(max(u - b + aside, 0.12 - b), b - 0.12), 1.0, 0.0


_spot = device(spot)  # parameters are checked by the plain one


@device
def _rings(s, p, ask):
    """Fill the rings round what stands in the room s, true or believed: round the spots of places, which is where
    these are reached, round vases and crates, and last round the cat. The index of what is asked for, or -1."""
    asked = -1
    for k in range(s.n_boxes):
        kind = s.box_kind[k]
        out = LINE - s.box_hx[k] if kind < VASE else 0.0
        s.zx[k] = s.box_x[k] + out * s.box_cos[k]
        s.zy[k] = s.box_y[k] + out * s.box_sin[k]
        s.zr[k] = REACH + 0.02 if kind < VASE else VASE_RING if kind == VASE else CRATE_RING
        if kind == ask:
            asked = k
            s.zr[k] = -10.0  # to be entered
    _ring_cat(s)
    return asked


@device
def _ring_cat(s):
    if s.n_discs > 0:
        s.zx[s.n_boxes] = s.disc_x[0]
        s.zy[s.n_boxes] = s.disc_y[0]
        s.zr[s.n_boxes] = CAT_RING


@device
def reset(s, p):
    """Draw an episode: which piece stands where, the loose things, the question, the pose after the blackout."""
    shift = p.split == 2
    reset_stage(s, p)
    if shift:
        s.room_hy = NARROW * p.room
    s.answer = below(s, p.spots)
    s.target = 0
    if p.query != FIXED:
        s.target = below(s, p.places)
    elif shift:
        s.target = 1 + below(s, p.places - 1)
    shuffle(s, s.home, p.spots)
    for j in range(p.spots):
        if s.home[j] == s.answer:
            s.home[j], s.home[s.target] = s.home[s.target], s.home[j]
            break
    for j in range(p.places):
        aside = uniform(s, -0.1, 0.1)
        if shift:
            aside += math.copysign(0.1, aside)
        x, y, c, n = _spot(s.home[j], p.spots, s.room_hx - LINE, s.room_hy - LINE, aside)
        hx, hy = _half(j)
        place_box(s, j, j, x + (hx - LINE) * c, y + (hx - LINE) * n, c, n, hx, hy)
    loose = p.vases + p.crates
    around = uniform(s, -math.pi, math.pi)
    step = 2.0 * math.pi / max(loose, 1)
    for i in range(loose):
        a = around + i * step + uniform(s, -0.2, 0.2)
        d = p.clear + uniform(s, 0.0, 0.2)
        half = VASE_HALF if i < p.vases else CRATE_HALF
        x = d * math.cos(a)
        y = d * math.sin(a)
        place_box(s, p.places + i, VASE if i < p.vases else CRATE, x, y, math.cos(a), math.sin(a), half, half)
    s.n_boxes = p.places + loose
    if p.cat != 0:
        s.n_discs = 1
        a = around + 0.5 * step
        s.disc_x[0] = (p.clear + 0.1) * math.cos(a)
        s.disc_y[0] = (p.clear + 0.1) * math.sin(a)
        a = uniform(s, -math.pi, math.pi)
        v = CAT_SPEED * (1.5 if shift else 1.0)
        s.disc_vx[0] = v * math.cos(a)
        s.disc_vy[0] = v * math.sin(a)
        s.disc_radius[0] = p.radius
        s.disc_colour[0] = 0
    s.signal[0] = 0.0
    _rings(s, p, s.target)
    set_query(s, s.target, p.query == LATE)
    return True


@device
def _drift(s, p):
    """In the dark the told pose strays from the true one by a random walk within p.drift metres; light sets it right."""
    if p.drift == 0.0 or s.light > NIGHT:
        s.pose_error_x = 0.0
        s.pose_error_y = 0.0
        s.pose_error_heading = 0.0
        return
    most = WANDER * p.drift
    s.pose_error_x += uniform(s, -most, most)
    s.pose_error_y += uniform(s, -most, most)
    over = math.sqrt(s.pose_error_x * s.pose_error_x + s.pose_error_y * s.pose_error_y) / p.drift
    if over > 1.0:
        s.pose_error_x /= over
        s.pose_error_y /= over
    bound = VEER * p.drift
    s.pose_error_heading = min(max(s.pose_error_heading + uniform(s, -VEER * most, VEER * most), -bound), bound)


@device
def _reached(s, p):
    """The place whose spot is nearest, if it is within reach; else -1."""
    best = REACH
    near = -1
    for k in range(p.places):
        d = math.sqrt((s.zx[k] - s.agent_x) ** 2 + (s.zy[k] - s.agent_y) ** 2)
        if d < best:
            best = d
            near = k
    return near


@device
def _touched_loose(s, p):
    """The vase or crate that the agent touches; -1 for none."""
    for k in range(p.places, s.n_boxes):
        depth, _, _ = disc_box(
            s.agent_x,
            s.agent_y,
            AGENT_RADIUS + TOUCH,
            s.box_x[k],
            s.box_y[k],
            s.box_cos[k],
            s.box_sin[k],
            s.box_hx[k],
            s.box_hy[k],
        )
        if depth > 0.0:
            return k
    return -1


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    acts = may_act(s)
    x = s.agent_x
    y = s.agent_y
    s.signal[0] = 0.0
    if s.phase != BLACKOUT:
        drive(s, STRIDE * a[0], TURN * a[1])
        off = abs(s.agent_x - x - STRIDE * a[0] * math.cos(s.heading)) + abs(
            s.agent_y - y - STRIDE * a[0] * math.sin(s.heading)
        )
        s.signal[0] = 1.0 if off > 1e-6 else 0.0
    roll(s, DT, 0.0, 1.0)
    _ring_cat(s)
    s.t += 1
    if next_phase(s, NIGHT if p.dark != 0 else DAY):
        set_query(s, s.target, p.query == LATE)
    s.contact = -1
    s.bump = 0
    if s.phase != OBSERVE:
        _drift(s, p)
    if s.phase == BLACKOUT:
        s.signal[0] = 0.0
        return 0.0, False, False
    score, over = _feel(s, p, x, y, acts)
    over = acts and (over or out_of_time(s, p))
    return outcome(s, info, score if over else 0.0, over)


@device
def _feel(s, p, x, y, acts):
    """Tell what is touched and whether the cat purrs. (x, y): where the agent was a step ago. Returns the score of
    this, and whether it is an end; both count only where the agent acts."""
    place = _reached(s, p)
    loose = _touched_loose(s, p)
    if loose >= 0:
        s.contact = s.box_kind[loose]
    elif place >= 0:
        s.contact = place
    tread = False
    if s.n_discs > 0:
        d = math.sqrt((s.disc_x[0] - s.agent_x) ** 2 + (s.disc_y[0] - s.agent_y) ** 2)
        s.bump = 1 if d < PURR else 0
        # A cat that walks up to one is not stepped on.
        tread = d < CAT_REACH and d < math.sqrt((s.disc_x[0] - x) ** 2 + (s.disc_y[0] - y) ** 2)
    if tread and acts:
        s.touched = 0
    lost = tread or s.contact == VASE
    return (1.0 if place == s.target and not lost else 0.0), lost or place >= 0


@device
def write_hidden(s, p, out):
    """The spot at which the asked place stands."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then what is still to come and how far odometry is off."""
    write_lit_slots(s, p, o, s.target)
    at = o.shape[0] - 11
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    o[at + 8] = s.pose_error_x
    o[at + 9] = s.pose_error_y
    o[at + 10] = s.pose_error_heading
