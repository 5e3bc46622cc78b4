"""Small networks and distributions shared by the algorithms."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-3
UNIMIX = 0.01
BINS = 41
BIN_LIMIT = 4.0  # symlog units: values up to e^4 - 1 = 53.6 at scale 1


class Layer(nn.Module):
    """Linear, LayerNorm, SiLU. LayerNorm is fused on CPU; RMSNorm is not, and makes an update a sixth slower."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.gain = nn.Parameter(torch.ones(outputs))
        nn.init.uniform_(self.weight, -(inputs**-0.5), inputs**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(norm(F.linear(x, self.weight), self.gain))


def norm(x: Tensor, gain: Tensor) -> Tensor:
    """LayerNorm over the last axis, without a bias."""
    return F.layer_norm(x, gain.shape, gain, None, NORM_EPS)


def mlp(inputs: int, hidden: int, layers: int, outputs: int = 0, zero: bool = False) -> nn.Sequential:
    """An MLP with `layers` hidden layers and, if `outputs`, a linear output layer, initialised to zero if `zero`."""
    parts: list[nn.Module] = [Layer(inputs if i == 0 else hidden, hidden) for i in range(layers)]
    if outputs:
        last = nn.Linear(hidden, outputs)
        nn.init.zeros_(last.bias)
        if zero:
            nn.init.zeros_(last.weight)
        parts.append(last)
    return nn.Sequential(*parts)


KEEP_BIAS = 1.0  # added to the bias of the update gate, so that memory lasts from the start of training (Tallec and Ollivier 2018)


class Memory(nn.GRU):
    """A GRU that can take one step, in operations that export to ONNX; `forward` takes whole sequences, time first."""

    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__(inputs, size)
        with torch.no_grad():
            self.bias_ih_l0[size : 2 * size] += KEEP_BIAS

    def step(self, x: Tensor, memory: Tensor) -> Tensor:
        """The next memory (n, size), for inputs (n, inputs)."""
        xr, xz, xn = F.linear(x, self.weight_ih_l0, self.bias_ih_l0).chunk(3, -1)
        hr, hz, hn = F.linear(memory, self.weight_hh_l0, self.bias_hh_l0).chunk(3, -1)
        update = torch.sigmoid(xz + hz)
        candidate = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        return (1 - update) * candidate + update * memory


def symlog(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.log1p(x.abs())


def symexp(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.expm1(x.abs())


class TwoHot(nn.Module):
    """A scalar as a distribution over symexp-spaced bins (Hafner et al. 2023, DreamerV3), in units of `scale`.

    At scale 1 the bins end at 53.6. `extend_range` raises the scale to a larger power of two when the data need it.
    """

    values: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("values", symexp(torch.linspace(-BIN_LIMIT, BIN_LIMIT, BINS)), persistent=False)
        self.register_buffer("scale", torch.ones(()))

    def extend_range(self, magnitude: float) -> None:
        """Extend the range to values up to `magnitude`. A change of scale multiplies all predictions by the same factor."""
        limit = float(self.values[-1])
        if magnitude > limit * float(self.scale):
            self.scale.fill_(2.0 ** math.ceil(math.log2(magnitude / limit)))

    def mean(self, logits: Tensor) -> Tensor:
        """Expected value (...) for logits (..., BINS)."""
        return logits.softmax(-1) @ self.values * self.scale

    def loss(self, logits: Tensor, x: Tensor) -> Tensor:
        """Cross-entropy (...) with the two-hot encoding of x, whose expected value is x."""
        x = x / self.scale
        y = (symlog(x).clamp(-BIN_LIMIT, BIN_LIMIT) + BIN_LIMIT) / (2 * BIN_LIMIT) * (BINS - 1)
        k = y.floor().clamp(0, BINS - 2).long()
        low, high = self.values[k], self.values[k + 1]
        w = ((x - low) / (high - low)).clamp(0, 1)
        logp = logits.log_softmax(-1).gather(-1, torch.stack([k, k + 1], -1))
        return -(logp[..., 0] * (1 - w) + logp[..., 1] * w)


def unimix(logits: Tensor) -> Tensor:
    """Softmax over the last axis, mixed with 1 % of the uniform distribution."""
    return logits.softmax(-1) * (1 - UNIMIX) + UNIMIX / logits.shape[-1]


def sample_one_hot(probs: Tensor, uniform: Tensor) -> Tensor:
    """One-hot samples (..., c) from probabilities (..., c), by one number (..., 1) each, uniform in [0, 1)."""
    above = (probs.cumsum(-1) >= uniform).to(probs.dtype)
    above = torch.cat([above[..., :-1], torch.ones_like(above[..., :1])], -1)  # the rounded sum may be below 1
    return torch.cat([above[..., :1], above[..., 1:] - above[..., :-1]], -1)
