"""Errors of evaluation and storage.

Their parts are in ``args``, so that they can be pickled, and ``str`` gives one line.
"""

from __future__ import annotations

from pathlib import Path

from unseen.envs.errors import UnseenError


class UsageError(UnseenError, ValueError):
    """The command line is invalid."""


class StoreError(UnseenError):
    """A results or run folder cannot be read or written. Data stored before are not affected."""

    def __init__(self, path: Path, reason: str):
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class StoreLocked(StoreError):
    """Another process is writing to the same folder."""


class EvaluationError(UnseenError):
    """An evaluation is impossible, for example with unusable anchors or no agents."""


class BadAnswer(UnseenError):
    """The answer function of a foreign audit is missing, fails, or does not suit the environment."""

    def __init__(self, name: str, reason: str):
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class AgentFailed(EvaluationError):
    """An agent raised an exception or returned an invalid action. The evaluation of other agents continues."""

    def __init__(self, agent: str, reason: str, step: int | None = None):
        super().__init__(agent, reason, step)
        self.agent, self.reason, self.step = agent, reason, step

    def __str__(self) -> str:
        where = "" if self.step is None else f" at step {self.step}"
        return f"agent {self.agent!r}{where}: {self.reason}"


class WorkerLost(EvaluationError):
    """A worker process died or exceeded its time limit twice on the same task."""


class TrainingDiverged(UnseenError):
    """A figure of training is not finite. The last checkpoint is from before it was seen."""
