"""Training budget in environment steps or CPU time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class CpuClock:
    """CPU-seconds of this process, all threads, excluding time under `paused`.

    Args:
        carried: CPU-seconds before the run was resumed.
    """

    def __init__(self, carried: float = 0.0) -> None:
        self._start = time.process_time() - carried

    @property
    def seconds(self) -> float:
        return time.process_time() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        before = time.process_time()
        try:
            yield
        finally:
            self._start += time.process_time() - before


@dataclass(frozen=True)
class Budget:
    """Training ends at the first limit reached; None: no limit."""

    steps: int | None
    cpu_seconds: float | None

    def share(self, steps: int, cpu_seconds: float) -> float:
        """Fraction of the budget that is used; 1 or more means that it is exhausted."""
        parts = [steps / self.steps] if self.steps else []
        if self.cpu_seconds:
            parts.append(cpu_seconds / self.cpu_seconds)
        return max(parts, default=0.0)
