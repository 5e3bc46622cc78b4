"""A load on a rope under a trolley: a pendulum with varying length and a moving pivot.

    l th'' + 2 l' th' + g sin th = -a cos th - c l th'

th: angle of the rope, rad, positive if the load is ahead of the trolley; l: length, m; a: acceleration of the trolley, m/s^2; c: air
drag, 1/s. Integrated by the fourth-order Runge-Kutta method.

**Validated**: rides with winding and a driven trolley against scipy's DOP853; periods without drag against the closed form of small swings
and the elliptic integral of large ones; energy without drag (tests/pendulum.py). **Unvalidated**: a drag in proportion to the rate, a
rope that is taut and without mass, a load that is a point, and a swing along the rail only.
"""

import math

from unseen.envs.core.device import device

GRAVITY = 9.81  # m/s^2


@device
def bend(angle, rate, length, winding, accel, drag):
    """Angular acceleration, rad/s^2.

    Args:
        angle, rate: rad, rad/s.
        length: of the rope, m.
        winding: rate of the length, m/s.
        accel: acceleration of the trolley, m/s^2.
        drag: 1/s.
    """
    forced = GRAVITY * math.sin(angle) + accel * math.cos(angle) + 2.0 * winding * rate
    return -forced / length - drag * rate


@device
def swing(angle, rate, length, winding, accel, drag, dt):
    """Angle, rad, and its rate, rad/s, after dt s, in which the rope grows from `length` by `winding` m/s; arguments as in `bend`."""
    h = 0.5 * dt
    middle, end = length + h * winding, length + dt * winding
    k1 = bend(angle, rate, length, winding, accel, drag)
    r2 = rate + h * k1
    k2 = bend(angle + h * rate, r2, middle, winding, accel, drag)
    r3 = rate + h * k2
    k3 = bend(angle + h * r2, r3, middle, winding, accel, drag)
    r4 = rate + dt * k3
    k4 = bend(angle + dt * r3, r4, end, winding, accel, drag)
    return angle + dt * (rate + 2.0 * (r2 + r3) + r4) / 6.0, rate + dt * (k1 + 2.0 * (k2 + k3) + k4) / 6.0


@device
def frequency(length):
    """Angular frequency of a small swing, rad/s, on a rope of `length` m."""
    return math.sqrt(GRAVITY / length)


@device
def amplitude(angle, rate, length):
    """Amplitude, rad, of a small swing with this angle and rate on a rope of `length` m, while trolley and hoist stand still."""
    return math.sqrt(angle * angle + rate * rate * length / GRAVITY)
