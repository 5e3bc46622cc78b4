"""Plane geometry as device functions: segments and discs against oriented boxes. Metres and radians.

An oriented box is its centre (cx, cy), cos and sin of its orientation, and its half extents hx, hy.
"""

import math

from unseen.envs.core.device import device

FAR = 1e30  # larger than any distance, m, or segment parameter


@device
def wrap(angle):
    """`angle`, rad, wrapped to (-pi, pi]."""
    while angle > math.pi:
        angle -= 2.0 * math.pi
    while angle <= -math.pi:
        angle += 2.0 * math.pi
    return angle


@device
def passes_by(x, y, dx, dy, cx, cy, r):
    """Whether the infinite line through (x, y) along (dx, dy) stays farther than r from (cx, cy)."""
    aside = dx * (cy - y) - dy * (cx - x)
    return aside * aside > r * r * (dx * dx + dy * dy)


@device
def segment_box(x, y, dx, dy, cx, cy, cos, sin, hx, hy):
    """The smallest t >= 0 at which (x, y) + t * (dx, dy) is in the box; 0 if it starts inside, FAR for a miss."""
    rx = x - cx
    ry = y - cy
    ox = rx * cos + ry * sin  # the start and the direction in the box's own frame
    oy = ry * cos - rx * sin
    vx = dx * cos + dy * sin
    vy = dy * cos - dx * sin
    low = 0.0
    high = FAR
    if vx != 0.0:
        a = (-hx - ox) / vx
        b = (hx - ox) / vx
        low = max(low, min(a, b))
        high = min(high, max(a, b))
    elif abs(ox) > hx:
        return FAR
    if vy != 0.0:
        a = (-hy - oy) / vy
        b = (hy - oy) / vy
        low = max(low, min(a, b))
        high = min(high, max(a, b))
    elif abs(oy) > hy:
        return FAR
    return low if low <= high else FAR


@device
def disc_box(x, y, r, cx, cy, cos, sin, hx, hy):
    """Penetration depth (m) of a disc of radius r at (x, y) into a box, and the unit normal towards the disc; zeros if apart."""
    rx = x - cx
    ry = y - cy
    ox = rx * cos + ry * sin  # the disc's centre, and the box's point nearest to it, in the box's own frame
    oy = ry * cos - rx * sin
    qx = min(max(ox, -hx), hx)
    qy = min(max(oy, -hy), hy)
    ex = ox - qx
    ey = oy - qy
    d2 = ex * ex + ey * ey
    if d2 >= r * r:
        return 0.0, 0.0, 0.0
    if d2 > 1e-18:
        d = math.sqrt(d2)
        depth = r - d
        ux = ex / d
        uy = ey / d
    else:  # the centre is inside: out through the nearest face
        px = hx - abs(ox)
        py = hy - abs(oy)
        if px < py:
            ux = 1.0 if ox > 0.0 else -1.0
            uy = 0.0
            depth = r + px
        else:
            ux = 0.0
            uy = 1.0 if oy > 0.0 else -1.0
            depth = r + py
    return depth, ux * cos - uy * sin, ux * sin + uy * cos
