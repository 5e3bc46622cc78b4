"""Designers that learn from past programmes without imagining designs: they draw what did best there.

They see the same tests of past programmes as surrogate-designer, make the same real tests, and believe by its model what a factory does;
so they differ from it in the choice of the design alone. What they draw should be built as a *target*, a function of the brief.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from unseen.agents.shared.design_agent import DesignAgent, Thinking
from unseen.agents.shared.designing import FAMILIES, Belief, Chosen, Forecast, Trials
from unseen.envs.industry.proving_ground.design import BRIEF

Target = Callable[[np.ndarray], np.ndarray]
"""A brief (13,) -> the car that should be built (10,)"""

PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)  # of the ridge regression


class Lessons(NamedTuple):
    """What the tests of p past programmes showed. Designs are as built, by the belief about each programme's factory.

    Attributes:
        briefs: (p, 13).
        best: (p, 10) the best design tested: that whose worst margin stands out most among all tests of its family, in standard
            deviations. A past programme tests each design once, in one family.
        passing: (p, 10) the mean of the designs that passed their test; the best one if none did.
    """

    briefs: np.ndarray
    best: np.ndarray
    passing: np.ndarray


def lessons(past: Trials, forecast: Forecast) -> Lessons:
    """What past programmes teach; the forecast infers their offsets."""
    margin = past.margins.min(1).astype(np.float64)
    family = past.context[:, BRIEF : BRIEF + FAMILIES].argmax(1)
    standing = np.zeros(len(past))
    for f in range(FAMILIES):
        own = margin[family == f]
        if len(own):
            standing[family == f] = (own - own.mean()) / (own.std() + 1e-6)
    briefs, best, passing = [], [], []
    for programme in np.unique(past.programme):
        rows = np.flatnonzero(past.programme == programme)
        first = rows[standing[rows].argmax()]
        passed = rows[margin[rows] >= 0.0]
        offsets = forecast.after(past[rows]).offsets.mean(0)
        briefs.append(past.context[first, :BRIEF])
        best.append(past.drawn[first] + offsets)
        passing.append(past.drawn[passed if len(passed) else [first]].mean(0) + offsets)
    return Lessons(*(np.array(one, np.float64) for one in (briefs, best, passing)))


def nearest(briefs: np.ndarray, built: np.ndarray) -> Target:
    """The design built in the past programme with the nearest brief, each number of briefs in standard deviations."""
    spread = briefs.std(0) + 1e-6
    return lambda brief: built[(((briefs - brief) / spread) ** 2).sum(1).argmin()]


def regression(briefs: np.ndarray, built: np.ndarray) -> Target:
    """Ridge regression from standardised briefs to designs. Its penalty has the least leave-one-out error."""
    centre, spread, mean = briefs.mean(0), briefs.std(0) + 1e-6, built.mean(0)
    x, y = (briefs - centre) / spread, built - mean
    fits = [np.linalg.solve(x.T @ x + penalty * np.eye(BRIEF), x.T) for penalty in PENALTIES]

    def left_out(fit: np.ndarray) -> float:
        hat = x @ fit
        own = np.diag(hat) + 1.0 / len(x)  # the mean is fitted, too
        return float((((y - hat @ y) / np.maximum(1.0 - own, 1e-6)[:, None]) ** 2).sum())

    weights = min(fits, key=left_out) @ y
    return lambda brief: mean + ((brief - centre) / spread) @ weights


CONTROLS: Mapping[str, Callable[[Lessons], Target]] = {
    "best past design": lambda of: nearest(of.briefs, of.best),
    "regression of best designs": lambda of: regression(of.briefs, of.best),
    "regression of passing designs": lambda of: regression(of.briefs, of.passing),
}


class Recaller(DesignAgent):
    """Draws what should be built as the target of the brief, by what it believes of the factory; it imagines nothing."""

    def __init__(self, name: str, forecast: Forecast, thinking: Thinking, target: Target) -> None:
        super().__init__(name, forecast, thinking)
        self.target = target

    def design(self, brief: np.ndarray, belief: Belief, rng: np.random.Generator) -> Chosen:
        """See `DesignAgent`. It expects nothing, so claim and bound are NaN."""
        return Chosen(np.clip(self.target(brief) - belief.offsets.mean(0), -1.0, 1.0), np.nan, np.nan)
