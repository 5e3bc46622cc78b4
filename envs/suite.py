"""THE table: every environment of the suite, its levels and its frozen anchors. Light to import: tasks load on use."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unseen.envs.errors import UnknownEnvironment, nearest

if TYPE_CHECKING:
    from unseen.envs.engine.runtime import TaskEnv, TaskVectorEnv
    from unseen.envs.engine.task import Task

NAMESPACE = "Unseen"


@dataclass(frozen=True)
class Anchor:
    """Mean scores that normalise a level: random = 0, oracle = 1. Frozen with the environment's version."""

    random: float
    oracle: float


@dataclass(frozen=True)
class Entry:
    """One environment.

    Attributes:
        name: short name, as the CLI takes it.
        group: "permanence", "planning" or "industry".
        path: "module:Class" of the task.
        title: one line.
        anchors: level -> Anchor.
        default_level: the level of the plain id.
        version: of the rules; anchors and scores of different versions are not comparable.
    """

    name: str
    group: str
    path: str
    title: str
    anchors: Mapping[int, Anchor] = field(default_factory=dict)
    default_level: int = 2
    version: int = 0

    @property
    def id(self) -> str:
        return f"{NAMESPACE}/{self.name}-v{self.version}"

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(self.anchors)

    @property
    def task(self) -> "type[Task]":
        module, name = self.path.split(":")
        return getattr(importlib.import_module(module), name)


SUITE: dict[str, Entry] = {
    entry.name: entry
    for entry in [
        Entry(
            "RolledBehind",
            "permanence",
            "unseen.envs.permanence.rolled_behind:RolledBehind",
            "fetch the block that rolled behind another",
            {0: Anchor(0.073, 1.0), 1: Anchor(0.073, 1.0), 2: Anchor(0.096, 0.998), 3: Anchor(0.102, 0.98)},
        ),
        Entry(
            "Cups",
            "permanence",
            "unseen.envs.permanence.cups:Cups",
            "lift the cup that the ball went under",
            {0: Anchor(0.172, 1.0), 1: Anchor(0.172, 1.0), 2: Anchor(0.143, 0.999), 3: Anchor(0.103, 0.998)},
        ),
        Entry(
            "Rex",
            "permanence",
            "unseen.envs.permanence.rex:Rex",
            "find the dog by its collar, and the couch in the dusk",
            {0: Anchor(0.089, 1.0), 1: Anchor(0.076, 1.0), 2: Anchor(0.089, 1.0), 3: Anchor(0.101, 1.0)},
        ),
        Entry(
            "Bedroom",
            "permanence",
            "unseen.envs.permanence.bedroom:Bedroom",
            "walk in the dark to a place that was seen in the light",
            {0: Anchor(0.134, 1.0), 1: Anchor(0.134, 1.0), 2: Anchor(0.057, 0.996), 3: Anchor(0.033, 0.991)},
        ),
        Entry(
            "Tunnel",
            "permanence",
            "unseen.envs.permanence.tunnel:Tunnel",
            "meet the ball at the right exit of a tunnel, in time",
            {0: Anchor(0.103, 1.0), 1: Anchor(0.103, 1.0), 2: Anchor(0.039, 1.0), 3: Anchor(0.027, 0.984)},
        ),
        Entry(
            "Tally",
            "permanence",
            "unseen.envs.permanence.tally:Tally",
            "collect all that are left behind the screen, then say done",
            {0: Anchor(0.044, 1.0), 1: Anchor(0.044, 1.0), 2: Anchor(0.043, 1.0), 3: Anchor(0.04, 1.0)},
        ),
        Entry(
            "Detour",
            "planning",
            "unseen.envs.planning.detour:Detour",
            "come round the glass that bars the straight way",
            {0: Anchor(0.301, 1.0), 1: Anchor(0.194, 1.0), 2: Anchor(0.047, 1.0), 3: Anchor(0.027, 1.0)},
        ),
        Entry(
            "Unblock",
            "planning",
            "unseen.envs.planning.unblock:Unblock",
            "push crates out of the way without jamming it",
            {0: Anchor(0.117, 1.0), 1: Anchor(0.101, 1.0), 2: Anchor(0.042, 1.0), 3: Anchor(0.004, 1.0)},
        ),
        Entry(
            "Ramps",
            "planning",
            "unseen.envs.planning.ramps:Ramps",
            "build so that the ball, released once, rests against the block",
            {0: Anchor(0.058, 1.0), 1: Anchor(0.052, 1.0), 2: Anchor(0.016, 1.0), 3: Anchor(0.0, 1.0)},
        ),
    ]
}


def resolve(name: str) -> Entry:
    """The entry of "RolledBehind" or "Unseen/RolledBehind-v0", in any case.

    Raises:
        UnknownEnvironment: with the nearest names.
    """
    for entry in SUITE.values():
        if name.lower() in (entry.name.lower(), entry.id.lower()):
            return entry
    raise UnknownEnvironment(f"unknown environment {name!r}; {nearest(name, SUITE)}")


def make(name: str, **kwargs: Any) -> "TaskEnv":
    """One environment by name, without Gymnasium's wrappers. Keywords as for TaskEnv."""
    from unseen.envs.engine.runtime import TaskEnv

    return TaskEnv(resolve(name).task, **kwargs)


def make_vec(name: str, num_envs: int = 1, **kwargs: Any) -> "TaskVectorEnv":
    """n environments by name, native and without wrappers. Keywords as for TaskVectorEnv."""
    from unseen.envs.engine.runtime import TaskVectorEnv

    return TaskVectorEnv(resolve(name).task, num_envs, **kwargs)


def register_all() -> None:
    """Register every id with Gymnasium; entry points are strings or small closures, so nothing heavy loads."""
    import gymnasium as gym

    for entry in SUITE.values():
        if entry.id not in gym.registry:
            gym.register(
                entry.id,
                entry_point="unseen.envs.suite:make",
                vector_entry_point="unseen.envs.suite:make_vec",
                kwargs={"name": entry.name},
            )
