"""Replay of whole episodes: sequences start where episodes start, so that no cue is ever cut off."""

from __future__ import annotations

import numpy as np


class EpisodeReplay:
    """The last `capacity` episodes, each of at most `horizon` observations; plus the episodes being collected.

    Row t of an episode holds the observation, the action that led to it (0 at the start), its reward and whether
    the episode terminated there; `extra` further targets (width), filled in by the caller after `finish`.
    """

    def __init__(self, capacity: int, horizon: int, envs: int, obs: int, extra: int = 0) -> None:
        self.capacity, self.horizon = capacity, horizon
        self.obs = np.zeros((capacity, horizon, obs), np.float32)
        self.action = np.zeros((capacity, horizon), np.int64)
        self.reward = np.zeros((capacity, horizon), np.float32)
        self.term = np.zeros((capacity, horizon), np.float32)
        self.length = np.zeros(capacity, np.int64)
        self.extra = np.zeros((capacity, horizon, extra), np.float32)
        self.episodes = 0
        self._obs = np.zeros((envs, horizon, obs), np.float32)
        self._action = np.zeros((envs, horizon), np.int64)
        self._reward = np.zeros((envs, horizon), np.float32)
        self._at = np.zeros(envs, np.int64)

    def __len__(self) -> int:
        return min(self.episodes, self.capacity)

    def add(self, obs: np.ndarray, action: np.ndarray, reward: np.ndarray, first: np.ndarray) -> None:
        """Append one row to every running episode; `first` rows open new ones."""
        self._at[first] = 0
        rows = np.arange(len(obs))
        self._obs[rows, self._at] = obs
        self._action[rows, self._at] = action
        self._reward[rows, self._at] = reward
        self._at += 1

    def finish(self, envs: np.ndarray, terminated: np.ndarray) -> np.ndarray:
        """Store the running episodes of these environments; returns their slots."""
        slots = (self.episodes + np.arange(len(envs))) % self.capacity
        for slot, i in zip(slots, envs, strict=True):
            n = self._at[i]
            self.obs[slot, :n], self.obs[slot, n:] = self._obs[i, :n], 0
            self.action[slot, :n], self.action[slot, n:] = self._action[i, :n], 0
            self.reward[slot, :n], self.reward[slot, n:] = self._reward[i, :n], 0
            self.term[slot] = 0
            self.term[slot, n - 1] = terminated[i]
            self.length[slot] = n
        self.episodes += len(envs)
        return slots

    def sample(self, rng: np.random.Generator, batch: int) -> dict[str, np.ndarray]:
        """Episodes drawn uniformly, time-major (T, batch, ...), T the longest of them; `mask` marks real rows."""
        pick = rng.integers(0, len(self), batch)
        length = self.length[pick]
        n = int(length.max())

        def rows(a: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(a[pick, :n].swapaxes(0, 1))

        mask = (np.arange(n)[:, None] < length[None]).astype(np.float32)
        return {
            "obs": rows(self.obs), "action": rows(self.action), "reward": rows(self.reward),
            "term": rows(self.term), "extra": rows(self.extra), "mask": mask,
        }  # fmt: skip

    _STORED = ("obs", "action", "reward", "term", "length", "extra")
    _RUNNING = ("_obs", "_action", "_reward", "_at")

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything, for a checkpoint."""
        n = len(self)
        return {k: getattr(self, k)[:n] for k in self._STORED} | {k: getattr(self, k) for k in self._RUNNING}

    def take(self, arrays: dict[str, np.ndarray], episodes: int) -> None:
        """Restore what `arrays` gave."""
        self.episodes = episodes
        for k in self._STORED:
            getattr(self, k)[: len(self)] = arrays[k]
        for k in self._RUNNING:
            getattr(self, k)[:] = arrays[k]
