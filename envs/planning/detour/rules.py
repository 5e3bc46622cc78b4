"""The rules of Detour: what is drawn at a reset, and what a step does. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.geometry import disc_box, wrap
from unseen.envs.planar.navigate import arc_towards
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.stage import out_of_time, outcome, reset_stage
from unseen.envs.planar.world import (
    ACT,
    AGENT_RADIUS,
    clear_boxes,
    drive,
    place_box,
    planar,
    push_out,
    touch,
    touching,
)
from unseen.envs.planning.detour.distance_field import ahead_of, forbid, lead, spread, survey

TALL, SMALL = 16, 4
STRIDE = 0.3  # m a step at full speed
TURN = math.pi / 4  # rad a step at full turn
REACH = 0.45  # m, centre to centre, at which a block is touched
RADIUS = 0.12  # m, of a block
THICK = 0.05  # m, half thickness of glass
GAP = 0.8  # m, of a doorway, and of an opening in an arm
COURT = 0.55  # m, half extent of the inner U
LANE = 0.85  # m, between the inner U and the outer wall
STAY = 3  # the action
LOOK = 4  # observations before what is not of glass turns opaque
AHEAD = 5  # cells that a plan's follower looks ahead
WALL, DOOR = 0, 1  # kinds of tall things
AWAY = 1e3  # m, where a door is put while it lets the agent through

STATE = planar(
    TALL, SMALL,
    ("target", INT), ("shortest", INT), ("doors", INT), ("inside", INT), ("kept", FLOAT, (TALL,)),
    ("cx", FLOAT), ("cy", FLOAT), ("turn", FLOAT), ("sides", INT, (4,)), ("slide", FLOAT, (4,)),
)  # fmt: skip
STILL_TO_COME = 2


@device
def _put(s, x, y):
    """A place in the frame of what is built, in the room's."""
    c = math.cos(s.turn)
    n = math.sin(s.turn)
    return s.cx + x * c - y * n, s.cy + x * n + y * c


@device
def _build(s, kind, x, y, angle, hx, hy):
    """Add a tall thing, placed and turned in the frame of what is built."""
    k = s.n_boxes
    u, v = _put(s, x, y)
    place_box(s, k, kind, u, v, math.cos(s.turn + angle), math.sin(s.turn + angle), hx, hy)
    s.n_boxes = k + 1


@device
def _arm(s, side, angle, start, end, half):
    """A piece of the pocket's arm, `start` to `end` metres from its bottom."""
    if end - start > 0.1:
        mid = 0.5 * (start + end)
        x = -mid * math.cos(angle)
        y = side * (half + mid * math.sin(angle))
        _build(s, WALL, x, y, -side * angle, 0.5 * (end - start) + THICK, THICK)


@device
def _pocket(s, p, shift):
    """A U that opens towards the agent, bottom at x = 0; the block lies beyond it. Without barriers: the two alone."""
    grow = 1.2 if shift else 1.0
    deep = p.depth * uniform(s, 0.75, 1.0) * grow
    half = p.breadth * uniform(s, 0.85, 1.0) * grow
    back = uniform(s, 0.5, 0.8)
    front = uniform(s, 0.6, deep + 0.8)
    s.cx = uniform(s, -0.2, 0.2)
    s.cy = uniform(s, -0.2, 0.2)
    s.cx, s.cy = _put(s, 0.5 * (front - back), 0.0)
    s.disc_x[s.target], s.disc_y[s.target] = _put(s, back, half * uniform(s, -0.5, 0.5))
    s.agent_x, s.agent_y = _put(s, -front, (half - 0.35) * uniform(s, -1.0, 1.0))
    if p.barriers == 0:
        return
    _build(s, WALL, 0.0, 0.0, 0.0, THICK, half + THICK)
    gap = 2.0 * below(s, 2) - 1.0 if p.gaps != 0 and below(s, 2) == 0 and deep > GAP + 0.2 else 0.0
    for i in range(2):
        side = 2.0 * i - 1.0
        angle = uniform(s, -0.09, 0.09)
        if shift:
            angle = uniform(s, 0.17, 0.35)
        if side == gap:
            at = uniform(s, 0.0, deep - GAP)
            _arm(s, side, angle, 0.0, at, half)
            _arm(s, side, angle, at + GAP, deep, half)
        else:
            _arm(s, side, angle, 0.0, deep, half)


@device
def _court(s, p, shift):
    """The block lies in a U within a closed ring, into which doors lead. The ring is parted at its corners, so that
    each door has its own part, and one part alone holds the mouth of the U."""
    lane = LANE * (1.15 if shift else 1.0)
    out = COURT + lane
    s.cx = uniform(s, -0.3, 0.3)
    s.cy = uniform(s, -0.3, 0.3)
    s.disc_x[s.target], s.disc_y[s.target] = _put(s, uniform(s, -0.15, 0.15), uniform(s, -0.15, 0.15))
    mouth = below(s, 4)
    shuffle(s, s.sides, 4)
    for i in range(4):  # side i faces the direction i * 90 degrees
        a = 0.5 * math.pi * i
        c = math.cos(a)
        n = math.sin(a)
        if i != mouth:
            _build(s, WALL, COURT * c, COURT * n, a, THICK, COURT + THICK)
        door = False
        for j in range(max(p.doors, 1)):
            door = door or s.sides[j] == i
        if not door:
            _build(s, WALL, out * c, out * n, a, THICK, out + THICK)
        elif p.doors > 0:
            at = uniform(s, -0.3, 0.3)
            if shift:
                at = uniform(s, 0.3, 0.5) * (2.0 * below(s, 2) - 1.0)
            s.slide[i] = at
            for end in range(2):
                side = 2.0 * end - 1.0
                long = 0.5 * (out - 0.5 * GAP - side * at)
                mid = side * (out - long)
                _build(s, WALL, out * c - mid * n, out * n + mid * c, a, THICK, long + THICK)
        # The next door's side on; the parting stands at one of the corners on the way to it.
        if door and p.doors > 1:
            steps = 1
            while not _has_door(s, p, (i + steps) % 4):
                steps += 1
            b = a + 0.5 * math.pi * (below(s, steps) + 0.5)
            mid = (COURT + 0.5 * lane) * math.sqrt(2.0)
            _build(s, WALL, mid * math.cos(b), mid * math.sin(b), b, lane / math.sqrt(2.0), THICK)
    for i in range(4):
        if _has_door(s, p, i):
            a = 0.5 * math.pi * i
            c = math.cos(a)
            n = math.sin(a)
            at = s.slide[i]
            _build(s, DOOR, out * c - at * n, out * n + at * c, a + math.pi, THICK, 0.5 * GAP)
            s.doors += 1
    s.agent_x = uniform(s, -1.0, 1.0) * (s.room_hx - AGENT_RADIUS)
    s.agent_y = uniform(s, -1.0, 1.0) * (s.room_hy - AGENT_RADIUS)
    x = abs((s.agent_x - s.cx) * math.cos(s.turn) + (s.agent_y - s.cy) * math.sin(s.turn))
    y = abs((s.agent_y - s.cy) * math.cos(s.turn) - (s.agent_x - s.cx) * math.sin(s.turn))
    return max(x, y) > out + AGENT_RADIUS + 0.1


@device
def _has_door(s, p, side):
    for j in range(p.doors):
        if s.sides[j] == side:
            return True
    return False


@device
def _scatter(s, p):
    """Lay the blocks that are not asked for where nothing else is."""
    for k in range(s.n_discs):
        if k == s.target:
            continue
        found = False
        for _ in range(20):
            x = uniform(s, -1.0, 1.0) * (s.room_hx - 0.3)
            y = uniform(s, -1.0, 1.0) * (s.room_hy - 0.3)
            u, v = push_out(s, x, y, RADIUS + 0.05)
            good = u == x and v == y
            for j in range(k):
                good = good and (s.disc_x[j] - x) ** 2 + (s.disc_y[j] - y) ** 2 > 0.5**2
            good = good and (s.disc_x[s.target] - x) ** 2 + (s.disc_y[s.target] - y) ** 2 > 0.8**2
            if good and (s.agent_x - x) ** 2 + (s.agent_y - y) ** 2 > 0.8**2:
                s.disc_x[k] = x
                s.disc_y[k] = y
                found = True
                break
        if not found:
            return False
    return True


@device
def _clear(s):
    """Take everything down. Equal episodes have equal records, whatever stood there before."""
    clear_boxes(s)
    for k in range(TALL):
        s.kept[k] = 0.0
    for i in range(4):
        s.slide[i] = 0.0
    s.doors = 0
    s.inside = -1


@device
def reset(s, p, f):
    """Draw what is built, the blocks and the agent; accept what only a detour solves within the time."""
    shift = p.split == 2
    reset_stage(s, p)
    s.phase = ACT
    s.glass = 1
    _clear(s)
    s.turn = uniform(s, -math.pi, math.pi)
    s.n_discs = p.blocks
    s.target = below(s, p.blocks)
    shuffle(s, s.disc_colour, p.blocks)
    s.query = s.disc_colour[s.target]
    for k in range(s.n_discs):
        s.disc_radius[k] = RADIUS
        s.disc_vx[k] = 0.0
        s.disc_vy[k] = 0.0
        s.disc_cover[k] = 0
    if p.barriers < 2:
        _pocket(s, p, shift)
    elif not _court(s, p, shift):
        return False
    x, y = push_out(s, s.agent_x, s.agent_y, AGENT_RADIUS)
    u, v = push_out(s, s.disc_x[s.target], s.disc_y[s.target], RADIUS + 0.05)
    if x != s.agent_x or y != s.agent_y or u != s.disc_x[s.target] or v != s.disc_y[s.target] or not _scatter(s, p):
        return False
    off = uniform(s, -0.4, 0.4) * min(s.fov, 0.7 * math.pi)
    s.heading = wrap(math.atan2(v - s.agent_y, u - s.agent_x) + off)
    if p.barriers > 0 and _rehearse(s, f, p, False) > 0:
        return False  # the straight way works
    plan(s, f)
    s.shortest = _rehearse(s, f, p, True)
    return s.shortest > 0


@device
def plan(s, f):
    """How far it is to the block from everywhere, by ways that touch no other block and go through doors rightly."""
    survey(s, f, DOOR)
    for k in range(s.n_discs):
        if k != s.target:
            forbid(s, f, k, REACH)
    spread(s, f, s.target, REACH - 0.08)


@device
def _towards(s, x, y):
    """The arc that begins the straight way to a place."""
    return arc_towards(s.agent_x, s.agent_y, s.heading, x, y, TURN)


@device
def follow(s, f):
    """The arc that goes on along the plan; stays where no way leads on."""
    x, y, way = lead(s, f, AHEAD)
    if not way:
        return STAY
    if (x - s.agent_x) ** 2 + (y - s.agent_y) ** 2 < 0.01:
        return _towards(s, s.disc_x[s.target], s.disc_y[s.target])
    return _towards(s, x, y)


@device
def _rehearse(s, f, p, planned):
    """Steps in which the plan, or else the straight way, touches the asked block; 0 when it does not in time."""
    x = s.agent_x
    y = s.agent_y
    h = s.heading
    took = 0
    for t in range(p.act):
        a = follow(s, f) if planned else _towards(s, s.disc_x[s.target], s.disc_y[s.target])
        turn = 0.0
        if a == 1:
            turn = TURN
        elif a == 2:
            turn = -TURN
        lx = s.agent_x
        ly = s.agent_y
        drive_through(s, STRIDE * (a != STAY), turn)
        k = touching(s, s.agent_x, s.agent_y, REACH)
        if k >= 0:
            took = t + 1 if k == s.target else 0
            break
        if turn == 0.0 and abs(s.agent_x - lx) + abs(s.agent_y - ly) < 1e-9:
            break  # stuck for good
    s.agent_x = x
    s.agent_y = y
    s.heading = h
    s.inside = -1
    for k in range(s.n_boxes - s.doors, s.n_boxes):
        s.box_kind[k] = DOOR
    return took


@device
def drive_through(s, speed, turn):
    """Drive. A door gives way to who comes from before it, and is a wall for good once that one is through."""
    first = s.n_boxes - s.doors
    for k in range(first, s.n_boxes):
        s.kept[k] = s.box_x[k]
        if s.box_kind[k] == DOOR and (s.inside == k or ahead_of(s, k, s.agent_x, s.agent_y) < 0.0):
            s.box_x[k] = AWAY
    drive(s, speed, turn)
    for k in range(first, s.n_boxes):
        gives = s.box_x[k] == AWAY
        s.box_x[k] = s.kept[k]
        if gives:
            depth, _, _ = disc_box(
                s.agent_x,
                s.agent_y,
                AGENT_RADIUS,
                s.box_x[k],
                s.box_y[k],
                s.box_cos[k],
                s.box_sin[k],
                s.box_hx[k],
                s.box_hy[k],
            )
            if depth > 0.0:
                s.inside = k
            elif s.inside == k:
                s.inside = -1
                if ahead_of(s, k, s.agent_x, s.agent_y) > 0.0:
                    s.box_kind[k] = WALL


@device
def step(s, a, p, info):
    """One step; a: speed and turn, each in [-1, 1]."""
    drive_through(s, STRIDE * a[0], TURN * a[1])
    s.t += 1
    if p.glass == 0 and s.t >= LOOK:
        s.glass = 0
    touch(s, touching(s, s.agent_x, s.agent_y, REACH))
    return outcome(s, info, 1.0 if s.touched == s.target else 0.0, s.touched >= 0 or out_of_time(s, p))


@device
def write_state(s, p, o):
    """Slots with the lights on, then the time and the door that is being gone through."""
    write_lit_slots(s, p, o, s.query)
    o[o.shape[0] - 2] = s.t / 64.0
    o[o.shape[0] - 1] = (s.inside + 1.0) / TALL
