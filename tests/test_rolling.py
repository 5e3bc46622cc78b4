"""The learned model of rolling discs: what it finds in the data, what its examples say, and what its probabilities count."""

from __future__ import annotations

import copy
import math

import pytest

torch = pytest.importorskip("torch")

from slot_search import learner, stored  # noqa: E402

from unseen.agents.models.changes import IGNORED  # noqa: E402
from unseen.agents.models.tokens import tokens  # noqa: E402
from unseen.agents.shared.envs import EnvConfig  # noqa: E402
from unseen.agents.slot_search import SlotSearchLearner  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


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
    present = ball.others(at) > 0.5
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
