"""The observation's first-person picture, written in rows.

Every column is a ray in the plane: walls and tall things are taller than the eye, so the nearest of them in a
column hides all that is behind it below its top, and a picture is sky, wall, body and floor by rows. What costs is
writing rows, and that is done for whole rows of bytes at once, from five numbers a column. Small things are lower
than the eye, so they lie below the horizon; they are painted last, far to near, column by column.

In perspective and panorama alike, 1/depth of a plane is linear in the ray's direction: one loop of products draws
either. The row that is passed in is the only memory: the lower half is drawn while the upper half still holds the
rays and depths of the columns, and the strip below the picture holds edges and colours of the upper half.
"""

import math

import numpy as np

from unseen.envs.engine import palette
from unseen.envs.engine.device import device
from unseen.envs.engine.sight import line_of_sight, tells_colour, tells_kind
from unseen.envs.engine.world import DUSK, EYE, REVEAL, TALL_HEIGHT, WALL_HEIGHT

SIZE = 64  # width, and height with the strip
STRIP = 4  # lowest rows, which are scratch here and told by the caller
ROW = 3 * SIZE  # bytes of a row
HALF = (SIZE - STRIP) // 2  # rows above the horizon, and below it
SCRATCH = 2 * HALF * ROW  # where the strip begins
LOW = 32 * SIZE  # where the lower edges lie, in the upper half
PLANAR = 2.0 * math.pi / 3.0 + 1e-9  # rad: the widest field in perspective
FADE = 0.05  # how much of the light a metre takes away
VEIL = 0.34  # how much a transparent tall thing covers
_TINT = np.array([[1.0, 1.0, 1.0], [0.56, 0.60, 0.78]])  # day, dusk
_SMALL = np.array([*(rgb for _, rgb in palette.SMALL), palette.UNKNOWN], np.float64)
_UNKNOWN = len(palette.SMALL)
_TALL = np.array(palette.TALL, np.float64)
_WALL = np.array(palette.WALL, np.float64)
_FACE = np.array([0.86, 1.0, 0.94, 0.9])  # light on the walls at +x, +y, -x, -y


def backdrop(width: int, height: int) -> np.ndarray:
    """Sky and floor under everything else: (2, height, 3 * width) uint8, by day and in the dusk."""
    half = height // 2
    lit = 1.0 / (1.0 + FADE * 0.5 * half / (np.arange(half) + 0.5))[:, None]
    rows = np.concatenate([np.tile(np.array(palette.SKY) * 0.9, (half, 1)), np.array(palette.FLOOR) * lit])
    return np.ascontiguousarray(np.tile((rows * _TINT[:, None]).astype(np.uint8), (1, 1, width)))


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
    _aim(flat, width, s.fov)
    for k in range(s.n_tall):
        _tall(s, flat, width, k)
    _columns(s, flat, strip, width, half, focal, dusk, opaque)
    _rows_below(flat, _BACKDROP[dusk])
    _small_things(s, flat, width, half, focal, dusk, opaque)
    if not opaque:
        _veil_below(flat, strip, width, half, focal, dusk)
    _rows_above(flat, _BACKDROP[dusk])
    if not opaque:
        _veil_above(flat, strip, width, half, dusk)


# Columns. Scratch in the upper half, each `width` long: ray ahead, ray left, 1/depth, tone (float64 and int64),
# then 3 bytes a column for the lower edge. In the strip, 3 bytes a column each: top of the wall, top of the body,
# colour of the wall, colour of the body.


@device
def _aim(flat, width, fov):
    """The ray of each column in the agent's frame (ahead, left), and no tall thing in any."""
    ahead = flat[: 8 * width].view(np.float64)
    left = flat[8 * width : 16 * width].view(np.float64)
    near = flat[16 * width : 24 * width].view(np.float64)
    for i in range(width):
        near[i] = 0.0
    if fov <= PLANAR:
        reach = math.tan(0.5 * fov)
        for i in range(width):
            ahead[i] = 1.0
            left[i] = reach * ((width - 1 - 2 * i) / width)
        return
    step = min(fov, 2.0 * math.pi) / width
    c = math.cos(0.5 * step)
    n = math.sin(0.5 * step)
    turn_c = math.cos(step)
    turn_n = math.sin(step)
    middle = width // 2
    for m in range(middle):
        ahead[middle - 1 - m] = c
        left[middle - 1 - m] = n
        ahead[middle + m] = c
        left[middle + m] = -n
        c, n = c * turn_c - n * turn_n, n * turn_c + c * turn_n


@device
def _tall(s, flat, width, k):
    """Enter tall thing k into the columns whose rays meet it before any other.

    The corners at its two silhouettes bound those rays; of its one or two visible faces the one met later counts.
    """
    ahead = flat[: 8 * width].view(np.float64)
    left = flat[8 * width : 16 * width].view(np.float64)
    near = flat[16 * width : 24 * width].view(np.float64)
    tone = flat[24 * width : 32 * width].view(np.int64)
    ch = math.cos(s.ah)
    sh = math.sin(s.ah)
    hx = s.hx[k]
    hy = s.hy[k]
    ux = s.tc[k] * ch + s.ts[k] * sh  # the box's own axes u and v, in the agent's frame
    uy = s.ts[k] * ch - s.tc[k] * sh
    ex = s.tx[k] - s.ax
    ey = s.ty[k] - s.ay
    cx = ex * ch + ey * sh
    cy = ey * ch - ex * sh
    pu = -(cx * ux + cy * uy)  # the eye in the box's frame
    pv = -(cy * ux - cx * uy)
    su = 1.0 if pu > hx else (-1.0 if pu < -hx else 0.0)
    sv = 1.0 if pv > hy else (-1.0 if pv < -hy else 0.0)
    if su == 0.0 and sv == 0.0:
        return  # within the box: nothing sensible to show
    au, av, bu, bv = su, -sv, -su, sv
    if sv == 0.0:
        au, av, bu, bv = su, 1.0, su, -1.0
    elif su == 0.0:
        au, av, bu, bv = 1.0, sv, -1.0, sv
    a0 = cx + au * hx * ux - av * hy * uy
    a1 = cy + au * hx * uy + av * hy * ux
    b0 = cx + bu * hx * ux - bv * hy * uy
    b1 = cy + bu * hx * uy + bv * hy * ux
    if b0 * a1 - b1 * a0 < 0.0:
        a0, a1, b0, b1 = b0, b1, a0, a1
    # 1/depth of a face is ray . normal / distance of its plane
    fu = su / (hx - abs(pu)) if su != 0.0 else 0.0
    fv = sv / (hy - abs(pv)) if sv != 0.0 else 0.0
    u0 = fu * ux
    u1 = fu * uy
    v0 = -fv * uy
    v1 = fv * ux
    u_tone = _tone(s, k, su * s.tc[k], su * s.ts[k])
    v_tone = _tone(s, k, -sv * s.ts[k], sv * s.tc[k])
    if su == 0.0:
        u0, u1, u_tone = v0, v1, v_tone
    elif sv == 0.0:
        v0, v1, v_tone = u0, u1, u_tone
    for i in range(width):
        x = ahead[i]
        y = left[i]
        deepest = near[i]
        old = tone[i]
        by_u = x * u0 + y * u1
        by_v = x * v0 + y * v1
        depth = by_u if by_u < by_v else by_v
        new = u_tone if by_u < by_v else v_tone
        met = (x * a1 - y * a0 >= 0.0) & (x * b1 - y * b0 <= 0.0) & (depth > deepest)
        near[i] = depth if met else deepest
        tone[i] = new if met else old


@device
def _tone(s, k, nx, ny):
    """Colour and shade of a face in one integer; the light comes from one side, so that faces differ."""
    shade = int(256.0 * 0.92 * (0.84 + 0.14 * (0.5 * ny - 0.85 * nx)))
    kind = s.tk[k] % _TALL.shape[0] if tells_kind(s) else 0
    return (kind << 8) | shade


@device
def _columns(s, flat, strip, width, half, focal, dusk, opaque):
    """Edges and colours of each column, repeated for its three bytes, from the walls and the nearest tall thing."""
    row = 3 * width
    ahead = flat[: 8 * width].view(np.float64)
    left = flat[8 * width : 16 * width].view(np.float64)
    near = flat[16 * width : 24 * width].view(np.float64)
    tone = flat[24 * width : 32 * width].view(np.int64)
    low = flat[32 * width : 35 * width]
    ch = math.cos(s.ah)
    sh = math.sin(s.ah)
    east = 1.0 / (s.wx - s.ax)
    west = 1.0 / (s.wx + s.ax)
    north = 1.0 / (s.wy - s.ay)
    south = 1.0 / (s.wy + s.ay)
    up = focal * (WALL_HEIGHT - EYE)
    body_up = focal * (TALL_HEIGHT - EYE)
    down = focal * EYE
    most = float(half)
    for i in range(width):
        dx = ahead[i] * ch - left[i] * sh
        dy = ahead[i] * sh + left[i] * ch
        ix = dx * east if dx > 0.0 else -dx * west
        iy = dy * north if dy > 0.0 else -dy * south
        if ix > iy:
            depth = ix
            side = 0 if dx > 0.0 else 2
        else:
            depth = iy
            side = 1 if dy > 0.0 else 3
        light = _FACE[side] * depth / (depth + FADE)
        top = np.uint8(min(up * depth + 0.5, most))
        wall_r = np.uint8(_WALL[0] * _TINT[dusk, 0] * light)
        wall_g = np.uint8(_WALL[1] * _TINT[dusk, 1] * light)
        wall_b = np.uint8(_WALL[2] * _TINT[dusk, 2] * light)
        body_top = np.uint8(0)
        body_r, body_g, body_b = wall_r, wall_g, wall_b
        if near[i] > 0.0 and opaque:
            depth = near[i]
            light = depth / (depth + FADE) * ((tone[i] & 255) / 256.0)
            colour = (tone[i] >> 8) & 255
            body_top = np.uint8(min(body_up * depth + 0.5, most))
            body_r = np.uint8(_TALL[colour, 0] * _TINT[dusk, 0] * light)
            body_g = np.uint8(_TALL[colour, 1] * _TINT[dusk, 1] * light)
            body_b = np.uint8(_TALL[colour, 2] * _TINT[dusk, 2] * light)
        bottom = np.uint8(min(down * depth + 0.5, most))
        j = 3 * i
        for c in range(3):
            low[j + c] = bottom
            strip[j + c] = top
            strip[row + j + c] = body_top
        strip[2 * row + j] = wall_r
        strip[2 * row + j + 1] = wall_g
        strip[2 * row + j + 2] = wall_b
        strip[3 * row + j] = body_r
        strip[3 * row + j + 1] = body_g
        strip[3 * row + j + 2] = body_b


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
    for _ in range(s.n_small):
        best = -1.0
        found = -1
        for k in range(s.n_small):
            if (s.light == DUSK or (s.under[k] != 0 and opaque)) and s.touched != k:
                continue
            d = (s.bx[k] - s.ax) ** 2 + (s.by[k] - s.ay) ** 2
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
    ch = math.cos(s.ah)
    sh = math.sin(s.ah)
    ex = s.bx[k] - s.ax
    ey = s.by[k] - s.ay
    x = ex * ch + ey * sh
    y = ey * ch - ex * sh
    r = s.br[k]
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
    colour = s.bk[k] if tells_colour(s, k) else _UNKNOWN
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
    if not met and centre >= 0 and centre < width and (not opaque or line_of_sight(s, s.ax, s.ay, s.bx[k], s.by[k])):
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
            flat[at + c] = np.uint8(min(_SMALL[colour, c] * _TINT[dusk, c] * lit, 255.0))
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
            strip[j] = np.uint8(min(focal * (TALL_HEIGHT - EYE) * near[i] + 0.5, float(half)))
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
            veil = _TALL[colour, c] * _TINT[dusk, c] * light
            flat[at + c] = np.uint8(veil * VEIL + flat[at + c] * (1.0 - VEIL))
