"""Slot-search: the model is exact where the world is, resumption is exact, ONNX plans as torch, nothing privileged is read."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.load import load_agent  # noqa: E402
from unseen.agents.models.changes import IGNORED, cross_entropy  # noqa: E402
from unseen.agents.models.tokens import Tokens, geometry, tokens  # noqa: E402
from unseen.agents.onnx.planner import OnnxPlanner  # noqa: E402
from unseen.agents.protocol import WorldModel  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.slot_search import SlotSearchLearner  # noqa: E402
from unseen.train.heldout import score  # noqa: E402

SMALL = {
    "envs": 8,
    "random_episodes": 8,
    "updates": 5,
    "batch": 16,
    "message": 8,
    "hidden": 8,
    "imagined": 60,
    "plans": 2,
}
ENV = EnvConfig("Detour", 1)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(env: EnvConfig = ENV, seed: int = 0, **config: Any) -> SlotSearchLearner:
    return SlotSearchLearner(env, seed=seed, config=SMALL | config)


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


def stored(made: SlotSearchLearner) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """States, one-hot actions and next states in the replay."""
    data = made._data()
    return data["state"], torch.nn.functional.one_hot(data["action"], made.actions).float(), data["after"]


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


def test_how_a_ball_rolls_is_found_and_deflectors_are_built() -> None:
    env = EnvConfig("Ramps", 1)
    fit = learner(env, envs=150, updates=400, batch=128, message=32, hidden=32)
    fit.advance()
    model = fit.model
    assert model.parts().rolling == (0,) and bool(model.idle), "the ball; what is done while it rolls has no effect"
    ball = model.rolling[0]
    assert int(ball.start) == 1, "it starts from the launcher"
    assert int(ball.launches.known.sum()) == 3, "as many as powers"
    assert model.building.slots.nonzero()[:, 0].tolist() == [6] and int(model.building.contents.known.sum()) == 3
    speeds = ball.speeds[ball.known]
    torch.testing.assert_close(speeds[:, 0] ** 2 * 4**2 / 8 / 2.1, ball.ranges[ball.known], atol=0.02, rtol=0)
    held = learner(env, seed=9, envs=60, updates=1)
    held.advance()
    state, action, after = stored(held)
    with torch.no_grad():
        guess, _ = model.predict(state, action)
    rolled, built = ball.rolled(state, after), model.building.changed(model.boxes(state), model.boxes(after)).any(-1)
    right = (model.places(guess) - model.places(after)).abs().amax(-1) < 0.1
    assert rolled.sum() > 50 and right[rolled].float().mean() > 0.95
    assert built.sum() > 20 and right[built].float().mean() > 0.8


@pytest.fixture(scope="module")
def ramps() -> SlotSearchLearner:
    torch.set_num_threads(1)
    fit = learner(EnvConfig("Ramps", 1), envs=60, updates=1, batch=16)
    fit.advance()
    return fit


@pytest.mark.parametrize(("kind", "least"), [((0.4, 0.0, 0.0), -0.02), ((0.4, 0.0, 1.0), 0.005)])
def test_a_meeting_that_a_disc_has_rolled_through_is_refuted(
    kind: tuple[float, ...], least: float, ramps: SlotSearchLearner
) -> None:
    """Also for a wall beside it, and for a stop or deflection that its kind has never been seen to cause."""
    model = copy.deepcopy(ramps.model)
    ball = model.rolling[0]
    slot = int(ball.meetings.known.sum())
    ball.meetings.codes[slot], ball.meetings.known[slot] = torch.tensor(kind), True
    state, action, after = stored(ramps)
    segments = model.segments(state, action, after)[0]
    at = tokens(model.layout, state[segments.row])
    _, along, half = ball.token_features(at, segments.xy, segments.ahead, model.step)
    point, length = along - half + kind[0], segments.length[:, None]
    through = (point > least) & ((point < length - 0.02) | (along < length - 0.005))
    clear = (point < least) | ((point > length) & (along > length))
    walls = slice(segments.label.shape[1] - 4, None)
    both = [0, 0]
    for row, token in (segments.label[:, walls] == 0).nonzero().tolist():
        k = walls.start + token
        logits = torch.full((2, segments.label.shape[1], 1 + len(ball.meetings.codes)), -20.0)
        logits[..., 0] = 0
        logits[:, k, 1 + slot] = 9
        ball.meets.forward = lambda _, logits=logits: logits  # type: ignore[method-assign]
        one = type(segments)(*(part[row : row + 1].clone() for part in segments))
        one.label[one.label > 0] = IGNORED
        loss = float(ball.losses(state[one.row], one, model.step))
        if bool(through[row, k]):
            both[0] += 1
            assert loss > 0.5
        elif bool(clear[row, k]):
            both[1] += 1
            assert loss < 0.01
        if min(both) > 20:
            return
    raise AssertionError(f"too few examples: {both}")


def test_a_disc_that_rests_where_it_would_roll_on_has_been_stopped(ramps: SlotSearchLearner) -> None:
    model, (ball, *_) = ramps.model, ramps.model.rolling
    state, action, after = stored(ramps)
    undisturbed = ball.free_motion(ball.speed(state))[0]
    rolled = (ball.slot(after) - ball.slot(state))[:, 1:3].norm(dim=-1)
    rows = (ball.speed(state) > 0.1) & (ball.speed(after) > 0.1) & ((rolled - undisturbed).abs() < 1e-3)
    assert rows.sum() > 20
    state, action, after = state[rows], action[rows], after[rows]
    unhindered = model.segments(state, action, after)[0]
    assert not (unhindered.label > 0).any()
    start = model.layout.discs[0]
    after[:, start + 3 : start + 5] = 0  # at rest, at the same place
    stopped = model.segments(state, action, after)[0]
    changed = (stopped.label != unhindered.label).sum(-1)
    assert (changed == 1).all(), "one thing stopped it"


def test_what_a_thing_behind_would_do_changes_no_probability(ramps: SlotSearchLearner) -> None:
    """The probability of a roll counts only what would happen on the way; what is ahead lowers it."""
    model = copy.deepcopy(ramps.model)
    ball = model.rolling[0]
    ball.meetings.known[:], ball.meetings.codes[:] = True, torch.tensor([0.1, 0.0, 0.0])  # all are stops
    state = stored(ramps)[0][:50]
    at = tokens(model.layout, state)
    xy, ahead, left = torch.zeros(50, 2), torch.tensor([[1.0, 0.0]]).repeat(50, 1), torch.full((50,), 0.3)
    where = ball.token_features(at, xy, ahead, model.step)[1:]
    point = where[0] - where[1] + 0.1
    present = ball._others(at) > 0.5
    behind = present & (point < -0.02)
    near = present & (point > -0.02) & (point < 0.29)
    for chosen, low in ((behind, 0.0), (near & ~behind, math.log(1 - 0.4))):
        logits = torch.full((*present.shape, 1 + len(ball.meetings.codes)), -30.0)
        logits[..., 0] = 0
        logits[chosen] = torch.tensor([0.6, *[0.4 / len(ball.meetings.codes)] * len(ball.meetings.codes)]).log()
        ball.meets.forward = lambda _, logits=logits: logits  # type: ignore[method-assign]
        way, hits, _, _, log_prob = ball._first_meeting(
            at, xy, ahead, left, torch.ones(50, dtype=torch.bool), model.step
        )
        assert not hits.any() and (way == left).all()
        assert chosen.sum() > 5
        torch.testing.assert_close(log_prob, low * chosen.sum(-1).float(), atol=1e-5, rtol=1e-4)


def test_where_nothing_rolls_nothing_is_imagined_of_it() -> None:
    made = learner()
    made.advance()
    assert made.model.parts().rolling == ()
    assert made.model.acts(torch.rand(3, made.model.size), made.model.parts()).tolist() == [1, 1, 1]


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
