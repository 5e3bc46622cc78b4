"""Visible twins: once only the hiding is removed from a level, it must demand no memory."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.envs.suite import make_vec
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

GAP = 0.05  # by which the best policy without memory may return less than oracle on a twin
WITHOUT_MEMORY = ("reflex", "tracker-1")  # the second also plans, where the level demands it


def twins(subject: Subject) -> Iterator[Check]:
    """Level 0 is the visible twin of level 1. On the twins of the other levels no memory is needed.

    Where level 1 hides nothing, and only demands a plan, level 0 has no obstacles instead, and is not compared.
    """
    task, level = subject.task, subject.level
    if not task.visible or not isinstance(level, int) or not {"oracle", "reflex", "tracker"} <= {*task.references}:
        return
    if task.twin(level or 1) == task.levels[level or 1]:
        return
    if level == 0:
        differ = [name for name, value in task.twin(1).values().items() if task.levels[0].values()[name] != value]
        yield Check("level 0 is the twin of level 1", "equal", ", ".join(differ) or "equal", not differ)
        return
    n = 1_000 if subject.quick else 4_000
    env = make_vec(subject.entry.name, n, **(subject.keywords | dict(task.visible) | {"split": "test"}))
    oracle, *others = (float(play(env, name, subject.seed, n).mean()) for name in ("oracle", *WITHOUT_MEMORY))
    named = ", ".join(f"{name}={value}" for name, value in task.visible.items())
    gap = oracle - max(others)
    yield Check(f"twin ({named}): oracle - best without memory", f"<= {GAP:g}", f"{gap:.3f}", gap <= GAP)
