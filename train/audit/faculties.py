"""Does a level demand the faculties that it declares? Policies that lack exactly one of them must fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unseen.envs.core.faculty import Faculty, margin
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

Z = 1.96  # of a 95 % interval
SPLITS = ("test", "shift")


@dataclass(frozen=True)
class Ablated:
    """The score of one ablated policy: mean return and half the width of its 95 % interval."""

    name: str
    mean: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.name} {self.mean:.3f} +- {self.half_width:.3f}"


def faculties(subject: Subject) -> Iterator[Check]:
    """For each split and each faculty that the level demands, the scores of all policies that lack it; then the best of all."""
    demanded = {name: f for name, f in subject.task.faculties.items() if subject.level in f.levels}
    if not demanded or subject.env_config.overrides:
        return
    best = -np.inf
    for split in SPLITS:
        base = floor(subject, split)
        for name, faculty in demanded.items():
            scores = family(subject, faculty, split)
            if split == "test":
                best = max(best, scores[0].mean)
            yield _check(subject, f"demands {name}, {split}", faculty, scores, base)
    yield _anchor(subject, best)


def family(subject: Subject, faculty: Faculty, split: str) -> list[Ablated]:
    """The scores, in one split, of all policies that lack the faculty, best first."""
    n = 1_000 if subject.quick else 4_000
    env = subject.make_vec(n, split=split)
    scores = []
    for name in faculty.policies:
        returns = play(env, name, subject.seed, n)
        scores.append(Ablated(name, float(returns.mean()), float(Z * returns.std() / n**0.5)))
    return sorted(scores, key=lambda score: -score.mean)


def floor(subject: Subject, split: str) -> float:
    """The score that ablated policies are compared with: the task's chance, or random play if it declares none."""
    task = subject.task
    if (task.hidden is not None and task.hidden.is_class) or task.declares_chance():
        return task.chance(subject.params, split)
    n = 1_000 if subject.quick else 4_000
    return float(np.mean(play(subject.make_vec(n, split=split), "random", subject.seed, n)))


def _check(subject: Subject, name: str, faculty: Faculty, scores: list[Ablated], base: float) -> Check:
    level = subject.level
    assert isinstance(level, int), "faculties are declared for levels, not for presets"
    best, *others = scores
    passed = all(one.mean - one.half_width <= base + faculty.limit(level, one.name) for one in scores)
    limit, reason = f"{margin(level):g}", ""
    if excess := faculty.excess.get(level):
        declared = f"{excess.above:g} (declared)"
        limit = f"{limit}; {', '.join(excess.only)} + {declared}" if excess.only else declared
        reason = f"; declared: {excess.reason}"
    rest = f"; {', '.join(map(str, others))}" if others else ""
    return Check(name, f"<= {base:.3f} + {limit}", f"{best}{rest}{reason}", passed)


def _anchor(subject: Subject, best: float) -> Check:
    """The frozen score of the best ablated policy agrees with the one measured in the split "test"."""
    level = subject.level
    anchor = subject.entry.anchors.get(level) if isinstance(level, int) else None
    frozen = None if anchor is None else anchor.ablated
    if frozen is None:
        return Check("best ablated policy", "no anchor", f"{best:.3f}", None)
    allowed = 4 * 0.5 / (1_000 if subject.quick else 4_000) ** 0.5
    return Check("best ablated policy", f"{frozen:.3f} +- {allowed:.3f}", f"{best:.3f}", abs(best - frozen) <= allowed)
