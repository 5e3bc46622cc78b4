"""What the agent is told of a planar world: entity slots, rays, and the privileged state.

Every row opens with the same head: pose, phase, heard, query, held, signals. `Layout` says where each part lies; the
device functions write the parts in that order. The task's parameters carry `order` and `frame` (indices into
ORDERS and FRAMES) and the numbers of `Sizes`.
"""

import math
from dataclasses import dataclass

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.geometry import FAR, passes_by, segment_box, wrap
from unseen.envs.planar.sight import identifies_colour, identifies_kind, in_view, line_of_sight, sees, sees_box
from unseen.envs.planar.world import DARK, DUSK, NIGHT, REVEAL

ORDERS = ("colour", "distance", "place", "index", "identity")
BY_COLOUR, BY_DISTANCE, BY_PLACE, BY_INDEX, BY_IDENTITY = 0, 1, 2, 3, 4
FRAMES = ("room", "ego")
WORLD, ODOMETRY, EGO = 0, 1, 2  # in what a row tells places: the room, what the agent takes for it, its own frame
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
        box_kinds: kinds of tall things, one-hot in their slots; 0: they are all alike and nothing is said.
        box_shape: 1: their slots tell orientation and half extents too.
        asks: things that can be asked for, and held; by default the colours.
        signals: further numbers that the task tells.
    """

    colours: int
    disc_slots: int
    box_slots: int
    box_kinds: int = 0
    box_shape: int = 0
    queries: int = -1
    signals: int = 0

    def __post_init__(self) -> None:
        if self.queries < 0:
            object.__setattr__(self, "queries", self.colours)


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
        pose: x / scale, y / scale, cos and sin of the heading; zero under the blackout. Where odometry errs, this and
            every place in the room's frame is as the agent believes it to be, until the lights go on at the end.
        phase: one-hot of watch, blackout, act.
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
        return self.sizes.disc_slots if self.order == "index" else self.sizes.colours

    @property
    def pose(self) -> slice:
        return slice(0, 4)

    @property
    def phase(self) -> slice:
        return slice(4, 7)

    @property
    def bump(self) -> slice:
        return slice(7, 8)

    @property
    def query(self) -> slice:
        return slice(HEAD, HEAD + self.sizes.queries)

    @property
    def contact(self) -> slice:
        return slice(HEAD + self.sizes.queries, HEAD + 2 * self.sizes.queries)

    @property
    def signals(self) -> slice:
        return slice(HEAD + 2 * self.sizes.queries, self.head)

    @property
    def head(self) -> int:
        return HEAD + 2 * self.sizes.queries + self.sizes.signals

    @property
    def boxes(self) -> tuple[int, int, int]:
        return self.head, self.sizes.box_slots, 3 + 4 * self.sizes.box_shape + self.sizes.box_kinds

    @property
    def discs(self) -> tuple[int, int, int]:
        start, count, width = self.boxes
        return start + count * width, self.sizes.disc_slots, 5 + self.sizes.colours

    @property
    def size(self) -> int:
        start, count, width = self.discs
        return start + count * width


@device
def box_start(p):
    """Where the slots of tall things begin: behind the head."""
    return HEAD + 2 * p.queries + p.signals


@device
def box_width(p):
    return 3 + 4 * p.box_shape + p.box_kinds


@device
def disc_start(p):
    """Where the slots of small things begin, each 5 + p.colours wide."""
    return box_start(p) + box_width(p) * p.box_slots


@device
def errs(s):
    """1 if the pose that is told is not the true one, else 0."""
    return (
        1
        if s.light != REVEAL and (s.pose_error_x != 0.0 or s.pose_error_y != 0.0 or s.pose_error_heading != 0.0)
        else 0
    )


@device
def head(s, p, o):
    """Write pose, phase, heard, query, held and signals. The rest of the row is zeroed."""
    for i in range(o.shape[0]):
        o[i] = 0.0
    if s.light != DARK:
        lost = errs(s)
        o[0] = (s.agent_x + lost * s.pose_error_x) / p.room
        o[1] = (s.agent_y + lost * s.pose_error_y) / p.room
        o[2] = math.cos(s.heading + lost * s.pose_error_heading)
        o[3] = math.sin(s.heading + lost * s.pose_error_heading)
    o[4 + s.phase] = 1.0
    o[7] = s.bump
    if s.query >= 0:
        o[HEAD + s.query] = 1.0
    if s.contact >= 0:
        o[HEAD + p.queries + s.contact] = 1.0
    for i in range(p.signals):
        o[HEAD + 2 * p.queries + i] = s.signal[i]


@device
def _frame(s, p):
    """In what the row tells its places, and cos and sin, in the room, of that frame's x axis: decided once a row."""
    if p.frame != 0:
        return EGO, math.cos(s.heading), math.sin(s.heading)
    if errs(s) != 0:
        return ODOMETRY, math.cos(s.pose_error_heading), -math.sin(s.pose_error_heading)
    return WORLD, 1.0, 0.0


@device
def _place(s, p, frame, o, at, x, y):
    """Write a position in the row's frame, in units of the room."""
    told_in, c, n = frame
    if told_in == WORLD:
        o[at] = x / p.room
        o[at + 1] = y / p.room
    elif told_in == ODOMETRY:
        o[at] = ((x - s.agent_x) * c + (y - s.agent_y) * n + s.agent_x + s.pose_error_x) / p.room
        o[at + 1] = ((y - s.agent_y) * c - (x - s.agent_x) * n + s.agent_y + s.pose_error_y) / p.room
    else:
        o[at] = ((x - s.agent_x) * c + (y - s.agent_y) * n) / p.room
        o[at + 1] = ((y - s.agent_y) * c - (x - s.agent_x) * n) / p.room


@device
def _box_slot(s, p, frame, o, slot, k):
    at = box_start(p) + box_width(p) * slot
    o[at] = 1.0
    _place(s, p, frame, o, at + 1, s.box_x[k], s.box_y[k])
    if p.box_shape != 0:
        _, a, b = frame
        o[at + 3] = s.box_cos[k] * a + s.box_sin[k] * b
        o[at + 4] = s.box_sin[k] * a - s.box_cos[k] * b
        o[at + 5] = s.box_hx[k] / p.room
        o[at + 6] = s.box_hy[k] / p.room
    if p.box_kinds != 0 and identifies_kind(s):
        o[at + 3 + 4 * p.box_shape + s.box_kind[k]] = 1.0


@device
def _disc_slot(s, p, frame, o, slot, k):
    at = disc_start(p) + (5 + p.colours) * slot
    o[at] = 1.0
    _place(s, p, frame, o, at + 1, s.disc_x[k], s.disc_y[k])
    if s.disc_vx[k] != 0.0 or s.disc_vy[k] != 0.0:
        _, c, n = frame
        o[at + 3] = (s.disc_vx[k] * c + s.disc_vy[k] * n) / SPEED_UNIT
        o[at + 4] = (s.disc_vy[k] * c - s.disc_vx[k] * n) / SPEED_UNIT
    if identifies_colour(s, k):
        o[at + 5 + s.disc_colour[k]] = 1.0


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
    for k in range(s.n_boxes):
        if sees_box(s, k):
            _box_slot(s, p, frame, o, k, k)
    if s.light == DUSK and s.touched < 0:
        return
    for k in range(s.n_discs):
        if sees(s, k):
            _disc_slot(s, p, frame, o, _own_slot(s, p, k), k)


@device
def _touched_slot(s, p, frame, o):
    """In the dark the hand is all that tells of small things."""
    if s.light == NIGHT and s.touched >= 0:
        _disc_slot(s, p, frame, o, _own_slot(s, p, s.touched), s.touched)


@device
def _own_slot(s, p, k):
    """The slot of small thing k, which shows, by any order but distance."""
    if p.order == BY_COLOUR:
        return s.disc_colour[k]
    if p.order == BY_INDEX:
        return k
    if p.order == BY_DISTANCE:
        return 0
    if p.order == BY_IDENTITY:
        return _identity_slot(s, k)
    slot = 0
    for j in range(s.n_discs):
        if s.disc_colour[j] < s.disc_colour[k]:
            slot += 1
        elif (
            s.disc_colour[j] == s.disc_colour[k]
            and (s.disc_x[j] < s.disc_x[k] or (s.disc_x[j] == s.disc_x[k] and j < k))
            and sees(s, j)
        ):
            slot += 1
    return slot


@device
def _identity_slot(s, k):
    """Its colour's slot while that can be told; else the free slot of its rank round the room, which tells nothing."""
    if identifies_colour(s, k):
        return s.disc_colour[k]
    bearing = math.atan2(s.disc_y[k], s.disc_x[k]) % (2.0 * math.pi)
    taken = 0
    rank = 0
    for j in range(s.n_discs):
        if j == k or not sees(s, j):
            continue
        if identifies_colour(s, j):
            taken |= 1 << s.disc_colour[j]
        elif math.atan2(s.disc_y[j], s.disc_x[j]) % (2.0 * math.pi) < bearing:
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
    for slot in range(s.n_boxes):
        best = FAR
        near = -1
        for k in range(s.n_boxes):
            d = (s.box_x[k] - s.agent_x) ** 2 + (s.box_y[k] - s.agent_y) ** 2
            if last < d < best and sees_box(s, k):
                best = d
                near = k
        if near < 0:
            break
        last = best
        _box_slot(s, p, frame, o, slot, near)
    if s.light == DUSK and s.touched < 0:
        return
    last = -1.0
    after = -1
    for slot in range(s.n_discs):
        best = FAR
        near = -1
        for k in range(s.n_discs):
            d = (s.disc_x[k] - s.agent_x) ** 2 + (s.disc_y[k] - s.agent_y) ** 2
            if (last < d or (d == last and k > after)) and d < best and sees(s, k):
                best = d
                near = k
        if near < 0:
            return
        last = best
        after = near
        _disc_slot(s, p, frame, o, slot, near)


@device
def write_lit_slots(s, p, o, ask):
    """For `state`: the slots row as it would be with the lights on and `ask` told. o may be longer."""
    light = s.light
    told = s.query
    s.light = REVEAL
    s.query = ask
    slots(s, p, o)
    s.light = light
    s.query = told


def rays_size(sizes: Sizes) -> int:
    """Length of a rays row: the head, then RAYS x (depth, kind, colour)."""
    return HEAD + 2 * sizes.queries + sizes.signals + 3 * RAYS


@device
def rays(s, p, o):
    """Lidar over the field of view, left to right: depth / (2 room), kind (wall 1/3, tall 2/3, small 1), colour.

    A ray stands for its sector: a small thing that shows is entered in the sector of a point of it that is in
    sight, so that none slips between two rays. o: float32 (rays_size,). Colour is (index + 1) / colours for small
    things whose colour can be told, likewise (kind + 1) / kinds for tall ones, and 0 otherwise.
    """
    head(s, p, o)
    at = box_start(p)
    if s.light <= NIGHT:
        return
    fov = min(s.fov, 2.0 * math.pi)
    step = fov / RAYS
    unit = 0.5 / p.room
    for i in range(RAYS):
        angle = s.heading + fov * 0.5 - (i + 0.5) * step
        dx = math.cos(angle)
        dy = math.sin(angle)
        depth = FAR
        if dx != 0.0:
            depth = ((s.room_hx if dx > 0.0 else -s.room_hx) - s.agent_x) / dx
        if dy != 0.0:
            depth = min(depth, ((s.room_hy if dy > 0.0 else -s.room_hy) - s.agent_y) / dy)
        o[at + 3 * i] = depth * unit
        o[at + 3 * i + 1] = 1.0 / 3.0
        if s.glass == 0:
            for k in range(s.n_boxes):
                _enter_tall(s, p, o, at + 3 * i, k, dx, dy, unit)
    if s.light == DUSK and s.touched < 0:
        return
    for k in range(s.n_discs):
        if sees(s, k):
            dx = s.disc_x[k] - s.agent_x
            dy = s.disc_y[k] - s.agent_y
            d = math.sqrt(dx * dx + dy * dy) + 1e-12
            for side in range(-1, 2):
                x = s.disc_x[k] - side * dy / d * s.disc_radius[k]
                y = s.disc_y[k] + side * dx / d * s.disc_radius[k]
                open_ = s.light == REVEAL or s.touched == k or line_of_sight(s, s.agent_x, s.agent_y, x, y)
                if open_ and in_view(s, x, y):
                    off = wrap(math.atan2(y - s.agent_y, x - s.agent_x) - s.heading)
                    i = min(max(int((fov * 0.5 - off) / step), 0), RAYS - 1)
                    near = np.float32(d * unit)  # as stored, so that of equal distances the later shows
                    if o[at + 3 * i + 1] < 0.9 or near <= o[at + 3 * i]:
                        o[at + 3 * i] = near
                        o[at + 3 * i + 1] = 1.0
                        o[at + 3 * i + 2] = (s.disc_colour[k] + 1.0) / p.colours if identifies_colour(s, k) else 0.0


@device
def _enter_tall(s, p, o, at, k, dx, dy, unit):
    """Enter tall thing k into the ray at o[at], of direction (dx, dy), if it is met before what is in there."""
    reach = s.box_hx[k] + s.box_hy[k]
    behind = dx * (s.box_x[k] - s.agent_x) + dy * (s.box_y[k] - s.agent_y) < -reach
    if behind or passes_by(s.agent_x, s.agent_y, dx, dy, s.box_x[k], s.box_y[k], reach):
        return  # as most are, and this is quicker to tell
    t = (
        segment_box(
            s.agent_x, s.agent_y, dx, dy, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
        )
        * unit
    )
    if t < o[at]:
        o[at] = t
        o[at + 1] = 2.0 / 3.0
        o[at + 2] = (s.box_kind[k] + 1.0) / p.box_kinds if p.box_kinds != 0 and identifies_kind(s) else 0.0
