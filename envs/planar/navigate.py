"""Walking to a thing or to a place: visibility graph to the next corner, or rings to keep out of, then a short
look-ahead in the arcs: 0 forward, 1 left, 2 right."""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR, segment_box, wrap
from unseen.envs.planar.world import AGENT_RADIUS, slide, touching

CLEARANCE = 0.04
DEPTH = 4  # arcs that are looked ahead
LATE = 0.02  # m for which a step less is taken


@device
def _free(s, x0, y0, x1, y1):
    """Whether a disc of the agent's size can go straight between two points."""
    grow = AGENT_RADIUS * 0.9
    dx = x1 - x0
    dy = y1 - y0
    for k in range(s.n_boxes):
        if (
            segment_box(
                x0,
                y0,
                dx,
                dy,
                s.box_x[k],
                s.box_y[k],
                s.box_cos[k],
                s.box_sin[k],
                s.box_hx[k] + grow,
                s.box_hy[k] + grow,
            )
            < 1.0
        ):
            return False
    return True


@device
def _corner(s, i):
    """Way-point i: corner i % 4 of box i // 4, an agent's radius out."""
    k = i // 4
    a = (s.box_hx[k] + AGENT_RADIUS + CLEARANCE) * (1.0 if i & 1 else -1.0)
    b = (s.box_hy[k] + AGENT_RADIUS + CLEARANCE) * (1.0 if i & 2 else -1.0)
    return s.box_x[k] + a * s.box_cos[k] - b * s.box_sin[k], s.box_y[k] + a * s.box_sin[k] + b * s.box_cos[k]


@device
def waypoint(s, x, y, gx, gy):
    """The next point on a short way to (gx, gy), by up to two corners, and the length of that way."""
    straight = math.sqrt((gx - x) ** 2 + (gy - y) ** 2)
    if _free(s, x, y, gx, gy):
        return gx, gy, straight
    best = 1e30
    bx = gx
    by = gy
    for i in range(4 * s.n_boxes):
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
        for j in range(4 * s.n_boxes):
            ex, ey = _corner(s, j)
            d = first + math.sqrt((ex - cx) ** 2 + (ey - cy) ** 2) + math.sqrt((gx - ex) ** 2 + (gy - ey) ** 2)
            if d < best and _free(s, cx, cy, ex, ey) and _free(s, ex, ey, gx, gy):
                best = d
                bx = cx
                by = cy
    return bx, by, min(best, 1e3 + straight)


@device
def arc_pose(s, x, y, h, a, stride, turn):
    """The pose after arc a (0 forward, 1 left, 2 right) from a pose."""
    if a == 1:
        h = wrap(h + turn)
    elif a == 2:
        h = wrap(h - turn)
    x, y = slide(s, x, y, h, stride)
    return x, y, h


@device
def arc_towards(x, y, h, gx, gy, turn):
    """The arc that begins the straight way from a pose to a place."""
    off = wrap(math.atan2(gy - y, gx - x) - h)
    if abs(off) <= 0.5 * turn:
        return 0
    return 1 if off > 0.0 else 2


@device
def _evaluate_pose(s, aim, x, y, h, near, obstacle_cost, step):
    """Take account of the pose after one more arc. `near`: the nearest approach on the way so far; `obstacle_cost`: what the
    rings cost so far. Returns both anew, and whether the way ends here."""
    gx, gy, late, want, reach, zx, zy, zr, n, margin = aim
    if want >= 0:
        hit = touching(s, x, y, reach)
        if hit >= 0:
            return (-100.0 + step if hit == want else 100.0 - step), 0.0, True
    for i in range(n):
        gap = math.sqrt((zx[i] - x) ** 2 + (zy[i] - y) ** 2) - zr[i]
        if gap < 0.0:
            obstacle_cost += 100.0 - step
        elif gap < margin:
            obstacle_cost += 2.0 * (margin - gap)
    d = math.sqrt((gx - x) ** 2 + (gy - y) ** 2)
    d += 0.15 * abs(wrap(math.atan2(gy - y, gx - x) - h)) * (d > 0.25)
    if (d if want >= 0 else d + late * step) < near:
        near = d + late * step
    return near, obstacle_cost, False


@device
def _end(s, aim, x, y, h, near, obstacle_cost, step, code, stride, turn):
    """Nothing more to try: what the way costs, and its arcs."""
    return near + obstacle_cost, code


def _one_arc(then):
    """The device function that tries the arcs that come next on a way, and hands each to `then`.

    It returns the least cost of the ways on from a pose that was reached by `step` arcs, the digits of `code` to the
    base 3, and all arcs of that way. Of equals, the one with the smallest code counts.
    """

    @device
    def onward(s, aim, x, y, h, near, obstacle_cost, step, code, stride, turn):
        best = FAR
        choice = code
        for a in range(3):
            way = code + a * 3**step
            u, v, w = arc_pose(s, x, y, h, a, stride, turn)
            cost, more, ends = _evaluate_pose(s, aim, u, v, w, near, obstacle_cost, step)
            if ends:
                cost, way = _end(s, aim, u, v, w, cost, more, step + 1, way, stride, turn)
            else:
                cost, way = then(s, aim, u, v, w, cost, more, step + 1, way, stride, turn)
            if cost < best or (cost == best and way < choice):
                best = cost
                choice = way
        return best, choice

    return onward


# One device function for each arc ahead: Numba cannot cache one that calls itself.
_onward = _end
for _ in range(DEPTH):
    _onward = _one_arc(_onward)


@device
def _look_ahead(s, aim, stride, turn):
    """The first of DEPTH arcs at the least cost. `aim`: a place and what a step on the way there costs; the small
    thing to touch there (-1: none) and from how far; and what `walk` says of rings."""
    _, code = _onward(s, aim, s.agent_x, s.agent_y, s.heading, FAR, 0.0, 0, 0, stride, turn)
    return code % 3


@device
def steer_to_disc(s, want, gx, gy, reach, stride, turn):
    """The arc that best begins a way to disc `want`, resting at (gx, gy).

    Touching another disc within `reach` on the way is a loss.
    """
    wx, wy, _ = waypoint(s, s.agent_x, s.agent_y, gx, gy)
    late = 0.0 if wx == gx and wy == gy else LATE  # being past the corner ends the need for it
    return _look_ahead(s, (wx, wy, late, want, reach, s.disc_x, s.disc_y, s.disc_radius, 0, 0.0), stride, turn)


@device
def steer_to_place(s, gx, gy, zx, zy, zr, n, margin, stride, turn):
    """The arc that best begins a way to the place (gx, gy), out of n rings.

    zx, zy, zr: centres and radii of the rings; to enter one is a loss, and to come within `margin` metres of one is
    avoided where it can be.
    """
    return _look_ahead(s, (gx, gy, LATE, -1, 0.0, zx, zy, zr, n, margin), stride, turn)
