"""The evaluation protocol: an agent plays one episode for each held-out seed of an environment.

Episodes are evaluated in blocks, but each depends only on the agent, the environment and its seed. Errors of an agent mark its
episodes as failed and do not stop the evaluation. Agents run in separate processes, which protects against crashes but is
not a sandbox.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import islice

import numpy as np
from gymnasium.vector import VectorEnv

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.errors import AgentFailed
from unseen.train.files import digest
from unseen.train.measures.map_error import MapError, map_error
from unseen.train.rollout import Outcome, Rollout, make_env_for, metrics_of, one_line, rollout

SPLIT = "test"


@dataclass(frozen=True)
class Protocol:
    """Identifies how episodes are evaluated. Results of different protocols are never mixed."""

    version: int = 2
    split: str = SPLIT
    block: int = 100
    """seeds per block; seeds are 0, 1, 2, ... of the split"""
    policy: str = "as the agent acts by default (no exploration); its noise follows from the episode's seed"

    @property
    def id(self) -> str:
        return digest(asdict(self))[:16]


PROTOCOL = Protocol()


@dataclass(frozen=True)
class Task:
    """Something that a worker measures of one agent in one environment."""

    agent: str
    run: int | None
    env_config: EnvConfig = field(hash=False)
    imagined: int | None = field(default=None, kw_only=True)
    """maximum number of imagined steps for a plan, of an agent that plans; None: its own"""


@dataclass(frozen=True)
class EpisodeBlock(Task):
    """Task of a worker: run one agent on a block of seeds."""

    seeds: range


@dataclass(frozen=True)
class LatencyTask(Task):
    """Task of a worker: measure the time of one decision at batch size 1, in a short roll-out."""

    decisions: int = 300
    warm_up: int = 30


@dataclass(frozen=True)
class MapTask(Task):
    """Task of a worker: measure the error of an agent's map."""

    episodes: int = 200


@dataclass(frozen=True)
class Latency:
    """Milliseconds per decision: median and 95th percentile."""

    p50_ms: float
    p95_ms: float
    decisions: int


def run_task(task: Task) -> list[Outcome] | Latency | MapError | None:
    """Run a task in a worker process."""
    if isinstance(task, EpisodeBlock):
        return evaluate_block(task)
    if isinstance(task, MapTask):
        return measure_map(task)
    assert isinstance(task, LatencyTask)
    return measure_latency(task)


def evaluate_block(block: EpisodeBlock) -> list[Outcome]:
    """Run one episode per seed. Returns the outcomes in the order of the seeds."""
    try:
        agent, env = _load(block, len(block.seeds))
    except AgentFailed as error:
        return [Outcome(seed, 0.0, 0, str(error)) for seed in block.seeds]
    try:
        return rollout(agent, env, block.seeds, name=block.agent, metrics=metrics_of(block.env_config))
    finally:
        env.close()


def _load(task: Task, n: int) -> tuple[Agent, VectorEnv]:
    """Load the agent and make n environments. Raises AgentFailed for any exception of the agent's code."""
    env_config = replace(task.env_config, split=task.env_config.split or SPLIT)
    try:
        agent = load_agent(task.agent, env_config.name, env_config.level, task.run, env_config.overrides, task.imagined)
        return agent, make_env_for(agent, env_config, n)
    except (Exception, SystemExit) as error:
        raise AgentFailed(task.agent, f"could not be loaded: {one_line(error)}") from error


def measure_latency(task: LatencyTask) -> Latency | None:
    """Measure decision times at batch size 1 on test seeds; None if the agent fails."""
    try:
        agent, env = _load(task, 1)
    except AgentFailed:
        return None
    if agent.repeat > 1:
        agent.repeat = 1  # to time decisions, not steps that repeat one
    try:
        run = Rollout(agent, env, [0], once=False, fail_fast=True)
        times = [current.seconds for current in islice(run, task.warm_up + task.decisions)]
    except AgentFailed:
        return None
    finally:
        env.close()
    p50, p95 = 1e3 * np.percentile(times[task.warm_up :], [50, 95])
    return Latency(float(p50), float(p95), task.decisions)


def measure_map(task: MapTask) -> MapError | None:
    """The error of the agent's map on held-out seeds; None if it has no map, or fails."""
    try:
        agent, env = _load(task, 1)
        env.close()
        return map_error(agent, replace(task.env_config, split=task.env_config.split or SPLIT), task.episodes)
    except AgentFailed:
        return None
