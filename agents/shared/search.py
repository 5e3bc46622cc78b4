"""Best-first search for plans in any `Dynamics`, for many start states at once. Short paths and novel states come first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from gymnasium import spaces

from unseen.agents.protocol import Dynamics, Plan, Planner
from unseen.agents.shared.noise import unit

ROOT = -1
DROPPED = 8  # maximum number of rejected paths that a plan keeps, to be drawn
CELLS = 4096  # hash buckets for the places of each thing
MOST = np.iinfo(np.int32).max  # count of a state without facts


@dataclass(frozen=True)
class BestFirst(Planner):
    """Expands the state with the lowest sum of path length and the visit count of its rarest fact.

    A fact is the place of one thing (`Transition.place`); its count is the number of states reached in this search that share it. This is
    the width-based search of Lipovetzky and Geffner (2012), with counts. Plans are nearly as short as those of a breadth-first search;
    where things can be pushed, it takes several times fewer imagined steps.

    A state in which actions have no effect is expanded next, with one action only, so that the outcome of the action before it is seen.

    A state that rounds to one already reached is not expanded, and neither is one whose path is improbable, or that ends the episode. The
    probability of a path includes that the episode has not ended on it. A plan's worth is this probability times the expected reward of
    its last step. The search ends with the first plan whose worth exceeds `accept`: a search through thousands of imagined states exploits
    the model's errors as readily as it finds rewards. Without such a plan, the best one above `hope` is returned, or else a path to the
    most novel state reached; ties are broken at random.

    Attributes:
        accept: worth above which a plan ends the search.
        trust: probability below which a path is dropped.
        depth: maximum length of a plan in steps.
        hope: worth above which a plan is tried if none is accepted.
        width: states expanded together for each start.
    """

    accept: float = 0.5
    trust: float = 0.2
    depth: int = 50
    hope: float = 0.1
    width: int = 16

    def plan(
        self,
        dynamics: Dynamics,
        states: np.ndarray,
        imagined: int,
        words: np.ndarray,
        begun: Sequence[np.ndarray | None] | None = None,
    ) -> list[Plan | None]:
        """See `Planner`; `begun`, the prior and the critic are not used."""
        assert isinstance(dynamics.space, spaces.Discrete)
        n = int(dynamics.space.n)
        trees = [_Tree(state) for state in states]
        while True:
            chosen = [tree.next(self.width, n, imagined - tree.imagined) for tree in trees]
            count = np.array([len(nodes) for nodes in chosen])
            if not count.any():
                break
            self._expand(dynamics, n, trees, chosen)
        drawn = unit(words)
        return [tree.choose(min(self.hope, self.accept), float(u)) for tree, u in zip(trees, drawn, strict=True)]

    def _expand(self, dynamics: Dynamics, n: int, trees: list[_Tree], chosen: list[list[int]]) -> None:
        """Imagine all n actions in the chosen nodes of every tree; only the first action where actions have no effect."""
        states = np.stack([tree.states[node] for tree, nodes in zip(trees, chosen, strict=True) for node in nodes])
        times = np.array([tree.tries(node, n) for tree, nodes in zip(trees, chosen, strict=True) for node in nodes])
        actions = np.concatenate([np.arange(k) for k in times])
        after = dynamics.step(np.repeat(states, times, axis=0), actions)
        acts = np.ones(len(actions), bool) if after.acts is None else after.acts
        keys = np.rint(after.place).astype(np.int32)
        facts = _facts(keys)
        row = 0
        for tree, nodes in zip(trees, chosen, strict=True):
            tried = sum(tree.tries(node, n) for node in nodes)
            tree.imagined += tried
            seldom = tree.times(facts[row : row + tried])
            first = row
            for node in nodes:
                length = tree.length[node] + 1
                for action in range(tree.tries(node, n)):
                    log_prob = tree.log_prob[node] + float(after.log_prob[row])
                    probability = np.exp(log_prob)
                    key = keys[row].tobytes()
                    worth = probability * float(after.reward[row])
                    new = key not in tree.seen and probability > self.trust
                    if new or worth > tree.best_worth:
                        child = tree.add(after.state[row], node, action, log_prob, after.place[row], key, acts[row])
                        tree.novelty.append(float(after.novelty[row]))
                        if worth > tree.best_worth:
                            tree.best_worth, tree.best = worth, child
                        if new:
                            tree.count(facts[row])
                            if after.over[row] < 0.5 and length < self.depth:
                                tree.log_prob[child] += float(np.log1p(-after.over[row]))
                                rank = length + int(seldom[row - first]) if acts[row] else 0
                                heapq.heappush(tree.open, (rank, -tree.log_prob[child], child))
                    row += 1
            if tree.best_worth > self.accept:
                tree.open.clear()


@dataclass
class _Tree:
    """The states reached from one start."""

    start: np.ndarray
    states: list[np.ndarray] = field(default_factory=list)
    places: list[np.ndarray] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    action: list[int] = field(default_factory=list)
    log_prob: list[float] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    acts: list[bool] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    open: list[tuple[int, float, int]] = field(default_factory=list)
    novelty: list[float] = field(default_factory=list)  # of all nodes but the root
    met: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))  # visit counts of facts
    imagined: int = 0
    best: int = ROOT
    best_worth: float = 0.0

    def __post_init__(self) -> None:
        self.add(self.start, ROOT, 0, 0.0, np.zeros(0), b"", True)
        self.open.append((0, 0.0, 0))

    def add(
        self, state: np.ndarray, parent: int, action: int, log_prob: float, place: np.ndarray, key: bytes, acts: bool
    ) -> int:
        """Add a node and return its index."""
        self.states.append(state)
        self.places.append(place)
        self.parent.append(parent)
        self.action.append(action)
        self.log_prob.append(log_prob)
        self.length.append(0 if parent == ROOT else self.length[parent] + 1)
        self.acts.append(bool(acts))
        self.seen.add(key)
        return len(self.states) - 1

    def times(self, facts: np.ndarray) -> np.ndarray:
        """Visit count (m,) of the rarest of the facts (m, k) of each of m states."""
        if not len(self.met):
            self.met = np.zeros(facts.shape[1] * CELLS, np.int32)
        return self.met[facts].min(-1, initial=MOST)

    def count(self, facts: np.ndarray) -> None:
        """Increment the visit counts of the facts (k,)."""
        self.met[facts] += 1

    def tries(self, node: int, n: int) -> int:
        """Number of actions, of n, that are tried in a node."""
        return n if self.acts[node] else 1

    def next(self, most: int, n: int, imagined: int) -> list[int]:
        """Pop the next nodes to expand from the queue: at most `most`, which take at most `imagined` imagined steps."""
        chosen: list[int] = []
        while self.open and len(chosen) < most:
            imagined -= self.tries(self.open[0][-1], n)
            if imagined < 0:
                break
            chosen.append(heapq.heappop(self.open)[-1])
        return chosen

    def choose(self, hope: float, drawn: float) -> Plan | None:
        """The best plan if its worth exceeds `hope`, else a path to a most novel node; None if nothing was reached.

        Args:
            drawn: uniform in [0, 1), chooses among equally novel nodes.
        """
        if self.best_worth > hope:
            return self.path(self.best, self.best_worth, self.best_worth)
        if not self.novelty:
            return None
        newest = np.flatnonzero(np.array(self.novelty) == max(self.novelty))
        return self.path(1 + int(newest[int(drawn * len(newest))]), 0.0)

    def path(self, node: int, worth: float, success: float | None = None) -> Plan:
        """The plan that leads to a node."""
        nodes = self.way(node)
        places = np.stack([self.places[k] for k in nodes])
        dropped = tuple(self.actions(self.way(end)) for end in self.others(node))
        return Plan(self.actions(nodes), places, worth, dropped, success)

    def way(self, node: int) -> list[int]:
        """The nodes on the path to a node, without the start."""
        nodes = []
        while self.parent[node] != ROOT:
            nodes.append(node)
            node = self.parent[node]
        return nodes[::-1]

    def actions(self, nodes: list[int]) -> np.ndarray:
        return np.array([self.action[k] for k in nodes])

    def others(self, chosen: int) -> list[int]:
        """A few nodes without children, evenly spaced in the order in which they were reached."""
        inner = {ROOT, 0, chosen, *self.parent}
        ends = [node for node in range(len(self.states)) if node not in inner]
        return ends[:: -(-len(ends) // DROPPED)] if ends else []


def _facts(keys: np.ndarray) -> np.ndarray:
    """Facts, indices (m, k) into `_Tree.met`: columns 2 j and 2 j + 1 of the rounded places (m, 2 k) are the place of one thing."""
    pairs = np.pad(keys, ((0, 0), (0, keys.shape[1] % 2))).reshape(len(keys), -1, 2).astype(np.int64)
    cell = (pairs[..., 0] * 73_856_093 ^ pairs[..., 1] * 19_349_663) % CELLS
    return np.arange(pairs.shape[1]) * CELLS + cell
