"""Scripted reference policies of RolledBehind."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.rolled_behind.draw import BEHIND, RESTITUTION
from unseen.envs.permanence.rolled_behind.rules import MAX_BLOCKS, MAX_OCCLUDERS, REACH
from unseen.envs.planar.belief import belief, disc_motion, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.layout import disc_start
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, TURN, nearest_box

STAY = 3
SAME = 0.01  # m by which a block may miss the place where it is expected, since slots are of single precision
UNSEEN = 100.0  # m: discs of the belief with a larger x have never been seen
ARRIVED = 0.3  # m from a place at which a sweep goes on to the next one
BELIEF = belief(
    MAX_OCCLUDERS, MAX_BLOCKS,
    ("start_x", FLOAT, (MAX_BLOCKS,)), ("start_y", FLOAT, (MAX_BLOCKS,)),  # where each block was first seen
    # Deceleration, measured once a block has been seen rolling in two observations; where each block was last seen, how fast,
    # and when.
    ("friction", FLOAT), ("seen_x", FLOAT, (MAX_BLOCKS,)), ("seen_y", FLOAT, (MAX_BLOCKS,)),
    ("seen_vx", FLOAT, (MAX_BLOCKS,)), ("seen_vy", FLOAT, (MAX_BLOCKS,)), ("seen_at", INT, (MAX_BLOCKS,)), ("now", INT),
    ("rolled", INT, (MAX_BLOCKS,)),  # 1 if it was seen rolling before the bumpers
    ("sweeps", INT), ("at", INT),  # 1 once a sweep has begun; the occluder that it looks behind
)  # fmt: skip


@device
def _fetch(w, k):
    """The action that leads to block k in the true or believed world w."""
    return steer_to_disc(w, k, w.disc_x[k], w.disc_y[k], REACH, STRIDE, TURN)


@device
def oracle(s, m, p):
    """Knows where everything is."""
    return _fetch(s, s.target) if s.phase == ACT else STAY


@device
def _measure_friction(o, m, p):
    """Measure friction, if a visible block was seen rolling one step ago. Returns whether it is known only since now.

    Such a block has gone straight on, at the mean of its two speeds.
    """
    if m.friction > 0.0:
        return False
    for i in range(p.disc_slots):
        at = disc_start(p) + (5 + p.colours) * i
        if o[at] < 0.5:
            continue
        x, y, vx, vy = disc_motion(o, m, p, at)
        speed = math.sqrt(vx * vx + vy * vy)
        for j in range(m.n_discs):
            before = math.sqrt(m.seen_vx[j] ** 2 + m.seen_vy[j] ** 2)
            if m.seen_at[j] != m.now - 1 or speed == 0.0 or before <= speed:
                continue
            run = 0.5 * DT * (before + speed) / before
            if abs(m.seen_x[j] + run * m.seen_vx[j] - x) + abs(m.seen_y[j] + run * m.seen_vy[j] - y) < SAME:
                m.friction = (before - speed) / DT
                return True
    return False


@device
def _friction(m, p):
    """As measured, or else as usual."""
    return m.friction if m.friction > 0.0 else p.friction


@device
def _roll_again(m):
    """Let all blocks roll anew from where they were last seen, now that friction is known."""
    for j in range(m.n_discs):
        speed = math.sqrt(m.seen_vx[j] ** 2 + m.seen_vy[j] ** 2)
        if speed == 0.0:
            continue
        t = min((m.now - 1 - m.seen_at[j]) * DT, speed / m.friction)
        run = t - 0.5 * m.friction * t * t / speed
        left = 1.0 - m.friction * t / speed
        m.disc_x[j] = m.seen_x[j] + run * m.seen_vx[j]
        m.disc_y[j] = m.seen_y[j] + run * m.seen_vy[j]
        m.disc_vx[j] = left * m.seen_vx[j]
        m.disc_vy[j] = left * m.seen_vy[j]


@device
def _saw(m, j):
    """Remember block j as it is now seen."""
    m.seen_at[j] = m.now
    m.seen_x[j], m.seen_y[j], m.seen_vx[j], m.seen_vy[j] = m.disc_x[j], m.disc_y[j], m.disc_vx[j], m.disc_vy[j]


@device
def _enter(o, m, p):
    """Enter a row. A block whose colour is not visible is the one that is believed nearest to where it is seen."""
    m.now += 1
    if _measure_friction(o, m, p):
        _roll_again(m)
    update_belief(o, m, p, DT, _friction(m, p), RESTITUTION)
    width = 5 + p.colours
    for i in range(p.disc_slots):
        at = disc_start(p) + width * i
        named = False
        for c in range(p.colours):
            if o[at + 5 + c] > 0.5:
                named = True
                if o[at] > 0.5:
                    _saw(m, c)
        if o[at] < 0.5 or named:
            continue
        x, y, vx, vy = disc_motion(o, m, p, at)
        near = -1
        best = FAR
        for j in range(m.n_discs):
            d = (m.disc_x[j] - x) ** 2 + (m.disc_y[j] - y) ** 2
            if m.disc_x[j] < UNSEEN and d < best:
                best = d
                near = j
        if near >= 0:
            m.disc_x[near], m.disc_y[near], m.disc_vx[near], m.disc_vy[near] = x, y, vx, vy
            _saw(m, near)


@device
def _ready(m):
    """Whether it is time to act and the query is known."""
    return m.phase == ACT and m.query >= 0


@device
def _place_behind(m, p, j, k):
    """Believe block j behind occluder k."""
    m.disc_x[j] = (p.ring + BEHIND) * m.box_cos[k]
    m.disc_y[j] = (p.ring + BEHIND) * m.box_sin[k]


@device
def _guess(m, p):
    """Believe the queried block behind the nearest occluder that is not known to hide another one."""
    best = FAR
    near = nearest_box(m, m.agent_x, m.agent_y)
    for k in range(m.n_boxes):
        d = (m.box_x[k] - m.agent_x) ** 2 + (m.box_y[k] - m.agent_y) ** 2
        for j in range(m.n_discs):
            if m.disc_x[j] < UNSEEN and nearest_box(m, m.disc_x[j], m.disc_y[j]) == k:
                d = FAR
        if d < best:
            best = d
            near = k
    _place_behind(m, p, m.query, near)


@device
def _fetch_believed(m, p):
    """Fetch the queried block from where it is believed to be, or else from behind a likely occluder."""
    if not _ready(m):
        return STAY
    if m.disc_x[m.query] < UNSEEN:
        return _fetch(m, m.query)
    x = m.disc_x[m.query]
    _guess(m, p)
    action = _fetch(m, m.query)
    m.disc_x[m.query] = x  # a guess is not a memory
    return action


@device
def tracker(o, m, p):
    """Keeps a map of what it has seen, in which unseen blocks keep rolling, and fetches from the map."""
    _enter(o, m, p)
    return _fetch_believed(m, p)


reflex = tracker  # the best memoryless policy: fetch the target if visible, else look behind the nearest occluder


def _sweep(direction):
    """A player that knows nothing and looks behind all occluders in turn: 1 counter-clockwise, -1 clockwise."""

    @device
    def choose(o, m, p):
        update_belief(o, m, p, DT, p.friction, RESTITUTION)
        if not _ready(m):
            return STAY
        if m.sweeps == 0:
            m.sweeps = 1
            m.at = nearest_box(m, m.agent_x, m.agent_y)
        x = (p.ring + BEHIND) * m.box_cos[m.at]
        y = (p.ring + BEHIND) * m.box_sin[m.at]
        if (m.agent_x - x) ** 2 + (m.agent_y - y) ** 2 < ARRIVED * ARRIVED:
            m.at = _next_occluder(m, m.at, direction)
        m.n_discs = 1
        _place_behind(m, p, 0, m.at)
        return _fetch(m, 0)

    return choose


@device
def _next_occluder(m, k, direction):
    """The next occluder after k round the ring: counter-clockwise for direction 1, clockwise for -1."""
    from_angle = math.atan2(m.box_y[k], m.box_x[k])
    best = FAR
    after = k
    for j in range(m.n_boxes):
        turn = (direction * (math.atan2(m.box_y[j], m.box_x[j]) - from_angle)) % (2.0 * math.pi)
        if j != k and turn < best:
            best = turn
            after = j
    return after


sweep_left = _sweep(1)
sweep_right = _sweep(-1)


@device
def any_block(o, m, p):
    """Knows where blocks are, but not which is which: fetches the nearest one."""
    _enter(o, m, p)
    if not _ready(m):
        return STAY
    best = FAR
    near = m.query
    for j in range(m.n_discs):
        d = (m.disc_x[j] - m.agent_x) ** 2 + (m.disc_y[j] - m.agent_y) ** 2
        if d < best:
            best = d
            near = j
    return _fetch(m, near)


@device
def any_roller(o, m, p):
    """Knows where blocks are and which rolled first, but not which is which: fetches the nearest one that is no bumper."""
    _enter(o, m, p)
    for j in range(m.n_discs):
        if m.phase == OBSERVE and (m.disc_vx[j] != 0.0 or m.disc_vy[j] != 0.0) and m.now < p.observe_steps:
            m.rolled[j] = 1
    if not _ready(m):
        return STAY
    best = FAR
    near = m.query
    for j in range(m.n_discs):
        d = (m.disc_x[j] - m.agent_x) ** 2 + (m.disc_y[j] - m.agent_y) ** 2
        if m.rolled[j] != 0 and d < best:
            best = d
            near = j
    return _fetch(m, near)


@device
def start(o, m, p):
    """Knows where the block was first seen: looks behind the occluder nearest to that."""
    _enter(o, m, p)
    for j in range(m.n_discs):
        if m.start_x[j] == 0.0 and m.disc_x[j] < UNSEEN:
            m.start_x[j] = m.disc_x[j]
            m.start_y[j] = m.disc_y[j]
    if not _ready(m):
        return STAY
    for j in range(m.n_discs):
        m.disc_x[j] = UNSEEN
    _place_behind(m, p, m.query, nearest_box(m, m.start_x[m.query], m.start_y[m.query]))
    return _fetch(m, m.query)


@device
def halt(o, m, p):
    """Tracks all that it sees, but believes that blocks stop in the blackout: looks behind the nearest occluder."""
    if m.phase != OBSERVE or o[4 + OBSERVE] < 0.5:
        for j in range(m.n_discs):
            m.disc_vx[j] = 0.0
            m.disc_vy[j] = 0.0
    _enter(o, m, p)
    if not _ready(m):
        return STAY
    for j in range(m.n_discs):
        _place_behind(m, p, j, nearest_box(m, m.disc_x[j], m.disc_y[j]))
    return _fetch(m, m.query)


@device
def no_bump(o, m, p):
    """Tracks all that it sees, and believes that in the blackout blocks roll on as if nothing were in the way."""
    if m.phase != OBSERVE or o[4 + OBSERVE] < 0.5:
        for j in range(m.n_discs):
            far = math.sqrt(m.disc_vx[j] ** 2 + m.disc_vy[j] ** 2) / (2.0 * _friction(m, p))
            m.disc_x[j] += m.disc_vx[j] * far
            m.disc_y[j] += m.disc_vy[j] * far
            m.disc_vx[j] = 0.0
            m.disc_vy[j] = 0.0
    _enter(o, m, p)
    if not _ready(m):
        return STAY
    for j in range(m.n_discs):
        _place_behind(m, p, j, nearest_box(m, m.disc_x[j], m.disc_y[j]))
    return _fetch(m, m.query)


def _from_slots(choose, remembers=True):
    return Reference(by_index(choose, ARCS), reads="slots", memory=BELIEF, remembers=remembers)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS)),
    "tracker": _from_slots(tracker),
    "reflex": _from_slots(reflex, remembers=False),
    "sweep_left": _from_slots(sweep_left),
    "sweep_right": _from_slots(sweep_right),
    "any_block": _from_slots(any_block),
    "any_roller": _from_slots(any_roller),
    "start": _from_slots(start),
    "halt": _from_slots(halt),
    "no_bump": _from_slots(no_bump),
}
