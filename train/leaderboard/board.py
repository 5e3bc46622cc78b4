"""The leaderboard from stored episodes: scores, confidence intervals, comparisons. No agent is run here.

Many environments are shown in several sections, a table each. Intervals resample the training runs within each level if an agent has
several, otherwise the episodes; each cell says which. An agent with a failed episode or a missing level in a section has no overall
score in it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.contestants import KINDS, Arena, Contestant, median
from unseen.train.leaderboard.protocol import Latency
from unseen.train.leaderboard.statistics import Interval
from unseen.train.measures.map_error import MapError
from unseen.train.rollout import Outcome

COLUMNS = 6
"""most columns of a section, unless one environment has more levels, or a group more environments at a level"""
GROUPS = {"permanence": "Object permanence", "planning": "Planning", "industry": "Industry", "own": "Own environments"}


@dataclass(frozen=True)
class RunScore:
    """Score of one training run on one arena."""

    run: int
    score: float
    steps: int | None
    cpu_seconds: float | None
    training_episodes: int | None = None


@dataclass(frozen=True)
class Cell:
    """Score of one agent on one arena."""

    status: str
    """ok, failed, or missing (no agent trained for it, or none within the budget)"""
    raw: Interval | None = None
    normal: Interval | None = None
    """normalised score; None if the arena has no anchors"""
    unit: str = ""
    """unit that the interval resamples: runs or episodes"""
    episodes: int = 0
    failed: int = 0
    error: str = ""
    runs: list[RunScore] = field(default_factory=list)
    steps: float | None = None
    cpu_seconds: float | None = None
    training_episodes: float | None = None
    """episodes of training; like `steps` and `cpu_seconds`, a median over the runs"""
    trained_on: int | None = None
    """training level, if it is another one"""


@dataclass(frozen=True)
class Entry:
    """One row of the table."""

    name: str
    kind: str
    overall: Interval | None
    """IQM of the normalised scores over the counted arenas; None if one is incomplete, or there are none"""
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Comparison:
    """P(a training run of `left` scores above one of `right`), averaged over arenas."""

    left: str
    right: str
    probability: Interval


@dataclass(frozen=True)
class Section:
    """One table of the board."""

    title: str
    arenas: list[Arena]
    """the columns"""
    entries: list[Entry]
    """the rows"""
    comparisons: list[Comparison]

    @property
    def counted(self) -> list[Arena]:
        """The arenas that count towards the overall score."""
        return counted(self.arenas)


@dataclass(frozen=True)
class Curve:
    """Learning curve of one training run: points (environment steps, CPU seconds, mean return)."""

    agent: str
    kind: str
    arena: str
    run: int
    points: list[tuple[float, float, float]]


@dataclass(frozen=True)
class Budget:
    """A limit to the real episodes of training, and the names of the agents that it leaves out, at least on some levels."""

    episodes: int
    more: list[str]
    """trained on more"""
    unknown: list[str]
    """without a card that says on how many"""


@dataclass(frozen=True)
class Board:
    """The complete leaderboard. Everything except `latency` and `machine` is reproducible exactly."""

    protocol: dict[str, Any]
    episodes: int
    sections: list[Section]
    curves: list[Curve]
    map_error: dict[str, dict[str, MapError]]
    """agent -> arena -> error of its map, median over training runs; without agents that have no map"""
    latency: dict[str, dict[str, Latency]]
    machine: dict[str, str]
    command: str = "unseen leaderboard"
    """evaluates the same"""
    budget: Budget | None = None

    def to_dict(self, timings: bool = True) -> dict[str, Any]:
        """The board as JSON-serialisable values. Without `timings`, they are reproducible exactly."""
        found = asdict(self)
        if not timings:
            del found["latency"], found["machine"]
        return found

    @property
    def arenas(self) -> list[Arena]:
        return [arena for section in self.sections for arena in section.arenas]

    @property
    def entries(self) -> list[Entry]:
        """The rows of all sections. An agent has one in each section that it plays in."""
        return [entry for section in self.sections for entry in section.entries]

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        """(agent, arena, error) of every failed cell."""
        return [
            (entry.name, key, cell.error)
            for entry in self.entries
            for key, cell in entry.cells.items()
            if cell.status == "failed"
        ]


Results = Mapping[Contestant, Sequence[Outcome]]


def sections(names: Sequence[tuple[str, str]], arenas: Sequence[Arena], results: Results) -> list[Section]:
    """The tables: one, or if it would have too many columns, one for each group of environments, or for each level of it.

    An agent that plays in other sections only has no row.

    Args:
        names: (shown name, kind) of every agent.
        arenas: the columns of all tables.
        results: outcomes of each contestant.
    """
    played = {c.name for c in results}
    found = []
    for title, own in _divided(arenas):
        here = {c.name for c in results if c.arena in own}
        rows = entries([(name, kind) for name, kind in names if name in here or name not in played], own, results)
        found.append(Section(title, own, rows, comparisons(rows, own)))
    return found


def _divided(arenas: Sequence[Arena]) -> Iterator[tuple[str, list[Arena]]]:
    """(title, arenas) of each section."""
    if len(arenas) <= COLUMNS or len({arena.name for arena in arenas}) == 1:
        yield " and ".join(dict.fromkeys(arena.name for arena in arenas)), list(arenas)
        return
    for group in dict.fromkeys(arena.group for arena in arenas):
        own = [arena for arena in arenas if arena.group == group]
        if len(own) <= COLUMNS:
            yield GROUPS[group], own
            continue
        for title in dict.fromkeys(arena.title for arena in own):
            yield f"{GROUPS[group]}, {title}", [arena for arena in own if arena.title == title]


def entries(names: Sequence[tuple[str, str]], arenas: Sequence[Arena], results: Results) -> list[Entry]:
    """The rows of the table, sorted by kind, then by score.

    Args:
        names: (shown name, kind) of every agent.
        arenas: the columns.
        results: outcomes of each contestant.
    """
    rows = []
    for name, kind in names:
        cells = {}
        for arena in arenas:
            own = {c: results[c] for c in results if c.name == name and c.arena.key == arena.key}
            cells[arena.key] = _cell(own, arena, name)
        rows.append(Entry(name, kind, _overall(cells, arenas, results, name), cells))
    return sorted(rows, key=lambda row: (KINDS.index(row.kind), -_rank(row, arenas), row.name))


def _rank(row: Entry, arenas: Sequence[Arena]) -> float:
    """Sort key: the overall score, or the mean return if no arena has anchors."""
    if row.overall:
        return row.overall.point
    raw = [cell.raw.point for cell in row.cells.values() if cell.raw]
    return -9.0 if counted(arenas) or not raw else float(np.mean(raw))


def _cell(own: Results, arena: Arena, name: str) -> Cell:
    if not own:
        return Cell("missing")
    errors = [outcome.error for outcomes in own.values() for outcome in outcomes if outcome.error]
    episodes = sum(map(len, own.values()))
    if errors:
        return Cell("failed", episodes=episodes, failed=len(errors), error=errors[0])
    ordered = sorted(own, key=lambda c: c.run)
    scores = [[outcome.episode_return for outcome in own[c]] for c in ordered]
    runs = [
        RunScore(c.run, float(np.mean(score)), c.steps, c.cpu_seconds, c.training_episodes)
        for c, score in zip(ordered, scores, strict=True)
    ]
    unit = "runs" if len(runs) > 1 else "episodes"
    sample = [run.score for run in runs] if len(runs) > 1 else scores[0]
    raw = st.bootstrap([sample], seed=_seed(name, arena.key))
    ends = arena.normalise([raw.point, raw.low, raw.high])
    normal = None if ends is None else Interval(*ends.tolist())
    steps, cpu, real = (
        median([getattr(run, name) for run in runs]) for name in ("steps", "cpu_seconds", "training_episodes")
    )
    return Cell("ok", raw, normal, unit, episodes, 0, "", runs, steps, cpu, real, ordered[0].trained_on)


def counted(arenas: Sequence[Arena]) -> list[Arena]:
    """The arenas that count towards the overall score: those with anchors, except level 0, the visible twin, which is a
    control. If there are only such levels, they all count."""
    anchored = [arena for arena in arenas if arena.oracle is not None]
    return [arena for arena in anchored if arena.level != 0] or anchored


def _overall(cells: dict[str, Cell], arenas: Sequence[Arena], results: Results, name: str) -> Interval | None:
    if not counted(arenas) or any(cells[arena.key].status != "ok" for arena in counted(arenas)):
        return None
    rng = np.random.default_rng(_seed(name, "overall"))
    points, draws = [], []
    for arena in counted(arenas):
        runs = [run.score for run in cells[arena.key].runs]
        if len(runs) > 1:
            drawn = st.resample([runs], st.REPLICATES, rng)
        else:
            (outcomes,) = (results[c] for c in results if c.name == name and c.arena.key == arena.key)
            episodes = [outcome.episode_return for outcome in outcomes]
            drawn = st.mean(st.resample([episodes], st.REPLICATES, rng))[:, None]
        point, draw = arena.normalise(runs), arena.normalise(drawn)
        assert point is not None and draw is not None
        points.append(point)
        draws.append(draw)
    tail = 50 * (1 - st.CONFIDENCE)
    low, high = np.percentile(st.iqm(np.concatenate(draws, axis=1)), [tail, 100 - tail])
    return Interval(float(st.iqm(np.concatenate(points))), float(low), float(high))


def comparisons(rows: Sequence[Entry], arenas: Sequence[Arena]) -> list[Comparison]:
    """All ordered pairs of agents with several training runs on every counted arena."""
    keys = [arena.key for arena in counted(arenas)]
    trained = {
        row.name: [[run.score for run in row.cells[key].runs] for key in keys]
        for row in rows
        if row.overall and all(len(row.cells[key].runs) > 1 for key in keys)
    }
    return [
        Comparison(x, y, st.probability_of_improvement(trained[x], trained[y], seed=_seed(x, y)))
        for x in trained
        for y in trained
        if x != y and keys
    ]


def limited(episodes: int, left_out: Sequence[Contestant]) -> Budget:
    """A budget that leaves out these contestants."""
    unknown = {c.name for c in left_out if c.training_episodes is None}
    more = {c.name for c in left_out if c.training_episodes is not None}
    return Budget(episodes, sorted(more), sorted(unknown))


def map_errors(found: Sequence[tuple[Contestant, MapError]]) -> dict[str, dict[str, MapError]]:
    """`Board.map_error`, from the errors of the contestants that have a map."""
    grouped: dict[str, dict[str, list[MapError]]] = {}
    for c, error in found:
        grouped.setdefault(c.name, {}).setdefault(c.arena.key, []).append(error)
    return {name: {key: _median_map_error(errors) for key, errors in own.items()} for name, own in grouped.items()}


def _median_map_error(errors: Sequence[MapError]) -> MapError:
    maps, last = (median([getattr(one, name) for one in errors]) for name in ("map", "last_seen"))
    return MapError(maps, last, sum(one.steps for one in errors))


def curves(contestants: Sequence[Contestant]) -> list[Curve]:
    """The learning curves on the agents' cards."""
    return [Curve(c.name, c.kind, c.arena.key, c.run, c.curve) for c in contestants if c.curve]


def _seed(*names: str) -> int:
    """A reproducible bootstrap seed for each cell."""
    return zlib.crc32("/".join(names).encode())
