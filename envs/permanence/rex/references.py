"""Scripted players of Rex."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.permanence.rex.rules import DT, REACH, SMALL, STRIDE, TALL, TURN, _spot
from unseen.envs.planar.belief import belief, copy_scene, disc_motion, update_belief
from unseen.envs.planar.layout import (
    disc_start,
)
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, OBSERVE

STAY = 3
# For planning, the discs' own places while the spots behind furniture stand for discs.
KEPT = (("kx", FLOAT, (TALL,)), ("ky", FLOAT, (TALL,)))
PLAN = belief(TALL, SMALL, *KEPT)
BELIEF = belief(
    TALL, SMALL, *KEPT,
    # Tracks of dogs: place, velocity, colour of the collar + 1 or 0; whether a track, and a slot, is matched.
    ("tracks", INT), ("gx", FLOAT, (SMALL,)), ("gy", FLOAT, (SMALL,)), ("ux", FLOAT, (SMALL,)),
    ("uy", FLOAT, (SMALL,)), ("collar", INT, (SMALL,)), ("mark", INT, (SMALL,)), ("slot", INT, (SMALL,)),
)  # fmt: skip


@device
def _go_behind(s, place):
    """The arc that best begins a way to the spot behind a piece, without a look behind another. While it plans, the
    spots stand in the memory s as discs."""
    n = s.n_discs
    for k in range(TALL):
        s.kx[k] = s.disc_x[k]
        s.ky[k] = s.disc_y[k]
        if k < s.n_boxes:
            s.disc_x[k], s.disc_y[k] = _spot(s, k)
    s.n_discs = s.n_boxes
    arc = steer_to_disc(s, place, s.disc_x[place], s.disc_y[place], REACH, STRIDE, TURN)
    s.n_discs = n
    for k in range(TALL):
        s.disc_x[k] = s.kx[k]
        s.disc_y[k] = s.ky[k]
    return arc


@device
def _nearest_spot(s, x, y):
    best = 1e30
    near = 0
    for k in range(s.n_boxes):
        u, v = _spot(s, k)
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
    copy_scene(s, m)
    return _go_behind(m, s.answer)


@device
def _follow(o, m, p):
    """Keep one track for each dog, by continuity of place and velocity, and the collar that it once showed.

    m.gx, m.gy: where the dog is believed to be; m.ux, m.uy: its velocity; m.collar: colour + 1, or 0.
    """
    width = 5 + p.colours
    fresh = m.tracks == 0
    if fresh:  # all dogs stand near and show
        for k in range(p.disc_slots):
            m.tracks += o[disc_start(p) + width * k] > 0.5
    for i in range(m.tracks):
        m.gx[i] += DT * m.ux[i]
        m.gy[i] += DT * m.uy[i]
        m.mark[i] = 0
    for k in range(p.disc_slots):
        m.slot[k] = 0
    for _ in range(m.tracks):  # the pair of a slot and a track that agree best, then the next best
        best = 1e30
        track = -1
        slot = -1
        for k in range(p.disc_slots):
            if o[disc_start(p) + width * k] < 0.5 or m.slot[k] != 0:
                continue
            x, y, u, v = disc_motion(o, m, p, disc_start(p) + width * k)
            for i in range(m.tracks):
                if m.mark[i] != 0:
                    continue
                d = 0.0 if fresh else (x - m.gx[i]) ** 2 + (y - m.gy[i]) ** 2
                if m.ux[i] == 0.0 and m.uy[i] == 0.0:  # who comes out was, a step ago, where its velocity points back
                    d = min(d, (x - DT * u - m.gx[i]) ** 2 + (y - DT * v - m.gy[i]) ** 2)
                if d < best:
                    best = d
                    track = i
                    slot = k
        if track < 0:
            break
        m.mark[track] = 1
        m.slot[slot] = 1
        q = disc_start(p) + width * slot
        m.gx[track], m.gy[track], m.ux[track], m.uy[track] = disc_motion(o, m, p, q)
        for c in range(p.colours):
            if o[q + 5 + c] > 0.5:
                m.collar[track] = c + 1
    for i in range(m.tracks):
        if m.mark[i] == 0 and (m.ux[i] != 0.0 or m.uy[i] != 0.0):  # it has just gone behind something
            m.gx[i], m.gy[i] = _spot(m, _nearest_spot(m, m.gx[i], m.gy[i]))
            m.ux[i] = 0.0
            m.uy[i] = 0.0


@device
def tracker(o, m, p):
    """Follows every dog from slots alone, binds collars to them while these show, and remembers the furniture."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    for j in range(m.n_discs):  # what dogs do is followed here, not by physics
        m.disc_vx[j] = 0.0
        m.disc_vy[j] = 0.0
    if m.phase == OBSERVE:
        _follow(o, m, p)
    if m.phase != ACT or m.query < 0:
        return STAY
    place = 0
    if m.query < p.colours:
        for i in range(m.tracks):
            if m.collar[i] == m.query + 1:
                place = _nearest_spot(m, m.gx[i], m.gy[i])
    else:
        for k in range(m.n_boxes):
            if m.box_kind[k] == m.query - p.colours:
                place = k
    return _go_behind(m, place)


@device
def reflex(o, m, p):
    """The best that one observation allows: go behind what shows to be right, else behind the nearest piece."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    if m.phase != ACT or m.query < 0:
        return STAY
    place = _nearest_spot(m, m.agent_x, m.agent_y)
    if m.query < p.colours:
        for j in range(m.n_discs):
            if m.disc_colour[j] == m.query and m.disc_x[j] < 100.0:
                place = _nearest_spot(m, m.disc_x[j], m.disc_y[j])
    else:
        at = 1e30
        for k in range(m.n_boxes):
            d = (m.box_x[k] - m.agent_x) ** 2 + (m.box_y[k] - m.agent_y) ** 2
            if m.box_kind[k] == m.query - p.colours and d < at:
                at = d
                place = k
    return _go_behind(m, place)


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS), memory=PLAN, remembers=False),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
}
