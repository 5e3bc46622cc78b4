"""The true simulator of an environment, for planners that need no model. With `envs`, the only file in `agents` that uses more of an
environment than Gymnasium's vector interface.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from gymnasium.vector import VectorEnv

from unseen.agents.errors import BadAgent
from unseen.agents.shared.envs import EnvConfig, Layout, make


class Simulator:
    """The true simulator of an environment of the suite, which steps from any state. Privileged: for references only.

    A state is a record of the environment's world.

    Args:
        vector: environments that are used for nothing else, with the observation mode "state".
        layout: see below.

    Attributes:
        space: action space of one environment.
        size: number of environments, which is the number of states simulated at once.
        layout: of the slots at the start of an observation "state"; None without slots.
    """

    def __init__(self, vector: VectorEnv, layout: Layout | None) -> None:
        self._vector, self.size, self.layout = vector, vector.num_envs, layout
        self.space = vector.single_action_space

    def fresh(self, n: int) -> np.ndarray:
        """Initial states of n episodes, records (n,), for n up to `size`."""
        self._vector.reset(seed=0)
        return self._vector.world[:n].copy()  # type: ignore[attr-defined]

    def rows(self, states: np.ndarray) -> np.ndarray:
        """Observations "state" (m, d) of records (m,)."""
        return np.concatenate([self._observed(states[at : at + self.size]) for at in range(0, len(states), self.size)])

    def step(self, states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Step records (m,) of running episodes with actions (m, ...).

        Returns:
            The next records (m,), their observations "state" (m, d), rewards (m,), and whether the episode ended (m,) bool.
        """
        parts = [
            self._stepped(states[at : at + self.size], actions[at : at + self.size])
            for at in range(0, len(states), self.size)
        ]
        after, rows, reward, over = (np.concatenate(part) for part in zip(*parts, strict=True))
        return after, rows, reward, over

    def _observed(self, states: np.ndarray) -> np.ndarray:
        self._fill(states)
        return self._vector.observe()[: len(states)].copy()  # type: ignore[attr-defined]

    def _stepped(self, states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        self._fill(states)
        n = len(states)
        given = np.zeros((self.size, *actions.shape[1:]), actions.dtype)
        given[:n] = actions
        rows, reward, terminated, truncated, _ = self._vector.step(given)
        over = (terminated | truncated)[:n]
        return self._vector.world[:n].copy(), rows[:n].copy(), reward[:n].copy(), over  # type: ignore[attr-defined]

    def _fill(self, states: np.ndarray) -> None:
        """Put records into the first environments, and copies of the first one into the others."""
        self._vector.world[:] = states[0]  # type: ignore[attr-defined]
        self._vector.world[: len(states)] = states  # type: ignore[attr-defined]


def simulator(config: EnvConfig, size: int) -> Simulator:
    """The simulator of an environment of the suite, with `size` environments. Raises BadAgent for another environment."""
    if config.entry is None:
        raise BadAgent(f"{config.id} has no states that could be simulated from")
    layout = make(replace(config, obs=""), 1).slots
    return Simulator(make(replace(config, obs="state"), size).vector, layout)
