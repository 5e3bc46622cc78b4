"""How an episode of Unblock is drawn: walls with doorways between two to four rooms, pillars, crates, and the block.

One wall runs across the whole flat, and up to two arms branch off it. Crates stand in or near the doorways. Where pushes
are limited, the block's cell is certified against a panel of players that do not plan.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.core.splits import fold
from unseen.envs.grid.cells import ROW_BITS, bit, count, index, neighbours, nth, reachable, square
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
from unseen.envs.planning.unblock.pushers import STYLES, greedy_succeeds, puller_succeeds, succeeds
from unseen.envs.planning.unblock.pushes import TREE, plan_steps, search_pushes, write_pushes

CRATE, WALL = 0, 1  # kinds of boxes
MAX_CRATES = 5
MAX_PILLARS = 6
MAX_WALLS = 7 + MAX_PILLARS  # boxes: three for the main wall, two for each arm, and the pillars
PICKS = 4  # block positions tried in one flat
JAM_STEPS = 4 * MAX_PLAN  # steps searched for a way out of a jam
CELLS = 8  # block positions tried in one flat where pushes are limited
SCRATCH = np.dtype(
    [("steps", SEARCH), ("pushes", TREE), ("pulls", TREE)], align=True
)  # memory of the searches of a reset


@device
def _on_line(flip, upright, line, i):
    """Cell i of a line of cells, as a mask. The line is x = line if `upright`, else y = line; `flip` swaps x and y."""
    return bit(line, i) if upright != flip else bit(i, line)


@device
def _draw_wall(s, doorways, flip, upright, line, low, high):
    """Build a wall in cells low..high of a line except doorways, one box per run of cells. Updates s.free and the boxes."""
    first = low
    for i in range(low, high + 2):
        if i <= high and _on_line(flip, upright, line, i) & doorways == 0:
            s.free &= ~_on_line(flip, upright, line, i)
            continue
        if i > first:
            if upright != flip:
                box_over(s, WALL, 0.5, line, first, line, i - 1)
            else:
                box_over(s, WALL, 0.5, first, line, i - 1, line)
        first = i + 1


@device
def draw_walls(s, p, n):
    """Draw the walls and pillars of a flat of n x n cells. Writes s.free and appends boxes. Returns the mask of doorways."""
    s.free = square(n)
    flip = below(s, 2)
    line = 2 + below(s, n - 4)  # position of the main wall
    arm = 2 + below(s, n - 4)
    left = p.rooms == 4 or (p.rooms == 3 and below(s, 2) == 0)
    right = p.rooms == 4 or (p.rooms == 3 and not left)
    if p.rooms == 2:
        doorways = _on_line(flip, 1, line, below(s, n))
    else:
        doorways = _on_line(flip, 1, line, below(s, arm)) | _on_line(flip, 1, line, arm + 1 + below(s, n - 1 - arm))
    if left:
        doorways |= _on_line(flip, 0, arm, below(s, line))
    if right:
        doorways |= _on_line(flip, 0, arm, line + 1 + below(s, n - 1 - line))
    if p.rooms > 2 and below(s, 2) == 0:  # half of the flats lack one doorway
        doorways ^= nth(doorways, below(s, count(doorways)))
    _draw_wall(s, doorways, flip, 1, line, 0, n - 1)
    if left:
        _draw_wall(s, doorways, flip, 0, arm, 0, line - 1)
    if right:
        _draw_wall(s, doorways, flip, 0, arm, line + 1, n - 1)
    for _ in range(p.pillars):
        spots = s.free & ~doorways
        cell = nth(spots, below(s, count(spots)))
        s.free &= ~cell
        box_in(s, WALL, 0.5, cell)
    return doorways


@device
def draw_crates(s, p, doorways):
    """Draw the crates, the first in a doorway, the others in or within two cells of one.

    Writes s.crates, s.crate_cell and the first boxes.
    """
    s.crates = 0
    near = neighbours(doorways) & s.free
    near = (neighbours(near) | near | doorways) & s.free
    walls = s.n_boxes
    s.n_boxes = 0
    for k in range(p.crates):
        spots = doorways & ~s.crates
        if spots == 0 or (k > 0 and below(s, 2) == 0):
            spots = near & ~s.crates
        cell = nth(spots, below(s, count(spots)))
        s.crates |= cell
        s.crate_cell[k] = index(cell)
        box_in(s, CRATE, SLIM, cell)
    s.n_boxes = walls


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
def _panel_fails(s, p, goal, strength):
    """Whether greedy and all players of the panel fail to reach `goal` from the initial state with `strength` pushes."""
    if greedy_succeeds(s.free, s.crates, s.here, goal, strength, p.act):
        return False
    for _ in range(p.panel):
        for style in range(STYLES):
            if succeeds(s, style, p.foresight, s.free, s.crates, s.here, goal, strength):
                return False
    return True


@device
def _rival(w, spots, goal):
    """A cell of `spots` that takes as many pushes as `goal`, but another first push; 0 if there is none. w: TREE."""
    n = write_pushes(w, goal)
    crate = w.plan_crate[0]
    d = w.plan_direction[0]
    while spots != 0:
        cell = spots & -spots
        spots ^= cell
        if w.fewest[index(cell)] == n:
            write_pushes(w, cell)
            if w.plan_crate[0] != crate or w.plan_direction[0] != d:
                return cell
    return 0


@device
def certify_block(s, p, w):
    """Draw a hidden cell for the block that only a plan of s.pushes pushes reaches (0: of any number allowed), and launch the block to it.

    Writes s.goal, s.plan_steps, s.pushes, s.strength and the disc. Returns False if none of the first CELLS cells is
    suitable. w: SCRATCH.
    """
    search_pushes(w.pushes, s.free, s.crates, s.here, 0, p.pushes_high, 0)
    if w.pushes.full != 0:
        return False
    spots = 0
    met = w.pushes.met & ~s.crates
    while met != 0:
        cell = met & -met
        met ^= cell
        n = w.pushes.fewest[index(cell)]
        if n == s.pushes or (s.pushes == 0 and n >= p.pushes_low):
            x, y = middle(s, index(cell))
            if not exposed(s, s.agent_x, s.agent_y, x, y, p.radius):
                spots |= cell
    left = spots
    for _ in range(CELLS):
        if left == 0:
            return False
        goal = nth(left, below(s, count(left)))
        left ^= goal
        n = w.pushes.fewest[index(goal)]
        if not _panel_fails(s, p, goal, n + p.spare):
            continue
        if p.final != 0:
            if search_pushes(w.pulls, s.free, s.crates, s.here, goal, n - 1, 1) < 0:
                continue
            if puller_succeeds(s, w.pulls, s.free, s.crates, s.here, goal, n + p.spare):
                continue
        if p.rival != 0:
            other = _rival(w.pushes, spots, goal)
            if other == 0 or not _panel_fails(s, p, other, n + p.spare):
                continue
            if below(s, 2) == 0:
                goal = other
        write_pushes(w.pushes, goal)
        steps, moved = plan_steps(w.pushes, s.free, s.crates, s.here, goal)
        if steps < p.plan_low or steps > p.plan_high or moved < p.moved:
            continue
        if not launch_towards(s, 0, s.free & ~s.crates & ~s.here, goal):
            continue
        s.goal = goal
        s.plan_steps = steps
        s.pushes = n
        s.strength = n + p.spare
        return True
    return False


@device
def _turned(mask, n, turn):
    """The cells of a mask on an n x n floor after one of the eight symmetries of the square."""
    out = 0
    while mask != 0:
        i = index(mask & -mask)
        mask &= mask - 1
        x = i % ROW_BITS
        y = i // ROW_BITS
        if turn & 1 != 0:
            x = n - 1 - x
        if turn & 2 != 0:
            y = n - 1 - y
        out |= bit(y, x) if turn & 4 != 0 else bit(x, y)
    return out


@device
def arrangement(s, n):
    """A hash (uint64) of the walls and crates of an n x n flat, the same for those that differ by a symmetry only."""
    best = np.uint64(0)
    walls = square(n) & ~s.free
    for turn in range(8):
        h = fold(fold(np.uint64(n), _turned(walls, n, turn)), _turned(s.crates, n, turn))
        best = h if turn == 0 else min(best, h)
    return best
