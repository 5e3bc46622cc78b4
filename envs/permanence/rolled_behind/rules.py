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

TALL, SMALL = 6, 6  # boxes and discs, at most

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.5  # m, centre to centre, at which a block is touched
RING = 0.9  # m from the occluders' ring to the blocks' ring
ROLL = 4  # steps that a roll is given at least
GAP = 2  # steps from one launch to the next
BOUNCE = 0.9
FIXED, FIRST, LATE = 0, 1, 2  # when the asked block is known

STATE = planar(
    TALL, SMALL,
    ("target", INT), ("answer", INT), ("friction", FLOAT),
    ("angle", FLOAT, (TALL,)), ("homes", INT, (TALL,)), ("home", INT, (SMALL,)), ("launch", INT, (SMALL,)),
    ("lx", FLOAT, (SMALL,)), ("ly", FLOAT, (SMALL,)), ("gx", FLOAT, (SMALL,)), ("gy", FLOAT, (SMALL,)),
    ("kx", FLOAT, (SMALL,)), ("ky", FLOAT, (SMALL,)),
)  # fmt: skip
STILL_TO_COME = 8 + 3 * SMALL  # numbers that `state` adds behind a lit slots row


@device
def _place_occluders(s, p):
    step = 2.0 * math.pi / p.occluders
    for k in range(p.occluders):
        a = 0.5 * math.pi + k * step + uniform(s, -1.0, 1.0) * p.jitter
        d = p.ring + uniform(s, -0.3, 0.3) * p.jitter
        c = math.cos(a)
        n = math.sin(a)
        place_box(s, k, k, d * c, d * n, c, n, p.depth, p.breadth)
        s.angle[k] = a


@device
def _aim(s, j, gx, gy, friction):
    """Set the launch of block j so that it comes to rest at (gx, gy)."""
    dx = gx - s.disc_x[j]
    dy = gy - s.disc_y[j]
    d = math.sqrt(dx * dx + dy * dy) + 1e-12
    v = launch_speed(d, friction)
    s.lx[j] = v * dx / d
    s.ly[j] = v * dy / d


@device
def _bump(s, p, friction, vacancy, side):
    """Block `bumper` will strike the resident beside the vacancy, under the blackout, and drive it there."""
    j = s.n_discs - 1
    r = s.disc_radius[j]
    home = (vacancy - side + p.occluders) % p.occluders
    resident = -1
    for i in range(j):
        if s.home[i] == home:
            resident = i
    if resident < 0:
        return False
    behind = p.ring + RING
    ex = s.gx[resident]
    ey = s.gy[resident]
    wx = behind * math.cos(s.angle[vacancy])
    wy = behind * math.sin(s.angle[vacancy])
    dx = wx - ex
    dy = wy - ey
    d = math.sqrt(dx * dx + dy * dy)
    nx = dx / d
    ny = dy / d
    run = uniform(s, 1.1, 1.3)
    s.disc_x[j] = ex - (2.0 * r + run) * nx
    s.disc_y[j] = ey - (2.0 * r + run) * ny
    if abs(s.disc_x[j]) > s.room_hx - r or abs(s.disc_y[j]) > s.room_hy - r:
        return False
    # Equal masses: the struck block leaves with (1 + e) / 2 of the normal speed.
    v = launch_speed(d, friction) * 2.0 / (1.0 + BOUNCE)
    u = math.sqrt(v * v + 2.0 * friction * run)
    s.lx[j] = u * nx
    s.ly[j] = u * ny
    s.home[j] = home
    s.home[resident] = vacancy
    return True


@device
def _choose(s, p, shift):
    """Ask for the block that ends behind the drawn occluder; level 1 asks for red, and its shift for any other."""
    s.target = -1
    for j in range(s.n_discs):
        if s.home[j] == s.answer:
            s.target = j
    if s.target < 0:
        return False
    if p.query == FIXED:
        swap_colours(s, p.blocks, s.target, shift)
    return True


@device
def reset(s, p):
    """Draw an episode: layout, launches, the asked block, the blackout's length and the pose after it."""
    shift = p.split == 2
    if s.tries == 1:
        # Drawn once for all tries: what is rejected must not tilt the answers.
        s.answer = below(s, p.occluders)
    friction = p.friction * (1.5 if shift else 1.0)
    reset_stage(s, p)
    s.friction = friction
    s.n_boxes = p.occluders
    s.n_discs = p.blocks - (1 if shift and p.blocks > 2 else 0)
    _place_occluders(s, p)
    shuffle(s, s.disc_colour, p.blocks)
    shuffle(s, s.launch, s.n_discs)
    shuffle(s, s.homes, p.occluders)
    step = 2.0 * math.pi / p.occluders
    common = 1.0 if below(s, 2) == 0 else -1.0
    behind = p.ring + RING
    for j in range(s.n_discs):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
        s.launch[j] = s.launch[j] * GAP
        k = s.homes[j]
        s.home[j] = k
        side = common
        out = 0.0
        if p.mixed != 0:
            side = 1.0 if below(s, 2) == 0 else -1.0
            out = 0.17 * side
        b = s.angle[k] + side * (0.5 * step + uniform(s, -0.12, 0.12) * (p.occluders < 5))
        d = behind + out + uniform(s, -0.05, 0.05)
        s.disc_x[j] = d * math.cos(b)
        s.disc_y[j] = d * math.sin(b)
        c = s.angle[k] + uniform(s, -0.08, 0.08)
        d = behind + uniform(s, -0.05, 0.05)
        s.gx[j] = d * math.cos(c)
        s.gy[j] = d * math.sin(c)
        _aim(s, j, s.gx[j], s.gy[j], friction)
    if p.bump != 0:
        # The bumper is launched last, in the last frame that shows: its speed is seen, the bump is only heard.
        last = s.n_discs - 1
        for j in range(last):
            if s.launch[j] > s.launch[last]:
                s.launch[j] -= GAP
        s.launch[last] = p.observe_steps - 1
        side = 1 if below(s, 2) == 0 else -1
        if not _bump(s, p, friction, s.homes[p.occluders - 1], side):
            return False
    if not _choose(s, p, shift):
        return False
    for j in range(s.n_discs):
        for i in range(j):
            if (s.disc_x[i] - s.disc_x[j]) ** 2 + (s.disc_y[i] - s.disc_y[j]) ** 2 < (
                s.disc_radius[i] + s.disc_radius[j] + 0.02
            ) ** 2:
                return False
        # Everything is seen at rest before it rolls, so that no answer hangs on one frame.
        if s.glass == 0 and not exposed(s, s.agent_x, s.agent_y, s.disc_x[j], s.disc_y[j], s.disc_radius[j]):
            return False
    if p.check_rolls != 0 and not _rehearse(s, p):
        return False
    set_query(s, s.disc_colour[s.target], p.query == LATE)
    for j in range(s.n_discs):
        if s.launch[j] == 0:
            s.disc_vx[j] = s.lx[j]
            s.disc_vy[j] = s.ly[j]
    return True


@device
def _rehearse(s, p):
    """Play the rolls through: each block must rest fully hidden, from the mat and from the pose after, behind its
    occluder. Starts are kept beside the record's own fields and put back."""
    for j in range(s.n_discs):
        s.kx[j] = s.disc_x[j]
        s.ky[j] = s.disc_y[j]
    for t in range(p.observe_steps + 8):
        for j in range(s.n_discs):
            if s.launch[j] == t:
                s.disc_vx[j] = s.lx[j]
                s.disc_vy[j] = s.ly[j]
        roll(s, DT, s.friction, BOUNCE)
    s.bump = 0
    good = True
    for j in range(s.n_discs):
        if s.disc_vx[j] != 0.0 or s.disc_vy[j] != 0.0:
            good = False
        if nearest_box(s, s.disc_x[j], s.disc_y[j]) != s.home[j]:
            good = False
        if s.glass == 0:
            if exposed(s, s.spawn_x, s.spawn_y, s.disc_x[j], s.disc_y[j], s.disc_radius[j]) or exposed(
                s, s.agent_x, s.agent_y, s.disc_x[j], s.disc_y[j], s.disc_radius[j]
            ):
                if j != s.n_discs - 1 or p.bump == 0:
                    good = False
    if p.bump != 0:  # the bumper and what it struck may lie behind one occluder only when that is the layout
        for j in range(s.n_discs - 1):
            if s.home[j] == s.home[s.n_discs - 1]:
                good = False
    for j in range(s.n_discs):
        s.disc_x[j] = s.kx[j]
        s.disc_y[j] = s.ky[j]
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
    roll(s, DT, s.friction, BOUNCE)
    s.t += 1
    for j in range(s.n_discs):
        if s.launch[j] == s.t:
            s.disc_vx[j] = s.lx[j]
            s.disc_vy[j] = s.ly[j]
    if next_phase(s, DUSK):
        set_query(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The occluder behind which the asked block comes to rest."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then everything that is still to come."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
    at = o.shape[0] - 8 - 3 * SMALL
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    at += 8
    for j in range(s.n_discs):
        if s.t < s.launch[j]:
            q = at + 3 * s.disc_colour[j]
            o[q] = (s.launch[j] - s.t) / 16.0
            o[q + 1] = s.lx[j] / 8.0
            o[q + 2] = s.ly[j] / 8.0
