"""Slot-search: the model is exact where the world is, resumption is exact, ONNX plans as torch, nothing privileged is read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from slot_search import ENV, SMALL, learner, stored  # noqa: E402

from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.load import load_agent  # noqa: E402
from unseen.agents.models.changes import IGNORED, cross_entropy  # noqa: E402
from unseen.agents.models.tokens import Tokens, geometry, tokens  # noqa: E402
from unseen.agents.onnx.planner import OnnxPlanner  # noqa: E402
from unseen.agents.protocol import WorldModel  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.slot_search import SlotSearchLearner  # noqa: E402
from unseen.train.heldout import score  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def assert_same(one: SlotSearchLearner, other: SlotSearchLearner) -> None:
    left, right = one.model.state_dict(), other.model.state_dict()
    for name in left:
        np.testing.assert_array_equal(left[name].numpy(), right[name].numpy(), err_msg=name)


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


def test_resume_is_exact(tmp_path: Path) -> None:
    one = learner()
    one.advance()
    one.advance()  # with search
    one.save(tmp_path)
    other = learner(seed=5)  # whatever it was made with is replaced
    other.load(tmp_path)
    for _ in range(2):
        torch.rand(3)  # what others draw does not matter
        assert one.advance() == other.advance()
    assert one.steps == other.steps
    assert_same(one, other)


def test_the_seed_decides_and_acting_does_not_disturb() -> None:
    one, same, other = learner(), learner(), learner(seed=1)
    for _ in range(2):
        figures = [made.advance() for made in (one, same, other)]
        assert figures[0] == figures[1] != figures[2]
        score(one.policy(), ENV, 3)


@pytest.mark.parametrize("env", [ENV, EnvConfig("Unblock", 1), EnvConfig("Ramps", 1)], ids=lambda env: env.label)
def test_onnx_plans_as_torch_and_is_bounded_by_its_card(env: EnvConfig, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    made = learner(env)
    made.advance()
    figures = made.advance()
    assert all(np.isfinite(list(figures.values())))
    path = tmp_path / "agent.onnx"
    made.export(path)
    path.with_suffix(".json").write_text(json.dumps({"agent": "slot-search", "config": SMALL}))
    ours, exported = made.policy(), load_agent(str(path), env.name, env.level)
    assert isinstance(exported, OnnxPlanner) and exported.search == ours.search
    n = 6
    vector = make(env, n).vector
    obs, _ = vector.reset(seed=3)
    first, mine, yours = np.ones(n, bool), ours.initial_state(seeds(n)), exported.initial_state(seeds(n))
    for _ in range(25):
        actions, mine = ours.act(obs, mine, first)
        same, yours = exported.act(obs, yours, first)
        np.testing.assert_array_equal(actions, same)
        np.testing.assert_allclose(mine.now.place, yours.now.place, atol=1e-4)
        obs, _, terminated, truncated, _ = vector.step(actions)
        first = terminated | truncated
    assert mine.searches.any()
    left, right = ours.imagine(mine, 5), exported.imagine(yours, 5)
    assert left is not None and right is not None
    for name in ("xy", "pose", "reward", "cont", "action"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=1e-4, err_msg=name)
    belief, other = ours.belief(mine), exported.belief(yours)
    assert belief is not None and other is not None
    np.testing.assert_allclose(belief.xy, other.xy, atol=1e-4)
    fewer = load_agent(str(path), env.name, env.level, imagined=7)
    assert isinstance(fewer, OnnxPlanner) and fewer.imagined == 7
    path.with_suffix(".json").write_text(json.dumps({"config": {"imagined": "many"}}))
    with pytest.raises(BadCheckpoint, match="imagined"):
        load_agent(str(path), env.name, env.level)


def test_an_episode_does_not_depend_on_its_batch() -> None:
    made = learner()
    made.advance()
    agent = made.policy()
    played = []
    for rows in (1, 7):
        vector = make(ENV, rows).vector
        obs, _ = vector.reset(seed=20)
        state, first, taken = agent.initial_state(20 + seeds(rows)), np.ones(rows, bool), []
        for _ in range(8):
            actions, state = agent.act(obs, state, first)
            taken.append(actions[0])
            obs, *_ = vector.step(actions)
            first = np.zeros(rows, bool)
        played.append(taken)
    assert played[0] == played[1]


@pytest.mark.parametrize("env", [ENV, EnvConfig("Unblock", 1)], ids=lambda env: env.label)
def test_steps_and_changes_found_describe_what_happens(env: EnvConfig) -> None:
    made = learner(env, envs=60, updates=1)
    made.advance()
    (state, action, after), model = stored(made), made.model
    assert bool(model.turns) == (env.name == "Detour")
    names = list(made.envs.vector.task.actions)
    assert [name for name, step in zip(names, model.steps, strict=True) if bool((step == 0).all())] == ["stay"]
    torch.testing.assert_close(model.steps.norm(dim=-1)[:3], model.step.expand(3), atol=1e-3, rtol=0)
    found = model.agent_changes
    apart = (model.agent_change(state, action, after)[:, None] - found.codes[found.known]).abs().sum(-1).amin(-1)
    assert (apart < 0.1).float().mean() > 0.9
    if env.name == "Unblock":
        assert (apart < 1e-5).float().mean() > 0.999
        assert int(found.known.sum()) <= 7, "one class for all directions: step, push, bump, and four ways to stay"
        assert model.movable.tolist() == [True] * 3 + [False] * 10  # the crates, found from the data
        assert int(model.box_changes.known.sum()) == 2, "pushed, or not"


def test_a_push_is_learned_for_all_directions_at_once() -> None:
    env = EnvConfig("Unblock", 1)
    fit = learner(env, envs=60, updates=300, batch=128, message=32, hidden=32)
    fit.advance()
    held = learner(env, seed=9, envs=30, updates=1)
    held.advance()
    state, action, after = stored(held)
    with torch.no_grad():
        guess, _ = fit.model.predict(state, action)
    moved = fit.model.box_change(state, after).abs().amax((1, 2)) > 0.01
    right = (fit.model.places(guess) - fit.model.places(after)).abs().amax(-1) < 0.1
    assert moved.sum() > 20 and right[moved].float().mean() > 0.85 and right.float().mean() > 0.95


def test_passing_through_a_thin_wall_is_seen() -> None:
    one = torch.ones(1, 2)
    upright, zero = torch.tensor([[[1.0, 0.0]]]).expand(1, 2, 2), torch.zeros(1, 1, 2)
    wall = torch.tensor([[[0.5, 0.0]]]), torch.tensor([[[0.01, 1.0]]])  # half a step ahead
    at = Tokens(one, torch.cat([zero, wall[0]], 1), upright, torch.cat([zero, wall[1]], 1), torch.zeros(1, 2, 0))
    largest = slice(10, 13)  # of the distances outside of the wall now, and after one and two steps
    for ahead, expected in (([1.0, 0.0], [0.49, -0.51, -1.0]), ([-1.0, 0.0], [0.49, 1.49, 2.49])):
        seen = geometry(at, torch.zeros(1, dtype=torch.long), torch.tensor([ahead]), torch.ones(()))
        torch.testing.assert_close(seen[0, 0, 1, largest], torch.tensor(expected))


def test_a_round_ends_when_the_model_is_good_enough() -> None:
    assert learner(updates=70).advance()["updates"] == 70
    assert learner(updates=70, loss_target=1e3).advance()["updates"] == 50


def test_it_fits_what_it_sees_and_predicts_held_out_steps() -> None:
    fit = learner(EnvConfig("Detour", 1), envs=150, updates=200, batch=64, message=32, hidden=32, lr=8e-3)
    assert not fit.model.agent_changes.known.any()
    fit.advance()
    held = learner(EnvConfig("Detour", 1), seed=9, envs=50, updates=1)
    held.advance()
    state, action, after = stored(held)
    with torch.no_grad():
        guess, log_prob = fit.model.predict(state, action)
    error = (guess[:, :2] - after[:, :2]).abs().amax(-1)
    assert (error < 0.03).float().mean() > 0.7 and log_prob.max() <= 0


def test_the_model_keeps_the_contract_of_world_models() -> None:
    model = learner().model
    assert isinstance(model, WorldModel)
    obs = torch.from_numpy(make(ENV, 5).vector.reset(seed=0)[0])
    action, none = torch.eye(4)[[0, 1, 2, 3, 0]], torch.zeros(5, 0)
    latent = model.observe(torch.rand(5, model.size), action, model.encode(obs), torch.zeros(5, 1), none)
    torch.testing.assert_close(latent, obs)
    ahead = model.imagine_step(latent, action, none)
    assert ahead.shape == obs.shape == model.decode(ahead).shape
    assert model.reward(ahead).shape == model.continues(ahead).shape == (5,)


def test_what_is_out_of_view_stays_where_it_was_seen() -> None:
    model = learner().model
    seen = torch.rand(3, model.size)
    boxes, discs = model.layout.boxes, model.layout.discs
    for start, count, width in (boxes, discs):
        seen[:, start : start + count * width : width] = 1
    now = seen.clone() * 0.5
    for start, count, width in (boxes, discs):
        now[:, start : start + count * width : width] = 1
        now[:, start + width - 1 : start + count * width : width] = 1  # of the last colour
    now[0, discs[0] :] = 0  # out of sight
    after = model.remember(seen, now)
    torch.testing.assert_close(after[0, discs[0] :], seen[0, discs[0] :])
    torch.testing.assert_close(after[0, : discs[0]], now[0, : discs[0]])
    torch.testing.assert_close(after[1:], now[1:])


def test_a_box_that_goes_from_where_one_stands_is_forgotten() -> None:
    model = learner().model
    seen = torch.rand(3, model.size)
    start, count, width = model.layout.boxes
    seen[:, start : start + count * width : width] = 1
    for axis in (0, 1):
        seen[:, start + 1 + axis : start + count * width : width] = seen[:, axis : axis + 1]  # all of them here
    seen[2, start + 1 : start + count * width : width] += 0.3  # these are farther away, perhaps out of sight
    now = seen.clone()
    now[:, start : start + count * width] = 0
    now[1, 0] += 0.1  # this one has walked on: perhaps something stands in the way
    after = model.boxes(model.remember(seen, now))
    assert not after[0].any()
    torch.testing.assert_close(after[1:], model.boxes(seen)[1:])


def test_what_is_asked_for_is_known_by_its_colour() -> None:
    """Where slots are not those of colours, the query names another slot."""
    layout = make(EnvConfig("Rex", 1), 1).layout
    assert layout is not None and layout.order == "index"
    start, count, width = layout.discs
    state = torch.zeros(1, layout.size)
    state[0, layout.query.start + 1] = 1
    for slot, colour in ((0, 1), (1, 0)):
        state[0, start + slot * width] = state[0, start + slot * width + 5 + colour] = 1
    first = 1 + layout.sizes.box_slots
    assert tokens(layout, state).kind[0, first : first + count, -1].tolist() == [1, 0]


def test_it_reads_observations_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made = learner()
    made.advance()
    kind = type(made.envs.vector)

    def privileged(self: Any) -> None:
        raise AssertionError("the true state was read")

    monkeypatch.setattr(kind, "world", property(privileged))
    monkeypatch.setattr(kind, "snapshot", privileged)
    made.advance()
    assert made.envs.obs_mode == "slots"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadAgent, match="entity slots"):
        learner(EnvConfig("CartPole-v1"))
    with pytest.raises(BadAgent, match="entity slots"):
        learner(EnvConfig("RolledBehind", 1, obs="rays"))
    with pytest.raises(BadAgent, match="ego frame"):
        learner(EnvConfig("Detour", 3))
    with pytest.raises(BadAgent, match="discrete actions"):
        learner(EnvConfig("Detour", 1, action="continuous"))
    with pytest.raises(BadAgent, match="imagine"):
        learner(imagine=3)


def test_a_batch_in_which_nothing_is_known_of_a_launch_is_no_loss() -> None:
    """A few steps of blocks that all roll: their launches have no label, and the mean over none was NaN."""
    made = learner(EnvConfig("RolledBehind", 1), envs=10, random_episodes=50, updates=20)
    figures = made.advance()
    assert figures["launches"] >= 0 and all(math.isfinite(value) for value in figures.values())
    none = torch.full((4,), IGNORED)
    logits = torch.randn(4, 3, requires_grad=True)
    cross_entropy(logits, none).backward()  # type: ignore[no-untyped-call]
    assert float(cross_entropy(logits, none).detach()) == 0 and logits.grad is not None and not logits.grad.any()


@pytest.mark.slow
def test_it_learns_to_plan() -> None:
    made = SlotSearchLearner(ENV, config={"random_episodes": 200})
    while made.rounds < 5:
        made.advance()
    agent = made.policy()
    assert score(agent, ENV, 100).episode_return > 0.8
