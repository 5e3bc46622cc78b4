"""stable-baselines3 draws from the global generators of torch and numpy; here a learner lends it its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from unseen.agents.shared.checkpoint import Store


class IsolatedRNG:
    """States of torch's and numpy's global generators that belong to one learner."""

    def __init__(self, seed: int) -> None:
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._numpy: Any = np.random.RandomState(seed).get_state()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within, the global generators are the learner's; what others draw from them does not matter."""
        theirs = torch.get_rng_state(), np.random.get_state()
        torch.set_rng_state(self._torch)
        np.random.set_state(self._numpy)
        try:
            yield
        finally:
            self._torch, self._numpy = torch.get_rng_state(), np.random.get_state()
            torch.set_rng_state(theirs[0])
            np.random.set_state(theirs[1])

    def sync(self, store: Store) -> None:
        self._torch = store.tensor("generators.torch", self._torch)
        _, words, *rest = self._numpy
        words = store.array("generators.numpy", words.astype(np.int64)).astype(np.uint32)
        position, has_gauss, gauss = store.array("generators.numpy.rest", np.array(rest, np.float64)).tolist()
        self._numpy = ("MT19937", words, int(position), int(has_gauss), gauss)
