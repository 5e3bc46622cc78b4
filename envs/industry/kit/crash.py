"""A car against a rigid barrier: its front crushes, and an occupant is held by the restraint.

The front is a spring, eight times stiffer beyond the crumple length, which does not push back. The occupant, 75 kg, moves freely for the
slack, then against a spring with a load limiter, and beyond the room in the cabin against the steering wheel. The car's part has a
closed form, and scipy agrees with both (tests/vehicle.py); **unvalidated** is that cars and restraints are like this.
"""

import math

from unseen.envs.core.device import device

STIFFER = 8.0  # the cabin is stiffer than the front by this factor
OCCUPANT, SLACK, ROOM = 75.0, 0.04, 0.42  # kg, m, m
RESTRAINT, LIMITER, WHEEL = 75.0 * (2.0 * math.pi * 4.5) ** 2, 18e3, 1.2e5  # N/m, N, N/m
DT, LONGEST = 2e-4, 2000  # s, steps


@device
def held(stretch):
    """Force on the occupant, N, who has moved by `stretch` (m) beyond the slack, relative to the car."""
    if stretch <= 0.0:
        return 0.0
    return min(RESTRAINT * stretch, LIMITER) + WHEEL * max(stretch - ROOM, 0.0)


@device
def crash(mass, stiffness, length, speed):
    """Crush of the front (m), peak deceleration of the occupant (m/s^2) and his way in the cabin (m): kg, N/m, m, m/s."""
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
