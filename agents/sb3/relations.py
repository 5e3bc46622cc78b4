"""Entity slots as a stable-baselines3 feature extractor: how everything lies to the agent, as `slot-search` sees it."""

from __future__ import annotations

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from unseen.agents.models.tokens import GEOMETRY, kinds, seen_from, tokens, turned_back
from unseen.agents.shared.envs import Layout
from unseen.agents.shared.nets import mlp

STEP = 0.25  # half rooms: about a step of an agent
DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


class RelationalExtractor(BaseFeaturesExtractor):
    """Messages of all tokens to the agent, summed for each of four directions, and an MLP's features of the whole vector.

    One network reads each token in each direction, so that what it learns of a crate to the north holds for all crates and directions.

    Args:
        frame: directions are those of the "room", or relative to the heading of the "agent".
        hidden: features of the vector, and of all directions together.
    """

    def __init__(self, space: spaces.Box, layout: Layout, frame: str, hidden: int) -> None:
        super().__init__(space, 2 * hidden)
        self.layout, self.by_heading = layout, frame == "agent"
        each = hidden // len(DIRECTIONS)
        self.message = mlp(GEOMETRY + kinds(layout), each, 2)
        self.together = mlp(each * len(DIRECTIONS), hidden, 1)
        self.vector = mlp(layout.size, hidden, 1)

    def forward(self, rows: Tensor) -> Tensor:
        at = tokens(self.layout, rows)
        heard = []
        for direction in DIRECTIONS:
            ahead = rows.new_tensor(direction).expand(rows.shape[0], 2)
            if self.by_heading:
                ahead = turned_back(ahead, at.axis[:, 0])
            lies = seen_from(at, at.xy[:, :1], ahead, rows.new_tensor(STEP))[:, 0]
            messages = self.message(torch.cat([lies, at.kind], -1))
            heard.append((messages * at.present[..., None]).sum(1))
        return torch.cat([self.vector(rows), self.together(torch.cat(heard, -1))], -1)
