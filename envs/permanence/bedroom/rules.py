"""The rules of Bedroom: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import INT
from unseen.envs.planar.geometry import disc_box
from unseen.envs.planar.physics import roll
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import may_act, next_phase, out_of_time, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import AGENT_RADIUS, BLACKOUT, DAY, NIGHT, OBSERVE, drive, place_box, planar

PLACES, LOOSE, SPOTS = 5, 4, 8  # at most: pieces that can be asked for, vases and crates, spots
TALL = PLACES + LOOSE  # boxes, at most
NAMES = ("bed", "door", "lamp", "table", "armchair", "vase", "crate")  # by kind; the first PLACES can be asked for
VASE, CRATE = 5, 6  # kinds
KINDS = len(NAMES)

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 2  # rad a step at full turn
ARC = 0.5  # turn of an arc, as a part of TURN
ACTIONS: dict[str, tuple[float, ...]] = {
    "forward": (1.0, 0.0), "left": (1.0, ARC), "right": (1.0, -ARC), "turn": (0.0, 1.0), "stay": (0.0, 0.0),
}  # fmt: skip
LINE = 0.3  # m from the wall to the line of the spots
REACH = 0.72  # m from a spot within which its place is reached: each piece, inflated by the agent's radius, fits inside
TOUCH = 0.05  # m within which a vase or crate is touched
SPACE = 1.44  # m between spots: pieces do not overlap, however far they are shifted along the wall
CLEAR = 0.5  # m from where the agent may be set down to loose things
VASE_HALF, CRATE_HALF, CAT = 0.09, 0.17, 0.12  # m: half widths, and the cat's radius
CAT_REACH, PURR = 0.35, 1.0  # m from the cat's centre, within which it is stepped on, and heard
CAT_SPEED = 0.4  # m/s
WANDER = 0.2  # the most that one step adds to the pose error, as a part of its bound
VEER = 0.5  # rad of error in heading for each metre of error in position
NARROW = 0.92  # under shift, the room's half extent in y as a part of that in x
FIXED, FIRST, LATE = 0, 1, 2  # when the asked place is known

STATE = planar(
    TALL, 1,
    ("target", INT), ("answer", INT), ("home", INT, (SPOTS,)),  # the asked place, its spot, the spot of each place
    signals=1,
)  # fmt: skip
STILL_TO_COME = 11  # numbers that `state` adds behind a lit slots row


@device
def _half_extents(kind):
    """Half depth and half width of a kind of piece, m. No corner is further than REACH - AGENT_RADIUS from the spot."""
    if kind == 0:
        return 0.3, 0.4
    if kind == 1:
        return 0.05, 0.35
    if kind == 2:
        return 0.12, 0.12
    if kind == 3:
        return 0.22, 0.36
    return 0.26, 0.28


def wall_spot(k, count, a, b, aside):
    """Spot k of `count`, evenly spaced on the rectangle |x| <= a, |y| <= b, and moved `aside` m along its wall.

    Returns x, y, and the unit vector from its wall into the room.
    """
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


_wall_spot = device(wall_spot)  # parameters are checked with the plain Python function


@device
def spot_of(s, k):
    """The spot of place k, LINE from the wall at its back."""
    out = LINE - s.box_hx[k]
    return s.box_x[k] + out * s.box_cos[k], s.box_y[k] + out * s.box_sin[k]


@device
def _place_furniture(s, p, shift):
    """Place the pieces, each with its back to the wall at the spot that is its home."""
    for j in range(p.places):
        aside = uniform(s, -0.1, 0.1)
        if shift:
            aside += math.copysign(0.1, aside)
        x, y, cos, sin = _wall_spot(s.home[j], p.spots, s.room_hx - LINE, s.room_hy - LINE, aside)
        hx, hy = _half_extents(j)
        place_box(s, j, j, x + (hx - LINE) * cos, y + (hx - LINE) * sin, cos, sin, hx, hy)


@device
def _place_loose(s, p, shift):
    """Place vases, crates and the cat in a ring round the middle."""
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
    _place_furniture(s, p, shift)
    _place_loose(s, p, shift)
    s.signal[0] = 0.0
    set_query(s, s.target, p.query == LATE)
    return True


@device
def _drift(s, p):
    """Let the pose error wander in the dark, at most p.drift m (and VEER * p.drift rad); in the light there is none."""
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
    """The place whose spot is nearest, if within REACH; else -1."""
    best = REACH
    near = -1
    for k in range(p.places):
        x, y = spot_of(s, k)
        d = math.sqrt((x - s.agent_x) ** 2 + (y - s.agent_y) ** 2)
        if d < best:
            best = d
            near = k
    return near


@device
def _touched_loose(s, p):
    """The vase or crate that the agent touches; -1 for none."""
    r = AGENT_RADIUS + TOUCH
    for k in range(p.places, s.n_boxes):
        depth, _, _ = disc_box(
            s.agent_x, s.agent_y, r, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
        )
        if depth > 0.0:
            return k
    return -1


@device
def _move(s, a):
    """Drive, and set the signal to 1 if something solid kept the agent from going where it would have gone."""
    x = s.agent_x
    y = s.agent_y
    drive(s, STRIDE * a[0], TURN * a[1])
    off = abs(s.agent_x - x - STRIDE * a[0] * math.cos(s.heading)) + abs(
        s.agent_y - y - STRIDE * a[0] * math.sin(s.heading)
    )
    s.signal[0] = 1.0 if off > 1e-6 else 0.0


@device
def _feel(s, p, x, y, acts):
    """Set contact, and bump to 1 while the cat purrs, for an agent that was at (x, y) a step ago.

    Returns the reward, and whether the episode ends; both count only if the agent `acts`.
    """
    place = _reached(s, p)
    loose = _touched_loose(s, p)
    if loose >= 0:
        s.contact = s.box_kind[loose]
    elif place >= 0:
        s.contact = place
    stepped_on = False
    if s.n_discs > 0:
        d = math.sqrt((s.disc_x[0] - s.agent_x) ** 2 + (s.disc_y[0] - s.agent_y) ** 2)
        s.bump = 1 if d < PURR else 0
        # Only if the agent came nearer: the cat may also walk up to it.
        stepped_on = d < CAT_REACH and d < math.sqrt((s.disc_x[0] - x) ** 2 + (s.disc_y[0] - y) ** 2)
    if stepped_on and acts:
        s.touched = 0
    lost = stepped_on or s.contact == VASE
    return (1.0 if place == s.target and not lost else 0.0), lost or place >= 0


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    acts = may_act(s)
    x = s.agent_x
    y = s.agent_y
    s.signal[0] = 0.0
    if s.phase != BLACKOUT:
        _move(s, a)
    roll(s, DT, 0.0, 1.0)
    if next_phase(s, NIGHT if p.dark != 0 else DAY):
        set_query(s, s.target, p.query == LATE)
    s.contact = -1
    s.bump = 0
    if s.phase != OBSERVE:
        _drift(s, p)
    if s.phase == BLACKOUT:
        s.signal[0] = 0.0
        return 0.0, False, False
    reward, ends = _feel(s, p, x, y, acts)
    ends = acts and (ends or out_of_time(s, p))
    return outcome(s, info, reward if ends else 0.0, ends)


@device
def write_hidden(s, p, out):
    """The spot of the asked place."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question asked, then what is still to come, and the pose error."""
    write_lit_slots(s, p, o, s.target)
    at = o.shape[0] - STILL_TO_COME
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    o[at + 8] = s.pose_error_x
    o[at + 9] = s.pose_error_y
    o[at + 10] = s.pose_error_heading
