"""Distance field: distances to a goal from every cell of a room, round any obstacle and through one-way doors.

`navigate.waypoint` is faster, but only finds paths round one or two corners. s is the room, f the grid (dtype FIELD). Call
`mark_obstacles` (where the agent cannot stand), `mark_forbidden` (where it should not) and `fill_distances` in this order;
then `place_ahead` gives the next position on a shortest path.

A box of kind `door` can only be passed in the direction of its first axis. A cell is an index into the grid.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR, disc_box
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.world import AGENT_RADIUS

RESOLUTION = 32  # cells per side, each narrower than the agent, so that the cells at the edge are never open
CELLS = RESOLUTION * RESOLUTION
STRAIGHT, DIAGONAL = 5, 7  # step lengths to neighbours; their ratio approximates sqrt(2) (Borgefors, 1986)
MARGIN = 0.5  # m, see `least_metres`
INFINITE = 30_000  # distance of a cell without a path to the goal
BLOCKED, OPEN = -1, 0  # marks; k + 1 marks the doorway of box k

FIELD = np.dtype([
    ("distance", "i2", (CELLS,)),  # to the goal
    ("mark", "i1", (CELLS,)),
    # For `fill_distances`: cells reached by a straight and by a diagonal step, in order of distance, and those dealt with.
    ("queue", "i2", (2, CELLS)), ("done", "i1", (CELLS,)),
], align=True)  # fmt: skip


@device
def cell_of(s, x, y):
    """The cell that contains (x, y), m."""
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
    """Signed distance (m) of (x, y) beyond door k along its first axis; negative in front of it."""
    return (x - s.box_x[k]) * s.box_cos[k] + (y - s.box_y[k]) * s.box_sin[k]


@device
def agent_in_box(s, k, x, y):
    """Penetration depth (m) of an agent at (x, y) into box k; 0 if they do not overlap."""
    depth, _, _ = disc_box(
        x, y, AGENT_RADIUS, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
    )
    return depth


@device
def _rows_near(at, reach, half):
    """First and last row of cells within `reach` of coordinate `at`; `half` is the room's half extent. All in m."""
    unit = 0.5 * RESOLUTION / half
    return max(int((at - reach + half) * unit), 0), min(int((at + reach + half) * unit), RESOLUTION - 1)


@device
def mark_obstacles(s, f, door):
    """Write all marks: BLOCKED where the agent would overlap a wall of the room or a box; doorway marks at doors."""
    for c in range(CELLS):
        f.mark[c] = OPEN
    for i in range(RESOLUTION):
        x, y = centre_of(s, i * RESOLUTION + i)
        if abs(x) > s.room_hx - AGENT_RADIUS:
            for j in range(RESOLUTION):
                f.mark[i * RESOLUTION + j] = BLOCKED
        if abs(y) > s.room_hy - AGENT_RADIUS:
            for j in range(RESOLUTION):
                f.mark[j * RESOLUTION + i] = BLOCKED
    for solid in range(2):  # solid boxes override doorways
        for k in range(s.n_boxes):
            if (s.box_kind[k] != door) == (solid == 1):
                _mark_box(s, f, k, BLOCKED if solid == 1 else k + 1)


@device
def _near_box(s, k, x, y):
    """Whether an agent at (x, y) might overlap box k: a cheap test."""
    rx = x - s.box_x[k]
    ry = y - s.box_y[k]
    return (
        abs(rx * s.box_cos[k] + ry * s.box_sin[k]) < s.box_hx[k] + AGENT_RADIUS
        and abs(ry * s.box_cos[k] - rx * s.box_sin[k]) < s.box_hy[k] + AGENT_RADIUS
    )


@device
def _mark_box(s, f, k, mark):
    """Set `mark` in the cells where the agent would overlap box k."""
    reach = math.sqrt(s.box_hx[k] ** 2 + s.box_hy[k] ** 2) + AGENT_RADIUS
    i0, i1 = _rows_near(s.box_x[k], reach, s.room_hx)
    j0, j1 = _rows_near(s.box_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * RESOLUTION + j
            if f.mark[c] != BLOCKED:
                x, y = centre_of(s, c)
                if _near_box(s, k, x, y) and agent_in_box(s, k, x, y) > 0.0:
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
    """Mark as BLOCKED the cells from which disc k is touched."""
    i0, i1 = _rows_near(s.disc_x[k], reach, s.room_hx)
    j0, j1 = _rows_near(s.disc_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * RESOLUTION + j
            if _touches(s, c, k, reach):
                f.mark[c] = BLOCKED


@device
def fill_distances(s, f, k, reach):
    """Write the distance from every cell to a cell where disc k is touched, by Dijkstra's algorithm (8 neighbours).

    Cells are dealt with in order of distance, so those reached by steps of one length are found in that order, too: two
    queues take the place of a heap, and a cell enters each at most once.
    """
    for c in range(CELLS):
        f.distance[c] = INFINITE
        f.done[c] = 0
    straight = 0  # heads and ends of the queues
    straight_end = 0
    diagonal = 0
    diagonal_end = 0
    i0, i1 = _rows_near(s.disc_x[k], reach, s.room_hx)
    j0, j1 = _rows_near(s.disc_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * RESOLUTION + j
            if f.mark[c] != BLOCKED and _touches(s, c, k, reach):
                f.distance[c] = 0
                f.queue[0, straight_end] = c
                straight_end += 1
    while straight < straight_end or diagonal < diagonal_end:
        if diagonal == diagonal_end or (
            straight < straight_end and f.distance[f.queue[0, straight]] <= f.distance[f.queue[1, diagonal]]
        ):
            c = f.queue[0, straight]
            straight += 1
        else:
            c = f.queue[1, diagonal]
            diagonal += 1
        if f.done[c] != 0:
            continue
        f.done[c] = 1
        door = f.mark[c] != OPEN
        for i in range(-1, 2):
            for j in range(-1, 2):
                n = c + i * RESOLUTION + j  # never outside the grid, whose edge is blocked
                d = f.distance[c] + (STRAIGHT if i * j == 0 else DIAGONAL)
                if d < f.distance[n] and f.mark[n] != BLOCKED and (not door or _may_enter(s, f, n, c)):
                    f.distance[n] = d
                    if i * j == 0:
                        f.queue[0, straight_end] = n
                        straight_end += 1
                    else:
                        f.queue[1, diagonal_end] = n
                        diagonal_end += 1


@device
def _may_enter(s, f, n, c):
    """Whether the agent may go from cell n to its neighbour c: it can enter a doorway only from the front."""
    k = f.mark[c] - 1
    if k < 0 or f.mark[n] == k + 1:
        return True
    x, y = centre_of(s, n)
    return beyond_door(s, k, x, y) < 0.0


@device
def _start(s, f, x, y):
    """The first cell of a path from (x, y): its own cell or, if that is blocked, the best visible cell nearby.

    Returns -1 if there is no path.
    """
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
def least_metres(s, f):
    """A length (m) that no way from the agent to the goal falls short of; FAR if there is none.

    Distances of the grid are up to 1.08 times those in the room, and MARGIN too long where cells cut corners.
    """
    c = cell_of(s, s.agent_x, s.agent_y)
    best = INFINITE
    open_ = False
    for i in range(max(c // RESOLUTION - 1, 0), min(c // RESOLUTION + 2, RESOLUTION)):
        for j in range(max(c % RESOLUTION - 1, 0), min(c % RESOLUTION + 2, RESOLUTION)):
            n = i * RESOLUTION + j
            if f.mark[n] != BLOCKED:
                open_ = True
                best = min(best, f.distance[n])
    if best < INFINITE:
        return best * 2.0 * s.room_hx / (RESOLUTION * STRAIGHT) / 1.08 - MARGIN
    return FAR if open_ else 0.0


@device
def place_ahead(s, f, steps):
    """The farthest position (x, y) on the agent's path, at most `steps` cells ahead, that it can reach in a straight line.

    Also returns whether there is a path.
    """
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
    """Whether all cells on the straight line from the agent to (x, y) are open."""
    n = int(math.sqrt((x - s.agent_x) ** 2 + (y - s.agent_y) ** 2) * RESOLUTION / s.room_hx) + 1  # half a cell apart
    for i in range(1, n + 1):
        t = i / n
        if (
            i * s.room_hx / RESOLUTION > AGENT_RADIUS
            and f.mark[cell_of(s, s.agent_x + t * (x - s.agent_x), s.agent_y + t * (y - s.agent_y))] == BLOCKED
        ):
            return False
    return True
