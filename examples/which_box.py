"""WhichBox: two balls roll, each behind a box; fetch the red one, in the dusk. A whole environment in one short file.

unseen play examples/which_box.py:WhichBox
unseen audit examples/which_box.py:WhichBox
unseen train mapper examples/which_box.py:WhichBox --level 1 --steps 30000
"""

import math
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import derived
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.rng import below
from unseen.envs.core.task import INT
from unseen.envs.planar.belief import belief, update_belief
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.physics import launch_speed, roll
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import acting, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.task import ARCS, Look, PlanarTask, StagedParams, planar_sensors
from unseen.envs.planar.world import ACT, DUSK, drive, place_box, planar, touch, touching

DT, STRIDE, TURN = 0.25, 0.3, math.pi / 4  # s, m and rad a step
REACH, FRICTION, BOUNCE = 0.5, 3.0, 0.5
RED, STAY = 0, 3


@device
def reset(s, p):
    """Draw an episode: everything that is relied on later is set, since records are used again."""
    reset_stage(s, p)
    s.side = below(s, 2)  # the box of the red ball: 0 right, 1 left
    s.n_boxes = 2
    s.n_discs = 2
    for k in range(2):
        x = 1.0 - 2.0 * k
        place_box(s, k, 0, x, 0.0, 1.0, 0.0, p.depth, p.breadth)
        ball = (k + s.side) % 2  # the ball that will lie behind box k
        s.disc_radius[ball] = p.radius
        s.disc_colour[ball] = ball
        s.disc_x[ball], s.disc_y[ball] = 1.5 * x, 1.5
        s.disc_vx[ball], s.disc_vy[ball] = 0.0, -launch_speed(1.5, FRICTION)
    s.query = RED
    return True


@device
def step(s, a, p, info):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]. Returns reward, terminated, truncated."""
    moves = may_act(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    roll(s, DT, FRICTION, BOUNCE)
    s.t += 1
    next_phase(s, DUSK)
    if not moves:
        return 0.0, False, False
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, info, 1.0 if s.touched == RED else 0.0, s.touched >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The hidden label, which the audit tries to find in what the agent sees."""
    out[0] = s.side


@device
def write_state(s, p, o):
    """What `obs="state"` tells: slots with the lights on, and what of the stage is still to come."""
    write_lit_slots(s, p, o, RED)
    write_stage(s, p, o, o.shape[0] - 7)


@device
def oracle(s, m, p):
    """Looks through the boxes."""
    return STAY if s.phase != ACT else steer_to_disc(s, RED, s.disc_x[RED], s.disc_y[RED], REACH, STRIDE, TURN)


@device
def tracker(o, m, p):
    """Remembers, in m, what it saw in the rows o so far, and lets it roll on there."""
    update_belief(o, m, p, DT, FRICTION, BOUNCE)
    return STAY if m.phase != ACT else steer_to_disc(m, RED, m.disc_x[RED], m.disc_y[RED], REACH, STRIDE, TURN)


@device
def reflex(o, m, p):
    """Without a memory: to where the ball shows, or else always behind the right box."""
    update_belief(o, m, p, DT, FRICTION, BOUNCE)
    if m.disc_x[RED] > 100.0:  # nowhere yet
        m.disc_x[RED], m.disc_y[RED] = 1.5, 0.0
    return STAY if m.phase != ACT else steer_to_disc(m, RED, m.disc_x[RED], m.disc_y[RED], REACH, STRIDE, TURN)


STATE = planar(2, 2, ("side", INT))  # room for two boxes and two discs, and a field of our own
BELIEF = belief(2, 2)


class P(StagedParams):
    """Parameters of WhichBox: those of every task with phases."""

    observe_steps = derived(lambda self: 6)
    radius = derived(lambda self: 0.1)  # of a ball, m
    depth = derived(lambda self: 0.15)  # half extents of a box, m
    breadth = derived(lambda self: 0.4)

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=2, disc_slots=2, box_slots=2)

    @property
    def horizon(self) -> int:
        return self.observe_steps + self.blackout[1] + self.act


class WhichBox(PlanarTask):
    """Fetch the red ball, which rolled behind one of two boxes."""

    title = "fetch the red ball from behind its box"
    params = P
    state = STATE
    sensors = planar_sensors(write_state, 7)
    levels: ClassVar[dict[int, P]] = {0: P(blackout=0, glass=True), 1: P(blackout=(1, 3)), 2: P(blackout=(4, 12))}
    anchors: ClassVar[Any] = {0: (0.075, 1.0), 1: (0.074, 1.0), 2: (0.079, 1.0)}
    curves: ClassVar[Any] = {"blackout": (0, 5, 10, 20, 40)}
    view = Look(boxes=("crate",), discs=("ball",), request="fetch the {} ball")
    hidden = Hidden(write_hidden, classes=lambda params: 2, when=acting)
    reset, step = reset, step
    references: ClassVar[dict[str, Reference]] = {
        "oracle": Reference(by_index(oracle, ARCS)),
        "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
        "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
    }
