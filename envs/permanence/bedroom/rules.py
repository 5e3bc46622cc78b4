"""The rules of Bedroom: state, reset and step. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, shuffle, uniform
from unseen.envs.core.task import INT
from unseen.envs.permanence.bedroom.contact import feel
from unseen.envs.permanence.bedroom.draw import VASE, place_furniture, place_guards, place_loose
from unseen.envs.planar.physics import roll
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
from unseen.envs.planar.world import ACT, BLACKOUT, DARK, DAY, DT, NIGHT, OBSERVE, STRIDE, drive, planar, touch

MAX_PLACES, MAX_LOOSE, MAX_SPOTS = 5, 4, 8  # places that can be queried; vases and crates; spots
MAX_BOXES = MAX_PLACES + MAX_LOOSE + MAX_SPOTS  # a vase may guard every spot
NAMES = ("bed", "door", "lamp", "table", "armchair", "vase", "crate")  # by kind; the first MAX_PLACES can be queried
KINDS = len(NAMES)

TURN = math.pi / 2  # rad per step at full turn
ARC = 0.5  # turn of an arc, as a fraction of TURN
ACTIONS: dict[str, tuple[float, ...]] = {
    "forward": (1.0, 0.0), "left": (1.0, ARC), "right": (1.0, -ARC), "turn": (0.0, 1.0), "stay": (0.0, 0.0),
}  # fmt: skip
WANDER = 0.2  # the maximum change of the pose error per step, as a fraction of its bound
VEER = 0.5  # bound of the heading error (rad) per bound of the position error (m)
NARROW = 0.92  # half extent of the room in y, as a fraction of that in x, under shift

STATE = planar(
    MAX_BOXES, 1,
    ("target", INT), ("answer", INT), ("home", INT, (MAX_SPOTS,)),  # the queried place, its spot, the spot of each place
    signals=1,
)  # fmt: skip
STATE_EXTRA = 11  # values that `state` has after a lit slots row


@device
def reset(s, p):
    """Draw an episode: furniture, obstacles, query, and the pose after the blackout."""
    shift = p.split == SHIFT
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
    place_furniture(s, p, shift)
    place_loose(s, p, shift)
    if p.guards != 0:
        place_guards(s, p)
    s.signal[0] = 0.0
    set_query(s, s.target, p.query == LATE)
    return True


@device
def _drift(s, p):
    """Advance the random walk of the pose error in the dark, within p.drift m and VEER * p.drift rad; zero it in the light."""
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
def _move(s, a):
    """Drive, and set signal 0 to 1 if an obstacle blocked or deflected the agent, else to 0."""
    x = s.agent_x
    y = s.agent_y
    drive(s, STRIDE * a[0], TURN * a[1])
    off = abs(s.agent_x - x - STRIDE * a[0] * math.cos(s.heading)) + abs(
        s.agent_y - y - STRIDE * a[0] * math.sin(s.heading)
    )
    s.signal[0] = 1.0 if off > 1e-6 else 0.0


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
    if s.phase == ACT and p.dark != 0 and s.t >= s.observe_steps + s.blackout_steps + p.sense:
        s.light = DARK  # from now on not even the pose is sensed
    touch(s, -1)
    s.bump = 0
    if s.phase != OBSERVE:
        _drift(s, p)
    if s.phase == BLACKOUT:
        s.signal[0] = 0.0
        return 0.0, False, False
    reward, ends = feel(s, p, x, y, acts)
    ends = acts and ends
    return outcome(s, p, info, reward if ends else 0.0, ends, acts and out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The spot of the queried place."""
    out[0] = s.answer


@device
def change_hidden(s, p):
    """Let the queried place and the next one change places, each with the other's shape. False in the light."""
    if s.light > NIGHT:
        return False
    k = s.target
    j = (k + 1) % p.places
    for row in (s.box_x, s.box_y, s.box_cos, s.box_sin, s.box_hx, s.box_hy):
        row[k], row[j] = row[j], row[k]
    s.home[k], s.home[j] = s.home[j], s.home[k]
    s.answer = s.home[k]
    return True


@device
def found(s, p):
    """Whether a place has been reached after the light went out."""
    return s.phase == ACT and 0 <= s.contact < VASE


@device
def write_state(s, p, o):
    """Write lit slots with the query, then the phases still to come, bump and the pose error."""
    write_lit_slots(s, p, o, s.target)
    at = o.shape[0] - STATE_EXTRA
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    o[at + 8] = s.pose_error_x
    o[at + 9] = s.pose_error_y
    o[at + 10] = s.pose_error_heading
