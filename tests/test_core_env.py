"""The scalar environment's Gymnasium interface: construction, spec, steps, rendering, bad input."""

from __future__ import annotations

import pickle
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordVideo, TimeLimit

import unseen  # noqa: F401  registers the ids
from unseen.envs.core.env import TaskEnv
from unseen.envs.core.rng import MAX_SEED
from unseen.envs.errors import BadAction, BadParameter, ResetNeeded, UnknownEnvironment, UnknownKeyword
from unseen.envs.suite import make, make_vec, resolve

ID = "Unseen/RolledBehind-v1"


# --- made by Gymnasium ---


def test_gymnasium_makes_it_all_ways() -> None:
    for env in (gym.make(ID, level=1), gym.make(f"unseen:{ID}", level="1"), gym.make(gym.spec(ID), level=np.int64(1))):
        assert isinstance(env.unwrapped, TaskEnv) and env.unwrapped.level == 1
        obs, info = env.reset(seed=0)
        assert obs in env.observation_space and info == {}
        env.step(env.action_space.sample())
    vec = gym.make_vec(ID, num_envs=1024)
    assert type(vec.unwrapped).__name__ == "TaskVectorEnv"
    assert vec.reset(seed=0)[0].shape[0] == 1024


@pytest.mark.parametrize("level", [0, 3])
def test_its_spec_tells_the_horizon_of_the_level_that_was_made(level: int) -> None:
    for env in (gym.make(ID, level=level), gym.make_vec(ID, num_envs=2, level=level)):
        assert env.spec is not None
        assert env.spec.max_episode_steps == make("RolledBehind", level=level).horizon
        assert "TimeLimit" not in str(env)
    assert gym.spec(ID).max_episode_steps is None  # which level will be made is not known yet


def rounds(spec: EnvSpec) -> list[EnvSpec]:
    """A spec that went the ways that specs go."""
    return [spec, pickle.loads(pickle.dumps(spec)), EnvSpec.from_json(spec.to_json())]


def ends(env: Any, seeds: range) -> list[tuple[int, bool, bool]]:
    """For each seed: steps, terminated and truncated of an episode in which the agent only waits."""
    found = []
    for seed in seeds:
        env.reset(seed=seed)
        t, terminated, truncated = 0, False, False
        while not (terminated or truncated):
            _, _, terminated, truncated, _ = env.step(3)
            t += 1
        found.append((t, terminated, truncated))
    return found


def test_a_spec_makes_the_same_environment_again_with_the_same_ends() -> None:
    env = gym.make(ID, level=1)
    want = ends(make("RolledBehind", level=1), range(12))
    assert max(t for t, *_ in want) == env.unwrapped.horizon  # some episodes last to the very end
    assert all(terminated != truncated for _, terminated, truncated in want)
    for spec in rounds(env.spec):
        again = gym.make(spec)
        assert ends(again, range(12)) == want
        assert again.spec.max_episode_steps == env.unwrapped.horizon
        assert ends(gym.make(again.spec), range(2)) == want[:2]
    assert gym.make(env.spec).spec == env.spec


def test_a_spec_may_be_made_at_another_level() -> None:
    env = gym.make(gym.make(ID, level=1).spec, level=3)
    want = ends(make("RolledBehind", level=3), range(6))
    assert min(t for t, *_ in want) > make("RolledBehind", level=1).horizon
    assert ends(env, range(6)) == want
    assert env.unwrapped.spec.max_episode_steps == env.unwrapped.horizon


def test_a_limit_that_the_user_sets_truncates_and_stays_in_the_spec() -> None:
    env = gym.make(ID, level=1, max_episode_steps=5)
    for spec in rounds(env.spec):
        again = gym.make(spec)
        assert again.spec.max_episode_steps == 5
        assert ends(again, range(2)) == [(5, False, True)] * 2
    vec = gym.make_vec(ID, num_envs=3, level=1, max_episode_steps=5)
    for spec in (vec.spec, pickle.loads(pickle.dumps(vec.spec)), env.spec):
        again = gym.make_vec(spec)
        assert again.spec.max_episode_steps == 5
        again.reset(seed=0)
        truncated = [again.step(np.full(again.num_envs, 3))[3].all() for _ in range(6)]
        assert truncated == [False, False, False, False, True, False]


def test_vector_specs_make_the_same_again() -> None:
    vec = gym.make_vec(ID, num_envs=3, level=1, autoreset_mode="SameStep", obs="rays")
    for spec in rounds(vec.spec):
        again = gym.make_vec(spec)
        assert again.spec == vec.spec and again.autoreset_mode == vec.autoreset_mode and again.num_envs == 3
    for limit in (None, 21):  # a vector environment of a scalar one's spec, and the other way round
        scalar = gym.make(ID, level=1, max_episode_steps=limit)
        several = gym.make_vec(scalar.spec, num_envs=2)
        assert several.unwrapped.batch.max_episode_steps == limit
        assert gym.make_vec(scalar.spec, num_envs=2, vectorization_mode="sync").reset(seed=0)[0].shape[0] == 2
        assert gym.make(several.get_attr("spec")[0]).spec.max_episode_steps == scalar.spec.max_episode_steps


def test_it_is_an_integer_like_any_other() -> None:
    """Gymnasium's wrapper of the time left reads it; so may anyone."""
    env = gym.wrappers.TimeAwareObservation(gym.make(ID, level=1), normalize_time=True, flatten=True)
    env.reset(seed=0)
    assert env.step(3)[0][-1] == pytest.approx(1 / env.unwrapped.horizon)
    steps = env.spec.max_episode_steps
    assert (
        list(range(steps))[-1] + 1 == steps == int(steps) and steps > 3 and 3 < steps and f"{steps}" == str(int(steps))
    )
    assert TimeLimit(make("RolledBehind", level=1), 4).reset(seed=0)


# --- shown ---


def test_frames_are_collected_for_a_list(blank_painter: type) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Gymnasium warns of render modes that the metadata does not list
        env = gym.make(ID, level=1, render_mode="rgb_array_list")
    env.reset(seed=0)
    for _ in range(3):
        env.step(3)
    assert [int(frame[0, 0, 0]) for frame in env.render()] == [0, 1, 2, 3]


@pytest.fixture
def clips(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float, str]]:
    """What Gymnasium gives moviepy to write: number of frames, frames a second, path."""
    written: list[tuple[int, float, str]] = []

    class ImageSequenceClip:
        def __init__(self, frames: list[np.ndarray], fps: float) -> None:
            self.frames, self.fps = frames, fps

        def write_videofile(self, path: str, logger: Any = None) -> None:
            written.append((len(self.frames), self.fps, path))

    for name in ("moviepy", "moviepy.video", "moviepy.video.io", "moviepy.video.io.ImageSequenceClip"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["moviepy.video.io.ImageSequenceClip"].__dict__["ImageSequenceClip"] = ImageSequenceClip
    monkeypatch.delitem(sys.modules, "gymnasium.utils.save_video", raising=False)
    yield written
    sys.modules.pop("gymnasium.utils.save_video", None)


def test_videos_are_recorded(tmp_path: Path, blank_painter: type, clips: list[tuple[int, float, str]]) -> None:
    env = RecordVideo(gym.make(ID, level=1, render_mode="rgb_array"), str(tmp_path), episode_trigger=lambda i: True)
    steps = ends(env, range(1))[0][0]
    env.close()
    assert clips == [(steps + 1, TaskEnv.metadata["render_fps"], f"{tmp_path}/rl-video-episode-0.mp4")]


def test_videos_are_saved(tmp_path: Path, blank_painter: type, clips: list[tuple[int, float, str]]) -> None:
    from gymnasium.utils.save_video import save_video

    env = gym.make(ID, level=1, render_mode="rgb_array_list")
    steps = ends(env, range(1))[0][0]
    save_video(env.render(), str(tmp_path), fps=env.metadata["render_fps"])
    assert [clip[0] for clip in clips] == [steps + 1]


def test_rendering_needs_a_reset_and_a_mode(blank_painter: type) -> None:
    env = make("RolledBehind", render_mode="rgb_array")
    with pytest.raises(ResetNeeded, match="render"):
        env.render()
    env.reset(seed=0)
    assert env.render().shape == (48, 64, 3)
    env.close()
    env.close()
    mute = make("RolledBehind")
    with pytest.warns(UserWarning, match="render_mode"):
        assert mute.render() is None


def test_in_a_window_every_reset_and_step_is_shown(blank_painter: Any) -> None:
    env = make("RolledBehind", render_mode="human")
    env.reset(seed=0)
    env.step(3)
    env.step(3)
    assert [int(frame[0, 0, 0]) for frame in blank_painter.shown] == [0, 1, 2]
    assert env.render() is None


# --- checked by others ---


@pytest.mark.parametrize("action", ["discrete", "continuous"])
@pytest.mark.parametrize("obs", ["slots", "rays", "pixels", "dict"])
def test_gymnasiums_checker_is_content(obs: str, action: str, blank_painter: type) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(ID, obs=obs, action=action, render_mode="rgb_array")
        check_env(env.unwrapped, skip_render_check=True)  # of the windows, which it opens and never closes
        env.reset(seed=0)
        env.render()


@pytest.mark.parametrize("obs", ["slots", "rays", "pixels", "dict"])
@pytest.mark.parametrize("action", ["discrete", "continuous"])
def test_stable_baselines_checker_is_content(obs: str, action: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(make("RolledBehind", obs=obs, action=action), skip_render_check=True)


@pytest.mark.parametrize("obs", ["slots", "rays", "pixels", "dict", "state"])
def test_every_observation_lies_in_its_space(obs: str) -> None:
    env = make_vec("RolledBehind", 8, level=3, obs=obs)
    rows, _ = env.reset(seed=0)
    for _ in range(50):
        assert env.observation_space.contains(rows)
        rows, *_ = env.step(env.action_space.sample())


def test_continuous_actions_do_what_the_arcs_do() -> None:
    arcs, free = make("RolledBehind", level=1), make("RolledBehind", level=1, action="continuous")
    arcs.reset(seed=5)
    free.reset(seed=5)
    for action, row in ((0, (1, 0)), (1, (1, 1)), (2, (1, -1)), (3, (0, 0))) * 5:
        a, b = arcs.step(action), free.step(np.array(row, np.float32))
        assert np.array_equal(a[0], b[0]) and a[1:4] == b[1:4]
        if a[2]:
            break


# --- seeds ---


def test_seeds_of_numpy_are_seeds() -> None:
    env = make("RolledBehind")
    want, _ = env.reset(seed=5)
    for seed in (np.int64(5), np.uint8(5)):
        assert np.array_equal(env.reset(seed=seed)[0], want)
        assert env.np_random_seed == 5 and type(env.np_random_seed) is int


def test_an_episode_that_was_not_seeded_can_be_played_again() -> None:
    env, other = make("RolledBehind"), make("RolledBehind")
    obs, _ = env.reset()
    assert np.array_equal(other.reset(seed=env.np_random_seed)[0], obs)
    fresh, twin = make("RolledBehind"), make("RolledBehind")
    assert fresh.np_random_seed != twin.np_random_seed  # asked before the reset: drawn then, and kept
    assert np.array_equal(other.reset(seed=fresh.np_random_seed)[0], fresh.reset()[0])


def test_a_generator_that_is_set_decides_the_episodes() -> None:
    drawn = []
    for _ in range(2):
        env = make("RolledBehind")
        env.np_random = np.random.default_rng(3)
        drawn.append(env.reset()[0])
    assert np.array_equal(*drawn)


# --- bad input ---


BAD_SEEDS = [-1, MAX_SEED + 1, True, np.True_, 1.5, 5.0, np.float64(5), float("nan"), float("inf"), 1j, "5", b"5", {5}]


@pytest.mark.parametrize("seed", [*BAD_SEEDS, [5], np.array([5]), [None]], ids=repr)
def test_bad_seeds_are_refused(seed: Any) -> None:
    env = make("RolledBehind")
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadParameter, match="seed"):
        env.reset(seed=seed)
    assert env.snapshot() == before


@pytest.mark.parametrize(
    "seed",
    [
        *BAD_SEEDS, *([0, bad] for bad in BAD_SEEDS), [0], [0, None, 1], "12", {1, 2}, np.array([1.0, 2.0]),
        np.zeros((2, 1), int), [[1], [1, 2]], [], MAX_SEED,
    ],
    ids=repr,
)  # fmt: skip
def test_bad_seeds_of_several_are_refused(seed: Any) -> None:
    env = make_vec("RolledBehind", 2)
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadParameter, match="seed"):
        env.reset(seed=seed)
    assert env.snapshot() == before


@pytest.mark.parametrize(
    "action",
    [
        -1,
        4,
        1.0,
        np.float32(1),
        float("nan"),
        1j,
        "forward",
        "1",
        None,
        True,
        np.bool_(True),
        np.array(True),
        np.array([1]),
        np.array([0, 1]),
        [1],
        [[1], [1, 2]],
        {},
        10**30,
    ],
)
def test_bad_discrete_actions_change_nothing(action: object) -> None:
    env = make("RolledBehind")
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadAction, match="action"):
        env.step(action)
    assert env.snapshot() == before


@pytest.mark.parametrize("action", [2, np.int8(2), np.uint64(2), np.array(2), np.array(2, np.int32)])
def test_integers_of_any_sort_are_discrete_actions(action: object) -> None:
    env, other = make("RolledBehind"), make("RolledBehind")
    env.reset(seed=0)
    other.reset(seed=0)
    assert np.array_equal(env.step(action)[0], other.step(2)[0])


@pytest.mark.parametrize("name", ["Dosing", "ProvingGround", "ProvingGroundDrive"])
def test_a_continuous_action_that_is_rounded_beyond_its_bound_is_the_bound(name: str) -> None:
    beyond, at = (make(name, action="continuous") for _ in range(2))
    size = beyond.action_space.shape
    for bound in (-1.0, 1.0):
        beyond.reset(seed=1)
        at.reset(seed=1)
        obs, *rest = beyond.step(np.full(size, bound * (1.0 + 5e-7)))
        same, *others = at.step(np.full(size, bound))
        assert beyond.observation_space.contains(obs)
        assert (obs == same).all() and rest == others


@pytest.mark.parametrize(
    "row",
    [
        [np.nan, 0],
        [np.inf, 0],
        [2.0, 0],
        [0.0],
        0.5,
        None,
        "x",
        ["0.5", "0.5"],
        [True, False],
        np.zeros(2, bool),
        [1j, 0],
        [[0, 0]],
        [[0], [0, 1]],
        [None, 0],
        {},
    ],
)
def test_bad_continuous_actions_change_nothing(row: object) -> None:
    env = make("RolledBehind", action="continuous")
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadAction, match="action"):
        env.step(row)
    assert env.snapshot() == before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.5, -1.5, 1.00001])
@pytest.mark.parametrize(
    ("name", "k", "component"),
    [("ProvingGround", 9, "centre of gravity"), ("ProvingGround", 16, "commit"), ("Kiln", 1, "call of the extractor"),
     ("RolledBehind", 1, "number 1")],
)  # fmt: skip
def test_the_first_component_out_of_range_is_named(name: str, k: int, component: str, value: float) -> None:
    one, many = make(name, action="continuous"), make_vec(name, 3, action="continuous")
    assert one.action_space.shape is not None
    row = np.zeros(one.action_space.shape, np.float32)
    row[k:] = value  # all further ones are wrong, too
    rows = np.zeros((3, *row.shape), np.float32)
    rows[2] = row
    for env, i, action in ((one, 0, row), (many, 2, rows)):
        env.reset(seed=0)
        with pytest.raises(BadAction) as caught:
            env.step(action)
        assert str(caught.value) == f"action of environment {i}: {component}={row[k]:.9g}: must be in -1..1"


@pytest.mark.parametrize(
    "keywords",
    [
        dict(level=9), dict(level=True), dict(level="nine"), dict(level=1.0), dict(level=[1]), dict(obs="smell"),
        dict(action="walk"), dict(split="valid"), dict(colour="red"), dict(occluders=7), dict(occluders=2.5),
        dict(occluders=float("inf")), dict(occluders=float("nan")), dict(occluders=True), dict(occluders="4"),
        dict(occluders=10**400), dict(blocks=5), dict(blackout=(5, 2)), dict(blackout="long"),
        dict(blackout=(1, float("inf"))), dict(glass=1), dict(query="never"), dict(bump=True),
        dict(ring=1.4, room=2.0), dict(radius=float("nan")), dict(radius=1j), dict(render_mode="ansi"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_keywords_are_named_with_what_is_allowed(keywords: dict[str, Any]) -> None:
    for maker in (make, make_vec):
        with pytest.raises(BadParameter) as caught:
            maker("RolledBehind", **keywords)
        assert any(name in str(caught.value) for name in keywords)


def test_an_integer_too_long_to_write_is_refused_with_its_length() -> None:
    endless = 10**5000
    for maker in (make, make_vec):
        for name in ("level", "obs", "action", "split", "occluders", "blackout", "query"):
            with pytest.raises(BadParameter, match=f"{name}=an integer of 16610 bits"):
                maker("RolledBehind", **{name: endless})
    env = make("RolledBehind")
    for given in ({"seed": endless}, {"options": {endless: 1}}, {"options": endless}):
        with pytest.raises(BadParameter, match="an integer of 16610 bits"):
            env.reset(**given)
    env.reset(seed=0)
    with pytest.raises(BadAction, match="an integer of 16610 bits"):
        env.step(endless)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, np.True_, "2", None, float("nan"), float("inf"), [2]])
@pytest.mark.parametrize("name", ["num_envs", "threads"])
def test_bad_counts_are_refused(name: str, value: Any) -> None:
    with pytest.raises(BadParameter, match=name):
        make_vec("RolledBehind", **{name: value})


SCALAR = ("level", "obs", "action", "split", "render_mode", "occluders", "blackout")
VECTOR = (*SCALAR, "autoreset_mode", "max_episode_steps", "threads", "copy")


@pytest.mark.parametrize(("maker", "known"), [(make, SCALAR), (make_vec, VECTOR)])
def test_an_unknown_keyword_gets_all_that_are_known_and_the_nearest(maker: Any, known: tuple[str, ...]) -> None:
    for wrong, meant in {
        "occluderz": "occluders",
        "levl": "level",
        "splits": "split",
        "render_mod": "render_mode",
    }.items():
        with pytest.raises(UnknownKeyword, match=f"did you mean '{meant}'") as caught:
            maker("RolledBehind", **{wrong: 1})
        assert isinstance(caught.value, TypeError) and isinstance(caught.value, BadParameter)
        assert f"unexpected keyword argument {wrong!r}" in str(caught.value)
        listed = str(caught.value).partition("Valid keywords: ")[2].split(", ")
        assert set(known) <= set(listed)
    with pytest.raises(UnknownKeyword, match="'curtain': it is now called 'blackout'"):
        maker("RolledBehind", curtain=(1, 3))


def test_former_keywords_of_vector_environments_get_the_new_name() -> None:
    with pytest.raises(UnknownKeyword, match="'autoreset': it is now called 'autoreset_mode'"):
        make_vec("RolledBehind", autoreset="same_step")
    with pytest.raises(UnknownKeyword, match="did you mean 'num_envs'"):
        make_vec("RolledBehind", n_envs=3)


def test_gymnasium_says_it_as_of_any_environment() -> None:
    """torchrl tries `frameskip`, and takes it back where the error says this."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'"):
        gym.make(ID, frameskip=1)


@pytest.mark.parametrize("options", [{"level": 1}, {"reset_mask": np.ones(1, bool)}, 5, "seed", [1]])
def test_options_are_refused(options: Any) -> None:
    env = make("RolledBehind")
    env.reset(seed=0, options={})
    with pytest.raises(BadParameter, match="option"):
        env.reset(options=options)


def test_step_needs_a_live_episode() -> None:
    env = make("RolledBehind", level=1)
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(0)
        over = terminated or truncated
        assert info == {} or over
    assert type(info["is_success"]) is bool
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownEnvironment, match="RolledBehind"):
        resolve("RoledBehind")
