"""Scripted players of Ramps."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import (
    EAST,
    GRID,
    box_cells,
    cell_at,
    count,
    first_step,
    nearest,
    nth,
    shift,
    side,
    square,
)
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.layout import (
    box_start,
)
from unseen.envs.planar.world import ACT
from unseen.envs.planning.ramps.lanes import (
    BALL,
    BLOCK,
    PLAN,
    search,
)
from unseen.envs.planning.ramps.rules import (
    ACTIONS,
    BALL_RADIUS,
    BLOCK_RADIUS,
    BOUNCE,
    DEFLECTOR,
    DEFLECTORS,
    DT,
    FRICTION,
    PILLAR,
    PILLARS,
    POWER,
    RELEASE,
    SCREEN,
    STAY,
    TURN,
    _row,
    greedy,
)

BELIEF = belief(
    2 + PILLARS + DEFLECTORS, 2, *GRID, *PLAN,
    ("free", INT), ("pillars", INT), ("screen", INT), ("here", INT), ("goal", INT),
    ("slash", INT), ("back", INT), ("power", INT), ("rolling", INT),
    signals=3,
)  # fmt: skip


@device
def build(s):
    """The next step of carrying out the plan in the record, from any blueprint: take away what is wrong, set what is
    missing, the nearest first; then the power, the row, and release."""
    if s.rolling > 0:
        return STAY
    to = nearest(s.free, s.here, (s.slash & ~s.plan_slash) | (s.back & ~s.plan_back))
    if to == 0:
        to = nearest(s.free, s.here, (s.plan_slash & ~s.slash) | (s.plan_back & ~s.back))
    if to == s.here:
        return TURN
    if to == 0 and s.power != s.plan_power:
        return POWER
    if to == 0:
        to = nearest(s.free, s.here, _row(s.free, s.plan_row))
    return first_step(s.free, s.here, to) if to != 0 and to != s.here else RELEASE


@device
def oracle(s, m, p):
    """Carries out the plan in the record, whatever the blueprint is."""
    return build(s) if s.phase == ACT else STAY


@device
def _map(o, m, p):
    """Bring the believed field up to date. Tall things show in every row by day and dusk; the block is remembered."""
    m.n_boxes = 0
    update_belief(o, m, p, DT, FRICTION, BOUNCE)
    n = side(p)
    m.cell = 2.0 * p.room / (p.cells + 1)
    m.room_hx = 0.5 * (n + 1) * m.cell
    m.room_hy = 0.5 * n * m.cell
    m.west = m.cell - m.room_hx
    m.disc_radius[BALL] = BALL_RADIUS
    m.disc_radius[BLOCK] = BLOCK_RADIUS
    m.free = square(n)
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
            m.screen = box_cells(m, k)
            m.free &= ~m.screen
    m.free &= ~m.pillars
    m.here = cell_at(m, m.agent_x, m.agent_y)
    m.power = int(o[box_start(p) - p.signals] * p.powers + 0.5)
    if m.goal == 0 and m.disc_x[BLOCK] < 100.0 and m.phase == ACT:
        m.goal = cell_at(m, m.disc_x[BLOCK], m.disc_y[BLOCK])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans in what it sees as the oracle does in what is."""
    _map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    if m.length == 0:
        search(m, p, m.free, side(p), DEFLECTORS)
    return build(m)


@device
def reflex(o, m, p):
    """Greedy: straight or round one corner, as if there were no pillars. Without a memory it takes a block out of sight
    to lie right behind the middle of the screen."""
    _map(o, m, p)
    if m.phase != ACT:
        return STAY
    n = side(p)
    if m.goal == 0 and m.screen != 0:
        m.goal = shift(nth(m.screen, count(m.screen) // 2), EAST)
    if m.goal == 0 or not greedy(m, p, n):
        return STAY
    return build(m)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS)),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
}
