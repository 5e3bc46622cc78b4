"""Scripted players of Detour."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.task import ARCS
from unseen.envs.planning.detour.distance_field import FIELD
from unseen.envs.planning.detour.rules import AWAY, SMALL, TALL, _towards, follow, plan

GRID = [(name, FIELD[name]) for name in FIELD.names or ()]
PLAN = np.dtype([("planned", INT), *GRID], align=True)
BELIEF = belief(TALL, SMALL, *GRID, ("target", INT))


@device
def oracle(s, m, p):
    """Plans once, when the episode begins, and follows the plan, which holds wherever a way is left."""
    if m.planned == 0:
        m.planned = 1
        plan(s, m)
    return follow(s, m)


@device
def tracker(o, m, p):
    """Remembers what stands where and plans anew at every step; turns round for the block until it has seen it."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= AWAY:
        return 1
    m.target = m.query
    plan(m, m)
    return follow(m, m)


@device
def reflex(o, m, p):
    """Greedy: straight at the block; looks round for it where it is not in view."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= AWAY:
        return 1
    return _towards(m, m.disc_x[m.query], m.disc_y[m.query])


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS), memory=PLAN),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
