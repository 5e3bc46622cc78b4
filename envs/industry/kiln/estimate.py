"""A model of the slab from what was seen: an extended Kalman filter of four parameters.

Emissivity, convection, thickness and the temperature at charging may differ from the nominal ones. Beside the believed slab run four
that each differ from it in one of these, so that their differences tell how a reading depends on each; a reading corrects the
parameters, and the temperatures along with them. A first observation that is not the first of the episode tells the furnace before it
by its average only.
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

EPS, CONV, THICK, CHARGE, UNKNOWN = range(5)  # the parameters, and how many there are
CHANGES = np.array(
    [0.05, 10.0, 0.02, 5.0]
)  # of emissivity, W/m^2K, part of the thickness, C: how the four slabs differ
SPREADS = np.array([EMISSIVITY_SPREAD, CONVECTION_SPREAD, TOLERANCE, 0.0]) / 3**0.5  # standard deviations
SLACK = 2.0  # K, what the model may be wrong by

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("furnace", FLOAT), ("soak", FLOAT),  # C at the last step; steps with a hot core
        ("slabs", SLAB, (UNKNOWN + 1,)),  # the believed one, then those that differ
        ("spread", FLOAT, (UNKNOWN, UNKNOWN)), ("row", FLOAT, (UNKNOWN,)), ("gain", FLOAT, (UNKNOWN,)),
    ],
    align=True,
)  # fmt: skip


@device
def differ(m):
    """Give the four slabs the parameters of the believed one, but for one each."""
    slab = m.slabs[0]
    for i in range(UNKNOWN):
        other = m.slabs[1 + i]
        other.eps = slab.eps + (CHANGES[EPS] if i == EPS else 0.0)
        other.h = slab.h + (CHANGES[CONV] if i == CONV else 0.0)
        other.half = slab.half * (1.0 + (CHANGES[THICK] if i == THICK else 0.0))


@device
def begin(m, o, p):
    """Believe in a nominal slab; what happened before this observation is known by averages only."""
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
    """Heat the first slabs of the belief for a step, in one part, which is near enough."""
    after = approach(m.furnace, setpoint, SECONDS, LAG)
    for i in range(slabs):
        heat(m.slabs[i], m.furnace, after, SECONDS)
    m.furnace = after
    m.soak += core(m.slabs[0]) >= ENOUGH


@device
def correct(m, reading, inside, sd):
    """Take in a reading of the core (`inside`) or of the surface, C: correct parameters and temperatures."""
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
    """Take in an observation. With `learns`, readings change what the slab is taken for."""
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
