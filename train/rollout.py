"""THE loop in which agents meet environments: held-out success, audit, watch, sweep, leaderboard and latency run on it.

n environments play at once, one a seed, and of each its first episode counts. An episode depends on nothing but the agent
(and the agent's own seed), the environment and its seed: not on the others in its batch, nor on what was played before.

Whatever an agent does wrong ends its episodes as failed, with an error that names agent, step and value; a wrong action
in one row fails that row alone. With `fail_fast` the first such error is raised instead.
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

MAX_STEPS = 100_000  # an environment ends its episodes long before this; a guard against one that does not
MAX_TEXT = 500  # characters that are kept of an agent's own words


@dataclass(frozen=True)
class Outcome:
    """How one episode went. `error` is empty for one that was played to its end."""

    seed: int
    episode_return: float
    length: int
    """steps"""
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """what the environment says of an episode that ended, by name"""


@dataclass(frozen=True)
class RolloutStep:
    """The environments as the agent finds them at one step, and what it decides; they take the step afterwards."""

    step: int
    """0 after the reset"""
    obs: Any
    """(n, ...), or a dict of such arrays; where the environment does not copy, its own buffers"""
    reward: np.ndarray
    """(n,) of the step that led here"""
    terminated: np.ndarray
    """(n,) bool: an episode ends here"""
    truncated: np.ndarray
    """(n,) bool: an episode is cut off here"""
    live: np.ndarray
    """(n,) bool: the row's first episode goes on from here"""
    actions: np.ndarray
    """(n,) or (n, d): what is done next; harmless ones where the agent's were wrong"""
    state: Any
    """the agent's memory, now that it has seen `obs`"""
    seconds: float
    """that the decision took"""


class Rollout:
    """One agent at play in a vector environment. Iterating gives the moments; `outcomes` then says how it went.

    Args:
        env: as many environments as seeds, with Gymnasium's NEXT_STEP autoreset.
        seeds: of the episodes.
        name: how errors call the agent; its own name without.
        agent_seed: what the agent's own random numbers follow from, beside the episode's seed and the step.
        metrics: names of the numbers that the environment tells in `infos` when an episode ends.
        once: stop when every row's first episode is over; else episode follows episode until the caller has enough.
        look_at_end: let the agent see the last observation too, for what it then has in mind.
        fail_fast: raise AgentFailed at the first thing that is wrong with the agent.
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
        fail_fast: bool = False,
    ) -> None:
        n = len(seeds)
        assert env.num_envs == n, "one environment a seed"
        assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
        self.agent, self.env, self.seeds, self.name = agent, env, list(seeds), name or agent.name
        self.agent_seed, self.metrics = agent_seed, tuple(metrics)
        self.once, self.observe_final, self.fail_fast = once, observe_final, fail_fast
        self._returns, self._lengths = np.zeros(n), np.zeros(n, np.int64)
        self._errors = [""] * n
        self._metrics: list[dict[str, float]] = [{} for _ in range(n)]
        self._live = np.ones(n, bool)

    @property
    def outcomes(self) -> list[Outcome]:
        """How the first episode of every row went, in the order of the seeds."""
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
        obs, _ = env.reset(seed=self.seeds)  # type: ignore[arg-type]  # Gymnasium's lists are not in its types
        reward, terminated, truncated, first = np.zeros(n), np.zeros(n, bool), np.zeros(n, bool), np.ones(n, bool)
        for step in range(MAX_STEPS):
            began = time.perf_counter()
            try:
                answer, state = agent.act(obs, state, first)
            except (Exception, SystemExit) as error:
                return self._fail(self._live.nonzero()[0], f"raised {one_line(error)}", step, error)
            seconds = time.perf_counter() - began
            actions, wrong = check_actions(answer, env.single_action_space, n)
            for row, reason in wrong.items():
                if self._live[row] or not self.once:
                    self._fail([row], reason, step)
            yield RolloutStep(step, obs, reward, terminated, truncated, self._live.copy(), actions, state, seconds)
            if self.once and not self._live.any():  # all have failed, or this was the look at the end
                return
            first = terminated | truncated  # a step after an episode's end resets
            obs, reward, terminated, truncated, infos = env.step(actions)
            self._count(reward, terminated | truncated, infos)
            if self.once and not self._live.any() and not self.observe_final:
                return
        self._fail(self._live.nonzero()[0], f"its episode did not end within {MAX_STEPS} steps", MAX_STEPS)

    def _count(self, reward: np.ndarray, ended: np.ndarray, infos: Mapping[str, Any]) -> None:
        """Add one step to the rows that are live."""
        self._returns[self._live] += reward[self._live]
        self._lengths[self._live] += 1
        for row in np.flatnonzero(self._live & ended):
            self._metrics[row] = {name: float(infos[name][row]) for name in self.metrics}
        self._live &= ~ended

    def _fail(self, rows: Any, reason: str, step: int, cause: BaseException | None = None) -> None:
        """End the episodes of these rows. Raises AgentFailed where that is asked for."""
        if self.fail_fast:
            raise AgentFailed(self.name, reason, step) from cause
        for row in rows:
            if self._live[row]:
                self._errors[row] = str(AgentFailed(self.name, reason, step))
                self._live[row] = False


def make_env_for(agent: Agent, env_config: EnvConfig, n: int) -> VectorEnv:
    """n environments with the observation and the actions that the agent needs.

    Raises:
        EvaluationError: the agent needs others than `env_config` asks for.
        UnknownEnvironment, BadParameter, BadAgent: as `envs.make`.
    """
    for word, needed, asked in (("obs", agent.obs, env_config.obs), ("action", agent.action, env_config.action)):
        if needed and asked and needed != asked:
            raise EvaluationError(f"agent {agent.name!r} needs {word}={needed!r}, not {asked!r}")
    return envs.make(
        replace(env_config, obs=agent.obs or env_config.obs, action=agent.action or env_config.action), n
    ).vector


def metrics_of(env_config: EnvConfig) -> tuple[str, ...]:
    """Names of what the environment tells when an episode ends."""
    return () if env_config.entry is None else env_config.entry.task.metrics


def rollout(agent: Agent, env: VectorEnv, seeds: Sequence[int], **options: Any) -> list[Outcome]:
    """Play the first episode of every seed; one outcome each. Options as for `Rollout`."""
    run = Rollout(agent, env, seeds, **options)
    for _ in run:
        pass
    return run.outcomes


def random_actions(space: spaces.Space, steps: int, n: int) -> np.ndarray:
    """Actions (steps, n, ...) drawn uniformly of the space of one, the same every time."""
    rng = np.random.default_rng(7)
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, (steps, n))
    assert isinstance(space, spaces.Box)
    return rng.uniform(space.low, space.high, (steps, n, *space.shape)).astype(np.float32)


def check_actions(answer: Any, space: spaces.Space, n: int) -> tuple[np.ndarray, dict[int, str]]:
    """Actions safe to step with, and what is wrong with which row; a wrong row gets a harmless action.

    Args:
        answer: what the agent gave.
        space: the action space of one environment, Discrete or Box.
    """
    discrete = isinstance(space, spaces.Discrete)
    shape = (n,) if discrete else (n, *space.shape)  # type: ignore[misc]
    safe = np.full(shape, space.start) if isinstance(space, spaces.Discrete) else _middle(space, shape)
    try:
        actions = np.asarray(answer)
    except Exception as error:  # whatever the agent's object does when it is read
        return safe, dict.fromkeys(range(n), f"its actions are no array: {one_line(error)}")
    if actions.shape != shape:
        reason = f"action of shape {actions.shape}, where {shape} is due"
        return safe, dict.fromkeys(range(n), reason)
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), int(space.start + space.n - 1)
        if actions.dtype.kind not in "iu":
            due = f"where an integer of {low}..{high} is due"
            return safe, {i: f"action {_value(actions, i)} of dtype {actions.dtype}, {due}" for i in range(n)}
        bad = np.asarray((actions < low) | (actions > high))
        wrong = {int(i): f"action {actions[i]}, where {low}..{high} is due" for i in np.flatnonzero(bad)}
    else:
        assert isinstance(space, spaces.Box)
        if actions.dtype.kind != "f":
            due = "where floats are due"
            return safe, {i: f"action {_value(actions, i)} of dtype {actions.dtype}, {due}" for i in range(n)}
        flat = actions.reshape(n, -1)
        inside = (flat >= space.low.ravel() - 1e-6) & (flat <= space.high.ravel() + 1e-6)  # False for NaN
        bad = ~np.asarray(inside.all(1))
        due = f"where {space.low.tolist()} .. {space.high.tolist()} is due"
        wrong = {i: f"action {_value(actions, i)}, {due}" for i in np.flatnonzero(bad).tolist()}
    return np.where(bad.reshape(n, *[1] * (len(shape) - 1)), safe, actions), wrong


def _middle(space: spaces.Space, shape: tuple[int, ...]) -> np.ndarray:
    """The middle of a Box, in every row."""
    assert isinstance(space, spaces.Box)
    return np.broadcast_to((space.low / 2 + space.high / 2).astype(np.float32), shape)


def _value(actions: np.ndarray, row: int) -> str:
    """One row as text; an agent's own object may fail even at that."""
    try:
        return repr(actions[row].tolist() if actions.dtype != object else actions[row])[:MAX_TEXT]
    except Exception as error:
        return f"that cannot be shown ({type(error).__name__})"


def one_line(error: BaseException) -> str:
    """An error in one line of bounded length that any file takes; an agent's own error may fail even at that."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    text = f"{type(error).__name__}: {said}".rstrip(": ")
    return text[:MAX_TEXT].encode(errors="replace").decode()
