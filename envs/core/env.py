"""`TaskEnv`: a single environment, as a gymnasium.Env."""

from typing import Any, ClassVar, Self

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Space
from gymnasium.utils import seeding

from unseen.envs.core import checks, spaces
from unseen.envs.core.batch import ALL, Batch
from unseen.envs.core.kernels import NEXT_STEP, SENSE
from unseen.envs.core.lazy import load
from unseen.envs.core.metadata import METADATA
from unseen.envs.core.params import Params
from unseen.envs.core.policy import ReferencePolicy
from unseen.envs.core.spec import with_horizon
from unseen.envs.core.task import Task
from unseen.envs.errors import BadParameter, ResetNeeded, shown

KEYWORDS = ("level", "obs", "action", "split", "render_mode", "show_hidden")  # besides the task's parameters
_PLAIN = (int, np.int64)  # common action types, for a fast path


def check_render_mode(mode: str | None) -> None:
    """Raise BadParameter unless `mode` is a render mode or None."""
    if mode is not None and mode not in METADATA["render_modes"]:
        raise BadParameter(
            f"render_mode={shown(mode)}: must be one of None, {', '.join(map(repr, METADATA['render_modes']))}"
        )


class TaskEnv(gym.Env):
    """A single environment of a task.

    Args:
        task: the task class.
        level: the difficulty, where 0 is the visible twin, or the name of a preset.
        obs: the name of a sensor (default: the task's first), or "dict" for all sensors except privileged ones.
        action: "discrete" or "continuous", if the task supports it.
        split: "train", "test" or "shift". Their seeds are disjoint; "shift" also draws from different ranges.
        render_mode: None, "rgb_array" or "human".
        show_hidden: also draw what is hidden from the agent. By default, pictures show only what it can sense now.
        overrides: parameters of the task.

    Raises:
        BadParameter, UnknownKeyword: an argument is unknown or out of range.
        BadTask: the task class is incomplete or invalid.
    """

    metadata: ClassVar[dict[str, Any]] = METADATA  # type: ignore[misc]

    def __init__(
        self,
        task: type[Task],
        *,
        level: int | str | None = None,
        obs: str | None = None,
        action: str | None = None,
        split: str = "train",
        render_mode: str | None = None,
        show_hidden: bool = False,
        **overrides: Any,
    ) -> None:
        check_render_mode(render_mode)
        show_hidden = checks.flag("show_hidden", show_hidden)
        batch = Batch(task, 1, level, split, obs, KEYWORDS, overrides)
        kind = spaces.action_kind(task, action)
        self._initialise(
            batch, kind, spaces.observation_space(batch), spaces.action_space(task, kind), render_mode, show_hidden
        )

    @classmethod
    def of_batch(
        cls, batch: Batch, kind: str, observation: Space, action: Space, render_mode: str | None, show_hidden: bool
    ) -> Self:
        """The environment on an existing batch of one, such as a row of a larger batch."""
        env = cls.__new__(cls)
        env._initialise(batch, kind, observation, action, render_mode, show_hidden)
        return env

    def _initialise(
        self, batch: Batch, kind: str, observation: Space, action: Space, render_mode: str | None, show_hidden: bool
    ) -> None:
        self.batch = batch
        self.task, self.level, self.split, self.obs_mode = batch.task, batch.level, batch.split, batch.mode
        self.action_kind, self.render_mode, self.show_hidden = kind, render_mode, show_hidden
        self.observation_space, self.action_space = observation, action
        self._rows = list(batch.table)
        self._viewer: Any = None
        self._spec: EnvSpec | None = None

    @property
    def params(self) -> Params:
        return self.batch.params

    @property
    def world(self) -> np.ndarray:
        """The true state, record array (1,): privileged."""
        return self.batch.world

    @property
    def layout(self) -> Any:
        """Layout of the observed row; None if the sensor declares none."""
        return self.batch.layout

    @property
    def horizon(self) -> int:
        """The maximum number of steps in an episode."""
        return self.params.horizon

    @property
    def spec(self) -> EnvSpec | None:
        """The spec set by `gymnasium.make`, with max_episode_steps = horizon; None for an environment made directly."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else with_horizon(spec, self.horizon, self.batch.max_episode_steps)

    @property
    def np_random_seed(self) -> int:
        """The seed of the current generator."""
        self.batch.draw_seeds()
        return self.batch.seeds.item(0)

    @property
    def np_random(self) -> np.random.Generator:
        """A NumPy generator with the same seed, for wrappers; the task itself uses the generator in its record."""
        if self._np_random is None:
            self._np_random, _ = seeding.np_random(self.np_random_seed)
        return self._np_random

    @np_random.setter
    def np_random(self, value: np.random.Generator) -> None:
        self._np_random = value
        self.batch.seed([int(value.integers(checks.MAX_SEED, endpoint=True))])

    def renew_np_random(self) -> None:
        """Recreate `np_random` from the current seed on next use."""
        self._np_random = None

    def _observation(self) -> Any:
        if self.obs_mode == ALL:
            return {name: o[0].copy() for name, o in zip(self.batch.names, self.batch.obs, strict=True)}
        return self.batch.obs[0][0].copy()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode. With a seed, the generator is seeded; without one, it continues."""
        checks.reset_options(options)
        if seed is not None:
            seed = checks.one_seed(seed)
            super().reset(seed=seed)
            self.batch.seed([seed])
        self.batch.reset()
        if self.render_mode == "human":
            self.show()
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by one step. `info` holds the task's metrics in the last step of an episode and is empty otherwise.

        Raises:
            ResetNeeded: called before the first reset, or after the episode has ended.
            BadAction: the action is not in the action space.
        """
        b = self.batch
        if b.done.item(0):
            raise ResetNeeded(
                f"{self.task.__name__}: call reset() before the first step and after an episode has ended"
            )
        if self.action_kind == spaces.CONTINUOUS:
            b.actions[0] = checks.continuous_actions(self.task, [action], 1)[0]
        elif type(action) in _PLAIN and 0 <= action < len(self._rows):
            b.actions[0] = self._rows[action]
        else:
            b.actions[0] = self._rows[checks.discrete_actions(self.task, [action], 1)[0]]
        b.run(NEXT_STEP)
        terminated, truncated = b.terminated.item(0), b.truncated.item(0)
        info = b.metrics_of(0) if terminated or truncated else {}
        if self.render_mode == "human":
            self.show()
        return self._observation(), b.reward.item(0), terminated, truncated, info

    def snapshot(self) -> bytes:
        """The exact state as bytes, for `restore`."""
        return self.batch.snapshot()

    def restore(self, data: bytes) -> Any:
        """Restore a snapshot and return its observation. Raises BadSnapshot."""
        self.batch.restore(data)
        return self._observation()

    def observe(self) -> Any:
        """Recompute the observation of the current state, for example after editing `world`."""
        self.batch.run(SENSE)
        return self._observation()

    def reference(self, name: str) -> ReferencePolicy:
        """One of the task's scripted reference policies, such as "oracle" (privileged)."""
        return ReferencePolicy(self.batch, name, self.action_kind == spaces.DISCRETE)

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """The key bindings that `gymnasium.utils.play` uses."""
        return load("unseen.envs.watch.play:keys_to_action")(self.task)

    def _draw(self) -> np.ndarray:
        if self._viewer is None:
            self._viewer = load(self.task.view.painter)(hidden=self.show_hidden)
        return self._viewer.frame(self.world[0], self.params, self.task, reward=self.batch.reward.item(0))

    def show(self) -> None:
        """Draw the current state in the window, as every reset and step does with render_mode="human"."""
        frame = self._draw()
        self._viewer.show(frame)

    def render(self) -> np.ndarray | None:
        """The frame, (height, width, 3) uint8, for "rgb_array"; None for other modes.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self.render_mode is None:
            gym.logger.warn("render() was called without a render_mode; pass render_mode='rgb_array' to make()")
            return None
        if self.batch.never_reset:
            raise ResetNeeded(f"{self.task.__name__}: call reset() before render()")
        if self.render_mode == "human":
            self.show()
            return None
        return self._draw()

    def close(self) -> None:
        """Close the window, if there is one. May be called repeatedly."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_viewer": None}
