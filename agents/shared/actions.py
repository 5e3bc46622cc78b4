"""Action heads: map policy outputs to action distributions, which are sampled with noise given by the caller.

An *encoded* action, the input of world models and the sample of a policy, is a one-hot vector or a vector in [-1, 1].
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import spaces
from torch import Tensor

from unseen.agents.shared.nets import sample_one_hot, unimix

LOG_STD = (-4.0, 1.0)  # range of a squashed normal's log standard deviation
EDGE = 1e-6  # keeps log_prob finite at the ends of [-1, 1]


class Distribution(ABC):
    """A distribution over encoded actions (..., A)."""

    @abstractmethod
    def mode(self) -> Tensor:
        """The most likely action (..., A)."""

    @abstractmethod
    def sample(self, uniform: Tensor) -> Tensor:
        """A sample (..., A), from uniform noise (..., noise) in [0, 1)."""

    @abstractmethod
    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability (...) of encoded actions (..., A)."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """Entropy (...) in nats."""


class ActionHead(ABC):
    """Translates between policy outputs, encoded actions and the actions of one space.

    Attributes:
        size: size of an encoded action, A.
        outputs: size of the policy network's output.
        noise: uniform random numbers that one sample takes.
    """

    size: int
    outputs: int
    noise: int

    @abstractmethod
    def distribution(self, outputs: Tensor) -> Distribution:
        """The distribution given policy outputs (..., outputs)."""

    @abstractmethod
    def encode(self, action: Tensor) -> Tensor:
        """Encode actions of the space, (...) int64 or (..., A), as (..., A)."""

    @abstractmethod
    def decode(self, encoded: Tensor) -> Tensor:
        """Decode (..., A) into actions of the space."""

    @abstractmethod
    def random(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n uniformly sampled actions of the space."""

    @abstractmethod
    def zeros(self, *shape: int) -> np.ndarray:
        """Zeros with batch shape `shape`, in the shape and dtype of actions."""


class Categorical(Distribution):
    """Categorical over A actions, each with a probability of at least UNIMIX / A."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        self.probs = unimix(logits)
        self._logp = self.probs.log()

    def mode(self) -> Tensor:
        return F.one_hot(self.logits.argmax(-1), self.logits.shape[-1]).to(self.logits.dtype)

    def sample(self, uniform: Tensor) -> Tensor:
        return sample_one_hot(self.probs, uniform)

    def log_prob(self, action: Tensor) -> Tensor:
        return (self._logp * action).sum(-1)

    def entropy(self) -> Tensor:
        return -(self._logp.exp() * self._logp).sum(-1)


class DiscreteActions(ActionHead):
    """Head for a Discrete space that starts at 0."""

    def __init__(self, n: int) -> None:
        self.size = self.outputs = n
        self.noise = 1

    def distribution(self, outputs: Tensor) -> Categorical:
        return Categorical(outputs)

    def encode(self, action: Tensor) -> Tensor:
        return F.one_hot(action, self.size).float()

    def decode(self, encoded: Tensor) -> Tensor:
        return encoded.argmax(-1)

    def random(self, rng: np.random.Generator, n: int) -> np.ndarray:
        return rng.integers(0, self.size, n)

    def zeros(self, *shape: int) -> np.ndarray:
        return np.zeros(shape, np.int64)


class SquashedNormal(Distribution):
    """tanh of an independent normal in each dimension, with actions in (-1, 1) (Haarnoja et al. 2018, SAC)."""

    # Gauss-Hermite quadrature of the standard normal, for the change of entropy by tanh.
    _NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)

    def __init__(self, mean: Tensor, log_std: Tensor) -> None:
        self.mean, self.log_std = mean, log_std

    def mode(self) -> Tensor:
        return torch.tanh(self.mean)

    def sample(self, uniform: Tensor) -> Tensor:
        return torch.tanh(self.mean + self.log_std.exp() * normal(uniform))

    def log_prob(self, action: Tensor) -> Tensor:
        x = torch.atanh(action.clamp(-1 + EDGE, 1 - EDGE))
        z = (x - self.mean) * (-self.log_std).exp()
        inner = -0.5 * z**2 - self.log_std - 0.5 * math.log(2 * math.pi)
        return (inner - _log_slope(x)).sum(-1)

    def entropy(self) -> Tensor:
        nodes = torch.as_tensor(self._NODES, dtype=self.mean.dtype, device=self.mean.device)
        weights = torch.as_tensor(self._WEIGHTS / self._WEIGHTS.sum(), dtype=self.mean.dtype, device=self.mean.device)
        x = self.mean[..., None] + self.log_std.exp()[..., None] * nodes
        inner = self.log_std + 0.5 * math.log(2 * math.pi * math.e)
        return (inner + (_log_slope(x) * weights).sum(-1)).sum(-1)


class ContinuousActions(ActionHead):
    """Head for a bounded 1-D Box. Encoding maps its bounds to -1 and 1."""

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.size = len(low)
        self.outputs = self.noise = 2 * self.size
        self.low, self.high = torch.as_tensor(low, dtype=torch.float32), torch.as_tensor(high, dtype=torch.float32)

    def distribution(self, outputs: Tensor) -> SquashedNormal:
        mean, raw = outputs.chunk(2, -1)
        low, high = LOG_STD
        return SquashedNormal(mean, low + (high - low) * torch.sigmoid(raw))

    def encode(self, action: Tensor) -> Tensor:
        low, high = self.low.to(action.device), self.high.to(action.device)
        return 2 * (action - low) / (high - low) - 1

    def decode(self, encoded: Tensor) -> Tensor:
        low, high = self.low.to(encoded.device), self.high.to(encoded.device)
        return torch.clamp(low + (encoded + 1) / 2 * (high - low), low, high)

    def random(self, rng: np.random.Generator, n: int) -> np.ndarray:
        return rng.uniform(self.low.numpy(), self.high.numpy(), (n, self.size)).astype(np.float32)

    def zeros(self, *shape: int) -> np.ndarray:
        return np.zeros((*shape, self.size), np.float32)


def action_head(space: Any) -> ActionHead:
    """The head for an action space of `unseen.agents.shared.envs.Environments`."""
    if isinstance(space, spaces.Discrete):
        return DiscreteActions(int(space.n))
    return ContinuousActions(space.low, space.high)


def normal(uniform: Tensor) -> Tensor:
    """Standard normal numbers (..., d) from uniform ones (..., 2 d) in [0, 1), by Box-Muller, which exports to ONNX."""
    a, b = uniform.chunk(2, -1)
    return torch.sqrt(-2 * torch.log(1 - a)) * torch.cos(2 * math.pi * b)


def _log_slope(x: Tensor) -> Tensor:
    """Log of the derivative of tanh at x, numerically stable."""
    return 2 * (math.log(2) - x - F.softplus(-2 * x))
