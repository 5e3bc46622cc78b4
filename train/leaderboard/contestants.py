"""The arenas (environments at a level) and contestants (training runs of agents) of a leaderboard.

Both are identified by their content: a trained agent by the bytes of its file, a scripted one by those of its source
files, an environment by a hash of what affects its scores (`task_hash`).
Results of a retrained agent or a changed environment are therefore never mixed up with earlier ones.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents import references, simulator_mpc
from unseen.agents.card import Card, read_card
from unseen.agents.errors import UnknownAgent
from unseen.agents.load import list_runs, load_agent
from unseen.agents.roster import KINDS as ROSTER_KINDS
from unseen.agents.roster import ROSTER
from unseen.agents.shared import planning_agent, search
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.simulator_mpc import SimulatorAgent
from unseen.envs.core.identity import task_hash
from unseen.train.arguments import as_options
from unseen.train.errors import EvaluationError
from unseen.train.files import digest
from unseen.train.leaderboard.protocol import SPLIT
from unseen.train.leaderboard.statistics import normalise

KINDS = (*ROSTER_KINDS, "yours")
UNTRAINED = -1


@dataclass(frozen=True)
class Arena:
    """One configured environment, with the anchors that normalise its scores. Without anchors, scores stay raw."""

    id: str
    name: str
    level: int | str
    random: float | None = None
    oracle: float | None = None
    obs: str = ""
    action: str = ""
    split: str = SPLIT
    overrides: tuple[tuple[str, Any], ...] = ()
    """parameters that differ from the level's"""

    @property
    def key(self) -> str:
        return f"{self.name}/{self.level}"

    @property
    def group(self) -> str:
        """permanence, planning, industry or own."""
        entry = self.env_config.entry
        assert entry is not None
        return entry.group

    @property
    def title(self) -> str:
        """The level, as shown in tables."""
        return f"level {self.level}" if isinstance(self.level, int) else self.level

    @property
    def options(self) -> str:
        """Options other than the level, as on the command line; "" if there are none."""
        return as_options(self.env_config, SPLIT)

    @property
    def env_config(self) -> EnvConfig:
        """Configuration of the environment."""
        return EnvConfig(self.name, self.level, self.obs, self.action, self.split, dict(self.overrides))

    def normalise(self, scores: Any) -> np.ndarray | None:
        """Scores with random = 0 and oracle = 1; None without anchors."""
        if self.random is None or self.oracle is None:
            return None
        return normalise(scores, self.random, self.oracle)


@dataclass(frozen=True)
class Contestant:
    """One training run of an agent, or an untrained agent, on one arena."""

    id: str
    agent: str
    """argument of `load_agent`: a roster name or a path"""
    name: str
    """shown name"""
    kind: str
    arena: Arena
    run: int
    """training seed, or UNTRAINED"""
    trained_on: int | None = None
    """training level, if it is another one"""
    card: Card = field(default_factory=Card, hash=False, compare=False)

    @property
    def load_run(self) -> int | None:
        """Argument `run` of `load_agent`: the training seed of an included agent."""
        return None if self.agent not in ROSTER or self.run == UNTRAINED else self.run

    @property
    def steps(self) -> int | None:
        """Environment steps of training."""
        return self.card.steps

    @property
    def training_episodes(self) -> int | None:
        """Episodes of training in the environment."""
        return self.card.training_episodes

    def within(self, budget: int | None) -> bool:
        """Whether its card says that it was trained on at most `budget` episodes; true of scripted references."""
        known = self.training_episodes
        return budget is None or self.kind == "reference" or (known is not None and known <= budget)

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time of training."""
        return self.card.cpu_s

    @property
    def curve(self) -> list[tuple[float, float, float]]:
        """Learning curve: (environment steps, CPU seconds, mean return); empty on another level than that of training."""
        return [] if self.trained_on is not None else list(self.card.curve)


def make_arena(env_config: EnvConfig) -> Arena:
    """The arena of an environment of the suite or of a file.py:Class.

    Anchors are used only for levels without changed parameters, on the splits "train" and "test".

    Raises UnknownEnvironment, BadParameter, EvaluationError.
    """
    entry, level = env_config.entry, env_config.chosen_level
    if entry is None or level is None:
        raise EvaluationError(
            f"{env_config.name} is not an environment of the suite; score agents on it with `unseen evaluate`"
        )
    level = int(level) if isinstance(level, str) and level.isdecimal() else level
    entry.task.at(level, env_config.overrides)
    split = env_config.split or SPLIT
    extra = (env_config.obs, env_config.action, split, tuple(env_config.overrides.items()))
    content: list[Any] = [entry.id, level, task_hash(entry.task)]  # type: ignore[arg-type]  # a class is hashable
    if extra != ("", "", SPLIT, ()):
        content.append(repr(extra))
    own = entry.anchors.get(level) if isinstance(level, int) and not env_config.overrides and split != "shift" else None
    random, oracle = (None, None) if own is None else (own.random, own.oracle)
    if own is not None and not own.oracle - own.random > 1e-3:
        raise EvaluationError(
            f"{entry.name} level {level}: oracle does not score above random, so scores cannot be normalised"
        )
    return Arena(digest(content)[:16], entry.name, level, random, oracle, *extra)


def contestants(agent: str, arena: Arena) -> list[Contestant]:
    """The training runs of `agent` on an arena; empty if it was not trained for it.

    `agent` is as for `load_agent`. Its file is read, but no code is run.

    Raises:
        UnknownAgent, BadCheckpoint: there is no such agent, or its file is invalid.
    """
    if agent in ROSTER:
        info = ROSTER[agent]
        if info.trainable:
            runs = [
                Contestant(_trained(run.path, run.card), agent, agent, info.kind, arena, run.seed, None, run.card)
                for run in list_runs(agent, arena.name, arena.level)
            ]
            return runs or _from_level_1(agent, info.kind, arena)
        entry = arena.env_config.entry
        assert entry is not None
        plays = (
            entry.group == "planning"
            if agent == SimulatorAgent.name
            else agent == "random" or agent in entry.task.references
        )
        if not plays:
            return []
        code = [search, planning_agent, simulator_mpc] if agent == SimulatorAgent.name else [references]
        sources = [Path(str(module.__file__)).read_bytes().hex() for module in code]
        return [Contestant(digest([agent, *sources])[:16], agent, agent, info.kind, arena, UNTRAINED)]
    file, colon, attribute = agent.rpartition(":")
    if colon and file.endswith(".py") and Path(file).is_file():
        own = f"{attribute} ({Path(file).name})"
        return [Contestant(_content(Path(file), attribute), agent, own, "yours", arena, UNTRAINED)]
    path = Path(agent) / "agent.onnx" if Path(agent).is_dir() else Path(agent)
    if path.suffix == ".onnx" and path.is_file():
        card_path = path.with_suffix(".json")
        card = read_card(card_path) if card_path.is_file() else Card()
        return [Contestant(_trained(path, card), agent, Path(agent).name, "yours", arena, UNTRAINED, card=card)]
    load_agent(agent, arena.name, arena.level)  # raises UnknownAgent with suggestions
    raise UnknownAgent(f"no agent {agent!r}")


def _from_level_1(agent: str, kind: str, arena: Arena) -> list[Contestant]:
    """On level 0, the visible twin of level 1, agents without a training run on it compete with their runs from level 1."""
    if arena.level != 0:
        return []
    runs = list_runs(agent, arena.name, 1)
    return [
        Contestant(_trained(run.path, run.card), str(run.path), agent, kind, arena, run.seed, 1, run.card)
        for run in runs
    ]


def _trained(path: Path, card: Card) -> str:
    """Identity of a trained agent: its policy graph, observation mode and action kind; if it plans, also its model and settings."""
    if "imagined" not in card.config:
        return _content(path, card.obs, card.action)
    imagine = path.with_suffix(".imagine.onnx")
    model = [_content(imagine)] if imagine.is_file() else []  # a designer's is in its one graph
    return _content(path, card.obs, card.action, *model, repr(sorted(card.config.items())))


def _content(path: Path, *more: str) -> str:
    try:
        return digest([path.read_bytes().hex(), *more])[:16]
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error


def median(values: Sequence[float | None]) -> float | None:
    """Median of the values that are not None."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
