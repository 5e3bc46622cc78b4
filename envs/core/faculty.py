"""What a level demands of a player, and the players that lack exactly that."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MARGIN = {1: 0.1, 2: 0.05, 3: 0.05}  # level -> how far above chance an ablated player may score


@dataclass(frozen=True)
class Excess:
    """A declared exception: an ablated player may score more than the margin at one level.

    Attributes:
        above: how far above chance the best ablated player may score there.
        reason: why, in a sentence.
    """

    above: float
    reason: str


@dataclass(frozen=True)
class Faculty:
    """One faculty that a task demands, such as remembering where, which or when, counting, or planning.

    The audit plays every ablated player at every level that demands the faculty. The level passes where the best of
    them scores at most chance plus `MARGIN`, or plus the excess that is declared here.

    Attributes:
        demand: what a player has to do, in a sentence.
        without: names of the task's references that lack this faculty and have everything else.
        windows: numbers of observations k. For each, the task's "tracker", restarted on the last k observations at every
            step, is one more ablated player.
        levels: the levels that demand it.
        excess: level -> declared exception.
    """

    demand: str
    without: tuple[str, ...] = ()
    windows: tuple[int, ...] = ()
    levels: tuple[int, ...] = (1, 2, 3)
    excess: Mapping[int, Excess] = field(default_factory=dict)

    @property
    def players(self) -> tuple[str, ...]:
        """Names of all ablated players: references, and "tracker-16" for a window of 16 observations."""
        return (*self.without, *(f"tracker-{k}" for k in self.windows))

    def limit(self, level: int) -> float:
        """How far above chance the best ablated player may score at a level."""
        return self.excess[level].above if level in self.excess else MARGIN.get(level, MARGIN[3])
