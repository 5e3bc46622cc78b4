"""Columns of the pixel observation: the ray, nearest box, edges and colours of each.

Nothing is allocated: the bytes of the image itself, `flat`, serve as scratch. While the lower half is drawn, the upper
half holds the arrays of `rays` and `nearest`, followed by LOW_EDGE; the strip below the image holds the edges and
colours of the upper half. Each of these takes one number, or three bytes, per column.

In perspective and in a panorama, the inverse depth of a plane is linear in the direction of the ray, so the same loop
draws both.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.camera.lens import BOXES, FADE, TINT, WALL, box_light, in_perspective
from unseen.envs.planar.sight import identifies_kind
from unseen.envs.planar.world import BOX_HEIGHT, EYE, WALL_HEIGHT

_FACE = np.array([0.86, 1.0, 0.94, 0.9])  # light on the walls at +x, +y, -x, -y
LOW_EDGE = 32  # bytes per column before the lower edges, in the upper half
# Rows of bytes in the strip.
TOP_EDGE, BOX_EDGE, WALL_COLOUR, BOX_COLOUR = 0, 1, 2, 3


@device
def rays(flat, width):
    """Views of each column's ray in the agent's frame: two float64 rows, the ahead and left components."""
    return flat[: 8 * width].view(np.float64), flat[8 * width : 16 * width].view(np.float64)


@device
def nearest(flat, width):
    """Views of each column's nearest box: inverse depth (float64, 0 for none) and tone (int64, see `_tone`)."""
    return flat[16 * width : 24 * width].view(np.float64), flat[24 * width : 32 * width].view(np.int64)


@device
def aim_rays(flat, width, fov):
    """Write the rays for a field of view `fov`, rad, and clear the nearest box of every column."""
    ahead, left = rays(flat, width)
    near, _ = nearest(flat, width)
    for i in range(width):
        near[i] = 0.0
    if in_perspective(fov):
        reach = math.tan(0.5 * fov)
        for i in range(width):
            ahead[i] = 1.0
            left[i] = reach * ((width - 1 - 2 * i) / width)
        return
    step = min(fov, 2.0 * math.pi) / width
    cos = math.cos(0.5 * step)
    sin = math.sin(0.5 * step)
    step_cos = math.cos(step)
    step_sin = math.sin(step)
    middle = width // 2
    for m in range(middle):
        ahead[middle - 1 - m] = cos
        left[middle - 1 - m] = sin
        ahead[middle + m] = cos
        left[middle + m] = -sin
        cos, sin = cos * step_cos - sin * step_sin, sin * step_cos + cos * step_sin


@device
def enter_box(s, flat, width, k):
    """Enter box k in the columns where it is nearer than the boxes entered so far.

    Its silhouette corners a and b bound those columns. If two faces are visible, the ray enters at the farther plane.
    """
    ahead, left = rays(flat, width)
    near, tone = nearest(flat, width)
    cos = math.cos(s.heading)
    sin = math.sin(s.heading)
    hx = s.box_hx[k]
    hy = s.box_hy[k]
    ux = s.box_cos[k] * cos + s.box_sin[k] * sin  # the box's own axes u and v, in the agent's frame
    uy = s.box_sin[k] * cos - s.box_cos[k] * sin
    ex = s.box_x[k] - s.agent_x
    ey = s.box_y[k] - s.agent_y
    cx = ex * cos + ey * sin
    cy = ey * cos - ex * sin
    pu = -(cx * ux + cy * uy)  # the eye in the box's frame
    pv = -(cy * ux - cx * uy)
    su = 1.0 if pu > hx else (-1.0 if pu < -hx else 0.0)  # which faces show
    sv = 1.0 if pv > hy else (-1.0 if pv < -hy else 0.0)
    if su == 0.0 and sv == 0.0:
        return  # the eye is inside the box
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
    # The inverse depth of a face is ray . normal / distance of its plane.
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
        old_near = near[i]
        old_tone = tone[i]
        by_u = x * u0 + y * u1
        by_v = x * v0 + y * v1
        inverse = by_u if by_u < by_v else by_v
        new_tone = u_tone if by_u < by_v else v_tone
        met = (x * a1 - y * a0 >= 0.0) & (x * b1 - y * b0 <= 0.0) & (inverse > old_near)
        near[i] = inverse if met else old_near
        tone[i] = new_tone if met else old_tone


@device
def _tone(s, k, nx, ny):
    """Colour and light of the face of box k with outward normal (nx, ny), packed as colour * 256 + light."""
    light = int(256.0 * 0.92 * box_light(nx, ny))
    colour = s.box_kind[k] % BOXES.shape[0] if identifies_kind(s) else 0
    return (colour << 8) | light


@device
def finish_columns(s, flat, strip, width, half, focal, dusk, opaque):
    """Write the edges and colours of each column, from the walls and the nearest box, once per byte of the pixel.

    Edges are in rows from the horizon, at most `half`. Boxes that are not opaque are skipped.
    """
    row = 3 * width
    ahead, left = rays(flat, width)
    near, tone = nearest(flat, width)
    low = flat[LOW_EDGE * width : (LOW_EDGE + 3) * width]
    cos = math.cos(s.heading)
    sin = math.sin(s.heading)
    east = 1.0 / (s.room_hx - s.agent_x)
    west = 1.0 / (s.room_hx + s.agent_x)
    north = 1.0 / (s.room_hy - s.agent_y)
    south = 1.0 / (s.room_hy + s.agent_y)
    wall_up = focal * (WALL_HEIGHT - EYE)
    box_up = focal * (BOX_HEIGHT - EYE)
    down = focal * EYE
    most = float(half)
    for i in range(width):
        dx = ahead[i] * cos - left[i] * sin
        dy = ahead[i] * sin + left[i] * cos
        ix = dx * east if dx > 0.0 else -dx * west
        iy = dy * north if dy > 0.0 else -dy * south
        if ix > iy:
            inverse = ix
            side = 0 if dx > 0.0 else 2
        else:
            inverse = iy
            side = 1 if dy > 0.0 else 3
        light = _FACE[side] * inverse / (inverse + FADE)
        top = np.uint8(min(wall_up * inverse + 0.5, most))
        wall_r = np.uint8(WALL[0] * TINT[dusk, 0] * light)
        wall_g = np.uint8(WALL[1] * TINT[dusk, 1] * light)
        wall_b = np.uint8(WALL[2] * TINT[dusk, 2] * light)
        box_top = np.uint8(0)
        box_r, box_g, box_b = wall_r, wall_g, wall_b
        if near[i] > 0.0 and opaque:
            inverse = near[i]
            light = inverse / (inverse + FADE) * ((tone[i] & 255) / 256.0)
            colour = (tone[i] >> 8) & 255
            box_top = np.uint8(min(box_up * inverse + 0.5, most))
            box_r = np.uint8(BOXES[colour, 0] * TINT[dusk, 0] * light)
            box_g = np.uint8(BOXES[colour, 1] * TINT[dusk, 1] * light)
            box_b = np.uint8(BOXES[colour, 2] * TINT[dusk, 2] * light)
        bottom = np.uint8(min(down * inverse + 0.5, most))
        j = 3 * i
        for c in range(3):
            low[j + c] = bottom
            strip[TOP_EDGE * row + j + c] = top
            strip[BOX_EDGE * row + j + c] = box_top
        strip[WALL_COLOUR * row + j] = wall_r
        strip[WALL_COLOUR * row + j + 1] = wall_g
        strip[WALL_COLOUR * row + j + 2] = wall_b
        strip[BOX_COLOUR * row + j] = box_r
        strip[BOX_COLOUR * row + j + 1] = box_g
        strip[BOX_COLOUR * row + j + 2] = box_b
