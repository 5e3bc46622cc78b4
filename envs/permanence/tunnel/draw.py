"""How an episode of Tunnel is drawn: lanes, the exits of balls, and their entries. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, uniform
from unseen.envs.planar.world import DT, place_box

# Kinds of boxes: plain, a carpeted lane, a hall with a siding, a lever.
HALL_KIND, CARPET_KIND, SIDING_KIND, LEVER_KIND = 0, 1, 2, 3
HALF, GRADED = 0, 1  # `carpets`
NEARBY, ANYWHERE = 0, 1  # `entry`
SPACING = 1.1  # m from exit to exit
ROLL = 3  # steps from the start of a ball until it is hidden
STEEP = 0.85  # tangent of the largest entry angle
SHIFT_CARPET = 0.8  # factor on the speed on carpets under shift
LEVER = 0.12  # half extent of the lever, m
LEVER_AT = 1.45  # m from the exits to the lever, which stands at the right wall


@device
def exit_x(p, k):
    """The x of exit k, m; exits are numbered in order of x."""
    return (k - 0.5 * (p.exits - 1)) * SPACING


@device
def lever_place(p):
    """Position of the lever, m."""
    return p.wide - LEVER, p.mouth - LEVER_AT


@device
def shift_lead(p):
    """Steps by which balls take longer under shift: the shortest time is then the next after the longest one."""
    return p.slack_high - p.slack_low + 1 if p.split == SHIFT else 0


@device
def build_tunnel(s, p):
    """Place the tunnel's boxes from wall to wall, a lane for every exit and the hall in front of the lanes; and a lever."""
    s.n_boxes = p.box_slots
    for k in range(p.exits):
        kind = CARPET_KIND if s.factor[k] < 1.0 else HALL_KIND
        place_box(s, k, kind, exit_x(p, k), 0.5 * (p.mouth + p.bend), 1.0, 0.0, 0.5 * SPACING, 0.5 * p.lane)
        s.stood_on[k] = 0
    if p.fork > 0.0:
        kind = SIDING_KIND if s.held_up else HALL_KIND
        place_box(s, p.exits, kind, 0.0, 0.5 * (p.bend + p.top), 1.0, 0.0, p.wide, 0.5 * p.fork)
    if p.lever > 0:
        x, y = lever_place(p)
        place_box(s, p.box_slots - 1, LEVER_KIND, x, y, 1.0, 0.0, LEVER, LEVER)


@device
def draw_exits(s, p, shift):
    """Draw exits, lanes and times once for all tries, so that rejections do not bias them.

    Exits and times are independent: how long a ball takes reveals nothing about where it comes out.
    """
    s.answer = below(s, p.exits)
    s.target = below(s, p.balls)
    s.exit[s.target] = s.answer
    for j in range(p.balls):
        if j != s.target:
            s.exit[j] = below(s, p.exits)
            while p.apart != 0 and _is_taken(s, j):
                s.exit[j] = below(s, p.exits)
    slower = SHIFT_CARPET if shift else 1.0
    for k in range(p.exits):
        if p.carpets == GRADED and p.carpet < 1.0:
            s.factor[k] = uniform(s, p.carpet, 1.0) * slower
        else:
            carpeted = p.carpet < 1.0 and below(s, 2) == 0
            s.factor[k] = p.carpet * slower if carpeted else 1.0
    s.held_up = below(s, 2) if p.siding != 0 else 0
    s.lead = p.walk + p.slack_low + below(s, p.slack_high - p.slack_low + 1) + shift_lead(p)


@device
def _is_taken(s, j):
    """Whether the queried ball, or one before ball j, comes out at the exit of ball j."""
    for i in range(j):
        if s.exit[i] == s.exit[j]:
            return True
    return s.exit[s.target] == s.exit[j]


@device
def draw_entry(s, p, j):
    """Draw where and at which angle ball j enters; its speed follows from its exit and its exit step s.due."""
    k = s.exit[j]
    inside = s.due[j] - s.wait[j] - s.launch[j] - ROLL  # steps in motion inside
    part = (ROLL - 0.5) / inside
    if p.entry == ANYWHERE and p.fork > 0.0:
        _enter_at(s, p, j, uniform(s, 0.25 - p.wide, p.wide - 0.25), part)
        return
    furthest = p.fork + part * (p.fork + p.lane / s.factor[k])
    slope = uniform(s, -1.0, 1.0) * min(STEEP, (p.wide - 0.25) / furthest)
    set_path(s, p, j, slope)
    if abs(s.start_x[j]) > p.wide - 0.25:
        set_path(s, p, j, -slope)


@device
def _enter_at(s, p, j, x, part):
    """Let ball j start at x, m; `part`: time from its start to the tunnel, in parts of its time inside."""
    k = s.exit[j]
    slope = 0.0
    for _ in range(8):  # its speed, hence how far away it starts, depends on the angle, a little
        deep = p.fork + part * (p.fork + p.lane / s.factor[k] / math.sqrt(1.0 + slope * slope))
        slope = (exit_x(p, k) - x) / deep
    set_path(s, p, j, slope)


@device
def set_path(s, p, j, slope):
    """Set speed, direction and start of ball j so that it reaches s.exit[j] at s.due[j]; `slope`: dx / dy at the entry."""
    k = s.exit[j]
    inside = s.due[j] - s.wait[j] - s.launch[j] - ROLL  # steps in motion inside
    length = math.sqrt(1.0 + slope * slope)
    hall = p.fork * length
    v = (hall + p.lane / s.factor[k]) / (inside * DT)
    run = (ROLL - 0.5) * DT * v
    deep = run / length + p.fork
    s.to_lane[j] = run + hall
    s.speed[j] = v
    s.dir_x[j] = slope / length
    s.dir_y[j] = -1.0 / length
    s.start_x[j] = exit_x(p, k) - slope * deep
    s.start_y[j] = p.bend + deep


@device
def in_the_way(s, p, j):
    """Whether ball j, at rest, blocks the path of an earlier ball to the tunnel."""
    for i in range(j):
        rx = s.start_x[j] - s.start_x[i]
        ry = s.start_y[j] - s.start_y[i]
        along = min(max(rx * s.dir_x[i] + ry * s.dir_y[i], 0.0), (p.top - s.start_y[i]) / s.dir_y[i])
        if (rx - along * s.dir_x[i]) ** 2 + (ry - along * s.dir_y[i]) ** 2 < (2.0 * s.disc_radius[j] + 0.03) ** 2:
            return True
    return False
