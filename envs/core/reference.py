"""Scripted reference policies of a task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.view import Belief

NO_MEMORY = np.dtype([("unused", "i1")])
WORLD = "world"  # the input of a privileged reference


@dataclass(frozen=True)
class Reference:
    """A scripted policy.

    Attributes:
        act: device function (x, m, p, a). x: its input; m: its memory; p: the parameters; a: the action row (floats) to
            fill. It may write m and a, but not x.
        reads: its input: the name of a sensor, or "world" for a privileged policy.
        memory: dtype of its memory record, which is zeroed when an episode starts; None if it needs no memory.
        remembers: if False, the memory is zeroed before every step and serves only as scratch space.
        belief: (memory records (n,), parameters) -> the `Belief` in them, for pictures and measures; None where there is none, or where
            the memory is a world (`unseen.envs.planar.belief`) that tells it.
    """

    act: Callable
    reads: str = WORLD
    memory: np.dtype | None = None
    remembers: bool = True
    belief: Callable[[np.ndarray, Any], Belief] | None = None


def by_index(choose: Callable, actions: Mapping[str, tuple[float, ...]]) -> Callable:
    """The `act` of a policy given as choose(x, m, p) -> index of a discrete action."""
    rows = np.array(list(actions.values()), dtype=np.float64)

    @device
    def act(x, m, p, a):
        k = choose(x, m, p)
        for i in range(a.shape[0]):
            a[i] = rows[k, i]

    return act


def split_name(name: str) -> tuple[str, int]:
    """("tracker", 16) of "tracker-16"; ("tracker", 0) of "tracker"."""
    base, dash, window = name.rpartition("-")
    return (base, int(window)) if dash and window.isdecimal() and int(window) > 0 else (name, 0)
