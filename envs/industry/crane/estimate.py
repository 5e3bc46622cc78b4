"""Estimate of the load's swing while it is not seen, and of the rope's length: one simulated pendulum for each of a grid of lengths.

All pendulums are driven by the motion of trolley and hoist. A sighting of the load gives the prediction error of each, from which the
posterior weight of its length is computed (Bayes), and resets all of them to what was seen. Between sightings the estimate is their
weighted mean.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.crane.control import PLAN, foresee
from unseen.envs.industry.crane.rules import (
    ACCEL,
    ANGLE,
    DRAG,
    GAUGED,
    HOIST,
    LOG,
    LOWER,
    OFFSET,
    RATE,
    RIGHTEST,
    ROPE,
    SECONDS,
    SEEN,
    SERVICED,
    SPEED,
    WAY,
    WOUND,
)
from unseen.envs.industry.kit.pendulum import amplitude, frequency, swing

ROPES, SPACING = (
    19,
    0.02,
)  # number of pendulums; difference of neighbouring lengths, as a fraction of the hoist's reading
NOMINAL = ROPES // 2
OUTSIDE = 0.05  # prior weight of lengths outside the range of training, relative to those inside
DRIFT = 0.006  # error of a pendulum per radian of phase, as a fraction of its amplitude: unknown drag, and the spacing of the grid

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("serviced", INT), ("wear", FLOAT),
        ("hoist", FLOAT), ("phase", FLOAT),  # m at the last step; phase of the swing since the last sighting, rad
        ("angle", FLOAT, (ROPES,)), ("rate", FLOAT, (ROPES,)), ("weight", FLOAT, (ROPES,)),
        ("length", FLOAT), ("now", FLOAT), ("rising", FLOAT),  # the estimate: length, m; angle, rad; its rate, rad/s
        ("plan", PLAN),
    ],
    align=True,
)  # fmt: skip


@device
def factor(i):
    """The length of rope i as a multiple of the hoist's reading."""
    return 1.0 + SPACING * (i - NOMINAL)


@device
def see(m, angle, rate):
    """Set all pendulums to the angle (rad) and rate (rad/s) that were seen."""
    m.phase = 0.0
    for i in range(ROPES):
        m.angle[i], m.rate[i] = angle, rate


@device
def begin(m, o, p):
    """Start with the prior over lengths, and with the swing in the observation (none if the load is not seen)."""
    m.begun = 1
    total = 0.0
    for i in range(ROPES):
        off = abs(factor(i) - 1.0)
        m.weight[i] = 1.0 if RIGHTEST * p.variability - SPACING < off < OFFSET * p.variability + SPACING else OUTSIDE
        total += m.weight[i]
    for i in range(ROPES):
        m.weight[i] /= total
    m.wear = o[LOG]
    see(m, o[ANGLE], o[RATE])


@device
def follow(m, o, p):
    """Advance all pendulums, and the wear of the trolley, by the step that has just ended."""
    winding = o[WOUND]
    for i in range(ROPES):
        f = factor(i)
        m.angle[i], m.rate[i] = swing(
            m.angle[i], m.rate[i], m.hoist * f, winding * f, o[ACCEL], DRAG, SECONDS
        )  # fmt: skip
    m.phase += frequency(m.hoist) * SECONDS
    m.wear += p.wear * o[ACCEL] ** 2 * (1.0 + abs(m.now)) * SECONDS
    if m.serviced > 0 and o[SERVICED] == 0.0:
        m.wear = 0.0
    m.serviced = o[SERVICED] > 0.0


@device
def weigh(m, o, p):
    """Update the weights of the ropes by a sighting of the load, before the pendulums are set to it."""
    w = frequency(o[HOIST] * 10.0)
    kicked = m.phase / (w * SECONDS) * (p.gust / w) ** 2
    sights = (1.0 + 1.0 / (w * w)) * p.noise * p.noise + kicked + 1e-6
    best = -math.inf
    for i in range(ROPES):
        length = o[HOIST] * 10.0 * factor(i)
        da, dr = o[ANGLE] - m.angle[i], (o[RATE] - m.rate[i]) / w
        wide = DRIFT * m.phase * amplitude(m.angle[i], m.rate[i], length)
        variance = sights + wide * wide
        # Student's t distribution: a sighting that no rope explains, as after a gust, must not decide between them.
        unlikely = 2.0 * math.log(1.0 + (da * da + dr * dr) / (4.0 * variance)) + math.log(variance)
        m.weight[i] = math.log(m.weight[i]) - unlikely
        best = max(best, m.weight[i])
    total = 0.0
    for i in range(ROPES):
        m.weight[i] = math.exp(max(m.weight[i] - best, -30.0))
        total += m.weight[i]
    for i in range(ROPES):
        m.weight[i] /= total


@device
def observe(o, m, p, learns):
    """Update the estimate m by an observation o. learns: estimate the rope's length from sightings; else use the hoist's reading."""
    if m.begun == 0:
        begin(m, o, p)
    else:
        follow(m, o, p)
        if o[SEEN] > 0.5:
            if learns:
                weigh(m, o, p)
            see(m, o[ANGLE], o[RATE])
    m.hoist = o[HOIST] * 10.0
    if not learns:
        m.length, m.now, m.rising = m.hoist, m.angle[NOMINAL], m.rate[NOMINAL]
        return
    m.length = m.now = m.rising = 0.0
    for i in range(ROPES):
        m.length += m.weight[i] * m.hoist * factor(i)
        m.now += m.weight[i] * m.angle[i]
        m.rising += m.weight[i] * m.rate[i]
    if o[GAUGED] > 0.5:
        m.length = o[ROPE] * 10.0


@device
def worth(o, m, learns):
    """Expected quality if the load is set down in the next two steps."""
    if not learns:
        return foresee(m.angle[NOMINAL], m.rate[NOMINAL], m.hoist, o[WAY] * 10.0, o[SPEED], o[LOWER] * 10.0)
    total = 0.0
    for i in range(ROPES):
        if m.weight[i] > 1e-3:
            length = m.hoist * factor(i)
            total += m.weight[i] * foresee(m.angle[i], m.rate[i], length, o[WAY] * 10.0, o[SPEED], o[LOWER] * 10.0)
    return total
