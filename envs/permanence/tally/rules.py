"""The rules of Tally: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import (
    DUSK,
    OBSERVE,
    drive,
    place_box,
    planar,
    touch,
)

SMALL = 16  # things in play at once
SLOTS = 28  # moves and pauses of the watch phase
MORE = 2  # further moves in the shift
DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.5  # m from the nest's centre at which the hand reaches into it
BEAT = 2  # steps from one move to the next
MAT = -1.5  # y of the mat; the screen stands at the room's centre, m
NEST = 0.5  # y of the nest behind the screen, m
MOUTH = 1.55  # |x| at which things rest before the box they come from or leave into, m
MIDWAY = 1.15  # |x| at which they are seen rolling, m
ROLL = 2.8  # m/s there
LANE = 0.25  # m between things that roll side by side
STAGGER = 0.2  # m further on for each metre to the side, so that the order of their slots hangs on nothing hidden
AROUND = 1.1  # m from the nest at which the agent is set down after the blackout
WAY = 10  # steps of the act phase beside a reach for each thing: the way to the nest, and done
ARM = 0.22  # m ahead of the agent at which it holds what it took
SCREEN, BOX = 0, 1
OWN, SAME, TWO = 0, 1, 2
MIXED, ADD, SUBTRACT = 0, 1, 2
BEHIND, COMING, GOING = 0, 1, 2
STAY, DONE = 3, 4

ACTIONS = {
    "forward": (1.0, 0.0, 0.0), "left": (1.0, 1.0, 0.0), "right": (1.0, -1.0, 0.0), "stay": (0.0, 0.0, 0.0),
    "done": (0.0, 0.0, 1.0),
}  # fmt: skip

STATE = planar(
    3, SMALL,
    ("answer", INT), ("asked", INT), ("taken", INT), ("n_slots", INT), ("side", FLOAT), ("size", FLOAT),
    ("left", INT, (2,)), ("goal", INT, (2,)), ("moves", INT, (2,)), ("last", INT, (2,)),
    ("ins", INT, (SLOTS,)), ("outs", INT, (SLOTS,)), ("of", INT, (SLOTS,)),
    ("way", INT, (SMALL,)), ("since", INT, (SMALL,)), ("spot", INT, (SMALL,)), ("lane", FLOAT, (SMALL,)),
    signals=1,
)  # fmt: skip
STILL_TO_COME = 9 + 3 * SLOTS


@device
def _furnish(s, p):
    s.n_boxes = 3
    place_box(s, 0, SCREEN, 0.0, 0.0, 1.0, 0.0, p.breadth, p.depth)
    place_box(s, 1, BOX, 1.95, NEST, 1.0, 0.0, 0.25, 0.4)
    place_box(s, 2, BOX, -1.95, NEST, 1.0, 0.0, 0.25, 0.4)


@device
def _reachable(n, target, k, p):
    """Whether k moves can lead from n things behind the screen to `target`. One in and one out keeps n, but with
    nothing behind the screen nothing comes out."""
    if k == 0:
        return n == target
    return abs(target - n) <= p.together * k and (n > 0 or target > 0 or k > 1)


@device
def _draw_move(s, p, n, target, k):
    """Draw how many go in and come out with k moves still to follow, evenly from those from which `target` can be
    reached."""
    found = 0
    ins = 0
    outs = 0
    for i in range(p.together + 1):
        for o in range(min(p.together, n) + 1):
            then = n + i - o
            if i + o > 0 and then <= p.cap and _reachable(then, target, k, p):
                found += 1
                if below(s, found) == 0:
                    ins = i
                    outs = o
    return ins, outs


@device
def _schedule(s, p, shift):
    """Draw the moves of the watch phase. What is left, the number of moves and the last move (one thing, in or out)
    are drawn first and independently; the rest leads there. Pauses fill the slots that no move takes."""
    more = MORE if shift and p.operation == MIXED else 0
    s.n_slots = p.classes * (p.moves_high + more)
    for c in range(2):
        s.left[c] = 0
        s.goal[c] = p.least + below(s, p.most - p.least + 1)
        s.moves[c] = p.moves_low + below(s, p.moves_high - p.moves_low + 1) + more if c < p.classes else 0
        s.last[c] = 1 if below(s, 2) == 0 else -1
    for i in range(SLOTS):
        s.ins[i] = 0
        s.outs[i] = 0
        s.of[i] = 0
    if p.operation != MIXED:  # n + 1, or n - 1
        s.last[0] = 1 if p.operation == ADD else -1
    # `left` and `moves` are used up as counters here, and set for good below.
    first = s.moves[0]
    second = s.moves[1]
    for i in range(s.n_slots):
        pick = below(s, s.n_slots - i)
        c = 0 if pick < s.moves[0] else 1
        if pick >= s.moves[0] + s.moves[1]:
            continue
        s.moves[c] -= 1
        k = s.moves[c]
        s.of[i] = c
        if k == 0:
            s.ins[i] = 1 if s.last[c] > 0 else 0
            s.outs[i] = 1 - s.ins[i]
        else:
            s.ins[i], s.outs[i] = _draw_move(s, p, s.left[c], s.goal[c] - s.last[c], k - 1)
        s.left[c] += s.ins[i] - s.outs[i]
    s.moves[0] = first
    s.moves[1] = second
    s.left[0] = 0
    s.left[1] = 0


@device
def reset(s, p):
    """Draw an episode: what is left, the moves that lead there, the blackout's length and the pose after it."""
    shift = p.split == 2
    reset_stage(s, p)
    s.agent_y += MAT
    angle = uniform(s, -math.pi, math.pi)
    away = AROUND + uniform(s, -p.scramble, p.scramble)
    s.spawn_x = away * math.cos(angle)
    s.spawn_y = NEST + away * math.sin(angle)
    _furnish(s, p)
    _schedule(s, p, shift)
    s.observe_steps = BEAT * s.n_slots + 2  # longer in the shift
    s.size = p.radius * (1.25 if shift else 1.0)
    s.asked = below(s, p.classes)
    s.answer = s.goal[s.asked] - p.least
    s.side = 1.0 if (p.entry != 0 and below(s, 2) == 0) or (p.entry == 0 and shift) else -1.0
    s.taken = 0
    s.signal[0] = 0.0
    for k in range(SMALL):  # nothing of an earlier episode stays in the record
        _clear(s, k)
    _move(s, p)
    return True


@device
def _sort(s, p, k):
    """Which count thing k enters: its colour's where there are two, else the only one."""
    return s.disc_colour[k] if p.looks == TWO else 0


@device
def _colour(s, p, c):
    """A colour for a new thing of class c; where each has its own, evenly one that is not in play."""
    if p.looks != OWN:
        return c
    found = 0
    colour = 0
    for i in range(p.colours):
        fresh = True
        for k in range(s.n_discs):
            if s.disc_colour[k] == i:
                fresh = False
        if fresh:
            found += 1
            if below(s, found) == 0:
                colour = i
    return colour


@device
def _clear(s, k):
    s.disc_x[k] = 0.0
    s.disc_y[k] = 0.0
    s.disc_vx[k] = 0.0
    s.disc_vy[k] = 0.0
    s.disc_radius[k] = 0.0
    s.disc_colour[k] = 0
    s.disc_cover[k] = 0
    s.way[k] = 0
    s.since[k] = 0
    s.lane[k] = 0.0
    s.spot[k] = 0


@device
def _remove(s, k):
    """Take thing k out of the world: what is gone is nowhere, not hidden."""
    j = s.n_discs - 1
    s.disc_x[k] = s.disc_x[j]
    s.disc_y[k] = s.disc_y[j]
    s.disc_vx[k] = s.disc_vx[j]
    s.disc_vy[k] = s.disc_vy[j]
    s.disc_radius[k] = s.disc_radius[j]
    s.disc_colour[k] = s.disc_colour[j]
    s.disc_cover[k] = s.disc_cover[j]
    s.way[k] = s.way[j]
    s.since[k] = s.since[j]
    s.lane[k] = s.lane[j]
    s.spot[k] = s.spot[j]
    s.n_discs = j


@device
def _settle(s, k):
    """Thing k comes to rest in the nest, in the innermost free spot of a spiral of them."""
    spot = 0
    taken = True
    while taken:
        taken = False
        for j in range(s.n_discs):
            if j != k and s.way[j] != COMING and s.disc_cover[j] != 0 and s.spot[j] == spot:
                taken = True
        spot += taken
    d = 1.15 * s.disc_radius[k] * math.sqrt(spot + 0.5)
    s.spot[k] = spot
    s.disc_x[k] = d * math.cos(2.4 * spot)
    s.disc_y[k] = NEST + d * math.sin(2.4 * spot)
    s.disc_vx[k] = 0.0
    s.way[k] = BEHIND
    s.disc_cover[k] = 1


@device
def _place(s, k, x, v):
    s.disc_x[k] = x + STAGGER * s.lane[k]
    s.disc_y[k] = NEST + s.lane[k]
    s.disc_vx[k] = v
    s.disc_cover[k] = 0


@device
def _one_of(s, p, c):
    """One of the things of class c that lie behind the screen, each as likely; -1 for none."""
    found = 0
    thing = -1
    for k in range(s.n_discs):
        if s.way[k] == BEHIND and _sort(s, p, k) == c:
            found += 1
            if below(s, found) == 0:
                thing = k
    return thing


@device
def _move(s, p):
    """Bring every thing to where it is at step s.t, and begin the move that is due.

    In: at rest before its box, rolling, behind the screen. Out: rolling, at rest before the other box, gone."""
    k = 0
    while k < s.n_discs:
        age = s.t - s.since[k]
        gone = False
        if s.way[k] == COMING:
            if age == 1:
                _place(s, k, s.side * MIDWAY, -s.side * ROLL)
            elif age == 2:
                _settle(s, k)
        elif s.way[k] == GOING:
            if age == 1:
                _place(s, k, -s.side * MIDWAY, -s.side * ROLL)
            elif age == 2:
                _place(s, k, -s.side * MOUTH, 0.0)
            else:
                _remove(s, k)
                gone = True
        if not gone:
            k += 1
    slot = s.t // BEAT
    if s.t % BEAT != 0 or slot >= s.n_slots:
        return
    c = s.of[slot]
    for i in range(s.outs[slot]):
        k = _one_of(s, p, c)
        s.way[k] = GOING
        s.since[k] = s.t
        s.lane[k] = LANE * (i - 0.5 * (s.outs[slot] - 1))
    for i in range(s.ins[slot]):
        k = s.n_discs
        s.disc_colour[k] = _colour(s, p, c)
        s.n_discs = k + 1
        s.disc_radius[k] = s.size
        s.disc_vy[k] = 0.0
        s.way[k] = COMING
        s.since[k] = s.t
        s.spot[k] = -1
        s.lane[k] = LANE * (i - 0.5 * (s.ins[slot] - 1))
        _place(s, k, s.side * MOUTH, 0.0)
    s.left[c] += s.ins[slot] - s.outs[slot]


@device
def _at_nest(s):
    """Whether the hand reaches into the nest."""
    return s.agent_x * s.agent_x + (s.agent_y - NEST) ** 2 < REACH * REACH and path_clear(
        s, s.agent_x, s.agent_y, 0.0, NEST
    )


@device
def _take(s, p):
    """Reach into the nest for what is asked for; False if there is none."""
    k = _one_of(s, p, s.asked)
    if k < 0:
        return False
    touch(s, k)
    s.disc_cover[k] = 0
    s.disc_x[k] = s.agent_x + ARM * math.cos(s.heading)
    s.disc_y[k] = s.agent_y + ARM * math.sin(s.heading)
    s.left[s.asked] -= 1
    s.taken += 1
    s.signal[0] = s.taken / p.most
    return True


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1], and done, said by more than .8."""
    moves = may_act(s)
    says = moves and a[2] > 0.8
    if moves and not says:
        drive(s, STRIDE * a[0], TURN * a[1])
    if s.touched >= 0:  # what was in the hand is put away
        _remove(s, s.touched)
        touch(s, -1)
    s.t += 1
    if s.phase == OBSERVE:
        _move(s, p)
    if next_phase(s, DUSK) and p.looks == TWO:
        s.query = s.asked
    if not moves:
        return 0.0, False, False
    reward = 0.0
    over = out_of_time(s, p)
    if says:
        if s.taken > 0:
            over = True
            reward = 1.0 if s.left[s.asked] == 0 else 0.0
    elif _at_nest(s) and not _take(s, p):
        over = True
    return outcome(s, info, reward, over)


@device
def write_hidden(s, p, out):
    """How many of the asked ones are left behind the screen, from the fewest possible on."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then everything that is still to come."""
    write_lit_slots(s, p, o, s.asked if p.looks == TWO else -1)
    at = o.shape[0] - 9 - 3 * SLOTS
    write_stage(s, p, o, at)
    o[at + 7] = s.observe_steps / CLOCK
    o[at + 8] = s.left[s.asked] / p.cap
    at += 9
    for i in range(s.n_slots):
        if BEAT * i > s.t:
            o[at + 3 * i] = s.ins[i]
            o[at + 3 * i + 1] = s.outs[i]
            o[at + 3 * i + 2] = s.of[i]
