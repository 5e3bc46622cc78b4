"""A ball on lanes: what a release does, exactly, and an exact search for what to build. Sets of cells are bit masks.

The ball leaves a launcher on a rail beside the western column, heading east, and rolls from the middle of one cell to
the middle of the next. A deflector (/ in `slash`, \\ in `back`) turns it by a right angle there and takes no speed;
whatever is not open is padded and stops it dead. Against the block it comes to rest if it could not have rolled
farther than one power's step; faster, it knocks the block away.

The world s holds `goal` (the block's cell), `free`, the size of cells and the radii of the discs; the parameters hold
`powers` and `cells_per_power`.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import EAST, NORTH, ROW_BITS, SOUTH, WEST, bit, index, shift

BALL, BLOCK = 0, 1  # discs
ROLLS, RESTS, KNOCKS, STOPS = (
    0,
    1,
    2,
    3,
)  # the ball: on its way; at rest against the block; too fast for it; against padding
MAX_RUN = 64.0  # cells: longer than any path of the ball

# A plan: its deflectors, cells that the ball rolls, row and power of the launcher, and where deflectors stand.
LANE_PLAN = np.dtype(
    [("bends", INT), ("length", INT), ("row", INT), ("power", INT), ("slash", INT), ("back", INT)], align=True
)


@device
def _deflected(d, cell, slash, back):
    """The direction of a ball that came to the middle of a cell in direction d."""
    if cell & slash != 0:
        return d ^ 1
    if cell & back != 0:
        return 3 - d
    return d


@device
def run_of(s, p, power):
    """How far a power rolls the ball, m."""
    return power * p.cells_per_power * s.cell_size


@device
def ball_at(s, p, open_, slash, back, row, run, way):
    """Where the ball is after `way` metres, released in `row` with the speed for `run` metres.

    Returns how it fares, the cell whose middle it passed last (0: still on the rail), its direction, metres from there,
    and metres in all, no more than `way`. RESTS and KNOCKS are told from ROLLS once it has met the block.
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
    """All open cells that balls cross which leave those of a mask in direction d."""
    crossed = 0
    mask = shift(mask, d) & open_
    while mask != 0:
        crossed |= mask
        mask = shift(mask, d) & open_
    return crossed


@device
def within_bends(open_, n, bends):
    """All cells that a ball can get to with at most `bends` deflectors, on a field of n x n cells."""
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
    """Plan the deflector at (x, y) between a lane heading east (else west) and one heading north (else south)."""
    if east == north:
        plan.slash |= bit(x, y)
    else:
        plan.back |= bit(x, y)


@device
def _draft(s, plan, bends, row, column, last_row):
    """Plan the deflectors that lead from `row` to the block by `column` and then by `last_row`, as far as `bends` asks for
    them; the lane of the last bend is the block's own. False: there are no such lanes."""
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
def search_lanes(s, plan, p, open_, n, most):
    """Write the plan to the block with the fewest deflectors, at most `most`, and of these one with the shortest roll.
    Every plan is tried by `ball_at`. False: there is none."""
    plan.bends = 0
    while within_bends(open_, n, plan.bends) & s.goal == 0:
        plan.bends += 1
        if plan.bends > most:
            return False
    plan.length = 0
    best = 0
    drafts = 1
    for _ in range(max(plan.bends, 1)):
        drafts *= n
    for i in range(drafts + 1):
        pick = best if i == drafts else i  # at last the best once more
        if not _draft(s, plan, plan.bends, pick % n, pick // n % n, pick // (n * n)):
            continue
        if (plan.slash | plan.back) & ~s.free != 0:  # nobody can stand there
            continue
        far = MAX_RUN * s.cell_size
        end, _, _, _, met = ball_at(s, p, open_, plan.slash, plan.back, plan.row, far, far)
        cells = int(met / s.cell_size) + 1
        if end == KNOCKS and (plan.length == 0 or cells < plan.length):
            plan.length = cells
            best = i
    plan.power = (plan.length + p.cells_per_power - 1) // p.cells_per_power
    return plan.length > 0 and plan.power <= p.powers


@device
def search_greedily(s, plan, p, n):
    """The same as if there were no pillars, and with at most one deflector."""
    return search_lanes(s, plan, p, s.free | s.pillars, n, 1)


@device
def works(s, plan, p):
    """Whether a plan brings the ball to rest against the block."""
    run = run_of(s, p, plan.power)
    end, _, _, _, _ = ball_at(s, p, s.free, plan.slash, plan.back, plan.row, run, run)
    return end == RESTS
