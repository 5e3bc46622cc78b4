"""Cups: the shell game. Keep your eye on the cup that the ball went under."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import Knob, Look, PlanarTask, Sizes
from unseen.envs.errors import BadParameter
from unseen.envs.planar.belief import disc_motion, update_belief
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.sensors import ORDERS, disc_start, write_lit_slots
from unseen.envs.planar.stage import CLOCK, may_act, next_phase, out_of_time, outcome, reset_stage, write_stage
from unseen.envs.planar.world import ACT, DAY, FLOAT, INT, OBSERVE, drive, place_box, planar, touch, touching

CUPS = 6
PLACES = CUPS + 1  # one may be free
EVENTS = 11  # a shift adds one to what the knob allows

DT = 0.25  # s a step
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.45  # m, centre to centre, at which a cup is touched
CLEAR = 0.45  # m between neighbouring cups, at least
SPOT = 0.45  # m from the mat's centre to where the ball lies at first
REST, ROLL, HELD = 2, 3, 2  # steps that the ball lies, rolls, and is hidden before it is shown again
BULGE = 0.3  # m by which one cup passes inside, the other outside of the ring
SCREEN_AT = 0.6  # of the way from the agent to the place that the screen hides
SCREEN_DEPTH = 0.03  # half depth, m
SWAP, MEET, TIP = 0, 1, 2  # two cups go round each other; meet and part; the same, and the ball passes over
BALL, CUP = 0, 1  # colours


@device
def _pace(p):
    """Steps that one event takes."""
    return p.swap_steps - (1 if p.split == 2 else 0)


@device
def _draw_pair(s, p, q):
    """Draw event q's two places: at most p.apart from each other, and not those of the swap just before."""
    if s.kind[q] != SWAP:
        s.pa[q] = below(s, p.places - 1)
        s.pb[q] = s.pa[q] + 1
        return
    pairs = 0
    last = -1
    apart = min(p.apart, p.places - 1)
    for d in range(1, apart + 1):
        for i in range(p.places - d):
            if q > 0 and s.kind[q - 1] == SWAP and s.pa[q - 1] == i and s.pb[q - 1] == i + d:
                last = pairs
            pairs += 1
    if pairs == 1:
        last = -1
    left = below(s, pairs - (last >= 0))
    if 0 <= last <= left:
        left += 1
    for d in range(1, apart + 1):
        for i in range(p.places - d):
            if left == 0:
                s.pa[q] = i
                s.pb[q] = i + d
            left -= 1


@device
def _script(s, p):
    """Draw all that will happen: the events, without a look at the answer, then, backwards from it, where the ball
    goes under. So nothing seen of the events alone tells of the answer."""
    s.answer = below(s, p.cups)
    s.vacant = below(s, p.places) if p.places > p.cups else -1
    place = s.answer
    if 0 <= s.vacant <= place:
        place += 1
    s.events = p.swaps_low + below(s, p.swaps_high - p.swaps_low + 1) + (1 if p.split == 2 and p.swaps_high > 0 else 0)
    for q in range(s.events, EVENTS):  # nothing stays of an earlier episode
        s.kind[q] = s.pa[q] = s.pb[q] = s.side[q] = 0
    for q in range(s.events):
        s.kind[q] = SWAP
        if uniform(s, 0.0, 1.0) < p.hops:
            s.kind[q] = MEET + below(s, 2)
        s.side[q] = 2 * below(s, 2) - 1
        if p.places == p.cups:
            _draw_pair(s, p, q)
    for q in range(s.events - 1, -1, -1):
        if p.places > p.cups:
            s.pa[q] = s.vacant
            s.pb[q] = place
            s.vacant = place
        place = _moved(s, q, place)
    s.first = place
    s.decoy = -1
    if p.hides > 0:
        s.decoy = below(s, p.cups - 1)
        if s.decoy >= place:
            s.decoy += 1


@device
def _moved(s, q, place):
    """Where what is at `place` before event q is after it, and the other way round."""
    if s.kind[q] != MEET and place == s.pa[q]:
        return s.pb[q]
    if s.kind[q] != MEET and place == s.pb[q]:
        return s.pa[q]
    return place


@device
def begin(s, p):
    """Draw an episode: the script, the places, which cup stands where, the blackout and the pose after it."""
    reset_stage(s, p)
    _script(s, p)
    cycle = REST + ROLL + HELD + ROLL
    s.covered = p.hides * cycle + REST + ROLL
    s.onset = s.covered + 2
    s.observe_steps = s.onset + s.events * (_pace(p) + 1)
    s.query = BALL
    s.n_discs = p.cups + 1
    size = 1.2 if p.split == 2 else 1.0
    shuffle(s, s.cup, p.cups)
    if s.vacant >= 0:
        for k in range(p.cups, s.vacant, -1):
            s.cup[k] = s.cup[k - 1]
        s.cup[s.vacant] = -1
    for k in range(p.places):
        a = 0.5 * math.pi + p.spacing * (0.5 * (p.places - 1) - k) + uniform(s, -1.0, 1.0) * p.jitter
        s.angle[k] = a
        s.far[k] = p.ring + uniform(s, -1.0, 1.0) * p.jitter
        j = s.cup[k]
        if j >= 0:
            s.disc_x[j] = s.far[k] * math.cos(a)
            s.disc_y[j] = s.far[k] * math.sin(a)
            s.disc_vx[j] = 0.0
            s.disc_vy[j] = 0.0
            s.disc_radius[j] = p.radius * size
            s.disc_colour[j] = CUP
            s.disc_cover[j] = 0
    ball = p.cups  # the last of the small things, so that of a cup and the ball under it the cup is what is touched
    s.disc_radius[ball] = 0.6 * p.radius * size
    s.disc_colour[ball] = BALL
    _ball(s, p)
    s.hidden = -1
    if p.screen != 0:
        _place_screen(s, p)
    return True


@device
def _place_screen(s, p):
    """Before a place that takes part in a drawn event, and so wide that it hides that place alone."""
    h = below(s, p.places)
    if s.events > 0:
        q = below(s, s.events)
        h = s.pb[q] if p.places > p.cups or below(s, 2) == 0 else s.pa[q]
    s.hidden = h
    dx = s.far[h] * math.cos(s.angle[h]) - s.agent_x
    dy = s.far[h] * math.sin(s.angle[h]) - s.agent_y
    d = math.sqrt(dx * dx + dy * dy)
    place_box(s, 0, 0, s.agent_x + SCREEN_AT * dx, s.agent_y + SCREEN_AT * dy, dx / d, dy / d, SCREEN_DEPTH, p.breadth)


@device
def _ball(s, p):
    """The ball at step s.t: it lies, rolls under a cup, is shown again as often as p.hides, and goes with its cup."""
    ball = p.cups
    if s.t > s.covered:
        j = s.disc_cover[ball] - 1
        s.disc_x[ball], s.disc_y[ball], s.disc_vx[ball], s.disc_vy[ball] = (
            s.disc_x[j],
            s.disc_y[j],
            s.disc_vx[j],
            s.disc_vy[j],
        )
        return
    cycle = REST + ROLL + HELD + ROLL
    place = s.decoy if s.t // cycle < p.hides else s.first
    w = s.t % cycle
    j = s.cup[place]
    s.disc_cover[ball] = j + 1 if REST + ROLL <= w < REST + ROLL + HELD else 0
    f = 0.0  # of the way from its spot to the cup
    v = 0.0
    if w >= REST + ROLL + HELD:
        f = (cycle - w) / ROLL
        v = -1.0
    elif w >= REST:
        f = min((w - REST) / ROLL, 1.0)
        v = 1.0 if f < 1.0 else 0.0
    dx = s.disc_x[j]
    dy = s.disc_y[j] - SPOT
    s.disc_x[ball] = f * dx
    s.disc_y[ball] = SPOT + f * dy
    s.disc_vx[ball] = v * dx / (ROLL * DT)
    s.disc_vy[ball] = v * dy / (ROLL * DT)


@device
def _path(s, p, q, i, k, side, u):
    """Where the cup that leaves place i for place k is, u steps into event q."""
    f = u / _pace(p)
    if s.kind[q] == SWAP:
        a = s.angle[i] + (s.angle[k] - s.angle[i]) * f
        r = s.far[i] + (s.far[k] - s.far[i]) * f + side * BULGE * math.sin(math.pi * f)
    else:  # to where both touch, and back
        g = min(1.0, 3.0 * min(f, 1.0 - f))
        away = s.disc_radius[0] / p.ring * (1.0 if s.angle[i] > s.angle[k] else -1.0)
        a = s.angle[i] + (0.5 * (s.angle[i] + s.angle[k]) + away - s.angle[i]) * g
        r = s.far[i] + 0.5 * (s.far[k] - s.far[i]) * g
    return r * math.cos(a), r * math.sin(a)


@device
def _shift(s, p, q, i, k, side, u):
    """Move the cup of place i, if any, to where it is u steps into event q; its velocity is what comes next."""
    j = s.cup[i]
    if j < 0:
        return
    s.disc_x[j] += s.disc_vx[j] * DT
    s.disc_y[j] += s.disc_vy[j] * DT
    s.disc_vx[j] = 0.0
    s.disc_vy[j] = 0.0
    if u < _pace(p):
        x, y = _path(s, p, q, i, k, side, u + 1)
        s.disc_vx[j] = (x - s.disc_x[j]) / DT
        s.disc_vy[j] = (y - s.disc_y[j]) / DT


@device
def _events(s, p):
    """The cups at step s.t."""
    e = s.t - s.onset
    pace = _pace(p)
    q = e // (pace + 1)
    u = e % (pace + 1)
    if e < 0 or q >= s.events:
        return
    i = s.pa[q]
    k = s.pb[q]
    _shift(s, p, q, i, k, float(s.side[q]), u)
    _shift(s, p, q, k, i, -float(s.side[q]), u)
    if s.kind[q] == SWAP and u == pace:
        s.cup[i], s.cup[k] = s.cup[k], s.cup[i]
    if s.kind[q] == TIP and u == (pace + 1) // 2:
        s.bump = 1
        if s.disc_cover[p.cups] == s.cup[i] + 1:
            s.disc_cover[p.cups] = s.cup[k] + 1
        elif s.disc_cover[p.cups] == s.cup[k] + 1:
            s.disc_cover[p.cups] = s.cup[i] + 1


@device
def step(s, a, p):
    """One step of DT seconds; a: speed and turn, each in [-1, 1]."""
    moves = may_act(s)
    s.t += 1
    s.bump = 0
    if s.phase == OBSERVE and s.t < s.observe_steps:
        _events(s, p)
        _ball(s, p)
        s.n_boxes = 1 if p.screen != 0 and s.t > s.covered else 0
    if not moves:
        next_phase(s, DAY)
        if s.phase != OBSERVE:
            s.n_boxes = 0  # what the screen hid is in the open again
        return 0.0, False, False
    drive(s, STRIDE * a[0], TURN * a[1])
    k = touching(s, s.agent_x, s.agent_y, REACH)
    touch(s, k)
    return outcome(s, 1.0 if k >= 0 and s.disc_cover[p.cups] == k + 1 else 0.0, k >= 0 or out_of_time(s, p))


@device
def answer(s):
    """The rank by x, among the cups, of the one with the ball in the act phase."""
    return s.answer


@device
def write_state(s, p, o):
    """Slots with the lights on, then everything that is still to come."""
    write_lit_slots(s, p, o, s.query)
    at = o.shape[0] - 12 - 4 * EVENTS
    write_stage(s, p, o, at)
    o[at + 7] = s.observe_steps / CLOCK
    o[at + 8] = s.disc_cover[p.cups] != 0
    o[at + 9] = s.answer / PLACES
    o[at + 10] = s.first / PLACES
    o[at + 11] = s.decoy / PLACES
    at += 12
    for q in range(s.events):
        o[at] = s.kind[q]
        o[at + 1] = s.pa[q] / PLACES
        o[at + 2] = s.pb[q] / PLACES
        o[at + 3] = s.side[q]
        at += 4


@device
def oracle(s, p):
    """Is told which cup; stays put until it may move."""
    if s.phase != ACT:
        return 3
    j = s.disc_cover[p.cups] - 1
    return steer_to_disc(s, j, s.disc_x[j], s.disc_y[j], REACH, STRIDE, TURN)


@device
def _look(o, m, p):
    """Enter what the row shows into the believed world: the cups in sight, from m.disc_x[0] on, and the ball's place
    (m.mx, m.my) a step on, while it shows. Returns how many cups are in sight, and whether the ball is."""
    update_belief(o, m, p, DT, 0.0, 0.0)
    m.n_discs = p.disc_slots
    n = 0
    ball = False
    for k in range(p.disc_slots):
        q = disc_start(p) + (5 + p.colours) * k
        if o[q] < 0.5:
            continue
        x, y, u, v = disc_motion(o, m, p, q)
        if o[q + 5 + BALL] > 0.5:
            ball = True
            m.mx = x + u * DT
            m.my = y + v * DT
            continue
        m.disc_x[n], m.disc_y[n], m.disc_vx[n], m.disc_vy[n] = x, y, u, v
        n += 1
    for k in range(n, p.disc_slots):
        m.disc_x[k] = 1e3 * (k + 1)
        m.disc_vx[k] = 0.0
        m.disc_vy[k] = 0.0
    return n, ball


@device
def _approach(m, p):
    """The arc towards the believed place of the ball, round every other cup in sight."""
    m.n_boxes = 0
    for k in range(p.disc_slots):
        m.disc_vx[k] = 0.0
        m.disc_vy[k] = 0.0
        if (m.disc_x[k] - m.mx) ** 2 + (m.disc_y[k] - m.my) ** 2 < 0.04:
            m.disc_x[k] = 1e3 * (k + 1)
    m.disc_x[p.cups] = m.mx
    m.disc_y[p.cups] = m.my
    return steer_to_disc(m, p.cups, m.mx, m.my, REACH, STRIDE, TURN)


@device
def _exchange(m):
    """The two places that the event under way is about have exchanged what they hide."""
    if (m.mx - m.ex) ** 2 + (m.my - m.ey) ** 2 < 0.04:
        m.mx, m.my = m.fx, m.fy
    elif (m.mx - m.fx) ** 2 + (m.my - m.fy) ** 2 < 0.04:
        m.mx, m.my = m.ex, m.ey


@device
def _notice(m, p, n):
    """When cups that were at rest begin to move, note which two places this is about: one that moves alone does so
    with the one place that the screen hides. Along the ring they meet, else they change places."""
    i = -1
    k = -1
    for j in range(n):
        if m.disc_vx[j] != 0.0 or m.disc_vy[j] != 0.0:
            if i < 0:
                i = j
            else:
                k = j
    if i < 0 or m.t < m.until:
        return
    m.until = m.t + _pace(p)
    m.ex, m.ey = m.disc_x[i], m.disc_y[i]
    m.fx, m.fy = m.ex, m.ey
    if k >= 0:
        m.fx, m.fy = m.disc_x[k], m.disc_y[k]
    elif m.n_boxes > 0:
        m.fx = m.agent_x + (m.box_x[0] - m.agent_x) / SCREEN_AT
        m.fy = m.agent_y + (m.box_y[0] - m.agent_y) / SCREEN_AT
    out = math.hypot(m.ex + m.disc_vx[i] * DT, m.ey + m.disc_vy[i] * DT) - math.hypot(m.ex, m.ey)
    m.meets = 1 if abs(out) < 0.5 * BULGE * math.sin(math.pi / _pace(p)) else 0
    if m.meets == 0:
        _exchange(m)


@device
def tracker(o, m, p):
    """Keeps the place of the ball: as each event begins it sees which two places take part, and follows."""
    n, ball = _look(o, m, p)
    if m.phase == OBSERVE and not ball:
        _notice(m, p, n)
        if o[7] > 0.5 and m.meets != 0:
            _exchange(m)
    m.t += 1
    if m.phase != ACT:
        for k in range(p.disc_slots):
            m.disc_vx[k] = 0.0
            m.disc_vy[k] = 0.0
        return 3
    return _approach(m, p)


@device
def reflex(o, m, p):
    """The best that one observation allows: the ball if it shows, else the nearest cup."""
    _, ball = _look(o, m, p)
    if m.phase != ACT:
        return 3
    if not ball:
        best = 1e30
        for k in range(p.disc_slots):
            d = (m.disc_x[k] - m.agent_x) ** 2 + (m.disc_y[k] - m.agent_y) ** 2
            if d < best:
                best = d
                m.mx = m.disc_x[k]
                m.my = m.disc_y[k]
    return _approach(m, p)


class Cups(PlanarTask):
    """Lift the cup that the ball went under: the shell game.

    **Story.** Identical cups stand on an arc round the mat on which the agent stands and watches. A ball lies in the
    open, rolls, and goes under one of them. Then cups change places, two at a time, going round each other. A blackout
    falls for a random time and the agent is carried to another spot and heading. Then, in full light, it may walk: the
    first cup that it touches is lifted and ends the episode, with reward 1 if the ball is under it, else 0.

    **Levels.** 0: glass cups, through which the ball shows, the visible twin. 1: 3 cups, one or two swaps of
    neighbours, blackout 1-3. 2 (default): 4 cups, 2-4 swaps of neighbours, and a tall screen is put up that hides one
    place that takes part in a swap: who goes in and who comes out must be inferred. 3: 6 cups, 4-6 faster swaps of any
    two on a jittered arc, two fifths of which are meetings instead: neighbours meet, touch and part. In half of these
    a bump is heard: they were tipped and the ball, if under one of them, passed to the other. Egocentric frame,
    blackout 5-15.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.sensors.Layout`. Colour 0 is the ball, colour 1 any cup. A velocity is
    what the next step brings, so that every swap is told by which cups begin to move, and which way. The screen
    stands while cups move and is gone when the blackout rises: all cups show in the act phase, and where it stood
    tells nothing there. What is asked for is always the ball. When the episode ends, the terminal observation shows it.

    **Reward.** 1 for the right cup, once; else 0.

    **End.** A touch, or `act` steps of search; both `terminated`, since the deadline is part of the rules.

    **Leaks closed.** Cups share the slots of one colour, ordered by place, so that no slot keeps a cup's identity. The
    events are drawn without a look at the answer, and the first cup follows from both: so whoever missed where the
    ball went under learns nothing from any swap, and the final place is uniform. The ball is seen to go under before
    the screen goes up. No swap undoes the one just before, so that staying with the first place is no strategy. A
    scramble of pose and heading with a blackout of random length (pose is no memory). A hidden ball is nothing that
    can be touched: touch is told by cups alone.

    **Shift.** Larger cups (1.2 x), swaps one step faster, and one swap more.

    **Presets.** "a-not-b" follows Piaget (The construction of reality in the child, 1954), as do the A-not-B tasks of
    O-PIAAGETS in Animal-AI (Voudouris et al., 2022): twice the ball is hidden under A and shown again, then it is
    hidden under B, and no cup moves. "invisible-displacement" follows Piaget's sixth stage: the ball goes under a
    cup, which moves behind a screen to a place that was free, and stays.
    """

    title = "lift the cup that the ball went under"
    state = planar(
        1, CUPS + 1,
        ("answer", INT), ("first", INT), ("decoy", INT), ("vacant", INT), ("hidden", INT),
        ("covered", INT), ("onset", INT), ("events", INT),
        ("kind", INT, (EVENTS,)), ("pa", INT, (EVENTS,)), ("pb", INT, (EVENTS,)), ("side", INT, (EVENTS,)),
        ("cup", INT, (PLACES,)), ("angle", FLOAT, (PLACES,)), ("far", FLOAT, (PLACES,)),
        # The tracker's memory: the ball's place, the two places of the event under way, when that is over.
        ("mx", FLOAT), ("my", FLOAT), ("ex", FLOAT), ("ey", FLOAT), ("fx", FLOAT), ("fy", FLOAT),
        ("until", INT), ("meets", INT),
    )  # fmt: skip
    knobs: ClassVar[dict[str, Knob]] = PlanarTask.shared | PlanarTask.staged | {
        "room": Knob(2.0, 1.9, 5.0, doc="half extent of the room, m"),
        "order": Knob("place", choices=ORDERS, doc="slots of cups: from left to right (place), nearest first (distance), "
                      "or each its own, as if cups could be told apart (index)"),
        "cups": Knob(4, 2, CUPS, doc="identical cups"),
        "swaps": Knob((2, 4), 0, EVENTS - 1, pair=True, doc="times that cups change places (or meet), drawn"),
        "swap_steps": Knob(4, 3, 12, doc="steps of one swap"),
        "apart": Knob(1, 1, CUPS - 1, doc="places between two cups that swap, at most; 1: neighbours only"),
        "screen": Knob(False, doc="a tall screen is put up before one place while cups move"),
        "hops": Knob(0.0, 0.0, 1.0, doc="share of swaps in which two neighbours only meet; in half of these, told by a "
                     "bump, they are tipped and the ball passes to the other"),
        "hides": Knob(0, 0, 3, doc="times that the ball is first hidden under another cup and shown again"),
        "play": Knob("swap", choices=("swap", "move"), doc="cups swap, or the ball's cup alone moves to a free place"),
        "arc": Knob(150.0, 60.0, 170.0, doc="the cups' arc round the mat, degrees"),
        "ring": Knob(1.2, 1.1, 1.5, doc="radius of that arc, m"),
        "jitter": Knob(0.0, 0.0, 0.06, doc="of the places, rad and m"),
        "radius": Knob(0.1, 0.08, 0.12, doc="of a cup, m"),
    }  # fmt: skip
    levels: ClassVar[dict[int, dict[str, Any]]] = {
        0: dict(cups=3, swaps=(1, 2), blackout=(1, 3), act=14, glass=True),
        1: dict(cups=3, swaps=(1, 2), blackout=(1, 3), act=14),
        2: dict(screen=True),
        3: dict(
            cups=6, swaps=(4, 6), swap_steps=3, apart=5, screen=True, hops=0.4, frame="ego",
            jitter=0.04, blackout=(5, 15), act=20,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "a-not-b": dict(cups=2, swaps=0, hides=2, blackout=(0, 2)),
        "invisible-displacement": dict(cups=3, swaps=1, play="move", screen=True, blackout=(0, 2)),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "swaps": (0, 1, 2, 4, 6, 8), "cups": (2, 3, 4, 5, 6), "swap_steps": (8, 6, 4, 3), "blackout": (0, 5, 10, 20, 40),
    }  # fmt: skip
    look = Look(
        tall=("screen",),
        small=("ball", "cup"),
        asks=("ball", "cup"),
        request="lift the cup that hides the {}",
        captions={
            "observe": "The ball goes under a cup; then cups change places.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "All cups look alike. The first one touched is lifted.",
            "lit": "All cups look alike. The first one touched is lifted.",
            "over": "The cups show what is under them.",
        },
        won="lifted the right cup",
        lost="nothing under it",
    )
    covers = (1,)
    extra_state = 12 + 4 * EVENTS

    begin, step, answer, write_state = begin, step, answer, write_state
    oracle, tracker, reflex = oracle, tracker, reflex

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        if values["order"] == "colour":
            raise BadParameter("order='colour': cups are of one colour; allowed are 'place', 'distance', 'index'")
        gap = 2 * values["ring"] * math.sin(cls.spacing(values) / 2) - 2 * values["jitter"]
        if gap < CLEAR:
            raise BadParameter(
                f"cups={values['cups']} on arc={values['arc']:g}, ring={values['ring']:g} stand {gap:.2f} m apart; "
                f"allowed is {CLEAR:g} m or more"
            )
        if values["ring"] + values["jitter"] + BULGE + 1.2 * values["radius"] > values["room"]:
            raise BadParameter(f"ring={values['ring']:g}: cups that swap do not fit into room={values['room']:g}")
        if values["play"] == "move":
            if not values["screen"]:
                raise BadParameter("play='move' needs screen=True: the cup moves out of sight")
            for name in ("hops", "hides"):
                if values[name]:
                    raise BadParameter(f"{name}={values[name]}: allowed with play='move' is 0")

    @classmethod
    def places(cls, values: Mapping[str, Any]) -> int:
        """Places for cups; one of them is free where the ball's cup moves alone."""
        return int(values["cups"]) + (1 if values["play"] == "move" else 0)

    @classmethod
    def spacing(cls, values: Mapping[str, Any]) -> float:
        """The angle between neighbouring places, rad."""
        return math.radians(values["arc"]) / (cls.places(values) - 1)

    @classmethod
    def derived(cls, values: Mapping[str, Any]) -> dict[str, int | float]:
        cover = min(0.55 * cls.spacing(values), math.radians(35.0))  # half the angle that the screen takes
        return {
            "places": cls.places(values),
            "spacing": cls.spacing(values),
            "depth": SCREEN_DEPTH,
            "breadth": SCREEN_AT * values["ring"] * math.tan(cover),
            "observe_steps": 0,  # depends on the episode: see begin
        }

    @classmethod
    def sizes(cls, values: Mapping[str, Any]) -> Sizes:
        return Sizes(colours=2, disc_slots=values["cups"] + 1, box_slots=1)

    @classmethod
    def horizon(cls, values: Mapping[str, Any]) -> int:
        watch = values["hides"] * (REST + 2 * ROLL + HELD) + REST + ROLL + 2
        return watch + (values["swaps"][1] + 1) * (values["swap_steps"] + 1) + values["blackout"][1] + values["act"]

    @classmethod
    def answers(cls, values: Mapping[str, Any]) -> int:
        return int(values["cups"])
