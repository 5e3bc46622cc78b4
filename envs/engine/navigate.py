"""Walking to a thing or to a place: visibility graph to the next corner, or rings to keep out of, then a short
look-ahead in the arcs."""

import math

from unseen.envs.engine.device import device
from unseen.envs.engine.geometry import segment_box, wrap
from unseen.envs.engine.world import AGENT_RADIUS, clear_of_solids, touching

CLEARANCE = 0.04
DEPTH = 4


@device
def _free(s, x0, y0, x1, y1):
    """Whether a disc of the agent's size can go straight between two points."""
    grow = AGENT_RADIUS * 0.9
    dx = x1 - x0
    dy = y1 - y0
    for k in range(s.n_tall):
        if segment_box(x0, y0, dx, dy, s.tx[k], s.ty[k], s.tc[k], s.ts[k], s.hx[k] + grow, s.hy[k] + grow) < 1.0:
            return False
    return True


@device
def _corner(s, i):
    """Way-point i: corner i % 4 of tall thing i // 4, an agent's radius out."""
    k = i // 4
    a = (s.hx[k] + AGENT_RADIUS + CLEARANCE) * (1.0 if i & 1 else -1.0)
    b = (s.hy[k] + AGENT_RADIUS + CLEARANCE) * (1.0 if i & 2 else -1.0)
    return s.tx[k] + a * s.tc[k] - b * s.ts[k], s.ty[k] + a * s.ts[k] + b * s.tc[k]


@device
def waypoint(s, x, y, gx, gy):
    """The next point on a short way to (gx, gy), by up to two corners, and the length of that way."""
    straight = math.sqrt((gx - x) ** 2 + (gy - y) ** 2)
    if _free(s, x, y, gx, gy):
        return gx, gy, straight
    best = 1e30
    bx = gx
    by = gy
    for i in range(4 * s.n_tall):
        cx, cy = _corner(s, i)
        first = math.sqrt((cx - x) ** 2 + (cy - y) ** 2)
        if first < 0.05 or first > best or not _free(s, x, y, cx, cy):
            continue
        if _free(s, cx, cy, gx, gy):
            d = first + math.sqrt((gx - cx) ** 2 + (gy - cy) ** 2)
            if d < best:
                best = d
                bx = cx
                by = cy
            continue
        for j in range(4 * s.n_tall):
            ex, ey = _corner(s, j)
            d = first + math.sqrt((ex - cx) ** 2 + (ey - cy) ** 2) + math.sqrt((gx - ex) ** 2 + (gy - ey) ** 2)
            if d < best and _free(s, cx, cy, ex, ey) and _free(s, ex, ey, gx, gy):
                best = d
                bx = cx
                by = cy
    return bx, by, min(best, 1e3 + straight)


@device
def fetch(s, want, gx, gy, reach, stride, turn):
    """The arc (0 forward, 1 left, 2 right) that best begins a way to small thing `want`, resting at (gx, gy).

    Looks DEPTH arcs ahead; touching another small thing within `reach` on the way is a loss.
    """
    wx, wy, _ = waypoint(s, s.ax, s.ay, gx, gy)
    at_goal = wx == gx and wy == gy
    best = 1e30
    choice = 0
    for code in range(3**DEPTH):
        x = s.ax
        y = s.ay
        h = s.ah
        rest = code
        cost = 0.0
        for step in range(DEPTH):
            a = rest % 3
            rest //= 3
            if a == 1:
                h = wrap(h + turn)
            elif a == 2:
                h = wrap(h - turn)
            x, y = clear_of_solids(s, x + stride * math.cos(h), y + stride * math.sin(h), AGENT_RADIUS)
            hit = touching(s, x, y, reach)
            if hit == want:
                cost = -100.0 + step
                break
            if hit >= 0:
                cost = 100.0 - step
                break
            # Being past the corner ends the need for it: what counts is the nearest approach along the way.
            d = math.sqrt((wx - x) ** 2 + (wy - y) ** 2)
            near = d + 0.15 * abs(wrap(math.atan2(wy - y, wx - x) - h)) * (d > 0.25)
            if step == 0 or near < cost:
                cost = near + (0.0 if at_goal else 0.02 * step)
        if cost < best:
            best = cost
            choice = code % 3
    return choice


@device
def walk(s, gx, gy, zx, zy, zr, n, margin, stride, turn):
    """The arc (0 forward, 1 left, 2 right) that best begins a way to the place (gx, gy), out of n rings.

    Looks DEPTH arcs ahead. zx, zy, zr: centres and radii of the rings; to enter one is a loss, and to come within
    `margin` metres of one is avoided where it can be.
    """
    best = 1e30
    choice = 0
    for code in range(3**DEPTH):
        x = s.ax
        y = s.ay
        h = s.ah
        rest = code
        fear = 0.0
        near = 1e30
        for step in range(DEPTH):
            a = rest % 3
            rest //= 3
            if a == 1:
                h = wrap(h + turn)
            elif a == 2:
                h = wrap(h - turn)
            x, y = clear_of_solids(s, x + stride * math.cos(h), y + stride * math.sin(h), AGENT_RADIUS)
            for i in range(n):
                gap = math.sqrt((zx[i] - x) ** 2 + (zy[i] - y) ** 2) - zr[i]
                if gap < 0.0:
                    fear += 100.0 - step
                elif gap < margin:
                    fear += 2.0 * (margin - gap)
            d = math.sqrt((gx - x) ** 2 + (gy - y) ** 2)
            near = min(near, d + 0.15 * abs(wrap(math.atan2(gy - y, gx - x) - h)) * (d > 0.25) + 0.02 * step)
        if near + fear < best:
            best = near + fear
            choice = code % 3
    return choice
