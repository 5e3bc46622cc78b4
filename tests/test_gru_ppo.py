"""GRU-PPO with and without a map: whole episodes, advantages, exact resumption, export, learning, bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.errors import BadAgent  # noqa: E402
from unseen.agents.gru_ppo import GRUMapperLearner, GRUPPOLearner  # noqa: E402
from unseen.agents.onnx.agent import OnnxAgent  # noqa: E402
from unseen.agents.shared.actions import action_head  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.episodes import Episodes, advantages, play  # noqa: E402
from unseen.train.heldout import score  # noqa: E402

SMALL = {"envs": 8, "batch": 4, "epochs": 2, "hidden": 16, "map_batches": 2, "map_warmup": 2}
ENV = EnvConfig("RolledBehind", 1)
KINDS = pytest.mark.parametrize("kind", [GRUPPOLearner, GRUMapperLearner])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(kind: type[GRUPPOLearner] = GRUMapperLearner, seed: int = 0, env: EnvConfig = ENV, **more: Any) -> Any:
    return kind(env, seed=seed, config=SMALL | more)


def weights(made: GRUPPOLearner) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in made.net.state_dict().items()}


def assert_same(one: GRUPPOLearner, other: GRUPPOLearner) -> None:
    left, right = weights(one), weights(other)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def test_every_episode_is_whole_and_as_if_played_alone() -> None:
    made = make(EnvConfig("Rex", 2), 8)
    head = action_head(made.vector.single_action_space)

    def choose(obs: np.ndarray, rows: np.ndarray) -> tuple[Any, Any, Any]:
        action = torch.eye(head.size)[rows % head.size]
        return action, torch.zeros(len(rows)), torch.as_tensor(obs[:, 0])

    played = play(made, head, choose, seed=5, limit=1000)
    assert played.alive.sum() == played.steps and len(played.reward) == played.length.max()
    for i in range(8):
        alone = make(EnvConfig("Rex", 2), 1).vector
        obs, _ = alone.reset(seed=5 + i)
        for t in range(played.length[i]):
            np.testing.assert_array_equal(played.obs[t, i], obs[0])
            assert played.value[t, i] == obs[0, 0]
            obs, reward, terminated, truncated, _ = alone.step(np.array([i % head.size]))
            assert played.reward[t, i] == np.float32(reward[0])
            assert bool(terminated[0] | truncated[0]) == (t + 1 == played.length[i])
        np.testing.assert_array_equal(played.obs[played.length[i], i], obs[0])
        assert played.terminated[i] == terminated[0]
        assert not played.obs[played.length[i] + 1 :, i].any()


def test_episodes_are_cut_off_at_the_limit() -> None:
    made = make(EnvConfig("Rex", 2), 4)
    head = action_head(made.vector.single_action_space)
    played = play(made, head, lambda obs, rows: (torch.eye(head.size)[rows * 0], rows * 0.0, rows * 0.0), 0, limit=7)
    assert played.length.tolist() == [7] * 4 and not played.terminated.any()


def test_advantages_are_discounted_sums_of_rewards_and_values() -> None:
    reward = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]], np.float32)
    value = np.array([[0.5, 0.1], [0.2, 0.3], [0.7, 9.0]], np.float32)
    played = Episodes(
        np.zeros((4, 2, 1)),
        np.zeros((3, 2, 1)),
        value * 0,
        value,
        reward,
        np.array([3, 2]),
        np.array([3, 2]),
        np.array([True, False]),
    )
    after = np.array([100.0, 10.0], np.float32)  # counts only where an episode was cut off
    out = advantages(played, after, gamma=0.5, lam=1.0)
    np.testing.assert_allclose(out[:, 0] + value[:, 0], [1 + 1.5 + 1.25, 3 + 2.5, 5])
    np.testing.assert_allclose(out[:2, 1] + value[:2, 1], [2 + 2 + 2.5, 4 + 5])
    assert out[2, 1] == 0
    one_step = advantages(played, after, gamma=0.5, lam=0.0)
    np.testing.assert_allclose(one_step[:, 0], [1 + 0.1 - 0.5, 3 + 0.35 - 0.2, 5 - 0.7], rtol=1e-5)


@KINDS
def test_resume_is_exact(kind: type[GRUPPOLearner], tmp_path: Path) -> None:
    one = learner(kind)
    one.advance()
    one.save(tmp_path)
    other = learner(kind, seed=5)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(2):
        torch.rand(3)  # what others draw does not matter
        assert one.advance() == other.advance()
    assert one.iterations == 3 and one.steps == other.steps
    assert_same(one, other)


@KINDS
def test_the_seed_decides_and_acting_does_not_disturb(kind: type[GRUPPOLearner]) -> None:
    one, same, other = learner(kind), learner(kind), learner(kind, seed=1)
    for _ in range(2):
        figures = [made.advance() for made in (one, same, other)]
        assert figures[0] == figures[1] != figures[2]
        score(one.policy(), ENV, 4)


@pytest.mark.parametrize(
    ("kind", "env"),
    [
        (GRUPPOLearner, ENV),
        (GRUMapperLearner, ENV),
        (GRUMapperLearner, EnvConfig("Bedroom", 2)),
        (GRUMapperLearner, EnvConfig("Rex", 3, action="continuous")),
        (GRUMapperLearner, EnvConfig("Cups", 1, obs="rays")),
        (GRUPPOLearner, EnvConfig("RolledBehind", 1, obs="rays", action="continuous")),
        (GRUPPOLearner, EnvConfig("RolledBehind", 1, obs="pixels")),
        (GRUPPOLearner, EnvConfig("CartPole-v1")),
        (GRUPPOLearner, EnvConfig("Pendulum-v1")),
    ],
    ids=lambda part: getattr(part, "label", None) or part.__name__,
)
def test_it_trains_and_onnx_decides_as_torch(kind: type[GRUPPOLearner], env: EnvConfig, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    made = learner(kind, env=env)
    for _ in range(3):
        figures = made.advance()
    assert all(np.isfinite(list(figures.values())))
    made.export(tmp_path / "agent.onnx")
    ours, exported = made.policy(), OnnxAgent(tmp_path / "agent.onnx", None)
    test_env = make(env, 4).vector
    seen, _ = test_env.reset(seed=0)
    first, seeds = np.ones(4, bool), np.arange(4, dtype=np.uint64)
    mine, yours = ours.initial_state(seeds), exported.initial_state(seeds)
    for _ in range(12):
        for explore in (True, False):
            a, after = ours.act(seen, mine, first, explore)
            b, after_exported = exported.act(seen, yours, first, explore)
            np.testing.assert_allclose(a, b, atol=1e-4)
        mine, yours = after, after_exported
        np.testing.assert_allclose(mine.latent, yours.latent, atol=1e-4)
        belief, other = ours.belief(mine), exported.belief(yours)
        assert (belief is None) == (other is None) == (kind is GRUPPOLearner)
        if belief is not None and other is not None:
            np.testing.assert_allclose(belief.xy, other.xy * made.envs.layout.scale, atol=1e-3)
        seen, _, terminated, truncated, _ = test_env.step(a)
        first = terminated | truncated


def test_the_step_of_the_graph_is_the_gru_of_training() -> None:
    net = learner().net
    obs = torch.rand(9, 3, *net.observation.shape)
    memory = torch.zeros(3, net.size)
    with torch.no_grad():
        whole = net.remember(obs)
        for t in range(9):
            memory = net.step(obs[t], memory)
            np.testing.assert_allclose(memory, whole[t], atol=1e-5)


def test_the_policy_waits_for_the_map_and_does_not_shape_it() -> None:
    made = learner(map_warmup=10**6)
    before = weights(made)
    made.advance()
    after = weights(made)
    changed = {name.partition(".")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"standardise", "gru", "map"}
    net = made.net
    net.zero_grad()
    inputs = net.inputs(torch.rand(5, net.size), torch.rand(5, *net.observation.shape))
    net.actor(inputs).sum().backward()
    assert all(p.grad is None for p in net.map.parameters())


def test_bad_settings_are_refused() -> None:
    with pytest.raises(BadAgent, match="none, last-seen, hindsight"):
        learner(map="magic")
    with pytest.raises(BadAgent, match="epochs=0: must be positive"):
        learner(epochs=0)
    with pytest.raises(BadAgent, match="entity slots or rays"):
        learner(env=EnvConfig("RolledBehind", 1, obs="pixels"))
    with pytest.raises(BadAgent, match="entity slots or rays"):
        learner(env=EnvConfig("CartPole-v1"))


@pytest.mark.slow
def test_it_learns_to_remember() -> None:
    made = GRUMapperLearner(ENV)
    while made.steps < 170_000:
        made.advance()
    assert score(made.policy(), ENV, 300).episode_return > 0.8
