"""Scripted players of RolledBehind."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.permanence.rolled_behind.rules import BOUNCE, DT, REACH, RING, SMALL, STRIDE, TALL, TURN
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, nearest_box

STAY = 3
BELIEF = belief(TALL, SMALL)


@device
def oracle(s, m, p):
    """Knows where everything is; stays put until it may move."""
    if s.phase != ACT:
        return STAY
    return steer_to_disc(s, s.target, s.disc_x[s.target], s.disc_y[s.target], REACH, STRIDE, TURN)


@device
def tracker(o, m, p):
    """Keeps a map of what it saw, lets the unseen roll on in it, and fetches from the map."""
    update_belief(o, m, p, DT, p.friction, BOUNCE)
    if m.phase != ACT or m.query < 0:
        return STAY
    return steer_to_disc(m, m.query, m.disc_x[m.query], m.disc_y[m.query], REACH, STRIDE, TURN)


@device
def reflex(o, m, p):
    """The best that one observation allows: fetch the asked block if it shows, else behind the nearest occluder."""
    update_belief(o, m, p, DT, p.friction, BOUNCE)
    if m.phase != ACT or m.query < 0:
        return STAY
    if m.disc_x[m.query] < 100.0:
        return steer_to_disc(m, m.query, m.disc_x[m.query], m.disc_y[m.query], REACH, STRIDE, TURN)
    near = nearest_box(m, m.agent_x, m.agent_y)
    far = p.ring + RING
    m.disc_x[m.query] = far * m.box_cos[near]
    m.disc_y[m.query] = far * m.box_sin[near]
    return steer_to_disc(m, m.query, m.disc_x[m.query], m.disc_y[m.query], REACH, STRIDE, TURN)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
