"""A model of the slab from what was seen: an extended Kalman filter of four parameters.

Emissivity, convection, thickness and the temperature at charging may differ from the nominal ones. Beside the believed slab run four
that each differ in one of these, so that their differences tell how each reading depends on it; a reading corrects the parameters,
and the temperatures along with them. A first observation that is not the first of the episode tells the furnace before it by its
average only.
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
    AT_CHARGE,
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

EPS, CONV, THICK, CHARGE = range(4)
CHANGES = (0.05, 10.0, 0.02, 5.0)  # of emissivity, W/m^2K, part of the thickness, C: what the slabs beside it differ by
SPREADS = (EMISSIVITY_SPREAD / 3**0.5, CONVECTION_SPREAD / 3**0.5, TOLERANCE / 3**0.5)  # standard deviations
SLACK = 2.0  # K, what the model may be wrong by

ESTIMATE = np.dtype(
    [
        ("begun", INT), ("furnace", FLOAT), ("soak", FLOAT),  # C at the last step; steps with a hot core
        ("slab", SLAB), ("brighter", SLAB), ("windier", SLAB), ("thicker", SLAB), ("hotter", SLAB),
        ("spread", FLOAT, (4, 4)), ("row", FLOAT, (4,)), ("gain", FLOAT, (4,)),
    ],
    align=True,
)  # fmt: skip


@device
def copy_heat(to, slab):
    """Copy the parameters of a slab."""
    to.half, to.h, to.eps = slab.half, slab.h, slab.eps


@device
def follow(slab, before, setpoint):
    """Heat a believed slab for a step, in one part, which is near enough. Returns the furnace's temperature."""
    after = approach(before, setpoint, SECONDS, LAG)
    heat(slab, before, after, SECONDS)
    return after


@device
def begin(m, o, p):
    """Believe in a nominal slab, and in its neighbours; what happened before this observation is known by averages only."""
    m.begun = 1
    v = max(p.variability, 0.02)
    slab = m.slab
    slab.half, slab.h, slab.eps = o[HALF] / 10.0, CONVECTION, EMISSIVITY
    t = int(o[CLOCK] * 60.0 + 0.5)
    charged = o[READING] * 1000.0 if t == 0 else 0.5 * (p.charge_low + p.charge_high)
    fill(slab, charged)
    fill(m.hotter, charged + CHANGES[CHARGE])
    for i in range(4):
        for j in range(4):
            m.spread[i, j] = 0.0
        if i < CHARGE:
            m.spread[i, i] = (v * SPREADS[i]) ** 2
    m.spread[CHARGE, CHARGE] = max(p.noise, 1.0) ** 2 if t == 0 else (0.3 * (p.charge_high - p.charge_low) + 1.0) ** 2
    m.furnace = o[FURNACE] * 1000.0
    m.soak = 0.0
    neighbours(m)
    fill(m.brighter, charged)
    fill(m.windier, charged)
    fill(m.thicker, charged)
    for _ in range(t):
        recall(m.slab, o)
        recall(m.brighter, o)
        recall(m.windier, o)
        recall(m.thicker, o)
        recall(m.hotter, o)
        m.soak += core(m.slab) >= ENOUGH


@device
def recall(slab, o):
    """A step of the past, in a furnace at its average."""
    furnace = o[MEAN] * 1000.0
    euler(slab, slab.temp, furnace, SECONDS)
    slab.surface = surface_of(slab, slab.temp[CELLS - 1], furnace)


@device
def neighbours(m):
    """Give the slabs beside the believed one its parameters, but for one each."""
    copy_heat(m.brighter, m.slab)
    copy_heat(m.windier, m.slab)
    copy_heat(m.thicker, m.slab)
    copy_heat(m.hotter, m.slab)
    m.brighter.eps += CHANGES[EPS]
    m.windier.h += CHANGES[CONV]
    m.thicker.half *= 1.0 + CHANGES[THICK]


@device
def slide(other, slab, before, surface):
    """Move the other slab as the believed one was moved, whose outer temperature was `surface` C and whose cells are in `before`."""
    for i in range(CELLS):
        other.temp[i] += slab.temp[i] - before[i]
    other.surface += slab.surface - surface


@device
def correct(m, reading, predicted, sd):
    """A reading of what `row` is the gradient of: correct parameters and temperatures."""
    variance = sd * sd + SLACK * SLACK
    for i in range(4):
        m.gain[i] = 0.0
        for j in range(4):
            m.gain[i] += m.spread[i, j] * m.row[j]
        variance += m.row[i] * m.gain[i]
    missed = (reading - predicted) / variance
    for i in range(4):
        for j in range(4):
            m.spread[i, j] -= m.gain[i] * m.gain[j] / variance
    slab = m.slab
    shift_eps, shift_h, shift_half = m.gain[EPS] * missed, m.gain[CONV] * missed, m.gain[THICK] * missed
    before, surface = slab.fine, slab.surface  # a step's scratch, free between steps
    for i in range(CELLS):
        before[i] = slab.temp[i]
    for i in range(CELLS):
        slab.temp[i] = (
            before[i]
            + shift_eps / CHANGES[EPS] * (m.brighter.temp[i] - before[i])
            + shift_h / CHANGES[CONV] * (m.windier.temp[i] - before[i])
            + shift_half / CHANGES[THICK] * (m.thicker.temp[i] - before[i])
            + m.gain[CHARGE] * missed / CHANGES[CHARGE] * (m.hotter.temp[i] - before[i])
        )
    slab.surface = (
        surface
        + shift_eps / CHANGES[EPS] * (m.brighter.surface - surface)
        + shift_h / CHANGES[CONV] * (m.windier.surface - surface)
        + shift_half / CHANGES[THICK] * (m.thicker.surface - surface)
        + m.gain[CHARGE] * missed / CHANGES[CHARGE] * (m.hotter.surface - surface)
    )
    slide(m.brighter, slab, before, surface)
    slide(m.windier, slab, before, surface)
    slide(m.thicker, slab, before, surface)
    slide(m.hotter, slab, before, surface)
    slab.eps = min(max(slab.eps + shift_eps, 0.3), 1.0)
    slab.h = min(max(slab.h + shift_h, 1.0), 120.0)
    slab.half *= 1.0 + min(max(shift_half, -0.1), 0.1)
    neighbours(m)


@device
def observe(o, m, p, learns):
    """Take in an observation. With `learns`, readings change what the slab is taken for."""
    if m.begun == 0:
        begin(m, o, p)
    else:
        setpoint = o[SETPOINT] * 1000.0
        furnace = m.furnace
        m.furnace = follow(m.slab, furnace, setpoint)
        if learns:
            follow(m.brighter, furnace, setpoint)
            follow(m.windier, furnace, setpoint)
            follow(m.thicker, furnace, setpoint)
            follow(m.hotter, furnace, setpoint)
        m.soak += core(m.slab) >= ENOUGH
    if learns and o[CLOCK] > 0.0 and o[SHOWN] > 0.5:
        gradient(m, False)
        correct(m, o[READING] * 1000.0, m.slab.surface, p.noise)
    if learns and o[CLOCK] > 0.0 and o[PROBED] > 0.5:
        gradient(m, True)
        correct(m, o[PROBE] * 1000.0, core(m.slab), 0.25 * p.noise)
        m.soak = o[SOAK] * 60.0


@device
def gradient(m, inside):
    """Set `row`: how the core (or else the surface) depends on the parameters."""
    if inside:
        here = core(m.slab)
        m.row[EPS], m.row[CONV] = core(m.brighter) - here, core(m.windier) - here
        m.row[THICK], m.row[CHARGE] = core(m.thicker) - here, core(m.hotter) - here
    else:
        here = m.slab.surface
        m.row[EPS], m.row[CONV] = m.brighter.surface - here, m.windier.surface - here
        m.row[THICK], m.row[CHARGE] = m.thicker.surface - here, m.hotter.surface - here
    for i in range(4):
        m.row[i] /= CHANGES[i]
