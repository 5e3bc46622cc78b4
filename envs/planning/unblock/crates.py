"""Crates on a floor of cells: Sokoban's rule, greedy's way, and an exact search for the shortest plan, as bit masks.

`free`: cells without a wall; `crates`: cells with a crate; `here`: the agent's cell. Crates are alike: where they
stand is all that a plan depends on.

The search is breadth-first over (agent, crates), in steps. All places of the agent among the same crates are one
mask, so that a whole layer of them moves in a handful of shifts.
"""

from unseen.envs.core.device import device
from unseen.envs.grid.cells import NOWHERE, STRIDE, distance, first_step, grow, index, shift

CONFIGS = 256  # arrangements of the crates that a search looks at, at most
ENTRIES = 768  # pushes into one of them
PLAN = 64  # steps of a plan, at most
EXHAUSTED, CUT = -1, -2  # what `search` returns without a plan: there is none; or it gave up

# What a record needs for `search`. All but the plan is scratch.
SEARCH = [
    ("shortest", "i8"), ("met", "i8"), ("plan", "i1", (PLAN,)),
    ("configs", "i8"), ("entries", "i8"), ("last", "i2", (CONFIGS,)), ("slot", "i2", (2 * CONFIGS,)),
    ("mask", "i8", (CONFIGS,)), ("seen", "i8", (CONFIGS,)), ("ring", "i8", (CONFIGS,)), ("grown", "i8", (CONFIGS,)),
    ("e_from", "i2", (ENTRIES,)), ("e_prev", "i2", (ENTRIES,)), ("e_time", "i2", (ENTRIES,)),
    ("e_cell", "i1", (ENTRIES,)), ("e_dir", "i1", (ENTRIES,)),
    ("reach", "i2", (STRIDE * STRIDE,)), ("place", "i2", (STRIDE * STRIDE,)),
]  # fmt: skip


@device
def move(free, crates, here, d):
    """One step in direction d: (here, crates) after it. A crate is pushed if the cell beyond is free, else all stay."""
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
def toward(free, crates, here, goal):
    """Greedy's next direction: the shortest way to goal where every crate that can be pushed on now, as things stand,
    is taken to be no obstacle. It looks at each push by itself and at none that follows. NOWHERE if there is none."""
    ring = goal
    known = goal
    open_ = free & ~crates
    while ring != 0:
        before = 0
        for d in range(4):
            back = (d + 2) % 4
            enter = ring & (open_ | (crates & shift(open_, back)))
            came = shift(enter, back) & free
            if came & here != 0:
                return d
            before |= came
        ring = before & ~known
        known |= ring
    return NOWHERE


@device
def forget(s):
    """Clear the plan and all scratch, so that a record does not depend on the episodes before."""
    s.shortest = 0
    s.met = 0
    s.configs = 0
    s.entries = 0
    for i in range(PLAN):
        s.plan[i] = 0
    for i in range(2 * CONFIGS):
        s.slot[i] = NOWHERE
    for i in range(CONFIGS):
        s.last[i] = 0
        s.mask[i] = 0
        s.seen[i] = 0
        s.ring[i] = 0
        s.grown[i] = 0
    for i in range(ENTRIES):
        s.e_from[i] = 0
        s.e_prev[i] = 0
        s.e_time[i] = 0
        s.e_cell[i] = 0
        s.e_dir[i] = 0
    for i in range(STRIDE * STRIDE):
        s.reach[i] = 0
        s.place[i] = 0


@device
def _config(s, crates):
    """The number of an arrangement of crates, entered if it is new; NOWHERE if there is no room for it."""
    size = 2 * CONFIGS
    h = (crates ^ (crates >> 17) ^ (crates >> 31)) * 0x5851F42D4C957F2D
    at = (h >> 40) & (size - 1)
    while s.slot[at] >= 0:
        k = s.slot[at]
        if s.mask[k] == crates:
            return k
        at = (at + 1) & (size - 1)
    k = s.configs
    if k >= CONFIGS:
        return NOWHERE
    s.configs = k + 1
    s.slot[at] = k
    s.mask[k] = crates
    s.seen[k] = 0
    s.ring[k] = 0
    s.grown[k] = 0
    s.last[k] = NOWHERE
    return k


@device
def _enter(s, k, parent, cell, d, time):
    """Note that arrangement k was first entered at a cell by a push in direction d from `parent`. False: no room."""
    e = s.entries
    if e >= ENTRIES:
        return False
    s.entries = e + 1
    s.e_from[e] = parent
    s.e_prev[e] = s.last[k]
    s.e_time[e] = time
    s.e_cell[e] = index(cell)
    s.e_dir[e] = d
    s.last[k] = e
    return True


@device
def _meet(s, met, cells, k, time):
    """Note when cells are first reached, and among which crates."""
    fresh = cells & ~met
    while fresh != 0:
        b = fresh & -fresh
        fresh ^= b
        i = index(b)
        s.reach[i] = time
        s.place[i] = k
    return met | cells


@device
def search(s, free, crates, here, goal, limit):
    """Steps of the shortest plan to the cell `goal`, at most `limit`; else EXHAUSTED (no plan exists) or CUT.

    With goal = 0 it goes on to the end, and `s.reach` holds the shortest plan's length to every cell of `s.met`.
    Layers are complete in order of time, so that what was found before a CUT is exact too.
    """
    for i in range(2 * CONFIGS):
        s.slot[i] = NOWHERE
    s.configs = 0
    s.entries = 0
    k = _config(s, crates)
    s.seen[k] = here
    s.ring[k] = here
    _enter(s, k, NOWHERE, here, NOWHERE, 0)
    met = _meet(s, 0, here, k, 0)
    s.met = met
    if goal & met != 0:
        return 0
    full = False
    for t in range(1, limit + 1):
        alive = False
        for k in range(s.configs):
            ring = s.ring[k]
            if ring == 0:
                continue
            alive = True
            mask = s.mask[k]
            new = grow(ring) & free & ~mask & ~s.seen[k]
            s.seen[k] |= new
            s.grown[k] |= new
            met = _meet(s, met, new, k, t)
            for d in range(4):
                pushed = shift(ring, d) & mask & shift(free & ~mask, (d + 2) % 4)
                while pushed != 0:
                    b = pushed & -pushed
                    pushed ^= b
                    j = _config(s, mask ^ b ^ shift(b, d))
                    if j < 0:
                        full = True
                    elif s.seen[j] & b == 0:
                        full = full or not _enter(s, j, k, b, d, t)
                        s.seen[j] |= b
                        s.grown[j] |= b
                        met = _meet(s, met, b, j, t)
        s.met = met
        if goal & met != 0:
            return t
        if full:
            return CUT
        if not alive:
            return EXHAUSTED
        for k in range(s.configs):
            s.ring[k] = s.grown[k]
            s.grown[k] = 0
    return CUT


@device
def trace(s, free, goal):
    """After `search`: write the shortest plan to the reached cell `goal` into s.plan, s.shortest. The number of its
    pushes, or NOWHERE if it is too long for the record."""
    i = index(goal)
    k = s.place[i]
    t = s.reach[i]
    s.shortest = t
    if t > PLAN:
        return NOWHERE
    cell = goal
    pushes = 0
    while True:
        open_ = free & ~s.mask[k]
        e = s.last[k]
        start = 0
        while e >= 0:  # by which of its entries was this place among these crates reached in time?
            start = 1 << s.e_cell[e]
            gap = t - s.e_time[e]
            if gap >= 0 and distance(open_, start, cell, gap) == gap:
                break
            e = s.e_prev[e]
        if e < 0:
            return NOWHERE
        at = start
        for n in range(s.e_time[e], t):
            d = first_step(open_, at, cell)
            s.plan[n] = d
            at = shift(at, d)
        if s.e_dir[e] < 0:
            return pushes
        pushes += 1
        t = s.e_time[e] - 1
        s.plan[t] = s.e_dir[e]
        cell = shift(start, (s.e_dir[e] + 2) % 4)
        k = s.e_from[e]
