"""The world-model agents: exact resume, the same decisions in ONNX as in torch, the map's targets, bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.dreamer import DreamerLearner  # noqa: E402
from unseen.agents.errors import BadCheckpoint  # noqa: E402
from unseen.agents.mapper import MapperLearner  # noqa: E402
from unseen.agents.mental_map import last_seen, map_size, map_targets  # noqa: E402
from unseen.agents.nets import TwoHot, draw, mixed_probs  # noqa: E402
from unseen.agents.onnx_agent import OnnxAgent  # noqa: E402
from unseen.envs.planar.layout import (
    Layout,
    Sizes,  # noqa: E402
)
from unseen.envs.suite import make_vec  # noqa: E402

SMALL = {"envs": 8, "batch": 4, "prefill": 4, "patience": 3, "starts": 8, "horizon": 4, "deter": 32, "hidden": 32}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(kind: type[DreamerLearner] = MapperLearner, seed: int = 0, **config: Any) -> DreamerLearner:
    return kind("RolledBehind", 1, seed=seed, config={**SMALL, **config})


def trained(kind: type[DreamerLearner] = MapperLearner, updates: int = 8) -> DreamerLearner:
    made = learner(kind)
    while made.updates < updates:
        made.advance()
    return made


def weights(made: DreamerLearner) -> dict[str, np.ndarray]:
    parts = {"model": made.model, "ac": made.ac}
    return {f"{n}.{k}": v.numpy().copy() for n, p in parts.items() for k, v in p.state_dict().items()}


def assert_same(a: DreamerLearner, b: DreamerLearner) -> None:
    assert (a.steps, a.updates) == (b.steps, b.updates)
    left, right = weights(a), weights(b)
    for key in left:
        np.testing.assert_array_equal(left[key], right[key], err_msg=key)
    np.testing.assert_array_equal(a.obs, b.obs)


@pytest.mark.parametrize("kind", [DreamerLearner, MapperLearner])
def test_resume_is_exact(kind: type[DreamerLearner], tmp_path: Path) -> None:
    one = trained(kind)
    one.save(tmp_path)
    other = learner(kind, seed=99)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(3):
        assert one.advance() == other.advance()
    assert one.updates > SMALL["patience"]  # the actor was learning too
    assert_same(one, other)


def test_same_seed_same_training_and_acting_does_not_disturb() -> None:
    one, other = learner(), learner()
    env = make_vec("RolledBehind", 4, level=1)
    for turn in range(4):
        one.advance()
        other.advance()
        if turn == 1:
            agent = one.policy()
            obs, _ = env.reset(seed=3)
            agent.act(obs, agent.initial_state(4), np.ones(4, bool), explore=True)
    assert_same(one, other)


@pytest.mark.parametrize("kind", [DreamerLearner, MapperLearner])
def test_onnx_decides_as_torch_over_whole_episodes(kind: type[DreamerLearner], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from unseen.agents.onnx_agent import OnnxAgent

    made = trained(kind)
    before = weights(made)
    path = tmp_path / "agent.onnx"
    made.export(path)
    assert all(np.array_equal(v, before[k]) for k, v in weights(made).items())
    files = [path, path.with_suffix(".imagine.onnx")]
    assert all(f.stat().st_size <= 2 << 20 for f in files)

    here, there = made.policy(), OnnxAgent(path, "RolledBehind", 1)
    here.seed(5)
    there.seed(5)  # both draw the same noise
    n = 6
    env = make_vec("RolledBehind", n, level=1)
    obs, _ = env.reset(seed=11)
    first = np.ones(n, bool)
    a, b = here.initial_state(n), there.initial_state(n)
    for _ in range(45):  # longer than an episode: memories restart inside
        x, a = here.act(obs, a, first)
        y, b = there.act(obs, b, first)
        np.testing.assert_array_equal(b.last, y)
        np.testing.assert_array_equal(x, y)
        np.testing.assert_allclose(a.latent, b.latent, atol=1e-4)
        assert there.belief(b)["xy"].shape[0] == n
        obs = env.step(x)[0]
        first = np.asarray(env.world["t"] == 0)


def test_onnx_imagines_as_torch(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    import onnxruntime

    made = trained()
    made.export(tmp_path / "agent.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "agent.imagine.onnx"))
    rng = np.random.default_rng(0)
    n, model = 3, made.model
    state = np.zeros((n, model.feat), np.float32)
    h, z = torch.zeros(n, model.deter), torch.zeros(n, model.stoch)
    for _ in range(10):
        action = rng.integers(0, made.actions, n)
        noise = rng.random((n, model.groups), dtype=np.float32)
        out = session.run(None, {"state": state, "action": action, "noise": noise})
        got = dict(zip([o.name for o in session.get_outputs()], out, strict=True))
        with torch.no_grad():
            onehot = torch.nn.functional.one_hot(torch.as_tensor(action), made.actions).float()
            h, z = model.imagine_step(h, z, onehot, torch.as_tensor(noise)[..., None])
            feat = torch.cat([h, z], -1)
            reward = model.twohot.mean(model.reward(feat)).numpy()
        np.testing.assert_allclose(got["new_state"][:, : model.feat], feat.numpy(), atol=1e-4)
        np.testing.assert_allclose(got["reward"], reward, atol=1e-4)
        assert ((got["continue"] >= 0) & (got["continue"] <= 1)).all()
        state = got["new_state"]


def rows(layout: Layout, sightings: list[list[tuple[int, list[float], int | None]]]) -> np.ndarray:
    """One episode (1, T, d): at each step (slot, [x, y, vx, vy], colour or None where it does not show)."""
    obs = np.zeros((1, len(sightings), layout.size), np.float32)
    start, _, width = layout.discs
    for t, step in enumerate(sightings):
        for slot, numbers, colour in step:
            at = start + slot * width
            obs[0, t, at] = 1
            obs[0, t, at + 1 : at + 5] = numbers
            if colour is not None:
                obs[0, t, at + 5 + colour] = 1
    return obs


def layout(order: str, frame: str, **sizes: int) -> Layout:
    return Layout(Sizes(colours=3, box_slots=2, disc_slots=2, **sizes), scale=2.5, order=order, frame=frame)


def test_last_seen_holds_what_has_gone_and_follows_colours_not_slots() -> None:
    lay = layout("distance", "room")
    obs = rows(lay, [[(0, [0.1, 0.2, 1, 0], 2)], [], [(0, [0.5, 0.5, 0, 0], 0), (1, [0.3, 0.2, 0, 0], 2)], []])
    seen = last_seen(obs, lay)[0][0]
    np.testing.assert_allclose(seen[1], seen[0])
    np.testing.assert_allclose(seen[1, 2], [1, 0.1, 0.2, 1, 0])
    np.testing.assert_allclose(seen[3, 2], [1, 0.3, 0.2, 0, 0])
    np.testing.assert_allclose(seen[3, 0], [1, 0.5, 0.5, 0, 0])
    assert not seen[:, 1].any()


def test_last_seen_takes_nothing_whose_colour_does_not_show() -> None:
    lay = layout("distance", "room")
    assert not last_seen(rows(lay, [[(0, [0.1, 0.2, 0, 0], None)]]), lay)[0].any()


def test_last_seen_turns_ego_frames_into_the_room() -> None:
    lay = layout("distance", "ego")
    obs = rows(lay, [[(0, [0.5, 0.0, 0.2, 0.0], 1)]])
    obs[0, 0, lay.pose] = [0.1, -0.2, 0.0, 1.0]  # heading up: ahead is +y
    np.testing.assert_allclose(last_seen(obs, lay)[0][0, 0, 1], [1, 0.1, 0.3, 0.0, 0.2], atol=1e-6)


def test_way_to_asked_leads_from_the_present_place_and_hides_with_it() -> None:
    lay = layout("colour", "room")
    obs = rows(lay, [[(0, [0.4, 0.1, 0, 0], 0)], [], []])
    obs[0, :, lay.query.start] = 1
    obs[0, [0, 2], lay.pose.start : lay.pose.stop] = [0.1, 0.1, 1, 0]
    way = map_targets(obs, lay)[0, :, -3:]
    np.testing.assert_allclose(way[2], [1, 0.3, 0.0], atol=1e-6)
    assert not way[1].any()  # blackout: the pose does not show


def test_a_thing_with_its_own_slot_keeps_its_place_and_the_colour_it_once_showed() -> None:
    lay = layout("index", "room")
    obs = rows(lay, [[(1, [0.4, 0.1, 0, 0], 2)], [(1, [0.5, 0.1, 0, 0], None)], []])
    obs[0, :, lay.query.start + 2] = 1  # the colour that only the first step told is asked for
    obs[0, :, 2] = 1
    drawn = map_targets(obs, lay)[0]
    assert drawn.shape[-1] == map_size(lay) == 2 * 5 + 2 * 3 + 3
    np.testing.assert_allclose(drawn[2, 5:10], [1, 0.5, 0.1, 0, 0])
    np.testing.assert_allclose(drawn[2, 13:16], [0, 0, 1])
    np.testing.assert_allclose(drawn[2, -3:], [1, 0.5, 0.1], atol=1e-6)


def test_kinds_of_tall_things_are_remembered_in_the_dark() -> None:
    lay = layout("colour", "room", box_kinds=4, asks=4)
    obs = rows(lay, [[], [], []])
    start, _, width = lay.tall
    obs[0, 0, start + width : start + width + 3] = [1, 0.2, -0.3]
    obs[0, 0, start + width + 3 + 1] = 1  # slot 1 holds a thing of kind 1
    obs[0, :, lay.query.start + 1] = 1
    obs[0, :, :4] = [0.1, 0.1, 1, 0]
    drawn = map_targets(obs, lay)[0]
    np.testing.assert_allclose(drawn[2, 15 + 3 : 15 + 6], [1, 0.2, -0.3], atol=1e-6)
    np.testing.assert_allclose(drawn[2, -3:], [1, 0.1, -0.4], atol=1e-6)


def test_the_map_of_the_shell_game_follows_the_cup() -> None:
    n = 200
    env = make_vec("Cups", n, level=1)
    obs, _ = env.reset(seed=5)
    assert env.layout is not None and env.layout.covers == (1,)
    seen, at = [obs], []
    stay = np.full(n, list(env.task.actions).index("stay"))
    while not (obs[:, env.layout.phase][:, 2] > 0.5).all():  # nobody walks, so that no episode ends before all act
        at.append(env.world["disc_x"][np.arange(n), (env.world["disc_colour"] == 0).argmax(1)].copy())
        obs, *_ = env.step(stay)
        seen.append(obs)
    ball = map_targets(np.stack(seen[:-1], 1), env.layout)[..., 1] * env.layout.scale
    np.testing.assert_allclose(ball, np.stack(at, 1), atol=0.05)
    assert (np.ptp(ball[:, 6:], axis=1) > 0.3).mean() > 0.3  # it did go elsewhere under its cup


def test_an_exported_mapper_tells_where_its_map_puts_tall_things(tmp_path: Path) -> None:
    made = MapperLearner("Bedroom", 1, config=SMALL)
    made.export(tmp_path / "agent.onnx")
    assert b".py" not in (tmp_path / "agent.onnx").read_bytes(), "no path of the machine that made it"
    agent = OnnxAgent(tmp_path / "agent.onnx", "Bedroom", 1)
    env = make_vec("Bedroom", 3, level=1)
    obs, _ = env.reset(seed=0)
    _, state = agent.act(obs, agent.initial_state(3), np.ones(3, bool))
    believed = agent.belief(state)
    kinds = env.task.sizes(env.params.values()).box_kinds
    assert believed["tall_seen"].shape == (3, kinds) and believed["tall_xy"].shape == (3, kinds, 2)
    lay = made.layout
    assert lay is not None
    with torch.no_grad():
        drawn = made.model.map(torch.from_numpy(state.latent)).numpy()
    first = map_size(lay) - 3 - 3 * kinds  # the places, before the way to what is asked
    np.testing.assert_allclose(believed["tall_seen"], drawn[:, first:-3:3], atol=1e-4)


def test_training_lowers_the_losses() -> None:
    made = learner(patience=10_000)
    while made.updates < 5:
        early = made.advance()
    while made.updates < 120:
        late = made.advance()
    assert late["recon"] < 0.6 * early["recon"]


@pytest.mark.parametrize("damage", ["missing", "truncated", "other settings"])
def test_bad_checkpoints_are_named(damage: str, tmp_path: Path) -> None:
    learner().save(tmp_path)
    made = learner(horizon=5) if damage == "other settings" else learner()
    for file in tmp_path.iterdir():
        if damage == "missing":
            file.unlink()
        elif damage == "truncated":
            file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BadCheckpoint, match=tmp_path.name):
        made.load(tmp_path)


def test_unknown_settings_are_named() -> None:
    with pytest.raises(Exception, match="colour"):
        learner(colour="red")


def test_draws_follow_their_probabilities() -> None:
    probs = mixed_probs(torch.tensor([2.0, 0.0, 1.0])).expand(20_000, 3)
    uniform = torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0))
    drawn = draw(probs, uniform)
    assert (drawn.sum(-1) == 1).all()
    torch.testing.assert_close(drawn.mean(0), probs[0], atol=0.015, rtol=0)
    assert draw(probs[:1], torch.ones(1, 1)).sum() == 1  # even at the very end of the interval


def test_two_hot_mean_of_its_target_is_the_value() -> None:
    head = TwoHot()
    for value in (-3.0, 0.0, 0.7, 1.0, 20.0):
        logits = torch.zeros(1, 41, requires_grad=True)
        optimiser = torch.optim.Adam([logits], 0.2)
        for _ in range(300):
            optimiser.zero_grad()
            head.loss(logits, torch.tensor([value])).sum().backward()
            optimiser.step()
        assert head.mean(logits).item() == pytest.approx(value, abs=0.03 + 0.03 * abs(value))
