"""The recurrent state-space model: a deterministic memory h and a discrete stochastic state z (Hafner et al.).

Shapes: T time, B batch, D memory, S x C categoricals; a latent is [h, z] with D + S*C numbers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.nets import Layer, TwoHot, draw, mixed_probs, mlp, norm, symlog


class RSSM(nn.Module):
    """World model of flat observations and discrete actions."""

    def __init__(
        self, obs: int, actions: int, deter: int = 128, hidden: int = 128, groups: int = 8, classes: int = 8
    ) -> None:
        super().__init__()
        self.actions, self.deter, self.hidden, self.groups, self.classes = actions, deter, hidden, groups, classes
        self.stoch = groups * classes
        self.feat = self.read_size = deter + self.stoch
        self.encoder = mlp(obs, hidden, 2)
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
        self.decoder = mlp(self.feat, hidden, 2, obs)
        self.reward = mlp(self.feat, hidden, 1, 41, zero=True)
        self.going = mlp(self.feat, hidden, 1, 1)
        self.twohot = TwoHot()

    def read(self, feat: Tensor) -> Tensor:
        """What policy and value see of a latent: (..., read_size)."""
        return feat

    def cell(self, h: Tensor, z: Tensor, a: Tensor) -> Tensor:
        """Next memory; `a` is the action's projection, in_a(one-hot)."""
        x = F.silu(norm(self.in_z(z) + a, self.in_gain))
        r, c, u = norm(self.gru(torch.cat([x, h], -1)), self.gru_gain).chunk(3, -1)
        return torch.lerp(h, torch.tanh(torch.sigmoid(r) * c), torch.sigmoid(u - 1))

    def _probs(self, logits: Tensor) -> Tensor:
        return mixed_probs(logits.unflatten(-1, (self.groups, self.classes)))

    def posterior(self, h: Tensor, e: Tensor) -> Tensor:
        """Class probabilities (..., S, C) given the memory and the embedding's projection, post_e(encoder(obs))."""
        return self._probs(self.post_out(F.silu(norm(self.post_h(h) + e, self.post_gain))))

    def imagine_step(self, h: Tensor, z: Tensor, action: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """One step without an observation. action: one-hot (B, A); uniform: (B, S, 1)."""
        h = self.cell(h, z, self.in_a(action))
        return h, draw(self._probs(self.prior(h)), uniform).flatten(-2)

    def observe_step(
        self, h: Tensor, z: Tensor, action: Tensor, obs: Tensor, keep: Tensor, uniform: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One step with an observation, for acting. keep: (B, 1), 0 where an episode starts."""
        h = self.cell(h * keep, z * keep, self.in_a(action * keep))
        return h, draw(self.posterior(h, self.post_e(self.encoder(obs))), uniform).flatten(-2)

    def observe(self, obs: Tensor, action: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whole episodes: memory (T, B, D), state (T, B, S*C) by straight-through, posterior (T, B, S, C).

        obs: (T, B, O); action: one-hot (T, B, A), zero at t = 0; uniform: (T, B, S, 1). Everything that does not
        hang on the recurrent state is computed outside the time loop.
        """
        a = self.in_a(action).unbind(0)
        e = self.post_e(self.encoder(obs)).unbind(0)
        u = uniform.unbind(0)
        h = obs.new_zeros(obs.shape[1], self.deter)
        z = obs.new_zeros(obs.shape[1], self.stoch)
        hs, zs, ps = [], [], []
        for t in range(obs.shape[0]):
            h = self.cell(h, z, a[t])
            p = self.posterior(h, e[t])
            z = (draw(p.detach(), u[t]) + p - p.detach()).flatten(-2)
            hs.append(h)
            zs.append(z)
            ps.append(p)
        return torch.stack(hs), torch.stack(zs), torch.stack(ps)

    def loss(
        self, h: Tensor, z: Tensor, post: Tensor, batch: dict[str, Tensor], free: float, rep: float, end_weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of every step (T, B), and its parts. The last step of an episode counts `end_weight` times in KL and
        reward: it is where everything that was to be remembered is told, and there is only one an episode."""
        prior = self._probs(self.prior(h))
        logp, logq = post.log(), prior.log()
        gap = (post.detach() * (logp.detach() - logq)).sum((-1, -2))
        back = (post * (logp - logq.detach())).sum((-1, -2))
        feat = torch.cat([h, z], -1)
        recon = ((self.decoder(feat) - symlog(batch["obs"])) ** 2).sum(-1)
        reward = self.twohot.loss(self.reward(feat), batch["reward"])
        going = F.binary_cross_entropy_with_logits(self.going(feat)[..., 0], 1 - batch["term"], reduction="none")
        weight = 1 + (end_weight - 1) * batch["term"]
        loss = weight * (gap.clamp(min=free) + reward) + rep * back.clamp(min=free) + recon + going
        return loss, {"kl": gap.detach(), "recon": recon.detach(), "reward": reward.detach()}
