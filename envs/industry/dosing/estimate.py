"""Estimate of the patient: the most probable parameters, given all doses and readings so far.

Four parameters may differ from those of a typical patient: C50, gamma, ke0 and clearance. At each reading, Gauss-Newton steps fit their
logarithms to all readings, with the population as the prior. If the first observation is not the first of the episode, earlier doses are
known only by their averages.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.dosing.control import PLAN
from unseen.envs.industry.dosing.patients import SD_C50, SD_CL1, SD_GAMMA, SD_KE0, STEP, typical
from unseen.envs.industry.dosing.rules import BIS, CLOCK, FASTEST, LATELY, RATE, SHOWN, TAUS, TOTAL, WHO
from unseen.envs.industry.kit.pharmacology import AWAKE_BIS, C50, DRUG, GAMMA, bis_of, discretise, infuse

MOST_STEPS = 800  # maximum length of an episode
SMALL = 0.02  # change of a logarithm for a difference quotient
FARTHEST = 0.5  # change of a logarithm in one step of the fit
SDS = (SD_C50, SD_GAMMA, SD_KE0, SD_CL1)

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("rates", "f4", (MOST_STEPS,)), ("readings", "f4", (MOST_STEPS,)),  # BIS; -1: none
        ("age", FLOAT), ("height", FLOAT), ("weight", FLOAT), ("male", INT),
        ("off", FLOAT, (4,)), ("c50", FLOAT), ("gamma", FLOAT), ("drug", DRUG),  # logarithms of the deviations; the estimated patient
        ("faster", DRUG), ("clearer", DRUG), ("curvature", FLOAT, (4, 4)), ("slope", FLOAT, (4,)), ("row", FLOAT, (4,)),
        ("plan", PLAN),
    ],
    align=True,
)  # fmt: skip


@device
def believed(d, m, p, ke0, cl1):
    """Set `d` to the estimated patient before any dose. ke0, cl1: logarithms of the deviations of ke0 and clearance."""
    typical(d, m.age, m.height, m.weight, m.male, p)
    d.ke0 *= math.exp(ke0)
    d.k10 *= math.exp(cl1)
    discretise(d, STEP)


@device
def recall(o, m, t):
    """Reconstruct the doses before step t from averages: that of the last minutes, and for earlier steps the rest of the total."""
    recent = min(t, int(TAUS[1] / STEP))
    lately = o[LATELY + 1] * FASTEST
    total = o[TOTAL] * 10.0 * m.weight / STEP
    earlier = max(total - lately * recent, 0.0) / (t - recent) if t > recent else 0.0
    for k in range(t):
        m.rates[k] = lately if k >= t - recent else min(earlier, FASTEST)
        m.readings[k] = -1.0


@device
def solve(m):
    """Solve curvature x = slope by Gaussian elimination, with x in place of slope. The matrix is positive definite."""
    a, b = m.curvature, m.slope
    for i in range(4):
        for j in range(i + 1, 4):
            f = a[j, i] / a[i, i]
            for k in range(i, 4):
                a[j, k] -= f * a[i, k]
            b[j] -= f * b[i]
    for i in range(3, -1, -1):
        for j in range(i + 1, 4):
            b[i] -= a[i, j] * b[j]
        b[i] /= a[i, i]


@device
def replay(m, p, t):
    """Set m.drug to the estimated patient's concentrations after the doses of t steps."""
    believed(m.drug, m, p, m.off[2], m.off[3])
    for k in range(t):
        infuse(m.drug, m.rates[k])
    m.c50, m.gamma = C50 * math.exp(m.off[0]), GAMMA * math.exp(m.off[1])


@device
def fit(m, p, t):
    """One Gauss-Newton step towards the most probable patient, given the doses of t steps and all readings."""
    believed(m.drug, m, p, m.off[2], m.off[3])
    believed(m.faster, m, p, m.off[2] + SMALL, m.off[3])
    believed(m.clearer, m, p, m.off[2], m.off[3] + SMALL)
    for i in range(4):
        spread = max(p.variability * SDS[i], 1e-3)
        m.slope[i] = -m.off[i] / spread**2
        for j in range(4):
            m.curvature[i, j] = 1.0 / spread**2 if i == j else 0.0
    precision = 1.0 / max(p.noise, 0.5) ** 2
    for k in range(t):
        infuse(m.drug, m.rates[k])
        infuse(m.faster, m.rates[k])
        infuse(m.clearer, m.rates[k])
        if m.readings[k + 1] >= 0.0 and m.drug.ce > 1e-3:
            predicted = bis_of(m.drug.ce, m.c50, m.gamma)
            steep = m.gamma * predicted * (1.0 - predicted / AWAKE_BIS)  # -dBIS / dlog(Ce)
            m.row[0] = steep
            m.row[1] = -steep * math.log(m.drug.ce / m.c50)
            m.row[2] = (bis_of(m.faster.ce, m.c50, m.gamma) - predicted) / SMALL
            m.row[3] = (bis_of(m.clearer.ce, m.c50, m.gamma) - predicted) / SMALL
            for i in range(4):
                m.slope[i] += precision * m.row[i] * (m.readings[k + 1] - predicted)
                for j in range(4):
                    m.curvature[i, j] += precision * m.row[i] * m.row[j]
    solve(m)
    for i in range(4):
        most = 3.0 * p.variability * SDS[i]
        m.off[i] = min(max(m.off[i] + min(max(m.slope[i], -FARTHEST), FARTHEST), -most), most)
    replay(m, p, t)


@device
def observe(o, m, p, learns):
    """Update the estimate m by an observation o. learns: fit the parameters to readings. Returns the index of the step."""
    t = int(o[CLOCK] * 360.0 + 0.5)
    if m.begun == 0:
        m.begun = 1
        m.age, m.weight, m.height = o[WHO] * 100.0, o[WHO + 1] * 100.0, o[WHO + 2] * 100.0
        m.male = int(o[WHO + 3] + 0.5)
        recall(o, m, t)
        replay(m, p, t)
    else:
        m.rates[t - 1] = o[RATE] * FASTEST
        infuse(m.drug, m.rates[t - 1])
    shown = o[SHOWN] > 0.5
    m.readings[t] = o[BIS] * 100.0 if shown else -1.0
    if learns and shown and t > 0:
        for _ in range(1 if p.blind < 6 else 3):
            fit(m, p, t)
    return t
