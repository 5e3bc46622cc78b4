"""How an episode of RolledBehind is drawn: occluders, blocks with their launches, and the target. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.planar.physics import launch_speed
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.stage import FIXED
from unseen.envs.planar.world import place_box, swap_colours

BEHIND = 0.9  # m from the occluders' ring to the blocks' ring
ROLL_STEPS = 4  # the fewest steps allowed for a roll
LAUNCH_STEPS = 2  # steps from one launch to the next
RESTITUTION = 0.9
VOLLEY_FROM = 1.35  # m outside the blocks' ring at which the bumpers of a volley start, at least
VOLLEY_RANGE = 0.2  # m by which this varies


@device
def place_occluders(s, p):
    """Place the occluders evenly on their ring, with jitter. Writes boxes and bearings."""
    spacing = 2.0 * math.pi / p.occluders
    for k in range(p.occluders):
        a = 0.5 * math.pi + k * spacing + uniform(s, -1.0, 1.0) * p.jitter
        d = p.ring + uniform(s, -0.3, 0.3) * p.jitter
        cos = math.cos(a)
        sin = math.sin(a)
        place_box(s, k, k, d * cos, d * sin, cos, sin, p.depth, p.breadth)
        s.bearing[k] = a


@device
def place_blocks(s, p, shift):
    """Place each block in a gap beside the occluder that it will roll behind. Writes discs, homes, launches and rest positions."""
    shuffle(s, s.disc_colour, p.blocks)
    shuffle(s, s.launch_at, p.rolls if p.volley != 0 else s.n_discs)
    shuffle(s, s.homes, p.occluders)
    if p.volley != 0:
        _pair_homes(s, p)
    spacing = 2.0 * math.pi / p.occluders
    common_side = 1.0 if below(s, 2) == 0 else -1.0
    radius = p.ring + BEHIND
    for j in range(s.n_discs):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
    for j in range(p.rolls if p.volley != 0 else s.n_discs):
        s.launch_at[j] = s.launch_at[j] * LAUNCH_STEPS
        k = s.homes[j]
        s.home[j] = k
        side = common_side
        outward = 0.0
        if p.mixed != 0:  # two blocks may share a gap, so they start on two rings
            side = 1.0 if below(s, 2) == 0 else -1.0
            outward = 0.17 * side
        a = s.bearing[k] + side * (0.5 * spacing + uniform(s, -0.12, 0.12) * (p.occluders < 5))
        if p.volley != 0:  # where a block starts tells nothing about its direction
            outward = uniform(s, -0.2, 0.2)
        if p.far != 0 and below(s, 2) == 0:
            a += side * spacing
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
def _pair_homes(s, p):
    """Pair neighbouring occluders: block j rolls behind homes[j] and will be driven behind homes[j + p.rolls]."""
    first = below(s, 2)
    shuffle(s, s.homes, p.rolls)
    for j in range(p.rolls):
        k = (first + 2 * s.homes[j]) % p.occluders
        other = (k + 1) % p.occluders
        if below(s, 2) == 0:
            k, other = other, k
        s.homes[j] = k
        s.homes[j + p.rolls] = other


@device
def plan_volley(s, p):
    """Let each block of the second half, a bumper, hit one of the first half in the blackout and drive it behind the
    neighbouring occluder.

    All bumpers are launched in the last visible step. Each starts in the middle of the gap on the other side of the
    occluder, so that the start does not tell which of two blocks it will hit.
    """
    spacing = 2.0 * math.pi / p.occluders
    for struck in range(p.rolls):
        bumper = struck + p.rolls
        home = s.homes[struck]
        goal = s.homes[bumper]
        side = 1.0 if goal == (home + 1) % p.occluders else -1.0
        s.launch_at[bumper] = p.observe_steps - 1
        a = 0.5 * math.pi + (home - 0.5 * side) * spacing + uniform(s, -0.05, 0.05)
        d = p.ring + BEHIND + VOLLEY_FROM + uniform(s, 0.0, VOLLEY_RANGE)
        s.disc_x[bumper] = d * math.cos(a)
        s.disc_y[bumper] = d * math.sin(a)
        x = s.rest_x[struck]
        y = s.rest_y[struck]
        dx = (p.ring + BEHIND) * math.cos(s.bearing[goal]) - x
        dy = (p.ring + BEHIND) * math.sin(s.bearing[goal]) - y
        d = math.sqrt(dx * dx + dy * dy)
        nx = dx / d
        ny = dy / d
        # Aim at the point of contact. The struck block leaves along the normal, with (1 + e) / 2 of the normal speed.
        ux = x - 2.0 * s.disc_radius[bumper] * nx - s.disc_x[bumper]
        uy = y - 2.0 * s.disc_radius[bumper] * ny - s.disc_y[bumper]
        run = math.sqrt(ux * ux + uy * uy)
        ux /= run
        uy /= run
        v = launch_speed(d, s.friction) * 2.0 / ((1.0 + RESTITUTION) * (ux * nx + uy * ny))
        speed = math.sqrt(v * v + 2.0 * s.friction * run)
        s.launch_vx[bumper] = speed * ux
        s.launch_vy[bumper] = speed * uy
        s.home[bumper] = home
        s.home[struck] = goal


@device
def plan_bump(s, p):
    """Let the last block, the bumper, hit a block next to the vacant occluder in the blackout and drive it behind that one.

    The bumper is launched in the last visible step: its speed is seen, but the bump is only heard. Returns False if no
    block rests next to the vacancy, or if the bumper would have to start outside the room.
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
def choose_target(s, p, shift):
    """Make the block that ends behind occluder s.target_home the target. Returns False if there is none, or if it is not of the
    kind that is to be asked for.

    Of a volley, bumpers are asked for in two of five episodes: one ends behind either of two occluders, so where it goes is
    easier to guess than where a block goes that it hits. If they were asked for less often, knowing which blocks roll would
    tell too much.

    With a fixed query, the target's colour is swapped to red, or under shift to any other colour.
    """
    s.target = -1
    for j in range(s.n_discs):
        if s.home[j] == s.target_home:
            s.target = j
    if s.target < 0 or (p.volley != 0 and (s.target >= p.rolls) != (s.asks_bumper != 0)):
        return False
    if p.query == FIXED:
        swap_colours(s, p.blocks, s.target, shift)
    return True


@device
def all_show(s):
    """Whether no two blocks overlap and each is visible at rest before it rolls, so that no answer depends on a single
    frame."""
    for j in range(s.n_discs):
        for i in range(j):
            if (s.disc_x[i] - s.disc_x[j]) ** 2 + (s.disc_y[i] - s.disc_y[j]) ** 2 < (
                s.disc_radius[i] + s.disc_radius[j] + 0.02
            ) ** 2:
                return False
        if s.glass == 0 and not exposed_from(s, s.agent_x, s.agent_y, j):
            return False
    return True


@device
def exposed_from(s, x, y, j):
    """Whether any part of block j is visible from (x, y)."""
    return exposed(s, x, y, s.disc_x[j], s.disc_y[j], s.disc_radius[j])
