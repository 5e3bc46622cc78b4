"""Runs a reference policy in a batch of environments."""

from collections import deque
from typing import Any

import numpy as np

from unseen.envs.core.batch import Batch
from unseen.envs.core.kernels import reference_kernel
from unseen.envs.core.reference import NO_MEMORY, WORLD, split_name
from unseen.envs.errors import BadAction, BadParameter


class ReferencePolicy:
    """A reference policy of a task, for all environments of a batch.

    Attributes:
        memory: record array (n,), the memory of the policy.

    Args:
        name: of the reference. "tracker-16" is the tracker, restarted at every step on the last 16 observations.
        discrete: return indices of discrete actions instead of action rows.

    Raises:
        BadParameter: the task has no such reference, or it reads a sensor that the batch does not observe.
    """

    def __init__(self, batch: Batch, name: str, discrete: bool) -> None:
        task = batch.task
        base, window = split_name(name)
        if base not in task.references:
            have = ", ".join(map(repr, task.references)) or "none"
            raise BadParameter(f"reference {name!r}: {task.__name__} has {have}")
        self.name, self.batch, self.reference, self._discrete = name, batch, task.references[base], discrete
        reads = self.reference.reads
        if reads != WORLD and reads not in batch.names:
            raise BadParameter(f"{name} needs obs={reads!r}, but this environment has obs={batch.mode!r}")
        memory = self.reference.memory
        self.memory = np.zeros(batch.n, NO_MEMORY if memory is None else memory)
        if window and reads == WORLD:
            raise BadParameter(f"{name!r}: {base} reads the world, so it has no window of observations")
        self._recent: deque[tuple[np.ndarray, np.ndarray]] | None = deque(maxlen=window - 1) if window else None
        self._act = reference_kernel(task, base)

    def act(self, obs: Any, first: np.ndarray) -> np.ndarray:
        """Actions for observations of n environments: indices (n,), or rows (n, d).

        Args:
            obs: the environment's observations: an array (n, ...) or a dict of arrays.
            first: (n,) bool, True where the observation is the first of an episode.
        """
        batch = self.batch
        first = np.asarray(first, dtype=bool)
        empty = np.zeros(1, self.memory.dtype)
        self.memory[first if self.reference.remembers and self._recent is None else slice(None)] = empty
        if self.reference.reads == WORLD:
            read = batch.world
        else:
            rows = obs[self.reference.reads] if isinstance(obs, dict) else obs
            read = np.ascontiguousarray(rows, dtype=batch.task.sensors[self.reference.reads].dtype)
        rows = np.zeros((batch.n, batch.task.width()))
        if self._recent is not None:
            for earlier, of_this_episode in self._recent:
                of_this_episode &= ~first
                self._act(earlier, self.memory, batch.param_record, rows)
                self.memory[~of_this_episode] = empty
            self._recent.append((read.copy(), np.ones(batch.n, dtype=bool)))
        self._act(read, self.memory, batch.param_record, rows)
        if not self._discrete:
            return rows
        same = (rows[:, None] == batch.table).all(-1)
        if not same.any(1).all():
            raise BadAction(f"{self.name} returned {rows[~same.any(1)][0].tolist()}, which is not a discrete action")
        return same.argmax(1)
