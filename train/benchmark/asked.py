"""A run with the protocol of free play, without reward and query, and then questions. See docs/asked.md."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unseen.agents.errors import BadCheckpoint
from unseen.agents.protocol import Learner
from unseen.agents.roster import learner_class
from unseen.agents.shared.envs import EnvConfig
from unseen.train.benchmark.cells import Cell
from unseen.train.budget import Budget
from unseen.train.fit import CHECKPOINTS, FRESH, Evaluate, Fit, restore

FREE, ASKED = "free", "asked"  # folders of the two parts of a run
UNLIMITED = Budget(None, None)


class Course:
    """Free play, then questions.

    Args:
        folder: of the run.
        evaluate: returns the scores of a policy, by name.
        checkpoint_every: seconds between checkpoints.
        began: called with each part of the training before it begins.
    """

    def __init__(
        self,
        cell: Cell,
        folder: Path,
        evaluate: Evaluate,
        checkpoint_every: float,
        began: Callable[[Fit], None] = lambda fit: None,
    ) -> None:
        assert cell.protocol is not None and cell.agent.free is not None
        self.cell, self.folder, self.evaluate = cell, folder, evaluate
        self.checkpoint_every, self.began = checkpoint_every, began
        self.protocol, self.free = cell.protocol, cell.agent.free
        self.identity = {"id": cell.id}

    def run(self) -> Fit:
        """Train from the last checkpoint on, and score. Returns the training of the last part, whose curve has all points."""
        learner, meta = self._restored(self.cell.env.config, ASKED)
        if meta is FRESH and self.free.episodes:
            learner, meta = self._play()
            learner.ask(self.cell.env.config)
        at = meta["curve"][0]["episodes"] if meta["curve"] else learner.episodes or 0
        for count in self.protocol.asked[len(meta["curve"]) :]:
            fit = self._fit(learner, ASKED, Budget(None, None, at + count), meta)
            fit.run()
            fit.check(learner.think(self.protocol.think))
            before = list(fit.curve)
            fit.measure(self.evaluate)
            fit.curve[:] = [*before, fit.curve[-1]]  # keep the last point even if no step was taken since
            meta = fit.meta
        return fit

    def _play(self) -> tuple[Learner, Mapping[str, Any]]:
        """Play freely. Returns the learner and what its training has taken so far."""
        config = self.cell.env.config
        kind = "shown" if self.free.shown else "yes"
        learner, meta = self._restored(replace(config, overrides={**config.overrides, "free": kind}), FREE)
        fit = self._fit(learner, FREE, Budget(None, None, self.free.episodes), meta)
        fit.run()
        return learner, fit.meta

    def _restored(self, config: EnvConfig, part: str) -> tuple[Learner, Mapping[str, Any]]:
        """The learner and metadata of the last checkpoint in this part of the run; a new learner and FRESH if there is none."""
        cell, kind = self.cell, learner_class(self.cell.agent.name)
        learner = kind(config, cell.seed, cell.device, cell.agent.settings)
        try:
            return learner, restore(learner, self.folder / part, self.identity)
        except BadCheckpoint:  # a new learner, since this one may have loaded a part
            shutil.rmtree(self.folder / part / CHECKPOINTS, ignore_errors=True)
            return kind(config, cell.seed, cell.device, cell.agent.settings), FRESH

    def _fit(self, learner: Learner, part: str, budget: Budget, meta: Mapping[str, Any]) -> Fit:
        folder = self.folder / part
        folder.mkdir(exist_ok=True)
        fit = Fit(
            learner, folder, budget, self.evaluate, UNLIMITED,
            identity=self.identity, meta=meta, checkpoint_every=self.checkpoint_every, tensorboard=False,
        )  # fmt: skip
        self.began(fit)
        return fit
