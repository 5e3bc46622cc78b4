"""How to drive a load whose swing is known: the accelerations of least energy that bring trolley and load to rest at the target.

For a rope of constant length and small swings the way, the speed and the two numbers of the swing are linear in the accelerations. Of
all accelerations that bring the four to zero in T s, those with the least integral of their square, and so the least wear, are

    a = c0 tau + c1 + c2 sin(w tau) + c3 cos(w tau),   tau the time that is left

where c solves a linear system of the Gram matrix of these four functions (the controllability Gramian: Kailath, Linear Systems, 1980,
section 9.2). T is the shortest of a row of times in which the accelerations stay within what the trolley can do. Who plans anew in
each step thereby corrects whatever the plan neglects.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT
from unseen.envs.industry.crane.rules import DRAG, FASTEST, PUSH, SECONDS, STEPS, WINDING, quality
from unseen.envs.industry.kit.pendulum import amplitude, frequency, swing

BRIEFEST = 0.95  # periods of the swing that a plan takes at least
LONGER = 1.08  # ratio of two times that are tried
TIMES = 40
RIDE, FURTHER = 1.2, 0.35  # m^2/s^3, per root of a m: integral of the squared acceleration that a ride may take
CHECKS = 16  # points of a plan at which its acceleration and speed are looked at
PUSHES = (0.0, 0.1, 0.3, 0.8, -0.1, -0.3, -0.8)  # m/s^2, of the discrete actions; the first is rest
WINDINGS = (0.0, -0.3, 0.3)  # m/s, hoist level, up, down
DELIVER, MAINTAIN = len(PUSHES) * len(WINDINGS), len(PUSHES) * len(WINDINGS) + 1  # indices of the last discrete actions

PLAN = np.dtype([("gram", FLOAT, (4, 5)), ("c", FLOAT, (4,))], align=True)
"""Scratch of a plan: the linear system, and its solution."""


@device
def solve(m):
    """Solve m.gram, four rows with their right-hand sides, into m.c by Gauss's elimination; the matrix is positive definite."""
    g = m.gram
    for k in range(4):
        for i in range(k + 1, 4):
            f = g[i, k] / g[k, k]
            for j in range(k, 5):
                g[i, j] -= f * g[k, j]
    for k in range(3, -1, -1):
        total = g[k, 4]
        for j in range(k + 1, 4):
            total -= g[k, j] * m.c[j]
        m.c[k] = total / g[k, k]


@device
def plan(m, way, v, angle, rate, length, horizon):
    """The plan m.c by which the trolley, `way` m before the target, stands there in `horizon` s over a load at rest.

    Its times are in units of 1 / w, its lengths in m.
    """
    w = frequency(length)
    u = w * horizon
    s, c = math.sin(u), math.cos(u)
    swing, swinging = length * angle, length * rate / w  # m
    g = m.gram
    g[0, 0], g[0, 1], g[0, 2], g[0, 3] = u * u * u / 3.0, u * u / 2.0, s - u * c, c + u * s - 1.0
    g[1, 1], g[1, 2], g[1, 3] = u, 1.0 - c, s
    g[2, 2], g[2, 3], g[3, 3] = (u - s * c) / 2.0, s * s / 2.0, (u + s * c) / 2.0
    for i in range(4):
        for j in range(i):
            g[i, j] = g[j, i]
    g[0, 4], g[1, 4] = way - v / w * u, -v / w
    g[2, 4], g[3, 4] = swing * c + swinging * s, swinging * c - swing * s
    solve(m)


@device
def planned(m, u):
    """The plan's acceleration, in units of m w^2, while there is time u / w left."""
    return m.c[0] * u + m.c[1] + m.c[2] * math.sin(u) + m.c[3] * math.cos(u)


@device
def feasible(m, v, length, horizon, most):
    """Whether the plan keeps to accelerations up to `most` m/s^2, and to speeds that the trolley reaches."""
    w = frequency(length)
    part = horizon / CHECKS
    for k in range(CHECKS):
        accel = planned(m, w * (horizon - (k + 0.5) * part)) * w * w
        v += accel * part
        if abs(accel) > most or abs(v) > FASTEST:
            return False
    return True


@device
def push(m, way, v, angle, rate, length, most):
    """The acceleration, m/s^2, with which the shortest feasible plan begins."""
    w = frequency(length)
    horizon = BRIEFEST * 2.0 * math.pi / w
    for _ in range(TIMES):
        plan(m, way, v, angle, rate, length, horizon)
        if feasible(m, v, length, horizon, most):
            break
        horizon *= LONGER
    return planned(m, w * (horizon - 0.5 * SECONDS)) * w * w


@device
def wind(lower):
    """Index of the hoist's speed that leads nearer to a depth `lower` m below."""
    return 0 if abs(lower) < 0.5 * WINDING * SECONDS else 2 if lower > 0.0 else 1


@device
def act(accel, lower):
    """Index of the discrete action with the nearest acceleration, and with the hoist on its way to a depth `lower` m below."""
    best, nearest = 0, math.inf
    accel = min(max(accel, -PUSH), PUSH)
    for k in range(len(PUSHES)):
        far = abs(PUSHES[k] - accel)
        if far < nearest:
            best, nearest = k, far
    return best * len(WINDINGS) + wind(lower)


@device
def foresee(angle, rate, length, way, v, lower):
    """The quality of a load that is set down in two steps, in which trolley and hoist go on as they are."""
    for _ in range(2):
        angle, rate = swing(angle, rate, length, 0.0, 0.0, DRAG, SECONDS)
    return quality(amplitude(angle, rate, length), way - 2.0 * SECONDS * v - length * angle, lower)


@device
def must_maintain(wear, way, kappa):
    """Whether a ride over `way` m may wear the crane out."""
    return wear + kappa * (RIDE + FURTHER * math.sqrt(abs(way))) >= 1.0


@device
def ride(m, way, v, angle, rate, length, lower, worth, t, most, enough):
    """Index of the discrete action: set down a load that is worth `enough` (near the end, anything), else go on by a plan."""
    if worth >= enough or (worth > 0.0 and t >= STEPS - 2):
        return DELIVER
    return act(push(m, way, v, angle, rate, length, most), lower)
