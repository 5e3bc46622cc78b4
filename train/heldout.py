"""Scores on held-out episodes that neither training nor the leaderboard uses, for learning curves and final results."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.rollout import Outcome, make_env_for, metrics_of, rollout

FIRST_SEED = 3_000_000
"""Smaller test seeds are used by the leaderboard, by measures, and, from 1,000,000 on, were used when settings were chosen."""
POINTS_SEED = 4_000_000
"""First seed of the points of a learning curve: final scores are of other episodes."""
MAX_SYNC_ENVS = 50  # Gymnasium environments stepped together
SUCCESS = "is_success"


@dataclass(frozen=True)
class Score:
    """Means over held-out episodes."""

    episodes: int
    episode_return: float
    success: float | None
    """success rate; None if the environment does not report success"""


def score(
    agent: Agent,
    env_config: EnvConfig,
    episodes: int,
    *,
    sampled: bool = False,
    split: str = "test",
    first: int = FIRST_SEED,
) -> Score:
    """Play held-out episodes. Each environment plays exactly one, so that short episodes are not over-represented.

    Args:
        sampled: sample actions from the policy instead of taking the most likely one.
        split: seed split of the episodes.
        first: seed of the first episode.

    Raises AgentFailed if the agent raises or returns an invalid action.
    """
    outcomes: list[Outcome] = []
    batch = MAX_SYNC_ENVS if env_config.entry is None else episodes
    metrics = metrics_of(env_config)
    for start in range(first, first + episodes, batch):
        seeds = range(start, min(start + batch, first + episodes))
        env = make_env_for(agent, replace(env_config, split=split), len(seeds))
        try:
            outcomes += rollout(agent, env, seeds, fail_fast=True, metrics=metrics, explore=sampled)
        finally:
            env.close()
    success = sum(one.metrics[SUCCESS] for one in outcomes) / episodes if SUCCESS in metrics else None
    return Score(episodes, sum(one.episode_return for one in outcomes) / episodes, success)
