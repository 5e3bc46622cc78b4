"""Checks of the reference policies: gates, chance level without memory, frozen anchors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unseen.envs.core.task import Task
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

CONVENTIONAL = ("oracle", "tracker", "reflex")
ANCHOR_EPISODES = 20_000  # episodes from which the anchors were measured
SHIFT_GATE = 0.9  # upper limit on gates in the split "shift", whose ranges may make a level a little harder
TWIN = 0.05  # fraction of the scale by which reflex may score below oracle on the visible twin
# By how much the oracle beats the best reactive player in an industry environment: at most where all is visible, at least at
# the hard level.
VISIBLE, MOST = 0, 0.05
HARD, LEAST = 3, 0.2


def references(subject: Subject) -> Iterator[Check]:
    """All checks of the scripted policies' returns."""
    task, n = subject.task, 1_000 if subject.quick else 4_000
    env, shift = (subject.make_vec(n, split=split) for split in ("test", "shift"))
    named = {*CONVENTIONAL, *task.score.gates} & {*task.references}
    if reacts := subject.entry.group == "industry" and subject.level in (VISIBLE, HARD):
        named |= {*task.reactive}
    returns = {name: play(env, name, subject.seed, n) for name in ("random", *sorted(named))}
    mean = {name: float(found.mean()) for name, found in returns.items()}
    for name, gate in task.score.gates.items():
        if name in mean:
            yield Check(name, f">= {gate:g}", f"{mean[name]:.3f}", mean[name] >= gate)
            shifted = float(play(shift, name, subject.seed, n).mean())
            least = min(gate, SHIFT_GATE)
            yield Check(f"{name}, shift", f">= {least:g}", f"{shifted:.3f}", shifted >= least)
    yield _within(task, returns)
    if "reflex" in mean and "oracle" in mean:
        yield _reflex(subject, mean, _margin(task, returns["reflex"]))
    if reacts:
        yield _reactive(subject, mean)
    yield from _anchors(subject, returns)


def _within(task: type[Task], returns: dict[str, np.ndarray]) -> Check:
    """All returns lie within the bounds of the score."""
    low, high = task.score.low, task.score.high
    least, most = (float(f([f(found) for found in returns.values()])) for f in (min, max))
    good = (low is None or least >= low - 1e-9) and (high is None or most <= high + 1e-9)
    bounds = f"{'-inf' if low is None else f'{low:g}'} .. {'inf' if high is None else f'{high:g}'}"
    return Check("returns lie within the score's bounds", bounds, f"{least:.3g} .. {most:.3g}", good)


def _scale(task: type[Task], mean: dict[str, float]) -> tuple[float, float]:
    """The score range: its bounds or, if unbounded, the mean returns of random and oracle."""
    if task.score.low is not None and task.score.high is not None:
        return task.score.low, task.score.high
    return mean["random"], mean["oracle"]


def _margin(task: type[Task], returns: np.ndarray) -> float:
    """Four standard errors of a mean return, for the largest variance that the bounds allow. Without bounds, from the
    measured variance, with the standard error of the anchor added."""
    low, high = task.score.low, task.score.high
    if low is not None and high is not None:
        return float(4 * 0.5 * (high - low) / len(returns) ** 0.5)
    return float(4 * returns.std() * (1 / len(returns) ** 0.5 + 1 / ANCHOR_EPISODES**0.5))


def _reflex(subject: Subject, mean: dict[str, float], margin: float) -> Check:
    """The memoryless policy matches the oracle on the visible twin, and fails on other levels."""
    task, level, reflex = subject.task, subject.level, f"{mean['reflex']:.3f}"
    low, high = _scale(task, mean)
    if level == 0:
        gap, most = mean["oracle"] - mean["reflex"], TWIN * (high - low)
        return Check("visible twin: oracle - reflex", f"<= {most:.3g}", f"{gap:.3f}", gap <= most)
    if task.hidden is None:
        half = 0.5 * (low + high)
        good = mean["reflex"] <= half if isinstance(level, int) and level >= 2 else None
        return Check("planning gap: reflex (greedy)", f"<= {half:.3g}", reflex, good)
    if not task.hidden.is_class and not task.declares_chance():
        return Check("reflex (memoryless)", "the task defines no chance", reflex, None)
    chance = task.chance(subject.params)
    good = mean["reflex"] <= chance + margin
    return Check("reflex (memoryless)", f"<= chance {chance:.3f} + {margin:.3f}", reflex, good)


def _reactive(subject: Subject, mean: dict[str, float]) -> Check:
    """Players that only react match the oracle where all is visible, and fall far behind it at the hard level."""
    scores = {name: mean[name] for name in subject.task.reactive}
    best = max(scores, key=lambda name: scores[name])
    gap = mean["oracle"] - scores[best]
    others = "".join(f", {name} {score:.3f}" for name, score in scores.items() if name != best)
    want, good = (f"<= {MOST:g}", gap <= MOST) if subject.level == VISIBLE else (f">= {LEAST:g}", gap >= LEAST)
    return Check("oracle - best reactive player", want, f"{gap:.3f}: {best} {scores[best]:.3f}{others}", good)


def _anchors(subject: Subject, returns: dict[str, np.ndarray]) -> Iterator[Check]:
    """The frozen anchors match the measured mean returns."""
    level = subject.level
    anchor = subject.entry.anchors.get(level) if isinstance(level, int) and not subject.env_config.overrides else None
    if anchor is None:
        for name in ("random", "oracle"):
            if name in returns:
                yield Check(name, "no anchor", f"{returns[name].mean():.3f}", None)
        return
    for name, frozen in (("random", anchor.random), ("oracle", anchor.oracle)):
        margin = _margin(subject.task, returns[name])
        found = float(returns[name].mean())
        good = abs(found - frozen) <= margin
        yield Check(f"frozen anchor of {name}", f"{frozen:.3f} +- {margin:.3f}", f"{found:.3f}", good)
