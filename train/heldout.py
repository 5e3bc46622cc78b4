"""Mean return on held-out episodes that neither training nor the leaderboard uses, for learning curves."""

from __future__ import annotations

from dataclasses import replace

from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.rollout import make_env_for, rollout

FIRST_SEED = 1_000_000
"""Smaller test seeds are used by the leaderboard."""
MAX_SYNC_ENVS = 50  # Gymnasium environments stepped together


def mean_return(agent: Agent, env_config: EnvConfig, episodes: int, first_seed: int = FIRST_SEED) -> float:
    """Mean return over `episodes` episodes. Each environment plays exactly one, so that short episodes are not over-represented.

    Raises AgentFailed if the agent raises or returns an invalid action.
    """
    returns: list[float] = []
    batch = MAX_SYNC_ENVS if env_config.entry is None else episodes
    for start in range(first_seed, first_seed + episodes, batch):
        seeds = range(start, min(start + batch, first_seed + episodes))
        env = make_env_for(agent, replace(env_config, split="test"), len(seeds))
        try:
            returns += [outcome.episode_return for outcome in rollout(agent, env, seeds, fail_fast=True)]
        finally:
            env.close()
    return sum(returns) / episodes
