"""Steering to a disc or to a place: a path to the next corner on a visibility graph, or rings to avoid, and then a
short exhaustive look-ahead over arcs.

Arcs are 0 forward, 1 left, 2 right: a turn of 0 or +-`turn` radians, then `stride` metres ahead. Metres, radians.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR, segment_box, wrap
from unseen.envs.planar.world import AGENT_RADIUS, slide, touching

CLEARANCE = 0.04  # m between the agent and a corner that it passes
DEPTH = 4  # arcs of the look-ahead
STEP_COST = 0.02  # cost of a step, in metres of distance
_LOSS = 100.0  # cost of touching a wrong disc or entering a ring: more than any distance


@device
def _free(s, x0, y0, x1, y1):
    """Whether a disc slightly smaller than the agent can go straight from (x0, y0) to (x1, y1)."""
    grow = AGENT_RADIUS * 0.9
    dx = x1 - x0
    dy = y1 - y0
    for k in range(s.n_boxes):
        t = segment_box(
            x0, y0, dx, dy, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k] + grow, s.box_hy[k] + grow
        )
        if t < 1.0:
            return False
    return True


@device
def _corner(s, i):
    """Node i of the visibility graph: corner i % 4 of box i // 4, offset by the agent's radius and CLEARANCE."""
    k = i // 4
    a = (s.box_hx[k] + AGENT_RADIUS + CLEARANCE) * (1.0 if i & 1 else -1.0)
    b = (s.box_hy[k] + AGENT_RADIUS + CLEARANCE) * (1.0 if i & 2 else -1.0)
    return s.box_x[k] + a * s.box_cos[k] - b * s.box_sin[k], s.box_y[k] + a * s.box_sin[k] + b * s.box_cos[k]


@device
def waypoint(s, x, y, gx, gy):
    """The next point on the shortest path from (x, y) to (gx, gy) round at most two corners, and its length, m.

    If there is no such path, returns the goal itself, and the straight distance plus 1000 m.
    """
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
    """The pose after arc a from the pose (x, y, h), sliding along walls and boxes."""
    if a == 1:
        h = wrap(h + turn)
    elif a == 2:
        h = wrap(h - turn)
    x, y = slide(s, x, y, h, stride)
    return x, y, h


@device
def arc_towards(x, y, h, gx, gy, turn):
    """The arc that turns the pose (x, y, h) towards (gx, gy) most directly."""
    off = wrap(math.atan2(gy - y, gx - x) - h)
    if abs(off) <= 0.5 * turn:
        return 0
    return 1 if off > 0.0 else 2


@device
def _evaluate_pose(s, goal, x, y, h, distance_cost, obstacle_cost, step):
    """Evaluate the pose after arc number `step` (from 0) of the look-ahead.

    Args:
        goal: (gx, gy, step_cost, disc, reach, ring_x, ring_y, ring_radius, rings, margin): the position to reach; the
            cost of a step, m; the disc to touch there from within `reach` m (-1: none); centres and radii of the first
            `rings` rings to avoid, if possible with a margin of `margin` m.
        distance_cost: the minimum over the poses so far, m: distance to the goal plus a small penalty for facing away.
        obstacle_cost: the sum over the poses so far.

    Returns:
        The updated distance_cost and obstacle_cost, and whether the search ends here because a disc is touched.
    """
    gx, gy, step_cost, disc, reach, ring_x, ring_y, ring_radius, rings, margin = goal
    if disc >= 0:
        hit = touching(s, x, y, reach)
        if hit >= 0:
            return (-_LOSS + step if hit == disc else _LOSS - step), 0.0, True
    for i in range(rings):
        gap = math.sqrt((ring_x[i] - x) ** 2 + (ring_y[i] - y) ** 2) - ring_radius[i]
        if gap < 0.0:
            obstacle_cost += _LOSS - step
        elif gap < margin:
            obstacle_cost += 2.0 * (margin - gap)
    d = math.sqrt((gx - x) ** 2 + (gy - y) ** 2)
    d += 0.15 * abs(wrap(math.atan2(gy - y, gx - x) - h)) * (d > 0.25)
    if (d if disc >= 0 else d + step_cost * step) < distance_cost:
        distance_cost = d + step_cost * step
    return distance_cost, obstacle_cost, False


@device
def _end(s, goal, x, y, h, distance_cost, obstacle_cost, step, code, stride, turn):
    """The end of a sequence of arcs: returns its cost and its code."""
    return distance_cost + obstacle_cost, code


def _one_arc(then):
    """A device function that tries each of the three arcs from a pose and continues with `then`.

    Its arguments are the pose, its costs from `_evaluate_pose`, the number of arcs so far, and these arcs as the base-3
    digits of `code`. It returns the cost and code of the best sequence that starts with them; ties go to the smallest
    code.
    """

    @device
    def onward(s, goal, x, y, h, distance_cost, obstacle_cost, step, code, stride, turn):
        best = FAR
        best_code = code
        for a in range(3):
            longer = code + a * 3**step
            u, v, w = arc_pose(s, x, y, h, a, stride, turn)
            near, obstacles, ends = _evaluate_pose(s, goal, u, v, w, distance_cost, obstacle_cost, step)
            if ends:
                cost, longer = _end(s, goal, u, v, w, near, obstacles, step + 1, longer, stride, turn)
            else:
                cost, longer = then(s, goal, u, v, w, near, obstacles, step + 1, longer, stride, turn)
            if cost < best or (cost == best and longer < best_code):
                best = cost
                best_code = longer
        return best, best_code

    return onward


# One device function per arc of the look-ahead, because Numba cannot cache recursive functions.
_search = _end
for _ in range(DEPTH):
    _search = _one_arc(_search)


@device
def _look_ahead(s, goal, stride, turn):
    """The first arc of the best sequence of DEPTH arcs; `goal` as in `_evaluate_pose`."""
    _, code = _search(s, goal, s.agent_x, s.agent_y, s.heading, FAR, 0.0, 0, 0, stride, turn)
    return code % 3


@device
def steer_to_disc(s, want, gx, gy, reach, stride, turn):
    """The best arc towards disc `want` at (gx, gy), which is touched from within `reach` m.

    Touching another disc on the way costs more than any detour.
    """
    wx, wy, _ = waypoint(s, s.agent_x, s.agent_y, gx, gy)
    step_cost = 0.0 if wx == gx and wy == gy else STEP_COST  # near the disc, an earlier touch is always better
    goal = (wx, wy, step_cost, want, reach, s.disc_x, s.disc_y, s.disc_radius, 0, 0.0)
    return _look_ahead(s, goal, stride, turn)


@device
def steer_to_place(s, gx, gy, ring_x, ring_y, ring_radius, rings, margin, stride, turn):
    """The best arc towards the position (gx, gy) that avoids rings.

    Args:
        ring_x, ring_y, ring_radius: centres and radii of the first `rings` rings, m. Entering one costs more than any
            detour; coming within `margin` m of one costs a little.
    """
    return _look_ahead(s, (gx, gy, STEP_COST, -1, 0.0, ring_x, ring_y, ring_radius, rings, margin), stride, turn)
