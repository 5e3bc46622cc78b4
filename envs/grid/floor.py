"""A floor of cells in a planar room: positions of cells in metres, boxes on cells, and a block that rolls to its cell.

The record has the fields FLOOR; the parameters have `room` (half extent, m), `cells` (per side) and `split`.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below
from unseen.envs.core.task import FLOAT
from unseen.envs.grid.cells import MAX_SIDE, ROW_BITS, bit, index, shift
from unseen.envs.planar.physics import launch_speed, roll
from unseen.envs.planar.world import DT, place_box

FLOOR = [("cell_size", FLOAT), ("west", FLOAT)]  # side of a cell, and x of the western edge of the cells, m

FRICTION = 4.0  # deceleration of rolling discs, m/s^2
RESTITUTION = 0.5  # restitution
RUN = 3  # the maximum number of cells that the block rolls
OBSERVE_STEPS = 6  # at most five steps of the rolling block, and one at rest
SLIM = 0.46  # half extent, in cells, of a box in a cell, with a small gap to its neighbours


@device
def side(p):
    """Cells per side: `cells`, and under shift one more (one fewer at the maximum size)."""
    if p.split != SHIFT:
        return p.cells
    return p.cells + 1 if p.cells < MAX_SIDE else p.cells - 1


@device
def lay_floor(s, p, rail):
    """Write the size of the room and of its cells, leaving `rail` columns free west of the cells."""
    n = side(p)
    s.cell_size = 2.0 * p.room / (p.cells + rail)
    s.room_hx = 0.5 * (n + rail) * s.cell_size
    s.room_hy = 0.5 * n * s.cell_size
    s.west = rail * s.cell_size - s.room_hx


@device
def middle(s, i):
    """The centre (x, y), m, of cell number i."""
    return (i % ROW_BITS + 0.5) * s.cell_size + s.west, (i // ROW_BITS + 0.5) * s.cell_size - s.room_hy


@device
def cell_at(s, x, y):
    """The cell that contains (x, y), m, as a mask."""
    return bit(int((x - s.west) / s.cell_size), int((y + s.room_hy) / s.cell_size))


@device
def heading_of(d):
    """The heading, rad, of direction d."""
    return 0.5 * math.pi * d if d < 3 else -0.5 * math.pi


@device
def box_over(s, kind, half, x0, y0, x1, y1):
    """Add a box over the cells (x0, y0) to (x1, y1). It ends `half` cells beyond the centres of the outermost cells."""
    k = s.n_boxes
    s.n_boxes = k + 1
    x = 0.5 * (x0 + x1 + 1) * s.cell_size + s.west
    y = 0.5 * (y0 + y1 + 1) * s.cell_size - s.room_hy
    hx = (0.5 * (x1 - x0) + half) * s.cell_size
    hy = (0.5 * (y1 - y0) + half) * s.cell_size
    place_box(s, k, kind, x, y, 1.0, 0.0, hx, hy)


@device
def box_in(s, kind, half, cell):
    """Add a box in a single cell (a mask), with half extent `half` in cells."""
    i = index(cell)
    box_over(s, kind, half, i % ROW_BITS, i // ROW_BITS, i % ROW_BITS, i // ROW_BITS)


@device
def _line(a, cell_size):
    """The index of the grid line nearest to a position `a` metres from the first."""
    return int(a / cell_size + 0.5)


@device
def cells_of_box(s, k):
    """The cells that box k covers, as a mask. Its orientation may be any multiple of 90 degrees."""
    ex = abs(s.box_cos[k]) * s.box_hx[k] + abs(s.box_sin[k]) * s.box_hy[k]
    ey = abs(s.box_sin[k]) * s.box_hx[k] + abs(s.box_cos[k]) * s.box_hy[k]
    x0 = _line(s.box_x[k] - ex - s.west, s.cell_size)
    x1 = _line(s.box_x[k] + ex - s.west, s.cell_size)
    y0 = _line(s.box_y[k] - ey + s.room_hy, s.cell_size)
    y1 = _line(s.box_y[k] + ey + s.room_hy, s.cell_size)
    mask = 0
    for y in range(y0, y1):
        for x in range(x0, x1):
            mask |= bit(x, y)
    return mask


@device
def launch_towards(s, k, open_, goal):
    """Launch disc k in a straight line of open cells, up to RUN cells long, so that it comes to rest in the cell `goal`.

    Writes its position and velocity. Returns False if there is no such line.
    """
    first = below(s, 4)
    longest = 0
    start = goal
    for turn in range(4):
        d = (first + turn) % 4
        cell = goal
        n = 0
        while n < RUN and shift(cell, d) & open_ != 0:
            cell = shift(cell, d)
            n += 1
        if n > longest:
            longest = n
            start = cell
    if longest == 0:
        return False
    s.disc_x[k], s.disc_y[k] = middle(s, index(start))
    x, y = middle(s, index(goal))
    run = longest * s.cell_size
    speed = launch_speed(run, FRICTION)
    s.disc_vx[k] = speed * (x - s.disc_x[k]) / run
    s.disc_vy[k] = speed * (y - s.disc_y[k]) / run
    return True


@device
def roll_discs(s):
    """Advance rolling discs by one step."""
    roll(s, DT, FRICTION, RESTITUTION)
