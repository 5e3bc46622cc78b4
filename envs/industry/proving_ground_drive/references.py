"""Scripted reference policies of ProvingGroundDrive."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.industry.proving_ground_drive.belief import BELIEF, foresee, observe
from unseen.envs.industry.proving_ground_drive.plan import (
    COAST,
    FAR,
    FULL,
    GENTLE,
    HARD,
    LANE,
    LEFT,
    RIGHT,
    SHORT,
    WAY,
    WAYS,
    brakes_of,
    clear,
    drive_by,
    expect_in,
    expect_out,
    pedal_for,
)
from unseen.envs.industry.proving_ground_drive.rules import (
    AHEAD,
    CLOCK,
    DISTANCE,
    GRIP,
    MOVES,
    NOSE,
    PEDALS,
    SEEN,
    SENSOR,
    SIDEWAYS,
    SLIP,
    SPEED,
    STEPS,
    VAN,
    VAN_PARTS,
)
from unseen.envs.industry.proving_ground_drive.street import (
    DOOR,
    GAP,
    IN,
    MOST_VANS,
    NOBODY,
    OUT,
    PLACE,
    REST,
    RETURNS,
)

PROBE = 4  # steps of full braking at the start, to find out how slippery the road is
CAREFUL = 3.5  # m/s^2: full braking assumed by a driver who has not braked yet
DRY, ICY = 0.9, 0.25  # grip assumed by policies that do not measure it
CREEP, BY_VANS, BY_VANS_BRAKE = (
    8.0,
    7.0,
    3.0,
)  # speed of `creeper`, m/s; of `at_vans` past vans, m/s; its deceleration before them, m/s^2
SPINS = -0.05  # slip below which a driven wheel spins
TTC = 1.6  # s to collision, below which the emergency brake acts


@device
def oracle(s, m, p):
    """Knows what everyone will do, and when, and the grip."""
    clear(m.ways)
    for k in range(s.vans):
        w = s.van[k]
        far = w.end + GAP - NOSE - s.car.x[0]
        if w.who == NOBODY or w.passed:
            continue
        first, second = m.ways[2 * k], m.ways[2 * k + 1]
        if w.does == IN:
            expect_in(first, far, w.y, w.pace)
            if w.who == RETURNS:
                due = (w.y - PLACE) / w.pace + w.rest
                expect_out(second, far, PLACE, w.pace, due, due)
        elif w.does == REST and w.who == RETURNS:
            expect_out(first, far, PLACE, w.pace, w.left, w.left)
        elif w.does == OUT and w.who == RETURNS:
            expect_out(first, far, w.y, w.pace, 0.0, 0.0)
    return drive_by(m.ways, s.car.x[3], brakes_of(s.grip))


@device
def track(o, m, p, probes, taken):
    """Act on the belief m. If no sensor shows the grip, it is measured by braking (probes), or else assumed to be `taken`."""
    observe(m, o, p)
    foresee(m, o, p)
    if o[SENSOR] > 0.5:
        return drive_by(m.ways, 10.0 * o[SPEED], brakes_of(o[GRIP]))
    if not probes:
        return drive_by(m.ways, 10.0 * o[SPEED], brakes_of(taken))
    if o[CLOCK] * STEPS < PROBE - 0.5:
        return HARD
    return drive_by(m.ways, 10.0 * o[SPEED], m.braked if m.braked > 0.5 else CAREFUL)


@device
def tracker(o, m, p):
    """Remembers where people went, and brakes once to measure the grip."""
    return track(o, m, p, True, DRY)


@device
def nominal(o, m, p):
    """Remembers as the tracker, but assumes a dry road."""
    return track(o, m, p, False, DRY)


@device
def icy(o, m, p):
    """Remembers as the tracker, but assumes an icy road."""
    return track(o, m, p, False, ICY)


@device
def reflex(o, m, p):
    """Plans as the tracker, but only for people in sight now. Where no sensor shows the grip, it assumes a dry road."""
    return track(o, m, p, False, DRY)


@device
def greedy(o, m, p):
    """Remembers people and measures the grip as the tracker, but brakes only for people who are, or are believed to be, walking now."""
    observe(m, o, p)
    clear(m.ways)
    for k in range(MOST_VANS):
        q, far = m.person[k], 100.0 * o[VAN + k * VAN_PARTS + DISTANCE]
        if q.known and q.does == IN:
            expect_in(m.ways[2 * k], far, q.y, q.pace)
        elif q.known and q.empty and (q.does == OUT or q.rested >= p.rest):
            expect_out(m.ways[2 * k], far, q.y if q.does == OUT else PLACE, q.pace, 0.0, 0.0)
    if o[SENSOR] < 0.5 and o[CLOCK] * STEPS < PROBE - 0.5:
        return HARD
    most = brakes_of(o[GRIP]) if o[SENSOR] > 0.5 else m.braked if m.braked > 0.5 else CAREFUL
    v = 10.0 * o[SPEED]
    go = FULL if most > 4.5 else GENTLE
    for i in range(WAYS):
        w = m.ways[i]
        if w.there and 0.0 < w.far < 1.2 * (v * v / (2.0 * 0.9 * most) + 0.15 * v + SHORT):
            if w.low - 0.2 < w.far / max(v, 0.1) < w.high + 0.3:
                return HARD
    return go


@device
def wary(o, m, p):
    """Remembers as the tracker, but slows down wherever a person is hidden who will come back, whenever that will be."""
    observe(m, o, p)
    foresee(m, o, p)
    for i in range(WAYS):
        w = m.ways[i]
        if w.there and m.person[i // 2].does == REST:
            w.unsure, w.low = 1, 0.0
    if o[SENSOR] < 0.5 and o[CLOCK] * STEPS < PROBE - 0.5:
        return HARD
    return drive_by(
        m.ways, 10.0 * o[SPEED], brakes_of(o[GRIP]) if o[SENSOR] > 0.5 else m.braked if m.braked > 0.5 else CAREFUL
    )


@device
def emergency(o, ttc):
    """Whether a person in sight is or will be in the way, and the car would reach them in less than `ttc` s."""
    v = 10.0 * o[SPEED]
    for k in range(MOST_VANS):
        i = VAN + k * VAN_PARTS
        if o[i + SEEN] > 0.5:
            far, y, speed = 100.0 * o[i + DISTANCE], o[i + SIDEWAYS] * DOOR, 3.0 * o[i + MOVES]
            then = y + speed * far / max(v, 1.0)
            if 0.0 < far and far - SHORT < ttc * v and (RIGHT < y < LEFT or RIGHT < then < LEFT):
                return True
    return False


@device
def floor_it(o):
    """Index of the action: full throttle, or gentle throttle while the wheels spin."""
    return GENTLE if o[SLIP] < SPINS else FULL


@device
def aeb(o, m, p):
    """Drives at full speed, and brakes as emergency brakes do: for people in sight who would be hit within TTC."""
    return HARD if emergency(o, TTC) else floor_it(o)


@device
def creeper(o, m, p):
    """Drives at a low speed, with the emergency brake."""
    v = 10.0 * o[SPEED]
    if emergency(o, TTC):
        return HARD
    return pedal_for(2.0, 9.0) if v > CREEP + 1.0 else COAST if v > CREEP - 0.3 else floor_it(o)


@device
def at_vans(o, m, p):
    """Slows down for every van, and has the emergency brake."""
    v = 10.0 * o[SPEED]
    if emergency(o, TTC):
        return HARD
    for k in range(MOST_VANS):
        i = VAN + k * VAN_PARTS
        far = 100.0 * o[i + DISTANCE]
        if o[i + AHEAD] > 0.5 and v > BY_VANS - 0.3 and far < FAR:
            brake = (v * v - BY_VANS * BY_VANS) / (2.0 * max(far - 3.0, 0.5))
            if brake >= BY_VANS_BRAKE:
                return pedal_for(brake, 9.0)
            if brake > 0.8 * BY_VANS_BRAKE or (far < 4.0 and v > BY_VANS - 0.3):
                return COAST
    return floor_it(o)


NAMES = ("accelerate", "gently", "coast", "brake 1", "brake 2", "brake 4", "brake 7", "brake 10")
ACTIONS: dict[str, tuple[float, ...]] = {
    **{name: (pedal, LANE) for name, pedal in zip(NAMES, PEDALS, strict=True)},
    "left": (0.0, 0.8),
    "right": (0.0, -0.4),
}
PLANS = np.dtype([("ways", WAY, (WAYS,))], align=True)
REFERENCES = {
    "oracle": Reference(by_index(oracle, ACTIONS), memory=PLANS),
    "tracker": Reference(by_index(tracker, ACTIONS), reads="cockpit", memory=BELIEF),
    "reflex": Reference(by_index(reflex, ACTIONS), reads="cockpit", memory=BELIEF, remembers=False),
    "aeb": Reference(by_index(aeb, ACTIONS), reads="cockpit"),
    "at-vans": Reference(by_index(at_vans, ACTIONS), reads="cockpit"),
    "creeper": Reference(by_index(creeper, ACTIONS), reads="cockpit"),
    "greedy": Reference(by_index(greedy, ACTIONS), reads="cockpit", memory=BELIEF),
    "wary": Reference(by_index(wary, ACTIONS), reads="cockpit", memory=BELIEF),
    "nominal": Reference(by_index(nominal, ACTIONS), reads="cockpit", memory=BELIEF),
    "icy": Reference(by_index(icy, ACTIONS), reads="cockpit", memory=BELIEF),
}
