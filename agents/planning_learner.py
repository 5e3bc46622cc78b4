"""Learners of a policy in imagination whose agents also imagine when they act: they plan, with the policy as prior and the critic's
value at the end.

Planning is for acting alone. Training episodes are played by the policy: it is trained in imagination from every state that is
replayed, so it needs no better actions to imitate, and data that vary more are worth more to the model.
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
    """maximum number of imagined steps for a decision; 0 for no planning: the policy alone"""
    depth: int = 8
    """maximum length of a plan in steps"""
    temperature: float = 0.05
    """discrete actions: price of leaving the policy, in units of the spread of returns; near 0, the best path found is taken"""


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
