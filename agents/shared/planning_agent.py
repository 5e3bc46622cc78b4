"""Agents that act by plans alone, without a policy or a value.

A plan is followed until something else is observed than it predicted; then the agent plans anew. What it plans in, and what it
plans from, is up to the subclass.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unseen.agents.protocol import Agent, Belief, Dynamics, Imagined, Plan, Planner, Transition
from unseen.agents.shared import noise
from unseen.agents.shared.graph_agent import DISC_FIELDS, Arrays, Graph, finite_rows, imagined

DIFFERENT = 0.4  # of a place, in its unit: more than this was not predicted


class Situation(NamedTuple):
    """What an agent plans from, in n environments.

    Attributes:
        state: (n, ...) states for `Dynamics`.
        place: (n, k) see `Transition`.
        acts: (n,) bool, actions have an effect now.
        map: (n, k, 5) discs, as in `unseen.agents.shared.graph_agent`; None if it is not drawn.
    """

    state: np.ndarray
    place: np.ndarray
    acts: np.ndarray
    map: np.ndarray | None = None


class PlanningState(NamedTuple):
    """Memory of a `PlanningAgent`.

    Attributes:
        episodes: the current episode of each row.
        now: the latest situation.
        plans: the plan of each row; None without one.
        taken: (n,) number of actions of the plan that were taken.
        searches: (n,) plans made in the current episode.
        surprised, followed: (n,) steps of plans in the current episode that went otherwise than predicted, and all.
    """

    episodes: noise.Episodes
    now: Situation
    plans: tuple[Plan | None, ...]
    taken: np.ndarray
    searches: np.ndarray
    surprised: np.ndarray
    followed: np.ndarray


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


class PlanningAgent(Agent):
    """Acts by plans. Subclasses set `dynamics` and define `situation` and `no_situation`."""

    dynamics: Dynamics

    def __init__(self, search: Search) -> None:
        self.search = search
        self._seed = 0

    @abstractmethod
    def no_situation(self, n: int) -> Situation:
        """The situation before the first observation."""

    @abstractmethod
    def situation(self, obs: np.ndarray, before: Situation, first: np.ndarray) -> Situation:
        """The situation after observing `obs` (n, ...). first: (n,) as in `Agent.act`."""

    def surprises(self, state: PlanningState, actions: np.ndarray, obs: np.ndarray) -> np.ndarray | None:
        """Whether `obs` (n, ...), observed after actions (n,) instead of those chosen, is otherwise than the model predicts.

        Returns (n,) bool; None where places tell nothing.
        """
        predicted = self.dynamics.step(state.now.state, actions).place
        found = self.situation(obs, state.now, np.zeros(len(obs), bool)).place
        return np.abs(predicted - found).max(-1) > DIFFERENT if found.shape[1] else None

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> PlanningState:
        n = len(seeds)
        zeros = np.zeros(n, np.int64)
        return PlanningState(
            noise.start(self._seed, seeds), self.no_situation(n), (None,) * n, zeros, zeros, zeros, zeros
        )

    def act(
        self, obs: np.ndarray, state: PlanningState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, PlanningState]:
        """See `Agent`; exploring makes no difference."""
        opens = np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        now = self.situation(obs, state.now, opens)
        plans = [None if begins else plan for plan, begins in zip(state.plans, opens, strict=True)]
        taken, searches, surprised, followed = (
            np.where(opens, 0, count) for count in (state.taken, state.searches, state.surprised, state.followed)
        )
        for row, plan in enumerate(plans):
            if plan is None:
                continue
            followed[row] += 1
            different = bool(np.abs(plan.places[taken[row] - 1] - now.place[row]).max() > DIFFERENT)
            surprised[row] += different
            if different or taken[row] == len(plan.actions):
                plans[row] = None
        drawn, search = noise.uniform(episodes, noise.ACTION, 2), self.search
        actions = (drawn[:, 0] * self.dynamics.actions).astype(np.int64)
        wanted = [row for row in np.flatnonzero(now.acts & (searches < search.plans)).tolist() if plans[row] is None]
        if wanted and search.imagined:
            made = search.planner.plan(self.dynamics, now.state[wanted], search.imagined, drawn[wanted, 1])
            for row, plan in zip(wanted, made, strict=True):
                plans[row], taken[row] = plan, 0
            searches[wanted] += 1
        for row, plan in enumerate(plans):
            if plan is not None:
                actions[row] = plan.actions[taken[row]]
                taken[row] += 1
        return actions, PlanningState(noise.advance(episodes), now, tuple(plans), taken, searches, surprised, followed)


class GraphDynamics(Dynamics):
    """The step of a model that is a graph: see `GraphPlanningAgent`."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.actions = graph, graph.width("action")
        self._one_hot = np.eye(self.actions, dtype=np.float32)

    def outputs(self, states: np.ndarray, actions: np.ndarray) -> Arrays:
        """All outputs of the graph for states (m, s) and actions (m,)."""
        return self.graph(state=states, action=self._one_hot[actions])

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        out = self.outputs(states, actions)
        return Transition(
            out["new_state"], out["reward"], 1 - out["continue"], out["log_prob"], out["novelty"], out["place"]
        )


class GraphPlanningAgent(PlanningAgent):
    """Plans in a model given by two graphs, in the terms of `unseen.agents.shared.graph_agent`.

    Args:
        name, obs, action: see `Agent`.
        memory: obs, state and first -> new_state, from which plans start; place (n, k); acts (n,), above .5 where actions have an
            effect; map.
        step: state and action (n, a), one-hot -> new_state, reward, continue, log_prob, novelty (n,), place (n, k), map, pose.
        search: how it plans.
        scale: metres per unit of an observed position.
    """

    dynamics: GraphDynamics

    def __init__(
        self, name: str, memory: Graph, step: Graph, search: Search, obs: str, action: str, scale: float
    ) -> None:
        super().__init__(search)
        self.name, self.obs, self.action, self.scale = name, obs, action, scale
        self.memory, self.dynamics = memory, GraphDynamics(step)

    def no_situation(self, n: int) -> Situation:
        none = np.zeros((n, 0), np.float32)
        return Situation(np.zeros((n, self.memory.width("state")), np.float32), none, np.zeros(n, bool))

    def situation(self, obs: np.ndarray, before: Situation, first: np.ndarray) -> Situation:
        """See `PlanningAgent`. Raises BadObservation."""
        rows = finite_rows(obs, self.memory.width("obs"), self.name)
        out = self.memory(obs=rows, state=before.state, first=first.astype(np.float32)[:, None])
        discs = out["map"].reshape(len(rows), -1, DISC_FIELDS)
        return Situation(out["new_state"], out["place"], out["acts"] > 0.5, discs)

    def belief(self, state: PlanningState) -> Belief | None:
        discs = state.now.map
        if discs is None:
            return None
        n = len(discs)
        return Belief(discs[..., 0], discs[..., 1:3] * self.scale, np.zeros((n, 0)), np.zeros((n, 0, 2)), by_slot=True)

    def latent(self, state: PlanningState) -> np.ndarray | None:
        return state.now.state

    def imagine(self, state: PlanningState, horizon: int = 15, actions: np.ndarray | None = None) -> Imagined | None:
        """By default the plan that is being followed, as the model predicts it; after its end, and without one, `cont` is 0."""
        latent = state.now.state
        action, left = _ahead(state, horizon) if actions is None else (actions, np.full(len(latent), horizon))
        steps: list[Arrays] = []
        for t in range(horizon):
            out = self.dynamics.outputs(latent, action[:, t])
            steps.append(out | {"continue": out["continue"] * (t < left), "taken": action[:, t]})
            latent = out["new_state"]
        return imagined(steps, self.scale)


def _ahead(state: PlanningState, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """The next actions of the plans (n, horizon), from the one just chosen, and their number (n,)."""
    n = len(state.plans)
    actions, left = np.zeros((n, horizon), np.int64), np.zeros(n, np.int64)
    for row, plan in enumerate(state.plans):
        if plan is not None:
            ahead = plan.actions[state.taken[row] - 1 :][:horizon]
            left[row], actions[row, : len(ahead)] = len(ahead), ahead
    return actions, left
