"""Scripted reference policies that lie beside a task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from unseen.envs.core.device import device

NO_MEMORY = np.dtype([("unused", "i1")])
WORLD = "world"  # what a privileged reference reads


@dataclass(frozen=True)
class Reference:
    """A scripted policy.

    Attributes:
        act: device function (x, m, p, a). x: what it reads; m: its memory; p: the parameters; a: the action row that it
            fills, floats. It writes m and a, never x.
        reads: "world" for a privileged one, or the name of a sensor.
        memory: dtype of its own memory record, all zero when an episode starts; None: it needs none.
        remembers: False: its memory is zeroed before every step, so that it is scratch alone.
    """

    act: Callable
    reads: str = WORLD
    memory: np.dtype | None = None
    remembers: bool = True


def by_index(choose: Callable, actions: Mapping[str, tuple[float, ...]]) -> Callable:
    """The `act` of a policy choose(x, m, p) -> index of a discrete action."""
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
