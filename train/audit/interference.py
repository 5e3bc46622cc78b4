"""Does anything that an agent receives depend on the hidden truth? Only the truth is changed, and all outputs are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from unseen.envs.core.batch import ALL
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.suite import make_vec
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject
from unseen.train.rollout import random_actions

SPLITS = ("train", "shift")
PICTURES = 3  # environments whose pictures are compared, too; few, since drawing is slow
PICTURE_EVERY = 4  # steps between compared pictures


@dataclass
class Comparison:
    """Results of comparing pairs of episodes that differ only in the hidden truth."""

    episodes: int = 0
    """number of episodes in which the truth was changed"""
    steps: int = 0
    """number of compared steps, over all episodes"""
    pictures: int = 0
    faults: list[str] = field(default_factory=list)


def interference(subject: Subject) -> Iterator[Check]:
    """One row: pairs of environments in the same state, except for the hidden truth, are compared under the same actions."""
    hidden = subject.task.hidden
    if hidden is None or hidden.change is None or subject.level == 0:
        return
    n = 48 if subject.quick else 256
    total = Comparison()
    for split in SPLITS:
        compare(subject, split, n, total)
    wanted = n * len(SPLITS) // 4
    fault = total.faults[0] if total.faults else ""
    if not fault and total.episodes < wanted:
        fault = f"the truth could be changed in {total.episodes} episodes, fewer than {wanted}"
    found = f"equal in {total.episodes} episodes, {total.steps} steps, {total.pictures} pictures"
    yield Check("nothing shown depends on what is hidden", "all outputs equal", fault or found, not fault)


def compare(subject: Subject, split: str, n: int, total: Comparison) -> None:
    """Compare n pairs of episodes, and add the results to `total`. A pair is followed until it ends or the truth has been found."""
    keywords = subject.keywords | {"obs": ALL, "split": split, "render_mode": "rgb_array"}
    one, other = (make_vec(subject.entry.name, n, **keywords) for _ in range(2))
    for env in (one, other):
        env.reset(seed=77)
    changed, open_ = np.zeros(n, bool), np.ones(n, bool)
    plan = random_actions(one.single_action_space, one.horizon, n)
    for step, actions in enumerate(plan):
        new = one.batch.must_hide() & ~changed & open_
        if new.any():
            changed |= other.batch.change_hidden(new)
            _compare(one.observe(), other.observe(), changed & open_, f"at step {step}, split {split}", total)
        results = [env.step(actions) for env in (one, other)]
        ends = [terminated | truncated for _, _, terminated, truncated, _ in results]
        open_ &= ~(one.batch.found() | other.batch.found())
        followed = changed & open_
        where = f"after step {step}, split {split}"
        _compare(results[0][1:4], results[1][1:4], followed, where, total)
        open_ &= ~(ends[0] | ends[1])
        followed = changed & open_
        _compare(results[0][0], results[1][0], followed, where, total)
        total.steps += int(followed.sum())
        if step % PICTURE_EVERY == 0:
            _compare_pictures(one, other, followed, where, total)
        if not open_.any() or total.faults:
            break
    total.episodes += int(changed.sum())


def _compare(one: object, other: object, rows: np.ndarray, where: str, total: Comparison) -> None:
    """Compare arrays (n, ...) in the marked `rows` (n,) bool: dicts of observations, or (reward, terminated, truncated)."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(f"obs={name!r}", one[name], other[name]) for name in one]
    else:
        names = ("reward", "terminated", "truncated")
        pairs = list(zip(names, one, other, strict=True))  # type: ignore[call-overload]
    for name, a, b in pairs:
        differ = rows & (a != b).reshape(len(rows), -1).any(1)
        if differ.any():
            total.faults.append(f"{name} differs in {differ.sum()} of {rows.sum()} environments {where}")


def _compare_pictures(
    one: TaskVectorEnv, other: TaskVectorEnv, rows: np.ndarray, where: str, total: Comparison
) -> None:
    for i in np.flatnonzero(rows)[:PICTURES]:
        total.pictures += 1
        pictures = [env.alone(i).render() for env in (one, other)]
        if not np.array_equal(*pictures):  # type: ignore[arg-type]
            total.faults.append(f"render() differs {where}")
            return
