"""Recorded episodes of an agent with the true states, from which measures are computed afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unseen.agents.protocol import Agent, Belief
from unseen.agents.shared.envs import EnvConfig, Layout, layout_and_rays
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.rollout import Rollout, make_env_for

FIRST_SEED = 2_000_000  # neither training nor scores use these seeds
FIELDS = ("obs", "world", "states", "beliefs", "actions", "reward", "live")


@dataclass(frozen=True)
class Played:
    """n episodes of T steps each, including the last observations. Values after the end of an episode are undefined.

    Attributes:
        agent, env_config: the agent that played, and its environment.
        env: the environments, whose states may be overwritten.
        obs: T arrays (n, ...).
        world: T record arrays (n,), the true states.
        states: the agent's memory after each observation.
        beliefs: the agent's map at each of these steps, or None; recorded while playing, since a scripted agent keeps only its latest.
        actions: T arrays (n, ...), the actions that follow the observations.
        reward: (T, n), of these actions.
        live: (T, n) bool: the episode goes on.
    """

    agent: Agent
    env_config: EnvConfig
    env: TaskVectorEnv
    obs: list[Any]
    world: list[np.ndarray]
    states: list[Any]
    beliefs: list[Belief | None]
    actions: list[np.ndarray]
    reward: np.ndarray
    live: np.ndarray

    @property
    def n(self) -> int:
        """Number of episodes."""
        return self.live.shape[1]

    @property
    def layout(self) -> Layout | None:
        """The layout of the observations, if they are slots."""
        return self.env.layout if isinstance(self.env.layout, Layout) else None

    @property
    def acting(self) -> np.ndarray:
        """(T, n) bool: the episode goes on, and actions have an effect."""
        layout, _ = layout_and_rays(self.env)
        if layout is None:
            return self.live
        return self.live & np.stack([layout.acts(obs) for obs in self.obs])

    def true_states(self) -> np.ndarray:
        """The true states as one array (T, n)."""
        return np.stack(self.world)


def play(agent: Agent, env_config: EnvConfig, episodes: int, split: str = "") -> Played:
    """Play one episode for each of `episodes` seeds that nothing else uses, in an environment of the suite.

    split: by default that of `env_config`.

    Raises AgentFailed, and what `make_env_for` raises.
    """
    config = replace(env_config, split=split or env_config.split)
    env = make_env_for(agent, config, episodes)
    assert isinstance(env, TaskVectorEnv), "an environment of the suite"
    steps: dict[str, list[Any]] = {name: [] for name in FIELDS}
    seeds: Sequence[int] = range(FIRST_SEED, FIRST_SEED + episodes)
    for step in Rollout(agent, env, seeds, observe_final=True, fail_fast=True):
        steps["obs"].append(step.obs)
        steps["world"].append(env.world.copy())
        steps["states"].append(step.state)
        steps["beliefs"].append(agent.belief(step.state))
        steps["actions"].append(step.actions)
        steps["reward"].append(step.reward)
        steps["live"].append(step.live)
    reward = np.stack([*steps.pop("reward")[1:], np.zeros(episodes)])
    live = np.stack(steps.pop("live"))
    return Played(agent, config, env, reward=np.where(live, reward, 0.0), live=live, **steps)
