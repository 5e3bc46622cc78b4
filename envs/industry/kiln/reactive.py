"""Reactive firing: from what the panel shows, without simulating the slab.

All constants were tuned by the cross-entropy method, at levels 0 to 3 each, on 128 plants of a copy of the rules with eight cells.
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
SHARE = 0.37  # (mean - core) / (surface - core), of temperatures
# Rows for a door that opens at least every 8 min, at least every 20 min, and less often. Columns: without a reading, the soak begins after
# c0 + c1 half minutes and lasts c2 + c3 half; with one, it begins by `full_heat` with inertia c4 and switch c5, and ends when the core has
# reached c6 and the furnace is below c7.
REFLEX = np.array(
    [
        (-3.24, 512.8, 11.56, 5.64, 0.0146, 863.8, 883.9, 879.6),
        (-5.59, 489.9, 13.91, 28.7, 0.0173, 861.2, 876.3, 877.8),
        (-5.31, 488.2, 12.84, 13.2, 0.0141, 870.2, 880.8, 885.1),
    ]
)
# Rows as above. The soak begins after (c0 + c1 half) (1 - c2 charged / 850) minutes, and lasts c3 + c4 half. A reading before the soak sets
# its beginning: c7 half minutes later per K by which the mean temperature, with inertia c9, is below c8. A reading during the soak sets its
# end: c5 minutes later, and 10 c6 half minutes more per K by which the core is below 850 + c10.
PID = np.array(
    [
        (-2.30, 373.0, 0.491, 16.48, -3.59, 6.45, 0.318, 1.49, 849.1, 0.0183, -1.4),
        (-7.13, 398.6, 0.476, 16.66, 10.58, 5.93, 0.688, 0.96, 848.2, 0.0194, -1.5),
        (-3.06, 443.1, 0.502, 13.87, 21.86, 5.65, 0.510, 1.16, 841.1, 0.0186, 2.2),
    ]
)
RECORD = np.dtype([("begun", INT), ("soak_at", FLOAT), ("due", FLOAT)], align=True)  # steps


@device
def row_of(blind):
    """The row of constants for a door that opens every `blind` minutes."""
    return 0 if blind <= 8 else 1 if blind <= 20 else 2


@device
def difference(surface, furnace, half):
    """Temperature difference, K, from core to surface of a nominal slab, computed from its present heat flux.

    surface, furnace: C; half: half the thickness, m.
    """
    a, b = furnace - ZERO, surface - ZERO
    flux = (CONVECTION + EMISSIVITY * SIGMA * (a * a + b * b) * (a + b)) * (a - b)
    return 0.5 * flux * half / CONDUCTIVITY


@device
def react(o, p):
    """Index of an action from the present observation.

    With a thermocouple, it follows the temperatures. Without one, the set-point serves as a memory of whether the soak has begun, and the
    furnace temperature as a memory of when. The soak begins by a reading or by the clock, and lasts for a time that depends on the
    thickness.
    """
    c = REFLEX[row_of(p.blind)]
    half, furnace, t = o[HALF] / 10.0, o[FURNACE] * 1000.0, o[CLOCK] * 60.0
    surface, core = o[READING] * 1000.0, o[PROBE] * 1000.0
    shown = o[SHOWN] > 0.5
    if o[PROBED] > 0.5 and shown:
        mean = core + SHARE * (surface - core)
        surface = core + 0.5 * (surface - core)  # readings of the surface have noise
        return fire(mean, core, surface, o[SOAK] * 60.0, furnace, half, 0.022, 864.0, 0.0)
    holding = t > 0.5 and o[SETPOINT] * 1000.0 < SETPOINTS[HOLD] + 1.0
    soak = c[2] + c[3] * half
    if (
        t > 2.5
        and holding
        and furnace - SETPOINTS[HOLD] < (SETPOINTS[FIRE] - SETPOINTS[HOLD]) * math.exp(-60.0 * soak / LAG)
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
    """Index of an action by a schedule for the thickness and the temperature at charging, which is corrected by each reading."""
    c = PID[row_of(p.blind)]
    half, furnace, t = o[HALF] / 10.0, o[FURNACE] * 1000.0, o[CLOCK] * 60.0
    surface, shown = o[READING] * 1000.0, o[SHOWN] > 0.5
    firing = t < 0.5 or o[SETPOINT] * 1000.0 > SETPOINTS[HOLD] + 1.0
    if m.begun == 0:
        m.begun = 1
        charged = surface if shown else 0.5 * (p.charge_low + p.charge_high)
        m.soak_at = (c[0] + c[1] * half) * (1.0 - c[2] * charged / ENOUGH)
        m.due = m.soak_at + c[3] + c[4] * half
    if shown and t > 3.5:
        inner = difference(surface, furnace, half)
        if firing:
            missing = c[8] - (surface - (1.0 - SHARE) * inner) - c[9] * (furnace - SETPOINTS[HOLD]) / half
            m.soak_at = t + max(missing, 0.0) * half * c[7]
            if m.soak_at > t:
                m.due = m.soak_at + c[3] + c[4] * half
        else:
            missing = ENOUGH + c[10] - (surface - inner)
            m.due = t + c[5] + 10.0 * c[6] * missing * half if missing > 0.0 else min(m.due, t + c[5])
    if t >= m.due:
        return OUT
    return FIRE if firing and t < m.soak_at else HOLD
