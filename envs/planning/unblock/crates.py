"""Crates on a floor of cells: Sokoban moves, the greedy policy, and an exact search for the shortest plan, on bit masks.

`free`: cells without a wall; `crates`: cells with a crate; `here`: the agent's cell. Crates are interchangeable.

The search is breadth-first over (agent, crates), in steps. For each arrangement of crates, the agent's cells form one
mask, so that a whole layer advances in a few shifts. An arrangement is *entered* by a push; plans are reconstructed
backwards from the lists of entries.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import NONE, ROW_BITS, distance, first_step, index, neighbours, opposite, shift

MAX_ARRANGEMENTS = 256  # in a search
MAX_ENTRIES = 768  # into all arrangements of a search
MAX_PLAN = 64  # steps
SLOTS = 2 * MAX_ARRANGEMENTS  # of the hash table
NO_PLAN, GAVE_UP = -1, -2  # results of a search: no plan exists; ran out of memory or steps

# The memory of a search.
SEARCH = np.dtype([
    ("length", INT), ("plan", "i1", (MAX_PLAN,)),  # steps of the plan, and their directions
    ("met", INT),  # cells that the agent can reach, and for each the first time and the arrangement at that time
    ("met_time", "i2", (ROW_BITS * ROW_BITS,)), ("met_among", "i2", (ROW_BITS * ROW_BITS,)),
    # Arrangements, with the hash table `slot`: the crates, the agent's cells so far, those of the current and of the next
    # layer, and the latest entry.
    ("arrangements", INT), ("slot", "i2", (SLOTS,)),
    ("crates", INT, (MAX_ARRANGEMENTS,)), ("seen", INT, (MAX_ARRANGEMENTS,)),
    ("layer", INT, (MAX_ARRANGEMENTS,)), ("next_layer", INT, (MAX_ARRANGEMENTS,)),
    ("latest", "i2", (MAX_ARRANGEMENTS,)),
    # Entries: source arrangement, previous entry into the same arrangement, time, agent's cell, direction of the push.
    ("entries", INT), ("entry_from", "i2", (MAX_ENTRIES,)), ("entry_before", "i2", (MAX_ENTRIES,)),
    ("entry_time", "i2", (MAX_ENTRIES,)), ("entry_cell", "i1", (MAX_ENTRIES,)), ("entry_push", "i1", (MAX_ENTRIES,)),
], align=True)  # fmt: skip

# The memory of a policy that follows a plan: predicted cells of agent and crates, and the index of the next step.
PLANNER = np.dtype([("here", INT), ("crates", INT), ("next", INT), ("search", SEARCH)], align=True)


@device
def move(free, crates, here, d):
    """(here, crates) after one step in direction d. A crate is pushed if the cell beyond it is free; otherwise nothing moves."""
    to = shift(here, d) & free
    if to & crates != 0:
        beyond = shift(to, d) & free & ~crates
        if beyond == 0:
            return here, crates
        return to, crates ^ to ^ beyond
    if to == 0:
        return here, crates
    return to, crates


@device
def greedy_direction(free, crates, here, goal):
    """The greedy direction: the first step of the shortest path to `goal` if crates that can be pushed now are no obstacle.

    Each crate is considered separately, in its current cell. Returns NONE if there is no such path.
    """
    frontier = goal
    known = goal
    open_ = free & ~crates
    while frontier != 0:
        before = 0
        for d in range(4):
            back = opposite(d)
            enter = frontier & (open_ | (crates & shift(open_, back)))
            came = shift(enter, back) & free
            if came & here != 0:
                return d
            before |= came
        frontier = before & ~known
        known |= frontier
    return NONE


@device
def _arrangement(w, crates):
    """The index of an arrangement of crates, added to w if it is new; NONE if w is full."""
    h = (crates ^ (crates >> 17) ^ (crates >> 31)) * 0x5851F42D4C957F2D
    at = (h >> 40) & (SLOTS - 1)
    while w.slot[at] >= 0:
        k = w.slot[at]
        if w.crates[k] == crates:
            return k
        at = (at + 1) & (SLOTS - 1)
    k = w.arrangements
    if k >= MAX_ARRANGEMENTS:
        return NONE
    w.arrangements = k + 1
    w.slot[at] = k
    w.crates[k] = crates
    w.seen[k] = 0
    w.layer[k] = 0
    w.next_layer[k] = 0
    w.latest[k] = NONE
    return k


@device
def _enter(w, k, parent, cell, d, time):
    """Add an entry into arrangement k from `parent`, by a push in direction d to `cell`. Returns False if w is full."""
    e = w.entries
    if e >= MAX_ENTRIES:
        return False
    w.entries = e + 1
    w.entry_from[e] = parent
    w.entry_before[e] = w.latest[k]
    w.entry_time[e] = time
    w.entry_cell[e] = index(cell)
    w.entry_push[e] = d
    w.latest[k] = e
    return True


@device
def _meet(w, met, cells, k, time):
    """Write time and arrangement of those `cells` that are met for the first time. Returns the updated mask `met`."""
    fresh = cells & ~met
    while fresh != 0:
        cell = fresh & -fresh
        fresh ^= cell
        i = index(cell)
        w.met_time[i] = time
        w.met_among[i] = k
    return met | cells


@device
def search_plan(w, free, crates, here, goal, most):
    """The length in steps of the shortest plan to the cell `goal`, at most `most`; otherwise NO_PLAN or GAVE_UP.

    With goal = 0 the search is exhaustive; w.met_time is then the length of the shortest plan to every cell of w.met.
    Layers are completed in order of time, so lengths found before giving up are exact.
    """
    for i in range(SLOTS):
        w.slot[i] = NONE
    w.arrangements = 0
    w.entries = 0
    k = _arrangement(w, crates)
    w.seen[k] = here
    w.layer[k] = here
    _enter(w, k, NONE, here, NONE, 0)
    met = _meet(w, 0, here, k, 0)
    w.met = met
    if goal & met != 0:
        return 0
    full = False
    for t in range(1, most + 1):
        alive = False
        for k in range(w.arrangements):
            layer = w.layer[k]
            if layer == 0:
                continue
            alive = True
            mask = w.crates[k]
            new = neighbours(layer) & free & ~mask & ~w.seen[k]
            w.seen[k] |= new
            w.next_layer[k] |= new
            met = _meet(w, met, new, k, t)
            for d in range(4):
                pushed = shift(layer, d) & mask & shift(free & ~mask, opposite(d))
                while pushed != 0:
                    crate = pushed & -pushed
                    pushed ^= crate
                    j = _arrangement(w, mask ^ crate ^ shift(crate, d))
                    if j < 0:
                        full = True
                    elif w.seen[j] & crate == 0:
                        full = full or not _enter(w, j, k, crate, d, t)  # once full, no more entries in this layer
                        w.seen[j] |= crate
                        w.next_layer[j] |= crate
                        met = _meet(w, met, crate, j, t)
        w.met = met
        if goal & met != 0:
            return t
        if full:
            return GAVE_UP
        if not alive:
            return NO_PLAN
        for k in range(w.arrangements):
            w.layer[k] = w.next_layer[k]
            w.next_layer[k] = 0
    return GAVE_UP


@device
def write_plan(w, free, goal):
    """After `search_plan`: write the shortest plan to `goal`, a cell of w.met, into w.plan and w.length.

    Returns False if it is longer than MAX_PLAN, or if the search ran out of memory before the goal was entered.
    """
    i = index(goal)
    k = w.met_among[i]
    t = w.met_time[i]
    w.length = t
    if t > MAX_PLAN:
        return False
    cell = goal
    while True:
        open_ = free & ~w.crates[k]
        e = w.latest[k]
        start = 0
        while e >= 0:  # find the entry from which this cell was reached in time
            start = 1 << w.entry_cell[e]
            walked = t - w.entry_time[e]
            if walked >= 0 and distance(open_, start, cell, walked) == walked:
                break
            e = w.entry_before[e]
        if e < 0:
            return False
        at = start
        for n in range(w.entry_time[e], t):
            d = first_step(open_, at, cell)
            w.plan[n] = d
            at = shift(at, d)
        if w.entry_push[e] < 0:
            return True
        t = w.entry_time[e] - 1
        w.plan[t] = w.entry_push[e]
        cell = shift(start, opposite(w.entry_push[e]))
        k = w.entry_from[e]


@device
def next_direction(m, free, crates, here, goal):
    """The next direction of a shortest plan to `goal`; NONE if there is no plan or the agent is at the goal.

    m: PLANNER, all zero before the first step. Replans if the state differs from the predicted one.
    """
    if here != m.here or crates != m.crates:
        if search_plan(m.search, free, crates, here, goal, MAX_PLAN) <= 0 or not write_plan(m.search, free, goal):
            return NONE
        m.next = 0
    if here == goal:
        return NONE
    d = m.search.plan[m.next]
    m.next += 1
    m.here, m.crates = move(free, crates, here, d)
    return d
