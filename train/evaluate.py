"""`unseen evaluate`: score one agent on one environment. Nothing is stored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.arguments import LevelArgument, OptionalInt
from unseen.train.errors import AgentFailed, EvaluationError
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.contestants import make_arena
from unseen.train.leaderboard.protocol import SPLIT, EpisodeBlock, Latency, LatencyTask, evaluate_block, measure_latency
from unseen.train.leaderboard.report import milliseconds, number, spread
from unseen.train.leaderboard.runner import blocks
from unseen.train.leaderboard.statistics import Interval
from unseen.train.measures import TITLES, measures
from unseen.train.measures import tables as drawn
from unseen.train.measures.map_error import MapError, map_error
from unseen.train.measures.tables import Table
from unseen.train.progress import Progress
from unseen.train.rollout import Outcome, make_env_for

__all__ = ["EvaluateConfig", "Result", "evaluate"]

MAP_EPISODES = 500  # at most, over which the error of a map is measured
MODEL_EPISODES = 200  # at most, over which measures of the model are taken


@dataclass(frozen=True)
class EvaluateConfig(LevelArgument):
    """Which agent to score, and on which environment."""

    agent: str
    """name of an agent, .onnx file, folder of a training run, or file.py:Class"""
    env: str
    """name of an environment, file.py:Class, or a Gymnasium id"""
    episodes: int = 200
    """number of episodes"""
    seed: int = 0
    """seed of the first episode in its split; the others follow"""
    run: OptionalInt = None
    """training seed of the included agent; by default the run with the median return"""
    imagined: OptionalInt = None
    """of an agent that plans, the most imagined steps for a plan, or designs for a decision; 0 for no planning; by default its own"""
    model: bool = False
    """also measure the model: map, memory, imagination, other actions, plans; see docs/measures.md"""
    json: bool = False
    """print JSON, with every episode"""


@dataclass(frozen=True)
class Result:
    """Result of `evaluate`. If any episode failed, there is no score."""

    agent: str
    env: str
    level: int | str | None
    episodes: int
    raw: Interval | None
    """mean return"""
    normal: Interval | None
    """mean return normalised so that random = 0 and oracle = 1; None without anchors"""
    success: Interval | None
    """success rate; None if the environment does not report success"""
    length: float
    """mean episode length in steps"""
    latency: Latency | None
    map_error: MapError | None
    """error of the agent's map; None if it draws none"""
    outcomes: list[Outcome]
    model: tuple[Table, ...] = ()
    """measures of the model, if asked for"""


def evaluate(config: EvaluateConfig) -> Result:
    """Score one agent and print the result.

    Raises:
        UnknownEnvironment, UnknownAgent, BadParameter, BadAgent, BadCheckpoint, EvaluationError
        AgentFailed: every episode failed; the message has the first error.
    """
    if config.episodes < 1:
        raise EvaluationError("episodes must be at least 1")
    if config.seed < 0:
        raise EvaluationError("seed must be at least 0")
    env_config = config.env_config(config.env, config.level, SPLIT)
    agent = load_agent(
        config.agent, env_config.name, env_config.level, config.run, env_config.overrides, config.imagined
    )
    make_env_for(agent, env_config, 1).close()  # raises if the agent cannot act there
    outcomes: list[Outcome] = []
    with Progress({f"episodes of {config.agent}": config.episodes}) as progress:
        for seeds in blocks(config.episodes):
            seeds = range(config.seed + seeds.start, config.seed + min(seeds.stop, config.episodes))
            outcomes += evaluate_block(
                EpisodeBlock(config.agent, config.run, env_config, seeds, imagined=config.imagined)
            )
            progress.advance(f"episodes of {config.agent}", len(seeds))
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if len(errors) == len(outcomes):
        raise AgentFailed(config.agent, f"every episode failed; first error: {errors[0]}")
    timed = LatencyTask(config.agent, config.run, env_config, imagined=config.imagined)
    latency = None if errors else measure_latency(timed)
    mapped = None if errors else map_error(agent, env_config, min(config.episodes, MAP_EPISODES))
    result = replace(_result(config, env_config, outcomes, latency), map_error=mapped)
    if config.model and not errors:
        with Progress({"measures": len(TITLES)}) as progress:
            advance = lambda title: progress.advance("measures", 1, title)  # noqa: E731
            found = measures(agent, env_config, min(config.episodes, MODEL_EPISODES), advance)
        result = replace(result, model=found)
    if config.json:
        print(json.dumps(asdict(result), indent=1))
    else:
        show(result)
    return result


def _result(config: EvaluateConfig, env_config: EnvConfig, outcomes: list[Outcome], latency: Latency | None) -> Result:
    """Summarise the episodes."""
    length = sum(outcome.length for outcome in outcomes) / len(outcomes)
    bare = Result(
        config.agent,
        env_config.label,
        env_config.chosen_level,
        len(outcomes),
        None,
        None,
        None,
        length,
        latency,
        None,
        outcomes,
    )
    if any(outcome.error for outcome in outcomes):
        return bare
    raw = st.bootstrap([[outcome.episode_return for outcome in outcomes]])
    successes = [outcome.metrics["is_success"] for outcome in outcomes if "is_success" in outcome.metrics]
    ends = None if env_config.entry is None else make_arena(env_config).normalise([raw.point, raw.low, raw.high])
    normal = None if ends is None else Interval(*ends.tolist())
    return replace(bare, raw=raw, normal=normal, success=st.bootstrap([successes]) if successes else None)


def show(result: Result) -> None:
    """Print the result."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    level = "" if result.level is None else f" level {result.level}"
    title = f"{result.agent} on {result.env}{level}, {result.episodes} held-out episodes"
    console.print(Text(title, style="bold"))
    if result.raw is None:
        failed = [outcome for outcome in result.outcomes if outcome.error]
        console.print(Text(f"no score: {len(failed)} episodes failed; first error: {failed[0].error}", style="red"))
    else:
        console.print(Text(f"  return      {number(result.raw.point)}  (95 %: {spread(result.raw)})"))
    if result.success is not None:
        console.print(Text(f"  success     {number(result.success.point)}  (95 %: {spread(result.success)})"))
    if result.normal is not None:
        console.print(Text(f"  normalised  {number(result.normal.point)}  (random = 0, oracle = 1)"))
    console.print(Text(f"  length      {result.length:.1f} steps"))
    if result.map_error:
        error, last = (
            "unknown" if metres is None else f"{metres:.2f} m"
            for metres in (result.map_error.map, result.map_error.last_seen)
        )
        note = f"median over {result.map_error.steps} steps at which the requested object is hidden"
        console.print(Text(f"  map error   {error}  (from where it was last seen: {last}; {note})"))
    if result.latency:
        p50, p95 = milliseconds(result.latency.p50_ms), milliseconds(result.latency.p95_ms)
        console.print(Text(f"  decision    {p50} ms  (95th percentile {p95})"))
    for table in result.model:
        drawn.show(table, console)
