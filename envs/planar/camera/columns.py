"""The columns of the observation's picture: for each, the ray, the nearest tall thing, edges and colours.

Scratch lies in the row that is passed in, in its upper half, each `width` long: ray ahead, ray left, 1/depth, tone
(float64 and int64), then 3 bytes a column for the lower edge; and in the strip below the picture, 3 bytes a column each:
top of the wall, top of the body, colour of the wall, colour of the body. See `unseen.envs.planar.camera.raster`.

In perspective and panorama alike, 1/depth of a plane is linear in the ray's direction: one loop of products draws
either.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar import palette
from unseen.envs.planar.sight import identifies_kind
from unseen.envs.planar.world import BOX_HEIGHT, EYE, WALL_HEIGHT

PLANAR = 2.0 * math.pi / 3.0 + 1e-9  # rad: the widest field in perspective
FADE = 0.05  # how much of the light a metre takes away
TINT = np.array([[1.0, 1.0, 1.0], [0.56, 0.60, 0.78]])  # day, dusk
TALL = np.array(palette.TALL, np.float64)
_WALL = np.array(palette.WALL, np.float64)
_FACE = np.array([0.86, 1.0, 0.94, 0.9])  # light on the walls at +x, +y, -x, -y


@device
def aim(flat, width, fov):
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
def enter_tall(s, flat, width, k):
    """Enter tall thing k into the columns whose rays meet it before any other.

    The corners at its two silhouettes bound those rays; of its one or two visible faces the one met later counts.
    """
    ahead = flat[: 8 * width].view(np.float64)
    left = flat[8 * width : 16 * width].view(np.float64)
    near = flat[16 * width : 24 * width].view(np.float64)
    tone = flat[24 * width : 32 * width].view(np.int64)
    ch = math.cos(s.heading)
    sh = math.sin(s.heading)
    hx = s.box_hx[k]
    hy = s.box_hy[k]
    ux = s.box_cos[k] * ch + s.box_sin[k] * sh  # the box's own axes u and v, in the agent's frame
    uy = s.box_sin[k] * ch - s.box_cos[k] * sh
    ex = s.box_x[k] - s.agent_x
    ey = s.box_y[k] - s.agent_y
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
    u_tone = _tone(s, k, su * s.box_cos[k], su * s.box_sin[k])
    v_tone = _tone(s, k, -sv * s.box_sin[k], sv * s.box_cos[k])
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
    kind = s.box_kind[k] % TALL.shape[0] if identifies_kind(s) else 0
    return (kind << 8) | shade


@device
def finish_columns(s, flat, strip, width, half, focal, dusk, opaque):
    """Edges and colours of each column, repeated for its three bytes, from the walls and the nearest tall thing."""
    row = 3 * width
    ahead = flat[: 8 * width].view(np.float64)
    left = flat[8 * width : 16 * width].view(np.float64)
    near = flat[16 * width : 24 * width].view(np.float64)
    tone = flat[24 * width : 32 * width].view(np.int64)
    low = flat[32 * width : 35 * width]
    ch = math.cos(s.heading)
    sh = math.sin(s.heading)
    east = 1.0 / (s.room_hx - s.agent_x)
    west = 1.0 / (s.room_hx + s.agent_x)
    north = 1.0 / (s.room_hy - s.agent_y)
    south = 1.0 / (s.room_hy + s.agent_y)
    up = focal * (WALL_HEIGHT - EYE)
    body_up = focal * (BOX_HEIGHT - EYE)
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
        wall_r = np.uint8(_WALL[0] * TINT[dusk, 0] * light)
        wall_g = np.uint8(_WALL[1] * TINT[dusk, 1] * light)
        wall_b = np.uint8(_WALL[2] * TINT[dusk, 2] * light)
        body_top = np.uint8(0)
        body_r, body_g, body_b = wall_r, wall_g, wall_b
        if near[i] > 0.0 and opaque:
            depth = near[i]
            light = depth / (depth + FADE) * ((tone[i] & 255) / 256.0)
            colour = (tone[i] >> 8) & 255
            body_top = np.uint8(min(body_up * depth + 0.5, most))
            body_r = np.uint8(TALL[colour, 0] * TINT[dusk, 0] * light)
            body_g = np.uint8(TALL[colour, 1] * TINT[dusk, 1] * light)
            body_b = np.uint8(TALL[colour, 2] * TINT[dusk, 2] * light)
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
