"""`TaskVectorEnv`: n environments of a task, as a gymnasium.vector.VectorEnv."""

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from unseen.envs.core import spaces
from unseen.envs.core.batch import ALL, Batch
from unseen.envs.core.kernels import NEXT_STEP, SAME_STEP, SENSE, STEP
from unseen.envs.core.lazy import load
from unseen.envs.core.params import Params
from unseen.envs.core.policy import ReferencePolicy
from unseen.envs.core.task import Task
from unseen.envs.errors import BadParameter, ResetNeeded

_KERNEL = {AutoresetMode.NEXT_STEP: NEXT_STEP, AutoresetMode.SAME_STEP: SAME_STEP, AutoresetMode.DISABLED: STEP}


class TaskVectorEnv(gym.vector.VectorEnv):
    """n environments of a task, advanced by one kernel: the native path of `gymnasium.make_vec`.

    Args:
        num_envs: n.
        autoreset_mode: Gymnasium's, as a member or its value: NEXT_STEP (the default: the step after an end resets),
            SAME_STEP (the ending step resets; its last observation is infos["final_obs"]) or DISABLED.
        max_episode_steps: truncate episodes after that many steps; None: never, since episodes end by themselves.
        threads: Python threads over the batch; kernels release the GIL.
        copy: give fresh arrays; False gives the buffers, which the next step overwrites.

    The rest is as for TaskEnv. `reset(seed=s)` gives environment i the seed s + i; a list gives each its own, and None
    in it leaves that environment's generator as it is. `options={"reset_mask": mask}` resets those that it marks.
    """

    metadata: dict[str, Any] = {
        "render_modes": ["rgb_array"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    _modes: ClassVar[tuple[str, ...]] = tuple(mode.value for mode in AutoresetMode)

    def __init__(
        self,
        task: type[Task],
        num_envs: int = 1,
        *,
        level: int | str | None = None,
        obs: str | None = None,
        action: str | None = None,
        split: str = "train",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        threads: int = 1,
        copy: bool = True,
        render_mode: str | None = None,
        **overrides: Any,
    ) -> None:
        if isinstance(autoreset_mode, str) and autoreset_mode not in self._modes:
            raise BadParameter(f"autoreset_mode={autoreset_mode!r}: allowed are {', '.join(map(repr, self._modes))}")
        if render_mode not in (None, "rgb_array"):
            raise BadParameter(f"render_mode={render_mode!r}: a vector environment has None and 'rgb_array'")
        self.batch = Batch(task, num_envs, level, split, obs, overrides, threads, max_episode_steps)
        self.task, self.level, self.split, self.obs_mode = task, self.batch.level, split, self.batch.mode
        self.action_kind = spaces.action_kind(task, action)
        self.render_mode, self.copy, self.num_envs = render_mode, copy, self.batch.n
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            self.batch.keep_finals()
        self.metadata = type(self).metadata | {"autoreset_mode": self.autoreset_mode}
        self.single_observation_space = spaces.observation_space(self.batch)
        self.single_action_space = spaces.action_space(task, self.action_kind)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._live = False
        self._viewers: list[Any] = []

    @property
    def params(self) -> Params:
        return self.batch.params

    @property
    def world(self) -> np.ndarray:
        """The true states, record array (n,): privileged."""
        return self.batch.world

    @property
    def layout(self) -> Any:
        """Where the parts of the observed row lie; None for a sensor that does not say."""
        return self.batch.layout

    @property
    def horizon(self) -> int:
        """The most steps that an episode can take."""
        return self.params.horizon

    def _give(self, buffers: tuple[np.ndarray, ...]) -> Any:
        out = tuple(o.copy() for o in buffers) if self.copy else buffers
        return dict(zip(self.batch.names, out, strict=True)) if self.obs_mode == ALL else out[0]

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode in every environment, or in those that options["reset_mask"] marks."""
        options = dict(options or {})
        mask = spaces.check_mask(options.pop("reset_mask", None), self.num_envs)
        spaces.refuse_options(options)
        if mask is not None and not self._live and not mask.all():
            raise ResetNeeded(f"{self.task.__name__}: the first reset() must reset every environment")
        seeds = spaces.check_seeds(seed, self.num_envs)
        if not self._live:  # no generator has a state yet: draw what was not given
            drawn = np.random.default_rng().integers(2**62, size=self.num_envs).tolist()
            seeds = [d if s is None else s for s, d in zip(seeds, drawn, strict=True)]
        given = np.array([s is not None for s in seeds]) & (True if mask is None else mask)
        if given.any():
            self.batch.seed([s for s, g in zip(seeds, given, strict=True) if g and s is not None], given)
        self.batch.reset(mask)
        self._live = True
        return self._give(self.batch.obs), {}

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every environment; `autoreset_mode` says what happens at an episode's end.

        Where episodes ended, infos hold the task's metrics, each (n,) with its mask under "_name"; with SAME_STEP they
        are in infos["final_info"].

        Raises:
            ResetNeeded: before the first reset; with DISABLED, while an episode that has ended was not reset.
            BadAction: an action is not of the action space.
        """
        if not self._live:
            raise ResetNeeded(f"{self.task.__name__}: call reset() before the first step")
        b = self.batch
        if self.autoreset_mode == AutoresetMode.DISABLED and b.world["done"].any():
            i = int(b.world["done"].argmax())
            raise ResetNeeded(
                f"{self.task.__name__}: environment {i} has ended; reset it by options={{'reset_mask': ...}}"
            )
        if self.action_kind == spaces.DISCRETE:
            indices = spaces.check_indices(self.task, actions, self.num_envs)
            np.take(b.table, indices, axis=0, out=b.actions, mode="clip")
        else:
            b.actions[:] = spaces.check_rows(self.task, actions, self.num_envs)
        b.run(_KERNEL[self.autoreset_mode])
        infos = self._infos(b.terminated | b.truncated)
        if self.copy:
            return self._give(b.obs), b.reward.copy(), b.terminated.copy(), b.truncated.copy(), infos
        return self._give(b.obs), b.reward, b.terminated, b.truncated, infos

    def _infos(self, ended: np.ndarray) -> dict[str, Any]:
        if not ended.any():
            return {}
        metrics: dict[str, Any] = {}
        for name, values in self.batch.metrics().items():
            metrics |= {name: np.where(ended, values, np.zeros((), values.dtype)), f"_{name}": ended}
        if self.autoreset_mode != AutoresetMode.SAME_STEP:
            return metrics
        return {
            "final_obs": self._give(self.batch.final),
            "_final_obs": ended,
            "final_info": metrics,
            "_final_info": ended,
        }

    def snapshot(self) -> bytes:
        """The exact state of all environments, for `restore`."""
        return self.batch.snapshot()

    def restore(self, data: bytes) -> Any:
        """Return to a snapshot; gives its observations. Raises BadSnapshot for damaged or foreign bytes."""
        self.batch.restore(data)
        self._live = True
        return self._give(self.batch.obs)

    def observe(self) -> Any:
        """The observations of the present state, computed anew (after `world` was edited)."""
        self.batch.run(SENSE)
        return self._give(self.batch.obs)

    def reference(self, name: str) -> ReferencePolicy:
        """One of the task's scripted reference policies over all environments, such as "oracle" (privileged)."""
        return ReferencePolicy(self.batch, name, self.action_kind == spaces.DISCRETE)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """A picture (height, width, 3) uint8 of each environment for "rgb_array"."""
        if self.render_mode is None:
            return None
        if not self._live:
            raise ResetNeeded(f"{self.task.__name__}: call reset() before render()")
        if not self._viewers:
            self._viewers = [load(self.task.view.painter)() for _ in range(self.num_envs)]
        return tuple(
            viewer.frame(self.world[i], self.params, self.task, reward=self.batch.reward.item(i))
            for i, viewer in enumerate(self._viewers)
        )

    def close_extras(self, **kwargs: Any) -> None:
        for viewer in self._viewers:
            viewer.close()
        self._viewers = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_viewers": []}
