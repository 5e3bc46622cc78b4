"""How an episode of Detour is drawn: a pocket, or a court within a ring, and the distractor blocks. Metres, radians.

d is a DRAFT: the frame in which everything is built (centre and rotation in the room), and the positions of doors.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, shuffle, uniform
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.planar.world import AGENT_RADIUS, place_box, push_out

WALL, DOOR = 0, 1  # kinds of boxes; doors come last
RADIUS = 0.12  # radius of a block, m
THICK = 0.05  # half thickness of glass, m
GAP = 0.8  # width of a doorway, and of an opening in an arm or a lid, m
FIN = 1.2  # length of a fin, m
PLAIN, OPENING, LID, WITH_FIN = 0, 1, 2, 3  # forms of a pocket
COURT = 0.55  # half extent of the inner U, m
LANE = 0.85  # distance between the inner U and the ring, m

# `sides`: the sides of the ring in random order; the first ones have doors. `door_at`: offset of each door along its side, m.
DRAFT = np.dtype(
    [("x", FLOAT), ("y", FLOAT), ("rotation", FLOAT), ("sides", INT, (4,)), ("door_at", FLOAT, (4,))], align=True
)


@device
def _in_room(d, x, y):
    """The position in the room of (x, y) in the draft's frame, m."""
    cos = math.cos(d.rotation)
    sin = math.sin(d.rotation)
    return d.x + x * cos - y * sin, d.y + x * sin + y * cos


@device
def _build(s, d, kind, x, y, angle, hx, hy):
    """Add a box at (x, y), rotated by `angle`, in the draft's frame."""
    u, v = _in_room(d, x, y)
    place_box(s, s.n_boxes, kind, u, v, math.cos(d.rotation + angle), math.sin(d.rotation + angle), hx, hy)
    s.n_boxes += 1


@device
def _build_arm(s, d, side, angle, start, end, half):
    """Add a piece of an arm of a pocket of half width `half`, `start` to `end` metres from its bottom."""
    if end - start > 0.1:
        mid = 0.5 * (start + end)
        x = -mid * math.cos(angle)
        y = side * (half + mid * math.sin(angle))
        _build(s, d, WALL, x, y, -side * angle, 0.5 * (end - start) + THICK, THICK)


@device
def draw_pocket(s, d, p, shift):
    """Draw agent and target and, with p.barriers > 0, a U between them that opens towards the agent; its bottom is at x = 0.

    With p.forms, a pocket has an opening in an arm, or a lid over part of its mouth, or a fin that lengthens its bottom on
    one side, or none of these. Writes the positions and the boxes.
    """
    scale = 1.2 if shift else 1.0
    depth = p.depth * uniform(s, 0.75, 1.0) * scale
    half = p.breadth * uniform(s, 0.85, 1.0) * scale
    behind = uniform(s, 0.5, 0.8)
    before = uniform(s, 0.6, depth + 0.8)
    d.x = uniform(s, -0.2, 0.2)
    d.y = uniform(s, -0.2, 0.2)
    d.x, d.y = _in_room(d, 0.5 * (before - behind), 0.0)
    s.disc_x[s.target], s.disc_y[s.target] = _in_room(d, behind, half * uniform(s, -0.5, 0.5))
    s.agent_x, s.agent_y = _in_room(d, -before, (half - 0.35) * uniform(s, -1.0, 1.0))
    if p.barriers == 0:
        return
    _build(s, d, WALL, 0.0, 0.0, 0.0, THICK, half + THICK)
    form = PLAIN
    odd = 0.0  # the side of the opening, the lid or the fin
    if p.forms != 0:
        form = below(s, 4)
        odd = 2.0 * below(s, 2) - 1.0
    elif p.gaps != 0 and below(s, 2) == 0 and depth > GAP + 0.2:
        form = OPENING
        odd = 2.0 * below(s, 2) - 1.0
    if form == OPENING and depth <= GAP + 0.2:
        form = PLAIN
    if form == LID:
        lid = half - 0.5 * GAP
        _build(s, d, WALL, -depth, odd * (half - lid), 0.0, THICK, lid)
    elif form == WITH_FIN:
        _build(s, d, WALL, 0.0, odd * (half + 0.5 * FIN), 0.0, THICK, 0.5 * FIN)
    for i in range(2):
        side = 2.0 * i - 1.0
        angle = uniform(s, -0.09, 0.09)
        if shift:
            angle = uniform(s, 0.17, 0.35)
        if form == OPENING and side == odd:
            gap = uniform(s, 0.0, depth - GAP)
            _build_arm(s, d, side, angle, 0.0, gap, half)
            _build_arm(s, d, side, angle, gap + GAP, depth, half)
        else:
            _build_arm(s, d, side, angle, 0.0, depth, half)


@device
def _has_door(d, p, side):
    """Whether a side of the ring has a door."""
    for j in range(p.doors):
        if d.sides[j] == side:
            return True
    return False


@device
def draw_court(s, d, p, shift):
    """Draw the target in a U within a closed ring with doors, and the agent outside.

    Partitions at the corners divide the ring so that each door leads into its own part, and only one part contains the
    mouth of the U. Side i faces the direction i * 90 degrees. Returns False if the agent does not fit outside.
    """
    lane = LANE * (1.15 if shift else 1.0)
    ring = COURT + lane  # its half extent
    d.x = uniform(s, -0.3, 0.3)
    d.y = uniform(s, -0.3, 0.3)
    s.disc_x[s.target], s.disc_y[s.target] = _in_room(d, uniform(s, -0.15, 0.15), uniform(s, -0.15, 0.15))
    mouth = below(s, 4)
    shuffle(s, d.sides, 4)
    for i in range(4):
        angle = 0.5 * math.pi * i
        cos = math.cos(angle)
        sin = math.sin(angle)
        if i != mouth:
            _build(s, d, WALL, COURT * cos, COURT * sin, angle, THICK, COURT + THICK)
        open_ = False  # the side has a door or, without doors, is open
        for j in range(max(p.doors, 1)):
            open_ = open_ or d.sides[j] == i
        if not open_:
            _build(s, d, WALL, ring * cos, ring * sin, angle, THICK, ring + THICK)
        elif p.doors > 0:
            at = uniform(s, -0.3, 0.3)
            if shift:
                at = uniform(s, 0.3, 0.5) * (2.0 * below(s, 2) - 1.0)
            d.door_at[i] = at
            for end in range(2):
                side = 2.0 * end - 1.0
                half = 0.5 * (ring - 0.5 * GAP - side * at)
                mid = side * (ring - half)
                _build(s, d, WALL, ring * cos - mid * sin, ring * sin + mid * cos, angle, THICK, half + THICK)
        # Add a partition at one of the corners between this door's side and the next door's.
        if open_ and p.doors > 1:
            steps = 1
            while not _has_door(d, p, (i + steps) % 4):
                steps += 1
            corner = angle + 0.5 * math.pi * (below(s, steps) + 0.5)
            mid = (COURT + 0.5 * lane) * math.sqrt(2.0)
            _build(s, d, WALL, mid * math.cos(corner), mid * math.sin(corner), corner, lane / math.sqrt(2.0), THICK)
    for i in range(4):
        if _has_door(d, p, i):
            angle = 0.5 * math.pi * i
            cos = math.cos(angle)
            sin = math.sin(angle)
            at = d.door_at[i]
            _build(s, d, DOOR, ring * cos - at * sin, ring * sin + at * cos, angle + math.pi, THICK, 0.5 * GAP)
            s.doors += 1
    s.agent_x = uniform(s, -1.0, 1.0) * (s.room_hx - AGENT_RADIUS)
    s.agent_y = uniform(s, -1.0, 1.0) * (s.room_hy - AGENT_RADIUS)
    x = abs((s.agent_x - d.x) * math.cos(d.rotation) + (s.agent_y - d.y) * math.sin(d.rotation))
    y = abs((s.agent_y - d.y) * math.cos(d.rotation) - (s.agent_x - d.x) * math.sin(d.rotation))
    return max(x, y) > ring + AGENT_RADIUS + 0.1


@device
def scatter_blocks(s):
    """Draw free positions for the distractor blocks. Returns False if one could not be placed."""
    for k in range(s.n_discs):
        if k == s.target:
            continue
        found = False
        for _ in range(20):
            x = uniform(s, -1.0, 1.0) * (s.room_hx - 0.3)
            y = uniform(s, -1.0, 1.0) * (s.room_hy - 0.3)
            u, v = push_out(s, x, y, RADIUS + 0.05)
            good = u == x and v == y
            for j in range(k):
                good = good and (s.disc_x[j] - x) ** 2 + (s.disc_y[j] - y) ** 2 > 0.5**2
            good = good and (s.disc_x[s.target] - x) ** 2 + (s.disc_y[s.target] - y) ** 2 > 0.8**2
            if good and (s.agent_x - x) ** 2 + (s.agent_y - y) ** 2 > 0.8**2:
                s.disc_x[k] = x
                s.disc_y[k] = y
                found = True
                break
        if not found:
            return False
    return True
