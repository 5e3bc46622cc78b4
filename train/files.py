"""Atomic writing of files, a check that it is possible, and digests of JSON values."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from unseen.train.errors import StoreError


def canonical(value: Any) -> str:
    """Canonical JSON of a value: sorted keys, no spaces, shortest exact floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def check_folder(folder: Path) -> None:
    """Create a folder, and raise StoreError if files cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StoreError(folder, f"cannot be written: {error.strerror or error}") from error


def flush(file: Path) -> None:
    """Flush a file to disk. Windows requires that it is open for writing."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def flush_folder(folder: Path) -> None:
    """Flush the entries of a folder to disk. Does nothing on Windows, where folders cannot be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically. Raises OSError, and then leaves the old file unchanged."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
