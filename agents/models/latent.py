"""The interface of world models for learners that train a policy in imagination, and for their exported graphs."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from unseen.agents.models.places import PlaceMap
from unseen.agents.protocol import WorldModel
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.nets import TwoHot


class LatentModel(nn.Module, WorldModel):
    """A world model in torch.

    Attributes:
        observation: of a single environment.
        size: of a latent, F.
        groups: uniform random numbers per row that `observe` and `imagine_step` take as noise; 0 if the model is deterministic.
        twohot: distribution over rewards.
        map: the map of places, if the model has one.
    """

    observation: ObservationSpec
    size: int
    groups: int
    twohot: TwoHot
    map: PlaceMap | None

    @property
    def actor_inputs(self) -> int:
        """Size of `actor_input`."""
        return self.size

    def actor_input(self, latent: Tensor) -> Tensor:
        """Input of actor and critic (..., actor_inputs) for latents (..., F)."""
        return latent

    def likely_step(self, latent: Tensor, action: Tensor) -> Tensor:
        """The most likely latent (n, F) after `action` (n, A), without an observation."""
        return self.imagine_step(latent, action, latent[:, :0])

    @abstractmethod
    def pose(self, latent: Tensor, layout: Layout) -> Tensor:
        """The agent's pose (n, 4) for latents (n, F): x, y, cos, sin."""

    def decode_boxes(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        """`boxes` for latents (n, F), as `unseen.agents.shared.graph_agent` documents it; an empty dict if none are predicted."""
        return {}

    @abstractmethod
    def decode_map(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        """`map` and `places` for latents (n, F), as `unseen.agents.shared.graph_agent` documents them; empty if the model has neither."""
