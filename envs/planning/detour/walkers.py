"""Players of Detour that know where everything is, but do not plan a path. Metres, radians.

The certificate of a reset requires that a panel of them fails; as references they show what a level demands. They read the
room s, and keep their own state and random numbers in m (dtype WALKER, `started` = 0 when an episode starts).
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, mix, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.geometry import FAR, passes_by, segment_box, wrap
from unseen.envs.planar.world import AGENT_RADIUS, STRIDE
from unseen.envs.planning.detour.distance_field import beyond_door
from unseen.envs.planning.detour.draw import DOOR
from unseen.envs.planning.detour.path import arc_to

# RESTART: straight towards the target; when stuck, some steps in a random direction. VIA: the same, but by way of a random
# place in sight. LEFT_HAND, RIGHT_HAND: follow a wall that is in the way, with that hand on it, until the way is free.
# LOOK: by way of the best place from which the target can be reached in a straight line; of a random one if there is none.
# TWICE: as VIA, by way of two random places; no certificate asks for it, so it shows what players do that are not on a panel.
RESTART, VIA, LEFT_HAND, RIGHT_HAND, LOOK, TWICE = 0, 1, 2, 3, 4, 5
STRAIGHT, ASIDE, FOLLOW = 0, 1, 2  # modes: towards the target; towards the place (x, y); along a wall
BODY = 0.9 * AGENT_RADIUS  # m, by which boxes are widened when a way is tested
SAMPLES = 24  # random places that are tried
GRID = 12  # places per side of the room among which LOOK chooses
PATIENCE = 3  # steps without progress after which a walker is stuck

WALKER = np.dtype([
    ("rng", "u8"), ("seed", "u8"), ("started", INT), ("mode", INT),
    ("x", FLOAT), ("y", FLOAT), ("left", INT),  # the place to go to, and the most steps to take
    ("places", INT),  # random places since it last headed for the target
    ("last_x", FLOAT), ("last_y", FLOAT),  # position before the last step
    ("best", FLOAT), ("idle", INT),  # the smallest distance to the place or the target so far, and steps since
    # For LOOK: 1 if it has looked round before from where it starts; the place it then chose; and the places of its grid from
    # where the way to the target was clear. Doors only close, so that no other will ever do.
    ("known", INT), ("via_x", FLOAT), ("via_y", FLOAT), ("sees", "i1", (GRID * GRID,)),
    ("way", FLOAT), ("hit", FLOAT),  # direction along the wall, and distance from the target where it was met
], align=True)  # fmt: skip


@device
def clear_way(s, x, y, u, v):
    """Whether the agent can drive straight from (x, y) to (u, v). A door is no obstacle to an agent in front of it."""
    if abs(u) > s.room_hx - BODY or abs(v) > s.room_hy - BODY:
        return False
    dx = u - x
    dy = v - y
    for k in range(s.n_boxes):
        hx = s.box_hx[k] + BODY
        hy = s.box_hy[k] + BODY
        if passes_by(x, y, dx, dy, s.box_x[k], s.box_y[k], hx + hy):
            continue
        if s.box_kind[k] == DOOR and beyond_door(s, k, x, y) < 0.0:
            continue
        if segment_box(x, y, dx, dy, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], hx, hy) < 1.0:
            return False
    return True


@device
def _gap(s, x, y):
    """The distance (m) from the agent to (x, y)."""
    return math.sqrt((x - s.agent_x) ** 2 + (y - s.agent_y) ** 2)


@device
def _set_out(m, mode, x, y, left):
    """Start to walk in a mode, to the place (x, y), for at most `left` steps."""
    m.mode = mode
    m.x = x
    m.y = y
    m.left = left
    m.best = FAR
    m.idle = 0


@device
def _random_place(s, m):
    """A random place to which the way is clear; (x, y) of the agent if none is found."""
    for _ in range(SAMPLES):
        x = uniform(m, -s.room_hx, s.room_hx)
        y = uniform(m, -s.room_hy, s.room_hy)
        if _gap(s, x, y) > 0.5 and clear_way(s, s.agent_x, s.agent_y, x, y):
            return x, y
    return s.agent_x, s.agent_y


@device
def _place(s, i):
    """Place i of LOOK's grid."""
    return ((i // GRID + 0.5) * 2.0 / GRID - 1.0) * s.room_hx, ((i % GRID + 0.5) * 2.0 / GRID - 1.0) * s.room_hy


@device
def _via(s, m, tx, ty):
    """The place of a grid on the shortest way of two straight legs to (tx, ty); (x, y) of the agent if there is none."""
    best = FAR
    x = s.agent_x
    y = s.agent_y
    for i in range(GRID * GRID):
        if m.sees[i] != 0:
            u, v = _place(s, i)
            d = _gap(s, u, v) + math.sqrt((u - tx) ** 2 + (v - ty) ** 2)
            if d < best and clear_way(s, s.agent_x, s.agent_y, u, v) and clear_way(s, u, v, tx, ty):
                best = d
                x = u
                y = v
    return x, y


@device
def _look(s, m, tx, ty, first):
    """The place by way of which two straight legs lead to (tx, ty); a random place if there is none.

    first: whether the agent is where it starts.
    """
    if first and m.known == 0:
        m.known = 1
        for i in range(GRID * GRID):
            u, v = _place(s, i)
            m.sees[i] = clear_way(s, u, v, tx, ty)
        m.via_x, m.via_y = _via(s, m, tx, ty)
    x = m.via_x
    y = m.via_y
    if not first:
        x, y = _via(s, m, tx, ty)
    if x == s.agent_x and y == s.agent_y:
        return _random_place(s, m)
    return x, y


@device
def _stuck(s, m, x, y):
    """Whether the agent has hardly moved, or come no closer to (x, y) for some steps. Updates m."""
    moved = _gap(s, m.last_x, m.last_y)
    d = _gap(s, x, y)
    m.idle += 1
    if d < m.best - 0.05:
        m.best = d
        m.idle = 0
    return moved < 0.1 or m.idle > PATIENCE


@device
def _choose(s, m, style, tx, ty, first):
    """Where to go from a standstill; `first`: from where the agent starts."""
    if style == RESTART:
        angle = uniform(m, -math.pi, math.pi)
        _set_out(m, ASIDE, s.agent_x + 9.0 * math.cos(angle), s.agent_y + 9.0 * math.sin(angle), 2 + below(m, 7))
    else:
        x, y = _look(s, m, tx, ty, first) if style == LOOK else _random_place(s, m)
        _set_out(m, ASIDE, x, y, 99)


@device
def _follow(s, m, side):
    """Turn m.way to the first clear direction, from the wall on the left (side 1) or right (-1) onwards; the arc along it."""
    first = m.way + side * 0.5 * math.pi
    for i in range(8):
        way = first - side * 0.25 * math.pi * i
        x = s.agent_x + STRIDE * math.cos(way)
        y = s.agent_y + STRIDE * math.sin(way)
        if clear_way(s, s.agent_x, s.agent_y, x, y):
            m.way = wrap(way)
            break
    return arc_to(s, s.agent_x + math.cos(m.way), s.agent_y + math.sin(m.way))


@device
def _walk_along_walls(s, m, side, tx, ty):
    """The next arc of a walker that follows walls."""
    d = _gap(s, tx, ty)
    x = s.agent_x + STRIDE * (tx - s.agent_x) / d
    y = s.agent_y + STRIDE * (ty - s.agent_y) / d
    open_ = clear_way(s, s.agent_x, s.agent_y, x, y)
    if m.mode == FOLLOW and ((open_ and d < m.hit - 0.2) or clear_way(s, s.agent_x, s.agent_y, tx, ty)):
        m.mode = STRAIGHT
    if m.mode == STRAIGHT and not open_:
        m.mode = FOLLOW
        m.hit = d
        m.way = math.atan2(ty - s.agent_y, tx - s.agent_x) - side * 0.5 * math.pi
    return arc_to(s, tx, ty) if m.mode == STRAIGHT else _follow(s, m, side)


@device
def walk(s, m, style):
    """The next arc of a walker of this style."""
    tx = s.disc_x[s.target]
    ty = s.disc_y[s.target]
    if m.started == 0:
        m.started = 1
        m.seed = mix(s.rng)
        m.rng = m.seed
        m.last_x = FAR
        m.last_y = FAR
        m.places = 0
        _set_out(m, STRAIGHT, tx, ty, 99)
        if style == VIA or style == LOOK or style == TWICE:
            _choose(s, m, style, tx, ty, True)
    if style == LEFT_HAND or style == RIGHT_HAND:
        return _walk_along_walls(s, m, 1.0 if style == LEFT_HAND else -1.0, tx, ty)
    if style == LOOK and clear_way(s, s.agent_x, s.agent_y, tx, ty):
        _set_out(m, STRAIGHT, tx, ty, 99)
    elif m.mode == ASIDE:
        arrived = _gap(s, m.x, m.y) < STRIDE
        stuck = _stuck(s, m, m.x, m.y)
        m.left -= 1
        done = arrived or stuck or m.left < 0
        m.places += done
        if done and (style == LOOK or (style == TWICE and m.places < 2)):
            _choose(s, m, style, tx, ty, False)
        elif done:
            m.places = 0
            _set_out(m, STRAIGHT, tx, ty, 99)
    elif _stuck(s, m, tx, ty):
        _choose(s, m, style, tx, ty, False)
    m.last_x = s.agent_x
    m.last_y = s.agent_y
    if m.mode == ASIDE:
        return arc_to(s, m.x, m.y)
    return arc_to(s, tx, ty)
