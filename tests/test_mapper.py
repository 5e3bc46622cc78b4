"""Mapper: what each part of its model learns from, poses, and that it learns what its actions do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.errors import BadAgent  # noqa: E402
from unseen.agents.mapper import MapperLearner  # noqa: E402
from unseen.agents.models.mapped import move, moved  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.sightings import LABELS  # noqa: E402

SMALL = {"envs": 8, "batch": 8, "prefill": 16, "actor_warmup_updates": 10_000, "hidden": 32, "transitions": 256}
ENV = EnvConfig("RolledBehind", 1)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def after(updates: int, env: EnvConfig = ENV, **config: Any) -> MapperLearner:
    made = MapperLearner(env, config=SMALL | config)
    while made.updates < updates:
        made.advance()
    return made


def batch_of(made: MapperLearner) -> dict[str, Any]:
    sample = made.replay.sample(made.rng, 8, 1000)
    return {name: torch.as_tensor(value) for name, value in sample.items()}


numbers = st.integers(-1000, 1000).map(lambda n: n / 1000)
angles = numbers.map(lambda x: np.pi * x)


@settings(deadline=None)
@given(numbers, numbers, angles, numbers, numbers, angles)
def test_a_change_of_pose_moves_one_pose_to_the_other(
    x: float, y: float, angle: float, ax: float, ay: float, after: float
) -> None:
    pose = torch.tensor([x, y, np.cos(angle), np.sin(angle)], dtype=torch.float64)
    ahead = torch.tensor([ax, ay, np.cos(after), np.sin(after)], dtype=torch.float64)
    torch.testing.assert_close(move(pose, moved(pose, ahead)), ahead)


def test_a_step_ahead_is_the_same_change_wherever_the_agent_looks() -> None:
    a, b = torch.tensor([0.0, 0.0, 1.0, 0.0]), torch.tensor([0.3, -0.2, 0.0, 1.0])
    torch.testing.assert_close(moved(a, torch.tensor([0.12, 0.0, 1.0, 0.0])), torch.tensor([1.2, 0.0, 0.0, 0.0]))
    torch.testing.assert_close(moved(b, torch.tensor([0.3, -0.08, 0.0, 1.0])), torch.tensor([1.2, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize("sensor", ["slots", "rays"])
@pytest.mark.parametrize("kind", ["hindsight", "last-seen"])
def test_the_map_learns_the_labels_that_are_chosen(kind: str, sensor: str) -> None:
    made = after(1, EnvConfig("RolledBehind", 1, obs=sensor), map=kind)
    obs, length = made.replay.running_obs(np.ones(made.config.envs, bool))
    assert length.min() > 1
    columns = made.targets(obs, length)
    rays = made.envs.observation.rays
    assert (rays is None) == (sensor == "slots") and made.layout is not None
    known, places, numbers = LABELS[kind](np.ascontiguousarray(obs.swapaxes(0, 1)), length, made.layout, rays)
    k = known.shape[-1]
    np.testing.assert_array_equal(columns[..., :k], known.swapaxes(0, 1))
    np.testing.assert_allclose(columns[..., k : 4 * k], places.swapaxes(0, 1).reshape(*columns.shape[:2], -1))
    np.testing.assert_allclose(columns[..., 4 * k :], numbers.swapaxes(0, 1))


@pytest.mark.parametrize("kind", ["hindsight", "none"])
def test_with_a_map_the_memory_learns_from_the_map_alone(kind: str) -> None:
    made = after(1, map=kind)
    model, batch = made.model, batch_of(made)
    made._update()  # the heads start from zero, and then nothing reaches the memory
    latent = model.observe_episodes(batch["obs"])
    t, row = made._transitions(batch)
    before = latent[t, row].detach() if kind == "hindsight" else latent[t, row]
    ahead = {name: batch[name][t + 1, row] for name in ("obs", "reward", "terminated")}
    action = made.head.encode(batch["action"])[t + 1, row]
    model.zero_grad()
    sum(loss.mean() for loss in model.losses(before, action, ahead).values()).backward()
    touched = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.memory.parameters()]
    assert any(touched) == (kind == "none")
    if model.map is None:
        return
    assert not any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.map.parameters())
    model.map.loss(model.memory_of(latent), *model.map.labels(batch["targets"])).sum().backward()
    assert all(bool(p.grad.abs().sum() > 0) for p in model.memory.parameters())


def test_transitions_are_those_in_which_an_action_has_an_effect() -> None:
    made = after(1)
    batch = batch_of(made)
    t, row = made._transitions(batch)
    assert len(t) == SMALL["transitions"]
    assert made.layout.acts(batch["obs"][t, row]).all() and (batch["mask"][t + 1, row] > 0).all()


def test_it_learns_what_its_actions_do() -> None:
    """On held-out steps the predicted pose is three times closer, in the median, than the present one, after 250 updates."""
    made = after(250)
    fresh = MapperLearner(ENV, seed=99, config=SMALL | {"prefill": 10**9})
    while fresh.replay.episodes < 40:
        fresh.advance()
    made.replay = fresh.replay
    batch = batch_of(made)
    with torch.no_grad():
        latent = made.model.observe_episodes(batch["obs"])
        t, row = made._transitions(batch)
        going_on = batch["terminated"][t + 1, row] == 0
        t, row = t[going_on], row[going_on]
        action = made.head.encode(batch["action"])[t + 1, row]
        told = made.model.pose(made.model.imagine_step(latent[t, row], action, latent[:0]), made.layout)
    now, ahead = (batch["obs"][step, row][:, made.layout.pose] for step in (t, t + 1))
    acted = (ahead - now).abs().sum(-1) > 0
    error, change = ((x - ahead)[acted].norm(dim=-1).median() for x in (told, now))
    assert error < change / 3


def test_without_a_map_it_learns_any_vector_and_images_are_refused() -> None:
    made = after(3, EnvConfig("CartPole-v1"), map="none")
    obs, _ = make(EnvConfig("CartPole-v1"), 2).vector.reset(seed=0)
    actions, _ = made.policy().act(obs, made.policy().initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool))
    assert actions.shape == (2,)
    with pytest.raises(BadAgent, match="not from images"):
        MapperLearner(EnvConfig("RolledBehind", 1, obs="pixels"), config={"map": "none"})
