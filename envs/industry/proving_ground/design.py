"""Designs, briefs, and the difference between a car as drawn and as built.

A design is ten numbers in [-1, 1]. The car as built differs from the drawing by the *offsets* of its programme: suppliers, materials and
payload shift each number, always in the same way. A brief is thirteen numbers in [-1, 1], and the benchmark car, by which the limits of
all tests are set, is a fixed linear function of it. So the drawing benchmark - offset is built as the benchmark car, and passes: every
programme is feasible, and a perfect design is known without a search.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, shuffle, uniform
from unseen.envs.core.task import FLOAT
from unseen.envs.industry.kit.vehicle import FRONT, HEIGHT, MASS, REAR, YAW_INERTIA

# name, unit, value at -1, value at 1, and whether the scale is logarithmic
VARIABLES = (
    ("brake bias", "", 0.50, 0.85, False),
    ("spring", "N/m", 15e3, 45e3, True),
    ("damper", "Ns/m", 600.0, 4000.0, True),
    ("tyre compound", "", 0.0, 1.0, False),  # 0 hard, 1 soft
    ("crush stiffness", "N/m", 0.4e6, 2.0e6, True),
    ("crumple length", "m", 0.40, 0.90, False),
    ("downforce area", "m2", 0.0, 1.0, False),
    ("AEB time to collision", "s", 0.6, 2.2, False),
    ("ABS slip", "", 0.02, 0.25, True),
    ("centre of gravity", "m", -0.15, 0.15, False),  # positive: towards the rear
)
PARTS = len(VARIABLES)
LOW, HIGH, RATIO = (np.array([row[i] for row in VARIABLES]) for i in (2, 3, 4))
BIAS, SPRING, DAMPER, COMPOUND, CRUSH, CRUMPLE, DOWNFORCE, AEB, ABS, GRAVITY = range(PARTS)

# Numbers of a brief: the conditions that the car will meet, then the emphasis on each family of scenarios.
WET, SNOW, CITY, HIGHWAY, IMPACT, ROUGH, AGILITY, EMPHASIS, BRIEF = 0, 1, 2, 3, 4, 5, 6, 7, 13
WETTER = 1.4  # on the split "shift", WET and SNOW are in 1..1.4
OFFSET_SHIFT = 1.2  # and the range of offsets is wider by this factor

# The benchmark car of a brief: rows are the variables, columns the brief's numbers.
#    wet   snow  city  hwy   crash rough agile | brake curve lane  crash ride  energy
BENCHMARK = np.array([
    [ .00,  .00,  .00,  .15,  .00,  .00,  .00,  -.20,  .20,  .00,  .00,  .00,  .00],
    [ .00,  .00,  .00,  .00,  .00,  .00,  .25,   .00,  .00,  .10,  .00, -.20,  .00],
    [ .00,  .00,  .00,  .00,  .00,  .20,  .00,   .00,  .00,  .20,  .00, -.15,  .00],
    [ .15,  .30,  .00,  .00,  .00,  .00,  .00,   .00,  .00,  .00,  .00,  .00, -.10],
    [ .00,  .00,  .00,  .00,  .35,  .00,  .00,   .00,  .00,  .00,  .10,  .00, -.10],
    [ .00,  .00,  .00,  .00,  .25,  .00,  .00,   .00,  .00,  .00,  .20,  .00, -.10],
    [ .00,  .00,  .00,  .25,  .00,  .00,  .00,   .00,  .15,  .00,  .00,  .00, -.15],
    [ .00,  .15,  .20,  .00,  .00,  .00,  .00,   .20,  .00,  .00,  .00,  .00,  .00],
    [-.15, -.30,  .00,  .00,  .00,  .00,  .00,   .10,  .00,  .00,  .00,  .00,  .00],
    [ .00,  .25,  .00,  .00,  .00,  .00, -.10,   .00,  .00, -.20,  .00,  .00,  .00],
])  # fmt: skip

BUILT = np.dtype([("value", FLOAT, (PARTS,)), ("mass", FLOAT)], align=True)
"""A car as built: the physical values of its variables, and its mass in kg."""


@device
def physical(k, z):
    """The physical value of variable k at z, which may lie outside [-1, 1]."""
    part = 0.5 * (z + 1.0)
    if RATIO[k]:
        return LOW[k] * math.pow(HIGH[k] / LOW[k], part)
    return LOW[k] + (HIGH[k] - LOW[k]) * part


@device
def mass_of(built):
    """Mass of a car, kg. A long and stiff front and a wing add mass."""
    v = built.value
    return 960.0 + 450.0 * (v[CRUMPLE] - 0.4) + 20.0 * v[DOWNFORCE] + 60.0 * v[CRUSH] / 2e6


@device
def benchmark(brief, k):
    """Variable k of the benchmark car of a brief, on the scale of designs."""
    z = 0.0
    for i in range(BRIEF):
        z += BENCHMARK[k, i] * brief[i]
    return z


@device
def equip(car, built, grip):
    """Set a car (`kit.vehicle.CAR`) to the car as built, on tyres with this grip."""
    v = built.value
    car.a, car.b = FRONT + v[GRAVITY], REAR - v[GRAVITY]
    car.mass, car.height = built.mass, HEIGHT
    car.inertia = YAW_INERTIA * built.mass / MASS
    car.bias, car.drive, car.grip = v[BIAS], 0.0, grip
    car.cda, car.cla = 0.60 + 0.35 * v[DOWNFORCE], v[DOWNFORCE]
    car.slope, car.abs = 0.0, v[ABS]


@device
def draw_programme(s, p):
    """Draw a programme into the record: its brief, its offsets, and which offsets are unknown."""
    shift = p.split == SHIFT
    for i in range(BRIEF):
        s.brief[i] = uniform(s, 1.0, WETTER) if shift and i <= SNOW else uniform(s, -1.0, 1.0)
    width = p.offset * (OFFSET_SHIFT if shift else 1.0)
    for k in range(PARTS):
        s.offset[k] = uniform(s, -width, width)
        s.known[k] = 1
    shuffle(s, s.order, PARTS)
    for i in range(p.hidden):
        s.known[s.order[i]] = 0
