"""Whole episodes, one in each environment, for on-policy learners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from unseen.agents.shared.actions import ActionHead
from unseen.agents.shared.envs import Environments


@dataclass
class Episodes:
    """Whole episodes of n environments, padded to the longest, T steps. Time comes first.

    Attributes:
        obs: (T + 1, n, ...); the last observation of episode i is obs[length[i], i].
        action: (T, n, A) encoded actions.
        log_prob, value: (T, n) of the action taken and of the observation, by the acting policy.
        reward: (T, n).
        length: (n,) transitions.
        taken: (n,) environment steps: more than transitions where actions are repeated.
        terminated: (n,) bool; the others were cut off by a time limit.
    """

    obs: np.ndarray
    action: np.ndarray
    log_prob: np.ndarray
    value: np.ndarray
    reward: np.ndarray
    length: np.ndarray
    taken: np.ndarray
    terminated: np.ndarray

    @property
    def steps(self) -> int:
        """Number of environment steps."""
        return int(self.taken.sum())

    @property
    def alive(self) -> np.ndarray:
        """(T, n) bool: the step belongs to the episode."""
        return np.arange(len(self.reward))[:, None] < self.length


Choose = Callable[[np.ndarray, np.ndarray], tuple[Tensor, Tensor, Tensor]]
"""(observations (m, ...), indices (m,) of the environments still playing) -> encoded actions (m, A), log-probabilities (m,), values (m,)"""


def play(envs: Environments, head: ActionHead, choose: Choose, seed: int, limit: int) -> Episodes:
    """Play one episode of at most `limit` steps in each environment, seeded `seed`, `seed` + 1, ..."""
    vector = envs.vector
    n = vector.num_envs
    obs, _ = vector.reset(seed=seed)
    rows = np.arange(n)
    seen = [np.array(obs)]
    actions: list[np.ndarray] = []
    scalars: dict[str, list[np.ndarray]] = {"log_prob": [], "value": [], "reward": []}
    length, taken, terminated = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, bool)
    given = head.zeros(n)
    while len(rows) and len(actions) < limit:
        encoded, log_prob, value = choose(seen[-1][rows], rows)
        action = np.zeros((n, head.size), np.float32)
        action[rows] = encoded
        given[rows] = head.decode(encoded).numpy()
        obs, reward, ended, cut, infos = vector.step(given)
        actions.append(action)
        for name, values in (("log_prob", log_prob), ("value", value), ("reward", reward[rows])):
            scalars[name].append(np.zeros(n, np.float32))
            scalars[name][-1][rows] = values
        seen.append(np.zeros_like(seen[0]))
        seen[-1][rows] = obs[rows]
        length[rows] = len(actions)
        taken[rows] += infos["steps"][rows] if "steps" in infos else 1
        terminated[rows] = ended[rows]
        rows = rows[~(ended | cut)[rows]]
    columns = {name: np.stack(column) for name, column in scalars.items()}
    return Episodes(
        obs=np.stack(seen), action=np.stack(actions), **columns, length=length, taken=taken, terminated=terminated
    )


def advantages(played: Episodes, after: np.ndarray, gamma: float, lam: float) -> np.ndarray:
    """Generalised advantage estimates (T, n) (Schulman et al. 2016), 0 after the end of an episode.

    after: (n,) values of the last observations, which count where an episode did not terminate.
    """
    alive = played.alive
    ahead = np.where(played.terminated, 0, after)
    out = np.zeros_like(played.value)
    gae = np.zeros_like(ahead)
    for t in range(len(out) - 1, -1, -1):
        delta = played.reward[t] + gamma * ahead - played.value[t]
        gae = np.where(alive[t], delta + gamma * lam * gae, gae)
        out[t] = np.where(alive[t], gae, 0)
        ahead = np.where(alive[t], played.value[t], ahead)
    return out
