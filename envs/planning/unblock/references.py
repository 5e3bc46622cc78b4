"""Scripted reference policies of Unblock: those that plan, and those that know everything but do not plan."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.rng import mix
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import MAX_SIDE, NONE, first_step, index, neighbours, nth, reachable, square
from unseen.envs.grid.floor import DT, FLOOR, FRICTION, RESTITUTION, cell_at, cells_of_box, lay_floor, middle, side
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.layout import HEAD
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import ACT
from unseen.envs.planning.unblock.crates import PLANNER, greedy_direction, next_direction
from unseen.envs.planning.unblock.draw import MAX_CRATES, MAX_WALLS, WALL
from unseen.envs.planning.unblock.pushers import ANY, NEARER, NO_FARTHER, choose_push
from unseen.envs.planning.unblock.pushes import (
    MAX_PUSHES,
    PUSH_PLANNER,
    approach,
    next_planned,
    search_pushes,
)
from unseen.envs.planning.unblock.rules import ACTIONS, STAY

PLANS = np.dtype([("steps", PLANNER), ("pushes", PUSH_PLANNER)], align=True)
PUSHER = np.dtype([("rng", "u8"), ("crates", INT), ("crate", INT), ("direction", INT)], align=True)
PULLER = np.dtype([("pusher", PUSHER), ("planner", PUSH_PLANNER)], align=True)
MAP = (*FLOOR, ("free", INT), ("crates", INT), ("here", INT), ("goal", INT), ("strength", INT))
BELIEF = belief(MAX_CRATES + MAX_WALLS, 1, *MAP, ("planner", PLANS))


@device
def _or_stay(d):
    """The action for a direction; STAY for NONE."""
    return d if d >= 0 else STAY


@device
def _plan(m, p, free, crates, here, goal, strength):
    """The next direction of a shortest plan or, where pushes are limited, of a plan with the fewest pushes. m: PLANS."""
    if p.limited != 0:
        return next_planned(m.pushes, free, crates, here, goal, strength, 0)
    return next_direction(m.steps, free, crates, here, goal)


@device
def oracle(s, m, p):
    """Follows a plan from the current state: the shortest, or the one with the fewest pushes if these are limited."""
    if s.phase != ACT:
        return STAY
    return _or_stay(_plan(m, p, s.free, s.crates, s.here, s.goal, s.strength))


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
    m.strength = 0
    if p.limited != 0:
        m.strength = int(o[HEAD + 2 * p.queries] * MAX_PUSHES + 0.5)
    m.goal = 0
    if m.disc_x[0] < 100.0:
        m.goal = cell_at(m, m.disc_x[0], m.disc_y[0])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans like the oracle, from what it has seen."""
    _update_map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    return _or_stay(_plan(m.planner, p, m.free, m.crates, m.here, m.goal, m.strength))


@device
def _guess(m, p):
    """A hidden cell that takes as many pushes as the agent has left: where the block could be. 0 if there is none."""
    w = m.planner.pushes.tree
    search_pushes(w, m.free, m.crates, m.here, m.free, min(m.strength, MAX_PUSHES), 0)
    m.planner.pushes.started = 0
    for pushes in range(w.depth[w.nodes - 1], 0, -1):
        spots = w.within[pushes] & ~w.within[pushes - 1] & ~m.crates
        while spots != 0:
            cell = spots & -spots
            spots ^= cell
            x, y = middle(m, index(cell))
            if not exposed(m, m.agent_x, m.agent_y, x, y, p.radius):
                return cell
    return 0


@device
def reflex(o, m, p):
    """Plans like the tracker, but does not remember the block.

    While it sees no block, it heads for the nearest crate or, if pushes are limited, for a hidden cell that takes as many
    pushes as it has. Without a limit it is greedy: the shortest path, ignoring crates that can be pushed now.
    """
    _update_map(o, m, p)
    if m.phase != ACT:
        return STAY
    if p.limited != 0:
        if m.goal == 0:
            m.goal = _guess(m, p)
        return _or_stay(_plan(m.planner, p, m.free, m.crates, m.here, m.goal, m.strength)) if m.goal != 0 else STAY
    if m.goal == 0:
        near = m.here
        for _ in range(2 * MAX_SIDE):
            near |= neighbours(near) & m.free
            if near & m.crates != 0:
                m.goal = nth(near & m.crates, 0)
                break
    return _or_stay(greedy_direction(m.free, m.crates, m.here, m.goal))


@device
def greedy(s, m, p):
    """The shortest path to the block, ignoring crates that can be pushed now."""
    return _or_stay(greedy_direction(s.free, s.crates, s.here, s.goal)) if s.phase == ACT else STAY


@device
def _walk_or_push(s, m, style, foresight):
    """Walk to the block if a way is open; else push the chosen crate. m: PUSHER."""
    open_ = s.free & ~s.crates
    reach = reachable(open_, s.here)
    if reach & s.goal != 0:
        return first_step(open_, s.here, s.goal)
    if m.rng == 0:
        m.rng = mix(s.rng)
    if m.crate == 0 or s.crates != m.crates:
        m.crates = s.crates
        m.crate, m.direction = choose_push(m, style, foresight, s.free, s.crates, reach, s.goal)
    if m.crate == 0:
        return NONE
    return approach(s.free, s.crates, s.here, m.crate, m.direction)


def _pusher(style, foresight):
    """A reference that looks `foresight` pushes ahead, and else pushes at random in a style of `pushers`."""

    @device
    def choose(s, m, p):
        return _or_stay(_walk_or_push(s, m, style, foresight)) if s.phase == ACT else STAY

    return Reference(by_index(choose, ACTIONS), memory=PUSHER)


@device
def puller(s, m, p):
    """Plans as if a crate could be pulled back, and pushes at random where its plan asks for that."""
    if s.phase != ACT:
        return STAY
    d = next_planned(m.planner, s.free, s.crates, s.here, s.goal, s.strength, 1)
    return _or_stay(_walk_or_push(s, m.pusher, ANY, 1) if d < 0 else d)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLANS),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
    "greedy": Reference(by_index(greedy, ACTIONS)),
    "random-pushes": _pusher(ANY, 0),
    "careful-pushes": _pusher(NO_FARTHER, 0),
    "one-ahead": _pusher(ANY, 1),
    "one-ahead-nearer": _pusher(NEARER, 1),
    "one-ahead-careful": _pusher(NO_FARTHER, 1),
    "two-ahead": _pusher(ANY, 2),
    "two-ahead-nearer": _pusher(NEARER, 2),
    "two-ahead-careful": _pusher(NO_FARTHER, 2),
    "puller": Reference(by_index(puller, ACTIONS), memory=PULLER),
}
