"""Logging of training: a JSONL file, TensorBoard, and progress on the terminal."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unseen.train.files import write_text


class Log:
    """Writes `log.jsonl`, flushed after every line, and TensorBoard files if asked for and installed. Raises OSError.

    When a run is resumed at `steps`, later entries are removed.
    """

    def __init__(self, folder: Path, steps: int, tensorboard: bool = True) -> None:
        path = folder / "log.jsonl"
        write_text(path, "".join(f"{line}\n" for at, line in _entries(path) if at <= steps))
        self._file = path.open("a", encoding="utf-8")
        self._board: Any = None
        if not tensorboard:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=steps + 1 if steps else None)

    def write(self, figures: Mapping[str, float]) -> None:
        """Write one entry; `figures` must contain `steps`."""
        self._file.write(json.dumps({k: round(float(v), 6) for k, v in figures.items()}) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in figures.items():
                if name != "steps":
                    self._board.add_scalar(name, value, int(figures["steps"]))

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def _entries(path: Path) -> list[tuple[float, str]]:
    """Steps and text of every valid entry of the file. Truncated or damaged lines are dropped."""
    entries = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            text = line.decode()
            entry = json.loads(text)
        except (ValueError, RecursionError):
            continue
        at = entry.get("steps") if isinstance(entry, dict) else None
        if isinstance(at, int | float) and not isinstance(at, bool):
            entries.append((at, text))
    return entries


class Display:
    """A progress bar on a terminal; elsewhere a line immediately and then every `every` seconds."""

    def __init__(self, title: str, quiet: bool = False, every: float = 15.0) -> None:
        self._title, self._quiet, self._every = title, quiet, every
        self._printed_at = -math.inf
        self._bar: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True))
            self._task = self._bar.add_task(title, total=1.0, note="")
            self._bar.start()

    def show(self, share: float, figures: Mapping[str, float]) -> None:
        """Show the used fraction of the budget and the latest metrics."""
        note = summary(figures)
        if self._bar is not None:
            self._bar.update(self._task, completed=min(share, 1.0), note=note)
        elif not self._quiet and time.monotonic() - self._printed_at > self._every:
            self._printed_at = time.monotonic()
            print(f"{self._title}: {100 * min(share, 1):.0f} %, {note}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, highlight=False)
        elif not self._quiet:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def summary(figures: Mapping[str, float]) -> str:
    """The most important metrics on one line."""
    text = (
        f"{figures['steps'] / 1000:.0f} k steps, {figures['cpu_s']:.0f} CPU-s, return {figures['episode_return']:.2f}"
    )
    losses = [k for k in ("loss", "map", "reward", "value_loss", "entropy_loss", "return", "entropy") if k in figures]
    return text + "".join(f", {k} {figures[k]:.3g}" for k in losses[:3])
