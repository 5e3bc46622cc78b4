"""The loop that runs agents in environments. Evaluation, audit, watch, sweep, leaderboard and latency all use it.

n environments run in parallel, one per seed, and the first episode of each counts. An episode depends only on the agent, the
agent's seed, the environment and the episode's seed, not on the other episodes of the batch or on earlier ones.

An exception raised by the agent fails all unfinished episodes; an invalid action fails only its own row. The error names the
agent, the step and the value. With `fail_fast`, the first error is raised instead.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from unseen.agents.protocol import Agent
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.errors import AgentFailed, EvaluationError

__all__ = [
    "RolloutStep",
    "Outcome",
    "Rollout",
    "check_actions",
    "make_env_for",
    "metrics_of",
    "one_line",
    "rollout",
    "random_actions",
]

MAX_STEPS = 100_000  # safeguard against environments whose episodes do not end
MAX_TEXT = 500  # maximum characters of an agent's error messages


@dataclass(frozen=True)
class Outcome:
    """Result of one episode. `error` is empty if it was completed."""

    seed: int
    episode_return: float
    length: int
    """steps"""
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """metrics the environment reported at the end of the episode"""


@dataclass(frozen=True)
class RolloutStep:
    """Observations of one step and the agent's actions. It is yielded before the environments are stepped."""

    step: int
    """0 for the observation after the reset"""
    obs: Any
    """(n, ...), or a dict of such arrays; the environment's buffers if it does not copy"""
    reward: np.ndarray
    """(n,) reward of the previous step"""
    terminated: np.ndarray
    """(n,) bool: the episode terminated"""
    truncated: np.ndarray
    """(n,) bool: the episode was truncated"""
    live: np.ndarray
    """(n,) bool: the row's first episode has not ended yet"""
    actions: np.ndarray
    """(n,) or (n, d) valid actions; invalid actions of the agent are replaced"""
    state: Any
    """the agent's memory after observing `obs`"""
    seconds: float
    """time of the agent's decision"""


class Rollout:
    """Runs an agent in a vector environment. Iterate to get every `RolloutStep`; then read `outcomes`.

    Args:
        env: one environment per seed, with NEXT_STEP autoreset.
        seeds: of the first episodes.
        name: the agent's name in error messages; by default `agent.name`.
        agent_seed: seed of the agent's random numbers.
        metrics: names of the metrics in `infos` to record when an episode ends.
        once: stop when the first episode of every row has ended; else continue until the caller stops iterating.
        observe_final: also call the agent with the final observation, to get its memory after it.
        explore: sample from the policy, instead of taking its most likely action.
        fail_fast: raise AgentFailed on the first error of the agent.
    """

    def __init__(
        self,
        agent: Agent,
        env: VectorEnv,
        seeds: Sequence[int],
        *,
        name: str = "",
        agent_seed: int = 0,
        metrics: Sequence[str] = (),
        once: bool = True,
        observe_final: bool = False,
        explore: bool = False,
        fail_fast: bool = False,
    ) -> None:
        n = len(seeds)
        assert env.num_envs == n, "one environment per seed"
        assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
        self.agent, self.env, self.seeds, self.name = agent, env, list(seeds), name or agent.name
        self.agent_seed, self.metrics = agent_seed, tuple(metrics)
        self.once, self.observe_final, self.fail_fast = once, observe_final, fail_fast
        self.explore = explore
        self._returns, self._lengths = np.zeros(n), np.zeros(n, np.int64)
        self._errors = [""] * n
        self._metrics: list[dict[str, float]] = [{} for _ in range(n)]
        self._live = np.ones(n, bool)

    @property
    def outcomes(self) -> list[Outcome]:
        """Results of the first episodes, in the order of the seeds."""
        rows = zip(self.seeds, self._returns.tolist(), self._lengths.tolist(), self._errors, self._metrics, strict=True)
        return [Outcome(*row) for row in rows]

    def __iter__(self) -> Iterator[RolloutStep]:
        agent, env, n = self.agent, self.env, len(self.seeds)
        try:
            agent.attach(env)
            agent.seed(self.agent_seed)
            state = agent.initial_state(np.array(self.seeds, np.uint64))
        except (Exception, SystemExit) as error:
            return self._fail(self._live.nonzero()[0], f"raised {one_line(error)}", 0, error)
        obs, _ = env.reset(seed=self.seeds)  # type: ignore[arg-type]  # Gymnasium accepts lists, but does not declare them
        reward, terminated, truncated, first = np.zeros(n), np.zeros(n, bool), np.zeros(n, bool), np.ones(n, bool)
        for step in range(MAX_STEPS):
            start = time.perf_counter()
            try:
                answer, state = (
                    agent.act(obs, state, first, explore=True) if self.explore else agent.act(obs, state, first)
                )
            except (Exception, SystemExit) as error:
                return self._fail(self._live.nonzero()[0], f"raised {one_line(error)}", step, error)
            seconds = time.perf_counter() - start
            actions, wrong = check_actions(answer, env.single_action_space, n)
            for row, reason in wrong.items():
                if self._live[row] or not self.once:
                    self._fail([row], reason, step)
            yield RolloutStep(step, obs, reward, terminated, truncated, self._live.copy(), actions, state, seconds)
            if self.once and not self._live.any():  # all failed, or this was the final observation
                return
            first = terminated | truncated  # the step after an episode's end resets
            obs, reward, terminated, truncated, infos = env.step(actions)
            self._count(reward, terminated | truncated, infos)
            if self.once and isinstance(env, TaskVectorEnv):
                env.hold(~self._live)
            if self.once and not self._live.any() and not self.observe_final:
                return
        self._fail(self._live.nonzero()[0], f"the episode did not end within {MAX_STEPS} steps", MAX_STEPS)

    def _count(self, reward: np.ndarray, ended: np.ndarray, infos: Mapping[str, Any]) -> None:
        """Account for one step of the unfinished first episodes."""
        self._returns[self._live] += reward[self._live]
        self._lengths[self._live] += 1
        for row in np.flatnonzero(self._live & ended):
            self._metrics[row] = {name: float(infos[name][row]) for name in self.metrics}
        self._live &= ~ended

    def _fail(self, rows: Any, reason: str, step: int, cause: BaseException | None = None) -> None:
        """Mark the episodes of these rows as failed, or raise AgentFailed if `fail_fast`."""
        if self.fail_fast:
            raise AgentFailed(self.name, reason, step) from cause
        for row in rows:
            if self._live[row]:
                self._errors[row] = str(AgentFailed(self.name, reason, step))
                self._live[row] = False


def make_env_for(agent: Agent, env_config: EnvConfig, n: int) -> VectorEnv:
    """Make n environments with the observation mode and action kind that the agent needs.

    Raises:
        EvaluationError: `env_config` requests another mode or kind than the agent needs.
        UnknownEnvironment, BadParameter, BadAgent: as `envs.make`.
    """
    for word, needed, asked in (("obs", agent.obs, env_config.obs), ("action", agent.action, env_config.action)):
        if needed and asked and needed != asked:
            raise EvaluationError(f"agent {agent.name!r} needs {word}={needed!r}, not {asked!r}")
    return envs.make(
        replace(env_config, obs=agent.obs or env_config.obs, action=agent.action or env_config.action), n
    ).vector


def metrics_of(env_config: EnvConfig) -> tuple[str, ...]:
    """Names of the metrics that the environment reports when an episode ends."""
    return () if env_config.entry is None else env_config.entry.task.metrics


def rollout(agent: Agent, env: VectorEnv, seeds: Sequence[int], **options: Any) -> list[Outcome]:
    """Run one episode per seed and return the outcomes. Options as for `Rollout`."""
    run = Rollout(agent, env, seeds, **options)
    for _ in run:
        pass
    return run.outcomes


def random_actions(space: spaces.Space, steps: int, n: int) -> np.ndarray:
    """Uniformly sampled actions (steps, n, ...) of a single action space, with a fixed seed."""
    rng = np.random.default_rng(7)
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, (steps, n))
    assert isinstance(space, spaces.Box)
    return rng.uniform(space.low, space.high, (steps, n, *space.shape)).astype(np.float32)


def check_actions(answer: Any, space: spaces.Space, n: int) -> tuple[np.ndarray, dict[int, str]]:
    """Validate the actions of an agent.

    Args:
        answer: return value of the agent.
        space: action space of a single environment, Discrete or Box.

    Returns:
        Valid actions (n, ...), with invalid rows replaced; and row -> error message.
    """
    discrete = isinstance(space, spaces.Discrete)
    shape = (n,) if discrete else (n, *space.shape)  # type: ignore[misc]
    safe = np.full(shape, space.start) if isinstance(space, spaces.Discrete) else _middle(space, shape)
    try:
        actions = np.asarray(answer)
    except Exception as error:  # an arbitrary object may raise anything
        return safe, dict.fromkeys(range(n), f"actions are not an array: {one_line(error)}")
    if actions.shape != shape:
        reason = f"actions of shape {actions.shape}, expected {shape}"
        return safe, dict.fromkeys(range(n), reason)
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), int(space.start + space.n - 1)
        if actions.dtype.kind not in "iu":
            expected = f"expected an integer in {low}..{high}"
            return safe, {i: f"action {_value(actions, i)} of dtype {actions.dtype}, {expected}" for i in range(n)}
        bad = np.asarray((actions < low) | (actions > high))
        wrong = {int(i): f"action {actions[i]}, expected {low}..{high}" for i in np.flatnonzero(bad)}
    else:
        assert isinstance(space, spaces.Box)
        if actions.dtype.kind != "f":
            expected = "expected floats"
            return safe, {i: f"action {_value(actions, i)} of dtype {actions.dtype}, {expected}" for i in range(n)}
        flat = actions.reshape(n, -1)
        inside = (flat >= space.low.ravel() - 1e-6) & (flat <= space.high.ravel() + 1e-6)  # False for NaN
        bad = ~np.asarray(inside.all(1))
        expected = f"expected {space.low.tolist()} .. {space.high.tolist()}"
        wrong = {i: f"action {_value(actions, i)}, {expected}" for i in np.flatnonzero(bad).tolist()}
    return np.where(bad.reshape(n, *[1] * (len(shape) - 1)), safe, actions), wrong


def _middle(space: spaces.Space, shape: tuple[int, ...]) -> np.ndarray:
    """The centre of a Box, in every row."""
    assert isinstance(space, spaces.Box)
    return np.broadcast_to((space.low / 2 + space.high / 2).astype(np.float32), shape)


def _value(actions: np.ndarray, row: int) -> str:
    """One row as text. Objects returned by an agent may raise even then."""
    try:
        return repr(actions[row].tolist() if actions.dtype != object else actions[row])[:MAX_TEXT]
    except Exception as error:
        return f"(repr raised {type(error).__name__})"


def one_line(error: BaseException) -> str:
    """An error as one line of bounded length that can be encoded as UTF-8. str(error) itself may raise."""
    try:
        message = " ".join(str(error).split())
    except Exception:
        message = ""
    text = f"{type(error).__name__}: {message}".rstrip(": ")
    return text[:MAX_TEXT].encode(errors="replace").decode()
