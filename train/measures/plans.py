"""Do plans work as the model predicts?

*Surprise*: how often the outcome of a planned step differs from the prediction. A search exploits the errors of a model as readily as it
finds rewards, so the control is how often the outcome of random actions in the same states does.

*Calibration*: a plan claims a probability of success; how often was it rewarded before it ended?
"""

from __future__ import annotations

import numpy as np

from unseen.agents.protocol import Plan
from unseen.agents.shared.planning_agent import PlanningAgent
from unseen.train.measures.played import Played
from unseen.train.measures.tables import Row, Table, absent

SURPRISE, CALIBRATION = "Surprise", "Calibration of plans"
PLANNED, RANDOM = "planned steps", "random actions, same states"
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
ALL, BRIER, BASE = "all plans", "Brier score", "Brier score of the base rate"
REWARDED = 0.5  # a reward above this counts as success


def surprise_table(played: Played, seed: int = 0) -> Table:
    """How often the outcomes of planned steps, and of random actions, differ from the prediction, over recorded episodes."""
    agent = played.agent
    if not isinstance(agent, PlanningAgent):
        return absent(SURPRISE, f"{agent.name} makes no plans")
    rng, env = np.random.default_rng(seed), played.env
    found: dict[str, list[np.ndarray]] = {PLANNED: [], RANDOM: []}
    for t in range(len(played.obs) - 1):
        follows = played.live[t] & played.live[t + 1] & np.array([plan is not None for plan in played.states[t].plans])
        if not follows.any():
            continue
        env.world[:] = played.world[t + 1]  # a planner may look at the state of its environment
        planned = agent.surprises(played.states[t], played.actions[t], played.obs[t + 1])
        actions = _random(played, rng)
        env.world[:] = played.world[t]
        obs, _, terminated, truncated, _ = env.step(actions)
        other = agent.surprises(played.states[t], actions, obs)
        if planned is None or other is None:
            return absent(SURPRISE, f"{agent.name} cannot tell states apart")
        found[PLANNED].append(planned[follows])
        found[RANDOM].append(other[follows & ~(terminated | truncated)])
    if not found[PLANNED]:
        return absent(SURPRISE, "no plan was followed")
    rows = [Row(name, (sum(map(len, parts)), float(np.concatenate(parts).mean()))) for name, parts in found.items()]
    return Table(SURPRISE, "share of steps that went otherwise than predicted", ("steps", "surprised"), tuple(rows))


def _random(played: Played, rng: np.random.Generator) -> np.ndarray:
    space = played.env.single_action_space
    like = played.actions[0]
    if like.ndim == 1:
        return rng.integers(space.n, size=len(like))  # type: ignore[attr-defined]
    return rng.uniform(space.low, space.high, like.shape).astype(like.dtype)  # type: ignore[attr-defined]


def calibration_table(played: Played) -> Table:
    """Claimed probability of success against frequency of success, over the plans in recorded episodes."""
    agent = played.agent
    if not isinstance(agent, PlanningAgent):
        return absent(CALIBRATION, f"{agent.name} makes no plans")
    claimed, worked = claims(played)
    if not len(claimed):
        return absent(CALIBRATION, "no plan claims a probability of success")
    rows = []
    for low, high in zip(BINS, BINS[1:], strict=False):
        here = (claimed >= low) & ((claimed < high) | (high == BINS[-1]))
        if here.any():
            rows.append(_row(f"claims {low:g} to {high:g}", claimed[here], worked[here]))
    rows.append(_row(ALL, claimed, worked))
    base = np.full(len(worked), worked.mean())
    rows += [Row(name, (None, None, float(((p - worked) ** 2).mean()))) for name, p in ((BRIER, claimed), (BASE, base))]
    note = "mean claim against frequency of success; the Brier score is 0 at best"
    return Table(CALIBRATION, note, ("plans", "claimed", "worked"), tuple(rows))


def _row(name: str, claimed: np.ndarray, worked: np.ndarray) -> Row:
    return Row(name, (len(claimed), float(claimed.mean()), float(worked.mean())))


def claims(played: Played) -> tuple[np.ndarray, np.ndarray]:
    """For each plan that claims a probability of success: that claim, and whether it was rewarded while followed, (m,) each."""
    claimed: list[float] = []
    worked: list[bool] = []
    for row in range(played.n):
        current: Plan | None = None
        for t in np.flatnonzero(played.live[:, row]):
            plan = played.states[t].plans[row]
            if plan is not None and plan.success is not None:
                if plan is not current:
                    claimed.append(plan.success)
                    worked.append(False)
                worked[-1] |= bool(played.reward[t, row] > REWARDED)
            current = plan
    return np.array(claimed, float), np.array(worked, float)
