"""Entity slots as a stable-baselines3 feature extractor: the geometry of all tokens relative to the agent, as in `slot-search`."""

from __future__ import annotations

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from unseen.agents.models.tokens import GEOMETRY, from_frame, kinds, seen_from, tokens
from unseen.agents.shared.envs import Layout
from unseen.agents.shared.nets import mlp

STEP = 0.25  # half rooms: about a step of an agent
DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


class RelationalExtractor(BaseFeaturesExtractor):
    """Messages of all tokens to the agent, summed for each of four directions, and an MLP's features of the whole vector.

    One network reads each token in each direction, so that what it learns about a crate to the north holds for all crates and directions.

    Args:
        space: of observations.
        layout: of their slots.
        frame: "room" for directions in the room's frame, "agent" for directions relative to the agent's heading.
        hidden: number of features of the vector, and of all directions together.
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
                ahead = from_frame(ahead, at.axis[:, 0])
            lies = seen_from(at, at.xy[:, :1], ahead, rows.new_tensor(STEP))[:, 0]
            messages = self.message(torch.cat([lies, at.kind], -1))
            heard.append((messages * at.present[..., None]).sum(1))
        return torch.cat([self.vector(rows), self.together(torch.cat(heard, -1))], -1)
