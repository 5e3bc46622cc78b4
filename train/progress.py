"""How far a command is: bars on a terminal, and elsewhere plain lines now and then, both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

EVERY = 5.0  # s between two plain lines


class Progress:
    """Counts of things done, by name. Use it in a ``with`` block.

    Args:
        totals: name -> how many there are to do; the first stands for the whole.
    """

    def __init__(self, totals: Mapping[str, int]) -> None:
        self._totals = dict(totals)
        self._done = dict.fromkeys(totals, 0)
        self._said = ""
        self._reported: dict[str, int] = {}
        self._bars: Any = None
        self._ids: dict[str, Any] = {}
        self._started = self._told = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._bars = _bars()
            self._ids = {name: self._bars.add_task(name, total=total, said="") for name, total in self._totals.items()}
            self._bars.start()
        else:
            self._tell()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()
        elif error is None and self._done != self._reported:
            self._tell()

    def advance(self, name: str, by: int = 1, said: str = "") -> None:
        """So many more of `name` are done; `said` stands beside it until something else is."""
        self._done[name] += by
        self._said = said
        if self._bars is not None:
            self._bars.update(self._ids[name], advance=by, said=said)
        elif time.monotonic() - self._told >= EVERY:
            self._tell()

    def _tell(self) -> None:
        self._told, self._reported = time.monotonic(), dict(self._done)
        whole = next(iter(self._totals))
        at_work = [name for name, done in self._done.items() if name == whole or 0 < done < self._totals[name]]
        parts = [f"{name} {self._done[name]}/{self._totals[name]}" for name in at_work]
        said = f", {self._said}" if self._said else ""
        print(f"unseen: {', '.join(parts)} ({self._told - self._started:.0f} s){said}", file=sys.stderr, flush=True)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:>16}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}", markup=False),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
