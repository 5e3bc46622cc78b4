"""Golden values are derived by hand in the comments, or published; none comes from the module itself."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest

from unseen.train.leaderboard import statistics as st

# Efron & Tibshirani, An Introduction to the Bootstrap (1993), table 2.1: survival of mice, in days.
MICE = [94, 197, 16, 38, 99, 141, 23]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], 4.5),  # two off each end: 3 4 5 6
        ([10, 0, 1, 0], 0.5),  # one off each end: 0 1
        ([5, 1, 100, 3, 0], 3.0),  # floor(5 / 4) = 1 off each end: 1 3 5
        ([0, 0, 9], 3.0),  # floor(3 / 4) = 0: the plain mean
        ([7], 7.0),
    ],
)
def test_iqm_by_hand(scores, expected):
    assert st.iqm(scores) == pytest.approx(expected)


def test_iqm_takes_the_last_axis():
    np.testing.assert_allclose(st.iqm([[1, 2, 3, 4], [10, 0, 1, 0]]), [2.5, 0.5])


def test_bootstrap_of_two_scores_is_exact():
    """The mean of two draws from {0, 1} is 0, 1/2, 1 with probability 1/4, 1/2, 1/4."""
    assert st.bootstrap([[0, 1]]) == st.Interval(0.5, 0.0, 1.0)
    assert st.bootstrap([[0, 1]], confidence=0.4) == st.Interval(0.5, 0.5, 0.5)


def test_bootstrap_of_successes_is_the_binomial():
    """Resampling 30 of 50 successes draws Binomial(50, .6) / 50: compare with its exact quantiles."""
    n, k = 50, 30
    pmf = [comb(n, i) * (k / n) ** i * (1 - k / n) ** (n - i) for i in range(n + 1)]
    cdf = np.cumsum(pmf)
    low, high = np.searchsorted(cdf, 0.025) / n, np.searchsorted(cdf, 0.975) / n
    found = st.bootstrap([[1.0] * k + [0.0] * (n - k)], replicates=20_000)
    assert found.point == 0.6
    assert (found.low, found.high) == pytest.approx((low, high), abs=1.01 / n)


def test_bootstrap_of_the_mice():
    """The standard error in the limit is given in the book as 23.36 (table 2.2, B = infinity)."""
    draws = st.mean(st.resample([MICE], 40_000, np.random.default_rng(1)))
    assert st.mean(MICE) == pytest.approx(86.857, abs=1e-3)
    assert draws.std() == pytest.approx(23.36, abs=0.3)


def test_strata_are_never_mixed():
    """Within strata nothing varies, so the interval has no width; pooled, it would be wide."""
    assert st.bootstrap([[0, 0, 0], [1, 1, 1]]) == st.Interval(0.5, 0.5, 0.5)
    assert st.bootstrap([[0, 0, 0, 1, 1, 1]]).high > 0.6


def test_stratified_bootstrap_by_enumeration():
    """Two strata of two runs each: all 16 equally likely resamples, listed."""
    strata = [[0.0, 0.4], [0.2, 1.0]]
    means = sorted(np.mean([a, b, c, d]) for a, b, c, d in product(*([strata[0]] * 2 + [strata[1]] * 2)))
    found = st.bootstrap(strata, confidence=0.6, replicates=20_000)
    assert found.point == pytest.approx(0.4)
    assert found.low == pytest.approx(means[3])  # the 20th percentile lies inside the 4th of 16
    assert found.high == pytest.approx(means[12])


def test_seed_repeats_and_matters():
    rng = np.random.default_rng(0)
    scores = [rng.normal(size=40)]
    assert st.bootstrap(scores, seed=3) == st.bootstrap(scores, seed=3)
    assert st.bootstrap(scores, seed=3) != st.bootstrap(scores, seed=4)


def test_interval_covers_as_it_should():
    """20 Gaussian runs: the percentile interval covers about 93-94 %, three runs far less."""
    rng = np.random.default_rng(5)

    def coverage(runs):
        hits = 0
        for trial in range(400):
            found = st.bootstrap([rng.normal(size=runs)], replicates=500, seed=trial)
            hits += found.low <= 0 <= found.high
        return hits / 400

    assert 0.89 < coverage(20) < 0.98
    assert coverage(3) < 0.88


def test_probability_of_improvement_by_hand():
    """X = 1 2 3 against Y = 2 2 4: of nine pairs two are won and two tied, so 3 / 9."""
    assert st.probability_of_improvement([[1, 2, 3]], [[2, 2, 4]]).point == pytest.approx(1 / 3)


def test_probability_of_improvement_averages_tasks():
    """A sure win with one pair and a sure loss with nine make 1/2, not 1/10."""
    found = st.probability_of_improvement([[1.0], [0, 0, 0]], [[0.0], [1, 1, 1]])
    assert found == st.Interval(0.5, 0.5, 0.5)


def test_probability_of_improvement_is_antisymmetric():
    rng = np.random.default_rng(2)
    x, y = [rng.integers(0, 4, 5)], [rng.integers(0, 4, 6)]
    total = st.probability_of_improvement(x, y).point + st.probability_of_improvement(y, x).point
    assert total == pytest.approx(1)


def test_normalise_clips_nothing():
    np.testing.assert_allclose(st.normalise([0.1, 0.9, 0.0, 1.7], 0.1, 0.9), [0, 1, -0.125, 2])


def test_anchors_that_meet_are_refused():
    with pytest.raises(ValueError, match="must score above random"):
        st.normalise(0.5, 0.3, 0.3)
    with pytest.raises(ValueError, match="must score above random"):
        st.normalise(0.5, 0.3, float("nan"))


@pytest.mark.parametrize("bad", [[], [[]], [[1.0], []], [[1.0, float("nan")]], [[float("inf")]]])
def test_bad_samples_are_refused(bad):
    with pytest.raises(ValueError, match="a statistic needs"):
        st.bootstrap(bad)
