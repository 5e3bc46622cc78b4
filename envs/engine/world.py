"""A planar world as one aligned record: a room, an agent, tall boxes that hide, small discs that roll.

A task *has* a planar world when it asks for one with `planar`; the runtime itself needs only `HEADER`.
Units are metres, seconds and radians; the room is centred on the origin.
"""

import math

import numpy as np

from unseen.envs.engine.device import device
from unseen.envs.engine.geometry import FAR, disc_box, segment_box, wrap
from unseen.envs.engine.physics import disc_clear

FLOAT, INT = "f8", "i8"

AGENT_RADIUS = 0.2
EYE = 0.5
TALL_HEIGHT = 1.0
WALL_HEIGHT = 1.4

# Light, from darkest: nothing shows; nothing but one's own pose; tall things too, small ones when touched; all that is
# in sight; everything.
CURTAIN, NIGHT, DUSK, DAY, REVEAL = 0, 1, 2, 3, 4
WATCH, VEILED, ACT = 0, 1, 2  # phases; see `unseen.envs.engine.stage`

# What the runtime needs of any task's record: generator, clock, end flag, tries of the last reset, failed resets.
HEADER = [("rng", "u8"), ("t", INT), ("over", INT), ("tries", INT), ("fail", INT)]


def record(*fields) -> np.dtype:
    """The aligned record of a task without a room: HEADER and the task's own fields."""
    return np.dtype([*HEADER, *fields], align=True)


def planar(tall: int, small: int, *fields, signals: int = 0) -> np.dtype:
    """The aligned record of a planar world with room for `tall` boxes and `small` discs, and a task's own fields.

    `signals`: how many further numbers the task tells the agent (in `signal`), whatever the light.
    """
    return record(
        ("wx", FLOAT), ("wy", FLOAT),  # half extents of the room
        ("ax", FLOAT), ("ay", FLOAT), ("ah", FLOAT),  # the agent's pose
        ("ox", FLOAT), ("oy", FLOAT), ("oh", FLOAT),  # error of the pose that the agent is told: told less true
        ("fov", FLOAT), ("light", INT), ("glass", INT),
        ("near", FLOAT),  # metres within which the colour of a small thing can be told; 0: from anywhere
        ("plain", INT),  # 1: in the dusk all tall things look alike
        ("touched", INT), ("held", INT), ("heard", INT),  # small thing, askable thing (-1: none), 1 for a bump
        ("phase", INT), ("ask", INT),  # the asked thing, -1 while it is not told
        ("watch", INT), ("curtain", INT), ("px", FLOAT), ("py", FLOAT), ("ph", FLOAT),  # see stage.py
        ("signal", FLOAT, (max(signals, 1),)),
        ("n_tall", INT), ("n_small", INT),
        # Boxes: centre, cos and sin of the orientation, half extents, kind.
        ("tx", FLOAT, (tall,)), ("ty", FLOAT, (tall,)), ("tc", FLOAT, (tall,)), ("ts", FLOAT, (tall,)),
        ("hx", FLOAT, (tall,)), ("hy", FLOAT, (tall,)), ("tk", INT, (tall,)),
        # Discs: centre, velocity, radius, kind (its colour), and what covers it (0: nothing).
        ("bx", FLOAT, (small,)), ("by", FLOAT, (small,)), ("vx", FLOAT, (small,)), ("vy", FLOAT, (small,)),
        ("br", FLOAT, (small,)), ("bk", INT, (small,)), ("under", INT, (small,)),
        *fields,
    )  # fmt: skip


@device
def put_tall(s, k, kind, x, y, c, n, hx, hy):
    """Put tall thing k at (x, y); cos and sin of its orientation, half extents."""
    s.tx[k] = x
    s.ty[k] = y
    s.tc[k] = c
    s.ts[k] = n
    s.hx[k] = hx
    s.hy[k] = hy
    s.tk[k] = kind


@device
def nearest_tall(s, x, y):
    """The tall thing whose centre is nearest to (x, y)."""
    best = FAR
    near = 0
    for k in range(s.n_tall):
        d = (s.tx[k] - x) ** 2 + (s.ty[k] - y) ** 2
        if d < best:
            best = d
            near = k
    return near


@device
def colour_first(s, n, k, but):
    """Let small thing k, one of n, have the first colour, or if `but` any but the first, by an exchange of two."""
    for j in range(n):
        if s.bk[j] == 0 and (j != k) != but:
            other = (j + 1) % s.n_small if but else k
            s.bk[j], s.bk[other] = s.bk[other], s.bk[j]
            break


@device
def touch(s, k):
    """The agent touches small thing k, which then shows, and is told which kind it is; -1 for none."""
    s.touched = k
    s.held = s.bk[k] if k >= 0 else -1


@device
def clear_tall(s):
    """Leave no tall thing of the last episode, in the record's unused rows either."""
    s.n_tall = 0
    for k in range(s.tx.shape[0]):
        put_tall(s, k, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@device
def drive(s, speed, turn):
    """Turn by `turn` radians, then go `speed` metres; walls and tall things stop the agent, which slides along."""
    s.ah = wrap(s.ah + turn)
    if speed != 0.0:
        s.ax, s.ay = go(s, s.ax, s.ay, s.ah, speed)


@device
def go(s, x, y, h, speed):
    """Where an agent comes to that goes `speed` metres from (x, y) in the direction h: through nothing, however thin."""
    u, v = clear_of_solids(s, x + speed * math.cos(h), y + speed * math.sin(h), AGENT_RADIUS)
    if not _goes_through(s, x, y, u, v, abs(speed)):
        return u, v
    # Steps of half its radius cannot pass what they meet. Where two things that all but touch push it out through one
    # of them, there is no way on.
    n = int(math.ceil(2.0 * abs(speed) / AGENT_RADIUS))
    for _ in range(n):
        u, v = clear_of_solids(s, x + speed / n * math.cos(h), y + speed / n * math.sin(h), AGENT_RADIUS)
        if _goes_through(s, x, y, u, v, FAR):
            break
        x = u
        y = v
    return x, y


@device
def _goes_through(s, x, y, u, v, stride):
    """Whether the straight way from (x, y) to (u, v) enters a tall thing so thin that a stride can end beyond its
    middle, whence the agent, which began a radius before it, is pushed on rather than back. Wedged between two, it may
    have begun nearer than that."""
    for k in range(s.n_tall):
        if stride > AGENT_RADIUS + min(s.hx[k], s.hy[k]) or _wedged(s, k, x, y):
            t = segment_box(x, y, u - x, v - y, s.tx[k], s.ty[k], s.tc[k], s.ts[k], s.hx[k], s.hy[k])
            if 0.0 < t < 1.0:  # 0: it is in there already, as in a believed world that errs
                return True
    return False


@device
def _wedged(s, k, x, y):
    """Whether an agent at (x, y) overlaps tall thing k by more than rounding."""
    if (x - s.tx[k]) ** 2 + (y - s.ty[k]) ** 2 >= (AGENT_RADIUS + s.hx[k] + s.hy[k]) ** 2:
        return False
    depth, _, _ = disc_box(x, y, AGENT_RADIUS, s.tx[k], s.ty[k], s.tc[k], s.ts[k], s.hx[k], s.hy[k])
    return depth > 0.01


@device
def clear_of_solids(s, x, y, r):
    """The nearest place to (x, y) where a disc of radius r overlaps neither a wall nor a tall thing.

    Tall things push in turn; twice round settles a disc that touches two of them, once one that touches none.
    """
    for _ in range(2):
        u = x
        v = y
        for k in range(s.n_tall):
            if (x - s.tx[k]) ** 2 + (y - s.ty[k]) ** 2 < (r + s.hx[k] + s.hy[k]) ** 2:
                depth, nx, ny = disc_box(x, y, r, s.tx[k], s.ty[k], s.tc[k], s.ts[k], s.hx[k], s.hy[k])
                x += nx * depth
                y += ny * depth
        x = min(max(x, r - s.wx), s.wx - r)
        y = min(max(y, r - s.wy), s.wy - r)
        if x == u and y == v:
            break
    return x, y


@device
def touching(s, x, y, reach):
    """The nearest small thing within `reach` metres (centre to centre) with nothing solid between; -1 for none."""
    best = reach
    found = -1
    for k in range(s.n_small):
        d = math.sqrt((s.bx[k] - x) ** 2 + (s.by[k] - y) ** 2)
        if d < best and disc_clear(s, x, y, s.bx[k], s.by[k]):
            best = d
            found = k
    return found
