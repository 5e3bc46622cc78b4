"""An append-only journal: one line of JSON a transaction, durable before the call returns.

A line is ``{"sha": ..., "rows": [[table, {...}], ...]}``, the sha over the canonical JSON of the rows. So
a line that was cut off by a crash, or changed on the disk, is recognised and dropped on its own.
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
    """One line, newline included."""
    rows = [list(record) for record in records]
    return (canonical({"rows": rows, "sha": digest(rows)}) + "\n").encode()


def decode(line: bytes) -> list[Record] | None:
    """The records of one line, or None where it is not whole and true."""
    try:
        entry = json.loads(line)
        rows, sha = entry["rows"], entry["sha"]
        if digest(rows) != sha:
            return None
        return [(str(table), dict(row)) for table, row in rows]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class Journal:
    """The file behind the store. Raises OSError as the disk does; the store gives it a name.

    Attributes:
        records: what the file held when it was opened, whole and true lines only.
        damaged: a line is not what was written. (An append that a crash cut off is no damage: it was
            never acknowledged, and is dropped.)
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
        """Write one transaction and wait for the disk; on an error the file is as it was before."""
        line = encode(records)
        try:
            written = self._file.write(line)
            if written != len(line):  # a disk that fills up, or a file size limit, may take a part of it
                raise OSError(errno.ENOSPC, "no space left for a whole line")
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), self._size)
            raise
        self._size += len(line)

    def rewrite(self, records: Sequence[Record]) -> None:
        """Replace the file by one line with these records, at once or not at all."""
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
