"""The native vector environment behaves like Gymnasium's SyncVectorEnv of scalar environments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Space
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import unseen  # noqa: F401  registers the ids
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.errors import BadAction, BadParameter, ResetNeeded
from unseen.envs.suite import make_vec

ID = "Unseen/RolledBehind-v1"
N, STEPS = 5, 110  # several episodes each
LIMIT = 17  # steps: cuts some episodes short


def sync(mode: AutoresetMode, **keywords: Any) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: gym.make(ID, level=1, **keywords)] * N, autoreset_mode=mode)


def native(mode: AutoresetMode, **keywords: Any) -> TaskVectorEnv:
    env = gym.make_vec(ID, num_envs=N, level=1, autoreset_mode=mode, **keywords)
    assert isinstance(env, TaskVectorEnv)
    return env


def script(env: Any, mode: AutoresetMode) -> Iterator[Any]:
    """Everything that an environment gives along one script."""
    yield env.num_envs, env.metadata, env.render_mode, env.autoreset_mode, env.closed
    yield env.single_observation_space, env.observation_space, env.single_action_space, env.action_space
    for name in ("horizon", "level", "split", "obs_mode", "action_kind", "params", "render_mode", "metadata"):
        yield env.get_attr(name)
    yield [spec.max_episode_steps for spec in env.get_attr("spec")]
    env.set_attr("mark", "all")
    yield env.get_attr("mark")
    env.set_attr("mark", [1, 2, 3, 4, 5])
    yield env.get_attr("mark")
    yield env.reset(seed=3)
    yield env.np_random_seed
    yield [random.integers(100) for random in env.np_random]
    env.action_space.seed(0)
    ended = np.zeros(N, bool)
    for t in range(STEPS):
        if mode == AutoresetMode.DISABLED and ended.any():
            yield env.reset(options={"reset_mask": ended})
        if t == 20:
            yield env.reset(seed=[None, 9, None, np.int64(4), 9], options={"reset_mask": np.arange(N) < 4})
            yield env.np_random_seed
        if t == 30:
            yield env.reset(seed=[7, None, 7, None, 7])
        if t == 40:
            yield env.reset()
        result = env.step(env.action_space.sample())
        ended = result[2] | result[3]
        yield {"ended": ended, "step": result}
    yield env.call("snapshot")
    yield env.call("get_wrapper_attr", "task")


def assert_alike(one: Any, other: Any) -> None:
    """Equal in type, dtype, shape and every byte."""
    assert type(one) is type(other), (one, other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_alike(one[key], other[key])
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_alike(a, b)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape
        if one.dtype == object:
            assert_alike(list(one), list(other))
        else:
            assert one.tobytes() == other.tobytes()
    elif isinstance(one, Space):
        assert one == other and one.dtype == other.dtype
    else:
        assert one == other


@pytest.mark.parametrize(
    "keywords", [{}, {"max_episode_steps": LIMIT}, {"obs": "dict"}, {"action": "continuous"}], ids=lambda k: " ".join(k)
)
@pytest.mark.parametrize("mode", AutoresetMode)
def test_it_conforms_to_gymnasiums_own(mode: AutoresetMode, keywords: dict[str, Any]) -> None:
    theirs, ours = script(sync(mode, **keywords), mode), script(native(mode, **keywords), mode)
    ends = 0
    for one, other in zip(theirs, ours, strict=True):
        assert_alike(one, other)
        ends += isinstance(one, dict) and one["ended"].any()
    assert ends >= 4


@pytest.mark.parametrize("mode", AutoresetMode)
def test_pictures_conform_too(mode: AutoresetMode, blank_painter: type) -> None:
    for render_mode in ("rgb_array", "human"):
        envs = [make(mode, render_mode=render_mode) for make in (sync, native)]
        shown = []
        for env in envs:
            env.reset(seed=0)
            env.step(np.zeros(N, int))
            shown.append([frame.tobytes() for frame in blank_painter.shown])
            blank_painter.shown.clear()
        assert shown[0] == shown[1] and len(shown[0]) == (2 * N if render_mode == "human" else 0)
        assert_alike(*[env.render() for env in envs])
        for env in envs:
            env.close()
            env.close()


def test_vector_wrappers_of_gymnasium_work_on_it() -> None:
    wrappers = gym.wrappers.vector
    plain, env = native(AutoresetMode.NEXT_STEP), native(AutoresetMode.NEXT_STEP)
    env = wrappers.RecordEpisodeStatistics(wrappers.FlattenObservation(wrappers.DtypeObservation(env, np.float64)))
    plain.reset(seed=0)
    env.reset(seed=0)
    done = 0
    while done < 3:
        actions = np.zeros(N, int)
        obs, reward, terminated, truncated, _ = plain.step(actions)
        seen, *same, infos = env.step(actions)
        assert np.array_equal(obs.astype(float), seen) and np.array_equal(reward, same[0])
        done += (terminated | truncated).sum()
        assert ("episode" in infos) == (terminated | truncated).any()


@pytest.mark.parametrize("mode", AutoresetMode)
def test_autoreset_modes_have_three_spellings(mode: AutoresetMode) -> None:
    for given in (mode, mode.value, mode.name):
        env = make_vec("RolledBehind", 2, autoreset_mode=given)
        assert env.autoreset_mode is env.metadata["autoreset_mode"] is mode
        theirs = gym.make_vec(ID, 2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
        assert theirs.metadata == env.metadata
    assert TaskVectorEnv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP  # the class's own is left alone


@pytest.mark.parametrize("mode", ["never", "next_step", None, True, 3])
def test_other_autoreset_modes_are_refused(mode: Any) -> None:
    with pytest.raises(BadParameter, match="NextStep"):
        make_vec("RolledBehind", autoreset_mode=mode)


def test_disabled_needs_a_reset_of_those_that_ended() -> None:
    env = native(AutoresetMode.DISABLED)
    env.reset(seed=1)
    ended = np.zeros(N, bool)
    while not ended.any():
        _, _, terminated, truncated, _ = env.step(np.zeros(N, int))
        ended = terminated | truncated
    before = env.snapshot()
    with pytest.raises(ResetNeeded, match=f"environment {ended.argmax()} has ended"):
        env.step(np.zeros(N, int))
    assert env.snapshot() == before
    env.reset(options={"reset_mask": ended})
    env.step(np.zeros(N, int))


def test_an_episode_cut_short_tells_no_metrics() -> None:
    """The last episode's are not told again for it."""
    env = make_vec("RolledBehind", 32, level=1, max_episode_steps=17)
    env.reset(seed=0)
    oracle, first, obs, told, cut = env.reference("oracle"), np.ones(32, bool), env.observe(), 0, 0
    for _ in range(80):
        actions = np.where(np.arange(32) % 2, oracle.act(obs, first), 3)  # one half waits until it is cut short
        first = env.batch.done > 0
        obs, reward, terminated, truncated, infos = env.step(np.where(first, 0, actions))
        metrics = infos.get("_is_success", np.zeros(32, bool))
        assert not (metrics & truncated & ~terminated).any()
        assert (metrics >= terminated).all()
        told, cut = told + metrics.sum(), cut + (truncated & ~terminated).sum()
    assert told > 16 and cut > 16


@pytest.mark.parametrize("limit", [0, -1, 2.5, True, "9", float("nan")])
def test_bad_limits_are_refused(limit: Any) -> None:
    with pytest.raises(BadParameter, match="max_episode_steps"):
        make_vec("RolledBehind", max_episode_steps=limit)


def test_before_the_first_reset() -> None:
    env = make_vec("RolledBehind", 2, render_mode="rgb_array")
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(np.zeros(2, int))
    with pytest.raises(ResetNeeded, match="render"):
        env.render()
    with pytest.raises(ResetNeeded, match="every environment"):
        env.reset(options={"reset_mask": np.array([True, False])})
    seeds = env.np_random_seed
    env.reset(options={"reset_mask": np.array([True, True])})
    assert env.np_random_seed == seeds and seeds[0] != seeds[1]
    again = make_vec("RolledBehind", 2)
    assert np.array_equal(again.reset(seed=list(seeds))[0], env.observe())


def test_none_in_a_list_of_seeds_leaves_a_generator_as_it_is() -> None:
    env, other = make_vec("RolledBehind", 3), make_vec("RolledBehind", 3)
    env.reset(seed=0)
    other.reset(seed=0)
    obs, _ = env.reset(seed=[None, 5, None])
    want, _ = other.reset()
    assert np.array_equal(obs[[0, 2]], want[[0, 2]])
    assert np.array_equal(obs[1], other.reset(seed=[5, 5, 5])[0][0])


@pytest.mark.parametrize(
    "mask",
    [[True, False], np.array([1, 0]), np.zeros(2, bool), np.ones(3, bool), np.ones((2, 1), bool), True, "all"],
)
def test_bad_reset_masks_are_refused(mask: Any) -> None:
    env = make_vec("RolledBehind", 2)
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadParameter, match="reset_mask"):
        env.reset(options={"reset_mask": mask})
    assert env.snapshot() == before


def test_options_are_the_callers_own() -> None:
    env, options = make_vec("RolledBehind", 2), {"reset_mask": np.ones(2, bool)}
    env.reset(options=options)
    assert list(options) == ["reset_mask"]
    with pytest.raises(BadParameter, match="reset_mask"):
        env.reset(options={"reset_msk": np.ones(2, bool)})


def test_attributes() -> None:
    env = make_vec("RolledBehind", 3)
    env.reset(seed=8)
    assert env.get_attr("np_random_seed") == env.np_random_seed == (8, 9, 10)
    assert [world["rng"][0] for world in env.get_attr("world")] == env.world["rng"].tolist()
    assert len(env.call("reset", seed=4)) == 3 and env.np_random_seed == (4, 4, 4)
    assert (env.observe() == env.observe()[0]).all()
    one = env.call("snapshot")
    assert one[0] == one[1]
    with pytest.raises(AttributeError, match="colour"):
        env.get_attr("colour")
    for name in ("level", "params", "observation_space", "render_mode", "step"):
        with pytest.raises(BadParameter, match="share"):
            env.set_attr(name, 3)
    with pytest.raises(BadParameter, match="2 values for 3"):
        env.set_attr("mark", [1, 2])


@pytest.mark.parametrize(
    "actions",
    [
        np.zeros(3, int), np.zeros((2, 1), int), np.zeros(2), np.array([0, 4]), np.array([-1, 0]), ["a", "b"], [True, False],
        [1j, 0j], [[1], [1, 2]], None, np.array([np.nan, 0.0]), [10**30, 0],
    ],
)  # fmt: skip
def test_bad_actions_change_nothing(actions: Any) -> None:
    env = make_vec("RolledBehind", 2)
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadAction, match="action"):
        env.step(actions)
    assert env.snapshot() == before


@pytest.mark.parametrize(
    "rows",
    [
        np.full((2, 2), np.nan), np.full((2, 2), 1.5), np.full((2, 2), -np.inf), np.zeros((2, 3)), np.zeros(2),
        np.zeros((2, 2), bool), np.zeros((2, 2), complex), [["0", "0"], ["0", "0"]], [[0.0], [0.0, 0.0]], None,
    ],
)  # fmt: skip
def test_bad_continuous_actions_change_nothing(rows: Any) -> None:
    env = make_vec("RolledBehind", 2, action="continuous")
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadAction, match="action"):
        env.step(rows)
    assert env.snapshot() == before


def test_what_is_held_stays_as_it_ended_and_the_others_go_on() -> None:
    free, held = (native(AutoresetMode.NEXT_STEP, max_episode_steps=LIMIT) for _ in range(2))
    rng = np.random.default_rng(0)
    assert np.array_equal(free.reset(seed=3)[0], held.reset(seed=3)[0])
    over, last = np.zeros(N, bool), [b""] * N
    for _ in range(2 * LIMIT):
        actions = rng.integers(0, 4, N)
        expected, given = free.step(actions), held.step(actions)
        for one, other in zip(expected[:4], given[:4], strict=True):
            assert np.array_equal(one[~over], other[~over])
        assert not given[1][over].any() and not given[2][over].any() and not given[3][over].any()
        assert all(held.world[i].tobytes() + given[0][i].tobytes() == last[i] for i in np.flatnonzero(over))
        over |= given[2] | given[3]
        held.hold(over)
        held.hold(np.ones(N, bool))  # an episode that goes on is not held
        last = [held.world[i].tobytes() + given[0][i].tobytes() for i in range(N)]
    assert over.all()
    assert np.array_equal(free.reset(seed=5)[0], held.reset(seed=5)[0])
    assert np.array_equal(free.step(np.zeros(N, int))[0], held.step(np.zeros(N, int))[0])
