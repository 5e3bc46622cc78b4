"""Make environments for agents: those of the suite, or any Gymnasium environment through an adapter.

With `simulator`, the only file in `agents` that uses more of an environment than Gymnasium's vector interface.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.shared.adapters import adapt, is_image, non_numeric_keys, require_id
from unseen.envs import suite
from unseen.envs.core.reference import WORLD, split_name
from unseen.envs.core.spaces import action_kinds
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.core.view import Belief
from unseen.envs.errors import BadSnapshot, UnknownEnvironment
from unseen.envs.planar.layout import Layout
from unseen.envs.planar.rays import RAYS

__all__ = ["AutoresetMode", "EnvConfig", "Environments", "Layout", "ObservationSpec", "make", "make_one", "reference"]

MODERATE = 10.0  # observations with bounds up to this are not squashed by symlog


@dataclass(frozen=True)
class EnvConfig:
    """Which environment to make, and how.

    `name` is a name or id of the suite, `file.py:Class`, or a Gymnasium id, with its package in front if Gymnasium has not
    loaded it: "minigrid:MiniGrid-MemoryS7-v0". `level`, `obs`, `action` and `split` mean the environment's default where they
    are None or "". Gymnasium environments ignore them.
    """

    name: str
    level: int | str | None = None
    obs: str = ""
    action: str = ""
    split: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """environment parameters that differ from the level's; for Gymnasium, keywords of `gymnasium.make`"""

    @property
    def entry(self) -> suite.Entry | None:
        """Its row in the suite; None for a Gymnasium environment. Raises UnknownEnvironment."""
        try:
            return suite.resolve(self.name)
        except UnknownEnvironment as error:
            require_id(self.name, error)
            return None

    @property
    def id(self) -> str:
        entry = self.entry
        return self.name.rpartition(":")[2] if entry is None else entry.id

    @property
    def label(self) -> str:
        """A name that can be used as a folder name. Raises UnknownEnvironment."""
        entry = self.entry
        return self.id.replace("/", "-") if entry is None else entry.label

    @property
    def free(self) -> bool:
        """Whether this is free play: nothing is rewarded."""
        return self.overrides.get("free", "no") != "no"

    @property
    def chosen_level(self) -> int | str | None:
        """The level, or the environment's default level; None for a Gymnasium environment."""
        entry = self.entry
        if entry is None:
            return None
        return entry.default_level if self.level is None else self.level


@dataclass(frozen=True)
class Rays:
    """The rays in an observation "rays", from left to right: each has a depth in rooms, a kind and a colour."""

    start: int
    count: int
    width: int
    """numbers a ray"""
    fov: float
    """field of view, rad"""

    @property
    def stop(self) -> int:
        return self.start + self.count * self.width


@dataclass(frozen=True)
class ObservationSpec:
    """Shape and kind of an observation.

    Attributes:
        shape: of the array.
        image: True for (height, width, channels) uint8, False for a flat float32 vector.
        rays: the rays in the vector; None without rays.
        use_symlog: whether values may be large and need to be squashed by symlog.
    """

    shape: tuple[int, ...]
    image: bool = False
    rays: Rays | None = None
    use_symlog: bool = False

    @property
    def size(self) -> int:
        """Number of values in one observation."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class Environments:
    """n environments with flat or image observations, and Discrete (starting at 0) or bounded 1-D Box actions.

    Attributes:
        vector: the Gymnasium vector environment.
        observation: of a single environment.
        layout: the layout of a slot observation. For rays, that of the slots of the same environment, whose head (pose, phase, query and so
            on) both begin with. None for other observations.
        horizon: maximum episode length in steps; None if unknown.
        has_snapshots: whether `snapshot` and `restore` are supported.
        obs_mode, action_kind: the selected ones; "" for Gymnasium environments.
        ignored: keys of a Dict observation that are not numeric and are dropped.
    """

    vector: VectorEnv
    observation: ObservationSpec
    layout: Layout | None = None
    horizon: int | None = None
    has_snapshots: bool = False
    obs_mode: str = ""
    action_kind: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def slots(self) -> Layout | None:
        """The layout, if observations are slots."""
        return self.layout if self.observation.rays is None else None

    def snapshot(self) -> bytes:
        """The exact state of all environments, for `restore`; empty if not supported."""
        return self.vector.snapshot() if self.has_snapshots else b""  # type: ignore[attr-defined]

    def restore(self, data: bytes) -> np.ndarray:
        """Restore a snapshot and return the observations. Raises BadCheckpoint."""
        try:
            return self.vector.restore(data)  # type: ignore[attr-defined]
        except BadSnapshot as error:
            raise BadCheckpoint(str(error)) from error


def make(config: EnvConfig, n: int, autoreset: AutoresetMode = AutoresetMode.NEXT_STEP) -> Environments:
    """Make n environments.

    Raises:
        UnknownEnvironment, BadParameter: there is no such environment.
        BadAgent: its observation or action space is not supported.
    """
    entry = config.entry
    return _of_gymnasium(config, n, autoreset) if entry is None else _of_suite(config, n, autoreset)


def _of_suite(config: EnvConfig, n: int, autoreset: AutoresetMode) -> Environments:
    choices = {"obs": config.obs, "action": config.action, "split": config.split}
    given = {name: choice for name, choice in choices.items() if choice} | dict(config.overrides)
    vector = suite.make_vec(config.name, n, level=config.chosen_level, autoreset_mode=autoreset, **given)
    space = vector.single_observation_space
    if not isinstance(space, spaces.Box):
        raise BadAgent(f"obs={vector.obs_mode!r}: agents need a single observation mode, not a dict")
    layout, rays = layout_and_rays(vector)
    return Environments(
        vector,
        _observation(space, rays),
        layout,
        vector.horizon,
        has_snapshots=True,
        obs_mode=vector.obs_mode,
        action_kind=vector.action_kind,
    )


def layout_and_rays(vector: TaskVectorEnv) -> tuple[Layout | None, Rays | None]:
    """See `Environments.layout`, and the rays in an observation."""
    if vector.obs_mode != "rays":
        return (vector.layout if isinstance(vector.layout, Layout) else None), None
    batch = vector.batch
    describe = batch.task.sensors["slots"].layout
    assert describe is not None, "a planar task has slots"
    params: Any = batch.params
    layout = describe(params)
    return layout, Rays(layout.head, RAYS, 3, math.radians(params.fov))


def make_one(config: EnvConfig) -> gym.Env:
    """Make one Gymnasium environment with the observations and actions that `Environments` has. Raises as `make`."""
    return adapt(_plain(config), config.name)


def with_actions(config: EnvConfig, kind: str, name: str) -> EnvConfig:
    """`config` with the action kind that an algorithm needs; unchanged for Gymnasium environments, which have only one.

    Args:
        kind: "discrete" or "continuous"; "" if the algorithm supports both.
        name: of the algorithm, for messages.

    Raises BadAgent if the environment has no such actions, or `config` asks for another kind.
    """
    entry = config.entry
    if not kind or entry is None:
        return config
    known = action_kinds(entry.task)
    if kind not in known:
        raise BadAgent(f"{name} needs {kind} actions; {config.label} has only {', '.join(known)} ones")
    if config.action not in ("", kind):
        raise BadAgent(f"{name} needs {kind} actions, not action={config.action!r}")
    return replace(config, action=kind)


def _plain(config: EnvConfig) -> gym.Env:
    """A Gymnasium environment without adapters. Raises BadAgent."""
    try:
        return gym.make(config.id, **config.overrides)
    except (gym.error.Error, TypeError) as error:
        raise BadAgent(f"{config.name}: gymnasium.make failed: {error}") from error


def _of_gymnasium(config: EnvConfig, n: int, autoreset: AutoresetMode) -> Environments:
    name = config.id
    one = _plain(config)
    ignored = non_numeric_keys(one.observation_space)
    adapted = adapt(one, config.name)
    observation = _observation(adapted.observation_space)
    one.close()

    def each() -> gym.Env:
        return adapt(gym.make(name, **config.overrides), config.name)

    return Environments(SyncVectorEnv([each] * n, autoreset_mode=autoreset), observation, ignored=ignored)


def _observation(space: Any, rays: Rays | None = None) -> ObservationSpec:
    if is_image(space):
        return ObservationSpec(space.shape, image=True)
    use_symlog = bool(max(np.abs(space.low).max(), np.abs(space.high).max()) > MODERATE)
    return ObservationSpec(space.shape, rays=rays, use_symlog=use_symlog)


def reference(vector: VectorEnv, name: str) -> Any:
    """A reference policy of the task, with a method `act(obs, first)`. Raises BadParameter if there is none of that name."""
    return vector.reference(name)  # type: ignore[attr-defined]


def reference_obs(config: EnvConfig, name: str) -> str:
    """The observation mode a reference policy reads; "" if it reads the state or does not exist."""
    entry = config.entry
    reference = None if entry is None else entry.task.references.get(split_name(name)[0])
    return "" if reference is None or reference.reads == WORLD else reference.reads


def has_reference(config: EnvConfig, name: str) -> bool:
    """Whether the environment has a scripted policy of that name; a suffix may limit its memory to a window, as in "tracker-16"."""
    entry = config.entry
    return entry is not None and split_name(name)[0] in entry.task.references


def remembered(policy: Any) -> Belief | None:
    """What the memory of a reference policy tells of the places of things; of a room, only that of the tracker does."""
    memory, layout = policy.memory, policy.batch.layout
    if policy.reference.belief is not None:
        return policy.reference.belief(memory, policy.batch.params)
    if policy.name != "tracker" or layout is None or not layout.discs[1] or "disc_x" not in (memory.dtype.names or ()):
        return None
    k = layout.things
    xy = np.stack([memory["disc_x"][:, :k], memory["disc_y"][:, :k]], axis=-1)
    room = np.maximum(memory["room_hx"], memory["room_hy"])[:, None]
    known = np.abs(xy).max(-1) <= room  # discs never seen are stored far outside the room
    return Belief(known.astype(float), xy, by_slot=layout.order == "index")
