"""A quarter car on a random road: closed forms of vertical acceleration, suspension travel and wheel load.

Two masses on springs, with a damper between them. The road is ISO 8608: the power spectral density of its height falls with the square of
the spatial frequency, so the rate at which it lifts the tyre is white noise, and the variances solve a Lyapunov equation, here by hand.

**Validated**: acceleration, travel and wheel load of 200 cars against scipy's solution of that equation (tests/vehicle.py).
**Unvalidated**: linear springs and dampers, a tyre that never leaves the road, a road that is alike at all frequencies, and the unsprung
mass, which is that of the BMW 320i for every car.
"""

import math

from unseen.envs.core.device import device

TYRE, UNSPRUNG = (
    158294.1398119115,
    31.9,
)  # tyre stiffness, N/m, and unsprung mass, kg, of one wheel of the BMW 320i in `vehicle`
REFERENCE = 0.1  # cycles/m at which the roughness is given


@device
def intensity(roughness, speed):
    """Two-sided spectral density of the road's vertical velocity under the wheel, (m/s)^2/Hz.

    roughness: Gd at 0.1 cycles/m, m^3; speed: m/s.
    """
    return 0.5 * (2.0 * math.pi * REFERENCE) ** 2 * roughness * speed


@device
def comfort(spring, damper, sprung, noise):
    """RMS vertical acceleration of the sprung mass, m/s^2.

    spring: N/m; damper: Ns/m; sprung: mass, kg; noise: as returned by `intensity`.
    """
    m2 = sprung * sprung
    return math.sqrt(0.5 * noise * (damper * TYRE / m2 + spring * spring * (sprung + UNSPRUNG) / (damper * m2)))


@device
def travel(damper, sprung, noise):
    """RMS deflection of the spring, m; arguments as in `comfort`."""
    return math.sqrt(0.5 * noise * (sprung + UNSPRUNG) / damper)


@device
def wheel_load(spring, damper, sprung, noise):
    """RMS dynamic load of the tyre, N; arguments as in `comfort`."""
    whole = sprung + UNSPRUNG
    part = whole**3 * spring * spring / (damper * sprung * sprung) - 2.0 * TYRE * spring * UNSPRUNG * whole / (
        damper * sprung
    )
    return math.sqrt(
        max(0.5 * noise * (part + TYRE * TYRE * UNSPRUNG / damper + TYRE * damper * (whole / sprung) ** 2), 0.0)
    )
