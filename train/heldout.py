"""Mean return on episodes that neither training nor the leaderboard sees, for learning curves."""

from __future__ import annotations

from dataclasses import replace

from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.rollout import make_env_for, rollout

FIRST_SEED = 1_000_000
"""Test seeds below are the leaderboard's."""
MAX_SYNC_ENVS = 50  # environments of Gymnasium's, each of which is an object of its own


def mean_return(agent: Agent, env_config: EnvConfig, episodes: int, first_seed: int = FIRST_SEED) -> float:
    """Mean return of `episodes`, each environment playing exactly one, so that short ones do not count double.

    Raises AgentFailed for a policy that does not act as it should.
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
