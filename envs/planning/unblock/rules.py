"""The rules of Unblock: what is drawn at a reset, and what a step does. Metres, seconds, radians; sets of cells are masks."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.core.task import INT
from unseen.envs.grid.cells import EAST, NONE, NORTH, SOUTH, WEST, count, index, nth, reachable
from unseen.envs.grid.floor import FLOOR, heading_of, launch_towards, lay_floor, middle, roll_on, side
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage
from unseen.envs.planar.world import DAY, clear_boxes, planar, touch
from unseen.envs.planning.unblock.crates import MAX_PLAN, NO_PLAN, greedy_direction, move, search_plan, write_plan
from unseen.envs.planning.unblock.draw import MAX_CRATES, MAX_WALLS, draw_crates, draw_walls

RADIUS = 0.12  # m, of the block
PICKS = 4  # places for the block that are tried in one flat
JAM_STEPS = 4 * MAX_PLAN  # that are searched for a way out of a jam

# The first four are the directions of `cells`.
ACTIONS = {
    "east": (1.0, 0.0), "north": (0.0, 1.0), "west": (-1.0, 0.0), "south": (0.0, -1.0), "stay": (0.0, 0.0),
}  # fmt: skip
STAY = 4

STATE = planar(
    MAX_CRATES + MAX_WALLS, 1, *FLOOR,
    ("free", INT), ("crates", INT), ("here", INT), ("goal", INT),  # cells: without a wall, of crates, agent, block
    ("crate_cell", INT, (MAX_CRATES,)),  # number of each crate's cell, in the order of the boxes
    ("plan_steps", INT),  # of the shortest plan
    ("trap", INT), ("jam_here", INT), ("jam_crates", INT),  # whether greedy jams the way, and how it ends
)  # fmt: skip
STILL_TO_COME = 3


@device
def _run_greedy(s, p, crates, goal):
    """Let greedy walk among `crates`: (agent's cell, crates) where it ends."""
    here = s.here
    for _ in range(p.act):
        d = greedy_direction(s.free, crates, here, goal)
        if here == goal or d < 0:
            break
        here, crates = move(s.free, crates, here, d)
    return here, crates


@device
def _jams(s, p, goal):
    """Whether greedy does not get to `goal`, though it would if any one of the crates stood there alone: only together
    do they jam. Writes s.jam_here, s.jam_crates."""
    s.jam_here, s.jam_crates = _run_greedy(s, p, s.crates, goal)
    if s.jam_here == goal:
        return False
    if p.crates > 1:
        for k in range(p.crates):
            here, _ = _run_greedy(s, p, 1 << s.crate_cell[k], goal)
            if here != goal:
                return False
    return True


@device
def _pushed(s, plan, steps):
    """How many crates the first `steps` directions of a plan push."""
    crates = s.crates
    here = s.here
    untouched = crates
    for t in range(steps):
        here, crates = move(s.free, crates, here, plan[t])
        untouched &= crates
    return count(s.crates) - count(untouched)


@device
def reset(s, p, w):
    """Draw a flat, crates, the agent, and a place for the block that asks for a plan. w: SEARCH."""
    if s.tries == 1:
        clear_boxes(s)
        s.jam_here = 0
        s.jam_crates = 0
        # Drawn once for all tries: what is rejected must not tilt the share.
        s.trap = 1 if uniform(s, 0.0, 1.0) < p.trap else 0
    reset_stage(s, p)
    lay_floor(s, p, 0)
    s.glass = 0  # while what is hidden is looked for
    s.n_boxes = p.crates  # they come first, so that a slot is the same crate throughout
    doorways = draw_walls(s, p, side(p))
    draw_crates(s, p, doorways)
    spots = s.free & ~s.crates & ~doorways
    s.here = nth(spots, below(s, count(spots)))
    s.agent_x, s.agent_y = middle(s, index(s.here))
    s.spawn_x = s.agent_x
    s.spawn_y = s.agent_y
    s.spawn_heading = s.heading
    s.n_discs = 1
    s.disc_radius[0] = p.radius
    s.disc_colour[0] = 0
    s.disc_cover[0] = 0
    s.query = 0
    if not _place_block(s, p, w):
        return False
    s.glass = 1  # all is clear while the block rolls
    return True


@device
def _place_block(s, p, w):
    """Draw the block's cell, from which it is hidden by crates and walls, and to which greedy's way is jammed if it shall
    be a trap; launch the block towards it. False: there is none among the first PICKS."""
    search_plan(w, s.free, s.crates, s.here, 0, p.plan_high)
    spots = w.met & ~s.crates
    if p.crates > 0:  # a crate stands in every path
        spots &= ~reachable(s.free & ~s.crates, s.here)
    for _ in range(PICKS):
        if spots == 0:
            return False
        goal = nth(spots, below(s, count(spots)))
        spots ^= goal
        steps = w.met_time[index(goal)]
        if steps < p.plan_low:
            continue
        x, y = middle(s, index(goal))
        if exposed(s, s.agent_x, s.agent_y, x, y, p.radius) or (s.trap != 0 and not _jams(s, p, goal)):
            continue
        if not launch_towards(s, 0, s.free & ~s.crates & ~s.here, goal):
            continue
        if not write_plan(w, s.free, goal) or _pushed(s, w.plan, steps) < p.moved:
            continue
        if s.trap != 0 and search_plan(w, s.free, s.jam_crates, s.jam_here, goal, JAM_STEPS) != NO_PLAN:
            return False
        s.goal = goal
        s.plan_steps = steps
        return True
    return False


@device
def _direction(a):
    """The direction of an action row (east, north): its larger part, if that is more than a half; else STAY."""
    if max(abs(a[0]), abs(a[1])) <= 0.5:
        return STAY
    if abs(a[0]) >= abs(a[1]):
        return EAST if a[0] > 0.0 else WEST
    return NORTH if a[1] > 0.0 else SOUTH


@device
def _walk(s, d):
    """Face direction d and step; a crate in the way is pushed, or stops the agent. Moves agent, crate and cover."""
    s.heading = heading_of(d)
    here, crates = move(s.free, s.crates, s.here, d)
    if crates != s.crates:
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
    """One cell. a: east and north, each in [-1, 1]."""
    acts = may_act(s)
    if acts:
        d = _direction(a)
        if d != STAY:
            _walk(s, d)
    else:
        roll_on(s)
    if next_phase(s, DAY):
        s.glass = p.glass
    if not acts:
        return 0.0, False, False
    won = s.here == s.goal
    touch(s, 0 if won else NONE)
    info[1] = s.plan_steps
    return outcome(s, info, 1.0 if won else 0.0, won or out_of_time(s, p))


@device
def write_state(s, p, o):
    """Write slots with the lights on, then the clock, the blackout's length and whether walls and crates are clear."""
    write_lit_slots(s, p, o, 0)
    at = o.shape[0] - STILL_TO_COME
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.glass
