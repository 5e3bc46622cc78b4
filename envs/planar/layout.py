"""Where the parts of a slots row lie, and what its numbers mean.

Every row opens with the same head: pose, phase, bump, query, contact, signals; slots of boxes and of discs follow. The
parameters that kernels get carry `order` and `frame` (indices into ORDERS and FRAMES) and the numbers of `Sizes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from unseen.envs.core.device import device
from unseen.envs.core.sensor import Part

ORDERS = ("colour", "distance", "place", "index", "identity")
BY_COLOUR, BY_DISTANCE, BY_PLACE, BY_INDEX, BY_IDENTITY = 0, 1, 2, 3, 4
FRAMES = ("room", "ego")
HEAD = 8  # pose 4, phase 3, bump 1; query, contact and signals follow
SPEED_UNIT = 4.0  # m/s for one unit of velocity in a slot
REACH = 4.0  # bound of a position, in half rooms, and of a velocity, in SPEED_UNIT: both stay well inside


@dataclass(frozen=True)
class Sizes:
    """How many numbers of each sort a slots row has.

    Attributes:
        colours: kinds of discs that can be told apart.
        disc_slots: discs that can show at once.
        box_slots: boxes that can show at once.
        box_kinds: kinds of boxes, one-hot in their slots; 0: they are all alike and nothing is said.
        box_shape: 1: their slots give orientation and half extents too.
        queries: things that can be asked for and touched; by default the colours.
        signals: further numbers of the task.
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
    """Where each part of a slots row lies.

    Attributes:
        sizes: numbers of things.
        scale: metres for one unit of position; `speed_scale`: m/s for one unit of velocity.
        order: which slot a disc gets. "colour": its colour's. "distance": the nearest disc first. "place": discs of one
            colour share that colour's slots, filled from small x to large. "index": each disc has its own, since discs
            differ in more than colour. "identity": its colour's while the colour is visible; the others fill the
            remaining slots, counter-clockwise round the room.
        frame: "room": positions in the room's frame; "ego": relative to the agent, x ahead, y to its left.
        covers: colours of the discs, if any, under which others go, and which then carry these along.
        pose: x / scale, y / scale, cos and sin of the heading; zero in the dark. Where odometry errs, this and every
            place in the room's frame is as the agent believes it to be, until the terminal reveal.
        phase: one-hot of observe, blackout, act.
        bump: 1 in the step in which a bump was heard.
        query: one-hot of the asked thing; zero until it is asked.
        contact: one-hot of what is being touched.
        signals: the task's own numbers.
        boxes: (start, count, width): present, x, y, then by `sizes` cos, sin, half extents, one-hot of the kind (zero
            where the kind is not visible).
        discs: (start, count, width): present, x, y, vx, vy, one-hot of the colour (zero where it is not visible).
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
        """Discs that can be told apart over time: by their own slot, or else by their colour."""
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


def head_parts(sizes: Sizes) -> list[Part]:
    """What every row opens with."""
    parts = [
        Part("position", 2, -REACH, REACH, "half rooms"),
        Part("heading cos, sin", 2, -1.0, 1.0),
        Part("phase: observe, blackout, act", 3, 0.0, 1.0),
        Part("bump heard", 1, 0.0, 1.0),
        Part("query", sizes.queries, 0.0, 1.0),
        Part("contact", sizes.queries, 0.0, 1.0),
    ]
    return [*parts, Part("signals", sizes.signals, -REACH, REACH)] if sizes.signals else parts


def slot_parts(sizes: Sizes) -> list[Part]:
    """The slots that follow the head."""
    parts: list[Part] = []
    for k in range(sizes.box_slots):
        parts += [Part(f"box {k} present", 1, 0.0, 1.0), Part(f"box {k} position", 2, -REACH, REACH, "half rooms")]
        if sizes.box_shape:
            parts.append(Part(f"box {k} cos, sin", 2, -1.0, 1.0))
            parts.append(Part(f"box {k} half extents", 2, 0.0, REACH, "half rooms"))
        if sizes.box_kinds:
            parts.append(Part(f"box {k} kind", sizes.box_kinds, 0.0, 1.0))
    for k in range(sizes.disc_slots):
        parts += [Part(f"disc {k} present", 1, 0.0, 1.0), Part(f"disc {k} position", 2, -REACH, REACH, "half rooms")]
        parts.append(Part(f"disc {k} velocity", 2, -REACH, REACH, f"{SPEED_UNIT:g} m/s"))
        parts.append(Part(f"disc {k} colour", sizes.colours, 0.0, 1.0))
    return parts


def row_parts(sizes: Sizes) -> Sequence[Part]:
    """The whole of a slots row, in order."""
    return head_parts(sizes) + slot_parts(sizes)


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
