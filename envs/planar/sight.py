"""Visibility: light, field of view and line of sight. Every sensor uses these functions."""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import wrap
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.world import DARK, DAY, DUSK, NIGHT, REVEAL

ALL_ROUND = 2.0 * math.pi - 1e-9  # rad: a field of view at least this wide has no edges


@device
def line_of_sight(s, x0, y0, x1, y1):
    """Whether nothing opaque stands between (x0, y0) and (x1, y1)."""
    return s.glass != 0 or path_clear(s, x0, y0, x1, y1)


@device
def in_view(s, x, y):
    """Whether the point (x, y) is in the agent's field of view, occluded or not."""
    if s.fov >= ALL_ROUND:
        return True
    return abs(wrap(math.atan2(y - s.agent_y, x - s.agent_x) - s.heading)) <= 0.5 * s.fov


@device
def exposed(s, x0, y0, x1, y1, r):
    """Whether a disc of radius r at (x1, y1) is visible from (x0, y0): its centre, or its left or right edge."""
    if line_of_sight(s, x0, y0, x1, y1):
        return True
    dx = x1 - x0
    dy = y1 - y0
    d = math.sqrt(dx * dx + dy * dy) + 1e-12
    px = -dy / d * r
    py = dx / d * r
    return line_of_sight(s, x0, y0, x1 + px, y1 + py) or line_of_sight(s, x0, y0, x1 - px, y1 - py)


@device
def sees(s, k):
    """Whether the agent sees disc k now."""
    if s.light == REVEAL:
        return True
    if s.light == DARK:
        return False
    if s.touched == k:
        return True
    if s.light != DAY or (s.disc_cover[k] != 0 and s.glass == 0):
        return False
    return in_view(s, s.disc_x[k], s.disc_y[k]) and exposed(
        s, s.agent_x, s.agent_y, s.disc_x[k], s.disc_y[k], s.disc_radius[k]
    )


@device
def identifies_colour(s, k):
    """Whether the agent can tell the colour of disc k, given that it sees the disc."""
    if s.colour_range == 0.0 or s.light == REVEAL or s.touched == k:
        return True
    return (s.disc_x[k] - s.agent_x) ** 2 + (s.disc_y[k] - s.agent_y) ** 2 <= s.colour_range * s.colour_range


@device
def sees_box(s, k):
    """Whether the agent sees box k now. Boxes do not occlude one another, and are visible at dusk."""
    return s.light == REVEAL or (s.light > NIGHT and in_view(s, s.box_x[k], s.box_y[k]))


@device
def identifies_kind(s):
    """Whether the agent can tell the kinds of the boxes that it sees."""
    return s.kinds_hidden == 0 or s.light != DUSK
