"""First-person pictures: one ray a column against walls and tall boxes, then the small things between.

Everything stands on a flat floor and is seen from one height, so each column of the picture is a stack of runs:
sky, wall or box, floor; small things are upright cylinders, hidden by whatever is nearer in their column.
"""

import math

import numpy as np

from unseen.envs.core import device as _device
from unseen.envs.core.device import device
from unseen.envs.planar import palette
from unseen.envs.planar.camera.raster import draw
from unseen.envs.planar.sight import identifies_colour, identifies_kind
from unseen.envs.planar.world import BOX_HEIGHT, DARK, DUSK, EYE, NIGHT, REVEAL, WALL_HEIGHT

FOV = 2.0 * math.pi / 3.0  # rad, what a picture in perspective spans at most; a wider eye sees a panorama
HUD = 4  # lowest rows of an observation: what is asked, heard and held, which no lens shows
NEAR = 0.04  # m
FADE = 0.05  # how much of the light a metre takes away

_SMALL = np.array([*(rgb for _, rgb in palette.SMALL), palette.UNKNOWN], dtype=np.float64)
_UNKNOWN = len(palette.SMALL)
_TALL = np.array(palette.TALL, dtype=np.float64)
_WALL = np.array(palette.WALL, dtype=np.float64)
_FLOOR = np.array(palette.FLOOR, dtype=np.float64)
_SKY = np.array(palette.SKY, dtype=np.float64)
_DUSK = np.array([0.56, 0.60, 0.78])
_NOON = np.array([1.0, 1.0, 1.0])
_WHITE = np.array([255.0, 255.0, 255.0])
_CLOTH = np.array([62.0, 48.0, 88.0])
_NIGHT = np.array([14.0, 15.0, 24.0])


@device
def _row(height, span):
    """The first row whose middle is at or below `span` (rows from the top), within the picture."""
    return min(max(int(math.ceil(span - 0.5)), 0), height)


@device
def _fill(o, column, top, bottom, rgb, light, dusk, part):
    """Mix `rgb`, lit, into rows top..bottom of a column; `part` = 1 covers."""
    r = rgb[0] * light * dusk[0]
    g = rgb[1] * light * dusk[1]
    b = rgb[2] * light * dusk[2]
    if part >= 1.0:
        r8 = np.uint8(min(r, 255.0))
        g8 = np.uint8(min(g, 255.0))
        b8 = np.uint8(min(b, 255.0))
        for y in range(top, bottom):
            o[y, column, 0] = r8
            o[y, column, 1] = g8
            o[y, column, 2] = b8
        return
    for y in range(top, bottom):
        o[y, column, 0] = np.uint8(min(r, 255.0) * part + o[y, column, 0] * (1.0 - part))
        o[y, column, 1] = np.uint8(min(g, 255.0) * part + o[y, column, 1] * (1.0 - part))
        o[y, column, 2] = np.uint8(min(b, 255.0) * part + o[y, column, 2] * (1.0 - part))


@device
def _box_hit(s, k, dx, dy):
    """Where the ray enters box k (along the ray; inf for a miss), and how its side faces the light, .8 to 1."""
    c = s.box_cos[k]
    d = s.box_sin[k]
    x = s.agent_x - s.box_x[k]
    y = s.agent_y - s.box_y[k]
    px = x * c + y * d
    py = y * c - x * d
    ux = dx * c + dy * d
    uy = dy * c - dx * d
    ix = 1.0 / ux if abs(ux) > 1e-12 else 1e12
    iy = 1.0 / uy if abs(uy) > 1e-12 else 1e12
    ax = -px * ix - s.box_hx[k] * abs(ix)
    bx = -px * ix + s.box_hx[k] * abs(ix)
    ay = -py * iy - s.box_hy[k] * abs(iy)
    by = -py * iy + s.box_hy[k] * abs(iy)
    near = max(ax, ay)
    if near > min(bx, by) or near < NEAR:
        return np.inf, 0.0
    if ax > ay:  # the side's outward normal, in the room
        nx = -math.copysign(1.0, ux) * c
        ny = -math.copysign(1.0, ux) * d
    else:
        nx = math.copysign(1.0, uy) * d
        ny = -math.copysign(1.0, uy) * c
    return near, 0.84 + 0.14 * (0.5 * ny - 0.85 * nx)


@device
def paint(s, o, fov):
    """Draw what the agent sees over `fov` radians into o (height, width, 3) uint8, the heading in the middle.

    Up to FOV in perspective; beyond as a panorama, in which columns are angles and depths are distances.
    """
    height = o.shape[0]
    width = o.shape[1]
    if s.light == DARK:
        for x in range(width):
            fold = 0.42 + 0.13 * math.sin(44.0 * x / width) + 0.05 * math.sin(17.0 * x / width)
            _fill(o, x, 0, height, _CLOTH, fold, _NOON, 1.0)
        return
    if s.light == NIGHT:
        for x in range(width):
            _fill(o, x, 0, height, _NIGHT, 1.0, _NOON, 1.0)
        return
    wide = fov > FOV + 1e-9
    tan = math.tan(0.5 * min(fov, FOV))
    focal = 0.5 * height if wide else 0.5 * width / tan
    middle = 0.5 * height
    cos = math.cos(s.heading)
    sin = math.sin(s.heading)
    tint = _DUSK if s.light == DUSK else _NOON
    _backdrop(o, focal, middle, tint)
    for x in range(width):
        u = ((2.0 * x + 1.0) / width - 1.0) * tan
        dx = cos + u * sin  # its component along the heading is 1: lengths along the ray are depths
        dy = sin - u * cos
        if wide:
            angle = s.heading + 0.5 * fov * (1.0 - (2.0 * x + 1.0) / width)
            dx = math.cos(angle)
            dy = math.sin(angle)
        tx = (math.copysign(s.room_hx, dx) - s.agent_x) / dx if abs(dx) > 1e-12 else np.inf
        ty = (math.copysign(s.room_hy, dy) - s.agent_y) / dy if abs(dy) > 1e-12 else np.inf
        wall = max(min(tx, ty), NEAR)
        face = (0.86 if dx > 0.0 else 0.94) if tx < ty else (1.0 if dy > 0.0 else 0.9)
        box = np.inf
        kind = 0
        shade = 0.0
        for k in range(s.n_boxes):
            t, lit = _box_hit(s, k, dx, dy)
            if t < box:
                box = t
                kind = s.box_kind[k] % _TALL.shape[0] if identifies_kind(s) else 0
                shade = lit
        top = _row(height, middle - (WALL_HEIGHT - EYE) * focal / wall)
        foot = _row(height, middle + EYE * focal / wall)
        skirting = _row(height, middle + (EYE - 0.09) * focal / wall)
        light = face / (1.0 + FADE * wall)
        _fill(o, x, top, skirting, _WALL, light, tint, 1.0)
        _fill(o, x, skirting, foot, _WALL, 0.72 * light, tint, 1.0)
        opaque = s.glass == 0 and s.light != REVEAL
        if opaque and box < wall:
            _tall_run(o, x, box, kind, shade, focal, middle, tint, 1.0)
        _smalls(s, o, x, dx, dy, box if opaque and box < wall else wall, focal, middle, tint)
        if not opaque and box < wall:
            _tall_run(o, x, box, kind, shade, focal, middle, tint, 0.34)


@device
def _backdrop(o, focal, middle, tint):
    """Sky and floor, row by row as the picture lies in memory; the floor is darker the further it is."""
    for y in range(o.shape[0]):
        if y < middle:
            rgb = _SKY
            light = 0.9
        else:
            rgb = _FLOOR
            light = 1.0 / (1.0 + FADE * EYE * focal / (y + 0.5 - middle))
        r = np.uint8(rgb[0] * light * tint[0])
        g = np.uint8(rgb[1] * light * tint[1])
        b = np.uint8(rgb[2] * light * tint[2])
        for x in range(o.shape[1]):
            o[y, x, 0] = r
            o[y, x, 1] = g
            o[y, x, 2] = b


@device
def _tall_run(o, x, t, kind, shade, focal, middle, tint, part):
    height = o.shape[0]
    top = _row(height, middle - (BOX_HEIGHT - EYE) * focal / t)
    rim = _row(height, middle - (BOX_HEIGHT - 0.025 - EYE) * focal / t)
    foot = _row(height, middle + EYE * focal / t)
    light = 0.92 * shade / (1.0 + FADE * t)
    _fill(o, x, top, rim, _TALL[kind], min(1.25 * light, 1.4), tint, part)
    _fill(o, x, rim, foot, _TALL[kind], light, tint, part)


@device
def _smalls(s, o, x, dx, dy, reach, focal, middle, tint):
    """The small things of one column that show and are nearer than `reach`, the furthest first."""
    height = o.shape[0]
    a = dx * dx + dy * dy
    last = np.inf
    for _ in range(s.n_discs):
        best = -1.0
        found = -1
        deep = 0.0
        for k in range(s.n_discs):
            hidden = s.disc_cover[k] != 0 and s.glass == 0 and s.light != REVEAL
            if (s.light == DUSK or hidden) and s.touched != k:
                continue
            ex = s.disc_x[k] - s.agent_x
            ey = s.disc_y[k] - s.agent_y
            b = ex * dx + ey * dy
            q = b * b - a * (ex * ex + ey * ey - s.disc_radius[k] * s.disc_radius[k])
            if q <= 0.0:
                continue
            root = math.sqrt(q)
            t = (b - root) / a
            if t > NEAR and t < last and t > best and t < reach:
                best = t
                found = k
                deep = (b + root) / a
        if found < 0:
            return
        last = best
        tall = 2.0 * s.disc_radius[found]
        rim = _row(height, middle + (EYE - tall) * focal / best)
        back = _row(height, middle + (EYE - tall) * focal / deep)
        foot = _row(height, middle + EYE * focal / best)
        # Rounded: darker where its side turns away from the eye.
        nx = (s.agent_x + best * dx - s.disc_x[found]) / s.disc_radius[found]
        ny = (s.agent_y + best * dy - s.disc_y[found]) / s.disc_radius[found]
        facing = -(nx * dx + ny * dy) / math.sqrt(a)
        colour = _SMALL[s.disc_colour[found] if identifies_colour(s, found) else _UNKNOWN]
        shadow = _row(height, middle + EYE * focal / max(best - 0.03, NEAR))
        _fill(o, x, foot, shadow, _FLOOR, 0.6, tint, 0.5)
        _fill(o, x, rim, foot, colour, 0.6 + 0.36 * facing, tint, 1.0)
        _fill(o, x, back, rim, colour, 1.1, tint, 1.0)


@device
def pixels(s, p, o):
    """The observation: o (64, 64, 3) uint8 over the whole field of view, above HUD rows: the asked colour (dark
    while it is not told), at the left white in a step in which a bump was heard, at the right the held colour; the
    task's signals, if any, below these, from dark for -1 to bright for 1."""
    if s.light <= NIGHT:
        paint(s, o, s.fov)
    else:
        draw(s, o)
    eighth = o.shape[1] // 8
    _strip(o, 0, eighth, _WHITE, s.bump != 0)
    _strip(o, eighth, o.shape[1] - eighth, _SMALL[max(s.query, 0)], s.query >= 0)
    _strip(o, o.shape[1] - eighth, o.shape[1], _SMALL[max(s.contact, 0)], s.contact >= 0)
    for i in range(p.signals):
        level = np.uint8(127.5 + 127.5 * min(max(s.signal[i], -1.0), 1.0))
        for x in range(o.shape[1] * i // p.signals, o.shape[1] * (i + 1) // p.signals):
            for y in range(o.shape[0] - HUD // 2, o.shape[0]):
                o[y, x, 0] = level
                o[y, x, 1] = level
                o[y, x, 2] = level


@device
def _strip(o, left, right, rgb, told):
    """Fill the HUD rows from column `left` to `right` with a colour, or with dark cloth."""
    r = np.uint8(rgb[0] if told else 0.4 * _CLOTH[0])
    g = np.uint8(rgb[1] if told else 0.4 * _CLOTH[1])
    b = np.uint8(rgb[2] if told else 0.4 * _CLOTH[2])
    for y in range(o.shape[0] - HUD, o.shape[0]):
        for x in range(left, right):
            o[y, x, 0] = r
            o[y, x, 1] = g
            o[y, x, 2] = b


_RENDER = '''"""Pictures of one world, for people."""

from unseen.envs.core.device import kernel
from unseen.envs.planar.camera.pixels import paint


@kernel
def picture(s, o, fov):
    paint(s[0], o, fov)
'''


def render(s: np.void, width: int, height: int, fov: float = FOV) -> np.ndarray:
    """What the agent of world record `s` sees over `fov` radians ahead, (height, width, 3) uint8.

    Drawn twice as large and averaged, which smooths the edges.
    """
    large = np.empty((2 * height, 2 * width, 3), np.uint8)
    world = np.empty(1, s.dtype)
    world[0] = s
    _device.named(_device.build("camera", _RENDER).picture, "the camera")(world, large, float(fov))
    return large.reshape(height, 2, width, 2, 3).mean(axis=(1, 3), dtype=np.float32).astype(np.uint8)
