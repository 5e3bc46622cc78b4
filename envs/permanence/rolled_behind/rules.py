"""The rules of RolledBehind: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.physics import launch_speed, roll
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import may_act, next_phase, out_of_time, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import DUSK, drive, nearest_box, place_box, planar, swap_colours, touch, touching

MAX_OCCLUDERS, MAX_BLOCKS = 6, 6

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.5  # m, centre to centre, at which a block is touched
BEHIND = 0.9  # m from the occluders' ring to the blocks' ring
ROLL_STEPS = 4  # steps that a roll is given at least
LAUNCH_STEPS = 2  # steps from one launch to the next
RESTITUTION = 0.9
FIXED, FIRST, LATE = 0, 1, 2  # `query`: when the asked block is known

STATE = planar(
    MAX_OCCLUDERS, MAX_BLOCKS,
    ("target", INT),  # the asked block
    ("target_home", INT),  # the occluder behind which it comes to rest: what is hidden
    ("friction", FLOAT),  # m/s^2
    ("bearing", FLOAT, (MAX_OCCLUDERS,)),  # of each occluder from the room's centre
    ("homes", INT, (MAX_OCCLUDERS,)),  # the occluders in a drawn order: one for each block; a bump's vacancy is last
    # Of each block: the occluder behind which it ends, the step of its launch, its launch velocity, where it comes to
    # rest if nothing bumps it, and where it starts, kept while a rehearsal moves it.
    ("home", INT, (MAX_BLOCKS,)), ("launch_at", INT, (MAX_BLOCKS,)),
    ("launch_vx", FLOAT, (MAX_BLOCKS,)), ("launch_vy", FLOAT, (MAX_BLOCKS,)),
    ("rest_x", FLOAT, (MAX_BLOCKS,)), ("rest_y", FLOAT, (MAX_BLOCKS,)),
    ("start_x", FLOAT, (MAX_BLOCKS,)), ("start_y", FLOAT, (MAX_BLOCKS,)),
)  # fmt: skip
STILL_TO_COME = 8 + 3 * MAX_BLOCKS  # numbers that `state` adds behind a lit slots row


@device
def reset(s, p):
    """Draw an episode: layout, launches, the asked block, the blackout's length and the pose after it.

    False where blocks overlap, do not show at first, or do not come to rest where they should.
    """
    shift = p.split == 2
    if s.tries == 1:
        # Drawn once for all tries: rejections must not make one occluder likelier than another.
        s.target_home = below(s, p.occluders)
    reset_stage(s, p)
    s.friction = p.friction * (1.5 if shift else 1.0)
    s.n_boxes = p.occluders
    s.n_discs = p.blocks - (1 if shift and p.blocks > 2 else 0)
    _place_occluders(s, p)
    _place_blocks(s, p, shift)
    if p.bump != 0 and not _plan_bump(s, p):
        return False
    if not _choose_target(s, p, shift) or not _all_show(s):
        return False
    if p.check_rolls != 0 and not _rehearse(s, p):
        return False
    set_query(s, s.disc_colour[s.target], p.query == LATE)
    _launch(s, 0)
    return True


@device
def _place_occluders(s, p):
    """Put the occluders on their ring, evenly but for the jitter."""
    spacing = 2.0 * math.pi / p.occluders
    for k in range(p.occluders):
        a = 0.5 * math.pi + k * spacing + uniform(s, -1.0, 1.0) * p.jitter
        d = p.ring + uniform(s, -0.3, 0.3) * p.jitter
        cos = math.cos(a)
        sin = math.sin(a)
        place_box(s, k, k, d * cos, d * sin, cos, sin, p.depth, p.breadth)
        s.bearing[k] = a


@device
def _place_blocks(s, p, shift):
    """Put each block in a gap beside its occluder, to roll from there to behind it; draw colours and launches."""
    shuffle(s, s.disc_colour, p.blocks)
    shuffle(s, s.launch_at, s.n_discs)
    shuffle(s, s.homes, p.occluders)
    spacing = 2.0 * math.pi / p.occluders
    common_side = 1.0 if below(s, 2) == 0 else -1.0
    radius = p.ring + BEHIND
    for j in range(s.n_discs):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
        s.launch_at[j] = s.launch_at[j] * LAUNCH_STEPS
        k = s.homes[j]
        s.home[j] = k
        side = common_side
        outward = 0.0
        if p.mixed != 0:  # blocks that start in one gap lie on two rings
            side = 1.0 if below(s, 2) == 0 else -1.0
            outward = 0.17 * side
        a = s.bearing[k] + side * (0.5 * spacing + uniform(s, -0.12, 0.12) * (p.occluders < 5))
        d = radius + outward + uniform(s, -0.05, 0.05)
        s.disc_x[j] = d * math.cos(a)
        s.disc_y[j] = d * math.sin(a)
        a = s.bearing[k] + uniform(s, -0.08, 0.08)
        d = radius + uniform(s, -0.05, 0.05)
        s.rest_x[j] = d * math.cos(a)
        s.rest_y[j] = d * math.sin(a)
        dx = s.rest_x[j] - s.disc_x[j]
        dy = s.rest_y[j] - s.disc_y[j]
        d = math.sqrt(dx * dx + dy * dy) + 1e-12
        v = launch_speed(d, s.friction)
        s.launch_vx[j] = v * dx / d
        s.launch_vy[j] = v * dy / d


@device
def _plan_bump(s, p):
    """Let the last block, the bumper, strike a block beside the vacant occluder under the blackout and drive it there.

    The bumper is launched in the last step that shows: its speed is seen, the bump is only heard. False where no block
    rests beside the vacancy, or the bumper would have to start outside of the room.
    """
    bumper = s.n_discs - 1
    for j in range(bumper):
        if s.launch_at[j] > s.launch_at[bumper]:
            s.launch_at[j] -= LAUNCH_STEPS
    s.launch_at[bumper] = p.observe_steps - 1
    side = 1 if below(s, 2) == 0 else -1
    vacancy = s.homes[p.occluders - 1]
    home = (vacancy - side + p.occluders) % p.occluders
    struck = -1
    for j in range(bumper):
        if s.home[j] == home:
            struck = j
    if struck < 0:
        return False
    x = s.rest_x[struck]
    y = s.rest_y[struck]
    dx = (p.ring + BEHIND) * math.cos(s.bearing[vacancy]) - x
    dy = (p.ring + BEHIND) * math.sin(s.bearing[vacancy]) - y
    d = math.sqrt(dx * dx + dy * dy)
    nx = dx / d
    ny = dy / d
    r = s.disc_radius[bumper]
    run = uniform(s, 1.1, 1.3)
    s.disc_x[bumper] = x - (2.0 * r + run) * nx
    s.disc_y[bumper] = y - (2.0 * r + run) * ny
    if abs(s.disc_x[bumper]) > s.room_hx - r or abs(s.disc_y[bumper]) > s.room_hy - r:
        return False
    # Equal masses: the struck block leaves with (1 + e) / 2 of the normal speed.
    v = launch_speed(d, s.friction) * 2.0 / (1.0 + RESTITUTION)
    speed = math.sqrt(v * v + 2.0 * s.friction * run)
    s.launch_vx[bumper] = speed * nx
    s.launch_vy[bumper] = speed * ny
    s.home[bumper] = home
    s.home[struck] = vacancy
    return True


@device
def _choose_target(s, p, shift):
    """Ask for the block that ends behind the drawn occluder; False if there is none. Where the query is fixed this
    block becomes red, and in the shift any colour but red."""
    s.target = -1
    for j in range(s.n_discs):
        if s.home[j] == s.target_home:
            s.target = j
    if s.target < 0:
        return False
    if p.query == FIXED:
        swap_colours(s, p.blocks, s.target, shift)
    return True


@device
def _all_show(s):
    """Whether no two blocks overlap, and each is seen at rest before it rolls, so that no answer depends on a single
    frame."""
    for j in range(s.n_discs):
        for i in range(j):
            if (s.disc_x[i] - s.disc_x[j]) ** 2 + (s.disc_y[i] - s.disc_y[j]) ** 2 < (
                s.disc_radius[i] + s.disc_radius[j] + 0.02
            ) ** 2:
                return False
        if s.glass == 0 and not _exposed_from(s, s.agent_x, s.agent_y, j):
            return False
    return True


@device
def _exposed_from(s, x, y, j):
    """Whether any of block j can be seen from (x, y)."""
    return exposed(s, x, y, s.disc_x[j], s.disc_y[j], s.disc_radius[j])


@device
def _launch(s, t):
    """Set off the blocks that are launched at step t."""
    for j in range(s.n_discs):
        if s.launch_at[j] == t:
            s.disc_vx[j] = s.launch_vx[j]
            s.disc_vy[j] = s.launch_vy[j]


@device
def _rehearse(s, p):
    """Play the rolls through and put the blocks back. False unless each comes to rest behind its own occluder, fully
    hidden from the mat and from the pose after the blackout; the bumper alone need not be hidden."""
    for j in range(s.n_discs):
        s.start_x[j] = s.disc_x[j]
        s.start_y[j] = s.disc_y[j]
    for t in range(p.observe_steps + 8):
        _launch(s, t)
        roll(s, DT, s.friction, RESTITUTION)
    s.bump = 0
    bumper = s.n_discs - 1 if p.bump != 0 else -1
    good = True
    for j in range(s.n_discs):
        moving = s.disc_vx[j] != 0.0 or s.disc_vy[j] != 0.0
        if moving or nearest_box(s, s.disc_x[j], s.disc_y[j]) != s.home[j]:
            good = False
        if j != bumper and s.glass == 0:
            if _exposed_from(s, s.spawn_x, s.spawn_y, j) or _exposed_from(s, s.agent_x, s.agent_y, j):
                good = False
        if j < bumper and s.home[j] == s.home[bumper]:
            good = False
    for j in range(s.n_discs):
        s.disc_x[j] = s.start_x[j]
        s.disc_y[j] = s.start_y[j]
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
    return good


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    s.bump = 0
    roll(s, DT, s.friction, RESTITUTION)
    _launch(s, s.t)
    if next_phase(s, DUSK):
        set_query(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The occluder behind which the asked block comes to rest."""
    out[0] = s.target_home


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then everything that is still to come."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
    at = o.shape[0] - STILL_TO_COME
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    at += 8
    for j in range(s.n_discs):
        if s.t < s.launch_at[j]:
            k = at + 3 * s.disc_colour[j]
            o[k] = (s.launch_at[j] - s.t) / 16.0
            o[k + 1] = s.launch_vx[j] / 8.0
            o[k + 2] = s.launch_vy[j] / 8.0
