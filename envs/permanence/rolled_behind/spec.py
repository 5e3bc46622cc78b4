"""RolledBehind: remember where the blue block went when it rolled behind the red one."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.navigate import fetch
from unseen.envs.planar.physics import launch_speed, roll
from unseen.envs.planar.sensors import write_lit_slots
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.stage import advance, free, out_of_time, outcome, reset_stage, tell, write_stage
from unseen.envs.planar.world import (
    ACT,
    DUSK,
    FLOAT,
    INT,
    colour_first,
    drive,
    nearest_box,
    place_box,
    planar,
    touch,
    touching,
)

TALL, SMALL = 6, 6

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.5  # m, centre to centre, at which a block is touched
RING = 0.9  # m from the occluders' ring to the blocks' ring
ROLL = 4  # steps that a roll is given at least
GAP = 2  # steps from one launch to the next
BOUNCE = 0.9
FIXED, FIRST, LATE = 0, 1, 2


@device
def _place_occluders(s, p):
    step = 2.0 * math.pi / p.occluders
    for k in range(p.occluders):
        a = 0.5 * math.pi + k * step + uniform(s, -1.0, 1.0) * p.jitter
        d = p.ring + uniform(s, -0.3, 0.3) * p.jitter
        c = math.cos(a)
        n = math.sin(a)
        place_box(s, k, k, d * c, d * n, c, n, p.depth, p.breadth)
        s.angle[k] = a


@device
def _aim(s, j, gx, gy, friction):
    """Set the launch of block j so that it comes to rest at (gx, gy)."""
    dx = gx - s.disc_x[j]
    dy = gy - s.disc_y[j]
    d = math.sqrt(dx * dx + dy * dy) + 1e-12
    v = launch_speed(d, friction)
    s.lx[j] = v * dx / d
    s.ly[j] = v * dy / d


@device
def _bump(s, p, friction, vacancy, side):
    """Block `bumper` will strike the resident beside the vacancy, under the blackout, and drive it there."""
    j = s.n_discs - 1
    r = s.disc_radius[j]
    home = (vacancy - side + p.occluders) % p.occluders
    resident = -1
    for i in range(j):
        if s.home[i] == home:
            resident = i
    if resident < 0:
        return False
    behind = p.ring + RING
    ex = s.gx[resident]
    ey = s.gy[resident]
    wx = behind * math.cos(s.angle[vacancy])
    wy = behind * math.sin(s.angle[vacancy])
    dx = wx - ex
    dy = wy - ey
    d = math.sqrt(dx * dx + dy * dy)
    nx = dx / d
    ny = dy / d
    run = uniform(s, 1.1, 1.3)
    s.disc_x[j] = ex - (2.0 * r + run) * nx
    s.disc_y[j] = ey - (2.0 * r + run) * ny
    if abs(s.disc_x[j]) > s.room_hx - r or abs(s.disc_y[j]) > s.room_hy - r:
        return False
    # Equal masses: the struck block leaves with (1 + e) / 2 of the normal speed.
    v = launch_speed(d, friction) * 2.0 / (1.0 + BOUNCE)
    u = math.sqrt(v * v + 2.0 * friction * run)
    s.lx[j] = u * nx
    s.ly[j] = u * ny
    s.home[j] = home
    s.home[resident] = vacancy
    return True


@device
def _choose(s, p, shift):
    """Ask for the block that ends behind the drawn occluder; level 1 asks for red, and its shift for any other."""
    s.target = -1
    for j in range(s.n_discs):
        if s.home[j] == s.answer:
            s.target = j
    if s.target < 0:
        return False
    if p.query == FIXED:
        colour_first(s, p.blocks, s.target, shift)
    return True


@device
def begin(s, p):
    """Draw an episode: layout, launches, the asked block, the blackout's length and the pose after it."""
    shift = p.split == 2
    if s.tries == 1:
        # Drawn once for all tries: what is rejected must not tilt the answers.
        s.answer = below(s, p.occluders)
    friction = p.friction * (1.5 if shift else 1.0)
    reset_stage(s, p)
    s.friction = friction
    s.n_boxes = p.occluders
    s.n_discs = p.blocks - (1 if shift and p.blocks > 2 else 0)
    _place_occluders(s, p)
    shuffle(s, s.disc_colour, p.blocks)
    shuffle(s, s.launch, s.n_discs)
    shuffle(s, s.homes, p.occluders)
    step = 2.0 * math.pi / p.occluders
    common = 1.0 if below(s, 2) == 0 else -1.0
    behind = p.ring + RING
    for j in range(s.n_discs):
        s.disc_radius[j] = p.radius * (1.25 if shift else 1.0)
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
        s.launch[j] = s.launch[j] * GAP
        k = s.homes[j]
        s.home[j] = k
        side = common
        out = 0.0
        if p.mixed != 0:
            side = 1.0 if below(s, 2) == 0 else -1.0
            out = 0.17 * side
        b = s.angle[k] + side * (0.5 * step + uniform(s, -0.12, 0.12) * (p.occluders < 5))
        d = behind + out + uniform(s, -0.05, 0.05)
        s.disc_x[j] = d * math.cos(b)
        s.disc_y[j] = d * math.sin(b)
        c = s.angle[k] + uniform(s, -0.08, 0.08)
        d = behind + uniform(s, -0.05, 0.05)
        s.gx[j] = d * math.cos(c)
        s.gy[j] = d * math.sin(c)
        _aim(s, j, s.gx[j], s.gy[j], friction)
    if p.bump != 0:
        # The bumper is launched last, in the last frame that shows: its speed is seen, the bump is only heard.
        last = s.n_discs - 1
        for j in range(last):
            if s.launch[j] > s.launch[last]:
                s.launch[j] -= GAP
        s.launch[last] = p.observe_steps - 1
        side = 1 if below(s, 2) == 0 else -1
        if not _bump(s, p, friction, s.homes[p.occluders - 1], side):
            return False
    if not _choose(s, p, shift):
        return False
    for j in range(s.n_discs):
        for i in range(j):
            if (s.disc_x[i] - s.disc_x[j]) ** 2 + (s.disc_y[i] - s.disc_y[j]) ** 2 < (
                s.disc_radius[i] + s.disc_radius[j] + 0.02
            ) ** 2:
                return False
        # Everything is seen at rest before it rolls, so that no answer hangs on one frame.
        if s.glass == 0 and not exposed(s, s.agent_x, s.agent_y, s.disc_x[j], s.disc_y[j], s.disc_radius[j]):
            return False
    if p.check != 0 and not _rehearse(s, p):
        return False
    tell(s, s.disc_colour[s.target], p.query == LATE)
    for j in range(s.n_discs):
        if s.launch[j] == 0:
            s.disc_vx[j] = s.lx[j]
            s.disc_vy[j] = s.ly[j]
    return True


@device
def _rehearse(s, p):
    """Play the rolls through: each block must rest fully hidden, from the mat and from the pose after, behind its
    occluder. Starts are kept beside the record's own fields and put back."""
    for j in range(s.n_discs):
        s.kx[j] = s.disc_x[j]
        s.ky[j] = s.disc_y[j]
    for t in range(p.observe_steps + 8):
        for j in range(s.n_discs):
            if s.launch[j] == t:
                s.disc_vx[j] = s.lx[j]
                s.disc_vy[j] = s.ly[j]
        roll(s, DT, s.friction, BOUNCE)
    s.bump = 0
    good = True
    for j in range(s.n_discs):
        if s.disc_vx[j] != 0.0 or s.disc_vy[j] != 0.0:
            good = False
        if nearest_box(s, s.disc_x[j], s.disc_y[j]) != s.home[j]:
            good = False
        if s.glass == 0:
            if exposed(s, s.spawn_x, s.spawn_y, s.disc_x[j], s.disc_y[j], s.disc_radius[j]) or exposed(
                s, s.agent_x, s.agent_y, s.disc_x[j], s.disc_y[j], s.disc_radius[j]
            ):
                if j != s.n_discs - 1 or p.bump == 0:
                    good = False
    if p.bump != 0:  # the bumper and what it struck may lie behind one occluder only when that is the layout
        for j in range(s.n_discs - 1):
            if s.home[j] == s.home[s.n_discs - 1]:
                good = False
    for j in range(s.n_discs):
        s.disc_x[j] = s.kx[j]
        s.disc_y[j] = s.ky[j]
        s.disc_vx[j] = 0.0
        s.disc_vy[j] = 0.0
    return good


@device
def step(s, a, p):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = free(s)
    if moves:
        drive(s, STRIDE * a[0], TURN * a[1])
    s.bump = 0
    roll(s, DT, s.friction, BOUNCE)
    s.t += 1
    for j in range(s.n_discs):
        if s.launch[j] == s.t:
            s.disc_vx[j] = s.lx[j]
            s.disc_vy[j] = s.ly[j]
    if advance(s, DUSK):
        tell(s, s.disc_colour[s.target], p.query == LATE)
    if not moves:
        return 0.0, False, False
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or out_of_time(s, p))


@device
def answer(s):
    """The occluder behind which the asked block comes to rest."""
    return s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then everything that is still to come."""
    write_lit_slots(s, p, o, s.disc_colour[s.target])
    at = o.shape[0] - 8 - 3 * SMALL
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    at += 8
    for j in range(s.n_discs):
        if s.t < s.launch[j]:
            q = at + 3 * s.disc_colour[j]
            o[q] = (s.launch[j] - s.t) / 16.0
            o[q + 1] = s.lx[j] / 8.0
            o[q + 2] = s.ly[j] / 8.0


@device
def oracle(s, p):
    """Knows where everything is; stays put until it may move."""
    if s.phase != ACT:
        return 3
    return fetch(s, s.target, s.disc_x[s.target], s.disc_y[s.target], REACH, STRIDE, TURN)


@device
def tracker(o, m, p):
    """Keeps a map of what it saw, lets the unseen roll on in it, and fetches from the map."""
    update_belief(o, m, p, DT, p.friction, BOUNCE)
    if m.phase != ACT or m.query < 0:
        return 3
    return fetch(m, m.query, m.disc_x[m.query], m.disc_y[m.query], REACH, STRIDE, TURN)


@device
def reflex(o, m, p):
    """The best that one observation allows: fetch the asked block if it shows, else behind the nearest occluder."""
    update_belief(o, m, p, DT, p.friction, BOUNCE)
    if m.phase != ACT or m.query < 0:
        return 3
    if m.disc_x[m.query] < 100.0:
        return fetch(m, m.query, m.disc_x[m.query], m.disc_y[m.query], REACH, STRIDE, TURN)
    near = nearest_box(m, m.agent_x, m.agent_y)
    far = p.ring + RING
    m.disc_x[m.query] = far * m.box_cos[near]
    m.disc_y[m.query] = far * m.box_sin[near]
    return fetch(m, m.query, m.disc_x[m.query], m.disc_y[m.query], REACH, STRIDE, TURN)


class RolledBehind(PlanarTask):
    """Fetch the block that rolled behind another.

    **Story.** The agent stands on a mat, ringed by tall blocks. Small coloured blocks roll, one after the other,
    each behind a tall block, until none can be seen. A blackout falls for a random time; the agent is carried to
    another spot and heading; then it is dusk, in which small blocks do not show. It has to fetch the block of the
    asked colour: the first block it touches ends the episode, with reward 1 if it is the one asked for.

    **Levels.** 0: glass blocks and daylight, the visible twin. 1: "find the red one", 3 occluders, blackout 1-3.
    2 (default): the colour is drawn and asked from the start, 4 occluders, blackout 2-6. 3: asked only after the
    blackout, 6 occluders in a jittered ring, 5 blocks, egocentric anonymous slots, blackout 5-15, and one block is
    bumped by another under the blackout, heard as a flag, so that where it went must be inferred by physics.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. The eye sees all round (knob `fov`), since blocks roll
    on every side while the agent stands still. When the episode ends the lights go on: the terminal observation
    shows everything. Every agent receives it; only a predictive one can learn from it.

    **End.** A touch, or `act` steps of search; both `terminated`, since the deadline is part of the rules.

    **Leaks closed.** Slots by colour, with the asked colour drawn, or by distance; a scramble of pose and heading
    with a blackout of random length (pose is no memory); dusk (peeking replaces no memory); everything is seen at
    rest before it rolls; blocks are at rest, fully hidden from the mat and from the pose after the blackout.

    **Shift.** Faster rolls (friction 1.5 x), larger blocks (1.25 x), one block fewer, and at level 1 another colour
    than red.
    """

    title = "fetch the block that rolled behind another"
    state = planar(
        TALL, SMALL,
        ("target", INT), ("answer", INT), ("friction", FLOAT),
        ("angle", FLOAT, (TALL,)), ("homes", INT, (TALL,)), ("home", INT, (SMALL,)), ("launch", INT, (SMALL,)),
        ("lx", FLOAT, (SMALL,)), ("ly", FLOAT, (SMALL,)), ("gx", FLOAT, (SMALL,)), ("gy", FLOAT, (SMALL,)),
        ("kx", FLOAT, (SMALL,)), ("ky", FLOAT, (SMALL,)),
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = (
        PlanarTask.shared
        | PlanarTask.staged
        | {
            "occluders": Knob(4, 2, TALL, doc="tall blocks"),
            "blocks": Knob(4, 2, SMALL, doc="small blocks, at most one an occluder"),
            "query": Knob(
                "first", choices=("fixed", "first", "late"), doc="always red, asked first, or after the blackout"
            ),
            "jitter": Knob(0.0, 0.0, 0.15, doc="of the occluders' ring, rad"),
            "ring": Knob(1.0, 0.9, 1.4, doc="radius of the occluders' ring, m"),
            "breadth": Knob(0.38, 0.2, 0.5, doc="half width of an occluder, m"),
            "depth": Knob(0.22, 0.1, 0.3, doc="half depth of an occluder, m"),
            "radius": Knob(0.12, 0.08, 0.15, doc="of a small block, m"),
            "friction": Knob(
                3.8, 1.0, 8.0, doc="deceleration of a rolling block, m/s^2: lower is slower and longer in sight"
            ),
            "mixed": Knob(False, doc="blocks roll either way round; else all the same"),
            "bump": Knob(False, doc="one block bumps another under the blackout"),
        }
    )
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(occluders=3, blocks=3, blackout=(1, 3), act=14, glass=True),
        1: dict(occluders=3, blocks=3, blackout=(1, 3), act=14, query="fixed"),
        # Slower rolls past narrower blocks: seen in two places on the way, so that the last one tells the side.
        2: dict(friction=2.0, breadth=0.32),
        3: dict(
            occluders=6, blocks=5, blackout=(5, 15), act=24, query="late", order="distance", frame="ego", jitter=0.06,
            ring=1.3, breadth=0.3, depth=0.2, room=2.9, mixed=True, bump=True,
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "blackout": (0, 5, 10, 20, 40), "occluders": (4, 5, 6), "scramble": (0.0, 0.2, 0.35, 0.5),
    }  # fmt: skip
    look = Look(
        captions={
            "observe": "Blocks roll out of sight, one after the other.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Dusk hides small blocks until one is touched.",
            "lit": "In full light: all that is in sight shows.",
            "over": "Lights on: now everything shows.",
        },
    )
    extra_state = 8 + 3 * SMALL

    begin, step, answer, write_state = begin, step, answer, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        if values["blocks"] > values["occluders"]:
            raise BadParameter(
                f"blocks={values['blocks']}: at most one an occluder, and occluders={values['occluders']}"
            )
        if values["bump"] and values["blocks"] >= values["occluders"]:
            raise BadParameter(
                f"bump=True needs an occluder to spare: blocks={values['blocks']}, occluders={values['occluders']}"
            )
        if values["ring"] + RING + 2 * values["radius"] > values["room"] + 0.2:
            raise BadParameter(f"ring={values['ring']}: the blocks behind it do not fit into room={values['room']}")

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        rolls = values["blocks"] - (1 if values["bump"] else 0)
        chord = 2 * (values["ring"] + RING) * math.sin(math.pi / (2 * values["occluders"]))
        roll_steps = max(ROLL, math.ceil(math.sqrt(2 * chord / values["friction"]) / DT - 0.1))
        watch = GAP * (rolls - 1) + roll_steps + 1 + (2 if values["bump"] else 0)
        return {"observe_steps": watch, "check": int(values["mixed"] or values["bump"])}

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        return Sizes(colours=values["blocks"], disc_slots=values["blocks"], box_slots=values["occluders"])

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        return int(cls.derived(values)["observe_steps"]) + values["blackout"][1] + values["act"]

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        return int(values["occluders"])
