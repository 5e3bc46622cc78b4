"""Mapper: a dreamer whose latent must also draw the map of all it has seen, and whose policy reads that map.

A world model that reconstructs the present view is hardly ever paid for remembering. One more head is: from the
latent, draw `unseen.agents.mental_map`. Its last numbers, the way to what is asked for, are what acting needs, and
weigh more. Policy and value read the drawn map beside the latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unseen.agents.dreamer import DreamerConfig, DreamerLearner
from unseen.agents.errors import BadAgent
from unseen.agents.mental_map import GOAL, map_size, map_targets
from unseen.agents.nets import mlp
from unseen.agents.rssm import RSSM


@dataclass(frozen=True)
class MapperConfig(DreamerConfig):
    map_weight: float = 1.0
    way_weight: float = 5.0
    """of the way to what is asked for, within the map"""


class MapRSSM(RSSM):
    """A world model that draws the map (..., size) from its latents, and shows it to the policy."""

    def __init__(self, *args: int, size: int) -> None:
        super().__init__(*args)
        self.map = mlp(self.feat, self.hidden, 2, size)
        self.read_size = self.feat + size

    def read(self, feat: Tensor) -> Tensor:
        return torch.cat([feat, self.map(feat).detach()], -1)


class MapperLearner(DreamerLearner):
    """See `unseen.agents.learner.Learner`."""

    name = "mapper"
    config_class = MapperConfig
    config: MapperConfig
    model: MapRSSM

    def __init__(
        self, env_name: str, level: int, seed: int = 0, device: str = "cpu", config: dict[str, Any] | None = None
    ) -> None:
        super().__init__(env_name, level, seed, device, config)
        if self.layout is None:
            raise BadAgent(f"mapper needs entity slots, which {env_name} has not")

    def build(self) -> RSSM:
        c = self.config
        sizes = (self.obs_size, self.actions, c.deter, c.hidden, c.groups, c.classes)
        return MapRSSM(*sizes, size=self.extra_size())

    def extra_size(self) -> int:
        return 0 if self.layout is None else map_size(self.layout)

    def extra_targets(self, obs: np.ndarray) -> np.ndarray:
        assert self.layout is not None
        return map_targets(obs, self.layout)

    def extra_loss(self, feat: Tensor, target: Tensor) -> Tensor:
        error = (self.model.map(feat) - target) ** 2
        way = error[..., -GOAL:].sum(-1)
        return self.config.map_weight * (error[..., :-GOAL].sum(-1) + self.config.way_weight * way)
