"""Agents that act by plans.

A plan is followed for a number of steps, or until an observation differs from the prediction; then the agent plans again. Without a plan
it acts by its policy or, without a policy, at random. Subclasses define the model for planning, and the state from which plans start.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from unseen.agents.protocol import Belief, Dynamics, Imagined, Plan, Planner, Transition
from unseen.agents.shared import noise, priors
from unseen.agents.shared.graph_agent import Arrays, Graph, after_end, believed, finite_rows, imagined
from unseen.agents.shared.priors import Space
from unseen.agents.shared.repeat import HoldingAgent

DIFFERENT = 0.4  # largest difference of a place, in its units, that counts as predicted
ALWAYS = 1_000_000  # maximum number of plans in an episode that is never reached
CANDIDATES = 8  # rejected plans that are drawn


class Situation(NamedTuple):
    """What an agent plans from, in n environments.

    Attributes:
        state: (n, ...) states for `Dynamics`.
        place: (n, k) see `Transition`.
        acts: (n,) bool, actions have an effect now.
        out: other outputs, to be drawn.
    """

    state: np.ndarray
    place: np.ndarray
    acts: np.ndarray
    out: Mapping[str, np.ndarray] = {}


class PlanningState(NamedTuple):
    """Memory of a `PlanningAgent`.

    Attributes:
        episodes: the current episode of each row.
        now: the latest situation.
        last: (n,) or (n, a) the previous action.
        plans: the plan of each row; None without one.
        starts: the state from which the latest plan of each row was made; None before the first.
        taken: (n,) number of actions of the plan taken so far.
        searches: (n,) number of plans made in the current episode.
        surprised, followed: (n,) number of steps of plans in the current episode that differed from the prediction, and of all.
    """

    episodes: noise.Episodes
    now: Situation
    last: np.ndarray
    plans: tuple[Plan | None, ...]
    starts: tuple[np.ndarray | None, ...]
    taken: np.ndarray
    searches: np.ndarray
    surprised: np.ndarray
    followed: np.ndarray


@dataclass(frozen=True)
class Search:
    """How an agent plans.

    Attributes:
        planner: finds the plans.
        imagined: maximum number of imagined steps for a plan; 0: no plans.
        plans: maximum number of plans in an episode.
        follow: number of steps after which it plans again, unless an observation differs from the prediction before.
    """

    planner: Planner
    imagined: int
    plans: int = ALWAYS
    follow: int = 1


class PlanningAgent(HoldingAgent):
    """Acts by plans. Subclasses set `dynamics` and define `situation`, `no_situation` and `glimpse`.

    Attributes:
        scale: metres per unit of a position in what `glimpse` returns.
        imagined: maximum number of imagined steps for a plan, instead of that in `search`; 0: no plans; None: that in `search`.
    """

    dynamics: Dynamics
    scale: float = 1.0
    imagined: int | None = None

    def __init__(self, search: Search) -> None:
        self.search = search
        self._seed = 0

    @abstractmethod
    def no_situation(self, n: int) -> Situation:
        """The situation before the first observation."""

    @abstractmethod
    def situation(
        self, obs: np.ndarray, before: Situation, last: np.ndarray, first: np.ndarray, episodes: noise.Episodes
    ) -> Situation:
        """The situation after observing `obs` (n, ...).

        Args:
            before: the previous situation.
            last: (n,) or (n, a) the previous actions.
            first: (n,) as in `Agent.act`.
            episodes: position of each row in its stream of random numbers.
        """

    def glimpse(self, states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, Arrays] | None:
        """Imagine a step from states (n, ...), for display.

        Returns the states after it, and its outputs as named in `unseen.agents.shared.graph_agent`; None for an agent that shows none.
        """
        return None

    def surprises(self, state: PlanningState, actions: np.ndarray, obs: np.ndarray) -> np.ndarray | None:
        """Whether `obs` (n, ...), observed after `actions` (n,) or (n, a), differs from what the model predicts.

        Returns (n,) bool; None if the model has no places by which to compare.
        """
        if not state.now.place.shape[1]:
            return None
        predicted = self.dynamics.step(state.now.state, actions).place
        found = self.situation(obs, state.now, actions, np.zeros(len(obs), bool), state.episodes).place
        return np.abs(predicted - found).max(-1) > DIFFERENT

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> PlanningState:
        n = len(seeds)
        now, zeros = self.no_situation(n), np.zeros(n, np.int64)
        last = no_action(self.dynamics.space, n)
        none = (None,) * n
        return PlanningState(noise.start(self._seed, seeds), now, last, none, none, zeros, zeros, zeros, zeros)

    def decide(
        self, obs: np.ndarray, state: PlanningState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, PlanningState]:
        """See `Agent`. `explore` has an effect only where the agent acts by its policy."""
        opens = np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        now = self.situation(obs, state.now, state.last, opens, episodes)
        plans = [None if begins else plan for plan, begins in zip(state.plans, opens, strict=True)]
        begun: list[np.ndarray | None] = [None] * len(plans)
        starts = list(state.starts)
        taken, searches, surprised, followed = (
            np.where(opens, 0, count) for count in (state.taken, state.searches, state.surprised, state.followed)
        )
        search, space = self.search, self.dynamics.space
        imagined = search.imagined if self.imagined is None else self.imagined
        for row, plan in enumerate(plans):
            if plan is None:
                continue
            followed[row] += 1
            predicted = plan.places[taken[row] - 1]
            different = bool(len(predicted)) and np.abs(predicted - now.place[row]).max() > DIFFERENT
            surprised[row] += different
            if different or taken[row] >= min(len(plan.actions), search.follow):
                begun[row], plans[row] = plan.actions[taken[row] :], None
        words = noise.words(episodes, noise.ACTION, 1 + priors.noise_width(space))
        uniform = noise.unit(np.delete(words, 1, axis=1))  # word 1 is the planner's
        actions = priors.choose(space, self.dynamics.prior(now.state), uniform, explore)
        wanted = [row for row in np.flatnonzero(now.acts & (searches < search.plans)).tolist() if plans[row] is None]
        if wanted and imagined:
            made = search.planner.plan(
                self.dynamics, now.state[wanted], imagined, words[wanted, 1], [begun[row] for row in wanted]
            )
            for row, plan in zip(wanted, made, strict=True):
                plans[row], starts[row], taken[row] = plan, now.state[row], 0
            searches[wanted] += 1
        for row, plan in enumerate(plans):
            if plan is not None:
                actions[row] = plan.actions[taken[row]]
                taken[row] += 1
        after, started = noise.advance(episodes), tuple(starts)
        return actions, PlanningState(after, now, actions, tuple(plans), started, taken, searches, surprised, followed)

    def imagine(self, state: PlanningState, horizon: int = 15, actions: np.ndarray | None = None) -> Imagined | None:
        """See `Agent`. By default, what the model predicts for the current plan, and for the plans that were rejected in its favour.

        `cont` is 0 after the end of a plan. Without a plan, the policy is rolled out; without a policy, `cont` is 0.
        """
        ahead = self.ahead(state.episodes, horizon)
        if actions is not None:
            return self._rolled_out(state.now.state, list(actions), ahead, policy=False)
        nothing = no_action(self.dynamics.space, 0)
        followed = [
            nothing if plan is None else plan.actions[taken - 1 :]
            for plan, taken in zip(state.plans, state.taken.tolist(), strict=True)
        ]
        main = self._rolled_out(state.now.state, followed, ahead, policy=True)
        return None if main is None else self._with_dropped(main, state)

    def _with_dropped(self, main: Imagined, state: PlanningState) -> Imagined:
        """`main` with the rejected plans, if there are any, rolled out from the states in which the plans were made."""
        nothing = no_action(self.dynamics.space, 0)
        made = [plan is not None and len(plan.dropped) > 0 for plan in state.plans]
        if not any(made):
            return main
        starts = np.stack(
            [now if start is None else start for now, start in zip(state.now.state, state.starts, strict=True)]
        )
        sequences = [
            plan.dropped[k] if plan is not None and k < len(plan.dropped) else nothing
            for plan in state.plans
            for k in range(CANDIDATES)
        ]
        assert main.ahead is not None
        ahead = np.repeat(main.ahead, CANDIDATES, axis=0)
        rolled = self._rolled_out(np.repeat(starts, CANDIDATES, axis=0), sequences, ahead, policy=False)
        assert rolled is not None
        shape = (len(starts), CANDIDATES, ahead.shape[1], -1)
        ways = np.where(after_end(rolled.cont)[..., None], np.nan, rolled.pose[..., :2]).reshape(shape)
        if main.obs is None or rolled.obs is None:
            return replace(main, dropped=ways)
        return replace(main, dropped=ways, obs=np.concatenate([main.obs, rolled.obs.reshape(shape)], axis=1))

    def _rolled_out(
        self, states: np.ndarray, sequences: list[np.ndarray], ahead: np.ndarray, policy: bool
    ) -> Imagined | None:
        """Roll out m states (m, ...) under `sequences` of actions; with `policy`, rows with an empty sequence follow the policy.

        ahead: (m, H) as in `Imagined`.
        """
        space, left = self.dynamics.space, np.array([len(actions) for actions in sequences])
        silent = np.zeros((len(states), priors.noise_width(space)))
        steps: list[Arrays] = []
        for t in range(ahead.shape[1]):
            prior = self.dynamics.prior(states)
            chosen = priors.choose(space, prior, silent, explore=False)
            for row in np.flatnonzero(t < left):
                chosen[row] = sequences[row][t]
            glimpse = self.glimpse(states, chosen)
            if glimpse is None:
                return None
            states, out = glimpse
            goes_on = (t < left) | ((left == 0) & policy & (prior is not None))
            steps.append(out | {"continue": out["continue"] * goes_on, "taken": chosen})
        return imagined(steps, self.scale, ahead)


def no_action(space: Space, *shape: int) -> np.ndarray:
    """Zeros with batch shape `shape`, in the shape and dtype of actions."""
    if isinstance(space, spaces.Discrete):
        return np.zeros(shape, np.int64)
    return np.zeros((*shape, *space.shape), np.float32)


class GraphDynamics(Dynamics):
    """One step of a model that is given as a graph, see `GraphPlanningAgent`. A state is a row of latent, prior and value."""

    def __init__(self, graph: Graph, space: Space) -> None:
        self.graph, self.space = graph, space
        self.size = graph.width("state")
        self.has_prior, self.has_value = "prior" in graph.outputs, "value" in graph.outputs

    def joined(self, out: Arrays) -> np.ndarray:
        """States (m, s): the outputs `new_state`, `prior` and `value` as rows."""
        prior = [out["prior"]] if self.has_prior else []
        value = [out["value"][:, None]] if self.has_value else []
        return np.concatenate([out["new_state"], *prior, *value], -1)

    def prior(self, states: np.ndarray) -> np.ndarray | None:
        return states[:, self.size : states.shape[1] - self.has_value] if self.has_prior else None

    def value(self, states: np.ndarray) -> np.ndarray:
        return states[:, -1] if self.has_value else np.zeros(len(states))

    def outputs(self, states: np.ndarray, actions: np.ndarray) -> Arrays:
        """All outputs of the graph for states (m, s) and actions of the space, (m,) or (m, a)."""
        if isinstance(self.space, spaces.Discrete):
            actions = np.eye(int(self.space.n), dtype=np.float32)[actions]
        return self.graph(state=np.ascontiguousarray(states[:, : self.size]), action=actions)

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        out, nothing = self.outputs(states, actions), np.zeros(len(states))
        log_prob, novelty = out.get("log_prob", nothing), out.get("novelty", nothing)
        acts = out["acts"] > 0.5 if "acts" in out else None
        return Transition(self.joined(out), out["reward"], 1 - out["continue"], log_prob, novelty, _place(out), acts)


class GraphPlanningAgent(PlanningAgent):
    """Plans in a model given as two graphs, with inputs and outputs as in `unseen.agents.shared.graph_agent`.

    Args:
        name, obs, action: see `Agent`.
        memory: a policy graph (obs, state, last, first, noise -> new_state, map, places) without an action. Additional outputs: acts
            (n,), above .5 where actions have an effect; with a policy, prior (n, p), as in `unseen.agents.shared.priors`; with a
            critic, value (n,); place (n, k), if states can be distinguished, see `Transition`.
        step: state and action (n, a), one-hot if discrete -> new_state, reward (n,), continue (n,). Optional outputs: prior, value
            and place, as above, of the next state; log_prob, novelty and acts (n,); map, boxes and pose, to be drawn.
        search: how it plans.
        space: of the actions.
        scale, slot_map: see `unseen.agents.shared.graph_agent.GraphAgent`.
    """

    dynamics: GraphDynamics

    def __init__(
        self,
        name: str,
        memory: Graph,
        step: Graph,
        search: Search,
        space: Space,
        obs: str,
        action: str,
        scale: float,
        slot_map: bool,
    ) -> None:
        super().__init__(search)
        self.name, self.obs, self.action, self.scale, self.slot_map = name, obs, action, scale, slot_map
        self.memory, self.dynamics = memory, GraphDynamics(step, space)
        self.samples = self.dynamics.has_prior

    def no_situation(self, n: int) -> Situation:
        none = np.zeros((n, 0), np.float32)
        return Situation(np.zeros((n, self.dynamics.size), np.float32), none, np.zeros(n, bool))

    def situation(
        self, obs: np.ndarray, before: Situation, last: np.ndarray, first: np.ndarray, episodes: noise.Episodes
    ) -> Situation:
        """See `PlanningAgent`. Raises BadObservation."""
        rows = finite_rows(obs, self.memory.width("obs"), self.name)
        out = self.memory(
            obs=rows,
            state=np.ascontiguousarray(before.state[:, : self.dynamics.size]),
            last=last,
            first=first.astype(np.float32)[:, None],
            noise=noise.uniform(episodes, noise.LATENT, self.memory.width("noise")),
        )
        return Situation(self.dynamics.joined(out), _place(out), out["acts"] > 0.5, out)

    def belief(self, state: PlanningState) -> Belief | None:
        return believed(state.now.out, self.scale, self.slot_map)

    def latent(self, state: PlanningState) -> np.ndarray | None:
        return state.now.state[:, : self.dynamics.size]

    def glimpse(self, states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, Arrays]:
        out = self.dynamics.outputs(states, actions)
        return self.dynamics.joined(out), out


def _place(out: Arrays) -> np.ndarray:
    """`Transition.place` of a graph's outputs."""
    return out.get("place", np.zeros((len(out["new_state"]), 0), np.float32))
