"""Bedroom: look round, then walk in the dark to where the bed was."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.planar.belief import update_belief
from unseen.envs.planar.geometry import disc_box
from unseen.envs.planar.navigate import steer_to_place
from unseen.envs.planar.physics import roll
from unseen.envs.planar.sensors import write_lit_slots
from unseen.envs.planar.sight import ALL_ROUND
from unseen.envs.planar.stage import may_act, next_phase, out_of_time, outcome, reset_stage, set_query, write_stage
from unseen.envs.planar.world import (
    ACT,
    AGENT_RADIUS,
    BLACKOUT,
    DAY,
    FLOAT,
    INT,
    NIGHT,
    OBSERVE,
    drive,
    place_box,
    planar,
)

PLACES, LOOSE, SPOTS = 5, 4, 8  # at most: askable pieces, vases and crates, spots
TALL = PLACES + LOOSE
NAMES = ("bed", "door", "lamp", "table", "armchair", "vase", "crate")  # by kind; the first PLACES can be asked for
VASE, CRATE = 5, 6
KINDS = len(NAMES)

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 2  # rad a step at full turn
ARC = 0.5  # part of it that an arc takes
TURN_ROUND, STAY = 3, 4
LINE = 0.3  # m from the wall to the line of the spots
REACH = 0.72  # m from a spot within which its place is reached: no piece, grown by the agent, sticks out of this ring
TOUCH = 0.05  # m within which a solid is touched
SPACE = 1.44  # m between spots, so that no two pieces overlap however far they are shifted
VASE_RING, CRATE_RING, CAT_RING = 0.4, 0.5, 0.45  # m, what scripted walkers keep out of
VASE_HALF, CRATE_HALF, CAT = 0.09, 0.17, 0.12  # m
CAT_REACH, PURR = 0.35, 1.0  # m, within which the cat is stepped on, and heard
CAT_SPEED = 0.4  # m/s
WANDER = 0.2  # of the bound on drift, the most that a step adds
VEER = 0.5  # rad of heading that drift for each metre of place
NARROW = 0.92  # half extent of the shifted room in y, of that in x
FIXED, FIRST, LATE = 0, 1, 2


@device
def _half(kind):
    """Half depth and half breadth of a kind of piece, m: no corner lies further than REACH - AGENT_RADIUS from a spot."""
    if kind == 0:
        return 0.3, 0.4
    if kind == 1:
        return 0.05, 0.35
    if kind == 2:
        return 0.12, 0.12
    if kind == 3:
        return 0.22, 0.36
    return 0.26, 0.28


@device
def _spot(k, count, a, b, aside):
    """Spot k of `count`, evenly spaced on the rectangle |x| <= a, |y| <= b, then moved `aside` metres along its wall:
    x, y, and the unit vector into the room."""
    u = ((k + (0.5 if count == 8 else 0.0)) * 4.0 * (a + b) / count) % (4.0 * (a + b))
    if u < a or u >= 3.0 * a + 4.0 * b:
        x = u if u < a else u - 4.0 * (a + b)
        return min(max(x + aside, 0.12 - a), a - 0.12), b, 0.0, -1.0
    u -= a
    if u < 2.0 * b:
        return a, min(max(b - u - aside, 0.12 - b), b - 0.12), -1.0, 0.0
    u -= 2.0 * b
    if u < 2.0 * a:
        return min(max(a - u - aside, 0.12 - a), a - 0.12), -b, 0.0, 1.0
    u -= 2.0 * a
    return -a, min(max(u - b + aside, 0.12 - b), b - 0.12), 1.0, 0.0


@device
def _rings(s, p, ask):
    """Fill the rings round what stands in the room s, true or believed: round the spots of places, which is where
    these are reached, round vases and crates, and last round the cat. The index of what is asked for, or -1."""
    asked = -1
    for k in range(s.n_boxes):
        kind = s.box_kind[k]
        out = LINE - s.box_hx[k] if kind < VASE else 0.0
        s.zx[k] = s.box_x[k] + out * s.box_cos[k]
        s.zy[k] = s.box_y[k] + out * s.box_sin[k]
        s.zr[k] = REACH + 0.02 if kind < VASE else VASE_RING if kind == VASE else CRATE_RING
        if kind == ask:
            asked = k
            s.zr[k] = -10.0  # to be entered
    _ring_cat(s)
    return asked


@device
def _ring_cat(s):
    if s.n_discs > 0:
        s.zx[s.n_boxes] = s.disc_x[0]
        s.zy[s.n_boxes] = s.disc_y[0]
        s.zr[s.n_boxes] = CAT_RING


@device
def begin(s, p):
    """Draw an episode: which piece stands where, the loose things, the question, the pose after the blackout."""
    shift = p.split == 2
    reset_stage(s, p)
    if shift:
        s.room_hy = NARROW * p.room
    s.answer = below(s, p.spots)
    s.target = 0
    if p.query != FIXED:
        s.target = below(s, p.places)
    elif shift:
        s.target = 1 + below(s, p.places - 1)
    shuffle(s, s.home, p.spots)
    for j in range(p.spots):
        if s.home[j] == s.answer:
            s.home[j], s.home[s.target] = s.home[s.target], s.home[j]
            break
    for j in range(p.places):
        aside = uniform(s, -0.1, 0.1)
        if shift:
            aside += math.copysign(0.1, aside)
        x, y, c, n = _spot(s.home[j], p.spots, s.room_hx - LINE, s.room_hy - LINE, aside)
        hx, hy = _half(j)
        place_box(s, j, j, x + (hx - LINE) * c, y + (hx - LINE) * n, c, n, hx, hy)
    loose = p.vases + p.crates
    around = uniform(s, -math.pi, math.pi)
    step = 2.0 * math.pi / max(loose, 1)
    for i in range(loose):
        a = around + i * step + uniform(s, -0.2, 0.2)
        d = p.clear + uniform(s, 0.0, 0.2)
        half = VASE_HALF if i < p.vases else CRATE_HALF
        x = d * math.cos(a)
        y = d * math.sin(a)
        place_box(s, p.places + i, VASE if i < p.vases else CRATE, x, y, math.cos(a), math.sin(a), half, half)
    s.n_boxes = p.places + loose
    if p.cat != 0:
        s.n_discs = 1
        a = around + 0.5 * step
        s.disc_x[0] = (p.clear + 0.1) * math.cos(a)
        s.disc_y[0] = (p.clear + 0.1) * math.sin(a)
        a = uniform(s, -math.pi, math.pi)
        v = CAT_SPEED * (1.5 if shift else 1.0)
        s.disc_vx[0] = v * math.cos(a)
        s.disc_vy[0] = v * math.sin(a)
        s.disc_radius[0] = p.radius
        s.disc_colour[0] = 0
    s.signal[0] = 0.0
    _rings(s, p, s.target)
    set_query(s, s.target, p.query == LATE)
    return True


@device
def _drift(s, p):
    """In the dark the told pose strays from the true one by a random walk within p.drift metres; light sets it right."""
    if p.drift == 0.0 or s.light > NIGHT:
        s.pose_error_x = 0.0
        s.pose_error_y = 0.0
        s.pose_error_heading = 0.0
        return
    most = WANDER * p.drift
    s.pose_error_x += uniform(s, -most, most)
    s.pose_error_y += uniform(s, -most, most)
    over = math.sqrt(s.pose_error_x * s.pose_error_x + s.pose_error_y * s.pose_error_y) / p.drift
    if over > 1.0:
        s.pose_error_x /= over
        s.pose_error_y /= over
    bound = VEER * p.drift
    s.pose_error_heading = min(max(s.pose_error_heading + uniform(s, -VEER * most, VEER * most), -bound), bound)


@device
def _reached(s, p):
    """The place whose spot is nearest, if it is within reach; else -1."""
    best = REACH
    near = -1
    for k in range(p.places):
        d = math.sqrt((s.zx[k] - s.agent_x) ** 2 + (s.zy[k] - s.agent_y) ** 2)
        if d < best:
            best = d
            near = k
    return near


@device
def _touched_loose(s, p):
    """The vase or crate that the agent touches; -1 for none."""
    for k in range(p.places, s.n_boxes):
        depth, _, _ = disc_box(
            s.agent_x,
            s.agent_y,
            AGENT_RADIUS + TOUCH,
            s.box_x[k],
            s.box_y[k],
            s.box_cos[k],
            s.box_sin[k],
            s.box_hx[k],
            s.box_hy[k],
        )
        if depth > 0.0:
            return k
    return -1


@device
def step(s, a, p):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    acts = may_act(s)
    x = s.agent_x
    y = s.agent_y
    s.signal[0] = 0.0
    if s.phase != BLACKOUT:
        drive(s, STRIDE * a[0], TURN * a[1])
        off = abs(s.agent_x - x - STRIDE * a[0] * math.cos(s.heading)) + abs(
            s.agent_y - y - STRIDE * a[0] * math.sin(s.heading)
        )
        s.signal[0] = 1.0 if off > 1e-6 else 0.0
    roll(s, DT, 0.0, 1.0)
    _ring_cat(s)
    s.t += 1
    if next_phase(s, NIGHT if p.dark != 0 else DAY):
        set_query(s, s.target, p.query == LATE)
    s.contact = -1
    s.bump = 0
    if s.phase != OBSERVE:
        _drift(s, p)
    if s.phase == BLACKOUT:
        s.signal[0] = 0.0
        return 0.0, False, False
    score, over = _feel(s, p, x, y, acts)
    over = acts and (over or out_of_time(s, p))
    return outcome(s, score if over else 0.0, over)


@device
def _feel(s, p, x, y, acts):
    """Tell what is touched and whether the cat purrs. (x, y): where the agent was a step ago. Returns the score of
    this, and whether it is an end; both count only where the agent acts."""
    place = _reached(s, p)
    loose = _touched_loose(s, p)
    if loose >= 0:
        s.contact = s.box_kind[loose]
    elif place >= 0:
        s.contact = place
    tread = False
    if s.n_discs > 0:
        d = math.sqrt((s.disc_x[0] - s.agent_x) ** 2 + (s.disc_y[0] - s.agent_y) ** 2)
        s.bump = 1 if d < PURR else 0
        # A cat that walks up to one is not stepped on.
        tread = d < CAT_REACH and d < math.sqrt((s.disc_x[0] - x) ** 2 + (s.disc_y[0] - y) ** 2)
    if tread and acts:
        s.touched = 0
    lost = tread or s.contact == VASE
    return (1.0 if place == s.target and not lost else 0.0), lost or place >= 0


@device
def answer(s):
    """The spot at which the asked place stands."""
    return s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on and the question told, then what is still to come and how far odometry is off."""
    write_lit_slots(s, p, o, s.target)
    at = o.shape[0] - 11
    write_stage(s, p, o, at)
    o[at + 7] = s.bump
    o[at + 8] = s.pose_error_x
    o[at + 9] = s.pose_error_y
    o[at + 10] = s.pose_error_heading


@device
def oracle(s, p):
    """Knows where everything is; stays put until it may act."""
    if s.phase != ACT:
        return STAY
    n = s.n_boxes + s.n_discs
    return steer_to_place(s, s.zx[s.target], s.zy[s.target], s.zx, s.zy, s.zr, n, 0.1, STRIDE, ARC * TURN)


@device
def _blind(m, p):
    """Without an idea where: along the line of the spots, so as to try one after the other."""
    a = math.atan2(m.agent_y, m.agent_x) - 0.6
    c = math.cos(a)
    n = math.sin(a)
    d = (p.room - LINE - 0.5 * REACH) / max(abs(c), abs(n))
    return steer_to_place(m, d * c, d * n, m.zx, m.zy, m.zr, 0, 0.0, STRIDE, ARC * TURN)


@device
def _by_map(m, p):
    """Walk to what is asked for by the map m, out of what else is on it; the less odometry holds, the wider."""
    asked = _rings(m, p, m.query)
    if asked < 0:
        return _blind(m, p)
    n = m.n_boxes + m.n_discs
    return steer_to_place(m, m.zx[asked], m.zy[asked], m.zx, m.zy, m.zr, n, 0.1 + p.drift, STRIDE, ARC * TURN)


@device
def tracker(o, m, p):
    """Looks round, keeps a map of what it saw, lets the cat walk on in it, and walks by the map."""
    update_belief(o, m, p, DT, 0.0, 1.0)
    if m.phase == ACT and m.query >= 0:
        return _by_map(m, p)
    return TURN_ROUND if m.phase == OBSERVE and p.fov * math.pi / 180.0 < ALL_ROUND else STAY


@device
def reflex(o, m, p):
    """The best that one observation allows: to what is asked for if it shows, else round the walls until something
    is reached."""
    update_belief(o, m, p, DT, 0.0, 1.0)
    return _by_map(m, p) if m.phase == ACT and m.query >= 0 else STAY


class Bedroom(PlanarTask):
    """Walk in the dark to a place that was seen in the light.

    **Story.** A bedroom by day: bed, door, lamp, table, armchair, each at one of some spots along the walls; vases and
    crates may stand about, and a cat may walk. The agent has `look` steps to look round, and may walk meanwhile. A
    blackout falls for a random time, and the agent is carried to another spot and heading near the middle. Then it is
    night: nothing shows. The agent is told its own pose, whether it bumped, and what it touches, and has to reach the
    asked place. People can: Thomson (1983) had them walk blindfolded to targets that they had seen before.

    **Levels.** 0: the light stays on, the visible twin. 1: "find the bed", 3 places at 4 spots, an eye that sees all
    round, blackout 1-3. 2 (default): 5 places at 6 spots and a vase; any is asked, from the start; the eye spans 120
    degrees, so that one has to look round. 3: asked only once it is dark, so that all must be remembered; 5 places at 8
    spots, 2 vases, 2 crates, blackout 16-24, egocentric anonymous slots; the told pose drifts from the true one in
    blackout and dark, by a random walk of at most 0.3 m; and a cat keeps walking, straight on until it meets something,
    and must not be stepped on. (Level 2 is not asked late because that is far harder to learn: with look=16, the
    audit's recurrent probe found the answer in .22 of the episodes under `query="late"`, in .96 when asked first.)

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, turn (90 degrees to the left, on the spot),
    stay. Continuous: speed and turn in [-1, 1], at most 0.3 m and 90 degrees a step. Under the blackout they have no
    effect.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. By day all furniture in view shows, with kind, orientation
    and extents. In the dark only these are told: the pose (with its error), `signals[0]` = 1 in a step in which
    something solid stopped the agent, `held` = the kind of what it touches or has reached, and `heard` = 1 while the cat
    is within 1 m, for it purrs. When the episode ends the lights go on: the terminal observation shows everything, and
    the pose as it truly is. Every agent receives it; only a predictive one can learn from it.

    **Reward.** 1 for reaching the asked place, 0 for all else.

    **End.** A place is reached within 0.72 m of its spot; the first place that is reached in the act phase ends the
    episode, and so do touching a vase, treading on the cat (only by the agent's own step), and `act` steps. All are
    `terminated`, since the deadline is part of the rules. Walls and crates may be bumped into.

    **Leaks closed.** A scramble of pose and heading with a blackout of random length (pose is no memory). All places are
    reached within the same ring about their spots, which holds all of every piece: were a wide bed touched from
    further than a lamp, a walk past the lamps would find it without memory. Loose things stand anywhere, whatever is
    asked for. What touch does tell remains: an empty spot is not the asked place, so that going round the walls finds it
    in up to 1 of `places` episodes (`chance`), not 1 of `spots`.

    **Shift.** A room that is narrower one way (0.92 x), pieces moved further along their walls (0.1-0.2 m for up to
    0.1 m), a faster cat (1.5 x), and at level 1 another place than the bed.
    """

    title = "walk in the dark to a place that was seen in the light"
    state = planar(
        TALL, 1,
        ("target", INT), ("answer", INT), ("home", INT, (SPOTS,)),
        ("zx", FLOAT, (TALL + 1,)), ("zy", FLOAT, (TALL + 1,)), ("zr", FLOAT, (TALL + 1,)),  # see _rings
        signals=1,
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = (
        PlanarTask.shared
        | PlanarTask.staged
        | {
            "places": Knob(5, 2, PLACES, doc="pieces that can be asked for: bed, door, lamp, table, armchair"),
            "spots": Knob(6, 4, SPOTS, doc="spots along the walls, at least one a place"),
            "vases": Knob(1, 0, LOOSE, doc="must not be touched"),
            "crates": Knob(0, 0, LOOSE, doc="stand about, and may be touched"),
            "cat": Knob(False, doc="a cat keeps walking, and must not be stepped on"),
            "look": Knob(20, 1, 60, doc="steps of light"),
            "dark": Knob(True, doc="the light goes out"),
            "drift": Knob(
                0.0, 0.0, 0.6, doc="bound on the error of the told pose in the dark, m (and half as many rad)"
            ),
            "query": Knob(
                "first", choices=("fixed", "first", "late"), doc="always the bed, asked first, or in the dark"
            ),
        }
    )
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="first", dark=False),
        1: dict(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="fixed"),
        2: dict(room=2.3, fov=120.0, blackout=(4, 8), act=18),
        3: dict(
            fov=120.0, blackout=(16, 24), act=30, look=24, room=2.9, spots=8, vases=2, crates=2, cat=True, drift=0.3,
            query="late", order="distance", frame="ego",
        ),
    }  # fmt: skip
    actions: ClassVar[dict[str, tuple[float, ...]]] = {
        "forward": (1.0, 0.0), "left": (1.0, ARC), "right": (1.0, -ARC), "turn": (0.0, 1.0), "stay": (0.0, 0.0),
    }  # fmt: skip
    keys: ClassVar[dict[str, str]] = {"forward": "w", "left": "a", "right": "d", "turn": "e", "stay": "s"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "look": (1, 2, 4, 8, 20), "drift": (0.0, 0.15, 0.3, 0.45, 0.6), "blackout": (0, 4, 8, 16, 32, 60),
    }  # fmt: skip
    look = Look(
        tall=NAMES,
        small=("cat",),
        asks=NAMES,
        request="go to the {}",
        untold="where to go is told in the dark",
        captions={
            "observe": "The light is on: look round, it will go out.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Night: all that is told is the own pose, bumps and touch.",
            "lit": "The light is still on: all in view shows.",
            "over": "Lights on: now everything shows.",
        },
        won="found it",
        lost="wrong place, or something broke",
        signals=("bump",),
    )
    extra_state = 11

    begin, step, answer, write_state = begin, step, answer, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        places, spots, room = values["places"], values["spots"], values["room"]
        if places > spots:
            raise BadParameter(f"places={places}: at most one a spot, and spots={spots}")
        if values["vases"] + values["crates"] > LOOSE:
            raise BadParameter(f"vases={values['vases']}, crates={values['crates']}: allowed are {LOOSE} together")
        for narrow in (1.0, NARROW):
            a, b = room - LINE, narrow * room - LINE
            at = [_spot(k, spots, a, b, 0.0) for k in range(spots)]
            if min(math.dist(at[i][:2], at[i - 1][:2]) for i in range(spots)) < SPACE:
                raise BadParameter(f"spots={spots}: they do not fit into room={room}")
        loose = values["vases"] + values["crates"] + values["cat"]
        least = (cls._clear(values) + 1.1 if loose else cls._clear(values) + 0.55) / NARROW
        if room < least:
            raise BadParameter(
                f"room={room}: at least {least:.2f} for scramble={values['scramble']}"
                + (" with things about (vases, crates, cat)" if loose else "")
            )

    @staticmethod
    def _clear(values: Mapping[str, Any]) -> float:
        """How far from the middle loose things stand at least, m: not where the agent is set down."""
        return math.sqrt(2) * values["scramble"] + CRATE_RING

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        return {
            "observe_steps": values["look"], "clear": cls._clear(values),
            "radius": CAT, "depth": CRATE_HALF, "breadth": CRATE_HALF,
        }  # fmt: skip

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        talls = values["places"] + values["vases"] + values["crates"]
        return Sizes(
            colours=1,
            disc_slots=int(values["cat"]),
            box_slots=talls,
            box_kinds=KINDS,
            box_shape=1,
            queries=KINDS,
            signals=1,
        )

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        return int(values["look"] + values["blackout"][1] + values["act"])

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        return int(values["spots"])

    @classmethod
    def chance(cls, values: Mapping[str, Any]) -> float:
        """By going round: an empty spot costs nothing, and the first place that is met is any of them."""
        return 1.0 / int(values["places"])
