"""An ensemble of small networks that predict the margins of a test, and latents for the unknown offsets of each programme's factory.

A member maps a car as built, a brief and a scenario to three margins. The car as built is the drawing plus the offsets, known or not.
Unknown offsets are the latent vector of a programme: in training they are free parameters of each past programme; in a new programme
they are fitted to its tests (`unseen.agents.shared.designing`), with a normal prior whose spread is that of the offsets known in training.

Shapes: e members, m tests or designs, 10 variables of a design, 26 numbers of a context (brief and scenario). Margins are in units of
`unseen.envs.industry.proving_ground`.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unseen.agents.shared.designing import BRIEF, CONTEXT, FAMILIES, LIMIT, MARGINS, PARTS, Trials

LEAST_ERROR = 0.12  # units of margins: lower bound on the standard deviation of a margin around its prediction


class Surrogate(nn.Module):
    """`members` networks, evaluated in one batch.

    Args:
        members: number of networks, e.
        hidden: units of each of three hidden layers.

    Attributes:
        error: (e, 6, 3) RMS error of a margin, by family, in units of margins.
        spread: (1,) standard deviation of the prior of unknown offsets.
    """

    error: Tensor
    spread: Tensor

    def __init__(self, members: int, hidden: int) -> None:
        super().__init__()
        sizes = [PARTS + CONTEXT, hidden, hidden, hidden, FAMILIES * MARGINS]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            self.weights.append(nn.Parameter(torch.randn(members, inputs, outputs) / math.sqrt(inputs)))
            self.biases.append(nn.Parameter(torch.zeros(members, 1, outputs)))
        self.members = members
        self.register_buffer("error", torch.full((members, FAMILIES, MARGINS), 0.5))
        self.register_buffer("spread", torch.full((1,), 0.2))

    def members_forward(self, built: Tensor, context: Tensor) -> Tensor:
        """Margins (e, m, 3) of cars as built (e, m, 10) in contexts (e or 1, m, 26)."""
        first = self.weights[0]
        x = torch.baddbmm(self.biases[0], built, first[:, :PARTS]) + context @ first[:, PARTS:]
        for weight, bias in zip(list(self.weights)[1:], list(self.biases)[1:], strict=True):
            x = torch.baddbmm(bias, nn.functional.silu(x), weight)
        family = context[..., BRIEF : BRIEF + FAMILIES]  # one-hot; each family has its own outputs
        return (x.unflatten(-1, (FAMILIES, MARGINS)) * family[..., None]).sum(-2)

    def forward(self, built: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For cars as built, one per member (n, 10 e), in contexts (n, 26): each member's margins (n, 3 e), their errors (n, 3 e), and the
        prior's spread (n, 1)."""
        rows = built.unflatten(-1, (self.members, PARTS)).transpose(0, 1)
        margins = self.members_forward(rows, context[None]).transpose(0, 1).flatten(1)
        spreads = context[:, BRIEF : BRIEF + FAMILIES] @ self.error.transpose(0, 1).flatten(1)
        return (
            margins,
            spreads,
            self.spread + 0.0 * built[:, :1],
        )  # one row per input row, as a graph's outputs have to be


class Fitter:
    """Trains a surrogate on the tests of past programmes, whose latents it keeps.

    Attributes:
        latents: (e, programmes, 10) estimates of unknown offsets; entries of known ones are not used.
    """

    def __init__(self, model: Surrogate, lr: float, weight_decay: float) -> None:
        self.model, self.lr, self.weight_decay = model, lr, weight_decay
        self.latents = torch.zeros(model.members, 0, PARTS)

    def fit(self, tests: Trials, updates: int, batch: int, rng: np.random.Generator) -> dict[str, float]:
        """Train on all tests but a random 5 %, on which the members' errors are then measured. Returns metrics.

        An earlier call may have trained on some of these 5 %, so errors are somewhat underestimated.

        Args:
            tests: all tests of all past programmes.
            updates: number of gradient steps.
            batch: tests per update and member.
        """
        model, e = self.model, self.model.members
        data: dict[str, Tensor] = {f.name: torch.from_numpy(getattr(tests, f.name)) for f in fields(Trials)}
        programmes = int(data["programme"].max()) + 1
        new = torch.zeros(e, programmes - self.latents.shape[1], PARTS)
        latents = nn.Parameter(torch.cat([self.latents, new], 1))
        known = data["offset"][data["known"] > 0.5]
        if len(known) > 1:
            model.spread.fill_(max(float(known.std()), 0.05))
        held = rng.random(len(tests)) < 0.05
        pool = np.flatnonzero(~held)
        groups: list[dict[str, Any]] = [
            {"params": list(model.parameters()), "weight_decay": self.weight_decay},
            {"params": [latents], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, self.lr)
        total, per_programme = 0.0, len(tests) / programmes
        for update in range(updates):
            done = update / updates
            rate = self.lr * min(1.0, 20 * done + 0.05) * (1 - done)  # warm-up, then linear decay
            groups_now = optimizer.param_groups
            groups_now[0]["lr"], groups_now[1]["lr"] = rate, 3 * rate
            rows = torch.from_numpy(rng.choice(pool, (e, min(batch, len(pool)))))
            loss = self._loss(data, rows, latents, per_programme)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(list(model.parameters()), 5.0)
            optimizer.step()
            total = float(loss.detach())
        self.latents = latents.detach()
        return {"loss": total} | self._measure(data, np.flatnonzero(held))

    def _predict(self, data: dict[str, Tensor], rows: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Predicted margins (e, b, 3) of the tests with indices rows (e, b), and the latents (e, b, 10) that were used."""
        member = torch.arange(len(rows))[:, None]
        latent = latents[member, data["programme"][rows]] * (1 - data["known"][rows])
        built = data["drawn"][rows] + data["offset"][rows] + latent
        return self.model.members_forward(built, data["context"][rows]), latent

    def _loss(self, data: dict[str, Tensor], rows: Tensor, latents: Tensor, per_programme: float) -> Tensor:
        """Huber loss of the margins, clipped like the observed ones, and the negative log prior of the latents."""
        out, latent = self._predict(data, rows, latents)
        target = data["margins"][rows]
        miss = nn.functional.huber_loss(out.clamp(-LIMIT, LIMIT), target, reduction="none", delta=0.5).mean((1, 2))
        prior = 0.5 * (latent**2).sum(-1).mean(1) / self.model.spread**2 / per_programme
        return (miss + prior * LEAST_ERROR**2 / MARGINS).sum()

    @torch.no_grad()
    def _measure(self, data: dict[str, Tensor], held: np.ndarray) -> dict[str, float]:
        """Set `model.error` from the held-out tests `held` (indices), by family and margin. Returns metrics."""
        rows = torch.from_numpy(held).repeat(self.model.members, 1)
        out, _ = self._predict(data, rows, self.latents)
        miss = (out.clamp(-LIMIT, LIMIT) - data["margins"][rows]).clamp(-1.0, 1.0) ** 2
        family = data["context"][rows[0], BRIEF : BRIEF + FAMILIES].argmax(-1) if len(held) else rows[0]
        whole = miss.mean((1, 2)) if len(held) else torch.full((self.model.members,), 0.25)
        for f in range(FAMILIES):  # shrunk towards the mean over families, since there may be few tests
            own = miss[:, family == f]
            few = 20.0
            self.model.error[:, f] = ((own.sum(1) + few * whole[:, None]) / (own.shape[1] + few)).sqrt()
        self.model.error.clamp_(min=LEAST_ERROR)
        return {"heldout_error": float(whole.mean().sqrt()), "prior": float(self.model.spread)}
