"""What the agent is told of a planar world: entity slots, rays, and the privileged state.

Every row opens with the same head: pose, phase, heard, query, held. `Layout` says where each part lies; the
device functions write the parts in that order. The task's parameters carry `order` and `frame` (indices into
ORDERS and FRAMES), `colours`, `occluders` and `slots` (numbers of slots for tall and for small things).
"""

import math
from dataclasses import dataclass

from unseen.envs.engine.device import device
from unseen.envs.engine.geometry import FAR, segment_box, wrap
from unseen.envs.engine.sight import ALL_ROUND, in_view, line_of_sight, sees, sees_tall
from unseen.envs.engine.world import CURTAIN, DUSK, REVEAL

ORDERS = ("colour", "distance")
FRAMES = ("room", "ego")
HEAD = 8  # pose 4, phase 3, heard 1; query and held follow, one entry a colour each
TALL_WIDTH = 3
SPEED_UNIT = 4.0  # m/s for one unit of velocity in a slot
RAYS = 24


@dataclass(frozen=True)
class Layout:
    """Where each part of a slots row lies, and what its numbers mean.

    Attributes:
        pose: x / scale, y / scale, cos and sin of the heading; zero under the curtain.
        phase: one-hot of watch, curtain, act.
        heard: 1 in the step in which a bump was heard.
        query: one-hot of the asked colour; zero while it is not told.
        held: one-hot of the colour that is being touched.
        tall: (start, count, width): present, x, y of each tall thing.
        small: (start, count, width): seen, x, y, vx, vy, one-hot of the colour, of each small thing that shows.
        colours: number of colours.
        scale: metres for one unit of position; `speed_scale`: m/s for one unit of velocity.
        ordered: slot index = colour; else slots are filled from the nearest thing on.
        frame: "room": positions in the room's frame; "ego": relative to the agent, x ahead, y to its left.
    """

    colours: int
    occluders: int
    slots: int
    scale: float
    ordered: bool
    frame: str
    speed_scale: float = SPEED_UNIT

    @property
    def pose(self) -> slice:
        return slice(0, 4)

    @property
    def phase(self) -> slice:
        return slice(4, 7)

    @property
    def heard(self) -> slice:
        return slice(7, 8)

    @property
    def query(self) -> slice:
        return slice(HEAD, HEAD + self.colours)

    @property
    def held(self) -> slice:
        return slice(HEAD + self.colours, HEAD + 2 * self.colours)

    @property
    def head(self) -> int:
        return HEAD + 2 * self.colours

    @property
    def tall(self) -> tuple[int, int, int]:
        return self.head, self.occluders, TALL_WIDTH

    @property
    def small(self) -> tuple[int, int, int]:
        return self.head + TALL_WIDTH * self.occluders, self.slots, 5 + self.colours

    @property
    def size(self) -> int:
        start, count, width = self.small
        return start + count * width


@device
def head(s, p, o):
    """Write pose, phase, heard, query and held; returns where the next part starts. The rest of the row is zeroed."""
    for i in range(o.shape[0]):
        o[i] = 0.0
    if s.light != CURTAIN:
        o[0] = s.ax / p.room
        o[1] = s.ay / p.room
        o[2] = math.cos(s.ah)
        o[3] = math.sin(s.ah)
    o[4 + s.phase] = 1.0
    o[7] = s.heard
    if s.ask >= 0:
        o[HEAD + s.ask] = 1.0
    if s.touched >= 0:
        o[HEAD + p.colours + s.bk[s.touched]] = 1.0
    return HEAD + 2 * p.colours


@device
def _place(s, p, o, at, x, y):
    """Write a position in the row's frame, in units of the room."""
    if p.frame == 0:
        o[at] = x / p.room
        o[at + 1] = y / p.room
    else:
        c = math.cos(s.ah)
        n = math.sin(s.ah)
        o[at] = ((x - s.ax) * c + (y - s.ay) * n) / p.room
        o[at + 1] = ((y - s.ay) * c - (x - s.ax) * n) / p.room


@device
def _small_slot(s, p, o, at, k):
    o[at] = 1.0
    _place(s, p, o, at + 1, s.bx[k], s.by[k])
    if s.vx[k] != 0.0 or s.vy[k] != 0.0:
        c = 1.0
        n = 0.0
        if p.frame != 0:
            c = math.cos(s.ah)
            n = math.sin(s.ah)
        o[at + 3] = (s.vx[k] * c + s.vy[k] * n) / SPEED_UNIT
        o[at + 4] = (s.vy[k] * c - s.vx[k] * n) / SPEED_UNIT
    o[at + 5 + s.bk[k]] = 1.0


@device
def slots(s, p, o):
    """Entity slots of what shows now; see Layout. o: float32 (Layout.size,)."""
    at = head(s, p, o)
    if s.light == CURTAIN:
        return
    width = 5 + p.colours
    start = at + TALL_WIDTH * p.occluders
    if p.order == 0:
        for k in range(s.n_tall):
            if sees_tall(s, k):
                o[at + TALL_WIDTH * k] = 1.0
                _place(s, p, o, at + TALL_WIDTH * k + 1, s.tx[k], s.ty[k])
        if s.light == DUSK and s.touched < 0:
            return
        for k in range(s.n_small):
            if sees(s, k):
                _small_slot(s, p, o, start + width * s.bk[k], k)
        return
    # Nearest first. Ties keep the lower index out of both, which has measure zero.
    last = -1.0
    for m in range(s.n_tall):
        best = FAR
        near = -1
        for k in range(s.n_tall):
            d = (s.tx[k] - s.ax) ** 2 + (s.ty[k] - s.ay) ** 2
            if last < d < best and sees_tall(s, k):
                best = d
                near = k
        if near < 0:
            break
        last = best
        o[at + TALL_WIDTH * m] = 1.0
        _place(s, p, o, at + TALL_WIDTH * m + 1, s.tx[near], s.ty[near])
    if s.light == DUSK and s.touched < 0:
        return
    last = -1.0
    for m in range(s.n_small):
        best = FAR
        near = -1
        for k in range(s.n_small):
            d = (s.bx[k] - s.ax) ** 2 + (s.by[k] - s.ay) ** 2
            if last < d < best and sees(s, k):
                best = d
                near = k
        if near < 0:
            return
        last = best
        _small_slot(s, p, o, start + width * m, near)


def rays_size(colours: int) -> int:
    """Length of a rays row: the head, then RAYS x (depth, kind, colour)."""
    return HEAD + 2 * colours + 3 * RAYS


@device
def rays(s, p, o):
    """Lidar over the field of view, left to right: depth / (2 room), kind (wall 1/3, tall 2/3, small 1), colour.

    A ray stands for its sector: a small thing that shows is entered in the sector of a point of it that is in
    sight, so that none slips between two rays. o: float32 (rays_size,). Colour is (index + 1) / colours for small
    things and 0 otherwise.
    """
    at = head(s, p, o)
    if s.light == CURTAIN:
        return
    fov = min(s.fov, 2.0 * math.pi)
    step = fov / RAYS
    unit = 0.5 / p.room
    for i in range(RAYS):
        angle = s.ah + fov * 0.5 - (i + 0.5) * step
        dx = math.cos(angle)
        dy = math.sin(angle)
        depth = FAR
        if dx != 0.0:
            depth = ((s.wx if dx > 0.0 else -s.wx) - s.ax) / dx
        if dy != 0.0:
            depth = min(depth, ((s.wy if dy > 0.0 else -s.wy) - s.ay) / dy)
        o[at + 3 * i] = depth * unit
        o[at + 3 * i + 1] = 1.0 / 3.0
    if s.glass == 0:
        for k in range(s.n_tall):
            _ray_box(s, o, at, k, fov, step, unit)
    if s.light == DUSK and s.touched < 0:
        return
    for k in range(s.n_small):
        if sees(s, k):
            dx = s.bx[k] - s.ax
            dy = s.by[k] - s.ay
            d = math.sqrt(dx * dx + dy * dy) + 1e-12
            for side in range(-1, 2):
                x = s.bx[k] - side * dy / d * s.br[k]
                y = s.by[k] + side * dx / d * s.br[k]
                open_ = s.light == REVEAL or s.touched == k or line_of_sight(s, s.ax, s.ay, x, y)
                if open_ and in_view(s, x, y):
                    off = wrap(math.atan2(y - s.ay, x - s.ax) - s.ah)
                    i = min(max(int((fov * 0.5 - off) / step), 0), RAYS - 1)
                    near = d * unit
                    if o[at + 3 * i + 1] < 0.9 or near < o[at + 3 * i]:
                        o[at + 3 * i] = near
                        o[at + 3 * i + 1] = 1.0
                        o[at + 3 * i + 2] = (s.bk[k] + 1.0) / p.colours


@device
def _ray_box(s, o, at, k, fov, step, unit):
    """Enter one box into the rays that can meet it: those within the bearing span of its bounding circle."""
    ex = s.tx[k] - s.ax
    ey = s.ty[k] - s.ay
    d = math.sqrt(ex * ex + ey * ey)
    r = math.sqrt(s.hx[k] * s.hx[k] + s.hy[k] * s.hy[k])
    first = 0
    count = RAYS
    if d > r:
        span = math.asin(r / d)
        mid = wrap(math.atan2(ey, ex) - s.ah)
        low = int(math.floor((0.5 * fov - mid - span) / step - 0.5))
        count = min(int(math.ceil(2.0 * span / step)) + 2, RAYS)
        first = low
    for m in range(count):
        i = first + m
        if s.fov >= ALL_ROUND:
            i = i % RAYS
        elif i < 0 or i >= RAYS:
            continue
        angle = s.ah + fov * 0.5 - (i + 0.5) * step
        t = segment_box(s.ax, s.ay, math.cos(angle), math.sin(angle),
                        s.tx[k], s.ty[k], s.tc[k], s.ts[k], s.hx[k], s.hy[k]) * unit  # fmt: skip
        if t < o[at + 3 * i]:
            o[at + 3 * i] = t
            o[at + 3 * i + 1] = 2.0 / 3.0
