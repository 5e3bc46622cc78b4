"""A ball on lanes: what a release does, exactly, and an exact search for what to build. Cells are bit masks.

The ball leaves a launcher on a rail beside the western column, heading east, and rolls from the middle of one cell to
the middle of the next. A deflector (/ in `slash`, \\ in `back`) turns it by a right angle there and takes no speed;
whatever is not open is padded and stops it dead. Against the block it comes to rest if it could not have rolled
farther than one power's step; faster, it knocks the block away.

The record holds `goal` (the block's cell), `free` and the radii `br`; the parameters `reach` (cells by which each of
the `powers` rolls farther than the one before).
"""

from unseen.envs.core.device import device
from unseen.envs.grid.cells import EAST, NORTH, SOUTH, STRIDE, WEST, bit, index, shift

BALL, BLOCK = 0, 1  # small things
ROLLS, RESTS, KNOCKS, STOPS = 0, 1, 2, 3  # how a roll stands
EVER = 64.0  # cells: farther than any way across the field

# What a record needs for `search`: the plan's deflectors, the cells of its roll, row and power of the launcher, and
# where deflectors stand in it.
PLAN = [
    ("bends", "i8"), ("length", "i8"),
    ("plan_row", "i8"), ("plan_power", "i8"), ("plan_slash", "i8"), ("plan_back", "i8"),
]  # fmt: skip


@device
def _turned(d, here, slash, back):
    """The heading of a ball that came to the middle of a cell heading d. Deflectors: slash is /, back is \\."""
    if here & slash != 0:
        return d ^ 1
    if here & back != 0:
        return 3 - d
    return d


@device
def run_of(s, p, power):
    """How far a power rolls the ball, m."""
    return power * p.reach * s.cell


@device
def follow(s, p, open_, slash, back, row, run, far):
    """Where the ball is when it is `far` metres on its way, released in `row` with a run of `run` metres.

    (how it stands, the cell whose middle it passed last, heading, metres from there, metres in all). The cell is 0
    while it is on the launcher's rail. RESTS and KNOCKS are told from ROLLS once it has met the block.
    """
    gap = s.disc_radius[BALL] + s.disc_radius[BLOCK]
    pad = 0.5 * s.cell - s.disc_radius[BALL]
    here = 0
    d = EAST
    gone = 0.0
    while True:
        left = far - gone
        to = shift(here, d) if here != 0 else bit(0, row)
        if to == s.goal and left >= s.cell - gap:
            met = gone + s.cell - gap
            return (RESTS if run - met < run_of(s, p, 1) else KNOCKS), here, d, s.cell - gap, met
        if to & open_ == 0 and left >= pad:
            return STOPS, here, d, pad, gone + pad
        if left < s.cell:
            return ROLLS, here, d, left, far
        gone += s.cell
        here = to
        d = _turned(d, here, slash, back)


@device
def swept(m, open_, d):
    """All cells that balls cross that leave those of a mask in direction d."""
    out = 0
    m = shift(m, d) & open_
    while m != 0:
        out |= m
        m = shift(m, d) & open_
    return out


@device
def within_bends(open_, n, bends):
    """All cells that a ball can reach with at most `bends` deflectors."""
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
def _corner(s, x, y, east, north):
    """Plan the deflector between a lane heading east (or west) and one heading north (or south)."""
    if east == north:
        s.plan_slash |= bit(x, y)
    else:
        s.plan_back |= bit(x, y)


@device
def _draft(s, bends, r, c, q):
    """Plan the deflectors that lead from row r to the block: the ball turns into column c, then into row q, as far as
    `bends` says; the last of them is the block's own. False: there are no such lanes."""
    x = index(s.goal) % STRIDE
    y = index(s.goal) // STRIDE
    s.plan_row = r
    s.plan_slash = 0
    s.plan_back = 0
    if bends == 0:
        return r == y
    if bends == 1:
        c = x
    if bends < 3:
        q = y
    if q == r or (bends > 1 and c == x) or (bends > 2 and q == y):
        return False
    _corner(s, c, r, True, q > r)
    if bends > 1:
        _corner(s, c, q, x > c, q > r)
    if bends > 2:
        _corner(s, x, q, x > c, y > q)
    return True


@device
def search(s, p, open_, n, most):
    """Write a plan with the fewest deflectors, at most `most`, into the record, and among these one with the shortest
    roll. False: there is none. Every plan is tried by `follow`. s.bends, s.length: deflectors, cells of the roll."""
    s.bends = 0
    while within_bends(open_, n, s.bends) & s.goal == 0:
        s.bends += 1
        if s.bends > most:
            return False
    s.length = 0
    best = 0
    plans = 1
    for _ in range(max(s.bends, 1)):
        plans *= n
    for i in range(plans + 1):
        pick = best if i == plans else i  # at last the best once more
        if not _draft(s, s.bends, pick % n, pick // n % n, pick // (n * n)):
            continue
        if (s.plan_slash | s.plan_back) & ~s.free != 0:  # nobody can stand there
            continue
        far = EVER * s.cell
        end, _, _, _, met = follow(s, p, open_, s.plan_slash, s.plan_back, s.plan_row, far, far)
        cells = int(met / s.cell) + 1
        if end == KNOCKS and (s.length == 0 or cells < s.length):
            s.length = cells
            best = i
    s.plan_power = (s.length + p.reach - 1) // p.reach
    return s.length > 0 and s.plan_power <= p.powers


@device
def works(s, p):
    """Whether the plan in the record brings the ball to rest against the block."""
    run = run_of(s, p, s.plan_power)
    end, _, _, _, _ = follow(s, p, s.free, s.plan_slash, s.plan_back, s.plan_row, run, run)
    return end == RESTS
