"""Amounts of training, in environment steps, CPU time or episodes."""

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
        self._stopped: float | None = None

    @property
    def seconds(self) -> float:
        """CPU-seconds so far; it stands still under `paused`."""
        return time.process_time() - self._start if self._stopped is None else self._stopped

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pauses may be nested."""
        if self._stopped is not None:
            yield
            return
        self._stopped = self.seconds
        try:
            yield
        finally:
            self._start = time.process_time() - self._stopped
            self._stopped = None


@dataclass(frozen=True)
class Budget:
    """An amount of training: the first limit reached counts; None: no limit."""

    steps: int | None
    cpu_seconds: float | None
    episodes: int | None = None

    def share(self, steps: int, cpu_seconds: float, episodes: int = 0) -> float:
        """Multiple of this amount that steps, CPU-seconds and episodes are; from 1 on it is exhausted."""
        parts = [steps / self.steps] if self.steps else []
        if self.cpu_seconds:
            parts.append(cpu_seconds / self.cpu_seconds)
        if self.episodes is not None:
            parts.append(episodes / self.episodes if self.episodes else 1.0)
        return max(parts, default=0.0)
