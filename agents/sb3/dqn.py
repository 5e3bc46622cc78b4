"""DQN (Mnih et al. 2015) by stable-baselines3, for discrete actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from stable_baselines3 import DQN
from torch import Tensor, nn
from torch.optim import Optimizer

from unseen.agents.sb3.off_policy import OffPolicyConfig, OffPolicyLearner
from unseen.agents.shared.checkpoint import Store

SMALLEST = 1e-30  # probability, to keep logits finite


@dataclass(frozen=True)
class DQNConfig(OffPolicyConfig):
    """Hyperparameters."""

    target_steps: int = 2_000
    """environment steps between updates of the target network"""
    epsilon: float = 1.0
    """initial probability of a random action"""
    epsilon_end: float = 0.05
    """final probability of a random action"""
    epsilon_steps: int = 100_000
    """environment steps over which it changes linearly"""


class EpsilonDQN(DQN):
    """DQN with random actions in each environment on its own: stable-baselines3 takes them in all environments at once, or in none.

    Attributes:
        epsilon: environment steps -> probability of a random action.
    """

    epsilon: Callable[[int], float]

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        assert self._last_obs is not None
        greedy, _ = self.policy.predict(self._last_obs, deterministic=True)
        epsilon = 1.0 if self.num_timesteps < learning_starts else self.epsilon(self.num_timesteps)
        explores = np.random.random(n_envs) < epsilon
        action = np.where(explores, np.random.randint(self.action_space.n, size=n_envs), greedy)  # type: ignore[attr-defined]
        return action, action


class DQNLearner(OffPolicyLearner):
    """Trains DQN on flat, ray or image observations and discrete actions."""

    name = "dqn"
    actions = "discrete"
    config_class: ClassVar[type[DQNConfig]] = DQNConfig
    positive: ClassVar[tuple[str, ...]] = (*OffPolicyLearner.positive, "target_steps", "epsilon_steps")
    config: DQNConfig
    model: EpsilonDQN

    def build(self, device: str) -> EpsilonDQN:
        c = self.config
        model = EpsilonDQN(target_update_interval=max(c.target_steps, c.envs), **self.arguments(device))
        model.epsilon = lambda steps: c.epsilon + (c.epsilon_end - c.epsilon) * min(1.0, steps / c.epsilon_steps)
        return model

    def optimizers(self) -> Mapping[str, Optimizer]:
        return {"optimizer": self.model.policy.optimizer}

    def graph(self) -> DQNGraph:
        return DQNGraph(self.model.q_net, self.vec.rows.shape[1], self.config.epsilon_end)

    def sync_more(self, store: Store) -> None:
        super().sync_more(store)
        self.model._n_calls = store.scalar("calls", self.model._n_calls)


class DQNGraph(nn.Module):
    """The policy graph of DQN, on rows (n, size). When it explores, an action is random with probability `epsilon`."""

    outputs = ("action", "logits")

    def __init__(self, net: Any, size: int, epsilon: float) -> None:
        super().__init__()
        self.size, self.epsilon = size, epsilon
        self.features, self.q = net.features_extractor, net.q_net

    def example(self, n: int = 2) -> dict[str, Tensor]:
        """Example inputs with batch size n, which define the shapes."""
        return {"obs": torch.zeros(n, self.size)}

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        q = self.q(self.features(obs))
        best = q.argmax(-1)
        probs = F.one_hot(best, q.shape[-1]) * (1 - self.epsilon) + self.epsilon / q.shape[-1]
        return best, probs.clamp(min=SMALLEST).log()
