"""The layout of a slots row.

Every row starts with the same head: pose, phase, bump, query, contact, signals. Slots for boxes and then for discs
follow. In kernels, the parameters have `order` and `frame` (indices into ORDERS and FRAMES) and the fields of `Sizes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unseen.envs.core.device import device
from unseen.envs.core.sensor import Part

ORDERS = ("colour", "distance", "place", "index", "identity")
BY_COLOUR, BY_DISTANCE, BY_PLACE, BY_INDEX, BY_IDENTITY = 0, 1, 2, 3, 4
FRAMES = ("room", "ego")
HEAD = 8  # pose 4, phase 3, bump 1; query, contact and signals follow
SPEED_UNIT = 4.0  # m/s per unit of velocity in a slot
BOUND = 4.0  # generous bound of positions, in half rooms, and of velocities, in SPEED_UNIT


@dataclass(frozen=True)
class Sizes:
    """The sizes of the parts of a slots row.

    Attributes:
        colours: number of disc colours.
        disc_slots: number of disc slots.
        box_slots: number of box slots.
        box_kinds: kinds of box, one-hot in each box slot; 0 if all boxes are alike.
        box_shape: 1 if box slots include orientation and half extents.
        queries: number of objects that can be queried and touched; by default `colours`.
        signals: number of task-specific values.
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
    """The position of each part of a slots row.

    Attributes:
        sizes: sizes of the parts.
        scale: metres per unit of position; `speed_scale`: m/s per unit of velocity.
        order: which slot a disc gets. "colour": the slot of its colour. "distance": nearest disc first. "place": discs
            of the same colour share the slots of that colour, in order of x. "index": each disc has its own slot.
            "identity": slot = colour if visible, otherwise remaining slots counter-clockwise round the room.
        frame: "room": positions in the room's frame; "ego": relative to the agent, x ahead, y to its left.
        covers: colours of discs that can cover other discs, and then carry these along.
        by_touch: the task is to touch what the query names: the first touch in the act phase ends an episode, with reward if
            `contact` is the query.
        pose: x / scale, y / scale, cos and sin of the heading; zero in a blackout. With odometry error, the pose and
            all positions in the room's frame are as reported by odometry, until the terminal reveal.
        phase: one-hot of observe, blackout, act.
        bump: 1 in a step in which a bump is heard.
        query: one-hot of the queried object; zero until there is a query.
        contact: one-hot of the touched object.
        signals: task-specific values.
        boxes: (start, count, width): present, x, y, then depending on `sizes` cos, sin, half extents, and one-hot of
            the kind (zero if the kind is not visible).
        discs: (start, count, width): present, x, y, vx, vy, one-hot of the colour (zero if not visible).
    """

    sizes: Sizes
    scale: float
    order: str
    frame: str
    covers: tuple[int, ...] = ()
    by_touch: bool = False
    speed_scale: float = SPEED_UNIT

    @property
    def colours(self) -> int:
        return self.sizes.colours

    @property
    def things(self) -> int:
        """Number of discs that can be identified over time, by their own slot or by their colour."""
        return self.sizes.disc_slots if self.order == "index" else self.sizes.colours

    @property
    def pose(self) -> slice:
        return slice(0, 4)

    @property
    def phase(self) -> slice:
        return slice(4, 7)

    def acts(self, rows: Any) -> Any:
        """Whether actions have an effect, (...) bool, in an array or tensor of rows (..., d): the act phase."""
        return rows[..., self.phase.stop - 1] > 0.5

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


def head_parts(sizes: Sizes) -> list[Part]:
    """The parts of the head, with which every row starts."""
    parts = [
        Part("position", 2, -BOUND, BOUND, "half rooms"),
        Part("heading cos, sin", 2, -1.0, 1.0),
        Part("phase: observe, blackout, act", 3, 0.0, 1.0),
        Part("bump heard", 1, 0.0, 1.0),
        Part("query", sizes.queries, 0.0, 1.0),
        Part("contact", sizes.queries, 0.0, 1.0),
    ]
    return [*parts, Part("signals", sizes.signals, -BOUND, BOUND)] if sizes.signals else parts


def slot_parts(sizes: Sizes) -> list[Part]:
    """The parts of the slots after the head."""
    parts: list[Part] = []
    for k in range(sizes.box_slots):
        parts += [Part(f"box {k} present", 1, 0.0, 1.0), Part(f"box {k} position", 2, -BOUND, BOUND, "half rooms")]
        if sizes.box_shape:
            parts.append(Part(f"box {k} cos, sin", 2, -1.0, 1.0))
            parts.append(Part(f"box {k} half extents", 2, 0.0, BOUND, "half rooms"))
        if sizes.box_kinds:
            parts.append(Part(f"box {k} kind", sizes.box_kinds, 0.0, 1.0))
    for k in range(sizes.disc_slots):
        parts += [Part(f"disc {k} present", 1, 0.0, 1.0), Part(f"disc {k} position", 2, -BOUND, BOUND, "half rooms")]
        parts.append(Part(f"disc {k} velocity", 2, -BOUND, BOUND, f"{SPEED_UNIT:g} m/s"))
        parts.append(Part(f"disc {k} colour", sizes.colours, 0.0, 1.0))
    return parts


def row_parts(sizes: Sizes) -> Sequence[Part]:
    """All parts of a slots row, in order."""
    return head_parts(sizes) + slot_parts(sizes)


@device
def box_start(p):
    """Index of the first box slot, after the head."""
    return HEAD + 2 * p.queries + p.signals


@device
def box_width(p):
    return 3 + 4 * p.box_shape + p.box_kinds


@device
def disc_start(p):
    """Index of the first disc slot; each is 5 + p.colours wide."""
    return box_start(p) + box_width(p) * p.box_slots
