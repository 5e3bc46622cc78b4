"""The subject of an audit: an environment at one level, and policies for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.agents.protocol import Agent
from unseen.agents.references import RandomAgent, ReferenceAgent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.env import TaskEnv
from unseen.envs.core.task import Task
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.suite import Entry, make, make_vec
from unseen.train.rollout import rollout


@dataclass(frozen=True)
class Subject:
    """An environment at one level.

    Attributes:
        entry: the environment's row in the suite.
        env_config: level, observation mode, action kind and parameters.
        quick: use smaller samples and no history probe.
        seed: of the probes, and of the first episode that reference policies play.
    """

    entry: Entry
    env_config: EnvConfig
    quick: bool = False
    seed: int = 0

    @property
    def task(self) -> type[Task]:
        return self.entry.task

    @property
    def level(self) -> int | str:
        level = self.env_config.chosen_level
        assert level is not None, "environments of the suite have levels"
        return level

    @property
    def params(self) -> Any:
        return self.task.at(self.level, self.env_config.overrides)

    @property
    def keywords(self) -> dict[str, Any]:
        """Keyword arguments of `make`."""
        given = {"obs": self.env_config.obs, "action": self.env_config.action}
        return {"level": self.level} | {k: v for k, v in given.items() if v} | dict(self.env_config.overrides)

    def make(self, **more: Any) -> TaskEnv:
        """Make a scalar environment."""
        return make(self.entry.name, **(self.keywords | more))

    def make_vec(self, n: int, **more: Any) -> TaskVectorEnv:
        """Make n environments."""
        return make_vec(self.entry.name, n, **(self.keywords | more))


def policy(name: str) -> Agent:
    """The reference of that name, or "random"."""
    return RandomAgent() if name == "random" else ReferenceAgent(name)


def play(env: TaskVectorEnv, name: str, seed: int, n: int) -> np.ndarray:
    """Returns (n,) of the episodes with seeds seed .. seed + n - 1 under a reference or "random"."""
    outcomes = rollout(policy(name), env, range(seed, seed + n), fail_fast=True)
    return np.array([outcome.episode_return for outcome in outcomes])


class Fixed(Agent):
    """Open-loop agent: takes the actions of a plan (steps, n, ...) in order."""

    name = "fixed"

    def __init__(self, plan: np.ndarray) -> None:
        self.plan = plan

    def initial_state(self, seeds: np.ndarray) -> int:
        return 0

    def act(self, obs: Any, state: int, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, int]:
        return self.plan[state % len(self.plan)], state + 1
