"""A mental map: a believed world of the same record as the true one, filled from slots alone.

What is seen overwrites the belief; what is not seen goes on in it, by the same physics. Scripted agents plan in
this record as an oracle plans in the true one.
"""

import math

from unseen.envs.engine.device import device
from unseen.envs.engine.physics import roll
from unseen.envs.engine.sensors import HEAD, SPEED_UNIT, TALL_WIDTH
from unseen.envs.engine.world import DUSK


@device
def believe(o, m, p, dt, friction, restitution):
    """Bring the believed world m (all zero at an episode's start) up to date with the slots row o.

    Small things are kept by colour: index = colour. Tall things face the room's centre, as the task's
    specification says, with the half extents of the parameters.
    """
    c = p.colours
    if m.n_small == 0:  # the first row of an episode
        m.n_small = c
        m.wx = p.room
        m.wy = p.room
        m.ask = -1
        for k in range(c):
            m.br[k] = p.radius
            m.bk[k] = k
            m.bx[k] = 1e3 * (k + 1)  # nowhere yet: outside of everything
    else:
        roll(m, dt, friction, restitution)  # those not seen yet have no speed and stay nowhere
    m.light = DUSK
    m.touched = -1
    if abs(o[2]) + abs(o[3]) > 0.5:
        m.ax = o[0] * p.room
        m.ay = o[1] * p.room
        m.ah = math.atan2(o[3], o[2])
    for i in range(3):
        if o[4 + i] > 0.5:
            m.phase = i
    for i in range(c):
        if o[HEAD + i] > 0.5:
            m.ask = i
    at = HEAD + 2 * c
    for k in range(p.occluders):
        if o[at + TALL_WIDTH * k] > 0.5:
            x, y = _room(o, m, p, at + TALL_WIDTH * k + 1)
            _remember_tall(m, p, x, y)
    at += TALL_WIDTH * p.occluders
    width = 5 + c
    for k in range(p.slots):
        q = at + width * k
        if o[q] > 0.5:
            colour = 0
            for i in range(c):
                if o[q + 5 + i] > 0.5:
                    colour = i
            m.bx[colour], m.by[colour] = _room(o, m, p, q + 1)
            u = o[q + 3] * SPEED_UNIT
            v = o[q + 4] * SPEED_UNIT
            if p.frame != 0:
                cos = math.cos(m.ah)
                sin = math.sin(m.ah)
                u, v = u * cos - v * sin, u * sin + v * cos
            m.vx[colour] = u
            m.vy[colour] = v


@device
def _room(o, m, p, at):
    x = o[at] * p.room
    y = o[at + 1] * p.room
    if p.frame == 0:
        return x, y
    cos = math.cos(m.ah)
    sin = math.sin(m.ah)
    return m.ax + x * cos - y * sin, m.ay + x * sin + y * cos


@device
def _remember_tall(m, p, x, y):
    """Tall things never move: a place that is known already is not entered twice."""
    for j in range(m.n_tall):
        if (m.tx[j] - x) ** 2 + (m.ty[j] - y) ** 2 < 0.01:
            return
    j = m.n_tall
    if j >= p.occluders:
        return
    d = math.sqrt(x * x + y * y) + 1e-12
    m.tx[j] = x
    m.ty[j] = y
    m.tc[j] = x / d
    m.ts[j] = y / d
    m.hx[j] = p.depth
    m.hy[j] = p.breadth
    m.n_tall = j + 1
