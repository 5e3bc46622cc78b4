"""The rules of Ramps: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import (
    EAST,
    GRID,
    NOWHERE,
    SIDE,
    STRIDE,
    bit,
    cell_at,
    count,
    distance,
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
from unseen.envs.planar.physics import launch_speed, roll
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import (
    DAY,
    DUSK,
    clear_boxes,
    planar,
    touch,
)
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

ACTIONS = {
    "east": (1.0, 0.0, 0.0, 0.0, 0.0), "north": (0.0, 1.0, 0.0, 0.0, 0.0), "west": (-1.0, 0.0, 0.0, 0.0, 0.0),
    "south": (0.0, -1.0, 0.0, 0.0, 0.0), "turn": (0.0, 0.0, 1.0, 0.0, 0.0), "power": (0.0, 0.0, 0.0, 1.0, 0.0),
    "release": (0.0, 0.0, 0.0, 0.0, 1.0), "stay": (0.0, 0.0, 0.0, 0.0, 0.0),
}  # fmt: skip

STATE = planar(
    2 + PILLARS + DEFLECTORS, 2, *GRID,
    ("free", INT), ("pillars", INT), ("screen", INT), ("here", INT), ("goal", INT), ("fixed", INT),
    ("slash", INT), ("back", INT), ("power", INT), ("left", INT), ("rolling", INT), ("aim", INT),
    ("want", INT), ("trap", INT), ("steps", INT), *PLAN, signals=3,
)  # fmt: skip
STILL_TO_COME = 5


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
def reset(s, p):
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
def step(s, a, p, info):
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
    return outcome(s, info, 1.0 if won else 0.0, won or (done and s.left == 0) or out_of_time(s, p))


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
