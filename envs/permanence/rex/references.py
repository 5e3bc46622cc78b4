"""Scripted players of Rex."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.rex.motion import spot_behind
from unseen.envs.permanence.rex.rules import REACH, SMALL, TALL
from unseen.envs.planar.belief import belief, copy_room, disc_motion, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.layout import disc_start
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, TURN

STAY = 3
BELIEF = belief(
    TALL, SMALL,
    # A track for each dog: its place, its velocity, the colour of its collar + 1 (0: unknown), whether a slot fits it.
    ("n_tracks", INT), ("track_x", FLOAT, (SMALL,)), ("track_y", FLOAT, (SMALL,)), ("track_vx", FLOAT, (SMALL,)),
    ("track_vy", FLOAT, (SMALL,)), ("collar", INT, (SMALL,)), ("matched", INT, (SMALL,)),
    ("slot_matched", INT, (SMALL,)),
)  # fmt: skip


@device
def _steer_behind(m, place):
    """The best arc to the spot behind piece `place` that does not look behind another on the way.

    The spots become the discs of the memory m: its dogs are lost, and are not needed any more.
    """
    m.n_discs = m.n_boxes
    for k in range(m.n_boxes):
        m.disc_x[k], m.disc_y[k] = spot_behind(m, k)
    return steer_to_disc(m, place, m.disc_x[place], m.disc_y[place], REACH, STRIDE, TURN)


@device
def _nearest_spot(m, x, y):
    """The piece whose spot is nearest to (x, y)."""
    best = FAR
    near = 0
    for k in range(m.n_boxes):
        u, v = spot_behind(m, k)
        d = (u - x) ** 2 + (v - y) ** 2
        if d < best:
            best = d
            near = k
    return near


@device
def oracle(s, m, p):
    """Knows the answer; stays put until it may move."""
    if s.phase != ACT:
        return STAY
    copy_room(s, m)
    return _steer_behind(m, s.answer)


@device
def _match(o, m, p, fresh):
    """The slot and the track that agree best among those not matched yet, or -1, -1. `fresh`: any track will do."""
    best = FAR
    track = -1
    slot = -1
    for k in range(p.disc_slots):
        q = disc_start(p) + (5 + p.colours) * k
        if o[q] < 0.5 or m.slot_matched[k] != 0:
            continue
        x, y, vx, vy = disc_motion(o, m, p, q)
        for i in range(m.n_tracks):
            if m.matched[i] != 0:
                continue
            d = 0.0 if fresh else (x - m.track_x[i]) ** 2 + (y - m.track_y[i]) ** 2
            if m.track_vx[i] == 0.0 and m.track_vy[i] == 0.0:  # a dog that sets off was here a step ago
                d = min(d, (x - DT * vx - m.track_x[i]) ** 2 + (y - DT * vy - m.track_y[i]) ** 2)
            if d < best:
                best = d
                track = i
                slot = k
    return slot, track


@device
def _follow(o, m, p):
    """Follow every dog by continuity of place and velocity, and keep the colour of its collar once that has shown."""
    width = 5 + p.colours
    fresh = m.n_tracks == 0
    if fresh:  # at first all dogs stand near and show
        for k in range(p.disc_slots):
            m.n_tracks += o[disc_start(p) + width * k] > 0.5
    for i in range(m.n_tracks):
        m.track_x[i] += DT * m.track_vx[i]
        m.track_y[i] += DT * m.track_vy[i]
        m.matched[i] = 0
    for k in range(p.disc_slots):
        m.slot_matched[k] = 0
    for _ in range(m.n_tracks):
        slot, i = _match(o, m, p, fresh)
        if i < 0:
            break
        m.matched[i] = 1
        m.slot_matched[slot] = 1
        q = disc_start(p) + width * slot
        m.track_x[i], m.track_y[i], m.track_vx[i], m.track_vy[i] = disc_motion(o, m, p, q)
        for c in range(p.colours):
            if o[q + 5 + c] > 0.5:
                m.collar[i] = c + 1
    for i in range(m.n_tracks):
        if m.matched[i] == 0 and (m.track_vx[i] != 0.0 or m.track_vy[i] != 0.0):  # it has just gone behind a piece
            m.track_x[i], m.track_y[i] = spot_behind(m, _nearest_spot(m, m.track_x[i], m.track_y[i]))
            m.track_vx[i] = 0.0
            m.track_vy[i] = 0.0


@device
def tracker(o, m, p):
    """Follows every dog from slots alone, binds collars to dogs while they show, and remembers the furniture."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    for j in range(m.n_discs):  # dogs are followed here, and not by physics
        m.disc_vx[j] = 0.0
        m.disc_vy[j] = 0.0
    if m.phase == OBSERVE:
        _follow(o, m, p)
    if m.phase != ACT or m.query < 0:
        return STAY
    place = 0
    if m.query < p.colours:
        for i in range(m.n_tracks):
            if m.collar[i] == m.query + 1:
                place = _nearest_spot(m, m.track_x[i], m.track_y[i])
    else:
        for k in range(m.n_boxes):
            if m.box_kind[k] == m.query - p.colours:
                place = k
    return _steer_behind(m, place)


@device
def reflex(o, m, p):
    """The best that one observation allows: behind the piece that shows to be right, else behind the nearest one."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    if m.phase != ACT or m.query < 0:
        return STAY
    place = _nearest_spot(m, m.agent_x, m.agent_y)
    if m.query < p.colours:
        for j in range(m.n_discs):
            if m.disc_colour[j] == m.query and m.disc_x[j] < 100.0:
                place = _nearest_spot(m, m.disc_x[j], m.disc_y[j])
    else:
        best = FAR
        for k in range(m.n_boxes):
            d = (m.box_x[k] - m.agent_x) ** 2 + (m.box_y[k] - m.agent_y) ** 2
            if m.box_kind[k] == m.query - p.colours and d < best:
                best = d
                place = k
    return _steer_behind(m, place)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS), memory=BELIEF, remembers=False),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
