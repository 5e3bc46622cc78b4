"""A recurrent joint-embedding predictive world model: it predicts embeddings of observations, and has no decoder.

LeCun (2022), "A path towards autonomous machine intelligence", and Assran et al. (2023), I-JEPA, predict in the space of an
encoder that is trained with the predictor. The output of a constant encoder would be predicted perfectly; SIGReg prevents this collapse
(`unseen.agents.models.sigreg`). Here the predictor starts from a recurrent context, so that it can predict what is hidden now.

Shapes: T time, n rows, D size of the context, E of an embedding, O of the own state, A of an encoded action.

- The *own state* is the first part of a slot observation: pose, phase, query, contact, signals. It is kept beside the embedding, in its
  own units, as proprioception is in DINO-WM (Zhou et al. 2024). Other observations have none: O = 0.
- A *percept* (..., E + O) is an embedding and an own state, observed or predicted.
- A *latent* (..., D + O) is a context and an own state. It is deterministic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models.latent import LatentModel
from unseen.agents.models.places import PlaceMap
from unseen.agents.shared.encoders import make_encoder, prepare
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.nets import BINS, Memory, TwoHot, mlp


@dataclass(frozen=True)
class JEPASizes:
    """Sizes of the model."""

    context: int = 128
    """size of the recurrent context, D"""
    embedding: int = 64
    """size of the embedding of an observation, E"""
    hidden: int = 128
    """hidden units of every layer"""


class JEPA(LatentModel):
    """Encoder, recurrent context, predictor, and heads for reward, continuation and, with entity slots, the map of places.

    The inputs of the reward and continue heads are those of the actor: the latent, and the map's entry for the queried entity.
    """

    groups = 0  # no noise: nothing is sampled

    def __init__(
        self,
        observation: ObservationSpec,
        actions: int,
        sizes: JEPASizes,
        layout: Layout | None = None,
        has_map: bool = True,
    ) -> None:
        super().__init__()
        self.observation = observation
        context, hidden = sizes.context, sizes.hidden
        self.context, self.embedding = context, sizes.embedding
        own = 0 if layout is None else layout.head
        self.own, self.size = own, context + own
        self.encoder = nn.Sequential(make_encoder(observation, hidden), nn.Linear(hidden, sizes.embedding))
        self.memory = Memory(sizes.embedding + own + actions, context)
        self.predictor = mlp(self.size + actions, hidden, 2, sizes.embedding + own)
        self.map = None if layout is None or not has_map else PlaceMap(context, hidden, layout)
        self.reward_head = mlp(self.actor_inputs, hidden, 1, BINS, zero=True)
        self.cont_head = mlp(self.actor_inputs, hidden, 1, 1)
        self.twohot = TwoHot()

    # --- WorldModel ---

    def encode(self, obs: Tensor) -> Tensor:
        """The percept (..., E + O) of observations (..., *shape)."""
        return self._percept(prepare(obs, self.observation))

    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; noise is not used."""
        seen = torch.cat([embedded, action * keep], -1)
        return torch.cat(
            [self.memory.step(seen, latent[..., : self.context] * keep), embedded[..., self.embedding :]], -1
        )

    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; noise is not used. The predicted percept is treated as if it had been observed."""
        return self.observe(latent, action, self.predict(latent, action), latent.new_ones(()), noise)

    def reward(self, latent: Tensor) -> Tensor:
        return self.twohot.mean(self.reward_head(self.actor_input(latent)))

    def continues(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(self.cont_head(self.actor_input(latent))[..., 0])

    # --- outputs for the policy and the viewer ---

    @property
    def actor_inputs(self) -> int:
        return self.size + (0 if self.map is None else self.map.look_up_size)

    def actor_input(self, latent: Tensor) -> Tensor:
        """The latent and, with a map, its entry for the queried entity, relative to the agent's pose (..., actor_inputs)."""
        if self.map is None:
            return latent
        context, own = latent.split([self.context, self.own], -1)
        return torch.cat([latent, self.map.look_up(context, own).detach()], -1)

    def pose(self, latent: Tensor, layout: Layout) -> Tensor:
        return latent[..., self.context :][..., layout.pose]

    def decode_map(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        return {} if self.map is None else self.map.drawn(latent[..., : self.context])

    # --- learning ---

    def predict(self, latent: Tensor, action: Tensor) -> Tensor:
        """The next percept (..., E + O) after `action` (..., A). The network predicts the embedding, and the change of the own state."""
        ahead = self.predictor(torch.cat([latent, action], -1))
        embedding, change = ahead.split([self.embedding, self.own], -1)
        return torch.cat([embedding, latent[..., self.context :] + change], -1)

    def observe_episodes(self, prepared: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Percepts (T, n, E + O) and latents (T, n, D + O) of whole episodes of prepared observations (T, n, *shape).

        action: (T, n, A), the action that led to each observation; zero at t = 0.
        """
        percept = self._percept(prepared)
        context, _ = self.memory(torch.cat([percept, action], -1))
        return percept, torch.cat([context, percept[..., self.embedding :]], -1)

    def roll_out(self, latent: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Predicted percepts (K, n, E + O) and latents (K, n, D + O) after each of the actions (K, n, A) from latents (n, D + O)."""
        percepts, latents, keep, noise = [], [], latent.new_ones(()), latent[:, :0]
        for a in action.unbind(0):
            percepts.append(self.predict(latent, a))
            latent = self.observe(latent, a, percepts[-1], keep, noise)
            latents.append(latent)
        return torch.stack(percepts), torch.stack(latents)

    def prediction_loss(self, predicted: Tensor, percept: Tensor) -> Tensor:
        """Squared error (...): mean over the embedding, plus sum over the own state."""
        error = (predicted - percept) ** 2
        embedding, own = error.split([self.embedding, self.own], -1)
        return embedding.mean(-1) + own.sum(-1)

    def head_losses(self, latent: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Loss (...) of each head on latents (..., D + O).

        labels: `reward` and `terminated` (...), and with a map `targets` (..., 5 k), see `PlaceMap.labels`.
        """
        inputs = self.actor_input(latent)
        cont_logit = self.cont_head(inputs)[..., 0]
        losses = {
            "reward": self.twohot.loss(self.reward_head(inputs), labels["reward"]),
            "continue": F.binary_cross_entropy_with_logits(cont_logit, 1 - labels["terminated"], reduction="none"),
        }
        if self.map is not None:
            losses["map"] = self.map.loss(latent[..., : self.context], *self.map.labels(labels["targets"]))
        return losses

    def _percept(self, prepared: Tensor) -> Tensor:
        return self.with_own(self.encoder(prepared), prepared)

    def with_own(self, embedding: Tensor, prepared: Tensor) -> Tensor:
        """The percept (..., E + O) of an embedding and the own state in prepared observations (..., *shape)."""
        return torch.cat([embedding, prepared[..., : self.own]], -1) if self.own else embedding
