"""The recurrent state-space model: a deterministic state h and a discrete stochastic state z (Hafner et al. 2023).

Shapes: T time, B batch, D size of h, S x C categoricals in z, A an encoded action. A latent is [h, z], of size
F = D + S * C.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models.latent import LatentModel
from unseen.agents.shared.encoders import make_decoder, make_encoder, prepare
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.graph_agent import BOX_FIELDS, DISC_FIELDS
from unseen.agents.shared.nets import BINS, Layer, TwoHot, mlp, norm, sample_one_hot, unimix


@dataclass(frozen=True)
class RSSMSizes:
    """Sizes of the model."""

    deter: int = 128
    """size of the deterministic state h, D"""
    hidden: int = 128
    """hidden units of every layer"""
    groups: int = 8
    """categoricals of the stochastic state z, S"""
    classes: int = 8
    """classes of each categorical, C"""


class RSSM(LatentModel):
    """The RSSM for one kind of observation.

    Args:
        observation: of a single environment.
        actions: size A of an encoded action.
        sizes: of the model.
    """

    def __init__(self, observation: ObservationSpec, actions: int, sizes: RSSMSizes) -> None:
        super().__init__()
        self.observation, self.actions, self.map = observation, actions, None
        self.deter, self.groups, self.classes = sizes.deter, sizes.groups, sizes.classes
        deter, hidden = sizes.deter, sizes.hidden
        self.stoch = sizes.groups * sizes.classes
        self.size = deter + self.stoch
        self.encoder = make_encoder(observation, hidden)
        self.in_z = nn.Linear(self.stoch, hidden, bias=False)
        self.in_a = nn.Linear(actions, hidden, bias=False)
        self.in_gain = nn.Parameter(torch.ones(hidden))
        self.gru = nn.Linear(hidden + deter, 3 * deter, bias=False)
        self.gru_gain = nn.Parameter(torch.ones(3 * deter))
        self.post_h = nn.Linear(deter, hidden, bias=False)
        self.post_e = nn.Linear(hidden, hidden, bias=False)
        self.post_gain = nn.Parameter(torch.ones(hidden))
        self.post_out = nn.Linear(hidden, self.stoch)
        self.prior = nn.Sequential(Layer(deter, hidden), nn.Linear(hidden, self.stoch))
        self.decoder = make_decoder(self.size, hidden, observation)
        self.reward_head = mlp(self.size, hidden, 1, BINS, zero=True)
        self.cont_head = mlp(self.size, hidden, 1, 1)
        self.twohot = TwoHot()

    # --- WorldModel ---

    def encode(self, obs: Tensor) -> Tensor:
        return self.encoder(prepare(obs, self.observation))

    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; noise: (n, S)."""
        h, z = self.split(latent)
        h = self._next_h(h * keep, z * keep, self.in_a(action * keep))
        z = sample_one_hot(self._posterior(h, self.post_e(embedded)), noise[..., None])
        return torch.cat([h, z.flatten(-2)], -1)

    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; noise: (n, S)."""
        h, z = self.split(latent)
        h = self._next_h(h, z, self.in_a(action))
        z = sample_one_hot(self._probs(self.prior(h)), noise[..., None])
        return torch.cat([h, z.flatten(-2)], -1)

    def likely_step(self, latent: Tensor, action: Tensor) -> Tensor:
        h, z = self.split(latent)
        h = self._next_h(h, z, self.in_a(action))
        z = F.one_hot(self._probs(self.prior(h)).argmax(-1), self.classes).to(h.dtype)
        return torch.cat([h, z.flatten(-2)], -1)

    def reward(self, latent: Tensor) -> Tensor:
        return self.twohot.mean(self.reward_head(latent))

    def continues(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(self.cont_head(latent)[..., 0])

    def decode(self, latent: Tensor) -> Tensor:
        return self.decoder.inverse(self.decoder(latent))

    # --- outputs for the policy and the viewer ---

    def pose(self, latent: Tensor, layout: Layout) -> Tensor:
        return self.decode(latent)[:, layout.pose]

    def decode_map(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        """`map` (n, 5 k) for latents (n, F): the discs of the decoded observation, see `unseen.agents.shared.graph_agent`.
        An empty dict without slots of discs."""
        return self._slots("map", latent, layout.discs, DISC_FIELDS)

    def decode_boxes(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        return self._slots("boxes", latent, layout.boxes, BOX_FIELDS)

    def _slots(self, name: str, latent: Tensor, slots: tuple[int, int, int], fields: int) -> dict[str, Tensor]:
        """By `name`, the first `fields` columns (n, fields k) of the k slots (start, k, width) decoded; {} without slots."""
        start, count, width = slots
        if not count or self.observation.rays is not None:
            return {}
        view = self.decode(latent)[:, start : start + count * width]
        return {name: view.reshape(-1, count, width)[..., :fields].reshape(-1, count * fields)}

    # --- learning ---

    def observe_episodes(self, prepared: Tensor, action: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Filter episodes from their first step. Everything that does not depend on h is computed outside the time loop.

        Args:
            prepared: observations (T, B, *shape).
            action: (T, B, A), the action that led to each observation; zero at t = 0.
            noise: (T, B, S) uniform in [0, 1).

        Returns:
            h (T, B, D), z (T, B, S * C) with straight-through gradients, posterior probabilities (T, B, S, C).
        """
        a = self.in_a(action).unbind(0)
        e = self.post_e(self.encoder(prepared)).unbind(0)
        u = noise[..., None].unbind(0)
        h = action.new_zeros(action.shape[1], self.deter)
        z = action.new_zeros(action.shape[1], self.stoch)
        hs, zs, ps = [], [], []
        for t in range(len(a)):
            h = self._next_h(h, z, a[t])
            p = self._posterior(h, e[t])
            z = (sample_one_hot(p.detach(), u[t]) + p - p.detach()).flatten(-2)
            hs.append(h)
            zs.append(z)
            ps.append(p)
        return torch.stack(hs), torch.stack(zs), torch.stack(ps)

    def loss(
        self,
        h: Tensor,
        z: Tensor,
        post: Tensor,
        batch: dict[str, Tensor],
        free_nats: float,
        kl_rep: float,
        terminal_weight: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of every step (T, B), and its parts.

        An episode's terminal step has the weight `terminal_weight` in the dynamics KL and the reward loss: it reveals what had to be
        remembered, once per episode.

        Args:
            h, z, post: returned by `observe_episodes`.
            batch: `obs` prepared (T, B, *shape), `reward` and `terminated` (T, B).
            free_nats: lower bound of each KL.
            kl_rep: weight of the representation KL.
        """
        prior = self._probs(self.prior(h))
        log_post, log_prior = post.log(), prior.log()
        dyn = (post.detach() * (log_post.detach() - log_prior)).sum((-1, -2))
        rep = (post * (log_post - log_prior.detach())).sum((-1, -2))
        latent = torch.cat([h, z], -1)
        error = (self.decoder(latent) - self.decoder.target(batch["obs"])) ** 2
        recon = error.flatten(2).sum(-1)
        reward = self.twohot.loss(self.reward_head(latent), batch["reward"])
        goes_on = 1 - batch["terminated"]
        cont = F.binary_cross_entropy_with_logits(self.cont_head(latent)[..., 0], goes_on, reduction="none")
        weight = 1 + (terminal_weight - 1) * batch["terminated"]
        loss = weight * (dyn.clamp(min=free_nats) + reward) + kl_rep * rep.clamp(min=free_nats) + recon + cont
        return loss, {"kl_dyn": dyn.detach(), "recon": recon.detach(), "reward": reward.detach()}

    # --- parts ---

    def split(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """h (..., D) and z (..., S*C)."""
        return latent[..., : self.deter], latent[..., self.deter :]

    def _next_h(self, h: Tensor, z: Tensor, a: Tensor) -> Tensor:
        """The next h (n, D); a: projected action."""
        x = F.silu(norm(self.in_z(z) + a, self.in_gain))
        reset, candidate, update = norm(self.gru(torch.cat([x, h], -1)), self.gru_gain).chunk(3, -1)
        return torch.lerp(h, torch.tanh(torch.sigmoid(reset) * candidate), torch.sigmoid(update - 1))

    def _posterior(self, h: Tensor, e: Tensor) -> Tensor:
        """Class probabilities (n, S, C); e: projected embedding."""
        return self._probs(self.post_out(F.silu(norm(self.post_h(h) + e, self.post_gain))))

    def _probs(self, logits: Tensor) -> Tensor:
        return unimix(logits.unflatten(-1, (self.groups, self.classes)))
