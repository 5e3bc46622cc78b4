"""Best-first search for plans, in any `Dynamics`, for many start states at once."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from unseen.agents.protocol import Dynamics, Plan, Planner

ROOT = -1


@dataclass(frozen=True)
class BestFirst(Planner):
    """Expands what is reached in the fewest steps first; of these, the most probable.

    A state that rounds to one already reached is dropped, and so is one whose path is improbable, or that ends the episode.
    A plan is accepted only if the probability of its path x the expected reward exceeds `accept`: a search through
    thousands of imagined states finds the model's errors as readily as rewards. Without an accepted plan, the best one
    above `hope` is returned, or else the way to the most novel state reached, or to one of them at random.

    Attributes:
        accept: worth above which a plan ends the search.
        trust: probability below which a path is dropped.
        depth: maximum length of a plan.
        hope: worth above which a plan is tried if none is accepted.
        width: states expanded together for each start.
    """

    accept: float = 0.5
    trust: float = 0.2
    depth: int = 50
    hope: float = 0.1
    width: int = 16

    def plan(self, dynamics: Dynamics, states: np.ndarray, imagined: int, noise: np.ndarray) -> list[Plan | None]:
        """See `Planner`."""
        trees = [_Tree(state) for state in states]
        while True:
            chosen = [tree.next(min(self.width, (imagined - tree.imagined) // dynamics.actions)) for tree in trees]
            count = np.array([len(nodes) for nodes in chosen])
            if not count.any():
                break
            self._expand(dynamics, trees, chosen)
        return [tree.choose(min(self.hope, self.accept), drawn) for tree, drawn in zip(trees, noise, strict=True)]

    def _expand(self, dynamics: Dynamics, trees: list[_Tree], chosen: list[list[int]]) -> None:
        """Imagine every action in the chosen nodes of every tree."""
        n = dynamics.actions
        states = np.stack([tree.states[node] for tree, nodes in zip(trees, chosen, strict=True) for node in nodes])
        actions = np.tile(np.arange(n), len(states))
        after = dynamics.step(np.repeat(states, n, axis=0), actions)
        keys = np.rint(after.place).astype(np.int32)
        row = 0
        for tree, nodes in zip(trees, chosen, strict=True):
            tree.imagined += n * len(nodes)
            for node in nodes:
                length = tree.length[node] + 1
                for action in range(n):
                    log_prob = tree.log_prob[node] + float(after.log_prob[row])
                    probability = np.exp(log_prob)
                    key = keys[row].tobytes()
                    worth = probability * float(after.reward[row])
                    new = key not in tree.seen and probability > self.trust
                    if new or worth > tree.best_worth:
                        child = tree.add(after.state[row], node, action, log_prob, after.place[row], key)
                        tree.novelty.append(float(after.novelty[row]))
                        if worth > tree.best_worth:
                            tree.best_worth, tree.best = worth, child
                        if new and after.over[row] < 0.5 and length < self.depth:
                            heapq.heappush(tree.open, (length, -log_prob, child))
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
    seen: set[bytes] = field(default_factory=set)
    open: list[tuple[int, float, int]] = field(default_factory=list)
    novelty: list[float] = field(default_factory=list)  # of all nodes but the root
    imagined: int = 0
    best: int = ROOT
    best_worth: float = 0.0

    def __post_init__(self) -> None:
        self.add(self.start, ROOT, 0, 0.0, np.zeros(0), b"")
        self.open.append((0, 0.0, 0))

    def add(self, state: np.ndarray, parent: int, action: int, log_prob: float, place: np.ndarray, key: bytes) -> int:
        """Add a node and return its index."""
        self.states.append(state)
        self.places.append(place)
        self.parent.append(parent)
        self.action.append(action)
        self.log_prob.append(log_prob)
        self.length.append(0 if parent == ROOT else self.length[parent] + 1)
        self.seen.add(key)
        return len(self.states) - 1

    def next(self, most: int) -> list[int]:
        """Remove the first `most` nodes from those to be expanded."""
        return [heapq.heappop(self.open)[-1] for _ in range(min(most, len(self.open)))]

    def choose(self, hope: float, drawn: float) -> Plan | None:
        """The best plan if it is worth more than `hope`, else one to a most novel node; None if nothing was reached."""
        if self.best_worth > hope:
            return self.path(self.best, self.best_worth, self.best_worth)
        if not self.novelty:
            return None
        newest = np.flatnonzero(np.array(self.novelty) == max(self.novelty))
        return self.path(1 + int(newest[int(drawn * len(newest))]), 0.0)

    def path(self, node: int, worth: float, success: float | None = None) -> Plan:
        """The plan that leads to a node."""
        nodes = []
        while self.parent[node] != ROOT:
            nodes.append(node)
            node = self.parent[node]
        nodes.reverse()
        actions, places = np.array([self.action[k] for k in nodes]), np.stack([self.places[k] for k in nodes])
        return Plan(actions, places, worth, success)
