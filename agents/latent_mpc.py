"""Latent-mpc: dreamer, with planning in the latents of the model when it acts.

Model, actor and critic are trained as in dreamer. When the agent acts, discrete actions are planned by
`unseen.agents.shared.tree_search`, continuous ones by `unseen.agents.shared.shooting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unseen.agents.dreamer import DreamerConfig, DreamerLearner
from unseen.agents.planning_learner import PlanningConfig, PlanningLearner


@dataclass(frozen=True)
class LatentMPCConfig(PlanningConfig, DreamerConfig):
    """Hyperparameters of `DreamerConfig`, and of planning."""


class LatentMPCLearner(PlanningLearner, DreamerLearner):
    """Trains latent-mpc on any observations and actions."""

    name = "latent-mpc"
    config_class: ClassVar[type[LatentMPCConfig]] = LatentMPCConfig
    config: LatentMPCConfig
