"""What a level demands of an agent, and the scripted policies that lack exactly that."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MARGIN = {1: 0.1, 2: 0.05, 3: 0.05}  # level -> how far above chance an ablated policy may score


def margin(level: int) -> float:
    """`MARGIN` of a level; that of level 3 for others."""
    return MARGIN.get(level, MARGIN[3])


@dataclass(frozen=True)
class Excess:
    """A declared exception to `MARGIN` at one level.

    Attributes:
        above: how far above chance an ablated policy may score.
        reason: one sentence.
        only: names of the ablated policies that may; () for all of the faculty.
    """

    above: float
    reason: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Faculty:
    """A faculty that a task demands, such as remembering where, which or when, counting, or planning.

    At every level that demands the faculty, the audit runs all policies that lack it. The level passes if each of them
    scores at most chance plus `MARGIN`, or chance plus the declared excess.

    Attributes:
        demand: what an agent has to do, in one sentence.
        without: names of the task's references that lack this faculty and have everything else.
        windows: numbers of observations k. For each k, the task's "tracker", restarted at every step on the last k
            observations, is another ablated policy.
        levels: the levels that demand the faculty.
        excess: level -> declared exception.
    """

    demand: str
    without: tuple[str, ...] = ()
    windows: tuple[int, ...] = ()
    levels: tuple[int, ...] = (1, 2, 3)
    excess: Mapping[int, Excess] = field(default_factory=dict)

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of all ablated policies: references, and "tracker-16" for a window of 16 observations."""
        return (*self.without, *(f"tracker-{k}" for k in self.windows))

    def limit(self, level: int, policy: str) -> float:
        """How far above chance an ablated policy may score at a level."""
        excess = self.excess.get(level)
        if excess is not None and (not excess.only or policy in excess.only):
            return excess.above
        return margin(level)
