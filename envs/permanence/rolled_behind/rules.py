"""The rules of RolledBehind: state, reset and step. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.rolled_behind.draw import (
    BEHIND,
    RESTITUTION,
    all_show,
    choose_target,
    exposed_from,
    place_blocks,
    place_occluders,
    plan_bump,
    plan_volley,
)
from unseen.envs.planar.physics import roll
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import (
    LATE,
    may_act,
    next_phase,
    out_of_time,
    outcome,
    reset_stage,
    set_query,
    write_stage,
)
from unseen.envs.planar.world import DT, DUSK, STRIDE, TURN, drive, nearest_box, planar, touch, touching

MAX_OCCLUDERS, MAX_BLOCKS = 6, 6
NAMELESS = 1e-9  # m: `colour_range` with which no colour is visible, except that of a touched block
ASTRAY = 0.5  # m from its place behind an occluder at which a block of a volley has not come to rest as planned
REACH = 0.5  # m, centre to centre, at which a block is touched

STATE = planar(
    MAX_OCCLUDERS, MAX_BLOCKS,
    ("target", INT),  # the block to fetch
    ("asks_bumper", INT),  # 1 if the target is a bumper of a volley
    ("target_home", INT),  # the occluder behind which it comes to rest: the hidden variable
    ("friction", FLOAT),  # m/s^2
    ("bearing", FLOAT, (MAX_OCCLUDERS,)),  # of each occluder from the room's centre
    ("homes", INT, (MAX_OCCLUDERS,)),  # a random permutation of the occluders, one per block; the last one is vacant for a bump
    # Of each block: the occluder behind which it ends, the step and velocity of its launch, where it comes to rest if
    # nothing bumps it, and where it starts (saved during a rehearsal).
    ("home", INT, (MAX_BLOCKS,)), ("launch_at", INT, (MAX_BLOCKS,)),
    ("launch_vx", FLOAT, (MAX_BLOCKS,)), ("launch_vy", FLOAT, (MAX_BLOCKS,)),
    ("rest_x", FLOAT, (MAX_BLOCKS,)), ("rest_y", FLOAT, (MAX_BLOCKS,)),
    ("start_x", FLOAT, (MAX_BLOCKS,)), ("start_y", FLOAT, (MAX_BLOCKS,)),
)  # fmt: skip
STATE_EXTRA = 8 + 3 * MAX_BLOCKS  # values that `state` has after a lit slots row


def fewer_blocks(p, shift):
    """The number of blocks that are left out under shift."""
    return 1 if shift and p.blocks > 2 and not p.volley else 0


_fewer_blocks = device(fewer_blocks)  # chance is computed with the plain Python function


@device
def reset(s, p):
    """Draw an episode: layout, launches, target, blackout length and the pose after it.

    Rejects draws in which blocks overlap, are not visible at first, or do not come to rest where they should.
    """
    shift = p.split == SHIFT
    if s.tries == 1:
        # Drawn once for all tries, so that rejections do not bias the answer.
        s.target_home = below(s, p.occluders)
        s.asks_bumper = 1 if p.volley != 0 and below(s, 5) < 2 else 0
    reset_stage(s, p)
    s.friction = p.friction * (1.5 if shift else 1.0)
    s.n_boxes = p.occluders
    s.n_discs = p.blocks - _fewer_blocks(p, shift)
    place_occluders(s, p)
    place_blocks(s, p, shift)
    if p.bump != 0 and not plan_bump(s, p):
        return False
    if p.volley != 0:
        plan_volley(s, p)
    if not choose_target(s, p, shift) or not all_show(s):
        return False
    if p.check_rolls != 0 and not _rehearse(s, p):
        return False
    set_query(s, s.disc_colour[s.target], p.query == LATE)
    _launch(s, 0)
    return True


@device
def _launch(s, t):
    """Launch the blocks that start rolling at step t. Writes their velocities."""
    for j in range(s.n_discs):
        if s.launch_at[j] == t:
            s.disc_vx[j] = s.launch_vx[j]
            s.disc_vy[j] = s.launch_vy[j]


@device
def _rehearse(s, p):
    """Simulate all rolls, then restore the blocks.

    Returns whether each block comes to rest behind its own occluder, fully hidden from the mat and from the pose after
    the blackout. Bumpers need not be hidden.
    """
    for j in range(s.n_discs):
        s.start_x[j] = s.disc_x[j]
        s.start_y[j] = s.disc_y[j]
    for t in range(p.observe_steps + 8):
        _launch(s, t)
        roll(s, DT, s.friction, RESTITUTION)
    s.bump = 0
    bumper = s.n_discs - 1 if p.bump != 0 else -1
    hidden = p.rolls if p.volley != 0 else s.n_discs  # blocks that must be hidden, except the bumper
    good = True
    for j in range(s.n_discs):
        moving = s.disc_vx[j] != 0.0 or s.disc_vy[j] != 0.0
        if moving or nearest_box(s, s.disc_x[j], s.disc_y[j]) != s.home[j]:
            good = False
        if p.volley != 0:
            d = p.ring + BEHIND
            a = s.bearing[s.home[j]]
            if (s.disc_x[j] - d * math.cos(a)) ** 2 + (s.disc_y[j] - d * math.sin(a)) ** 2 > ASTRAY * ASTRAY:
                good = False
        if j != bumper and j < hidden and s.glass == 0:
            if exposed_from(s, s.spawn_x, s.spawn_y, j) or exposed_from(s, s.agent_x, s.agent_y, j):
                good = False
        if j < bumper and s.home[j] == s.home[bumper]:
            good = False
    for j in range(s.n_discs):
        s.disc_x[j] = s.start_x[j]
        s.disc_y[j] = s.start_y[j]
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
    return good


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    s.bump = 0
    roll(s, DT, s.friction, RESTITUTION)
    _launch(s, s.t)
    if p.named > 0 and s.t >= p.named and s.glass == 0:
        s.colour_range = NAMELESS
    if next_phase(s, DUSK):
        set_query(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, p, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0, out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The occluder behind which the target comes to rest."""
    out[0] = s.target_home


@device
def change_hidden(s, p):
    """Let the asked block and another one that rests unseen change places. False while a block still rolls."""
    for j in range(s.n_discs):
        if s.disc_vx[j] != 0.0 or s.disc_vy[j] != 0.0 or s.t < s.launch_at[j]:
            return False
    other = 0 if s.target != 0 else 1
    k = s.target
    s.disc_x[k], s.disc_x[other] = s.disc_x[other], s.disc_x[k]
    s.disc_y[k], s.disc_y[other] = s.disc_y[other], s.disc_y[k]
    s.home[k], s.home[other] = s.home[other], s.home[k]
    s.target_home = s.home[k]
    return True


@device
def found(s, p):
    """Whether a block has been touched, which shows its colour."""
    return s.touched >= 0


@device
def write_state(s, p, o):
    """Write lit slots with the query, then the launches still to come."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
    at = o.shape[0] - STATE_EXTRA
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    at += 8
    for j in range(s.n_discs):
        if s.t < s.launch_at[j]:
            k = at + 3 * s.disc_colour[j]
            o[k] = (s.launch_at[j] - s.t) / 16.0
            o[k + 1] = s.launch_vx[j] / 8.0
            o[k + 2] = s.launch_vy[j] / 8.0
