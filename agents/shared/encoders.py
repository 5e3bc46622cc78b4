"""Encoders and decoders of observations: flat vectors, vectors with rays, and images."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.shared.envs import ObservationSpec
from unseen.agents.shared.nets import Layer, mlp, norm, symexp, symlog

CHANNELS = 16  # of the first convolution; doubled by each further one
BOTTOM = 8  # pixels: convolutions halve the image until it is at most this large
LARGE = 32  # pixels: an encoder first shrinks a larger image to a quarter, as DQN's does (Mnih et al. 2015), at a quarter of the cost
RAY_CHANNELS = 16
LEAST_STD = 1e-3  # lower bound of standard deviations, so that nearly constant values are not amplified
CLIP = 10.0  # standard deviations


def prepare(obs: Tensor, observation: ObservationSpec) -> Tensor:
    """Convert observations (..., *shape) to the encoder's input: pixels are scaled to [0, 1]."""
    return obs.float() / 255 if observation.image else obs


class Standardise(nn.Module):
    """Vectors (..., size) -> (..., size) with mean 0 and variance 1 over the rows given to `update`, clipped at `CLIP` standard deviations.

    A value that is rarely other than 0, such as whether a thing is seen, becomes large when it is.
    """

    mean: Tensor
    std: Tensor
    seen: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))
        self.register_buffer("seen", torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def update(self, rows: Tensor) -> None:
        """Include rows (n, size) in mean and variance."""
        mean, variance, rows = self.mean.double(), self.std.double() ** 2, rows.double()
        self.seen += len(rows)
        share = len(rows) / self.seen
        apart = rows.mean(0) - mean
        variance = (1 - share) * variance + share * rows.var(0, correction=0) + share * (1 - share) * apart**2
        self.mean.copy_(mean + share * apart)
        self.std.copy_(variance.sqrt())

    def forward(self, obs: Tensor) -> Tensor:
        return ((obs - self.mean) / self.scale).clamp(-CLIP, CLIP)

    @property
    def scale(self) -> Tensor:
        return self.std.clamp(min=LEAST_STD)

    def inverse(self, standardised: Tensor) -> Tensor:
        """Vectors (..., size) in their own units."""
        return standardised * self.scale + self.mean

    def part(self, values: Tensor, columns: slice) -> Tensor:
        """Some columns (..., m) of a vector, standardised."""
        return ((values - self.mean[columns]) / self.scale[columns]).clamp(-CLIP, CLIP)


def make_encoder(observation: ObservationSpec, hidden: int) -> nn.Module:
    """An encoder of prepared observations (..., *shape) -> (..., hidden)."""
    if observation.image:
        return ImageEncoder(observation, hidden)
    return VectorEncoder(observation, hidden) if observation.rays is None else RayEncoder(observation, hidden)


def ignore(encoder: nn.Module, columns: slice) -> None:
    """Set the first layer's weights for some columns of a vector to zero: they have no effect until they are learned.

    Encoders of images are not changed.
    """
    if isinstance(encoder, VectorEncoder | RayEncoder):
        first = encoder.net[0]
        assert isinstance(first, Layer)
        with torch.no_grad():
            first.weight[:, columns] = 0


def make_decoder(features: int, hidden: int, observation: ObservationSpec) -> VectorDecoder | ImageDecoder:
    """A decoder of latents (..., features), whose output is trained towards `target` of the prepared observation."""
    return (ImageDecoder if observation.image else VectorDecoder)(features, hidden, observation)


class VectorEncoder(nn.Module):
    """MLP encoder (..., size) -> (..., hidden)."""

    def __init__(self, observation: ObservationSpec, hidden: int) -> None:
        super().__init__()
        self.use_symlog = observation.use_symlog
        self.net = mlp(observation.size, hidden, 2)

    def forward(self, obs: Tensor) -> Tensor:
        return self.net(symlog(obs) if self.use_symlog else obs)


class RayEncoder(nn.Module):
    """Encoder of vectors with rays, (..., size) -> (..., hidden), by 1-D convolutions over the rays."""

    def __init__(self, observation: ObservationSpec, hidden: int) -> None:
        super().__init__()
        assert observation.rays is not None
        self.rays = observation.rays
        self.near = nn.Conv1d(self.rays.width, RAY_CHANNELS, 3, padding=1)
        self.far = nn.Conv1d(RAY_CHANNELS, 2 * RAY_CHANNELS, 3, stride=2, padding=1)
        rest = observation.size - self.rays.count * self.rays.width
        self.net = mlp(rest + 2 * RAY_CHANNELS * math.ceil(self.rays.count / 2), hidden, 2)

    def forward(self, obs: Tensor) -> Tensor:
        start, stop = self.rays.start, self.rays.stop
        rays = obs[..., start:stop].reshape(-1, self.rays.count, self.rays.width).transpose(1, 2)
        seen = F.silu(self.far(F.silu(self.near(rays)))).flatten(1)
        rest = torch.cat([obs[..., :start], obs[..., stop:]], -1)
        return self.net(torch.cat([rest, seen.reshape(*obs.shape[:-1], -1)], -1))


class ImageEncoder(nn.Module):
    """Convolutional encoder of pixels in [0, 1], (..., height, width, channels) -> (..., hidden).

    In training mode, convolutions run in bfloat16 on CPUs with AVX-512 BF16, in less than half the time; in `eval` mode, and so in exported
    agents, in full precision.
    """

    def __init__(self, observation: ObservationSpec, hidden: int) -> None:
        super().__init__()
        height, width, channels = observation.shape
        layers, outputs = [], CHANNELS
        if max(height, width) > LARGE:
            layers.append(nn.Conv2d(channels, outputs, 8, stride=4, padding=2))
            height, width, channels, outputs = height // 4, width // 4, outputs, 2 * outputs
        while max(height, width) > BOTTOM:
            layers.append(nn.Conv2d(channels, outputs, 4, stride=2, padding=1))
            height, width, channels, outputs = height // 2, width // 2, outputs, 2 * outputs
        self.layers = nn.ModuleList(layers)
        self.bottom = (channels, height, width)
        self.out = Layer(math.prod(self.bottom), hidden)

    def forward(self, obs: Tensor) -> Tensor:
        x = obs.flatten(0, -4).permute(0, 3, 1, 2)
        half = self.training and x.device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            for layer in self.layers:
                x = F.silu(layer(x))
        return self.out(x.float().flatten(1)).reshape(*obs.shape[:-3], -1)


class VectorDecoder(nn.Module):
    """MLP decoder of latents (..., F) -> (..., size), in symlog units."""

    def __init__(self, features: int, hidden: int, observation: ObservationSpec) -> None:
        super().__init__()
        self.net = mlp(features, hidden, 2, observation.size)

    def forward(self, latent: Tensor) -> Tensor:
        return self.net(latent)

    @staticmethod
    def target(prepared: Tensor) -> Tensor:
        """Regression target of `forward` for prepared observations (..., size)."""
        return symlog(prepared)

    @staticmethod
    def inverse(predicted: Tensor) -> Tensor:
        """Convert the output of `forward` to observations."""
        return symexp(predicted)


class ImageDecoder(nn.Module):
    """Convolutional decoder of latents (..., F) -> pixels in [0, 1], (..., height, width, channels)."""

    def __init__(self, features: int, hidden: int, observation: ObservationSpec) -> None:
        super().__init__()
        self.shape = observation.shape
        sizes = [observation.shape[:2]]
        while max(sizes[-1]) > BOTTOM:
            sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
        widths = [observation.shape[2], *(CHANNELS * 2**i for i in range(len(sizes) - 1))]
        self.bottom = (widths[-1], *sizes[-1])
        self.net = mlp(features, hidden, 1, math.prod(self.bottom))
        self.gain = nn.Parameter(torch.ones(widths[-1]))
        steps = reversed(range(len(sizes) - 1))
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(
                widths[i + 1], widths[i], 4, stride=2, padding=1, output_padding=(sizes[i][0] % 2, sizes[i][1] % 2)
            )
            for i in steps
        )

    def forward(self, latent: Tensor) -> Tensor:
        x = self.net(latent).reshape(-1, *self.bottom)
        x = norm(x.permute(0, 2, 3, 1), self.gain).permute(0, 3, 1, 2)
        for layer in self.layers:
            x = layer(F.silu(x))
        return x.permute(0, 2, 3, 1).reshape(*latent.shape[:-1], *self.shape) + 0.5

    @staticmethod
    def target(prepared: Tensor) -> Tensor:
        return prepared

    @staticmethod
    def inverse(predicted: Tensor) -> Tensor:
        return predicted.clamp(0, 1) * 255
