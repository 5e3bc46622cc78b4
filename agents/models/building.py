"""The part of a relational model that predicts boxes which an action places, turns or removes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models.changes import IGNORED, Changes, cross_entropy
from unseen.agents.models.tokens import half_turns

KINDS = 8  # maximum number of distinct contents of a slot
HERE = 0.1  # half rooms: a box whose centre is nearer is at the agent's place
SAME = 0.02  # boxes whose values differ by less are the same


class Building(nn.Module):
    """A classifier of the next content of each box slot whose box appears, disappears or turns.

    The classes are "unchanged" and the contents found in the data. A content is the value of a box slot, with its position relative to
    the agent.

    Args:
        slots, width: number and width of box slots.
        shape: whether slots hold the shape of boxes, and with it their orientation.
        seen: number of features of a box, relative to the agent.
        message: size of the pooled message that the agent receives.
        hidden: units of hidden layers.
    """

    slots: Tensor

    def __init__(self, slots: int, width: int, shape: bool, seen: int, message: int, hidden: int) -> None:
        super().__init__()
        self.shape = shape
        self.contents = Changes(KINDS, width)
        self.seen = nn.Linear(seen + 2, hidden)
        self.heard = nn.Linear(message, hidden, bias=False)
        self.slot = nn.Parameter(torch.zeros(slots, hidden))
        self.out = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1 + KINDS))
        self.register_buffer("slots", torch.zeros(slots, dtype=torch.bool))  # whose boxes appear, disappear or turn

    def changed(self, before: Tensor, after: Tensor) -> Tensor:
        """Whether boxes appeared, disappeared or turned, (B, n) bool, from the slots `before` to `after`, (B, n, width) each."""
        both = before[..., 0] * after[..., 0] > 0.5
        came = (before[..., 0] - after[..., 0]).abs() > 0.5
        if not self.shape:
            return came
        return came | (both & ((before - after)[..., 3:5].abs().amax(-1) > SAME))

    def built(self, before: Tensor, after: Tensor, agent: Tensor) -> Tensor:
        """Whether boxes have `changed` at the place of the agent, (B, 2): one that appears farther away has only come into sight."""
        place = torch.where(after[..., :1] > 0.5, after, before)[..., 1:3]
        return self.changed(before, after) & ((place - agent[:, None]).norm(dim=-1) < HERE)

    def relative(self, slots: Tensor, agent: Tensor) -> Tensor:
        """Contents (B, n, width) of slots (B, n, width), for agents at (B, 2)."""
        return torch.cat([slots[..., :1], slots[..., 1:3] - agent[:, None] * slots[..., :1], slots[..., 3:]], -1)

    def logits(self, slots: Tensor, seen: Tensor, heard: Tensor, which: Tensor) -> Tensor:
        """Logits (B, k, 1 + KINDS) for the slots with indices `which` (k,): unchanged, then each content.

        Args:
            slots: (B, n, width) boxes.
            seen: (B, n, seen) their features, relative to the agent.
            heard: (B, message) the pooled message that the agent receives.
        """
        axis = slots[:, which, 3:5] if self.shape else slots[:, which, 1:3] * 0
        found = (
            self.seen(torch.cat([seen[:, which], half_turns(*axis.unbind(-1))], -1))
            + self.heard(heard)[:, None]
            + self.slot[which]
        )
        out = self.out(found.relu())
        return torch.cat([out[..., :1], self.contents.masked(out[..., 1:])], -1)

    def build(self, slots: Tensor, agent: Tensor, logits: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """The slots (B, n, width) after the most likely change, and its log-probability (B,).

        agent: (B, 2) positions after the step; logits: (B, k, 1 + KINDS) of the slots `which` (k,).
        """
        log_prob, kind = logits.log_softmax(-1).max(-1)
        content = self.contents.codes[(kind - 1).clamp(min=0)]
        content = self.relative(content, -agent)
        new = torch.where((kind > 0)[..., None], content, slots[:, which])
        places = F.one_hot(which, slots.shape[1]).to(slots.dtype)  # (k, n)
        keep = 1 - places.sum(0)
        return slots * keep[:, None] + torch.matmul(places.T, new), log_prob.sum(-1)

    @torch.no_grad()
    def discover(self, before: Tensor, after: Tensor, agent: Tensor) -> None:
        """Add the slots and contents that change in transitions: box slots (N, n, width) before and after, agents afterwards (N, 2)."""
        built = self.built(before, after, agent)
        self.slots |= built.any(0)
        self.contents.extend(self.relative(after, agent)[built])

    def loss(self, logits: Tensor, before: Tensor, after: Tensor, agent: Tensor, which: Tensor) -> Tensor:
        """Cross-entropy, times the number of slots `which` (k,), for logits (B, k, 1 + KINDS) and box slots (B, n, width) before and after.

        agent: (B, 2) positions after the step. Changes to a content that is not in the table are ignored.
        """
        before, after = before[:, which], after[:, which]
        wanted = self.relative(after, agent)
        nearest = self.contents.nearest(wanted.flatten(0, 1)).view(wanted.shape[:2])
        fits = (self.contents.codes[nearest] - wanted).abs().sum(-1) < 5 * SAME
        label = torch.where(self.built(before, after, agent), torch.where(fits, 1 + nearest, IGNORED), 0)
        return len(which) * cross_entropy(logits.flatten(0, 1), label.flatten())
