"""`slots`: the visible entities, one per slot; and `state`, the same with nothing hidden. See `layout`."""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.head import pose_errs, write_head
from unseen.envs.planar.layout import (
    BY_COLOUR,
    BY_DISTANCE,
    BY_IDENTITY,
    BY_INDEX,
    SPEED_UNIT,
    box_start,
    box_width,
    disc_start,
)
from unseen.envs.planar.sight import identifies_colour, identifies_kind, sees, sees_box
from unseen.envs.planar.world import DUSK, NIGHT, REVEAL

WORLD, ODOMETRY, EGO = 0, 1, 2  # frame of positions: true room frame, room frame by odometry, agent frame


@device
def _frame(s, p):
    """The frame of the positions in a row, and cos and sin of its x axis in the room. Computed once per row."""
    if p.frame != 0:
        return EGO, math.cos(s.heading), math.sin(s.heading)
    if pose_errs(s) != 0:
        return ODOMETRY, math.cos(s.pose_error_heading), -math.sin(s.pose_error_heading)
    return WORLD, 1.0, 0.0


@device
def _place(s, p, frame, o, at, x, y):
    """Write the position (x, y), m, into o[at:at + 2], in the row's frame and in half rooms."""
    frame_of, c, n = frame
    if frame_of == WORLD:
        o[at] = x / p.room
        o[at + 1] = y / p.room
    elif frame_of == ODOMETRY:
        o[at] = ((x - s.agent_x) * c + (y - s.agent_y) * n + s.agent_x + s.pose_error_x) / p.room
        o[at + 1] = ((y - s.agent_y) * c - (x - s.agent_x) * n + s.agent_y + s.pose_error_y) / p.room
    else:
        o[at] = ((x - s.agent_x) * c + (y - s.agent_y) * n) / p.room
        o[at + 1] = ((y - s.agent_y) * c - (x - s.agent_x) * n) / p.room


@device
def _box_slot(s, p, frame, o, slot, k):
    at = box_start(p) + box_width(p) * slot
    o[at] = 1.0
    _place(s, p, frame, o, at + 1, s.box_x[k], s.box_y[k])
    if p.box_shape != 0:
        _, a, b = frame
        o[at + 3] = s.box_cos[k] * a + s.box_sin[k] * b
        o[at + 4] = s.box_sin[k] * a - s.box_cos[k] * b
        o[at + 5] = s.box_hx[k] / p.room
        o[at + 6] = s.box_hy[k] / p.room
    if p.box_kinds != 0 and identifies_kind(s):
        o[at + 3 + 4 * p.box_shape + s.box_kind[k]] = 1.0


@device
def _disc_slot(s, p, frame, o, slot, k):
    at = disc_start(p) + (5 + p.colours) * slot
    o[at] = 1.0
    _place(s, p, frame, o, at + 1, s.disc_x[k], s.disc_y[k])
    if s.disc_vx[k] != 0.0 or s.disc_vy[k] != 0.0:
        _, c, n = frame
        o[at + 3] = (s.disc_vx[k] * c + s.disc_vy[k] * n) / SPEED_UNIT
        o[at + 4] = (s.disc_vy[k] * c - s.disc_vx[k] * n) / SPEED_UNIT
    if identifies_colour(s, k):
        o[at + 5 + s.disc_colour[k]] = 1.0


@device
def write_slots(s, p, o):
    """Write the head and the slots of the visible entities into o, float32 (Layout.size,); see Layout."""
    write_head(s, p, o)
    frame = _frame(s, p)
    if s.light <= NIGHT:
        _touched_slot(s, p, frame, o)
        return
    if p.order == BY_DISTANCE:
        _nearest_first(s, p, frame, o)
        return
    for k in range(s.n_boxes):
        if sees_box(s, k):
            _box_slot(s, p, frame, o, k, k)
    if s.light == DUSK and s.touched < 0:
        return
    for k in range(s.n_discs):
        if sees(s, k):
            _disc_slot(s, p, frame, o, _own_slot(s, p, k), k)


@device
def _touched_slot(s, p, frame, o):
    """Write the touched disc, which is all that can be sensed of discs at night."""
    if s.light == NIGHT and s.touched >= 0:
        _disc_slot(s, p, frame, o, _own_slot(s, p, s.touched), s.touched)


@device
def _own_slot(s, p, k):
    """The slot of visible disc k, for any order except distance."""
    if p.order == BY_COLOUR:
        return s.disc_colour[k]
    if p.order == BY_INDEX:
        return k
    if p.order == BY_DISTANCE:
        return 0
    if p.order == BY_IDENTITY:
        return _identity_slot(s, k)
    slot = 0
    for j in range(s.n_discs):
        if s.disc_colour[j] < s.disc_colour[k]:
            slot += 1
        elif (
            s.disc_colour[j] == s.disc_colour[k]
            and (s.disc_x[j] < s.disc_x[k] or (s.disc_x[j] == s.disc_x[k] and j < k))
            and sees(s, j)
        ):
            slot += 1
    return slot


@device
def _identity_slot(s, k):
    """The slot of its colour if visible, else a remaining slot by bearing, which does not reveal the identity."""
    if identifies_colour(s, k):
        return s.disc_colour[k]
    bearing = math.atan2(s.disc_y[k], s.disc_x[k]) % (2.0 * math.pi)
    taken = 0
    rank = 0
    for j in range(s.n_discs):
        if j == k or not sees(s, j):
            continue
        if identifies_colour(s, j):
            taken |= 1 << s.disc_colour[j]
        elif math.atan2(s.disc_y[j], s.disc_x[j]) % (2.0 * math.pi) < bearing:
            rank += 1
    slot = 0
    while rank > 0 or taken >> slot & 1 != 0:
        rank -= taken >> slot & 1 == 0
        slot += 1
    return slot


@device
def _nearest_first(s, p, frame, o):
    """Write slots by distance, nearest first. Ties, as of a disc and its cover, go by index."""
    last = -1.0
    for slot in range(s.n_boxes):
        best = FAR
        near = -1
        for k in range(s.n_boxes):
            d = (s.box_x[k] - s.agent_x) ** 2 + (s.box_y[k] - s.agent_y) ** 2
            if last < d < best and sees_box(s, k):
                best = d
                near = k
        if near < 0:
            break
        last = best
        _box_slot(s, p, frame, o, slot, near)
    if s.light == DUSK and s.touched < 0:
        return
    last = -1.0
    after = -1
    for slot in range(s.n_discs):
        best = FAR
        near = -1
        for k in range(s.n_discs):
            d = (s.disc_x[k] - s.agent_x) ** 2 + (s.disc_y[k] - s.agent_y) ** 2
            if (last < d or (d == last and k > after)) and d < best and sees(s, k):
                best = d
                near = k
        if near < 0:
            return
        last = best
        after = near
        _disc_slot(s, p, frame, o, slot, near)


@device
def write_lit_slots(s, p, o, query):
    """For `state`: write the slots row with everything revealed and the given query. o may be longer."""
    light = s.light
    shown_query = s.query
    s.light = REVEAL
    s.query = query
    write_slots(s, p, o)
    s.light = light
    s.query = shown_query
