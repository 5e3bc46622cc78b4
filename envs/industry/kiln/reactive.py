"""Reactive firing: by what the panel shows, without a model that is carried along.

All constants were tuned by random search on episodes of the split "train", at levels 0 to 3 each.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.kiln.control import FIRE, HOLD, OUT, fire, full_heat
from unseen.envs.industry.kiln.plants import CONVECTION, EMISSIVITY
from unseen.envs.industry.kiln.rules import (
    CLOCK,
    ENOUGH,
    FURNACE,
    HALF,
    LAG,
    PROBE,
    PROBED,
    READING,
    SETPOINT,
    SETPOINTS,
    SHOWN,
    SOAK,
)
from unseen.envs.industry.kit.heat import SIGMA, ZERO

CONDUCTIVITY = 28.0  # W/mK, of hot steel
SHARE = 0.37  # part of the way from the core to the surface at which the mean temperature is found
# Rows for a door that opens at least every 8 min, at least every 20 min, and less often.
REFLEX = np.array([[0.0] * 8] * 3)
PID = np.array([[0.0] * 8] * 3)
RECORD = np.dtype([("begun", INT), ("charged", FLOAT), ("due", FLOAT)], align=True)


@device
def row_of(blind):
    """The row of constants for a door that opens every `blind` min."""
    return 0 if blind <= 8 else 1 if blind <= 20 else 2


@device
def difference(surface, furnace, half):
    """How much hotter the surface of a nominal slab is than its core, K, by the heat that it takes up now."""
    a, b = furnace - ZERO, surface - ZERO
    flux = (CONVECTION + EMISSIVITY * SIGMA * (a * a + b * b) * (a + b)) * (a - b)
    return 0.5 * flux * half / CONDUCTIVITY


@device
def react(o, p):
    """Index of an action by the present observation.

    With a thermocouple, by the temperatures. Else the set-point is a memory of whether the soak has begun, and the furnace's
    temperature one of when: the soak begins by a reading or by the clock, and lasts as long as the thickness says.
    """
    c = REFLEX[row_of(p.blind)]
    half, furnace, t = o[HALF] / 10.0, o[FURNACE] * 1000.0, o[CLOCK] * 60.0
    surface, core = o[READING] * 1000.0, o[PROBE] * 1000.0
    shown = o[SHOWN] > 0.5
    if o[PROBED] > 0.5 and shown:
        mean = core + SHARE * (surface - core)
        return fire(mean, core, surface, o[SOAK] * 60.0, furnace, half, 0.0239, 859.0, 0.0)
    holding = t > 0.5 and o[SETPOINT] * 1000.0 < SETPOINTS[HOLD] + 1.0
    soak = c[2] + c[3] * half
    if t > 2.5 and holding and furnace - SETPOINTS[HOLD] < (SETPOINTS[FIRE] - SETPOINTS[HOLD]) * math.exp(
        -60.0 * soak / LAG
    ):
        return OUT
    if shown and t > 0.5:
        inner = difference(surface, furnace, half)
        if surface - inner >= c[6] and furnace < c[7]:
            return OUT
        mean = surface - (1.0 - SHARE) * inner
        return FIRE if not holding and full_heat(mean, furnace, half, c[4], c[5]) else HOLD
    return FIRE if not holding and t < c[0] + c[1] * half else HOLD


@device
def control(o, m, p):
    """Index of an action by thickness, clock, the temperature at charging and the last reading that was hot enough to go by."""
    c = PID[row_of(p.blind)]
    half, furnace, t = o[HALF] / 10.0, o[FURNACE] * 1000.0, o[CLOCK] * 60.0
    surface, shown = o[READING] * 1000.0, o[SHOWN] > 0.5
    if m.begun == 0:
        m.begun = 1
        m.charged = surface if shown else 0.5 * (p.charge_low + p.charge_high)
        m.due = -1.0
    soak_at = (c[0] + c[1] * half) * (1.0 - c[2] * m.charged / ENOUGH)
    out_at = soak_at + c[3] + c[4] * half
    if shown and t > 0.5 and surface > c[7]:
        missing = max(ENOUGH - (surface - difference(surface, furnace, half)), 0.0)
        due = t + c[5] + c[6] * missing * half
        m.due = due if m.due < 0.0 else min(m.due, due)
    if t >= (m.due if m.due >= 0.0 else out_at):
        return OUT
    return FIRE if t < soak_at and m.due < 0.0 else HOLD
