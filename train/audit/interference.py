"""Does anything that an agent receives depend on the hidden truth? Only the truth is changed, and all outputs are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from unseen.envs.core.batch import ALL
from unseen.envs.core.hidden import REWARDS
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.suite import make_vec
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject
from unseen.train.rollout import random_actions

SPLITS = ("train", "shift")
PICTURES = 3  # environments whose pictures are compared, too; few, since drawing is slow
PICTURE_EVERY = 4  # steps between compared pictures; those right after a change are compared, too


@dataclass
class Comparison:
    """Results of comparing pairs of episodes that differ only in the hidden truth."""

    episodes: int = 0
    """number of episodes in which the truth was changed"""
    observations: int = 0
    """number of compared observations, the one right after the change included"""
    pictures: int = 0
    steps: int = 0
    """number of steps whose reward and end were compared"""
    shown: list[str] = field(default_factory=list)
    """differences of observations and pictures"""
    paid: list[str] = field(default_factory=list)
    """differences of rewards and ends"""


def interference(subject: Subject) -> Iterator[Check]:
    """Two rows: pairs of environments in the same state, except for the hidden truth, are compared under the same actions.
    A row fails, too, if nothing was compared."""
    hidden = subject.task.hidden
    if hidden is None or hidden.change is None or subject.level == 0:
        return
    n = 48 if subject.quick else 256
    total = Comparison()
    for split in SPLITS:
        compare(subject, split, n, total)
    wanted = n * len(SPLITS) // 4
    fault = total.shown[0] if total.shown else ""
    if not fault and total.episodes < wanted:
        fault = f"the truth could be changed in {total.episodes} episodes, fewer than {wanted}"
    if not fault and not total.pictures:
        fault = "no picture was compared"
    found = f"equal in {total.episodes} episodes, {total.observations} observations, {total.pictures} pictures"
    yield Check("nothing shown depends on what is hidden", "all outputs equal", fault or found, not fault)
    yield _rewards(total, hidden.unjudged.get(REWARDS))


def _rewards(total: Comparison, excuse: str | None) -> Check:
    if total.paid:
        return Check(REWARDS, "all equal", total.paid[0], False)
    if total.steps:
        return Check(REWARDS, "all equal", f"equal in {total.steps} steps", True)
    fault = "no step was compared"
    return Check(REWARDS, "all equal", f"{fault}: {excuse}" if excuse else fault, None if excuse else False)


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
            new = other.batch.change_hidden(new)
            changed |= new
            where = f"at step {step}, split {split}"
            _compare_observations(one.observe(), other.observe(), new, where, total)
            _compare_pictures(one, other, new, where, total)
        results = [env.step(actions) for env in (one, other)]
        ends = [terminated | truncated for _, _, terminated, truncated, _ in results]
        open_ &= ~(one.batch.found() | other.batch.found())
        where = f"after step {step}, split {split}"
        _compare_rewards(results[0][1:4], results[1][1:4], changed & open_, where, total)
        open_ &= ~(ends[0] | ends[1])
        followed = changed & open_
        _compare_observations(results[0][0], results[1][0], followed, where, total)
        if step % PICTURE_EVERY == 0:
            _compare_pictures(one, other, followed, where, total)
        if not open_.any() or total.shown or total.paid:
            break
    total.episodes += int(changed.sum())


def _differing(name: str, one: np.ndarray, other: np.ndarray, rows: np.ndarray, where: str) -> list[str]:
    """What differs between arrays (n, ...) in the marked `rows` (n,) bool, in words; empty if they are equal."""
    differ = rows & (one != other).reshape(len(rows), -1).any(1)
    return [f"{name} differs in {differ.sum()} of {rows.sum()} environments {where}"] if differ.any() else []


def _compare_observations(
    one: dict[str, np.ndarray], other: dict[str, np.ndarray], rows: np.ndarray, where: str, total: Comparison
) -> None:
    total.observations += int(rows.sum())
    for name in one:
        total.shown += _differing(f"obs={name!r}", one[name], other[name], rows, where)


def _compare_rewards(
    one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...], rows: np.ndarray, where: str, total: Comparison
) -> None:
    """Compare (reward, terminated, truncated)."""
    total.steps += int(rows.sum())
    for name, a, b in zip(("reward", "terminated", "truncated"), one, other, strict=True):
        total.paid += _differing(name, a, b, rows, where)


def _compare_pictures(
    one: TaskVectorEnv, other: TaskVectorEnv, rows: np.ndarray, where: str, total: Comparison
) -> None:
    for i in np.flatnonzero(rows)[:PICTURES]:
        total.pictures += 1
        pictures = [env.alone(i).render() for env in (one, other)]
        if not np.array_equal(*pictures):  # type: ignore[arg-type]
            total.shown.append(f"render() differs {where}")
            return
