"""Unblock: crates stand in the doorways; pushed the wrong way, one jams the way for good."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import (
    GRID,
    NOWHERE,
    SIDE,
    STRIDE,
    bit,
    box_cells,
    cell_at,
    count,
    grow,
    index,
    middle,
    nth,
    roll_in,
    side,
    square,
    stand_box,
    walk,
)
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.physics import roll
from unseen.envs.planar.sensors import write_lit_slots
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import ACT, DAY, INT, clear_boxes, planar, touch
from unseen.envs.planning.unblock.crates import EXHAUSTED, PLAN, SEARCH, forget, move, search, toward, trace

CRATES = 5
WALLS = 7  # boxes: three of the wall from side to side, two of each arm
CRATE, WALL = 0, 1  # kinds of tall things
STAY = 4

DT = 0.25  # s a step
OBSERVE_STEPS = 6  # steps: a roll of at most four, and the block at rest
FRICTION = 4.0  # m/s^2
BOUNCE = 0.5
RUN = 3  # cells that the block rolls, at most
SLIM = 0.46  # half a crate, in cells: it stands a little free of its neighbours
PICKS = 4  # places for the block that are tried in one flat


@device
def _cell(p):
    """Side of a cell, m."""
    return 2.0 * p.room / p.cells


@device
def _at(flip, along, line, i):
    """Cell i of a line of cells, as a mask; `along` runs in y, the others in x, or the other way round if flipped."""
    return bit(line, i) if along != flip else bit(i, line)


@device
def _wall(s, flip, along, line, low, high):
    """Wall cells low..high of a line, but for doors: one box for each run of them."""
    first = low
    for i in range(low, high + 2):
        if i <= high and _at(flip, along, line, i) & s.doors == 0:
            s.free &= ~_at(flip, along, line, i)
            continue
        if i > first:
            if along != flip:
                stand_box(s, WALL, 0.5, line, first, line, i - 1)
            else:
                stand_box(s, WALL, 0.5, first, line, i - 1, line)
        first = i + 1


@device
def _flat(s, p, n):
    """A wall from side to side and up to two arms on it, with a door in every part between two rooms."""
    s.free = square(n)
    flip = below(s, 2)
    line = 2 + below(s, n - 4)  # where the long wall stands
    arm = 2 + below(s, n - 4)
    left = p.rooms == 4 or (p.rooms == 3 and below(s, 2) == 0)
    right = p.rooms == 4 or (p.rooms == 3 and not left)
    if p.rooms == 2:
        s.doors = _at(flip, 1, line, below(s, n))
    else:
        s.doors = _at(flip, 1, line, below(s, arm)) | _at(flip, 1, line, arm + 1 + below(s, n - 1 - arm))
    if left:
        s.doors |= _at(flip, 0, arm, below(s, line))
    if right:
        s.doors |= _at(flip, 0, arm, line + 1 + below(s, n - 1 - line))
    if p.rooms > 2 and below(s, 2) == 0:  # one of the doors may be walled up
        s.doors ^= nth(s.doors, below(s, count(s.doors)))
    _wall(s, flip, 1, line, 0, n - 1)
    if left:
        _wall(s, flip, 0, arm, 0, line - 1)
    if right:
        _wall(s, flip, 0, arm, line + 1, n - 1)


@device
def _place_crates(s, p):
    """The first crate stands in a doorway, the others in doorways or within two cells of one."""
    s.crates = 0
    near = grow(s.doors) & s.free
    near = (grow(near) | near | s.doors) & s.free
    for k in range(p.crates):
        spots = s.doors & ~s.crates
        if spots == 0 or (k > 0 and below(s, 2) == 0):
            spots = near & ~s.crates
        b = nth(spots, below(s, count(spots)))
        s.crates |= b
        s.stand[k] = index(b)
        stand_box(s, CRATE, SLIM, s.stand[k] % STRIDE, s.stand[k] // STRIDE, s.stand[k] % STRIDE, s.stand[k] // STRIDE)


@device
def _greedy(s, p, crates, goal):
    """Let greedy walk among `crates`: (agent's cell, crates) where it ends."""
    here = s.here
    for _ in range(p.act):
        d = toward(s.free, crates, here, goal)
        if here == goal or d < 0:
            break
        here, crates = move(s.free, crates, here, d)
    return here, crates


@device
def _jams(s, p, goal):
    """Whether greedy stops short of the goal, though it would arrive if any one of the crates stood there alone: it
    is together that they jam. s.jam_here and s.jam_crates say how it ended."""
    s.jam_here, s.jam_crates = _greedy(s, p, s.crates, goal)
    if s.jam_here == goal:
        return False
    if p.crates > 1:
        for k in range(p.crates):
            here, _ = _greedy(s, p, 1 << s.stand[k], goal)
            if here != goal:
                return False
    return True


@device
def _moved(s, steps):
    """How many crates the plan pushes."""
    crates = s.crates
    here = s.here
    rest = crates  # those not touched yet
    for t in range(steps):
        here, crates = move(s.free, crates, here, s.plan[t])
        rest &= crates
    return count(s.crates) - count(rest)


@device
def _clear(s):
    """Leave nothing of the last episode: what is not overwritten must be the same in every batch."""
    forget(s)
    s.jam_here = 0
    s.jam_crates = 0
    clear_boxes(s)


@device
def begin(s, p):
    """Draw a flat, crates and the agent; search; draw the block's place among those that ask for a plan."""
    n = side(p)
    if s.tries == 1:
        _clear(s)
        # Drawn once for all tries: what is rejected must not tilt the share.
        s.trap = 1 if uniform(s, 0.0, 1.0) < p.trap else 0
    reset_stage(s, p)
    s.cell = _cell(p)
    s.room_hx = 0.5 * n * s.cell
    s.room_hy = s.room_hx
    s.west = -s.room_hx
    s.glass = 0
    # Crates come first in the record: a slot is the same crate throughout.
    s.n_boxes = p.crates
    _flat(s, p, n)
    walls = s.n_boxes
    s.n_boxes = 0
    _place_crates(s, p)
    s.n_boxes = walls
    spots = s.free & ~s.crates & ~s.doors
    s.here = nth(spots, below(s, count(spots)))
    s.agent_x, s.agent_y = middle(s, index(s.here))
    s.spawn_x = s.agent_x
    s.spawn_y = s.agent_y
    s.spawn_heading = s.heading
    search(s, s.free, s.crates, s.here, 0, p.plan_high)
    behind = s.met & ~s.crates
    if p.crates > 0:  # a crate stands in every way
        behind &= ~walk(s.here, s.free & ~s.crates)
    s.n_discs = 1
    s.disc_radius[0] = p.radius
    s.disc_colour[0] = 0
    s.disc_cover[0] = 0
    for _ in range(PICKS):
        if behind == 0:
            return False
        goal = nth(behind, below(s, count(behind)))
        behind ^= goal
        steps = s.reach[index(goal)]
        if steps < p.plan_low:
            continue
        x, y = middle(s, index(goal))
        if exposed(s, s.agent_x, s.agent_y, x, y, p.radius) or (s.trap != 0 and not _jams(s, p, goal)):
            continue
        if not roll_in(s, 0, s.free & ~s.crates & ~s.here, goal, RUN, FRICTION):
            continue
        s.goal = goal
        s.pushes = trace(s, s.free, goal)
        s.moved = _moved(s, steps)
        if s.moved < p.moved:
            continue
        s.due = 0
        if s.trap != 0 and search(s, s.free, s.jam_crates, s.jam_here, goal, 4 * PLAN) != EXHAUSTED:
            return False
        s.shortest = steps
        s.query = 0
        s.glass = 1  # all is clear while the block rolls
        return True
    return False


@device
def _heading(a):
    """The direction of an action row (east, north): its larger part, if that is more than a half; else STAY."""
    if max(abs(a[0]), abs(a[1])) <= 0.5:
        return STAY
    if abs(a[0]) >= abs(a[1]):
        return 0 if a[0] > 0.0 else 2
    return 1 if a[1] > 0.0 else 3


@device
def _go(s, d):
    """Face direction d and step; a crate in the way is pushed or stops the agent."""
    s.heading = 0.5 * math.pi * d if d < 3 else -0.5 * math.pi
    here, crates = move(s.free, s.crates, s.here, d)
    if crates != s.crates:
        k = 0
        while s.stand[k] != index(here):
            k += 1
        s.stand[k] = index(crates & ~s.crates)
        s.box_x[k], s.box_y[k] = middle(s, s.stand[k])
    s.here = here
    s.crates = crates
    s.agent_x, s.agent_y = middle(s, index(here))
    s.disc_cover[0] = 1 if crates & s.goal != 0 else 0


@device
def step(s, a, p):
    """One cell. a: east and north, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        d = _heading(a)
        if d != STAY:
            _go(s, d)
        if s.due >= 0 and d != STAY:  # does the plan still hold?
            s.due = s.due + 1 if d == s.plan[s.due] else NOWHERE
    else:
        roll(s, DT, FRICTION, BOUNCE)
    s.t += 1
    if next_phase(s, DAY):
        s.glass = p.glass
    if not moves:
        return 0.0, False, False
    won = s.here == s.goal
    touch(s, 0 if won else NOWHERE)
    return outcome(s, 1.0 if won else 0.0, won or out_of_time(s, p))


@device
def write_state(s, p, o):
    """Slots with the lights on, then the clock, the blackout and whether the walls are clear."""
    write_lit_slots(s, p, o, 0)
    at = o.shape[0] - 3
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass


@device
def _follow(s, p):
    """The next step of the plan; a new plan is made where the agent has left it."""
    if s.due < 0:
        if search(s, s.free, s.crates, s.here, s.goal, PLAN) <= 0:
            return STAY
        trace(s, s.free, s.goal)
        s.due = 0
    return s.plan[s.due]


@device
def oracle(s, p):
    """Goes by the shortest plan, which lies in the record."""
    if s.phase != ACT:
        return STAY
    length = s.shortest
    d = _follow(s, p)
    s.shortest = length
    return d


@device
def _map(o, m, p):
    """Bring the believed flat up to date. Walls and crates show in every row by day; the block is remembered."""
    m.n_boxes = 0
    update_belief(o, m, p, DT, FRICTION, BOUNCE)
    n = side(p)
    m.cell = _cell(p)
    m.room_hx = 0.5 * n * m.cell
    m.room_hy = m.room_hx
    m.west = -m.room_hx
    m.free = square(n)
    m.crates = 0
    for k in range(m.n_boxes):
        if m.box_kind[k] == WALL:
            m.free &= ~box_cells(m, k)
        else:
            m.crates |= box_cells(m, k)
    m.here = cell_at(m, m.agent_x, m.agent_y)
    m.goal = 0
    if m.disc_x[0] < 100.0:
        m.goal = cell_at(m, m.disc_x[0], m.disc_y[0])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans from what it sees as the oracle does from what is."""
    if m.n_discs == 0:
        m.due = NOWHERE
    _map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    d = _follow(m, p)
    m.due = m.due + 1 if d != STAY else NOWHERE
    return d


@device
def reflex(o, m, p):
    """Greedy: the shortest way to the block, as if every crate that moves now were no obstacle. Without a memory, it
    does not know where a block out of sight lies, and pushes on at the nearest crate."""
    _map(o, m, p)
    if m.phase != ACT:
        return STAY
    if m.goal == 0:
        near = m.here
        for _ in range(2 * SIDE):
            near |= grow(near) & m.free
            if near & m.crates != 0:
                m.goal = nth(near & m.crates, 0)
                break
    d = toward(m.free, m.crates, m.here, m.goal)
    return d if d >= 0 else STAY


class Unblock(PlanarTask):
    """Reach the block that rolled behind the crates.

    **Story.** A small flat: rooms of a few cells, doorways, and crates that stand in or near them. While walls and
    crates are clear as glass, a block rolls to its place; then they turn opaque, and it lies out of sight, with a
    crate in every way to it. Walking into a crate pushes it one cell, if the cell beyond is free (Sokoban's rule).
    Nothing can be pulled: a crate pushed the wrong way jams the way for good. Look ahead before you push.

    **Levels.** 0: no crates, all of glass: what is left is walking. 1: two rooms, one crate in the only doorway,
    which can simply be pushed on. 2 (default): four rooms and two crates that interact: in three of four episodes
    greedy's pushes jam the way for good, although each crate alone would be no obstacle to it; in the others nothing
    is asked of greedy, so that its opposite is no policy either. 3: four crates, plans of 14 to 24 steps.
    With `glass=True` the block stays in sight: what is left of any level is planning.

    **Actions.** East, north, west, south, one cell each, and stay; the agent faces the way it goes, also when it is
    stopped. Not arcs, nor turns: each of the four goes somewhere, so that random play pushes things. They have no
    effect until the act phase. The rules are on a grid, so that the simulator is exact and a search can certify
    every episode; a continuous action (east, north) is no more than a direction, its larger part if above .5.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. Crates keep their slots, then come the walls, each one
    box for a run of cells; tall things show wherever they stand, the block only in line of sight. It is small: a
    crate, on feet, slides over it, and then covers it.

    **Reward.** 1 in the step in which the agent stands in the block's cell; it ends the episode.

    **End.** Also after `act` steps, about four times the longest plan; both `terminated`, since the deadline is part
    of the rules. A jam is not told: the episode goes on until its time is up. At the end the lights go on.

    **Certified.** `reset` searches breadth-first over (agent, crates), in steps: `shortest` and `plan` in the record
    are a shortest plan, and where `trap` is 1, `jam_here` and `jam_crates` are where greedy ends, from where an
    exhausted search found no way. A reset costs about 1.5 microseconds at level 1, 55 at level 2 and 350 at level 3.
    Where the search would need more than `CONFIGS` arrangements of crates, it stops; what it found by then is exact.

    **References.** The oracle follows the plan in the record and searches anew where it was left. The tracker
    remembers where the block came to rest and searches in what it sees. Greedy takes the shortest way on which every
    push is possible as things stand now; having no memory, it pushes on at the nearest crate while it sees no block.

    **Leaks closed.** Flats, crates, agent and block are drawn anew each time; the share of traps is drawn before
    the flat, so that what is rejected does not tilt it. Reward and observations depend on no hidden thing.

    **Shift.** A flat that is one cell wider (at 7 cells: one narrower).
    """

    title = "push crates out of the way without jamming it"
    state = planar(
        CRATES + WALLS, 1,
        *GRID, ("free", INT), ("doors", INT), ("crates", INT), ("here", INT), ("goal", INT),
        ("stand", INT, (CRATES,)), ("trap", INT), ("moved", INT), ("jam_crates", INT), ("jam_here", INT),
        ("pushes", INT), ("due", INT), *SEARCH,
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = PlanarTask.shared | {
        "order": Knob("colour", choices=("colour",), doc="slot = record order: one block, crates first, then walls"),
        "room": Knob(2.0, 1.75, 4.0, doc="half extent of the flat, m"),
        "blackout": PlanarTask.staged["blackout_steps"],
        "act": Knob(50, 4, 200, doc="steps of the act phase"),
        "crates": Knob(2, 0, CRATES, doc="crates: the first in a doorway, the others there or near one"),
        "cells": Knob(6, 5, SIDE, doc="cells a side"),
        "rooms": Knob(4, 2, 4, doc="rooms of the flat"),
        "plan": Knob((5, 12), 1, PLAN, pair=True, doc="steps of the shortest plan, lowest and highest"),
        "moved": Knob(1, 0, CRATES, doc="crates that the shortest plan pushes, at least"),
        "trap": Knob(0.75, 0.0, 1.0, doc="share of episodes in which greedy's pushes jam the way for good"),
    }
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(cells=5, rooms=2, crates=0, plan=(3, 6), act=32, moved=0, trap=0.0, blackout=0, glass=True),
        1: dict(cells=5, rooms=2, crates=1, plan=(3, 6), act=32, moved=1, trap=0.0, blackout=0),
        2: dict(blackout=(1, 2)),
        3: dict(crates=4, cells=7, plan=(14, 24), act=90, moved=2, blackout=(1, 4)),
    }
    actions: ClassVar[dict[str, tuple[float, ...]]] = {
        "east": (1.0, 0.0), "north": (0.0, 1.0), "west": (-1.0, 0.0), "south": (0.0, -1.0), "stay": (0.0, 0.0),
    }  # fmt: skip
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    keys: ClassVar[dict[str, str]] = {"north": "w", "west": "a", "south": "s", "east": "d", "stay": "x"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crates": (1, 2, 3, 4), "plan": ((4, 7), (8, 10), (11, 13), (14, 16)), "moved": (1, 2), "trap": (0.0, 0.5, 1.0),
    }  # fmt: skip
    look = Look(
        tall=("crate", "wall"),
        request="reach the {} block behind the crates",
        captions={
            "observe": "Walls and crates are clear while the block rolls to its place.",
            "blackout": "Nothing shows for a moment.",
            "act": "Push crates out of the way; nothing can be pulled back.",
            "lit": "Push crates out of the way; nothing can be pulled back.",
            "over": "Lights on: now everything shows.",
        },
        won="reached it",
        lost="out of time",
    )
    extra_state = 3
    max_tries = 5000  # a try costs some ten microseconds

    begin, step, write_state = begin, step, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        if values["act"] < values["plan"][1]:
            raise BadParameter(f"act={values['act']}: plan={values['plan']} needs at least {values['plan'][1]} steps")
        if values["trap"] > 0 and values["crates"] < 1:
            raise BadParameter(f"trap={values['trap']}: allowed is 0 where crates=0, since nothing can jam")
        if values["moved"] > values["crates"]:
            raise BadParameter(f"moved={values['moved']}: allowed is at most crates={values['crates']}")

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        half = SLIM * 2 * values["room"] / values["cells"]
        return {"observe_steps": OBSERVE_STEPS, "scramble": 0.0, "radius": 0.12, "depth": half, "breadth": half}

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        walls = {2: 2, 3: 5, 4: 7}[values["rooms"]]
        return Sizes(colours=1, disc_slots=1, box_slots=values["crates"] + walls, box_kinds=2, box_shape=1)

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        return OBSERVE_STEPS + values["blackout"][1] + values["act"]
