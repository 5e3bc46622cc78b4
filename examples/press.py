"""A conveyor and a press: an environment of one's own with a planar room, and with things of its own to draw."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import derived, integer, real, span
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.layout import HEAD, SPEED_UNIT, Sizes, disc_start
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import outcome
from unseen.envs.planar.task import Look, Phase, PlanarTask, Prop, RoomParams, planar_sensors
from unseen.envs.planar.world import ACT, planar, reset_room

DT = 0.1  # s a step
COLOURS = 3
BELT = 1.0  # y of the belt's middle, m
START = -1.25  # x of the first block, m
COVER = -0.9, 2.5  # the stretch of the belt that is covered, to the wall, m
PRESS = 1.3  # x of the press's middle, m
PLATE = 0.15  # half its width, m
RISE = 5  # steps that it takes to come up again
ACTIONS = {"wait": (0.0,), "press": (1.0,)}


class PressParams(RoomParams):
    room: float = real(2.5, 5.0, default=2.5, doc="half extent of the room, m")
    blocks: int = integer(2, COLOURS, default=3, doc="blocks on the belt")
    slowest: float = real(0.4, 0.8, default=0.4, doc="the belt's speed is drawn from here, m/s")
    fastest: float = real(0.4, 0.8, default=0.8, doc="to here, m/s")
    delay: tuple[int, int] = span(0, 6, default=(2, 6), doc="steps from all being covered to the question, drawn")

    @derived
    def radius(self) -> float:
        return 0.12

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=COLOURS, disc_slots=COLOURS, box_slots=0)

    @property
    def horizon(self) -> int:
        return math.ceil((PRESS + PLATE - START + 0.5 * (self.blocks - 1)) / (DT * self.slowest)) + 1


@device
def reset(s, p):
    reset_room(s, p)
    s.agent_x, s.agent_y = 0.3, -1.1
    s.n_discs, s.rise = p.blocks, 0
    s.speed = uniform(s, p.slowest, p.fastest)
    for k in range(COLOURS):
        s.disc_colour[k] = k
    shuffle(s, s.disc_colour, COLOURS)
    x = START
    for k in range(p.blocks):  # from the first in the line to the last
        s.disc_x[k], s.disc_y[k], s.disc_vx[k], s.disc_radius[k], s.disc_cover[k] = x, BELT, s.speed, p.radius, 0
        covered_at = math.ceil((COVER[0] - x) / (DT * s.speed))
        x -= uniform(s, 0.4, 0.5)
    s.asked = below(s, p.blocks)
    s.asked_at = covered_at + p.delay_low + below(s, p.delay_high - p.delay_low + 1)
    return True


@device
def step(s, a, p, info):
    for k in range(s.n_discs):
        s.disc_x[k] += DT * s.disc_vx[k]
        s.disc_cover[k] = s.disc_x[k] > COVER[0]
    s.rise = max(s.rise - 1, 0)
    under = -1  # the block that the press comes down on
    if s.phase == ACT and a[0] > 0.5 and s.rise == 0:
        s.rise = RISE
        for k in range(s.n_discs):
            if abs(s.disc_x[k] - PRESS) < PLATE:
                under = k
    if s.t == s.asked_at:
        s.phase, s.query = ACT, s.disc_colour[s.asked]
    done = under >= 0 or s.disc_x[s.asked] > PRESS + PLATE
    return outcome(s, p, info, 1.0 if under == s.asked else 0.0, done, False)


@device
def write_state(s, p, o):
    write_lit_slots(s, p, o, s.disc_colour[s.asked])
    o[-1] = s.asked_at - s.t


@device
def write_hidden(s, p, out):
    """Where on the belt the block is that is asked for, m."""
    out[0] = s.disc_x[s.asked]


@device
def when(s, p):
    """The last four observations do not reach back to the question, and no block can have been hit."""
    return s.phase == ACT and s.t >= s.asked_at + 4 and s.disc_x[0] < PRESS - PLATE


@device
def presses(x, speed):
    """The plate comes down after one more step of the belt: whether the block is nearest to its middle then."""
    return 1 if abs(x + DT * speed - PRESS) <= 0.51 * DT * speed else 0


@device
def oracle(s, m, p):
    return presses(s.disc_x[s.asked], s.speed)


@device
def tracker(o, m, p):
    """Where each block was seen last, carried along as fast as it went."""
    asked = -1
    for k in range(COLOURS):  # a disc's slot is its colour
        at = disc_start(p) + (5 + p.colours) * k
        m.x[k] += DT * m.speed[k]
        if o[at] > 0.0:
            m.x[k], m.speed[k] = p.room * o[at + 1], SPEED_UNIT * o[at + 3]
        if o[HEAD + k] > 0.0:
            asked = k
    return presses(m.x[asked], m.speed[asked]) if asked >= 0 and m.speed[asked] > 0.0 else 0


MEMORY = np.dtype([("x", FLOAT, COLOURS), ("speed", FLOAT, COLOURS)])


def paint_belt(brush, record, params):
    end, moved = params.room, float(record["disc_x"][0])  # a place that moves smoothly between two steps, too
    brush.box(-end, BELT - 0.25, end, BELT + 0.25, 0.0, 0.04, (74, 78, 88))
    for k in range(round(4 * end)):
        x = (moved + 0.5 * k) % (2 * end - 0.1) - end + 0.1
        brush.line([(x - 0.1, BELT - 0.18), (x, BELT), (x - 0.1, BELT + 0.18)], 0.05, (112, 117, 130), 0.03)
    for y in (BELT - 0.27, BELT + 0.27):
        brush.box(-end, y - 0.03, end, y + 0.03, 0.0, 0.1, (150, 155, 166))


def paint_cover(brush, record, params):
    brush.box(COVER[0], BELT - 0.3, COVER[1], BELT + 0.3, 0.0, 0.45, (92, 118, 142), radius=0.04)


def paint_press(brush, record, params):
    low = 0.85 - 0.35 * record["rise"] / RISE
    for y in (BELT - 0.42, BELT + 0.42):
        brush.box(PRESS - 0.07, y - 0.07, PRESS + 0.07, y + 0.07, 0.0, 1.0, (86, 90, 100))
    brush.box(PRESS - PLATE, BELT - 0.36, PRESS + PLATE, BELT + 0.36, low, low + 0.15, (240, 184, 56), radius=0.03)
    for y in np.linspace(BELT - 0.28, BELT + 0.28, 5):
        brush.line([(PRESS - 0.1, y - 0.05), (PRESS + 0.1, y + 0.05)], low + 0.16, (44, 46, 54), 0.04)


class Press(PlanarTask):
    """Bring a press down on the block that is asked for, on a conveyor under a cover.

    Blocks ride into view, and under the cover; the belt never stops. When all are covered, one colour is asked for. The
    press comes down at x = 1.3 m, and rises for five steps. The first block that it hits ends the episode, with reward 1
    if it is the one; so does that one's passing. Colours, places and the speed show only before the blocks are covered.
    """

    title = "a conveyor and a press"
    params = PressParams
    state = planar(0, COLOURS, ("asked", INT), ("asked_at", INT), ("speed", FLOAT), ("rise", INT))
    sensors = planar_sensors(write_state, 1)
    anchors = {0: (0.318, 1.0), 1: (0.461, 1.0), 2: (0.318, 1.0)}
    levels = {0: PressParams(glass=True), 1: PressParams(blocks=2, delay=(2, 4)), 2: PressParams()}
    actions, action_low, action_high = ACTIONS, (0.0,), (1.0,)
    keys = {"wait": "s", "press": "w"}
    reset, step = reset, step
    hidden = Hidden(write_hidden, size=1, when=when)
    references = {
        "oracle": Reference(by_index(oracle, ACTIONS)),
        "tracker": Reference(by_index(tracker, ACTIONS), reads="slots", memory=MEMORY),
        "reflex": Reference(by_index(tracker, ACTIONS), reads="slots", memory=MEMORY, remembers=False),
    }
    view = Look(
        request="press the {} block",
        request_unknown="which block to press is asked when all are covered",
        phases=(
            Phase("observe", lambda s, p: s["asked_at"], can_act=False),
            Phase("act", lambda s, p: p.horizon - s["asked_at"]),
        ),
        captions={
            "observe": "The blocks ride under the cover, at a speed that never changes.",
            "act": "Press when the block is under the yellow head.",
        },
        won="hit it",
        lost="missed it",
        props=(
            Prop(paint_belt),
            Prop(paint_cover, over=True, opacity=lambda s, p: 0.3 if p.glass or s["done"] else 1.0),
            Prop(paint_press, over=True, opacity=lambda s, p: 0.6 if s["done"] else 1.0),
        ),
    )

    @classmethod
    def chance(cls, params: PressParams, split: str = "test") -> float:
        """While acting, all observations are alike: which block is hit first does not depend on which is asked for."""
        return 1.0 / params.blocks
