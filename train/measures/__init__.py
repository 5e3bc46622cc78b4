"""Measures of an agent's model beside the return: what its memory holds, what it imagines, and whether its plans work."""

from __future__ import annotations

from collections.abc import Callable

from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.measures.counterfactual import TITLE as COUNTERFACTUAL
from unseen.train.measures.counterfactual import counterfactual_table
from unseen.train.measures.decoding import TITLE as DECODING
from unseen.train.measures.decoding import decoding_table
from unseen.train.measures.imagination import TITLE as IMAGINATION
from unseen.train.measures.imagination import imagination_table
from unseen.train.measures.map_error import TITLE as MAP_ERROR
from unseen.train.measures.map_error import map_table
from unseen.train.measures.plans import CALIBRATION, SURPRISE, calibration_table, surprise_table
from unseen.train.measures.played import play
from unseen.train.measures.tables import Table, absent

TITLES = (MAP_ERROR, DECODING, IMAGINATION, COUNTERFACTUAL, SURPRISE, CALIBRATION)
TRAIN_SHARE = 2  # episodes of the train split, for training probes, per episode of the test split


def measures(
    agent: Agent, env_config: EnvConfig, episodes: int, progress: Callable[[str], None] = lambda title: None
) -> tuple[Table, ...]:
    """Take all measures of an agent over held-out episodes.

    Args:
        episodes: number of episodes of the test split.
        progress: called with the title of each measure that is done.

    Raises AgentFailed, and what `play` raises.
    """
    if env_config.entry is None:
        return tuple(absent(title, f"{env_config.label} has no true state to compare with") for title in TITLES)
    test = play(agent, env_config, episodes)
    train = play(agent, env_config, TRAIN_SHARE * episodes, "train") if test.env.task.hidden else test
    takes: tuple[tuple[str, Callable[[], Table]], ...] = (
        (MAP_ERROR, lambda: map_table(test)),
        (DECODING, lambda: decoding_table(train, test)),
        (IMAGINATION, lambda: imagination_table(test)),
        (COUNTERFACTUAL, lambda: counterfactual_table(test)),
        (SURPRISE, lambda: surprise_table(test)),
        (CALIBRATION, lambda: calibration_table(test)),
    )
    found = []
    for title, take in takes:
        if agent.repeat > 1 and title not in (MAP_ERROR, DECODING):
            found.append(absent(title, f"an imagined step of {agent.name} lasts {agent.repeat} steps"))
        else:
            found.append(take())
        progress(title)
    return tuple(found)
