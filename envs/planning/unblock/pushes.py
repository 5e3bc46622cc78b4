"""Plans with the fewest pushes: a breadth-first search over (crates, cells that the agent can walk to), in pushes.

Masks as in `crates`. A push is a pair (crate, direction); its agent first walks to the cell on the other side.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import NONE, ROW_BITS, count, first_step, index, neighbours, opposite, reachable, shift

MAX_NODES = 512  # of a search
MAX_PUSHES = 12  # of a plan
UNLIMITED = 64  # strength that is never spent
_SLOTS = 2 * MAX_NODES  # of the hash table

# The memory of a search: for each node its crates, the cells that the agent can walk to, and the push that led to it from
# node `source`; for each cell of `met`, the fewest pushes and the node in which the agent reaches it first.
TREE = np.dtype([
    ("nodes", INT), ("full", INT), ("met", INT),
    ("slot", "i2", (_SLOTS,)), ("crates", INT, (MAX_NODES,)), ("reach", INT, (MAX_NODES,)),
    ("source", "i2", (MAX_NODES,)), ("crate", "i1", (MAX_NODES,)), ("direction", "i1", (MAX_NODES,)),
    ("fewest", "i1", (ROW_BITS * ROW_BITS,)), ("node", "i2", (ROW_BITS * ROW_BITS,)),
    ("length", INT), ("plan_crate", "i1", (MAX_PUSHES,)), ("plan_direction", "i1", (MAX_PUSHES,)),
], align=True)  # fmt: skip

# The memory of a policy that follows a plan: the expected crates, the index of the next push, and the search.
PUSH_PLANNER = np.dtype([("started", INT), ("crates", INT), ("next", INT), ("tree", TREE)], align=True)


@device
def pushable(free, crates, reach, d):
    """The crates that can be pushed in direction d by an agent that can walk to the cells `reach`."""
    return crates & shift(reach, d) & shift(free & ~crates, opposite(d))


@device
def pullable(free, crates, reach, d):
    """The crates that could be pulled in direction d, if that were possible: for players that ignore that it is not."""
    stand = shift(crates, d) & reach
    return shift(stand & shift(reach, opposite(d)), opposite(d))


@device
def pushed(crates, crate, d):
    """The crates after `crate` moved by one cell in direction d."""
    return crates ^ crate ^ shift(crate, d)


@device
def _add(w, free, crates, here, source, crate, d, pushes):
    """Add the node of an agent at `here`, unless it is known. Writes fewest pushes to the cells that are new. Sets w.full."""
    reach = reachable(free & ~crates, here)
    h = (crates * 0x5851F42D4C957F2D) ^ (reach * 0x2545F4914F6CDD1D)
    at = ((h >> 37) ^ (h >> 20)) & (_SLOTS - 1)
    while w.slot[at] >= 0:
        k = w.slot[at]
        if w.crates[k] == crates and w.reach[k] == reach:
            return
        at = (at + 1) & (_SLOTS - 1)
    k = w.nodes
    if k >= MAX_NODES:
        w.full = 1
        return
    w.nodes = k + 1
    w.slot[at] = k
    w.crates[k] = crates
    w.reach[k] = reach
    w.source[k] = source
    w.crate[k] = crate
    w.direction[k] = d
    fresh = reach & ~w.met
    w.met |= reach
    while fresh != 0:
        cell = fresh & -fresh
        fresh ^= cell
        w.fewest[index(cell)] = pushes
        w.node[index(cell)] = k


@device
def search_pushes(w, free, crates, here, goal, most, pulls):
    """The fewest pushes, at most `most`, after which the agent can walk to `goal`; NONE if there is no such plan.

    With goal = 0 the search is exhaustive. If w.full is then set, w.fewest may be too large. w: TREE. pulls: 1 to search
    as if crates could be pulled as well.
    """
    for i in range(_SLOTS):
        w.slot[i] = NONE
    w.nodes = 0
    w.full = 0
    w.met = 0
    _add(w, free, crates, here, NONE, 0, 0, 0)
    first = 0
    for pushes in range(most + 1):
        if w.met & goal != 0:
            return pushes
        last = w.nodes
        if first == last or pushes == most or w.full != 0:
            return NONE
        for k in range(first, last):
            now = w.crates[k]
            reach = w.reach[k]
            for d in range(4):
                some = pushable(free, now, reach, d)
                while some != 0:
                    crate = some & -some
                    some ^= crate
                    _add(w, free, pushed(now, crate, d), crate, k, index(crate), d, pushes + 1)
                some = pullable(free, now, reach, d) if pulls != 0 else 0
                while some != 0:
                    crate = some & -some
                    some ^= crate
                    _add(w, free, pushed(now, crate, d), shift(shift(crate, d), d), k, index(crate), d + 4, pushes + 1)
        first = last
    return NONE


@device
def write_pushes(w, goal):
    """After `search_pushes`: write a plan with the fewest pushes to `goal`, a cell of w.met, into w.plan_* and w.length.

    Returns the number of pushes. The direction of a pull is 4 more.
    """
    i = index(goal)
    n = w.fewest[i]
    w.length = n
    k = w.node[i]
    for j in range(n):
        w.plan_crate[n - 1 - j] = w.crate[k]
        w.plan_direction[n - 1 - j] = w.direction[k]
        k = w.source[k]
    return n


@device
def approach(free, crates, here, crate, d):
    """The next direction of an agent that walks to a crate and pushes it in direction d; NONE if it cannot get there."""
    stand = shift(crate, opposite(d))
    return d if here == stand else first_step(free & ~crates, here, stand)


@device
def walked(free, crates, here, end):
    """The length in steps of the shortest walk from `here` to the cell `end`, which must be reachable."""
    n = 0
    reached = here
    while reached & end == 0:
        reached |= neighbours(reached) & free & ~crates
        n += 1
    return n


@device
def plan_steps(w, free, crates, here, goal):
    """The steps of the plan that `write_pushes` has written, from its start to the goal, and the number of its crates."""
    steps = 0
    untouched = crates
    before = count(crates)
    for j in range(w.length):
        crate = 1 << w.plan_crate[j]
        d = w.plan_direction[j]
        steps += walked(free, crates, here, shift(crate, opposite(d))) + 1
        crates = pushed(crates, crate, d)
        untouched &= crates
        here = crate
    return steps + walked(free, crates, here, goal), before - count(untouched)


@device
def next_planned(m, free, crates, here, goal, strength, pulls):
    """The next direction of a plan with the fewest pushes, at most `strength`; NONE if there is none.

    m: PUSH_PLANNER, all zero before the first step. Replans if crates stand elsewhere than expected. pulls: 1 to plan as
    if crates could be pulled: NONE then also stands for a pull.
    """
    if reachable(free & ~crates, here) & goal != 0:
        return first_step(free & ~crates, here, goal) if here != goal else NONE
    w = m.tree
    if m.started != 0 and crates != m.crates and m.next < w.length:
        m.crates = pushed(m.crates, 1 << w.plan_crate[m.next], w.plan_direction[m.next])
        m.next += 1
    if m.started == 0 or crates != m.crates or m.next >= w.length:
        if search_pushes(w, free, crates, here, goal, min(strength, MAX_PUSHES), pulls) <= 0:
            m.started = 0
            return NONE
        write_pushes(w, goal)
        m.started = 1
        m.crates = crates
        m.next = 0
    d = w.plan_direction[m.next]
    return approach(free, crates, here, 1 << w.plan_crate[m.next], d) if d < 4 else NONE
