"""Checks of resets: none fails, and the hidden truth is uniformly distributed or varies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unseen.envs.errors import ResetFailed
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject


def draws(subject: Subject) -> Iterator[Check]:
    """Reset many environments and examine the hidden truths."""
    n, hidden = 20_000 if subject.quick else 100_000, subject.task.hidden
    env = subject.make_vec(n)
    try:
        env.reset(seed=0)
    except ResetFailed as error:
        yield Check(f"resets, {n}", "no failure", str(error), False)
        return
    yield Check(f"resets, {n}", "no failure", f"0 failed, {env.world['tries'].mean():.1f} tries on average", True)
    if hidden is None:
        return
    truth = env.batch.hidden()
    if hidden.classes is not None:
        k = hidden.classes(env.params)
        count = np.bincount(truth, minlength=k)
        chi2 = float(((count - n / k) ** 2 / (n / k)).sum())
        limit = chi2_limit(k - 1)
        yield Check("hidden class is uniform (chi-squared)", f"<= {limit:.1f} (p .001)", f"{chi2:.1f}", chi2 <= limit)
    elif subject.level != 0:
        spread = truth.std(0)
        text = ", ".join(f"{value:.3g}" for value in spread)
        yield Check("hidden vector varies (standard deviations)", "> 0", text, bool((spread > 0).any()))


def chi2_limit(dof: int) -> float:
    """The .999 quantile of the chi-squared distribution (Wilson and Hilferty 1931), accurate to 1 % for these dof."""
    return dof * (1 - 2 / (9 * dof) + 3.0902 * (2 / (9 * dof)) ** 0.5) ** 3
