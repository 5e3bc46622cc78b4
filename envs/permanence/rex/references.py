"""Scripted reference policies of Rex."""

from typing import Any

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.core.view import Belief
from unseen.envs.permanence.rex.motion import spot_behind
from unseen.envs.permanence.rex.rules import COUCH, MAX_DOGS, MAX_PIECES, REACH
from unseen.envs.planar.belief import belief, copy_room, disc_motion, update_belief
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.layout import disc_start
from unseen.envs.planar.navigate import steer_to_disc
from unseen.envs.planar.task import ARCS
from unseen.envs.planar.world import ACT, DT, OBSERVE, STRIDE, TURN

STAY = 3
BELIEF = belief(
    MAX_PIECES, MAX_DOGS,
    # A track per dog: position, velocity, colour of its collar + 1 (0: unknown), whether it matches a slot.
    ("n_tracks", INT), ("track_x", FLOAT, (MAX_DOGS,)), ("track_y", FLOAT, (MAX_DOGS,)), ("track_vx", FLOAT, (MAX_DOGS,)),
    ("track_vy", FLOAT, (MAX_DOGS,)), ("collar", INT, (MAX_DOGS,)), ("matched", INT, (MAX_DOGS,)),
    ("slot_matched", INT, (MAX_DOGS,)),
)  # fmt: skip


@device
def _steer_behind(m, place):
    """The best arc to the spot behind piece `place` that does not look behind another piece on the way.

    Replaces the discs of memory m by the spots; its dogs are no longer needed.
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
    """Knows the answer."""
    if s.phase != ACT:
        return STAY
    copy_room(s, m)
    return _steer_behind(m, s.answer)


@device
def _match(o, m, p, first):
    """The best-matching pair of unmatched slot and track, or (-1, -1). `first`: tracks are new, so any pair matches."""
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
            d = 0.0 if first else (x - m.track_x[i]) ** 2 + (y - m.track_y[i]) ** 2
            if m.track_vx[i] == 0.0 and m.track_vy[i] == 0.0:  # a dog that starts to run was here one step ago
                d = min(d, (x - DT * vx - m.track_x[i]) ** 2 + (y - DT * vy - m.track_y[i]) ** 2)
            if d < best:
                best = d
                track = i
                slot = k
    return slot, track


@device
def _track_dogs(o, m, p):
    """Track every dog by continuity of position and velocity, and store the colour of its collar when it is visible."""
    width = 5 + p.colours
    first = m.n_tracks == 0
    if first:  # at first all dogs stand near and are visible
        for k in range(p.disc_slots):
            m.n_tracks += o[disc_start(p) + width * k] > 0.5
    for i in range(m.n_tracks):
        m.track_x[i] += DT * m.track_vx[i]
        m.track_y[i] += DT * m.track_vy[i]
        m.matched[i] = 0
    for k in range(p.disc_slots):
        m.slot_matched[k] = 0
    for _ in range(m.n_tracks):
        slot, i = _match(o, m, p, first)
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
    """Tracks every dog from slots alone, binds collars to dogs while visible, and remembers the furniture."""
    update_belief(o, m, p, DT, 1.0, 0.0)
    for j in range(m.n_discs):  # dogs are tracked here, not by physics
        m.disc_vx[j] = 0.0
        m.disc_vy[j] = 0.0
    if m.phase == OBSERVE:
        _track_dogs(o, m, p)
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


def tracked(memory: np.ndarray, params: Any) -> Belief:
    """Where the tracker takes the dog with each collar to be; see `Reference.belief`."""
    match = memory["collar"][..., None] == 1 + np.arange(params.sizes.colours)
    which = match.argmax(1)
    xy = [np.take_along_axis(memory[name], which, 1) for name in ("track_x", "track_y")]
    return Belief(match.any(1).astype(float), np.stack(xy, -1))


@device
def reflex(o, m, p):
    """The best memoryless policy: look behind the right piece if that is visible, else behind the nearest one."""
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


@device
def _of_query(s):
    """The dog that is asked for; -1 if furniture is asked for."""
    for j in range(s.n_discs):
        if s.disc_colour[j] == s.wanted:
            return j
    return -1


@device
def _home_of_query(s):
    """The piece behind which the dog that is asked for hides before all meetings; the right piece if furniture is asked for."""
    j = _of_query(s)
    return s.home[j] if j >= 0 else s.answer


@device
def _after(s, p, place, first, last, always):
    """The piece of a dog that starts behind `place`, after rounds first..last-1 of meetings. `always`: as if all passed."""
    for m in range(first * p.pairs, min(last * p.pairs, s.n_meetings)):
        if s.passes[m] == 0 and not always:
            continue
        if place == s.gap[m]:
            place = (place + 1) % s.n_boxes
        elif place == (s.gap[m] + 1) % s.n_boxes:
            place = s.gap[m]
    return place


def _looks_behind(choose):
    """The reference that looks behind the piece choose(s, p), and knows the world."""

    @device
    def act(s, m, p):
        if s.phase != ACT:
            return STAY
        copy_room(s, m)
        return _steer_behind(m, choose(s, p))

    return Reference(by_index(act, ARCS), memory=BELIEF, remembers=False)


@device
def _first_hide(s, p):
    return _home_of_query(s)


@device
def _always_swap(s, p):
    return _after(s, p, _home_of_query(s), 0, s.n_meetings, True)


@device
def _first_round(s, p):
    return _after(s, p, _home_of_query(s), 0, 1, False)


@device
def _last_round(s, p):
    rounds = s.n_meetings // p.pairs
    return _after(s, p, _home_of_query(s), max(rounds - 1, 0), rounds, False)


@device
def _first_two_rounds(s, p):
    return _after(s, p, _home_of_query(s), 0, 2, False)


@device
def _last_two_rounds(s, p):
    rounds = s.n_meetings // p.pairs
    return _after(s, p, _home_of_query(s), max(rounds - 2, 0), rounds, False)


@device
def _any_dog(s, p):
    """The piece behind which dog 0 is: collars are shuffled."""
    for k in range(s.n_boxes):
        if s.behind[k] == 0:
            return k
    return 0


@device
def _odd_piece(s, p):
    """The piece of a kind of its own."""
    couches = 0
    for k in range(s.n_boxes):
        couches += s.box_kind[k] == COUCH
    for k in range(s.n_boxes):
        if (s.box_kind[k] == COUCH) == (couches == 1):
            return k
    return 0


REFERENCES = {
    "oracle": Reference(by_index(oracle, ARCS), memory=BELIEF, remembers=False),
    "tracker": Reference(by_index(tracker, ARCS), reads="slots", memory=BELIEF, belief=tracked),
    "reflex": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF, remembers=False),
    # Each lacks one faculty and has everything else, see `Rex.faculties`.
    "first_hide": _looks_behind(_first_hide),
    "always_swap": _looks_behind(_always_swap),
    "first_round": _looks_behind(_first_round),
    "last_round": _looks_behind(_last_round),
    "first_two_rounds": _looks_behind(_first_two_rounds),
    "last_two_rounds": _looks_behind(_last_two_rounds),
    "any_dog": _looks_behind(_any_dog),
    "odd_piece": _looks_behind(_odd_piece),
    "last_collar": Reference(by_index(reflex, ARCS), reads="slots", memory=BELIEF),
}
