"""Ramps: set deflectors and a launcher, then release the ball once; what will it do?"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import (
    EAST,
    GRID,
    NOWHERE,
    SIDE,
    STRIDE,
    bit,
    box_cells,
    cell_at,
    count,
    distance,
    first_step,
    index,
    middle,
    nearest,
    nth,
    roll_in,
    shift,
    side,
    square,
    stand_box,
    walk,
)
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.physics import launch_speed, roll
from unseen.envs.planar.sensors import box_start, write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import ACT, DAY, DUSK, INT, clear_boxes, planar, touch
from unseen.envs.planning.ramps.lanes import (
    BALL,
    BLOCK,
    KNOCKS,
    PLAN,
    RESTS,
    ROLLS,
    STOPS,
    follow,
    run_of,
    search,
    swept,
    within_bends,
    works,
)

DEFLECTORS = 3
PILLARS = 10
RELEASES = 4
POWERS = 6
LAUNCHER, PILLAR, SCREEN, DEFLECTOR = 0, 1, 2, 3  # kinds of tall things
# Actions; the first four are the directions of `cells`.
TURN, POWER, RELEASE, STAY = 4, 5, 6, 7

DT = 0.25  # s a step
OBSERVE_STEPS = 6  # steps: a roll of at most five, and the block at rest
FRICTION = 4.0  # m/s^2
BOUNCE = 0.5
RUN = 3  # cells that the block rolls to its place, at most
BALL_RADIUS, BLOCK_RADIUS = 0.1, 0.12
SLIM = 0.46  # half a pillar, in cells; its padding fills the cell
STANCE = 0.3  # the builder stands this far south of a cell's middle, in cells: beside the cell's deflector


@device
def greedy(s, p, n):
    """Plan as if there were no pillars: straight, or round one corner."""
    return search(s, p, s.free | s.pillars, n, 1)


@device
def _row(open_, y):
    """The open cells of a row."""
    return open_ & (((1 << STRIDE) - 1) << (STRIDE * y))


@device
def _steps(s, p):
    """How many steps it takes to build the plan from an empty field, release, and see the ball come to rest."""
    t = (s.plan_power - s.power) % p.powers
    here = s.here
    left = s.plan_slash | s.plan_back
    while left != 0:
        to = nearest(s.free, here, left)
        if to == 0:
            return NOWHERE
        t += distance(s.free, here, to, 64) + (1 if to & s.plan_slash != 0 else 2)
        left ^= to
        here = to
    to = nearest(s.free, here, _row(s.free, s.plan_row))
    if to == 0:
        return NOWHERE
    return t + distance(s.free, here, to, 64) + int(math.ceil(_roll_time(s, p, s.plan_power) / DT))


@device
def _roll_time(s, p, power):
    """After how many seconds the run of a power ends, if nothing stops the ball."""
    return launch_speed(run_of(s, p, power), FRICTION) / FRICTION


@device
def build(s):
    """The next step of carrying out the plan in the record, from any blueprint: take away what is wrong, set what is
    missing, the nearest first; then the power, the row, and release."""
    if s.rolling > 0:
        return STAY
    to = nearest(s.free, s.here, (s.slash & ~s.plan_slash) | (s.back & ~s.plan_back))
    if to == 0:
        to = nearest(s.free, s.here, (s.plan_slash & ~s.slash) | (s.plan_back & ~s.back))
    if to == s.here:
        return TURN
    if to == 0 and s.power != s.plan_power:
        return POWER
    if to == 0:
        to = nearest(s.free, s.here, _row(s.free, s.plan_row))
    return first_step(s.free, s.here, to) if to != 0 and to != s.here else RELEASE


# --- an episode ---


@device
def _field(s, p, n):
    """The screen, a column or more from the rail and two or more from the eastern wall, and pillars. The cells where
    the block may come to lie: behind the screen, if it is to take a deflector to get there."""
    s.free = square(n)
    hidden = s.free
    s.screen = 0
    if p.screen > 0:
        x = 1 + below(s, n - 3)
        y = below(s, n - p.screen + 1)
        for k in range(p.screen):
            s.screen |= bit(x, y + k)
        if s.want > 0:
            hidden = swept(s.screen, s.free, EAST)
        s.free &= ~s.screen
    s.pillars = 0
    for _ in range(p.pillars):
        b = nth(s.free, below(s, count(s.free)))
        s.free ^= b
        s.pillars |= b
        stand_box(s, PILLAR, SLIM, index(b) % STRIDE, index(b) // STRIDE, index(b) % STRIDE, index(b) // STRIDE)
    if p.screen > 0:
        low = index(s.screen & -s.screen)
        x = low % STRIDE
        y = low // STRIDE
        stand_box(s, SCREEN, SLIM, x, y, x, y + p.screen - 1)
    return hidden & s.free


@device
def _stand(s):
    """Put the builder and the launcher, with the ball if that is in it, where s.here says."""
    s.agent_x, s.agent_y = middle(s, index(s.here))
    s.box_x[0] = s.west - 0.5 * s.cell
    s.box_y[0] = s.agent_y
    s.agent_y -= STANCE * s.cell
    if s.rolling == 0:
        s.disc_x[BALL] = s.box_x[0]
        s.disc_y[BALL] = s.box_y[0]


@device
def _tell(s, p):
    """What is told in any light: power, deflectors and releases that are left."""
    s.signal[0] = s.power / p.powers
    s.signal[1] = (p.deflectors - count(s.slash | s.back)) / max(p.deflectors, 1)
    s.signal[2] = s.left / p.releases


@device
def _clear(s, p):
    """Leave nothing of the last episode; draw what is drawn once for all tries, so that rejections do not tilt it."""
    clear_boxes(s)
    s.disc_vx[BALL] = 0.0
    s.disc_vy[BALL] = 0.0
    s.rolling = 0
    s.aim = 0
    s.want = p.bends_low + below(s, p.bends_high - p.bends_low + 1)
    s.trap = 1 if uniform(s, 0.0, 1.0) < p.trap and s.want > 0 else 0


@device
def _fits(s, p, n):
    """Whether the block may lie in s.goal: a plan works, in time, and greedy's does not where it must fail. The plan is
    left in the record."""
    if s.trap != 0 and greedy(s, p, n) and works(s, p):
        return False
    if not search(s, p, s.free, n, s.want) or not works(s, p):
        return False
    s.steps = _steps(s, p)
    return 0 < s.steps <= p.act


@device
def begin(s, p):
    """Draw a field; find all cells where the block would take as many deflectors as are wanted; draw one of them."""
    n = side(p)
    if s.tries == 1:
        _clear(s, p)
    reset_stage(s, p)
    s.cell = 2.0 * p.room / (p.cells + 1)
    s.room_hx = 0.5 * (n + 1) * s.cell
    s.room_hy = 0.5 * n * s.cell
    s.west = s.cell - s.room_hx
    stand_box(s, LAUNCHER, 0.36, -1, 0, -1, 0)
    hidden = _field(s, p, n)
    s.fixed = s.n_boxes
    s.here = nth(s.free, below(s, count(s.free)))
    if walk(s.here, s.free) != s.free:
        return False
    s.slash = 0
    s.back = 0
    s.power = 1 + below(s, p.powers)
    s.left = p.releases
    s.n_discs = 2
    s.disc_radius[BALL] = BALL_RADIUS
    s.disc_radius[BLOCK] = BLOCK_RADIUS
    for k in range(2):
        s.disc_colour[k] = k
        s.disc_cover[k] = 0
    _stand(s)
    s.spawn_x = s.agent_x
    s.spawn_y = s.agent_y
    s.spawn_heading = s.heading
    _tell(s, p)
    spots = hidden & within_bends(s.free, n, s.want) & ~s.here
    if s.want > 0:
        spots &= ~within_bends(s.free, n, s.want - 1)
    if count(spots) < p.doubt:
        return False
    fit = 0
    while spots != 0:
        s.goal = spots & -spots
        spots ^= s.goal
        if _fits(s, p, n):
            fit |= s.goal
    if count(fit) < p.doubt:
        return False
    s.goal = nth(fit, below(s, count(fit)))
    s.query = BLOCK
    s.glass = 1  # all is clear while the block rolls
    return _fits(s, p, n) and roll_in(s, BLOCK, s.free & ~s.here, s.goal, RUN, FRICTION)


@device
def _choice(a):
    """The action of a row (east, north, turn, power, release): its largest part, if that is more than a half."""
    best = 0
    for i in range(1, 5):
        if abs(a[i]) > abs(a[best]):
            best = i
    if abs(a[best]) <= 0.5 or (best == 4 and a[4] < 0.0):
        return STAY, True
    if best < 2:
        return (best if a[best] > 0.0 else best + 2), True
    return best + 2, a[best] > 0.0


@device
def _deflector(s, k, way):
    """Set tall thing k up as the deflector of the builder's cell: 1 is /, 2 is \\."""
    s.box_x[k], s.box_y[k] = middle(s, index(s.here))
    s.box_sin[k] = math.sqrt(0.5)
    s.box_cos[k] = s.box_sin[k] if way == 1 else -s.box_sin[k]
    s.box_hx[k] = 0.5 * s.cell
    s.box_hy[k] = 0.04
    s.box_kind[k] = DEFLECTOR


@device
def _take(s, k):
    """Take deflector k away; the last one moves into its place in the record."""
    last = s.n_boxes - 1
    s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k] = s.box_x[last], s.box_y[last], s.box_cos[last], s.box_sin[last]
    s.box_x[last], s.box_y[last], s.box_cos[last], s.box_sin[last], s.box_hx[last], s.box_hy[last] = (
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    )
    s.box_kind[last] = 0
    s.n_boxes = last


@device
def _turn(s, p, onward):
    """The next state of this cell's deflector: none, /, \\ and round again, or back."""
    way = 1 if s.slash & s.here != 0 else 2 if s.back & s.here != 0 else 0
    if way == 0 and count(s.slash | s.back) >= p.deflectors:
        return
    k = s.fixed
    while k < s.n_boxes and cell_at(s, s.box_x[k], s.box_y[k]) != s.here:
        k += 1
    s.slash &= ~s.here
    s.back &= ~s.here
    way = (way + (1 if onward else 2)) % 3
    if way == 0:
        _take(s, k)
        return
    if k == s.n_boxes:
        s.n_boxes = k + 1
    _deflector(s, k, way)
    if way == 1:
        s.slash |= s.here
    else:
        s.back |= s.here


@device
def _put_back(s):
    """After a miss: the ball lies in the launcher again, and the block, if it was knocked away, in its place."""
    s.rolling = 0
    s.disc_x[BLOCK], s.disc_y[BLOCK] = middle(s, index(s.goal))
    _stand(s)


@device
def _unit(d):
    """A direction as a vector (east, north)."""
    return (1.0 - d if d % 2 == 0 else 0.0), (2.0 - d if d % 2 == 1 else 0.0)


@device
def _knocked(s, d, far):
    """Move the block on by up to `far` metres in direction d; deflectors and whatever is solid stop it."""
    cells = 0
    b = shift(s.goal, d)
    while b & s.free & ~(s.slash | s.back) != 0:
        cells += 1
        b = shift(b, d)
    x, y = middle(s, index(s.goal))
    far = min(far, cells * s.cell)
    east, north = _unit(d)
    s.disc_x[BLOCK] = x + far * east
    s.disc_y[BLOCK] = y + far * north


@device
def _roll_on(s, p):
    """One step of the roll: the ball is where `follow` says. (whether the roll is over, whether it was a success)"""
    run = run_of(s, p, s.power)
    v = launch_speed(run, FRICTION)
    t = s.rolling * DT
    far = run
    speed = 0.0
    if t < v / FRICTION:
        far = (v - 0.5 * FRICTION * t) * t
        speed = v - FRICTION * t
    end, here, d, off, gone = follow(s, p, s.free, s.slash, s.back, s.aim, run, far)
    x = s.west - 0.5 * s.cell
    y = (s.aim + 0.5) * s.cell - s.room_hy
    if here != 0:
        x, y = middle(s, index(here))
    east, north = _unit(d)
    s.disc_x[BALL] = x + off * east
    s.disc_y[BALL] = y + off * north
    moved = s.rolling == 1 or s.disc_vx[BALL] != 0.0 or s.disc_vy[BALL] != 0.0
    s.bump = 1 if moved and end != ROLLS else 0
    on = speed if end == ROLLS else 0.0
    s.disc_vx[BALL] = on * east
    s.disc_vy[BALL] = on * north
    if end == KNOCKS:
        _knocked(s, d, far - gone)
    s.rolling += 1
    return end == RESTS or end == STOPS or speed == 0.0, end == RESTS


@device
def step(s, a, p):
    """One step. a: east, north, turn, power, release, each in [-1, 1]."""
    acts = may_act(s)
    s.bump = 0
    done = False
    won = False
    if not acts:
        roll(s, DT, FRICTION, BOUNCE)
    else:
        if s.rolling < 0:
            _put_back(s)
        if s.rolling == 0:
            _act(s, a, p)
        if s.rolling > 0:
            done, won = _roll_on(s, p)
    s.t += 1
    if next_phase(s, DUSK):
        s.glass = p.glass
        s.light = DAY if p.glass != 0 else DUSK
    if not acts:
        return 0.0, False, False
    if done:
        s.rolling = -1
    touch(s, BALL if s.rolling != 0 else NOWHERE)
    _tell(s, p)
    return outcome(s, 1.0 if won else 0.0, won or (done and s.left == 0) or out_of_time(s, p))


@device
def _act(s, a, p):
    """One step of the builder's."""
    what, onward = _choice(a)
    if what < 4:
        s.heading = 0.5 * math.pi * what if what < 3 else -0.5 * math.pi
        to = shift(s.here, what) & s.free
        if to != 0:
            s.here = to
            _stand(s)
    elif what == TURN:
        _turn(s, p, onward)
    elif what == POWER:
        s.power = (s.power + (0 if onward else p.powers - 2)) % p.powers + 1
    elif what == RELEASE:
        s.left -= 1
        s.rolling = 1
        s.aim = index(s.here) // STRIDE


@device
def write_state(s, p, o):
    """Slots with the lights on, then the clock, the blackout, whether all is clear, and how far the ball's roll is."""
    write_lit_slots(s, p, o, BLOCK)
    at = o.shape[0] - 5
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass
    o[at + 3] = s.rolling / 16.0
    o[at + 4] = s.aim / SIDE


@device
def oracle(s, p):
    """Carries out the plan in the record, whatever the blueprint is."""
    return build(s) if s.phase == ACT else STAY


@device
def _map(o, m, p):
    """Bring the believed field up to date. Tall things show in every row by day and dusk; the block is remembered."""
    m.n_boxes = 0
    update_belief(o, m, p, DT, FRICTION, BOUNCE)
    n = side(p)
    m.cell = 2.0 * p.room / (p.cells + 1)
    m.room_hx = 0.5 * (n + 1) * m.cell
    m.room_hy = 0.5 * n * m.cell
    m.west = m.cell - m.room_hx
    m.disc_radius[BALL] = BALL_RADIUS
    m.disc_radius[BLOCK] = BLOCK_RADIUS
    m.free = square(n)
    m.pillars = 0
    m.slash = 0
    m.back = 0
    for k in range(m.n_boxes):
        if m.box_kind[k] == DEFLECTOR and m.box_cos[k] * m.box_sin[k] > 0.0:
            m.slash |= cell_at(m, m.box_x[k], m.box_y[k])
        elif m.box_kind[k] == DEFLECTOR:
            m.back |= cell_at(m, m.box_x[k], m.box_y[k])
        elif m.box_kind[k] == PILLAR:
            m.pillars |= cell_at(m, m.box_x[k], m.box_y[k])
        elif m.box_kind[k] == SCREEN:
            m.screen = box_cells(m, k)
            m.free &= ~m.screen
    m.free &= ~m.pillars
    m.here = cell_at(m, m.agent_x, m.agent_y)
    m.power = int(o[box_start(p) - p.signals] * p.powers + 0.5)
    if m.goal == 0 and m.disc_x[BLOCK] < 100.0 and m.phase == ACT:
        m.goal = cell_at(m, m.disc_x[BLOCK], m.disc_y[BLOCK])


@device
def tracker(o, m, p):
    """Remembers where the block came to rest, and plans in what it sees as the oracle does in what is."""
    _map(o, m, p)
    if m.phase != ACT or m.goal == 0:
        return STAY
    if m.length == 0:
        search(m, p, m.free, side(p), DEFLECTORS)
    return build(m)


@device
def reflex(o, m, p):
    """Greedy: straight or round one corner, as if there were no pillars. Without a memory it takes a block out of sight
    to lie right behind the middle of the screen."""
    _map(o, m, p)
    if m.phase != ACT:
        return STAY
    n = side(p)
    if m.goal == 0 and m.screen != 0:
        m.goal = shift(nth(m.screen, count(m.screen) // 2), EAST)
    if m.goal == 0 or not greedy(m, p, n):
        return STAY
    return build(m)


class Ramps(PlanarTask):
    """Build so that the ball, released once, comes to rest against the block behind the screen.

    **Story.** A field of cells with padded pillars and a screen; along its western edge runs a launcher on a rail.
    While all is clear as glass, a block rolls to its place; then it is dusk, and what is small does not show any more.
    A builder walks from cell to cell and turns deflectors; the launcher keeps to the builder's row. Building costs
    nothing but steps, and tells nothing. Then the ball is released: it rolls east, is turned by a right angle by every
    deflector, loses no speed there, and is stopped dead by whatever is padded. It must come to rest against the block:
    too weak, it does not get there; too strong, it knocks the block away. There is one power for every length of way.
    The ball glows: it shows wherever it rolls. Imagine what it will do before you release it.

    **Levels.** How many deflectors a way to the block takes at least, its bends, is drawn evenly from a range. 0:
    none, by day, no screen: choose the row and the power. 1: none, or one to get behind a screen; no pillars. 2
    (default): up to two among pillars; where it takes any, greedy's plan is certain to fail in three of four episodes,
    and in the others nothing is asked of greedy, so that its opposite is no policy either. 3: two or three in a larger
    field. Levels 1 and 2 hold the easier sorts of episode as well, because the reward is sparse: where each takes a
    bend, random play succeeds in .006 of them at level 1 and in next to none at level 2, and nothing could be learned
    from scratch; so it is .05 and .015. `bends=(1, 2)` leaves them out. With `glass=True` it stays day and the block
    in sight: what is left of any level is planning. `releases` allows several real releases, after each miss of which
    ball and block are put back.

    **Actions.** East, north, west, south: one cell each, onto free ones; turn: this cell's deflector, none, then /,
    then \\, then none (it stays none while all that are allowed stand elsewhere); power: the next one, after the
    strongest the weakest; release; stay. They have no effect until the act phase, nor while the ball rolls. A
    continuous action (east, north, turn, power, release) is its largest part, if above .5 in magnitude; turn and power
    below zero go the other way round.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. Tall things show in the dusk: launcher, pillars, screen,
    then the deflectors in the order of setting (the last moves into the place of one that is taken away), with their
    kinds and orientation, so that the whole blueprint can be read from one row. Signals: the power, the deflectors and
    the releases left, as parts of what there is. From its release on the ball is followed as if by touch, until the step
    after it has come to rest; a bump is heard. The builder stands beside a cell's deflector and is in no way of the
    ball; nothing tells whether the block lies in its cell.

    **Reward.** 1 in the step in which the ball comes to rest against the block; it ends the episode.

    **End.** Also with the last release's miss, and after `act` steps, about twice the most that the oracle takes; both
    `terminated`, since they are part of the rules. At the end the lights go on, and show where a block went that was
    knocked away.

    **Certified.** A roll is exact: v t - f t^2 / 2 along the lanes. `bends` in the record is the fewest deflectors
    with which any way leads to the block, whatever its length, by sweeps over all cells; the plan beside it has that
    many and, of those, the shortest roll (`length` cells). `reset` has tried it by the function that carries out real
    releases, and counted the `steps` that it takes, no more than `act`: those of a builder who always goes to the
    nearest cell to be changed, so that they may not be the fewest. A reset costs about 2 microseconds at levels 0 and
    1, 8 at level 2 and 40 at level 3.

    **References.** The oracle carries out the plan in the record from any blueprint: wrong deflectors are taken away
    first. The tracker remembers where the block came to rest, reads the blueprint, and searches as the oracle does.
    Greedy plans straight or round one corner as if there were no pillars; having no memory, it takes a block that it
    does not see to lie right behind the middle of the screen.

    **Leaks closed.** Field, block, builder and power are drawn anew each time; bends and traps are drawn before the
    field, so that what is rejected does not tilt their shares. Few cells take two or three bends, so that who knew the
    rules could tell from the field alone where the block must be (at first 2.8 cells on average at level 3): now all
    cells that would do are found, there are at least `doubt`, and the block is in any of them with the same chance.
    Still, one plan may do for several cells of a lane: who knew all rules, but had not seen the block, could at best
    succeed in .26, .27 and .35 of the episodes of levels 1, 2 and 3. Reward and observations depend on no hidden
    thing, but for what a release shows.

    **Shift.** A field that is one cell wider (at 7 cells: one narrower).
    """

    title = "build so that the ball, released once, rests against the block"
    state = planar(
        2 + PILLARS + DEFLECTORS, 2, *GRID,
        ("free", INT), ("pillars", INT), ("screen", INT), ("here", INT), ("goal", INT), ("fixed", INT),
        ("slash", INT), ("back", INT), ("power", INT), ("left", INT), ("rolling", INT), ("aim", INT),
        ("want", INT), ("trap", INT), ("steps", INT), *PLAN, signals=3,
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = PlanarTask.shared | {
        "order": Knob("colour", choices=("colour",), doc="slot = record order: see Observation"),
        "room": Knob(2.1, 1.8, 3.0, doc="half extent of the room from the rail to the eastern wall, m"),
        "blackout": PlanarTask.staged["blackout_steps"],
        "act": Knob(60, 4, 200, doc="steps of the act phase"),
        "cells": Knob(6, 5, SIDE, doc="cells a side"),
        "screen": Knob(3, 0, 4, doc="cells that the screen bars, from south to north; 0: there is none"),
        "pillars": Knob(5, 0, PILLARS, doc="padded pillars, a cell each"),
        "bends": Knob((0, 2), 0, DEFLECTORS, pair=True, doc="deflectors that must be used: the fewest, drawn evenly"),
        "deflectors": Knob(3, 0, DEFLECTORS, doc="deflectors that may stand at once"),
        "powers": Knob(4, 1, POWERS, doc="powers of the launcher"),
        "reach": Knob(3, 1, 5, doc="cells that the ball rolls farther with each power"),
        "releases": Knob(1, 1, RELEASES, doc="real releases in an episode; after a miss the ball is put back"),
        "doubt": Knob(4, 1, 6, doc="cells of the field where the block could as well lie, at least"),
        "trap": Knob(0.75, 0.0, 1.0, doc="share, among episodes with bends, in which greedy's plan is certain to fail"),
    }  # fmt: skip
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(cells=5, room=1.8, screen=0, pillars=2, bends=0, deflectors=0, powers=3, reach=2, trap=0.0, act=24,
                blackout=0, glass=True),
        1: dict(cells=5, room=1.8, pillars=0, bends=(0, 1), deflectors=1, powers=2, reach=5, trap=0.0, act=32,
                blackout=1),
        2: dict(blackout=(1, 2)),
        3: dict(cells=7, room=2.4, screen=4, pillars=9, bends=(2, 3), powers=6, doubt=6, act=90, blackout=(1, 4)),
    }  # fmt: skip
    actions: ClassVar[dict[str, tuple[float, ...]]] = {
        "east": (1.0, 0.0, 0.0, 0.0, 0.0), "north": (0.0, 1.0, 0.0, 0.0, 0.0), "west": (-1.0, 0.0, 0.0, 0.0, 0.0),
        "south": (0.0, -1.0, 0.0, 0.0, 0.0), "turn": (0.0, 0.0, 1.0, 0.0, 0.0), "power": (0.0, 0.0, 0.0, 1.0, 0.0),
        "release": (0.0, 0.0, 0.0, 0.0, 1.0), "stay": (0.0, 0.0, 0.0, 0.0, 0.0),
    }  # fmt: skip
    action_low = (-1.0,) * 5
    action_high = (1.0,) * 5
    keys: ClassVar[dict[str, str]] = {
        "north": "w", "west": "a", "south": "s", "east": "d", "turn": "e", "power": "f", "release": "g", "stay": "x",
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "releases": (1, 2, 3, 4), "bends": (1, 2, 3), "pillars": (2, 4, 6, 8), "blackout": (0, 4, 8, 16),
    }  # fmt: skip
    look = Look(
        tall=("launcher", "wall", "screen", "deflector"),
        small=("ball", "block"),
        asks=("ball", "block"),
        request="bring the ball to rest at the {}",
        captions={
            "observe": "All is clear while the block rolls to its place.",
            "blackout": "Nothing shows for a moment.",
            "act": "Set deflectors and power, then release the ball.",
            "lit": "Set deflectors and power, then release the ball.",
            "over": "Lights on: now everything shows.",
        },
        won="it rests against the block",
        lost="missed",
        signals=("power", "deflectors left", "releases left"),
    )
    extra_state = 5
    max_tries = 20_000  # a try costs a microsecond or two

    begin, step, write_state = begin, step, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        high = values["bends"][1]
        if values["screen"] > values["cells"] - 2:
            raise BadParameter(f"screen={values['screen']}: allowed is at most cells - 2 = {values['cells'] - 2}")
        longest = values["powers"] * values["reach"]
        if longest < values["cells"]:
            raise BadParameter(
                f"powers={values['powers']}, reach={values['reach']}: the longest roll, powers x reach = {longest}, "
                f"must be at least cells = {values['cells']}"
            )
        if values["deflectors"] < high:
            raise BadParameter(f"deflectors={values['deflectors']}: bends={values['bends']} needs at least {high}")
        if high > 0 and values["screen"] == 0 and values["pillars"] == 0:
            raise BadParameter(
                f"bends={values['bends']}: allowed is 0 where screen=0 and pillars=0, since nothing is in the way"
            )
        if high > max(values["pillars"], 1):
            raise BadParameter(
                f"bends={values['bends']}: allowed is at most max(pillars, 1) = {max(values['pillars'], 1)}"
            )
        if high > 0 and 0 < 2 * values["screen"] < values["doubt"]:
            raise BadParameter(f"doubt={values['doubt']}: allowed is at most twice screen={values['screen']}")
        if values["trap"] > 0 and (high == 0 or values["pillars"] == 0):
            raise BadParameter(
                f"trap={values['trap']}: allowed is 0 where bends=0 or pillars=0: greedy does not fail there"
            )

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        return {"observe_steps": OBSERVE_STEPS, "scramble": 0.0, "radius": BLOCK_RADIUS, "depth": 0.0, "breadth": 0.0}

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        talls = 1 + values["pillars"] + (values["screen"] > 0) + values["deflectors"]
        return Sizes(colours=2, disc_slots=2, box_slots=talls, box_kinds=4, box_shape=1, signals=3)

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        return OBSERVE_STEPS + values["blackout"][1] + values["act"]
