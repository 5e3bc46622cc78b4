"""The scenarios that a brief implies, and the limits of a test.

A scenario is a family, a surface and four numbers in [-1, 1]: speed, severity, roughness and slope, each relative to the brief. A
metric may be worse than the benchmark car's in the same scenario by `slack` units, less where the brief emphasises the family. A unit is
half of the span between the 16 % and the 84 % quantile over random designs.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import uniform
from unseen.envs.industry.kit.vehicle import G
from unseen.envs.industry.proving_ground.design import (
    AGILITY,
    CITY,
    EMPHASIS,
    HIGHWAY,
    IMPACT,
    PARTS,
    ROUGH,
    SNOW,
    WET,
    benchmark,
)  # fmt: skip
from unseen.envs.industry.proving_ground.manoeuvres import (
    BRAKING,
    CRASH,
    CURVE,
    LANE,
    RIDE,
    assemble,
    perform,
)  # fmt: skip

GRIPS = (1.0, 0.68, 0.28)  # of typical tyres on the surfaces
HARSH = (
    0.85,
    1.2,
    1.4,
)  # severity of bends and lane changes by surface: closer to the limit of grip where less load shifts
EMPHASISED = 0.5  # fraction of the slack that the strongest emphasis removes
FURTHEST = 4.0  # units: margins are clipped to this
NUMBERS = 4  # of a scenario, beside family and surface
# By family, surface and metric, in the units of `manoeuvres.METRICS`.
UNITS = np.array([
    [[0.50, 0.52, 0.80], [0.50, 0.52, 0.60], [0.52, 0.52, 0.85]],
    [[0.20, 0.20, 0.20], [0.06, 0.06, 0.06], [0.06, 0.06, 0.06]],
    [[0.10, 0.20, 0.012], [0.065, 0.067, 0.007], [0.03, 0.05, 0.003]],
    [[0.19, 1.20, 0.010], [0.19, 1.20, 0.010], [0.19, 1.20, 0.010]],
    [[0.16, 0.012, 0.011], [0.16, 0.012, 0.011], [0.16, 0.012, 0.011]],
    [[0.50, 0.070, 0.068], [0.50, 0.038, 0.068], [0.50, 0.041, 0.068]],
])  # fmt: skip


@device
def share_of(brief, surface):
    """The fraction of scenarios that are on a surface."""
    wet, snow = 0.28 + 0.2 * brief[WET], 0.15 + 0.12 * brief[SNOW]
    return wet if surface == 1 else snow if surface == 2 else 1.0 - wet - snow


@device
def describe(sc, brief, family, surface, n):
    """Set the scenario sc from the numbers n (4,) in [-1, 1], for a brief."""
    grip = GRIPS[surface]
    highway = 27.0 + 7.0 * brief[HIGHWAY]
    sc.family, sc.surface = family, surface
    sc.across = sc.along = sc.lasts = sc.slope = 0.0
    sc.roughness = 16e-6 * math.pow(4.0, 0.8 * (1.0 + brief[ROUGH]) + 0.25 * n[2])
    if family == BRAKING:
        sc.speed = (13.0 + 5.0 * brief[CITY]) * (0.95 + 0.15 * n[0]) * math.sqrt(grip)
        sc.slope = 0.03 * n[3]
    elif family == CURVE:
        sc.speed = highway * (0.85 + 0.15 * n[0]) * math.sqrt(grip)
        sc.across = HARSH[surface] * grip * G * (0.425 + 0.075 * n[1])
        sc.along = HARSH[surface] * grip * G * (0.5 + 0.1 * n[3])
    elif family == LANE:
        sc.speed = highway * (0.85 + 0.15 * n[0]) * math.pow(grip, 0.25)
        sc.across = 3.15 + 0.35 * n[1]
        push = (
            HARSH[surface] * grip * G * (0.52 + 0.12 * brief[AGILITY] + 0.05 * n[3])
        )  # greatest lateral acceleration of the quintic
        sc.lasts = math.sqrt(5.77 * sc.across / push)
    elif family == CRASH:
        sc.speed = (13.0 + 3.5 * brief[IMPACT]) * (0.95 + 0.1 * n[0])
    elif family == RIDE:
        sc.speed = highway * (0.8 + 0.2 * n[0])
    else:
        sc.speed = highway * (0.95 + 0.15 * n[0])


@device
def draw_scenario(s, sc, family, n):
    """Draw a scenario of a family into sc, from the distribution that the programme's brief implies. n: scratch (4,)."""
    u = uniform(s, 0.0, 1.0)
    surface = 0 if u < share_of(s.brief, 0) else 1 if u < 1.0 - share_of(s.brief, 2) else 2
    for i in range(NUMBERS):
        n[i] = uniform(s, -1.0, 1.0)
    describe(sc, s.brief, family, surface, n)


@device
def slack_of(brief, family, slack):
    """The slack of a family, in units."""
    return slack * (1.0 - EMPHASISED * min(max(brief[EMPHASIS + family], -1.0), 1.0))


@device
def set_benchmark(rig, brief, zero):
    """Assemble the benchmark car of a brief on `rig`. zero: (10,) zeros, its offsets."""
    for k in range(PARTS):
        rig.drawn[k] = benchmark(brief, k)
    assemble(rig, zero)


@device
def compare(rig, other, sc, brief, slack, margin):
    """Run a scenario with a car and with the benchmark car (`other`). Fills margin (3,), in units. Returns whether none is negative."""
    perform(other, sc)
    perform(rig, sc)
    return judge(rig, other, sc, brief, slack, margin)


@device
def judge(rig, other, sc, brief, slack, margin):
    """Compare a car with the benchmark car (`other`), after both have run the scenario sc.

    Fills margin (3,), in units, clipped to +-FURTHEST. Returns whether none is negative. A car that spins where the benchmark car does not
    fails all.
    """
    allowed, good = slack_of(brief, sc.family, slack), True
    for i in range(3):
        m = (other.metric[i] - rig.metric[i]) / UNITS[sc.family, sc.surface, i] + allowed
        margin[i] = min(max(m, -FURTHEST), FURTHEST)
        good = good and m >= 0.0
    if rig.spun and not other.spun:
        for i in range(3):
            margin[i] = -FURTHEST
        good = False
    return good
