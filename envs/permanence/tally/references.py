"""Scripted players of Tally."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.permanence.tally.rules import (
    ACTIONS,
    ARM,
    DONE,
    DT,
    NEST,
    REACH,
    ROLL,
    SMALL,
    STAY,
    STRIDE,
    TURN,
    TWO,
    _at_nest,
)
from unseen.envs.planar.belief import belief, copy_scene, disc_motion, update_belief
from unseen.envs.planar.layout import (
    box_start,
    disc_start,
)
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.world import (
    ACT,
)

PLAN = belief(3, SMALL)
BELIEF = belief(3, SMALL, ("left", INT, (2,)), signals=1)  # how many of each count are behind the screen


@device
def _to_nest(s):
    """The action that leads to the nest, or reaches into it. For the time of the search the nest is the only thing."""
    if _at_nest(s):
        return STAY
    n = s.n_discs
    x = s.disc_x[0]
    y = s.disc_y[0]
    s.n_discs = 1
    s.disc_x[0] = 0.0
    s.disc_y[0] = NEST
    choice = steer_to_disc(s, 0, 0.0, NEST, REACH, STRIDE, TURN)
    s.n_discs = n
    s.disc_x[0] = x
    s.disc_y[0] = y
    return choice


@device
def oracle(s, m, p):
    """Knows how many are left; stays put until it may move."""
    if s.phase != ACT:
        return STAY
    copy_scene(s, m)
    return DONE if s.left[s.asked] == 0 else _to_nest(m)


@device
def _taken(o, p):
    return int(o[box_start(p) - p.signals] * p.most + 0.5)


@device
def tracker(o, m, p):
    """Counts, by colour, what it sees roll towards the screen less what it sees roll away from it."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    width = 5 + p.colours
    for i in range(p.disc_slots):
        q = disc_start(p) + width * i
        x, _, u, _ = disc_motion(o, m, p, q)
        if o[q] > 0.5 and abs(u) > 0.5 * ROLL:
            c = 1 if p.looks == TWO and o[q + 6] > 0.5 else 0
            m.left[c] += 1 if x * u < 0.0 else -1
    if m.phase != ACT:
        return STAY
    return DONE if _taken(o, p) == m.left[max(m.query, 0)] else _to_nest(m)


@device
def reflex(o, m, p):
    """The best that one observation allows: collect what shows; where nothing shows, the fewest that can be left."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    if m.phase != ACT:
        return STAY
    width = 5 + p.colours
    shows = False
    for i in range(p.disc_slots):
        q = disc_start(p) + width * i
        x, y = o[q + 1] * p.room, o[q + 2] * p.room
        if p.frame == 0:
            x, y = ((x - m.agent_x) * math.cos(m.heading) + (y - m.agent_y) * math.sin(m.heading),
                    (y - m.agent_y) * math.cos(m.heading) - (x - m.agent_x) * math.sin(m.heading))  # fmt: skip
        in_hand = abs(x - ARM) + abs(y) < 0.01
        if o[q] > 0.5 and not in_hand and (m.query < 0 or o[q + 5 + m.query] > 0.5):
            shows = True
    return DONE if _taken(o, p) >= p.least and not shows else _to_nest(m)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLAN, remembers=False),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False),
}
