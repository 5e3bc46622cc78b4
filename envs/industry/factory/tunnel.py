"""The tunnel of Factory: two lanes of a belt, on which parts stay in order. Distances are in steps of a running belt.

The same functions move the true parts and those that a policy believes to be inside.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT

LANES, INSIDE = 2, 32  # lanes, and parts that a lane has room for
NOWHERE = 10_000  # distance of a part from the end of an empty lane
FREE = -1_000  # where the last part of a lane is that had none yet

TUNNEL = np.dtype(
    [
        ("length", INT, (LANES,)), ("run", INT, (LANES,)),  # of a lane, and how far its belt has run
        ("last", INT, (LANES,)),  # how far it had run when the last part entered
        ("first", INT, (LANES,)), ("count", INT, (LANES,)),  # of its parts: a ring
        ("kind", INT, (LANES, INSIDE)), ("entered", INT, (LANES, INSIDE)),  # what they are, and at which `run` they entered
    ],
    align=True,
)  # fmt: skip


@device
def empty(q):
    """Take all parts out, and set the belts to where they have not run."""
    for lane in range(LANES):
        q.run[lane] = q.first[lane] = q.count[lane] = 0
        q.last[lane] = FREE
        for i in range(INSIDE):
            q.kind[lane, i] = q.entered[lane, i] = 0


@device
def has_room(q, lane, gap):
    """Whether the last part is far enough from the entry for another."""
    return q.count[lane] < INSIDE and q.run[lane] - q.last[lane] >= gap


@device
def enter(q, lane, kind):
    """Put a part on a lane that has room."""
    at = (q.first[lane] + q.count[lane]) % INSIDE
    q.kind[lane, at] = kind
    q.entered[lane, at] = q.last[lane] = q.run[lane]
    q.count[lane] += 1


@device
def distance(q, lane):
    """How far the first part of a lane is from its end; NOWHERE if there is none."""
    if q.count[lane] == 0:
        return NOWHERE
    return q.entered[lane, q.first[lane]] + q.length[lane] - q.run[lane]


@device
def nearest(q):
    """The lane whose first part is nearest to the end; -1 if the tunnel is empty."""
    a, b = distance(q, 0), distance(q, 1)
    if a == NOWHERE and b == NOWHERE:
        return -1
    return 0 if a <= b else 1


@device
def kind_of_first(q, lane):
    """What the first part of a lane is."""
    return q.kind[lane, q.first[lane]]


@device
def leave(q, lane):
    """Take the first part out of a lane, and return what it is."""
    kind = kind_of_first(q, lane)
    q.first[lane] = (q.first[lane] + 1) % INSIDE
    q.count[lane] -= 1
    return kind
