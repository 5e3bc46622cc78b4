"""Scripted reference policies of Tally."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import INT
from unseen.envs.permanence.tally.marbles import MAX_MARBLES, NEST_Y, ROLL_SPEED, TWO
from unseen.envs.permanence.tally.rules import ARM, MAX_BOXES, REACH, at_nest
from unseen.envs.permanence.tally.schedule import more_moves
from unseen.envs.planar.belief import belief, copy_room, disc_motion, update_belief
from unseen.envs.planar.layout import HEAD, disc_start
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, STRIDE, TURN

STAY, DONE = 3, 4
ACTIONS = {name: (*row, 0.0) for name, row in ARCS.items()} | {"done": (0.0, 0.0, 1.0)}
RECENT = 4  # moves of a group that are remembered one by one
BELIEF = belief(
    MAX_BOXES, MAX_MARBLES,
    ("counted", INT, (2,)), ("entered", INT, (2,)),  # of each group: marbles behind the screen; marbles that went in
    ("net", INT, (2, RECENT)),  # net of each group's last moves, the latest first
)  # fmt: skip


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
def _count(o, m, p):
    """Enter the row, and count by group the marbles that roll towards the screen minus those that roll away from it."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    for c in range(2):
        ins = 0
        outs = 0
        for i in range(p.disc_slots):
            at = disc_start(p) + (5 + p.colours) * i
            x, _, vx, _ = disc_motion(o, m, p, at)
            group = 1 if p.looks == TWO and o[at + 6] > 0.5 else 0
            if o[at] > 0.5 and abs(vx) > 0.5 * ROLL_SPEED and group == c:
                if x * vx < 0.0:
                    ins += 1
                else:
                    outs += 1
        m.counted[c] += ins - outs
        m.entered[c] += ins
        if ins + outs > 0:
            for i in range(RECENT - 1, 0, -1):
                m.net[c, i] = m.net[c, i - 1]
            m.net[c, 0] = ins - outs


@device
def _collect(o, m, p, number):
    """Collect so many marbles, then say done."""
    if m.phase != ACT:
        return STAY
    return DONE if _taken(o, p) == number else _to_nest(m)


@device
def _middle(p):
    return (p.least + p.most + 1) // 2


@device
def _possible(p, number):
    """The number left that is nearest to a number."""
    return min(max(number, p.least), p.most)


@device
def tracker(o, m, p):
    """Counts all moves."""
    _count(o, m, p)
    return _collect(o, m, p, _possible(p, m.counted[max(m.query, 0)]))


def _last(moves):
    """A player that has seen only the last moves of the queried group, at most RECENT."""

    @device
    def choose(o, m, p):
        _count(o, m, p)
        number = _middle(p)
        for i in range(moves):
            number += m.net[max(m.query, 0), i]
        return _collect(o, m, p, _possible(p, number))

    return choose


last_move = _last(1)
last_2_moves = _last(2)
last_4_moves = _last(4)
middle = _last(0)  # always collects the same number


@device
def ins_only(o, m, p):
    """Counts what goes in, and takes what comes out to be what it is on average."""
    _count(o, m, p)
    moves = 0.5 * (p.moves_low + p.moves_high) + more_moves(p)
    # In the middle of the moves, as many go in as come out.
    out = 0.5 * moves * p.together if p.peak != 0 else 0.5 * (moves - _middle(p) / p.together)
    return _collect(o, m, p, _possible(p, int(m.entered[max(m.query, 0)] - out + 0.5)))


@device
def colour_blind(o, m, p):
    """Counts the marbles of both colours together, and collects half of them."""
    _count(o, m, p)
    return _collect(o, m, p, _possible(p, (m.counted[0] + m.counted[1] + 1) // 2))


@device
def other_colour(o, m, p):
    """Counts the marbles of the colour that is not queried."""
    _count(o, m, p)
    return _collect(o, m, p, m.counted[1 - max(m.query, 0)])


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
    "last_move": Reference(by_index(last_move, ACTIONS), reads="slots", memory=BELIEF),
    "last_2_moves": Reference(by_index(last_2_moves, ACTIONS), reads="slots", memory=BELIEF),
    "last_4_moves": Reference(by_index(last_4_moves, ACTIONS), reads="slots", memory=BELIEF),
    "middle": Reference(by_index(middle, ACTIONS), reads="slots", memory=BELIEF),
    "ins_only": Reference(by_index(ins_only, ACTIONS), reads="slots", memory=BELIEF),
    "colour_blind": Reference(by_index(colour_blind, ACTIONS), reads="slots", memory=BELIEF),
    "other_colour": Reference(by_index(other_colour, ACTIONS), reads="slots", memory=BELIEF),
}
