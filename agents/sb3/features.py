"""The shared encoders as stable-baselines3 feature extractors of rows: the last k observations, flattened, oldest first."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from unseen.agents.shared.encoders import make_encoder, prepare
from unseen.agents.shared.envs import ObservationSpec, Rays
from unseen.agents.shared.nets import symlog


class EncoderExtractor(BaseFeaturesExtractor):
    """Encodes rows of images or of vectors with rays as `hidden` features.

    The convolutions see all k observations at once: the pixels, or rays, of each are channels of their own.
    """

    def __init__(self, space: spaces.Space, observation: ObservationSpec, stack: int, hidden: int) -> None:
        super().__init__(space, hidden)
        self.observation, self.stack = observation, stack
        self.stacked = _stacked(observation, stack)
        self.encoder = make_encoder(self.stacked, hidden)

    def forward(self, rows: Tensor) -> Tensor:
        frames = rows.reshape(-1, self.stack, *self.observation.shape)
        if self.observation.image:
            together = frames.permute(0, 2, 3, 1, 4)
        else:
            rays = self.observation.rays
            assert rays is not None
            rest = torch.cat([frames[..., : rays.start], frames[..., rays.stop :]], -1).flatten(1)
            seen = frames[..., rays.start : rays.stop].reshape(-1, self.stack, rays.count, rays.width)
            together = torch.cat([rest, seen.permute(0, 2, 1, 3).flatten(1)], -1)
        return self.encoder(prepare(together.reshape(-1, *self.stacked.shape), self.stacked))


def _stacked(observation: ObservationSpec, stack: int) -> ObservationSpec:
    """What an encoder is given of k observations: images with k times the channels, or vectors with k times as wide rays."""
    if observation.image:
        *size, channels = observation.shape
        return ObservationSpec((*size, stack * channels), image=True)
    one = observation.rays
    assert one is not None
    rest = observation.size - one.count * one.width
    rays = Rays(stack * rest, one.count, stack * one.width, one.fov)
    return ObservationSpec((stack * observation.size,), rays=rays)


class SymlogExtractor(BaseFeaturesExtractor):
    """Applies symlog to rows whose values may be large."""

    def __init__(self, space: spaces.Box) -> None:
        super().__init__(space, space.shape[0])

    def forward(self, rows: Tensor) -> Tensor:
        return symlog(rows)


def feature_arguments(observation: ObservationSpec, stack: int, hidden: int) -> dict[str, Any]:
    """Policy arguments that select a feature extractor; empty where rows need none."""
    if observation.image or observation.rays is not None:
        arguments = {"observation": observation, "stack": stack, "hidden": hidden}
        return {"features_extractor_class": EncoderExtractor, "features_extractor_kwargs": arguments}
    return {"features_extractor_class": SymlogExtractor} if observation.use_symlog else {}
