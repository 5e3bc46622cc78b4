"""Environments as agents meet them: the suite's own, or any of Gymnasium's through an adapter.

No other file of the agents asks an environment for more than Gymnasium's vector interface.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import DtypeObservation, FilterObservation, FlattenObservation, TransformAction

from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.envs import suite
from unseen.envs.core.reference import WORLD
from unseen.envs.errors import BadSnapshot, UnknownEnvironment
from unseen.envs.planar.layout import Layout
from unseen.envs.planar.rays import RAYS

__all__ = ["AutoresetMode", "EnvConfig", "Environments", "Layout", "ObservationSpec", "make", "reference"]

SMALL_IMAGE = 32  # pixels: a smaller uint8 array is a table of codes, as MiniGrid's views are
MODERATE = 10.0  # bounds up to here: numbers go into a network as they are


@dataclass(frozen=True)
class EnvConfig:
    """Which environment: one of the suite by name or id, a file.py:Class of yours, or an id of Gymnasium's.

    An id whose package Gymnasium has not loaded names it: "minigrid:MiniGrid-MemoryS7-v0". `level`, `obs`, `action` and
    `split` are left to the environment where they are None or "", and mean nothing to Gymnasium's.
    """

    name: str
    level: int | str | None = None
    obs: str = ""
    action: str = ""
    split: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """further keywords of the environment"""

    @property
    def entry(self) -> suite.Entry | None:
        """Its row in the suite; None for one of Gymnasium's. Raises UnknownEnvironment."""
        try:
            return suite.resolve(self.name)
        except UnknownEnvironment as error:
            _require_gymnasium_id(self.name, error)
            return None

    @property
    def id(self) -> str:
        entry = self.entry
        return self.name.rpartition(":")[2] if entry is None else entry.id

    @property
    def label(self) -> str:
        """A name that is fit for a folder."""
        entry = self.entry
        return self.id.replace("/", "-") if entry is None else entry.label

    @property
    def chosen_level(self) -> int | str | None:
        """The level, or the environment's default; None for one of Gymnasium's."""
        entry = self.entry
        if entry is None:
            return None
        return entry.default_level if self.level is None else self.level


@dataclass(frozen=True)
class ObservationSpec:
    """What one observation is.

    Attributes:
        shape: of the array.
        image: it is (height, width, channels) uint8; else a flat float32 row.
        rays: start, count and width of the rays in a row, if it has any.
        wide: its numbers may be large, and are squashed before they go into a network.
    """

    shape: tuple[int, ...]
    image: bool = False
    rays: tuple[int, int, int] | None = None
    use_symlog: bool = False

    @property
    def size(self) -> int:
        """Numbers in one observation."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class Environments:
    """n environments that observe a flat row or an image, and act by Discrete (from 0 on) or by a bounded Box.

    Attributes:
        vector: to be reset and stepped as Gymnasium says.
        observation: of each.
        layout: where the parts of a slots row lie; None for any other observation.
        horizon: the most steps that an episode can take; None where nobody knows.
        has_snapshots: whether `snapshot` and `restore` work.
        obs_mode, action_kind: what was chosen; "" for one of Gymnasium's, which leaves no choice.
        ignored: parts of the environment's observation that are no numbers, and are left out.
    """

    vector: VectorEnv
    observation: ObservationSpec
    layout: Layout | None = None
    horizon: int | None = None
    has_snapshots: bool = False
    obs_mode: str = ""
    action_kind: str = ""
    ignored: tuple[str, ...] = ()

    def snapshot(self) -> bytes:
        """The exact state of all, for `restore`; empty where there are no snapshots."""
        return self.vector.snapshot() if self.has_snapshots else b""  # type: ignore[attr-defined]

    def restore(self, data: bytes) -> np.ndarray:
        """Return to a snapshot; gives the observations. Raises BadCheckpoint."""
        try:
            return self.vector.restore(data)  # type: ignore[attr-defined]
        except BadSnapshot as error:
            raise BadCheckpoint(str(error)) from error


def make(config: EnvConfig, n: int, autoreset: AutoresetMode = AutoresetMode.NEXT_STEP) -> Environments:
    """n environments.

    Raises:
        UnknownEnvironment, BadParameter: there is no such environment.
        BadAgent: what it observes or how it acts is nothing that an agent here can take.
    """
    entry = config.entry
    return _of_gymnasium(config, n, autoreset) if entry is None else _of_suite(config, n, autoreset)


def _of_suite(config: EnvConfig, n: int, autoreset: AutoresetMode) -> Environments:
    words = {"obs": config.obs, "action": config.action, "split": config.split}
    given = {name: word for name, word in words.items() if word} | dict(config.overrides)
    vector = suite.make_vec(config.name, n, level=config.chosen_level, autoreset_mode=autoreset, **given)
    space = vector.single_observation_space
    if not isinstance(space, spaces.Box):
        raise BadAgent(f"obs={vector.obs_mode!r}: an agent takes one observation mode at a time")
    rays = (space.shape[0] - 3 * RAYS, RAYS, 3) if vector.obs_mode == "rays" else None
    return Environments(
        vector,
        _observation(space, rays),
        vector.layout if isinstance(vector.layout, Layout) else None,
        vector.horizon,
        has_snapshots=True,
        obs_mode=vector.obs_mode,
        action_kind=vector.action_kind,
    )


def _of_gymnasium(config: EnvConfig, n: int, autoreset: AutoresetMode) -> Environments:
    name = config.id
    try:
        one = gym.make(name, **config.overrides)
    except (gym.error.Error, TypeError) as error:
        raise BadAgent(f"{config.name}: could not be made: {error}") from error
    ignored = _non_numeric_keys(one.observation_space)
    adapted = _adapt(one, ignored, config.name)
    observation = _observation(adapted.observation_space)
    one.close()

    def each() -> gym.Env:
        return _adapt(gym.make(name, **config.overrides), ignored, config.name)

    return Environments(SyncVectorEnv([each] * n, autoreset_mode=autoreset), observation, ignored=ignored)


def _adapt(env: gym.Env, ignored: tuple[str, ...], name: str) -> gym.Env:
    """The environment with an observation and actions as `Environments` says. Raises BadAgent."""
    space = env.observation_space
    if ignored and isinstance(space, spaces.Dict):
        env = FilterObservation(env, [key for key in space.spaces if key not in ignored])
    if not _is_image(env.observation_space):
        if not _flattens(env.observation_space):
            raise BadAgent(f"{name} observes {env.observation_space}, which is not a fixed number of numbers")
        env = DtypeObservation(FlattenObservation(env), np.float32)
    actions = env.action_space
    if isinstance(actions, spaces.Discrete):
        return TransformAction(env, partial(_shifted, start=actions.start), spaces.Discrete(int(actions.n)))
    if isinstance(actions, spaces.Box) and len(actions.shape) == 1 and actions.is_bounded():
        return env
    raise BadAgent(f"{name} acts by {actions}; an agent takes Discrete, or a Box of one dimension with bounds")


def _shifted(action: Any, start: Any) -> Any:
    return action + start


def _non_numeric_keys(space: spaces.Space) -> tuple[str, ...]:
    """Keys of a Dict space that hold no fixed number of numbers, such as a mission in words."""
    if not isinstance(space, spaces.Dict):
        return ()
    return tuple(key for key, part in space.spaces.items() if not _flattens(part))


def _flattens(space: spaces.Space) -> bool:
    """Whether it is a fixed number of numbers, not those of letters."""
    if isinstance(space, spaces.Text):
        return False
    try:
        return isinstance(spaces.flatten_space(space), spaces.Box)
    except NotImplementedError:  # a space of somebody's own
        return False


def _is_image(space: spaces.Space) -> bool:
    return (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and min(space.shape[:2]) >= SMALL_IMAGE
    )


def _observation(space: Any, rays: tuple[int, int, int] | None = None) -> ObservationSpec:
    if _is_image(space):
        return ObservationSpec(space.shape, image=True)
    use_symlog = bool(max(np.abs(space.low).max(), np.abs(space.high).max()) > MODERATE)
    return ObservationSpec(space.shape, rays=rays, use_symlog=use_symlog)


def _require_gymnasium_id(name: str, unknown: UnknownEnvironment) -> None:
    """Raise UnknownEnvironment unless Gymnasium has an environment of that name."""
    if ".py:" in name:  # meant for the suite, which says what is wrong with the file
        raise unknown
    package, _, plain = name.rpartition(":")
    if package:
        try:
            importlib.import_module(package)
        except (ImportError, TypeError, ValueError) as error:
            raise UnknownEnvironment(f"{name}: {package} could not be imported: {error}") from error
    if plain not in gym.registry:
        hint = "" if package else " (of another package: give package:id)"
        raise UnknownEnvironment(f"{unknown} Gymnasium has no id {plain!r} either{hint}") from unknown


def reference(vector: VectorEnv, name: str) -> Any:
    """A scripted policy that lies beside a task; `act(obs, first)` gives its actions. Raises BadParameter."""
    return vector.reference(name)  # type: ignore[attr-defined]


def reference_obs(config: EnvConfig, name: str) -> str:
    """The observation mode that a scripted policy reads; "" for one that reads the world, or that the task lacks."""
    entry = config.entry
    reference = None if entry is None else entry.task.references.get(name)
    return "" if reference is None or reference.reads == WORLD else reference.reads


def tracked_discs(policy: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Which discs the memory of a scripted policy holds, (n, k) bool, and where, (n, k, 2) m; None for one without."""
    memory = policy.memory
    if policy.name != "tracker" or policy.batch.layout is None or "disc_x" not in (memory.dtype.names or ()):
        return None
    k = policy.batch.layout.colours
    xy = np.stack([memory["disc_x"][:, :k], memory["disc_y"][:, :k]], axis=-1)
    room = np.maximum(memory["room_hx"], memory["room_hy"])[:, None]
    return np.abs(xy).max(-1) <= room, xy  # what was never seen is parked far outside
