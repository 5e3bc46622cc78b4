"""A Gymnasium vector environment as stable-baselines3's `VecEnv`, without a Python loop over environments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from unseen.agents.errors import BadAgent


class SB3Vec(VecEnv):
    """A vector environment made with SAME_STEP autoreset, as stable-baselines3 wants it.

    At an episode's end the observation is already the next episode's first; the last one is in that
    environment's info as `terminal_observation`, with `TimeLimit.truncated` where time ran out.

    Raises:
        BadAgent: the environments reset themselves a step later.
    """

    def __init__(self, env: VectorEnv) -> None:
        mode = env.metadata["autoreset_mode"]
        if mode != AutoresetMode.SAME_STEP:
            raise BadAgent(f"SB3Vec needs environments that reset themselves by SAME_STEP, not {mode}")
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        seeds = None if any(s is None for s in self._seeds) else [int(s) for s in self._seeds if s is not None]
        obs, _ = self.env.reset(seed=seeds)  # type: ignore[arg-type]  # the base class names one integer alone
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
        """An attribute that all environments share. Raises AttributeError, by which `has_attr` is answered."""
        value = getattr(self.env, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        raise BadAgent("these environments share one native batch: attributes cannot be set one by one")

    def env_method(
        self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any
    ) -> list[Any]:
        raise BadAgent("these environments share one native batch: call methods of `.env` instead")

    def env_is_wrapped(self, wrapper_class: Any, indices: int | Iterable[int] | None = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        return self.env.render() or [None] * self.num_envs  # type: ignore[return-value]
