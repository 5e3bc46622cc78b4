"""Scripted players of Detour."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.task import ARCS
from unseen.envs.planning.detour.rules import AWAY, _towards, follow, plan


@device
def oracle(s, m, p):
    """Follows the plan made when the episode was drawn, which holds wherever a way is left."""
    return follow(s)


@device
def tracker(o, m, p):
    """Remembers what stands where and plans anew at every step; looks round for the block until it has seen it."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= AWAY:
        return 1
    m.target = m.query
    plan(m)
    return follow(m)


@device
def reflex(o, m, p):
    """Greedy: straight at the block; looks round for it where it is not in view."""
    update_belief(o, m, p, 1.0, 1.0, 0.0)
    if m.disc_x[m.query] >= AWAY:
        return 1
    return _towards(m, m.disc_x[m.query], m.disc_y[m.query])


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
