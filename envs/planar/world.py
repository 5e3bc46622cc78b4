"""A planar world as one aligned record: a room, an agent, tall boxes that hide, small discs that roll.

Units are metres, seconds and radians; the room is centred on the origin.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.planar.geometry import FAR, disc_box, segment_box, wrap
from unseen.envs.planar.physics import path_clear

AGENT_RADIUS = 0.2
EYE = 0.5
BOX_HEIGHT = 1.0
WALL_HEIGHT = 1.4

# Light: nothing shows; only the agent's own pose; boxes too, and discs when touched; all that is in sight; everything.
DARK, NIGHT, DUSK, DAY, REVEAL = 0, 1, 2, 3, 4
OBSERVE, BLACKOUT, ACT = 0, 1, 2  # phases; see `unseen.envs.planar.stage`


def planar(tall: int, small: int, *fields, signals: int = 0) -> np.dtype:
    """The aligned record of a planar world with room for `tall` boxes and `small` discs, and a task's own fields.

    `signals`: how many further numbers the task tells the agent (in `signal`), whatever the light.
    """
    return record(
        ("room_hx", FLOAT), ("room_hy", FLOAT),  # half extents of the room
        ("agent_x", FLOAT), ("agent_y", FLOAT), ("heading", FLOAT),  # the agent's pose
        ("pose_error_x", FLOAT), ("pose_error_y", FLOAT), ("pose_error_heading", FLOAT),  # reported pose - true pose
        ("fov", FLOAT), ("light", INT), ("glass", INT),
        ("colour_range", FLOAT),  # metres within which the colour of a disc can be told; 0: from anywhere
        ("kinds_hidden", INT),  # 1: in the dusk all boxes look alike
        ("touched", INT), ("contact", INT), ("bump", INT),  # disc, askable thing (-1: none), 1 for a bump
        ("phase", INT), ("query", INT),  # the asked thing, -1 while it is not told
        ("observe_steps", INT), ("blackout_steps", INT), ("spawn_x", FLOAT), ("spawn_y", FLOAT), ("spawn_heading", FLOAT),  # see stage.py
        ("signal", FLOAT, (max(signals, 1),)),
        ("n_boxes", INT), ("n_discs", INT),
        # Boxes: centre, cos and sin of the orientation, half extents, kind.
        ("box_x", FLOAT, (tall,)), ("box_y", FLOAT, (tall,)), ("box_cos", FLOAT, (tall,)), ("box_sin", FLOAT, (tall,)),
        ("box_hx", FLOAT, (tall,)), ("box_hy", FLOAT, (tall,)), ("box_kind", INT, (tall,)),
        # Discs: centre, velocity, radius, kind (its colour), and what covers it (0: nothing).
        ("disc_x", FLOAT, (small,)), ("disc_y", FLOAT, (small,)), ("disc_vx", FLOAT, (small,)), ("disc_vy", FLOAT, (small,)),
        ("disc_radius", FLOAT, (small,)), ("disc_colour", INT, (small,)), ("disc_cover", INT, (small,)),
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
    """Put box k at (x, y), m; cos and sin of its orientation, half extents in m."""
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
    """Give disc k of the first n colour 0, or if `exclude_first` any but colour 0, by swapping two discs' colours."""
    for j in range(n):
        if s.disc_colour[j] == 0 and (j != k) != exclude_first:
            other = (j + 1) % s.n_discs if exclude_first else k
            s.disc_colour[j], s.disc_colour[other] = s.disc_colour[other], s.disc_colour[j]
            break


@device
def touch(s, k):
    """The agent touches disc k, which then shows with its colour; -1: it touches none."""
    s.touched = k
    s.contact = s.disc_colour[k] if k >= 0 else -1


@device
def clear_boxes(s):
    """Remove all boxes of the last episode, also from the record's unused rows."""
    s.n_boxes = 0
    for k in range(s.box_x.shape[0]):
        place_box(s, k, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@device
def drive(s, speed, turn):
    """Turn by `turn` rad, then move `speed` m ahead, sliding along walls and boxes."""
    s.heading = wrap(s.heading + turn)
    if speed != 0.0:
        s.agent_x, s.agent_y = slide(s, s.agent_x, s.agent_y, s.heading, speed)


@device
def slide(s, x, y, h, speed):
    """The agent's position after `speed` m from (x, y) in direction h, sliding along walls and boxes, however thin."""
    u, v = push_out(s, x + speed * math.cos(h), y + speed * math.sin(h), AGENT_RADIUS)
    if not _goes_through(s, x, y, u, v, abs(speed)):
        return u, v
    # Steps of half its radius cannot pass what they meet. Where two things that all but touch push it out through one
    # of them, there is no way on.
    n = int(math.ceil(2.0 * abs(speed) / AGENT_RADIUS))
    for _ in range(n):
        u, v = push_out(s, x + speed / n * math.cos(h), y + speed / n * math.sin(h), AGENT_RADIUS)
        if _goes_through(s, x, y, u, v, FAR):
            break
        x = u
        y = v
    return x, y


@device
def _goes_through(s, x, y, u, v, stride):
    """Whether the straight way from (x, y) to (u, v) enters a box so thin that a stride can end beyond its
    middle, whence the agent, which began a radius before it, is pushed on rather than back. Wedged between two, it may
    have begun nearer than that."""
    for k in range(s.n_boxes):
        if stride > AGENT_RADIUS + min(s.box_hx[k], s.box_hy[k]) or _wedged(s, k, x, y):
            t = segment_box(
                x, y, u - x, v - y, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
            )
            if 0.0 < t < 1.0:  # 0: it is in there already, as in a believed world that errs
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
    """The nearest place to (x, y) where a disc of radius r overlaps neither a wall nor a box.

    Tall things push in turn; twice round settles a disc that touches two of them, once one that touches none.
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
    """The nearest disc within `reach` metres (centre to centre) with nothing solid between; -1 for none."""
    best = reach
    found = -1
    for k in range(s.n_discs):
        d = math.sqrt((s.disc_x[k] - x) ** 2 + (s.disc_y[k] - y) ** 2)
        if d < best and path_clear(s, x, y, s.disc_x[k], s.disc_y[k]):
            best = d
            found = k
    return found
