"""The Gymnasium surface: `TaskEnv` (gymnasium.Env) and `TaskVectorEnv` (gymnasium.vector.VectorEnv)."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from unseen.envs.core.batch import NEXT_STEP, RESET, SAME_STEP, SENSE, Batch, Reference
from unseen.envs.core.task import Task
from unseen.envs.errors import BadAction, BadParameter, ResetNeeded
from unseen.envs.planar.sensors import Layout

ACTION_KINDS = ("discrete", "continuous")
RENDER_MODES = ("human", "rgb_array")
BOUND = 4.0  # slots and rays stay well inside: positions in room units, velocities in SPEED_UNIT


def observation_space(batch: Batch) -> spaces.Space:
    """The space of one environment's observation."""

    def box(o: np.ndarray) -> spaces.Box:
        if o.dtype == np.uint8:
            return spaces.Box(0, 255, o.shape[1:], np.uint8)
        return spaces.Box(-BOUND, BOUND, o.shape[1:], np.float32)

    if batch.mode == "dict":
        return spaces.Dict({name: box(o) for name, o in zip(batch.names, batch.obs, strict=True)})
    return box(batch.obs[0])


def action_space(task: type[Task], kind: str) -> spaces.Space:
    """The space of one environment's action."""
    if kind not in ACTION_KINDS:
        raise BadParameter(f"action={kind!r}: allowed are {', '.join(map(repr, ACTION_KINDS))}")
    if kind == "discrete":
        return spaces.Discrete(len(task.actions))
    low, high = (np.array(v, np.float32) for v in (task.action_low, task.action_high))
    return spaces.Box(low, high, dtype=np.float32)


def _refuse_options(options: dict[str, Any] | None) -> None:
    if options:
        raise BadParameter(
            f"reset options {sorted(options)}: none are known; difficulty is set by the environment's knobs"
        )


def _check_rows(task: type[Task], rows: np.ndarray) -> None:
    """Refuse continuous actions (..., d) that are not finite or out of bounds, naming the first."""
    if not np.isfinite(rows).all():
        raise BadAction(f"action {rows[~np.isfinite(rows).all(-1)][0].tolist()} is not finite")
    bad = (rows < np.array(task.action_low) - 1e-6) | (rows > np.array(task.action_high) + 1e-6)
    if bad.any():
        worst = rows[bad.any(-1)][0].tolist()
        raise BadAction(f"action {worst} is out of range: allowed is {task.action_low} .. {task.action_high}")


class TaskEnv(gym.Env):
    """One environment of a task.

    Args:
        task: the rules.
        level: difficulty; 0 is the visible twin; or the name of one of the task's presets.
        obs: "slots", "rays", "pixels", "dict" of these, or "state" (privileged).
        action: "discrete" or "continuous".
        split: "train", "test" or "shift": disjoint seeds, and for "shift" other ranges.
        render_mode: None, "rgb_array" or "human".
        knobs: difficulty keywords of the task.

    Raises:
        BadParameter: any of these is unknown or out of range.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        task: type[Task],
        *,
        level: int | str | None = None,
        obs: str = "slots",
        action: str = "discrete",
        split: str = "train",
        render_mode: str | None = None,
        **knobs: Any,
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise BadParameter(f"render_mode={render_mode!r}: allowed are None, 'human', 'rgb_array'")
        level = task.default_level if level is None else level
        self.batch = Batch(task, 1, level, split, obs, knobs)
        self.task, self.level, self.split, self.obs_mode = task, level, split, obs
        self.action_kind = action
        self.render_mode = render_mode
        self.observation_space = observation_space(self.batch)
        self.action_space = action_space(task, action)
        self.layout: Layout | None = task.layout(self.batch.values)
        self._discrete = action == "discrete"
        self._rows = [np.array(row, np.float64) for row in task.actions.values()]
        self._live = False
        self._viewer: Any = None

    @property
    def world(self) -> np.ndarray:
        """The true state, record array (1,): privileged."""
        return self.batch.world

    @property
    def params(self) -> np.ndarray:
        return self.batch.params

    def _observation(self) -> Any:
        if self.obs_mode == "dict":
            return {name: o[0].copy() for name, o in zip(self.batch.names, self.batch.obs, strict=True)}
        return self.batch.obs[0][0].copy()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode. A seed restarts the environment's generator; without one it goes on from where it is."""
        _refuse_options(options)
        fresh = self._np_random is None
        super().reset(seed=seed)
        if seed is not None:
            self.batch.seed([seed])
        elif fresh:
            self.batch.seed([int(self.np_random.integers(2**62))])
        self.batch.run(RESET)
        self._live = True
        if self.render_mode == "human":
            self._draw()
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance one step.

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
        if terminated or truncated:
            self._live = False
        if self.render_mode == "human":
            self._draw()
        return self._observation(), b.reward.item(0), terminated, truncated, {}

    def _row(self, action: Any) -> np.ndarray:
        if self._discrete:
            if type(action) is not int:
                scalar = isinstance(action, np.ndarray | np.generic) and action.ndim == 0
                if not scalar or action.dtype.kind not in "iu":
                    raise BadAction(f"action {action!r} is not an integer of 0..{len(self._rows) - 1}")
                action = int(action)
            if not 0 <= action < len(self._rows):
                raise BadAction(f"action {action} is out of range: allowed is 0..{len(self._rows) - 1}")
            return self._rows[action]
        try:
            row = np.asarray(action, dtype=np.float64)
        except (TypeError, ValueError):
            raise BadAction(f"action {action!r} is not numeric") from None
        if row.shape != self.action_space.shape:
            raise BadAction(f"action of shape {row.shape}: allowed is {self.action_space.shape}")
        _check_rows(self.task, row[None])
        return row

    def snapshot(self) -> bytes:
        """The exact state, for `restore`."""
        return self.batch.snapshot()

    def restore(self, data: bytes) -> Any:
        """Return to a snapshot; gives its observation. Raises BadSnapshot for foreign bytes."""
        self.batch.restore(data)
        self._live = not bool(self.world["done"][0])
        return self._observation()

    def reference(self, name: str) -> Reference:
        """A scripted reference policy: "oracle" (privileged), "tracker" or "reflex"."""
        return self.batch.reference(name)

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """Keyboard keys for `gymnasium.utils.play`, which looks for this name."""
        from unseen.envs.watch.play import keys_to_action

        return keys_to_action(self.task)

    def _draw(self) -> np.ndarray:
        from unseen.envs.watch.view import Viewer

        if self._viewer is None:
            self._viewer = Viewer()
        frame = self._viewer.frame(self.world[0], self.params[0], self.task, reward=self.batch.reward.item(0))
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


class TaskVectorEnv(gym.vector.VectorEnv):
    """n environments of a task, advanced by one kernel: the native path of `gymnasium.make_vec`.

    Args:
        autoreset: "next_step" (Gymnasium's default: the step after an end resets) or "same_step" (the ending step
            resets, its last observation is infos["final_obs"]).
        threads: Python threads over the batch; kernels release the GIL.
        copy: give fresh arrays; False gives the buffers, which the next step overwrites.

    The rest is as for TaskEnv. `reset(seed=s)` gives environment i the seed s + i; a list gives each its own.
    """

    metadata: dict[str, Any] = {
        "render_modes": ["rgb_array"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        task: type[Task],
        num_envs: int = 1,
        *,
        level: int | str | None = None,
        obs: str = "slots",
        action: str = "discrete",
        split: str = "train",
        autoreset: str = "next_step",
        threads: int = 1,
        copy: bool = True,
        render_mode: str | None = None,
        **knobs: Any,
    ) -> None:
        if autoreset not in ("next_step", "same_step"):
            raise BadParameter(f"autoreset={autoreset!r}: allowed are 'next_step', 'same_step'")
        if render_mode not in (None, "rgb_array"):
            raise BadParameter(f"render_mode={render_mode!r}: a vector environment has None and 'rgb_array'")
        level = task.default_level if level is None else level
        self.batch = Batch(task, num_envs, level, split, obs, knobs, threads)
        self.task, self.level, self.split, self.obs_mode = task, level, split, obs
        self.action_kind, self.render_mode, self.copy = action, render_mode, copy
        self.num_envs = num_envs
        self._same = autoreset == "same_step"
        if self._same:
            self.batch.keep_finals()
        mode = AutoresetMode.SAME_STEP if self._same else AutoresetMode.NEXT_STEP
        self.metadata = type(self).metadata | {"autoreset_mode": mode}
        self.single_observation_space = observation_space(self.batch)
        self.single_action_space = action_space(task, action)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.layout: Layout | None = task.layout(self.batch.values)
        self._live = False
        self._viewers: list[Any] = []

    @property
    def world(self) -> np.ndarray:
        """The true states, record array (n,): privileged."""
        return self.batch.world

    @property
    def params(self) -> np.ndarray:
        return self.batch.params

    def _give(self, buffers: tuple[np.ndarray, ...]) -> Any:
        out = tuple(o.copy() for o in buffers) if self.copy else buffers
        return dict(zip(self.batch.names, out, strict=True)) if self.obs_mode == "dict" else out[0]

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode in every environment."""
        _refuse_options(options)
        if seed is None and not self._live:
            seed = int(np.random.default_rng().integers(2**61))
        if seed is not None:
            seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, (int, np.integer)) else list(seed)
            if len(seeds) != self.num_envs or any(s is None for s in seeds):
                raise BadParameter(f"seed: {self.num_envs} environments need one integer, or {self.num_envs} of them")
            self.batch.seed([int(s) for s in seeds if s is not None])
        self.batch.run(RESET)
        self._live = True
        return self._give(self.batch.obs), {}

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every environment; see `autoreset` for what happens at an episode's end."""
        if not self._live:
            raise ResetNeeded(f"{self.task.__name__}: call reset() before the first step")
        b = self.batch
        self._take(actions)
        b.run(SAME_STEP if self._same else NEXT_STEP)
        infos: dict[str, Any] = {}
        if self._same:
            ended = b.terminated | b.truncated
            if ended.any():
                infos = {"final_obs": self._give(b.final), "_final_obs": ended, "final_info": {}, "_final_info": ended}
        if self.copy:
            return self._give(b.obs), b.reward.copy(), b.terminated.copy(), b.truncated.copy(), infos
        return self._give(b.obs), b.reward, b.terminated, b.truncated, infos

    def _take(self, actions: Any) -> None:
        b = self.batch
        a = np.asarray(actions)
        if self.action_kind == "discrete":
            if a.shape != (self.num_envs,) or a.dtype.kind not in "iu":
                raise BadAction(f"actions of shape {a.shape}, dtype {a.dtype}: allowed are {self.num_envs} integers")
            if a.min() < 0 or a.max() >= len(b.table):
                i = int(np.nonzero((a < 0) | (a >= len(b.table)))[0][0])
                raise BadAction(f"action {a[i]} of environment {i} is out of range: allowed is 0..{len(b.table) - 1}")
            np.take(b.table, a, axis=0, out=b.actions, mode="clip")
            return
        if a.shape != self.action_space.shape or a.dtype.kind not in "fiu":
            raise BadAction(f"actions of shape {a.shape}, dtype {a.dtype}: allowed is floats {self.action_space.shape}")
        _check_rows(self.task, a)
        b.actions[:] = a

    def snapshot(self) -> bytes:
        """The exact state of all environments, for `restore`."""
        return self.batch.snapshot()

    def restore(self, data: bytes) -> Any:
        """Return to a snapshot; gives its observations. Raises BadSnapshot for foreign bytes."""
        self.batch.restore(data)
        self._live = True
        return self._give(self.batch.obs)

    def observe(self) -> Any:
        """The observations of the present state, computed anew (after `world` was edited)."""
        self.batch.run(SENSE)
        return self._give(self.batch.obs)

    def reference(self, name: str) -> Reference:
        """A scripted reference policy over all environments: "oracle" (privileged), "tracker" or "reflex"."""
        return self.batch.reference(name)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """A picture (height, width, 3) uint8 of each environment for "rgb_array"."""
        if self.render_mode is None:
            return None
        from unseen.envs.watch.view import Viewer

        if not self._viewers:
            self._viewers = [Viewer() for _ in range(self.num_envs)]
        return tuple(
            v.frame(self.world[i], self.params[0], self.task, reward=self.batch.reward.item(i))
            for i, v in enumerate(self._viewers)
        )

    def close_extras(self, **kwargs: Any) -> None:
        for viewer in self._viewers:
            viewer.close()
        self._viewers = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_viewers": []}
