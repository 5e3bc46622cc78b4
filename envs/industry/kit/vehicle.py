"""A single-track car model with Pacejka tyres: CommonRoad's drift model STD, nine states, with optional ABS.

SI units, radians. The state x is position X, Y (m); steering angle of the front wheels; speed; yaw angle; yaw rate; slip angle at the
centre of gravity; angular speeds of the front and rear wheel. Around 0.2 m/s the model blends into a kinematic one, as the reference
does.

Source: Althoff and Wuersching, "CommonRoad: Vehicle Models", 2020, with the parameters of a BMW 320i and the ADAMS tyre of that report.

**Validated**: the rates of random states against commonroad-vehicle-models, and manoeuvres against scipy's LSODA on them, each also with
less `grip`, a factor on the peaks of the tyre curves (tests/vehicle.py). **Unvalidated**: that a slippery road does no more than that to a
tyre; the lag of the load transfer in `drive`; and, off by default, drag, downforce, slope, ABS, which reduces the brake torque above a
slip, and a driven front axle.

The model does not hold for a spinning car: callers stop the simulation at slip angles beyond `SPIN`.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT

G, AIR = 9.81, 1.225  # m/s^2, kg/m^3
MASS, YAW_INERTIA, FRONT, REAR = 1093.2952334674046, 1791.5995300122856, 1.1561957064, 1.4227170936  # kg, kg m^2, m
HEIGHT, RADIUS, WHEEL_INERTIA = 0.61373004, 0.344, 1.7  # of the centre of gravity and of a wheel, m; kg m^2
STEERING_RATE = 0.4  # rad/s, the maximum
SPIN = 0.8  # rad, slip angle
SLOWEST, SWITCH, BLEND = (
    0.1,
    0.2,
    0.05,
)  # m/s: least speed in the denominators of slips; speed at which the kinematic model takes over; width of that transition
FADE = 0.06  # slip beyond the ABS threshold at which all brake torque is gone
LIGHTEST = 50.0  # N, least load of an axle, which keeps forces finite if it lifts off

# Coefficients of the tyre, named as in the source.
CX, DX, EX, KX, HX, VX = 1.6411, 1.1739, 0.46403, 22.303, 0.0012297, -8.8098e-06
RBX1, RBX2, RCX1, REX1, RHX1 = 13.276, -13.778, 1.2568, 0.65225, 0.0050722
CY, DY, EY, KY = 1.3507, 1.0489, -0.0074722, -21.92
RBY1, RBY2, RBY3, RCY1, REY1, RHY1 = 7.1433, 9.1916, -0.027856, 1.0719, -0.27572, 5.7448e-06
RVY1, RVY4, RVY5, RVY6 = -0.027825, 12.12, 1.9, -10.704

CAR = np.dtype(
    [
        ("a", FLOAT), ("b", FLOAT), ("mass", FLOAT), ("inertia", FLOAT), ("height", FLOAT),  # centre of gravity to the axles, m
        ("bias", FLOAT), ("drive", FLOAT),  # shares of the front axle in brake and drive torque
        ("grip", FLOAT), ("cda", FLOAT), ("cla", FLOAT), ("slope", FLOAT), ("abs", FLOAT),  # m^2; rad; slip, 0: no ABS
        ("x", FLOAT, (9,)), ("f", FLOAT, (9,)),  # states and their rates
        ("stiff", FLOAT, (2,)), ("slip", FLOAT, (2,)), ("use", FLOAT, (4,)),  # front, rear wheel: d(rate) / d(wheel speed); slip; forces
        ("ax", FLOAT),  # m/s^2: filtered acceleration, which shifts the load
    ],
    align=True,
)  # fmt: skip
"""A car: its parameters, its state, and results of the last call of `rates`. `use`: longitudinal and lateral force as fractions of peak
grip x load, of the front wheel, then of the rear one."""


@device
def bmw(c):
    """Set a car to the reference's BMW 320i, at rest, without aerodynamic forces and ABS."""
    c.a, c.b, c.mass, c.inertia, c.height = FRONT, REAR, MASS, YAW_INERTIA, HEIGHT
    c.bias, c.drive, c.grip = 0.66, 0.0, 1.0
    c.cda = c.cla = c.slope = c.abs = 0.0
    start(c, 0.0)


@device
def start(c, speed):
    """Put the car at the origin, driving straight ahead along X at this speed, wheels rolling."""
    for i in range(9):
        c.x[i] = 0.0
    c.x[3] = speed
    c.x[7] = c.x[8] = speed / RADIUS
    c.ax = 0.0


@device
def bend(z, e):
    """The argument of the arctangent in the magic formula. z: stiffness factor x slip; e: curvature factor."""
    return z - e * (z - math.atan(z))


@device
def longitudinal(slip, alpha, load, grip):
    """Longitudinal force of a tyre, N, and its derivative with respect to slip, with the combined-slip factor held constant.

    slip: longitudinal slip; alpha: slip angle, rad; load: N; grip: factor on the peak.
    """
    peak = grip * DX * load
    b = load * KX / (CX * peak)
    z = b * (HX - slip)
    w = bend(z, EX)
    angle = CX * math.atan(w) + load * VX
    by_angle = peak * math.cos(angle) * CX / (1.0 + w * w)
    rate = -by_angle * b * (1.0 - EX + EX / (1.0 + z * z))
    r = RBX1 / math.sqrt(1.0 + (RBX2 * slip) ** 2)
    at_rest = math.cos(RCX1 * math.atan(bend(r * RHX1, REX1)))
    factor = math.cos(RCX1 * math.atan(bend(r * (alpha + RHX1), REX1))) / at_rest
    return peak * math.sin(angle) * factor, rate * factor


@device
def lateral(slip, alpha, load, grip):
    """Lateral force of a tyre, N; arguments as in `longitudinal`."""
    peak = grip * DY * load
    pure = peak * math.sin(CY * math.atan(bend(load * KY / (CY * peak) * alpha, EY)))
    r = RBY1 / math.sqrt(1.0 + (RBY2 * (alpha - RBY3)) ** 2)
    at_rest = math.cos(RCY1 * math.atan(bend(r * RHY1, REY1)))
    factor = math.cos(RCY1 * math.atan(bend(r * (slip + RHY1), REY1))) / at_rest
    shift = peak * RVY1 / math.sqrt(1.0 + (RVY4 * alpha) ** 2) * math.sin(RVY5 * math.atan(RVY6 * slip))
    return pure * factor + shift


@device
def kept(slip, limit):
    """Fraction of the brake torque that ABS leaves at a slip. limit: slip above which it acts."""
    return min(1.0, max(0.0, 1.0 - (slip - limit) / FADE))


@device
def rates(c, steering, demand, transfer):
    """Fill c.f, the rates of the states.

    steering: rate of the steering angle, rad/s. demand: acceleration requested from engine (> 0) or brakes (<= 0), m/s^2. transfer:
    acceleration from which the load transfer between the axles is computed, m/s^2; the reference uses `demand`.
    """
    x, f = c.x, c.f
    delta, v, yaw_rate, beta = x[2], x[3], x[5], x[6]
    a, b, m = c.a, c.b, c.mass
    base = a + b
    cb, sb = math.cos(beta), math.sin(beta)
    cd, sd = math.cos(delta), math.sin(delta)
    along, across = v * cb, v * sb
    alpha_f = alpha_r = 0.0
    if v > SLOWEST:
        alpha_f = math.atan((across + yaw_rate * a) / along) - delta
        alpha_r = math.atan((across - yaw_rate * b) / along)
    down = 0.25 * AIR * c.cla * v * v
    cs, ss = 1.0, 0.0
    if c.slope != 0.0:
        cs, ss = math.cos(c.slope), math.sin(c.slope)
    load_f = max(m * (G * cs * b - transfer * c.height) / base + down, LIGHTEST)
    load_r = max(m * (G * cs * a + transfer * c.height) / base + down, LIGHTEST)
    over_f = max(0.0, along * cd + (across + a * yaw_rate) * sd)
    over_r = max(0.0, along)
    slow_f, slow_r = max(over_f, SLOWEST), max(over_r, SLOWEST)
    slip_f, slip_r = 1.0 - RADIUS * x[7] / slow_f, 1.0 - RADIUS * x[8] / slow_r
    fx_f, by_slip_f = longitudinal(slip_f, alpha_f, load_f, c.grip)
    fx_r, by_slip_r = longitudinal(slip_r, alpha_r, load_r, c.grip)
    fy_f, fy_r = lateral(slip_f, alpha_f, load_f, c.grip), lateral(slip_r, alpha_r, load_r, c.grip)
    brake = m * RADIUS * demand if demand <= 0.0 else 0.0
    drive = m * RADIUS * demand if demand > 0.0 else 0.0
    keep_f = keep_r = 1.0
    by_abs_f = by_abs_r = 0.0  # derivatives of the remaining brake torque with respect to slip
    if c.abs > 0.0:
        keep_f, keep_r = kept(slip_f, c.abs), kept(slip_r, c.abs)
        by_abs_f = -c.bias * brake / FADE if 0.0 < keep_f < 1.0 else 0.0
        by_abs_r = -(1.0 - c.bias) * brake / FADE if 0.0 < keep_r < 1.0 else 0.0

    # the front force in the frame of the car: the angle is delta - beta
    cf, sf = cd * cb + sd * sb, sd * cb - cd * sb
    drag = 0.5 * AIR * c.cda * v * v
    accel = (-fy_f * sf + fy_r * sb + fx_r * cb + fx_f * cf - drag) / m - G * ss
    yaw_accel = (fy_f * cd * a - fy_r * b + fx_f * sd * a) / c.inertia
    beta_rate = 0.0
    if v > SLOWEST:
        beta_rate = -yaw_rate + (fy_f * cf + fy_r * cb - fx_r * sb + fx_f * sf) / (m * v)
    wheel_f = (-RADIUS * fx_f + c.bias * brake * keep_f + c.drive * drive) / WHEEL_INERTIA if x[7] >= 0.0 else 0.0
    wheel_r = (
        (-RADIUS * fx_r + (1.0 - c.bias) * brake * keep_r + (1.0 - c.drive) * drive) / WHEEL_INERTIA
        if x[8] >= 0.0
        else 0.0
    )

    w = 1.0
    if v < SWITCH + 20.0 * BLEND:  # above, the weight of the kinematic model is below machine precision
        w = 0.5 * (math.tanh((v - SWITCH) / BLEND) + 1.0)
    k = 1.0 - w
    f[0], f[1], f[2] = v * math.cos(beta + x[4]), v * math.sin(beta + x[4]), steering
    f[3], f[4], f[5], f[6], f[7], f[8] = accel, yaw_rate, yaw_accel, beta_rate, wheel_f, wheel_r
    if k > 0.0:
        td = sd / cd
        slip_angle = math.atan(td * b / base)
        slip_rate = b * steering / (base * cd * cd * (1.0 + (td * td * b / base) ** 2))  # as in the reference
        f[3] = w * accel + k * demand
        f[4] = w * yaw_rate + k * v * math.cos(slip_angle) * td / base
        f[5] = w * yaw_accel + k * (demand * cb * td - across * slip_rate * td + along * steering / (cd * cd)) / base
        f[6] = w * beta_rate + k * slip_rate
        f[7] = w * wheel_f + k * 50.0 * (over_f / RADIUS - x[7])
        f[8] = w * wheel_r + k * 50.0 * (over_r / RADIUS - x[8])
    per_f, per_r = -RADIUS / slow_f, -RADIUS / slow_r  # derivatives of slip with respect to wheel speed
    c.stiff[0] = w * (by_abs_f - RADIUS * by_slip_f) * per_f / WHEEL_INERTIA - k * 50.0
    c.stiff[1] = w * (by_abs_r - RADIUS * by_slip_r) * per_r / WHEEL_INERTIA - k * 50.0
    c.slip[0], c.slip[1] = slip_f, slip_r
    c.use[0], c.use[1] = fx_f / (c.grip * DX * load_f), fy_f / (c.grip * DX * load_f)
    c.use[2], c.use[3] = fx_r / (c.grip * DX * load_r), fy_r / (c.grip * DX * load_r)


@device
def advance(c, steering, demand, transfer, dt):
    """One step of dt s, explicit for the body and implicit for the wheels, whose equations are stiff; other arguments as in `rates`.

    Wheels and car never move backwards.
    """
    rates(c, steering, demand, transfer)
    x, f = c.x, c.f
    for i in range(7):
        x[i] += dt * f[i]
    for i in range(2):
        x[7 + i] = max(0.0, x[7 + i] + dt * f[7 + i] / (1.0 - dt * min(0.0, c.stiff[i])))
    x[3] = max(0.0, x[3])


@device
def drive(c, steering, demand, dt):
    """One step of dt s of a car whose load transfer follows its acceleration with a time constant of 80 ms; arguments as in `rates`."""
    advance(c, steering, demand, c.ax, dt)
    c.ax += dt / 0.08 * (c.f[3] - c.ax)
