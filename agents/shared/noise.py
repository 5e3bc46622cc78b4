"""Counter-based random numbers (splitmix64), a function of (agent seed, episode seed, step).

There is no shared generator state, so an episode gets the same numbers in a batch of any size.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

LATENT, ACTION, IMAGINATION = range(3)
"""Purposes of random numbers. Each has its own stream, so that drawing for one does not shift another."""

MAX_WIDTH = 1 << 16  # maximum number of random numbers per row, step and purpose
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _40 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(40)
_TO_UNIT = np.float32(2.0**-24)
_ONE = np.uint64(1)
_STEP = np.uint64(int(_GOLDEN) * MAX_WIDTH * (IMAGINATION + 1) % 2**64)  # increment of the counter per decision


class Episodes(NamedTuple):
    """Position of n rows in their streams of random numbers.

    Attributes:
        seed: (n,) uint64 seed of the row's first episode.
        number: (n,) uint64 index of the current episode, counted from 0 across autoresets.
        step: (n,) uint64 steps taken in the current episode.
        key: (n,) uint64 key of the current episode.
    """

    seed: np.ndarray
    number: np.ndarray
    step: np.ndarray
    key: np.ndarray


def start(agent_seed: int, seeds: np.ndarray) -> Episodes:
    """Positions before the first decision of the episodes with `seeds` (n,)."""
    seed = np.asarray(seeds, np.uint64).reshape(-1)
    zeros = np.zeros(len(seed), np.uint64)
    return Episodes(seed, zeros, zeros, _key(agent_seed, seed, zeros))


def next_episodes(agent_seed: int, now: Episodes, first: np.ndarray) -> Episodes:
    """Move rows with `first` (n,) to their next episode, except rows that have not decided in the current one yet."""
    if not first.any():
        return now
    nexts = first & (now.step > 0)
    if not nexts.any():
        return now
    number = now.number + nexts
    step = np.where(nexts, np.uint64(0), now.step)
    return Episodes(now.seed, number, step, np.where(nexts, _key(agent_seed, now.seed, number), now.key))


def advance(now: Episodes) -> Episodes:
    """Positions after one step in every row."""
    return Episodes(now.seed, now.number, now.step + _ONE, now.key)


def words(now: Episodes, purpose: int, width: int) -> np.ndarray:
    """Random uint64 words (n, width) for the current decision. Raises ValueError if width > MAX_WIDTH."""
    if width > MAX_WIDTH:
        raise ValueError(f"{width} numbers a step: at most {MAX_WIDTH}")
    if width == 0:
        return np.zeros((len(now.key), 0), np.uint64)
    return _mix((now.key + now.step * _STEP)[:, None] + _columns(purpose, width))


def unit(words: np.ndarray) -> np.ndarray:
    """Uniform float32 in [0, 1) from random words of any shape."""
    return (words >> _40).astype(np.float32) * _TO_UNIT


def uniform(now: Episodes, purpose: int, width: int) -> np.ndarray:
    """Uniform float32 (n, width) in [0, 1) for the current decision. Raises ValueError if width > MAX_WIDTH."""
    return unit(words(now, purpose, width))


@cache
def _columns(purpose: int, width: int) -> np.ndarray:
    """Counter offset of each number of a decision, (width,)."""
    return (np.arange(1, width + 1, dtype=np.uint64) + np.uint64(purpose * MAX_WIDTH)) * _GOLDEN


def _key(agent_seed: int, seed: np.ndarray, number: np.ndarray) -> np.ndarray:
    word = _mix(np.full_like(seed, agent_seed % 2**64) + _GOLDEN)
    for part in (seed, number):
        word = _mix((word ^ part) + _GOLDEN)
    return word


def _mix(z: np.ndarray) -> np.ndarray:
    """A bijection of 64-bit words (splitmix64's finaliser)."""
    z = (z ^ (z >> _30)) * _M1
    z = (z ^ (z >> _27)) * _M2
    return z ^ (z >> _31)
