"""SAC (Haarnoja et al. 2018) by stable-baselines3, for continuous actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from stable_baselines3 import SAC
from stable_baselines3.sac.policies import LOG_STD_MAX, LOG_STD_MIN
from torch import Tensor, nn
from torch.optim import Optimizer

from unseen.agents.errors import BadAgent
from unseen.agents.sb3.off_policy import OffPolicyConfig, OffPolicyLearner
from unseen.agents.shared.actions import ActionHead, normal
from unseen.agents.shared.checkpoint import Store


@dataclass(frozen=True)
class SACConfig(OffPolicyConfig):
    """Hyperparameters."""

    replay_ratio: float = 32.0
    """replayed steps per environment step"""
    tau: float = 0.005
    """update rate of the target critics"""
    entropy: float = 0.1
    """initial weight of the entropy; then it is learned, such that the entropy is minus the number of action dimensions"""


class SACLearner(OffPolicyLearner):
    """Trains SAC on flat, ray or image observations and continuous actions."""

    name = "sac"
    actions = "continuous"
    config_class: ClassVar[type[SACConfig]] = SACConfig
    config: SACConfig
    model: SAC

    def build(self, device: str) -> SAC:
        c = self.config
        if not c.entropy > 0:
            raise BadAgent(f"setting entropy={c.entropy}: must be positive")
        model = SAC(tau=c.tau, ent_coef=f"auto_{c.entropy}", **self.arguments(device))
        model.action_space.seed(self.seed)  # of random play
        return model

    def optimizers(self) -> Mapping[str, Optimizer]:
        model = self.model
        assert model.ent_coef_optimizer is not None
        return {"actor": model.actor.optimizer, "critic": model.critic.optimizer, "entropy": model.ent_coef_optimizer}

    def graph(self) -> SACGraph:
        return SACGraph(self.model.actor, self.vec.rows.shape[1], self.head)

    def sync_more(self, store: Store) -> None:
        super().sync_more(store)
        weight = self.model.log_ent_coef
        assert weight is not None
        weight.data.copy_(store.tensor("log_entropy", weight.detach()))
        store.rng("random_actions", self.model.action_space.np_random)


class SACGraph(nn.Module):
    """The policy graph of SAC, on rows (n, size)."""

    outputs = ("action", "explored")

    def __init__(self, actor: Any, size: int, head: ActionHead) -> None:
        super().__init__()
        self.size, self.head = size, head
        self.features, self.body, self.mean, self.log_std = (
            actor.features_extractor, actor.latent_pi, actor.mu, actor.log_std
        )  # fmt: skip

    def example(self, n: int = 2) -> dict[str, Tensor]:
        """Example inputs with batch size n, which define the shapes."""
        return {"obs": torch.zeros(n, self.size), "noise": torch.zeros(n, self.head.noise)}

    def forward(self, obs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(self.features(obs))
        mean, log_std = self.mean(hidden), self.log_std(hidden).clamp(LOG_STD_MIN, LOG_STD_MAX)
        drawn = mean + log_std.exp() * normal(noise)
        return self.head.decode(torch.tanh(mean)), self.head.decode(torch.tanh(drawn))
