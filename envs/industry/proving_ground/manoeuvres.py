"""The manoeuvres of each family of scenarios, and their three metrics, of which less is better.

Braking, braking in a bend and lane change are simulated with the single-track model, in steps of 5 ms, with a driver who looks ahead.
**Unvalidated**: the driver, the roll angle, the effect of compound and bumps on grip, and the resistances.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.kit.crash import crash
from unseen.envs.industry.kit.ride import comfort, intensity, travel, wheel_load
from unseen.envs.industry.kit.vehicle import AIR, CAR, FRONT, HEIGHT, REAR, SPIN, STEERING_RATE, G, drive, start
from unseen.envs.industry.proving_ground.design import (
    AEB,
    BUILT,
    COMPOUND,
    CRUMPLE,
    CRUSH,
    DAMPER,
    DOWNFORCE,
    GRAVITY,
    PARTS,
    SPRING,
    equip,
    mass_of,
    physical,
)  # fmt: skip

FAMILIES = ("braking", "braking in a bend", "lane change", "crash", "rough road", "energy and hills")
BRAKING, CURVE, LANE, CRASH, RIDE, ENERGY = range(6)
METRICS = (
    ("distance at impact, s", "time to collision, s", "deceleration, m/s2"),
    ("path error, log m", "slip angle, log rad", "deceleration, m/s2"),
    ("path error, log m", "slip angle, log rad", "roll, rad"),
    ("crush / length", "occupant, g", "occupant's way, m"),
    ("acceleration, m/s2", "wheel load", "spring travel, m"),
    ("resistance, 100 N", "hill start", "mass, t"),
)
SURFACES = ("dry", "wet", "snow")
DT = 0.005  # s
DELAY = 0.15  # s until the brakes act
PREVIEW, ARMS = 0.6, 0.1  # s: how far the driver looks ahead; time constant of the steering
FULL = -11.0  # m/s^2, requested in an emergency stop
WORST_PATH = 6.0  # m: a car further off its path has left the road
SAMPLES = 48  # capacity of a trace

RIG = np.dtype(
    [
        ("drawn", FLOAT, (PARTS,)), ("built", BUILT), ("car", CAR), ("metric", FLOAT, (3,)), ("spun", INT),
        ("path", FLOAT, (SAMPLES, 6)), ("samples", INT), ("gap", INT), ("wait", INT),
    ],
    align=True,
)  # fmt: skip
"""A car on the test track. A row of `path`: X, Y (m), yaw angle (rad), speed (m/s), and the fractions of the front tyre's grip that are
used along and across."""

SCENARIO = np.dtype(
    [
        ("family", INT), ("surface", INT), ("speed", FLOAT), ("across", FLOAT), ("along", FLOAT), ("lasts", FLOAT),
        ("roughness", FLOAT), ("slope", FLOAT),
    ],
    align=True,
)  # fmt: skip
"""speed (m/s); across: lateral acceleration (m/s^2) of a bend, or offset (m) of a lane change; along: braking (m/s^2) in a bend; lasts:
seconds of a lane change; roughness (m^3) at 0.1 cycles/m; slope (rad), uphill."""


@device
def clear(rig):
    """Reset everything in a rig, so that an episode's record does not depend on the one before."""
    for k in range(PARTS):
        rig.drawn[k] = rig.built.value[k] = 0.0
    for i in range(3):
        rig.metric[i] = 0.0
    for i in range(SAMPLES):
        for k in range(6):
            rig.path[i, k] = 0.0
    rig.spun = rig.samples = rig.gap = rig.wait = 0
    car = rig.car
    car.a = car.b = car.mass = car.inertia = car.height = car.bias = car.drive = 0.0
    car.grip = car.cda = car.cla = car.slope = car.abs = rig.built.mass = 0.0
    start(car, 0.0)
    for i in range(9):
        car.f[i] = 0.0
    for i in range(2):
        car.stiff[i] = car.slip[i] = 0.0
    for i in range(4):
        car.use[i] = 0.0


@device
def assemble(rig, offset):
    """Build the car drawn in rig.drawn, with these offsets (10,)."""
    for k in range(PARTS):
        rig.built.value[k] = physical(k, rig.drawn[k] + offset[k])
    rig.built.mass = mass_of(rig.built)


@device
def sprung(built):
    """Sprung mass at one wheel, kg."""
    return 0.25 * built.mass - 32.0


@device
def grip_of(built, surface, roughness, speed):
    """Grip, 1 for the reference's tyre on a dry road. A soft compound grips better on snow; a bouncing wheel grips less.

    roughness: m^3 at 0.1 cycles/m; speed: m/s.
    """
    soft = built.value[COMPOUND]
    if surface == 0:
        grip = 1.15 - 0.27 * soft
    elif surface == 1:
        grip = 0.79 - 0.5 * (soft - 0.5) ** 2
    else:
        grip = 0.18 + 0.26 * soft
    noise = intensity(roughness, speed)
    dance = wheel_load(built.value[SPRING], built.value[DAMPER], sprung(built), noise) / (0.25 * built.mass * G)
    return grip * max(1.0 - 0.15 * dance - 1.5 * dance * dance, 0.2)


@device
def record(rig):
    """Add a sample to the trace every `gap` steps. When the trace is full, every second sample is dropped, and the gap is doubled."""
    rig.wait -= 1
    if rig.wait > 0:
        return
    if rig.samples == SAMPLES:
        rig.samples = SAMPLES // 2
        rig.gap *= 2
        for i in range(SAMPLES // 2):
            for k in range(6):
                rig.path[i, k] = rig.path[2 * i, k]
    row, x = rig.path[rig.samples], rig.car.x
    row[0], row[1], row[2], row[3], row[4], row[5] = x[0], x[1], x[4], x[3], rig.car.use[0], rig.car.use[1]
    rig.samples += 1
    rig.wait = rig.gap


@device
def set_off(rig, sc):
    """Put the car on the scenario's road at its speed, with an empty trace."""
    equip(rig.car, rig.built, grip_of(rig.built, sc.surface, sc.roughness, sc.speed))
    start(rig.car, sc.speed)
    for i in range(4):
        rig.car.use[i] = 0.0
    rig.car.slope = sc.slope
    rig.spun = rig.samples = rig.wait = 0
    rig.gap = 8


@device
def has_spun(rig):
    """Whether the car has left the range of the model: it spins, or its state is NaN."""
    return not (abs(rig.car.x[6]) <= SPIN)


@device
def brake(rig, sc):
    """An emergency stop on a straight road. Metrics: distance by which the car stops beyond the obstacle, in s at the initial speed; time
    to collision at which it brakes, s; and mean deceleration, negative, m/s^2."""
    set_off(rig, sc)
    x = rig.car.x
    for _ in range(1600):
        drive(rig.car, 0.0, FULL, DT)
        record(rig)
        if has_spun(rig):
            rig.spun = 1
            break
        if x[3] < 1.5:
            break
    way = max(math.hypot(x[0], x[1]), 0.1)
    decel = max((sc.speed**2 - x[3] ** 2) / (2.0 * way), 0.2) if rig.spun == 0 else 0.2
    rig.metric[0] = DELAY + sc.speed / (2.0 * decel) - rig.built.value[AEB]
    rig.metric[1] = rig.built.value[AEB]
    rig.metric[2] = -decel


@device
def steer(rig, error, wanted):
    """Rate of the steering angle, rad/s, by a driver who foresees this path error (m, to the left). wanted: steady angle, rad."""
    reach = max(rig.car.x[3], 3.0) * PREVIEW
    angle = wanted - 2.0 * (FRONT + REAR) / (reach * reach) * error
    return min(max((angle - rig.car.x[2]) / ARMS, -STEERING_RATE), STEERING_RATE)


@device
def corner(rig, sc):
    """Braking in a bend, from 0.3 s on. Metrics: log of the largest path error, log of the largest change of slip angle, and mean
    deceleration, negative, m/s^2."""
    set_off(rig, sc)
    x = rig.car.x
    curvature = sc.across / sc.speed**2
    turn = (FRONT + REAR) * curvature
    x[2], x[5] = turn, sc.speed * curvature
    x[6] = curvature * (rig.car.b - sc.speed**2 / (21.92 * G))
    settled = x[6]
    off = heading = far = slide = 0.0  # m and rad from the path
    begun = sc.speed
    braked = 0.0
    for k in range(440):
        braking = k >= 60
        drive(rig.car, steer(rig, off + x[3] * PREVIEW * (heading + x[6]), turn), -sc.along if braking else 0.0, DT)
        record(rig)
        off += DT * x[3] * math.sin(heading + x[6])
        heading += DT * (x[5] - curvature * x[3] * math.cos(heading + x[6]))
        if k == 59:
            begun = x[3]
        if braking:
            braked += DT
        far, slide = max(far, abs(off)), max(slide, abs(x[6] - settled))
        if has_spun(rig) or far > WORST_PATH:
            rig.spun = has_spun(rig)
            far, slide = WORST_PATH, SPIN
            break
        if x[3] < 2.0:
            break
    rig.metric[0], rig.metric[1] = math.log(0.05 + far), math.log(0.01 + slide)
    rig.metric[2] = (x[3] - begun) / max(braked, 0.1) if slide < SPIN else 0.0


@device
def beside(offset, part):
    """Lateral position (m) after a fraction `part` of a lane change over `offset` m: a quintic with zero velocity and acceleration at its
    ends."""
    q = min(max(part, 0.0), 1.0)
    return offset * q * q * q * (10.0 - 15.0 * q + 6.0 * q * q)


@device
def change_lane(rig, sc):
    """A lane change. Metrics: log of the largest path error, log of the largest slip angle, and roll angle of the body, rad."""
    set_off(rig, sc)
    x = rig.car.x
    far = slide = push = 0.0
    for k in range(int((sc.lasts + 0.8) / DT)):
        t = k * DT
        ahead = x[1] + x[3] * PREVIEW * math.sin(x[4] + x[6])
        drive(rig.car, steer(rig, ahead - beside(sc.across, (t + PREVIEW) / sc.lasts), 0.0), 0.0, DT)
        record(rig)
        far = max(far, abs(x[1] - beside(sc.across, (t + DT) / sc.lasts)))
        slide, push = max(slide, abs(x[6])), max(push, abs(x[3] * (rig.car.f[4] + rig.car.f[6])))
        if has_spun(rig) or far > WORST_PATH:
            rig.spun = has_spun(rig)
            far, slide = WORST_PATH, SPIN
            break
    spring, damper, m = rig.built.value[SPRING], rig.built.value[DAMPER], sprung(rig.built)
    damping = min(0.5 * damper / math.sqrt(spring * m), 0.95)
    overshoot = 1.0 + math.exp(-math.pi * damping / math.sqrt(1.0 - damping * damping))
    rig.metric[0], rig.metric[1] = math.log(0.05 + far), math.log(0.01 + slide)
    rig.metric[2] = 2.0 * m * min(push, 1.5 * G) / (2.2 * spring + 35e3) * overshoot


@device
def hit_barrier(rig, sc):
    """A crash. Metrics: crush / crumple length, peak deceleration of the occupant, g, and displacement in the cabin, m."""
    v = rig.built.value
    crush, peak, way = crash(rig.built.mass, v[CRUSH], v[CRUMPLE], sc.speed)
    rig.metric[0], rig.metric[1], rig.metric[2] = crush / v[CRUMPLE], peak / G, way


@device
def ride(rig, sc):
    """A rough road. Metrics: RMS acceleration of the passengers, m/s^2; RMS dynamic / static wheel load; and spring travel, m: three
    standard deviations, plus the dive under hard braking."""
    v, m, noise = rig.built.value, sprung(rig.built), intensity(sc.roughness, sc.speed)
    rig.metric[0] = comfort(v[SPRING], v[DAMPER], m, noise)
    rig.metric[1] = wheel_load(v[SPRING], v[DAMPER], m, noise) / (0.25 * rig.built.mass * G)
    dive = rig.built.mass * 6.0 * HEIGHT / (2.0 * (FRONT + REAR) * v[SPRING])
    rig.metric[2] = 3.0 * travel(v[DAMPER], m, noise) + dive


@device
def travel_far(rig, sc):
    """Energy and hills. Metrics: driving resistance, 100 N; steepest gradient that the driven rear axle climbs, negative; mass, t."""
    v = rig.built.value
    drag = 0.5 * AIR * (0.60 + 0.35 * v[DOWNFORCE]) * sc.speed**2
    rig.metric[0] = ((0.0075 + 0.005 * v[COMPOUND]) * rig.built.mass * G + drag) / 100.0
    grip = grip_of(rig.built, sc.surface, 0.0, 0.0)
    rig.metric[1] = -grip * (FRONT + v[GRAVITY]) / (FRONT + REAR - grip * HEIGHT)
    rig.metric[2] = rig.built.mass / 1000.0


@device
def perform(rig, sc):
    """Run a scenario. Fills rig.metric and, in families that are driven, the trace."""
    rig.spun = rig.samples = 0
    if sc.family == BRAKING:
        brake(rig, sc)
    elif sc.family == CURVE:
        corner(rig, sc)
    elif sc.family == LANE:
        change_lane(rig, sc)
    elif sc.family == CRASH:
        hit_barrier(rig, sc)
    elif sc.family == RIDE:
        ride(rig, sc)
    else:
        travel_far(rig, sc)
