"""Stepping of environments for a learner, with a record of episode returns."""

from __future__ import annotations

from collections import deque

import numpy as np

from unseen.agents.shared.actions import ActionHead
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.envs import Environments

RETURN_WINDOW = 300  # episodes over which the mean return is reported


class EpisodeReturns:
    """Returns of the most recent episodes of n environments.

    Attributes:
        episodes: number of episodes that have ended.
    """

    def __init__(self, n: int) -> None:
        self.episodes = 0
        self._running = np.zeros(n)
        self._last: deque[float] = deque(maxlen=RETURN_WINDOW)

    def add(self, reward: np.ndarray, done: np.ndarray) -> None:
        """Add one step of every environment: reward (n,), and done (n,) bool where an episode ended."""
        self._running += reward
        if done.any():
            self.episodes += int(done.sum())
            self._last.extend(self._running[done].tolist())
            self._running[done] = 0

    @property
    def mean(self) -> float:
        """Mean return of the recent episodes; 0 before the first one has ended."""
        return float(np.mean(self._last)) if self._last else 0.0

    def discard_running(self) -> None:
        """Discard the unfinished episodes."""
        self._running[:] = 0

    def sync(self, store: Store) -> None:
        self.episodes = store.scalar("returns.episodes", self.episodes)
        self._running = store.array("returns.running", self._running)
        self._last = deque(store.floats("returns.last", self._last), maxlen=RETURN_WINDOW)


class Collector:
    """n environments with NEXT_STEP autoreset, and their current transition.

    Attributes:
        obs: (n, ...) the current observations.
        action, reward: (n, ...) and (n,) of the step that led to them. Both are zero at the first observation of an episode.
        first: (n,) bool, the observation is the first of an episode.
        terminated, done: (n,) bool, the episode has terminated, or has ended in any way, with this observation; the next step only resets.
        steps: environment steps so far, not counting resets. Where actions are repeated, a transition has several.
    """

    def __init__(self, envs: Environments, head: ActionHead, seed: int) -> None:
        n = envs.vector.num_envs
        self._envs, self._head, self._seed = envs, head, seed
        self.steps = 0
        self.returns = EpisodeReturns(n)
        self._reset(seed)

    def _reset(self, seed: int) -> None:
        n = self._envs.vector.num_envs
        self.obs, _ = self._envs.vector.reset(seed=seed)
        self.action = self._head.zeros(n)
        self.reward = np.zeros(n, np.float32)
        self.first = np.ones(n, bool)
        self.terminated, self.done = np.zeros(n, bool), np.zeros(n, bool)

    def move(self, envs: Environments) -> None:
        """Continue in other environments, with new episodes."""
        self._envs = envs
        self.returns.discard_running()
        self._reset(self._seed + envs.vector.num_envs)

    def step(self, action: np.ndarray) -> int:
        """Step every environment. Returns the number of transitions, not counting resets."""
        self.first = self.done
        self.obs, reward, self.terminated, truncated, infos = self._envs.vector.step(action)
        self.done = self.terminated | truncated
        self.reward = reward.astype(np.float32)
        self.action = action.copy()
        self.action[self.first] = 0
        self.returns.add(self.reward, self.done)
        stepped = ~self.first
        self.steps += int(infos.get("steps", stepped).sum())
        return int(stepped.sum())

    def sync(self, store: Store) -> None:
        """Store or restore the state. Environments without snapshots start new episodes when restored."""
        self.steps = store.scalar("steps", self.steps)
        self.returns.sync(store)
        if not self._envs.has_snapshots:
            if store.reading:
                self.returns.discard_running()
                self._reset(self._seed + self.steps + 1)
            return
        snapshot = store.data("snapshot", self._envs.snapshot())
        for name in ("obs", "action", "reward", "first", "terminated", "done"):
            setattr(self, name, store.array(f"collector.{name}", getattr(self, name)))
        if store.reading:
            self._envs.restore(snapshot)
