"""What the agent can see: light, field of view and line of sight. Every sensor asks here."""

import math

from unseen.envs.engine.device import device
from unseen.envs.engine.geometry import wrap
from unseen.envs.engine.physics import disc_clear
from unseen.envs.engine.world import CURTAIN, DAY, DUSK, NIGHT, REVEAL

ALL_ROUND = 2.0 * math.pi - 1e-9


@device
def line_of_sight(s, x0, y0, x1, y1):
    """Whether nothing opaque stands between two points."""
    return s.glass != 0 or disc_clear(s, x0, y0, x1, y1)


@device
def in_view(s, x, y):
    """Whether a point lies in the field of view."""
    if s.fov >= ALL_ROUND:
        return True
    return abs(wrap(math.atan2(y - s.ay, x - s.ax) - s.ah)) <= 0.5 * s.fov


@device
def exposed(s, x0, y0, x1, y1, r):
    """Whether any of a disc's centre and two silhouette points is in line of sight of (x0, y0)."""
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
    """Whether small thing k shows to the agent now."""
    if s.light == REVEAL:
        return True
    if s.light == CURTAIN:
        return False
    if s.touched == k:
        return True
    if s.light != DAY or (s.under[k] != 0 and s.glass == 0):
        return False
    return in_view(s, s.bx[k], s.by[k]) and exposed(s, s.ax, s.ay, s.bx[k], s.by[k], s.br[k])


@device
def tells_colour(s, k):
    """Whether the agent can tell the colour of small thing k, which it sees."""
    if s.near == 0.0 or s.light == REVEAL or s.touched == k:
        return True
    return (s.bx[k] - s.ax) ** 2 + (s.by[k] - s.ay) ** 2 <= s.near * s.near


@device
def sees_tall(s, k):
    """Whether tall thing k shows: tall things are not hidden by one another, and show in the dusk."""
    return s.light == REVEAL or (s.light > NIGHT and in_view(s, s.tx[k], s.ty[k]))


@device
def tells_kind(s):
    """Whether the agent can tell what kind of tall thing it sees."""
    return s.plain == 0 or s.light != DUSK
