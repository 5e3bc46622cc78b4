"""WhichBox: two balls roll behind two boxes; fetch the red one in the dusk. A complete environment in one file.

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

DT, STRIDE, TURN = 0.25, 0.3, math.pi / 4  # s, m and rad per step
REACH, FRICTION, RESTITUTION = 0.5, 3.0, 0.5  # m; m/s^2; of a bounce
RED, STAY = 0, 3  # index and colour of the red ball; index of the action that does nothing


class WhichBoxParams(StagedParams):
    breadth: float = real(0.3, 0.5, default=0.4, doc="half width of a box, m")
    depth: float = real(0.1, 0.3, default=0.15, doc="half depth of a box, m")
    radius: float = real(0.08, 0.15, default=0.1, doc="radius of a ball, m")

    @derived
    def observe_steps(self) -> int:
        return 6  # the balls roll and come to rest before the blackout

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=2, disc_slots=2, box_slots=2)

    @property
    def horizon(self) -> int:
        return self.observe_steps + self.blackout[1] + self.act  # maximum episode length in steps


@device
def reset(s, p):
    """Draw an episode into the record s. Records are reused, so set every field that is read later."""
    reset_stage(s, p)  # empty lit room, agent on its mat, length of the blackout and pose after it
    s.side = below(s, 2)  # the box of the red ball: 0 right, 1 left
    s.n_boxes = 2
    s.n_discs = 2
    for k in range(2):
        x = 1.0 - 2.0 * k
        place_box(s, k, 0, x, 0.0, 1.0, 0.0, p.depth, p.breadth)
        ball = (k + s.side) % 2  # the ball that will come to rest behind box k
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
    return outcome(s, p, info, 1.0 if s.touched == RED else 0.0, s.touched >= 0, out_of_time(s, p))


@device
def write_hidden(s, p, out):
    """The hidden truth, which the audit tries to decode from observations."""
    out[0] = s.side


@device
def write_state(s, p, o):
    """The privileged observation obs="state": slots with the lights on, and 7 numbers about the rest of the episode."""
    write_lit_slots(s, p, o, RED)
    write_stage(s, p, o, o.shape[0] - 7)


@device
def fetch(w):
    """The action that leads to the red ball of w, a world or a belief; STAY before the act phase."""
    return STAY if w.phase != ACT else steer_to_disc(w, RED, w.disc_x[RED], w.disc_y[RED], REACH, STRIDE, TURN)


@device
def oracle(s, m, p):
    """Uses the true position of the ball."""
    return fetch(s)


@device
def tracker(o, m, p):
    """Keeps a belief m of the discs seen in the observations o, in which they roll on."""
    update_belief(o, m, p, DT, FRICTION, RESTITUTION)
    return fetch(m)


@device
def reflex(o, m, p):
    """No memory: goes to the ball if it is visible, else behind the right box."""
    update_belief(o, m, p, DT, FRICTION, RESTITUTION)
    if m.disc_x[RED] > 100.0:  # never seen
        m.disc_x[RED], m.disc_y[RED] = 1.5, 0.0
    return fetch(m)


class WhichBox(PlanarTask):
    """Fetch the red ball, which rolled behind one of two boxes."""

    title = "fetch the red ball from behind its box"
    params = WhichBoxParams
    state = planar(2, 2, ("side", INT))  # at most two boxes and two discs, and one additional field
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
