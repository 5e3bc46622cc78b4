"""The rules of Unblock: state, reset and step. Metres, seconds, radians; sets of cells are bit masks."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.splits import in_split
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import EAST, NONE, NORTH, SOUTH, WEST, index
from unseen.envs.grid.floor import FLOOR, heading_of, lay_floor, middle, roll_discs, side
from unseen.envs.planar.sight import line_of_sight
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import ACT, BLACKOUT, DAY, clear_boxes, planar, touch
from unseen.envs.planning.unblock.crates import move
from unseen.envs.planning.unblock.draw import (
    MAX_CRATES,
    MAX_WALLS,
    arrangement,
    build_boxes,
    certify_block,
    draw_agent,
    draw_crates,
    draw_walls,
    find_spots,
    place_block,
)
from unseen.envs.planning.unblock.pushes import MAX_PUSHES

RADIUS = 0.12  # radius of the block, m

# The first four are the directions of `unseen.envs.grid.cells`.
ACTIONS = {
    "east": (1.0, 0.0), "north": (0.0, 1.0), "west": (-1.0, 0.0), "south": (0.0, -1.0), "stay": (0.0, 0.0),
}  # fmt: skip
STAY = 4
RELAX = 1000  # flats after which the drawn number of pushes no longer counts
SLITS = 40  # points on either side of the middle of a block at which it is looked for

STATE = planar(
    MAX_CRATES + MAX_WALLS, 1, *FLOOR,
    ("free", INT), ("crates", INT), ("here", INT), ("goal", INT),  # cells: without walls, with crates, of the agent, of the block
    ("crate_cell", INT, (MAX_CRATES,)),  # cell number of each crate, in the order of the boxes
    ("plan_steps", INT),  # steps of the shortest plan
    ("trap", INT), ("jam_here", INT), ("jam_crates", INT),  # 1 if the greedy policy jams the way; its final state
    # If pushes are limited: flats of this split drawn so far, pushes wanted, fewest pushes of a plan, pushes left.
    ("flats", INT), ("wanted", INT), ("pushes", INT), ("strength", INT),
    signals=1,
)  # fmt: skip
STATE_EXTRA = 3


@device
def reset(s, p, w):
    """Draw a flat, crates, the agent, and a cell for the block that requires a plan. w: SCRATCH."""
    if s.tries == 1:
        clear_boxes(s)
        s.jam_here = 0
        s.jam_crates = 0
        # Drawn once for all tries, so that rejections do not bias the share of traps.
        s.trap = 1 if uniform(s, 0.0, 1.0) < p.trap else 0
        s.flats = 0
        s.wanted = 0
        if p.limited != 0:
            s.wanted = p.pushes_low + below(s, p.pushes_high - p.pushes_low + 1)
    s.pushes = 0
    s.strength = 0
    n = side(p)
    reset_stage(s, p)
    draw_walls(s, w.floor_plan, p, n)
    if not draw_crates(s, p, w.floor_plan.doorways):
        return False
    if p.limited != 0:
        if not in_split(arrangement(s, n), p.split):
            return False  # at once, before anything expensive
        s.flats += 1
        s.pushes = s.wanted if s.flats < RELAX else 0  # few flats allow very few or very many pushes
    if not draw_agent(s, p, w.floor_plan.doorways):
        return False
    spots = 0
    if p.limited != 0:
        spots = find_spots(s, p, w.pushes)
        if spots == 0:
            return False
    lay_floor(s, p, 0)
    s.glass = 0  # to find cells that are hidden from the agent
    build_boxes(s, w.floor_plan, p, n)
    s.agent_x, s.agent_y = middle(s, index(s.here))
    s.spawn_x = s.agent_x
    s.spawn_y = s.agent_y
    s.spawn_heading = s.heading
    s.n_discs = 1
    s.disc_radius[0] = p.radius
    s.disc_colour[0] = 0
    s.disc_cover[0] = 0
    s.query = 0
    if p.limited == 0:
        if not place_block(s, p, w.steps):
            return False
    elif not certify_block(s, p, w, spots):
        return False
    _tell_strength(s)
    s.glass = 1  # everything is visible while the block rolls
    return True


@device
def instance(s, p):
    """Walls and crates: all episodes among the same ones, or among their mirror images, belong to one split."""
    return arrangement(s, side(p))


@device
def _tell_strength(s):
    """Show how many pushes the agent has left, in units of MAX_PUSHES."""
    s.signal[0] = s.strength / MAX_PUSHES


@device
def write_hidden(s, p, out):
    """The position of the block, half rooms."""
    out[0] = s.disc_x[0] / p.room
    out[1] = s.disc_y[0] / p.room


@device
def last_dark(s, p):
    """The last step of the blackout. Later, walls and crates tell where a block can be hidden, and where it cannot."""
    return s.phase == BLACKOUT and s.t == s.observe_steps + s.blackout_steps - 1


@device
def _shows(s, x, y):
    """Whether any part of a block at (x, y) can be seen, even through a slit between two crates, as in pixels."""
    dx = x - s.agent_x
    dy = y - s.agent_y
    d = math.sqrt(dx * dx + dy * dy) + 1e-12
    for i in range(-SLITS, SLITS + 1):
        across = s.disc_radius[0] * i / SLITS
        if line_of_sight(s, s.agent_x, s.agent_y, x - dy / d * across, y + dx / d * across):
            return True
    return False


@device
def change_hidden(s, p):
    """Move the block to another cell that the agent does not see from where it starts. False if there is none."""
    if p.glass != 0:
        return False
    changed = False
    spots = s.free & ~s.crates & ~s.here & ~s.goal
    glass = s.glass
    s.glass = 0
    while spots != 0 and not changed:
        cell = spots & -spots
        spots ^= cell
        x, y = middle(s, index(cell))
        if not _shows(s, x, y):
            s.goal = cell
            s.disc_x[0] = x
            s.disc_y[0] = y
            changed = True
    s.glass = glass
    return changed


@device
def found(s, p):
    """The agent sees the block again, or has reached it."""
    return s.phase == ACT and (s.touched >= 0 or (s.disc_cover[0] == 0 and _shows(s, s.disc_x[0], s.disc_y[0])))


@device
def _direction(a):
    """The direction of an action row (east, north): its larger component if above 0.5 in magnitude; else STAY."""
    if max(abs(a[0]), abs(a[1])) <= 0.5:
        return STAY
    if abs(a[0]) >= abs(a[1]):
        return EAST if a[0] > 0.0 else WEST
    return NORTH if a[1] > 0.0 else SOUTH


@device
def _walk(s, p, d):
    """Face direction d and step; a crate in the way is pushed, or stops the agent. Writes agent, crates and cover."""
    s.heading = heading_of(d)
    here, crates = move(s.free, s.crates, s.here, d)
    if crates != s.crates:
        if p.limited != 0:
            if s.strength == 0:
                return
            s.strength -= 1
            _tell_strength(s)
        k = 0
        while s.crate_cell[k] != index(here):
            k += 1
        s.crate_cell[k] = index(crates & ~s.crates)
        s.box_x[k], s.box_y[k] = middle(s, s.crate_cell[k])
    s.here = here
    s.crates = crates
    s.agent_x, s.agent_y = middle(s, index(here))
    s.disc_cover[0] = 1 if crates & s.goal != 0 else 0


@device
def step(s, a, p, info):
    """One step, at most one cell. a: east and north, each in [-1, 1]."""
    acts = may_act(s)
    if acts:
        d = _direction(a)
        if d != STAY:
            _walk(s, p, d)
    else:
        roll_discs(s)
    if next_phase(s, DAY):
        s.glass = p.glass
    if not acts:
        return 0.0, False, False
    won = s.here == s.goal
    touch(s, 0 if won else NONE)
    info[1] = s.plan_steps
    return outcome(s, p, info, 1.0 if won else 0.0, won, out_of_time(s, p))


@device
def write_state(s, p, o):
    """Write lit slots, then the clock, the blackout length and whether walls and crates are transparent."""
    write_lit_slots(s, p, o, 0)
    at = o.shape[0] - STATE_EXTRA
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass
