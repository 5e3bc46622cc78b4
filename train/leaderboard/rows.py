"""Tables of the store: one frozen dataclass per table, whose fields are the columns."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any, ClassVar, TypeVar

from unseen.train.files import digest
from unseen.train.leaderboard.journal import Record


@dataclass(frozen=True)
class AgentRow:
    """An evaluated agent; ``id`` is a digest of its content, in most cases of its file."""

    table: ClassVar[str] = "agent"
    key: ClassVar[tuple[str, ...]] = ("id",)
    id: str
    name: str
    train_run: int  # training seed; -1 for untrained agents
    kind: str
    source: str


@dataclass(frozen=True)
class EnvRow:
    """An environment at one level; ``id`` is a digest of the code and constants that define it.

    Both anchors are 0 if it has none.
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
    """Software versions and machine of an evaluation; ``id`` is a digest of the other columns."""

    table: ClassVar[str] = "run"
    key: ClassVar[tuple[str, ...]] = ("id",)
    id: str
    versions: str  # JSON: package -> version
    machine: str


@dataclass(frozen=True)
class EpisodeRow:
    """One episode. A failed one has an error, and the return up to it."""

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
    """Decision time at batch size 1 in ms, on one machine."""

    table: ClassVar[str] = "latency"
    key: ClassVar[tuple[str, ...]] = ("agent", "env", "run")
    agent: str
    env: str
    run: str
    p50_ms: float
    p95_ms: float
    decisions: int


@dataclass(frozen=True)
class MapErrorRow:
    """Error of an agent's own map, and of the last seen position; see `MapError`."""

    table: ClassVar[str] = "map_error"
    key: ClassVar[tuple[str, ...]] = ("agent", "env")
    agent: str
    env: str
    map_m: float  # -1: unknown at half of the steps or more
    last_seen_m: float  # likewise
    steps: int  # 0: it has no map, no requested thing was hidden, or the agent failed


Row = AgentRow | EnvRow | RunRow | EpisodeRow | LatencyRow | MapErrorRow
R = TypeVar("R", bound=Row)

TABLES: dict[str, type[Row]] = {
    row.table: row for row in (AgentRow, EnvRow, RunRow, EpisodeRow, LatencyRow, MapErrorRow)
}
COLUMNS = {table: [field.name for field in fields(row)] for table, row in TABLES.items()}
SQL_TYPES = {"str": "TEXT", "int": "INTEGER", "float": "REAL", "int | str": ""}


def record_of(row: Row) -> Record:
    """The row as (table, columns)."""
    return row.table, dict(zip(COLUMNS[row.table], astuple(row), strict=True))


def key_of(record: Record) -> tuple[Any, ...]:
    """The primary key: table and key columns."""
    table, row = record
    return (table, *(row[column] for column in TABLES[table].key))


def digest_matches(table: str, row: dict[str, Any], sha: Any) -> bool:
    """Whether `sha` is the digest of the row."""
    try:
        return digest([table, row]) == sha
    except (ValueError, TypeError):  # damaged values, such as infinity, or bytes instead of text
        return False


def has_known_columns(record: Record) -> bool:
    """Whether the table and columns of a journal record are those of this version."""
    table, row = record
    return set(COLUMNS.get(table, ())) == set(row)
