"""A mental map: a believed world of the same record as the true one, filled from slots alone.

What is seen overwrites the belief; what is not seen goes on in it, by the same physics. Scripted agents plan in
this record as an oracle plans in the true one.
"""

import math

from unseen.envs.engine.device import device
from unseen.envs.engine.physics import roll
from unseen.envs.engine.sensors import BY_INDEX, HEAD, SPEED_UNIT, small_start, tall_start, tall_width
from unseen.envs.engine.world import DUSK


@device
def believe(o, m, p, dt, friction, restitution):
    """Bring the believed world m (all zero at an episode's start) up to date with the slots row o.

    Small things are kept by colour (index = colour), or by their own slot where they have one. Tall things are as
    their slots say, or else face the room's centre with the half extents p.depth and p.breadth.
    """
    c = p.colours
    own = p.order == BY_INDEX
    if m.n_small == 0:  # the first row of an episode
        m.n_small = p.slots if own else c
        m.wx = p.room
        m.wy = p.room
        m.ask = -1
        for k in range(m.n_small):
            m.br[k] = p.radius
            m.bk[k] = -1 if own else k
            m.bx[k] = 1e3 * (k + 1)  # nowhere yet: outside of everything
    else:
        roll(m, dt, friction, restitution)  # those not seen yet have no speed and stay nowhere
    m.light = DUSK
    m.touched = -1
    m.held = -1
    if abs(o[2]) + abs(o[3]) > 0.5:
        m.ax = o[0] * p.room
        m.ay = o[1] * p.room
        m.ah = math.atan2(o[3], o[2])
    for i in range(3):
        if o[4 + i] > 0.5:
            m.phase = i
    for i in range(p.asks):
        if o[HEAD + i] > 0.5:
            m.ask = i
        if o[HEAD + p.asks + i] > 0.5:
            m.held = i
    for k in range(p.talls):
        at = tall_start(p) + tall_width(p) * k
        if o[at] > 0.5:
            _remember_tall(o, m, p, at)
    width = 5 + c
    for k in range(p.slots):
        q = small_start(p) + width * k
        if o[q] > 0.5:
            colour = -1
            for i in range(c):
                if o[q + 5 + i] > 0.5:
                    colour = i
            j = colour
            if own:
                j = k
                if colour >= 0:
                    m.bk[j] = colour
            if j < 0:
                continue  # seen, but nobody can tell which one it is
            m.bx[j], m.by[j], m.vx[j], m.vy[j] = told_motion(o, m, p, q)


@device
def told_motion(o, m, p, q):
    """Position and velocity, in the room's frame, of the small thing whose slot begins at o[q]."""
    x, y = to_room(o, m, p, q + 1)
    u = o[q + 3] * SPEED_UNIT
    v = o[q + 4] * SPEED_UNIT
    if p.frame != 0:
        cos = math.cos(m.ah)
        sin = math.sin(m.ah)
        u, v = u * cos - v * sin, u * sin + v * cos
    return x, y, u, v


@device
def to_room(o, m, p, at):
    """The position at o[at:at + 2] in the room's frame, m; needs the believed pose."""
    x = o[at] * p.room
    y = o[at + 1] * p.room
    if p.frame == 0:
        return x, y
    cos = math.cos(m.ah)
    sin = math.sin(m.ah)
    return m.ax + x * cos - y * sin, m.ay + x * sin + y * cos


@device
def _remember_tall(o, m, p, at):
    """Tall things never move: a place that is known already is not entered twice."""
    x, y = to_room(o, m, p, at + 1)
    for j in range(m.n_tall):
        if (m.tx[j] - x) ** 2 + (m.ty[j] - y) ** 2 < 0.01:
            return
    j = m.n_tall
    if j >= p.talls:
        return
    m.tx[j] = x
    m.ty[j] = y
    if p.tall_shape != 0:
        c = o[at + 3]
        n = o[at + 4]
        if p.frame != 0:
            cos = math.cos(m.ah)
            sin = math.sin(m.ah)
            c, n = c * cos - n * sin, c * sin + n * cos
        m.tc[j] = c
        m.ts[j] = n
        m.hx[j] = o[at + 5] * p.room
        m.hy[j] = o[at + 6] * p.room
    else:
        d = math.sqrt(x * x + y * y) + 1e-12
        m.tc[j] = x / d
        m.ts[j] = y / d
        m.hx[j] = p.depth
        m.hy[j] = p.breadth
    for i in range(p.tall_kinds):
        if o[at + 3 + 4 * p.tall_shape + i] > 0.5:
            m.tk[j] = i
    m.n_tall = j + 1
