"""A mental map: a believed world of the same record as the true one, filled from slots alone.

What is seen overwrites the belief; what is not seen goes on in it, by the same physics. Scripted agents plan in
this record as an oracle plans in the true one.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.planar.layout import BY_INDEX, HEAD, SPEED_UNIT, box_start, box_width, disc_start
from unseen.envs.planar.physics import roll
from unseen.envs.planar.world import DUSK, place_box, planar


def belief(boxes: int, discs: int, *fields: tuple, signals: int = 0) -> np.dtype:
    """The dtype of a believed world, as `planar` makes a true one. (`started` also keeps it from being the beginning of
    the true world's dtype, which Numba would take for a subtype.)"""
    return planar(boxes, discs, *fields, ("started", INT), signals=signals)


@device
def copy_scene(s, m):
    """Copy the room, the agent and the boxes of the world s into the memory m, in which an oracle may then plan."""
    m.room_hx, m.room_hy = s.room_hx, s.room_hy
    m.agent_x, m.agent_y, m.heading = s.agent_x, s.agent_y, s.heading
    m.n_boxes = s.n_boxes
    for k in range(s.n_boxes):
        place_box(m, k, s.box_kind[k], s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k])


@device
def update_belief(o, m, p, dt, friction, restitution):
    """Bring the believed world m (all zero at an episode's start) up to date with the slots row o.

    Discs are kept by colour (index = colour), or by their own slot where they have one. Boxes are as
    their slots say, or else face the room's centre with the half extents p.depth and p.breadth.
    """
    c = p.colours
    own = p.order == BY_INDEX
    if m.started == 0:  # the first row of an episode
        m.started = 1
        m.n_discs = p.disc_slots if own else c
        m.room_hx = p.room
        m.room_hy = p.room
        m.query = -1
        for k in range(m.n_discs):
            m.disc_radius[k] = p.radius
            m.disc_colour[k] = -1 if own else k
            m.disc_x[k] = 1e3 * (k + 1)  # nowhere yet: outside of everything
    else:
        roll(m, dt, friction, restitution)  # those not seen yet have no speed and stay nowhere
    m.light = DUSK
    m.touched = -1
    m.contact = -1
    if abs(o[2]) + abs(o[3]) > 0.5:
        m.agent_x = o[0] * p.room
        m.agent_y = o[1] * p.room
        m.heading = math.atan2(o[3], o[2])
    for i in range(3):
        if o[4 + i] > 0.5:
            m.phase = i
    for i in range(p.queries):
        if o[HEAD + i] > 0.5:
            m.query = i
        if o[HEAD + p.queries + i] > 0.5:
            m.contact = i
    for k in range(p.box_slots):
        at = box_start(p) + box_width(p) * k
        if o[at] > 0.5:
            _remember_box(o, m, p, at)
    width = 5 + c
    for k in range(p.disc_slots):
        q = disc_start(p) + width * k
        if o[q] > 0.5:
            colour = -1
            for i in range(c):
                if o[q + 5 + i] > 0.5:
                    colour = i
            j = colour
            if own:
                j = k
                if colour >= 0:
                    m.disc_colour[j] = colour
            if j < 0:
                continue  # seen, but nobody can tell which one it is
            m.disc_x[j], m.disc_y[j], m.disc_vx[j], m.disc_vy[j] = disc_motion(o, m, p, q)


@device
def disc_motion(o, m, p, q):
    """Position and velocity, in the room's frame, of the disc whose slot begins at o[q]."""
    x, y = to_room_frame(o, m, p, q + 1)
    u = o[q + 3] * SPEED_UNIT
    v = o[q + 4] * SPEED_UNIT
    if p.frame != 0:
        cos = math.cos(m.heading)
        sin = math.sin(m.heading)
        u, v = u * cos - v * sin, u * sin + v * cos
    return x, y, u, v


@device
def to_room_frame(o, m, p, at):
    """The position at o[at:at + 2] in the room's frame, m; needs the believed pose."""
    x = o[at] * p.room
    y = o[at + 1] * p.room
    if p.frame == 0:
        return x, y
    cos = math.cos(m.heading)
    sin = math.sin(m.heading)
    return m.agent_x + x * cos - y * sin, m.agent_y + x * sin + y * cos


@device
def _remember_box(o, m, p, at):
    """Boxes never move: a place that is known already is not entered twice."""
    x, y = to_room_frame(o, m, p, at + 1)
    for j in range(m.n_boxes):
        if (m.box_x[j] - x) ** 2 + (m.box_y[j] - y) ** 2 < 0.01:
            return
    j = m.n_boxes
    if j >= p.box_slots:
        return
    m.box_x[j] = x
    m.box_y[j] = y
    if p.box_shape != 0:
        c = o[at + 3]
        n = o[at + 4]
        if p.frame != 0:
            cos = math.cos(m.heading)
            sin = math.sin(m.heading)
            c, n = c * cos - n * sin, c * sin + n * cos
        m.box_cos[j] = c
        m.box_sin[j] = n
        m.box_hx[j] = o[at + 5] * p.room
        m.box_hy[j] = o[at + 6] * p.room
    else:
        d = math.sqrt(x * x + y * y) + 1e-12
        m.box_cos[j] = x / d
        m.box_sin[j] = y / d
        m.box_hx[j] = p.depth
        m.box_hy[j] = p.breadth
    for i in range(p.box_kinds):
        if o[at + 3 + 4 * p.box_shape + i] > 0.5:
            m.box_kind[j] = i
    m.n_boxes = j + 1
