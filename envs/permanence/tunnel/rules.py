"""The rules of Tunnel: what is drawn at a reset, and what a step does. Metres, seconds, radians.

Balls are discs that follow the tunnel's law exactly: where a ball is follows from the step and from what was drawn.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import DAY, drive, place_box, planar, touch

EXITS, SMALL = 6, 3  # exits and balls, at most
HALL_KIND, CARPET_KIND, SIDING_KIND = 0, 1, 2  # kinds of boxes: plain, a lane with a carpet, a hall with a siding

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
SPACING = 1.1  # m from exit to exit
PLATE = 0.4  # m, radius of an exit's plate: plates are disjoint, so a memoryless policy scores at most 1 / exits
PLATE_AT = 0.3  # m from an exit's mouth to the centre of its plate
STRIP = 0.3  # m from an exit's mouth to the gutter, in which a ball disappears
MAT = 1.25  # m from the mouths to where the agent is carried
NEAR = 2.0  # m from the mouths to the near wall
REST = 2  # steps for which the balls are shown at rest
ROLL = 3  # steps from a ball's start to the first in which it is hidden
GAP, GAPS = 5, 4  # from one ball's exit to the next: GAP .. GAP + GAPS - 1 steps
STEEP = 0.85  # tangent of the largest entry angle, from straight ahead
HALL = 0.3  # m of hall that every further ball needs
FASTEST = 3.0  # m/s at which balls enter, at most
SHIFT_CARPET = 0.8  # speed on a carpet under shift, as a part of that in training
LATE = 1  # the ball is asked for after the blackout

STATE = planar(
    EXITS + 1, SMALL,
    ("target", INT), ("answer", INT),  # the asked ball and its exit
    ("held_up", INT), ("lead", INT),  # 1: a siding holds up the first ball; steps from the act phase to the first exit
    ("factor", FLOAT, (EXITS,)), ("stood_on", INT, (EXITS,)),  # speed factor of each lane; steps on each plate so far
    # Of each ball: its exit, the steps in which it starts and is out, steps for which it is held up, and whether it is
    # out (-1: behind a shut gate); metres from its start to its lane, entry speed and direction, start.
    ("exit", INT, (SMALL,)), ("launch", INT, (SMALL,)), ("due", INT, (SMALL,)), ("wait", INT, (SMALL,)),
    ("out", INT, (SMALL,)), ("to_lane", FLOAT, (SMALL,)), ("speed", FLOAT, (SMALL,)),
    ("dir_x", FLOAT, (SMALL,)), ("dir_y", FLOAT, (SMALL,)),
    ("start_x", FLOAT, (SMALL,)), ("start_y", FLOAT, (SMALL,)),
    signals=2 * EXITS + 1,
)  # fmt: skip
STILL_TO_COME = 8 + 6 * SMALL  # numbers that `state` adds behind a lit slots row


@device
def exit_x(p, k):
    """The x of exit k; exits are counted from small x to large."""
    return (k - 0.5 * (p.exits - 1)) * SPACING


@device
def _build_tunnel(s, p):
    """Place the tunnel's boxes from wall to wall: a lane before every exit, and the hall before the lanes."""
    s.n_boxes = p.box_slots
    for k in range(p.exits):
        kind = CARPET_KIND if s.factor[k] < 1.0 else HALL_KIND
        place_box(s, k, kind, exit_x(p, k), 0.5 * (p.mouth + p.bend), 1.0, 0.0, 0.5 * SPACING, 0.5 * p.lane)
        s.stood_on[k] = 0
    if p.box_slots > p.exits:
        kind = SIDING_KIND if s.held_up else HALL_KIND
        place_box(s, p.exits, kind, 0.0, 0.5 * (p.bend + p.top), 1.0, 0.0, p.wide, 0.5 * p.fork)


@device
def _set_signals(s, p):
    """Set the tunnel's signs: how far each gate is open, each lane's speed factor, whether there is a siding."""
    for k in range(p.exits):
        s.signal[k] = max(0.0, 1.0 - s.stood_on[k] / (p.patience + 1.0))
        if p.carpet < 1.0:
            s.signal[p.exits + k] = s.factor[k]
    if p.siding != 0:
        s.signal[p.signals - 1] = s.held_up


@device
def _draw_exits(s, p, shift):
    """Draw balls' exits, lanes and times: once for all tries, so that rejecting a draw does not bias them.

    Exits and times are independent: how long a ball takes says nothing about where it comes out.
    """
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
def _draw_entry(s, p, j):
    """Draw the entry angle of ball j; its speed and start follow from its exit and the step in which it is due."""
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
    if abs(exit_x(p, k) - slope * deep) > p.wide - 0.25:
        slope = -slope
    s.to_lane[j] = run + hall
    s.speed[j] = v
    s.dir_x[j] = slope / length
    s.dir_y[j] = -1.0 / length
    s.start_x[j] = exit_x(p, k) - slope * deep
    s.start_y[j] = p.bend + deep


@device
def _in_the_way(s, p, j):
    """Whether ball j, at rest, lies on or beside the way of an earlier ball to the tunnel."""
    for i in range(j):
        rx = s.start_x[j] - s.start_x[i]
        ry = s.start_y[j] - s.start_y[i]
        along = min(max(rx * s.dir_x[i] + ry * s.dir_y[i], 0.0), (p.top - s.start_y[i]) / s.dir_y[i])
        if (rx - along * s.dir_x[i]) ** 2 + (ry - along * s.dir_y[i]) ** 2 < (2.0 * s.disc_radius[j] + 0.03) ** 2:
            return True
    return False


@device
def reset(s, p):
    """Draw an episode: exits and times, then the launches that follow from them."""
    shift = p.split == 2
    if s.tries == 1:
        _draw_exits(s, p, shift)
    reset_stage(s, p)
    s.room_hx = p.wide
    s.room_hy = p.deep
    s.agent_y += p.deep - 0.35  # the agent watches from the far wall, and is carried to the near side
    s.heading = -0.5 * math.pi
    s.spawn_y += p.mouth - MAT
    _build_tunnel(s, p)
    _set_signals(s, p)
    s.n_discs = p.balls
    shuffle(s, s.disc_colour, p.balls)
    due = s.observe_steps + s.blackout_steps + s.lead
    for rank in range(p.balls):
        # Balls come out in the order in which they went in; a siding holds up the first until all others are out.
        j = (rank + s.held_up) % p.balls
        s.due[j] = due
        s.wait[j] = p.hold if s.held_up != 0 and j == 0 else 0
        due += GAP + below(s, GAPS)
    for j in range(p.balls):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.launch[j] = REST + ROLL * j
        s.out[j] = 0
        for _ in range(12):
            _draw_entry(s, p, j)
            if not _in_the_way(s, p, j):
                break
        if _in_the_way(s, p, j):
            return False
        _move_ball(s, p, j)
    set_query(s, s.disc_colour[s.target], p.query == LATE)
    return True


@device
def _move_ball(s, p, j):
    """Put ball j where the tunnel's law has it at step s.t, and set s.out[j] once it has come to its gate.

    It rolls straight on at its entry speed to the end of the hall, where it may be held up; then down the lane, more
    slowly on a carpet; then out at its entry speed and into the gutter, unless its gate is shut.
    """
    k = s.exit[j]
    x = exit_x(p, k)
    v = s.speed[j]
    t = (s.t - s.launch[j]) * DT
    if t < 0.0:
        _set_ball(s, j, s.start_x[j], s.start_y[j], 0.0, 0.0, 0)
        return
    if v * t < s.to_lane[j]:
        y = s.start_y[j] + v * t * s.dir_y[j]
        _set_ball(s, j, s.start_x[j] + v * t * s.dir_x[j], y, v * s.dir_x[j], v * s.dir_y[j], 1 if y < p.top else 0)
        return
    t -= s.to_lane[j] / v + s.wait[j] * DT
    if t < 0.0:
        _set_ball(s, j, x, p.bend, 0.0, 0.0, 1)
        return
    slow = v * s.factor[k]
    if slow * t < p.lane:
        _set_ball(s, j, x, p.bend - slow * t, 0.0, -slow, 1)
        return
    if s.out[j] == 0:
        s.out[j] = -1 if s.stood_on[k] > p.patience else 1
    past = v * (t - p.lane / slow)
    if s.out[j] < 0:
        _set_ball(s, j, x, p.mouth + s.disc_radius[j], 0.0, 0.0, 1)
    elif past < STRIP:
        _set_ball(s, j, x, p.mouth - past, 0.0, -v, 0)
    else:
        _set_ball(s, j, x, p.mouth - STRIP, 0.0, 0.0, 1)


@device
def _set_ball(s, j, x, y, vx, vy, covered):
    """Set place and velocity of ball j, and whether it is covered."""
    s.disc_x[j] = x
    s.disc_y[j] = y
    s.disc_vx[j] = vx
    s.disc_vy[j] = vy
    s.disc_cover[j] = covered


@device
def _plate_under(s, p):
    """The exit on whose plate the agent stands, or -1."""
    for k in range(p.exits):
        if (s.agent_x - exit_x(p, k)) ** 2 + (s.agent_y - p.mouth + PLATE_AT) ** 2 < PLATE * PLATE:
            return k
    return -1


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    for j in range(s.n_discs):
        _move_ball(s, p, j)
    if next_phase(s, DAY):
        set_query(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    here = _plate_under(s, p)
    for j in range(s.n_discs):
        if s.exit[j] == here and s.out[j] > 0 and s.disc_cover[j] == 0:
            touch(s, j)
    if here >= 0 and s.touched < 0:
        s.stood_on[here] += 1
    _set_signals(s, p)
    return outcome(s, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or s.out[s.target] != 0)


@device
def write_hidden(s, p, out):
    """The exit at which the asked ball comes out."""
    out[0] = s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question asked, then everything that is still to come."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
    at = o.shape[0] - STILL_TO_COME
    write_stage(s, p, o, at)
    at += 8
    for j in range(s.n_discs):
        q = at + 6 * s.disc_colour[j]
        o[q] = exit_x(p, s.exit[j]) / p.room
        o[q + 1] = (s.due[j] - s.t) / CLOCK
        o[q + 2] = max(s.launch[j] - s.t, 0) / CLOCK
        o[q + 3] = s.wait[j] / CLOCK
        o[q + 4] = s.speed[j] / 4.0
        o[q + 5] = s.dir_x[j]
