"""An append-only journal with one line of JSON per transaction, flushed to disk before the call returns.

A line is ``{"sha": ..., "rows": [[table, {...}], ...]}`` with the SHA-256 of the canonical JSON of the rows, by which truncated
or altered lines are detected and dropped.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unseen.train.files import canonical, digest, flush_folder

Record = tuple[str, dict[str, Any]]  # table, column -> value


def encode(records: Sequence[Record]) -> bytes:
    """Encode one transaction as a line, including the newline."""
    rows = [list(record) for record in records]
    return (canonical({"rows": rows, "sha": digest(rows)}) + "\n").encode()


def decode(line: bytes) -> list[Record] | None:
    """Decode one line; None if it is truncated or altered."""
    try:
        entry = json.loads(line)
        rows, sha = entry["rows"], entry["sha"]
        if digest(rows) != sha:
            return None
        return [(str(table), dict(row)) for table, row in rows]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class Journal:
    """The journal file of the store. Raises OSError.

    Attributes:
        records: records of all valid lines when the file was opened.
        damaged: whether a complete line is invalid. An incomplete last line does not count: that append was never
            acknowledged, and is removed.
    """

    def __init__(self, path: Path):
        self.path = path
        *lines, torn = (path.read_bytes() if path.exists() else b"").split(b"\n")
        decoded = [decode(line) for line in lines]
        self.records: list[Record] = [record for records in decoded for record in records or ()]
        self.damaged = None in decoded
        self._size = sum(len(line) + 1 for line in lines)
        self._file = open(path, "ab", buffering=0)
        if torn:
            self._file.truncate(self._size)
        flush_folder(path.parent)

    def append(self, records: Sequence[Record]) -> None:
        """Append one transaction and flush it to disk. On an error the file is restored to its previous state."""
        line = encode(records)
        try:
            written = self._file.write(line)
            if written != len(line):  # a partial write, by a full disk or a file size limit
                raise OSError(errno.ENOSPC, "no space left on device")
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), self._size)
            raise
        self._size += len(line)

    def rewrite(self, records: Sequence[Record]) -> None:
        """Replace the file atomically by one line with these records."""
        fresh = self.path.with_suffix(".new")
        line = encode(records)
        with open(fresh, "wb") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._file.close()
        os.replace(fresh, self.path)
        self._file = open(self.path, "ab", buffering=0)
        self._size = len(line)
        flush_folder(self.path.parent)

    def close(self) -> None:
        self._file.close()
