"""Scripted players of Unblock."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.grid.cells import (
    NOWHERE,
    SIDE,
    box_cells,
    cell_at,
    grow,
    nth,
    side,
    square,
)
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT
from unseen.envs.planning.unblock.crates import PLAN, search, toward, trace
from unseen.envs.planning.unblock.rules import BOUNCE, DT, FRICTION, STAY, WALL, _cell


@device
def _follow(s, p):
    """The next step of the plan; a new plan is made where the agent has left it."""
    if s.due < 0:
        if search(s, s.free, s.crates, s.here, s.goal, PLAN) <= 0:
            return STAY
        trace(s, s.free, s.goal)
        s.due = 0
    return s.plan[s.due]


@device
def oracle(s, m, p):
    """Goes by the shortest plan, which lies in the record."""
    if s.phase != ACT:
        return STAY
    length = s.shortest
    d = _follow(s, p)
    s.shortest = length
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
    if m.n_discs == 0:
        m.due = NOWHERE
    _map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    d = _follow(m, p)
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
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
