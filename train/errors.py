"""What can go wrong while evaluating or storing: each error names the thing at fault.

The errors carry their parts as ``args``, so that they travel between processes, and are told as one line.
"""

from __future__ import annotations

from pathlib import Path

from unseen.envs.errors import UnseenError


class UsageError(UnseenError, ValueError):
    """The command line does not say what to do."""


class StoreError(UnseenError):
    """A results or run folder cannot be read or written; what was stored before stays stored."""

    def __init__(self, path: Path, reason: str):
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class StoreLocked(StoreError):
    """Another process is writing the same folder."""


class EvaluationError(UnseenError):
    """An evaluation cannot give a meaningful score: an unusable anchor, an empty list of agents."""


class AgentFailed(EvaluationError):
    """An agent raised, or answered with something that is no action. Other agents' evaluation goes on."""

    def __init__(self, agent: str, reason: str, step: int | None = None):
        super().__init__(agent, reason, step)
        self.agent, self.reason, self.step = agent, reason, step

    def __str__(self) -> str:
        where = "" if self.step is None else f" at step {self.step}"
        return f"agent {self.agent!r}{where}: {self.reason}"


class WorkerLost(EvaluationError):
    """A worker process died, or passed its time limit, twice on the same piece of work."""
