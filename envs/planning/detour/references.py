"""Scripted reference policies of Detour."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.task import ARCS
from unseen.envs.planning.detour.distance_field import FIELD
from unseen.envs.planning.detour.path import LEFT, arc_along_path, arc_to, plan_path
from unseen.envs.planning.detour.rules import MAX_BLOCKS, MAX_BOXES
from unseen.envs.planning.detour.walkers import LEFT_HAND, LOOK, RESTART, RIGHT_HAND, TWICE, VIA, WALKER, walk

PATH = np.dtype([("planned", INT), ("field", FIELD)], align=True)
SEEN = belief(MAX_BOXES, MAX_BLOCKS)
BELIEF = belief(MAX_BOXES, MAX_BLOCKS, ("target", INT), ("field", FIELD))
UNSEEN = 1e3  # m: discs of the belief with x of at least this have never been seen


@device
def oracle(s, m, p):
    """Plans once, when the episode starts, and follows the distance field."""
    if m.planned == 0:
        m.planned = 1
        plan_path(s, m.field)
    return arc_along_path(s, m.field)


@device
def tracker(o, m, p):
    """Remembers everything it has seen and replans at every step; turns until it has seen the target."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= UNSEEN:
        return LEFT
    m.target = m.query
    plan_path(m, m.field)
    return arc_along_path(m, m.field)


@device
def reflex(o, m, p):
    """Greedy: straight towards the target; turns while it is not in view."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= UNSEEN:
        return LEFT
    return arc_to(m, m.disc_x[m.query], m.disc_y[m.query])


@device
def greedy(s, m, p):
    """Straight towards the target, knowing where it is."""
    return arc_to(s, s.disc_x[s.target], s.disc_y[s.target])


def _walker(style: int) -> Reference:
    """A player that knows where everything is, but does not plan a path."""

    @device
    def choose(s, m, p):
        return walk(s, m, style)

    return Reference(by_index(choose, ARCS), memory=WALKER)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS), memory=PATH),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=SEEN, remembers=False),
    "greedy": Reference(by_index(greedy, ARCS)),
    "restarts": _walker(RESTART),
    "via": _walker(VIA),
    "left-hand": _walker(LEFT_HAND),
    "right-hand": _walker(RIGHT_HAND),
    "look": _walker(LOOK),
    "two-places": _walker(TWICE),
}
