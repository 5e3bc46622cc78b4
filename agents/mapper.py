"""Mapper: a hindsight map, and a policy that is trained in imagination around it.

A world model that predicts the next observation has little reason to remember what is hidden. Here remembering is left to the map:
a GRU is trained on the map's labels alone, which the episode itself reveals later (`unseen.agents.shared.sightings`). Given the map's
output relative to the agent, the next observation is then easy to predict from the present one (`unseen.agents.models.mapped`), without
a stochastic state and without backpropagation through time. Transitions are learned only where actions have an effect. The actor's training
starts later, after `actor_warmup_updates` updates of map and model. Without a map (a control), the GRU learns from the prediction losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from unseen.agents.errors import BadAgent
from unseen.agents.imagination import ImaginationConfig, ImaginationLearner
from unseen.agents.models.mapped import MappedModel


@dataclass(frozen=True)
class MapperConfig(ImaginationConfig):
    """Hyperparameters of `ImaginationConfig`, and of the map."""

    map: Literal["none", "last-seen", "hindsight"] = "hindsight"
    """labels of the map of places; "none" for no map: then the memory learns from the prediction losses"""
    memory_lr: float = 4e-3
    """learning rate of memory and map"""
    batch: int = 64
    """episodes per update"""
    sequence: int = 1000
    """maximum sequence length in steps; from a longer episode a random segment is drawn"""
    replay_ratio: float = 64.0
    """replayed steps per environment step, or per decision if it lasts several"""
    actor_warmup_updates: int = 400
    """updates of map and model before the actor is trained; until then actions are uniformly random"""
    transitions: int = 1024
    """replayed steps per update on which prediction, reward and termination are learned"""
    prediction: float = 5.0
    """weight of the error of the predicted observation"""
    grad_clip: float = 1.0
    """maximum gradient norm"""


class MapperLearner(ImaginationLearner):
    """Trains a mapper on entity slots or rays; without a map, on any vector observation."""

    name = "mapper"
    config_class: ClassVar[type[MapperConfig]] = MapperConfig
    config: MapperConfig
    model: MappedModel

    def build_model(self) -> MappedModel:
        c, made = self.config, self.envs
        self.map_labels = c.map
        if made.observation.image:
            raise BadAgent(f"{self.name} learns from vectors, not from images")
        if self.layout is None and c.map != "none":
            raise BadAgent(f"{self.name} needs entity slots or rays: this environment or observation mode has none")
        return MappedModel(made.observation, self.head.size, c.hidden, self.layout, c.map != "none")

    def model_groups(self) -> list[dict[str, Any]]:
        memory, rest = self.model.parameter_groups()
        return [{"params": memory, "lr": self.config.memory_lr}, {"params": rest}]

    def _finish(self, ended: np.ndarray) -> None:
        obs, length = self.replay.running_obs(ended)
        rows = np.concatenate([row[:n] for row, n in zip(obs, length, strict=True)])
        self.model.standardise.update(torch.as_tensor(rows, device=self.device))
        super()._finish(ended)

    def update_model(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        c, model = self.config, self.model
        mask, action = batch["mask"], self.head.encode(batch["action"])
        latent = model.observe_episodes(batch["obs"])
        t, row = self._transitions(batch)
        # Actions and rewards stand at the step that they lead to.
        ahead = {name: batch[name][t + 1, row] for name in ("obs", "reward", "terminated")}
        before = latent[t, row] if model.map is None else latent[t, row].detach()
        losses = {name: loss.mean() for name, loss in model.losses(before, action[t + 1, row], ahead).items()}
        losses["prediction"] = c.prediction * losses["prediction"]
        if model.map is not None:
            loss = model.map.loss(model.memory_of(latent), *model.map.labels(batch["targets"]))
            losses["map"] = (loss * mask).sum() / mask.sum()
        self.descend(torch.stack(list(losses.values())).sum())
        return latent, {name: float(loss.detach()) for name, loss in losses.items()}

    def _transitions(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Steps and episodes, (m,) each, of transitions drawn at random from those in which the action has an effect."""
        counts = batch["mask"][1:] > 0
        if self.layout is not None:
            counts = counts & self.layout.acts(batch["obs"][:-1])
        rows = counts.nonzero()
        pick = torch.randint(len(rows), (self.config.transitions,), generator=self.noise, device=self.device)
        t, row = rows[pick].unbind(-1)
        return t, row
