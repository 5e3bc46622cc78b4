"""`unseen sweep`: an agent's score as a function of a difficulty parameter."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from unseen.agents.errors import BadAgent
from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import BadParameter, UnseenError
from unseen.train.arguments import LevelArgument
from unseen.train.errors import EvaluationError
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.protocol import SPLIT
from unseen.train.leaderboard.statistics import Interval
from unseen.train.progress import Progress
from unseen.train.rollout import make_env_for, rollout

__all__ = ["Point", "SweepConfig", "sweep"]


@dataclass(frozen=True)
class SweepConfig(LevelArgument):
    """Which agent to score, and which parameter to vary."""

    agent: str
    """name of an agent, .onnx file, folder of a training run, or file.py:Class"""
    env: str
    """name of an environment, such as RolledBehind, or file.py:Class"""
    parameter: str
    """one of the parameters under "curves" in `unseen info ENV`, such as blackout"""
    episodes: int = 200
    """episodes per value, on the first seeds of the split"""
    json: bool = False
    """print JSON"""


@dataclass(frozen=True)
class Point:
    """The score at one value of the parameter; None, with the reason, if the agent cannot act there."""

    value: Any
    score: Interval | None
    reason: str = ""


def sweep(config: SweepConfig) -> list[Point]:
    """Score the agent at each value of the parameter and print the curve.

    Raises UnknownEnvironment, UnknownAgent, BadParameter, BadCheckpoint, EvaluationError.
    """
    if config.episodes < 1:
        raise EvaluationError("episodes must be at least 1")
    env_config = config.env_config(config.env, config.level, SPLIT)
    curves = {} if env_config.entry is None else env_config.entry.task.curves
    if config.parameter not in curves:
        known = ", ".join(curves) or "none"
        raise EvaluationError(f"{env_config.label} cannot be swept over {config.parameter!r}; choose from: {known}")
    points = []
    with Progress({f"values of {config.parameter}": len(curves[config.parameter])}) as progress:
        for value in curves[config.parameter]:
            points.append(
                _point(config, replace(env_config, overrides={**env_config.overrides, config.parameter: value}), value)
            )
            progress.advance(f"values of {config.parameter}")
    if config.json:
        print(json.dumps([asdict(point) for point in points], indent=1))
    else:
        title = f"{config.agent} on {env_config.label} level {env_config.chosen_level}, {config.episodes} episodes each"
        _show(title, config.parameter, points, _range(env_config, points))
    return points


def _point(config: SweepConfig, env_config: EnvConfig, value: Any) -> Point:
    """The score at one value. Raises UnknownAgent, BadCheckpoint."""
    seeds = range(config.episodes)
    try:
        agent = load_agent(config.agent, env_config.name, env_config.level, overrides=env_config.overrides)
        env = make_env_for(agent, env_config, len(seeds))
    except (BadParameter, BadAgent) as error:
        return Point(value, None, str(error))
    try:
        outcomes = rollout(agent, env, seeds, fail_fast=True)
    except UnseenError as error:
        return Point(value, None, str(error))
    finally:
        env.close()
    return Point(value, st.bootstrap([[outcome.episode_return for outcome in outcomes]]))


def _range(env_config: EnvConfig, points: list[Point]) -> tuple[float, float]:
    """Range of the bars: the bounds of the score or, if it is unbounded, the range of the results."""
    found = [point.score.point for point in points if point.score] or [0.0]
    assert env_config.entry is not None
    score = env_config.entry.task.score
    low = min([0.0, *found]) if score.low is None else score.low
    high = max(found) if score.high is None else score.high
    return low, max(high, low + 1e-9)


def _show(title: str, parameter: str, points: list[Point], ends: tuple[float, float]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    table.add_column(parameter)
    table.add_column("mean return")
    table.add_column("95 %")
    table.add_column("")
    for point in points:
        score = point.score
        if score is None:
            table.add_row(str(point.value), "n/a", "", Text(point.reason))
        else:
            bar = "█" * round(30 * (score.point - ends[0]) / (ends[1] - ends[0]))
            table.add_row(str(point.value), f"{score.point:.3f}", f"{score.low:.3f}–{score.high:.3f}", bar)
    Console().print(table)
