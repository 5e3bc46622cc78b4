"""Policies as rows of numbers, and actions chosen by them, in NumPy.

For a Discrete space with a actions, a row is their logits (a,). For a Box with a dimensions, it is the means and the standard deviations
(2 a,) of normals whose tanh maps to the bounds (`unseen.agents.shared.actions.SquashedNormal`).
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

Space = spaces.Discrete | spaces.Box


def noise_width(space: Space) -> int:
    """Number of uniform random numbers that `choose` takes for an action."""
    return 1 if isinstance(space, spaces.Discrete) else 2 * space.shape[0]


def choose(space: Space, prior: np.ndarray | None, uniform: np.ndarray, explore: bool) -> np.ndarray:
    """Actions of a policy, or random ones without a policy.

    Args:
        prior: (m, a) or (m, 2 a) the policy in m states; None for random actions.
        uniform: (m, noise_width) in [0, 1).
        explore: sample instead of taking the most likely action.

    Returns:
        Actions (m,) int64 or (m, a) float32.
    """
    if isinstance(space, spaces.Discrete):
        if prior is None:
            return (uniform[:, 0] * space.n).astype(np.int64)
        if not explore:
            return prior.argmax(-1)
        sums = np.exp(log_softmax(prior)).cumsum(-1)
        return np.minimum((sums <= uniform[:, :1] * sums[:, -1:]).sum(-1), int(space.n) - 1)
    a = space.shape[0]
    if prior is None:
        return scaled(space, 2 * uniform[:, :a] - 1)
    return scaled(space, squashed(prior, normal(uniform) if explore else np.zeros(a)))


def squashed(prior: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1] (..., a) from rows of continuous policies (..., 2 a) and standard normal numbers (..., a)."""
    mean, std = np.split(prior, 2, axis=-1)
    return np.tanh(mean + std * normals)


def scaled(space: spaces.Box, encoded: np.ndarray) -> np.ndarray:
    """Actions (..., a) float32 of a Box for vectors in [-1, 1] (..., a)."""
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    return np.clip(low + (encoded + 1) / 2 * (high - low), low, high).astype(np.float32)


def encoded(space: spaces.Box, actions: np.ndarray) -> np.ndarray:
    """Vectors in [-1, 1] (..., a) for actions of a Box (..., a); the inverse of `scaled`."""
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    return 2 * (actions - low) / (high - low) - 1


def normal(uniform: np.ndarray) -> np.ndarray:
    """Standard normal numbers (..., d) from uniform ones (..., 2 d) in [0, 1), by Box-Muller."""
    one, other = np.split(uniform.astype(np.float64), 2, axis=-1)
    return np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * other)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities for logits (..., a)."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
