"""How far it is from every place of a room to a goal, on a grid: ways round anything.

`navigate.waypoint` is quicker, and knows only ways by two corners. s is the room, f the grid (a record of dtype FIELD).
Call, in this order, `survey` (where the agent can stand), `forbid` (where it should not) and `spread`; then `lead` gives
the way on from any place.

A box of the kind `oneway` is a door that opens in the direction of its first axis alone.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR, disc_box
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.world import AGENT_RADIUS

GRID = 32  # cells a side, each less than an agent's diameter wide, so that the rim is never open
CELLS = GRID * GRID
STRAIGHT, DIAGONAL = 5, 7  # lengths of a step to a neighbour, whose ratio is near enough to sqrt(2) (Borgefors, 1986)
NOWHERE = 30_000  # no way leads from here
BARRED, OPEN = -1, 0  # marks; k + 1 is the doorway of box k

FIELD = np.dtype([
    ("far", "i2", (CELLS,)),  # length of the way to the goal
    ("mark", "i1", (CELLS,)), ("queue", "i2", (CELLS,)), ("queued", "i1", (CELLS,)),
])  # fmt: skip


@device
def cell(s, x, y):
    """The cell of a place."""
    i = min(max(int((x / s.room_hx + 1.0) * 0.5 * GRID), 0), GRID - 1)
    j = min(max(int((y / s.room_hy + 1.0) * 0.5 * GRID), 0), GRID - 1)
    return i * GRID + j


@device
def centre(s, c):
    """The place in the middle of a cell."""
    return ((c // GRID + 0.5) * 2.0 / GRID - 1.0) * s.room_hx, ((c % GRID + 0.5) * 2.0 / GRID - 1.0) * s.room_hy


@device
def metres(s, f, c):
    """How far the goal is from cell c, in m."""
    return f.far[c] * 2.0 * s.room_hx / (GRID * STRAIGHT)


@device
def ahead_of(s, k, x, y):
    """How far a place lies beyond the middle of box k, along its first axis."""
    return (x - s.box_x[k]) * s.box_cos[k] + (y - s.box_y[k]) * s.box_sin[k]


@device
def _span(s, at, reach, half):
    """First and last row of cells within `reach` of the coordinate `at`; `half` is the room's half extent."""
    unit = 0.5 * GRID / half
    return max(int((at - reach + half) * unit), 0), min(int((at + reach + half) * unit), GRID - 1)


@device
def survey(s, f, oneway):
    """Mark where the agent's disc meets a wall, a box or an open doorway."""
    for c in range(CELLS):
        x, y = centre(s, c)
        out = abs(x) > s.room_hx - AGENT_RADIUS or abs(y) > s.room_hy - AGENT_RADIUS
        f.mark[c] = BARRED if out else OPEN
    for shut in range(2):  # what is solid overrules doorways
        for k in range(s.n_boxes):
            if (s.box_kind[k] != oneway) == (shut == 1):
                _mark(s, f, k, BARRED if shut == 1 else k + 1)


@device
def _mark(s, f, k, value):
    reach = math.sqrt(s.box_hx[k] ** 2 + s.box_hy[k] ** 2) + AGENT_RADIUS
    i0, i1 = _span(s, s.box_x[k], reach, s.room_hx)
    j0, j1 = _span(s, s.box_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * GRID + j
            x, y = centre(s, c)
            depth, _, _ = disc_box(
                x, y, AGENT_RADIUS, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
            )
            if depth > 0.0 and f.mark[c] != BARRED:
                f.mark[c] = value


@device
def _touches(s, c, k, reach):
    """Whether disc k is touched from the middle of cell c."""
    x, y = centre(s, c)
    return (x - s.disc_x[k]) ** 2 + (y - s.disc_y[k]) ** 2 < reach * reach and path_clear(
        s, x, y, s.disc_x[k], s.disc_y[k]
    )


@device
def forbid(s, f, k, reach):
    """Bar the places from which disc k would be touched."""
    i0, i1 = _span(s, s.disc_x[k], reach, s.room_hx)
    j0, j1 = _span(s, s.disc_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * GRID + j
            if _touches(s, c, k, reach):
                f.mark[c] = BARRED


@device
def spread(s, f, k, reach):
    """Fill `far` from the places from which disc k is touched: a label-correcting search over 8 neighbours."""
    for c in range(CELLS):
        f.far[c] = NOWHERE
        f.queue[c] = 0
        f.queued[c] = 0
    head = 0
    waiting = 0
    i0, i1 = _span(s, s.disc_x[k], reach, s.room_hx)
    j0, j1 = _span(s, s.disc_y[k], reach, s.room_hy)
    for i in range(i0, i1 + 1):
        for j in range(j0, j1 + 1):
            c = i * GRID + j
            if f.mark[c] != BARRED and _touches(s, c, k, reach):
                f.far[c] = 0
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
                n = c + i * GRID + j  # never outside of the grid: its rim is barred
                d = f.far[c] + (STRAIGHT if i * j == 0 else DIAGONAL)
                if d < f.far[n] and f.mark[n] != BARRED and _may(s, f, n, c):
                    f.far[n] = d
                    if f.queued[n] == 0:
                        f.queued[n] = 1
                        f.queue[(head + waiting) % CELLS] = n
                        waiting += 1


@device
def _may(s, f, n, c):
    """Whether one can go from cell n to its neighbour c: into a doorway only from before the door."""
    k = f.mark[c] - 1
    if k < 0 or f.mark[n] == k + 1:
        return True
    x, y = centre(s, n)
    return ahead_of(s, k, x, y) < 0.0


@device
def stand(s, f, x, y):
    """The cell with the shortest way among those about a place that can be reached straight; -1 if none has a way."""
    c = cell(s, x, y)
    if f.mark[c] != BARRED:
        return c if f.far[c] < NOWHERE else -1
    best = FAR
    found = -1
    for i in range(max(c // GRID - 2, 0), min(c // GRID + 3, GRID)):
        for j in range(max(c % GRID - 2, 0), min(c % GRID + 3, GRID)):
            n = i * GRID + j
            if f.far[n] < NOWHERE:
                u, v = centre(s, n)
                d = metres(s, f, n) + 2.0 * math.sqrt((u - x) ** 2 + (v - y) ** 2)
                if d < best and path_clear(s, x, y, u, v):
                    best = d
                    found = n
    return found


@device
def lead(s, f, steps):
    """A place down the way from the agent, up to `steps` cells on but straight ahead of it, and whether there is one;
    at the way's end, none is further."""
    c = stand(s, f, s.agent_x, s.agent_y)
    if c < 0:
        return s.agent_x, s.agent_y, False
    x, y = centre(s, c)
    for _ in range(steps):
        best = f.far[c]
        on = -1
        for i in range(-1, 2):
            for j in range(-1, 2):
                n = c + i * GRID + j
                if f.far[n] < best and _may(s, f, c, n):
                    best = f.far[n]
                    on = n
        if on < 0:
            break
        u, v = centre(s, on)
        if not _open_line(s, f, u, v):
            break
        c = on
        x = u
        y = v
    return x, y, True


@device
def _open_line(s, f, x, y):
    """Whether the cells on the straight way from the agent to a place are all open."""
    n = int(math.sqrt((x - s.agent_x) ** 2 + (y - s.agent_y) ** 2) * GRID / s.room_hx) + 1  # half a cell apart
    for i in range(1, n + 1):
        t = i / n
        if (
            i * s.room_hx / GRID > AGENT_RADIUS
            and f.mark[cell(s, s.agent_x + t * (x - s.agent_x), s.agent_y + t * (y - s.agent_y))] == BARRED
        ):
            return False
    return True
