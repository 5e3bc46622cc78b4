"""A planar world as one aligned record: a room, an agent, tall boxes that occlude, and small discs that roll.

Units are metres, seconds and radians; the room is centred on the origin.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.planar.geometry import FAR, disc_box, segment_box, wrap
from unseen.envs.planar.physics import path_clear

AGENT_RADIUS = 0.2  # m
EYE = 0.5  # m above the floor
BOX_HEIGHT = 1.0  # m
WALL_HEIGHT = 1.4  # m
DT = 0.25  # s per step
STRIDE = 0.3  # m per step at full speed
TURN = math.pi / 4  # rad per step at full turn

# Light. DARK: nothing is visible. NIGHT: only the agent's own pose. DUSK: also boxes, and discs when touched. DAY: all
# that is in sight. REVEAL: everything.
DARK, NIGHT, DUSK, DAY, REVEAL = 0, 1, 2, 3, 4
OBSERVE, BLACKOUT, ACT = 0, 1, 2  # phases; see `unseen.envs.planar.stage`


def planar(boxes: int, discs: int, *fields, signals: int = 0) -> np.dtype:
    """The dtype of a planar world with capacity for `boxes` and `discs`, and a task's own fields.

    `signals`: number of task-specific values in `signal`, which the agent observes in any light.
    """
    return record(
        ("room_hx", FLOAT), ("room_hy", FLOAT),  # half extents of the room
        ("agent_x", FLOAT), ("agent_y", FLOAT), ("heading", FLOAT),  # the agent's pose
        ("pose_error_x", FLOAT), ("pose_error_y", FLOAT), ("pose_error_heading", FLOAT),  # reported pose - true pose
        ("fov", FLOAT), ("light", INT), ("glass", INT),
        ("colour_range", FLOAT),  # metres within which the colour of a disc is visible; 0: from anywhere
        ("kinds_hidden", INT),  # 1: at dusk all boxes look alike
        ("touched", INT), ("contact", INT), ("bump", INT),  # touched disc, touched query index (-1: none), 1 if a bump is heard
        ("phase", INT), ("query", INT),  # the query; -1 while there is none
        ("observe_steps", INT), ("blackout_steps", INT), ("spawn_x", FLOAT), ("spawn_y", FLOAT), ("spawn_heading", FLOAT),  # see stage.py
        ("signal", FLOAT, (max(signals, 1),)),
        ("n_boxes", INT), ("n_discs", INT),
        # Boxes: centre, cos and sin of the orientation, half extents, kind.
        ("box_x", FLOAT, (boxes,)), ("box_y", FLOAT, (boxes,)), ("box_cos", FLOAT, (boxes,)), ("box_sin", FLOAT, (boxes,)),
        ("box_hx", FLOAT, (boxes,)), ("box_hy", FLOAT, (boxes,)), ("box_kind", INT, (boxes,)),
        # Discs: centre, velocity, radius, colour, and 0 if nothing covers it.
        ("disc_x", FLOAT, (discs,)), ("disc_y", FLOAT, (discs,)), ("disc_vx", FLOAT, (discs,)), ("disc_vy", FLOAT, (discs,)),
        ("disc_radius", FLOAT, (discs,)), ("disc_colour", INT, (discs,)), ("disc_cover", INT, (discs,)),
        *fields,
    )  # fmt: skip


@device
def reset_room(s, p):
    """An empty room by day, in which nothing is asked for or touched; the agent stands in the middle and looks up (+y)."""
    s.room_hx = p.room
    s.room_hy = p.room
    s.fov = p.fov * math.pi / 180.0
    s.light = DAY
    s.glass = p.glass
    s.colour_range = 0.0
    s.kinds_hidden = 0
    s.touched = -1
    s.contact = -1
    s.bump = 0
    s.query = -1
    s.phase = OBSERVE
    s.n_boxes = 0
    s.n_discs = 0
    s.agent_x = 0.0
    s.agent_y = 0.0
    s.heading = 0.5 * math.pi
    s.pose_error_x = 0.0
    s.pose_error_y = 0.0
    s.pose_error_heading = 0.0


@device
def place_box(s, k, kind, x, y, cos, sin, hx, hy):
    """Set box k: centre (x, y) in m, cos and sin of its orientation, half extents in m."""
    s.box_x[k] = x
    s.box_y[k] = y
    s.box_cos[k] = cos
    s.box_sin[k] = sin
    s.box_hx[k] = hx
    s.box_hy[k] = hy
    s.box_kind[k] = kind


@device
def nearest_box(s, x, y):
    """The box whose centre is nearest to (x, y)."""
    best = FAR
    near = 0
    for k in range(s.n_boxes):
        d = (s.box_x[k] - x) ** 2 + (s.box_y[k] - y) ** 2
        if d < best:
            best = d
            near = k
    return near


@device
def swap_colours(s, n, k, exclude_first):
    """Swap colours among the first n discs so that disc k has colour 0 or, if `exclude_first`, any other colour."""
    for j in range(n):
        if s.disc_colour[j] == 0 and (j != k) != exclude_first:
            other = (j + 1) % s.n_discs if exclude_first else k
            s.disc_colour[j], s.disc_colour[other] = s.disc_colour[other], s.disc_colour[j]
            break


@device
def touch(s, k):
    """Set the touched disc, which is then visible with its colour; k = -1 for none. Writes touched and contact."""
    s.touched = k
    s.contact = s.disc_colour[k] if k >= 0 else -1


@device
def clear_boxes(s):
    """Remove all boxes and zero their fields."""
    s.n_boxes = 0
    for k in range(s.box_x.shape[0]):
        place_box(s, k, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@device
def drive(s, speed, turn):
    """Turn the agent by `turn` rad, then move it `speed` m ahead, sliding along walls and boxes."""
    s.heading = wrap(s.heading + turn)
    if speed != 0.0:
        s.agent_x, s.agent_y = slide(s, s.agent_x, s.agent_y, s.heading, speed)


@device
def slide(s, x, y, h, speed):
    """The agent's position after `speed` m from (x, y) in direction h, sliding along walls and boxes, however thin."""
    u, v = push_out(s, x + speed * math.cos(h), y + speed * math.sin(h), AGENT_RADIUS)
    if not _goes_through(s, x, y, u, v, math.sqrt((u - x) ** 2 + (v - y) ** 2)):
        return u, v
    # Steps of half the radius cannot tunnel. If two boxes that nearly touch would push the agent through one of them, it
    # stops.
    n = int(math.ceil(2.0 * abs(speed) / AGENT_RADIUS))
    for _ in range(n):
        u, v = push_out(s, x + speed / n * math.cos(h), y + speed / n * math.sin(h), AGENT_RADIUS)
        if _goes_through(s, x, y, u, v, FAR):
            break
        x = u
        y = v
    return x, y


@device
def _goes_through(s, x, y, u, v, moved):
    """Whether moving from (x, y) to (u, v), `moved` m apart, tunnels through a box; moved = FAR tests all boxes.

    Only boxes so thin that the agent can have moved beyond their middle need the test, and boxes that it already overlaps
    because it is wedged between two of them. What counts is how far it was moved in the end, not its stride: of two boxes
    that nearly touch, one can push it through the other.
    """
    for k in range(s.n_boxes):
        if moved > AGENT_RADIUS + min(s.box_hx[k], s.box_hy[k]) or _wedged(s, k, x, y):
            t = segment_box(
                x, y, u - x, v - y, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
            )
            if 0.0 < t < 1.0:  # 0: it starts inside, as can happen in an inaccurate believed world
                return True
    return False


@device
def _wedged(s, k, x, y):
    """Whether an agent at (x, y) overlaps box k by more than rounding."""
    if (x - s.box_x[k]) ** 2 + (y - s.box_y[k]) ** 2 >= (AGENT_RADIUS + s.box_hx[k] + s.box_hy[k]) ** 2:
        return False
    depth, _, _ = disc_box(
        x, y, AGENT_RADIUS, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
    )
    return depth > 0.01


@device
def push_out(s, x, y, r):
    """The position nearest to (x, y) at which a disc of radius r overlaps no wall and no box.

    Boxes push the disc out one after the other. Two passes are enough for a disc that touches two boxes.
    """
    for _ in range(2):
        u = x
        v = y
        for k in range(s.n_boxes):
            if (x - s.box_x[k]) ** 2 + (y - s.box_y[k]) ** 2 < (r + s.box_hx[k] + s.box_hy[k]) ** 2:
                depth, nx, ny = disc_box(
                    x, y, r, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
                )
                x += nx * depth
                y += ny * depth
        x = min(max(x, r - s.room_hx), s.room_hx - r)
        y = min(max(y, r - s.room_hy), s.room_hy - r)
        if x == u and y == v:
            break
    return x, y


@device
def touching(s, x, y, reach):
    """The nearest disc within `reach` m of (x, y), centre to centre, with nothing solid in between; -1 for none."""
    best = reach
    found = -1
    for k in range(s.n_discs):
        d = math.sqrt((s.disc_x[k] - x) ** 2 + (s.disc_y[k] - y) ** 2)
        if d < best and path_clear(s, x, y, s.disc_x[k], s.disc_y[k]):
            best = d
            found = k
    return found
