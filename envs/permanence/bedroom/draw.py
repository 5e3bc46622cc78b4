"""How an episode of Bedroom is drawn: furniture at spots along the walls, and obstacles in the middle. Metres, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import uniform
from unseen.envs.planar.world import place_box

VASE, CRATE = 5, 6  # kinds
LINE = 0.3  # m from the wall to the line of spots
VASE_HALF, CRATE_HALF, CAT = 0.09, 0.17, 0.12  # m: half widths, and the cat's radius
CAT_SPEED = 0.4  # m/s
SPACE = 1.44  # the least distance between spots, m: pieces never overlap, however far they are shifted along the wall
CLEAR = 0.5  # m between any spawn position and the vases, crates and cat
GUARD = 0.9  # m from a spot, towards the middle, to the vase that guards it
ASIDE = 0.08  # m by which a guard may stand aside


@device
def _half_extents(kind):
    """Half depth and half width (m) of a kind of furniture. All corners are within REACH - AGENT_RADIUS of the spot."""
    if kind == 0:
        return 0.3, 0.4
    if kind == 1:
        return 0.05, 0.35
    if kind == 2:
        return 0.12, 0.12
    if kind == 3:
        return 0.22, 0.36
    return 0.26, 0.28


def wall_spot(k, count, a, b, aside):
    """Spot k of `count`, evenly spaced on the rectangle |x| <= a, |y| <= b, and shifted by `aside` m along its wall.

    Returns x, y, and the unit vector from the wall into the room.
    """
    u = ((k + (0.5 if count == 8 else 0.0)) * 4.0 * (a + b) / count) % (4.0 * (a + b))
    if u < a or u >= 3.0 * a + 4.0 * b:
        x = u if u < a else u - 4.0 * (a + b)
        return min(max(x + aside, 0.12 - a), a - 0.12), b, 0.0, -1.0
    u -= a
    if u < 2.0 * b:
        return a, min(max(b - u - aside, 0.12 - b), b - 0.12), -1.0, 0.0
    u -= 2.0 * b
    if u < 2.0 * a:
        return min(max(a - u - aside, 0.12 - a), a - 0.12), -b, 0.0, 1.0
    u -= 2.0 * a
    return -a, min(max(u - b + aside, 0.12 - b), b - 0.12), 1.0, 0.0


_wall_spot = device(wall_spot)  # parameters are checked with the plain Python function


@device
def spot_of(s, k):
    """The spot (x, y) of place k, LINE in front of the wall behind it."""
    out = LINE - s.box_hx[k]
    return s.box_x[k] + out * s.box_cos[k], s.box_y[k] + out * s.box_sin[k]


@device
def place_furniture(s, p, shift):
    """Place the furniture, each piece with its back to the wall at its spot s.home. Writes boxes."""
    for j in range(p.places):
        aside = uniform(s, -0.1, 0.1)
        if shift:
            aside += math.copysign(0.1, aside)
        x, y, cos, sin = _wall_spot(s.home[j], p.spots, s.room_hx - LINE, s.room_hy - LINE, aside)
        hx, hy = _half_extents(j)
        place_box(s, j, j, x + (hx - LINE) * cos, y + (hx - LINE) * sin, cos, sin, hx, hy)


@device
def place_guards(s, p):
    """Place a vase in front of every spot, furnished or not. Writes boxes, after all others."""
    for k in range(p.spots):
        x, y, _, _ = _wall_spot(k, p.spots, s.room_hx - LINE, s.room_hy - LINE, 0.0)
        d = math.sqrt(x * x + y * y)
        aside = uniform(s, -ASIDE, ASIDE)
        ahead = (d - GUARD) / d
        place_box(
            s, s.n_boxes, VASE, ahead * x - aside * y / d, ahead * y + aside * x / d, x / d, y / d, VASE_HALF, VASE_HALF
        )
        s.n_boxes += 1


@device
def place_loose(s, p, shift):
    """Place vases, crates and the cat in a ring round the middle. Writes boxes and disc 0."""
    loose = p.vases + p.crates
    around = uniform(s, -math.pi, math.pi)
    step = 2.0 * math.pi / max(loose, 1)
    for i in range(loose):
        a = around + i * step + uniform(s, -0.2, 0.2)
        d = p.clear + uniform(s, 0.0, 0.2)
        half = VASE_HALF if i < p.vases else CRATE_HALF
        x = d * math.cos(a)
        y = d * math.sin(a)
        place_box(s, p.places + i, VASE if i < p.vases else CRATE, x, y, math.cos(a), math.sin(a), half, half)
    s.n_boxes = p.places + loose
    if p.cat != 0:
        s.n_discs = 1
        a = around + 0.5 * step
        s.disc_x[0] = (p.clear + 0.1) * math.cos(a)
        s.disc_y[0] = (p.clear + 0.1) * math.sin(a)
        a = uniform(s, -math.pi, math.pi)
        v = CAT_SPEED * (1.5 if shift else 1.0)
        s.disc_vx[0] = v * math.cos(a)
        s.disc_vy[0] = v * math.sin(a)
        s.disc_radius[0] = p.radius
        s.disc_colour[0] = 0
