"""Success on episodes that neither training nor the leaderboard sees, for learning curves."""

from __future__ import annotations

import numpy as np

from unseen.agents.agent import Agent
from unseen.envs.suite import make_vec

FIRST_SEED = 1_000_000
"""Test seeds below are the leaderboard's."""


def success(agent: Agent, env_name: str, level: int, episodes: int, first_seed: int = FIRST_SEED) -> float:
    """Mean return of `episodes`, each environment playing exactly one, so that short ones do not count double."""
    env = make_vec(env_name, episodes, level=level, obs=agent.obs, split="test", copy=False)
    try:
        obs, _ = env.reset(seed=first_seed)
        state = agent.initial_state(episodes)
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
