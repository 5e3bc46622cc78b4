"""The rules of Kiln: state, reset, step and what is observed. Celsius, metres, minutes; a step is a minute."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import normal
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.industry.kiln.plants import draw_plant
from unseen.envs.industry.kit.heat import SLAB, ZERO, approach, core, heat

STEPS = 180
PARTS, SECONDS = 4, 60.0  # of a step
LAG = 300.0  # s, of the furnace behind its set-point
COOLEST, HOTTEST = 700.0, 1200.0  # C, set-points
SETPOINTS = (700.0, 800.0, 850.0, 870.0, 900.0, 1000.0, 1100.0, 1200.0)  # C, of the discrete actions
AT_CHARGE = 800.0  # C, furnace
ROOM = 20.0  # C
CALL = 0.8  # a[1] above which the extractor is called; it comes in the next step, if it is called again
ENOUGH, SOAKED = 850.0, 10  # C that the core has to reach, and for so many steps
EVEN, UNEVEN = 25.0, 75.0  # K between surface and core up to which a slab is even; at which it is worthless
SURFACE, BURNT = 1000.0, 1050.0  # C that the surface may reach; at which the slab is worthless
FINE, COARSE = 12.0, 24.0  # growth up to which grains are fine; at which the slab is worthless
ACTIVATION, GROWING = 250e3 / 8.314, 875.0  # K, of grain growth; C at which a minute counts as one
TIME, FUEL = 0.15, 0.15  # what the longest and the hottest firing costs
GOOD = 0.9  # quality of a success
MOST = 3000.0  # C: the state has diverged
WINDOW = 16  # steps without a reading after which the audit looks for the slab in the last observations
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
    """Every `blind` steps the door opens and the pyrometer sees the surface; a thermocouple, if there is one, is always there."""
    if s.t % p.blind == 0:
        s.reading = min(max(s.slab.surface + p.noise * normal(s), 0.0), 1500.0)
        s.since = 0
    else:
        s.since += 1
    s.probe = min(max(core(s.slab) + 0.25 * p.noise * normal(s), 0.0), 1500.0) if p.probe else 0.0


@device
def growth_rate(temp):
    """How fast grains grow at `temp` C, by Arrhenius, relative to GROWING."""
    return math.exp(ACTIVATION * (1.0 / (GROWING - ZERO) - 1.0 / (temp - ZERO)))


@device
def falling(value, good, worthless):
    """1 up to `good`, 0 from `worthless` on."""
    return min(max((worthless - value) / (worthless - good), 0.0), 1.0)


@device
def quality(soak, uneven, hottest, growth):
    """What a slab is worth, 0 to 1: the product of four factors."""
    return (
        min(soak / SOAKED, 1.0)
        * falling(uneven, EVEN, UNEVEN)
        * falling(hottest, SURFACE, BURNT)
        * falling(growth, FINE, COARSE)
    )


@device
def cost(furnace):
    """What a step costs, with the furnace at `furnace` C: time and fuel."""
    return (TIME + FUEL * (furnace - ROOM) / (HOTTEST - ROOM)) / STEPS


@device
def finish(s, info, how):
    """Fill `info` at the end of an episode."""
    s.ended_by = how
    if how == DIVERGED:
        return
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
    if not (ZERO < s.slab.surface < MOST and ZERO < inside < MOST):  # also of a NaN
        info[8] = DIVERGED
        finish(s, info, DIVERGED)
        return 0.0, True, False
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
    """What the operator has: the instruments while they show, what the furnace did, the order, and the clock."""
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
    """The panel's row, then the temperatures of core, middle and surface, the slab, and what has been counted."""
    write_panel(s, p, o)
    i = PANEL_PARTS
    o[i], o[i + 1], o[i + 2] = core(s.slab) / 1000.0, s.slab.temp[8] / 1000.0, s.slab.surface / 1000.0
    o[i + 3], o[i + 4], o[i + 5] = s.slab.half * 10.0, s.slab.h / 100.0, s.slab.eps
    o[i + 6], o[i + 7], o[i + 8] = s.soak / 60.0, min(s.growth, 1000.0) / 10.0, s.hottest / 1000.0


@device
def write_hidden(s, p, out):
    """How well the slab takes up radiation: its emissivity."""
    out[0] = s.slab.eps


@device
def blind(s, p):
    """Nothing has been seen for 16 steps or, where the door opens more often, for more than half of the time that it is shut."""
    return s.since >= min(WINDOW, p.blind // 2 + 1) and not p.probe


@device
def change_emissivity(s, p):
    """The slab takes up radiation better or worse; what it took up so far is the same."""
    s.slab.eps = 1.4 - s.slab.eps
    return True


@device
def found(s, p):
    """The door is open, or the slab is out."""
    return s.since == 0 or s.calls >= 2
