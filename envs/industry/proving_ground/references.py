"""Scripted reference policies of ProvingGround."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.proving_ground.design import PARTS, benchmark
from unseen.envs.industry.proving_ground.estimate import ESTIMATE, begin, learn
from unseen.envs.industry.proving_ground.rules import CLOCK, COMMIT, COUNT, DRAWN, FAMILY, KNOWN, MOST, SUMMARY, SURFACE

UNIVERSAL = np.zeros(PARTS)  # the best fixed design
# Tests of the tracker: family, surface, then speed, severity, roughness and slope.
TESTS = np.array([
    [3, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0], [5, 2, 0, 0, 0, 0], [0, 0, 0, 0, -1, 0], [2, 0, 1, 0, 0, 0],
    [1, 0, 0, 0, -1, 0], [0, 2, 0, 0, -1, 0], [5, 0, 0, 0, 0, 0], [1, 1, 0, 0, -1, 1], [2, 1, 0, 0, 0, 0],
])  # fmt: skip
PORTFOLIO = 3  # number of prototypes that are tested, once in each family
SPREAD = 0.5  # half width of the portfolio around the best fixed design


@device
def clip(x):
    return min(max(x, -1.0), 1.0)


@device
def ask(a, family, surface):
    """Set the action a to a test in a scenario of this family and surface, in the middle of its ranges, without committing."""
    a[FAMILY] = (2 * family + 1) / COUNT - 1.0
    a[SURFACE] = (2 * surface + 1) / 3 - 1.0
    for i in range(SURFACE + 1, COMMIT):
        a[i] = 0.0
    a[COMMIT] = -1.0


@device
def oracle(s, m, p, a):
    """Knows the offsets: draws the car that is built as the benchmark car, and commits."""
    ask(a, 0, 0)
    for k in range(PARTS):
        a[k] = clip(benchmark(s.brief, k) - s.offset[k])
    a[COMMIT] = 1.0


@device
def reflex(o, m, p, a):
    """Uses the brief and the known offsets, and commits without a test."""
    ask(a, 0, 0)
    for k in range(PARTS):
        a[k] = clip(benchmark(o, k) - o[KNOWN + k])
    a[COMMIT] = 1.0


@device
def universal(o, m, p, a):
    """Commits to the best fixed design."""
    ask(a, 0, 0)
    for k in range(PARTS):
        a[k] = UNIVERSAL[k]
    a[COMMIT] = 1.0


@device
def design(o, m, p, a, reads_brief):
    """Tests one prototype, estimates the offsets from it, and commits to a second design. reads_brief: see `begin`."""
    t = int((1.0 - o[CLOCK]) * MOST + 0.5)
    if m.begun == 0:
        begin(o, m, p, reads_brief)
    if t > 0:
        learn(o, m, p)
    if t < len(TESTS):
        ask(a, TESTS[t, 0], TESTS[t, 1])
        for i in range(4):
            a[SURFACE + 1 + i] = TESTS[t, 2 + i]
    else:
        ask(a, 0, 0)
        a[COMMIT] = 1.0
    for k in range(PARTS):
        a[k] = o[DRAWN + k] if 0 < t < len(TESTS) else clip(benchmark(m.brief, k) - m.believed[k])


@device
def tracker(o, m, p, a):
    """Estimates the offsets from tests, and designs for the brief."""
    design(o, m, p, a, True)


@device
def briefless(o, m, p, a):
    """The same, but it assumes the average brief."""
    design(o, m, p, a, False)


@device
def candidate(k, i):
    """Variable k of the i-th design of the portfolio; the first is the best fixed design."""
    x = 0.5 + (i * (k + 1)) * 0.6180339887498949
    return UNIVERSAL[k] + (SPREAD * (2.0 * (x - int(x)) - 1.0) if i > 0 else 0.0)


@device
def portfolio(o, m, p, a):
    """Tests some designs in all families, and commits to the one whose worst margin is the best."""
    t = int((1.0 - o[CLOCK]) * MOST + 0.5)
    if t > 0 and t % COUNT == 0:
        worst = 9.0
        for f in range(COUNT):
            worst = min(worst, o[SUMMARY + COUNT + f])
        if t == COUNT or worst > m.best:
            m.best, m.which = worst, t // COUNT - 1
    now = min(t // COUNT, PORTFOLIO)
    ask(a, t % COUNT, 0)
    if now == PORTFOLIO:
        now = m.which
        a[COMMIT] = 1.0
    for k in range(PARTS):
        a[k] = candidate(k, now)


BEST = np.dtype([("best", FLOAT), ("which", INT)], align=True)
REFERENCES = {
    "oracle": Reference(oracle),
    "tracker": Reference(tracker, reads="file", memory=ESTIMATE),
    "reflex": Reference(reflex, reads="file"),
    "universal": Reference(universal, reads="file"),
    "briefless": Reference(briefless, reads="file", memory=ESTIMATE),
    "portfolio": Reference(portfolio, reads="file", memory=BEST),
}
