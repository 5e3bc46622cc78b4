"""What an evaluation is: an agent, an environment, a level, and a block of held-out seeds.

A block of seeds is rolled out as one batch, an environment a seed, and of each only its first episode
counts. Blocks are always the same seeds of the "test" split, whatever was asked for or done before, so that
a score depends on nothing else: the agent is loaded afresh and its noise restarted from the block's number.
Everything an agent may do wrong ends its episodes as `failed`, with an error that names it; nothing it does
ends the evaluation. (It runs in a process of its own, which is a fence against accidents and no sandbox.)
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.train.errors import AgentFailed
from unseen.train.leaderboard.journal import digest

MAX_STEPS = 100_000  # an environment ends its episodes long before this; a guard against one that does not


@dataclass(frozen=True)
class Protocol:
    """The rules of a board. Results under different rules are never mixed."""

    version: int = 1
    split: str = "test"
    block: int = 100
    """seeds rolled out together; seeds are 0, 1, 2, ... of the split"""
    policy: str = "as the agent acts by default (no exploration)"

    @property
    def id(self) -> str:
        return digest(asdict(self))[:16]


PROTOCOL = Protocol()


@dataclass(frozen=True)
class Block:
    """One piece of work: `seeds` of one agent on one environment."""

    agent: str
    run: int | None
    env: str
    level: int
    seeds: range


@dataclass(frozen=True)
class Stopwatch:
    """The other piece of work: how long one decision takes at batch 1, on a short roll-out of its own."""

    agent: str
    run: int | None
    env: str
    level: int
    decisions: int = 300
    warm_up: int = 30


@dataclass(frozen=True)
class Outcome:
    """How one episode went. `error` is empty for one that was played to its end."""

    seed: int
    episode_return: float
    length: int
    error: str = ""


@dataclass(frozen=True)
class Latency:
    """Milliseconds a decision: median and 95th percentile."""

    p50_ms: float
    p95_ms: float
    decisions: int


def work(task: Block | Stopwatch) -> list[Outcome] | Latency | None:
    """What a worker process does with a piece of work."""
    return evaluate_block(task) if isinstance(task, Block) else measure_latency(task)


def evaluate_block(block: Block) -> list[Outcome]:
    """Play the first episode of every seed; one outcome each, in the order of the seeds."""
    try:
        agent, env = _meet(block, len(block.seeds))
    except AgentFailed as error:
        return [Outcome(seed, 0.0, 0, str(error)) for seed in block.seeds]
    try:
        return rollout(block.agent, agent, env, block.seeds)
    finally:
        env.close()


def _meet(task: Block | Stopwatch, n: int) -> tuple[Agent, Any]:
    """The agent, and n environments for it. Raises AgentFailed, whatever the agent's own code raised."""
    try:
        agent = load_agent(task.agent, task.env, task.level, run=task.run)
        env = envs.make(EnvConfig(task.env, task.level, agent.obs, agent.action, PROTOCOL.split), n).vector
        agent.attach(env)
        return agent, env
    except (Exception, SystemExit) as error:
        raise AgentFailed(task.agent, f"could not be loaded: {_told(error)}") from error


def rollout(name: str, agent: Agent, env: Any, seeds: range | list[int]) -> list[Outcome]:
    """Play `env` (as many environments as seeds, NEXT_STEP autoreset) until every first episode is over."""
    n = len(seeds)
    obs, _ = env.reset(seed=list(seeds))
    returns, lengths = np.zeros(n), np.zeros(n, np.int64)
    errors = [""] * n
    live, first = np.ones(n, bool), np.ones(n, bool)

    def fail(rows: Any, reason: str, step: int) -> None:
        for row in rows:
            errors[row] = str(AgentFailed(name, reason, step))
            live[row] = False

    state: Any = None
    for step in range(MAX_STEPS):
        try:
            if step == 0:
                state = agent.initial_state(np.array(seeds, np.uint64))
            answer, state = agent.act(obs, state, first)
        except (Exception, SystemExit) as error:
            fail(np.flatnonzero(live), f"raised {_told(error)}", step)
            break
        actions, wrong = check_actions(answer, env.single_action_space, n)
        for row, reason in wrong.items():
            if live[row]:
                fail([row], reason, step)
        if not live.any():
            break
        obs, reward, terminated, truncated, _ = env.step(actions)
        returns[live] += reward[live]
        lengths[live] += 1
        first = terminated | truncated
        live &= ~first
        if not live.any():
            break
    else:
        fail(np.flatnonzero(live), f"its episode did not end within {MAX_STEPS} steps", MAX_STEPS)
    rows = zip(seeds, returns.tolist(), lengths.tolist(), errors, strict=True)
    return [Outcome(*row) for row in rows]


def check_actions(answer: Any, space: spaces.Space, n: int) -> tuple[np.ndarray, dict[int, str]]:
    """Actions safe to step with, and what is wrong with which row; a wrong row gets a harmless action.

    Args:
        answer: what the agent gave.
        space: the action space of one environment, Discrete or Box.
    """
    discrete = isinstance(space, spaces.Discrete)
    shape = (n,) if discrete else (n, *space.shape)  # type: ignore[misc]
    safe = np.full(shape, space.start) if isinstance(space, spaces.Discrete) else np.zeros(shape, np.float32)
    try:
        actions = np.asarray(answer)
    except ValueError:
        actions = np.empty(0, object)
    if actions.shape != shape:
        reason = f"action of shape {actions.shape}, where {shape} is due"
        return safe, dict.fromkeys(range(n), reason)
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), int(space.start + space.n - 1)
        if actions.dtype.kind not in "iu":
            due = f"where an integer of {low}..{high} is due"
            return safe, {i: f"action {actions.tolist()[i]!r} of dtype {actions.dtype}, {due}" for i in range(n)}
        bad = np.asarray((actions < low) | (actions > high))
        wrong = {int(i): f"action {actions[i]}, where {low}..{high} is due" for i in np.flatnonzero(bad)}
    else:
        assert isinstance(space, spaces.Box)
        if actions.dtype.kind != "f":
            due = "where floats are due"
            return safe, {i: f"action {actions[i].tolist()} of dtype {actions.dtype}, {due}" for i in range(n)}
        flat = actions.reshape(n, -1)
        inside = (flat >= space.low.ravel() - 1e-6) & (flat <= space.high.ravel() + 1e-6)  # False for NaN
        bad = ~np.asarray(inside.all(1))
        due = f"where {space.low.tolist()} .. {space.high.tolist()} is due"
        wrong = {int(i): f"action {actions[i].tolist()}, {due}" for i in np.flatnonzero(bad)}
    return np.where(bad.reshape(n, *[1] * (len(shape) - 1)), safe, actions), wrong


def measure_latency(task: Stopwatch) -> Latency | None:
    """Time single decisions; None for an agent that fails. Observations come from test seeds, one at a time."""
    try:
        agent, env = _meet(task, 1)
    except AgentFailed:
        return None
    try:
        obs, _ = env.reset(seed=[0])
        state, first = agent.initial_state(np.zeros(1, np.uint64)), np.ones(1, bool)
        times = []
        for _ in range(task.warm_up + task.decisions):
            start = time.perf_counter_ns()
            answer, state = agent.act(obs, state, first)
            times.append(time.perf_counter_ns() - start)
            actions, wrong = check_actions(answer, env.single_action_space, 1)
            if wrong:
                return None
            obs, _, terminated, truncated, _ = env.step(actions)
            first = terminated | truncated
    except (Exception, SystemExit):
        return None
    finally:
        env.close()
    p50, p95 = np.percentile(times[task.warm_up :], [50, 95]) / 1e6
    return Latency(float(p50), float(p95), task.decisions)


def _told(error: BaseException) -> str:
    """An error as one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
