"""The rules of Tally: state, reset and step. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.tally.marbles import (
    BEAT,
    BEHIND,
    MAX_MARBLES,
    NEST_Y,
    OWN,
    TWO,
    clear_marbles,
    group_of,
    move_marbles,
    one_behind,
    remove_marble,
)
from unseen.envs.permanence.tally.schedule import MAX_BEATS, MAX_MOVES, draw_schedule
from unseen.envs.planar.free import ASKED
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import DUSK, OBSERVE, STRIDE, TURN, drive, place_box, planar, touch

MAX_BOXES = 3  # the screen, and a crate on either side
SCREEN, CRATE = 0, 1  # kinds of boxes

REACH = 0.5  # m from the centre of the nest within which the agent reaches into it
MAT_Y = -1.5  # y of the mat, m; the screen is at the centre of the room
AROUND = 1.1  # mean distance of the spawn position from the nest, m
ARM = 0.22  # m ahead of the agent at which it holds a marble
DONE_ABOVE = 0.8  # value of the third action component above which it means done

STATE = planar(
    MAX_BOXES, MAX_MARBLES,
    ("asked", INT),  # the queried group
    ("taken", INT), ("n_beats", INT),
    ("side", FLOAT),  # -1 or 1: sign of the x from which marbles come
    ("marble_radius", FLOAT),
    # Of each group: marbles behind the screen now, and at the end; moves; the last move, 1 in or -1 out.
    ("left", INT, (2,)), ("goal", INT, (2,)), ("n_moves", INT, (2,)), ("last_move", INT, (2,)),
    # Of each beat: how many go in and come out, and of which group.
    ("ins", INT, (MAX_BEATS,)), ("outs", INT, (MAX_BEATS,)), ("group", INT, (MAX_BEATS,)),
    # Of each group's moves, with a peak: how many go in and come out.
    ("move_ins", INT, (2, MAX_MOVES)), ("move_outs", INT, (2, MAX_MOVES)),
    # Of each marble: its motion and its first step, its spot in the nest, and the lateral offset of its lane, m.
    ("motion", INT, (MAX_MARBLES,)), ("since", INT, (MAX_MARBLES,)), ("spot", INT, (MAX_MARBLES,)),
    ("lane", FLOAT, (MAX_MARBLES,)),
    signals=1,
)  # fmt: skip
STATE_EXTRA = 9 + 3 * MAX_BEATS  # values that `state` has after a lit slots row


@device
def reset(s, p):
    """Draw an episode: the number left, the moves that lead there, the blackout length and the pose after it."""
    shift = p.split == SHIFT
    reset_stage(s, p)
    s.agent_y += MAT_Y
    angle = uniform(s, -math.pi, math.pi)
    away = AROUND + uniform(s, -p.scramble, p.scramble)
    s.spawn_x = away * math.cos(angle)
    s.spawn_y = NEST_Y + away * math.sin(angle)
    s.n_boxes = 3
    place_box(s, 0, SCREEN, 0.0, 0.0, 1.0, 0.0, p.breadth, p.depth)
    place_box(s, 1, CRATE, 1.95, NEST_Y, 1.0, 0.0, 0.25, 0.4)
    place_box(s, 2, CRATE, -1.95, NEST_Y, 1.0, 0.0, 0.25, 0.4)
    draw_schedule(s, p)
    s.observe_steps = BEAT * s.n_beats + 2  # longer under shift
    s.marble_radius = p.radius * (1.25 if shift else 1.0)
    s.asked = below(s, p.groups)
    s.side = 1.0 if (p.entry != 0 and below(s, 2) == 0) or (p.entry == 0 and shift) else -1.0
    s.taken = 0
    s.signal[0] = 0.0
    clear_marbles(s)
    move_marbles(s, p)
    return True


@device
def at_nest(s):
    """Whether the agent reaches into the nest."""
    return s.agent_x * s.agent_x + (s.agent_y - NEST_Y) ** 2 < REACH * REACH and path_clear(
        s, s.agent_x, s.agent_y, 0.0, NEST_Y
    )


@device
def _take(s, p):
    """Take a queried marble from the nest into the hand; in free play, one of any group. Returns False if there is none."""
    group = s.asked if p.free == ASKED else 0
    k = one_behind(s, p, group)
    if k < 0 and p.free != ASKED and p.groups > 1:
        group = 1
        k = one_behind(s, p, group)
    if k < 0:
        return False
    touch(s, k)
    s.disc_cover[k] = 0
    s.disc_x[k] = s.agent_x + ARM * math.cos(s.heading)
    s.disc_y[k] = s.agent_y + ARM * math.sin(s.heading)
    s.left[group] -= 1
    s.taken += 1
    s.signal[0] = s.taken / p.most
    return True


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed, turn and done, each in [-1, 1]."""
    moves = may_act(s)
    done = moves and a[2] > DONE_ABOVE
    if moves and not done:
        drive(s, STRIDE * a[0], TURN * a[1])
    if s.touched >= 0:  # put away the marble in the hand
        remove_marble(s, s.touched)
        touch(s, -1)
    if s.phase == OBSERVE:
        move_marbles(s, p)
    if next_phase(s, DUSK) and p.looks == TWO:
        s.query = s.asked
    if not moves:
        return 0.0, False, False
    reward = 0.0
    over = False
    if done:
        if s.taken > 0:
            over = True
            reward = 1.0 if s.left[s.asked] == 0 else 0.0
    elif at_nest(s) and not _take(s, p):
        over = True
    return outcome(s, p, info, reward, over, out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The number of queried marbles behind the screen when the act phase begins, minus the minimum."""
    out[0] = s.goal[s.asked] - p.least


@device
def change_hidden(s, p):
    """Take one of the queried marbles out of the nest, or add one if it is the only one."""
    k = -1
    for j in range(s.n_discs):
        if s.motion[j] == BEHIND and group_of(s, p, j) == s.asked:
            k = j
    if k < 0 or s.touched >= 0:
        return False
    if s.left[s.asked] > 1:
        remove_marble(s, k)
        s.left[s.asked] -= 1
        s.goal[s.asked] -= 1
        return True
    j = s.n_discs
    if p.looks == OWN or j >= p.disc_slots:
        return False
    s.n_discs = j + 1
    s.disc_x[j] = s.disc_x[k]
    s.disc_y[j] = s.disc_y[k]
    s.disc_vx[j] = 0.0
    s.disc_vy[j] = 0.0
    s.disc_radius[j] = s.disc_radius[k]
    s.disc_colour[j] = s.disc_colour[k]
    s.disc_cover[j] = s.disc_cover[k]
    s.motion[j] = BEHIND
    s.since[j] = s.since[k]
    s.lane[j] = s.lane[k]
    s.spot[j] = s.spot[k] + 1
    s.left[s.asked] += 1
    s.goal[s.asked] += 1
    return True


@device
def found(s, p):
    """Whether the nest is empty, which a reach would show; or if each marble has a colour, whether one has been taken."""
    return s.left[s.asked] == 0 or (p.looks == OWN and s.taken > 0)


@device
def write_state(s, p, o):
    """Write lit slots with the query, then phases, the number left, and the moves still to come."""
    write_lit_slots(s, p, o, s.asked if p.looks == TWO else -1)
    at = o.shape[0] - STATE_EXTRA
    write_stage(s, p, o, at)
    o[at + 7] = s.observe_steps / CLOCK
    o[at + 8] = s.left[s.asked] / p.cap
    at += 9
    for i in range(s.n_beats):
        if BEAT * i > s.t:
            o[at + 3 * i] = s.ins[i]
            o[at + 3 * i + 1] = s.outs[i]
            o[at + 3 * i + 2] = s.group[i]
