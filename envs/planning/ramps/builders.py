"""Players of Ramps that know where the block is but do not search for a plan; they write what they would build into a plan.

The certificate of a reset can require that `build_stepwise` fails; as references they show what a level demands. s: a world
as in `lanes`; r: a record with the generator `rng`; plan: LANE_PLAN, all zero before.
"""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.grid.cells import ROW_BITS, count, index, nth
from unseen.envs.grid.floor import side
from unseen.envs.planning.ramps.lanes import nearest_approach, search_lanes, works


@device
def _set_power(plan, p):
    """The power that fits the length of the roll, or the highest."""
    plan.power = min((plan.length + p.cells_per_power - 1) // p.cells_per_power, p.powers)


@device
def build_nothing(r, s, plan, p):
    """The block's row and the power that fits, without deflectors."""
    plan.slash = 0
    plan.back = 0
    plan.row = index(s.goal) // ROW_BITS
    plan.length = index(s.goal) % ROW_BITS + 1
    _set_power(plan, p)


@device
def build_one(r, s, plan, p):
    """At most one deflector, found by trying all; if none leads to the block, no deflector."""
    if not search_lanes(s, plan, p, s.free, side(p), 1):
        build_nothing(r, s, plan, p)


@device
def build_stepwise(r, s, plan, p):
    """One deflector after the other, each where it brings the ball nearest to the block; ties are broken at random."""
    n = side(p)
    build_nothing(r, s, plan, p)
    best = 99
    while best > 0 and count(plan.slash | plan.back) < p.deflectors:
        best = 99
        ties = 0
        slash = 0
        back = 0
        for y in range(n):
            _, _, way = nearest_approach(s, s.free, plan.slash, plan.back, y)
            left = way & ~(plan.slash | plan.back)
            while left != 0:
                cell = left & -left
                left ^= cell
                for kind in range(2):
                    more_slash = plan.slash | (cell if kind == 0 else 0)
                    more_back = plan.back | (cell if kind == 1 else 0)
                    d, length, _ = nearest_approach(s, s.free, more_slash, more_back, y)
                    if d > best:
                        continue
                    ties = ties + 1 if d == best else 1
                    best = d
                    if below(r, ties) == 0:
                        slash = more_slash
                        back = more_back
                        plan.row = y
                        plan.length = max(length, 1)
        if best == 99:
            break
        plan.slash = slash
        plan.back = back
    _set_power(plan, p)


@device
def stepwise_fails(r, s, plan, p, rounds):
    """Whether `build_stepwise` fails so many times."""
    for _ in range(rounds):
        build_stepwise(r, s, plan, p)
        if works(s, plan, p):
            return False
    return True


@device
def build_at_random(r, s, plan, p):
    """Random deflectors, row and power."""
    plan.slash = 0
    plan.back = 0
    for _ in range(below(r, p.deflectors + 1)):
        cell = nth(s.free, below(r, count(s.free))) & ~(plan.slash | plan.back)
        if below(r, 2) == 0:
            plan.slash |= cell
        else:
            plan.back |= cell
    plan.row = below(r, side(p))
    plan.length = 1 + below(r, p.powers * p.cells_per_power)
    _set_power(plan, p)
