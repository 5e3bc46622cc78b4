"""Scripted players of Detour."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.task import ARCS
from unseen.envs.planning.detour.distance_field import FIELD
from unseen.envs.planning.detour.path import LEFT, arc_along_path, arc_to, plan_path
from unseen.envs.planning.detour.rules import SMALL, TALL

PATH = np.dtype([("planned", INT), ("field", FIELD)], align=True)
SEEN = belief(TALL, SMALL)
BELIEF = belief(TALL, SMALL, ("target", INT), ("field", FIELD))
UNKNOWN = 1e3  # m: a disc that was not seen yet is believed to be at least so far away


@device
def oracle(s, m, p):
    """Plans once, when the episode begins, and follows the path, from wherever one leads to the block."""
    if m.planned == 0:
        m.planned = 1
        plan_path(s, m.field)
    return arc_along_path(s, m.field)


@device
def tracker(o, m, p):
    """Remembers what stands where and plans anew at every step; turns round until it has seen the block."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= UNKNOWN:
        return LEFT
    m.target = m.query
    plan_path(m, m.field)
    return arc_along_path(m, m.field)


@device
def reflex(o, m, p):
    """Greedy: straight at the block; turns round where it is not in view."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= UNKNOWN:
        return LEFT
    return arc_to(m, m.disc_x[m.query], m.disc_y[m.query])


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS), memory=PATH),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=SEEN, remembers=False),
}
