"""Adapter from Gymnasium vector environments to the stable-baselines3 `VecEnv`, without a loop over environments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from unseen.agents.errors import BadAgent


class SB3Vec(VecEnv):
    """A stable-baselines3 view of a vector environment with SAME_STEP autoreset.

    When an episode ends, the returned observation is the first of the next episode. The final observation is in that
    environment's info as `terminal_observation`, together with `TimeLimit.truncated`.

    Raises:
        BadAgent: the environment uses another autoreset mode.
    """

    def __init__(self, env: VectorEnv) -> None:
        mode = env.metadata["autoreset_mode"]
        if mode != AutoresetMode.SAME_STEP:
            raise BadAgent(f"SB3Vec needs SAME_STEP autoreset, not {mode}")
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        seeds = None if any(s is None for s in self._seeds) else [int(s) for s in self._seeds if s is not None]
        obs, _ = self.env.reset(seed=seeds)  # type: ignore[arg-type]  # the base class declares a single integer
        self._reset_seeds()
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> Any:
        obs, reward, terminated, truncated, infos = self.env.step(self._actions)
        done = terminated | truncated
        rows: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            last = infos["final_obs"]
            row = {k: v[i] for k, v in last.items()} if isinstance(last, dict) else last[i]
            late = bool(truncated[i] and not terminated[i])
            rows[i] = {"terminal_observation": row, "TimeLimit.truncated": late}
        return obs, reward.astype(np.float32), done, rows

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """An attribute shared by all environments. Raises AttributeError, on which `has_attr` relies."""
        value = getattr(self.env, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        raise BadAgent("these environments are one native batch: attributes cannot be set individually")

    def env_method(
        self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any
    ) -> list[Any]:
        raise BadAgent("these environments are one native batch: call methods of `.env` instead")

    def env_is_wrapped(self, wrapper_class: Any, indices: int | Iterable[int] | None = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        return self.env.render() or [None] * self.num_envs  # type: ignore[return-value]
