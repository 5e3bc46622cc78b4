"""Dreamer: learn a world model from replayed episodes, and the policy in imagined roll-outs (Hafner et al. 2023, DreamerV3).

`unseen.agents.imagination` lists the differences from DreamerV3. In addition, an episode's terminal step has a larger weight in the
dynamics KL and the reward loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unseen.agents.imagination import ImaginationConfig, ImaginationLearner
from unseen.agents.models.rssm import RSSM, RSSMSizes


@dataclass(frozen=True)
class DreamerConfig(RSSMSizes, ImaginationConfig):
    """Hyperparameters of `ImaginationConfig`, and of the RSSM."""

    terminal_weight: float = 5.0
    """weight of an episode's terminal step in the dynamics KL and the reward loss"""
    obs_noise: float = 0.03
    """standard deviation of the Gaussian noise added to replayed observations"""
    free_nats: float = 1.0
    """KL below this is not penalised"""
    kl_rep: float = 0.1
    """weight of the representation KL; the dynamics KL has weight 1"""


class DreamerLearner(ImaginationLearner):
    """Trains a dreamer on any torch device, with flat, ray or image observations and discrete or continuous actions."""

    name = "dreamer"
    config_class: ClassVar[type[DreamerConfig]] = DreamerConfig
    config: DreamerConfig
    model: RSSM

    def build_model(self) -> RSSM:
        return RSSM(self.envs.observation, self.head.size, self.config)

    def update_model(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        obs, mask = batch["obs"], batch["mask"]
        action = self.head.encode(batch["action"])
        action[0] = 0
        noisy = obs + c.obs_noise * torch.randn(obs.shape, generator=self.noise, device=self.device)
        h, z, post = self.model.observe_episodes(noisy, action, self.uniform(*mask.shape, c.groups))
        loss, parts = self.model.loss(h, z, post, batch, c.free_nats, c.kl_rep, c.terminal_weight)
        latent = torch.cat([h, z], -1)
        total = mask.sum()
        self.descend((loss * mask).sum() / total)
        return latent, {name: float((part.detach() * mask).sum() / total) for name, part in parts.items()}
