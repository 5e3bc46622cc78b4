"""The hidden variable of a task, which the audit tries to decode from observations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unseen.envs.core.device import device


@device
def always(s, p):
    """All steps. (The audit itself excludes the last step of an episode.)"""
    return True


@dataclass(frozen=True)
class Hidden:
    """The hidden variable: a class label or a real vector.

    Attributes:
        write: device function (s, p, out) that writes the variable into out, float64 (size,).
        classes: parameters -> number of classes, if out[0] is a label in 0..classes-1; None for a real vector.
        size: length of the vector; 1 for a label.
        when: device function (s, p) -> bool: the steps at which a short window of observations must not reveal it.
    """

    write: Callable
    classes: Callable[[Any], int] | None = None
    size: int = 1
    when: Callable = always

    @property
    def is_class(self) -> bool:
        return self.classes is not None
