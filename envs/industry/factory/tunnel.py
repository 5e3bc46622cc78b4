"""The tunnel of Factory: two lanes, each with its own belt, on which parts stay in order. Distances are in steps of a running belt.

The same functions are used for the true parts and for those that a policy believes to be inside.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import INT

LANES, INSIDE = 2, 32  # number of lanes; capacity of a lane in parts
NOWHERE = 10_000  # `distance` in an empty lane
FREE = -1_000  # `last` of a lane that no part has entered yet

TUNNEL = np.dtype(
    [
        ("length", INT, (LANES,)), ("run", INT, (LANES,)),  # length of a lane; how far its belt has run
        ("last", INT, (LANES,)),  # `run` when the last part entered
        ("first", INT, (LANES,)), ("count", INT, (LANES,)),  # ring buffer of its parts: index of the first, number
        ("kind", INT, (LANES, INSIDE)), ("entered", INT, (LANES, INSIDE)),  # kind of each part, and `run` when it entered
    ],
    align=True,
)  # fmt: skip


@device
def empty(q):
    """Remove all parts, and reset the belts."""
    for lane in range(LANES):
        q.run[lane] = q.first[lane] = q.count[lane] = 0
        q.last[lane] = FREE
        for i in range(INSIDE):
            q.kind[lane, i] = q.entered[lane, i] = 0


@device
def has_room(q, lane, gap):
    """Whether the lane is not full and its last part is at least `gap` steps from the entry."""
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
    """Distance, in steps, of a lane's first part from its end; NOWHERE if it is empty."""
    if q.count[lane] == 0:
        return NOWHERE
    return q.entered[lane, q.first[lane]] + q.length[lane] - q.run[lane]


@device
def nearest(q):
    """The lane whose first part is nearest to the end; -1 if both are empty."""
    a, b = distance(q, 0), distance(q, 1)
    if a == NOWHERE and b == NOWHERE:
        return -1
    return 0 if a <= b else 1


@device
def kind_of_first(q, lane):
    """The kind of a lane's first part."""
    return q.kind[lane, q.first[lane]]


@device
def leave(q, lane):
    """Remove the first part of a lane, and return its kind."""
    kind = kind_of_first(q, lane)
    q.first[lane] = (q.first[lane] + 1) % INSIDE
    q.count[lane] -= 1
    return kind
