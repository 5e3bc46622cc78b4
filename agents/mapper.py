"""Mapper: a dreamer with a hindsight map of where each thing is, in which actor and critic look up what is asked for.

Reconstructing the current observation gives a world model little incentive to remember. The map does: it learns from the latent
where and when each thing is observed next (`unseen.agents.shared.sightings`), as the episode itself shows it later. In imagination
the query and the pose to look up from are those of the decoded observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from unseen.agents.dreamer import DreamerConfig, DreamerLearner
from unseen.agents.errors import BadAgent
from unseen.agents.models.places import LOOK_UP, PlaceMap
from unseen.agents.models.rssm import RSSM
from unseen.agents.shared.envs import Layout, ObservationSpec


@dataclass(frozen=True)
class MapperConfig(DreamerConfig):
    """Hyperparameters of `DreamerConfig`, and of the map."""

    map: Literal["none", "hindsight"] = "hindsight"
    """labels of the map of places; "none" for no map, which makes it a dreamer"""
    map_weight: float = 1.0
    """weight of the map loss"""


class MapRSSM(RSSM):
    """An RSSM with a map of places, whose look-up is appended to the actor's input."""

    map: PlaceMap

    def __init__(self, observation: ObservationSpec, actions: int, sizes: MapperConfig, layout: Layout) -> None:
        super().__init__(observation, actions, sizes)
        self.map = PlaceMap(self.size, sizes.hidden, layout)

    @property
    def actor_inputs(self) -> int:
        return self.size + LOOK_UP

    def actor_input(self, latent: Tensor) -> Tensor:
        return torch.cat([latent, self.map.look_up(latent, self.decode(latent)).detach()], -1)

    def decode_map(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        return self.map.drawn(latent)


class MapperLearner(DreamerLearner):
    """Trains a mapper; its map needs observations that consist of entity slots."""

    name = "mapper"
    config_class: ClassVar[type[DreamerConfig]] = MapperConfig
    config: MapperConfig

    def build_model(self) -> RSSM:
        if self.config.map == "none":
            return super().build_model()
        if self.layout is None:
            raise BadAgent(f"{self.name} needs entity slots: this environment or observation mode has none")
        return MapRSSM(self.envs.observation, self.head.size, self.config, self.layout)

    def target_loss(self, latent: Tensor, target: Tensor) -> Tensor:
        drawn = self.model.map
        if drawn is None:
            return super().target_loss(latent, target)
        return self.config.map_weight * drawn.loss(latent, *drawn.labels(target))
