"""An agent that acts by plans alone, found in a model that is a computation graph. It has no policy and no value.

Two graphs, in the terms of `unseen.agents.shared.graph_agent`. The memory maps obs, state and first to new_state, from which
plans start; `place` (n, k), see `Transition`; `acts` (n,), above .5 where actions have an effect; and optionally map. The
model's step maps state and action to new_state, reward, continue, log_prob (n,), place (n, k), and optionally map and pose.

A plan is followed until the observation differs from what it predicted; then the agent plans anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unseen.agents.protocol import Dynamics, Imagined, Plan, Planner, Transition
from unseen.agents.shared import noise
from unseen.agents.shared.graph_agent import DISC_FIELDS, Arrays, Graph, GraphAgent

DIFFERENT = 0.4  # of a place, in its unit: more than this was not predicted


class GraphDynamics(Dynamics):
    """The step of a model that is a graph."""

    def __init__(self, graph: Graph, actions: int) -> None:
        self.graph, self.actions = graph, actions

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        out = self.graph(state=states, action=actions)
        return Transition(out["new_state"], out["reward"], 1 - out["continue"], out["log_prob"], out["place"])


class PlanningState(NamedTuple):
    """Memory of a `PlanningAgent`.

    Attributes:
        episodes: the current episode of each row.
        latent: (n, s) state of the memory.
        plans: the plan of each row; None without one.
        taken: (n,) number of actions of the plan that were taken.
        searches: (n,) plans made in the current episode.
        surprised, followed: (n,) steps of plans in the current episode that went otherwise than predicted, and all.
        map, places: as in `GraphState`.
    """

    episodes: noise.Episodes
    latent: np.ndarray
    plans: tuple[Plan | None, ...]
    taken: np.ndarray
    searches: np.ndarray
    surprised: np.ndarray
    followed: np.ndarray
    map: np.ndarray | None = None
    places: np.ndarray | None = None


@dataclass(frozen=True)
class Search:
    """How an agent plans.

    Attributes:
        planner: finds the plans.
        imagined: maximum number of imagined steps for a plan; with 0, actions are random.
        plans: maximum number of plans in an episode; then actions are random.
    """

    planner: Planner
    imagined: int
    plans: int


class PlanningAgent(GraphAgent):
    """Acts by plans.

    Args:
        name, obs, action, scale: see `GraphAgent`.
        memory: graph of the memory.
        step: graph of the model's step.
        actions: number of actions.
        search: how it plans.
    """

    def __init__(
        self, name: str, memory: Graph, step: Graph, actions: int, search: Search, obs: str, action: str, scale: float
    ) -> None:
        super().__init__(name, memory, step, obs, action, scale)
        self.dynamics, self.search = GraphDynamics(step, actions), search

    def initial_state(self, seeds: np.ndarray) -> PlanningState:  # type: ignore[override]
        n = len(seeds)
        zeros = np.zeros(n, np.int64)
        latent = np.zeros((n, self._act.width("state")), np.float32)
        return PlanningState(noise.start(self._seed, seeds), latent, (None,) * n, zeros, zeros, zeros, zeros)

    def act(  # type: ignore[override]
        self, obs: np.ndarray, state: PlanningState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, PlanningState]:
        """See `Agent`; exploring makes no difference. Raises BadObservation as `GraphAgent`."""
        rows, opens = self._rows(obs), np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        out = self._act(obs=rows, state=state.latent, first=opens.astype(np.float32)[:, None])
        plans = [None if begins else plan for plan, begins in zip(state.plans, opens, strict=True)]
        taken, searches, surprised, followed = (
            np.where(opens, 0, count) for count in (state.taken, state.searches, state.surprised, state.followed)
        )
        for row, plan in enumerate(plans):
            if plan is None:
                continue
            followed[row] += 1
            if np.abs(plan.places[taken[row] - 1] - out["place"][row]).max() > DIFFERENT:
                surprised[row] += 1
                plans[row] = None
            elif taken[row] == len(plan.actions):
                plans[row] = None
        acts = out["acts"] > 0.5
        drawn = noise.uniform(episodes, noise.ACTION, 2)
        actions = np.minimum(drawn[:, 0] * self.dynamics.actions, self.dynamics.actions - 1).astype(np.int64)
        want = [row for row in np.flatnonzero(acts & (searches < self.search.plans)) if plans[row] is None]
        if want and self.search.imagined:
            made = self.search.planner.plan(
                self.dynamics, out["new_state"][want], self.search.imagined, drawn[want, 1].astype(np.float64)
            )
            for row, plan in zip(want, made, strict=True):
                plans[row], taken[row] = plan, 0
            searches[want] += 1
        for row, plan in enumerate(plans):
            if plan is not None:
                actions[row] = plan.actions[taken[row]]
                taken[row] += 1
        counts = taken, searches, surprised, followed
        drawn_map = out["map"].reshape(len(rows), -1, DISC_FIELDS) if "map" in out else None
        new_state = PlanningState(noise.advance(episodes), out["new_state"], tuple(plans), *counts, drawn_map)
        return actions, new_state

    def imagine(self, state: PlanningState, horizon: int = 15) -> Imagined | None:  # type: ignore[override]
        """The plan that is being followed, as the model predicts it; after its end, and without one, `cont` is 0."""
        n = len(state.latent)
        latent, action = state.latent, np.zeros((n, horizon), np.int64)
        left = np.zeros(n, np.int64)
        for row, plan in enumerate(state.plans):
            if plan is not None:
                ahead = plan.actions[state.taken[row] - 1 :][:horizon]
                left[row] = len(ahead)
                action[row, : len(ahead)] = ahead
        steps: list[Arrays] = []
        for t in range(horizon):
            out = self.dynamics.graph(state=latent, action=action[:, t])
            steps.append(out | {"continue": out["continue"] * (t < left)})
            latent = out["new_state"]

        def over_time(name: str) -> np.ndarray:
            return np.stack([step[name] for step in steps], axis=1)

        pose = over_time("pose") if "pose" in steps[0] else np.zeros((n, horizon, 0), np.float32)
        pose[..., :2] *= self.scale
        drawn = over_time("map") if "map" in steps[0] else np.zeros((n, horizon, 0), np.float32)
        xy = drawn.reshape(n, horizon, -1, DISC_FIELDS)[..., 1:3] * self.scale
        return Imagined(xy, pose, over_time("reward"), over_time("continue"), action)
