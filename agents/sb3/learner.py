"""Base of the learners on stable-baselines3: environments, random numbers, schedules, export and checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from torch.optim import Optimizer

from unseen.agents.errors import BadAgent
from unseen.agents.sb3.features import feature_arguments
from unseen.agents.sb3.generators import IsolatedRNG
from unseen.agents.sb3.rows import RowVec
from unseen.agents.sb3.stack_graph import StackGraph
from unseen.agents.shared.actions import action_head
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.envs import AutoresetMode, EnvConfig, with_actions
from unseen.agents.shared.settings import TimeLimit
from unseen.agents.shared.torch_graph import TorchGraph
from unseen.agents.shared.torch_learner import TorchLearner

SEED_STRIDE = 1_000_003  # between the first environment seeds of consecutive training seeds
NEVER = 1 << 62  # steps
LARGE = 1e9  # bytes: learners say so if they store more observations


@dataclass(frozen=True)
class SB3Config:
    """Hyperparameters of all algorithms."""

    envs: int = 128
    """parallel environments"""
    lr: float = 5e-4
    """initial learning rate"""
    lr_end: float = 1.5e-4
    """final learning rate"""
    anneal_steps: int = 0
    """environment steps over which the learning rate, and PPO's entropy weight, change linearly; 0: they do not"""
    gamma: float = 0.97
    """discount"""
    time_limit: TimeLimit = "auto"
    """what a time limit does to an episode: it "ends" it, or "cuts" it off, so that the value of the last observation counts; "auto": it
    ends where the limit belongs to the task, as in this suite, and cuts in other Gymnasium environments"""
    hidden: int = 128
    """hidden units per layer"""


class SB3Learner(TorchLearner):
    """Base of the learners. Subclasses define `build`, `graph`, `advance` and `optimizers`.

    Attributes:
        actions: kind of actions that the algorithm needs; "" if it can do with both.
        positive: settings that must be at least 1.
        stack: number of observations in a row.
    """

    actions: ClassVar[str] = ""
    positive: ClassVar[tuple[str, ...]] = ("envs", "hidden", "batch", "rollout")
    autoreset = AutoresetMode.SAME_STEP
    config: Any
    model: Any  # a BaseAlgorithm: its classes do not declare what they have in common
    stack: int = 1

    @classmethod
    def check(cls, env: EnvConfig, device: str) -> None:
        with_actions(env, cls.actions, cls.name)

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(with_actions(env, self.actions, self.name), seed, device, config)
        for name in self.positive:
            if getattr(self.config, name) < 1:
                raise BadAgent(f"setting {name}={getattr(self.config, name)}: must be positive")
        if self.config.lr < 0 or self.config.lr_end < 0:
            raise BadAgent(f"setting lr={self.config.lr}, lr_end={self.config.lr_end}: must not be negative")
        if not 0 <= self.config.gamma <= 1:
            raise BadAgent(f"setting gamma={self.config.gamma}: must be in 0..1")
        space = self.envs.vector.single_action_space
        if self.actions and self.actions != ("discrete" if isinstance(space, spaces.Discrete) else "continuous"):
            raise BadAgent(f"{self.name} needs {self.actions} actions; those of {env.label} are {space}")
        self.vec = RowVec(self.envs.vector, self.stack, self.limit_cuts)
        self.head = action_head(space)
        self.generators = IsolatedRNG(seed)
        self.seed = SEED_STRIDE * (seed + 1)
        with self.generators.active():
            self.model = self.build(device)
            self.vec.seed(self.seed)  # takes effect at the reset in _setup_learn
            _, self._callback = self.model._setup_learn(self.config.anneal_steps or NEVER, None)
        self.notes += tuple(self._memory_notes())

    @abstractmethod
    def build(self, device: str) -> BaseAlgorithm:
        """The algorithm, on `self.vec`."""

    @abstractmethod
    def graph(self) -> Any:
        """The policy graph on rows: a module with `example` and `outputs`."""

    @abstractmethod
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Name -> optimizer."""

    @abstractmethod
    def stored_observations(self) -> Iterable[np.ndarray]:
        """The arrays in which the algorithm keeps observations."""

    def arguments(self, device: str) -> dict[str, Any]:
        """Constructor arguments of all algorithms."""
        c = self.config
        return dict(env=self.vec, learning_rate=annealed(c.lr, c.lr_end), gamma=c.gamma, device=device, verbose=0)

    def features(self) -> dict[str, Any]:
        """Policy arguments that select a feature extractor."""
        return feature_arguments(self.envs.observation, self.stack, self.config.hidden)

    @property
    def steps(self) -> int:  # type: ignore[override]
        return self.model.num_timesteps

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.vec.returns.episodes

    def figures(self) -> dict[str, float]:
        """What the algorithm logged since the last call, and the mean return."""
        logged = self.model.logger.name_to_value
        figures = {k.removeprefix("train/"): float(v) for k, v in logged.items() if k.startswith("train/")}
        logged.clear()
        return figures | {"episode_return": self.vec.returns.mean}

    def act_graph(self) -> TorchGraph:
        graph = self.graph()
        if self.stack > 1:
            graph = StackGraph(graph, self.stack)
        return TorchGraph(graph, graph.example(), graph.outputs)

    def sync(self, store: Store) -> None:
        model = self.model
        store.module("policy", model.policy)
        for name, optimizer in self.optimizers().items():
            store.optimizer(name, optimizer)
        self.generators.sync(store)
        model.num_timesteps = store.scalar("steps", model.num_timesteps)
        model._n_updates = store.scalar("updates", model._n_updates)
        self.vec.returns.sync(store)
        self.sync_more(store)
        if self.envs.has_snapshots:
            snapshot = store.data("snapshot", self.envs.snapshot())
            model._last_obs = store.array("obs", model._last_obs)
            model._last_episode_starts = store.array("starts", model._last_episode_starts)
            self.sync_memory(store)
            if store.reading:
                self.envs.restore(snapshot)
                self.vec.rows = model._last_obs.copy()
        elif store.reading:
            self.reset_environments()

    def sync_more(self, store: Store) -> None:
        """Store or restore what only this algorithm has."""

    def sync_memory(self, store: Store) -> None:
        """Store or restore the recurrent state; none here."""

    def reset_environments(self) -> None:
        """Start new episodes in all environments, with other seeds than those of the first reset."""
        self.vec.returns.discard_running()
        self.vec.seed(self.seed + self.steps + 1)
        self.model._last_obs = self.vec.reset()
        self.model._last_episode_starts = np.ones(self.config.envs, bool)

    def _memory_notes(self) -> Iterable[str]:
        size = sum(array.nbytes for array in self.stored_observations())
        if size > LARGE:
            yield f"{self.name} stores up to {size / 1e9:.1f} GB of observations; smaller settings need less"


def annealed(start: float, end: float) -> Callable[[float], float]:
    """A linear schedule, as a function of the remaining fraction of `anneal_steps`, which becomes negative after the end."""
    return lambda remaining: start + (end - start) * (1 - max(remaining, 0.0))
