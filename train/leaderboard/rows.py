"""What the store holds: one frozen dataclass a table; its fields are the columns."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any, ClassVar, TypeVar

from unseen.train.files import digest
from unseen.train.leaderboard.journal import Record


@dataclass(frozen=True)
class AgentRow:
    """One agent as it was evaluated; ``id`` is a digest of its content (of its file, for most)."""

    table: ClassVar[str] = "agent"
    key: ClassVar[tuple[str, ...]] = ("id",)
    id: str
    name: str
    train_run: int  # the training seed; -1 where nothing was trained
    kind: str
    source: str


@dataclass(frozen=True)
class EnvRow:
    """One environment at one level; ``id`` is a digest of the code and constants that define it.

    The references are both 0 where it has no anchors.
    """

    table: ClassVar[str] = "env_spec"
    key: ClassVar[tuple[str, ...]] = ("id", "random_ref", "oracle_ref")
    id: str
    name: str
    level: int | str
    random_ref: float
    oracle_ref: float


@dataclass(frozen=True)
class RunRow:
    """The software and machine that evaluated; ``id`` is a digest of the rest."""

    table: ClassVar[str] = "run"
    key: ClassVar[tuple[str, ...]] = ("id",)
    id: str
    versions: str  # JSON: package -> version
    machine: str


@dataclass(frozen=True)
class EpisodeRow:
    """One episode. A failed one has an error, and the return it had reached."""

    table: ClassVar[str] = "episode"
    key: ClassVar[tuple[str, ...]] = ("agent", "env", "protocol", "seed")
    agent: str
    env: str
    protocol: str
    seed: int
    run: str
    status: str  # "ok" or "failed"
    episode_return: float
    length: int  # steps
    error: str


@dataclass(frozen=True)
class LatencyRow:
    """Time of one decision at batch 1, in milliseconds: a timing, so it belongs to a machine."""

    table: ClassVar[str] = "latency"
    key: ClassVar[tuple[str, ...]] = ("agent", "env", "run")
    agent: str
    env: str
    run: str
    p50_ms: float
    p95_ms: float
    decisions: int


Row = AgentRow | EnvRow | RunRow | EpisodeRow | LatencyRow
R = TypeVar("R", bound=Row)

TABLES: dict[str, type[Row]] = {row.table: row for row in (AgentRow, EnvRow, RunRow, EpisodeRow, LatencyRow)}
COLUMNS = {table: [field.name for field in fields(row)] for table, row in TABLES.items()}
SQL_TYPES = {"str": "TEXT", "int": "INTEGER", "float": "REAL", "int | str": ""}


def record_of(row: Row) -> Record:
    """The row as the journal and the digest see it."""
    return row.table, dict(zip(COLUMNS[row.table], astuple(row), strict=True))


def key_of(record: Record) -> tuple[Any, ...]:
    """What the row is found by: its table and key columns."""
    table, row = record
    return (table, *(row[column] for column in TABLES[table].key))


def digest_matches(table: str, row: dict[str, Any], sha: Any) -> bool:
    """Whether the digest stored beside a row is the digest of the row."""
    try:
        return digest([table, row]) == sha
    except (ValueError, TypeError):  # an infinite number, or bytes where text was
        return False


def has_known_columns(record: Record) -> bool:
    """Whether a journal record is of a table and columns that this version knows."""
    table, row = record
    return set(COLUMNS.get(table, ())) == set(row)
