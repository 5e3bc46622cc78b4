"""Plans with the fewest pushes: a breadth-first search over (crates, cells that the agent can walk to), in pushes.

Masks as in `crates`. A push is a pair (crate, direction); its agent first walks to the cell on the other side.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import NONE, count, first_step, index, neighbours, opposite, reachable, shift

MAX_NODES = 512  # of a search
MAX_EDGES = 4 * MAX_NODES
MAX_PUSHES = 12  # of a plan
ANYWHERE = -1  # goals of a search that goes on to the end and keeps every push
_SLOTS = 2 * MAX_NODES  # of the hash table

# The memory of a search: the cells within reach of so many pushes. For each node its crates, the cells that the agent can
# walk to, the fewest pushes that lead there, the last of them and the node before it, and, if it was expanded, its first
# edge. Edges are grouped by the node they leave.
TREE = np.dtype([
    ("nodes", INT), ("expanded", INT), ("edges", INT), ("full", INT), ("within", INT, (MAX_PUSHES + 3,)),
    ("slot", "i2", (_SLOTS,)), ("crates", INT, (MAX_NODES,)), ("reach", INT, (MAX_NODES,)),
    ("depth", "i1", (MAX_NODES,)), ("source", "i2", (MAX_NODES,)), ("crate", "i1", (MAX_NODES,)),
    ("direction", "i1", (MAX_NODES,)), ("first_edge", "i2", (MAX_NODES + 1,)),
    ("edge_to", "i2", (MAX_EDGES,)), ("edge_crate", "i1", (MAX_EDGES,)), ("edge_direction", "i1", (MAX_EDGES,)),
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
def _slot(w, crates, here):
    """The slot of the node with these crates in which the agent can walk to `here`, or a free one if there is none."""
    at = ((crates * 0x5851F42D4C957F2D) >> 40) & (_SLOTS - 1)
    while w.slot[at] >= 0 and (w.crates[w.slot[at]] != crates or w.reach[w.slot[at]] & here == 0):
        at = (at + 1) & (_SLOTS - 1)
    return at


@device
def _add(w, at, crates, reach, source, crate, d, depth):
    """Add a node in a free slot."""
    k = w.nodes
    w.nodes = k + 1
    w.slot[at] = k
    w.crates[k] = crates
    w.reach[k] = reach
    w.depth[k] = depth
    w.source[k] = source
    w.crate[k] = crate
    w.direction[k] = d
    w.within[depth] |= reach


@device
def _move_crate(w, free, k, crate, d, last):
    """Push a crate of node k in direction d, or pull it (d - 4), and add the edge, and the node if it is new.

    last: whether this is the last push, so that nodes in which nothing new can be reached do not matter.
    """
    now = w.crates[k]
    reach = w.reach[k]
    depth = w.depth[k] + 1
    opens = neighbours(crate) & free & ~now & ~reach != 0  # else no cell comes into reach but the crate's own
    if last and not opens and crate & w.within[depth - 1] != 0:  # a goal of the last push is not within reach before it
        return
    after = pushed(now, crate, d & 3)
    here = crate if d < 4 else shift(shift(crate, d & 3), d & 3)
    at = _slot(w, after, here)
    e = w.edges
    if w.slot[at] < 0:
        if w.nodes == MAX_NODES:
            w.full = 1
            return
        if opens or reach & after != 0:
            reach = reachable(free & ~after, here)
        else:
            reach |= crate
        _add(w, at, after, reach, k, index(crate), d, depth)
    if e == MAX_EDGES:
        w.full = 1
        return
    w.edges = e + 1
    w.edge_to[e] = w.slot[at]
    w.edge_crate[e] = index(crate)
    w.edge_direction[e] = d


@device
def search_pushes(w, free, crates, here, goals, most, pulls):
    """The fewest pushes, at most `most`, after which the agent has been able to reach all cells of `goals`; NONE if it cannot.

    w: TREE. If w.full is then set, there was no room for all. pulls: 1 to search as if crates could be pulled as well.
    """
    for i in range(_SLOTS):
        w.slot[i] = NONE
    w.nodes = 0
    w.edges = 0
    w.full = 0
    w.expanded = 0
    w.first_edge[0] = 0
    w.within[0] = 0
    _add(w, _slot(w, crates, here), crates, reachable(free & ~crates, here), NONE, 0, 0, 0)
    for pushes in range(most + 1):
        last = pushes + 1 == most and goals != ANYWHERE
        if goals & ~w.within[pushes] == 0:
            return pushes
        if w.expanded == w.nodes or pushes == most or w.full != 0:
            return NONE
        w.within[pushes + 1] = w.within[pushes]
        for k in range(w.expanded, w.nodes):
            for d in range(4):
                some = pushable(free, w.crates[k], w.reach[k], d)
                while some != 0:
                    crate = some & -some
                    some ^= crate
                    _move_crate(w, free, k, crate, d, last)
                some = pullable(free, w.crates[k], w.reach[k], d) if pulls != 0 else 0
                while some != 0:
                    crate = some & -some
                    some ^= crate
                    _move_crate(w, free, k, crate, d + 4, last)
            w.expanded = k + 1
            w.first_edge[k + 1] = w.edges
    return NONE


@device
def first_node(w, cell):
    """After `search_pushes`: the first node in which the agent can walk to a cell; NONE if there is none."""
    for k in range(w.nodes):
        if w.reach[k] & cell != 0:
            return k
    return NONE


@device
def write_pushes(w, goal):
    """After `search_pushes`: write a plan with the fewest pushes to the cell `goal`, which some node reaches.

    Writes w.plan_* and w.length. Returns the number of pushes. The direction of a pull is 4 more.
    """
    k = first_node(w, goal)
    n = w.depth[k]
    w.length = n
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
