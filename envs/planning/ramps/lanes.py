"""The exact motion of the ball in Ramps, and an exact search for a plan. Sets of cells are bit masks.

The ball leaves a launcher on a rail west of the field, heading east, and rolls from cell centre to cell centre. A
deflector (/ in `slash`, \\ in `back`) turns it by 90 degrees there without loss of speed; anything else that is not open
is padded and stops it. It comes to rest against the block if it could not have rolled more than one power step farther;
if it is faster, it knocks the block away.

The world s has `goal` (the block's cell), `free`, the cell size and the radii of the discs; the parameters have `powers`
and `cells_per_power`.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import EAST, NORTH, ROW_BITS, SOUTH, WEST, bit, index, shift

BALL, BLOCK = 0, 1  # discs
# States of the ball: rolling; at rest against the block; too fast, so that it knocks the block away; stopped by padding.
ROLLS, RESTS, KNOCKS, STOPS = 0, 1, 2, 3
MAX_RUN = 64.0  # cells: longer than any path of the ball

# A plan: number of deflectors, length of the roll in cells, row and power of the launcher, masks of deflectors.
LANE_PLAN = np.dtype(
    [("bends", INT), ("length", INT), ("row", INT), ("power", INT), ("slash", INT), ("back", INT)], align=True
)


@device
def _deflected(d, cell, slash, back):
    """The new direction of a ball that reaches the centre of a cell in direction d."""
    if cell & slash != 0:
        return d ^ 1
    if cell & back != 0:
        return 3 - d
    return d


@device
def run_of(s, p, power):
    """The distance (m) that the ball rolls with a power."""
    return power * p.cells_per_power * s.cell_size


@device
def ball_at(s, p, open_, slash, back, row, run, way):
    """The ball after `way` metres, released in `row` with the speed for `run` metres.

    Returns its state, the last cell whose centre it passed (0: still on the rail), its direction, the distance from
    there, m, and the total distance, m, at most `way`. From contact with the block the state is RESTS or KNOCKS.
    """
    gap = s.disc_radius[BALL] + s.disc_radius[BLOCK]
    pad = 0.5 * s.cell_size - s.disc_radius[BALL]
    cell = 0
    d = EAST
    gone = 0.0
    while True:
        left = way - gone
        to = shift(cell, d) if cell != 0 else bit(0, row)
        if to == s.goal and left >= s.cell_size - gap:
            met = gone + s.cell_size - gap
            return (RESTS if run - met < run_of(s, p, 1) else KNOCKS), cell, d, s.cell_size - gap, met
        if to & open_ == 0 and left >= pad:
            return STOPS, cell, d, pad, gone + pad
        if left < s.cell_size:
            return ROLLS, cell, d, left, way
        gone += s.cell_size
        cell = to
        d = _deflected(d, cell, slash, back)


@device
def swept(mask, open_, d):
    """All open cells crossed by balls that leave the cells of a mask in direction d."""
    crossed = 0
    mask = shift(mask, d) & open_
    while mask != 0:
        crossed |= mask
        mask = shift(mask, d) & open_
    return crossed


@device
def within_bends(open_, n, bends):
    """All cells that a ball can reach with at most `bends` deflectors, on a field of n x n cells."""
    new = 0
    for y in range(n):
        new |= bit(0, y) & open_
    new |= swept(new, open_, EAST)
    reached = new
    for b in range(bends):
        if b % 2 == 0:
            new = swept(new, open_, NORTH) | swept(new, open_, SOUTH)
        else:
            new = swept(new, open_, EAST) | swept(new, open_, WEST)
        reached |= new
    return reached


@device
def _add_corner(plan, x, y, east, north):
    """Add to the plan the deflector at (x, y) between a lane heading east (else west) and one heading north (else south)."""
    if east == north:
        plan.slash |= bit(x, y)
    else:
        plan.back |= bit(x, y)


@device
def _draft(s, plan, bends, row, column, last_row):
    """Write the plan with `bends` deflectors that leads from `row` via `column` and then `last_row` to the block.

    With fewer bends, `last_row` and `column` are those of the block. Returns False if there is no such plan.
    """
    x = index(s.goal) % ROW_BITS
    y = index(s.goal) // ROW_BITS
    plan.row = row
    plan.slash = 0
    plan.back = 0
    if bends == 0:
        return row == y
    if bends == 1:
        column = x
    if bends < 3:
        last_row = y
    if last_row == row or (bends > 1 and column == x) or (bends > 2 and last_row == y):
        return False
    _add_corner(plan, column, row, True, last_row > row)
    if bends > 1:
        _add_corner(plan, column, last_row, x > column, last_row > row)
    if bends > 2:
        _add_corner(plan, x, last_row, x > column, y > last_row)
    return True


@device
def _first_corners(s, open_, lanes, bends, column, last_row):
    """The cells of `column` where the first of `bends` deflectors can turn a ball that leads via `last_row` to the block.

    Without deflectors: a cell of the block's row. lanes: cells that a ball crosses without deflectors.
    """
    x = index(s.goal) % ROW_BITS
    y = index(s.goal) // ROW_BITS
    if bends == 0:
        return bit(0, y)
    aim = s.goal
    if bends > 2:
        corner = bit(x, last_row)
        if (swept(aim, open_, NORTH) | swept(aim, open_, SOUTH)) & s.free & corner == 0:
            return 0
        aim = corner
    if bends > 1:
        corner = bit(column, last_row if bends > 2 else y)
        if (swept(aim, open_, EAST) | swept(aim, open_, WEST)) & s.free & corner == 0:
            return 0
        aim = corner
    return (swept(aim, open_, NORTH) | swept(aim, open_, SOUTH)) & s.free & lanes


@device
def search_lanes(s, plan, p, open_, n, most):
    """Write a plan with the fewest deflectors (at most `most`) and, among these, the shortest roll.

    Every plan is tested with `ball_at`. Returns False if there is no plan.
    """
    plan.bends = 0
    while within_bends(open_, n, plan.bends) & s.goal == 0:
        plan.bends += 1
        if plan.bends > most:
            return False
    lanes = within_bends(open_, n, 0)
    far = MAX_RUN * s.cell_size
    plan.length = 0
    best_row = 0
    best_column = 0
    best_last = 0
    for last_row in range(n if plan.bends > 2 else 1):
        for column in range(n if plan.bends > 1 else 1):
            corners = _first_corners(s, open_, lanes, plan.bends, column, last_row)
            while corners != 0:
                first_row = index(corners & -corners) // ROW_BITS
                corners &= corners - 1
                if not _draft(s, plan, plan.bends, first_row, column, last_row):
                    continue
                if (plan.slash | plan.back) & ~s.free != 0:  # the builder cannot enter that cell
                    continue
                end, _, _, _, met = ball_at(s, p, open_, plan.slash, plan.back, plan.row, far, far)
                cells = int(met / s.cell_size) + 1
                if end == KNOCKS and (plan.length == 0 or cells < plan.length):
                    plan.length = cells
                    best_row = first_row
                    best_column = column
                    best_last = last_row
    _draft(s, plan, plan.bends, best_row, best_column, best_last)
    plan.power = (plan.length + p.cells_per_power - 1) // p.cells_per_power
    return plan.length > 0 and plan.power <= p.powers


@device
def search_greedily(s, plan, p, n):
    """The greedy plan: `search_lanes` as if there were no pillars, with at most one deflector."""
    return search_lanes(s, plan, p, s.free | s.pillars, n, 1)


@device
def nearest_approach(s, open_, slash, back, row):
    """How near a ball released in `row` comes to the block, in cells (sum of both axes), if it rolls until it is stopped.

    Also returns the cells that it rolls until it meets the block, 0 if it does not, and the mask of the cells on its way.
    """
    x = index(s.goal) % ROW_BITS
    y = index(s.goal) // ROW_BITS
    d = EAST
    cell = 0
    way = 0
    best = 2 * ROW_BITS
    for n in range(int(MAX_RUN)):
        to = shift(cell, d) if cell != 0 else bit(0, row)
        if to & open_ == 0:
            break
        if to == s.goal:
            return 0, n + 1, way
        cell = to
        way |= cell
        i = index(cell)
        best = min(best, abs(i % ROW_BITS - x) + abs(i // ROW_BITS - y))
        d = _deflected(d, cell, slash, back)
    return best, 0, way


@device
def works(s, plan, p):
    """Whether a plan brings the ball to rest against the block."""
    run = run_of(s, p, plan.power)
    end, _, _, _, _ = ball_at(s, p, s.free, plan.slash, plan.back, plan.row, run, run)
    return end == RESTS
