"""Estimate of the factory's offsets from tests, by an extended Kalman filter.

Each test gives three margins. The simulation predicts them for the estimated offsets, and difference quotients give their derivatives.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.proving_ground.design import BRIEF, PARTS
from unseen.envs.industry.proving_ground.manoeuvres import RIG, SCENARIO, assemble, perform
from unseen.envs.industry.proving_ground.rules import COUNT, DRAWN, KNOWN, LAST, SHOWN, SURFACES
from unseen.envs.industry.proving_ground.scenarios import FURTHEST, NUMBERS, describe, judge, set_benchmark

SMALL = 0.05  # change of an offset for a difference quotient
CURVED = 0.15  # units: standard deviation of prediction errors, in addition to the noise of a margin

# By family: whether its margins depend on a variable.
TELLS = np.array([
    # bias spring damper compound crush crumple downforce AEB ABS gravity
    [1, 0, 0, 1, 0, 0, 0, 1, 1, 1],
    [1, 0, 0, 1, 0, 0, 1, 0, 1, 1],
    [0, 1, 1, 1, 0, 0, 1, 0, 0, 1],
    [0, 0, 0, 0, 1, 1, 0, 0, 0, 0],
    [0, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 1, 1, 0, 0, 1],
])  # fmt: skip

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("believed", FLOAT, (PARTS,)), ("cov", FLOAT, (PARTS, PARTS)),  # of the offsets
        ("brief", FLOAT, (BRIEF,)), ("numbers", FLOAT, (NUMBERS,)), ("zero", FLOAT, (PARTS,)),
        ("rig", RIG), ("other", RIG), ("scenario", SCENARIO), ("margin", FLOAT, (3,)), ("expected", FLOAT, (3,)),
        ("slope", FLOAT, (3, PARTS)), ("prior", FLOAT, (PARTS,)), ("gain", FLOAT, (PARTS,)),
    ],
    align=True,
)  # fmt: skip


@device
def begin(o, m, p, reads_brief):
    """Start with the brief and the known offsets in the first observation. reads_brief: if not, an average brief is assumed."""
    m.begun = 1
    for i in range(BRIEF):
        m.brief[i] = o[i] if reads_brief else 0.0
    for k in range(PARTS):
        m.believed[k] = o[KNOWN + k]
        for j in range(PARTS):
            m.cov[k, j] = 0.0
        if o[KNOWN + PARTS + k] < 0.5:
            m.cov[k, k] = p.offset * p.offset / 3.0


@device
def predict(o, m, p, k, change):
    """Fill m.margin with the predicted margins of the last test, if offset k differed by `change` from its estimate."""
    for j in range(PARTS):
        m.rig.drawn[j] = o[DRAWN + j]
    m.believed[k] += change
    assemble(m.rig, m.believed)
    m.believed[k] -= change
    perform(m.rig, m.scenario)
    judge(m.rig, m.other, m.scenario, m.brief, p.slack, m.margin)


@device
def learn(o, m, p):
    """Update the estimate by the last test, by those of its margins that are not clipped. A test in which the car spun is not used."""
    family = surface = 0
    for f in range(COUNT):
        if o[LAST + f] > 0.5:
            family = f
    for k in range(len(SURFACES)):
        if o[LAST + COUNT + k] > 0.5:
            surface = k
    for i in range(NUMBERS):
        m.numbers[i] = o[LAST + COUNT + len(SURFACES) + i]
    if o[SHOWN + 3] > 0.5:
        return
    describe(m.scenario, m.brief, family, surface, m.numbers)
    set_benchmark(m.other, m.brief, m.zero)
    perform(m.other, m.scenario)
    predict(o, m, p, 0, 0.0)
    for i in range(3):
        m.expected[i] = m.margin[i]
    for k in range(PARTS):
        m.prior[k] = m.believed[k]
        tells = TELLS[family, k] and m.cov[k, k] > 0.0
        if tells:
            predict(o, m, p, k, SMALL)
        for i in range(3):
            m.slope[i, k] = (m.margin[i] - m.expected[i]) / SMALL if tells else 0.0
    for i in range(3):
        shown = o[SHOWN + i] * FURTHEST
        if abs(shown) < 0.99 * FURTHEST and abs(m.expected[i]) < 0.99 * FURTHEST:
            correct(m, i, shown, p.noise * p.noise + CURVED * CURVED)


@device
def correct(m, i, shown, variance):
    """Update the estimate by margin i, whose measured value is `shown`, with this noise variance."""
    error = shown - m.expected[i]
    spread = variance
    for k in range(PARTS):
        error -= m.slope[i, k] * (m.believed[k] - m.prior[k])
        m.gain[k] = 0.0
        for j in range(PARTS):
            m.gain[k] += m.cov[k, j] * m.slope[i, j]
        spread += m.slope[i, k] * m.gain[k]
    for k in range(PARTS):
        m.believed[k] += m.gain[k] * error / spread
        for j in range(PARTS):
            m.cov[k, j] -= m.gain[k] * m.gain[j] / spread
