"""Where the load is while nobody sees it, and how long its rope is: a pendulum for every length that the rope may have.

All of them are driven by what trolley and hoist did. A sight of the load tells how far each was off, and so how likely its rope is (Bayes),
and sets all of them to what was seen. Between two sights what is believed is their mean, in which what is not known cancels.
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

ROPES, SPACING = 19, 0.02  # pendulums, and the part of the hoist's reading by which two neighbours differ
NOMINAL = ROPES // 2
OUTSIDE = 0.05  # prior weight of ropes unlike those of training
DRIFT = 0.006  # part of its amplitude by which a pendulum errs for each radian of phase, by unknown drag and the gaps between ropes

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("serviced", INT), ("wear", FLOAT),
        ("hoist", FLOAT), ("phase", FLOAT),  # m at the last step; rad that a load swung since the last sight
        ("angle", FLOAT, (ROPES,)), ("rate", FLOAT, (ROPES,)), ("weight", FLOAT, (ROPES,)),
        ("length", FLOAT), ("now", FLOAT), ("rising", FLOAT),  # what is believed: m, rad, rad/s
        ("plan", PLAN),
    ],
    align=True,
)  # fmt: skip


@device
def factor(i):
    """The length of rope i, in readings of the hoist."""
    return 1.0 + SPACING * (i - NOMINAL)


@device
def see(m, angle, rate):
    """Set all pendulums to what is seen."""
    m.phase = 0.0
    for i in range(ROPES):
        m.angle[i], m.rate[i] = angle, rate


@device
def begin(m, o, p):
    """Believe in any rope, and, if the load is not seen, in no swing."""
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
    """All pendulums swing on for the step that is over; the trolley wears."""
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
    """How likely each rope is by a sight of the load, before the pendulums are set to it."""
    w = frequency(o[HOIST] * 10.0)
    kicked = m.phase / (w * SECONDS) * (p.gust / w) ** 2
    sights = (1.0 + 1.0 / (w * w)) * p.noise * p.noise + kicked + 1e-6
    best = -math.inf
    for i in range(ROPES):
        length = o[HOIST] * 10.0 * factor(i)
        da, dr = o[ANGLE] - m.angle[i], (o[RATE] - m.rate[i]) / w
        wide = DRIFT * m.phase * amplitude(m.angle[i], m.rate[i], length)
        variance = sights + wide * wide
        # Student's distribution: a sight that no rope explains, as after a gust, must not settle which it is.
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
    """Take in an observation. With `learns`, sights tell how long the rope is; else it is as long as the hoist says."""
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
    """The quality to be expected if the load is set down by the next two steps."""
    if not learns:
        return foresee(m.angle[NOMINAL], m.rate[NOMINAL], m.hoist, o[WAY] * 10.0, o[SPEED], o[LOWER] * 10.0)
    total = 0.0
    for i in range(ROPES):
        if m.weight[i] > 1e-3:
            length = m.hoist * factor(i)
            total += m.weight[i] * foresee(m.angle[i], m.rate[i], length, o[WAY] * 10.0, o[SPEED], o[LOWER] * 10.0)
    return total
