"""The suite: every environment with its levels and frozen anchors. Cheap to import: tasks are imported on first use.

Wherever the name of an environment is accepted, so is a custom one, as file.py:Class.
"""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseen.envs import own
from unseen.envs.core.metadata import METADATA
from unseen.envs.errors import UnknownEnvironment, nearest

if TYPE_CHECKING:
    from unseen.envs.core.env import TaskEnv
    from unseen.envs.core.task import Task
    from unseen.envs.core.vector_env import TaskVectorEnv

NAMESPACE, OWN = "Unseen", "Own"


@dataclass(frozen=True)
class Anchor:
    """Mean returns at a level, fixed for a version. They normalise scores: random = 0, oracle = 1.

    Attributes:
        ablated: of the best policy that lacks one of the faculties which the level demands; None if none is declared.
    """

    random: float
    oracle: float
    ablated: float | None = None


@dataclass(frozen=True)
class Entry:
    """One environment.

    Attributes:
        name: short name, as in the CLI.
        group: "permanence", "planning", "industry", or "own" for a custom environment.
        path: "module:Class" of the task.
        title: one line.
        anchors: level -> Anchor.
        default_level: the level used if none is given.
        version: version of the rules; scores of different versions are not comparable.
    """

    name: str
    group: str
    path: str
    title: str
    anchors: Mapping[int, Anchor] = field(default_factory=dict)
    default_level: int = 2
    version: int = 0

    @property
    def label(self) -> str:
        """The name without a path, for folders and titles."""
        return self.path.rpartition(":")[2]

    @property
    def id(self) -> str:
        return f"{OWN if self.group == 'own' else NAMESPACE}/{self.label}-v{self.version}"

    @property
    def levels(self) -> tuple[int, ...]:
        return tuple(self.anchors) or tuple(sorted(self.task.levels))

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
            "unseen.envs.permanence.rolled_behind.spec:RolledBehind",
            "fetch the block that rolled behind another",
            {
                0: Anchor(0.072, 1.0),
                1: Anchor(0.072, 1.0, 1.0),
                2: Anchor(0.102, 0.997, 0.481),
                3: Anchor(0.098, 1.0, 0.378),
            },
            version=1,
        ),
        Entry(
            "Cups",
            "permanence",
            "unseen.envs.permanence.cups.spec:Cups",
            "lift the cup that the ball went under",
            {
                0: Anchor(0.171, 1.0),
                1: Anchor(0.171, 1.0, 0.668),
                2: Anchor(0.118, 0.999, 0.601),
                3: Anchor(0.103, 1.0, 0.201),
            },
            version=1,
        ),
        Entry(
            "Rex",
            "permanence",
            "unseen.envs.permanence.rex.spec:Rex",
            "find the dog that wears the collar, after dogs have changed places",
            {
                0: Anchor(0.073, 1.0),
                1: Anchor(0.073, 1.0, 0.89),
                2: Anchor(0.082, 1.0, 0.509),
                3: Anchor(0.102, 1.0, 0.192),
            },
            version=1,
        ),
        Entry(
            "Bedroom",
            "permanence",
            "unseen.envs.permanence.bedroom.spec:Bedroom",
            "walk in the dark to a place that was seen in the light",
            {
                0: Anchor(0.139, 1.0),
                1: Anchor(0.139, 1.0, 1.0),
                2: Anchor(0.017, 0.994, 0.67),
                3: Anchor(0.013, 0.973, 0.65),
            },
            version=1,
        ),
        Entry(
            "Tunnel",
            "permanence",
            "unseen.envs.permanence.tunnel.spec:Tunnel",
            "be at the right exit of a tunnel when the ball comes out",
            {
                0: Anchor(0.043, 1.0),
                1: Anchor(0.043, 1.0, 0.674),
                2: Anchor(0.024, 1.0, 0.259),
                3: Anchor(0.017, 0.996, 0.247),
            },
            version=1,
        ),
        Entry(
            "Tally",
            "permanence",
            "unseen.envs.permanence.tally.spec:Tally",
            "collect all marbles left behind the screen, then say done",
            {
                0: Anchor(0.033, 0.999),
                1: Anchor(0.033, 0.999, 0.511),
                2: Anchor(0.033, 1.0, 0.292),
                3: Anchor(0.029, 1.0, 0.301),
            },
            version=1,
        ),
        Entry(
            "Detour",
            "planning",
            "unseen.envs.planning.detour.spec:Detour",
            "find the way around glass that blocks the straight path",
            {
                0: Anchor(0.291, 1.0),
                1: Anchor(0.017, 1.0, 0.112),
                2: Anchor(0.002, 1.0, 0.045),
                3: Anchor(0.0, 1.0, 0.036),
            },
            version=1,
        ),
        Entry(
            "Unblock",
            "planning",
            "unseen.envs.planning.unblock.spec:Unblock",
            "push crates out of the way without blocking it for good",
            {
                0: Anchor(0.007, 1.0),
                1: Anchor(0.007, 1.0, 0.096),
                2: Anchor(0.004, 1.0, 0.026),
                3: Anchor(0.005, 1.0, 0.021),
            },
            version=1,
        ),
        Entry(
            "Ramps",
            "planning",
            "unseen.envs.planning.ramps.spec:Ramps",
            "place deflectors so that a ball, released once, stops at the block",
            {
                0: Anchor(0.007, 1.0),
                1: Anchor(0.007, 1.0, 0.998),
                2: Anchor(0.001, 1.0, 0.362),
                3: Anchor(0.0, 1.0, 0.379),
            },
            version=1,
        ),
        Entry(
            "Dosing",
            "industry",
            "unseen.envs.industry.dosing.spec:Dosing",
            "keep a patient asleep while the monitor is blind",
            {
                0: Anchor(-0.076, 0.956),
                1: Anchor(-0.076, 0.956, 0.852),
                2: Anchor(-0.076, 0.956, 0.782),
                3: Anchor(-0.076, 0.956, 0.709),
            },
        ),
        Entry(
            "Kiln",
            "industry",
            "unseen.envs.industry.kiln.spec:Kiln",
            "heat a slab of steel to its core, which cannot be seen",
            {
                0: Anchor(-0.078, 0.914),
                1: Anchor(-0.078, 0.914, 0.492),
                2: Anchor(-0.078, 0.914, 0.377),
                3: Anchor(-0.078, 0.914, 0.35),
            },
        ),
        Entry(
            "Factory",
            "industry",
            "unseen.envs.industry.factory.spec:Factory",
            "send parts that come out of a tunnel to their machines",
            {
                0: Anchor(-0.828, 1.0),
                1: Anchor(-0.828, 1.0, 0.0),
                2: Anchor(-1.066, 0.949, 0.149),
                3: Anchor(-1.21, 0.999, -0.018),
            },
        ),
        Entry(
            "ProvingGround",
            "industry",
            "unseen.envs.industry.proving_ground.spec:ProvingGround",
            "design a car in imagination, build few prototypes",
            {
                0: Anchor(-0.042, 0.98),
                1: Anchor(-0.042, 0.98, 0.585),
                2: Anchor(-0.042, 0.98, 0.519),
                3: Anchor(-0.042, 0.98, 0.666),
            },
        ),
        Entry(
            "ProvingGroundDrive",
            "industry",
            "unseen.envs.industry.proving_ground_drive.spec:ProvingGroundDrive",
            "drive past parked vans that people have gone behind",
            {
                0: Anchor(-0.16, 0.874),
                1: Anchor(-0.16, 0.874, 0.711),
                2: Anchor(-0.063, 0.884, 0.523),
                3: Anchor(-0.004, 0.891, 0.506),
            },
        ),
        Entry(
            "Crane",
            "industry",
            "unseen.envs.industry.crane.spec:Crane",
            "carry a swinging load that is seen only now and then",
            {
                0: Anchor(-0.13, 0.892),
                1: Anchor(-0.13, 0.892, -0.101),
                2: Anchor(-0.13, 0.892, -0.101),
                3: Anchor(-0.13, 0.892, 0.068),
            },
        ),
    ]
}


PREVIOUS: dict[str, Entry] = {
    entry.id: replace(entry, name=entry.id)
    for entry in [
        Entry(
            "Detour",
            "planning",
            "unseen.envs.planning.detour.v0:Detour",
            "find the way around glass that blocks the straight path",
            {0: Anchor(0.301, 1.0), 1: Anchor(0.212, 1.0), 2: Anchor(0.053, 1.0), 3: Anchor(0.03, 1.0)},
        ),
        Entry(
            "Ramps",
            "planning",
            "unseen.envs.planning.ramps.v0:Ramps",
            "place deflectors so that a ball, released once, stops at the block",
            {0: Anchor(0.058, 1.0), 1: Anchor(0.052, 1.0), 2: Anchor(0.016, 1.0), 3: Anchor(0.0, 1.0)},
        ),
        Entry(
            "Cups",
            "permanence",
            "unseen.envs.permanence.cups.v0:Cups",
            "lift the cup that the ball went under",
            {0: Anchor(0.172, 1.0), 1: Anchor(0.172, 1.0), 2: Anchor(0.143, 0.999), 3: Anchor(0.103, 0.998)},
        ),
        Entry(
            "Bedroom",
            "permanence",
            "unseen.envs.permanence.bedroom.v0:Bedroom",
            "walk in the dark to a place that was seen in the light",
            {0: Anchor(0.134, 1.0), 1: Anchor(0.134, 1.0), 2: Anchor(0.057, 0.996), 3: Anchor(0.033, 0.991)},
        ),
        Entry(
            "Tunnel",
            "permanence",
            "unseen.envs.permanence.tunnel.v0:Tunnel",
            "be at the right exit of a tunnel when the ball comes out",
            {0: Anchor(0.103, 1.0), 1: Anchor(0.103, 1.0), 2: Anchor(0.039, 1.0), 3: Anchor(0.027, 0.984)},
        ),
        Entry(
            "Rex",
            "permanence",
            "unseen.envs.permanence.rex.v0:Rex",
            "find the dog by its collar, or the couch at dusk",
            {0: Anchor(0.089, 1.0), 1: Anchor(0.076, 1.0), 2: Anchor(0.089, 1.0), 3: Anchor(0.101, 1.0)},
        ),
        Entry(
            "RolledBehind",
            "permanence",
            "unseen.envs.permanence.rolled_behind.v0:RolledBehind",
            "fetch the block that rolled behind another",
            {0: Anchor(0.073, 1.0), 1: Anchor(0.073, 1.0), 2: Anchor(0.096, 0.998), 3: Anchor(0.102, 0.98)},
        ),
        Entry(
            "Tally",
            "permanence",
            "unseen.envs.permanence.tally.v0:Tally",
            "collect all marbles left behind the screen, then say done",
            {0: Anchor(0.033, 0.999), 1: Anchor(0.033, 0.999), 2: Anchor(0.034, 1.0), 3: Anchor(0.031, 1.0)},
        ),
        Entry(
            "Unblock",
            "planning",
            "unseen.envs.planning.unblock.v0:Unblock",
            "push crates out of the way without blocking it for good",
            {0: Anchor(0.117, 1.0), 1: Anchor(0.101, 1.0), 2: Anchor(0.042, 1.0), 3: Anchor(0.004, 1.0)},
        ),
    ]
}
"""Id -> the previous version of an environment. It stays for one release; Gymnasium warns when it is made."""


def resolve(name: str) -> Entry:
    """The entry for a name: "RolledBehind", "Unseen/RolledBehind-v1" (case-insensitive), or a custom "file.py:Class".

    Raises:
        UnknownEnvironment: there is no such environment; the message suggests similar names or says what is wrong.
    """
    if ".py:" in name:
        return _own(name)
    for entry in SUITE.values():
        if name.lower() in (entry.name.lower(), entry.id.lower()):
            return entry
    for entry in PREVIOUS.values():
        if name.lower() == entry.id.lower():
            return entry
    raise UnknownEnvironment(f"unknown environment {name!r}; {nearest(name, SUITE)}")


def _own(name: str) -> Entry:
    """The entry of a custom environment, which is registered with Gymnasium as Own/Class-v0."""
    file, _, attribute = name.rpartition(":")
    module = own.load(Path(file))
    task = getattr(module, attribute, None)
    from unseen.envs.core.task import Task

    if not (inspect.isclass(task) and issubclass(task, Task)):
        tasks = [k for k, v in vars(module).items() if inspect.isclass(v) and v.__module__ == module.__name__]
        raise UnknownEnvironment(f"{file} has no task {attribute!r}; it defines {', '.join(tasks) or 'no class'}")
    anchors = {level: Anchor(*pair) for level, pair in task.anchors.items()}
    entry = Entry(name, "own", f"{module.__name__}:{attribute}", task.title, anchors, task.default_level)
    _register(entry, f"{Path(file).resolve()}:{attribute}")  # absolute, for other processes
    return entry


def make(name: str, **kwargs: Any) -> "TaskEnv":
    """A single environment by name, without Gymnasium's wrappers. Keywords as for TaskEnv."""
    from unseen.envs.core.env import TaskEnv

    return TaskEnv(resolve(name).task, **kwargs)


def make_vec(name: str, num_envs: int = 1, **kwargs: Any) -> "TaskVectorEnv":
    """A native vector environment by name, without wrappers. Keywords as for TaskVectorEnv."""
    from unseen.envs.core.vector_env import TaskVectorEnv

    return TaskVectorEnv(resolve(name).task, num_envs, **kwargs)


make.metadata = METADATA  # type: ignore[attr-defined]  # gymnasium.make looks for it on the entry point


def register_all() -> None:
    """Register every id with Gymnasium. Entry points are strings, so that no task is imported yet."""
    for entry in SUITE.values():
        _register(entry, entry.name)
    for entry in PREVIOUS.values():
        _register(entry, entry.id)


def _register(entry: Entry, name: str) -> None:
    """Register an entry under a name by which `make` and `make_vec` find it in any process."""
    import gymnasium as gym

    known = gym.registry.get(entry.id)
    if known is None or known.kwargs != {"name": name}:
        gym.registry.pop(entry.id, None)  # a class of the same name in another file
        gym.register(
            entry.id,
            entry_point="unseen.envs.suite:make",
            vector_entry_point="unseen.envs.suite:make_vec",
            kwargs={"name": name},
        )
