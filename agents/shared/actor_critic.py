"""Actor and critic for learning in imagined roll-outs (Hafner et al. 2023), with the normalisation of returns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unseen.agents.shared.actions import ActionHead, Distribution
from unseen.agents.shared.nets import BINS, TwoHot, mlp

SCALE_RATE = 0.01  # update rate of the running percentiles of returns


class ActorCritic(nn.Module):
    """Actor, critic and target critic on inputs of size `inputs`."""

    return_range: Tensor

    def __init__(self, inputs: int, head: ActionHead, hidden: int) -> None:
        super().__init__()
        self.head = head
        self.actor = mlp(inputs, hidden, 2, head.outputs)
        self.critic = mlp(inputs, hidden, 2, BINS, zero=True)
        self.target_critic = mlp(inputs, hidden, 2, BINS, zero=True).requires_grad_(False)
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.twohot = TwoHot()
        self.register_buffer("return_range", torch.zeros(2))  # running 5th and 95th percentile

    def policy(self, x: Tensor) -> Distribution:
        return self.head.distribution(self.actor(x))

    def value(self, x: Tensor) -> Tensor:
        return self.twohot.mean(self.critic(x))

    def target_value(self, x: Tensor) -> Tensor:
        return self.twohot.mean(self.target_critic(x))

    def return_scale(self, returns: Tensor, floor: float) -> Tensor:
        """The scale to divide advantages by: the running 5th-to-95th percentile range of returns, at least `floor`.

        Updates the running percentiles with `returns`.
        """
        percentiles = torch.quantile(returns, torch.tensor([0.05, 0.95], device=returns.device))
        self.return_range.lerp_(percentiles, SCALE_RATE)
        return (self.return_range[1] - self.return_range[0]).clamp(min=floor)

    @torch.no_grad()
    def update_target(self, tau: float) -> None:
        """Polyak-average the critic into the target critic with rate `tau`."""
        for target, source in zip(self.target_critic.parameters(), self.critic.parameters(), strict=True):
            target.lerp_(source, tau)


def lambda_returns(reward: Tensor, discount: Tensor, value: Tensor, lam: float) -> Tensor:
    """TD(lambda) targets (H, N) for the values of states 0 .. H - 1.

    Args:
        reward, discount: (H + 1, N), of the step that leads to each of the states 0 .. H; those of state 0 are not used.
        value: (H + 1, N) of states 0 .. H.
        lam: lambda.
    """
    returns = [value[-1]]
    for t in range(len(value) - 1, 0, -1):
        ahead = (1 - lam) * value[t] + lam * returns[-1]
        returns.append(reward[t] + discount[t] * ahead)
    return torch.stack(returns[:0:-1])


def largest_return(reward: list[float], terminated: bool, gamma: float) -> float:
    """Largest absolute discounted return from any step of an episode with these rewards.

    An episode that did not terminate is assumed to continue with its last reward forever.
    """
    ahead = 0.0 if terminated or not reward else reward[-1] / (1 - gamma)
    largest = 0.0
    for r in reversed(reward):
        ahead = r + gamma * ahead
        largest = max(largest, abs(ahead))
    return largest
