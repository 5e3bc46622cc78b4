"""Statistics of the runs of agents in environments: medians, intervals, amounts of training to a threshold, and rankings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unseen.train.benchmark.cells import AgentEntry, EnvEntry, Spec
from unseen.train.benchmark.results import CURVE, FINISHED, Result
from unseen.train.leaderboard.statistics import (
    RANKING_RUNS,
    Interval,
    Scores,
    bootstrap,
    iqm,
    normalise,
    probability_of_improvement,
)

WORST = -1e9  # in comparisons: value of a run that never reached the threshold; a failed run counts as 2 * WORST


@dataclass(frozen=True)
class Group:
    """The runs of one agent in one environment."""

    agent: AgentEntry
    env: EnvEntry
    planned: int
    finished: tuple[Result, ...]
    failed: tuple[Result, ...]

    @property
    def unfinished(self) -> int:
        return self.planned - len(self.finished) - len(self.failed)

    def scores(self, policy: str) -> list[float]:
        """Final scores of the finished runs; empty for "sampled" of a scripted agent."""
        return [one.measured(found) for one in self.finished if (found := getattr(one, policy)) is not None]

    def headline(self) -> list[float]:
        """Final scores of the finished runs, with the policy that `AgentEntry.policy` selects."""
        return [one.measured(found) for one in self.finished if (found := one.score(self.agent.policy))]

    def asked(self, point: int) -> list[float]:
        """Scores of the finished runs at a point of their curve; the final score of a scripted agent."""
        if not self.agent.trains:
            return self.headline()
        column = CURVE.index(self.agent.policy)
        return [one.curve[point][column] for one in self.finished]

    def by_imagined(self, steps: int) -> list[float]:
        """Scores of the finished runs with at most `steps` imagined steps per plan; empty for an agent that does not plan."""
        return [score for one in self.finished for count, score in one.imagined if count == steps]

    def normalised(self) -> list[float]:
        """Final mean returns with random = 0 and oracle = 1; empty without anchors."""
        return [
            float(normalise(found.episode_return, *one.anchors))
            for one in self.finished
            if one.anchors and (found := one.score(self.agent.policy))
        ]

    def times(self, axis: str, threshold: float) -> list[float]:
        """Where each finished run first reached the threshold, on an axis of CURVE; infinite if never. Omits runs that do not count it."""
        return [
            found for one in self.finished if (found := reached(one, self.agent.policy, axis, threshold)) is not None
        ]


def groups(spec: Spec, results: Mapping[str, Result]) -> list[Group]:
    """One group for each environment and agent that plays it, in the order of the spec."""
    found = []
    for env in spec.envs:
        for agent in (agent for agent in spec.agents if agent.plays(env)):
            cells = [cell for cell in spec.cells if cell.agent is agent and cell.env is env]
            own = [results[cell.id] for cell in cells if cell.id in results]
            finished = tuple(one for one in own if one.status == FINISHED)
            found.append(Group(agent, env, len(cells), finished, tuple(one for one in own if one.status != FINISHED)))
    return found


def begun(spec: Spec, every: Sequence[Group]) -> tuple[list[AgentEntry], list[EnvEntry]]:
    """Agents and environments with a finished or failed run, for tables and figures; all if there is none yet."""
    done = [group for group in every if group.finished or group.failed] or every
    agents = [agent for agent in spec.agents if any(group.agent is agent for group in done)]
    return agents, [env for env in spec.envs if any(group.env is env for group in done)]


def reached(result: Result, policy: str, axis: str, threshold: float) -> float | None:
    """Where the learning curve first reaches the threshold; infinite if never, None if the axis was not counted."""
    x, y = CURVE.index(axis), CURVE.index(policy)
    if not result.curve or result.curve[-1][x] is None:
        return None
    return next((float(point[x]) for point in result.curve if point[y] >= threshold), math.inf)


def median(values: Sequence[float]) -> Interval | None:
    """Median over runs and its 95 % bootstrap interval; None without runs."""
    return bootstrap([values], _median) if values else None


def _median(scores: Scores) -> Scores:
    return np.median(scores, axis=-1)


def overall(own: Sequence[Group]) -> Interval | None:
    """Interquartile mean of an agent's normalised scores over environments; None if some have no run, or no anchors."""
    strata = [group.normalised() for group in own]
    return bootstrap(strata, iqm) if strata and all(strata) else None


@dataclass(frozen=True)
class Claim:
    """A run of `a` is better than a run of `b` with this probability."""

    a: str
    b: str
    probability: Interval


def claims(own: Sequence[Group], value: Callable[[Group], list[float]]) -> list[Claim]:
    """Pairs of agents of which one is better: at least RANKING_RUNS finished runs of each, and an interval above one half.

    Args:
        own: groups of one environment.
        value: what is compared, for each finished run; higher is better. A failed run counts as worse than any finished one.
    """
    ranked = {g.agent.label: value(g) + [2 * WORST] * len(g.failed) for g in own if len(g.finished) >= RANKING_RUNS}
    found = []
    for a, x in ranked.items():
        for b, y in ranked.items():
            if a != b and x and y:
                probability = probability_of_improvement([x], [y])
                if probability.low > 0.5:
                    found.append(Claim(a, b, probability))
    return found


def soonness(axis: str, threshold: float) -> Callable[[Group], list[float]]:
    """For `claims`: minus the amount of training to the threshold, on an axis of CURVE."""
    return lambda group: [max(-time, WORST) for time in group.times(axis, threshold)]
