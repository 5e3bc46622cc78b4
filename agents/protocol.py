"""What an agent, a learner, a world model and a planner are, declared in full: nothing else is looked for.

Batched throughout: row i of every array belongs to environment i.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.view import Belief, Imagined

if TYPE_CHECKING:
    from torch import Tensor


class Agent(ABC):
    """Anything that acts.

    `name` is how it is shown. `obs` is the observation mode that it needs, "" for the environment's default. `action`
    is the kind of actions that it gives, "discrete" or "continuous", "" for the environment's default.
    """

    name: str = ""
    obs: str = ""
    action: str = ""

    def attach(self, env: Any) -> None:  # noqa: B027 - most agents need nothing of it
        """Take notice of the vector environment that will be acted in: called once, before its first reset."""

    def seed(self, seed: int) -> None:  # noqa: B027
        """Set the agent's own seed. All its random numbers follow from this, the episode's seed and the step."""

    @abstractmethod
    def initial_state(self, seeds: np.ndarray) -> Any:
        """Memory of n environments before anything was seen. seeds: (n,) uint64, the seed of each one's episode."""

    @abstractmethod
    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        """Actions for n observations, and the new memory.

        Args:
            obs: (n, ...) one observation an environment.
            state: what `initial_state` or the last `act` gave; it is not changed.
            first: (n,) bool, marks rows whose observation opens an episode: their memory restarts.
            explore: draw from the policy instead of taking its most likely action.

        Returns:
            Indices (n,) or rows (n, a), in the environment's action space; and the new memory.
        """

    def belief(self, state: Any) -> Belief | None:
        """Where the agent believes things to be; None for one that keeps no places in mind."""
        return None

    def imagine(self, state: Any, horizon: int = 15) -> Imagined | None:
        """Roll the agent's world model out from the present; None for an agent without one."""
        return None


class Learner(ABC):
    """One algorithm that learns one environment from one seed.

    It owns its environments, its networks and every random number generator that it draws from, so that `save` and then
    `load` continue as if nothing had happened, bit for bit, wherever `resumes_exactly`.
    """

    name: ClassVar[str]
    config_class: ClassVar[type]
    """of its settings"""
    config: Any
    """its settings, a dataclass"""
    steps: int
    """environment steps so far"""
    resumes_exactly: bool
    """False where the environment has no snapshots: a resumed run then begins with new episodes"""
    notes: tuple[str, ...]
    """what a user should know before training begins, a sentence each"""

    @abstractmethod
    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        """`config` overrides settings by name.

        Raises:
            UnknownEnvironment, BadParameter: there is no such environment.
            BadAgent: a setting is unknown, or the algorithm cannot learn in this environment.
        """

    @abstractmethod
    def advance(self) -> dict[str, float]:
        """Collect and learn for a second or two; returns figures to log (`episode_return`, losses, ...)."""

    @abstractmethod
    def policy(self) -> Agent:
        """The present policy, for evaluation; acting with it does not disturb training."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything needed to continue into `folder`, which exists. Raises OSError."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Continue from what `save` wrote. Raises BadCheckpoint."""

    @abstractmethod
    def export(self, path: Path) -> None:
        """Write the policy as ONNX to `path`, and a world model beside it as `<stem>.imagine.onnx`."""


class WorldModel(ABC):
    """A learned model of how an environment goes on, in latents of F numbers.

    Actions are as a head of `unseen.agents.shared.actions` encodes them; noise is uniform in [0, 1), so that the same
    numbers give the same roll-out.
    """

    @abstractmethod
    def encode(self, obs: Tensor) -> Tensor:
        """Observations (..., *shape) as embeddings (..., E)."""

    @abstractmethod
    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """The latent (n, F) after `action` (n, A) led to what is `embedded` (n, E); keep: (n, 1), 0 where an episode
        opens and 1 elsewhere."""

    @abstractmethod
    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        """The latent (n, F) after `action` (n, A), without an observation."""

    @abstractmethod
    def reward(self, latent: Tensor) -> Tensor:
        """Expected reward of the step that led to each latent (..., F): (...)."""

    @abstractmethod
    def continues(self, latent: Tensor) -> Tensor:
        """Probability that the episode goes on after each latent (..., F): (...)."""

    def decode(self, latent: Tensor) -> Tensor | None:
        """The observation (..., *shape) that each latent predicts, in its own units; None for a model without a
        decoder."""
        return None


class Planner(ABC):
    """Chooses actions by looking ahead in a world model."""

    @abstractmethod
    def plan(self, model: WorldModel, latent: Tensor, actor: Any, rng: np.random.Generator) -> np.ndarray:
        """Action rows (n, A) for latents (n, F), with `actor` as the prior over actions."""
