"""The hidden variable of a task, which the audit tries to decode from observations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unseen.envs.core.device import device

# Rows of the audit that a task may declare unjudged.
HISTORY = "history probe"
REWARDS = "rewards and ends do not depend on what is hidden"
EXEMPT = (HISTORY, REWARDS)


@device
def always(s, p):
    """All steps. (The audit itself excludes the last step of an episode.)"""
    return True


@device
def never(s, p):
    """No deed of the player shows it before the end."""
    return False


@dataclass(frozen=True)
class Hidden:
    """The hidden variable: a class label or a real vector.

    Attributes:
        write: device function (s, p, out) that writes the variable into out, float64 (size,).
        classes: parameters -> number of classes, if out[0] is a label in 0..classes-1; None for a real vector.
        size: length of the vector; 1 for a label.
        when: device function (s, p) -> bool: the steps at which a short window of observations must not reveal it.
        change: device function (s, p) -> bool that changes the hidden variable and nothing else; False if that is
            impossible in this state. The audit calls it where `when` holds and compares all outputs from then on. None
            if the task has no such function.
        found: device function (s, p) -> bool: the agent has uncovered the variable by its own actions, so outputs may
            depend on it from now on.
        independent: names of integer fields of the record that must not tell a label: at a reset they are uniform over their
            values, and independent of it. The audit tests this.
        unjudged: row of the audit (one of `EXEMPT`) -> why it cannot hold here. The audit shows the row with this reason, and
            does not judge it. `REWARDS` is excused only where there is no step to compare; a difference still fails.
    """

    write: Callable
    classes: Callable[[Any], int] | None = None
    size: int = 1
    when: Callable = always
    change: Callable | None = None
    found: Callable = never
    independent: tuple[str, ...] = ()
    unjudged: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        return self.classes is not None
