"""The engine's promises: exact randomness, exact replay, exact snapshots, and Gymnasium's contract."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import unseen
from unseen.envs.core import rng
from unseen.envs.errors import BadAction, BadParameter, BadSnapshot, ResetNeeded
from unseen.envs.planar.world import planar
from unseen.envs.suite import SUITE, make, make_vec

# The first outputs of splitmix64 from state 0, as its authors' C code prints them.
SPLITMIX64 = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC)
LEVELS = [(name, level) for name, entry in SUITE.items() for level in entry.levels]
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


def test_the_generator_is_splitmix64() -> None:
    world = np.zeros(1, planar(1, 1))
    for word in SPLITMIX64:
        assert rng.uniform(world[0], 0.0, 1.0) == (word >> 11) * 2.0**-53
    assert int(rng.keys([0], "train")[0]) == SPLITMIX64[0]


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, rng.MAX_SEED), min_size=2, max_size=50))
def test_no_two_seeds_of_any_splits_share_a_key(seeds: set[int]) -> None:
    drawn = np.concatenate([rng.keys(sorted(seeds), split) for split in rng.SPLITS])
    assert len(np.unique(drawn)) == len(drawn)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 12))
def test_a_shuffle_is_a_permutation(key: int, n: int) -> None:
    world, row = np.zeros(1, planar(1, 1)), np.zeros(n, np.int64)
    world["rng"] = key
    rng.shuffle(world[0], row, n)
    assert sorted(row) == list(range(n))


@pytest.mark.parametrize(("name", "level"), LEVELS)
@pytest.mark.parametrize("obs", ["slots", "rays", "pixels"])
def test_one_environment_is_a_row_of_many(name: str, level: int, obs: str) -> None:
    actions = plan(7)
    many = make_vec(name, 7, level=level, obs=obs)
    many.reset(seed=10)
    batch = play(many, actions)
    for i in (0, 6):
        one = make_vec(name, 1, level=level, obs=obs)
        one.reset(seed=10 + i)
        assert_same(play(one, actions[:, i : i + 1]), [tuple(x[i : i + 1] for x in step) for step in batch])


@pytest.mark.parametrize("autoreset", ["next_step", "same_step"])
def test_threads_change_nothing(autoreset: str) -> None:
    runs = []
    for threads in (1, 2, 3):
        env = make_vec("RolledBehind", 64, autoreset=autoreset, threads=threads)
        env.reset(seed=1)
        runs.append((play(env, plan(64)), env.snapshot()))
    for steps, end in runs[1:]:
        assert_same(runs[0][0], steps)
        assert runs[0][1] == end


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


@pytest.mark.parametrize("cut", [0, 3, 17])
@pytest.mark.parametrize("autoreset", ["next_step", "same_step"])
def test_a_snapshot_is_taken_up_exactly(cut: int, autoreset: str) -> None:
    """In another environment object too, and across the resets that follow."""
    actions = plan(16)
    env = make_vec("RolledBehind", 16, autoreset=autoreset)
    obs, _ = env.reset(seed=4)
    for row in actions[:cut]:
        obs = env.step(row)[0]
    saved = env.snapshot()
    after = play(env, actions[cut:])
    other = make_vec("RolledBehind", 16, autoreset=autoreset)
    for again in (env, other):
        assert np.array_equal(again.restore(saved), obs)
        assert_same(play(again, actions[cut:]), after)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_taken_mid_episode_go_their_own_way(duplicate: Any) -> None:
    actions = plan(4)
    env = make_vec("RolledBehind", 4)
    env.reset(seed=2)
    play(env, actions[:5])
    twin = duplicate(env)
    after = play(env, actions[5:])  # moves on before its twin does: nothing is shared
    assert_same(play(twin, actions[5:]), after)
    single = make("RolledBehind")
    single.reset(seed=2)
    single.step(0)
    assert np.array_equal(duplicate(single).step(1)[0], single.step(1)[0])


def test_a_snapshot_of_an_ended_episode_still_needs_a_reset() -> None:
    env = make("RolledBehind", level=1)
    env.reset(seed=0)
    while not any(env.step(0)[2:4]):
        pass
    env.restore(env.snapshot())
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset()
    env.step(0)


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
        assert (a[1][ended] == 0).all() and not (a[2] | a[3])[ended].any() and a[4] == {}
        assert (left.world["t"][ended] == 0).all()
        resets += int(ended.sum())
        ended = a[2] | a[3]
    assert resets > 0


def test_same_step_gives_the_new_episode_and_keeps_the_last_observation() -> None:
    env = make_vec("RolledBehind", 64, level=1, autoreset_mode="SameStep")
    env.reset(seed=0)
    seen = 0
    for row in plan(64, seed=1):
        *_, terminated, truncated, infos = env.step(row)
        ended = terminated | truncated
        assert ("final_obs" in infos) == ended.any()
        assert (env.world["t"][ended] == 0).all() and (env.world["done"] == 0).all()
        if ended.any():
            assert np.array_equal(infos["_final_obs"], ended) and infos["final_obs"].shape[0] == 64
        seen += int(ended.sum())
    assert seen > 0


def test_results_are_the_callers_own_unless_asked_otherwise() -> None:
    own, shared = make_vec("RolledBehind", 4), make_vec("RolledBehind", 4, copy=False)
    for env, same in ((own, False), (shared, True)):
        env.reset(seed=0)
        first, second = env.step(np.zeros(4, int)), env.step(np.zeros(4, int))
        assert all(np.shares_memory(x, y) == same for x, y in zip(first[:4], second[:4], strict=True))


@pytest.mark.parametrize("action", ["discrete", "continuous"])
@pytest.mark.parametrize("obs", ["slots", "rays", "pixels", "dict"])
def test_gymnasiums_checker_is_content(obs: str, action: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on the bounds' width and on a missing spec
        check_env(make("RolledBehind", obs=obs, action=action), skip_render_check=True)


@pytest.mark.parametrize(("obs", "action"), [("slots", "discrete"), ("rays", "continuous"), ("pixels", "discrete")])
def test_stable_baselines_checker_is_content(obs: str, action: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        checker.check_env(make("RolledBehind", obs=obs, action=action), skip_render_check=True)


def test_a_vector_environment_needs_a_reset() -> None:
    with pytest.raises(ResetNeeded):
        make_vec("RolledBehind", 2).step(np.zeros(2, int))


@pytest.mark.parametrize(
    "actions", [np.zeros(3, int), np.zeros((2, 1), int), np.zeros(2), np.array([0, 4]), np.array([-1, 0]), ["a", "b"]]
)
def test_bad_vector_actions_change_nothing(actions: Any) -> None:
    env = make_vec("RolledBehind", 2)
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadAction):
        env.step(actions)
    assert env.snapshot() == before


@pytest.mark.parametrize("rows", [np.full((2, 2), np.nan), np.full((2, 2), 1.5), np.zeros((2, 3)), np.zeros(2)])
def test_bad_continuous_vector_actions_are_refused(rows: np.ndarray) -> None:
    env = make_vec("RolledBehind", 2, action="continuous")
    env.reset(seed=0)
    with pytest.raises(BadAction):
        env.step(rows)


@pytest.mark.parametrize("seed", [-1, [0], [0, None], rng.MAX_SEED + 1])
def test_bad_seeds_are_refused(seed: Any) -> None:
    with pytest.raises(BadParameter):
        make_vec("RolledBehind", 2).reset(seed=seed)


@pytest.mark.parametrize(
    "keywords", [{"threads": 0}, {"autoreset": "never"}, {"num_envs": 0}, {"obs": "smell"}, {"split": "dev"}]
)
def test_bad_keywords_are_refused(keywords: dict[str, Any]) -> None:
    with pytest.raises(BadParameter):
        make_vec("RolledBehind", **{"num_envs": 2, **keywords})


def test_a_snapshot_of_another_size_is_refused() -> None:
    env = make_vec("RolledBehind", 2)
    with pytest.raises(BadSnapshot):
        env.restore(make_vec("RolledBehind", 3).snapshot())


def test_a_changed_constant_anywhere_is_another_kernel(tmp_path: Path) -> None:
    """Numba's own cache looks at one file alone; ours is named by all sources."""
    root = Path(unseen.__file__).parents[1]
    shutil.copytree(root / "unseen", tmp_path / "unseen")
    world = tmp_path / "unseen" / "envs" / "engine" / "world.spawn_y"
    before = world.read_text()

    def folder() -> str:
        script = "from unseen.envs.core.device import source_hash; print(source_hash())"
        env = os.environ | {"PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        ).stdout

    first = folder()
    world.write_text(before.replace("AGENT_RADIUS = 0.2\n", "AGENT_RADIUS = 0.3\n"))
    assert folder() != first
    world.write_text(before)
    assert folder() == first
