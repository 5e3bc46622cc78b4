"""The rules of Bedroom: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import INT
from unseen.envs.permanence.bedroom.contact import feel
from unseen.envs.permanence.bedroom.draw import place_furniture, place_loose
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
from unseen.envs.planar.world import BLACKOUT, DAY, DT, NIGHT, OBSERVE, STRIDE, drive, planar

PLACES, LOOSE, SPOTS = 5, 4, 8  # at most: pieces that can be asked for, vases and crates, spots
TALL = PLACES + LOOSE  # boxes, at most
NAMES = ("bed", "door", "lamp", "table", "armchair", "vase", "crate")  # by kind; the first PLACES can be asked for
KINDS = len(NAMES)

TURN = math.pi / 2  # rad a step at full turn
ARC = 0.5  # turn of an arc, as a part of TURN
ACTIONS: dict[str, tuple[float, ...]] = {
    "forward": (1.0, 0.0), "left": (1.0, ARC), "right": (1.0, -ARC), "turn": (0.0, 1.0), "stay": (0.0, 0.0),
}  # fmt: skip
WANDER = 0.2  # the most that one step adds to the pose error, as a part of its bound
VEER = 0.5  # rad of error in heading for each metre of error in position
NARROW = 0.92  # under shift, the room's half extent in y as a fraction of that in x

STATE = planar(
    TALL, 1,
    ("target", INT), ("answer", INT), ("home", INT, (SPOTS,)),  # the asked place, its spot, the spot of each place
    signals=1,
)  # fmt: skip
STILL_TO_COME = 11  # numbers that `state` adds behind a lit slots row


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
    place_furniture(s, p, shift)
    place_loose(s, p, shift)
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
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    acts = may_act(s)
    x = s.agent_x
    y = s.agent_y
    s.signal[0] = 0.0
    if s.phase != BLACKOUT:
        _move(s, a)
    roll(s, DT, 0.0, 1.0)
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
    reward, ends = feel(s, p, x, y, acts)
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
