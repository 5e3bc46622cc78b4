"""`unseen sweep`: an agent's score along a difficulty knob, a curve instead of a point."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from unseen.agents.load import load_agent
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.envs.errors import BadParameter, UnseenError
from unseen.train.errors import EvaluationError
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.protocol import PROTOCOL, rollout
from unseen.train.leaderboard.statistics import Interval


@dataclass(frozen=True)
class SweepConfig:
    """Which agent to score, and along which knob."""

    agent: str
    """name, a trained .onnx file or a run's folder, or file.py:Class"""
    env: str
    """name of the environment, such as RolledBehind"""
    knob: str
    """one of the environment's curves, such as blackout"""
    level: int | None = None
    """what the other knobs are set to; its default without"""
    episodes: int = 200
    """episodes at every value, on the first seeds of the held-out split"""
    json: bool = False
    """print JSON"""


@dataclass(frozen=True)
class Point:
    """The score at one value of the knob; None where the agent cannot act there, and why."""

    value: Any
    score: Interval | None
    reason: str = ""


def sweep(config: SweepConfig) -> list[Point]:
    """Score the agent at every value of the knob and print the curve.

    Raises UnknownEnvironment, UnknownAgent, BadCheckpoint, EvaluationError.
    """
    entry = suite.resolve(config.env)
    values = entry.task.curves.get(config.knob)
    if values is None:
        raise EvaluationError(
            f"{entry.name} has no curve over {config.knob!r}; it has {', '.join(entry.task.curves) or 'none'}"
        )
    if config.episodes < 1:
        raise EvaluationError("episodes must be at least 1")
    level = entry.default_level if config.level is None else config.level
    points = [_point(config, entry.name, level, value) for value in values]
    if config.json:
        print(json.dumps([asdict(point) for point in points], indent=1))
    else:
        _show(f"{config.agent} on {entry.name} level {level}, {config.episodes} episodes each", config.knob, points)
    return points


def _point(config: SweepConfig, env_name: str, level: int, value: Any) -> Point:
    agent = load_agent(config.agent, env_name, level)
    seeds = range(config.episodes)
    try:
        where = EnvConfig(env_name, level, agent.obs, agent.action, PROTOCOL.split, {config.knob: value})
        env = envs.make(where, len(seeds)).vector
    except BadParameter as error:
        return Point(value, None, str(error))
    try:
        agent.attach(env)
        agent.seed(0)
        outcomes = rollout(agent.name, agent, env, seeds)
    except UnseenError as error:
        return Point(value, None, str(error))
    finally:
        env.close()
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if errors:
        return Point(value, None, errors[0])
    return Point(value, st.bootstrap([[outcome.episode_return for outcome in outcomes]]))


def _show(title: str, knob: str, points: list[Point]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    table.add_column(knob)
    table.add_column("mean return")
    table.add_column("95 %")
    table.add_column("")
    for point in points:
        score = point.score
        if score is None:
            table.add_row(str(point.value), "n/a", "", Text(point.reason))
        else:
            bar = "█" * round(30 * max(0.0, min(1.0, score.point)))
            table.add_row(str(point.value), f"{score.point:.3f}", f"{score.low:.3f}–{score.high:.3f}", bar)
    Console().print(table)
