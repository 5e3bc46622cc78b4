"""Blocks of episodes: failing user-defined agents are named, and blocks are reproducible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.leaderboard.protocol import (
    EpisodeBlock,
    Latency,
    LatencyTask,
    MapTask,
    evaluate_block,
    measure_latency,
    measure_map,
)
from unseen.train.measures.map_error import map_error

ENV = "RolledBehind"


USERS = """
import sys
import numpy as np
from unseen.agents.protocol import Agent

class Fine(Agent):
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int), state

class Blind(Fine):
    obs = "telepathy"

class Stillborn(Fine):
    def __init__(self):
        raise KeyError("weights")

class Quitter(Fine):
    def act(self, obs, state, first, explore=False):
        sys.exit(3)

class Half(Fine):
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int)

class Plain:
    pass
"""


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Stillborn", "could not be loaded: BadAgent: .*could not be instantiated: KeyError: 'weights'"),
        ("Blind", "could not be loaded: BadParameter: obs='telepathy'"),
        ("Quitter", "at step 0: raised SystemExit: 3"),
        ("Half", "at step 0: raised"),
        ("Missing", "could not be loaded: UnknownAgent: .*it defines: Fine, Blind"),
        ("Plain", "could not be loaded: BadAgent: .*is not a subclass of Agent"),
    ],
)
def test_a_users_class_that_fails_is_named(tmp_path: Path, name: str, error: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(USERS)
    outcomes = evaluate_block(EpisodeBlock(f"{file}:{name}", None, EnvConfig(ENV, 1), range(3)))
    assert len(outcomes) == 3
    for outcome in outcomes:
        assert re.search(f"agent '.*mine.py:{name}'", outcome.error) and re.search(error, outcome.error)
    assert measure_latency(LatencyTask(f"{file}:{name}", None, EnvConfig(ENV, 1), 5, 1)) is None


def test_a_block_repeats_exactly_noise_included() -> None:
    block = EpisodeBlock("random", None, EnvConfig(ENV, 2), range(100, 130))
    assert evaluate_block(block) == evaluate_block(block)
    assert [o.seed for o in evaluate_block(block)] == list(range(100, 130))
    part = EpisodeBlock("random", None, EnvConfig(ENV, 2), range(110, 113))
    assert evaluate_block(part) == evaluate_block(block)[10:13]  # whatever it is played with


def test_a_block_of_another_split_or_parameter_is_another() -> None:
    plain, shifted, longer = (
        evaluate_block(EpisodeBlock("oracle", None, EnvConfig(ENV, 1, **more), range(20)))
        for more in ({}, {"split": "shift"}, {"overrides": {"blackout": (30, 30)}})
    )
    assert plain == evaluate_block(EpisodeBlock("oracle", None, EnvConfig(ENV, 1, split="test"), range(20)))
    assert plain != shifted and min(o.length for o in longer) > max(o.length for o in plain)


def test_latency_is_measured_at_batch_one() -> None:
    found = measure_latency(LatencyTask("reflex", None, EnvConfig(ENV, 1), 50, 5))
    assert isinstance(found, Latency)
    assert 0 < found.p50_ms <= found.p95_ms < 1000 and found.decisions == 50


def test_the_error_of_a_map_is_that_of_unseen_evaluate() -> None:
    found = measure_map(MapTask("gru-mapper", 0, EnvConfig(ENV, 1), episodes=20))
    own = EnvConfig(ENV, 1, split="test")
    assert found == map_error(load_agent("gru-mapper", ENV, 1, 0), own, 20) and found is not None
    assert found.map is not None and found.last_seen is not None and found.map < 0.2 < found.last_seen
    assert measure_map(MapTask("gru-ppo", 0, EnvConfig(ENV, 1))) is None  # it draws none


def test_a_map_of_an_agent_that_fails_is_not_measured(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(USERS)
    for name in ("Stillborn", "Half"):
        assert measure_map(MapTask(f"{file}:{name}", None, EnvConfig(ENV, 1))) is None
