"""Environments for learners: the suite's in every observation mode, and Gymnasium's through the adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.shared.envs import AutoresetMode, EnvConfig, make
from unseen.envs.errors import BadParameter, UnknownEnvironment

OUTSIDE = "OutsideOfTheSuite-v0"


class Outside(gym.Env):
    """Counts down from 5; what it observes and how it acts are given."""

    def __init__(self, observation: spaces.Space, action: spaces.Space) -> None:
        self.observation_space, self.action_space = observation, action
        self.left, self.taken = 5, None

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.left = 5
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self.left -= 1
        return self.observation_space.sample(), float(np.sum(action)), self.left == 0, False, {}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(gym.registry, OUTSIDE, gym.envs.registration.EnvSpec(OUTSIDE, Outside))
    return OUTSIDE


def of(observation: spaces.Space, action: spaces.Space | None = None) -> EnvConfig:
    return EnvConfig(OUTSIDE, overrides={"observation": observation, "action": action or spaces.Discrete(3)})


# --- the suite -----------------------------------------------------------------------------------------------


def test_the_suite_is_met_by_name_and_id() -> None:
    for name in ("rolledbehind", "Unseen/RolledBehind-v1"):
        config = EnvConfig(name)
        assert (config.id, config.label, config.chosen_level) == ("Unseen/RolledBehind-v1", "RolledBehind", 2)
    made = make(EnvConfig("RolledBehind", 1), 3)
    assert made.has_snapshots and made.layout is not None and made.layout.size == made.observation.size
    assert (made.obs_mode, made.action_kind, made.horizon) == ("slots", "discrete", 26)
    assert not made.observation.use_symlog and not made.observation.image


def test_modes_and_overrides_are_handed_on() -> None:
    rays = make(EnvConfig("RolledBehind", 1, obs="rays", action="continuous"), 2)
    seen = rays.observation.rays
    assert seen is not None and (seen.count, seen.width, seen.stop) == (24, 3, rays.observation.size)
    assert rays.slots is None and rays.layout is not None and rays.layout.head == seen.start
    assert rays.vector.single_action_space.shape == (2,) and rays.action_kind == "continuous"
    pixels = make(EnvConfig("RolledBehind", 1, obs="pixels"), 2)
    assert pixels.observation.image and pixels.observation.shape == (64, 64, 3)
    assert make(EnvConfig("RolledBehind", 1, overrides={"act": 10}), 2).horizon == 22
    with pytest.raises(BadAgent, match="dict"):
        make(EnvConfig("RolledBehind", 1, obs="dict"), 2)
    with pytest.raises(BadParameter, match="sight"):
        make(EnvConfig("RolledBehind", 1, obs="sight"), 2)


def test_snapshots_come_back() -> None:
    made = make(EnvConfig("RolledBehind", 1), 3)
    before, _ = made.vector.reset(seed=0)
    snapshot = made.snapshot()
    for _ in range(40):
        made.vector.step(np.zeros(3, np.int64))
    np.testing.assert_array_equal(made.restore(snapshot), before)


# --- Gymnasium's ---------------------------------------------------------------------------------------------


def test_an_id_of_gymnasiums() -> None:
    config = EnvConfig("CartPole-v1", level=2, obs="slots")  # which mean nothing to it
    assert (config.entry, config.id, config.label, config.chosen_level) == (None, "CartPole-v1", "CartPole-v1", None)
    made = make(config, 3, AutoresetMode.SAME_STEP)
    assert made.observation.shape == (4,) and made.observation.use_symlog
    assert not made.has_snapshots and made.layout is None and made.horizon is None and made.snapshot() == b""
    assert made.vector.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP


def test_an_id_of_a_package_that_is_named() -> None:
    pytest.importorskip("minigrid")
    config = EnvConfig("minigrid:MiniGrid-MemoryS7-v0")
    assert config.id == config.label == "MiniGrid-MemoryS7-v0"
    made = make(config, 2)
    assert made.ignored == ("mission",) and made.observation.size == 4 + 7 * 7 * 3
    obs, _ = made.vector.reset(seed=0)
    assert obs.shape == (2, 151) and obs.dtype == np.float32 and obs.max() > 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CartPol-v1", "Gymnasium has no id 'CartPol-v1' either .*package:id"),
        ("RoledBehind", "did you mean RolledBehind"),
        ("minigrind:MiniGrid-MemoryS7-v0", "minigrind could not be imported"),
        ("gymnasium:CartPol-v1", "Gymnasium has no id 'CartPol-v1' either$"),
        (".x:CartPole-v1", "could not be imported"),
        ("none.py:Thing", "none.py: no such file"),
    ],
)
def test_what_does_not_exist_is_told(name: str, message: str) -> None:
    with pytest.raises(UnknownEnvironment, match=message):
        make(EnvConfig(name), 1)


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (spaces.Box(-1, 1, (2, 3), np.float64), 6),
        (spaces.Discrete(4), 4),
        (spaces.MultiBinary(5), 5),
        (spaces.Tuple([spaces.Discrete(3), spaces.Box(0, 1, (2,))]), 5),
        (spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Dict({"c": spaces.Box(0, 1, (2,))})}), 5),
        (spaces.Box(0, 255, (7, 7, 3), np.uint8), 147),
    ],
)
def test_what_flattens_is_flattened(space: spaces.Space, size: int, outside: str) -> None:
    made = make(of(space), 2)
    obs, _ = made.vector.reset(seed=1)
    assert made.observation.shape == (size,) and obs.shape == (2, size) and obs.dtype == np.float32
    assert made.ignored == ()


def test_images_stay_images_and_words_are_left_out(outside: str) -> None:
    image = make(of(spaces.Box(0, 255, (40, 50, 3), np.uint8)), 2)
    assert image.observation.image and image.vector.reset(seed=0)[0].shape == (2, 40, 50, 3)
    words = make(of(spaces.Dict({"mission": spaces.Text(9), "x": spaces.Box(0, 1, (2,))})), 2)
    assert words.ignored == ("mission",) and words.observation.shape == (2,)


@pytest.mark.parametrize("space", [spaces.Text(9), spaces.Sequence(spaces.Box(0, 1, (2,)))])
def test_what_does_not_flatten_is_refused(space: spaces.Space, outside: str) -> None:
    with pytest.raises(BadAgent, match="OutsideOfTheSuite-v0: observation space"):
        make(of(space), 2)


def test_actions_begin_at_0(outside: str) -> None:
    row = spaces.Box(0, 1, (2,))
    made = make(of(row, spaces.Discrete(3, start=5)), 2)
    made.vector.reset(seed=0)
    assert made.vector.single_action_space == spaces.Discrete(3)
    assert made.vector.step(np.array([0, 2]))[1].tolist() == [5, 7]
    made = make(of(row, spaces.Box(-2, 2, (1,))), 2)
    made.vector.reset(seed=0)
    assert made.vector.step(np.array([[1.5], [-2]], np.float32))[1].tolist() == [1.5, -2]
    for action in (spaces.MultiDiscrete([2, 2]), spaces.Box(-np.inf, np.inf, (1,)), spaces.Box(0, 1, (2, 2))):
        with pytest.raises(BadAgent, match="action space"):
            make(of(row, action), 2)


# --- learning there ------------------------------------------------------------------------------------------

PPO = {"envs": 4, "rollout": 16, "batch": 32, "epochs": 1, "hidden": 8}
OFF_POLICY = {
    "envs": 4,
    "rollout": 4,
    "batch": 32,
    "hidden": 8,
    "random_steps": 16,
    "replay_steps": 1_000,
    "replay_ratio": 64.0,
}
SMALL = {
    "ppo": PPO,
    "ppo-stack": PPO | {"stack": 3},
    "dqn": OFF_POLICY,
    "sac": OFF_POLICY,
    "recurrent-ppo": PPO | {"lstm": 8},
    "dreamer": {
        "envs": 4, "batch": 2, "prefill": 4, "actor_warmup_updates": 2, "imagination_starts": 4, "horizon": 2, "deter": 8,
        "hidden": 8, "groups": 2, "classes": 4, "sequence": 20,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("agent", "env"),
    [
        (agent, env)
        for agent in SMALL
        for env in ("CartPole-v1", "Pendulum-v1")
        if (agent, env) not in (("dqn", "Pendulum-v1"), ("sac", "CartPole-v1"))  # which are refused
    ],
)
def test_every_algorithm_learns_anywhere_and_goes_on_with_new_episodes(agent: str, env: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("sb3_contrib")
    from unseen.agents.roster import learner_class

    torch.set_num_threads(1)
    kind = learner_class(agent)
    one = kind(EnvConfig(env), seed=0, config=SMALL[agent])
    assert not one.resumes_exactly and "no snapshots" in one.notes[0]
    figures = [one.advance() for _ in range(4)]
    assert all(np.isfinite(list(row.values())).all() for row in figures)
    one.save(tmp_path)
    other = kind(EnvConfig(env), seed=9, config=SMALL[agent])
    other.load(tmp_path)
    assert other.steps == one.steps
    a, b = one.policy(), other.policy()
    assert (a.obs, a.action) == ("", "")
    obs, _ = make(EnvConfig(env), 5).vector.reset(seed=3)
    seeds, first = np.arange(5, dtype=np.uint64), np.ones(5, bool)
    for explore in (False, True):
        left, right = (agent.act(obs, agent.initial_state(seeds), first, explore)[0] for agent in (a, b))
        np.testing.assert_array_equal(left, right)
    assert other.advance().keys() >= {"episode_return"} and other.steps > one.steps


def test_what_is_not_observed_is_said(outside: str) -> None:
    pytest.importorskip("torch")
    from unseen.agents.dreamer import DreamerLearner

    config = of(spaces.Dict({"mission": spaces.Text(9), "x": spaces.Box(0, 1, (2,))}))
    learner = DreamerLearner(config, config=SMALL["dreamer"])
    assert "non-numeric observations are ignored: mission" in learner.notes[1]
    assert DreamerLearner(EnvConfig("RolledBehind", 1), config=SMALL["dreamer"]).notes == ()
