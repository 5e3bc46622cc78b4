"""Tally: how many are left behind the screen? Collect them all, then say that you are done."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.planar.belief import disc_motion, update_belief
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.sensors import box_start, disc_start, write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import ACT, DUSK, FLOAT, INT, OBSERVE, drive, place_box, planar, touch

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


# --- drawing an episode ---


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
def begin(s, p):
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


# --- things come and go ---


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


# --- a step ---


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
def step(s, a, p):
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
    return outcome(s, reward, over)


@device
def answer(s):
    """How many of the asked ones are left behind the screen, from the fewest possible on."""
    return s.answer


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


# --- references ---


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
def oracle(s, p):
    """Knows how many are left; stays put until it may move."""
    if s.phase != ACT:
        return STAY
    return DONE if s.left[s.asked] == 0 else _to_nest(s)


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


class Tally(PlanarTask):
    """Collect all that are left behind the screen, then say that you are done.

    **Story.** The agent watches from a mat. Marbles come from a box at one side and roll behind a screen, where they
    lie in a nest; others roll out at the far end and are gone into another box: 1 + 2 - 1 ... A blackout falls for a
    random time, and the agent is set down anywhere round the nest, by dusk, in which marbles do not show. As soon as
    its hand reaches into the nest, and in every step in which it still does, it takes one of those that are left. It
    has to take them all and then say *done*. A hand that reaches into the empty nest has lost.

    **Levels.** 0: a glass screen and daylight, the visible twin. 1: 1 to 3 are left, one goes in or out at a time,
    each in a colour of its own, blackout 1-3. 2 (default): 1 to 4 are left, all alike, up to two in and two out at a
    time, from either side, blackout 2-6. 3: marbles of two colours, only one of which counts (the hand leaves the
    other), told after the blackout; 1 to 5 of each; nearest first, seen from the agent, blackout 5-15.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay, done. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step, and a third number that says done above .8. They have no effect until
    the act phase. Who says done neither moves nor reaches; before the first marble is taken nobody listens, since at
    least one is left.

    **Observation.** See `unseen.envs.planar.sensors.Layout`; by `looks` small slots are by colour (each its own), by
    place (all alike) or nearest first (two colours). A signal tells how many have been taken, as a part of `most`. A
    marble shows at rest, then rolling, then no more. At the end the lights go on: what is still in the nest shows.

    **Reward.** 1 for done when all that were left have been taken, else 0.

    **End.** Done, a reach into the empty nest, or `act` steps; all `terminated`: the deadline is part of the rules.

    **Why search replaces no memory.** An agent that could sweep until nothing more is found would need no number. Here
    that nothing is left is told only by the reach that loses. Before every reach, whoever does not know the number
    knows no more than that it is at least what was taken, so all that a policy without memory can choose is the count
    at which to stop: it succeeds when that is the number, in 1 of the (most - least + 1) equally likely cases, and
    mixing such policies does not help.

    **Leaks closed.** The number left, the number of moves and the last move (one in, or one out, evenly) are drawn
    independently, and the moves before lead there; pauses make all watch phases equally long. What left is gone from
    the world and what is left is covered, so no slot depends on it; the one that is taken is any of them, evenly, and
    shows in the hand, not where it lay. Set down anywhere round the nest, out of its reach (pose is no memory). What
    stays, since arithmetic has it so: the best guess from the last two moves alone is right in .57, .47 and .41 at
    levels 1, 2 and 3, from the last three in .63, .52 and .47, from how many moved at all in .69, .52 and .41 (chance
    .33, .25, .20).

    **Shift.** Two moves more for each colour, larger marbles (1.25 x), and from the other side where it was fixed.

    **Presets.** `addition` (1 + 1, and 2 + 1) and `subtraction` (2 - 1, and 3 - 1), after Wynn (1992), Addition and
    subtraction by human infants, Nature 358, 749-750. There the first dolls were put on the stage before the screen
    rose, and an operation had one right outcome; here all roll behind the screen, and two starts make the right one
    depend on what was seen.
    """

    title = "collect all that are left behind the screen, then say done"
    state = planar(
        3, SMALL,
        ("answer", INT), ("asked", INT), ("taken", INT), ("n_slots", INT), ("side", FLOAT), ("size", FLOAT),
        ("left", INT, (2,)), ("goal", INT, (2,)), ("moves", INT, (2,)), ("last", INT, (2,)),
        ("ins", INT, (SLOTS,)), ("outs", INT, (SLOTS,)), ("of", INT, (SLOTS,)),
        ("way", INT, (SMALL,)), ("since", INT, (SMALL,)), ("spot", INT, (SMALL,)), ("lane", FLOAT, (SMALL,)),
        signals=1,
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = (
        PlanarTask.shared
        | PlanarTask.staged
        | {
            "room": Knob(2.5, 2.4, 5.0, doc="half extent of the room, m"),
            "fov": Knob(360.0, 100.0, 360.0, doc="field of view, degrees: from the mat both boxes are in it"),
            "act": Knob(18, 12, 100, doc="steps of the act phase: enough for the way and `most` reaches"),
            "scramble": Knob(0.2, 0.0, 0.2, doc="the agent is set down 1.1 m from the nest, give or take this, m"),
            "least": Knob(1, 1, 9, doc="fewest that can be left"),
            "most": Knob(4, 2, 10, doc="most that can be left"),
            "moves": Knob((5, 7), 2, 12, pair=True, doc="moves of each colour that counts apart, drawn"),
            "together": Knob(2, 1, 3, doc="most that go in, and that come out, in one move"),
            "looks": Knob(
                "same", choices=("own", "same", "two"), doc="a colour each, all alike, or two, of which one counts"
            ),
            "entry": Knob("either", choices=("left", "either"), doc="side from which things come"),
            "operation": Knob("mixed", choices=("mixed", "add", "subtract"), doc="any moves; or n + 1; or n - 1"),
            "breadth": Knob(0.6, 0.5, 0.6, doc="half width of the screen, m"),
            "depth": Knob(0.05, 0.03, 0.08, doc="half depth of the screen, m"),
            "radius": Knob(0.08, 0.05, 0.1, doc="of a marble, m"),
        }
    )
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16, glass=True),
        1: dict(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16),
        2: dict(order="place"),
        3: dict(most=5, looks="two", blackout=(5, 15), act=22, order="distance", frame="ego"),
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "addition": dict(operation="add", least=2, most=3, moves=2, together=2, order="place"),
        "subtraction": dict(operation="subtract", least=1, most=2, moves=2, together=3, order="place"),
    }
    actions: ClassVar[dict[str, tuple[float, ...]]] = {
        "forward": (1.0, 0.0, 0.0), "left": (1.0, 1.0, 0.0), "right": (1.0, -1.0, 0.0), "stay": (0.0, 0.0, 0.0),
        "done": (0.0, 0.0, 1.0),
    }  # fmt: skip
    action_low = (-1.0, -1.0, -1.0)
    action_high = (1.0, 1.0, 1.0)
    keys: ClassVar[dict[str, str]] = {"forward": "w", "left": "a", "right": "d", "stay": "s", "done": "e"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "most": (2, 3, 4, 5, 6, 7), "moves": (5, 6, 8, 10, 12), "blackout": (0, 5, 10, 20, 40),
    }  # fmt: skip
    look = Look(
        tall=("screen", "crate"),
        small=("marble",),
        request="collect the {} marbles that are left, then say done",
        untold="collect all marbles that are left, then say done",
        captions={
            "observe": "Marbles go behind the screen and come out. How many are left?",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Take what is left from behind the screen, one by one. A reach too many loses.",
            "lit": "In full light, through glass: take all that are left, then say done.",
            "over": "Lights on: what is still behind the screen shows.",
        },
        won="took all that were left",
        lost="wrong number",
        signals=("taken",),
    )
    extra_state = 9 + 3 * SLOTS

    begin, step, answer, write_state = begin, step, answer, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        least, most, together, looks = (values[name] for name in ("least", "most", "together", "looks"))
        low, high = values["moves"]
        if least >= most:
            raise BadParameter(f"least={least}: allowed is less than most={most}, or there is nothing to remember")
        if values["operation"] == "mixed":
            need = max(1 + math.ceil((most + 1) / together), 3)
            if low < need:
                raise BadParameter(
                    f"moves={(low, high)}: most={most} needs at least {need} moves of together={together}"
                )
        else:
            first = most - 1 if values["operation"] == "add" else most + 1
            if (low, high) != (2, 2) or looks == "two" or first > together:
                raise BadParameter(
                    f"operation={values['operation']!r} needs moves=2, looks='own' or 'same', and together >= {first} "
                    f"for most={most}: got moves={(low, high)}, looks={looks!r}, together={together}"
                )
        orders = {"own": ("colour", "distance"), "same": ("place", "distance"), "two": ("distance",)}[looks]
        if values["order"] not in orders:
            raise BadParameter(f"order={values['order']!r}: looks={looks!r} allows {', '.join(map(repr, orders))}")
        room = 6 if looks == "own" else SMALL
        if cls.in_play(values) > room:
            raise BadParameter(
                f"most={most} with together={together} and looks={looks!r} can have {cls.in_play(values)} things in "
                f"play: allowed are {room}"
            )
        if values["act"] < most + WAY:
            raise BadParameter(f"act={values['act']}: most={most} needs at least {most + WAY} steps")

    @classmethod
    def in_play(cls, values: Mapping[str, Any]) -> int:
        """The most things that are in the world at once: behind the screen, coming and going."""
        return cls.classes(values) * (values["most"] + 1) + 2 * values["together"]

    @classmethod
    def classes(cls, values: Mapping[str, Any]) -> int:
        """How many counts there are to keep."""
        return 2 if values["looks"] == "two" else 1

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        watch = BEAT * cls.classes(values) * values["moves"][1] + 2
        return {"observe_steps": watch, "cap": values["most"] + 1, "classes": cls.classes(values)}

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        n = cls.in_play(values)
        colours = {"own": n, "same": 1, "two": 2}[values["looks"]]
        return Sizes(colours=colours, disc_slots=n, box_slots=3, box_kinds=2, box_shape=1, signals=1)

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        """Counts the further moves of the shift."""
        more = BEAT * MORE * cls.classes(values) if values["operation"] == "mixed" else 0
        return int(cls.derived(values)["observe_steps"]) + more + int(values["blackout"][1] + values["act"])

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        return int(values["most"] - values["least"] + 1)
