"""The rules of Detour: state, reset and step. Metres, seconds, radians."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.free import ASKED
from unseen.envs.planar.geometry import wrap
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import outcome, reset_stage
from unseen.envs.planar.world import (
    ACT,
    AGENT_RADIUS,
    NIGHT,
    STRIDE,
    TURN,
    clear_boxes,
    drive,
    planar,
    push_out,
    touch,
    touching,
)
from unseen.envs.planning.detour.distance_field import FIELD, agent_in_box, beyond_door, least_metres
from unseen.envs.planning.detour.draw import DOOR, DRAFT, RADIUS, WALL, draw_court, draw_pocket, scatter_blocks
from unseen.envs.planning.detour.path import LEFT, REACH, RIGHT, STAY, arc_along_path, arc_to, plan_path
from unseen.envs.planning.detour.walkers import LEFT_HAND, LOOK, RESTART, RIGHT_HAND, VIA, WALKER, walk

MAX_BOXES, MAX_BLOCKS, MAX_DOORS = 16, 4, 3  # boxes; discs; doors among the boxes
LOOK_STEPS = 4  # observations before walls that are not glass turn opaque, or before night falls
AWAY = 1e3  # x of a door while it lets the agent through, m

STATE = planar(
    MAX_BOXES, MAX_BLOCKS,
    ("target", INT),  # the queried disc
    ("plan_steps", INT), ("limit", INT),  # steps of the path that the reset verified, and of the episode
    ("doors", INT), ("door_x", FLOAT, (MAX_DOORS,)),  # number of doors, which are the last boxes, and their x
    ("in_door", INT),  # the door that the agent is passing; -1: none
)  # fmt: skip
STATE_EXTRA = 3
PATH, GREEDY = -2, -1  # who drives in a rehearsal, besides the styles of walkers: along the planned path; straight
SCRATCH = np.dtype([("draft", DRAFT), ("field", FIELD), ("walker", WALKER)], align=True)


@device
def _clear(s):
    """Clear the previous episode."""
    clear_boxes(s)
    s.doors = 0
    for k in range(MAX_DOORS):
        s.door_x[k] = 0.0
    s.in_door = -1


@device
def reset(s, p, w):
    """Draw walls, blocks and agent; accept draws that only a detour solves in time. w: SCRATCH."""
    shift = p.split == SHIFT
    reset_stage(s, p)
    s.phase = ACT
    s.glass = 1
    _clear(s)
    w.draft.rotation = uniform(s, -math.pi, math.pi)
    s.n_discs = p.blocks
    s.target = below(s, p.blocks)
    shuffle(s, s.disc_colour, p.blocks)
    s.query = s.disc_colour[s.target]
    for k in range(s.n_discs):
        s.disc_radius[k] = RADIUS
        s.disc_vx[k] = 0.0
        s.disc_vy[k] = 0.0
        s.disc_cover[k] = 0
    if p.barriers < 2:
        draw_pocket(s, w.draft, p, shift)
    elif not draw_court(s, w.draft, p, shift):
        return False
    x, y = push_out(s, s.agent_x, s.agent_y, AGENT_RADIUS)
    u, v = push_out(s, s.disc_x[s.target], s.disc_y[s.target], RADIUS + 0.05)
    if x != s.agent_x or y != s.agent_y or u != s.disc_x[s.target] or v != s.disc_y[s.target]:
        return False
    if not scatter_blocks(s):
        return False
    off = uniform(s, -0.4, 0.4) * min(s.fov, 0.7 * math.pi)
    s.heading = wrap(math.atan2(v - s.agent_y, u - s.agent_x) + off)
    plan_path(s, w.field)
    s.plan_steps = _rehearse(s, w, PATH, p.act)
    s.limit = min(p.act, s.plan_steps + p.spare)
    if s.plan_steps < max(p.plan_low, 1):
        return False
    if p.barriers > 0 and _rehearse(s, w, GREEDY, s.limit) > 0:
        return False  # the straight line works
    w.walker.known = 0
    return p.panel == 0 or _panel_fails(s, w, p)


@device
def _panel_fails(s, w, p):
    """Whether players that do not plan fail: two that follow walls, and p.panel times those that choose at random."""
    return (
        _fails(s, w, LEFT_HAND, 1)
        and _fails(s, w, RIGHT_HAND, 1)
        and _fails(s, w, RESTART, p.panel)
        and _fails(s, w, VIA, p.panel)
        and (p.foresight == 0 or _fails(s, w, LOOK, p.panel))
    )


@device
def _fails(s, w, style, rounds):
    """Whether a walker fails so many times. A walker that drew no random number would only do the same again."""
    for _ in range(rounds):
        if _rehearse(s, w, style, s.limit) > 0:
            return False
        if w.walker.rng == w.walker.seed:
            break
    return True


@device
def _rehearse(s, w, who, most):
    """Number of steps, at most `most`, in which the agent touches the target, driven by `who`; 0 if it fails.

    Simulates the drive, then restores agent and doors. All but PATH stop when there is no time left to get there.
    """
    x = s.agent_x
    y = s.agent_y
    heading = s.heading
    if who >= 0:
        w.walker.started = 0
        uniform(s, 0.0, 1.0)  # other random numbers for every walker
    took = 0
    for t in range(most):
        if who == PATH:
            arc = arc_along_path(s, w.field)
        elif who == GREEDY:
            arc = arc_to(s, s.disc_x[s.target], s.disc_y[s.target])
        else:
            arc = walk(s, w.walker, who)
        turn = 0.0
        if arc == LEFT:
            turn = TURN
        elif arc == RIGHT:
            turn = -TURN
        last_x = s.agent_x
        last_y = s.agent_y
        _drive_through_doors(s, STRIDE * (arc != STAY), turn)
        k = touching(s, s.agent_x, s.agent_y, REACH)
        if k >= 0:
            took = t + 1 if k == s.target else 0
            break
        if who != PATH and least_metres(s, w.field) > (most - t - 1) * STRIDE:
            break  # too far from the target
        if who < 0 and turn == 0.0 and abs(s.agent_x - last_x) + abs(s.agent_y - last_y) < 1e-9:
            break  # stuck
    s.agent_x = x
    s.agent_y = y
    s.heading = heading
    s.in_door = -1
    for k in range(s.n_boxes - s.doors, s.n_boxes):
        s.box_kind[k] = DOOR
    if who >= 0:
        uniform(s, 0.0, 1.0)  # so that a reference does not draw the same numbers as this walker
    return took


@device
def _drive_through_doors(s, speed, turn):
    """Turn by `turn` rad and drive `speed` m. A door opens to an agent in front of it, and becomes a wall once passed."""
    first = s.n_boxes - s.doors
    for k in range(first, s.n_boxes):
        s.door_x[k - first] = s.box_x[k]
        if s.box_kind[k] == DOOR and (s.in_door == k or beyond_door(s, k, s.agent_x, s.agent_y) < 0.0):
            s.box_x[k] = AWAY
    drive(s, speed, turn)
    for k in range(first, s.n_boxes):
        was_open = s.box_x[k] == AWAY
        s.box_x[k] = s.door_x[k - first]
        if was_open:
            if agent_in_box(s, k, s.agent_x, s.agent_y) > 0.0:
                s.in_door = k
            elif s.in_door == k:
                s.in_door = -1
                if beyond_door(s, k, s.agent_x, s.agent_y) > 0.0:
                    s.box_kind[k] = WALL


@device
def step(s, a, p, info):
    """One step; a: speed and turn, each in [-1, 1]."""
    _drive_through_doors(s, STRIDE * a[0], TURN * a[1])
    if p.glass == 0 and s.t >= LOOK_STEPS:
        s.glass = 0
    if p.night != 0 and s.t >= LOOK_STEPS:
        s.light = NIGHT
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    info[1] = s.plan_steps
    late = s.t >= (s.limit if p.free == ASKED else p.act)  # the limit tells how far the target is
    return outcome(s, p, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0, late)


@device
def write_drive(s, p, o, at):
    """Write the time and the door that the agent is passing into o[at:at + 2] of a `state` row."""
    o[at] = s.t / 64.0
    o[at + 1] = (s.in_door + 1.0) / MAX_BOXES


@device
def write_state(s, p, o):
    """Write lit slots, then the time, the door that the agent is passing, and the time limit."""
    write_lit_slots(s, p, o, s.query)
    at = o.shape[0] - STATE_EXTRA
    write_drive(s, p, o, at)
    o[at + 2] = s.limit / 64.0
