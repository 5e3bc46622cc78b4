"""Progress on stderr: bars on a terminal, periodic lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

EVERY = 5.0  # seconds between lines


class Progress:
    """Progress counters, by name. Use it in a ``with`` block.

    Args:
        totals: name -> total count; the first is the overall progress.
    """

    def __init__(self, totals: Mapping[str, int]) -> None:
        self._totals = dict(totals)
        self._done = dict.fromkeys(totals, 0)
        self._note = ""
        self._printed: dict[str, int] = {}
        self._bars: Any = None
        self._ids: dict[str, Any] = {}
        self._started = self._printed_at = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._bars = _bars()
            self._ids = {name: self._bars.add_task(name, total=total, note="") for name, total in self._totals.items()}
            self._bars.start()
        else:
            self._print()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()
        elif error is None and self._done != self._printed:
            self._print()

    def advance(self, name: str, by: int = 1, note: str = "") -> None:
        """Add `by` to the count of `name`. `note` is shown until the next call."""
        self._done[name] += by
        self._note = note
        if self._bars is not None:
            self._bars.update(self._ids[name], advance=by, note=note)
        elif time.monotonic() - self._printed_at >= EVERY:
            self._print()

    def _print(self) -> None:
        self._printed_at, self._printed = time.monotonic(), dict(self._done)
        whole = next(iter(self._totals))
        at_work = [name for name, done in self._done.items() if name == whole or 0 < done < self._totals[name]]
        parts = [f"{name} {self._done[name]}/{self._totals[name]}" for name in at_work]
        note = f", {self._note}" if self._note else ""
        print(
            f"unseen: {', '.join(parts)} ({self._printed_at - self._started:.0f} s){note}", file=sys.stderr, flush=True
        )


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
        TextColumn("{task.fields[note]}", markup=False),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
