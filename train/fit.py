"""The training loop: advance a learner up to a budget, with evaluations, a log and checkpoints.

A run may be killed at any time. Resumed from its last checkpoint it ends bit-identical to an uninterrupted run, on the same
machine and versions, if the environment has snapshots and the budget is in steps.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unseen.agents.errors import BadCheckpoint
from unseen.agents.protocol import Agent, Learner
from unseen.train import checkpoints
from unseen.train.budget import Budget, CpuClock
from unseen.train.errors import TrainingDiverged
from unseen.train.logs import Log

Evaluate = Callable[[Agent], Mapping[str, float]]
Show = Callable[[float, Mapping[str, float]], None]

CHECKPOINTS = "checkpoints"
FRESH: Mapping[str, Any] = {"steps": 0, "cpu_s": 0.0, "wall_s": 0.0, "episodes": 0, "curve": []}
"""Metadata of a run that has not started."""


def restore(learner: Learner, folder: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Load the latest valid checkpoint of a run into `learner`. Returns its metadata.

    Args:
        identity: values that must be those of the checkpoint, by name.

    Raises:
        BadCheckpoint: there is none, or it is of another run.
    """
    fault = BadCheckpoint(f"{folder} contains no checkpoint to resume from")
    for path in reversed(checkpoints.found(folder / CHECKPOINTS)):
        try:
            meta = checkpoints.read_meta(path)
            for name, value in identity.items():
                if meta.get(name, value) != value:
                    raise BadCheckpoint(f"{path}: made with {name}={meta[name]}, not {value}")
            learner.load(path)
            return meta
        except BadCheckpoint as error:
            fault = error
    raise fault


class Fit:
    """A training run. It writes `log.jsonl` and `checkpoints/` into its folder.

    Args:
        learner: as it was at the time of `meta`.
        evaluate: scores of a policy, by name; they stand in the log and on the curve.
        every: amount of training between evaluations.
        identity: stored with each checkpoint, for `restore`.
        meta: FRESH, or what `restore` returned.
        checkpoint_every: seconds between checkpoints.
        show: called with the used fraction of the budget and the latest figures.

    Attributes:
        curve: one point per evaluation: steps, episodes, cpu_s and the scores.
        clock: CPU-seconds of training alone.
    """

    def __init__(
        self,
        learner: Learner,
        folder: Path,
        budget: Budget,
        evaluate: Evaluate,
        every: Budget,
        *,
        identity: Mapping[str, Any],
        meta: Mapping[str, Any] = FRESH,
        checkpoint_every: float = 60.0,
        show: Show = lambda share, figures: None,
        tensorboard: bool = True,
    ) -> None:
        self.learner, self.folder, self.budget, self.evaluate, self.every = learner, folder, budget, evaluate, every
        self.identity, self.checkpoint_every, self.show = identity, checkpoint_every, show
        learner.stop_at = budget.episodes
        self.curve: list[dict[str, Any]] = list(meta["curve"])
        self._log = Log(folder, learner.steps, tensorboard)
        self._started = time.monotonic() - meta["wall_s"]
        self.clock = CpuClock(meta["cpu_s"])

    @property
    def share(self) -> float:
        """Used fraction of the budget."""
        return self.budget.share(self.learner.steps, self.clock.seconds, self.learner.episodes or 0)

    @property
    def wall_s(self) -> float:
        """Seconds of the run, evaluations included."""
        return time.monotonic() - self._started

    @property
    def meta(self) -> dict[str, Any]:
        """What another Fit goes on from."""
        learner = self.learner
        reached = {"steps": learner.steps, "episodes": learner.episodes}
        return reached | {"cpu_s": self.clock.seconds, "wall_s": self.wall_s, "curve": self.curve}

    def run(self, stop: threading.Event | None = None) -> bool:
        """Train until the budget is used, or `stop` is set. Returns whether the budget is used.

        Raises TrainingDiverged, StoreError, and what the learner raises.
        """
        try:
            saved = time.monotonic()
            while not (complete := self.share >= 1) and not (stop and stop.is_set()):
                figures = {"steps": self.learner.steps} | self.learner.advance()
                self.check(figures)
                figures |= {"steps": self.learner.steps, "cpu_s": self.clock.seconds, "wall_s": self.wall_s}
                figures |= {"episodes": self.learner.episodes or 0}
                with self.clock.paused():
                    if self._evaluation_is_due():
                        figures |= self.measure(self.evaluate)
                    self._log.write(figures)
                    self.show(self.share, figures)
                    if time.monotonic() - saved > self.checkpoint_every:
                        self._checkpoint()
                        saved = time.monotonic()
            with self.clock.paused():
                self._checkpoint()
            return complete
        finally:
            self._log.close()

    def check(self, figures: Mapping[str, float]) -> None:
        """Raises TrainingDiverged if a figure is not finite."""
        bad = [f"{name} is {value}" for name, value in figures.items() if not math.isfinite(value)]
        if bad:
            raise TrainingDiverged(f"{self.learner.name}: {', '.join(bad)} at step {self.learner.steps}")

    def _evaluation_is_due(self) -> bool:
        last = self.curve[-1] if self.curve else FRESH
        now = self.every.share(self.learner.steps, self.clock.seconds, self.learner.episodes or 0)
        return int(now) > int(self.every.share(last["steps"], last["cpu_s"], last["episodes"] or 0))

    def measure(self, evaluate: Evaluate) -> dict[str, float]:
        """Evaluate the current policy, and add the scores to the curve. A point at the same step is replaced."""
        with self.clock.paused():
            learner = self.learner
            at = {"steps": learner.steps, "episodes": learner.episodes, "cpu_s": round(self.clock.seconds, 1)}
            scores = {name: round(value, 4) for name, value in evaluate(learner.policy()).items()}
            if self.curve and self.curve[-1]["steps"] == learner.steps:
                self.curve.pop()
            self.curve.append(at | scores)
            return scores

    def _checkpoint(self) -> None:
        checkpoints.write(
            self.folder / CHECKPOINTS, self.learner.steps, self.learner.save, {**self.identity, **self.meta}
        )
