"""Scripted reference policies of Unblock."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import MAX_SIDE, neighbours, nth, square
from unseen.envs.grid.floor import DT, FLOOR, FRICTION, RESTITUTION, cell_at, cells_of_box, lay_floor, side
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.world import ACT
from unseen.envs.planning.unblock.crates import PLANNER, greedy_direction, next_direction
from unseen.envs.planning.unblock.draw import MAX_CRATES, MAX_WALLS, WALL
from unseen.envs.planning.unblock.rules import ACTIONS, STAY

MAP = (*FLOOR, ("free", INT), ("crates", INT), ("here", INT), ("goal", INT))
SEEN = belief(MAX_CRATES + MAX_WALLS, 1, *MAP)
BELIEF = belief(MAX_CRATES + MAX_WALLS, 1, *MAP, ("planner", PLANNER))


@device
def _or_stay(d):
    """The action for a direction; STAY for NONE."""
    return d if d >= 0 else STAY


@device
def oracle(s, m, p):
    """Follows a shortest plan from the current state."""
    if s.phase != ACT:
        return STAY
    return _or_stay(next_direction(m, s.free, s.crates, s.here, s.goal))


@device
def _update_map(o, m, p):
    """Update the believed flat m. Walls and crates are visible by day in every row; the block is remembered.

    m.goal is the block's cell, 0 while unknown.
    """
    m.n_boxes = 0
    update_belief(o, m, p, DT, FRICTION, RESTITUTION)
    lay_floor(m, p, 0)
    m.free = square(side(p))
    m.crates = 0
    for k in range(m.n_boxes):
        if m.box_kind[k] == WALL:
            m.free &= ~cells_of_box(m, k)
        else:
            m.crates |= cells_of_box(m, k)
    m.here = cell_at(m, m.agent_x, m.agent_y)
    m.goal = 0
    if m.disc_x[0] < 100.0:
        m.goal = cell_at(m, m.disc_x[0], m.disc_y[0])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans like the oracle, from what it has seen."""
    _update_map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    return _or_stay(next_direction(m.planner, m.free, m.crates, m.here, m.goal))


@device
def reflex(o, m, p):
    """Greedy: the shortest path to the block, ignoring crates that can be pushed now.

    Without memory it does not know the position of a hidden block, and heads for the nearest crate instead.
    """
    _update_map(o, m, p)
    if m.phase != ACT:
        return STAY
    if m.goal == 0:
        near = m.here
        for _ in range(2 * MAX_SIDE):
            near |= neighbours(near) & m.free
            if near & m.crates != 0:
                m.goal = nth(near & m.crates, 0)
                break
    return _or_stay(greedy_direction(m.free, m.crates, m.here, m.goal))


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLANNER),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=SEEN, remembers=False),
}
