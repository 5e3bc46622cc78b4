"""A car against a rigid barrier: its front crushes, and an occupant is held by the restraint.

The front is a spring without rebound, eight times stiffer beyond the crumple length. The occupant, 75 kg, moves freely up to the
slack of the belt, then against a spring with a load limiter, and beyond the free space in the cabin against the steering wheel. The car's
motion has a closed form, and scipy's solution agrees for both (tests/vehicle.py). **Unvalidated**: that cars and restraints are like this.
"""

import math

from unseen.envs.core.device import device

STIFFER = 8.0  # the cabin is stiffer than the front by this factor
OCCUPANT, SLACK, ROOM = 75.0, 0.04, 0.42  # kg; m of slack; m beyond it to the steering wheel
# N/m of the restraint, whose natural frequency is 4.5 Hz; N of its load limiter; N/m of the steering wheel
RESTRAINT, LIMITER, WHEEL = 75.0 * (2.0 * math.pi * 4.5) ** 2, 18e3, 1.2e5
DT, LONGEST = 2e-4, 2000  # s, steps


@device
def held(stretch):
    """Force on the occupant, N, after moving by `stretch` (m) beyond the slack, relative to the car."""
    if stretch <= 0.0:
        return 0.0
    return min(RESTRAINT * stretch, LIMITER) + WHEEL * max(stretch - ROOM, 0.0)


@device
def crash(mass, stiffness, length, speed):
    """Crush of the front, m, and peak deceleration, m/s^2, and displacement in the cabin, m, of the occupant.

    mass, kg, and stiffness, N/m, of the car and its front; length, m, of the crumple zone; speed, m/s, of impact.
    """
    x = y = peak = way = 0.0  # of car and occupant
    v = u = speed
    for _ in range(LONGEST):
        force = stiffness * (x + (STIFFER - 1.0) * max(x - length, 0.0)) if v > 0.0 else 0.0
        pull = held(y - x - SLACK)
        # leapfrog: speeds at half steps, positions at whole ones
        v = max(0.0, v - force / mass * DT)
        u -= pull / OCCUPANT * DT
        x += v * DT
        y += u * DT
        peak, way = max(peak, pull), max(way, y - x)
        if u <= 0.0:
            break
    return x, peak / OCCUPANT, way
