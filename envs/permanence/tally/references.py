"""Scripted reference policies of Tally."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.permanence.tally.marbles import MAX_MARBLES, NEST_Y, ROLL_SPEED, TWO
from unseen.envs.permanence.tally.rules import ARM, MAX_BOXES, REACH, at_nest
from unseen.envs.planar.belief import belief, copy_room, disc_motion, update_belief
from unseen.envs.planar.layout import HEAD, disc_start
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, STRIDE, TURN

STAY, DONE = 3, 4
ACTIONS = {name: (*row, 0.0) for name, row in ARCS.items()} | {"done": (0.0, 0.0, 1.0)}
BELIEF = belief(MAX_BOXES, MAX_MARBLES, ("counted", INT, (2,)))  # marbles of each group behind the screen


@device
def _to_nest(m):
    """The action that leads to the nest, or reaches into it. Makes the nest the only disc of m."""
    if at_nest(m):
        return STAY
    m.n_discs = 1
    m.disc_x[0] = 0.0
    m.disc_y[0] = NEST_Y
    return steer_to_disc(m, 0, 0.0, NEST_Y, REACH, STRIDE, TURN)


@device
def oracle(s, m, p):
    """Knows how many are left."""
    if s.phase != ACT:
        return STAY
    if s.left[s.asked] == 0:
        return DONE
    copy_room(s, m)
    return _to_nest(m)


@device
def _taken(o, p):
    """The number of marbles taken, from the signal in the row."""
    return int(o[HEAD + 2 * p.queries] * p.most + 0.5)


@device
def tracker(o, m, p):
    """Counts, by group, the marbles that roll towards the screen minus those that roll away from it."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    for i in range(p.disc_slots):
        at = disc_start(p) + (5 + p.colours) * i
        x, _, vx, _ = disc_motion(o, m, p, at)
        if o[at] > 0.5 and abs(vx) > 0.5 * ROLL_SPEED:
            c = 1 if p.looks == TWO and o[at + 6] > 0.5 else 0
            m.counted[c] += 1 if x * vx < 0.0 else -1
    if m.phase != ACT:
        return STAY
    return DONE if _taken(o, p) == m.counted[max(m.query, 0)] else _to_nest(m)


@device
def _in_hand(o, m, p, at):
    """Whether the marble whose slot starts at o[at] is in the agent's hand."""
    x = o[at + 1] * p.room
    y = o[at + 2] * p.room
    if p.frame == 0:
        cos = math.cos(m.heading)
        sin = math.sin(m.heading)
        x, y = (x - m.agent_x) * cos + (y - m.agent_y) * sin, (y - m.agent_y) * cos - (x - m.agent_x) * sin
    return abs(x - ARM) + abs(y) < 0.01


@device
def reflex(o, m, p):
    """The best memoryless policy: collect visible marbles; if none is visible, stop at the minimum number."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    if m.phase != ACT:
        return STAY
    visible = False
    for i in range(p.disc_slots):
        at = disc_start(p) + (5 + p.colours) * i
        if o[at] > 0.5 and not _in_hand(o, m, p, at) and (m.query < 0 or o[at + 5 + m.query] > 0.5):
            visible = True
    return DONE if _taken(o, p) >= p.least and not visible else _to_nest(m)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=BELIEF, remembers=False),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
}
