"""The rules of Tunnel: state, reset and step. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, shuffle
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.tunnel.draw import (
    ROLL,
    build_tunnel,
    draw_entry,
    draw_exits,
    exit_x,
    in_the_way,
    lever_place,
    set_path,
)
from unseen.envs.permanence.tunnel.motion import move_ball, opening
from unseen.envs.planar.free import ASKED
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import DAY, STRIDE, TURN, drive, planar, touch

MAX_EXITS, MAX_BALLS = 6, 4

PLATE = 0.4  # radius of an exit's plate, m: plates are disjoint, so nobody waits for a ball at two exits
PLATE_AT = 0.3  # m from an exit to the centre of its plate
MAT = 1.25  # m from the exits to the centre of spawn positions
NEAR = 2.0  # m from the exits to the near wall
REST = 2  # steps for which the first ball is shown at rest
GAP, GAPS = 5, 4  # GAP .. GAP + GAPS - 1 steps between the exits of two balls
HALL = 0.3  # depth of the hall needed per additional ball, m
OPEN = 1.0  # depth of the hall needed for balls that enter anywhere, m
PULL = 0.6  # m, from the agent's centre to the lever's, at which it is pulled
FASTEST = 3.0  # maximum entry speed, m/s
LATE = 1  # `query`: shown after the blackout
FROM_ACT, FROM_START = 0, 1  # `timing`
LATER = 3  # steps by which `change_hidden` delays a ball

STATE = planar(
    MAX_EXITS + 2, MAX_BALLS,
    ("target", INT), ("answer", INT),  # the queried ball and its exit
    # 1: a siding holds up the first ball; steps until the first ball is out, see `timing`.
    ("held_up", INT), ("lead", INT),
    ("pulled_at", INT),  # the step in which the lever was pulled, or -1
    ("factor", FLOAT, (MAX_EXITS,)), ("stood_on", INT, (MAX_EXITS,)),  # of each exit: speed factor of its lane; steps stood on its plate
    # Of each ball: its exit, first step, exit step, and steps held up; 1 if it is out, -1 if stopped by a shut gate;
    # metres from its start to its lane, entry speed and direction, start.
    ("exit", INT, (MAX_BALLS,)), ("launch", INT, (MAX_BALLS,)), ("due", INT, (MAX_BALLS,)), ("wait", INT, (MAX_BALLS,)),
    ("out", INT, (MAX_BALLS,)), ("to_lane", FLOAT, (MAX_BALLS,)), ("speed", FLOAT, (MAX_BALLS,)),
    ("dir_x", FLOAT, (MAX_BALLS,)), ("dir_y", FLOAT, (MAX_BALLS,)),
    ("start_x", FLOAT, (MAX_BALLS,)), ("start_y", FLOAT, (MAX_BALLS,)),
    signals=2 * MAX_EXITS + 1,
)  # fmt: skip
STATE_EXTRA = 8 + 6 * MAX_BALLS  # values that `state` has after a lit slots row


@device
def _set_signals(s, p):
    """Write the signals: how far each gate is open, each lane's speed factor, whether there is a siding."""
    for k in range(p.exits):
        s.signal[k] = opening(s, p, k)
        if p.carpet < 1.0:
            s.signal[p.exits + k] = s.factor[k]
    if p.siding != 0:
        s.signal[p.signals - 1] = s.held_up


@device
def first_due(s, p, lead):
    """The step at which the first ball is out, given its `lead`."""
    return s.observe_steps + (p.blackout_high if p.timing == FROM_START else s.blackout_steps) + lead


@device
def reset(s, p):
    """Draw an episode: exits and times, then the starts that follow from them."""
    shift = p.split == SHIFT
    if s.tries == 1:
        draw_exits(s, p, shift)
    reset_stage(s, p)
    s.room_hx = p.wide
    s.room_hy = p.deep
    s.agent_y += p.deep - 0.35  # the agent watches from the far wall, and spawns on the near side
    s.heading = -0.5 * math.pi
    s.spawn_y += p.mouth - MAT
    s.pulled_at = -1
    build_tunnel(s, p)
    _set_signals(s, p)
    s.n_discs = p.balls
    shuffle(s, s.disc_colour, p.balls)
    due = first_due(s, p, s.lead)
    for rank in range(p.balls):
        # Balls come out in the order they went in, except that a siding holds up the first until all others are out.
        j = (rank + s.held_up) % p.balls
        s.due[j] = due
        s.wait[j] = p.hold if s.held_up != 0 and j == 0 else 0
        due += GAP + below(s, GAPS)
    for j in range(p.balls):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.launch[j] = REST + ROLL * j
        s.out[j] = 0
        for _ in range(12):
            draw_entry(s, p, j)
            if not in_the_way(s, p, j):
                break
        if in_the_way(s, p, j):
            return False
        move_ball(s, p, j)
    set_query(s, s.disc_colour[s.target], p.query == LATE)
    return True


@device
def _plate_under(s, p):
    """The exit on whose plate the agent stands, or -1."""
    for k in range(p.exits):
        if (s.agent_x - exit_x(p, k)) ** 2 + (s.agent_y - p.mouth + PLATE_AT) ** 2 < PLATE * PLATE:
            return k
    return -1


@device
def in_reach(x, y, p):
    """Whether an agent at (x, y) pulls the lever."""
    lx, ly = lever_place(p)
    return (x - lx) ** 2 + (y - ly) ** 2 < PULL * PULL


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    for j in range(s.n_discs):
        move_ball(s, p, j)
    if next_phase(s, DAY):
        set_query(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    here = _plate_under(s, p)
    touch(s, -1)
    for j in range(s.n_discs):
        if s.exit[j] == here and s.out[j] > 0 and (s.t == s.due[j] if p.chute != 0 else s.disc_cover[j] == 0):
            touch(s, j)
    if here >= 0 and s.touched < 0:
        s.stood_on[here] += 1
    if p.lever > 0 and s.pulled_at < 0 and in_reach(s.agent_x, s.agent_y, p):
        s.pulled_at = s.t
    _set_signals(s, p)
    all_out = True
    for j in range(s.n_discs):
        if s.out[j] == 0:
            all_out = False
    over = s.touched >= 0 or s.out[s.target] != 0
    return outcome(s, p, info, 1.0 if s.touched == s.target else 0.0, over, all_out and p.free != ASKED)


@device
def write_hidden(s, p, out):
    """The exit at which the queried ball comes out."""
    out[0] = s.answer


@device
def change_hidden(s, p):
    """Let the queried ball come out at another exit, and later. False once it is out.

    With p.apart, another ball takes over its exit.
    """
    j = s.target
    if s.out[j] != 0 or s.disc_cover[j] == 0:
        return False
    old = s.answer
    for offset in range(1, p.exits):
        k = (old + offset) % p.exits
        other = -1
        for i in range(s.n_discs):
            if p.apart != 0 and s.exit[i] == k:
                other = i
        if other >= 0 and s.out[other] != 0:
            continue
        s.answer = k
        s.due[j] += LATER
        _reroute(s, p, j, k)
        if other >= 0:
            _reroute(s, p, other, old)
        return True
    return False


@device
def _reroute(s, p, j, k):
    """Let ball j, which is inside, come out at exit k at s.due[j]."""
    s.exit[j] = k
    set_path(s, p, j, -s.dir_x[j] / s.dir_y[j])
    move_ball(s, p, j)


@device
def found(s, p):
    """Whether a ball has been caught, or the queried ball is out."""
    return s.touched >= 0 or s.out[s.target] != 0


@device
def write_state(s, p, o):
    """Write lit slots with the query, then phases and the script of each ball."""
    write_script(s, p, o, o.shape[0] - STATE_EXTRA)


@device
def write_script(s, p, o, at):
    """`write_state`, with phases and scripts from o[at] on."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
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
