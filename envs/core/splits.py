"""Splits of episodes that are disjoint in what is drawn, not only in seeds, for tasks with few distinct episodes."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import mix

_TEN = np.uint64(10)
_TRAIN, _TEST = 6, 8  # of ten parts: below 6 is "train", below 8 "test", the rest "shift"


@device
def in_split(instance, split):
    """Whether an instance, a hash (uint64), belongs to a split: 0 train, 1 test, 2 shift."""
    part = int(mix(instance) % _TEN)
    owner = 0 if part < _TRAIN else 1 if part < _TEST else 2
    return owner == split


@device
def fold(h, value):
    """The hash (uint64) `h` with one more value in it, anything that converts to an integer."""
    return mix(h ^ np.uint64(np.int64(value)))
