"""Mapper: a dreamer whose latent must also draw the map of all it has seen.

A world model that reconstructs the present view is hardly ever paid for remembering. One more head is: from the
latent, draw for every coloured thing what was *last seen* of it (seen, position, velocity), and the way from here
to what is asked for. The targets come from the observation stream alone; nothing privileged enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from unseen.agents.dreamer import DreamerConfig, DreamerLearner
from unseen.agents.errors import BadAgent
from unseen.agents.nets import mlp
from unseen.agents.rssm import RSSM
from unseen.envs.engine.sensors import Layout

ENTRY = 5  # seen, x, y, vx, vy
GOAL = 3  # known, dx, dy


@dataclass(frozen=True)
class MapperConfig(DreamerConfig):
    map_weight: float = 1.0


class MapperLearner(DreamerLearner):
    """See `unseen.agents.learner.Learner`."""

    name = "mapper"
    config_class = MapperConfig
    config: MapperConfig

    def __init__(
        self, env_name: str, level: int, seed: int = 0, device: str = "cpu", config: dict[str, Any] | None = None
    ) -> None:
        super().__init__(env_name, level, seed, device, config)
        if self.layout is None:
            raise BadAgent(f"mapper needs entity slots, which {env_name} has not")

    def build(self) -> RSSM:
        model = super().build()
        model.map = mlp(model.feat, self.config.hidden, 2, self.extra_size())
        return model

    def extra_size(self) -> int:
        return 0 if self.layout is None else ENTRY * self.layout.colours + GOAL

    def extra_targets(self, obs: np.ndarray) -> np.ndarray:
        assert self.layout is not None
        seen = last_seen(obs, self.layout)
        return np.concatenate([seen.reshape(*seen.shape[:2], -1), way_to_asked(obs, seen, self.layout)], -1)

    def extra_loss(self, feat: Tensor, target: Tensor) -> Tensor:
        return self.config.map_weight * ((self.model.get_submodule("map")(feat) - target) ** 2).sum(-1)


def last_seen(obs: np.ndarray, layout: Layout) -> np.ndarray:
    """What was last seen of every colour: (n, T, colours, 5) seen, x, y, vx, vy, in the room's frame and row units.

    obs: slots rows (n, T, d) of whole episodes.
    """
    n, horizon, _ = obs.shape
    start, count, width = layout.small
    small = obs[..., start : start + count * width].reshape(n, horizon, count, width)
    pose = obs[..., layout.pose]
    out = np.zeros((n, horizon, layout.colours, ENTRY), np.float32)
    now = np.zeros((n, layout.colours, ENTRY), np.float32)
    for t in range(horizon):
        entry = small[:, t, :, :ENTRY].copy()
        if layout.frame == "ego":
            x, y, c, s = (pose[:, t, i, None] for i in range(4))
            ex, ey, vx, vy = (entry[..., i].copy() for i in range(1, 5))
            entry[..., 1], entry[..., 2] = x + ex * c - ey * s, y + ex * s + ey * c
            entry[..., 3], entry[..., 4] = vx * c - vy * s, vx * s + vy * c
        # A thing whose colour does not show (dusk) is seen, but nobody can tell which one it is.
        row, slot = np.nonzero((small[:, t, :, 0] > 0.5) & (small[:, t, :, ENTRY:].max(-1) > 0.5))
        now[row, small[row, t, slot, ENTRY:].argmax(-1)] = entry[row, slot]
        out[:, t] = now
    return out


def way_to_asked(obs: np.ndarray, seen: np.ndarray, layout: Layout) -> np.ndarray:
    """From the present place to where the asked colour was last seen: (n, T, 3) known, dx, dy; else zero."""
    asked = (seen * obs[..., layout.query][..., None]).sum(-2)
    pose = obs[..., layout.pose]
    placed = np.abs(pose[..., 2:4]).sum(-1, keepdims=True) > 0.5
    known = asked[..., :1] * placed
    return np.concatenate([known, known * (asked[..., 1:3] - pose[..., :2])], -1).astype(np.float32)
