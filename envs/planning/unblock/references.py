"""Scripted players of Unblock."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import (
    GRID,
    NOWHERE,
    SIDE,
    box_cells,
    cell_at,
    grow,
    nth,
    side,
    square,
)
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.world import ACT
from unseen.envs.planning.unblock.crates import PLAN, SEARCH, move, search, toward, trace
from unseen.envs.planning.unblock.rules import ACTIONS, BOUNCE, CRATES, DT, FRICTION, STAY, WALL, WALLS, _cell

PLAN_MEMORY = np.dtype([("made", INT), ("due", INT), ("here", INT), ("crates", INT), *SEARCH], align=True)
BELIEF = belief(
    CRATES + WALLS, 1, *GRID,
    ("free", INT), ("crates", INT), ("here", INT), ("goal", INT), ("due", INT), *SEARCH,
)  # fmt: skip


@device
def _next_step(m, free, crates, here, goal):
    """The next step of the plan in m; a new plan is made where there is none (m.due < 0)."""
    if m.due < 0:
        if search(m, free, crates, here, goal, PLAN) <= 0:
            return STAY
        trace(m, free, goal)
        m.due = 0
    return m.plan[m.due]


@device
def oracle(s, m, p):
    """Goes by a shortest plan, and makes a new one where things are not as the plan would have them."""
    if s.phase != ACT:
        return STAY
    if m.made == 0 or s.here != m.here or s.crates != m.crates:
        m.made = 1
        m.due = NOWHERE
    d = _next_step(m, s.free, s.crates, s.here, s.goal)
    m.here, m.crates = s.here, s.crates
    if d != STAY:
        m.here, m.crates = move(s.free, s.crates, s.here, d)
        m.due += 1
    return d


@device
def _map(o, m, p):
    """Bring the believed flat up to date. Walls and crates show in every row by day; the block is remembered."""
    m.n_boxes = 0
    update_belief(o, m, p, DT, FRICTION, BOUNCE)
    n = side(p)
    m.cell = _cell(p)
    m.room_hx = 0.5 * n * m.cell
    m.room_hy = m.room_hx
    m.west = -m.room_hx
    m.free = square(n)
    m.crates = 0
    for k in range(m.n_boxes):
        if m.box_kind[k] == WALL:
            m.free &= ~box_cells(m, k)
        else:
            m.crates |= box_cells(m, k)
    m.here = cell_at(m, m.agent_x, m.agent_y)
    m.goal = 0
    if m.disc_x[0] < 100.0:
        m.goal = cell_at(m, m.disc_x[0], m.disc_y[0])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans from what it sees as the oracle does from what is."""
    if m.started == 0:
        m.due = NOWHERE
    _map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    d = _next_step(m, m.free, m.crates, m.here, m.goal)
    m.due = m.due + 1 if d != STAY else NOWHERE
    return d


@device
def reflex(o, m, p):
    """Greedy: the shortest way to the block, as if every crate that moves now were no obstacle. Without a memory, it
    does not know where a block out of sight lies, and pushes on at the nearest crate."""
    _map(o, m, p)
    if m.phase != ACT:
        return STAY
    if m.goal == 0:
        near = m.here
        for _ in range(2 * SIDE):
            near |= grow(near) & m.free
            if near & m.crates != 0:
                m.goal = nth(near & m.crates, 0)
                break
    d = toward(m.free, m.crates, m.here, m.goal)
    return d if d >= 0 else STAY


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLAN_MEMORY),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
}
