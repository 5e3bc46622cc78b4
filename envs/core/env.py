"""`TaskEnv`: one environment of a task, as a gymnasium.Env."""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from unseen.envs.core import spaces
from unseen.envs.core.batch import ALL, Batch
from unseen.envs.core.kernels import NEXT_STEP
from unseen.envs.core.lazy import load
from unseen.envs.core.params import Params
from unseen.envs.core.policy import ReferencePolicy
from unseen.envs.core.task import Task
from unseen.envs.errors import BadAction, BadParameter, ResetNeeded

RENDER_MODES = ("human", "rgb_array")


class TaskEnv(gym.Env):
    """One environment of a task.

    Args:
        task: the rules.
        level: difficulty; 0 is the visible twin; or the name of one of the task's presets.
        obs: one of the task's sensors, the first by default; or "dict": all but the privileged ones.
        action: "discrete" or "continuous", as far as the task has them.
        split: "train", "test" or "shift": disjoint seeds, and for "shift" other ranges.
        render_mode: None, "rgb_array" or "human".
        overrides: parameters of the task.

    Raises:
        BadParameter, UnknownKeyword: any of these is unknown or out of range.
        BadTask: the task lacks a piece.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # type: ignore[misc]

    def __init__(
        self,
        task: type[Task],
        *,
        level: int | str | None = None,
        obs: str | None = None,
        action: str | None = None,
        split: str = "train",
        render_mode: str | None = None,
        **overrides: Any,
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise BadParameter(f"render_mode={render_mode!r}: allowed are None, 'human', 'rgb_array'")
        self.batch = Batch(task, 1, level, split, obs, overrides)
        self.task, self.level, self.split, self.obs_mode = task, self.batch.level, split, self.batch.mode
        self.action_kind = spaces.action_kind(task, action)
        self.render_mode = render_mode
        self.observation_space = spaces.observation_space(self.batch)
        self.action_space = spaces.action_space(task, self.action_kind)
        self._rows = list(self.batch.table)
        self._live = False
        self._viewer: Any = None

    @property
    def params(self) -> Params:
        return self.batch.params

    @property
    def world(self) -> np.ndarray:
        """The true state, record array (1,): privileged."""
        return self.batch.world

    @property
    def layout(self) -> Any:
        """Where the parts of the observed row lie; None for a sensor that does not say."""
        return self.batch.layout

    @property
    def horizon(self) -> int:
        """The most steps that an episode can take."""
        return self.params.horizon

    def _observation(self) -> Any:
        if self.obs_mode == ALL:
            return {name: o[0].copy() for name, o in zip(self.batch.names, self.batch.obs, strict=True)}
        return self.batch.obs[0][0].copy()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode. A seed restarts the environment's generator; without one it goes on from where it is."""
        spaces.refuse_options(options)
        fresh = self._np_random is None
        seed = None if seed is None else spaces.whole_seed(seed)
        super().reset(seed=seed)
        if seed is not None:
            self.batch.seed([seed])
        elif fresh:
            self.batch.seed([int(self.np_random.integers(2**62))])
        self.batch.reset()
        self._live = True
        if self.render_mode == "human":
            self._draw()
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance one step. The info of an episode's last step holds the task's metrics; before that it is empty.

        Raises:
            ResetNeeded: before the first reset, or after the episode's end.
            BadAction: the action is not of the action space.
        """
        if not self._live:
            raise ResetNeeded(f"{self.task.__name__}: call reset() before the first step and after an episode's end")
        b = self.batch
        b.actions[0] = self._row(action)
        b.run(NEXT_STEP)
        terminated, truncated = b.terminated.item(0), b.truncated.item(0)
        info: dict[str, Any] = {}
        if terminated or truncated:
            self._live = False
            info = {name: value.item(0) for name, value in b.metrics().items()}
        if self.render_mode == "human":
            self._draw()
        return self._observation(), b.reward.item(0), terminated, truncated, info

    def _row(self, action: Any) -> np.ndarray:
        if self.action_kind == spaces.CONTINUOUS:
            return spaces.check_rows(self.task, [action], 1)[0]
        if type(action) is not int:
            scalar = isinstance(action, np.ndarray | np.generic) and action.ndim == 0
            if not scalar or action.dtype.kind not in "iu":
                raise BadAction(f"action {action!r} is not an integer of 0..{len(self._rows) - 1}")
            action = int(action)
        if not 0 <= action < len(self._rows):
            raise BadAction(f"action {action} is out of range: allowed is 0..{len(self._rows) - 1}")
        return self._rows[action]

    def snapshot(self) -> bytes:
        """The exact state, for `restore`."""
        return self.batch.snapshot()

    def restore(self, data: bytes) -> Any:
        """Return to a snapshot; gives its observation. Raises BadSnapshot for damaged or foreign bytes."""
        self.batch.restore(data)
        self._live = not bool(self.world["done"][0])
        return self._observation()

    def reference(self, name: str) -> ReferencePolicy:
        """One of the task's scripted reference policies, such as "oracle" (privileged)."""
        return ReferencePolicy(self.batch, name, self.action_kind == spaces.DISCRETE)

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """Keyboard keys for `gymnasium.utils.play`, which looks for this name."""
        return load("unseen.envs.watch.play:keys_to_action")(self.task)

    def _draw(self) -> np.ndarray:
        if self._viewer is None:
            self._viewer = load(self.task.view.painter)()
        frame = self._viewer.frame(self.world[0], self.params, self.task, reward=self.batch.reward.item(0))
        if self.render_mode == "human":
            self._viewer.show(frame)
        return frame

    def render(self) -> np.ndarray | None:
        """The picture (height, width, 3) uint8 for "rgb_array"; None otherwise."""
        if self.render_mode is None:
            gym.logger.warn("render() was called without a render_mode; pass render_mode='rgb_array' to make()")
            return None
        if self._np_random is None:
            raise ResetNeeded(f"{self.task.__name__}: call reset() before render()")
        frame = self._draw()
        return frame if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Close the window, if any; harmless when repeated."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_viewer": None}
