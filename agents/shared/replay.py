"""Replay of whole episodes in a ring buffer of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from unseen.agents.errors import BadAgent
from unseen.agents.shared.checkpoint import Store

Columns = Mapping[str, np.ndarray]
"""name -> array with one row per step"""

INITIAL_CAPACITY = 1024  # initially allocated steps and episodes; doubled when full


class StepRing:
    """A ring buffer of the last `capacity` steps. Steps are numbered in the order in which they were added.

    Args:
        like: name -> array (n, ...) that defines the shape and dtype of a column.
    """

    def __init__(self, capacity: int, like: Columns) -> None:
        self.capacity, self.written = capacity, 0
        room = min(capacity, INITIAL_CAPACITY)
        self._columns = {name: np.zeros((room, *value.shape[1:]), value.dtype) for name, value in like.items()}

    @property
    def oldest(self) -> int:
        """Number of the oldest stored step."""
        return max(0, self.written - self.capacity)

    def add(self, steps: Columns) -> None:
        """Append steps."""
        n = len(next(iter(steps.values())))
        for name, column in self._columns.items():
            column = self._columns[name] = _grown(column, self.written + n, self.capacity)
            column[(self.written + np.arange(n)) % self.capacity] = steps[name]
        self.written += n

    def take(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """The steps with these numbers. numbers: int array of any shape, which becomes the leading shape of each column."""
        at = numbers % self.capacity
        return {name: column[at] for name, column in self._columns.items()}

    def everything(self) -> dict[str, np.ndarray]:
        """All stored steps, oldest first."""
        return self.take(np.arange(self.oldest, self.written))

    def put(self, numbers: np.ndarray, steps: Columns) -> None:
        """Overwrite some columns (n, ...) of the steps with these numbers (n,)."""
        for name, value in steps.items():
            self._columns[name][numbers % self.capacity] = value

    def sync(self, store: Store) -> None:
        self.written = store.scalar("replay.written", self.written)
        for name, column in self._columns.items():
            used = store.array(f"replay.{name}", column[: min(self.written, self.capacity)], grows=True)
            if store.reading:
                column = self._columns[name] = _grown(column, len(used), self.capacity)
                column[: len(used)] = used


class EpisodeRing:
    """Whole episodes in a ring buffer of steps.

    Args:
        capacity: in steps.
        like: name -> array (n, ...) that defines the shape and dtype of a column.
    """

    def __init__(self, capacity: int, like: Columns) -> None:
        self.ring = StepRing(capacity, like)
        self.episodes = 0
        """episodes added so far, including those already overwritten"""
        self._bounds = np.zeros((INITIAL_CAPACITY, 2), np.int64)  # number of the first step, length
        self._kept = 0  # index of the oldest episode that is completely stored

    def __len__(self) -> int:
        """Number of episodes that can be sampled."""
        return self.episodes - self._kept

    @property
    def mean_length(self) -> float:
        """Mean length of the episodes in steps."""
        return self.ring.written / self.episodes

    def add(self, steps: Columns) -> None:
        """Add an episode. Raises BadAgent if it is longer than the capacity."""
        n = len(next(iter(steps.values())))
        if n > self.ring.capacity:
            raise BadAgent(f"an episode of {n} steps exceeds the replay capacity of {self.ring.capacity} steps")
        self._bounds = _grown(self._bounds, self.episodes + 1)
        self._bounds[self.episodes] = self.ring.written, n
        self.ring.add(steps)
        self.episodes += 1
        while self._bounds[self._kept, 0] < self.ring.oldest:
            self._kept += 1

    def sample(self, rng: np.random.Generator, batch: int, longest: int) -> dict[str, np.ndarray]:
        """Sample `batch` episodes uniformly, as time-major arrays (T, batch, ...) padded with zeros; `mask` (T, batch) is 1 for real steps.

        Of an episode with more than `longest` steps, a random segment of that length is taken.
        """
        start, length = self._bounds[self._kept + rng.integers(0, len(self), batch)].T
        if (length > longest).any():
            start = start + rng.integers(0, np.maximum(length - longest, 0) + 1)
            length = np.minimum(length, longest)
        mask = np.arange(int(length.max()))[:, None] < length
        steps = self.ring.take(np.where(mask, start + np.arange(len(mask))[:, None], start))
        for value in steps.values():
            value[~mask] = 0
        return steps | {"mask": mask.astype(np.float32)}

    def sync(self, store: Store) -> None:
        self.ring.sync(store)
        for name in ("episodes", "_kept"):
            setattr(self, name, store.scalar(f"replay.{name.strip('_')}", getattr(self, name)))
        bounds = store.array("replay.bounds", self._bounds[: self.episodes], grows=True)
        if store.reading:
            self._bounds = _grown(self._bounds, len(bounds))
            self._bounds[: len(bounds)] = bounds


class EpisodeReplay(EpisodeRing):
    """Finished episodes, and the unfinished episode of each environment.

    Step t of an episode holds an observation, the action and reward of the transition that led to it, and whether the
    episode terminated there. Action and reward of step 0 are zero. `targets` are additional values per step, given when an episode ends.
    """

    def __init__(self, capacity: int, obs: np.ndarray, action: np.ndarray, targets: int = 0) -> None:
        """capacity: in steps; obs (n, ...) and action (n, ...) of n environments define shapes and dtypes."""
        n = len(obs)
        like = {"obs": obs, "action": action, "reward": np.zeros(n, np.float32)}
        more = {"terminated": np.zeros(n, np.float32), "targets": np.zeros((n, targets), np.float32)}
        super().__init__(capacity, like | more)
        self._running = {name: np.zeros((n, 64, *value.shape[1:]), value.dtype) for name, value in like.items()}
        self._at = np.zeros(n, np.int64)

    def step(self, obs: np.ndarray, action: np.ndarray, reward: np.ndarray, first: np.ndarray) -> None:
        """Append a step to the episode of every environment; rows with `first` start a new one."""
        self._at[first] = 0
        rows = np.arange(len(obs))
        for name, value in {"obs": obs, "action": action, "reward": reward}.items():
            column = self._running[name]
            if self._at.max() >= column.shape[1]:
                column = self._running[name] = np.concatenate([column, np.zeros_like(column)], axis=1)
            column[rows, self._at] = value
        self._at += 1

    def running_obs(self, envs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The unfinished episodes of `envs` (n,): observations (n, T, ...), T being the longest length, and the length (n,) of each.

        Values after the end of a shorter episode are undefined.
        """
        length = self._at[envs]
        return self._running["obs"][envs, : int(length.max())], length

    def rewards(self, envs: np.ndarray) -> list[np.ndarray]:
        """Rewards (T,) of the unfinished episode of each of `envs` (n,)."""
        return [self._running["reward"][env, : self._at[env]].copy() for env in envs]

    def finish(self, envs: np.ndarray, terminated: np.ndarray, targets: np.ndarray) -> None:
        """Store the episodes of `envs` (n,) as finished. Raises BadAgent if one is longer than the capacity.

        Args:
            terminated: bool, one value per environment.
            targets: (n, T, width) of the episodes of `envs`.
        """
        for row, env in enumerate(envs):
            n = int(self._at[env])
            steps = {name: column[env, :n] for name, column in self._running.items()}
            ends = np.zeros(n, np.float32)
            ends[-1] = terminated[env]
            self.add(steps | {"terminated": ends, "targets": targets[row, :n]})

    def relabel(self, label: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> None:
        """Change every stored episode: `label` returns the new columns of one, which may be shorter than before."""
        for episode in range(self._kept, self.episodes):
            start, length = self._bounds[episode]
            steps = label(self.ring.take(np.arange(start, start + length)))
            self._bounds[episode, 1] = length = len(steps["reward"])
            self.ring.put(np.arange(start, start + length), steps)

    def sync(self, store: Store) -> None:
        """Store or restore everything, including unfinished episodes."""
        super().sync(store)
        self._at = store.array("replay.at", self._at)
        for name, column in self._running.items():
            by_time = store.array(f"replay.running.{name}", column.swapaxes(0, 1), grows=True)
            self._running[name] = np.ascontiguousarray(by_time.swapaxes(0, 1))


def _grown(column: np.ndarray, needed: int, most: int | None = None) -> np.ndarray:
    """The column if it has at least min(needed, most) rows, else a longer copy with at most `most` rows, padded with zeros."""
    needed = needed if most is None else min(needed, most)
    if needed <= len(column):
        return column
    room = max(needed, 2 * len(column))
    longer = np.zeros((room if most is None else min(room, most), *column.shape[1:]), column.dtype)
    longer[: len(column)] = column
    return longer
