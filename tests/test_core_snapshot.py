"""`restore` restores snapshots of the same environment exactly, and rejects any other data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.env import TaskEnv
from unseen.envs.errors import BadSnapshot, ResetNeeded
from unseen.envs.suite import make, make_vec

STEPS = 40


@pytest.fixture(scope="module")
def env() -> TaskEnv:
    env = make("RolledBehind", level=1)
    env.reset(seed=0)
    env.step(0)
    return env


@pytest.mark.parametrize("cut", [0, 3, 17])
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_snapshot_is_taken_up_exactly(cut: int, mode: str) -> None:
    """In another environment object too, and across the resets that follow."""
    actions = np.random.default_rng(0).integers(0, 4, (STEPS, 16))
    env, other = (make_vec("RolledBehind", 16, autoreset_mode=mode) for _ in range(2))
    obs, _ = env.reset(seed=4)
    for row in actions[:cut]:
        obs = env.step(row)[0]
    saved = env.snapshot()
    after = [env.step(row)[:4] for row in actions[cut:]]
    for again in (env, other):
        assert np.array_equal(again.restore(saved), obs)
        for row, want in zip(actions[cut:], after, strict=True):
            assert all(x.tobytes() == y.tobytes() for x, y in zip(again.step(row)[:4], want, strict=True))


def test_a_snapshot_of_an_ended_episode_still_needs_a_reset() -> None:
    env = make("RolledBehind", level=1)
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    env.restore(env.snapshot())
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_a_snapshot_from_before_the_first_reset_holds_the_seed_to_come() -> None:
    env, other = make("RolledBehind", level=1), make("RolledBehind", level=1)
    other.restore(env.snapshot())
    with pytest.raises(ResetNeeded):
        other.step(0)
    assert np.array_equal(env.reset()[0], other.reset()[0])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_flipped_bit_is_found(env: TaskEnv, data: st.DataObject) -> None:
    saved = env.snapshot()
    bit = data.draw(st.integers(0, 8 * len(saved) - 1))
    damaged = bytearray(saved)
    damaged[bit // 8] ^= 1 << bit % 8
    refused(env, bytes(damaged))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_random_bytes_are_refused(env: TaskEnv, data: st.DataObject) -> None:
    n = len(env.snapshot())
    refused(env, data.draw(st.binary(max_size=64) | st.randoms().map(lambda r: r.randbytes(n))))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_truncations_and_additions_are_refused(env: TaskEnv, data: st.DataObject) -> None:
    saved = env.snapshot()
    refused(env, saved[: data.draw(st.integers(0, len(saved) - 1))])
    refused(env, saved + data.draw(st.binary(min_size=1, max_size=9)))


@pytest.mark.parametrize(
    "other",
    [
        lambda: make("RolledBehind", level=0),
        lambda: make("RolledBehind", level=1, split="test"),
        lambda: make("RolledBehind", level=1, act=15),
        lambda: make("Cups", level=1),
        lambda: make_vec("RolledBehind", 2, level=1),
    ],
    ids=["level", "split", "parameter", "task", "size"],
)
def test_snapshots_of_other_environments_are_refused(env: TaskEnv, other: Callable[[], Any]) -> None:
    refused(env, other().snapshot())


@pytest.mark.parametrize("what", [None, 7, "text", [1, 2], np.zeros(4, np.uint8)])
def test_what_is_no_bytes_is_refused(env: TaskEnv, what: Any) -> None:
    refused(env, what)


def refused(env: TaskEnv, data: Any) -> None:
    """It is refused by its type of error, and changes nothing."""
    before = env.snapshot()
    with pytest.raises(BadSnapshot):
        env.restore(data)
    assert env.snapshot() == before
