"""The observation's first-person picture, written in rows.

Every column is a ray in the plane: walls and tall things are taller than the eye, so the nearest of them in a
column hides all that is behind it below its top, and a picture is sky, wall, body and floor by rows. What costs is
writing rows, and that is done for whole rows of bytes at once, from five numbers a column. Small things are lower
than the eye, so they lie below the horizon; they are painted last, far to near, column by column.

The row that is passed in is the only memory: the lower half is drawn while the upper half still holds the rays and
depths of the columns, and the strip below the picture holds edges and colours of the upper half (see columns.py).
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar import palette
from unseen.envs.planar.camera.columns import FADE, PLANAR, TALL, TINT, aim, enter_tall, finish_columns
from unseen.envs.planar.sight import identifies_colour, line_of_sight
from unseen.envs.planar.world import BOX_HEIGHT, DUSK, EYE, REVEAL

SIZE = 64  # width, and height with the strip
STRIP = 4  # lowest rows, which are scratch here and told by the caller
ROW = 3 * SIZE  # bytes of a row
HALF = (SIZE - STRIP) // 2  # rows above the horizon, and below it
SCRATCH = 2 * HALF * ROW  # where the strip begins
LOW = 32 * SIZE  # where the lower edges lie, in the upper half
VEIL = 0.34  # how much a transparent tall thing covers
_SMALL = np.array([*(rgb for _, rgb in palette.SMALL), palette.UNKNOWN], np.float64)
_UNKNOWN = len(palette.SMALL)


def backdrop(width: int, height: int) -> np.ndarray:
    """Sky and floor under everything else: (2, height, 3 * width) uint8, by day and in the dusk."""
    half = height // 2
    lit = 1.0 / (1.0 + FADE * 0.5 * half / (np.arange(half) + 0.5))[:, None]
    rows = np.concatenate([np.tile(np.array(palette.SKY) * 0.9, (half, 1)), np.array(palette.FLOOR) * lit])
    return np.ascontiguousarray(np.tile((rows * TINT[:, None]).astype(np.uint8), (1, 1, width)))


_BACKDROP = backdrop(SIZE, SIZE - STRIP)


@device
def draw(s, o):
    """Draw the world, lit, into all rows of o (64, 64, 3) uint8 but the strip, which is left as scratch."""
    width = SIZE
    half = HALF
    flat = o.reshape(-1)
    strip = flat[SCRATCH:]
    dusk = 1 if s.light == DUSK else 0
    focal = 0.5 * width / math.tan(0.5 * s.fov) if s.fov <= PLANAR else float(half)
    opaque = s.glass == 0 and s.light != REVEAL
    aim(flat, width, s.fov)
    for k in range(s.n_boxes):
        enter_tall(s, flat, width, k)
    finish_columns(s, flat, strip, width, half, focal, dusk, opaque)
    _rows_below(flat, _BACKDROP[dusk])
    _small_things(s, flat, width, half, focal, dusk, opaque)
    if not opaque:
        _veil_below(flat, strip, width, half, focal, dusk)
    _rows_above(flat, _BACKDROP[dusk])
    if not opaque:
        _veil_above(flat, strip, width, half, dusk)


# Rows. All values are loaded before any is chosen, so that the compiler makes whole registers of bytes of it.


@device
def _rows_below(flat, back):
    for k in range(HALF):
        below = np.uint8(k)
        at = (HALF + k) * ROW
        for j in range(ROW):
            low = flat[LOW + j]
            body = flat[SCRATCH + 3 * ROW + j]
            floor = back[HALF + k, j]
            flat[at + j] = body if below < low else floor


@device
def _rows_above(flat, back):
    for y in range(HALF):
        above = np.uint8(HALF - 1 - y)
        at = y * ROW
        for j in range(ROW):
            top = flat[SCRATCH + j]
            body_top = flat[SCRATCH + ROW + j]
            wall = flat[SCRATCH + 2 * ROW + j]
            body = flat[SCRATCH + 3 * ROW + j]
            sky = back[y, j]
            behind = wall if above < top else sky
            flat[at + j] = body if above < body_top else behind


@device
def _small_things(s, flat, width, half, focal, dusk, opaque):
    """Paint the small things that show, the furthest first; equal distances by index."""
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
        _small(s, flat, width, half, focal, dusk, opaque, found)


@device
def _small(s, flat, width, half, focal, dusk, opaque, k):
    """Paint small thing k in the columns whose rays meet it, before a tall thing; one thinner than a column
    shows in the column of its centre, if that is in sight."""
    ahead = flat[: 8 * width].view(np.float64)
    left = flat[8 * width : 16 * width].view(np.float64)
    near = flat[16 * width : 24 * width].view(np.float64)
    ch = math.cos(s.heading)
    sh = math.sin(s.heading)
    ex = s.disc_x[k] - s.agent_x
    ey = s.disc_y[k] - s.agent_y
    x = ex * ch + ey * sh
    y = ey * ch - ex * sh
    r = s.disc_radius[k]
    d2 = x * x + y * y
    d = math.sqrt(d2)
    panorama = s.fov > PLANAR
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
    round_ = s.fov >= 2.0 * math.pi - 1e-9
    colour = s.disc_colour[k] if identifies_colour(s, k) else _UNKNOWN
    met = False
    for m in range(first, last + 1):
        i = m
        if round_:
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
        _block(flat, width, half, i, focal * a / max(b - root, 0.04 * a), focal * a / (b + root), r,
               0.6 + 0.36 * root / (math.sqrt(a) * r), colour, dusk)  # fmt: skip
    if (
        not met
        and centre >= 0
        and centre < width
        and (not opaque or line_of_sight(s, s.agent_x, s.agent_y, s.disc_x[k], s.disc_y[k]))
    ):
        scale = focal / (d if panorama else x)
        _block(flat, width, half, centre, scale, scale, r, 0.9, colour, dusk)


@device
def _block(flat, width, half, i, front, back, r, light, colour, dusk):
    """One column of an upright block: its side at scale `front` (pixels a metre), its lid back to scale `back`."""
    most = float(half)
    low = EYE - 2.0 * r
    top = int(min(max(low * back + 0.5, 0.0), most))
    rim = int(min(max(low * front + 0.5, 0.0), most))
    foot = int(min(max(EYE * front + 0.5, rim + 1.0), most))
    at = (half + top) * 3 * width + 3 * i
    for k in range(top, foot):
        lit = light if k >= rim else 1.1
        for c in range(3):
            flat[at + c] = np.uint8(min(_SMALL[colour, c] * TINT[dusk, c] * lit, 255.0))
        at += 3 * width


# Veils: where tall things are transparent they are mixed over what has been drawn. What the upper half needs goes
# to the strip's last row of bytes, which is free once the lower half is drawn: top, colour, light.


@device
def _veil_below(flat, strip, width, half, focal, dusk):
    row = 3 * width
    near = flat[16 * width : 24 * width].view(np.float64)
    tone = flat[24 * width : 32 * width].view(np.int64)
    for i in range(width):
        j = 3 * row + 3 * i
        strip[j] = 0
        if near[i] > 0.0:
            light = near[i] / (near[i] + FADE) * (tone[i] & 255)
            strip[j] = np.uint8(min(focal * (BOX_HEIGHT - EYE) * near[i] + 0.5, float(half)))
            strip[j + 1] = np.uint8((tone[i] >> 8) & 255)
            strip[j + 2] = np.uint8(light)
            foot = int(min(focal * EYE * near[i] + 0.5, float(half)))
            _mix(flat, width, i, half, half + foot, strip[j + 1], light / 256.0, dusk)


@device
def _veil_above(flat, strip, width, half, dusk):
    for i in range(width):
        j = 9 * width + 3 * i
        if strip[j] > 0:
            _mix(flat, width, i, half - np.int64(strip[j]), half, strip[j + 1], strip[j + 2] / 256.0, dusk)


@device
def _mix(flat, width, i, top, bottom, colour, light, dusk):
    for y in range(top, bottom):
        at = y * 3 * width + 3 * i
        for c in range(3):
            veil = TALL[colour, c] * TINT[dusk, c] * light
            flat[at + c] = np.uint8(veil * VEIL + flat[at + c] * (1.0 - VEIL))
