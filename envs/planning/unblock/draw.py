"""How an episode of Unblock is drawn: walls with doorways between two to four rooms, pillars, crates, and the block.

One wall runs across the whole flat, and up to two arms branch off it. Crates stand in or near the doorways. Where pushes
are limited, the block's cell is certified against a panel of players that do not plan.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.splits import fold
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import ROW_BITS, bit, count, index, neighbours, nth, reachable, sideways, square, transposed
from unseen.envs.grid.floor import SLIM, box_in, box_over, launch_towards, middle
from unseen.envs.planar.sight import exposed
from unseen.envs.planning.unblock.crates import (
    MAX_PLAN,
    NO_PLAN,
    SEARCH,
    greedy_direction,
    move,
    search_plan,
    write_plan,
)
from unseen.envs.planning.unblock.pushers import ODDS, STYLES, chance_of, greedy_succeeds, puller_succeeds
from unseen.envs.planning.unblock.pushes import ANYWHERE, TREE, plan_steps, pushable, search_pushes, write_pushes

CRATE, WALL = 0, 1  # kinds of boxes
MAX_CRATES = 5
MAX_PILLARS = 6
MAX_WALLS = 7 + MAX_PILLARS  # boxes: three for the main wall, two for each arm, and the pillars
PICKS = 4  # block positions tried in one flat
JAM_STEPS = 4 * MAX_PLAN  # steps searched for a way out of a jam

# The plan of a flat: whether x and y are swapped; the positions of the main wall and of the arms, and which arms there are;
# masks of the doorways and of the pillars.
FLAT = np.dtype([
    ("flip", INT), ("line", INT), ("arm", INT), ("left", INT), ("right", INT), ("doorways", INT), ("pillars", INT),
], align=True)  # fmt: skip
# The memory of a reset.
SCRATCH = np.dtype(
    [("floor_plan", FLAT), ("steps", SEARCH), ("pushes", TREE), ("pulls", TREE), ("odds", ODDS)], align=True
)


@device
def _on_line(flip, upright, line, i):
    """Cell i of a line of cells, as a mask. The line is x = line if `upright`, else y = line; `flip` swaps x and y."""
    return bit(line, i) if upright != flip else bit(i, line)


@device
def draw_walls(s, f, p, n):
    """Draw the walls and pillars of a flat of n x n cells. Writes s.free and the plan f (FLAT)."""
    s.free = square(n)
    f.flip = below(s, 2)
    f.line = 2 + below(s, n - 4)
    f.arm = 2 + below(s, n - 4)
    f.left = p.rooms == 4 or (p.rooms == 3 and below(s, 2) == 0)
    f.right = p.rooms == 4 or (p.rooms == 3 and f.left == 0)
    if p.rooms == 2:
        doorways = _on_line(f.flip, 1, f.line, below(s, n))
    else:
        doorways = _on_line(f.flip, 1, f.line, below(s, f.arm))
        doorways |= _on_line(f.flip, 1, f.line, f.arm + 1 + below(s, n - 1 - f.arm))
    if f.left:
        doorways |= _on_line(f.flip, 0, f.arm, below(s, f.line))
    if f.right:
        doorways |= _on_line(f.flip, 0, f.arm, f.line + 1 + below(s, n - 1 - f.line))
    if p.rooms > 2 and p.limited == 0 and below(s, 2) == 0:  # half of the flats lack one doorway
        doorways ^= nth(doorways, below(s, count(doorways)))
    for i in range(n):
        wall = _on_line(f.flip, 1, f.line, i)
        if (f.left != 0 and i < f.line) or (f.right != 0 and i > f.line):
            wall |= _on_line(f.flip, 0, f.arm, i)
        s.free &= ~wall | doorways
    f.doorways = doorways
    f.pillars = 0
    for _ in range(p.pillars):
        spots = s.free & ~doorways
        cell = nth(spots, below(s, count(spots)))
        s.free ^= cell
        f.pillars |= cell


@device
def _stuck(free, crates):
    """The crates that could not be pushed, wherever the agent is."""
    open_ = free & ~crates
    return crates & ~(((open_ << 1) & (open_ >> 1)) | ((open_ << ROW_BITS) & (open_ >> ROW_BITS)))


@device
def draw_crates(s, p, doorways):
    """Draw the crates, the first in a doorway, the others in or within two cells of one. Writes s.crates and s.crate_cell.

    Where pushes are limited, most stand in doorways, and none is stuck, because few plans are long among others. Returns
    False if there is no such place.
    """
    s.crates = 0
    near = neighbours(doorways) & s.free
    near = (neighbours(near) | near | doorways) & s.free
    for k in range(p.crates):
        spots = doorways & ~s.crates
        if spots == 0 or (k > 0 and below(s, 2 if p.limited == 0 else 4) == 0):
            spots = near & ~s.crates
        cell = nth(spots, below(s, count(spots)))
        while p.limited != 0 and _stuck(s.free, s.crates | cell) != 0:
            spots ^= cell
            if spots == 0:
                return False
            cell = nth(spots, below(s, count(spots)))
        s.crates |= cell
        s.crate_cell[k] = index(cell)
    return True


@device
def draw_agent(s, p, doorways):
    """Draw the agent's cell, not in a doorway. Where pushes are limited, the agent can choose among crates - 1 pushes or more,
    since players that do not plan hardly go wrong where there is little to choose.

    Returns False if there is no such cell.
    """
    spots = s.free & ~s.crates & ~doorways
    if p.limited != 0:
        left = spots
        while left != 0:
            room = reachable(s.free & ~s.crates, left & -left)
            left &= ~room
            n = 0
            for d in range(4):
                n += count(pushable(s.free, s.crates, room, d))
            if n < p.crates - 1:
                spots &= ~room
        if spots == 0:
            return False
    s.here = nth(spots, below(s, count(spots)))
    return True


@device
def _build_wall(s, f, upright, line, low, high):
    """Build a wall in cells low..high of a line of cells except doorways, one box per run of cells."""
    first = low
    for i in range(low, high + 2):
        if i <= high and _on_line(f.flip, upright, line, i) & f.doorways == 0:
            continue
        if i > first:
            if upright != f.flip:
                box_over(s, WALL, 0.5, line, first, line, i - 1)
            else:
                box_over(s, WALL, 0.5, first, line, i - 1, line)
        first = i + 1


@device
def build_boxes(s, f, p, n):
    """Build the boxes of the crates, which come first, and of the walls and pillars of f (FLAT)."""
    s.n_boxes = 0
    for k in range(p.crates):
        box_in(s, CRATE, SLIM, 1 << s.crate_cell[k])
    _build_wall(s, f, 1, f.line, 0, n - 1)
    if f.left:
        _build_wall(s, f, 0, f.arm, 0, f.line - 1)
    if f.right:
        _build_wall(s, f, 0, f.arm, f.line + 1, n - 1)
    left = f.pillars
    while left != 0:
        cell = left & -left
        left ^= cell
        box_in(s, WALL, 0.5, cell)


@device
def _run_greedy(s, p, crates, goal):
    """Run the greedy policy from the initial state with `crates`. Returns its final (agent's cell, crates)."""
    here = s.here
    for _ in range(p.act):
        d = greedy_direction(s.free, crates, here, goal)
        if here == goal or d < 0:
            break
        here, crates = move(s.free, crates, here, d)
    return here, crates


@device
def _jams(s, p, goal):
    """Whether the greedy policy fails to reach `goal`, although it succeeds with any single one of the crates.

    Writes its final state to s.jam_here and s.jam_crates.
    """
    s.jam_here, s.jam_crates = _run_greedy(s, p, s.crates, goal)
    if s.jam_here == goal:
        return False
    if p.crates > 1:
        for k in range(p.crates):
            here, _ = _run_greedy(s, p, 1 << s.crate_cell[k], goal)
            if here != goal:
                return False
    return True


@device
def _pushed(s, plan, steps):
    """The number of crates pushed in the first `steps` steps of a plan."""
    crates = s.crates
    here = s.here
    untouched = crates
    for t in range(steps):
        here, crates = move(s.free, crates, here, plan[t])
        untouched &= crates
    return count(s.crates) - count(untouched)


@device
def place_block(s, p, w):
    """Draw a cell for the block that is hidden from the agent and, if s.trap, jams the greedy policy; launch the block to it.

    Writes s.goal, s.plan_steps and the disc. Returns False if none of the first PICKS cells is suitable. w: SEARCH.
    """
    search_plan(w, s.free, s.crates, s.here, 0, p.plan_high)
    spots = w.met & ~s.crates
    if p.crates > 0:  # every path must be blocked by a crate
        spots &= ~reachable(s.free & ~s.crates, s.here)
    for _ in range(PICKS):
        if spots == 0:
            return False
        goal = nth(spots, below(s, count(spots)))
        spots ^= goal
        steps = w.met_time[index(goal)]
        if steps < p.plan_low:
            continue
        x, y = middle(s, index(goal))
        if exposed(s, s.agent_x, s.agent_y, x, y, p.radius) or (s.trap != 0 and not _jams(s, p, goal)):
            continue
        if not launch_towards(s, 0, s.free & ~s.crates & ~s.here, goal):
            continue
        if not write_plan(w, s.free, goal) or _pushed(s, w.plan, steps) < p.moved:
            continue
        if s.trap != 0 and search_plan(w, s.free, s.jam_crates, s.jam_here, goal, JAM_STEPS) != NO_PLAN:
            return False
        s.goal = goal
        s.plan_steps = steps
        return True
    return False


@device
def _panel_fails(s, p, w, goal, strength):
    """The probability with which greedy and all players of the panel fail to reach `goal` with `strength` pushes. w: SCRATCH."""
    fails = 1.0
    if p.panel > 0:
        for style in range(STYLES):
            fails *= (1.0 - chance_of(w.pushes, w.odds, style, p.foresight, s.free, goal, strength)) ** p.panel
    if fails > 0.0 and greedy_succeeds(s.free, s.crates, s.here, goal, strength, p.act):
        return 0.0
    return fails


@device
def _rival(w, spots, goal):
    """A cell of `spots` that takes as many pushes as `goal`, but another first push; 0 if there is none. w: TREE."""
    n = write_pushes(w, goal)
    crate = w.plan_crate[0]
    d = w.plan_direction[0]
    while spots != 0:
        cell = spots & -spots
        spots ^= cell
        if write_pushes(w, cell) == n and (w.plan_crate[0] != crate or w.plan_direction[0] != d):
            return cell
    return 0


@device
def find_spots(s, p, w):
    """The cells that s.pushes pushes lead to, and no fewer (0: any number allowed). w: TREE."""
    low = s.pushes if s.pushes > 0 else p.pushes_low
    high = s.pushes if s.pushes > 0 else p.pushes_high
    goals = reachable(s.free, s.here) & ~s.crates
    if p.spare > 0:
        goals = ANYWHERE
    n = search_pushes(w, s.free, s.crates, s.here, goals, high + p.spare, 0)
    if w.full != 0 or 0 <= n < low or w.depth[w.nodes - 1] < low:
        return 0
    return w.within[min(w.depth[w.nodes - 1], high)] & ~w.within[low - 1] & ~s.crates


@device
def _hidden(s, p, spots):
    """Those of `spots` where the agent does not see a block."""
    hidden = 0
    while spots != 0:
        cell = spots & -spots
        spots ^= cell
        x, y = middle(s, index(cell))
        if not exposed(s, s.agent_x, s.agent_y, x, y, p.radius):
            hidden |= cell
    return hidden


@device
def certify_block(s, p, w, spots):
    """Draw a hidden cell for the block among `spots`; launch the block to it if only a plan leads there.

    Writes s.goal, s.plan_steps, s.pushes, s.strength and the disc. Returns False if the cell is unsuitable. w: SCRATCH,
    after `find_spots`.
    """
    spots = _hidden(s, p, spots)
    if spots == 0:
        return False
    goal = nth(spots, below(s, count(spots)))
    n = write_pushes(w.pushes, goal)
    fails = _panel_fails(s, p, w, goal, n + p.spare)
    if p.rival != 0:
        other = _rival(w.pushes, spots, goal)
        if other == 0:
            return False
        fails *= _panel_fails(s, p, w, other, n + p.spare)
        if below(s, 2) == 0:
            goal = other
    if uniform(s, 0.0, 1.0) >= fails:
        return False
    write_pushes(w.pushes, goal)
    steps, moved = plan_steps(w.pushes, s.free, s.crates, s.here, goal)
    if steps < p.plan_low or steps > p.plan_high or moved < p.moved:
        return False
    if p.final != 0:
        if search_pushes(w.pulls, s.free, s.crates, s.here, goal, n - 1, 1) < 0:
            return False
        if puller_succeeds(s, w.pulls, s.free, s.crates, s.here, goal, n + p.spare):
            return False
    s.goal = goal
    s.plan_steps = steps
    s.pushes = n
    s.strength = n + p.spare
    return launch_towards(s, 0, s.free & ~s.crates & ~s.here, goal)


@device
def arrangement(s, n):
    """A hash (uint64) of the walls and crates of an n x n flat, the same for those that differ by a symmetry only."""
    best = np.uint64(0)
    walls = square(n) & ~s.free
    crates = s.crates
    for turn in range(8):
        h = fold(fold(np.uint64(n), walls), crates)
        best = h if turn == 0 else min(best, h)
        walls = sideways(walls, n) if turn % 2 == 0 else transposed(walls)
        crates = sideways(crates, n) if turn % 2 == 0 else transposed(crates)
    return best
