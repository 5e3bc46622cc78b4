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

SEARCH = [  # the fields of a record w in which `search` works and `trace` leaves a plan
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
def _config(w, crates):
    """The number of an arrangement of crates, entered if it is new; NOWHERE if there is no room for it."""
    size = 2 * CONFIGS
    h = (crates ^ (crates >> 17) ^ (crates >> 31)) * 0x5851F42D4C957F2D
    at = (h >> 40) & (size - 1)
    while w.slot[at] >= 0:
        k = w.slot[at]
        if w.mask[k] == crates:
            return k
        at = (at + 1) & (size - 1)
    k = w.configs
    if k >= CONFIGS:
        return NOWHERE
    w.configs = k + 1
    w.slot[at] = k
    w.mask[k] = crates
    w.seen[k] = 0
    w.ring[k] = 0
    w.grown[k] = 0
    w.last[k] = NOWHERE
    return k


@device
def _enter(w, k, parent, cell, d, time):
    """Note that arrangement k was first entered at a cell by a push in direction d from `parent`. False: no room."""
    e = w.entries
    if e >= ENTRIES:
        return False
    w.entries = e + 1
    w.e_from[e] = parent
    w.e_prev[e] = w.last[k]
    w.e_time[e] = time
    w.e_cell[e] = index(cell)
    w.e_dir[e] = d
    w.last[k] = e
    return True


@device
def _meet(w, met, cells, k, time):
    """Note when cells are first reached, and among which crates."""
    fresh = cells & ~met
    while fresh != 0:
        b = fresh & -fresh
        fresh ^= b
        i = index(b)
        w.reach[i] = time
        w.place[i] = k
    return met | cells


@device
def search(w, free, crates, here, goal, limit):
    """Steps of the shortest plan to the cell `goal`, at most `limit`; else EXHAUSTED (no plan exists) or CUT.

    With goal = 0 it goes on to the end, and `w.reach` holds the shortest plan's length to every cell of `w.met`.
    Layers are complete in order of time, so that what was found before a CUT is exact too.
    """
    for i in range(2 * CONFIGS):
        w.slot[i] = NOWHERE
    w.configs = 0
    w.entries = 0
    k = _config(w, crates)
    w.seen[k] = here
    w.ring[k] = here
    _enter(w, k, NOWHERE, here, NOWHERE, 0)
    met = _meet(w, 0, here, k, 0)
    w.met = met
    if goal & met != 0:
        return 0
    full = False
    for t in range(1, limit + 1):
        alive = False
        for k in range(w.configs):
            ring = w.ring[k]
            if ring == 0:
                continue
            alive = True
            mask = w.mask[k]
            new = grow(ring) & free & ~mask & ~w.seen[k]
            w.seen[k] |= new
            w.grown[k] |= new
            met = _meet(w, met, new, k, t)
            for d in range(4):
                pushed = shift(ring, d) & mask & shift(free & ~mask, (d + 2) % 4)
                while pushed != 0:
                    b = pushed & -pushed
                    pushed ^= b
                    j = _config(w, mask ^ b ^ shift(b, d))
                    if j < 0:
                        full = True
                    elif w.seen[j] & b == 0:
                        full = full or not _enter(w, j, k, b, d, t)
                        w.seen[j] |= b
                        w.grown[j] |= b
                        met = _meet(w, met, b, j, t)
        w.met = met
        if goal & met != 0:
            return t
        if full:
            return CUT
        if not alive:
            return EXHAUSTED
        for k in range(w.configs):
            w.ring[k] = w.grown[k]
            w.grown[k] = 0
    return CUT


@device
def trace(w, free, goal):
    """After `search`: write the shortest plan to the reached cell `goal` into w.plan, w.shortest. The number of its
    pushes, or NOWHERE if it is too long for the record."""
    i = index(goal)
    k = w.place[i]
    t = w.reach[i]
    w.shortest = t
    if t > PLAN:
        return NOWHERE
    cell = goal
    pushes = 0
    while True:
        open_ = free & ~w.mask[k]
        e = w.last[k]
        start = 0
        while e >= 0:  # by which of its entries was this place among these crates reached in time?
            start = 1 << w.e_cell[e]
            gap = t - w.e_time[e]
            if gap >= 0 and distance(open_, start, cell, gap) == gap:
                break
            e = w.e_prev[e]
        if e < 0:
            return NOWHERE
        at = start
        for n in range(w.e_time[e], t):
            d = first_step(open_, at, cell)
            w.plan[n] = d
            at = shift(at, d)
        if w.e_dir[e] < 0:
            return pushes
        pushes += 1
        t = w.e_time[e] - 1
        w.plan[t] = w.e_dir[e]
        cell = shift(start, (w.e_dir[e] + 2) % 4)
        k = w.e_from[e]
