"""The first-person image of the pixel observation, written row by row.

Every column is a ray in the plane. Walls and boxes are taller than the eye, so in each column the nearest one hides
everything behind it below its top: from top to bottom a column is sky, wall, box and floor. The cost is in writing
pixels, which is vectorised over whole rows of bytes, from five numbers per column (see `columns`). Discs are lower than
the eye and therefore below the horizon; they are painted last, far to near, column by column.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.camera.columns import (
    BOX_COLOUR,
    BOX_EDGE,
    LOW_EDGE,
    TOP_EDGE,
    WALL_COLOUR,
    aim_rays,
    enter_box,
    finish_columns,
    nearest,
    rays,
)
from unseen.envs.planar.camera.lens import BOXES, DISCS, FADE, FLOOR, LID, SKY, TINT, UNKNOWN, VEIL, in_perspective
from unseen.envs.planar.sight import ALL_ROUND, identifies_colour, line_of_sight
from unseen.envs.planar.world import BOX_HEIGHT, DUSK, EYE, REVEAL

SIZE = 64  # width, and height with the strip
STRIP = 4  # lowest rows: scratch here, filled by the caller
ROW = 3 * SIZE  # bytes of a row
HALF = (SIZE - STRIP) // 2  # rows above the horizon, and below it
STRIP_START = 2 * HALF * ROW  # its first byte


def backdrop(width: int, height: int) -> np.ndarray:
    """The background of sky and floor by day and at dusk, (2, height, 3 * width) uint8."""
    half = height // 2
    light = 1.0 / (1.0 + FADE * 0.5 * half / (np.arange(half) + 0.5))[:, None]
    rows = np.concatenate([np.tile(SKY * 0.9, (half, 1)), FLOOR * light])
    return np.ascontiguousarray(np.tile((rows * TINT[:, None]).astype(np.uint8), (1, 1, width)))


_BACKDROP = backdrop(SIZE, SIZE - STRIP)


@device
def draw(s, o):
    """Draw what the agent sees at dusk, by day or in the reveal into o (64, 64, 3) uint8. The strip is left as scratch."""
    width = SIZE
    half = HALF
    flat = o.reshape(-1)
    strip = flat[STRIP_START:]
    dusk = 1 if s.light == DUSK else 0
    focal = 0.5 * width / math.tan(0.5 * s.fov) if in_perspective(s.fov) else float(half)
    opaque = s.glass == 0 and s.light != REVEAL
    aim_rays(flat, width, s.fov)
    for k in range(s.n_boxes):
        enter_box(s, flat, width, k)
    finish_columns(s, flat, strip, width, half, focal, dusk, opaque)
    _rows_below(flat, _BACKDROP[dusk])
    _paint_discs(s, flat, width, half, focal, dusk, opaque)
    if not opaque:
        _veil_below(flat, strip, width, half, focal, dusk)
    _rows_above(flat, _BACKDROP[dusk])
    if not opaque:
        _veil_above(flat, strip, width, half, dusk)


# Rows. All values are loaded before one is selected, so that the compiler can vectorise the selection.


@device
def _rows_below(flat, back):
    """Write the lower half: wall or box, then floor."""
    for k in range(HALF):
        below = np.uint8(k)
        at = (HALF + k) * ROW
        for j in range(ROW):
            low = flat[LOW_EDGE * SIZE + j]
            box = flat[STRIP_START + BOX_COLOUR * ROW + j]
            floor = back[HALF + k, j]
            flat[at + j] = box if below < low else floor


@device
def _rows_above(flat, back):
    """Write the upper half: sky, wall, box."""
    for y in range(HALF):
        above = np.uint8(HALF - 1 - y)
        at = y * ROW
        for j in range(ROW):
            top = flat[STRIP_START + TOP_EDGE * ROW + j]
            box_top = flat[STRIP_START + BOX_EDGE * ROW + j]
            wall = flat[STRIP_START + WALL_COLOUR * ROW + j]
            box = flat[STRIP_START + BOX_COLOUR * ROW + j]
            sky = back[y, j]
            behind = wall if above < top else sky
            flat[at + j] = box if above < box_top else behind


@device
def _paint_discs(s, flat, width, half, focal, dusk, opaque):
    """Paint the visible discs, farthest first; ties by index."""
    last = np.inf
    after = -1
    for _ in range(s.n_discs):
        best = -1.0
        found = -1
        for k in range(s.n_discs):
            if (s.light == DUSK or (s.disc_cover[k] != 0 and opaque)) and s.touched != k:
                continue
            d = (s.disc_x[k] - s.agent_x) ** 2 + (s.disc_y[k] - s.agent_y) ** 2
            if (d < last or (d == last and k > after)) and d > best:
                best = d
                found = k
        if found < 0:
            return
        last = best
        after = found
        _paint_disc(s, flat, width, half, focal, dusk, opaque, found)


@device
def _paint_disc(s, flat, width, half, focal, dusk, opaque, k):
    """Paint disc k in the columns whose rays hit it before any opaque box.

    A disc narrower than a column is painted in the column of its centre, if the centre is visible.
    """
    ahead, left = rays(flat, width)
    near, _ = nearest(flat, width)
    cos = math.cos(s.heading)
    sin = math.sin(s.heading)
    ex = s.disc_x[k] - s.agent_x
    ey = s.disc_y[k] - s.agent_y
    x = ex * cos + ey * sin
    y = ey * cos - ex * sin
    r = s.disc_radius[k]
    d2 = x * x + y * y
    d = math.sqrt(d2)
    panorama = not in_perspective(s.fov)
    first = 0
    last = width - 1
    centre = -1
    if panorama:
        fov = min(s.fov, 2.0 * math.pi)
        at = 0.5 * width - math.atan2(y, x) * width / fov
        centre = int(math.floor(at))
        if d > r:
            reach = 1.6 * r / d * width / fov  # asin(q) < 1.6 q
            first = int(math.floor(at - reach))
            last = int(math.ceil(at + reach))
            if last - first >= width:
                last = first + width - 1
    elif x > 1.01 * r:
        at = 0.5 * width - focal * y / x
        centre = int(math.floor(at))
        root = r * math.sqrt(d2 - r * r)
        scale = focal / (x * x - r * r)
        first = max(int(0.5 * width - (x * y + root) * scale) - 1, 0)
        last = min(int(0.5 * width - (x * y - root) * scale) + 1, width - 1)
    elif x < -r:
        return
    all_round = s.fov >= ALL_ROUND
    colour = s.disc_colour[k] if identifies_colour(s, k) else UNKNOWN
    met = False
    for m in range(first, last + 1):
        i = m
        if all_round:
            i = m + width if m < 0 else (m - width if m >= width else m)
        elif m < 0 or m >= width:
            continue
        a = ahead[i] * ahead[i] + left[i] * left[i]
        b = x * ahead[i] + y * left[i]
        q = b * b - a * (d2 - r * r)
        if q <= 0.0 or b <= 0.0:
            continue
        met = True
        if opaque and near[i] * b > a:
            continue
        root = math.sqrt(q)
        front = focal * a / max(b - root, 0.04 * a)
        back = focal * a / (b + root)
        light = 0.6 + 0.36 * root / (math.sqrt(a) * r)  # darker where the surface turns away from the eye
        _paint_column(flat, width, half, i, front, back, r, light, colour, dusk)
    if (
        not met
        and centre >= 0
        and centre < width
        and (not opaque or line_of_sight(s, s.agent_x, s.agent_y, s.disc_x[k], s.disc_y[k]))
    ):
        scale = focal / (d if panorama else x)
        _paint_column(flat, width, half, centre, scale, scale, r, 0.9, colour, dusk)


@device
def _paint_column(flat, width, half, i, front, back, r, light, colour, dusk):
    """Paint a disc of radius r in column i: its side at scale `front` (pixels per metre), its lid back to scale `back`."""
    most = float(half)
    low = EYE - 2.0 * r
    top = int(min(max(low * back + 0.5, 0.0), most))
    rim = int(min(max(low * front + 0.5, 0.0), most))
    foot = int(min(max(EYE * front + 0.5, rim + 1.0), most))
    at = (half + top) * 3 * width + 3 * i
    for k in range(top, foot):
        lit = light if k >= rim else LID
        for c in range(3):
            flat[at + c] = np.uint8(min(DISCS[colour, c] * TINT[dusk, c] * lit, 255.0))
        at += 3 * width


# Glass: boxes that are not opaque are blended over what has been drawn. The top edge, colour and light of each column,
# which the upper half needs, are kept in the last row of the strip, which is free once the lower half is drawn.


@device
def _veil_below(flat, strip, width, half, focal, dusk):
    """Blend glass over the lower half, and store what the upper half needs."""
    near, tone = nearest(flat, width)
    for i in range(width):
        j = BOX_COLOUR * 3 * width + 3 * i
        strip[j] = 0
        if near[i] > 0.0:
            light = near[i] / (near[i] + FADE) * (tone[i] & 255)
            strip[j] = np.uint8(min(focal * (BOX_HEIGHT - EYE) * near[i] + 0.5, float(half)))
            strip[j + 1] = np.uint8((tone[i] >> 8) & 255)
            strip[j + 2] = np.uint8(light)
            foot = int(min(focal * EYE * near[i] + 0.5, float(half)))
            _blend(flat, width, i, half, half + foot, strip[j + 1], light / 256.0, dusk)


@device
def _veil_above(flat, strip, width, half, dusk):
    """Blend glass over the upper half."""
    for i in range(width):
        j = BOX_COLOUR * 3 * width + 3 * i
        if strip[j] > 0:
            _blend(flat, width, i, half - np.int64(strip[j]), half, strip[j + 1], strip[j + 2] / 256.0, dusk)


@device
def _blend(flat, width, i, top, bottom, colour, light, dusk):
    """Blend the lit colour of a box over rows top..bottom of column i."""
    for y in range(top, bottom):
        at = y * 3 * width + 3 * i
        for c in range(3):
            veil = BOXES[colour, c] * TINT[dusk, c] * light
            flat[at + c] = np.uint8(veil * VEIL + flat[at + c] * (1.0 - VEIL))
