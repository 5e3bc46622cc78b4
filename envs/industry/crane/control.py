"""Minimum-energy control of a load whose swing is known: it brings trolley and load to rest at the target.

For a rope of constant length and small swings, four final values are linear in the accelerations: distance, speed, and angle and rate of
the swing. Of all accelerations that bring the four to zero in T s, those with the least integral of their square, and so the least wear,
are

    a = c0 tau + c1 + c2 sin(w tau) + c3 cos(w tau),   tau: time to go

where c solves a linear system with the Gram matrix of these four functions (the controllability Gramian: Kailath, Linear Systems, 1980,
section 9.2). T is the shortest of a series of times for which the trolley can make these accelerations. A policy that plans again at
every step corrects what the plan neglects.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT
from unseen.envs.industry.crane.rules import DRAG, FASTEST, PUSH, SECONDS, STEPS, WINDING, quality
from unseen.envs.industry.kit.pendulum import amplitude, frequency, swing

BRIEFEST = 0.95  # shortest duration of a plan that is tried, in periods of the swing
LONGER = 1.08  # ratio of successive durations that are tried
TIMES = 40  # number of durations that are tried
RIDE, FURTHER = (
    1.2,
    0.35,
)  # m^2/s^3; and per root of a metre: bound on the integral of the squared acceleration of a ride
CHECKS = 16  # points of a plan at which its acceleration and speed are checked
PUSHES = (0.0, 0.1, 0.3, 0.8, -0.1, -0.3, -0.8)  # m/s^2, of the discrete actions; the first is rest
WINDINGS = (0.0, -0.3, 0.3)  # m/s, hoist level, up, down
DELIVER, MAINTAIN = len(PUSHES) * len(WINDINGS), len(PUSHES) * len(WINDINGS) + 1  # indices of the last discrete actions

PLAN = np.dtype([("gram", FLOAT, (4, 5)), ("c", FLOAT, (4,))], align=True)
"""Scratch of a plan: the linear system, and its solution."""


@device
def solve(m):
    """Solve m.gram, four rows with their right-hand sides, into m.c by Gaussian elimination; the matrix is positive definite."""
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
    """Compute the plan m.c, by which trolley and load are at rest at the target, `way` m ahead, after `horizon` s.

    Its times are in units of 1 / w, its lengths in m.

    Args:
        m: scratch of dtype PLAN.
        v: speed of the trolley, m/s.
        angle, rate: of the swing, rad, rad/s.
        length: of the rope, m.
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
    """The plan's acceleration, in units of m w^2, when the time to go is u / w."""
    return m.c[0] * u + m.c[1] + m.c[2] * math.sin(u) + m.c[3] * math.cos(u)


@device
def feasible(m, v, length, horizon, most):
    """Whether the plan stays within accelerations of `most` m/s^2 and the maximum speed of the trolley."""
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
    """The first acceleration, m/s^2, of the shortest feasible plan; arguments as in `plan` and `feasible`."""
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
    """Index in WINDINGS of the hoist speed towards a depth that is `lower` m further down."""
    return 0 if abs(lower) < 0.5 * WINDING * SECONDS else 2 if lower > 0.0 else 1


@device
def act(accel, lower):
    """Index of the discrete action with the acceleration nearest to `accel` m/s^2, and the hoist speed as in `wind`."""
    best, nearest = 0, math.inf
    accel = min(max(accel, -PUSH), PUSH)
    for k in range(len(PUSHES)):
        far = abs(PUSHES[k] - accel)
        if far < nearest:
            best, nearest = k, far
    return best * len(WINDINGS) + wind(lower)


@device
def foresee(angle, rate, length, way, v, lower):
    """The quality of a load that is set down after two steps in which the trolley keeps its speed and the hoist stands still."""
    for _ in range(2):
        angle, rate = swing(angle, rate, length, 0.0, 0.0, DRAG, SECONDS)
    return quality(amplitude(angle, rate, length), way - 2.0 * SECONDS * v - length * angle, lower)


@device
def must_maintain(wear, way, kappa):
    """Whether a ride over `way` m may wear the crane out. wear: so far, 1 is worn out; kappa: wear per m^2/s^3."""
    return wear + kappa * (RIDE + FURTHER * math.sqrt(abs(way))) >= 1.0


@device
def ride(m, way, v, angle, rate, length, lower, worth, t, most, enough):
    """Index of the discrete action: set down if the expected quality `worth` is `enough` (near the end, above 0), else follow a plan."""
    if worth >= enough or (worth > 0.0 and t >= STEPS - 2):
        return DELIVER
    return act(push(m, way, v, angle, rate, length, most), lower)
