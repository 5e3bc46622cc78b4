"""Jepa-mpc: learns a policy, and plans, in the latents of a model that predicts embeddings and has no decoder.

The model (`unseen.agents.models.jepa`) learns from whole episodes by

- roll-outs: from random steps it imagines the outcome of the episode's actions, over `roll_out_steps` steps, about as long as things are
  hidden, and is trained to predict the embeddings of what was observed. All heads are trained on imagined latents, too;
- SIGReg (`unseen.agents.models.sigreg`), without which embeddings collapse wherever no head needs them;
- the hindsight map, for entity slots: predicting the next embedding gives little reason to remember what stays hidden.

Actor and critic are trained as in dreamer, and plans are made as in latent-mpc.
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

ROWS, SLICES = 256, 32  # embeddings and random projections per update that SIGReg uses


@dataclass(frozen=True)
class JEPAMPCConfig(JEPASizes, PlanningConfig):
    """Hyperparameters of `PlanningConfig`, and of the JEPA."""

    replay_ratio: float = 32.0
    """replayed steps per environment step, or per decision if it lasts several"""
    actor_warmup_updates: int = 600
    """model updates before the actor is trained; until then actions are uniformly random"""
    terminal_weight: float = 5.0
    """weight of an episode's terminal step in the prediction, reward and continue losses"""
    obs_noise: float = 0.03
    """standard deviation of the Gaussian noise added to replayed observations"""
    roll_outs: int = 48
    """training roll-outs per update of the model"""
    roll_out_steps: int = 16
    """length of the model's training roll-outs in steps"""
    prediction: float = 5.0
    """weight of the prediction error of embeddings and own states"""
    regulariser: float = 10.0
    """weight of SIGReg"""
    map: Literal["none", "last-seen", "hindsight"] = "hindsight"
    """labels of the map of places, with entity slots or rays; "none" for no map"""
    map_weight: float = 1.0
    """weight of the map loss"""


class JEPAMPCLearner(PlanningLearner):
    """Trains on flat, ray or image observations and any actions; a map needs entity slots or rays."""

    name = "jepa-mpc"
    config_class: ClassVar[type[JEPAMPCConfig]] = JEPAMPCConfig
    config: JEPAMPCConfig
    model: JEPA

    def build_model(self) -> JEPA:
        self.sigreg = SIGReg().to(self.device)
        self.map_labels = self.config.map
        has_map = self.config.map != "none"
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

        t, row, inside = self._roll_out_steps(seen)
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

    def _roll_out_steps(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The steps that follow random steps: their times and episodes (K, n), and whether they are inside the episode (K, n) bool.

        seen: (T, B) bool, the step is real and not padding. Times beyond T - 1 are replaced by T - 1.
        """
        c = self.config
        rows = seen[1:].nonzero().cpu().numpy()
        start, row = torch.as_tensor(rows[self.rng.integers(0, len(rows), c.roll_outs)], device=self.device).unbind(-1)
        t = start + torch.arange(1, c.roll_out_steps + 1, device=self.device)[:, None]
        row = row.expand_as(t)
        last = t.clamp(max=len(seen) - 1)
        return last, row, seen[last, row] & (t == last)

    def _weight(self, labels: Mapping[str, Tensor]) -> Tensor:
        """Weights (...) of steps. A terminal step has a larger one, since it may reveal what had to be remembered."""
        return 1 + (self.config.terminal_weight - 1) * labels["terminated"]

    def _head_losses(self, latent: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weighted mean loss of each head on latents (m, F)."""
        losses, weight = self.model.head_losses(latent, labels), self._weight(labels)
        # Both have the same weights: where termination is uncertain, the reward that comes with it must be predicted with the same
        # probability, or it is expected several times.
        weights: dict[str, Tensor | float] = {"reward": weight, "continue": weight, "map": self.config.map_weight}
        return {name: (weights[name] * loss).mean() for name, loss in losses.items()}
