"""A car against a rigid barrier: its front crushes, and an occupant is held by the restraint.

The front is a spring without rebound, eight times stiffer beyond the crumple length. The occupant, 75 kg, moves freely through the slack
of the belt, then against a spring with a load limiter, and beyond the free space in the cabin against the steering wheel.

**Validated**: the crush against the closed form of the car's motion, and peak and way of the occupant against scipy's solution for car and
occupant (tests/vehicle.py). **Unvalidated**: that real cars and restraints behave like this.
"""

import math

from unseen.envs.core.device import device

STIFFER = 8.0  # stiffness of the cabin relative to the front
OCCUPANT, SLACK, ROOM = 75.0, 0.04, 0.42  # kg; slack, m; distance beyond it to the steering wheel, m
# Stiffness of the restraint, N/m, for a natural frequency of 4.5 Hz; force of its load limiter, N; stiffness of the steering wheel, N/m
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
    """Simulate a crash.

    Args:
        mass: of the car, kg.
        stiffness: of its front, N/m.
        length: of the crumple zone, m.
        speed: of impact, m/s.

    Returns:
        Crush of the front, m; peak deceleration of the occupant, m/s^2; and the occupant's displacement relative to the car, m.
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
