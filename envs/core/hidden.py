"""The hidden truth that an environment declares, for the audit to look for where it must not be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unseen.envs.core.device import device


@device
def always(s, p):
    """Every step but an episode's last, which the audit leaves out by itself."""
    return True


@dataclass(frozen=True)
class Hidden:
    """What is hidden: a class label, or a real vector.

    Attributes:
        write: device function (s, p, out) that writes the truth into out, float64 (size,).
        classes: parameters -> number of classes, where out[0] is a label 0..classes-1; None for a real vector.
        size: length of the vector; 1 for a label.
        when: device function (s, p) -> bool: the steps at which no short window of observations may tell it.
        independent: names of integer fields of the record that must not tell a label: at a reset they are uniform over their
            values, and independent of it. The audit tests this.
    """

    write: Callable
    classes: Callable[[Any], int] | None = None
    size: int = 1
    when: Callable = always
    independent: tuple[str, ...] = ()

    @property
    def is_class(self) -> bool:
        return self.classes is not None
