"""Batches of environments replay exactly, in any batch and with any number of threads."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from unseen.envs.core.batch import Batch
from unseen.envs.errors import ResetNeeded
from unseen.envs.suite import SUITE, make, make_vec

LEVELS = [(name, level) for name, entry in SUITE.items() for level in entry.levels]
SENSED = [(*case, obs) for case in LEVELS for obs, s in SUITE[case[0]].task.sensors.items() if not s.privileged]
STEPS = 40  # longer than an episode, so that every environment is reset on the way


def plan(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (STEPS, n))


def play(env: Any, actions: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """What each step gives, for a vector environment: observation, reward, terminated, truncated."""
    return [env.step(row)[:4] for row in actions]


def assert_same(one: list[tuple[np.ndarray, ...]], other: list[tuple[np.ndarray, ...]]) -> None:
    """Equal to the last bit, in dtype too."""
    for a, b in zip(one, other, strict=True):
        for x, y in zip(a, b, strict=True):
            assert x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()


@pytest.mark.sample(6)
@pytest.mark.parametrize(("name", "level", "obs"), SENSED)
def test_one_environment_is_a_row_of_many(name: str, level: int, obs: str) -> None:
    many = make_vec(name, 7, level=level, obs=obs)
    actions = plan(7)
    if not many.task.actions:
        low, high = many.single_action_space.low, many.single_action_space.high
        actions = np.random.default_rng(0).uniform(low, high, (STEPS, 7, len(low))).astype(np.float32)
    many.reset(seed=10)
    batch = play(many, actions)
    for i in (0, 6):
        one = make_vec(name, 1, level=level, obs=obs)
        one.reset(seed=10 + i)
        assert_same(play(one, actions[:, i : i + 1]), [tuple(x[i : i + 1] for x in step) for step in batch])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_threads_change_nothing(mode: str) -> None:
    runs = []
    for threads in (1, 2, 3):
        env = make_vec("RolledBehind", 64, autoreset_mode=mode, threads=threads)
        env.reset(seed=1)
        runs.append((play(env, plan(64)), env.snapshot()))
    for steps, end in runs[1:]:
        assert_same(runs[0][0], steps)
        assert runs[0][1] == end


def test_more_threads_than_environments_do_no_harm() -> None:
    runs = []
    for threads in (1, 5):
        env = make_vec("RolledBehind", 2, threads=threads)
        env.reset(seed=1)
        runs.append(play(env, plan(2)))
    assert_same(*runs)


def test_an_episode_replays_and_matches_the_vector_environment() -> None:
    vec = make_vec("RolledBehind", 1, level=2)
    start, _ = vec.reset(seed=9)
    env = make("RolledBehind", level=2)
    for _ in range(2):
        obs, _ = env.reset(seed=9)
        assert np.array_equal(obs, start[0])
        states = []
        for action in plan(1)[:, 0]:
            states.append(env.step(int(action)))
            if states[-1][2] or states[-1][3]:
                break
        vec.reset(seed=9)
        for action, want in zip(plan(1), states, strict=False):
            obs, reward, terminated, truncated, _ = vec.step(action)
            assert np.array_equal(obs[0], want[0])
            assert (reward[0], terminated[0], truncated[0]) == want[1:4]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_taken_mid_episode_go_their_own_way(duplicate: Any) -> None:
    actions = plan(4)
    env = make_vec("RolledBehind", 4)
    env.reset(seed=2)
    env.set_attr("mark", [1, 2, 3, 4])
    play(env, actions[:5])
    twin = duplicate(env)
    after = play(env, actions[5:])  # moves on before its twin does: nothing is shared
    assert_same(play(twin, actions[5:]), after)
    assert twin.get_attr("mark") == (1, 2, 3, 4)
    single = make("RolledBehind")
    single.reset(seed=2)
    single.step(0)
    twin = duplicate(single)
    assert np.array_equal(twin.step(1)[0], single.step(1)[0])
    assert twin.world["t"] == single.world["t"] == 2
    single.reset(seed=3)
    assert twin.step(0)[2:4] == (False, False)  # its view of `done` is its own


def test_two_environments_do_not_disturb_one_another() -> None:
    alone = make("RolledBehind")
    alone.reset(seed=6)
    want = [alone.step(0) for _ in range(6)]
    one, other = make("RolledBehind"), make("RolledBehind", level=1)
    one.reset(seed=6)
    other.reset(seed=7)
    for step in want:
        other.step(2)
        obs, *rest = one.step(0)
        assert np.array_equal(obs, step[0]) and tuple(rest) == step[1:]


def test_the_row_of_a_batch_shares_its_memory() -> None:
    env = make_vec("RolledBehind", 3)
    env.reset(seed=0)
    row: Batch = env.batch.row(1)
    row.reset()
    assert row.n == 1 and row.world["rng"][0] == env.world["rng"][1]
    assert np.array_equal(row.obs[0][0], env.observe()[1])


def test_next_step_resets_in_the_step_after_the_end_and_ignores_its_action() -> None:
    left, right = (make_vec("RolledBehind", 64, level=1) for _ in range(2))
    left.reset(seed=0)
    right.reset(seed=0)
    ended = np.zeros(64, bool)
    resets = 0
    for row in plan(64, seed=1):
        other = np.where(ended, 3 - row, row)  # differs only where an episode is about to begin
        a, b = left.step(row), right.step(other)
        assert_same([a[:4]], [b[:4]])
        assert (a[1][ended] == 0).all() and not (a[2] | a[3])[ended].any()
        assert (left.world["t"][ended] == 0).all()
        resets += int(ended.sum())
        ended = a[2] | a[3]
    assert resets > 0


def test_same_step_gives_the_new_episode_and_keeps_the_last_observation() -> None:
    env, late = make_vec("RolledBehind", 64, level=1, autoreset_mode="SameStep"), make_vec("RolledBehind", 64, level=1)
    env.reset(seed=0)
    late.reset(seed=0)
    row = np.zeros(64, int)
    ended = row > 0
    while not ended.any():
        _, reward, terminated, truncated, infos = env.step(row)
        last, *same, _ = late.step(row)
        ended = terminated | truncated
        assert np.array_equal(reward, same[0]) and np.array_equal(terminated, same[1])
        assert ("final_obs" in infos) == ended.any()
    assert np.array_equal(infos["_final_obs"], ended) and infos["final_obs"].shape == (64,)
    assert np.array_equal(np.stack(infos["final_obs"][ended]), last[ended])
    assert (env.world["t"][ended] == 0).all() and (env.world["done"] == 0).all()


def test_results_are_the_callers_own_unless_asked_otherwise() -> None:
    own, shared = make_vec("RolledBehind", 4), make_vec("RolledBehind", 4, copy=False)
    for env, same in ((own, False), (shared, True)):
        env.reset(seed=0)
        first, second = env.step(np.zeros(4, int)), env.step(np.zeros(4, int))
        assert all(np.shares_memory(x, y) == same for x, y in zip(first[:4], second[:4], strict=True))


def test_an_episode_that_ended_needs_a_reset() -> None:
    env = make("RolledBehind", level=1)
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset()
    env.step(0)
