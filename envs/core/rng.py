"""Random numbers by splitmix64 (Steele, Lea & Flood, OOPSLA 2014).

The generator is a single 64-bit word of the state record, so that snapshot, restore and batching are exact.
Constants are np.uint64 because Numba promotes a mix of uint64 and signed integers to float64.
"""

import math

import numpy as np

from unseen.envs.core.device import device

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 2.0**-53

SPLITS = ("train", "test", "shift")
SHIFT = 2  # index of "shift", the value of p.split in kernels
PRIVATE = "private"  # a fourth set of keys, of no episode, for what is drawn to judge one
MAX_SEED = 2**62 - 1


@device
def mix(z):
    """The finaliser of splitmix64, a bijection of 64-bit words."""
    z = (z ^ (z >> _30)) * _M1
    z = (z ^ (z >> _27)) * _M2
    return z ^ (z >> _31)


@device
def uniform(s, low, high):
    """A uniform float in [low, high)."""
    s.rng = s.rng + GOLDEN
    return low + (high - low) * (np.float64(mix(s.rng) >> _11) * _TO_UNIT)


@device
def below(s, n):
    """A uniform integer in 0..n-1."""
    return int(uniform(s, 0.0, 1.0) * n)


@device
def normal(s):
    """A standard normal float, by Box and Muller."""
    r = math.sqrt(-2.0 * math.log(1.0 - uniform(s, 0.0, 1.0)))
    return r * math.cos(2.0 * math.pi * uniform(s, 0.0, 1.0))


@device
def shuffle(s, row, n):
    """Fill row[:n] with a uniform random permutation of 0..n-1."""
    for i in range(n):
        row[i] = i
    for i in range(n - 1, 0, -1):
        j = below(s, i + 1)
        row[i], row[j] = row[j], row[i]


def keys(seeds, split: str) -> np.ndarray:
    """Initial generator states for integer `seeds` (n,) of a split, or PRIVATE.

    Seed and split are packed into one word and `mix` is a bijection, so no two (seed, split) pairs share a key: the
    splits are disjoint by construction.
    """
    word = np.asarray(seeds, dtype=np.uint64) * np.uint64(4) + np.uint64((*SPLITS, PRIVATE).index(split))
    with np.errstate(over="ignore"):
        z = word + GOLDEN
        z = (z ^ (z >> _30)) * _M1
        z = (z ^ (z >> _27)) * _M2
        return z ^ (z >> _31)
