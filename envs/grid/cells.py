"""A floor of square cells as bit masks: cell (x, y) is bit 8 y + x of an int64.

A floor has at most 7 x 7 cells, so that the eighth column and row are a rim that is never open and no shift wraps.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.planar.physics import launch_speed

STRIDE = 8
SIDE = 7  # cells a side, at most
EAST, NORTH, WEST, SOUTH = 0, 1, 2, 3
NOWHERE = -1

# What a record needs for places in metres: the side of a cell, and the x at which the cells begin. They begin in y at
# the room's southern wall.
GRID = [("cell", "f8"), ("west", "f8")]


@device
def bit(x, y):
    """The mask of one cell."""
    return 1 << (STRIDE * y + x)


@device
def index(b):
    """The number of a mask's only cell."""
    return math.frexp(float(b))[1] - 1


@device
def count(m):
    n = 0
    while m != 0:
        m &= m - 1
        n += 1
    return n


@device
def nth(m, n):
    """The n-th cell of a mask, from 0, as a mask."""
    for _ in range(n):
        m &= m - 1
    return m & -m


@device
def shift(m, d):
    """All cells of a mask, one further in direction d."""
    if d == EAST:
        return m << 1
    if d == NORTH:
        return m << STRIDE
    if d == WEST:
        return m >> 1
    return m >> STRIDE


@device
def grow(m):
    """The cells beside those of a mask."""
    return (m << 1) | (m >> 1) | (m << STRIDE) | (m >> STRIDE)


@device
def square(n):
    """All cells of a floor of n x n."""
    row = (1 << n) - 1
    m = 0
    for y in range(n):
        m |= row << (STRIDE * y)
    return m


@device
def walk(m, open_):
    """All cells that can be reached from those of a mask by way of open ones."""
    reached = m
    while True:
        wider = (grow(reached) & open_) | reached
        if wider == reached:
            return reached
        reached = wider


@device
def distance(open_, start, end, most):
    """Steps from start to end by way of open cells; NOWHERE if there are more than `most`."""
    reached = start
    for t in range(most + 1):
        if reached & end != 0:
            return t
        reached |= grow(reached) & open_
    return NOWHERE


@device
def first_step(open_, here, goal):
    """The direction of the first step of a shortest way to any cell of `goal` by way of open cells; NOWHERE if there is
    none. `here` must not be one of them."""
    ring = goal & open_
    known = ring
    while ring != 0:
        before = 0
        for d in range(4):
            came = shift(ring, (d + 2) % 4) & open_
            if came & here != 0:
                return d
            before |= came
        ring = before & ~known
        known |= ring
    return NOWHERE


@device
def nearest(open_, here, targets):
    """The cell among `targets` with the shortest way from `here`; the lowest of several. 0: none can be reached."""
    if targets == 0:
        return 0
    reached = here
    while reached & targets == 0:
        wider = reached | (grow(reached) & open_)
        if wider == reached:
            return 0
        reached = wider
    return nth(reached & targets, 0)


@device
def side(p):
    """Cells a side: under shift one more, at the largest size one fewer."""
    if p.split != 2:
        return p.cells
    return p.cells + 1 if p.cells < SIDE else p.cells - 1


@device
def middle(s, i):
    """The middle of cell number i, m."""
    return (i % STRIDE + 0.5) * s.cell + s.west, (i // STRIDE + 0.5) * s.cell - s.room_hy


@device
def cell_at(s, x, y):
    """The cell in which a place lies, as a mask."""
    return bit(int((x - s.west) / s.cell), int((y + s.room_hy) / s.cell))


@device
def stand_box(s, kind, slim, x0, y0, x1, y1):
    """Add a tall box over the cells from (x0, y0) to (x1, y1), the outer ones filled to `slim` cells from their
    middles."""
    k = s.n_boxes
    s.n_boxes = k + 1
    s.box_x[k] = 0.5 * (x0 + x1 + 1) * s.cell + s.west
    s.box_y[k] = 0.5 * (y0 + y1 + 1) * s.cell - s.room_hy
    s.box_cos[k] = 1.0
    s.box_sin[k] = 0.0
    s.box_hx[k] = (0.5 * (x1 - x0) + slim) * s.cell
    s.box_hy[k] = (0.5 * (y1 - y0) + slim) * s.cell
    s.box_kind[k] = kind


@device
def _line(a, cell):
    """The grid line nearest to a place, `a` metres from the first."""
    return int(a / cell + 0.5)


@device
def box_cells(s, k):
    """The cells over which a tall box stands that was added by `stand_box`, maybe turned by a right angle."""
    ex = abs(s.box_cos[k]) * s.box_hx[k] + abs(s.box_sin[k]) * s.box_hy[k]
    ey = abs(s.box_sin[k]) * s.box_hx[k] + abs(s.box_cos[k]) * s.box_hy[k]
    m = 0
    for y in range(_line(s.box_y[k] - ey + s.room_hy, s.cell), _line(s.box_y[k] + ey + s.room_hy, s.cell)):
        for x in range(_line(s.box_x[k] - ex - s.west, s.cell), _line(s.box_x[k] + ex - s.west, s.cell)):
            m |= bit(x, y)
    return m


@device
def roll_in(s, k, open_, goal, run, friction):
    """Start small thing k up to `run` cells from the cell `goal`, in a straight line of open cells, with the speed that
    brings it to rest there. False: there is no such line."""
    first = below(s, 4)
    best = 0
    start = goal
    for turn in range(4):
        b = goal
        n = 0
        while n < run and shift(b, (first + turn) % 4) & open_ != 0:
            b = shift(b, (first + turn) % 4)
            n += 1
        if n > best:
            best = n
            start = b
    if best == 0:
        return False
    s.disc_x[k], s.disc_y[k] = middle(s, index(start))
    x, y = middle(s, index(goal))
    d = best * s.cell
    v = launch_speed(d, friction)
    s.disc_vx[k] = v * (x - s.disc_x[k]) / d
    s.disc_vy[k] = v * (y - s.disc_y[k]) / d
    return True
