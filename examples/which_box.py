"""WhichBox: two balls roll, each behind a box; fetch the red one, in the dusk. A whole environment in one short file.

unseen play examples/which_box.py:WhichBox
unseen audit examples/which_box.py:WhichBox
unseen train mapper examples/which_box.py:WhichBox --level 1 --steps 30000
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import derived, real
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
REACH, FRICTION, RESTITUTION = 0.5, 3.0, 0.5  # m; m/s^2; of a bounce
RED, STAY = 0, 3  # the red ball, and its colour; the action that does nothing


class WhichBoxParams(StagedParams):
    breadth: float = real(0.3, 0.5, default=0.4, doc="half width of a box, m")
    depth: float = real(0.1, 0.3, default=0.15, doc="half depth of a box, m")
    radius: float = real(0.08, 0.15, default=0.1, doc="of a ball, m")

    @derived
    def observe_steps(self) -> int:
        return 6  # in which the balls roll and come to rest, before the blackout

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=2, disc_slots=2, box_slots=2)

    @property
    def horizon(self) -> int:
        return self.observe_steps + self.blackout[1] + self.act  # the most steps of an episode


@device
def reset(s, p):
    """Draw an episode into the record s. Records are used again: set everything that is relied on later."""
    reset_stage(s, p)  # an empty, lit room; the agent on its mat; the blackout's length and the pose after it
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
    roll(s, DT, FRICTION, RESTITUTION)
    next_phase(s, DUSK)
    if not moves:
        return 0.0, False, False
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, info, 1.0 if s.touched == RED else 0.0, s.touched >= 0 or out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The hidden truth, which the audit tries to find in what the agent sees."""
    out[0] = s.side


@device
def write_state(s, p, o):
    """What obs="state" tells: slots with the lights on, and in 7 numbers what of the stage is still to come."""
    write_lit_slots(s, p, o, RED)
    write_stage(s, p, o, o.shape[0] - 7)


@device
def fetch(w):
    """The action that leads to the red ball of the world w, true or believed; before the act phase: stay."""
    return STAY if w.phase != ACT else steer_to_disc(w, RED, w.disc_x[RED], w.disc_y[RED], REACH, STRIDE, TURN)


@device
def oracle(s, m, p):
    """Looks through the boxes."""
    return fetch(s)


@device
def tracker(o, m, p):
    """Remembers, in its belief m, what it saw in the rows o so far, and lets it roll on there."""
    update_belief(o, m, p, DT, FRICTION, RESTITUTION)
    return fetch(m)


@device
def reflex(o, m, p):
    """Without a memory: to where the ball shows, or else always behind the right box."""
    update_belief(o, m, p, DT, FRICTION, RESTITUTION)
    if m.disc_x[RED] > 100.0:  # never seen
        m.disc_x[RED], m.disc_y[RED] = 1.5, 0.0
    return fetch(m)


class WhichBox(PlanarTask):
    """Fetch the red ball, which rolled behind one of two boxes."""

    title = "fetch the red ball from behind its box"
    params = WhichBoxParams
    state = planar(2, 2, ("side", INT))  # room for two boxes and two discs, and a field of its own
    sensors = planar_sensors(write_state, 7)
    levels = {
        0: WhichBoxParams(blackout=(0, 0), glass=True),
        1: WhichBoxParams(blackout=(1, 3)),
        2: WhichBoxParams(blackout=(4, 12)),
    }
    anchors = {0: (0.075, 1.0), 1: (0.074, 1.0), 2: (0.079, 1.0)}
    curves = {"blackout": (0, 5, 10, 20, 40)}
    hidden = Hidden(write_hidden, classes=lambda params: 2, when=acting)
    view = Look(boxes=("crate",), discs=("ball",), request="fetch the {} ball")
    reset, step = reset, step
    references = {
        "oracle": Reference(by_index(oracle, ARCS)),
        "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=belief(2, 2)),
        "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=belief(2, 2), remembers=False),
    }
