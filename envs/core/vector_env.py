"""`TaskVectorEnv`: n environments of a task, as a gymnasium.vector.VectorEnv."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from unseen.envs.core import checks, spaces
from unseen.envs.core import env as scalar
from unseen.envs.core.batch import ALL, Batch
from unseen.envs.core.kernels import HELD, NEXT_STEP, SAME_STEP, SENSE, STEP
from unseen.envs.core.metadata import METADATA
from unseen.envs.core.params import Params
from unseen.envs.core.policy import ReferencePolicy
from unseen.envs.core.spec import Horizon, with_horizon
from unseen.envs.core.task import Task
from unseen.envs.errors import BadParameter, ResetNeeded

_VECTOR_ONLY = ("num_envs", "autoreset_mode", "max_episode_steps", "threads", "copy", "vectorization_mode")
KEYWORDS = (*scalar.KEYWORDS, *_VECTOR_ONLY[:-1])  # besides the task's parameters
_KERNEL = {AutoresetMode.NEXT_STEP: NEXT_STEP, AutoresetMode.SAME_STEP: SAME_STEP, AutoresetMode.DISABLED: STEP}


class TaskVectorEnv(gym.vector.VectorEnv):
    """n environments of a task, stepped by one kernel. `gymnasium.make_vec` returns this class by default.

    It behaves like Gymnasium's SyncVectorEnv over n TaskEnv, but is much faster.

    Args:
        num_envs: number of environments, n.
        autoreset_mode: a gymnasium.vector.AutoresetMode, its value or its name: NEXT_STEP (default; the step after the
            end of an episode resets), SAME_STEP (the last step of an episode resets; the final observation is in
            infos["final_obs"]) or DISABLED.
        max_episode_steps: truncate episodes after this many steps; None for no limit.
        threads: number of Python threads; kernels release the GIL.
        copy: return new arrays; if False, return buffers that the next step overwrites.

    For the other arguments, see TaskEnv. `reset(seed=s)` gives environment i the seed s + i; a list gives one seed per
    environment, where None leaves the generator unchanged. `options={"reset_mask": mask}` resets only those
    environments where the mask is True.
    """

    metadata: ClassVar[dict[str, Any]] = METADATA | {"autoreset_mode": AutoresetMode.NEXT_STEP}  # type: ignore[misc]

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
        show_hidden: bool = False,
        **overrides: Any,
    ) -> None:
        scalar.check_render_mode(render_mode)
        self.show_hidden = checks.flag("show_hidden", show_hidden)
        self.autoreset_mode = checks.autoreset_mode(autoreset_mode)
        if isinstance(max_episode_steps, Horizon):  # from a spec
            max_episode_steps = None
        self.batch = Batch(task, num_envs, level, split, obs, KEYWORDS, overrides, threads, max_episode_steps)
        self.task, self.level, self.split, self.obs_mode = task, self.batch.level, split, self.batch.mode
        self.action_kind = spaces.action_kind(task, action)
        self.render_mode, self.copy, self.num_envs = render_mode, copy, self.batch.n
        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            self.batch.allocate_final_obs()
        self.metadata = METADATA | {"autoreset_mode": self.autoreset_mode}  # type: ignore[misc]
        self.single_observation_space = spaces.observation_space(self.batch)
        self.single_action_space = spaces.action_space(task, self.action_kind)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._live = False
        self._spec: EnvSpec | None = None
        self._envs: list[scalar.TaskEnv] = []
        self._attributes: dict[str, tuple[Any, ...]] = {}

    @property
    def params(self) -> Params:
        return self.batch.params

    @property
    def world(self) -> np.ndarray:
        """The true states, record array (n,): privileged."""
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
        """The spec set by `gymnasium.make_vec`; its max_episode_steps is the limit, or the horizon if there is none."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else with_horizon(spec, self.horizon, self.batch.max_episode_steps)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seed of each generator."""
        self.batch.draw_seeds()
        return tuple(self.batch.seeds.tolist())

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """A NumPy generator per environment, for wrappers; the task itself uses the generators in its records."""
        return self.call("np_random")

    def _give(self, buffers: tuple[np.ndarray, ...]) -> Any:
        out = tuple(o.copy() for o in buffers) if self.copy else buffers
        return dict(zip(self.batch.names, out, strict=True)) if self.obs_mode == ALL else out[0]

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode in every environment, or where options["reset_mask"] is True."""
        options = checks.reset_options(options, known=("reset_mask",))
        mask = checks.reset_mask(options.get("reset_mask"), self.num_envs)
        if mask is not None and not (mask | (self.world["tries"] > 0)).all():
            raise ResetNeeded(f"{self.task.__name__}: the first reset() must reset every environment")
        seeds = checks.seeds(seed, self.num_envs)
        given = np.array([s is not None for s in seeds]) & (True if mask is None else mask)
        if given.any():
            self.batch.seed([s for s, g in zip(seeds, given, strict=True) if g and s is not None], given)
        for env, reseeded in zip(self._envs, given, strict=False):  # empty until `_each` is first called
            if reseeded:
                env.renew_np_random()
        self.batch.reset(mask)
        self._show()
        return self._give(self.batch.obs), {}

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every environment by one step.

        `infos` holds the metrics of episodes that the task has just ended, each an array (n,) with a mask under "_name".
        With SAME_STEP they are in infos["final_info"], and infos["final_obs"] is an object array of final observations.

        Raises:
            ResetNeeded: called before the first reset, or, with DISABLED, while an ended episode has not been reset.
            BadAction: an action is not in the action space.
        """
        b = self.batch
        if not self._live:
            if b.never_reset:
                raise ResetNeeded(f"{self.task.__name__}: call reset() before the first step")
            self._live = True
        if self.autoreset_mode == AutoresetMode.DISABLED and b.done.any():
            i = int(b.done.argmax())
            raise ResetNeeded(
                f"{self.task.__name__}: environment {i} has ended; reset it with options={{'reset_mask': ...}}"
            )
        if self.action_kind == spaces.DISCRETE:
            indices = checks.discrete_actions(self.task, actions, self.num_envs)
            np.take(b.table, indices, axis=0, out=b.actions, mode="clip")
        else:
            b.actions[:] = checks.continuous_actions(self.task, actions, self.num_envs)
        b.run(_KERNEL[self.autoreset_mode])
        self._show()
        infos = self._infos(b.terminated | b.truncated)
        if self.copy:
            return self._give(b.obs), b.reward.copy(), b.terminated.copy(), b.truncated.copy(), infos
        return self._give(b.obs), b.reward, b.terminated, b.truncated, infos

    def hold(self, where: np.ndarray) -> None:
        """Where the bool array `where` (n,) is True and the episode has ended, start no other until `reset`: steps leave it as it is.

        For whoever wants one episode of each environment, and would throw away the steps of further ones.
        """
        done = self.batch.done
        done[where & (done != 0)] = HELD

    def _infos(self, ended: np.ndarray) -> dict[str, Any]:
        if not ended.any():
            return {}
        metrics = self.batch.metrics(ended)
        if self.autoreset_mode != AutoresetMode.SAME_STEP:
            return metrics
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended):
            rows = {name: o[i].copy() for name, o in zip(self.batch.names, self.batch.final, strict=True)}
            final_obs[i] = rows if self.obs_mode == ALL else rows[self.obs_mode]
        return {"final_obs": final_obs, "_final_obs": ended, "final_info": metrics, "_final_info": ended.copy()}

    def snapshot(self) -> bytes:
        """The exact state of all environments as bytes, for `restore`."""
        return self.batch.snapshot()

    def restore(self, data: bytes) -> Any:
        """Restore a snapshot and return its observations. Raises BadSnapshot."""
        self.batch.restore(data)
        return self._give(self.batch.obs)

    def observe(self) -> Any:
        """Recompute the observations of the current state, for example after editing `world`."""
        self.batch.run(SENSE)
        return self._give(self.batch.obs)

    def reference(self, name: str) -> ReferencePolicy:
        """One of the task's scripted reference policies over all environments, such as "oracle" (privileged)."""
        return ReferencePolicy(self.batch, name, self.action_kind == spaces.DISCRETE)

    def _each(self) -> list[scalar.TaskEnv]:
        """Each environment as a TaskEnv that shares memory with this one."""
        if not self._envs:
            spaces_ = (self.single_observation_space, self.single_action_space)
            alike = (self.action_kind, *spaces_, self.render_mode, self.show_hidden)
            self._envs = [scalar.TaskEnv.of_batch(self.batch.row(i), *alike) for i in range(self.num_envs)]
            if self.spec is not None:
                kwargs = {k: v for k, v in self.spec.kwargs.items() if k not in _VECTOR_ONLY}
                for env in self._envs:
                    env.spec = dataclasses.replace(self.spec, kwargs=kwargs)
        return self._envs

    def alone(self, i: int) -> scalar.TaskEnv:
        """Environment i as a TaskEnv that shares this one's memory, for pictures and inspection."""
        return self._each()[i]

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The attribute `name` of every environment or, if it is a method, its results. Raises AttributeError."""
        found = self._attributes.get(name) or [getattr(env, name) for env in self._each()]
        return tuple(value(*args, **kwargs) if callable(value) else value for value in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """The same as `call` without arguments. Raises AttributeError."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Set a new attribute: a list or tuple of n values, or one value for all environments.

        Raises:
            BadParameter: wrong number of values, or `name` is an existing attribute, which all environments share.
        """
        if hasattr(self._each()[0], name):
            raise BadParameter(
                f"set_attr({name!r}): all {self.num_envs} environments share this attribute; create a new vector environment instead"
            )
        each = tuple(values) if isinstance(values, (list, tuple)) else (values,) * self.num_envs
        if len(each) != self.num_envs:
            raise BadParameter(f"set_attr({name!r}): {len(each)} values for {self.num_envs} environments")
        self._attributes[name] = each

    def render(self) -> tuple[np.ndarray | None, ...]:  # type: ignore[override]
        """A frame (height, width, 3) uint8 per environment, for "rgb_array". Raises ResetNeeded before the first reset."""
        return self.call("render")

    def _show(self) -> None:
        if self.render_mode == "human":
            for env in self._each():
                env.show()

    def close_extras(self, **kwargs: Any) -> None:
        for env in self._envs:
            env.close()
        self._envs = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_envs": []}
