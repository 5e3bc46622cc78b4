"""What stable-baselines3 sees of the environments: rows of the last k observations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from unseen.agents.sb3.vec import SB3Vec
from unseen.agents.shared.collector import EpisodeReturns


class RowVec(SB3Vec):
    """Environments whose observations are rows: the last `stack` observations, flattened, oldest first, zeros before an episode.

    Rows are copied into torch's aligned memory: rounding depends on alignment, and a resumed run must be bit-identical.

    Args:
        stack: k.
        bootstrap: False to report episodes that a time limit cuts off as ended.

    Attributes:
        rows: (n, stack x size) the current rows.
        returns: episode returns.
    """

    def __init__(self, env: VectorEnv, stack: int = 1, bootstrap: bool = True) -> None:
        super().__init__(env)
        space = env.single_observation_space
        assert isinstance(space, spaces.Box)
        self.size, self.bootstrap = int(np.prod(space.shape)), bootstrap
        low, high = (np.tile(bound.ravel(), stack) for bound in (space.low, space.high))
        self.observation_space = spaces.Box(low, high, dtype=space.dtype)
        self.rows = np.zeros((env.num_envs, stack * self.size), space.dtype)
        self.returns = EpisodeReturns(env.num_envs)

    def reset(self) -> np.ndarray:
        self.rows = self._appended(np.zeros_like(self.rows), super().reset())
        return _aligned(self.rows)

    def step_wait(self) -> Any:
        obs, reward, done, infos = super().step_wait()
        self.returns.add(reward, done)
        for i in np.flatnonzero(done):
            last = infos[i]["terminal_observation"]
            infos[i]["terminal_observation"] = _aligned(self._appended(self.rows[i : i + 1], last)[0])
            infos[i]["TimeLimit.truncated"] &= self.bootstrap
        self.rows = self._appended(np.where(done[:, None], 0, self.rows), obs)
        return _aligned(self.rows), reward, done, infos

    def _appended(self, rows: np.ndarray, obs: np.ndarray) -> np.ndarray:
        return np.concatenate([rows[:, self.size :], obs.reshape(len(rows), -1)], axis=1, dtype=self.rows.dtype)


def _aligned(values: np.ndarray) -> np.ndarray:
    return torch.tensor(values).numpy()
