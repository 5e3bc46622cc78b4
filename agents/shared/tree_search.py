"""Tree search over discrete actions in imagined states, with a policy prior and a critic at the leaves.

When a leaf is expanded, the critic's value of it is replaced by the value of the best mixture of its actions, with a penalty on the KL
divergence from the prior (relative-entropy search: Grill et al. 2020, Monte-Carlo tree search as regularized policy optimization;
Dam et al. 2021, Convex regularization in Monte-Carlo tree search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from unseen.agents.protocol import Dynamics, Plan, Planner
from unseen.agents.shared.priors import log_softmax

NO_CHILD = -1


@dataclass(frozen=True)
class TreeSearch(Planner):
    """Expands one leaf after the other, by imagining all actions in it.

    The value of an expanded state is `max over mixtures of its actions: expected Q - temperature x KL(mixture || prior)`, which is
    temperature x log of the mean of exp(Q / temperature) under the prior. If the model is exact,
    and the values of the leaves are those of the prior as a policy, no expansion lowers this value: imagining more never hurts. The next
    leaf is reached from the root by taking, in each state, the action whose share of the visits is furthest below its target (Danihelka
    et al. 2022, Gumbel MuZero). The target is the best mixture, averaged with the prior, which has the weight `explore`. The search is
    deterministic.

    Attributes:
        discount: of one step.
        temperature: weight of the KL divergence from the prior, in units of reward; near 0, the best path found is taken.
        depth: maximum length of a path.
        explore: fraction of the visits that follows the prior.
    """

    discount: float = 0.97
    temperature: float = 0.05
    depth: int = 10
    explore: float = 0.5

    def plan(
        self,
        dynamics: Dynamics,
        states: np.ndarray,
        imagined: int,
        words: np.ndarray,
        begun: Sequence[np.ndarray | None] | None = None,
    ) -> list[Plan | None]:
        """See `Planner`; `begun` is not used."""
        assert isinstance(dynamics.space, spaces.Discrete)
        expansions = imagined // int(dynamics.space.n)
        if expansions == 0:
            return [None] * len(states)
        trees = _Trees(self, dynamics, states, expansions)
        for k in range(expansions):
            trees.expand(trees.select(), k)
        return [trees.chosen(row) for row in range(len(states))]


class _Trees:
    """One tree for each of n start states. Node 0 is the root; the children of a node have consecutive indices, in the order of actions."""

    def __init__(self, search: TreeSearch, dynamics: Dynamics, states: np.ndarray, expansions: int) -> None:
        assert isinstance(dynamics.space, spaces.Discrete)
        self.search, self.dynamics, self.actions = search, dynamics, int(dynamics.space.n)
        n, size = len(states), 1 + expansions * self.actions
        self.rows = np.arange(n)
        self.state = np.zeros((n, size, *states.shape[1:]), states.dtype)
        self.reward, self.follows, self.value = np.zeros((n, size)), np.zeros((n, size)), np.zeros((n, size))
        self.log_prior = np.full((n, size, self.actions), -np.log(self.actions))
        self.share = np.zeros((n, size, self.actions))  # target share of each action in the visits
        self.visits, self.depth = np.zeros((n, size), np.int64), np.zeros((n, size), np.int64)
        self.parent, self.first = np.zeros((n, size), np.int64), np.full((n, size), NO_CHILD)
        self.state[:, 0] = states
        self.value[:, 0] = dynamics.value(states)
        self._set_prior(self.rows[:, None], np.zeros((n, 1), np.int64), states)
        self.closed = np.zeros((n, size), bool)  # nothing is left to expand below this node

    def _set_prior(self, rows: np.ndarray, nodes: np.ndarray, states: np.ndarray) -> None:
        logits = self.dynamics.prior(states)
        if logits is not None:
            self.log_prior[rows, nodes] = log_softmax(logits).reshape(*nodes.shape, self.actions)

    def scores(self, rows: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the children (m, a) of expanded nodes (m,), and log prior + Q / temperature of the actions (m, a)."""
        children = self.first[rows, nodes][:, None] + np.arange(self.actions)
        at = rows[:, None], children
        q = self.reward[at] + self.follows[at] * self.value[at]
        return children, self.log_prior[rows, nodes] + q / self.search.temperature

    def select(self) -> np.ndarray:
        """The next leaf to expand in each tree, (n,); the root where everything has been expanded."""
        at = np.zeros(len(self.rows), np.int64)
        inside = self.rows[~self.closed[:, 0]]
        while True:
            inside = inside[self.first[inside, at[inside]] != NO_CHILD]
            if not len(inside):
                return at
            first = self.first[inside, at[inside]]
            children = inside[:, None], first[:, None] + np.arange(self.actions)
            visits = self.visits[children]
            wanted = self.share[inside, at[inside]] - visits / (1 + visits.sum(-1, keepdims=True))
            wanted[self.closed[children]] = -np.inf
            at[inside] = first + wanted.argmax(-1)

    def expand(self, leaves: np.ndarray, k: int) -> None:
        """Imagine every action in the leaves (n,), in trees that are not closed. k: number of earlier calls."""
        rows = self.rows[~self.closed[:, 0]]
        nodes, a = leaves[rows], self.actions
        if len(rows):
            after = self.dynamics.step(np.repeat(self.state[rows, nodes], a, axis=0), np.tile(np.arange(a), len(rows)))
            children = np.tile(1 + k * a + np.arange(a), (len(rows), 1))
            at = rows[:, None], children
            shape = (len(rows), a)
            self.state[at] = after.state.reshape(*shape, *after.state.shape[1:])
            self.reward[at] = after.reward.reshape(shape)
            goes_on = (1 - after.over).reshape(shape)
            self.follows[at] = np.where(goes_on < 0.5, 0, self.search.discount * goes_on)
            self.value[at] = self.dynamics.value(after.state).reshape(shape)
            self._set_prior(*at, after.state)
            self.parent[at] = nodes[:, None]
            self.depth[at] = self.depth[rows, nodes][:, None] + 1
            self.closed[at] = (goes_on < 0.5) | (self.depth[at] >= self.search.depth)
            self.first[rows, nodes] = 1 + k * a
            self._back_up(rows, nodes)

    def _back_up(self, rows: np.ndarray, at: np.ndarray) -> None:
        """Count a visit of each node from those just expanded up to the roots, and update their values and shares."""
        part = self.search.explore
        while len(rows):
            children, scores = self.scores(rows, at)
            mixture = log_softmax(scores)
            self.visits[rows, at] += 1
            self.value[rows, at] = self.search.temperature * (scores - mixture)[:, 0]
            self.share[rows, at] = (1 - part) * np.exp(mixture) + part * np.exp(self.log_prior[rows, at])
            self.closed[rows, at] = self.closed[rows[:, None], children].all(-1)
            below = at != 0
            rows, at = rows[below], self.parent[rows[below], at[below]]

    def chosen(self, row: int) -> Plan:
        """The best path from the root, and the best paths that begin with other actions."""
        children, scores = self.scores(np.array([row]), np.zeros(1, np.int64))
        order = np.argsort(-scores[0], kind="stable")
        paths = [np.array([action, *self._best_from(row, int(children[0, action]))]) for action in order]
        return Plan(paths[0], np.zeros((len(paths[0]), 0)), float(self.value[row, 0]), tuple(paths[1:]))

    def _best_from(self, row: int, node: int) -> list[int]:
        """The best actions from a node on, as far as it was expanded."""
        actions = []
        while self.first[row, node] != NO_CHILD:
            children, scores = self.scores(np.array([row]), np.array([node]))
            actions.append(int(scores[0].argmax()))
            node = int(children[0, actions[-1]])
        return actions
