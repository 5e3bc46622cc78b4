"""Plane geometry as device functions: segments and discs against oriented boxes. Metres and radians."""

import math

from unseen.envs.core.device import device

FAR = 1e30


@device
def wrap(angle):
    """The angle in (-pi, pi]."""
    while angle > math.pi:
        angle -= 2.0 * math.pi
    while angle <= -math.pi:
        angle += 2.0 * math.pi
    return angle


@device
def passes_by(x, y, dx, dy, cx, cy, r):
    """Whether the line through (x, y) in the direction d keeps further than r from (cx, cy)."""
    aside = dx * (cy - y) - dy * (cx - x)
    return aside * aside > r * r * (dx * dx + dy * dy)


@device
def segment_box(x, y, dx, dy, cx, cy, c, n, hx, hy):
    """Where x + t*d enters a box (centre, cos and sin of orientation, half extents): t >= 0, or FAR.

    A start inside the box gives 0.
    """
    rx = x - cx
    ry = y - cy
    ox = rx * c + ry * n
    oy = ry * c - rx * n
    vx = dx * c + dy * n
    vy = dy * c - dx * n
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
def disc_box(x, y, r, cx, cy, c, n, hx, hy):
    """Contact of a disc with a box: (depth, nx, ny), depth 0 when apart; the normal points to the disc."""
    rx = x - cx
    ry = y - cy
    ox = rx * c + ry * n
    oy = ry * c - rx * n
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
    else:  # the centre is inside: out by the nearest face
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
    return depth, ux * c - uy * n, ux * n + uy * c
