"""The rules of ProvingGroundDrive: state, reset, step and what is observed. SI units; a step is 50 ms."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, uniform
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.industry.kit.vehicle import CAR, SPIN, bmw, drive, start
from unseen.envs.industry.proving_ground_drive.street import (
    AWAY,
    BODY,
    DOOR,
    EYE,
    GAP,
    GONE,
    HALF,
    IN,
    MOST_VANS,
    NOBODY,
    NOSE,
    OUT,
    PLACE,
    REST,
    RETURNS,
    STAYS,
    TURNS,
    WALKER,
    distance_to_car,
    in_sight,
    is_outside,
    reaches,
    walk,
)

STEPS, CONTROL, PARTS = 400, 0.05, 10  # time limit; s of a step, and substeps of the car in it
TOP = 13.9  # m/s, speed of the limiter
BRAKE, ENGINE, LIMITER = 10.0, 3.0, 4.0  # m/s^2 at full pedal; 1/s, how softly the limiter takes over
PEDALS = (1.0, 0.35, 0.0, -0.1, -0.2, -0.4, -0.7, -1.0)  # of the discrete actions
ABS, ABS_FROM, ALL_WHEELS = 0.12, 2.0, 0.5  # slip; m/s, below which wheels may lock; share of the front axle in driving
ASSIST_Y, ASSIST_YAW, WHEEL, LAG = 0.03, 0.5, 0.03, 0.1  # lane keeping, rad/m and rad/rad; rad at full steering; s
STREET = 265.0  # m
FIRST, LAST = 46.0, 250.0  # m: where the far ends of the first and of the last van may be
JERK, NUISANCE, IMPACT = 2e-4, 0.04, 2.0  # per m/s^2 of change in a step; a stop for nobody; an impact or a spin
ENOUGH = 0.9  # fraction of the street that makes a success, if nothing was hit
SLOW, NEAR = 5.0, 25.0  # a needless stop is below SLOW m/s within NEAR m before a place where people walk
PACE = (1.0, 2.2)  # m/s, of people
FAST = (2.2, 2.8)  # m/s, of people on the split "shift"
ENTERED = 0.0  # m left of the lane's middle: at reset nobody has walked further than this
WINDOW = 16  # steps for which somebody has been hidden before the audit probes the last observations for whether they come back
ARRIVED, LATE, HIT, LEFT, SPUN, DIVERGED = range(6)  # how an episode ended

STATE = record(
    ("car", CAR), ("grip", FLOAT), ("vans", INT), ("van", WALKER, (MOST_VANS,)),
    ("pedal", FLOAT), ("wheel", FLOAT), ("accel", FLOAT),  # -1..1; -1..1; m/s^2, mean of the last step
    ("hardest", FLOAT), ("nuisance", INT), ("jerk", FLOAT), ("ended_by", INT), ("hit", INT),  # m/s^2; ...; the van, -1
)  # fmt: skip
# Where things are in the observation's row.
SPEED, OFFSET, YAW, YAW_RATE, STEERING, ACCEL, PEDAL, SLIP, SENSOR, GRIP, WAY, CLOCK, VAN = range(13)
AHEAD, DISTANCE, SEEN, SIDEWAYS, MOVES, EMPTY, DUE, VAN_PARTS = range(8)  # of each van
ROW = VAN + MOST_VANS * VAN_PARTS
STATE_EXTRA = 2 + 4 * MOST_VANS


@device
def reset(s, p):
    """Draw a street with vans and people, some of whom have set out, and put the car at its beginning."""
    s.grip = 0.01 * uniform(s, p.grip_low, p.grip_high)
    bmw(s.car)
    s.car.grip, s.car.abs, s.car.drive = s.grip, ABS, ALL_WHEELS
    place_car(s.car, TOP)
    s.pedal = s.wheel = s.accel = s.hardest = s.jerk = 0.0
    s.nuisance = s.ended_by = 0
    s.hit = -1
    s.vans = p.vans
    apart = (LAST - FIRST) / max(p.vans - 1, 1)
    for k in range(MOST_VANS):
        end = FIRST + (k + uniform(s, -0.15, 0.15) if p.vans > 1 else uniform(s, 0.0, 1.0)) * apart
        place_person(s, s.van[k], end, k < p.vans, p)
    look(s, p)
    return True


@device
def place_car(c, speed):
    """Put the car at the beginning of the street, at `speed` m/s, and clear its scratch fields."""
    start(c, speed)
    for i in range(9):
        c.f[i] = 0.0
    for i in range(4):
        c.use[i] = 0.0
    for i in range(2):
        c.stiff[i] = c.slip[i] = 0.0


@device
def place_person(s, w, end, there, p):
    """Draw who walks at a van, and when. Whether they come back is independent of all else that is drawn."""
    w.end = end
    chosen = uniform(s, 0.0, 1.0)
    w.who = (
        RETURNS if chosen < p.returning
        else STAYS if chosen < p.returning + p.staying
        else TURNS if chosen < p.returning + p.staying + p.turning
        else NOBODY
    )  # fmt: skip
    low, high = FAST if p.split == SHIFT else PACE
    w.pace = uniform(s, low, high)
    w.rest = max(p.rest + p.spread * uniform(s, -1.0, 1.0), 0.2)
    # s from the person's return to the car's path until a car at top speed passes there
    fate = uniform(s, 0.0, 1.0)
    if fate < p.meeting:
        after = uniform(s, -1.2, 1.2)
    elif fate < 0.5 * (1.0 + p.meeting):
        after = -uniform(s, 1.2, max(w.rest, 1.2) + 0.4)
    else:
        after = uniform(s, 2.6, 5.0)
    course = (DOOR - PLACE) / w.pace + w.rest + (-0.74 - PLACE) / w.pace + after
    w.start = end + GAP - TOP * course
    w.does, w.y, w.vy, w.left = AWAY, DOOR, 0.0, w.rest
    w.busy = w.passed = w.seen = 0
    w.slowest = TOP
    w.since = -1
    w.last_y = 0.0
    w.last_empty = 0
    if not there:
        w.who = NOBODY
    if w.who == NOBODY:
        w.does = GONE
    elif w.start < NOSE:
        w.does = IN
        w.y = max(DOOR - w.pace * (NOSE - w.start) / TOP, ENTERED)
        w.vy = -w.pace


@device
def look(s, p):
    """Update which people the driver sees."""
    x = s.car.x
    eye_x, eye_y = x[0] + EYE * math.cos(x[4]), x[1] + EYE * math.sin(x[4])
    for k in range(s.vans):
        w = s.van[k]
        w.seen = is_outside(w) and (p.glass or in_sight(s.van, s.vans, p.length, k, eye_x, eye_y))
        if w.seen:
            w.since, w.last_y, w.last_empty = 0, w.y, w.who == RETURNS
        elif w.since >= 0 and is_outside(w):
            w.since += 1
        elif not is_outside(w):
            w.since = -1


@device
def steering_rate(s, wheel):
    """Rate of the steering angle by lane keeping and the driver's `wheel` in [-1, 1], rad/s."""
    x = s.car.x
    wanted = WHEEL * wheel - ASSIST_Y * x[1] - ASSIST_YAW * x[4]
    return min(max((wanted - x[2]) / LAG, -0.4), 0.4)


@device
def move(s, pedal, wheel):
    """Drive the car for one step. Returns False if its state has diverged."""
    x, dt = s.car.x, CONTROL / PARTS
    before = x[3]
    for _ in range(PARTS):
        s.car.abs = ABS if x[3] > ABS_FROM else 0.0
        demand = min(ENGINE * pedal, LIMITER * (TOP - x[3])) if pedal > 0.0 else BRAKE * pedal
        drive(s.car, steering_rate(s, wheel), demand, dt)
    s.accel = (x[3] - before) / CONTROL
    for i in range(9):
        if not abs(x[i]) < 1e4:  # a NaN, too
            return False
    return True


@device
def pass_vans(s, front):
    """Returns the number of needless stops before vans that the car passes in this step. `front`: m, position of its nose."""
    stops = 0
    for k in range(s.vans):
        w = s.van[k]
        left = w.end + GAP - front
        if w.passed or left > NEAR:
            continue
        w.slowest = min(w.slowest, s.car.x[3])
        if is_outside(w) and abs(w.y) <= HALF:
            w.busy = 1
        if left <= 0.0:
            w.passed = 1
            stops += w.slowest < SLOW and w.busy == 0
    return stops


@device
def finish(s, info, how):
    """Fill `info` at the end of an episode."""
    s.ended_by = how
    info[0] = how <= LATE and s.car.x[0] + NOSE >= ENOUGH * STREET
    info[1] = how == HIT
    info[2] = s.t * CONTROL
    info[3] = min(max(s.car.x[0] + NOSE, 0.0), STREET)
    info[4] = s.hardest
    info[5] = s.nuisance
    info[6] = s.jerk
    info[7] = how


@device
def diverged(s, info):
    """Fill `info` when the state has diverged."""
    s.ended_by = info[7] = DIVERGED


@device
def step(s, a, p, info):
    """One step; a[0] in [-1, 1]: brake (negative) or throttle; a[1] in [-1, 1]: steering, on top of lane keeping."""
    front, accel = s.car.x[0] + NOSE, s.accel
    s.pedal, s.wheel = a[0], a[1]
    if not move(s, a[0], a[1]):
        return math.nan, True, False
    x = s.car.x
    change = abs(s.accel - accel)
    s.jerk += change / CONTROL / STEPS
    s.hardest = max(s.hardest, -s.accel)
    now = x[0] + NOSE
    reward = (min(now, STREET) - min(front, STREET)) / (STREET - NOSE) - JERK * min(change, 20.0)
    for k in range(s.vans):
        w = s.van[k]
        if is_outside(w) and distance_to_car(x[0], x[1], x[4], w.end + GAP, w.y) < BODY:
            s.hit = k
            finish(s, info, HIT)
            return reward - IMPACT, True, False
    if reaches(x[1], x[4]) > HALF:
        finish(s, info, LEFT)
        return reward - IMPACT, True, False
    if abs(x[6]) > SPIN:
        finish(s, info, SPUN)
        return reward - IMPACT, True, False
    stops = pass_vans(s, now)
    s.nuisance += stops
    reward -= NUISANCE * stops
    for k in range(s.vans):
        if s.van[k].who != NOBODY:
            walk(s.van[k], x[0], x[1], x[4], now, CONTROL)
    look(s, p)
    if now >= STREET:
        finish(s, info, ARRIVED)
        return reward, True, False
    if s.t >= STEPS:
        finish(s, info, LATE)
        return reward, False, True
    return reward, False, False


@device
def clip(value, most):
    return min(max(value, -most), most)


@device
def write_cockpit(s, p, o):
    """What the driver sees: the car's instruments, the vans ahead, and the people in sight."""
    x = s.car.x
    o[SPEED], o[OFFSET], o[YAW], o[YAW_RATE] = x[3] / 10.0, clip(x[1], 2.0), clip(10.0 * x[4], 10.0), clip(x[5], 4.0)
    o[STEERING], o[ACCEL] = clip(10.0 * x[2], 10.0), clip(0.1 * s.accel, 2.0)
    o[PEDAL], o[SLIP] = s.pedal, clip(s.car.slip[0], 1.0)
    o[SENSOR], o[GRIP] = p.sensor, s.grip if p.sensor else 0.0
    o[WAY] = min(max((STREET - NOSE - x[0]) / 100.0, 0.0), 3.0)
    o[CLOCK] = s.t / STEPS
    for k in range(MOST_VANS):
        i = VAN + k * VAN_PARTS
        for j in range(VAN_PARTS):
            o[i + j] = 0.0
        if k >= s.vans or s.van[k].passed:
            continue
        w = s.van[k]
        o[i + AHEAD] = 1.0
        o[i + DISTANCE] = min(max((w.end + GAP - NOSE - x[0]) / 100.0, 0.0), 3.0)
        if w.seen:
            o[i + SEEN] = 1.0
            o[i + SIDEWAYS], o[i + MOVES] = w.y / DOOR, w.vy / 3.0
            o[i + EMPTY] = w.who == RETURNS
            if p.glass and w.does == REST:
                o[i + DUE] = (max(w.left, 0.0) + (-HALF - PLACE) / w.pace) / 10.0


@device
def write_state(s, p, o):
    """The cockpit's row, then grip and slip angle, and for each van who is there, what they do, where, and for how much longer."""
    write_cockpit(s, p, o)
    o[ROW], o[ROW + 1] = s.grip, clip(s.car.x[6], 4.0)
    for k in range(MOST_VANS):
        w, i = s.van[k], ROW + 2 + 4 * k
        o[i], o[i + 1], o[i + 2], o[i + 3] = w.who, w.does, w.y, max(w.left, 0.0)


@device
def resting(s):
    """The first van ahead behind which somebody has rested unseen for WINDOW steps or more; -1 if there is none."""
    for k in range(s.vans):
        w = s.van[k]
        if w.passed == 0 and w.does == REST and w.seen == 0 and w.since >= WINDOW:
            return k
    return -1


@device
def write_hidden(s, p, out):
    """Whether the person at the van of `resting` will come back across the street; if there is none, the first person."""
    k = resting(s)
    if k < 0:
        k = 0
        for i in range(s.vans - 1, -1, -1):
            if s.van[i].who != NOBODY:
                k = i
    out[0] = s.van[k].who == RETURNS


@device
def hides(s, p):
    """Somebody has rested unseen behind a van for WINDOW steps or more."""
    return resting(s) >= 0


@device
def change_plan(s, p):
    """Swap the plan of the person at the van of `resting`: one who would come back stays, any other comes back."""
    k = resting(s)
    if k < 0:
        return False
    s.van[k].who = STAYS if s.van[k].who == RETURNS else RETURNS
    return True


@device
def found(s, p):
    """Somebody has come out again, or would have, or is seen behind a van that the car has passed."""
    for k in range(s.vans):
        w = s.van[k]
        if w.who != NOBODY and (w.does >= OUT or (w.does == REST and (w.seen or w.left <= 0.0))):
            return True
    return False
