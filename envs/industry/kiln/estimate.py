"""Estimate of the slab: an extended Kalman filter over four parameters.

Emissivity, convection, thickness and the temperature at charging may differ from their nominal values. Beside the estimated slab, four
more are simulated that each differ from it in one parameter. Their differences give the derivatives of a reading; each reading corrects
the parameters, and the temperatures along with them. If the first observation is not the first of the episode, the earlier furnace
temperature is known only by its average.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.kiln.plants import (
    CONVECTION,
    CONVECTION_SPREAD,
    EMISSIVITY,
    EMISSIVITY_SPREAD,
    TOLERANCE,
)
from unseen.envs.industry.kiln.rules import (
    CLOCK,
    ENOUGH,
    FURNACE,
    HALF,
    LAG,
    MEAN,
    PROBE,
    PROBED,
    READING,
    SECONDS,
    SETPOINT,
    SHOWN,
    SOAK,
)
from unseen.envs.industry.kit.heat import CELLS, SLAB, approach, core, euler, fill, heat, surface_of

EPS, CONV, THICK, CHARGE, UNKNOWN = range(5)  # the parameters, and their number
CHANGES = np.array(
    [0.05, 10.0, 0.02, 5.0]
)  # by which the four slabs differ: emissivity; W/m^2K; fraction of the thickness; C
SPREADS = np.array([EMISSIVITY_SPREAD, CONVECTION_SPREAD, TOLERANCE, 0.0]) / 3**0.5  # standard deviations
SLACK = 2.0  # K, standard deviation of the model error

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("furnace", FLOAT), ("soak", FLOAT),  # C at the last step; number of steps with a hot core
        ("slabs", SLAB, (UNKNOWN + 1,)),  # the estimated one, then those that differ
        ("spread", FLOAT, (UNKNOWN, UNKNOWN)), ("row", FLOAT, (UNKNOWN,)), ("gain", FLOAT, (UNKNOWN,)),
    ],
    align=True,
)  # fmt: skip


@device
def differ(m):
    """Give the four slabs the parameters of the estimated one, with a change of one in each."""
    slab = m.slabs[0]
    for i in range(UNKNOWN):
        other = m.slabs[1 + i]
        other.eps = slab.eps + (CHANGES[EPS] if i == EPS else 0.0)
        other.h = slab.h + (CHANGES[CONV] if i == CONV else 0.0)
        other.half = slab.half * (1.0 + (CHANGES[THICK] if i == THICK else 0.0))


@device
def begin(m, o, p):
    """Start with a nominal slab. What happened before this observation is known only by averages."""
    t = int(o[CLOCK] * 60.0 + 0.5)
    m.begun = 1
    m.furnace = o[FURNACE] * 1000.0
    m.soak = 0.0
    slab = m.slabs[0]
    slab.half, slab.h, slab.eps = o[HALF] / 10.0, CONVECTION, EMISSIVITY
    differ(m)
    v = max(p.variability, 0.02)
    for i in range(UNKNOWN):
        for j in range(UNKNOWN):
            m.spread[i, j] = (v * SPREADS[i]) ** 2 if i == j else 0.0
    m.spread[CHARGE, CHARGE] = (max(p.noise, 1.0) if t == 0 else 0.3 * (p.charge_high - p.charge_low) + 1.0) ** 2
    charged = o[READING] * 1000.0 if t == 0 else 0.5 * (p.charge_low + p.charge_high)
    for i in range(UNKNOWN + 1):
        slab = m.slabs[i]
        fill(slab, charged + (CHANGES[CHARGE] if i == 1 + CHARGE else 0.0))
        for _ in range(t):
            euler(slab, slab.temp, o[MEAN] * 1000.0, SECONDS)
            slab.surface = surface_of(slab, slab.temp[CELLS - 1], o[MEAN] * 1000.0)
            if i == 0:
                m.soak += core(slab) >= ENOUGH


@device
def follow(m, setpoint, slabs):
    """Advance the first `slabs` slabs by one step of the environment, as a single time step, which is accurate enough."""
    after = approach(m.furnace, setpoint, SECONDS, LAG)
    for i in range(slabs):
        heat(m.slabs[i], m.furnace, after, SECONDS)
    m.furnace = after
    m.soak += core(m.slabs[0]) >= ENOUGH


@device
def correct(m, reading, inside, sd):
    """Correct parameters and temperatures by a reading, C, of the core (`inside`) or of the surface. sd: its standard deviation, C."""
    slab = m.slabs[0]
    predicted = core(slab) if inside else slab.surface
    variance = sd * sd + SLACK * SLACK
    for i in range(UNKNOWN):
        other = m.slabs[1 + i]
        m.row[i] = ((core(other) if inside else other.surface) - predicted) / CHANGES[i]
    for i in range(UNKNOWN):
        m.gain[i] = 0.0
        for j in range(UNKNOWN):
            m.gain[i] += m.spread[i, j] * m.row[j]
        variance += m.row[i] * m.gain[i]
    for i in range(UNKNOWN):
        for j in range(UNKNOWN):
            m.spread[i, j] -= m.gain[i] * m.gain[j] / variance
    missed = (reading - predicted) / variance
    for k in range(CELLS):
        shift = 0.0
        for i in range(UNKNOWN):
            shift += m.gain[i] * missed * (m.slabs[1 + i].temp[k] - slab.temp[k]) / CHANGES[i]
        for i in range(UNKNOWN + 1):
            m.slabs[i].temp[k] += shift
    shift = 0.0
    for i in range(UNKNOWN):
        shift += m.gain[i] * missed * (m.slabs[1 + i].surface - slab.surface) / CHANGES[i]
    for i in range(UNKNOWN + 1):
        m.slabs[i].surface += shift
    slab.eps = min(max(slab.eps + m.gain[EPS] * missed, 0.3), 1.0)
    slab.h = min(max(slab.h + m.gain[CONV] * missed, 1.0), 120.0)
    slab.half *= 1.0 + min(max(m.gain[THICK] * missed, -0.1), 0.1)
    differ(m)


@device
def observe(o, m, p, learns):
    """Update the estimate m by an observation o. learns: correct it by readings."""
    if m.begun == 0:
        begin(m, o, p)
    else:
        follow(m, o[SETPOINT] * 1000.0, UNKNOWN + 1 if learns else 1)
    if learns and o[CLOCK] > 0.0:
        for inside in range(2):
            if o[PROBED if inside else SHOWN] > 0.5:
                correct(m, o[PROBE if inside else READING] * 1000.0, inside, 0.25 * p.noise if inside else p.noise)
        if o[PROBED] > 0.5:
            m.soak = o[SOAK] * 60.0
