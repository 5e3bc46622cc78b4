"""The street: parked vans and walking people, lines of sight, and distances to the car. Metres, seconds; x along the street, y to the left.

The carriageway is 3.2 m wide, between parked vans on the right and a row of bollards on the left. People come out of doors on the
left, cross to the place behind the far end of a van, where a driver cannot see them, and stay there for a while. Then they come back
across the street, stay where they are, or step out to the corner of the van and turn back.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT

MOST_VANS = 8
HALF = 1.6  # m, half the width of the carriageway
SIDE, DEEP = -1.9, 2.1  # m: y of the vans' sides that face the carriageway; width of a van, to the right of that
GAP = 0.5  # m from the far end of a van to where people walk
DOOR, PLACE, CORNER = 4.0, -3.2, -1.4  # m: y of the doors, of the place behind the van, and of where some turn back
NOSE, TAIL, BROAD = 2.0, 2.4, 0.84  # m from the car's centre of gravity to its front and rear; half its width
BODY = 0.25  # m, radius of a person
EYE = 0.3  # m, the driver's eye before the centre of gravity
NOBODY, STAYS, TURNS, RETURNS = range(4)  # kind of person at a van
# What a person does. BACK: walks to the place behind the van, after turning at its corner.
AWAY, IN, REST, OUT, BACK, GONE, SETTLED = range(7)

WALKER = np.dtype(
    [
        ("end", FLOAT),  # x of the van's far end
        ("who", INT), ("pace", FLOAT), ("rest", FLOAT),  # m/s; s behind the van
        ("start", FLOAT),  # x of the car at which the person leaves the door
        ("does", INT), ("y", FLOAT), ("vy", FLOAT), ("left", FLOAT),  # left: remaining s behind the van
        ("seen", INT), ("since", INT), ("last_y", FLOAT), ("last_empty", INT),  # now; steps since last seen, and how; -1: never
        ("busy", INT), ("slowest", FLOAT),  # a person was on the carriageway as the car came near; the car's least speed there, m/s
        ("passed", INT),
    ],
    align=True,
)  # fmt: skip
"""A van, and the person who walks there."""


@device
def crosses_box(x0, y0, x1, y1, left, right, low, high):
    """Whether the line segment from (x0, y0) to (x1, y1) meets the interior of the box left..right, low..high."""
    enter, leave = 0.0, 1.0
    dx, dy = x1 - x0, y1 - y0
    if abs(dx) < 1e-12:
        if x0 <= left or x0 >= right:
            return False
    else:
        a, b = (left - x0) / dx, (right - x0) / dx
        enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
    if abs(dy) < 1e-12:
        if y0 <= low or y0 >= high:
            return False
    else:
        a, b = (low - y0) / dy, (high - y0) / dy
        enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
    return enter < leave


@device
def in_sight(walkers, vans, length, k, eye_x, eye_y):
    """Whether the person at van k is visible from the eye: no van crosses the line to the centre of the body. length: of a van, m."""
    x, y = walkers[k].end + GAP, walkers[k].y
    for i in range(vans):
        end = walkers[i].end
        if crosses_box(eye_x, eye_y, x, y, end - length, end, SIDE - DEEP, SIDE):
            return False
    return True


@device
def distance_to_car(car_x, car_y, yaw, x, y):
    """Distance, m, from the point (x, y) to the car's outline; 0 inside."""
    c, s = math.cos(yaw), math.sin(yaw)
    along, across = (x - car_x) * c + (y - car_y) * s, (y - car_y) * c - (x - car_x) * s
    dx = max(along - NOSE, -TAIL - along, 0.0)
    dy = max(abs(across) - BROAD, 0.0)
    return math.sqrt(dx * dx + dy * dy)


@device
def reaches(car_y, yaw):
    """Largest distance, m, of the car's outline from the middle of the street, to either side."""
    c, s = math.cos(yaw), math.sin(yaw)
    most = 0.0
    for i in range(4):
        along, across = NOSE if i < 2 else -TAIL, BROAD if i % 2 == 0 else -BROAD
        most = max(most, abs(car_y + along * s + across * c))
    return most


@device
def walk(w, car_x, car_y, yaw, front, dt):
    """Advance the person at a van by dt s. front: x of the car's front.

    People do not walk into the side of a car: they wait until it has passed.
    """
    before, w.vy = w.y, 0.0
    if w.does == AWAY:
        if front >= w.start:
            w.does = IN
    elif w.does == IN:
        w.vy = -w.pace
        w.y -= w.pace * dt
        if w.y <= PLACE:
            w.y, w.does, w.left = PLACE, REST, w.rest
    elif w.does == REST:
        w.left -= dt
        if w.left <= 0.0:
            w.does = SETTLED if w.who == STAYS else OUT
    elif w.does == OUT:
        w.vy = w.pace
        w.y += w.pace * dt
        if w.who == TURNS and w.y >= CORNER:
            w.does = BACK
        elif w.y >= DOOR:
            w.does = GONE
    elif w.does == BACK:
        w.vy = -w.pace
        w.y -= w.pace * dt
        if w.y <= PLACE:
            w.y, w.does = PLACE, SETTLED
    if w.vy != 0.0 and distance_to_car(car_x, car_y, yaw, w.end + GAP, w.y) < BODY:
        w.y, w.vy = before, 0.0


@device
def is_outside(w):
    """Whether there is a person at this van who is not in a house."""
    return w.who != NOBODY and w.does != AWAY and w.does != GONE
