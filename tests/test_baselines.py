"""PPO and RecurrentPPO: the adapter, exact resume, the fused LSTM, and the same decisions in ONNX as in torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")

from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy  # noqa: E402

from unseen.agents.baselines import PPOLearner, RecurrentPPOLearner  # noqa: E402
from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.onnx_agent import OnnxAgent  # noqa: E402
from unseen.agents.sb3_vec import SB3Vec  # noqa: E402
from unseen.envs.suite import make_vec  # noqa: E402

SMALL = {"envs": 8, "rollout": 40, "batch": 64, "epochs": 2, "hidden": 16}
KINDS = pytest.mark.parametrize("kind", [PPOLearner, RecurrentPPOLearner])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(kind: type[PPOLearner], seed: int = 0, **more: Any) -> PPOLearner:
    small = SMALL | ({"lstm": 16} if kind is RecurrentPPOLearner else {}) | more
    return kind("RolledBehind", 1, seed=seed, config=small)


def weights(made: PPOLearner) -> dict[str, np.ndarray]:
    return {k: v.numpy().copy() for k, v in made.model.policy.state_dict().items()}


def test_the_adapter_gives_the_last_observation_and_the_next_first() -> None:
    env = make_vec("RolledBehind", 16, level=1, autoreset_mode="SameStep")
    plain = make_vec("RolledBehind", 16, level=1, autoreset_mode="SameStep")
    vec = SB3Vec(env)
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
    with pytest.raises(BadAgent, match="same_step"):
        SB3Vec(make_vec("RolledBehind", 2, level=1))


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
    ours, theirs = OnnxAgent(tmp_path / "a.onnx", "RolledBehind", 1), made.policy()
    env = make_vec("RolledBehind", 32, level=1)
    obs, _ = env.reset(seed=1)
    first, mine, yours = np.ones(32, bool), ours.initial_state(32), theirs.initial_state(32)
    predicted: Any = None
    for _ in range(60):
        a, mine = ours.act(obs, mine, first)
        b, yours = theirs.act(obs, yours, first)
        c, predicted = made.model.predict(obs, predicted, first, deterministic=True)
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
        if kind is RecurrentPPOLearner:
            np.testing.assert_allclose(mine.latent, yours.numpy(), atol=1e-5)
        obs, _, terminated, truncated, _ = env.step(np.random.default_rng(0).integers(0, 4, 32))
        first = terminated | truncated


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
    file = tmp_path / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BadCheckpoint, match=tmp_path.name):
        made.load(tmp_path)
