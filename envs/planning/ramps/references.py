"""Scripted reference policies of Ramps."""

from collections.abc import Callable

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.rng import mix
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import EAST, count, first_step, nearest, nth, row, shift, square
from unseen.envs.grid.floor import DT, FLOOR, FRICTION, RESTITUTION, cell_at, cells_of_box, lay_floor, side
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.layout import box_start
from unseen.envs.planar.world import ACT
from unseen.envs.planning.ramps.builders import build_at_random, build_nothing, build_one, build_stepwise
from unseen.envs.planning.ramps.deflectors import MAX_DEFLECTORS
from unseen.envs.planning.ramps.draw import DEFLECTOR, MAX_PILLARS, PILLAR, SCREEN, odd_rows
from unseen.envs.planning.ramps.lanes import BALL, BLOCK, LANE_PLAN, search_lanes, works
from unseen.envs.planning.ramps.rules import (
    ACTIONS,
    BALL_RADIUS,
    BLOCK_RADIUS,
    CHANGE_POWER,
    RELEASE,
    STAY,
    TURN_DEFLECTOR,
)

BELIEF = belief(
    2 + MAX_PILLARS + MAX_DEFLECTORS, 2, *FLOOR,
    ("free", INT), ("pillars", INT), ("screen", INT), ("here", INT), ("goal", INT),
    ("slash", INT), ("back", INT), ("power", INT), ("plan", LANE_PLAN),
)  # fmt: skip
BUILDER = np.dtype([("rng", "u8"), ("plan", LANE_PLAN)], align=True)


@device
def execute(s, plan):
    """The next action to execute a plan from any state of the field.

    Removes wrong deflectors, then places missing ones, nearest first; then sets the power, walks to the row, and releases.
    """
    to = nearest(s.free, s.here, (s.slash & ~plan.slash) | (s.back & ~plan.back))
    if to == 0:
        to = nearest(s.free, s.here, (plan.slash & ~s.slash) | (plan.back & ~s.back))
    if to == s.here:
        return TURN_DEFLECTOR
    if to == 0 and s.power != plan.power:
        return CHANGE_POWER
    if to == 0:
        to = nearest(s.free, s.here, s.free & row(plan.row))
    return first_step(s.free, s.here, to) if to != 0 and to != s.here else RELEASE


@device
def oracle(s, plan, p):
    """Plans once, at the start of the act phase, and executes the plan."""
    if s.phase != ACT or s.rolling > 0:
        return STAY
    if plan.length == 0:
        search_lanes(s, plan, p, s.free, side(p), MAX_DEFLECTORS)
    return execute(s, plan)


@device
def update_map(o, m, p):
    """Update the believed field m. Boxes are visible by day and dusk in every row; the block is remembered.

    m.goal is the block's cell, 0 while unknown.
    """
    m.n_boxes = 0
    update_belief(o, m, p, DT, FRICTION, RESTITUTION)
    lay_floor(m, p, 1)
    m.disc_radius[BALL] = BALL_RADIUS
    m.disc_radius[BLOCK] = BLOCK_RADIUS
    m.free = square(side(p))
    m.pillars = 0
    m.slash = 0
    m.back = 0
    for k in range(m.n_boxes):
        if m.box_kind[k] == DEFLECTOR and m.box_cos[k] * m.box_sin[k] > 0.0:
            m.slash |= cell_at(m, m.box_x[k], m.box_y[k])
        elif m.box_kind[k] == DEFLECTOR:
            m.back |= cell_at(m, m.box_x[k], m.box_y[k])
        elif m.box_kind[k] == PILLAR:
            m.pillars |= cell_at(m, m.box_x[k], m.box_y[k])
        elif m.box_kind[k] == SCREEN:
            m.screen = cells_of_box(m, k)
            m.free &= ~m.screen
    m.free &= ~m.pillars
    m.here = cell_at(m, m.agent_x, m.agent_y)
    m.power = int(o[box_start(p) - p.signals] * p.powers + 0.5)
    if m.goal == 0 and m.disc_x[BLOCK] < 100.0 and m.phase == ACT:
        m.goal = cell_at(m, m.disc_x[BLOCK], m.disc_y[BLOCK])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans like the oracle, from what it has seen."""
    update_map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    if m.plan.length == 0:
        search_lanes(m, m.plan, p, m.free, side(p), MAX_DEFLECTORS)
    return execute(m, m.plan)


@device
def reflex(o, m, p):
    """Plans like the oracle, but without memory it assumes that a hidden block is right behind the middle of the screen."""
    update_map(o, m, p)
    if m.phase != ACT:
        return STAY
    if m.goal == 0 and m.screen != 0:
        m.goal = shift(nth(m.screen, count(m.screen) // 2), EAST)
    if m.goal == 0 or not search_lanes(m, m.plan, p, m.free, side(p), MAX_DEFLECTORS):
        return STAY
    return execute(m, m.plan)


@device
def blind(s, m, p):
    """Knows everything but where the block is: builds the plan that works for the most of the cells where it may be."""
    if s.phase != ACT or s.rolling > 0:
        return STAY
    if m.plan.length == 0:
        lay_floor(m, p, 1)
        m.disc_radius[BALL] = BALL_RADIUS
        m.disc_radius[BLOCK] = BLOCK_RADIUS
        m.free = s.free
        odd = s.suitable & odd_rows(side(p))
        most = 0.0
        best = 0
        for again in range(2):
            left = s.suitable if again == 0 else best
            while left != 0:
                cell = left & -left
                left ^= cell
                m.goal = cell
                search_lanes(m, m.plan, p, m.free, side(p), MAX_DEFLECTORS)
                hits = 0.0
                others = s.suitable
                while others != 0:
                    m.goal = others & -others
                    others ^= m.goal
                    share = odd if m.goal & odd != 0 else s.suitable & ~odd
                    hits += works(m, m.plan, p) / count(share)
                if hits > most:
                    most = hits
                    best = cell
    return execute(s, m.plan)


def _builder(build: Callable) -> Reference:
    """A player that knows where the block is, and builds what `build` (r, s, plan, p) writes into the plan."""

    @device
    def choose(s, m, p):
        if s.phase != ACT or s.rolling > 0:
            return STAY
        if m.plan.length == 0:
            m.rng = mix(s.rng)
            build(m, s, m.plan, p)
        return execute(s, m.plan)

    return Reference(by_index(choose, ACTIONS), memory=BUILDER)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=LANE_PLAN),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
    "blind": Reference(by_index(blind, ACTIONS), memory=BELIEF),
    "straight": _builder(build_nothing),
    "one-deflector": _builder(build_one),
    "stepwise": _builder(build_stepwise),
    "random-build": _builder(build_at_random),
}
