"""How to drive past people whose plans are known or believed. All reference policies that plan use this, each with what it knows.

A `WAY` says when a person can be in the way of the car. Where that time is known, the car brakes early, for as short a time as possible,
so that it passes before or after. Where a person can come out at any time, it is driven so that it can stop, or pass, whenever they do.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.kit.vehicle import G
from unseen.envs.industry.proving_ground_drive.rules import BRAKE, ENGINE, PEDALS, TOP
from unseen.envs.industry.proving_ground_drive.street import BODY, BROAD, MOST_VANS, SIDE

LANE = 0.4  # m to the left of the middle of the street, where all policies drive
RIGHT, LEFT = LANE - BROAD - BODY - 0.15, LANE + BROAD + BODY + 0.1  # m: y between which a person is in the way
HORIZON, SHORT = 8.0, 1.0  # s over which plans are compared; m before a person's path at which a car stops
SOON, LATER = 0.2, 0.15  # s: least margin by which a car passes before or after a person
PEAK = 0.9  # full braking in units of grip x G
SURE = 0.9  # fraction of full braking that is relied upon
DELAY, ROOM, SLOWEST = 0.12, 0.5, 1.3  # s until the brakes act; least distance to a person, m; least safe speed, m/s
FAR = 110.0  # m: people further away are ignored
LENGTHS = np.array([0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5, 3.1, 3.8, 4.6, 5.5])  # s of braking
FULL, GENTLE, COAST, HARD = 0, 1, 2, len(PEDALS) - 1  # indices of discrete actions

WAY = np.dtype(
    [
        ("there", INT), ("unsure", INT),
        ("far", FLOAT), ("low", FLOAT), ("high", FLOAT), ("pace", FLOAT),  # m ahead; first, last time in the way, s from now; m/s
    ],
    align=True,
)  # fmt: skip
WAYS = 2 * MOST_VANS  # each person can cross twice


@device
def clear(ways):
    """Set all ways to: nobody is in the way."""
    for i in range(WAYS):
        ways[i].there = ways[i].unsure = 0
        ways[i].far = ways[i].low = ways[i].high = ways[i].pace = 0.0


@device
def put(way, far, low, high, pace, unsure):
    way.there, way.unsure, way.far = 1, unsure, far
    way.low, way.high, way.pace = low, high, pace


@device
def expect_out(way, far, y, pace, least, most):
    """Set `way` for a person at y who comes out, and sets off in `least` to `most` s, at `pace` m/s, `far` m ahead.

    A person who may already have set off (least < 0) has not come into view yet.
    """
    if y < LEFT:
        low = least + (RIGHT - y) / pace
        if least < most - 0.1:
            put(way, far, max(low, (RIGHT - SIDE) / pace), max(most, 0.0) + (LEFT - y) / pace, pace, 1)
        else:
            put(way, far, max(low, 0.0), most + (LEFT - y) / pace, pace, 0)


@device
def expect_in(way, far, y, pace):
    """Set `way` for a person at y who walks towards the van at `pace` m/s, `far` m ahead."""
    if y > RIGHT:
        put(way, far, max((y - LEFT) / pace, 0.0), (y - RIGHT) / pace, pace, 0)


@device
def arrival(v, brake, lasts, engine, far):
    """Time, s, in which a car at speed v that brakes by `brake` m/s^2 for `lasts` s, and then accelerates by `engine`, goes `far` m."""
    if far <= 0.0:
        return 0.0
    stops = min(lasts, v / brake)
    there = v * stops - 0.5 * brake * stops * stops
    if there >= far:
        return (v - math.sqrt(max(v * v - 2.0 * brake * far, 0.0))) / brake
    far -= there
    v = max(v - brake * stops, 0.0)
    up = max(TOP - v, 0.0) / engine
    rise = v * up + 0.5 * engine * up * up
    if rise >= far:
        return lasts + (math.sqrt(v * v + 2.0 * engine * far) - v) / engine
    return lasts + up + (far - rise) / max(v, TOP)


@device
def progress(v, brake, lasts, engine):
    """Distance, m, that such a car covers within HORIZON."""
    stops = min(lasts, v / brake)
    gone = v * stops - 0.5 * brake * stops * stops
    v = max(v - brake * stops, 0.0)
    left = max(HORIZON - lasts, 0.0)
    up = min(max(TOP - v, 0.0) / engine, left)
    return gone + v * up + 0.5 * engine * up * up + max(v, TOP) * (left - up)


@device
def is_clear(ways, v, brake, lasts, engine):
    """Whether such a car passes before or after all people for whom it is known when they are in the way."""
    for i in range(WAYS):
        w = ways[i]
        if w.there and not w.unsure and -0.2 < w.far < FAR:
            if w.low - SOON < arrival(v, brake, lasts, engine, w.far) and (
                arrival(v, brake, lasts, engine, w.far - SHORT) < w.high + LATER
            ):
                return False
    return True


@device
def safe_speed(most, warning):
    """Speed, m/s, at which a car can always cope with a person who appears `warning` s before they are in the way: wherever the car is
    then, it either stops in time, braking by `most` m/s^2, or has passed before they are in the way."""
    half = most * max(warning - DELAY, 0.05)
    return max(half + math.sqrt(max(half * half - 2.0 * most * ROOM, 0.0)), SLOWEST)


@device
def pedal_for(brake, most):
    """Index of the action whose braking is nearest to `brake` m/s^2. most: full braking, m/s^2."""
    if brake > 0.85 * most:
        return HARD
    best = COAST
    for i in range(COAST, HARD + 1):
        if abs(-PEDALS[i] * BRAKE - brake) < abs(-PEDALS[best] * BRAKE - brake):
            best = i
    return best


@device
def slow_for_unsure(ways, v, most, engine):
    """Deceleration, m/s^2, by which to slow down for people who may come out at any time; 0: hold the speed; -1: no need to.

    Arguments as in `drive_by`; engine: acceleration, m/s^2.
    """
    needed = -1.0
    for i in range(WAYS):
        w = ways[i]
        if not (w.there and w.unsure and 0.0 < w.far < FAR):
            continue
        if arrival(v, 1.0, 0.0, engine, w.far) < w.low - SOON:
            continue
        warning = (RIGHT - SIDE) / w.pace
        safe = safe_speed(SURE * most, warning)
        if v <= safe:
            near = w.far < v * warning + 1.5 * v
            needed = max(needed, 0.0 if near and v > safe - 0.3 else -1.0)
            continue
        brake = (v * v - safe * safe) / (2.0 * max(w.far - safe * warning - 0.1 * v, 0.2))
        if brake > 0.45 * most:
            needed = max(needed, brake)
        elif brake > 0.38 * most:
            needed = max(needed, 0.0)
    return needed


@device
def drive_by(ways, v, most):
    """Index of the action to take at speed v, m/s, if full braking gives `most` m/s^2."""
    grippy = most > 4.5
    engine = ENGINE if grippy else PEDALS[GENTLE] * ENGINE
    go = FULL if grippy else GENTLE
    slow = slow_for_unsure(ways, v, most, engine)
    if is_clear(ways, v, 1.0, 0.0, engine):
        if slow < 0.0:
            return go
        return COAST if slow == 0.0 else pedal_for(slow, most)
    best, chosen = -1e9, most
    for k in range(4):
        brake = (1.0, 2.0, 4.0, 7.0)[k]
        if brake > 0.8 * most:
            brake = 0.8 * most
        for j in range(len(LENGTHS)):
            worth = progress(v, brake, LENGTHS[j], engine) - 0.1 * brake
            if worth > best and is_clear(ways, v, brake, LENGTHS[j], engine):
                best, chosen = worth, brake
    if best < -1e8:
        return HARD
    return pedal_for(max(chosen, slow), most)


@device
def brakes_of(grip):
    """Deceleration of full braking at this grip, m/s^2."""
    return min(PEAK * grip * G, BRAKE)
