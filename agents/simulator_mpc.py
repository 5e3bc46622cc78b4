"""Simulator-mpc: the planner of slot-search in the true simulator, with the full state. A reference: the ceiling of planning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.protocol import Dynamics, Transition
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig, Simulator
from unseen.agents.shared.planning_agent import PlanningAgent, Search, Situation
from unseen.agents.shared.search import BestFirst

IMAGINED = 10_000
ROWS = 256  # states simulated together
DEPTH = 120  # the longest plan, which begins at the first observation, before actions have an effect
PLANS = 8
RESOLUTION = 0.06  # of numbers in the state: a fraction of a step, a cell, or a push


class SimulatorDynamics(Dynamics):
    """One step of the true simulator. States are records.

    The clock is left out of `place`: a state reached later is no other state. It is recognised as what changes by the same
    amount in every environment, whatever it does.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator, self.actions = simulator, simulator.actions
        before = simulator.rows(simulator.fresh(ROWS)).astype(np.float64)
        after = simulator.step(simulator.fresh(ROWS), np.arange(ROWS) % self.actions)[1]
        change = after - before
        self.timeless = ~((change == change[:1]).all(0) & (change[0] != 0))

    def place(self, rows: np.ndarray) -> np.ndarray:
        return rows[:, self.timeless] / np.float32(RESOLUTION)

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        after, rows, reward, over = self.simulator.step(states, actions)
        nothing = np.zeros(len(states))  # the simulator is certain, and knows all states equally well
        return Transition(after, reward, over.astype(np.float32), nothing, nothing, self.place(rows))


class SimulatorAgent(PlanningAgent):
    """Plans in the simulator of the environment given to `attach`."""

    name = "simulator-mpc"
    action = "discrete"

    def __init__(self, env: EnvConfig, imagined: int | None = None) -> None:
        super().__init__(Search(BestFirst(depth=DEPTH), IMAGINED if imagined is None else imagined, PLANS))
        self._config = env
        self._env: Any = None

    def attach(self, env: Any) -> None:
        if not isinstance(env.single_action_space, spaces.Discrete):
            raise BadAgent(f"{self.name} needs discrete actions")
        self._env = env
        self.dynamics = SimulatorDynamics(envs.simulator(replace(self._config, split=env.split), ROWS))

    def no_situation(self, n: int) -> Situation:
        return Situation(np.zeros(n), np.zeros((n, 0)), np.zeros(n, bool))

    def situation(self, obs: np.ndarray, before: Situation, first: np.ndarray) -> Situation:
        if self._env is None:
            raise BadAgent(f"{self.name} needs attach(env) before it acts")
        states = self._env.world.copy()
        assert isinstance(self.dynamics, SimulatorDynamics)
        place = self.dynamics.place(self.dynamics.simulator.rows(states))
        return Situation(states, place, states["done"] == 0)
