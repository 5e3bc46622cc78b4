"""The rules of Ramps: what is drawn at a reset, and what a step does. Metres, seconds, radians; sets of cells are masks."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import MAX_SIDE, NONE, count, distance, nearest, nth, reachable, row, shift
from unseen.envs.grid.floor import FLOOR, box_over, heading_of, launch_towards, lay_floor, roll_on, side
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import DAY, DUSK, clear_boxes, planar, touch
from unseen.envs.planning.ramps.deflectors import MAX_DEFLECTORS, turn_deflector
from unseen.envs.planning.ramps.draw import LAUNCHER, MAX_PILLARS, draw_field
from unseen.envs.planning.ramps.lanes import BALL, BLOCK, search_greedily, search_lanes, within_bends, works
from unseen.envs.planning.ramps.release import AT_REST, place_builder, put_back, release, roll_ball, roll_steps

MAX_RELEASES = 4
MAX_POWERS = 6
BALL_RADIUS, BLOCK_RADIUS = 0.1, 0.12  # m
LAUNCHER_HALF = 0.36  # half extent, in cells
TOO_FAR = 64  # steps: longer than any path on a field

# The first four are the directions of `cells`.
ACTIONS = {
    "east": (1.0, 0.0, 0.0, 0.0, 0.0), "north": (0.0, 1.0, 0.0, 0.0, 0.0), "west": (-1.0, 0.0, 0.0, 0.0, 0.0),
    "south": (0.0, -1.0, 0.0, 0.0, 0.0), "turn": (0.0, 0.0, 1.0, 0.0, 0.0), "power": (0.0, 0.0, 0.0, 1.0, 0.0),
    "release": (0.0, 0.0, 0.0, 0.0, 1.0), "stay": (0.0, 0.0, 0.0, 0.0, 0.0),
}  # fmt: skip
TURN_DEFLECTOR, CHANGE_POWER, RELEASE, STAY = 4, 5, 6, 7

STATE = planar(
    2 + MAX_PILLARS + MAX_DEFLECTORS, 2, *FLOOR,
    ("free", INT), ("pillars", INT), ("here", INT), ("goal", INT),  # cells: that can be entered, builder, block
    ("fixed_boxes", INT), ("slash", INT), ("back", INT),  # see deflectors.py
    ("power", INT), ("releases_left", INT), ("rolling", INT), ("roll_row", INT),  # see release.py
    ("bends", INT), ("plan_steps", INT), ("trap", INT),  # the plan's deflectors and steps; whether greedy's plan fails
    signals=3,
)  # fmt: skip
STILL_TO_COME = 5


@device
def _plan_steps(s, plan, p):
    """Steps it takes to build a plan on the empty field, release, and see the ball come to rest; NONE if it cannot be
    built. The builder always goes to the nearest cell to be changed."""
    t = (plan.power - s.power) % p.powers
    here = s.here
    left = plan.slash | plan.back
    while left != 0:
        to = nearest(s.free, here, left)
        if to == 0:
            return NONE
        t += distance(s.free, here, to, TOO_FAR) + (1 if to & plan.slash != 0 else 2)
        left ^= to
        here = to
    to = nearest(s.free, here, s.free & row(plan.row))
    if to == 0:
        return NONE
    return t + distance(s.free, here, to, TOO_FAR) + roll_steps(s, p, plan.power)


@device
def _fits(s, plan, p, n):
    """Whether the block may lie in s.goal: a plan works within the time, and greedy's does not if it is a trap. Writes that
    plan, and its steps into s.plan_steps."""
    if s.trap != 0 and search_greedily(s, plan, p, n) and works(s, plan, p):
        return False
    if not search_lanes(s, plan, p, s.free, n, s.bends) or not works(s, plan, p):
        return False
    s.plan_steps = _plan_steps(s, plan, p)
    return 0 < s.plan_steps <= p.act


@device
def _write_signals(s, p):
    """Write what is told in any light: power, and deflectors and releases left, as parts of what there is."""
    s.signal[0] = s.power / p.powers
    s.signal[1] = (p.deflectors - count(s.slash | s.back)) / max(p.deflectors, 1)
    s.signal[2] = s.releases_left / p.releases


@device
def _clear(s, p):
    """Remove what is left of the last episode. Draw what is drawn once for all tries, so that rejected fields do not tilt
    its shares: bends and trap."""
    clear_boxes(s)
    s.disc_vx[BALL] = 0.0
    s.disc_vy[BALL] = 0.0
    s.rolling = 0
    s.roll_row = 0
    s.bends = p.bends_low + below(s, p.bends_high - p.bends_low + 1)
    s.trap = 1 if uniform(s, 0.0, 1.0) < p.trap and s.bends > 0 else 0


@device
def reset(s, p, plan):
    """Draw a field; find all cells to which a way takes as many deflectors as it shall; draw the block's among them.
    plan: LANE_PLAN."""
    n = side(p)
    if s.tries == 1:
        _clear(s, p)
    reset_stage(s, p)
    lay_floor(s, p, 1)
    box_over(s, LAUNCHER, LAUNCHER_HALF, -1, 0, -1, 0)
    allowed = draw_field(s, p, n)
    s.fixed_boxes = s.n_boxes
    s.here = nth(s.free, below(s, count(s.free)))
    if reachable(s.free, s.here) != s.free:
        return False
    s.slash = 0
    s.back = 0
    s.power = 1 + below(s, p.powers)
    s.releases_left = p.releases
    s.n_discs = 2
    s.disc_radius[BALL] = BALL_RADIUS
    s.disc_radius[BLOCK] = BLOCK_RADIUS
    for k in range(2):
        s.disc_colour[k] = k
        s.disc_cover[k] = 0
    place_builder(s)
    s.spawn_x = s.agent_x
    s.spawn_y = s.agent_y
    s.spawn_heading = s.heading
    _write_signals(s, p)
    s.query = BLOCK
    s.glass = 1  # all is clear while the block rolls
    spots = allowed & within_bends(s.free, n, s.bends) & ~s.here
    if s.bends > 0:
        spots &= ~within_bends(s.free, n, s.bends - 1)
    return _place_block(s, plan, p, n, spots)


@device
def _place_block(s, plan, p, n, spots):
    """Draw the block's cell among those of `spots` that fit, and launch the block towards it. False: too few of them fit
    for the field to leave open where it is."""
    if count(spots) < p.candidates:
        return False
    candidates = 0
    while spots != 0:
        s.goal = spots & -spots
        spots ^= s.goal
        if _fits(s, plan, p, n):
            candidates |= s.goal
    if count(candidates) < p.candidates:
        return False
    s.goal = nth(candidates, below(s, count(candidates)))
    return _fits(s, plan, p, n) and launch_towards(s, BLOCK, s.free & ~s.here, s.goal)


@device
def _chosen(a):
    """The action of a row (east, north, turn, power, release), and whether it goes onward: its largest part, if that is
    more than a half in magnitude; else STAY."""
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
def _build(s, a, p):
    """One step of the builder's: walks, turns a deflector, changes the power, or releases the ball."""
    action, onward = _chosen(a)
    if action < 4:
        s.heading = heading_of(action)
        to = shift(s.here, action) & s.free
        if to != 0:
            s.here = to
            place_builder(s)
    elif action == TURN_DEFLECTOR:
        turn_deflector(s, p, onward)
    elif action == CHANGE_POWER:
        s.power = (s.power + (0 if onward else p.powers - 2)) % p.powers + 1
    elif action == RELEASE:
        release(s)


@device
def step(s, a, p, info):
    """One step. a: east, north, turn, power, release, each in [-1, 1]."""
    acts = may_act(s)
    s.bump = 0
    over = False
    won = False
    if not acts:
        roll_on(s)
    else:
        if s.rolling == AT_REST:
            put_back(s)
        if s.rolling == 0:
            _build(s, a, p)
        if s.rolling > 0:
            over, won = roll_ball(s, p)
    if next_phase(s, DUSK):
        s.glass = p.glass
        s.light = DAY if p.glass != 0 else DUSK
    if not acts:
        return 0.0, False, False
    touch(s, BALL if s.rolling != 0 else NONE)
    _write_signals(s, p)
    info[1] = s.plan_steps
    info[2] = s.bends
    return outcome(s, info, 1.0 if won else 0.0, won or (over and s.releases_left == 0) or out_of_time(s, p))


@device
def write_state(s, p, o):
    """Write slots with the lights on, then the clock, the blackout's length, whether all is clear, how far the roll is,
    and its row."""
    write_lit_slots(s, p, o, BLOCK)
    at = o.shape[0] - STILL_TO_COME
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass
    o[at + 3] = s.rolling / 16.0
    o[at + 4] = s.roll_row / MAX_SIDE
