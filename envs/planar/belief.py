"""A mental map: a believed world with the same fields as the true one, filled from slots alone.

What is seen overwrites the belief; what is not seen keeps moving by the same physics. A scripted agent therefore plans
in this record with the same functions that an oracle uses on the true one. Metres, seconds, radians.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.planar.layout import BY_INDEX, HEAD, SPEED_UNIT, box_start, box_width, disc_start
from unseen.envs.planar.physics import roll
from unseen.envs.planar.world import DUSK, place_box, planar


def belief(boxes: int, discs: int, *fields: tuple, signals: int = 0) -> np.dtype:
    """The dtype of a believed world with a task's own fields; the counterpart of `planar`.

    `started` is 1 once a row has been entered. It also ensures that this dtype is not a prefix of the true world's,
    which Numba would treat as a subtype.
    """
    return planar(boxes, discs, *fields, ("started", INT), signals=signals)


@device
def copy_room(s, m):
    """Copy the room, its boxes and the agent's pose from s to m, for an oracle that adds its own discs to m."""
    m.room_hx = s.room_hx
    m.room_hy = s.room_hy
    m.agent_x = s.agent_x
    m.agent_y = s.agent_y
    m.heading = s.heading
    m.n_boxes = s.n_boxes
    for k in range(s.n_boxes):
        place_box(m, k, s.box_kind[k], s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k])


@device
def update_belief(o, m, p, dt, friction, restitution):
    """Advance the believed world m (all zero when an episode starts) by dt seconds, then enter the slots row o.

    Disc j of the belief has colour j, or with order "index" is the disc in slot j. Discs that have never been seen are
    placed far outside the room. If slots do not give the shape of boxes, these are assumed to face the centre of the
    room, with half depth p.depth and half width p.breadth. Friction and restitution as for `roll`.
    """
    colours = p.colours
    own = p.order == BY_INDEX
    if m.started == 0:  # the first row of an episode
        m.started = 1
        m.n_discs = p.disc_slots if own else colours
        m.room_hx = p.room
        m.room_hy = p.room
        m.query = -1
        for k in range(m.n_discs):
            m.disc_radius[k] = p.radius
            m.disc_colour[k] = -1 if own else k
            m.disc_x[k] = 1e3 * (k + 1)  # not seen yet: far outside the room
    else:
        roll(m, dt, friction, restitution)  # discs not seen yet are at rest
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
    width = 5 + colours
    for k in range(p.disc_slots):
        q = disc_start(p) + width * k
        if o[q] > 0.5:
            colour = -1
            for i in range(colours):
                if o[q + 5 + i] > 0.5:
                    colour = i
            j = colour
            if own:
                j = k
                if colour >= 0:
                    m.disc_colour[j] = colour
            if j < 0:
                continue  # seen, but not identified
            m.disc_x[j], m.disc_y[j], m.disc_vx[j], m.disc_vy[j] = disc_motion(o, m, p, q)


@device
def disc_motion(o, m, p, q):
    """Position (m) and velocity (m/s), in the room's frame, of the disc whose slot starts at o[q]. Reads the pose in m."""
    x, y = to_room_frame(o, m, p, q + 1)
    vx = o[q + 3] * SPEED_UNIT
    vy = o[q + 4] * SPEED_UNIT
    if p.frame != 0:
        cos = math.cos(m.heading)
        sin = math.sin(m.heading)
        vx, vy = vx * cos - vy * sin, vx * sin + vy * cos
    return x, y, vx, vy


@device
def to_room_frame(o, m, p, at):
    """The position o[at:at + 2] in the room's frame, m. Reads the pose in m."""
    x = o[at] * p.room
    y = o[at + 1] * p.room
    if p.frame == 0:
        return x, y
    cos = math.cos(m.heading)
    sin = math.sin(m.heading)
    return m.agent_x + x * cos - y * sin, m.agent_y + x * sin + y * cos


@device
def _remember_box(o, m, p, at):
    """Enter the box whose slot starts at o[at]. Boxes never move, so a box at a known position is skipped."""
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
        cos = o[at + 3]
        sin = o[at + 4]
        if p.frame != 0:
            cos_h = math.cos(m.heading)
            sin_h = math.sin(m.heading)
            cos, sin = cos * cos_h - sin * sin_h, cos * sin_h + sin * cos_h
        m.box_cos[j] = cos
        m.box_sin[j] = sin
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
