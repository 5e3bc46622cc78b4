"""`rays`: a lidar over the field of view."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.sensor import Part
from unseen.envs.planar.geometry import FAR, passes_by, segment_box, wrap
from unseen.envs.planar.head import write_head
from unseen.envs.planar.layout import Sizes, box_start, head_parts
from unseen.envs.planar.sight import identifies_colour, identifies_kind, in_view, line_of_sight, sees
from unseen.envs.planar.world import DUSK, NIGHT, REVEAL

RAYS = 24


def ray_parts(sizes: Sizes) -> list[Part]:
    """The parts of a rays row: the head, then depth, kind and colour for each of RAYS rays."""
    parts = head_parts(sizes)
    for k in range(RAYS):
        parts.append(Part(f"ray {k} depth", 1, 0.0, 4.0, "rooms"))
        parts.append(Part(f"ray {k} kind: wall 1/3, box 2/3, disc 1", 1, 0.0, 1.0))
        parts.append(Part(f"ray {k} colour", 1, 0.0, 1.0))
    return parts


@device
def write_rays(s, p, o):
    """Write the head, then depth / (2 room), kind (wall 1/3, box 2/3, disc 1) and colour of each ray, left to right.

    A ray represents its sector: a visible disc is entered in the sector of its visible points, so that it cannot slip
    between two rays. Colour is (index + 1) / colours for identified discs, (kind + 1) / kinds for identified boxes, and
    0 otherwise.
    """
    write_head(s, p, o)
    at = box_start(p)
    if s.light <= NIGHT:
        return
    fov = min(s.fov, 2.0 * math.pi)
    step = fov / RAYS
    unit = 0.5 / p.room
    for i in range(RAYS):
        angle = s.heading + fov * 0.5 - (i + 0.5) * step
        dx = math.cos(angle)
        dy = math.sin(angle)
        depth = FAR
        if dx != 0.0:
            depth = ((s.room_hx if dx > 0.0 else -s.room_hx) - s.agent_x) / dx
        if dy != 0.0:
            depth = min(depth, ((s.room_hy if dy > 0.0 else -s.room_hy) - s.agent_y) / dy)
        o[at + 3 * i] = depth * unit
        o[at + 3 * i + 1] = 1.0 / 3.0
        if s.glass == 0:
            for k in range(s.n_boxes):
                _enter_box(s, p, o, at + 3 * i, k, dx, dy, unit)
    if s.light == DUSK and s.touched < 0:
        return
    for k in range(s.n_discs):
        if sees(s, k):
            dx = s.disc_x[k] - s.agent_x
            dy = s.disc_y[k] - s.agent_y
            d = math.sqrt(dx * dx + dy * dy) + 1e-12
            for side in range(-1, 2):
                x = s.disc_x[k] - side * dy / d * s.disc_radius[k]
                y = s.disc_y[k] + side * dx / d * s.disc_radius[k]
                visible = s.light == REVEAL or s.touched == k or line_of_sight(s, s.agent_x, s.agent_y, x, y)
                if visible and in_view(s, x, y):
                    off = wrap(math.atan2(y - s.agent_y, x - s.agent_x) - s.heading)
                    i = min(max(int((fov * 0.5 - off) / step), 0), RAYS - 1)
                    near = np.float32(d * unit)  # in the stored precision, so that ties go to the later disc
                    if o[at + 3 * i + 1] < 0.9 or near <= o[at + 3 * i]:
                        o[at + 3 * i] = near
                        o[at + 3 * i + 1] = 1.0
                        o[at + 3 * i + 2] = (s.disc_colour[k] + 1.0) / p.colours if identifies_colour(s, k) else 0.0


@device
def _enter_box(s, p, o, at, k, dx, dy, unit):
    """Enter box k into the ray at o[at], of direction (dx, dy), if it is nearer than what the ray shows so far."""
    reach = s.box_hx[k] + s.box_hy[k]
    behind = dx * (s.box_x[k] - s.agent_x) + dy * (s.box_y[k] - s.agent_y) < -reach
    if behind or passes_by(s.agent_x, s.agent_y, dx, dy, s.box_x[k], s.box_y[k], reach):
        return  # a cheap test that excludes most boxes
    t = (
        segment_box(
            s.agent_x, s.agent_y, dx, dy, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
        )
        * unit
    )
    if t < o[at]:
        o[at] = t
        o[at + 1] = 2.0 / 3.0
        o[at + 2] = (s.box_kind[k] + 1.0) / p.box_kinds if p.box_kinds != 0 and identifies_kind(s) else 0.0
