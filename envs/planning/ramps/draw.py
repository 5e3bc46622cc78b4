"""How an episode of Ramps is drawn: a screen, padded pillars and the block on a square floor of cells."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.core.splits import fold
from unseen.envs.grid.cells import EAST, NONE, bit, count, distance, nearest, neighbours, nth, row, square, upside_down
from unseen.envs.grid.floor import SLIM, box_in, box_over, launch_towards
from unseen.envs.planning.ramps.builders import stepwise_fails
from unseen.envs.planning.ramps.lanes import BLOCK, search_greedily, search_lanes, swept, works
from unseen.envs.planning.ramps.release import roll_steps

LAUNCHER, PILLAR, SCREEN, DEFLECTOR = 0, 1, 2, 3  # kinds of boxes, in the order of the record
MAX_PILLARS = 10
TOO_FAR = 64  # steps: longer than any path on a field


@device
def draw_field(s, p, n):
    """Draw a screen, at least one column from the rail and two from the eastern wall, and pillars.

    Writes s.free, s.pillars and the boxes. Returns the mask of cells allowed for the block: those behind the screen, if
    reaching it takes deflectors.
    """
    s.free = square(n)
    allowed = s.free
    x = 0
    y = 0
    if p.screen > 0:
        x = 1 + below(s, n - 3)
        y = below(s, n - p.screen + 1)
        screen = 0
        for k in range(p.screen):
            screen |= bit(x, y + k)
        if s.bends > 0:
            allowed = swept(screen, s.free, EAST)
        s.free &= ~screen
    s.pillars = 0
    for _ in range(p.pillars):
        cell = nth(s.free, below(s, count(s.free)))
        s.free ^= cell
        s.pillars |= cell
        box_in(s, PILLAR, SLIM, cell)  # its padding fills the cell
    if p.screen > 0:
        box_over(s, SCREEN, SLIM, x, y, x, y + p.screen - 1)
    return allowed & s.free


@device
def _plan_steps(s, plan, p):
    """Steps to build a plan on the empty field, release, and wait until the ball is at rest; NONE if it cannot be built.

    The builder always goes to the nearest cell to be changed.
    """
    t = (plan.power - s.power) % p.powers
    here = s.here
    left = plan.slash | plan.back
    while left != 0:
        to = nearest(s.free, here, left)
        if to == 0:
            return NONE
        t += distance(s.free, here, to, TOO_FAR) + (1 if to & plan.slash != 0 else 2)
        left ^= to
        here = to
    to = nearest(s.free, here, s.free & row(plan.row))
    if to == 0:
        return NONE
    return t + distance(s.free, here, to, TOO_FAR) + roll_steps(s, p, plan.power)


@device
def _fits(s, plan, p, n):
    """Whether the block may be in s.goal: a plan works within the time limit and, if s.trap, the greedy plan fails.

    Writes the plan, and its number of steps into s.plan_steps.
    """
    if s.trap != 0 and search_greedily(s, plan, p, n) and works(s, plan, p):
        return False
    if not search_lanes(s, plan, p, s.free, n, s.bends) or not works(s, plan, p):
        return False
    s.plan_steps = _plan_steps(s, plan, p)
    return 0 < s.plan_steps <= p.act


@device
def odd_rows(n):
    """All cells of an n x n floor whose row, counted from 0 in the south, is odd."""
    mask = 0
    for y in range(1, n, 2):
        mask |= row(y)
    return mask & square(n)


@device
def place_block(s, plan, p, n, spots):
    """Draw the block's cell among the suitable ones of `spots`, and launch the block towards it.

    With p.even_odds, the cell is drawn among those in rows of the parity s.odd, which was drawn before the field, and there
    must be as many suitable cells of either parity as make up half of p.candidates. Writes s.goal, s.plan_steps, plan and
    the disc. Returns False if fewer than p.candidates cells are suitable, because the field would then reveal where the
    block is.
    """
    if count(spots) < p.candidates:
        return False
    candidates = 0
    while spots != 0:
        s.goal = spots & -spots
        spots ^= s.goal
        if p.even_odds != 0 and neighbours(s.goal) & s.free & ~s.here == 0:
            continue  # it could not roll there
        if _fits(s, plan, p, n):
            candidates |= s.goal
    if count(candidates) < p.candidates:
        return False
    if p.panel > 0 and s.bends > 0:
        spots = candidates
        while spots != 0:
            s.goal = spots & -spots
            spots ^= s.goal
            if not stepwise_fails(s, s, plan, p, p.panel):
                candidates ^= s.goal
                if count(candidates) < p.candidates:
                    return False
    s.suitable = candidates
    if p.even_odds != 0:
        odd = candidates & odd_rows(n)
        even = candidates ^ odd
        if 2 * min(count(odd), count(even)) < p.candidates - 1:
            return False
        candidates = odd if s.odd != 0 else even
    s.goal = nth(candidates, below(s, count(candidates)))
    return _fits(s, plan, p, n) and launch_towards(s, BLOCK, s.free & ~s.here, s.goal)


@device
def field_of(s, p, n):
    """A hash (uint64) of the pillars, the screen and the block's cell, the same for a field and its mirror image."""
    screen = square(n) & ~s.free & ~s.pillars
    h = fold(fold(fold(fold(np.uint64(n), s.pillars), screen), s.goal), 0)
    g = fold(
        fold(fold(fold(np.uint64(n), upside_down(s.pillars, n)), upside_down(screen, n)), upside_down(s.goal, n)), 0
    )
    return min(h, g)
