"""Sets of cells on a square floor as bit masks: cell (x, y) is bit ROW_BITS * y + x of an int64; x is east, y is north.

A floor has at most MAX_SIDE x MAX_SIDE cells, so the eighth column and row are never open and no shift wraps around. A
single cell is given either as a one-bit mask or by its number, the index of that bit. Paths go through "open" cells, in
steps to one of the four neighbours.
"""

from unseen.envs.core.device import device

ROW_BITS = 8  # bits per row of cells
MAX_SIDE = 7  # cells a side
EAST, NORTH, WEST, SOUTH = 0, 1, 2, 3
NONE = -1  # no direction, length or index


@device
def bit(x, y):
    """The mask of cell (x, y)."""
    return 1 << (ROW_BITS * y + x)


@device
def index(cell):
    """The number of the single cell in a mask."""
    return count(cell - 1)


@device
def count(mask):
    """The number of cells in a mask."""
    n = 0
    while mask != 0:
        mask &= mask - 1
        n += 1
    return n


@device
def nth(mask, n):
    """The n-th cell of a mask (n from 0, in order of cell number), as a mask."""
    for _ in range(n):
        mask &= mask - 1
    return mask & -mask


@device
def square(n):
    """All cells of an n x n floor."""
    mask = 0
    for y in range(n):
        mask |= ((1 << n) - 1) << (ROW_BITS * y)
    return mask


@device
def upside_down(mask, n):
    """The cells of an n x n floor with north and south exchanged."""
    mask = ((mask >> 8) & 0x00FF00FF00FF00FF) | ((mask & 0x00FF00FF00FF00FF) << 8)
    mask = ((mask >> 16) & 0x0000FFFF0000FFFF) | ((mask & 0x0000FFFF0000FFFF) << 16)
    mask = ((mask >> 32) & 0x00000000FFFFFFFF) | (mask << 32)
    return mask >> ROW_BITS * (ROW_BITS - n)


@device
def sideways(mask, n):
    """The cells of an n x n floor with east and west exchanged."""
    mask = ((mask >> 1) & 0x5555555555555555) | ((mask & 0x5555555555555555) << 1)
    mask = ((mask >> 2) & 0x3333333333333333) | ((mask & 0x3333333333333333) << 2)
    mask = ((mask >> 4) & 0x0F0F0F0F0F0F0F0F) | ((mask & 0x0F0F0F0F0F0F0F0F) << 4)
    return mask >> ROW_BITS - n


@device
def transposed(mask):
    """The cells with x and y exchanged."""
    t = (mask ^ (mask >> 7)) & 0x00AA00AA00AA00AA
    mask ^= t ^ (t << 7)
    t = (mask ^ (mask >> 14)) & 0x0000CCCC0000CCCC
    mask ^= t ^ (t << 14)
    t = (mask ^ (mask >> 28)) & 0x00000000F0F0F0F0
    return mask ^ t ^ (t << 28)


@device
def row(y):
    """All cells with the given y."""
    return ((1 << ROW_BITS) - 1) << (ROW_BITS * y)


@device
def opposite(d):
    """The direction opposite to d."""
    return (d + 2) % 4


@device
def shift(mask, d):
    """The cells one step in direction d from those of a mask."""
    if d == EAST:
        return mask << 1
    if d == NORTH:
        return mask << ROW_BITS
    if d == WEST:
        return mask >> 1
    return mask >> ROW_BITS


@device
def neighbours(mask):
    """The cells one step in any direction from those of a mask."""
    return (mask << 1) | (mask >> 1) | (mask << ROW_BITS) | (mask >> ROW_BITS)


@device
def reachable(open_, start):
    """All cells reachable from those of `start`, including `start`."""
    reached = start
    while True:
        wider = (neighbours(reached) & open_) | reached
        if wider == reached:
            return reached
        reached = wider


@device
def distance(open_, start, end, most):
    """The length in steps of a shortest path from start to end; NONE if it is longer than `most`."""
    reached = start
    for t in range(most + 1):
        if reached & end != 0:
            return t
        reached |= neighbours(reached) & open_
    return NONE


@device
def first_step(open_, here, goal):
    """The first direction of a shortest path from `here` to any cell of `goal`; NONE if there is no path.

    `here` must not be a cell of `goal`.
    """
    frontier = goal & open_
    known = frontier
    while frontier != 0:
        before = 0
        for d in range(4):
            came = shift(frontier, opposite(d)) & open_
            if came & here != 0:
                return d
            before |= came
        frontier = before & ~known
        known |= frontier
    return NONE


@device
def nearest(open_, here, targets):
    """The cell of `targets` nearest to `here` by path length; ties by number; 0 if none is reachable."""
    if targets == 0:
        return 0
    reached = here
    while reached & targets == 0:
        wider = reached | (neighbours(reached) & open_)
        if wider == reached:
            return 0
        reached = wider
    return nth(reached & targets, 0)
