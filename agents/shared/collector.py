"""Playing environments for a learner: the present observations, what led to them, and the returns of episodes."""

from __future__ import annotations

from collections import deque

import numpy as np

from unseen.agents.shared.actions import ActionHead
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.envs import Environments

RETURN_WINDOW = 300  # episodes whose mean return is told


class EpisodeReturns:
    """Returns of the last episodes of n environments."""

    def __init__(self, n: int) -> None:
        self._running = np.zeros(n)
        self._last: deque[float] = deque(maxlen=RETURN_WINDOW)

    def add(self, reward: np.ndarray, done: np.ndarray) -> None:
        """One step of every environment: rewards (n,), and which episodes (n,) end with it."""
        self._running += reward
        if done.any():
            self._last.extend(self._running[done].tolist())
            self._running[done] = 0

    @property
    def mean(self) -> float:
        """0 before the first episode is over."""
        return float(np.mean(self._last)) if self._last else 0.0

    def discard_running(self) -> None:
        """Forget the episodes that are running."""
        self._running[:] = 0

    def sync(self, store: Store) -> None:
        self._running = store.array("returns.running", self._running)
        self._last = deque(store.floats("returns.last", self._last), maxlen=RETURN_WINDOW)


class Collector:
    """n environments that reset themselves a step after an episode's end.

    Attributes:
        obs: (n, ...) the present observations.
        action, reward: (n, ...) and (n,) what led to them; zero where an episode opens.
        first: (n,) bool, the observation opens an episode.
        terminated, over: (n,) bool, the episode has ended with the observation; the next step only opens another.
        steps: environment steps so far, without those that only reset.
    """

    def __init__(self, envs: Environments, head: ActionHead, seed: int) -> None:
        n = envs.vector.num_envs
        self._envs, self._head, self._seed = envs, head, seed
        self.steps = 0
        self.returns = EpisodeReturns(n)
        self._open(seed)

    def _open(self, seed: int) -> None:
        n = self._envs.vector.num_envs
        self.obs, _ = self._envs.vector.reset(seed=seed)
        self.action = self._head.zeros(n)
        self.reward = np.zeros(n, np.float32)
        self.first = np.ones(n, bool)
        self.terminated, self.done = np.zeros(n, bool), np.zeros(n, bool)

    def step(self, action: np.ndarray) -> int:
        """Act in every environment; returns how many environment steps that were."""
        self.first = self.done
        self.obs, reward, self.terminated, truncated, _ = self._envs.vector.step(action)
        self.done = self.terminated | truncated
        self.reward = reward.astype(np.float32)
        self.action = action.copy()
        self.action[self.first] = 0
        self.returns.add(self.reward, self.done)
        stepped = int((~self.first).sum())
        self.steps += stepped
        return stepped

    def sync(self, store: Store) -> None:
        """Everything; where environments have no snapshots, new episodes begin instead."""
        self.steps = store.scalar("steps", self.steps)
        self.returns.sync(store)
        if not self._envs.has_snapshots:
            if store.reading:
                self.returns.discard_running()
                self._open(self._seed + self.steps + 1)
            return
        snapshot = store.data("snapshot", self._envs.snapshot())
        for name in ("obs", "action", "reward", "first", "terminated", "done"):
            setattr(self, name, store.array(f"collector.{name}", getattr(self, name)))
        if store.reading:
            self._envs.restore(snapshot)
