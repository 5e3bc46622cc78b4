"""Rolling discs: friction, restitution, and collisions with discs, boxes and walls.

If no disc can meet anything, all move in one exact step. Otherwise they move in substeps so short that no disc travels
more than half its radius, which prevents tunnelling. Kinetic energy never increases: friction only reduces speed,
restitution is <= 1, and position corrections add no energy. Metres, seconds.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import disc_box, passes_by, segment_box

HEARD_SPEED = 0.1  # m/s: a collision of two discs is heard above this approach speed
MAX_SUBSTEPS = 256


@device
def path_clear(s, x0, y0, x1, y1):
    """Whether the segment from (x0, y0) to (x1, y1) crosses no box, whether glass or opaque."""
    dx = x1 - x0
    dy = y1 - y0
    for k in range(s.n_boxes):
        if passes_by(x0, y0, dx, dy, s.box_x[k], s.box_y[k], s.box_hx[k] + s.box_hy[k]):
            continue  # a cheap test that most boxes pass
        t = segment_box(x0, y0, dx, dy, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k])
        if t < 1.0:
            return False
    return True


@device
def launch_speed(distance, friction):
    """The speed (m/s) at which a disc rolls `distance` metres before `friction` (m/s^2) stops it."""
    return math.sqrt(2.0 * friction * distance)


@device
def roll(s, dt, friction, restitution):
    """Advance the discs by dt seconds; set s.bump to 1 if a collision of two discs is heard.

    Args:
        friction: deceleration of a rolling disc, m/s^2.
        restitution: coefficient of restitution of every contact, 0..1.
    """
    energy = 0.0
    smallest = 1e30
    for k in range(s.n_discs):
        energy += s.disc_vx[k] * s.disc_vx[k] + s.disc_vy[k] * s.disc_vy[k]
        smallest = min(smallest, s.disc_radius[k])
    if energy == 0.0:
        return
    if _free_run(s, dt, friction):
        for k in range(s.n_discs):
            if s.disc_vx[k] != 0.0 or s.disc_vy[k] != 0.0:
                _glide(s, k, dt, friction, restitution)
        return
    # Energy never increases, so no disc can become faster than one that had all of it.
    steps = min(max(int(math.ceil(math.sqrt(energy) * dt / (0.5 * smallest))), 1), MAX_SUBSTEPS)
    h = dt / steps
    for _ in range(steps):
        for k in range(s.n_discs):
            if s.disc_vx[k] != 0.0 or s.disc_vy[k] != 0.0:
                _glide(s, k, h, friction, restitution)
        for i in range(s.n_discs):
            for j in range(i + 1, s.n_discs):
                _collide(s, i, j, restitution)


@device
def _run_length(speed, dt, friction):
    """Distance (m) that a disc rolls in dt seconds or until friction stops it."""
    if speed > friction * dt:
        return (speed - 0.5 * friction * dt) * dt
    return 0.5 * speed * speed / friction


@device
def _free_run(s, dt, friction):
    """Whether no disc can collide within dt seconds.

    Conservative: every path must be clear of walls, bounding circles of boxes, and circles round the paths of other discs.
    """
    for k in range(s.n_discs):
        speed = math.sqrt(s.disc_vx[k] * s.disc_vx[k] + s.disc_vy[k] * s.disc_vy[k])
        if speed == 0.0:
            continue
        run = _run_length(speed, dt, friction)
        r = s.disc_radius[k]
        ux = s.disc_vx[k] / speed
        uy = s.disc_vy[k] / speed
        x = s.disc_x[k]
        y = s.disc_y[k]
        if abs(x + run * ux) > s.room_hx - r or abs(y + run * uy) > s.room_hy - r:
            return False
        for j in range(s.n_boxes):
            ex = s.box_x[j] - x
            ey = s.box_y[j] - y
            along = min(max(ex * ux + ey * uy, 0.0), run)
            if (ex - along * ux) ** 2 + (ey - along * uy) ** 2 < (r + s.box_hx[j] + s.box_hy[j]) ** 2:
                return False
        mx = x + 0.5 * run * ux
        my = y + 0.5 * run * uy
        for j in range(s.n_discs):
            if j == k:
                continue
            other = math.sqrt(s.disc_vx[j] * s.disc_vx[j] + s.disc_vy[j] * s.disc_vy[j])
            half = 0.0
            if other > 0.0:
                half = 0.5 * _run_length(other, dt, friction) / other
            dx = s.disc_x[j] + half * s.disc_vx[j] - mx
            dy = s.disc_y[j] + half * s.disc_vy[j] - my
            if dx * dx + dy * dy < (0.5 * run + half * other + r + s.disc_radius[j]) ** 2:
                return False
    return True


@device
def _glide(s, k, h, friction, restitution):
    """Move disc k by h seconds, bouncing off walls and boxes."""
    u = s.disc_vx[k]
    v = s.disc_vy[k]
    speed = math.sqrt(u * u + v * v)
    # Constant deceleration, integrated exactly, so that the distance agrees with `launch_speed`.
    if speed > friction * h:
        f = (speed - friction * h) / speed
        time = 0.5 * (1.0 + f) * h
    else:
        f = 0.0
        time = 0.5 * speed / friction
    x = s.disc_x[k] + u * time
    y = s.disc_y[k] + v * time
    u *= f
    v *= f
    r = s.disc_radius[k]
    lx = s.room_hx - r
    ly = s.room_hy - r
    if x > lx:
        x = lx
        u = -restitution * abs(u)
    elif x < -lx:
        x = -lx
        u = restitution * abs(u)
    if y > ly:
        y = ly
        v = -restitution * abs(v)
    elif y < -ly:
        y = -ly
        v = restitution * abs(v)
    for j in range(s.n_boxes):
        if (x - s.box_x[j]) ** 2 + (y - s.box_y[j]) ** 2 >= (r + s.box_hx[j] + s.box_hy[j]) ** 2:
            continue  # bounding circles do not overlap
        depth, nx, ny = disc_box(x, y, r, s.box_x[j], s.box_y[j], s.box_cos[j], s.box_sin[j], s.box_hx[j], s.box_hy[j])
        if depth > 0.0:
            x += nx * depth
            y += ny * depth
            vn = u * nx + v * ny
            if vn < 0.0:
                u -= (1.0 + restitution) * vn * nx
                v -= (1.0 + restitution) * vn * ny
    s.disc_x[k] = min(max(x, -lx), lx)
    s.disc_y[k] = min(max(y, -ly), ly)
    s.disc_vx[k] = u
    s.disc_vy[k] = v


@device
def _collide(s, i, j, restitution):
    """Resolve a collision of discs i and j, of equal mass, if they overlap.

    Separates them, exchanges normal velocity according to restitution, and sets s.bump if they approach faster than
    HEARD_SPEED.
    """
    dx = s.disc_x[j] - s.disc_x[i]
    dy = s.disc_y[j] - s.disc_y[i]
    gap = s.disc_radius[i] + s.disc_radius[j]
    d2 = dx * dx + dy * dy
    if d2 >= gap * gap or d2 < 1e-12:
        return
    d = math.sqrt(d2)
    nx = dx / d
    ny = dy / d
    half = 0.5 * (gap - d)
    s.disc_x[i] -= nx * half
    s.disc_y[i] -= ny * half
    s.disc_x[j] += nx * half
    s.disc_y[j] += ny * half
    approach = (s.disc_vx[i] - s.disc_vx[j]) * nx + (s.disc_vy[i] - s.disc_vy[j]) * ny
    if approach > 0.0:
        q = 0.5 * (1.0 + restitution) * approach
        s.disc_vx[i] -= q * nx
        s.disc_vy[i] -= q * ny
        s.disc_vx[j] += q * nx
        s.disc_vy[j] += q * ny
        if approach > HEARD_SPEED:
            s.bump = 1
