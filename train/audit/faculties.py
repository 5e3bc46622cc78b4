"""Does a level demand the faculties that it is meant to? Players that lack exactly one of them must fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unseen.envs.core.faculty import Faculty
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Ablated:
    """What one ablated player scored: mean return, and half the width of its 95 % interval."""

    name: str
    mean: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.name} {self.mean:.3f} +- {self.half_width:.3f}"


def faculties(subject: Subject) -> Iterator[Check]:
    """One row for each faculty that the level demands: the best of the players that lack it."""
    for name, faculty in subject.task.faculties.items():
        if subject.level in faculty.levels:
            yield _check(subject, name, faculty)


def family(subject: Subject, faculty: Faculty) -> list[Ablated]:
    """The scores of all players that lack the faculty, on the split "test", best first."""
    n = 1_000 if subject.quick else 4_000
    env = subject.make_vec(n, split="test")
    scores = []
    for player in faculty.players:
        returns = play(env, player, 0, n)
        scores.append(Ablated(player, float(returns.mean()), float(Z * returns.std() / n**0.5)))
    return sorted(scores, key=lambda score: -score.mean)


def floor(subject: Subject) -> float:
    """What a player without a faculty is compared with: the task's chance, or random play where nothing is hidden."""
    task = subject.task
    if task.hidden is not None and (task.hidden.is_class or "chance" in vars(task)):
        return task.chance(subject.params)
    n = 1_000 if subject.quick else 4_000
    return float(np.mean(play(subject.make_vec(n, split="test"), "random", 0, n)))


def _check(subject: Subject, name: str, faculty: Faculty) -> Check:
    level = subject.level
    assert isinstance(level, int), "only levels are declared, no presets"
    best, *others = family(subject, faculty)
    base, above = floor(subject), faculty.limit(level)
    good = best.mean - best.half_width <= base + above
    declared = " (declared)" if level in faculty.excess else ""
    rest = f"; {', '.join(map(str, others))}" if others else ""
    return Check(f"demands {name}", f"<= {base:.3f} + {above:g}{declared}", f"{best}{rest}", good)
