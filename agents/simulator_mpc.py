"""Simulator-mpc: planning in the true simulator with the full state, as an upper reference for planning agents.

Discrete actions are planned by best-first search, as in slot-search, continuous ones by sampling action sequences.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.protocol import Dynamics, Transition
from unseen.agents.shared import noise
from unseen.agents.shared.envs import EnvConfig, Layout
from unseen.agents.shared.graph_agent import Arrays
from unseen.agents.shared.planning_agent import PlanningAgent, Search, Situation
from unseen.agents.shared.search import BestFirst
from unseen.agents.shared.shooting import Shooting
from unseen.agents.shared.simulator import Simulator, simulator

IMAGINED = 10_000
ROWS = 256  # states simulated together
DISCRETE = Search(BestFirst(depth=120), IMAGINED, plans=8, follow=120)
CONTINUOUS = Search(Shooting(discount=0.99, horizon=40, population=64, hold=4), IMAGINED, follow=4)
RESOLUTION = 0.06  # of values in the state: a fraction of a step, a cell, or a push


class SimulatorDynamics(Dynamics):
    """One step of the true simulator. States are records.

    The clock is left out of `place`, so that states that differ only in time are the same. It consists of the values that change by the
    same amount in every environment, whatever the action.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        space = simulator.space
        assert isinstance(space, spaces.Discrete | spaces.Box)
        self.space = space
        if isinstance(space, spaces.Discrete):
            actions = np.arange(ROWS) % int(space.n)
        else:
            actions = np.linspace(space.low, space.high, ROWS, dtype=np.float32)
        before = simulator.rows(simulator.fresh(ROWS)).astype(np.float64)
        change = simulator.step(simulator.fresh(ROWS), actions)[1] - before
        timeless = ~((change == change[:1]).all(0) & (change[0] != 0))
        paired = _positions(simulator.layout)
        self.columns = np.concatenate([paired, np.setdiff1d(np.flatnonzero(timeless), paired)])

    def place(self, rows: np.ndarray) -> np.ndarray:
        return rows[:, self.columns] / np.float32(RESOLUTION)

    def acts(self, states: np.ndarray) -> np.ndarray:
        """Whether the choice of action has an effect in states (n,), (n,) bool; always true for continuous actions."""
        if not isinstance(self.space, spaces.Discrete):
            return np.ones(len(states), bool)
        n = int(self.space.n)
        after = self.simulator.step(np.repeat(states, n, axis=0), np.tile(np.arange(n), len(states)))[1]
        after = after.reshape(len(states), n, -1)
        return (after != after[:, :1]).any((1, 2))

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        """See `Dynamics`. `acts` is found by trying all actions in the next states; these steps do not count as imagined."""
        after, rows, reward, over = self.simulator.step(states, actions)
        nothing = np.zeros(len(states))  # the simulator is certain, and knows all states equally well
        return Transition(after, reward, over.astype(np.float32), nothing, nothing, self.place(rows), self.acts(after))


class SimulatorAgent(PlanningAgent):
    """Plans in the simulator of the environment given to `attach`."""

    name = "simulator-mpc"
    dynamics: SimulatorDynamics

    def __init__(self, env: EnvConfig) -> None:
        super().__init__(DISCRETE)
        self._config = env
        self._env: Any = None

    def attach(self, env: Any) -> None:
        config = self._config
        if config.entry is not None:
            config = replace(config, split=env.split, action=env.action_kind)
        self.dynamics, self._env = SimulatorDynamics(simulator(config, ROWS)), env
        self.search = DISCRETE if isinstance(self.dynamics.space, spaces.Discrete) else CONTINUOUS

    def no_situation(self, n: int) -> Situation:
        if self._env is None:
            raise BadAgent(f"{self.name} needs attach(env) before it acts")
        return Situation(np.zeros(n), np.zeros((n, 0)), np.zeros(n, bool))

    def situation(
        self, obs: np.ndarray, before: Situation, last: np.ndarray, first: np.ndarray, episodes: noise.Episodes
    ) -> Situation:
        states = self._env.world.copy()
        place = self.dynamics.place(self.dynamics.simulator.rows(states))
        return Situation(states, place, (states["done"] == 0) & self.dynamics.acts(states))

    def glimpse(self, states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, Arrays]:
        after = self.dynamics.step(states, actions)
        return after.state, {"pose": _pose(after.state), "reward": after.reward, "continue": 1 - after.over}


def _positions(layout: Layout | None) -> np.ndarray:
    """Columns of observations "state" with the positions of agent, boxes and discs, x and y of one after the other."""
    if layout is None:
        return np.zeros(0, np.int64)
    things = [start + k * width + 1 for start, count, width in (layout.boxes, layout.discs) for k in range(count)]
    return np.array([(x, x + 1) for x in (layout.pose.start, *things)]).ravel()


def _pose(states: np.ndarray) -> np.ndarray:
    """x, y, cos and sin of the heading (n, 4) of the agent in records; (n, 0) where there is none."""
    if not {"agent_x", "agent_y", "heading"} <= set(states.dtype.names or ()):
        return np.zeros((len(states), 0))
    x, y, heading = (states[name].astype(float) for name in ("agent_x", "agent_y", "heading"))
    return np.stack([x, y, np.cos(heading), np.sin(heading)], axis=-1)
