"""Random numbers of environments: splitmix64, keyed by seed and split."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core import rng
from unseen.envs.core.device import host
from unseen.envs.core.task import FLOAT, record

# The first outputs of splitmix64 from state 0, as its authors' C code prints them.
SPLITMIX64 = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC)
STATE = record(("of_this_test", FLOAT))


def test_the_generator_is_splitmix64() -> None:
    state = np.zeros(1, STATE)
    for word in SPLITMIX64:
        assert host(rng.uniform)(state[0], 0.0, 1.0) == (word >> 11) * 2.0**-53
    assert int(rng.keys([0], "train")[0]) == SPLITMIX64[0]


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, rng.MAX_SEED), min_size=2, max_size=50))
def test_no_two_seeds_of_any_splits_share_a_key(seeds: set[int]) -> None:
    drawn = np.concatenate([rng.keys(sorted(seeds), split) for split in rng.SPLITS])
    assert len(np.unique(drawn)) == len(drawn)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 12))
def test_a_shuffle_is_a_permutation(key: int, n: int) -> None:
    state, row = np.zeros(1, STATE), np.zeros(n, np.int64)
    state["rng"] = key
    host(rng.shuffle)(state[0], row, n)
    assert sorted(row) == list(range(n))
