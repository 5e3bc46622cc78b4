"""Scripted agents: random, and the reference policies defined by each environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.protocol import Agent, Belief
from unseen.agents.shared import envs, noise
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.simulator_mpc import SimulatorAgent


class RandomAgent(Agent):
    """Samples actions uniformly. `act` raises BadAgent before `attach`, or if the action space is unbounded."""

    name = "random"

    def __init__(self) -> None:
        self._seed = 0
        self._space: spaces.Space | None = None

    def attach(self, env: Any) -> None:
        self._space = env.single_action_space

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> noise.Episodes:
        return noise.start(self._seed, seeds)

    def act(
        self, obs: np.ndarray, state: noise.Episodes, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, noise.Episodes]:
        now = noise.next_episodes(self._seed, state, np.asarray(first, bool))
        space = self._space
        if isinstance(space, spaces.Discrete):
            drawn = noise.uniform(now, noise.ACTION, 1)[:, 0]
            return space.start + (drawn * space.n).astype(np.int64), noise.advance(now)
        if isinstance(space, spaces.Box) and space.is_bounded():
            drawn = noise.uniform(now, noise.ACTION, int(np.prod(space.shape))).reshape(-1, *space.shape)
            return space.low + drawn * (space.high - space.low), noise.advance(now)
        raise BadAgent(
            "random needs attach(env) before it acts" if space is None else f"random cannot sample from {space}"
        )


class ReferenceAgent(Agent):
    """The oracle, tracker or reflex of the environment given to `attach`."""

    def __init__(self, name: str, obs: str = "") -> None:
        self.name, self.obs = name, obs
        self._policy: Any = None

    def attach(self, env: Any) -> None:
        self._policy = envs.reference(env, self.name)

    def initial_state(self, seeds: np.ndarray) -> None:
        return None

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        if self._policy is None:
            raise BadAgent(f"{self.name} needs attach(env) before it acts")
        return self._policy.act(obs, first), None

    def belief(self, state: Any) -> Belief | None:
        """What its memory tells of the places of things."""
        return None if self._policy is None else envs.remembered(self._policy)


def make_reference(name: str, env: EnvConfig) -> Agent:
    """The untrained agent called `name` for an environment. Raises BadAgent if it plays only environments of the suite."""
    if name == "random":
        return RandomAgent()
    if env.entry is None:
        raise BadAgent(f"{name} does not play {env.label}: only environments of this suite have scripted players")
    return SimulatorAgent(env) if name == SimulatorAgent.name else ReferenceAgent(name, envs.reference_obs(env, name))
