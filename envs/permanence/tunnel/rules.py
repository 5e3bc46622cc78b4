"""The rules of Tunnel: what is drawn at a reset, and what a step does. Metres, seconds, radians.

Balls are discs that follow the tunnel's law exactly: where a ball is follows from the step and from what was drawn.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.tunnel.draw import ROLL, build_tunnel, draw_entry, draw_exits, exit_x, in_the_way
from unseen.envs.permanence.tunnel.motion import move_ball
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import DAY, STRIDE, TURN, drive, planar, touch

EXITS, SMALL = 6, 3  # exits and balls, at most

PLATE = 0.4  # m, radius of an exit's plate: plates are disjoint, so a memoryless policy scores at most 1 / exits
PLATE_AT = 0.3  # m from an exit's mouth to the centre of its plate
MAT = 1.25  # m from the mouths to where the agent is carried
NEAR = 2.0  # m from the mouths to the near wall
REST = 2  # steps for which the balls are shown at rest
GAP, GAPS = 5, 4  # from one ball's exit to the next: GAP .. GAP + GAPS - 1 steps
HALL = 0.3  # m of hall that every further ball needs
FASTEST = 3.0  # m/s at which balls enter, at most
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
def _set_signals(s, p):
    """Set the tunnel's signs: how far each gate is open, each lane's speed factor, whether there is a siding."""
    for k in range(p.exits):
        s.signal[k] = max(0.0, 1.0 - s.stood_on[k] / (p.patience + 1.0))
        if p.carpet < 1.0:
            s.signal[p.exits + k] = s.factor[k]
    if p.siding != 0:
        s.signal[p.signals - 1] = s.held_up


@device
def reset(s, p):
    """Draw an episode: exits and times, then the launches that follow from them."""
    shift = p.split == 2
    if s.tries == 1:
        draw_exits(s, p, shift)
    reset_stage(s, p)
    s.room_hx = p.wide
    s.room_hy = p.deep
    s.agent_y += p.deep - 0.35  # the agent watches from the far wall, and is carried to the near side
    s.heading = -0.5 * math.pi
    s.spawn_y += p.mouth - MAT
    build_tunnel(s, p)
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
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    s.t += 1
    for j in range(s.n_discs):
        move_ball(s, p, j)
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
