"""Distances to a goal from every place of a room, on a grid: paths round anything, through one-way doors.

`navigate.waypoint` is quicker, but knows only paths round one or two corners. s is the room, f the grid (dtype FIELD). Call, in
this order, `mark_obstacles` (where the agent can stand), `mark_forbidden` (where it should not) and `fill_distances`; then
`place_ahead` gives the way on from any place.

A box of the kind `door` lets the agent through in the direction of its first axis alone. A cell is an index into the grid.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR, disc_box
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.world import AGENT_RADIUS

RESOLUTION = 32  # cells a side, each narrower than the agent's diameter, so that the rim is never open
CELLS = RESOLUTION * RESOLUTION
STRAIGHT, DIAGONAL = 5, 7  # lengths of a step to a neighbour; their ratio is near enough to sqrt(2) (Borgefors, 1986)
INFINITE = 30_000  # distance where no path leads to the goal
BLOCKED, OPEN = -1, 0  # marks; k + 1 is the doorway of box k

FIELD = np.dtype([
    ("distance", "i2", (CELLS,)),  # to the goal
    ("mark", "i1", (CELLS,)),
    ("queue", "i2", (CELLS,)), ("queued", "i1", (CELLS,)),
], align=True)  # fmt: skip


@device
def cell_of(s, x, y):
    """The cell at (x, y), m."""
    i = min(max(int((x / s.room_hx + 1.0) * 0.5 * RESOLUTION), 0), RESOLUTION - 1)
    j = min(max(int((y / s.room_hy + 1.0) * 0.5 * RESOLUTION), 0), RESOLUTION - 1)
    return i * RESOLUTION + j


@device
def centre_of(s, c):
    """The centre (x, y), m, of a cell."""
    x = ((c // RESOLUTION + 0.5) * 2.0 / RESOLUTION - 1.0) * s.room_hx
    y = ((c % RESOLUTION + 0.5) * 2.0 / RESOLUTION - 1.0) * s.room_hy
    return x, y


@device
def beyond_door(s, k, x, y):
    """How far (x, y) lies beyond door k, along its first axis, m; negative before it."""
    return (x - s.box_x[k]) * s.box_cos[k] + (y - s.box_y[k]) * s.box_sin[k]


@device
def agent_in_box(s, k, x, y):
    """How deep an agent at (x, y) overlaps box k, m; 0 if it does not."""
    depth, _, _ = disc_box(
        x, y, AGENT_RADIUS, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
    )
    return depth


@device
def _rows_near(at, reach, half):
    """First and last row of cells within `reach` of the coordinate `at`, m; `half` is the room's half extent."""
    unit = 0.5 * RESOLUTION / half
    return max(int((at - reach + half) * unit), 0), min(int((at + reach + half) * unit), RESOLUTION - 1)


@device
def mark_obstacles(s, f, door):
    """Write all marks: where the agent overlaps a wall of the room or a box, it is BLOCKED, and a door's box is a doorway."""
    for c in range(CELLS):
        x, y = centre_of(s, c)
        outside = abs(x) > s.room_hx - AGENT_RADIUS or abs(y) > s.room_hy - AGENT_RADIUS
        f.mark[c] = BLOCKED if outside else OPEN
    for solid in range(2):  # what is solid overrules doorways
        for k in range(s.n_boxes):
            if (s.box_kind[k] != door) == (solid == 1):
                _mark_box(s, f, k, BLOCKED if solid == 1 else k + 1)


@device
def _mark_box(s, f, k, mark):
    """Mark the cells where the agent overlaps box k."""
    reach = math.sqrt(s.box_hx[k] ** 2 + s.box_hy[k] ** 2) + AGENT_RADIUS
    i0, i1 = _rows_near(s.box_x[k], reach, s.room_hx)
    j0, j1 = _rows_near(s.box_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * RESOLUTION + j
            x, y = centre_of(s, c)
            if agent_in_box(s, k, x, y) > 0.0 and f.mark[c] != BLOCKED:
                f.mark[c] = mark


@device
def _touches(s, c, k, reach):
    """Whether disc k is touched from the centre of cell c."""
    x, y = centre_of(s, c)
    return (x - s.disc_x[k]) ** 2 + (y - s.disc_y[k]) ** 2 < reach * reach and path_clear(
        s, x, y, s.disc_x[k], s.disc_y[k]
    )


@device
def mark_forbidden(s, f, k, reach):
    """Mark as BLOCKED the cells from which disc k would be touched."""
    i0, i1 = _rows_near(s.disc_x[k], reach, s.room_hx)
    j0, j1 = _rows_near(s.disc_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * RESOLUTION + j
            if _touches(s, c, k, reach):
                f.mark[c] = BLOCKED


@device
def fill_distances(s, f, k, reach):
    """Write the distance of every cell from those where disc k is touched: a label-correcting search over 8 neighbours."""
    for c in range(CELLS):
        f.distance[c] = INFINITE
        f.queued[c] = 0
    head = 0
    waiting = 0
    i0, i1 = _rows_near(s.disc_x[k], reach, s.room_hx)
    j0, j1 = _rows_near(s.disc_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * RESOLUTION + j
            if f.mark[c] != BLOCKED and _touches(s, c, k, reach):
                f.distance[c] = 0
                f.queue[waiting] = c
                f.queued[c] = 1
                waiting += 1
    while waiting > 0:  # a cell is queued at most once at a time, so that CELLS places are enough
        c = f.queue[head]
        head = (head + 1) % CELLS
        waiting -= 1
        f.queued[c] = 0
        for i in range(-1, 2):
            for j in range(-1, 2):
                n = c + i * RESOLUTION + j  # never outside of the grid: its rim is blocked
                d = f.distance[c] + (STRAIGHT if i * j == 0 else DIAGONAL)
                if d < f.distance[n] and f.mark[n] != BLOCKED and _may_enter(s, f, n, c):
                    f.distance[n] = d
                    if f.queued[n] == 0:
                        f.queued[n] = 1
                        f.queue[(head + waiting) % CELLS] = n
                        waiting += 1


@device
def _may_enter(s, f, n, c):
    """Whether the agent may go from cell n to its neighbour c: into a doorway only from before the door."""
    k = f.mark[c] - 1
    if k < 0 or f.mark[n] == k + 1:
        return True
    x, y = centre_of(s, n)
    return beyond_door(s, k, x, y) < 0.0


@device
def _start(s, f, x, y):
    """The cell at which a path from (x, y) begins: the one there, or if it is blocked the best one near by that can be
    reached straight. -1: there is no path."""
    c = cell_of(s, x, y)
    if f.mark[c] != BLOCKED:
        return c if f.distance[c] < INFINITE else -1
    best = FAR
    found = -1
    for i in range(max(c // RESOLUTION - 2, 0), min(c // RESOLUTION + 3, RESOLUTION)):
        for j in range(max(c % RESOLUTION - 2, 0), min(c % RESOLUTION + 3, RESOLUTION)):
            n = i * RESOLUTION + j
            if f.distance[n] < INFINITE:
                u, v = centre_of(s, n)
                metres = f.distance[n] * 2.0 * s.room_hx / (RESOLUTION * STRAIGHT)
                d = metres + 2.0 * math.sqrt((u - x) ** 2 + (v - y) ** 2)
                if d < best and path_clear(s, x, y, u, v):
                    best = d
                    found = n
    return found


@device
def place_ahead(s, f, steps):
    """The furthest place (x, y) on the agent's path, at most `steps` cells along it, that lies straight ahead of it; and
    whether there is a path."""
    c = _start(s, f, s.agent_x, s.agent_y)
    if c < 0:
        return s.agent_x, s.agent_y, False
    x, y = centre_of(s, c)
    for _ in range(steps):
        best = f.distance[c]
        onward = -1
        for i in range(-1, 2):
            for j in range(-1, 2):
                n = c + i * RESOLUTION + j
                if f.distance[n] < best and _may_enter(s, f, c, n):
                    best = f.distance[n]
                    onward = n
        if onward < 0:
            break
        u, v = centre_of(s, onward)
        if not _straight_ahead(s, f, u, v):
            break
        c = onward
        x = u
        y = v
    return x, y, True


@device
def _straight_ahead(s, f, x, y):
    """Whether the cells on the straight way from the agent to (x, y) are all open."""
    n = int(math.sqrt((x - s.agent_x) ** 2 + (y - s.agent_y) ** 2) * RESOLUTION / s.room_hx) + 1  # half a cell apart
    for i in range(1, n + 1):
        t = i / n
        if (
            i * s.room_hx / RESOLUTION > AGENT_RADIUS
            and f.mark[cell_of(s, s.agent_x + t * (x - s.agent_x), s.agent_y + t * (y - s.agent_y))] == BLOCKED
        ):
            return False
    return True
