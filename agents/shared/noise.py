"""Random numbers as a function of (agent seed, episode seed, step): splitmix64 by counter, as in the environments.

Nothing is drawn in turn from a common generator, so an episode draws the same numbers alone and among a thousand.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

LATENT, ACTION, IMAGINATION = range(3)
"""What numbers are drawn for; each purpose has its own, so that asking for one does not shift another."""

MAX_WIDTH = 1 << 16  # numbers of one row, step and purpose
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _40 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(40)
_TO_UNIT = np.float32(2.0**-24)
_ONE = np.uint64(1)
_STEP = np.uint64(int(_GOLDEN) * MAX_WIDTH * (IMAGINATION + 1) % 2**64)  # from one decision's word to the next one's


class Episodes(NamedTuple):
    """Which episode each of n rows is in, and how far.

    Attributes:
        seed: (n,) uint64 seed of the row's first episode.
        number: (n,) uint64 number of the present episode: 0 is the first, the next ones follow by autoreset.
        step: (n,) uint64 decisions taken in it.
        key: (n,) uint64 what the present episode's numbers are drawn by.
    """

    seed: np.ndarray
    number: np.ndarray
    step: np.ndarray
    key: np.ndarray


def start(agent_seed: int, seeds: np.ndarray) -> Episodes:
    """The first episodes, of `seeds` (n,), before the first decision."""
    seed = np.asarray(seeds, np.uint64).reshape(-1)
    zeros = np.zeros(len(seed), np.uint64)
    return Episodes(seed, zeros, zeros, _key(agent_seed, seed, zeros))


def next_episodes(agent_seed: int, now: Episodes, first: np.ndarray) -> Episodes:
    """Rows that `first` (n,) marks go on to their next episode, unless they have yet to decide in their present one."""
    if not first.any():
        return now
    nexts = first & (now.step > 0)
    if not nexts.any():
        return now
    number = now.number + nexts
    step = np.where(nexts, np.uint64(0), now.step)
    return Episodes(now.seed, number, step, np.where(nexts, _key(agent_seed, now.seed, number), now.key))


def advance(now: Episodes) -> Episodes:
    """After a decision in every row."""
    return Episodes(now.seed, now.number, now.step + _ONE, now.key)


def uniform(now: Episodes, purpose: int, width: int) -> np.ndarray:
    """float32 in [0, 1), (n, width), for the decision that is due. width: at most MAX_WIDTH."""
    if width > MAX_WIDTH:
        raise ValueError(f"{width} numbers a step: at most {MAX_WIDTH}")
    if width == 0:
        return np.zeros((len(now.key), 0), np.float32)
    word = (now.key + now.step * _STEP)[:, None] + _columns(purpose, width)
    return (_mix(word) >> _40).astype(np.float32) * _TO_UNIT


@cache
def _columns(purpose: int, width: int) -> np.ndarray:
    """What a decision's word is advanced by for each number, (width,)."""
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
