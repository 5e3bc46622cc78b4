"""Replay: the ring buffer of steps, and its episodes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from unseen.agents.errors import BadAgent
from unseen.agents.shared.replay import EpisodeReplay, StepRing


def test_a_ring_keeps_the_last_steps() -> None:
    ring = StepRing(5000, {"x": np.zeros((1, 2), np.float32)})
    for start in range(0, 12_000, 40):
        ring.add({"x": np.repeat(np.arange(start, start + 40.0)[:, None], 2, 1)})
    assert ring.written == 12_000 and ring.oldest == 7_000
    numbers = np.array([[7_000, 11_999], [9_000, 10_000]])
    np.testing.assert_array_equal(ring.take(numbers)["x"][..., 1], numbers)


def replay(capacity: int = 10_000, envs: int = 3) -> EpisodeReplay:
    return EpisodeReplay(capacity, np.zeros((envs, 2), np.float32), np.zeros(envs, np.int64), targets=1)


def collect(into: EpisodeReplay, lengths: list[int], terminated: bool = True) -> None:
    """One episode in each environment; every number of an episode is its name, 100 times its length plus the step."""
    n = len(lengths)
    for t in range(max(lengths)):
        name = np.array([100.0 * length + t for length in lengths], np.float32)
        first = np.full(n, t == 0)
        into.step(np.stack([name, name], 1), name.astype(np.int64), name, first)
        ended = np.flatnonzero(np.array(lengths) == t + 1)
        if len(ended):
            obs, length = into.running_obs(ended)
            assert length.max() == obs.shape[1]
            targets = obs[..., :1] + 0.5
            into.finish(ended, np.full(n, terminated), targets)


def test_episodes_come_back_whole_and_padded_with_zeros() -> None:
    kept = replay()
    collect(kept, [4, 7, 2])
    assert len(kept) == kept.episodes == 3 and kept.mean_length == pytest.approx(13 / 3)
    batch = kept.sample(np.random.default_rng(0), 50, 128)
    lengths = batch["mask"].sum(0).astype(int)
    assert set(lengths) == {2, 4, 7} and batch["obs"].shape == (7, 50, 2)
    for k, length in enumerate(lengths):
        names = 100 * length + np.arange(length)
        for column in (batch["obs"][:, k, 0], batch["action"][:, k], batch["reward"][:, k]):
            np.testing.assert_array_equal(column[:length], names)
            assert not column[length:].any()
        np.testing.assert_array_equal(batch["targets"][:length, k, 0], names + 0.5)
        assert batch["terminated"][:, k].tolist() == [0.0] * (length - 1) + [1.0] + [0.0] * (7 - length)


def test_of_a_long_episode_a_stretch_is_drawn() -> None:
    kept = replay()
    collect(kept, [40, 3, 12], terminated=False)
    batch = kept.sample(np.random.default_rng(0), 400, 10)
    assert len(batch["mask"]) == 10 and not batch["terminated"].any()
    opens = set()
    for k, length in enumerate(batch["mask"].sum(0).astype(int)):
        steps = batch["obs"][:length, k, 0] % 100
        np.testing.assert_array_equal(steps, steps[0] + np.arange(length))
        if batch["obs"][0, k, 0] // 100 == 40:
            opens.add(int(steps[0]))
    assert opens == set(range(31))


def test_old_episodes_are_forgotten_whole() -> None:
    kept = replay(capacity=1500)
    for _ in range(100):
        collect(kept, [9, 30, 21])
    assert kept.episodes == 300 and kept.ring.written == 6000
    assert len(kept) * 20 == pytest.approx(1500, abs=60)
    batch = kept.sample(np.random.default_rng(0), 300, 128)
    for k, length in enumerate(batch["mask"].sum(0).astype(int)):
        np.testing.assert_array_equal(batch["obs"][:length, k, 0], 100 * length + np.arange(length))


def test_an_episode_longer_than_the_replay_is_refused() -> None:
    with pytest.raises(BadAgent, match="31 steps exceeds"):
        collect(replay(capacity=30), [31, 31, 31])
