"""A conveyor and a press: an environment of one's own with a planar room and things of its own to draw."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import derived, flag, integer, real, span
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT, Score
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import outcome
from unseen.envs.planar.task import UNSTAGED, Look, PlanarTask, RoomParams, planar_sensors
from unseen.envs.planar.world import ACT, DAY, OBSERVE, planar

COLOURS = 3
DT = 0.1  # seconds a step
BELT_Y = 1.0
COVER = (-0.5, 3.5)  # the stretch of the belt that is covered, m
PRESS_X = 3.0
PLATE = 0.2  # half width of the press's plate, m
ACTIONS = {"wait": (0.0,), "press": (1.0,)}


class PressParams(RoomParams):
    blocks: int = integer(2, COLOURS, default=3, doc="blocks on the belt")
    slowest: float = real(0.3, 1.2, default=0.5, doc="speed of the belt, m/s, drawn from here")
    fastest: float = real(0.3, 1.2, default=1.2, doc="to here")
    delay: tuple[int, int] = span(0, 10, default=(4, 10), doc="steps from the last block's vanishing to the question")
    glass: bool = flag(default=False, doc="the cover is of glass")

    @derived
    def radius(self) -> float:
        return 0.15

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=COLOURS, disc_slots=COLOURS, box_slots=0, box_kinds=0, box_shape=0, queries=COLOURS, signals=0)

    @property
    def horizon(self) -> int:
        return 1 + math.ceil((PRESS_X + 4.0) / (self.slowest * DT))


STATE = planar(
    0, COLOURS, ("asked", INT), ("speed", FLOAT), ("ask_at", INT), ("belt", FLOAT), ("plate", FLOAT), ("hit", INT)
)


@device
def reset(s, p):
    s.room_hx = s.room_hy = p.room
    s.agent_x, s.agent_y, s.heading, s.fov = 0.0, -3.0, 0.5 * math.pi, 2.0 * math.pi
    s.light, s.phase, s.query, s.touched, s.contact, s.bump = DAY, OBSERVE, -1, -1, -1, 0
    s.glass = p.glass
    s.speed, s.belt, s.plate, s.hit = uniform(s, p.slowest, p.fastest), 0.0, 0.0, -1
    s.n_boxes, s.n_discs = 0, p.blocks
    for k in range(COLOURS):
        s.disc_colour[k] = k
    shuffle(s, s.disc_colour, COLOURS)
    x = -1.5
    for k in range(p.blocks):  # the first in the line is disc 0
        s.disc_x[k], s.disc_y[k], s.disc_vx[k], s.disc_vy[k] = x, BELT_Y, s.speed, 0.0
        s.disc_radius[k], s.disc_cover[k] = p.radius, 0
        x -= uniform(s, 0.6, 0.9)
    last = s.disc_x[p.blocks - 1]
    s.asked = below(s, p.blocks)
    s.ask_at = math.ceil((COVER[0] - last) / (s.speed * DT)) + p.delay_low + below(s, p.delay_high - p.delay_low + 1)
    return True


@device
def step(s, a, p, info):
    s.belt += s.speed * DT
    for k in range(s.n_discs):
        s.disc_x[k] += s.speed * DT
        s.disc_cover[k] = COVER[0] < s.disc_x[k] < COVER[1]
    done = False
    if s.query >= 0 and a[0] > 0.5:
        done, s.plate = True, 1.0
        for k in range(s.n_discs):
            if abs(s.disc_x[k] - PRESS_X) <= PLATE:
                s.hit = k
    if s.t == s.ask_at:
        s.query, s.phase = s.disc_colour[s.asked], ACT
    done = done or s.disc_x[s.asked] > PRESS_X + PLATE
    reward = 1.0 if done and s.hit == s.asked else 0.0
    return outcome(s, info, reward, done)


@device
def write_state(s, p, o):
    write_lit_slots(s, p, o, s.query)


@device
def write_place(s, p, out):
    out[0] = s.disc_x[s.asked]


@device
def asked(s, p):
    return s.query >= 0


# In a row of slots: the pose 4, the phase 3, the bump 1, query and contact; then the discs.
QUERY = 8
DISCS = QUERY + 2 * COLOURS
SIZE = 5 + COLOURS  # present, x, y, vx, vy, colour


@device
def oracle(s, m, p):
    """Press when the next step brings the block under the press."""
    x = s.disc_x[s.asked] + s.speed * DT
    return 1 if s.query >= 0 and abs(x - PRESS_X) <= 0.5 * PLATE + 0.5 * s.speed * DT else 0


@device
def due(o, m, p):
    return 0


@device
def tracker(o, m, p):
    """Each block's place and speed when last seen; what is not seen rides on."""
    for c in range(COLOURS):
        m.x[c] += m.v[c] * DT
    asked = -1
    for k in range(COLOURS):
        if o[QUERY + k] > 0.5:
            asked = k
        at = DISCS + k * SIZE
        for c in range(COLOURS):
            if o[at] > 0.5 and o[at + 5 + c] > 0.5:
                m.x[c], m.v[c] = o[at + 1] * p.room, o[at + 3] * 4.0
    if asked < 0:
        return 0
    step = m.v[asked] * DT
    return 1 if m.v[asked] > 0.0 and abs(m.x[asked] + step - PRESS_X) <= 0.5 * step + 0.02 else 0


MEMORY = np.dtype([("x", np.float64, COLOURS), ("v", np.float64, COLOURS)], align=True)


class Press(PlanarTask):
    """Stamp the block that is asked for, under a cover where it cannot be seen."""

    title = "a conveyor and a press"
    params = PressParams
    state = STATE
    sensors = planar_sensors(write_state, 0)
    levels = {0: PressParams(glass=True), 1: PressParams(blocks=2, slowest=0.8, delay=(4, 6)), 2: PressParams()}
    actions, action_low, action_high = ACTIONS, (0.0,), (1.0,)
    keys = {"wait": "w", "press": "s"}
    reset, step = reset, step
    hidden = Hidden(write_place, size=1, when=asked)
    references = {
        "oracle": Reference(by_index(oracle, ACTIONS), reads="world"),
        "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=MEMORY),
        "reflex": Reference(by_index(tracker, ACTIONS), reads="slots", memory=MEMORY, remembers=False),
    }
    score = Score(unit="success rate", low=0.0, high=1.0, gates={"oracle": 0.95, "tracker": 0.9})
    view = Look(phases=UNSTAGED, discs=("red block", "green block", "blue block"), request="press the {}")

    @classmethod
    def chance(cls, params: PressParams) -> float:
        """Once asked, all observations look the same: the time of a press does not depend on the block's place in line."""
        return 1.0 / params.blocks
