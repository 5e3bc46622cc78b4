"""The rules of Kiln: state, reset, step and what is observed. Celsius, metres, minutes; a step is a minute."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import normal
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.industry.kiln.plants import draw_plant
from unseen.envs.industry.kit.heat import SLAB, ZERO, approach, core, heat

STEPS = 180
PARTS, SECONDS = 4, 60.0  # substeps in a step, and its length in s
LAG = 300.0  # s, time constant of the furnace
COOLEST, HOTTEST = 700.0, 1200.0  # C, set-points
SETPOINTS = (700.0, 800.0, 850.0, 870.0, 900.0, 1000.0, 1100.0, 1200.0)  # C, of the discrete actions
AT_CHARGE = 800.0  # C, furnace
ROOM = 20.0  # C
CALL = 0.8  # a[1] above which the extractor is called; it comes at the second step in a row
ENOUGH, SOAKED = 850.0, 10  # C that the core has to reach, and the number of steps there
# Each pair: up to the first value a quality factor is 1, from the second on 0.
EVEN, UNEVEN = 25.0, 75.0  # K between surface and core
SURFACE, BURNT = 1000.0, 1050.0  # C, highest temperature of the surface
FINE, COARSE = 12.0, 24.0  # equivalent minutes of grain growth
ACTIVATION, GROWING = (
    250e3 / 8.314,
    875.0,
)  # K, activation energy / gas constant of grain growth; C at which a minute counts as one
TIME, FUEL = 0.15, 0.15  # greatest costs: of time (all steps), and of fuel (all steps at the hottest)
GOOD = 0.9  # quality of a success
MOST = 3000.0  # C: at such a temperature the state has diverged
WINDOW = 16  # steps without a reading after which the audit probes the last observations for the slab's emissivity
DISCHARGED, LEFT, DIVERGED = 0, 1, 2  # how an episode ended

STATE = record(
    ("slab", SLAB), ("nominal", FLOAT),  # m, half the thickness that is on the order
    ("furnace", FLOAT), ("setpoint", FLOAT), ("fuel", FLOAT), ("calls", INT),  # C, C, sum of the furnace's C; in a row
    ("reading", FLOAT), ("since", INT), ("probe", FLOAT),  # pyrometer, C, and its age; thermocouple in the core, C
    ("soak", INT), ("growth", FLOAT), ("hottest", FLOAT),  # steps with a hot core; equivalent minutes; C of the surface
    ("quality", FLOAT), ("ended_by", INT),
)  # fmt: skip
# Where things are in the panel's row.
READING, SHOWN, AGE, PROBE, SOAK, PROBED, FURNACE, SETPOINT, MEAN, HALF, CLOCK, CALLED, PANEL_PARTS = range(13)
STATE_EXTRA = 9


@device
def reset(s, p):
    """Draw a slab, which has just been charged."""
    draw_plant(s, p)
    s.furnace = s.setpoint = AT_CHARGE
    s.fuel = s.growth = s.quality = 0.0
    s.calls = s.soak = s.ended_by = 0
    s.hottest = s.slab.surface
    read(s, p)
    return True


@device
def read(s, p):
    """The door opens every `blind` steps, and the pyrometer reads the surface; a thermocouple, if there is one, reads at every step."""
    if s.t % p.blind == 0:
        s.reading = min(max(s.slab.surface + p.noise * normal(s), 0.0), 1500.0)
        s.since = 0
    else:
        s.since += 1
    s.probe = min(max(core(s.slab) + 0.25 * p.noise * normal(s), 0.0), 1500.0) if p.probe else 0.0


@device
def growth_rate(temp):
    """Rate of grain growth at `temp` C, by Arrhenius, relative to that at GROWING."""
    return math.exp(ACTIVATION * (1.0 / (GROWING - ZERO) - 1.0 / (temp - ZERO)))


@device
def falling(value, good, worthless):
    """1 up to `good`, 0 from `worthless` on."""
    return min(max((worthless - value) / (worthless - good), 0.0), 1.0)


@device
def quality(soak, uneven, hottest, growth):
    """Quality of a slab, 0 to 1, by steps of soak, K between surface and core, hottest surface in C, and growth in minutes."""
    return (
        min(soak / SOAKED, 1.0)
        * falling(uneven, EVEN, UNEVEN)
        * falling(hottest, SURFACE, BURNT)
        * falling(growth, FINE, COARSE)
    )


@device
def cost(furnace):
    """Cost of a step with the furnace at `furnace` C: time and fuel."""
    return (TIME + FUEL * (furnace - ROOM) / (HOTTEST - ROOM)) / STEPS


@device
def finish(s, info, how):
    """Fill `info` at the end of an episode."""
    s.ended_by = how
    info[0] = s.quality >= GOOD
    info[1] = s.quality
    info[2] = s.soak
    info[3] = abs(s.slab.surface - core(s.slab))
    info[4] = s.hottest
    info[5] = s.growth
    info[6] = s.t
    info[7] = s.fuel / s.t
    info[8] = how


@device
def diverged(s, info):
    """Fill `info` when the state has diverged."""
    s.ended_by = info[8] = DIVERGED


@device
def step(s, a, p, info):
    """One step; a[0] in [-1, 1]: the set-point, 700 to 1200 C; a[1] > 0.8 calls the extractor."""
    s.setpoint = COOLEST + 0.5 * (HOTTEST - COOLEST) * (a[0] + 1.0)
    s.calls = s.calls + 1 if a[1] > CALL else 0
    dt = SECONDS / PARTS
    for _ in range(PARTS):
        before = s.furnace
        s.furnace = approach(before, s.setpoint, dt, LAG)
        heat(s.slab, before, s.furnace, dt)
    inside = core(s.slab)
    if not (ZERO < s.slab.surface < MOST and ZERO < inside < MOST):  # a NaN, too
        return math.nan, True, False
    s.fuel += s.furnace
    s.soak += inside >= ENOUGH
    s.growth += growth_rate(inside)
    s.hottest = max(s.hottest, s.slab.surface)
    read(s, p)
    reward = -cost(s.furnace)
    if s.calls >= 2:
        s.quality = quality(s.soak, abs(s.slab.surface - inside), s.hottest, s.growth)
        finish(s, info, DISCHARGED)
        return reward + s.quality, True, False
    if s.t >= STEPS:
        finish(s, info, LEFT)
        return reward, False, True
    return reward, False, False


@device
def write_panel(s, p, o):
    """What the operator sees: readings of the slab, the furnace, the order, and the clock."""
    shown = s.since == 0
    o[READING] = s.reading / 1000.0 if shown else 0.0
    o[SHOWN] = shown
    o[AGE] = s.since / 60.0
    o[PROBE] = s.probe / 1000.0
    o[SOAK] = s.soak / 60.0 if p.probe else 0.0
    o[PROBED] = p.probe
    o[FURNACE] = s.furnace / 1000.0
    o[SETPOINT] = s.setpoint / 1000.0
    o[MEAN] = (s.fuel / s.t if s.t > 0 else AT_CHARGE) / 1000.0
    o[HALF] = s.nominal * 10.0
    o[CLOCK] = s.t / 60.0
    o[CALLED] = s.calls > 0


@device
def write_state(s, p, o):
    """The panel's row, then the temperatures of core, middle and surface, the slab's properties, soak, growth and hottest surface."""
    write_panel(s, p, o)
    i = PANEL_PARTS
    o[i], o[i + 1], o[i + 2] = core(s.slab) / 1000.0, s.slab.temp[8] / 1000.0, s.slab.surface / 1000.0
    o[i + 3], o[i + 4], o[i + 5] = s.slab.half * 10.0, s.slab.h / 100.0, s.slab.eps
    o[i + 6], o[i + 7], o[i + 8] = s.soak / 60.0, min(s.growth, 1000.0) / 10.0, s.hottest / 1000.0


@device
def write_hidden(s, p, out):
    """The emissivity of the slab: how well it takes up radiation."""
    out[0] = s.slab.eps


@device
def blind(s, p):
    """No reading for 16 steps or, where the door opens more often, for more than half of the time between two openings."""
    return s.since >= min(WINDOW, p.blind // 2 + 1) and not p.probe


@device
def change_emissivity(s, p):
    """Mirror the emissivity, eps -> 1.4 - eps; the temperatures so far stay the same."""
    s.slab.eps = 1.4 - s.slab.eps
    return True


@device
def found(s, p):
    """The door is open, or the slab has been extracted."""
    return s.since == 0 or s.calls >= 2
