"""The scripted agents: random, and the references that lie beside each environment."""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.agents.errors import BadAgent


class RandomAgent:
    """Draws every action uniformly."""

    name = "random"
    obs = "slots"

    def __init__(self, actions: int) -> None:
        self._actions = actions
        self.seed(0)

    def seed(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.Philox(seed))

    def initial_state(self, batch: int) -> None:
        return None

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        return self._rng.integers(0, self._actions, len(obs)), None


class ReferenceAgent:
    """An environment's own oracle, tracker or reflex; `attach` tells it which environments it acts in."""

    obs = "slots"

    def __init__(self, name: str) -> None:
        self.name = name
        self._policy: Any = None

    def attach(self, env: Any) -> None:
        self._policy = env.reference(self.name)

    def initial_state(self, batch: int) -> None:
        return None

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        if self._policy is None:
            raise BadAgent(f"{self.name} needs attach(env) before it acts")
        return self._policy.act(obs, first), None

    def belief(self, state: Any) -> dict[str, np.ndarray]:
        """The tracker's map: `seen` (n, k) and `xy` (n, k, 2) metres. Raises BadAgent for one without a memory."""
        if self.name != "tracker" or self._policy is None:
            raise BadAgent(f"{self.name} keeps no map")
        memory = self._policy.memory
        k = self._policy.batch.task.layout(self._policy.batch.values).colours
        xy = np.stack([memory["disc_x"][:, :k], memory["disc_y"][:, :k]], axis=-1)
        known = (
            np.abs(xy).max(-1) <= np.maximum(memory["room_hx"], memory["room_hy"])[:, None]
        )  # else: parked far outside
        return {"seen": known.astype(float), "xy": xy}


def reference(name: str, env_name: str, level: int | str) -> RandomAgent | ReferenceAgent:
    """The scripted agent called `name`, for an environment."""
    if name == "random":
        from unseen.envs.suite import resolve

        return RandomAgent(len(resolve(env_name).task.actions))
    return ReferenceAgent(name)
