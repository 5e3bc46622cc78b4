"""Scripted reference policies of Factory."""

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.industry.factory.belief import (
    BELIEF,
    begin,
    next_lane,
    observe,
    parts,
    seen_front,
    to_restart,
)
from unseen.envs.industry.factory.rules import (
    AT_GATE,
    CRACKED,
    GATE,
    JAMMED,
    KINDS,
    NEXT,
    NEXT_KIND,
    OUT,
    RELEASE,
    RESTART,
    ROOM,
    RUNS,
    SCALE,
    SLOTS,
    WAIT,
    coming,
)
from unseen.envs.industry.factory.tunnel import (
    INSIDE,
    LANES,
    distance,
    enter,
    has_room,
    kind_of_first,
    leave,
    nearest,
)

OVERDUE = 15  # steps without an expected part after which a policy that does not notice stops restarts the belts


@device
def gate_of(o):
    """The destination of the gate, as a kind of part."""
    for kind in range(KINDS):
        if o[AT_GATE + kind] > 0.5:
            return kind
    return CRACKED


@device
def meets(q, lane, kind, work):
    """Whether a part that enters this lane now would reach its machine less than `work` steps before or after another part of its kind."""
    if kind == CRACKED:
        return False
    for other in range(LANES):
        for i in range(q.count[other]):
            at = (q.first[other] + i) % INSIDE
            left = q.entered[other, at] + q.length[other] - q.run[other]
            if q.kind[other, at] == kind and abs(left - q.length[lane]) < work:
                return True
    return False


@device
def act(q, lane, gate, front, room0, room1, full, still, p, plans):
    """The action for a tunnel q, as it is or as it is believed to be.

    Args:
        lane: from which the next part comes; -1 for none.
        gate: its destination.
        front: kind of the first waiting part; -1 for none.
        room0, room1: whether the entry of each lane is free.
        full: no waiting slot is free.
        still: a lane has to be restarted.
        plans: release parts so that those of a kind do not reach their machine too close to each other.
    """
    wanted = kind_of_first(q, lane) if lane >= 0 else gate
    if lane >= 0 and distance(q, lane) <= 1 and gate != wanted:
        return GATE + wanted
    if still:
        return RESTART
    if front >= 0:
        for k in range(LANES):
            free = room0 if k == 0 else room1
            if free and not (plans and meets(q, k, front, p.work)):
                return RELEASE + k
        if full and (room0 or room1):
            return RELEASE if room0 else RELEASE + 1
    return GATE + wanted if gate != wanted else WAIT


@device
def oracle(s, m, p):
    """Knows what is in the tunnel, and where."""
    q = s.tunnel
    still = s.stopped[0] == JAMMED or s.stopped[1] == JAMMED
    front = s.slot[0] if s.waiting > 0 else -1
    room0, room1 = has_room(q, 0, p.gap), has_room(q, 1, p.gap)
    return act(q, coming(s), s.gate, front, room0, room1, s.waiting == p.slots, still, p, True)


@device
def follow(o, m, p, sees_stops, lanes, plans):
    """Act on a belief. sees_stops: see `observe`; lanes: number of lanes that are used; plans: see `act`."""
    observe(o, m, p, sees_stops)
    still = to_restart(m)
    if not sees_stops and not p.lamps:
        lane = nearest(m.tunnel)
        still = lane >= 0 and distance(m.tunnel, lane) % OVERDUE == 0 and distance(m.tunnel, lane) < 0
    room0, room1 = m.room[0] > 0, m.room[1] > 0 and lanes > 1
    m.did = act(m.tunnel, next_lane(m), gate_of(o), m.front, room0, room1, o[SLOTS] > 0.99, still, p, plans)
    return m.did


@device
def tracker(o, m, p):
    """Remembers what went into each lane, how far each belt has run, and when it stood still."""
    return follow(o, m, p, True, 2, True)


@device
def greedy(o, m, p):
    """The same, but releases whatever waits as soon as a lane is free."""
    return follow(o, m, p, True, 2, False)


@device
def unstoppable(o, m, p):
    """The tracker, but assumes that the belts always run. It restarts them by the lamps or, without lamps, when a part is overdue."""
    return follow(o, m, p, False, 2, True)


@device
def one_lane(o, m, p):
    """The tracker, but uses only the first lane, from which parts come out in the order in which they went in."""
    return follow(o, m, p, True, 1, True)


@device
def in_order(o, m, p):
    """Believes that parts come out in the order in which they went in, whatever the lane."""
    if m.begun == 0:
        begin(m, o)
    else:
        if RELEASE <= m.did < GATE and m.front >= 0 and m.room[m.did - RELEASE]:
            enter(m.tunnel, 0, m.front)
        if o[OUT] > 0.5 and m.tunnel.count[0] > 0:
            leave(m.tunnel, 0)
    lit = True
    for k in range(LANES):
        m.room[k] = o[ROOM + k] > 0.5
        lit = lit and o[RUNS + k] > 0.25
    m.late[0] = 0 if o[OUT] > 0.5 else m.late[0] + 1  # steps since a part came out
    m.front = seen_front(o)
    q, gate = m.tunnel, gate_of(o)
    wanted = kind_of_first(q, 0) if q.count[0] > 0 else gate
    still = not lit if p.lamps else m.late[0] > 3 * OVERDUE and m.late[0] % OVERDUE == 0
    if gate != wanted:
        m.did = GATE + wanted
    elif still and m.did != RESTART:
        m.did = RESTART
    elif m.front >= 0 and m.room[0] + m.room[1] > 0:
        m.did = RELEASE if m.room[0] else RELEASE + 1
    else:
        m.did = WAIT
    return m.did


@device
def as_last(o, m, p):
    """Sets the gate for the part that went in last; otherwise acts on the present observation, as `reflex`."""
    if m.begun == 0:
        m.begun = 1
        m.front = CRACKED
    gate, front = gate_of(o), seen_front(o)
    if gate != m.front:
        return GATE + m.front
    for k in range(LANES):
        if front >= 0 and o[ROOM + k] > 0.5:
            m.front = front
            return RELEASE + k
    return RESTART if p.lamps and (o[RUNS] < 0.25 or o[RUNS + 1] < 0.25) else WAIT


@device
def reflex(o, m, p):
    """Acts on the present observation: sets the gate for the part seen through the glass, or else for the bin."""
    gate, front, wanted = gate_of(o), seen_front(o), CRACKED
    if o[NEXT] > 0.5:
        for kind in range(KINDS):
            if o[NEXT_KIND + kind] > 0.5:
                wanted = kind
    soon = o[NEXT] > 0.5 and o[NEXT + 1] * SCALE <= 1.5
    if gate != wanted and (soon or o[NEXT] < 0.5):
        return GATE + wanted
    if p.lamps and (o[RUNS] < 0.25 or o[RUNS + 1] < 0.25):
        return RESTART
    for k in range(LANES):
        if front >= 0 and o[ROOM + k] > 0.5:
            return RELEASE + k
    return GATE + wanted if gate != wanted else WAIT


ACTIONS: dict[str, tuple[float, ...]] = {
    name: (float(k),)
    for k, name in enumerate(
        (
            "wait",
            "into the first lane",
            "into the second lane",
            "gate to 1",
            "gate to 2",
            "gate to 3",
            "gate to the bin",
            "restart",
        )
    )
}
REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS)),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="panel", memory=BELIEF, belief=parts),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="panel"),
    "greedy": Reference(by_index(greedy, ACTIONS), reads="panel", memory=BELIEF, belief=parts),
    "as-last": Reference(by_index(as_last, ACTIONS), reads="panel", memory=BELIEF),
    "in-order": Reference(by_index(in_order, ACTIONS), reads="panel", memory=BELIEF),
    "one-lane": Reference(by_index(one_lane, ACTIONS), reads="panel", memory=BELIEF, belief=parts),
    "unstoppable": Reference(by_index(unstoppable, ACTIONS), reads="panel", memory=BELIEF, belief=parts),
}
