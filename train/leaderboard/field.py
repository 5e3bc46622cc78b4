"""Who meets whom: environments at their levels, and the agents and training runs that enter.

What a result is filed under is its content: an agent by the bytes of its file, an environment by the
sources that define it. A retrained agent or a changed rule is therefore another one, never mixed up.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents import references
from unseen.agents.card import Card, read_card
from unseen.agents.errors import UnknownAgent
from unseen.agents.load import list_runs, load_agent
from unseen.agents.roster import KINDS as ROSTER_KINDS
from unseen.agents.roster import ROSTER
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.identity import task_hash
from unseen.train.arguments import in_words
from unseen.train.errors import EvaluationError
from unseen.train.files import digest
from unseen.train.leaderboard.protocol import SPLIT
from unseen.train.leaderboard.statistics import normalise

KINDS = (*ROSTER_KINDS, "yours")
UNTRAINED = -1


@dataclass(frozen=True)
class Arena:
    """One environment as it is set, with the anchors that normalise its scores; without any, scores stay raw."""

    id: str
    name: str
    level: int | str
    random: float | None = None
    oracle: float | None = None
    obs: str = ""
    action: str = ""
    split: str = SPLIT
    overrides: tuple[tuple[str, Any], ...] = ()
    """parameters that are set beside the level"""

    @property
    def key(self) -> str:
        return f"{self.name}/{self.level}"

    @property
    def title(self) -> str:
        """The level in words."""
        return f"level {self.level}" if isinstance(self.level, int) else self.level

    @property
    def setting(self) -> str:
        """What is set beside the level, as on the command line; empty: nothing."""
        return in_words(self.where, SPLIT)

    @property
    def where(self) -> EnvConfig:
        """How to make it."""
        return EnvConfig(self.name, self.level, self.obs, self.action, self.split, dict(self.overrides))

    def normalise(self, scores: Any) -> np.ndarray | None:
        """Scores with random = 0 and oracle = 1; None without anchors."""
        if self.random is None or self.oracle is None:
            return None
        return normalise(scores, self.random, self.oracle)


@dataclass(frozen=True)
class Contestant:
    """One agent, trained once (or not trained), on one arena."""

    id: str
    agent: str
    """as it is loaded: a name of the roster, or a path"""
    name: str
    """as it is shown"""
    kind: str
    arena: Arena
    run: int
    """training seed, or UNTRAINED"""
    trained_on: int | None = None
    """level of its training, where that is another one"""
    card: Card = field(default_factory=Card, hash=False, compare=False)

    @property
    def load_run(self) -> int | None:
        """What `load_agent` needs besides the name: the seed picks among the shipped agents of a level."""
        return None if self.agent not in ROSTER or self.run == UNTRAINED else self.run

    @property
    def steps(self) -> int | None:
        """Environment steps of its training."""
        return self.card.steps

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time of its training."""
        return self.card.cpu_s

    @property
    def curve(self) -> list[tuple[float, float, float]]:
        """(environment steps, CPU seconds, mean return) as training went; on its own level only."""
        return [] if self.trained_on is not None else list(self.card.curve)


def arena(where: EnvConfig) -> Arena:
    """The arena of an environment of the suite, or of your own.

    Anchors hold for a level with its own parameters, as they lie in "train" and "test".

    Raises UnknownEnvironment, BadParameter, EvaluationError.
    """
    entry, level = where.entry, where.chosen_level
    if entry is None or level is None:
        raise EvaluationError(f"{where.name} is no environment of the suite; `unseen evaluate` scores an agent there")
    level = int(level) if isinstance(level, str) and level.isdecimal() else level
    entry.task.at(level, where.overrides)
    split = where.split or SPLIT
    extra = (where.obs, where.action, split, tuple(where.overrides.items()))
    content: list[Any] = [entry.id, level, task_hash(entry.task)]  # type: ignore[arg-type]  # a class is hashable
    if extra != ("", "", SPLIT, ()):
        content.append(repr(extra))
    own = entry.anchors.get(level) if isinstance(level, int) and not where.overrides and split != "shift" else None
    random, oracle = (None, None) if own is None else (own.random, own.oracle)
    if own is not None and not own.oracle - own.random > 1e-3:
        raise EvaluationError(f"{entry.name} level {level}: its oracle does not beat random; no score means anything")
    return Arena(digest(content)[:16], entry.name, level, random, oracle, *extra)


def contestants(agent: str, where: Arena) -> list[Contestant]:
    """The training runs of `agent` on an arena; empty where it was never trained for it.

    `agent` is as for `load_agent`. Nothing of it is run here, only its file is read.

    Raises:
        UnknownAgent, BadCheckpoint: with the nearest names, or the file at fault.
    """
    if agent in ROSTER:
        info = ROSTER[agent]
        if info.trainable:
            runs = [
                Contestant(_trained(run.path, run.card), agent, agent, info.kind, where, run.seed, None, run.card)
                for run in list_runs(agent, where.name, where.level)
            ]
            return runs or _from_level_1(agent, info.kind, where)
        entry = where.where.entry
        assert entry is not None
        if agent != "random" and agent not in entry.task.references:
            return []
        sources = Path(references.__file__).read_bytes().hex()
        return [Contestant(digest([agent, sources])[:16], agent, agent, info.kind, where, UNTRAINED)]
    file, colon, attribute = agent.rpartition(":")
    if colon and file.endswith(".py") and Path(file).is_file():
        own = f"{attribute} ({Path(file).name})"
        return [Contestant(_content(Path(file), attribute), agent, own, "yours", where, UNTRAINED)]
    path = Path(agent) / "agent.onnx" if Path(agent).is_dir() else Path(agent)
    if path.suffix == ".onnx" and path.is_file():
        card_path = path.with_suffix(".json")
        card = read_card(card_path) if card_path.is_file() else Card()
        return [Contestant(_trained(path, card), agent, Path(agent).name, "yours", where, UNTRAINED, card=card)]
    load_agent(agent, where.name, where.level)  # unknown, then: this says what was meant
    raise UnknownAgent(f"no agent {agent!r}")


def _from_level_1(agent: str, kind: str, where: Arena) -> list[Contestant]:
    """The visible twin is level 1 with glass: who was not trained on it shows there what it learned on level 1."""
    if where.level != 0:
        return []
    runs = list_runs(agent, where.name, 1)
    return [
        Contestant(_trained(run.path, run.card), str(run.path), agent, kind, where, run.seed, 1, run.card)
        for run in runs
    ]


def _trained(path: Path, card: Card) -> str:
    """A trained agent is its graph, and what its card says of how to use it."""
    return _content(path, card.obs, card.action)


def _content(path: Path, *more: str) -> str:
    try:
        return digest([path.read_bytes().hex(), *more])[:16]
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error


def median(values: Sequence[float | None]) -> float | None:
    """The median of what is known."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
