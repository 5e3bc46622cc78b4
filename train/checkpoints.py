"""Atomic checkpoints: written to a temporary folder, flushed to disk, then renamed. The last two are kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unseen.agents.errors import BadCheckpoint
from unseen.train.errors import StoreError
from unseen.train.files import digest, flush, flush_folder

KEEP = 2
META = "trainer.json"


def write(root: Path, steps: int, save: Callable[[Path], None], meta: dict[str, Any]) -> Path:
    """Write the checkpoint `root/step-<steps>`: what `save` writes, and `trainer.json`. Raises StoreError."""
    done, fresh = root / f"step-{steps:012d}", root / ".writing"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        save(fresh)
        (fresh / META).write_text(json.dumps({"sha256": digest(meta), "meta": meta}), encoding="utf-8")
        for file in fresh.iterdir():
            flush(file)
        flush_folder(fresh)
        shutil.rmtree(done, ignore_errors=True)
        fresh.rename(done)
        flush_folder(root)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StoreError(root, f"cannot write a checkpoint: {error.strerror or error}") from error
    for old in found(root)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    return done


def found(root: Path) -> list[Path]:
    """Checkpoints under `root`, oldest first."""
    return sorted(root.glob("step-*"))


def read_meta(folder: Path) -> dict[str, Any]:
    """The metadata that the trainer stored with the learner's state. Raises BadCheckpoint."""
    try:
        sealed = json.loads((folder / META).read_text(encoding="utf-8"))
        meta = sealed["meta"]
        if digest(meta) != sealed["sha256"]:
            raise BadCheckpoint(f"{folder}: {META} is damaged")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadCheckpoint(f"{folder}: not a checkpoint: {error}") from error
    if not isinstance(meta, dict) or not {"steps", "cpu_s", "wall_s", "curve"} <= meta.keys():
        raise BadCheckpoint(f"{folder}: {META} is incomplete")
    return meta
