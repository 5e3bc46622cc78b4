"""What a benchmark runs: agents, environments, and a cell for each run of an agent in an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from unseen.agents.roster import ROSTER
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.identity import task_hash
from unseen.train.files import digest
from unseen.train.heldout import Score

POINTS = 25  # evaluations in a run, by default


@dataclass(frozen=True)
class Amount:
    """An amount of training. The first limit reached counts; None: no limit."""

    steps: int | None = None
    cpu_seconds: float | None = None
    episodes: int | None = None

    @property
    def content(self) -> dict[str, Any]:
        """As JSON, without fields added later if they are not used, so that stored results keep their ids."""
        return {name: value for name, value in asdict(self).items() if name != "episodes" or value is not None}


def measure(found: Score, what: str = "success") -> float:
    """The success rate or the mean return, as `Evaluation.score` says."""
    return found.episode_return if found.success is None or what == "return" else found.success


@dataclass(frozen=True)
class Evaluation:
    """How runs are scored on held-out episodes."""

    episodes: int = 200
    """episodes per point of the learning curve, greedy and sampled each"""
    final_episodes: int = 1_000
    """episodes after training, greedy and sampled each"""
    split: str = "test"
    every: Amount | None = None
    """training between points of the learning curve; by default 1/25 of the budget"""
    imagined: tuple[int, ...] = ()
    """maximum numbers of imagined steps per plan with which planning agents are also scored, on `episodes` episodes each"""
    stop: float | None = None
    """training ends once two successive points of the curve are at or above this score; None: never"""
    score: str = "success"
    """what scores are: the "success" rate, or the mean "return"; this too where an environment reports no success"""

    def measure(self, found: Score) -> float:
        """The number that stands for a score in curves, thresholds and tables."""
        return measure(found, self.score)

    @property
    def content(self) -> dict[str, Any]:
        """As JSON, like `Amount.content`."""
        found = asdict(self) | {"every": self.every and self.every.content}
        unused = {"imagined": (), "stop": None, "score": "success"}
        return {name: value for name, value in found.items() if name not in unused or value != unused[name]}


@dataclass(frozen=True)
class Protocol:
    """Free play first, then questions; see docs/asked.md."""

    free_episodes: tuple[int, ...] = (1_000,)
    asked: tuple[int, ...] = (0, 10, 100)
    """asked episodes after which a run is scored"""
    think: int = 1_000
    """updates on the replay before each score"""


@dataclass(frozen=True)
class FreePlay:
    """Free play of a run before it is asked."""

    episodes: int
    shown: bool = False
    """whether the query is shown: a control"""


@dataclass(frozen=True)
class AgentEntry:
    """One row of the tables."""

    name: str
    label: str
    supervision: str
    policy: str
    """which of POLICIES the curves, thresholds and rankings use"""
    settings: Mapping[str, Any]
    seeds: tuple[int, ...]
    budget: Amount | None
    environments: tuple[str, ...] = ()
    """names of the environments it is run on; empty for all"""
    free: FreePlay | None = None
    """with a protocol"""
    imagined: tuple[int, ...] | None = None
    """instead of `Evaluation.imagined`"""

    @property
    def trains(self) -> bool:
        return ROSTER[self.name].trainable

    def plays(self, env: EnvEntry) -> bool:
        return not self.environments or env.config.name in self.environments


@dataclass(frozen=True)
class EnvEntry:
    """One environment at one level."""

    label: str
    config: EnvConfig
    threshold: float
    """score that counts as solved, in the columns of steps, episodes and CPU-seconds"""
    budget: Amount | None


@dataclass(frozen=True)
class Cell:
    """One run: an agent in an environment with a seed. Its id follows from all that defines it, and from nothing else."""

    agent: AgentEntry
    env: EnvEntry
    seed: int
    budget: Amount
    evaluation: Evaluation
    device: str
    protocol: Protocol | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What defines the cell, as JSON."""
        free = self.agent.free
        more: dict[str, Any] = {}
        if self.protocol is not None and free is not None:
            more["protocol"] = {"free": asdict(free), "asked": list(self.protocol.asked), "think": self.protocol.think}
        env = self.env.config
        own = env.entry if env.entry is not None and env.entry.group == "own" else None
        return {
            "agent": self.agent.name,
            "settings": dict(self.agent.settings),
            "env": env.id,
            "source": own and task_hash(own.task),  # type: ignore[arg-type]  # a class is hashable
            "level": env.chosen_level,
            "parameters": dict(env.overrides),
            "obs": env.obs,
            "action": env.action,
            "seed": self.seed,
            "budget": self.budget.content if self.agent.trains else None,
            "evaluation": self.evaluation.content,
            "device": self.device,
        } | more

    @cached_property
    def id(self) -> str:
        return digest(self.content)[:12]

    @property
    def every(self) -> Amount:
        """Training between evaluations."""
        if self.evaluation.every is not None:
            return self.evaluation.every
        steps, seconds, episodes = self.budget.steps, self.budget.cpu_seconds, self.budget.episodes
        return Amount(
            steps and max(1, steps // POINTS), seconds and seconds / POINTS, episodes and max(1, episodes // POINTS)
        )

    @property
    def title(self) -> str:
        return f"{self.agent.label} on {self.env.label}, seed {self.seed}"


@dataclass(frozen=True)
class Spec:
    """A benchmark."""

    name: str
    title: str
    search: str
    """the search budget of the agents' settings, in words"""
    evaluation: Evaluation
    agents: tuple[AgentEntry, ...]
    envs: tuple[EnvEntry, ...]
    cells: tuple[Cell, ...]
    """in the order in which they run: one seed of everything before the next"""
    protocol: Protocol | None = None

    @property
    def imagined(self) -> list[int]:
        """All maximum numbers of imagined steps per plan with which agents are scored."""
        return sorted({steps for cell in self.cells for steps in cell.evaluation.imagined})

    @property
    def free(self) -> bool:
        """Whether an agent plays freely before it is asked."""
        return any(agent.free and agent.free.episodes for agent in self.agents)
