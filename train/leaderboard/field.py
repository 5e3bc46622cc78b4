"""Who meets whom: environments at their levels, and the agents and training runs that enter.

What a result is filed under is its content: an agent by the bytes of its file, an environment by the
sources that define it. A retrained agent or a changed rule is therefore another one, never mixed up.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unseen.agents import references
from unseen.agents.card import Card, read_card
from unseen.agents.errors import UnknownAgent
from unseen.agents.load import list_runs, load_agent
from unseen.agents.roster import KINDS as ROSTER_KINDS
from unseen.agents.roster import ROSTER
from unseen.envs import suite
from unseen.envs.core.batch import REFERENCES, references_of
from unseen.train.errors import EvaluationError
from unseen.train.leaderboard.journal import digest

KINDS = (*ROSTER_KINDS, "yours")
UNTRAINED = -1


@dataclass(frozen=True)
class Arena:
    """One environment at one level, with the anchors that normalise its scores."""

    id: str
    name: str
    level: int
    random: float
    oracle: float

    @property
    def key(self) -> str:
        return f"{self.name}/{self.level}"


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
        """(environment steps, CPU seconds, success) as training went; on its own level only."""
        return [] if self.trained_on is not None else list(self.card.curve)


def arena(env_name: str, level: int) -> Arena:
    """The arena of a name and level. Raises UnknownEnvironment, EvaluationError."""
    from unseen.envs.core.device import source_hash

    entry = suite.resolve(env_name)
    if not entry.anchors:
        raise EvaluationError(
            f"{entry.label} has no anchors, by which scores are normalised: give the class anchors = "
            "{level: (random, oracle)}; `unseen audit` prints both"
        )
    if level not in entry.anchors:
        raise EvaluationError(f"{entry.name} has no level {level}; it has {', '.join(map(str, entry.levels))}")
    anchor = entry.anchors[level]
    if not anchor.oracle - anchor.random > 1e-3:
        raise EvaluationError(f"{entry.name} level {level}: its oracle does not beat random; no score means anything")
    sources = source_hash(sys.modules[entry.task.__module__])
    return Arena(digest([entry.id, level, sources])[:16], entry.name, level, anchor.random, anchor.oracle)


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
                Contestant(_content(run.path), agent, agent, info.kind, where, run.seed, None, run.card)
                for run in list_runs(agent, where.name, where.level)
            ]
            return runs or _from_level_1(agent, info.kind, where)
        if agent in REFERENCES and agent not in references_of(suite.resolve(where.name).task):
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
        return [Contestant(_content(path), agent, Path(agent).name, "yours", where, UNTRAINED, card=card)]
    load_agent(agent, where.name, where.level)  # unknown, then: this says what was meant
    raise UnknownAgent(f"no agent {agent!r}")


def _from_level_1(agent: str, kind: str, where: Arena) -> list[Contestant]:
    """The visible twin is level 1 with glass: who was not trained on it shows there what it learned on level 1."""
    if where.level != 0:
        return []
    runs = list_runs(agent, where.name, 1)
    return [Contestant(_content(run.path), str(run.path), agent, kind, where, run.seed, 1, run.card) for run in runs]


def _content(path: Path, *more: str) -> str:
    try:
        return digest([path.read_bytes().hex(), *more])[:16]
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error


def median(values: Sequence[float | None]) -> float | None:
    """The median of what is known."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
