"""Tunnel: a ball rolls into the dark; be at the right exit when it comes out."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.navigate import arc_pose, arc_towards
from unseen.envs.planar.sensors import HEAD, Layout, write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import ACT, DAY, FLOAT, INT, OBSERVE, drive, place_box, planar, touch

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
def begin(s, p):
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
def step(s, a, p):
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
    return outcome(s, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or s.out[s.target] != 0)


@device
def answer(s):
    """The exit at which the asked ball comes out."""
    return s.answer


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


# --- references ---


@device
def _be_there(s, p, k, left):
    """Go to exit k so late that of the `left` steps one is to spare on its plate, or none where the gate is quick."""
    spare = 1 if p.patience > 2 else 0
    gx = _exit_x(p, k)
    gy = p.mouth - PLATE_AT
    x = s.agent_x
    y = s.agent_y
    h = s.heading
    first = arc_towards(x, y, h, gx, gy, TURN)
    for n in range(64):
        if (x - gx) ** 2 + (y - gy) ** 2 < (PLATE - 0.02) ** 2:
            return STAY if n == 0 or left > n + spare else first
        x, y, h = arc_pose(s, x, y, h, arc_towards(x, y, h, gx, gy, TURN), STRIDE, TURN)
    return first


@device
def oracle(s, p):
    """Knows the exit and the step."""
    if s.phase != ACT:
        return STAY
    return _be_there(s, p, s.answer, s.due[s.target] - s.t)


@device
def _look(o, m, p):
    """Bring the believed world up to date. What is out of sight is left where it was last seen: the tunnel's law,
    not the floor's, says where it is."""
    update_belief(o, m, p, DT, 1e9, 0.0)
    m.room_hx = p.wide
    m.room_hy = p.deep
    at = HEAD + 2 * p.queries
    for k in range(p.exits):
        m.factor[k] = o[at + p.exits + k] if p.carpet < 1.0 else 1.0
        m.signal[k] = o[at + k]
    if p.siding != 0 and o[at + p.signals - 1] > 0.5:
        m.held_up = 1


@device
def _foresee(m, p, j):
    """Exit of ball j, which is seen on the move, and the steps until it is out, by the tunnel's law."""
    v = math.sqrt(m.disc_vx[j] * m.disc_vx[j] + m.disc_vy[j] * m.disc_vy[j])
    x = m.disc_x[j]
    t = 0.0
    if m.disc_y[j] > p.bend:
        t = (p.bend - m.disc_y[j]) / m.disc_vy[j]
        x += m.disc_vx[j] * t
    k = min(max(int(math.floor(x / SPACING + 0.5 * p.exits)), 0), p.exits - 1)
    t += p.lane / (v * m.factor[k]) if m.disc_y[j] > p.bend else (m.disc_y[j] - p.mouth) / v
    return k, int(math.floor(t / DT + 1.0))


@device
def tracker(o, m, p):
    """Foresees exit and step from what it sees at the entry, then counts the steps."""
    _look(o, m, p)
    others = 0
    for j in range(m.n_discs):
        others = max(others, m.due[j])
    for j in range(m.n_discs):
        if m.phase == OBSERVE and m.disc_vy[j] < 0.0:
            m.exit[j], left = _foresee(m, p, j)
            if others == 0 and m.held_up != 0:  # the first ball in is held up
                m.wait[j] = p.hold
            m.due[j] = m.t + left + m.wait[j]
    m.t += 1
    if m.phase != ACT or m.query < 0:
        return STAY
    for j in range(m.n_discs):
        if m.disc_colour[j] == m.query:
            return _be_there(m, p, m.exit[j], m.due[j] - m.t + 1)
    return STAY


@device
def reflex(o, m, p):
    """The best that one observation allows: foresee from the asked ball if it shows; else stand on the nearest plate
    for as long as its gate stays open, then on the next."""
    _look(o, m, p)
    if m.phase != ACT or m.query < 0:
        return STAY
    for j in range(m.n_discs):
        if m.disc_colour[j] == m.query and m.disc_vy[j] < 0.0:
            k, left = _foresee(m, p, j)
            return _be_there(m, p, k, left)
    best = 1e30
    near = 0
    for k in range(p.exits):
        d = abs(_exit_x(p, k) - m.agent_x)
        if m.signal[k] > 0.01 and d < best:
            best = d
            near = k
    return _be_there(m, p, near, 0)


class Tunnel(PlanarTask):
    """Be at the right exit when the ball comes out of the tunnel.

    **Story.** An opaque tunnel crosses the room from wall to wall. From its far side the agent watches balls that
    lie still, then roll in, one after the other. A blackout falls for a random time and the agent is carried to the
    near side, to any heading, while the balls roll on inside. By day, it has to be on the plate before the right exit
    at the step in which the asked ball comes out: reward 1. That step ends the episode either way. Coming early costs:
    a gate shuts for good when its plate has been stood on for more than `patience` steps in all. A ball that is not
    asked for ends the episode with 0 when it comes out at the agent's plate.

    **The tunnel's law.** A ball goes straight on at its entry speed through the hall (`fork` metres deep; none at
    level 1) to the beginning of the lane to which its entry angle points: the fork. There it bends into the lane,
    which is straight. On a carpeted lane it rolls at `carpet` times its entry speed, behind it at entry speed again.
    So the time inside is hall / v + lane / (v * factor), which is a whole number of steps. Balls keep identity, and
    the order in which they went in; only where the hall bears the sign of a siding is the first one held where the
    hall ends, for `hold` = 8 * (balls - 1) + 2 steps, so that it comes out last. Balls pass each other freely inside.
    Hall, lanes and their extents show as tall things; factors and siding are told by signs.

    **Levels.** 0: glass, 3 exits: the visible twin. 1: 3 straight lanes, one ball, a patient gate, blackout 1-3.
    2 (default): 4 exits behind a fork, about half of the lanes carpeted, so that the time must be inferred; blackout
    2-5. 3: two balls, 5 exits, in half of the episodes a siding; asked after a blackout of 15-20 steps; egocentric,
    anonymous slots.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. Signals, exits from small x to large: how far each gate
    is still open (1 to 0); where there are carpets, each lane's factor; where there may be a siding, whether there is.
    When the episode ends the lights go on, and the terminal observation shows the balls.

    **End.** The step in which the asked ball is out, or would be if its gate were open, or a wrong ball: `terminated`.

    **Leaks closed.** The tunnel hides one side of the room from the other, and the agent is carried across (pose is no
    memory). The asked ball first shows in the step that ends the episode: who waits to see it is too late. Exits are
    drawn uniformly, and apart from the time until the ball is out, the carpets, the siding and the other balls' exits;
    speeds follow from these. So whatever shows in the act phase leaves all exits equally likely, and as no place lies
    on two plates, no policy without memory scores above 1 / exits: that is what one scores which is told when, but
    not where. One that is told where, but not when, and goes there at once scores .69 at level 1 and .02 at level 2.

    **Shift.** Longer times inside, so slower balls; slower carpets (0.8 x); larger balls (1.25 x).
    """

    title = "meet the ball at the right exit of a tunnel, in time"
    state = planar(
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
    knobs: ClassVar[dict[str, Knob]] = {
        name: knob for name, knob in (PlanarTask.shared | PlanarTask.staged).items() if name not in ("room", "act")
    } | {
        "fov": Knob(360.0, 180.0, 360.0, doc="field of view, degrees"),
        "exits": Knob(4, 2, EXITS, doc="exits of the tunnel"),
        "balls": Knob(1, 1, SMALL, doc="balls in the tunnel at once"),
        "query": Knob("first", choices=("first", "late"), doc="the ball is asked for first, or after the blackout"),
        "fork": Knob(1.2, 0.0, 2.0, doc="depth of the hall in which the entry angle decides the exit, m; 0: no hall"),
        "lane": Knob(1.5, 0.5, 3.0, doc="length of the lanes behind it, m"),
        "carpet": Knob(0.5, 0.3, 1.0, doc="speed on a carpet, as a part of the entry speed; 1: no carpets"),
        "siding": Knob(False, doc="in half of the episodes the first ball in is held up and comes out last"),
        "slack": Knob((0, 8), 0, 80, pair=True, doc="steps to spare for the walk to the farthest exit, drawn"),
        "patience": Knob(3, 1, 40, doc="steps that a plate may be stood on before its gate shuts for good"),
        "radius": Knob(0.1, 0.06, 0.12, doc="of a ball, m"),
    }
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(exits=3, fork=0.0, lane=2.2, carpet=1.0, blackout=(1, 3), slack=(0, 4), patience=8, glass=True),
        1: dict(exits=3, fork=0.0, lane=2.2, carpet=1.0, blackout=(1, 3), slack=(0, 4), patience=8),
        2: dict(blackout=(2, 5)),
        3: dict(
            exits=5, balls=2, query="late", fork=1.6, lane=2.2, siding=True, blackout=(15, 20), order="distance",
            frame="ego",
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "blackout": (0, 5, 10, 20, 30), "exits": (2, 3, 4, 5, 6), "slack": (0, 5, 10, 20, 30), "patience": (8, 4, 2, 1),
    }  # fmt: skip
    look = Look(
        tall=("tunnel",),
        small=("ball",),
        request="catch the {} ball as it comes out",
        untold="which ball to catch is told after the blackout",
        captions={
            "observe": "Balls roll into the tunnel: how fast, and at what angle?",
            "blackout": "Nothing shows. The balls roll on inside; the agent is carried to the other side.",
            "act": "Be at the right exit when the ball comes out. Standing there too early shuts its gate.",
            "lit": "Be at the right exit when the ball comes out. Standing there too early shuts its gate.",
            "over": "The ball is out: now everything shows.",
        },
        won="caught it",
        lost="missed it",
    )
    extra_state = 8 + 6 * SMALL

    begin, step, answer, write_state = begin, step, answer, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        if values["balls"] > values["exits"]:
            raise BadParameter(f"balls={values['balls']}: at most one an exit, and exits={values['exits']}")
        if values["siding"] and (values["balls"] < 2 or values["fork"] == 0.0):
            raise BadParameter(
                f"siding=True holds up the first of two or more balls in the hall: balls={values['balls']}, "
                f"fork={values['fork']}"
            )
        if values["query"] == "late" and values["balls"] < 2:
            raise BadParameter("query='late' with balls=1: there is only one ball to ask for")
        hall = HALL * (values["balls"] - 1)
        if values["fork"] < hall - 1e-9:
            raise BadParameter(
                f"fork={values['fork']}: balls={values['balls']} cross each other's ways, for which the hall has to be at "
                f"least {hall:g} m deep"
            )
        speed = cls.fastest(values)
        if speed > FASTEST:
            raise BadParameter(
                f"carpet={values['carpet']}, lane={values['lane']}, fork={values['fork']}: balls would have to enter at "
                f"{speed:.1f} m/s to come out in time, allowed are {FASTEST} m/s; use a longer blackout or more slack"
            )

    @classmethod
    def fastest(cls, values: Mapping[str, Any]) -> float:
        """The highest entry speed that an episode may need, in any split, m/s."""
        steps = cls.walk(values) + values["slack"][0] + values["blackout"][0]
        if values["siding"]:
            steps = min(steps, steps + (ROLL + GAP) * (values["balls"] - 1) - cls.hold(values))
        carpet = values["carpet"] * SHIFT_CARPET if values["carpet"] < 1.0 else 1.0
        path = values["fork"] * math.hypot(1.0, STEEP) + values["lane"] / carpet
        return path / (steps * DT) if steps > 0 else math.inf

    @classmethod
    def walk(cls, values: Mapping[str, Any]) -> int:
        """Steps that the walk to the farthest plate takes at most, from any pose after the blackout."""
        aside = 0.5 * (values["exits"] - 1) * SPACING + values["scramble"]
        return math.ceil((math.hypot(aside, MAT - PLATE_AT + values["scramble"]) - PLATE) / STRIDE) + 4

    @classmethod
    def hold(cls, values: Mapping[str, Any]) -> int:
        """Steps for which a siding holds up the first ball: more than all gaps between balls together."""
        return (GAP + GAPS - 1) * (values["balls"] - 1) + 2

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        wide = 0.5 * SPACING * values["exits"]
        far = max(1.3, (ROLL - 0.5) * DT * cls.fastest(values) + 0.75)
        deep = 0.5 * (NEAR + values["lane"] + values["fork"] + far)
        mouth = NEAR - deep
        return {
            "room": max(wide, deep), "wide": wide, "deep": deep, "mouth": mouth, "bend": mouth + values["lane"],
            "top": mouth + values["lane"] + values["fork"], "walk": cls.walk(values), "hold": cls.hold(values),
            "observe_steps": REST + ROLL * values["balls"],
            "depth": 0.0, "breadth": 0.0,  # of tall things that do not tell their shape: here all do
        }  # fmt: skip

    @classmethod
    def layout(cls, values: Mapping[str, Any]) -> Layout:
        return Layout(cls.sizes(values), float(cls.derived(values)["room"]), values["order"], values["frame"])

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        signs = values["exits"] * (2 if values["carpet"] < 1.0 else 1) + (1 if values["siding"] else 0)
        return Sizes(
            colours=values["balls"], disc_slots=values["balls"], box_slots=values["exits"] + (1 if values["fork"] > 0.0 else 0),
            box_shape=1, signals=signs,
        )  # fmt: skip

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        low, high = values["slack"]
        most = 2 * high - low + 1 + (GAP + GAPS - 1) * (values["balls"] - 1)  # slack of the shift split, and gaps
        return int(cls.derived(values)["observe_steps"]) + values["blackout"][1] + cls.walk(values) + most

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        return int(values["exits"])
