"""The shared encoders as stable-baselines3 feature extractors."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from unseen.agents.shared.encoders import make_encoder
from unseen.agents.shared.envs import ObservationSpec
from unseen.agents.shared.nets import symlog


class EncoderExtractor(BaseFeaturesExtractor):
    """Encodes rows with rays, or channel-first images in [0, 1], as `hidden` features."""

    def __init__(self, space: spaces.Space, observation: ObservationSpec, hidden: int) -> None:
        super().__init__(space, hidden)
        self.image = observation.image
        self.encoder = make_encoder(observation, hidden)

    def forward(self, obs: Tensor) -> Tensor:
        return self.encoder(obs.permute(0, 2, 3, 1) if self.image else obs)


class SymlogExtractor(BaseFeaturesExtractor):
    """Applies symlog to rows whose values may be large."""

    def __init__(self, space: spaces.Box) -> None:
        super().__init__(space, space.shape[0])

    def forward(self, obs: Tensor) -> Tensor:
        return symlog(obs)


def feature_arguments(observation: ObservationSpec, hidden: int) -> dict[str, Any]:
    """Policy arguments that select a feature extractor; empty where observations need none."""
    if observation.image or observation.rays is not None:
        arguments = {"observation": observation, "hidden": hidden}
        return {"features_extractor_class": EncoderExtractor, "features_extractor_kwargs": arguments}
    return {"features_extractor_class": SymlogExtractor} if observation.use_symlog else {}
