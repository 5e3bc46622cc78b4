"""A policy's belief about the contents of the tunnel, from the parts that went in, the lamps, the entry and the beam at the exit.

A belt whose lamp is dark stands still. Without lamps, a stop is noticed when the entry stays occupied too long, or when no part comes out
at the expected time. The belt is then *late* by an unknown amount, until the entry becomes free or a part comes out.
"""

from typing import Any

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT
from unseen.envs.core.view import Belief
from unseen.envs.industry.factory.rules import (
    FRONT,
    GATE,
    KIND,
    KINDS,
    LENGTH,
    OUT,
    RELEASE,
    RESTART,
    ROOM,
    RUNS,
    SCALE,
    WAIT,
)
from unseen.envs.industry.factory.tunnel import (
    INSIDE,
    LANES,
    TUNNEL,
    distance,
    empty,
    enter,
    leave,
    nearest,
)

BELIEF = np.dtype(
    [
        ("begun", INT), ("tunnel", TUNNEL),
        ("did", INT), ("front", INT),  # the last action, and the kind of the first waiting part at that time
        ("runs", INT, (LANES,)), ("room", INT, (LANES,)),  # whether the belt runs and the entry is free, as last shown on the panel
        ("late", INT, (LANES,)),  # 0: runs as believed; 1: stands still; more: steps since the restart
        ("young", INT, (LANES,)),  # number of parts that entered while the lane was late: only their distance to the entry is known
    ],
    align=True,
)  # fmt: skip
PATIENCE = 60  # steps after a restart from which on a late lane is assumed to be jammed again


@device
def seen_front(o):
    """The kind of the first waiting part in an observation o; -1 if none waits."""
    for kind in range(KINDS):
        if o[FRONT] > 0.5 and o[KIND + kind] > 0.5:
            return kind
    return -1


@device
def begin(m, o):
    """Start with an empty tunnel with the lane lengths shown on the panel."""
    m.begun = 1
    m.did = WAIT
    empty(m.tunnel)
    for lane in range(LANES):
        m.tunnel.length[lane] = int(o[LENGTH + lane] * SCALE + 0.5)


@device
def correct(m, lane, run):
    """Correct the position of a belt to `run`. Parts that entered while the lane was late keep their distance to the entry."""
    q = m.tunnel
    by = q.run[lane] - run
    for i in range(min(m.young[lane], q.count[lane])):
        q.entered[lane, (q.first[lane] + q.count[lane] - 1 - i) % INSIDE] -= by
    if m.young[lane] > 0:
        q.last[lane] -= by
    q.run[lane] = run
    m.late[lane] = m.young[lane] = 0


@device
def next_lane(m):
    """The lane from which the next part is expected: a lane that is not late before a late one. -1 if the tunnel is empty."""
    q = m.tunnel
    for lane in range(LANES):
        if m.late[lane] == 0 and m.late[1 - lane] > 0 and distance(q, lane) <= 1:
            return lane
    return nearest(q)


@device
def take_out(m):
    """Remove the part that has come out. This shows how far its belt has run, unless the part had to wait for one of the other lane."""
    q = m.tunnel
    lane = -1
    for k in range(LANES):  # of lanes that are not late, the one whose part has been due for longest
        if distance(q, k) <= 0 and m.late[k] == 0 and (lane < 0 or distance(q, k) < distance(q, lane)):
            lane = k
    for k in range(LANES):
        if (
            lane < 0
            and m.late[k] > 0
            and q.count[k] > 0
            and (m.late[1 - k] == 0 or distance(q, k) <= distance(q, 1 - k))
        ):
            lane = k
    if lane < 0:
        lane = nearest(q)
    if lane < 0:
        return
    if distance(q, lane) > 0 or m.late[lane] > 0:
        correct(m, lane, q.entered[lane, q.first[lane]] + q.length[lane])
    leave(q, lane)


@device
def notice(o, m, p):
    """Without lamps: a lane is late if its entry stays occupied too long, or if no part comes out of it at the expected time."""
    q = m.tunnel
    for lane in range(LANES):
        entry = q.last[lane] + p.gap
        if o[ROOM + lane] < 0.5 and q.run[lane] >= entry:
            q.run[lane] = entry - 1
            m.late[lane] = max(m.late[lane], 1)
        elif o[ROOM + lane] > 0.5 and m.room[lane] == 0 and m.late[lane] > 0:
            if m.young[lane] == 0:
                correct(m, lane, entry)
            else:
                q.run[lane] = entry
        if o[OUT] < 0.5 and distance(q, lane) <= 0:
            q.run[lane] += distance(q, lane) - 1
            m.late[lane] = max(m.late[lane], 1)


@device
def observe(o, m, p, sees_stops):
    """Update the belief m by an observation o. sees_stops: notice belts that stand still; else all belts are assumed to run."""
    if m.begun == 0:
        begin(m, o)
    else:
        q, lane = m.tunnel, m.did - RELEASE
        if RELEASE <= m.did < GATE and m.front >= 0 and m.room[lane]:
            enter(q, lane, m.front)
            m.young[lane] += m.late[lane] > 0
        for k in range(LANES):
            if m.runs[k] or not (p.lamps and sees_stops):
                q.run[k] += 1
            if m.late[k] > 1 or (m.late[k] == 1 and m.did == RESTART):
                m.late[k] += 1
        if o[OUT] > 0.5:
            take_out(m)
        if sees_stops and not p.lamps:
            notice(o, m, p)
    for k in range(LANES):
        m.runs[k], m.room[k] = o[RUNS + k] > 0.75, o[ROOM + k] > 0.5
        if p.lamps:
            m.late[k] = 0 if m.runs[k] else max(m.late[k], 1)
    m.front = seen_front(o)


def parts(memory: np.ndarray, params: Any) -> Belief:
    """Which parts a policy believes to be in the tunnel, and where; see `Reference.belief`."""
    n, q, order = len(memory), memory["tunnel"], np.arange(INSIDE)
    at = (q["first"][..., None] + order) % INSIDE
    kind, entered = (np.take_along_axis(q[name], at, 2) for name in ("kind", "entered"))
    left = entered + (q["length"] - q["run"])[..., None]
    found = np.where((order < q["count"][..., None])[..., None], np.stack([kind, left], -1), np.nan)
    return Belief(np.zeros((n, 0)), np.zeros((n, 0, 2)), parts=found)


@device
def to_restart(m):
    """Whether a lane is believed to stand still, and has not been restarted within the last PATIENCE steps."""
    for lane in range(LANES):
        if m.late[lane] == 1 or m.late[lane] > PATIENCE:
            m.late[lane] = 1
            return True
    return False
