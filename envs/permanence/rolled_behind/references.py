"""Scripted reference policies of RolledBehind."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.permanence.rolled_behind.draw import BEHIND, RESTITUTION
from unseen.envs.permanence.rolled_behind.rules import MAX_BLOCKS, MAX_OCCLUDERS, REACH
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, STRIDE, TURN, nearest_box

STAY = 3
UNSEEN = 100.0  # m: discs of the belief with a larger x have never been seen
BELIEF = belief(MAX_OCCLUDERS, MAX_BLOCKS)


@device
def _fetch(w, k):
    """The action that leads to block k in the true or believed world w."""
    return steer_to_disc(w, k, w.disc_x[k], w.disc_y[k], REACH, STRIDE, TURN)


@device
def oracle(s, m, p):
    """Knows where everything is."""
    return _fetch(s, s.target) if s.phase == ACT else STAY


@device
def tracker(o, m, p):
    """Keeps a map of what it has seen, in which unseen blocks keep rolling, and fetches from the map."""
    update_belief(o, m, p, DT, p.friction, RESTITUTION)
    return _fetch(m, m.query) if m.phase == ACT and m.query >= 0 else STAY


@device
def reflex(o, m, p):
    """The best memoryless policy: fetch the target if visible, else look behind the nearest occluder."""
    update_belief(o, m, p, DT, p.friction, RESTITUTION)
    if m.phase != ACT or m.query < 0:
        return STAY
    if m.disc_x[m.query] >= UNSEEN:
        near = nearest_box(m, m.agent_x, m.agent_y)
        m.disc_x[m.query] = (p.ring + BEHIND) * m.box_cos[near]
        m.disc_y[m.query] = (p.ring + BEHIND) * m.box_sin[near]
    return _fetch(m, m.query)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
