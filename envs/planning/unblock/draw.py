"""How an episode of Unblock is drawn: walls with doorways between two to four rooms, crates in or near them, the block.

One wall runs across the whole flat, and up to two arms branch off it.
"""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.grid.cells import bit, count, index, neighbours, nth, reachable, square
from unseen.envs.grid.floor import SLIM, box_in, box_over, launch_towards, middle
from unseen.envs.planar.sight import exposed
from unseen.envs.planning.unblock.crates import MAX_PLAN, NO_PLAN, greedy_direction, move, search_plan, write_plan

CRATE, WALL = 0, 1  # kinds of boxes
MAX_CRATES = 5
MAX_WALLS = 7  # boxes: three for the main wall, two for each arm
PICKS = 4  # block positions tried in one flat
JAM_STEPS = 4 * MAX_PLAN  # steps searched for a way out of a jam


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
    """Draw the walls of a flat of n x n cells. Writes s.free and appends boxes. Returns the mask of doorways."""
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

    Writes s.goal, s.plan_steps and the disc. Returns False if none of the first PICKS cells is suitable.
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
