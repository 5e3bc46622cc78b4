"""Dreamer and mapper: exact resumption, equal decisions of ONNX and torch, training, bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.dreamer import DreamerLearner  # noqa: E402
from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.imagination import ImaginationLearner  # noqa: E402
from unseen.agents.mapper import MapperLearner  # noqa: E402
from unseen.agents.onnx.agent import OnnxAgent  # noqa: E402
from unseen.agents.protocol import WorldModel  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.sightings import hindsight  # noqa: E402

SMALL = {
    "envs": 8,
    "batch": 4,
    "prefill": 4,
    "actor_warmup_updates": 3,
    "imagination_starts": 8,
    "horizon": 4,
    "hidden": 32,
}
ENV = EnvConfig("RolledBehind", 1)
KINDS = pytest.mark.parametrize("kind", [DreamerLearner, MapperLearner])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(kind: type[ImaginationLearner] = MapperLearner, seed: int = 0, env: EnvConfig = ENV, **config: Any) -> Any:
    return kind(env, seed=seed, config={**SMALL, **config})


def trained(kind: type[ImaginationLearner] = MapperLearner, updates: int = 8, **config: Any) -> Any:
    made = learner(kind, **config)
    while made.updates < updates:
        made.advance()
    return made


def weights(made: ImaginationLearner) -> dict[str, np.ndarray]:
    parts = {"model": made.model, "ac": made.ac}
    return {f"{n}.{k}": v.numpy().copy() for n, p in parts.items() for k, v in p.state_dict().items()}


def assert_same(a: ImaginationLearner, b: ImaginationLearner) -> None:
    assert (a.steps, a.updates) == (b.steps, b.updates)
    left, right = weights(a), weights(b)
    for key in left:
        np.testing.assert_array_equal(left[key], right[key], err_msg=key)
    np.testing.assert_array_equal(a.collector.obs, b.collector.obs)


@pytest.mark.parametrize(("limit", "ends"), [("auto", True), ("ends", True), ("cuts", False)])
def test_a_time_limit_can_be_an_end_like_others(limit: str, ends: bool) -> None:
    made = learner(time_limit=limit)
    while made.replay.episodes < 40:
        made._collect()
    ended = made.replay.ring.everything()["terminated"].sum()
    assert ended == 40 if ends else 0 < ended < 40


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


@KINDS
def test_resume_is_exact(kind: type[DreamerLearner], tmp_path: Path) -> None:
    one = trained(kind)
    one.save(tmp_path)
    other = learner(kind, seed=99)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(3):
        assert one.advance() == other.advance()
    assert one.updates > SMALL["actor_warmup_updates"]  # the actor was learning too
    assert_same(one, other)


def test_same_seed_same_training_and_acting_does_not_disturb() -> None:
    one, other = learner(), learner()
    env = make(ENV, 4).vector
    for turn in range(4):
        one.advance()
        other.advance()
        if turn == 1:
            agent = one.policy()
            obs, _ = env.reset(seed=3)
            _, state = agent.act(obs, agent.initial_state(seeds(4)), np.ones(4, bool), explore=True)
            assert agent.imagine(state, 5) is not None and agent.belief(state) is not None
    assert_same(one, other)


@pytest.mark.parametrize("env", [ENV, EnvConfig("RolledBehind", 1, obs="rays", action="continuous")])
def test_resume_is_exact_with_other_observations_and_actions(env: EnvConfig, tmp_path: Path) -> None:
    one = trained(DreamerLearner, env=env)
    one.save(tmp_path)
    other = learner(DreamerLearner, seed=99, env=env)
    other.load(tmp_path)
    assert one.advance() == other.advance()
    assert_same(one, other)


@pytest.mark.parametrize(
    ("kind", "obs", "action"),
    [
        (DreamerLearner, "slots", "discrete"),
        (MapperLearner, "slots", "discrete"),
        pytest.param(MapperLearner, "slots", "continuous", marks=pytest.mark.slow),
        pytest.param(DreamerLearner, "rays", "continuous", marks=pytest.mark.slow),
        pytest.param(MapperLearner, "rays", "discrete", marks=pytest.mark.slow),
        pytest.param(DreamerLearner, "pixels", "discrete", marks=pytest.mark.slow),
    ],
)
def test_onnx_decides_and_imagines_as_torch(
    kind: type[ImaginationLearner], obs: str, action: str, tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    env = EnvConfig("RolledBehind", 1, obs=obs, action=action)
    made = trained(kind, updates=5, env=env)
    before = weights(made)
    path = tmp_path / "agent.onnx"
    made.export(path)
    assert all(np.array_equal(v, before[k]) for k, v in weights(made).items())
    assert all(f.stat().st_size <= 4 << 20 for f in (path, path.with_suffix(".imagine.onnx")))
    graph = onnx.load(path)
    for weights_of in graph.graph.initializer:
        weights_of.ClearField("raw_data")  # any bytes may be in these
    assert b".py" not in graph.SerializeToString(), "no path of the machine that made it"

    here, there = made.policy(), OnnxAgent(path)
    assert (here.obs, here.action) == (obs, action)
    there.scale = here.scale  # which its card would tell
    n = 6
    vector = make(env, n).vector
    seen, _ = vector.reset(seed=11)
    first, over = np.ones(n, bool), np.zeros(n, bool)
    a, b = here.initial_state(seeds(n)), there.initial_state(seeds(n))
    for step in range(45):  # longer than an episode: memories restart inside
        explore = step % 3 == 2
        x, a = here.act(seen, a, first, explore)
        y, b = there.act(seen, b, first, explore)
        np.testing.assert_allclose(x, y, atol=1e-4)
        np.testing.assert_allclose(a.latent, b.latent, atol=1e-3)
        seen, _, terminated, truncated, _ = vector.step(x)
        first, over = over, terminated | truncated
        b = b._replace(latent=a.latent, last=a.last)  # errors of rounding do not add up
    left, right = here.imagine(a, 5), there.imagine(b, 5)
    assert left is not None and right is not None
    for name in ("action", "reward", "cont", "xy", "pose"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=1e-3, err_msg=name)
    assert left.pose.shape == (n, 5, 0 if obs == "pixels" else 4)
    assert ((left.cont >= 0) & (left.cont <= 1)).all()
    if obs == "slots" or kind is MapperLearner:
        believed, exported = here.belief(a), there.belief(b)
        assert believed is not None and exported is not None and believed.xy.shape == (n, 3, 2)
        np.testing.assert_allclose(believed.xy, exported.xy, atol=1e-3)
    else:
        assert here.belief(a) is None and there.belief(b) is None


def test_an_exported_mapper_tells_where_its_map_puts_boxes(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    env = EnvConfig("Bedroom", 1)
    made = MapperLearner(env, config=SMALL)
    made.export(tmp_path / "agent.onnx")
    agent = OnnxAgent(tmp_path / "agent.onnx", env)
    obs, _ = make(env, 3).vector.reset(seed=0)
    _, state = agent.act(obs, agent.initial_state(seeds(3)), np.ones(3, bool))
    believed, layout = agent.belief(state), made.layout
    assert believed is not None and layout is not None
    kinds = layout.sizes.box_kinds
    assert believed.box_seen.shape == (3, kinds) and believed.box_xy.shape == (3, kinds, 2)
    with torch.no_grad():
        known, places = made.model.map(made.model.memory_of(torch.from_numpy(state.latent)))
    np.testing.assert_allclose(believed.box_seen, known[:, layout.colours :], atol=1e-4)
    np.testing.assert_allclose(believed.box_xy, layout.scale * places[:, layout.colours :, :2], atol=1e-4)


def test_the_targets_of_a_mapper_are_the_labels_of_its_map() -> None:
    made = learner()
    obs = np.stack([made.collector.obs, made.collector.obs[::-1]], 1)
    known, places, numbers = hindsight(obs.swapaxes(0, 1).copy(), np.full(len(obs), 2), made.layout)
    target = torch.from_numpy(made.targets(obs, np.full(len(obs), 2)))
    assert target.shape == (len(obs), 2, made.target_size())
    labels = made.model.map.labels(target)
    np.testing.assert_array_equal(labels[0], known.swapaxes(0, 1))
    np.testing.assert_array_equal(labels[1], places.swapaxes(0, 1))
    np.testing.assert_array_equal(labels[2], numbers.swapaxes(0, 1))


@KINDS
def test_the_model_keeps_the_contract_of_world_models(kind: type[ImaginationLearner]) -> None:
    model = learner(kind).model
    assert isinstance(model, WorldModel)
    obs = torch.from_numpy(make(ENV, 5).vector.reset(seed=0)[0])
    latent, action = torch.zeros(5, model.size), torch.eye(4)[[0, 1, 2, 3, 0]]
    noise = torch.full((5, model.groups), 0.5)
    after = model.observe(latent, action, model.encode(obs), torch.ones(5, 1), noise)
    ahead = model.imagine_step(after, action, noise)
    assert after.shape == ahead.shape == (5, model.size)
    assert model.reward(ahead).shape == model.continues(ahead).shape == (5,)
    assert model.decode(ahead).shape == obs.shape
    opened = model.observe(after, action, model.encode(obs), torch.zeros(5, 1), noise)
    torch.testing.assert_close(opened, model.observe(0 * after, 0 * action, model.encode(obs), torch.ones(5, 1), noise))


def test_training_lowers_the_losses() -> None:
    made = learner(DreamerLearner, actor_warmup_updates=10_000)
    while made.updates < 5:
        early = made.advance()
    while made.updates < 120:
        late = made.advance()
    assert late["recon"] < 0.6 * early["recon"]


def test_small_returns_leave_the_scale_of_values_alone_and_large_ones_do_not() -> None:
    made = trained(DreamerLearner)
    assert made.ac.twohot.scale == made.model.twohot.scale == 1
    pendulum = trained(DreamerLearner, env=EnvConfig("Pendulum-v1"), sequence=20)
    assert pendulum.ac.twohot.scale >= 4 and pendulum.model.twohot.scale == 1  # rewards to -16, without an end


@pytest.mark.parametrize("damage", ["missing", "truncated", "other settings", "other environment"])
def test_bad_checkpoints_are_named(damage: str, tmp_path: Path) -> None:
    learner().save(tmp_path)
    made = learner(horizon=5) if damage == "other settings" else learner()
    if damage == "other environment":
        made = learner(env=EnvConfig("RolledBehind", 2))
    for file in tmp_path.iterdir():
        if damage == "missing":
            file.unlink()
        elif damage == "truncated":
            file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BadCheckpoint, match=tmp_path.name):
        made.load(tmp_path)


def test_what_cannot_be_learned_is_named() -> None:
    with pytest.raises(BadAgent, match="colour"):
        learner(colour="red")
    with pytest.raises(BadAgent, match="mapper needs entity slots or rays"):
        learner(env=EnvConfig("CartPole-v1"))
    with pytest.raises(BadAgent, match="mapper learns from vectors, not from images"):
        learner(env=EnvConfig("RolledBehind", 1, obs="pixels"))
