"""Heat conduction in a slab of steel, heated equally from both sides by radiation and convection.

Celsius, metres, seconds, watts. Half of the slab is CELLS cells of equal thickness from the core to the surface,

    rho c(T) dT/dt = d/dx (k(T) dT/dx),   no flux through the core
    q = h (Tf - Ts) + eps sigma (Tf^4 - Ts^4)   through the surface, with absolute temperatures of furnace and surface

A time step is linearly implicit (Euler, with the properties at its start), so that it is stable at any length; one step and two
of half its length are extrapolated to second order (Richardson).

Properties: carbon steel of the kind of AISI 1045, linear between the temperatures of the table and constant beyond it. The table comes
from no publication. Data sheets of AISI 1045 give 7.87 g/cm^3 and, at room temperature, 486 J/kgK and 51 W/mK; here it is 7.87, 519 and 45.

**Validated**: the slab with constant properties and convection alone against the series of its eigenvalues, and that with this table and
radiation against scipy's BDF on four times as many cells; the heat taken up against the heat through the surface (tests/heat.py).
**Unvalidated**: the table; the heat of transformation, which is in it only as a peak of the specific heat; no scale on the surface; an
emissivity and a convection that stay the same; and conduction in one dimension.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT

CELLS = 16
DENSITY = 7870.0  # kg/m^3
SPACING = 200.0  # K between the rows of the table
STEEL = np.array([(510, 45), (600, 41), (725, 36), (900, 32), (562, 27), (600, 23)], dtype=np.float64)  # J/kgK, W/mK
LAST = len(STEEL) - 1
SIGMA = 5.670374419e-8  # W/m^2K^4
ZERO = -273.15  # C

SLAB = np.dtype(
    [
        ("temp", FLOAT, (CELLS,)), ("surface", FLOAT),  # C, the cells from the core outwards
        ("half", FLOAT), ("h", FLOAT), ("eps", FLOAT),  # m, half the thickness; W/m^2K; emissivity
        ("fine", FLOAT, (CELLS,)), ("ratio", FLOAT, (CELLS,)),  # scratch for a step
    ],
    align=True,
)  # fmt: skip
"""A slab: its temperatures, thickness and heat transfer."""


@device
def place(temp):
    """Fractional row of the table for `temp` C, clipped to its range; 0 for NaN."""
    x = temp / SPACING
    if not x > 0.0:
        return 0.0
    return min(x, LAST - 1e-9)


@device
def capacity(temp):
    """Specific heat, J/kgK, at `temp` C."""
    x = place(temp)
    i = int(x)
    return STEEL[i, 0] + (x - i) * (STEEL[i + 1, 0] - STEEL[i, 0])


@device
def conductivity(temp):
    """Thermal conductivity, W/mK, at `temp` C."""
    x = place(temp)
    i = int(x)
    return STEEL[i, 1] + (x - i) * (STEEL[i + 1, 1] - STEEL[i, 1])


@device
def transfer(s, furnace, surface):
    """Heat transfer coefficient of convection and radiation together, W/m^2K, between furnace and surface at these temperatures, C."""
    a, b = furnace - ZERO, surface - ZERO
    return s.h + s.eps * SIGMA * (a * a + b * b) * (a + b)


@device
def surface_of(s, cell, furnace):
    """Temperature of the surface, C, at which the heat received equals the heat conducted inwards. cell: of the outermost cell, C."""
    inside = 2.0 * CELLS * conductivity(cell) / s.half
    surface = cell
    for _ in range(3):
        outside = transfer(s, furnace, surface)
        surface = (inside * cell + outside * furnace) / (inside + outside)
    return surface


@device
def euler(s, t, furnace, dt):
    """One linearly implicit step of dt s of the temperatures t (CELLS,). furnace: its temperature at the end of the step, C.

    It solves for differences from the furnace, so that a slab as hot as the furnace stays exactly as it is.
    """
    dx = s.half / CELLS
    k, before, ratio = conductivity(t[0]), 0.0, s.ratio
    for i in range(CELLS):
        stored = DENSITY * capacity(t[i]) * dx / dt
        if i < CELLS - 1:
            outer = conductivity(t[i + 1])
            after = 0.5 * (k + outer) / dx
            k = outer
        else:
            surface = surface_of(s, t[i], furnace)
            after = 1.0 / (0.5 * dx / k + 1.0 / transfer(s, furnace, surface))
        t[i] -= furnace
        if i > 0:
            pivot = 1.0 / (stored + before + after - before * ratio[i - 1])
            t[i] = (stored * t[i] + before * t[i - 1]) * pivot
        else:
            pivot = 1.0 / (stored + after)
            t[i] = stored * t[i] * pivot
        ratio[i] = after * pivot
        before = after
    for i in range(CELLS - 2, -1, -1):
        t[i] += ratio[i] * t[i + 1]
    for i in range(CELLS):
        t[i] += furnace


@device
def heat(s, start, end, dt):
    """Heat the slab for dt s in a furnace whose temperature changes linearly from `start` to `end` C."""
    for i in range(CELLS):
        s.fine[i] = s.temp[i]
    euler(s, s.temp, end, dt)
    euler(s, s.fine, 0.5 * (start + end), 0.5 * dt)
    euler(s, s.fine, end, 0.5 * dt)
    for i in range(CELLS):
        s.temp[i] = 2.0 * s.fine[i] - s.temp[i]
    s.surface = surface_of(s, s.temp[CELLS - 1], end)


@device
def fill(s, temp):
    """Set the whole slab to `temp` C, and its scratch to values that do not depend on an earlier slab."""
    for i in range(CELLS):
        s.temp[i] = s.fine[i] = temp
        s.ratio[i] = 0.0
    s.surface = temp


@device
def mean(s):
    """Mean temperature of the slab, C."""
    total = 0.0
    for i in range(CELLS):
        total += s.temp[i]
    return total / CELLS


@device
def core(s):
    """Temperature at the core, C, by a parabola through the two innermost cells."""
    return s.temp[0] - 0.125 * (s.temp[1] - s.temp[0])


@device
def approach(temp, target, dt, lag):
    """The value of a first-order lag from `temp` towards `target` after dt s. lag: time constant, s."""
    return target + (temp - target) * math.exp(-dt / lag)
