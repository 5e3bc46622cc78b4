"""Persistent store of all evaluated episodes, robust against crashes, full disks and damaged files.

Every row is stored twice, in an append-only journal, which is written first, and in a SQLite database, which is read. Rows have
a SHA-256 of their content, since SQLite detects damaged pages but not altered values. When the store is opened, missing rows
of one copy are restored from the other; a damaged file is moved to ``quarantine/`` and rebuilt from all valid rows. Rows
are keyed by what was evaluated (agent content, environment content, seed, protocol), so rows lost from both copies are
simply evaluated again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from unseen.train.errors import StoreError
from unseen.train.files import digest
from unseen.train.leaderboard.journal import Journal, Record
from unseen.train.leaderboard.rows import (
    COLUMNS,
    SQL_TYPES,
    TABLES,
    EpisodeRow,
    LatencyRow,
    MapErrorRow,
    R,
    Row,
    digest_matches,
    has_known_columns,
    key_of,
    record_of,
)
from unseen.train.lock import FolderLock

# SQLite error codes for damaged files, as opposed to I/O or permission errors.
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT, None}


class Store:
    """The results in one folder, opened by a single process. Use it in a ``with`` block.

    Attributes:
        notes: descriptions of repairs made when the store was opened.

    Raises:
        StoreLocked: another process has opened the folder.
        StoreError: the folder cannot be created, read or written.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.notes: list[str] = []
        self._database = self.folder / "board.sqlite"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.folder / "board.lock")
            try:
                self._journal = Journal(self.folder / "journal.jsonl")
                self._reconcile()
            except BaseException:
                self._lock.release()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StoreError(self.folder, f"cannot be opened ({error})") from error

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Safe to call twice."""
        self._connection.close()
        self._journal.close()
        self._lock.release()

    # -- writing

    def add(self, rows: Sequence[Row]) -> None:
        """Store rows durably in one transaction. Rows whose key exists are ignored.

        Raises:
            StoreError: writing failed, for example for a full disk. Rows stored before are not affected.
        """
        try:
            records = [record for record in map(record_of, rows) if not self._has(record)]
            if records:
                self._journal.append(records)
                self._insert(records)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                self.folder,
                f"cannot be written ({error}); stored results are not affected: free some space and run again",
            ) from error

    def _has(self, record: Record) -> bool:
        table, row = record
        key = TABLES[table].key
        where = " AND ".join(f"{column} = ?" for column in key)
        query = f"SELECT 1 FROM {table} WHERE {where}"
        return self._connection.execute(query, [row[column] for column in key]).fetchone() is not None

    def _insert(self, records: Iterable[Record]) -> None:
        with self._connection:
            for table, row in records:
                columns = COLUMNS[table]
                marks = ", ".join("?" * (len(columns) + 1))
                values = [row[column] for column in columns] + [digest([table, row])]
                self._connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)

    # -- reading

    def _select(self, row: type[R], where: str, values: Sequence[Any], order: str = "1") -> list[R]:
        columns = ", ".join(COLUMNS[row.table])
        query = f"SELECT {columns} FROM {row.table} WHERE {where} ORDER BY {order}"
        return [row(*found) for found in self._connection.execute(query, values)]

    def episodes(self, agent: str, env: str, protocol: str) -> list[EpisodeRow]:
        """The stored episodes of one agent on one environment, by seed."""
        where = "agent = ? AND env = ? AND protocol = ?"
        return self._select(EpisodeRow, where, [agent, env, protocol], "seed")

    def latency(self, agent: str, env: str, run: str) -> LatencyRow | None:
        """The decision latency measured by `run`; None if there is none."""
        found = self._select(LatencyRow, "agent = ? AND env = ? AND run = ?", [agent, env, run])
        return found[0] if found else None

    def map_error(self, agent: str, env: str) -> MapErrorRow | None:
        """The error of one agent's map on one environment; None if it was not measured."""
        found = self._select(MapErrorRow, "agent = ? AND env = ?", [agent, env])
        return found[0] if found else None

    def count(self, table: str = "episode") -> int:
        return int(self._connection.execute(f"SELECT COUNT(*) FROM {TABLES[table].table}").fetchone()[0])

    # -- opening

    def _reconcile(self) -> None:
        """Bring both copies to the union of their valid rows."""
        stored, damaged = self._read_database()
        journal = {key_of(record): record for record in self._journal.records if has_known_columns(record)}
        database = {key_of(record): record for record in stored}
        if self._journal.damaged:
            aside = self._set_aside(self._journal.path, keep=True)
            self._journal.rewrite(list((database | journal).values()))
            self.notes.append(f"the journal was damaged: saved as {aside} and rebuilt")
        elif lacking := [record for key, record in database.items() if key not in journal]:
            self._journal.append(lacking)
        if damaged:
            aside = self._set_aside(self._database)
            self.notes.append(f"the database was damaged: moved to {aside} and rebuilt from the journal")
            database_now: dict[tuple[Any, ...], Record] = {}
        else:
            database_now = database
        self._connection = self._connect()
        for row in TABLES.values():
            columns = [f"{field.name} {SQL_TYPES[str(field.type)]} NOT NULL" for field in fields(row)]
            columns += ["row_sha TEXT NOT NULL", f"PRIMARY KEY ({', '.join(row.key)})"]
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {row.table} ({', '.join(columns)})")
        everything = database | journal
        self._insert(record for key, record in everything.items() if key not in database_now)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database)
        connection.text_factory = lambda data: data.decode(errors="replace")  # damage is detected by the digest
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _read_database(self) -> tuple[list[Record], bool]:
        """All valid rows, and whether anything was damaged."""
        records: list[Record] = []
        if not self._database.exists():
            return records, False
        connection = sqlite3.connect(self._database)
        connection.text_factory = lambda data: data.decode(errors="replace")
        damaged = False
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            damaged = connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
        except sqlite3.DatabaseError as error:
            _raise_unless_damage(error)
            tables, damaged = set(), True
        for table, columns in COLUMNS.items():
            if table not in tables:
                continue  # crash before the table was created; the journal has all rows
            try:
                for *values, sha in connection.execute(f"SELECT {', '.join(columns)}, row_sha FROM {table}"):
                    row = dict(zip(columns, values, strict=True))
                    if digest_matches(table, row, sha):
                        records.append((table, row))
                    else:
                        damaged = True
            except sqlite3.DatabaseError as error:
                _raise_unless_damage(error)
                damaged = True
        connection.close()
        return records, damaged

    def _set_aside(self, path: Path, keep: bool = False) -> Path:
        """Move or, with `keep`, copy a damaged file to ``quarantine/`` under a new name."""
        folder = self.folder / "quarantine"
        folder.mkdir(exist_ok=True)
        number = 1
        while (aside := folder / f"{path.name}.{number}").exists():
            number += 1
        if keep:
            shutil.copy2(path, aside)
        else:
            os.replace(path, aside)
            path.with_name(path.name + "-journal").unlink(missing_ok=True)  # SQLite's rollback journal of the old file
        return aside


def _raise_unless_damage(error: sqlite3.DatabaseError) -> None:
    code = getattr(error, "sqlite_errorcode", None)
    if (code if code is None else code & 0xFF) not in DAMAGE:
        raise error
