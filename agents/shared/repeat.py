"""Decisions that last several steps, for long episodes: the environments of a learner repeat each action, and its agent holds it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorWrapper

from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.protocol import Agent
from unseen.agents.shared import noise
from unseen.agents.shared.envs import AutoresetMode, Environments

MAX_REPEAT = 1000  # steps of a decision


def with_repeat(made: Environments, repeat: int) -> Environments:
    """Environments of the suite whose steps are `repeat` steps of `made`, with NEXT_STEP autoreset; `made` itself if `repeat` is 1.

    Raises BadAgent.
    """
    if repeat == 1:
        return made
    if not 1 <= repeat <= MAX_REPEAT:
        raise BadAgent(f"setting repeat={repeat}: must be in 1..{MAX_REPEAT}")
    if not made.has_snapshots or made.horizon is None:
        raise BadAgent(f"setting repeat={repeat}: only for environments of the suite")
    return replace(made, vector=Repeat(made.vector, repeat), horizon=-(-made.horizon // repeat))


def stored_repeat(settings: Mapping[str, Any], where: Path) -> int:
    """How many steps the decisions of a stored agent last, by the settings on its card. Raises BadCheckpoint."""
    value = settings.get("repeat", 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_REPEAT:
        raise BadCheckpoint(f"{where}: repeat={value!r} on its card: expected an integer in 1..{MAX_REPEAT}")
    return value


class Repeat(VectorWrapper):
    """Repeats each action `repeat` times, but not beyond the end of an episode, and adds up the rewards.

    `infos["steps"]` (n,) are the steps taken; 0 where the step only resets. It uses `hold` of the environments itself, so that they cannot
    be held from outside.
    """

    env: Any  # a TaskVectorEnv

    def __init__(self, env: Any, repeat: int) -> None:
        assert env.autoreset_mode == AutoresetMode.NEXT_STEP
        super().__init__(env)
        self.repeat = repeat

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        n = self.env.num_envs
        resets = self.env.world["done"] != 0
        self.env.hold(resets)
        reward, steps = np.zeros(n), np.zeros(n, np.int64)
        terminated, truncated = np.zeros(n, bool), np.zeros(n, bool)
        infos: dict[str, Any] = {}
        obs: Any = None
        for _ in range(self.repeat):
            steps += ~(resets | terminated | truncated)
            obs, more, ends, cut, found = self.env.step(actions)
            reward, terminated, truncated = reward + more, terminated | ends, truncated | cut
            _include(infos, found)
            over = resets | terminated | truncated
            self.env.hold(over)
            if over.all():
                break
        if resets.any():
            obs, _ = self.env.reset(options={"reset_mask": resets})
        return obs, reward, terminated, truncated, infos | {"steps": steps}

    def snapshot(self) -> bytes:
        return self.env.snapshot()

    def restore(self, data: bytes) -> Any:
        return self.env.restore(data)


def _include(infos: dict[str, Any], found: dict[str, Any]) -> None:
    """Include the infos of one step: each name has values (n,) and a mask (n,) under "_" + name of the rows that have one."""
    for name, mask in [(key[1:], found[key]) for key in found if key.startswith("_")]:
        before = infos.get(name, np.zeros_like(found[name])), infos.get(f"_{name}", np.zeros_like(mask))
        infos[name], infos[f"_{name}"] = np.where(mask, found[name], before[0]), mask | before[1]


class HoldingAgent(Agent):
    """An agent that decides at every `repeat`-th step of an episode, and in between holds its action, without looking.

    Its memory is a NamedTuple with the position of each row, `episodes`, and the previous action, `last`. Subclasses define `decide`, which
    sees only the rows that decide. What it imagines are decisions, and its belief is that of its last one.
    """

    @abstractmethod
    def decide(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        """See `Agent.act`."""

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        first = np.asarray(first, bool)
        due = first | (state.episodes.step % np.uint64(self.repeat) == 0)
        if due.all():
            return self.decide(obs, state, first, explore)
        held = state._replace(episodes=noise.advance(state.episodes))
        if not due.any():
            return held.last, held
        _, decided = self.decide(obs[due], _rows(due, state), first[due], explore)
        new = _put(due, decided, held)
        return new.last, new

    def at_decision(self, now: noise.Episodes) -> noise.Episodes:
        """Positions right after the latest decision of each row, which must have decided.

        Random numbers drawn there do not change while an action is held.
        """
        repeat, one = np.uint64(self.repeat), np.uint64(1)
        return now._replace(step=(now.step - one) // repeat * repeat + one)

    def ahead(self, now: noise.Episodes, horizon: int) -> np.ndarray:
        """Environment steps (n, horizon) from the latest observation to those that follow the current decision and the next ones."""
        held = (now.step - np.uint64(1)) % np.uint64(self.repeat)
        return self.repeat * np.arange(1, horizon + 1) - held.astype(np.int64)[:, None]


def _rows(chosen: np.ndarray, memory: Any) -> Any:
    """The chosen rows (n,) bool of arrays, tuples with an element a row, and mappings and NamedTuples of these."""
    if isinstance(memory, np.ndarray):
        return memory[chosen]
    if isinstance(memory, Mapping):
        return {name: _rows(chosen, value) for name, value in memory.items()}
    if hasattr(memory, "_fields"):
        return type(memory)(*(_rows(chosen, value) for value in memory))
    if isinstance(memory, tuple):
        return tuple(value for row, value in zip(chosen, memory, strict=True) if row)
    if memory is None:
        return None
    raise TypeError(f"memory of rows: {type(memory).__name__}")


def _put(chosen: np.ndarray, new: Any, old: Any) -> Any:
    """`old` with `new` in the chosen rows; the counterpart of `_rows`."""
    if isinstance(new, np.ndarray):
        out = old.copy()
        out[chosen] = new
        return out
    if isinstance(new, Mapping):
        return {name: _put(chosen, value, old[name]) for name, value in new.items()}
    if hasattr(new, "_fields"):
        return type(new)(*(_put(chosen, *pair) for pair in zip(new, old, strict=True)))
    if isinstance(new, tuple):
        mine = iter(new)
        return tuple(next(mine) if row else value for row, value in zip(chosen, old, strict=True))
    if new is None:
        return None
    raise TypeError(f"memory of rows: {type(new).__name__}")
