"""Action heads, scalar heads and encoders."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

torch = pytest.importorskip("torch")

from unseen.agents.shared.actions import ContinuousActions, DiscreteActions, SquashedNormal, action_head  # noqa: E402
from unseen.agents.shared.actor_critic import ActorCritic, lambda_returns, largest_return  # noqa: E402
from unseen.agents.shared.encoders import Standardise, make_decoder, make_encoder, prepare  # noqa: E402
from unseen.agents.shared.envs import ObservationSpec, Rays  # noqa: E402
from unseen.agents.shared.nets import BINS, TwoHot, sample_one_hot, unimix  # noqa: E402

BOX = spaces.Box(np.array([-1, 0], np.float32), np.array([1, 5], np.float32))


def uniform(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


# --- actions -------------------------------------------------------------------------------------------------


def test_draws_follow_their_probabilities() -> None:
    probs = unimix(torch.tensor([2.0, 0.0, 1.0])).expand(20_000, 3)
    drawn = sample_one_hot(probs, uniform(20_000, 1))
    assert (drawn.sum(-1) == 1).all()
    torch.testing.assert_close(drawn.mean(0), probs[0], atol=0.015, rtol=0)
    assert sample_one_hot(probs[:1], torch.ones(1, 1)).sum() == 1  # even at the very end of the interval


@pytest.mark.parametrize("space", [spaces.Discrete(4), BOX])
def test_actions_survive_encoding_and_lie_in_their_space(space: spaces.Space) -> None:
    head = action_head(space)
    drawn = head.random(np.random.default_rng(0), 200)
    encoded = head.encode(torch.from_numpy(drawn))
    assert encoded.shape == (200, head.size) and encoded.abs().max() <= 1
    np.testing.assert_allclose(head.decode(encoded).numpy(), drawn, atol=1e-5)
    assert head.zeros(3).dtype == drawn.dtype and head.zeros(3).shape == (3, *drawn.shape[1:])
    policy = head.distribution(torch.randn(200, head.outputs) * 3)
    for action in (policy.mode(), policy.sample(uniform(200, head.noise))):
        for row in head.decode(action).numpy():
            assert space.contains(row)


def test_the_categorical_is_torchs() -> None:
    policy = DiscreteActions(4).distribution(torch.tensor([[2.0, 0.0, 1.0, -3.0]]))
    theirs = torch.distributions.Categorical(probs=policy.probs)
    torch.testing.assert_close(policy.entropy(), theirs.entropy())
    for k in range(4):
        one_hot = torch.eye(4)[None, k]
        torch.testing.assert_close(policy.log_prob(one_hot), theirs.log_prob(torch.tensor([k])))
    assert policy.mode().argmax() == 0


def test_the_squashed_normal_is_torchs() -> None:
    mean, log_std = torch.tensor([[0.3, -1.5]]), torch.tensor([[-1.0, 0.5]])
    policy = SquashedNormal(mean, log_std)
    inner = torch.distributions.Normal(mean, log_std.exp())
    theirs = torch.distributions.TransformedDistribution(inner, torch.distributions.transforms.TanhTransform())
    drawn = policy.sample(uniform(200_000, 4))
    torch.testing.assert_close(policy.log_prob(drawn[:50]), theirs.log_prob(drawn[:50]).sum(-1), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(policy.entropy()[0], -policy.log_prob(drawn).mean(), atol=0.01, rtol=0)
    torch.testing.assert_close(torch.atanh(drawn.clamp(-0.999999, 0.999999)).mean(0), mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(policy.mode(), torch.tanh(mean))


def test_the_squashed_normal_is_finite_at_its_edges() -> None:
    head = ContinuousActions(np.array([-1.0]), np.array([1.0]))
    outputs = torch.tensor([[50.0, 50.0], [-50.0, -50.0], [0.0, 0.0]], requires_grad=True)
    policy = head.distribution(outputs)
    for noise in (torch.zeros(3, 2), torch.full((3, 2), 1 - 2**-24)):
        action = policy.sample(noise).detach()
        assert action.isfinite().all()
        loss = (policy.log_prob(action) + policy.entropy()).sum()
        (gradient,) = torch.autograd.grad(loss, outputs, retain_graph=True)
        assert loss.isfinite() and gradient.isfinite().all()


# --- scalars -------------------------------------------------------------------------------------------------


def learned(head: TwoHot, value: float) -> float:
    logits = torch.zeros(1, BINS, requires_grad=True)
    optimiser = torch.optim.Adam([logits], 0.2)
    for _ in range(300):
        optimiser.zero_grad()
        head.loss(logits, torch.tensor([value])).sum().backward()
        optimiser.step()
    return head.mean(logits).item()


def test_two_hot_mean_of_its_target_is_the_value() -> None:
    head = TwoHot()
    for value in (-3.0, 0.0, 0.7, 1.0, 20.0):
        assert learned(head, value) == pytest.approx(value, abs=0.03 + 0.03 * abs(value))
    assert learned(head, 420.0) < 54  # it ends here, until told of larger values


def test_two_hot_makes_room_for_larger_values() -> None:
    head = TwoHot()
    for magnitude in (0.0, 1.0, 33.4, 53.0):
        head.extend_range(magnitude)
        assert head.scale == 1  # what is learned on small returns does not change by a bit
    head.extend_range(500.0)
    assert head.scale == 16
    head.extend_range(60.0)
    assert head.scale == 16  # it never shrinks
    for value in (-300.0, 0.0, 33.0, 420.0):
        assert learned(head, value) == pytest.approx(value, abs=1 + 0.03 * abs(value))
    again = TwoHot()
    again.load_state_dict(head.state_dict())
    assert again.scale == 16


@pytest.mark.parametrize(
    ("reward", "terminated", "expected"),
    [
        ([0.0, 0.0, 1.0], True, 1.0),
        ([0.0, 0.0, -1000.0], True, 1000.0),
        ([1.0] * 500, True, 10.0),
        ([1.0] * 5, False, 10.0),  # cut off by time, it would have gone on
        ([0.0] * 5, False, 0.0),
    ],
)
def test_the_largest_return_is_that_of_the_data(reward: list[float], terminated: bool, expected: float) -> None:
    assert largest_return(reward, terminated, 0.9) == pytest.approx(expected, rel=1e-3)


def test_lambda_returns() -> None:
    reward, discount, value = torch.rand(3, 5, 2, generator=torch.Generator().manual_seed(1))
    last = reward[4] + discount[4] * value[4]
    before = reward[3] + discount[3] * (0.25 * value[3] + 0.75 * last)
    targets = lambda_returns(reward, discount, value, 0.75)
    assert targets.shape == (4, 2)
    torch.testing.assert_close(targets[3], last)
    torch.testing.assert_close(targets[2], before)


def test_the_target_critic_follows_and_returns_are_scaled() -> None:
    ac = ActorCritic(3, DiscreteActions(2), 8)
    with torch.no_grad():
        ac.critic[-1].bias.fill_(1.0)
    ac.update_target(0.25)
    torch.testing.assert_close(ac.target_critic[-1].bias, torch.full((BINS,), 0.25))
    assert ac.return_scale(torch.zeros(100), 0.1) == pytest.approx(0.1)
    for _ in range(1000):
        scale = ac.return_scale(torch.linspace(0, 10, 1001), 0.1)
    assert scale == pytest.approx(9.0, abs=0.01)


# --- encoders ------------------------------------------------------------------------------------------------

OBSERVATIONS = {
    "row": ObservationSpec((7,)),
    "wide row": ObservationSpec((7,), use_symlog=True),
    "rays": ObservationSpec((20,), rays=Rays(5, 4, 3, 6.0)),
    "image": ObservationSpec((64, 64, 3), image=True),
    "odd image": ObservationSpec((50, 37, 1), image=True),
}


@pytest.mark.parametrize("observation", OBSERVATIONS.values(), ids=OBSERVATIONS)
def test_encoders_and_decoders_have_the_shapes_of_their_observation(observation: ObservationSpec) -> None:
    obs = torch.randint(0, 256, (2, 3, *observation.shape)).to(torch.uint8 if observation.image else torch.float32)
    prepared = prepare(obs, observation)
    encoder = make_encoder(observation, 16)
    assert encoder(prepared).shape == (2, 3, 16)
    torch.testing.assert_close(encoder(prepared)[1, 2], encoder(prepared[1, 2][None])[0], atol=1e-5, rtol=1e-4)
    decoder = make_decoder(16, 16, observation)
    predicted = decoder(torch.randn(2, 3, 16))
    assert predicted.shape == decoder.target(prepared).shape == obs.shape
    torch.testing.assert_close(decoder.inverse(decoder.target(prepared)), obs.float(), atol=1e-3, rtol=1e-4)


def test_every_ray_and_the_rest_of_the_row_are_seen() -> None:
    encoder = make_encoder(OBSERVATIONS["rays"], 16)
    obs = torch.randn(1, 20, requires_grad=True)
    encoder(obs).square().sum().backward()
    assert (obs.grad != 0).all()


def test_standardise_has_the_mean_and_deviation_of_all_rows_whatever_the_parts() -> None:
    rows = torch.randn(1000, 3) * torch.tensor([1.0, 50.0, 0.01]) + torch.tensor([0.0, -7.0, 3.0])
    whole, parts = Standardise(3), Standardise(3)
    whole.update(rows)
    for part in rows.split([1, 9, 490, 500]):
        parts.update(part)
    for made in (whole, parts):
        torch.testing.assert_close(made.mean, rows.mean(0), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(made.std, rows.std(0, correction=0), atol=1e-5, rtol=1e-4)
    out = whole(rows)
    torch.testing.assert_close(out.mean(0), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(out.std(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)
    assert float(whole(torch.tensor([0.0, 1e9, 3.0])).max()) == 10.0


def test_standardise_leaves_constants_at_zero_and_finite() -> None:
    made = Standardise(1)
    made.update(torch.full((5, 1), 2.0))
    assert float(made(torch.tensor([2.0]))) == 0 and torch.isfinite(made(torch.tensor([3.0]))).all()
