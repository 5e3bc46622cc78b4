"""Checks of resets: none fails, the hidden truth is uniformly distributed or varies, and nothing else in a draw reveals it."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.errors import ResetFailed
from unseen.train.audit.instances import instance_keys, instances
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject

TESTED = ("train", "shift")  # splits in which the distribution of the truth is tested
P = 0.001  # probability that any of the tests of one level fails by chance
MANY_TRIES = 5  # numbers of tries of a reset from here on are one category
EXPECTED = 5.0  # least expected count in a cell of a chi-squared test; columns with fewer are merged


def draws(subject: Subject) -> Iterator[Check]:
    """Reset many environments of every split, examine the hidden truths, and compare the instances of the splits."""
    many, hidden = 20_000 if subject.quick else 100_000, subject.task.hidden
    keys = {}
    for split in ("train", "test", "shift"):
        tested = split in TESTED and hidden is not None
        n = many if tested or split == "train" else many // 10
        env = subject.make_vec(n, split=split)
        name = f"resets in {split}, {n}"
        try:
            env.reset(seed=0)
        except ResetFailed as error:
            yield Check(name, "no failure", str(error), False)
            continue
        yield Check(name, "no failure", f"0 failed, {env.world['tries'].mean():.1f} tries on average", True)
        keys[split] = instance_keys(env)
        if tested:
            assert hidden is not None
            yield from _truths(subject, env, hidden, split)
    judged = (
        subject.entry.group != "own" or subject.task.instance is not None
    )  # a small task of the user's may have few
    yield from instances(keys, judged=judged, many=isinstance(subject.level, int) and subject.level > 0)


def _truths(subject: Subject, env: TaskVectorEnv, hidden: Hidden, split: str) -> Iterator[Check]:
    """Distribution of the truth in one split, and its independence of the tries and of the declared fields."""
    truth = env.batch.hidden()
    tests = len(TESTED) * (2 * hidden.is_class + (1 + hidden.is_class) * len(hidden.independent))
    p = P / max(tests, 1)  # Bonferroni
    fields = {name: np.asarray(env.world[name]) for name in hidden.independent}
    if hidden.classes is not None:
        k = hidden.classes(env.params)
        yield _chi2_check(f"hidden class is uniform in {split}", *uniformity(np.bincount(truth, minlength=k)), p)
        tries = np.minimum(env.world["tries"], MANY_TRIES)
        yield _chi2_check(f"hidden class and tries are independent in {split}", *independence(truth, tries), p)
    elif subject.level != 0:
        spread = truth.std(0)
        text = ", ".join(f"{value:.3g}" for value in spread)
        name = f"hidden vector varies in {split} (standard deviations)"
        yield Check(name, "> 0", text, bool((spread > 0).any()))
    for name, values in fields.items():
        counts = np.unique(values, return_counts=True)[1]
        yield _chi2_check(f"{name} is uniform in {split}", *uniformity(counts), p)
        if hidden.is_class:
            yield _chi2_check(f"hidden class and {name} are independent in {split}", *independence(truth, values), p)


def _chi2_check(name: str, chi2: float, dof: int, p: float) -> Check:
    if dof == 0:
        return Check(name, "chi-squared", "one value only", True)
    limit = chi2_limit(dof, p)
    return Check(name, f"chi-squared <= {limit:.1f} (p {p:.1g})", f"{chi2:.1f}", chi2 <= limit)


def uniformity(counts: np.ndarray) -> tuple[float, int]:
    """Chi-squared statistic and degrees of freedom of these counts against a uniform distribution."""
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1


def independence(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """Chi-squared statistic and degrees of freedom of the contingency table of two labellings a and b, (n,) each.

    Adjacent values of b are merged until all expected counts are at least EXPECTED: with fewer, the statistic is not chi-squared.
    """
    rows, columns = np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    least = EXPECTED * len(a) / table.sum(1).min()  # of a column's sum
    merged = [np.zeros(len(table))]
    for column in table.T:
        if merged[-1].sum() >= least:
            merged.append(np.zeros(len(table)))
        merged[-1] = merged[-1] + column
    if len(merged) > 1 and merged[-1].sum() < least:
        merged[-2:] = [merged[-2] + merged[-1]]
    table = np.stack(merged, axis=1)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    return float(((table - expected) ** 2 / expected).sum()), (len(table) - 1) * (table.shape[1] - 1)


def chi2_limit(dof: int, p: float) -> float:
    """The 1 - p quantile of the chi-squared distribution (Wilson and Hilferty 1931), up to 7 % too large for 1
    degree of freedom and less for more."""
    return dof * (1 - 2 / (9 * dof) + NormalDist().inv_cdf(1 - p) * (2 / (9 * dof)) ** 0.5) ** 3
