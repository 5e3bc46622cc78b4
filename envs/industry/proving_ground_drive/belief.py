"""A driver's belief about people who are out of sight: where each went, how fast, whether they will come back, and for how long they
have been behind a van; and about the grip of the road, from the deceleration under braking."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.proving_ground_drive.plan import WAY, WAYS, clear, expect_in, expect_out
from unseen.envs.industry.proving_ground_drive.rules import (
    ACCEL,
    AHEAD,
    CONTROL,
    DISTANCE,
    DUE,
    EMPTY,
    MOVES,
    PEDAL,
    SEEN,
    SIDEWAYS,
    SPEED,
    VAN,
    VAN_PARTS,
)
from unseen.envs.industry.proving_ground_drive.street import DOOR, HALF, IN, MOST_VANS, OUT, PLACE, REST

EDGE = -HALF  # m, y of the right edge of the carriageway
TYPICAL = 1.5  # m/s, assumed pace of a person who has only been seen standing
PERSON = np.dtype(
    [
        ("known", INT), ("empty", INT), ("does", INT),
        ("y", FLOAT), ("pace", FLOAT), ("rested", FLOAT), ("due", FLOAT),  # due: s to the carriageway if shown, else -1
    ],
    align=True,
)  # fmt: skip
BELIEF = np.dtype(
    [("person", PERSON, (MOST_VANS,)), ("ways", WAY, (WAYS,)), ("braked", FLOAT)], align=True
)  # braked: largest deceleration under braking so far, m/s^2


@device
def see(q, o, i, glass):
    """Update the belief q by a person in sight, whose part of the observation o begins at index i. glass: their return time is shown."""
    speed = o[i + MOVES] * 3.0
    q.y, q.empty, q.due = o[i + SIDEWAYS] * DOOR, o[i + EMPTY] > 0.5, -1.0
    if q.known == 0:
        q.pace = TYPICAL
    q.known = 1
    if speed != 0.0:
        q.pace = abs(speed)
        q.does = IN if speed < 0.0 else OUT
        q.rested = 0.0
    elif q.y <= PLACE + 0.05:
        if q.does != REST:
            q.does, q.rested = REST, 0.0
        q.rested += CONTROL
        q.due = o[i + DUE] * 10.0 if glass else -1.0
    elif q.does != OUT:  # stands on the carriageway
        q.does = OUT


@device
def imagine(q):
    """Advance the belief about a person out of sight by one step, as if they walked on."""
    if q.does == IN:
        q.y -= q.pace * CONTROL
        if q.y <= PLACE:
            q.y, q.does, q.rested = PLACE, REST, 0.0
    elif q.does == REST:
        q.rested += CONTROL
    else:
        q.y += q.pace * CONTROL
        if q.y >= DOOR - 0.3:
            q.known = 0


@device
def observe(m, o, p):
    """Update the belief m by an observation o."""
    if o[PEDAL] <= -0.99 and o[SPEED] > 0.3:  # below 3 m/s, deceleration shows little of the grip
        m.braked = max(m.braked, -10.0 * o[ACCEL])
    for k in range(MOST_VANS):
        i, q = VAN + k * VAN_PARTS, m.person[k]
        if o[i + AHEAD] < 0.5:
            q.known = 0
        elif o[i + SEEN] > 0.5:
            see(q, o, i, p.glass)
        elif q.known:
            imagine(q)


@device
def foresee(m, o, p):
    """Fill m.ways: when the people known to the driver can be in the way."""
    clear(m.ways)
    for k in range(MOST_VANS):
        q, far = m.person[k], 100.0 * o[VAN + k * VAN_PARTS + DISTANCE]
        if not q.known:
            continue
        first, second = m.ways[2 * k], m.ways[2 * k + 1]
        least, most = max(p.rest - p.spread, 0.2), max(p.rest + p.spread, 0.2)
        if q.does == IN:
            expect_in(first, far, q.y, q.pace)
            if q.empty:
                walk = (q.y - PLACE) / q.pace
                expect_out(second, far, PLACE, q.pace, walk + least, walk + most)
        elif q.does == OUT and q.empty:
            expect_out(first, far, q.y, q.pace, 0.0, 0.0)
        elif q.does == REST and q.empty:
            if q.due >= 0.0:
                expect_out(first, far, EDGE, q.pace, q.due, q.due)
            else:
                expect_out(first, far, PLACE, q.pace, least - q.rested, most - q.rested)
