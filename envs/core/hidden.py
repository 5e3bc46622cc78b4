"""The hidden truth that an environment declares, for the audit to look for where it must not be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unseen.envs.core.device import device


@device
def always(s, p):
    """Every step but an episode's last, which the audit leaves out by itself."""
    return True


@device
def never(s, p):
    """No deed of the player shows it before the end."""
    return False


@dataclass(frozen=True)
class Hidden:
    """What is hidden: a class label, or a real vector.

    Attributes:
        write: device function (s, p, out) that writes the truth into out, float64 (size,).
        classes: parameters -> number of classes, where out[0] is a label 0..classes-1; None for a real vector.
        size: length of the vector; 1 for a label.
        when: device function (s, p) -> bool: the steps at which no short window of observations may tell it.
        change: device function (s, p) -> bool that turns the hidden truth into another one and touches nothing else; False
            if this state allows none. The audit calls it where `when` holds, and compares every output from there on.
            None: the task has none, and is not compared.
        found: device function (s, p) -> bool: the player has uncovered the truth by an action of its own, so that outputs
            may differ from now on.
    """

    write: Callable
    classes: Callable[[Any], int] | None = None
    size: int = 1
    when: Callable = always
    change: Callable | None = None
    found: Callable = never

    @property
    def is_class(self) -> bool:
        return self.classes is not None
