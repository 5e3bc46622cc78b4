"""Latent-mpc: a dreamer, or a mapper, that plans in the latents of its model when it acts.

Model, actor and critic are trained as a dreamer's. When it acts, discrete actions are planned by
`unseen.agents.shared.tree_search`, continuous ones by `unseen.agents.shared.shooting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from unseen.agents.mapper import MapperConfig, MapperLearner
from unseen.agents.planning_learner import PlanningConfig, PlanningLearner


@dataclass(frozen=True)
class LatentMPCConfig(PlanningConfig, MapperConfig):
    """Hyperparameters of `MapperConfig`, without a map, and of planning."""

    map: Literal["none", "hindsight"] = "none"
    """labels of the map of places that actor and critic look up in; "none" for no map"""


class LatentMPCLearner(PlanningLearner, MapperLearner):
    """Trains latent-mpc on any observations and actions; a map needs entity slots."""

    name = "latent-mpc"
    config_class: ClassVar[type[LatentMPCConfig]] = LatentMPCConfig
    config: LatentMPCConfig
