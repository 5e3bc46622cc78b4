"""What the agent is told of a planar world: entity slots, rays, and the privileged state.

Every row opens with the same head: pose, phase, heard, query, held, signals. `Layout` says where each part lies; the
device functions write the parts in that order. The task's parameters carry `order` and `frame` (indices into
ORDERS and FRAMES) and the numbers of `Sizes`.
"""

import math
from dataclasses import dataclass

import numpy as np

from unseen.envs.engine.device import device
from unseen.envs.engine.geometry import FAR, passes_by, segment_box, wrap
from unseen.envs.engine.sight import in_view, line_of_sight, sees, sees_tall, tells_colour, tells_kind
from unseen.envs.engine.world import CURTAIN, DUSK, NIGHT, REVEAL

ORDERS = ("colour", "distance", "place", "index", "told")
BY_COLOUR, BY_DISTANCE, BY_PLACE, BY_INDEX, BY_TOLD = 0, 1, 2, 3, 4
FRAMES = ("room", "ego")
ROOM, ASTRAY, EGO = 0, 1, 2  # in what a row tells places: the room, what the agent takes for it, its own frame
HEAD = 8  # pose 4, phase 3, heard 1; query, held and signals follow
SPEED_UNIT = 4.0  # m/s for one unit of velocity in a slot
RAYS = 24


@dataclass(frozen=True)
class Sizes:
    """How many numbers of each sort a slots row has.

    Attributes:
        colours: kinds of small things that can be told apart.
        slots: small things that can show at once.
        talls: tall things that can show at once.
        tall_kinds: kinds of tall things, one-hot in their slots; 0: they are all alike and nothing is said.
        tall_shape: 1: their slots tell orientation and half extents too.
        asks: things that can be asked for, and held; by default the colours.
        signals: further numbers that the task tells.
    """

    colours: int
    slots: int
    talls: int
    tall_kinds: int = 0
    tall_shape: int = 0
    asks: int = -1
    signals: int = 0

    def __post_init__(self) -> None:
        if self.asks < 0:
            object.__setattr__(self, "asks", self.colours)


@dataclass(frozen=True)
class Layout:
    """Where each part of a slots row lies, and what its numbers mean.

    Attributes:
        sizes: numbers of things.
        scale: metres for one unit of position; `speed_scale`: m/s for one unit of velocity.
        order: which slot a small thing gets: "colour": its colour's; "distance": slots are filled from the nearest
            on; "place": things of one colour share their slots, filled from small x to large; "index": each thing
            has its own, since they can be told apart by more than their colour; "told": its colour's while that can
            be told, and the others fill the slots that are left, counter-clockwise round the room.
        frame: "room": positions in the room's frame; "ego": relative to the agent, x ahead, y to its left.
        covers: colours of the small things, if any, under which others go, and which then take these along.
        pose: x / scale, y / scale, cos and sin of the heading; zero under the curtain. Where odometry errs, this and
            every place in the room's frame is as the agent believes it to be, until the lights go on at the end.
        phase: one-hot of watch, curtain, act.
        heard: 1 in the step in which a bump was heard.
        query: one-hot of the asked thing; zero while it is not told.
        held: one-hot of what is being touched.
        signals: the task's own numbers.
        tall: (start, count, width): present, x, y, then by `sizes` cos, sin, half extents, one-hot of the kind (zero where it
            cannot be told).
        small: (start, count, width): seen, x, y, vx, vy, one-hot of the colour (zero where it cannot be told).
    """

    sizes: Sizes
    scale: float
    order: str
    frame: str
    covers: tuple[int, ...] = ()
    speed_scale: float = SPEED_UNIT

    @property
    def colours(self) -> int:
        return self.sizes.colours

    @property
    def things(self) -> int:
        """Small things that can be told apart over time: by their own slot, or else by their colour."""
        return self.sizes.slots if self.order == "index" else self.sizes.colours

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
        return slice(HEAD, HEAD + self.sizes.asks)

    @property
    def held(self) -> slice:
        return slice(HEAD + self.sizes.asks, HEAD + 2 * self.sizes.asks)

    @property
    def signals(self) -> slice:
        return slice(HEAD + 2 * self.sizes.asks, self.head)

    @property
    def head(self) -> int:
        return HEAD + 2 * self.sizes.asks + self.sizes.signals

    @property
    def tall(self) -> tuple[int, int, int]:
        return self.head, self.sizes.talls, 3 + 4 * self.sizes.tall_shape + self.sizes.tall_kinds

    @property
    def small(self) -> tuple[int, int, int]:
        start, count, width = self.tall
        return start + count * width, self.sizes.slots, 5 + self.sizes.colours

    @property
    def size(self) -> int:
        start, count, width = self.small
        return start + count * width


@device
def tall_start(p):
    """Where the slots of tall things begin: behind the head."""
    return HEAD + 2 * p.asks + p.signals


@device
def tall_width(p):
    return 3 + 4 * p.tall_shape + p.tall_kinds


@device
def small_start(p):
    """Where the slots of small things begin, each 5 + p.colours wide."""
    return tall_start(p) + tall_width(p) * p.talls


@device
def errs(s):
    """1 if the pose that is told is not the true one, else 0."""
    return 1 if s.light != REVEAL and (s.ox != 0.0 or s.oy != 0.0 or s.oh != 0.0) else 0


@device
def head(s, p, o):
    """Write pose, phase, heard, query, held and signals. The rest of the row is zeroed."""
    for i in range(o.shape[0]):
        o[i] = 0.0
    if s.light != CURTAIN:
        lost = errs(s)
        o[0] = (s.ax + lost * s.ox) / p.room
        o[1] = (s.ay + lost * s.oy) / p.room
        o[2] = math.cos(s.ah + lost * s.oh)
        o[3] = math.sin(s.ah + lost * s.oh)
    o[4 + s.phase] = 1.0
    o[7] = s.heard
    if s.ask >= 0:
        o[HEAD + s.ask] = 1.0
    if s.held >= 0:
        o[HEAD + p.asks + s.held] = 1.0
    for i in range(p.signals):
        o[HEAD + 2 * p.asks + i] = s.signal[i]


@device
def _frame(s, p):
    """In what the row tells its places, and cos and sin, in the room, of that frame's x axis: decided once a row."""
    if p.frame != 0:
        return EGO, math.cos(s.ah), math.sin(s.ah)
    if errs(s) != 0:
        return ASTRAY, math.cos(s.oh), -math.sin(s.oh)
    return ROOM, 1.0, 0.0


@device
def _place(s, p, frame, o, at, x, y):
    """Write a position in the row's frame, in units of the room."""
    told_in, c, n = frame
    if told_in == ROOM:
        o[at] = x / p.room
        o[at + 1] = y / p.room
    elif told_in == ASTRAY:
        o[at] = ((x - s.ax) * c + (y - s.ay) * n + s.ax + s.ox) / p.room
        o[at + 1] = ((y - s.ay) * c - (x - s.ax) * n + s.ay + s.oy) / p.room
    else:
        o[at] = ((x - s.ax) * c + (y - s.ay) * n) / p.room
        o[at + 1] = ((y - s.ay) * c - (x - s.ax) * n) / p.room


@device
def _tall_slot(s, p, frame, o, slot, k):
    at = tall_start(p) + tall_width(p) * slot
    o[at] = 1.0
    _place(s, p, frame, o, at + 1, s.tx[k], s.ty[k])
    if p.tall_shape != 0:
        _, a, b = frame
        o[at + 3] = s.tc[k] * a + s.ts[k] * b
        o[at + 4] = s.ts[k] * a - s.tc[k] * b
        o[at + 5] = s.hx[k] / p.room
        o[at + 6] = s.hy[k] / p.room
    if p.tall_kinds != 0 and tells_kind(s):
        o[at + 3 + 4 * p.tall_shape + s.tk[k]] = 1.0


@device
def _small_slot(s, p, frame, o, slot, k):
    at = small_start(p) + (5 + p.colours) * slot
    o[at] = 1.0
    _place(s, p, frame, o, at + 1, s.bx[k], s.by[k])
    if s.vx[k] != 0.0 or s.vy[k] != 0.0:
        _, c, n = frame
        o[at + 3] = (s.vx[k] * c + s.vy[k] * n) / SPEED_UNIT
        o[at + 4] = (s.vy[k] * c - s.vx[k] * n) / SPEED_UNIT
    if tells_colour(s, k):
        o[at + 5 + s.bk[k]] = 1.0


@device
def slots(s, p, o):
    """Entity slots of what shows now; see Layout. o: float32 (Layout.size,)."""
    head(s, p, o)
    frame = _frame(s, p)
    if s.light <= NIGHT:
        _touched_slot(s, p, frame, o)
        return
    if p.order == BY_DISTANCE:
        _nearest_first(s, p, frame, o)
        return
    for k in range(s.n_tall):
        if sees_tall(s, k):
            _tall_slot(s, p, frame, o, k, k)
    if s.light == DUSK and s.touched < 0:
        return
    for k in range(s.n_small):
        if sees(s, k):
            _small_slot(s, p, frame, o, _own_slot(s, p, k), k)


@device
def _touched_slot(s, p, frame, o):
    """In the dark the hand is all that tells of small things."""
    if s.light == NIGHT and s.touched >= 0:
        _small_slot(s, p, frame, o, _own_slot(s, p, s.touched), s.touched)


@device
def _own_slot(s, p, k):
    """The slot of small thing k, which shows, by any order but distance."""
    if p.order == BY_COLOUR:
        return s.bk[k]
    if p.order == BY_INDEX:
        return k
    if p.order == BY_DISTANCE:
        return 0
    if p.order == BY_TOLD:
        return _told_slot(s, k)
    slot = 0
    for j in range(s.n_small):
        if s.bk[j] < s.bk[k]:
            slot += 1
        elif s.bk[j] == s.bk[k] and (s.bx[j] < s.bx[k] or (s.bx[j] == s.bx[k] and j < k)) and sees(s, j):
            slot += 1
    return slot


@device
def _told_slot(s, k):
    """Its colour's slot while that can be told; else the free slot of its rank round the room, which tells nothing."""
    if tells_colour(s, k):
        return s.bk[k]
    bearing = math.atan2(s.by[k], s.bx[k]) % (2.0 * math.pi)
    taken = 0
    rank = 0
    for j in range(s.n_small):
        if j == k or not sees(s, j):
            continue
        if tells_colour(s, j):
            taken |= 1 << s.bk[j]
        elif math.atan2(s.by[j], s.bx[j]) % (2.0 * math.pi) < bearing:
            rank += 1
    slot = 0
    while rank > 0 or taken >> slot & 1 != 0:
        rank -= taken >> slot & 1 == 0
        slot += 1
    return slot


@device
def _nearest_first(s, p, frame, o):
    """Equal distances, as of a thing and its cover, by index."""
    last = -1.0
    for slot in range(s.n_tall):
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
        _tall_slot(s, p, frame, o, slot, near)
    if s.light == DUSK and s.touched < 0:
        return
    last = -1.0
    after = -1
    for slot in range(s.n_small):
        best = FAR
        near = -1
        for k in range(s.n_small):
            d = (s.bx[k] - s.ax) ** 2 + (s.by[k] - s.ay) ** 2
            if (last < d or (d == last and k > after)) and d < best and sees(s, k):
                best = d
                near = k
        if near < 0:
            return
        last = best
        after = near
        _small_slot(s, p, frame, o, slot, near)


@device
def lit_slots(s, p, o, ask):
    """For `state`: the slots row as it would be with the lights on and `ask` told. o may be longer."""
    light = s.light
    told = s.ask
    s.light = REVEAL
    s.ask = ask
    slots(s, p, o)
    s.light = light
    s.ask = told


def rays_size(sizes: Sizes) -> int:
    """Length of a rays row: the head, then RAYS x (depth, kind, colour)."""
    return HEAD + 2 * sizes.asks + sizes.signals + 3 * RAYS


@device
def rays(s, p, o):
    """Lidar over the field of view, left to right: depth / (2 room), kind (wall 1/3, tall 2/3, small 1), colour.

    A ray stands for its sector: a small thing that shows is entered in the sector of a point of it that is in
    sight, so that none slips between two rays. o: float32 (rays_size,). Colour is (index + 1) / colours for small
    things whose colour can be told, likewise (kind + 1) / kinds for tall ones, and 0 otherwise.
    """
    head(s, p, o)
    at = tall_start(p)
    if s.light <= NIGHT:
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
                _enter_tall(s, p, o, at + 3 * i, k, dx, dy, unit)
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
                    near = np.float32(d * unit)  # as stored, so that of equal distances the later shows
                    if o[at + 3 * i + 1] < 0.9 or near <= o[at + 3 * i]:
                        o[at + 3 * i] = near
                        o[at + 3 * i + 1] = 1.0
                        o[at + 3 * i + 2] = (s.bk[k] + 1.0) / p.colours if tells_colour(s, k) else 0.0


@device
def _enter_tall(s, p, o, at, k, dx, dy, unit):
    """Enter tall thing k into the ray at o[at], of direction (dx, dy), if it is met before what is in there."""
    reach = s.hx[k] + s.hy[k]
    behind = dx * (s.tx[k] - s.ax) + dy * (s.ty[k] - s.ay) < -reach
    if behind or passes_by(s.ax, s.ay, dx, dy, s.tx[k], s.ty[k], reach):
        return  # as most are, and this is quicker to tell
    t = segment_box(s.ax, s.ay, dx, dy, s.tx[k], s.ty[k], s.tc[k], s.ts[k], s.hx[k], s.hy[k]) * unit
    if t < o[at]:
        o[at] = t
        o[at + 1] = 2.0 / 3.0
        o[at + 2] = (s.tk[k] + 1.0) / p.tall_kinds if p.tall_kinds != 0 and tells_kind(s) else 0.0
