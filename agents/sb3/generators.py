"""Isolates the random numbers of stable-baselines3, which uses the global generators of torch and numpy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from unseen.agents.shared.checkpoint import Store


class IsolatedRNG:
    """One learner's states of the global torch and numpy generators."""

    def __init__(self, seed: int) -> None:
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._numpy: Any = np.random.RandomState(seed).get_state()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Context in which the global generators have this learner's states; the previous states are restored on exit."""
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
