"""The rules of Tunnel: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import (
    DAY,
    drive,
    place_box,
    planar,
    touch,
)

EXITS, SMALL = 6, 3
HALL_KIND, CARPET_KIND, SIDING_KIND = 0, 1, 2  # kinds of tall things: plain, a lane with a carpet, a hall with a siding
DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
SPACING = 1.1  # m from exit to exit
PLATE = 0.4  # m, radius of an exit's plate: no place lies on two plates, which is what holds chance at 1 / exits
PLATE_AT = 0.3  # m from an exit's mouth to the middle of its plate
STRIP = 0.3  # m from an exit's mouth to the gutter, where a ball is gone
MAT = 1.25  # m from the mouths to where the agent is carried
NEAR = 2.0  # m from the mouths to the near wall
REST = 2  # steps that the balls are shown at rest
ROLL = 3  # steps from a ball's start to the first in which it is hidden
GAP, GAPS = 5, 4  # steps from ball to ball coming out: GAP .. GAP + GAPS - 1
STEEP = 0.85  # tangent of the steepest entry, against straight ahead
HALL = 0.3  # m of hall that every further ball needs
FASTEST = 3.0  # m/s, of the balls' entry
LATE = 1  # index of query
SHIFT_CARPET = 0.8
STAY = 3

STATE = planar(
    EXITS + 1, SMALL,
    ("target", INT), ("answer", INT), ("held_up", INT), ("lead", INT),
    ("factor", FLOAT, (EXITS,)), ("loiter", INT, (EXITS,)),  # speed on a lane; steps that its plate was stood on
    # Of every ball: exit, steps of launch, of coming out and of being held up; 1 out, -1 behind a shut gate;
    # metres from start to lane, entry speed and direction, start.
    ("exit", INT, (SMALL,)), ("launch", INT, (SMALL,)), ("due", INT, (SMALL,)), ("wait", INT, (SMALL,)),
    ("out", INT, (SMALL,)), ("way", FLOAT, (SMALL,)), ("speed", FLOAT, (SMALL,)),
    ("ux", FLOAT, (SMALL,)), ("uy", FLOAT, (SMALL,)), ("x0", FLOAT, (SMALL,)), ("y0", FLOAT, (SMALL,)),
    signals=2 * EXITS + 1,
)  # fmt: skip
STILL_TO_COME = 8 + 6 * SMALL


@device
def _exit_x(p, k):
    """Where exit k lies: exits are counted from small x to large."""
    return (k - 0.5 * (p.exits - 1)) * SPACING


@device
def _build(s, p):
    """The tunnel, from wall to wall: a lane before every exit, carpeted or not, and the hall before the lanes."""
    s.n_boxes = p.box_slots
    for k in range(p.exits):
        kind = CARPET_KIND if s.factor[k] < 1.0 else HALL_KIND
        place_box(s, k, kind, _exit_x(p, k), 0.5 * (p.mouth + p.bend), 1.0, 0.0, 0.5 * SPACING, 0.5 * p.lane)
        s.loiter[k] = 0
    if p.box_slots > p.exits:
        kind = SIDING_KIND if s.held_up else HALL_KIND
        place_box(s, p.exits, kind, 0.0, 0.5 * (p.bend + p.top), 1.0, 0.0, p.wide, 0.5 * p.fork)


@device
def _signs(s, p):
    """What stands on the tunnel: how far each gate is open, each lane's speed, whether there is a siding."""
    for k in range(p.exits):
        s.signal[k] = max(0.0, 1.0 - s.loiter[k] / (p.patience + 1.0))
        if p.carpet < 1.0:
            s.signal[p.exits + k] = s.factor[k]
    if p.siding != 0:
        s.signal[p.signals - 1] = s.held_up


@device
def _draw(s, p, shift):
    """What an episode turns on, drawn once for all tries: what is rejected must not tilt it. Exits and times are
    drawn apart from each other, so that how long it takes says nothing about where."""
    s.answer = below(s, p.exits)
    s.target = below(s, p.balls)
    for j in range(p.balls):
        s.exit[j] = s.answer if j == s.target else below(s, p.exits)
    for k in range(p.exits):
        carpeted = p.carpet < 1.0 and below(s, 2) == 0
        s.factor[k] = p.carpet * (SHIFT_CARPET if shift else 1.0) if carpeted else 1.0
    s.held_up = below(s, 2) if p.siding != 0 else 0
    spread = p.slack_high - p.slack_low + 1
    s.lead = p.walk + p.slack_low + below(s, spread) + (spread if shift else 0)


@device
def _launch(s, p, j):
    """Ball j's angle, speed and start, from its exit and the time at which it is due there."""
    k = s.exit[j]
    inside = s.due[j] - s.wait[j] - s.launch[j] - ROLL  # steps on the move inside
    part = (ROLL - 0.5) / inside
    furthest = p.fork + part * (p.fork + p.lane / s.factor[k])
    slope = uniform(s, -1.0, 1.0) * min(STEEP, (p.wide - 0.25) / furthest)
    length = math.sqrt(1.0 + slope * slope)
    hall = p.fork * length
    v = (hall + p.lane / s.factor[k]) / (inside * DT)
    run = (ROLL - 0.5) * DT * v
    deep = run / length + p.fork
    if abs(_exit_x(p, k) - slope * deep) > p.wide - 0.25:
        slope = -slope
    s.way[j] = run + hall
    s.speed[j] = v
    s.ux[j] = slope / length
    s.uy[j] = -1.0 / length
    s.x0[j] = _exit_x(p, k) - slope * deep
    s.y0[j] = p.bend + deep


@device
def _in_the_way(s, p, j):
    """Whether ball j, at rest, lies on or beside the way that an earlier ball takes to the tunnel."""
    for i in range(j):
        rx = s.x0[j] - s.x0[i]
        ry = s.y0[j] - s.y0[i]
        along = min(max(rx * s.ux[i] + ry * s.uy[i], 0.0), (p.top - s.y0[i]) / s.uy[i])
        if (rx - along * s.ux[i]) ** 2 + (ry - along * s.uy[i]) ** 2 < (2.0 * s.disc_radius[j] + 0.03) ** 2:
            return True
    return False


@device
def reset(s, p):
    """Draw an episode: exits, times, then the launches that follow from them."""
    shift = p.split == 2
    if s.tries == 1:
        _draw(s, p, shift)
    reset_stage(s, p)
    s.room_hx = p.wide
    s.room_hy = p.deep
    s.agent_y += p.deep - 0.35  # the agent watches from the far wall and is carried to the near side
    s.heading = -0.5 * math.pi
    s.spawn_y += p.mouth - MAT
    _build(s, p)
    _signs(s, p)
    s.n_discs = p.balls
    shuffle(s, s.disc_colour, p.balls)
    due = s.observe_steps + s.blackout_steps + s.lead
    for rank in range(p.balls):
        # In the order in which they went in; a siding holds up the first until all others are out.
        j = (rank + s.held_up) % p.balls
        s.due[j] = due
        s.wait[j] = p.hold if s.held_up != 0 and j == 0 else 0
        due += GAP + below(s, GAPS)
    for j in range(p.balls):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.launch[j] = REST + ROLL * j
        s.out[j] = 0
        for _ in range(12):
            _launch(s, p, j)
            if not _in_the_way(s, p, j):
                break
        if _in_the_way(s, p, j):
            return False
        _roll_on(s, p, j)
    set_query(s, s.disc_colour[s.target], p.query == LATE)
    return True


@device
def _roll_on(s, p, j):
    """Put ball j where the tunnel's law has it at step s.t.

    Straight on at its entry speed to the end of the hall, there perhaps held up; down the lane, at the carpet's part
    of that speed; out at full speed, unless the gate is shut, and into the gutter.
    """
    k = s.exit[j]
    x = _exit_x(p, k)
    v = s.speed[j]
    t = (s.t - s.launch[j]) * DT
    if t < 0.0:
        _at(s, j, s.x0[j], s.y0[j], 0.0, 0.0, 0)
        return
    if v * t < s.way[j]:
        y = s.y0[j] + v * t * s.uy[j]
        _at(s, j, s.x0[j] + v * t * s.ux[j], y, v * s.ux[j], v * s.uy[j], 1 if y < p.top else 0)
        return
    t -= s.way[j] / v + s.wait[j] * DT
    if t < 0.0:
        _at(s, j, x, p.bend, 0.0, 0.0, 1)
        return
    slow = v * s.factor[k]
    if slow * t < p.lane:
        _at(s, j, x, p.bend - slow * t, 0.0, -slow, 1)
        return
    if s.out[j] == 0:
        s.out[j] = -1 if s.loiter[k] > p.patience else 1
    past = v * (t - p.lane / slow)
    if s.out[j] < 0:
        _at(s, j, x, p.mouth + s.disc_radius[j], 0.0, 0.0, 1)
    elif past < STRIP:
        _at(s, j, x, p.mouth - past, 0.0, -v, 0)
    else:
        _at(s, j, x, p.mouth - STRIP, 0.0, 0.0, 1)


@device
def _at(s, j, x, y, vx, vy, under):
    s.disc_x[j] = x
    s.disc_y[j] = y
    s.disc_vx[j] = vx
    s.disc_vy[j] = vy
    s.disc_cover[j] = under


@device
def _plate(s, p):
    """The exit on whose plate the agent stands, or -1."""
    for k in range(p.exits):
        if (s.agent_x - _exit_x(p, k)) ** 2 + (s.agent_y - p.mouth + PLATE_AT) ** 2 < PLATE * PLATE:
            return k
    return -1


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    s.t += 1
    for j in range(s.n_discs):
        _roll_on(s, p, j)
    if next_phase(s, DAY):
        set_query(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    here = _plate(s, p)
    for j in range(s.n_discs):
        if s.exit[j] == here and s.out[j] > 0 and s.disc_cover[j] == 0:
            touch(s, j)
    if here >= 0 and s.touched < 0:
        s.loiter[here] += 1
    _signs(s, p)
    return outcome(s, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or s.out[s.target] != 0)


@device
def write_hidden(s, p, out):
    """The exit at which the asked ball comes out."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then everything that is still to come."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
    at = o.shape[0] - 8 - 6 * SMALL
    write_stage(s, p, o, at)
    at += 8
    for j in range(s.n_discs):
        q = at + 6 * s.disc_colour[j]
        o[q] = _exit_x(p, s.exit[j]) / p.room
        o[q + 1] = (s.due[j] - s.t) / CLOCK
        o[q + 2] = max(s.launch[j] - s.t, 0) / CLOCK
        o[q + 3] = s.wait[j] / CLOCK
        o[q + 4] = s.speed[j] / 4.0
        o[q + 5] = s.ux[j]
