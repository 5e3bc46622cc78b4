"""Parts that go through a tunnel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.view import Captioned


@dataclass(frozen=True)
class Lane:
    """A lane of a tunnel.

    Attributes:
        length: steps of a running belt.
        parts: (kind, steps of a running belt to the exit) of the parts inside. The agent never sees them.
        free: whether the entry is.
        state: "runs", "restarting" or "jammed".
        lamp: whether a lamp shows its state to the agent.
    """

    length: int
    parts: tuple[tuple[int, int], ...]
    free: bool
    state: str
    lamp: bool


@dataclass(frozen=True)
class Plant:
    """What there is to draw of a tunnel with its entry, gate and machines. The last kind is that of parts for the bin.

    Attributes:
        waiting: kinds of the parts at the entry; the agent sees the first.
        slots: places for them.
        lanes: from top to bottom.
        out: the kind of the part that has just come out, which the agent does not see; None if there is none.
        gate: the kind whose machine the gate leads to.
        busy: for each machine, whether it is.
        glass: (lane, kind, steps) of what comes out next, as the agent sees it; None if it does not.
        counts: name and number of what the agent can count.
    """

    waiting: tuple[int, ...]
    slots: int
    lanes: tuple[Lane, ...]
    out: int | None
    gate: int
    busy: tuple[bool, ...]
    glass: tuple[int, int, int] | None
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Conveyor(Captioned):
    """The view of parts that go through a tunnel, from above.

    Attributes:
        plant: (record, params) -> what there is to draw.
    """

    painter: ClassVar[str] = "unseen.envs.watch.conveyor:ConveyorPainter"

    plant: Callable[[np.void, Any], Plant]

    def check(self, record: np.void, params: Any) -> None:
        self.plant(record, params)
        super().check(record, params)
