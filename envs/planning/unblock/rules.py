"""The rules of Unblock: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import (
    GRID,
    NOWHERE,
    STRIDE,
    bit,
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
from unseen.envs.planar.physics import roll
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import (
    DAY,
    clear_boxes,
    planar,
    touch,
)
from unseen.envs.planning.unblock.crates import EXHAUSTED, PLAN, move, search, toward, trace

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

ACTIONS = {
    "east": (1.0, 0.0), "north": (0.0, 1.0), "west": (-1.0, 0.0), "south": (0.0, -1.0), "stay": (0.0, 0.0),
}  # fmt: skip

STATE = planar(
    CRATES + WALLS, 1,
    *GRID, ("free", INT), ("doors", INT), ("crates", INT), ("here", INT), ("goal", INT),
    ("stand", INT, (CRATES,)), ("trap", INT), ("moved", INT), ("jam_crates", INT), ("jam_here", INT),
    ("pushes", INT), ("shortest", INT),
)  # fmt: skip
STILL_TO_COME = 3


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
def _moved(s, w, steps):
    """How many crates the plan pushes."""
    crates = s.crates
    here = s.here
    rest = crates  # those not touched yet
    for t in range(steps):
        here, crates = move(s.free, crates, here, w.plan[t])
        rest &= crates
    return count(s.crates) - count(rest)


@device
def _clear(s):
    """Leave nothing of the last episode: what is not overwritten must be the same in every batch."""
    s.jam_here = 0
    s.jam_crates = 0
    clear_boxes(s)


@device
def reset(s, p, w):
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
    search(w, s.free, s.crates, s.here, 0, p.plan_high)
    behind = w.met & ~s.crates
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
        steps = w.reach[index(goal)]
        if steps < p.plan_low:
            continue
        x, y = middle(s, index(goal))
        if exposed(s, s.agent_x, s.agent_y, x, y, p.radius) or (s.trap != 0 and not _jams(s, p, goal)):
            continue
        if not roll_in(s, 0, s.free & ~s.crates & ~s.here, goal, RUN, FRICTION):
            continue
        s.goal = goal
        s.pushes = trace(w, s.free, goal)
        s.moved = _moved(s, w, steps)
        if s.moved < p.moved:
            continue
        if s.trap != 0 and search(w, s.free, s.jam_crates, s.jam_here, goal, 4 * PLAN) != EXHAUSTED:
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
def step(s, a, p, info):
    """One cell. a: east and north, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        d = _heading(a)
        if d != STAY:
            _go(s, d)
    else:
        roll(s, DT, FRICTION, BOUNCE)
    s.t += 1
    if next_phase(s, DAY):
        s.glass = p.glass
    if not moves:
        return 0.0, False, False
    won = s.here == s.goal
    touch(s, 0 if won else NOWHERE)
    return outcome(s, info, 1.0 if won else 0.0, won or out_of_time(s, p))


@device
def write_state(s, p, o):
    """Slots with the lights on, then the clock, the blackout and whether the walls are clear."""
    write_lit_slots(s, p, o, 0)
    at = o.shape[0] - 3
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass
