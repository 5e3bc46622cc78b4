"""Interfaces of agents, learners, world models and planners. The rest of the code relies on nothing else.

Batched throughout: row i of every array belongs to environment i.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.view import Belief, Imagined

if TYPE_CHECKING:
    from torch import Tensor


class Agent(ABC):
    """Base class of everything that acts.

    Attributes:
        name: shown in tables and messages.
        obs: required observation mode; "" for the environment's default.
        action: required kind of actions, "discrete" or "continuous"; "" for the environment's default.
        samples: whether `explore` may change what `act` chooses.
        repeat: steps that a decision lasts: `act` decides at every `repeat`-th step of an episode, and else returns the same action.
    """

    name: str = ""
    obs: str = ""
    action: str = ""
    samples: bool = True
    repeat: int = 1

    def attach(self, env: Any) -> None:  # noqa: B027 - optional
        """Called once with the vector environment, before its first reset."""

    def seed(self, seed: int) -> None:  # noqa: B027
        """Set the agent's seed. Its random numbers depend only on this seed, the episode's seed and the step."""

    @abstractmethod
    def initial_state(self, seeds: np.ndarray) -> Any:
        """Initial memory for n environments. seeds: (n,) uint64, the seed of each episode."""

    @abstractmethod
    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        """Choose actions for n observations.

        Args:
            obs: (n, ...) one observation per environment.
            state: memory from `initial_state` or the previous `act`; it is not modified.
            first: (n,) bool, True where the observation is the first of an episode: memory of these rows is reset.
            explore: sample from the policy instead of taking its most likely action.

        Returns:
            Actions in the environment's action space, indices (n,) or vectors (n, a); and the new memory.
        """

    def belief(self, state: Any) -> Belief | None:
        """Where objects are, by the agent's memory; None for an agent that stores no positions."""
        return None

    def imagine(self, state: Any, horizon: int = 15, actions: np.ndarray | None = None) -> Imagined | None:
        """Roll out the agent's world model for `horizon` decisions; None for an agent without one.

        Args:
            actions: (n, horizon) or (n, horizon, a), from the one that follows the latest observation; by default the agent's.
        """
        return None

    def latent(self, state: Any) -> np.ndarray | None:
        """All that the agent remembers, as numbers (n, F); None for an agent without a memory of that form."""
        return None


@dataclass
class UpdateTime:
    """Gradient updates of a learner so far, and the time that they took in this process, in CPU-seconds and in seconds."""

    updates: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0


MAX_TRAINING_SEED = 2**32 - 1
"""NumPy and torch take no larger seed."""


class Learner(ABC):
    """An algorithm training on one environment from one seed.

    It owns its environments, networks and random number generators, so that training resumed by `load` is bit-identical to
    uninterrupted training, wherever `resumes_exactly`.
    """

    name: ClassVar[str]
    config_class: ClassVar[type]
    """dataclass of its settings"""
    config: Any
    """an instance of `config_class`"""
    steps: int
    """environment steps so far"""
    episodes: int | None = None
    """environment episodes that have ended so far; None: not counted"""
    stop_at: int | None = None
    """`advance` returns as soon as so many episodes have ended, or at the end of its roll-out; None: when it likes"""
    resumes_exactly: bool
    """False where the environment has no snapshots: a resumed run then starts new episodes"""
    notes: tuple[str, ...]
    """messages to show before training starts"""
    update_time: UpdateTime

    @classmethod  # noqa: B027
    def check(cls, env: EnvConfig, device: str) -> None:
        """Raise BadAgent if the algorithm does not support this environment or device, as far as that is known without making it."""

    @abstractmethod
    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        """Make environments and networks.

        Args:
            env: the training environment.
            seed: of everything random in training, in 0..MAX_TRAINING_SEED.
            device: torch device.
            config: settings that differ from the defaults, by name.


        Raises:
            UnknownEnvironment, BadParameter: there is no such environment.
            BadAgent: a setting is unknown, or the algorithm does not support this environment.
        """

    @abstractmethod
    def advance(self) -> dict[str, float]:
        """Collect experience and train for a second or two. Returns metrics to log (`episode_return`, losses, ...)."""

    def ask(self, env: EnvConfig) -> None:
        """Go on in `env`, which was played freely so far: the same environment with its question, and with rewards.

        What is learned is kept. A learner that remembers what it has seen labels it with what it would have been worth.

        Raises BadAgent where it cannot.
        """
        raise BadAgent(f"{self.name} cannot be asked after free play")

    def think(self, updates: int) -> dict[str, float]:
        """Train on what is remembered, without a step in the environment. Returns metrics; {} if nothing is remembered."""
        return {}

    @abstractmethod
    def policy(self) -> Agent:
        """The current policy, for evaluation. Acting with it does not affect training."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the complete training state into an existing folder. Raises OSError."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Restore the state written by `save`. Raises BadCheckpoint."""

    @abstractmethod
    def export(self, path: Path) -> None:
        """Write the policy as ONNX to `path`, and one step of the world model, if any, to `<stem>.imagine.onnx`."""


class WorldModel(ABC):
    """A learned model of the environment's dynamics, on latents of size F.

    Actions are encoded by an `unseen.agents.shared.actions.ActionHead`. Sampling noise, uniform in [0, 1), is an argument, so
    that roll-outs are reproducible.
    """

    @abstractmethod
    def encode(self, obs: Tensor) -> Tensor:
        """Embed observations (..., *shape) as (..., E)."""

    @abstractmethod
    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """Posterior latent (n, F), given the previous latent, the action (n, A) and the embedded observation (n, E).

        keep: (n, 1), 0 at the first step of an episode, else 1.
        """

    @abstractmethod
    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        """Prior latent (n, F) after `action` (n, A), without an observation."""

    @abstractmethod
    def reward(self, latent: Tensor) -> Tensor:
        """Expected reward (...) of the step that led to each latent (..., F)."""

    @abstractmethod
    def continues(self, latent: Tensor) -> Tensor:
        """Probability (...) that the episode continues after each latent (..., F)."""

    def decode(self, latent: Tensor) -> Tensor | None:
        """Predicted observation (..., *shape) in its own units; None for a model without a decoder."""
        return None


class Transition(NamedTuple):
    """Imagined outcomes of m pairs of a state and an action.

    Attributes:
        state: (m, ...) the most likely next states.
        reward: (m,) expected reward.
        over: (m,) probability that the episode ends.
        log_prob: (m,) log-probability of the next state; 0 in a simulator that is exact.
        novelty: (m,) how much less the next state is known than others.
        place: (m, k) what distinguishes states, in units such that states are the same if all of it rounds to the same integers;
            columns 2 j and 2 j + 1 are of the same thing, such as x and y. k = 0 if states cannot be told apart.
        acts: (m,) bool, actions have an effect in the next states; None for everywhere. Elsewhere, planners need try only one.
    """

    state: np.ndarray
    reward: np.ndarray
    over: np.ndarray
    log_prob: np.ndarray
    novelty: np.ndarray
    place: np.ndarray
    acts: np.ndarray | None = None


class Dynamics(ABC):
    """What planners imagine in: one step of a learned model, of any framework, or of the true simulator.

    Attributes:
        space: of the actions: Discrete, starting at 0, or a bounded 1-D Box.
    """

    space: spaces.Discrete | spaces.Box

    @abstractmethod
    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        """Imagine actions of the space, (m,) or (m, a), in states (m, ...); a row's outcome does not depend on the others.
        Raises BadAgent."""

    def prior(self, states: np.ndarray) -> np.ndarray | None:
        """The policy in states (m, ...), as `unseen.agents.shared.priors` describes it; None without a policy."""
        return None

    def value(self, states: np.ndarray) -> np.ndarray:
        """Expected discounted return (m,) from states (m, ...) on; 0 without a critic."""
        return np.zeros(len(states))


@dataclass(frozen=True)
class Plan:
    """Actions and what they are expected to lead to.

    Attributes:
        actions: (h,) or (h, a) of the action space.
        places: (h, k) `Transition.place` after each action, to notice when something else happens; k = 0 if the planner
            does not tell.
        worth: how good the plan is; comparable between plans of one planner.
        dropped: a few other sequences of actions that were imagined and not chosen, each like `actions`, to be drawn.
        success: probability, by the model, that following it to its end is rewarded; None if it is followed for another reason, or
            the planner does not say.
    """

    actions: np.ndarray
    places: np.ndarray
    worth: float
    dropped: tuple[np.ndarray, ...] = ()
    success: float | None = None


class Planner(ABC):
    """Searches for plans."""

    @abstractmethod
    def plan(
        self,
        dynamics: Dynamics,
        states: np.ndarray,
        imagined: int,
        words: np.ndarray,
        begun: Sequence[np.ndarray | None] | None = None,
    ) -> list[Plan | None]:
        """A plan for each of n states, or None.

        Args:
            states: (n, ...) where to start.
            imagined: maximum number of imagined steps for each of them; 0 for no planning.
            words: (n,) uint64 random words, which determine whatever is chosen at random.
            begun: for each state, the actions (k,) or (k, a) that are left of the plan made before, or None.
        """
