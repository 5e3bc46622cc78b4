"""Learners of a policy in imagination whose agents also plan when they act, with the policy as prior and the critic as terminal value.

Planning is used only for acting, not for collecting data. Training episodes are played by the policy: it is trained in imagination from
all replayed states, so it needs no better actions to imitate, and more varied data are worth more to the model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from gymnasium import spaces

from unseen.agents.imagination import ImaginationConfig, ImaginationLearner
from unseen.agents.models.latent_graphs import MemoryGraph, PlanGraph
from unseen.agents.shared.planners import make_search
from unseen.agents.shared.planning_agent import GraphPlanningAgent
from unseen.agents.shared.torch_graph import TorchGraph


@dataclass(frozen=True)
class PlanningConfig(ImaginationConfig):
    """Hyperparameters of `ImaginationConfig`, and of planning."""

    imagined: int = 100
    """maximum number of imagined steps per decision; 0: no planning, the policy alone acts"""
    depth: int = 8
    """maximum length of a plan in steps"""
    temperature: float = 0.05
    """discrete actions: weight of the KL divergence from the policy, in units of the return scale; near 0, the best path found is taken"""


class PlanningLearner(ImaginationLearner):
    """Base of learners whose agents plan."""

    config_class: ClassVar[type[PlanningConfig]]
    config: PlanningConfig

    def act_graph(self) -> TorchGraph:
        return MemoryGraph(self.model, self.ac, self.layout, self.config.return_floor).graph(self.envs.observation)

    def imagine_graph(self) -> TorchGraph:
        return PlanGraph(self.model, self.ac, self.layout, self.config.return_floor).graph()

    def policy(self) -> GraphPlanningAgent:
        space = self.envs.vector.single_action_space
        assert isinstance(space, spaces.Discrete | spaces.Box)
        return self.planning_policy(make_search(space, False, asdict(self.config)))
