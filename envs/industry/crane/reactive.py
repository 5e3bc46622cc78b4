"""Policies without an estimate of the swing, or without a plan for it: a reflex, a zero-vibration shaper, and straight steering."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.crane.control import DELIVER, MAINTAIN, act, foresee, must_maintain, ride
from unseen.envs.industry.crane.rules import (
    ANGLE,
    CLOCK,
    FASTEST,
    GAUGE,
    GAUGED,
    HOIST,
    LOG,
    LOWER,
    NEAR,
    RATE,
    ROPE,
    SECONDS,
    SEEN,
    SERVICED,
    SPEED,
    STEPS,
    WAY,
)
from unseen.envs.industry.kit.pendulum import frequency

SEEN_PUSH, UNSEEN_PUSH = (
    0.6,
    0.3,
)  # m/s^2: maximum acceleration of the reflex while the load is seen, and while it is not
ENOUGH = 0.9  # expected quality at which the reflex sets the load down
STEER = (
    0.15,
    1.2,
    0.4,
)  # gain from distance to speed, 1/s; from speed error to acceleration, 1/s; maximum acceleration, m/s^2
GENTLE = 0.3  # m/s^2, acceleration of the shaped move
SHAPED = np.dtype([("begun", INT), ("start", FLOAT), ("way", FLOAT)], align=True)


@device
def maintains(o, p):
    """Whether to call for maintenance: by the gauge or else the log, and the distance to go."""
    wear = o[GAUGE] if o[GAUGED] > 0.5 else o[LOG]
    return o[CLOCK] * STEPS < 2.5 and o[SERVICED] == 0.0 and must_maintain(wear, o[WAY] * 10.0, p.wear)


@device
def react(o, m, p):
    """Index of an action from the present observation: a plan for the load as it is seen or, if it is not, for one that hangs still."""
    if maintains(o, p):
        return MAINTAIN
    way, lower = o[WAY] * 10.0, o[LOWER] * 10.0
    length = o[ROPE] * 10.0 if o[GAUGED] > 0.5 else o[HOIST] * 10.0
    worth = foresee(o[ANGLE], o[RATE], length, way, o[SPEED], lower)
    t, most = int(o[CLOCK] * STEPS + 0.5), SEEN_PUSH if o[SEEN] > 0.5 else UNSEEN_PUSH
    return ride(m, way, o[SPEED], o[ANGLE], o[RATE], length, lower, worth, t, most, ENOUGH)


@device
def steer(o, m, p, worth):
    """Index of an action that brings the trolley to the target, at a speed set by the distance to go, without regard to the swing.

    worth: expected quality; from .5 on, the load is set down.
    """
    if maintains(o, p):
        return MAINTAIN
    if worth >= 0.5 or o[CLOCK] * STEPS > STEPS - 2.5:
        return DELIVER
    near, firm, most = STEER
    way = o[WAY] * 10.0
    fast = min(near * abs(way), math.sqrt(most * abs(way)), FASTEST)
    wanted = fast if way > 0.0 else -fast
    return act(min(max(firm * (wanted - o[SPEED]), -most), most), o[LOWER] * 10.0)


@device
def moved(time, way, most):
    """Speed, m/s, at `time` s of a trapezoidal move over `way` m with acceleration `most` m/s^2; and the time at which it ends, s."""
    ramp = min(math.sqrt(way / most), FASTEST / most)
    over = ramp + way / (most * ramp)
    return most * max(min(time, ramp, over - time), 0.0), over


@device
def shaped(time, way, length, most):
    """Speed, m/s, at `time` s of a move over `way` > 0 m that leaves a load on a rope of `length` m at rest; and its end, s.

    The zero-vibration shaper (Singer and Seering, J. Dyn. Sys. Meas. Control 112, 1990) without damping: half of the move now, and the
    other half half a period later.
    """
    later = math.pi / frequency(length)
    one, over = moved(time, way, most)
    other, _ = moved(time - later, way, most)
    return 0.5 * (one + other), over + later


@device
def shape(o, m, p):
    """Index of an action: first hoist, then move by the shaper for a rope as long as the hoist's reading (or the gauge), then set down."""
    if maintains(o, p):
        return MAINTAIN
    t, way, lower = o[CLOCK] * STEPS, o[WAY] * 10.0, o[LOWER] * 10.0
    if m.begun == 0 and abs(lower) < NEAR and o[SERVICED] == 0.0:
        m.begun, m.start, m.way = 1, t, max(way, 0.1)
    if m.begun == 0:
        return act(-o[SPEED] / SECONDS, lower)
    length = o[ROPE] * 10.0 if o[GAUGED] > 0.5 else o[HOIST] * 10.0
    time = (t - m.start) * SECONDS
    speed, over = shaped(time + SECONDS, m.way, length, GENTLE)
    if time >= over:
        return DELIVER
    return act((speed - o[SPEED]) / SECONDS, lower)
