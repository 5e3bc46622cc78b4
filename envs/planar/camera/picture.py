"""First-person images of any size, for people: one ray per column against walls and boxes, then the discs in front.

Everything stands on a flat floor and is seen from a fixed height, so each column is a stack of runs: sky, wall or box,
floor. Discs are upright cylinders, hidden by anything nearer in their column. Lengths are in metres, `focal` is in
pixels, and `middle` is the row of the horizon from the top.
"""

import math

import numpy as np

from unseen.envs.core import device as kernels
from unseen.envs.core.device import device
from unseen.envs.planar.camera.lens import (
    BOXES,
    CLOTH,
    DISCS,
    FADE,
    FLOOR,
    LID,
    SKY,
    TINT,
    UNKNOWN,
    VEIL,
    WALL,
    WIDEST,
    box_light,
    in_perspective,
)
from unseen.envs.planar.sight import identifies_colour, identifies_kind
from unseen.envs.planar.world import BOX_HEIGHT, DARK, DUSK, EYE, NIGHT, REVEAL, WALL_HEIGHT

NEAR = 0.04  # m: the near clipping distance
SKIRTING = 0.09  # m, height of the skirting board
RIM = 0.025  # m, height of the light edge on top of a box
_NIGHT = np.array([14.0, 15.0, 24.0])


@device
def _row(height, y):
    """The first row (0..height) whose centre is at or below y, in rows from the top."""
    return min(max(int(math.ceil(y - 0.5)), 0), height)


@device
def _fill(o, column, top, bottom, rgb, light, tint, cover):
    """Blend a lit colour into rows top..bottom of a column of o with opacity `cover`."""
    r = rgb[0] * light * tint[0]
    g = rgb[1] * light * tint[1]
    b = rgb[2] * light * tint[2]
    if cover >= 1.0:
        r8 = np.uint8(min(r, 255.0))
        g8 = np.uint8(min(g, 255.0))
        b8 = np.uint8(min(b, 255.0))
        for y in range(top, bottom):
            o[y, column, 0] = r8
            o[y, column, 1] = g8
            o[y, column, 2] = b8
        return
    for y in range(top, bottom):
        o[y, column, 0] = np.uint8(min(r, 255.0) * cover + o[y, column, 0] * (1.0 - cover))
        o[y, column, 1] = np.uint8(min(g, 255.0) * cover + o[y, column, 1] * (1.0 - cover))
        o[y, column, 2] = np.uint8(min(b, 255.0) * cover + o[y, column, 2] * (1.0 - cover))


@device
def _hit_box(s, k, dx, dy):
    """Distance along a ray at which it enters box k (inf for a miss), and the light on that face."""
    cos = s.box_cos[k]
    sin = s.box_sin[k]
    x = s.agent_x - s.box_x[k]
    y = s.agent_y - s.box_y[k]
    px = x * cos + y * sin  # eye and ray in the box's frame
    py = y * cos - x * sin
    ux = dx * cos + dy * sin
    uy = dy * cos - dx * sin
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
        nx = -math.copysign(1.0, ux) * cos
        ny = -math.copysign(1.0, ux) * sin
    else:
        nx = math.copysign(1.0, uy) * sin
        ny = -math.copysign(1.0, uy) * cos
    return near, box_light(nx, ny)


@device
def paint(s, o, fov):
    """Draw what the agent sees over `fov` rad, centred on its heading, into o (height, width, 3) uint8.

    Fields of view up to WIDEST are drawn in perspective; wider ones as a panorama whose columns are angles.
    """
    height = o.shape[0]
    width = o.shape[1]
    if s.light == DARK:
        for x in range(width):
            fold = 0.42 + 0.13 * math.sin(44.0 * x / width) + 0.05 * math.sin(17.0 * x / width)
            _fill(o, x, 0, height, CLOTH, fold, TINT[0], 1.0)
        return
    if s.light == NIGHT:
        for x in range(width):
            _fill(o, x, 0, height, _NIGHT, 1.0, TINT[0], 1.0)
        return
    panorama = not in_perspective(fov)
    tan = math.tan(0.5 * min(fov, WIDEST))
    focal = 0.5 * height if panorama else 0.5 * width / tan
    middle = 0.5 * height
    cos = math.cos(s.heading)
    sin = math.sin(s.heading)
    tint = TINT[1] if s.light == DUSK else TINT[0]
    _paint_backdrop(o, focal, middle, tint)
    for x in range(width):
        u = ((2.0 * x + 1.0) / width - 1.0) * tan
        dx = cos + u * sin  # its component along the heading is 1, so lengths along the ray are depths
        dy = sin - u * cos
        if panorama:
            angle = s.heading + 0.5 * fov * (1.0 - (2.0 * x + 1.0) / width)
            dx = math.cos(angle)
            dy = math.sin(angle)
        tx = (math.copysign(s.room_hx, dx) - s.agent_x) / dx if abs(dx) > 1e-12 else np.inf
        ty = (math.copysign(s.room_hy, dy) - s.agent_y) / dy if abs(dy) > 1e-12 else np.inf
        wall = max(min(tx, ty), NEAR)
        wall_light = (0.86 if dx > 0.0 else 0.94) if tx < ty else (1.0 if dy > 0.0 else 0.9)
        box = np.inf
        kind = 0
        light = 0.0
        for k in range(s.n_boxes):
            t, side_light = _hit_box(s, k, dx, dy)
            if t < box:
                box = t
                kind = s.box_kind[k] % BOXES.shape[0] if identifies_kind(s) else 0
                light = side_light
        top = _row(height, middle - (WALL_HEIGHT - EYE) * focal / wall)
        foot = _row(height, middle + EYE * focal / wall)
        skirting = _row(height, middle + (EYE - SKIRTING) * focal / wall)
        wall_light = wall_light / (1.0 + FADE * wall)
        _fill(o, x, top, skirting, WALL, wall_light, tint, 1.0)
        _fill(o, x, skirting, foot, WALL, 0.72 * wall_light, tint, 1.0)
        opaque = s.glass == 0 and s.light != REVEAL
        if opaque and box < wall:
            _paint_box(o, x, box, kind, light, focal, middle, tint, 1.0)
        _paint_discs(s, o, x, dx, dy, box if opaque and box < wall else wall, focal, middle, tint)
        if not opaque and box < wall:
            _paint_box(o, x, box, kind, light, focal, middle, tint, VEIL)


@device
def _paint_backdrop(o, focal, middle, tint):
    """Paint sky and floor, in the memory order of the image. The floor gets darker with distance."""
    for y in range(o.shape[0]):
        if y < middle:
            rgb = SKY
            light = 0.9
        else:
            rgb = FLOOR
            light = 1.0 / (1.0 + FADE * EYE * focal / (y + 0.5 - middle))
        r = np.uint8(rgb[0] * light * tint[0])
        g = np.uint8(rgb[1] * light * tint[1])
        b = np.uint8(rgb[2] * light * tint[2])
        for x in range(o.shape[1]):
            o[y, x, 0] = r
            o[y, x, 1] = g
            o[y, x, 2] = b


@device
def _paint_box(o, x, t, kind, light, focal, middle, tint, cover):
    """Paint column x of a box at depth t, with a light upper edge."""
    height = o.shape[0]
    top = _row(height, middle - (BOX_HEIGHT - EYE) * focal / t)
    rim = _row(height, middle - (BOX_HEIGHT - RIM - EYE) * focal / t)
    foot = _row(height, middle + EYE * focal / t)
    light = 0.92 * light / (1.0 + FADE * t)
    _fill(o, x, top, rim, BOXES[kind], min(1.25 * light, 1.4), tint, cover)
    _fill(o, x, rim, foot, BOXES[kind], light, tint, cover)


@device
def _paint_discs(s, o, x, dx, dy, reach, focal, middle, tint):
    """Paint column x of the visible discs nearer than `reach`, farthest first."""
    height = o.shape[0]
    a = dx * dx + dy * dy
    last = np.inf
    for _ in range(s.n_discs):
        front = -1.0
        found = -1
        back = 0.0
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
            if t > NEAR and t < last and t > front and t < reach:
                front = t
                found = k
                back = (b + root) / a
        if found < 0:
            return
        last = front
        tall = 2.0 * s.disc_radius[found]
        rim = _row(height, middle + (EYE - tall) * focal / front)
        top = _row(height, middle + (EYE - tall) * focal / back)
        foot = _row(height, middle + EYE * focal / front)
        # Shading: darker where the surface turns away from the eye.
        nx = (s.agent_x + front * dx - s.disc_x[found]) / s.disc_radius[found]
        ny = (s.agent_y + front * dy - s.disc_y[found]) / s.disc_radius[found]
        facing = -(nx * dx + ny * dy) / math.sqrt(a)
        colour = DISCS[s.disc_colour[found] if identifies_colour(s, found) else UNKNOWN]
        shadow = _row(height, middle + EYE * focal / max(front - 0.03, NEAR))
        _fill(o, x, foot, shadow, FLOOR, 0.6, tint, 0.5)
        _fill(o, x, rim, foot, colour, 0.6 + 0.36 * facing, tint, 1.0)
        _fill(o, x, top, rim, colour, LID, tint, 1.0)


_RENDER = '''"""Images of one world, for people."""

from unseen.envs.core.device import kernel
from unseen.envs.planar.camera.picture import paint


@kernel
def picture(s, o, fov):
    paint(s[0], o, fov)
'''


def render(s: np.void, width: int, height: int, fov: float = WIDEST) -> np.ndarray:
    """What the agent in world record `s` sees over `fov` rad ahead, (height, width, 3) uint8.

    Drawn at twice the size and averaged, for antialiasing.
    """
    large = np.empty((2 * height, 2 * width, 3), np.uint8)
    world = np.empty(1, s.dtype)
    world[0] = s
    kernels.named(kernels.build("camera", _RENDER).picture, "the camera")(world, large, float(fov))
    return large.reshape(height, 2, width, 2, 3).mean(axis=(1, 3), dtype=np.float32).astype(np.uint8)
