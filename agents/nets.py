"""Building blocks of the world-model agents: a small MLP, symlog, two-hot regression, categorical latents.

All of them keep leading dimensions as they are, so that one call serves a whole batch of sequences.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BINS = 41
LOW, HIGH = -4.0, 4.0  # in symlog units: values within about +-54
UNIMIX = 0.01  # share of the uniform distribution in every categorical, so that no log-probability explodes


class Dense(nn.Module):
    """Linear without bias, LayerNorm, SiLU. LayerNorm is one fused kernel on a CPU; RMSNorm takes twice as long."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, units, bias=False)
        self.scale = nn.Parameter(torch.ones(units))

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(norm(self.linear(x), self.scale))


class MLP(nn.Module):
    """`layers` of Dense, then, where `outputs` is given, a linear layer; with `zero` that one starts at 0."""

    def __init__(self, inputs: int, units: int, layers: int, outputs: int = 0, zero: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(Dense(inputs if i == 0 else units, units) for i in range(layers)))
        self.output = nn.Linear(units, outputs) if outputs else None
        if self.output is not None:
            nn.init.zeros_(self.output.bias)
            if zero:
                nn.init.zeros_(self.output.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x)
        return x if self.output is None else self.output(x)


def norm(x: Tensor, scale: Tensor) -> Tensor:
    """LayerNorm over the last dimension, with a scale and no shift."""
    return F.layer_norm(x, (x.shape[-1],), scale, None, 1e-4)


def symlog(x: Tensor) -> Tensor:
    """sign(x) log(1 + |x|): squeezes large values, leaves small ones."""
    return torch.sign(x) * torch.log1p(x.abs())


def symexp(x: Tensor) -> Tensor:
    """Inverse of `symlog`."""
    return torch.sign(x) * torch.expm1(x.abs())


def bin_values(device: torch.device | str) -> Tensor:
    """(BINS,) the values that the bins of a two-hot head stand for, spaced evenly in symlog."""
    return symexp(torch.linspace(LOW, HIGH, BINS, device=device))


def twohot_mean(logits: Tensor) -> Tensor:
    """Expected value (...) of a two-hot head's `logits` (..., BINS)."""
    return logits.softmax(-1) @ bin_values(logits.device)


def twohot_loss(logits: Tensor, value: Tensor) -> Tensor:
    """Cross-entropy (...) between `logits` (..., BINS) and `value` (...) split over its two nearest bins."""
    values = bin_values(logits.device)
    place = (symlog(value).clamp(LOW, HIGH) - LOW) / (HIGH - LOW) * (BINS - 1)
    below = place.floor().clamp(0, BINS - 2).long()
    low, high = values[below], values[below + 1]
    weight = ((value - low) / (high - low)).clamp(0, 1)
    pair = logits.log_softmax(-1).gather(-1, torch.stack([below, below + 1], -1))
    return -(pair[..., 0] * (1 - weight) + pair[..., 1] * weight)


def categorical(logits: Tensor, classes: int) -> Tensor:
    """Probabilities (..., groups, classes) from `logits` (..., groups * classes)."""
    return logits.unflatten(-1, (-1, classes)).softmax(-1) * (1 - UNIMIX) + UNIMIX / classes


def sample_onehot(probs: Tensor, uniform: Tensor) -> Tensor:
    """One-hot sample of `probs` (..., c) by inverse distribution function, from `uniform` (..., 1) in [0, 1)."""
    passed = (uniform >= probs.detach().cumsum(-1)[..., :-1]).to(probs.dtype)
    return F.pad(passed, (1, 0), value=1.0) - F.pad(passed, (0, 1))


def straight_through(probs: Tensor, uniform: Tensor) -> Tensor:
    """Like `sample_onehot`; the gradient passes as if the probabilities themselves had been returned."""
    return sample_onehot(probs, uniform) + (probs - probs.detach())
