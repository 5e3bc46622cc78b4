"""JEPA: embeddings that do not collapse, equal passes, memory, exact resumption, ONNX as torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.jepa_mpc import JEPAMPCLearner  # noqa: E402
from unseen.agents.load import load_agent  # noqa: E402
from unseen.agents.models.jepa import JEPA, JEPASizes  # noqa: E402
from unseen.agents.models.sigreg import SIGReg  # noqa: E402
from unseen.agents.onnx.planner import OnnxPlanner  # noqa: E402
from unseen.agents.protocol import WorldModel  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, ObservationSpec, make  # noqa: E402
from unseen.train.cli import main  # noqa: E402

SMALL = {
    "envs": 8, "batch": 4, "prefill": 4, "actor_warmup_updates": 3, "imagination_starts": 8, "horizon": 4, "context": 32, "hidden": 32,
    "embedding": 16, "roll_outs": 8, "roll_out_steps": 6, "imagined": 24, "depth": 3,
}  # fmt: skip
ENV = EnvConfig("RolledBehind", 1)
OTHERS = [EnvConfig("RolledBehind", 1, obs="rays", action="continuous"), EnvConfig("CartPole-v1")]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def learner(env: EnvConfig = ENV, seed: int = 0, **config: Any) -> JEPAMPCLearner:
    return JEPAMPCLearner(env, seed=seed, config={**SMALL, **config})


def trained(env: EnvConfig = ENV, updates: int = 8, **config: Any) -> JEPAMPCLearner:
    made = learner(env, **config)
    while made.updates < updates:
        made.advance()
    return made


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


def test_sigreg_tells_a_normal_distribution_from_others() -> None:
    sigreg, directions = SIGReg(), torch.randn(8, 64)
    normal = torch.randn(4000, 8)
    one_axis = normal * torch.tensor([1.0, *[0.0] * 7])
    values = [float(sigreg(x, directions)) for x in (normal, 0.5 * normal, one_axis, 0 * normal)]
    assert values[0] < 0.002 and values == sorted(values) and values[-1] > 0.3
    assert values[0] == pytest.approx(float(sigreg(normal, 7 * directions)))  # directions have no length


@pytest.mark.parametrize("weight", [0.0, 10.0])
def test_embeddings_collapse_without_the_regulariser_and_not_with_it(weight: float) -> None:
    """A walk in the plane is predicted without heads, so that nothing but the regulariser needs it to be seen."""
    model = JEPA(ObservationSpec((2,)), 2, JEPASizes(context=32, embedding=8, hidden=32))
    optimizer, sigreg = torch.optim.Adam(model.parameters(), 3e-3), SIGReg()

    def spread(learns: int) -> float:
        for _ in range(learns):
            action = torch.randn(12, 32, 2)
            percept, latent = model.observe_episodes(0.3 * action.cumsum(0), action)
            predicted, _ = model.roll_out(latent[0], action[1:])
            flat = percept.flatten(0, 1)
            loss = model.prediction_loss(predicted, percept[1:]).mean() + weight * sigreg(flat, torch.randn(8, 16))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            return float(model.encode(torch.randn(500, 2)).std(0).mean())

    before, after = spread(0), spread(150)
    assert after > 0.5 if weight else after < 0.2 * before


@pytest.mark.parametrize("env", [ENV, *OTHERS], ids=lambda env: env.obs or env.label)
def test_parallel_and_stepwise_passes_are_equal(env: EnvConfig) -> None:
    made = learner(env)
    model, head = made.model, made.head
    steps, n = 7, 5
    obs = torch.from_numpy(np.stack([make(env, n).vector.reset(seed=k)[0] for k in range(steps)]))
    action = head.encode(torch.from_numpy(np.stack([head.random(made.rng, n) for _ in range(steps)])))
    action[0] = 0
    noise = torch.zeros(n, model.groups)
    with torch.no_grad():
        _, latents = model.observe_episodes(obs, action)
        latent = torch.rand(n, model.size)  # of an episode before, which is forgotten
        for t in range(steps):
            keep = torch.full((n, 1), float(t > 0))
            latent = model.observe(latent, action[t], model.encode(obs[t]), keep, noise)
            torch.testing.assert_close(latent, latents[t], atol=1e-5, rtol=1e-4)
        _, ahead = model.roll_out(latent, action[1:])
        for t in range(1, steps):
            latent = model.imagine_step(latent, action[t], noise)
            torch.testing.assert_close(latent, ahead[t - 1], atol=1e-5, rtol=1e-4)


def test_the_model_keeps_the_contract_of_world_models() -> None:
    model = learner().model
    assert isinstance(model, WorldModel)
    obs = torch.from_numpy(make(ENV, 5).vector.reset(seed=0)[0])
    action, noise = torch.eye(4)[[0, 1, 2, 3, 0]], torch.zeros(5, 0)
    latent = model.observe(torch.zeros(5, model.size), action, model.encode(obs), torch.ones(5, 1), noise)
    ahead = model.imagine_step(latent, action, noise)
    assert latent.shape == ahead.shape == (5, model.size)
    assert model.reward(ahead).shape == model.continues(ahead).shape == (5,)
    assert model.decode(ahead) is None


def test_the_own_state_is_observed_exactly_and_asks_the_map() -> None:
    made = learner()
    obs = torch.from_numpy(make(ENV, 5).vector.reset(seed=0)[0])
    model, layout = made.model, made.layout
    assert layout is not None and model.map is not None
    zeros = torch.zeros(5, model.size)
    latent = model.observe(zeros, torch.zeros(5, 4), model.encode(obs), torch.zeros(5, 1), torch.zeros(5, 0))
    torch.testing.assert_close(model.pose(latent, layout), obs[:, layout.pose])
    looked_up = model.map.look_up(latent[:, : model.context], obs)
    torch.testing.assert_close(model.actor_input(latent), torch.cat([latent, looked_up], -1))


def test_a_roll_out_stays_inside_of_its_episode() -> None:
    made = learner()
    seen = torch.arange(9)[:, None] < torch.tensor([9, 4, 2, 1])
    t, row, inside = made._roll_out_steps(seen)
    assert t.shape == row.shape == inside.shape == (SMALL["roll_out_steps"], SMALL["roll_outs"])
    assert inside[0].all(), "the first step is always one of the episode's"
    assert seen[t, row][inside].all() and (t[0] > 0).all() and (row < 3).all()
    length = torch.tensor([9, 4, 2, 1])[row[0]]
    assert torch.equal(inside.sum(0), (length - t[0]).clamp(max=SMALL["roll_out_steps"]))


def assert_same(a: JEPAMPCLearner, b: JEPAMPCLearner) -> None:
    assert (a.steps, a.updates) == (b.steps, b.updates)
    for part in ("model", "ac"):
        left, right = getattr(a, part).state_dict(), getattr(b, part).state_dict()
        for name in left:
            np.testing.assert_array_equal(left[name].numpy(), right[name].numpy(), err_msg=name)


@pytest.mark.parametrize("env", [ENV, OTHERS[0]], ids=lambda env: env.obs or env.label)
def test_resume_is_exact(env: EnvConfig, tmp_path: Path) -> None:
    one = trained(env)
    one.save(tmp_path)
    other = learner(env, seed=99)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(2):
        torch.rand(3)  # what others draw does not matter
        assert one.advance() == other.advance()
    assert one.updates > SMALL["actor_warmup_updates"]  # the actor was learning too
    assert_same(one, other)


def test_it_learns_where_hidden_things_are() -> None:
    made = learner(actor_warmup_updates=10_000, batch=16)
    while made.updates < 8:
        early = made.advance()
    while made.updates < 120:
        late = made.advance()
    for loss in ("map", "imagined_map", "prediction"):
        assert late[loss] < 0.7 * early[loss], loss
    assert late["spread"] > early["spread"]


def test_an_episode_does_not_depend_on_its_batch() -> None:
    agent = trained(updates=4).policy()
    played = []
    for rows in (1, 7):
        vector = make(ENV, rows).vector
        obs, _ = vector.reset(seed=20)
        state, first, taken = agent.initial_state(20 + seeds(rows)), np.ones(rows, bool), []
        for _ in range(14):  # into the act phase
            actions, state = agent.act(obs, state, first, explore=True)
            taken.append((actions[0], state.now.state[0].tobytes()))
            obs, *_ = vector.step(actions)
            first = np.zeros(rows, bool)
        assert state.searches.any()
        played.append(taken)
    assert played[0] == played[1]


@pytest.mark.parametrize(
    ("env", "config"),
    [
        (ENV, {}),
        pytest.param(ENV, {"map": "none"}, marks=pytest.mark.slow),
        pytest.param(OTHERS[0], {"imagined": 0}, marks=pytest.mark.slow),
    ],
)
def test_onnx_decides_and_imagines_as_torch(env: EnvConfig, config: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    made = trained(env, updates=5, **config)
    path = tmp_path / "agent.onnx"
    made.export(path)
    card = {"agent": made.name, "obs": env.obs, "action": env.action, "config": {**SMALL, **config}}
    path.with_suffix(".json").write_text(json.dumps(card))
    ours, exported = made.policy(), load_agent(str(path), env.name, env.level)
    assert isinstance(exported, OnnxPlanner) and exported.search == ours.search
    n = 5
    vector = make(env, n).vector
    obs, _ = vector.reset(seed=3)
    first, mine, yours = np.ones(n, bool), ours.initial_state(seeds(n)), exported.initial_state(seeds(n))
    for _ in range(16):
        actions, mine = ours.act(obs, mine, first)
        same, yours = exported.act(obs, yours, first)
        np.testing.assert_allclose(actions, same, atol=1e-3)
        np.testing.assert_allclose(mine.now.state, yours.now.state, atol=1e-3)
        obs, _, terminated, truncated, _ = vector.step(actions)
        first = terminated | truncated
    assert mine.searches.any() == bool(ours.search.imagined)
    left, right = ours.imagine(mine, 5), exported.imagine(yours, 5)
    assert left is not None and right is not None
    for name in ("xy", "pose", "reward", "cont"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=1e-3, err_msg=name)
    believed, other = ours.belief(mine), exported.belief(yours)
    assert (believed is None) == (made.model.map is None) == (other is None)
    if believed is not None and other is not None:
        np.testing.assert_allclose(believed.xy, other.xy, atol=1e-3)


@pytest.mark.slow
def test_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    monkeypatch.setattr("unseen.train.trainer.FINAL_EPISODES", 5)
    settings = [f"{name}={value}" for name, value in SMALL.items()]
    sized = ["--eval-episodes", "5", "--quiet", "--out", str(tmp_path), "--set", *settings]
    assert main(["train", "jepa-mpc", "RolledBehind", "--level", "1", *sized, "--steps", "1200"]) == 0
    assert main(["train", "jepa-mpc", "RolledBehind", "--level", "1", *sized, "--steps", "1600", "--resume"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["steps"] >= 1600 and np.isfinite([row.get("prediction", 0.0) for row in rows]).all()
    for imagined in ("0", "16"):
        assert (
            main(["evaluate", str(tmp_path), "RolledBehind", "--level", "1", "--episodes", "4", "--imagined", imagined])
            == 0
        )
