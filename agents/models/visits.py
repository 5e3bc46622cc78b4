"""Counts of relative positions in the data, from which the novelty of a state follows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unseen.agents.models import tokens
from unseen.agents.models.tokens import Tokens
from unseen.agents.shared.envs import Layout

CELLS = 41  # cells along each axis, for relative positions


class Visits(nn.Module):
    """Counts of relations in the data. A relation is the kind of a thing, and the grid cell where it is relative to the agent or to a disc.

    Boxes are distinguished by kind, discs by whether the query names them.
    """

    cell: Tensor
    counts: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout, self.kinds = layout, 2 + layout.sizes.box_kinds
        self.register_buffer("cell", torch.ones(()))  # size of a cell, in half rooms
        self.register_buffer("counts", torch.zeros(2 * self.kinds * CELLS * CELLS))

    def relations(self, state: Tensor, at: Tokens, origin: int) -> tuple[Tensor, Tensor]:
        """The relations of boxes and discs to a token: indices (B, n) into `counts`, and whether each is present (B, n) bool.

        Args:
            state: (B, d).
            at: its tokens.
            origin: index of the token; 0 is the agent, any other a disc.
        """
        sizes = self.layout.sizes
        things = slice(1, 1 + sizes.box_slots + sizes.disc_slots)
        cell = torch.round((at.xy[:, things] - at.xy[:, origin : origin + 1]) / self.cell).long()
        cell = cell.clamp(-(CELLS // 2), CELLS // 2) + CELLS // 2
        box = tokens.boxes(self.layout, state)
        kind = 2 + box[..., box.shape[-1] - sizes.box_kinds :].argmax(-1) if sizes.box_kinds else box[..., 0].long() * 0
        asked = at.kind[:, 1 + sizes.box_slots : things.stop, -1].long()
        group = torch.cat([kind, asked], 1) + (0 if origin == 0 else self.kinds)
        return (group * CELLS + cell[..., 0]) * CELLS + cell[..., 1], at.present[:, things] > 0.5

    def count(self, index: Tensor, present: Tensor) -> None:
        """Replace the counts by those of the relations (B, n) that are present."""
        self.counts.zero_()
        self.counts.index_add_(0, index[present], torch.ones_like(index[present], dtype=torch.float32))

    def novelty(self, index: Tensor, present: Tensor) -> Tensor:
        """Novelty (B,) of states with these relations (B, n): 1 / sqrt(1 + visits) of the least visited one that is present."""
        least = torch.where(present, self.counts[index], torch.inf).amin(-1)
        return (1 + least).rsqrt()
