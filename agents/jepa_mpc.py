"""Jepa-mpc: a policy learned, and plans made, in the latents of a model that predicts embeddings and decodes none.

The model (`unseen.agents.models.jepa`) learns from whole episodes by

- roll-outs: from steps drawn at random it imagines what the episode's actions lead to, for as many steps as things are hidden, and
  compares with the embeddings of what was observed. Every head learns from what is imagined, too;
- SIGReg (`unseen.agents.models.sigreg`), without which embeddings shrink to a point where no head needs them;
- the hindsight map, of entity slots: the next embedding gives little reason to remember what stays hidden.

Actor and critic are trained as a dreamer's, and plans are made as by latent-mpc.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from unseen.agents.models.jepa import JEPA, JEPASizes
from unseen.agents.models.sigreg import SIGReg
from unseen.agents.planning_learner import PlanningConfig, PlanningLearner

ROWS, SLICES = 256, 32  # embeddings and projections that SIGReg looks at in one update


@dataclass(frozen=True)
class JEPAMPCConfig(JEPASizes, PlanningConfig):
    """Hyperparameters of `PlanningConfig`, and of the JEPA."""

    replay_ratio: float = 32.0
    """replayed steps per environment step"""
    actor_warmup_updates: int = 600
    """model updates before the actor is trained; until then actions are uniformly random"""
    terminal_weight: float = 5.0
    """weight of an episode's terminal step in the losses of prediction and reward"""
    obs_noise: float = 0.03
    """standard deviation of the Gaussian noise added to replayed observations"""
    roll_outs: int = 48
    """roll-outs per update of the model"""
    roll_out_steps: int = 16
    """their length"""
    prediction: float = 5.0
    """weight of the error of predicted embeddings and own states"""
    regulariser: float = 10.0
    """weight of SIGReg"""
    map: Literal["none", "hindsight"] = "hindsight"
    """labels of the map of places, of entity slots; "none" for no map"""
    map_weight: float = 1.0
    """weight of the map loss"""


class JEPAMPCLearner(PlanningLearner):
    """Trains on flat, ray or image observations and any actions; a map needs entity slots."""

    name = "jepa-mpc"
    config_class: ClassVar[type[JEPAMPCConfig]] = JEPAMPCConfig
    config: JEPAMPCConfig
    model: JEPA

    def build_model(self) -> JEPA:
        self.sigreg = SIGReg().to(self.device)
        has_map = self.config.map == "hindsight"
        return JEPA(self.envs.observation, self.head.size, self.config, self.layout, has_map)

    def update_model(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        c, model = self.config, self.model
        obs, seen = batch["obs"], batch["mask"] > 0
        action = self.head.encode(batch["action"])
        action[0] = 0
        noisy = obs + c.obs_noise * torch.randn(obs.shape, generator=self.noise, device=self.device)
        percept, latent = model.observe_episodes(noisy, action)
        embedding = percept[..., : c.embedding]
        labels = {name: batch[name] for name in ("reward", "terminated", "targets")}
        losses = self._head_losses(latent[seen], {name: label[seen] for name, label in labels.items()})

        t, row, inside = self._ahead(seen)
        predicted, imagined = model.roll_out(latent[t[0] - 1, row[0]], action[t, row])
        at = t[inside], row[inside]
        ahead = {name: label[at] for name, label in labels.items()}
        goal = model.with_own(embedding[at], obs[at])
        error = model.prediction_loss(predicted[inside], goal) * self._weight(ahead)
        losses["prediction"] = c.prediction * error.mean()
        for name, loss in self._head_losses(imagined[inside], ahead).items():
            losses[f"imagined_{name}"] = loss

        rows = embedding[seen]
        pick = torch.randint(len(rows), (ROWS,), generator=self.noise, device=self.device)
        directions = torch.randn(c.embedding, SLICES, generator=self.noise, device=self.device)
        losses["sigreg"] = c.regulariser * self.sigreg(rows[pick], directions)
        self.descend(torch.stack(list(losses.values())).sum())
        spread = rows.detach().std(0).mean()
        return latent, {name: float(loss.detach()) for name, loss in losses.items()} | {"spread": float(spread)}

    def _ahead(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Steps and episodes (K, n) of roll-outs from steps drawn at random, and whether (K, n) they are inside of the episode.

        seen: (T, B) bool. Steps beyond T are replaced by the last one.
        """
        c = self.config
        rows = seen[1:].nonzero().cpu().numpy()
        start, row = torch.as_tensor(rows[self.rng.integers(0, len(rows), c.roll_outs)], device=self.device).unbind(-1)
        t = start + torch.arange(1, c.roll_out_steps + 1, device=self.device)[:, None]
        row = row.expand_as(t)
        last = t.clamp(max=len(seen) - 1)
        return last, row, seen[last, row] & (t == last)

    def _weight(self, labels: Mapping[str, Tensor]) -> Tensor:
        """Weights (...) of steps: that which ends an episode may reveal what had to be remembered."""
        return 1 + (self.config.terminal_weight - 1) * labels["terminated"]

    def _head_losses(self, latent: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The mean loss of each head on latents (m, F), with its weight."""
        losses, weight = self.model.head_losses(latent, labels), self._weight(labels)
        # The same for both: where the end is uncertain, a reward that comes with it must be as likely, or it is expected many times.
        weights: dict[str, Tensor | float] = {"reward": weight, "continue": weight, "map": self.config.map_weight}
        return {name: (weights[name] * loss).mean() for name, loss in losses.items()}
