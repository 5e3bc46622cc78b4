"""Mapper: a dreamer with a supervised map head, whose output the actor and critic also get.

Reconstructing the current observation gives a world model little incentive to remember. The map head does: it predicts the
labels of `unseen.agents.models.mental_map` from the latent, that is, where a scripted tracker last saw each object. The last
labels, the vector from the agent to the requested object, have a larger weight. The actor and critic get the latent and the
predicted map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from unseen.agents.dreamer import DreamerConfig, DreamerLearner
from unseen.agents.errors import BadAgent
from unseen.agents.models.mental_map import BOX_FIELDS, DISC_FIELDS, GOAL_FIELDS, map_size, map_targets
from unseen.agents.models.rssm import RSSM
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.nets import mlp


@dataclass(frozen=True)
class MapperConfig(DreamerConfig):
    """Hyperparameters of `DreamerConfig`, and the weights of the map loss."""

    map_weight: float = 1.0
    """weight of the map loss"""
    goal_weight: float = 5.0
    """weight of the vector to the requested object, relative to the rest of the map"""


class MapRSSM(RSSM):
    """An RSSM with a map head, whose output is appended to the actor's input."""

    def __init__(self, observation: ObservationSpec, actions: int, sizes: MapperConfig, layout: Layout) -> None:
        super().__init__(observation, actions, sizes)
        self.map_size = map_size(layout)
        self.map = mlp(self.size, sizes.hidden, 2, self.map_size)

    @property
    def actor_inputs(self) -> int:
        return self.size + self.map_size

    def actor_input(self, latent: Tensor) -> Tensor:
        return torch.cat([latent, self.map(latent).detach()], -1)

    def decode_map(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        """`map`: the discs (n, 5 k); `places`: the boxes (n, 3 m), where there are several kinds of box."""
        decoded, kinds = self.map(latent), layout.sizes.box_kinds
        outputs = {}
        if layout.discs[1]:
            outputs["map"] = decoded[:, : DISC_FIELDS * layout.things]
        if kinds:
            outputs["places"] = decoded[:, -GOAL_FIELDS - BOX_FIELDS * kinds : -GOAL_FIELDS]
        return outputs


class MapperLearner(DreamerLearner):
    """Trains a mapper on environments whose observation consists of entity slots. Raises BadAgent for others."""

    name = "mapper"
    config_class: ClassVar[type[DreamerConfig]] = MapperConfig
    config: MapperConfig
    model: MapRSSM

    def build_model(self) -> MapRSSM:
        if self.layout is None:
            raise BadAgent(f"{self.name} needs entity slots: this environment or observation mode has none")
        return MapRSSM(self.envs.observation, self.head.size, self.config, self.layout)

    def target_size(self) -> int:
        return self.model.map_size

    def targets(self, obs: np.ndarray) -> np.ndarray:
        assert self.layout is not None  # see build_model
        return map_targets(obs, self.layout)

    def target_loss(self, latent: Tensor, target: Tensor) -> Tensor:
        error = (self.model.map(latent) - target) ** 2
        goal = error[..., -GOAL_FIELDS:].sum(-1)
        return self.config.map_weight * (error[..., :-GOAL_FIELDS].sum(-1) + self.config.goal_weight * goal)
