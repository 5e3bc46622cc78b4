"""Learners on stable-baselines3: rows of observations, exact resumption, the fused LSTM, equal decisions of ONNX and torch, and
settings."""

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
from unseen.agents.sb3 import off_policy  # noqa: E402
from unseen.agents.sb3.dqn import DQNLearner  # noqa: E402
from unseen.agents.sb3.learner import SB3Learner  # noqa: E402
from unseen.agents.sb3.ppo import PPOConfig, PPOLearner, PPOStackLearner  # noqa: E402
from unseen.agents.sb3.recurrent_ppo import RecurrentPPOLearner  # noqa: E402
from unseen.agents.sb3.rows import RowVec  # noqa: E402
from unseen.agents.sb3.sac import SACLearner  # noqa: E402
from unseen.agents.sb3.vec import SB3Vec  # noqa: E402
from unseen.agents.shared.actions import action_head  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.settings import configure  # noqa: E402
from unseen.train.heldout import score  # noqa: E402

ON_POLICY = {"envs": 8, "rollout": 40, "batch": 64, "epochs": 2, "hidden": 16}
OFF_POLICY = {
    "envs": 8, "rollout": 2, "batch": 32, "hidden": 16, "random_steps": 64, "replay_steps": 200, "replay_ratio": 8.0,
}  # fmt: skip
SMALL: dict[type[SB3Learner], dict[str, Any]] = {
    PPOLearner: ON_POLICY,
    PPOStackLearner: ON_POLICY | {"stack": 3},
    RecurrentPPOLearner: ON_POLICY | {"lstm": 16},
    DQNLearner: OFF_POLICY,
    SACLearner: OFF_POLICY | {"stack": 2},
}
KINDS = pytest.mark.parametrize("kind", SMALL)
ENV = EnvConfig("RolledBehind", 1)
MONITOR = f"{Path(__file__).parents[1]}/examples/blind_monitor.py:BlindMonitor"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(off_policy, "UPDATES_PER_ADVANCE", 32)


def learner(kind: type[SB3Learner], seed: int = 0, env: EnvConfig = ENV, **more: Any) -> Any:
    return kind(env, seed=seed, config=SMALL[kind] | more)


def weights(made: SB3Learner) -> dict[str, np.ndarray]:
    return {k: v.numpy().copy() for k, v in made.model.policy.state_dict().items()}


def same_step(n: int) -> Any:
    return make(ENV, n, AutoresetMode.SAME_STEP).vector


def test_settings_are_checked() -> None:
    assert configure(PPOConfig, {"lr": 1, "envs": 4}) == PPOConfig(lr=1.0, envs=4)
    for wrong, message in (
        ({"entropi": 0.1}, "entropy"),
        ({"envs": 1.5}, "int"),
        ({"lr": "x"}, "float"),
        ({"lr": float("nan")}, "nan"),
        ({"lr": 10**400}, "expected float"),
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
def test_resume_is_exact(kind: type[SB3Learner], tmp_path: Path) -> None:
    one = learner(kind)
    one.advance()
    one.save(tmp_path)
    other = learner(kind, seed=5)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(2):
        torch.rand(3)  # what others draw does not matter
        np.random.rand(3)
        assert one.advance() == other.advance()
    assert one.steps == other.steps and one.steps >= 3 * 8 * 16
    left, right = weights(one), weights(other)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


@KINDS
def test_the_seed_decides(kind: type[SB3Learner]) -> None:
    one, same, other = learner(kind), learner(kind), learner(kind, seed=1)
    figures = [made.advance() for made in (one, same, other)]
    assert one.model._n_updates > 0
    assert figures[0] == figures[1] != figures[2]


@KINDS
def test_onnx_decides_as_torch(kind: type[SB3Learner], tmp_path: Path) -> None:
    """The agent's own memory is compared with rows and states as stable-baselines3 has them in training."""
    made = learner(kind)
    made.advance()
    made.export(tmp_path / "a.onnx")
    ours, theirs = OnnxAgent(tmp_path / "a.onnx"), made.policy()
    env = make(EnvConfig("RolledBehind", 1, action=theirs.action), 32).vector
    head = action_head(env.single_action_space)
    obs, _ = env.reset(seed=1)
    first, seeds = np.ones(32, bool), np.arange(32, dtype=np.uint64)
    mine, yours = ours.initial_state(seeds), theirs.initial_state(seeds)
    predicted: Any = None
    rows = np.zeros((32, made.stack, obs.shape[1]), np.float32)
    for _ in range(60):
        rows = np.concatenate([np.where(first[:, None, None], 0, rows)[:, 1:], obs[:, None]], axis=1)
        a, mine = ours.act(obs, mine, first)
        b, yours = theirs.act(obs, yours, first)
        c, predicted = made.model.predict(rows.reshape(32, -1), predicted, first, deterministic=True)
        np.testing.assert_allclose(a, b, atol=1e-5)
        np.testing.assert_allclose(a, c, atol=1e-5)
        np.testing.assert_allclose(mine.latent, yours.latent, atol=1e-5)
        obs, _, terminated, truncated, _ = env.step(head.random(np.random.default_rng(0), 32))
        first = terminated | truncated


@KINDS
@pytest.mark.parametrize(("obs", "action"), [("rays", "continuous"), ("pixels", "discrete")])
def test_other_observations_and_actions(kind: type[SB3Learner], obs: str, action: str, tmp_path: Path) -> None:
    env = EnvConfig("RolledBehind", 1, obs=obs, action=kind.actions or action)
    few = {"rollout": 1, "envs": 2} if "replay_steps" in SMALL[kind] else {"rollout": 8, "batch": 32, "epochs": 1}
    made = learner(kind, env=env, **few)
    made.advance()
    made.save(tmp_path)
    other = learner(kind, seed=5, env=env, **few)
    other.load(tmp_path)
    assert made.advance() == other.advance()
    policy = made.policy()
    assert (policy.obs, policy.action) == (obs, env.action)
    made.export(tmp_path / "a.onnx")
    exported = OnnxAgent(tmp_path / "a.onnx")
    seen, _ = make(env, 4).vector.reset(seed=0)
    seeds, first = np.arange(4, dtype=np.uint64), np.ones(4, bool)
    for explore in (False, True):
        a, b = (agent.act(seen, agent.initial_state(seeds), first, explore)[0] for agent in (policy, exported))
        np.testing.assert_allclose(a, b, atol=1e-4)
    rows = np.concatenate([np.zeros((4, (made.stack - 1) * made.vec.size), seen.dtype), seen.reshape(4, -1)], axis=1)
    predicted, _ = made.model.predict(rows, None, first, deterministic=True)
    np.testing.assert_allclose(policy.act(seen, policy.initial_state(seeds), first)[0], predicted, atol=1e-5)


@pytest.mark.parametrize(("env", "frame"), [("Unblock", "room"), ("Detour", "agent")])
def test_slots_read_by_their_geometry(env: str, frame: str, tmp_path: Path) -> None:
    made = learner(PPOLearner, env=EnvConfig(env, 2), relational=frame, stack=1)
    before = weights(made)
    made.advance()
    assert any((before[name] != value).any() for name, value in weights(made).items() if "message" in name)
    made.export(tmp_path / "agent.onnx")
    envs = make(EnvConfig(env, 2), 8).vector
    obs, _ = envs.reset(seed=0)
    first = np.ones(8, bool)
    for policy in (OnnxAgent(tmp_path / "agent.onnx"), made.policy()):
        actions = policy.act(obs, policy.initial_state(np.arange(8)), first)[0]
        with torch.no_grad():
            logits = made.model.policy.get_distribution(torch.as_tensor(obs)).distribution.logits
        np.testing.assert_array_equal(actions, logits.argmax(-1).numpy())


def test_a_crate_in_any_direction_is_the_same_message() -> None:
    made = learner(PPOLearner, env=EnvConfig("Unblock", 2), relational="room", stack=1)
    extractor = made.model.policy.features_extractor
    layout = made.envs.layout
    row = torch.zeros(2, layout.size)
    row[:, layout.pose] = torch.tensor([0.0, 0.0, 1.0, 0.0])
    start = layout.boxes[0]
    row[:, start], row[:, start + 3], row[:, start + 5 : start + 7] = 1.0, 1.0, 0.1
    row[0, start + 1], row[1, start + 2] = 0.4, 0.4  # to the east, and to the north
    row[1, start + 3 : start + 5] = torch.tensor([0.0, 1.0])  # turned likewise
    heard: list[torch.Tensor] = []
    extractor.message.register_forward_hook(lambda module, given, messages: heard.append(messages[:, 1]))
    with torch.no_grad():
        extractor(row)
    torch.testing.assert_close(heard[0][0], heard[1][1])  # the first direction is east, the second north
    assert not torch.allclose(heard[0][1], heard[1][1])


@pytest.mark.parametrize(("env", "stack"), [(EnvConfig("Unblock", 2, obs="pixels"), 1), (EnvConfig("Unblock", 2), 2)])
def test_geometry_without_slots_is_refused(env: EnvConfig, stack: int) -> None:
    with pytest.raises(BadAgent, match="relational=room"):
        learner(PPOLearner, env=env, relational="room", stack=stack)


def test_rows_hold_the_last_observations_of_the_episode() -> None:
    vec, plain = RowVec(same_step(16), 4), SB3Vec(same_step(16))
    rng, size, ended = np.random.default_rng(0), vec.size, 0
    for one in (vec, plain):
        one.seed(3)
    rows, obs = vec.reset(), plain.reset()
    history = [[row] for row in obs]

    def row_of(seen: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.zeros(4 * size, np.float32), *seen])[-4 * size :]

    for _ in range(60):
        np.testing.assert_array_equal(rows, [row_of(seen) for seen in history])
        action = rng.integers(0, 4, 16)
        rows, _, done, infos = vec.step(action)
        obs, _, _, theirs = plain.step(action)
        for i in range(16):
            if done[i]:
                ended += 1
                last = row_of([*history[i], theirs[i]["terminal_observation"]])
                np.testing.assert_array_equal(infos[i]["terminal_observation"], last)
                assert infos[i]["TimeLimit.truncated"] == theirs[i]["TimeLimit.truncated"]
                history[i] = []
            history[i].append(obs[i])
    assert ended > 16 and vec.returns.episodes == ended


def test_a_time_limit_can_be_an_end_like_others() -> None:
    vec = RowVec(same_step(16), bootstrap=False)
    vec.reset()
    infos = [info for _ in range(30) for info in vec.step(np.full(16, 3))[3] if info]
    assert infos and not any(info["TimeLimit.truncated"] for info in infos)


# --- settings ------------------------------------------------------------------------------------------------


@KINDS
def test_the_learning_rate_changes_linearly(kind: type[SB3Learner]) -> None:
    made = learner(kind, lr=1e-2, lr_end=1e-3, anneal_steps=640)
    optimizer = next(iter(made.optimizers().values()))
    at = 0
    while made.steps < 960:
        at = (
            made.steps
        )  # on-policy learners count the steps before the rollout, the others those before the last update
        made.advance()
        rate = optimizer.param_groups[0]["lr"]
        low, high = (1e-2 + (1e-3 - 1e-2) * min(1, steps / 640) for steps in (made.steps, at))
        assert low - 1e-9 <= rate <= high + 1e-9
    assert rate == pytest.approx(1e-3)
    constant = learner(kind, lr=1e-2)
    constant.advance()
    assert next(iter(constant.optimizers().values())).param_groups[0]["lr"] == 1e-2


def test_the_entropy_weight_changes_linearly() -> None:
    made = learner(PPOLearner, entropy=0.1, entropy_end=0.02, anneal_steps=640)
    weights = []
    for _ in range(4):
        made.advance()
        weights.append(made.model.ent_coef)
    np.testing.assert_allclose(weights, [0.1, 0.06, 0.02, 0.02])


@pytest.mark.parametrize("obs", ["slots", "rays"])
@pytest.mark.parametrize("kind", [PPOLearner, PPOStackLearner, RecurrentPPOLearner])
def test_steps_without_effect_can_be_left_out(kind: type[SB3Learner], obs: str) -> None:
    made = learner(kind, env=EnvConfig("RolledBehind", 1, obs=obs), mask_idle=True)
    made.advance()
    layout, size, buffer = made.envs.layout, made.envs.observation.size, made.model.rollout_buffer
    acting = int(layout.acts(buffer.observations[:, -size:]).sum())
    assert 0 < acting < len(buffer.observations)
    batches = list(buffer.get(64))
    if kind is RecurrentPPOLearner:  # which sees the others, too
        assert sum(int(batch.mask.sum()) for batch in batches) == acting
        assert all(layout.acts(batch.observations)[batch.mask > 0].all() for batch in batches)
    else:
        assert sum(len(batch.observations) for batch in batches) == acting
    everywhere = learner(kind, env=EnvConfig("CartPole-v1"), mask_idle=True)  # which tells no phase
    everywhere.advance()
    assert sum(len(batch.observations) for batch in everywhere.model.rollout_buffer.get(64)) >= 320


def test_dqn_explores_in_each_environment_on_its_own() -> None:
    made = learner(DQNLearner, envs=200, epsilon=0.5, epsilon_end=0.5, random_steps=0, replay_steps=10_000)
    made.model.num_timesteps = 1
    with made.generators.active():
        greedy, _ = made.model.policy.predict(made.model._last_obs, deterministic=True)
        action, _ = made.model._sample_action(0, None, 200)
    assert 0.5 < (action == greedy).mean() < 0.75  # of the random actions one in four is greedy
    agent, n = made.policy(), 2_000
    obs = np.repeat(made.envs.vector.reset(seed=0)[0][:1], n, axis=0)
    state, first = agent.initial_state(np.arange(n, dtype=np.uint64)), np.ones(n, bool)
    best, sampled = (agent.act(obs, state, first, explore)[0] for explore in (False, True))
    assert abs((sampled == best).mean() - (1 - 0.5 * 3 / 4)) < 0.05


@pytest.mark.parametrize(
    ("kind", "env", "message"),
    [
        (DQNLearner, EnvConfig("RolledBehind", 1, action="continuous"), "dqn needs discrete actions, not action='continuous'"),
        (DQNLearner, EnvConfig("Pendulum-v1"), "dqn needs discrete actions; those of Pendulum-v1 are Box"),
        (SACLearner, EnvConfig("RolledBehind", 1, action="discrete"), "sac needs continuous actions, not action='discrete'"),
        (DQNLearner, EnvConfig(MONITOR), "dqn needs discrete actions; .*BlindMonitor has only continuous ones"),
        (SACLearner, EnvConfig("CartPole-v1"), r"sac needs continuous actions; those of CartPole-v1 are Discrete\(2\)"),
    ],
)  # fmt: skip
def test_unsuitable_actions_are_refused(kind: type[SB3Learner], env: EnvConfig, message: str) -> None:
    with pytest.raises(BadAgent, match=message):
        learner(kind, env=env)


def test_values_out_of_range_are_refused() -> None:
    for kind, wrong in (
        (PPOStackLearner, {"stack": 0}),
        (DQNLearner, {"replay_steps": 0}),
        (SACLearner, {"entropy": 0}),
    ):
        with pytest.raises(BadAgent, match=f"{next(iter(wrong))}=0.*: must be positive"):
            learner(kind, **wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"lr": -1.0}, "lr=-1.0.*must not be negative"), ({"lr_end": -1.0}, "lr_end=-1.0"), ({"gamma": 5.0}, "gamma=5.0: must be in 0..1")],
)  # fmt: skip
def test_a_learning_rate_or_discount_out_of_range_is_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(BadAgent, match=said):
        learner(PPOLearner, **wrong)


def test_much_memory_is_said() -> None:
    made = learner(DQNLearner, env=EnvConfig("RolledBehind", 1, obs="pixels"), replay_steps=50_000)
    assert made.notes == ("dqn stores up to 1.2 GB of observations; smaller settings need less",)


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


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "steps"), [(DQNLearner, 160_000), (PPOStackLearner, 300_000)])
def test_what_needs_no_memory_is_learned(kind: type[SB3Learner], steps: int) -> None:
    env = EnvConfig("RolledBehind", 0)
    made = kind(env)
    while made.steps < steps:
        made.advance()
    assert score(made.policy(), env, 300).episode_return > 0.7
