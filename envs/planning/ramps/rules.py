"""The rules of Ramps: state, reset and step. Metres, seconds, radians; sets of cells are bit masks."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import MAX_SIDE, NONE, ROW_BITS, count, index, nth, reachable, shift
from unseen.envs.grid.floor import FLOOR, box_over, heading_of, lay_floor, middle, roll_discs, side
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import ACT, DAY, DUSK, clear_boxes, planar, touch
from unseen.envs.planning.ramps.deflectors import MAX_DEFLECTORS, turn_deflector
from unseen.envs.planning.ramps.draw import LAUNCHER, MAX_PILLARS, draw_field, field_of, odd_rows, place_block
from unseen.envs.planning.ramps.lanes import BALL, BLOCK, within_bends
from unseen.envs.planning.ramps.release import AT_REST, place_builder, put_back, release, roll_ball

MAX_RELEASES = 4
MAX_POWERS = 6
BALL_RADIUS, BLOCK_RADIUS = 0.1, 0.12  # m
LAUNCHER_HALF = 0.36  # half extent, in cells

# The first four are the directions of `unseen.envs.grid.cells`.
ACTIONS = {
    "east": (1.0, 0.0, 0.0, 0.0, 0.0), "north": (0.0, 1.0, 0.0, 0.0, 0.0), "west": (-1.0, 0.0, 0.0, 0.0, 0.0),
    "south": (0.0, -1.0, 0.0, 0.0, 0.0), "turn": (0.0, 0.0, 1.0, 0.0, 0.0), "power": (0.0, 0.0, 0.0, 1.0, 0.0),
    "release": (0.0, 0.0, 0.0, 0.0, 1.0), "stay": (0.0, 0.0, 0.0, 0.0, 0.0),
}  # fmt: skip
TURN_DEFLECTOR, CHANGE_POWER, RELEASE, STAY = 4, 5, 6, 7

STATE = planar(
    2 + MAX_PILLARS + MAX_DEFLECTORS, 2, *FLOOR,
    ("free", INT), ("pillars", INT), ("here", INT), ("goal", INT),  # cells: free to enter, with pillars, of the builder, of the block
    ("fixed_boxes", INT), ("slash", INT), ("back", INT),  # see deflectors.py
    ("power", INT), ("releases_left", INT), ("rolling", INT), ("roll_row", INT),  # see release.py
    ("bends", INT), ("plan_steps", INT), ("trap", INT),  # deflectors and steps of the plan; 1 if the greedy plan must fail
    ("odd", INT), ("suitable", INT),  # with p.even_odds, 1 if the block's row must be odd; cells where the block could be
    signals=3,
)  # fmt: skip
STATE_EXTRA = 5


@device
def _write_signals(s, p):
    """Write the signals: power, deflectors left and releases left, each as a fraction of its maximum."""
    s.signal[0] = s.power / p.powers
    s.signal[1] = (p.deflectors - count(s.slash | s.back)) / max(p.deflectors, 1)
    s.signal[2] = s.releases_left / p.releases


@device
def _clear(s, p):
    """Clear the previous episode, and draw s.bends, s.trap and s.odd once for all tries, so that rejections do not bias them."""
    clear_boxes(s)
    s.disc_vx[BALL] = 0.0
    s.disc_vy[BALL] = 0.0
    s.rolling = 0
    s.roll_row = 0
    s.bends = p.bends_low + below(s, p.bends_high - p.bends_low + 1)
    s.trap = 1 if uniform(s, 0.0, 1.0) < p.trap and s.bends > 0 else 0
    s.odd = 0
    if p.even_odds != 0:
        s.odd = below(s, 2)
        if uniform(s, 0.0, 1.0) < p.easy:
            s.bends = 0
            s.trap = 0


@device
def reset(s, p, plan):
    """Draw a field, and the block's cell among those that take exactly s.bends deflectors to reach. plan: LANE_PLAN."""
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
    s.glass = 1  # everything is visible while the block rolls
    spots = allowed & within_bends(s.free, n, s.bends) & ~s.here
    if s.bends > 0:
        spots &= ~within_bends(s.free, n, s.bends - 1)
    return place_block(s, plan, p, n, spots)


@device
def _chosen(a):
    """The action of a row (east, north, turn, power, release), and whether turn and power go to the next state.

    The action is that of the largest component, if that is above 0.5 in magnitude; else STAY.
    """
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
    """The builder's action: walk, turn a deflector, change the power, or release the ball."""
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
    elif action == RELEASE and s.releases_left > 0:
        release(s)


@device
def step(s, a, p, info):
    """One step. a: east, north, turn, power, release, each in [-1, 1]."""
    acts = may_act(s)
    s.bump = 0
    over = False
    won = False
    if not acts:
        roll_discs(s)
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
    return outcome(s, p, info, 1.0 if won else 0.0, won or (over and s.releases_left == 0), out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """Whether the block's row is odd."""
    out[0] = index(s.goal) // ROW_BITS % 2


@device
def hides(s, p):
    """Whether the block is out of sight: in the act phase, until the first release."""
    return s.phase == ACT and s.glass == 0 and not found(s, p)


@device
def found(s, p):
    """Whether a release may have shown where the block is."""
    return s.releases_left < p.releases


@device
def change_hidden(s, p):
    """Move the hidden block to a free cell in a row of the other parity. Returns False if there is none."""
    odd = odd_rows(side(p))
    others = s.free & (~odd if s.goal & odd != 0 else odd)
    if others == 0:
        return False
    s.goal = nth(others, count(others) // 2)
    s.disc_x[BLOCK], s.disc_y[BLOCK] = middle(s, index(s.goal))
    return True


@device
def instance(s, p):
    """A hash of the field and the block's cell."""
    return field_of(s, p, side(p))


@device
def write_state(s, p, o):
    """Write lit slots, then clock, blackout length, whether everything is transparent, and step and row of the roll."""
    write_lit_slots(s, p, o, BLOCK)
    at = o.shape[0] - STATE_EXTRA
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass
    o[at + 3] = s.rolling / 16.0
    o[at + 4] = s.roll_row / MAX_SIDE
