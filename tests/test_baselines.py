"""PPO and RecurrentPPO: the SB3 adapter, exact resumption, the fused LSTM, and equal decisions of ONNX and torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

torch = pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")

from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy  # noqa: E402

from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.onnx.agent import OnnxAgent  # noqa: E402
from unseen.agents.sb3.ppo import PPOConfig, PPOLearner  # noqa: E402
from unseen.agents.sb3.recurrent_ppo import RecurrentPPOLearner  # noqa: E402
from unseen.agents.sb3.vec import SB3Vec  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.settings import configure  # noqa: E402

SMALL = {"envs": 8, "rollout": 40, "batch": 64, "epochs": 2, "hidden": 16}
KINDS = pytest.mark.parametrize("kind", [PPOLearner, RecurrentPPOLearner])
ENV = EnvConfig("RolledBehind", 1)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(kind: type[PPOLearner], seed: int = 0, env: EnvConfig = ENV, **more: Any) -> PPOLearner:
    small = SMALL | ({"lstm": 16} if kind is RecurrentPPOLearner else {}) | more
    return kind(env, seed=seed, config=small)


def weights(made: PPOLearner) -> dict[str, np.ndarray]:
    return {k: v.numpy().copy() for k, v in made.model.policy.state_dict().items()}


def same_step(n: int) -> Any:
    return make(ENV, n, AutoresetMode.SAME_STEP).vector


def test_settings_are_checked() -> None:
    assert configure(PPOConfig, {"lr": 1, "envs": 4}) == PPOConfig(lr=1.0, envs=4)
    for wrong, message in (
        ({"ent": 0.1}, "ent_coef"),
        ({"envs": 1.5}, "int"),
        ({"lr": "x"}, "float"),
        ({"lr": float("nan")}, "nan"),
        ({"envs": True}, "True"),
    ):
        with pytest.raises(BadAgent, match=message):
            configure(PPOConfig, wrong)


def test_the_adapter_gives_the_last_observation_and_the_next_first() -> None:
    vec, plain = SB3Vec(same_step(16)), same_step(16)
    vec.seed(3)
    obs, (other, _) = vec.reset(), plain.reset(seed=3)
    np.testing.assert_array_equal(obs, other)
    rng, ended = np.random.default_rng(0), 0
    for _ in range(80):
        action = rng.integers(0, 4, 16)
        obs, reward, done, infos = vec.step(action)
        other, _, terminated, truncated, last = plain.step(action)
        np.testing.assert_array_equal(obs, other)
        assert reward.dtype == np.float32 and done.dtype == bool
        for i in range(16):
            assert ("terminal_observation" in infos[i]) == bool(done[i])
            if done[i]:
                ended += 1
                np.testing.assert_array_equal(infos[i]["terminal_observation"], last["final_obs"][i])
                assert infos[i]["TimeLimit.truncated"] == bool(truncated[i] and not terminated[i])
    assert ended > 16


def test_the_adapter_refuses_late_resets() -> None:
    with pytest.raises(BadAgent, match="SAME_STEP"):
        SB3Vec(make(ENV, 2).vector)


def test_the_adapter_has_only_the_attributes_that_there_are() -> None:
    vec = SB3Vec(same_step(3))
    assert not vec.has_attr("action_masks") and not vec.has_attr("anything")
    assert vec.has_attr("num_envs") and vec.get_attr("num_envs", [0, 2]) == [3, 3]
    with pytest.raises(AttributeError):
        vec.get_attr("action_masks")


@KINDS
def test_resume_is_exact(kind: type[PPOLearner], tmp_path: Path) -> None:
    one = learner(kind)
    one.advance()
    one.save(tmp_path)
    other = learner(kind, seed=5)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(2):
        torch.rand(3)  # what others draw does not matter
        np.random.rand(3)
        assert one.advance() == other.advance()
    assert one.steps == other.steps == 3 * 8 * 40
    left, right = weights(one), weights(other)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


@KINDS
def test_the_seed_decides(kind: type[PPOLearner]) -> None:
    one, same, other = learner(kind), learner(kind), learner(kind, seed=1)
    figures = [made.advance() for made in (one, same, other)]
    assert figures[0] == figures[1] != figures[2]


@KINDS
def test_onnx_decides_as_torch(kind: type[PPOLearner], tmp_path: Path) -> None:
    made = learner(kind)
    made.advance()
    made.export(tmp_path / "a.onnx")
    ours, theirs = OnnxAgent(tmp_path / "a.onnx", ENV), made.policy()
    env = make(ENV, 32).vector
    obs, _ = env.reset(seed=1)
    first, seeds = np.ones(32, bool), np.arange(32, dtype=np.uint64)
    mine, yours = ours.initial_state(seeds), theirs.initial_state(seeds)
    predicted: Any = None
    for _ in range(60):
        a, mine = ours.act(obs, mine, first)
        b, yours = theirs.act(obs, yours, first)
        c, predicted = made.model.predict(obs, predicted, first, deterministic=True)
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
        np.testing.assert_allclose(mine.latent, yours.latent, atol=1e-5)
        obs, _, terminated, truncated, _ = env.step(np.random.default_rng(0).integers(0, 4, 32))
        first = terminated | truncated


@KINDS
@pytest.mark.parametrize(("obs", "action"), [("rays", "continuous"), ("pixels", "discrete")])
def test_other_observations_and_actions(kind: type[PPOLearner], obs: str, action: str, tmp_path: Path) -> None:
    env = EnvConfig("RolledBehind", 1, obs=obs, action=action)
    made = learner(kind, env=env, rollout=8, batch=32, epochs=1)
    made.advance()
    made.save(tmp_path)
    other = learner(kind, seed=5, env=env, rollout=8, batch=32, epochs=1)
    other.load(tmp_path)
    assert made.advance() == other.advance()
    policy = made.policy()
    assert (policy.obs, policy.action) == (obs, action)
    made.export(tmp_path / "a.onnx")
    exported = OnnxAgent(tmp_path / "a.onnx")
    seen, _ = make(env, 4).vector.reset(seed=0)
    seeds, first = np.arange(4, dtype=np.uint64), np.ones(4, bool)
    for explore in (False, True):
        a, b = (agent.act(seen, agent.initial_state(seeds), first, explore)[0] for agent in (policy, exported))
        np.testing.assert_allclose(a, b, atol=1e-4)
    if action == "continuous":
        predicted, _ = made.model.predict(seen, None, first, deterministic=True)
        np.testing.assert_allclose(policy.act(seen, policy.initial_state(seeds), first)[0], predicted, atol=1e-5)


def test_the_fused_lstm_is_the_original() -> None:
    made = learner(RecurrentPPOLearner)
    made.advance()
    policy, buffer = made.model.policy, made.model.rollout_buffer
    data = next(iter(buffer.get(200)))
    state = (data.lstm_states.pi[0], data.lstm_states.pi[1])
    args = (data.observations, state, data.episode_starts, policy.lstm_actor)
    assert data.episode_starts.sum() > 0
    fused, _ = policy._process_sequence(*args)
    original, _ = RecurrentActorCriticPolicy._process_sequence(*args)
    torch.testing.assert_close(fused, original, atol=1e-6, rtol=1e-5)


def test_bad_checkpoints_are_named(tmp_path: Path) -> None:
    made = learner(PPOLearner)
    with pytest.raises(BadCheckpoint, match=tmp_path.name):
        made.load(tmp_path)
    made.save(tmp_path)
    with pytest.raises(BadCheckpoint, match="other settings"):
        learner(PPOLearner, hidden=8).load(tmp_path)
    with pytest.raises(BadCheckpoint, match="does not match"):
        learner(PPOLearner, env=EnvConfig("RolledBehind", 2)).load(tmp_path)
