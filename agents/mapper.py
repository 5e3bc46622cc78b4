"""Mapper: a dreamer whose latent must also draw a map of all that was seen, and whose policy reads that map.

A world model that reconstructs the present view is hardly ever rewarded for remembering. One more head is: from the
latent, draw `unseen.agents.models.mental_map`, the labels of a scripted tracker. Its last numbers, the way to what is
asked for, are what acting needs, and weigh more. Policy and value read the drawn map beside the latent.
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
    map_weight: float = 1.0
    goal_weight: float = 5.0
    """of the way to what is asked for, within the map"""


class MapRSSM(RSSM):
    """A world model that draws the map from its latents, and shows it to the policy."""

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
        """The map's discs, and its boxes where they are of several kinds."""
        decoded, kinds = self.map(latent), layout.sizes.box_kinds
        outputs = {}
        if layout.discs[1]:
            outputs["map"] = decoded[:, : DISC_FIELDS * layout.things]
        if kinds:
            outputs["places"] = decoded[:, -GOAL_FIELDS - BOX_FIELDS * kinds : -GOAL_FIELDS]
        return outputs


class MapperLearner(DreamerLearner):
    """A dreamer's environments, where they give entity slots."""

    name = "mapper"
    config_class: ClassVar[type[DreamerConfig]] = MapperConfig
    config: MapperConfig
    model: MapRSSM

    def build_model(self) -> MapRSSM:
        if self.layout is None:
            raise BadAgent(f"{self.name} needs entity slots, which this environment or observation has not")
        return MapRSSM(self.envs.observation, self.head.size, self.config, self.layout)

    def target_size(self) -> int:
        return self.model.map_size

    def targets(self, obs: np.ndarray) -> np.ndarray:
        assert self.layout is not None  # see build_model
        return map_targets(obs, self.layout)

    def target_loss(self, latent: Tensor, target: Tensor) -> Tensor:
        error = (self.model.map(latent) - target) ** 2
        way = error[..., -GOAL_FIELDS:].sum(-1)
        return self.config.map_weight * (error[..., :-GOAL_FIELDS].sum(-1) + self.config.goal_weight * way)
