"""Mean return on episodes that neither training nor the leaderboard sees, for learning curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unseen.agents.protocol import Agent
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig

FIRST_SEED = 1_000_000
"""Test seeds below are the leaderboard's."""


def mean_return(agent: Agent, where: EnvConfig, episodes: int, first_seed: int = FIRST_SEED) -> float:
    """Mean return of `episodes`, each environment playing exactly one, so that short ones do not count double."""
    env = envs.make(replace(where, obs=agent.obs, action=agent.action, split="test"), episodes).vector
    try:
        agent.attach(env)
        obs, _ = env.reset(seed=first_seed)
        state = agent.initial_state(np.arange(first_seed, first_seed + episodes, dtype=np.uint64))
        returns, playing, first = np.zeros(episodes), np.ones(episodes, bool), np.ones(episodes, bool)
        while playing.any():
            action, state = agent.act(obs, state, first)
            obs, reward, terminated, truncated, _ = env.step(action)
            returns += np.where(playing, reward, 0)
            playing &= ~(terminated | truncated)
            first = np.zeros(episodes, bool)  # a row that has ended is played on, but no longer counted
        return float(returns.mean())
    finally:
        env.close()
