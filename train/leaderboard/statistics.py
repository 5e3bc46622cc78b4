"""Statistics of the leaderboard, in numpy, with the definitions of rliable.

A *sample* is a list of strata, one array of scores per task: the training runs on an environment level, or the episodes of one
agent. The bootstrap resamples within each stratum (Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", NeurIPS 2021). Functions that use random numbers take a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]
Statistic = Callable[[Scores], Scores]

REPLICATES = 2_000
CONFIDENCE = 0.95
RANKING_RUNS = 5  # minimum number of training runs for a ranking; with fewer, intervals have too little coverage


@dataclass(frozen=True)
class Interval:
    """A point estimate and its confidence interval."""

    point: float
    low: float
    high: float


def mean(scores: ArrayLike) -> Scores:
    """Mean over the last axis."""
    return np.mean(np.asarray(scores, dtype=np.float64), axis=-1)


def iqm(scores: ArrayLike) -> Scores:
    """Interquartile mean over the last axis: drops a quarter of the scores (rounded down) at each end.

    The same as ``scipy.stats.trim_mean(x, 0.25)``.
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64), axis=-1)
    cut = ordered.shape[-1] // 4
    return np.mean(ordered[..., cut : ordered.shape[-1] - cut], axis=-1)


def _strata(sample: Sequence[ArrayLike]) -> list[Scores]:
    strata = [np.asarray(stratum, dtype=np.float64).ravel() for stratum in sample]
    if not strata or any(stratum.size == 0 for stratum in strata):
        raise ValueError("a statistic needs at least one score in every stratum")
    if not all(np.isfinite(stratum).all() for stratum in strata):
        raise ValueError("a statistic needs finite scores")
    return strata


def resample(sample: Sequence[ArrayLike], replicates: int, rng: np.random.Generator) -> Scores:
    """Resample with replacement within each stratum: ``(replicates, total number of scores)``."""
    parts = []
    for stratum in _strata(sample):
        picks = rng.integers(0, stratum.size, size=(replicates, stratum.size))
        parts.append(stratum[picks])
    return np.concatenate(parts, axis=1)


def bootstrap(
    sample: Sequence[ArrayLike],
    statistic: Statistic = mean,
    *,
    replicates: int = REPLICATES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of ``statistic`` over all scores, resampled within each stratum.

    Args:
        sample: one array of scores per stratum.
        statistic: maps ``(..., n)`` to ``(...)``, such as :func:`mean` or :func:`iqm`.
    Raises:
        ValueError: a stratum is empty, or a score is not finite.
    """
    point = float(statistic(np.concatenate(_strata(sample))))
    draws = statistic(resample(sample, replicates, np.random.default_rng(seed)))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return Interval(point, float(low), float(high))


def _wins(x: Scores, y: Scores) -> Scores:
    """Fraction of pairs in which x is greater, with ties counted as one half (Mann-Whitney U / nm)."""
    difference = x[..., :, None] - y[..., None, :]
    return np.mean((difference > 0) + 0.5 * (difference == 0), axis=(-1, -2))


def probability_of_improvement(
    x: Sequence[ArrayLike],
    y: Sequence[ArrayLike],
    *,
    replicates: int = REPLICATES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """P(a training run of X scores above one of Y), averaged over tasks.

    Args:
        x, y: one array of run scores per task, in the same order of tasks.
    """
    left, right = _strata(x), _strata(y)
    if len(left) != len(right):
        raise ValueError(f"X has {len(left)} tasks and Y has {len(right)}")
    rng = np.random.default_rng(seed)
    points, draws = [], []
    for a, b in zip(left, right, strict=True):
        points.append(_wins(a, b))
        draws.append(_wins(resample([a], replicates, rng), resample([b], replicates, rng)))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(np.mean(draws, axis=0), [tail, 100 - tail])
    return Interval(float(np.mean(points)), float(low), float(high))


def normalise(score: ArrayLike, random: float, oracle: float) -> Scores:
    """Map the random anchor to 0 and the oracle to 1, without clipping.

    Raises:
        ValueError: the oracle does not score above random.
    """
    if not oracle - random > 1e-3:
        raise ValueError(f"the oracle ({oracle}) must score above random ({random})")
    return (np.asarray(score, dtype=np.float64) - random) / (oracle - random)
