"""A map of places, as a head of any recurrent network, and the look-up of what is asked for in it.

An entity is what a query can name: a colour of disc or a kind of box. The head predicts, for each entity, whether its place is
known, where it is, in the room's frame and in units of the observation, and when it is observed. Two labels can be learned,
both functions of the observations of one's own episode, without a rule of any task:

- *hindsight*: where and how many steps from now the entity is next observed in the same episode. What is hidden is labelled by
  where it comes out again or is found; an episode that ends with the lights on shows all, one that does not shows less.
- *last-seen*: where and how many steps ago it was last observed. A control: the label of something that moved while hidden
  is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.shared.envs import Layout
from unseen.agents.shared.graph_agent import BOX_FIELDS, DISC_FIELDS
from unseen.agents.shared.nets import mlp

BINS = 17  # of each coordinate
LIMIT = 1.0  # half rooms: the bins reach from -LIMIT to LIMIT
LONGEST = 128  # steps: times are scaled so that 0 is -LIMIT and this is LIMIT, logarithmically
LOOK_UP = (
    9  # known, when, dx, dy in the room's frame, dx, dy in the agent's frame, distance, and cos, sin of the bearing
)
CLOSE = 1e-3  # half rooms: keeps the bearing finite

Labels = tuple[np.ndarray, np.ndarray]
"""at every observation, known (T, n, k) bool and places (T, n, k, 3): x, y and `scaled` steps to or since the sight, where known"""


def scaled(steps: np.ndarray) -> np.ndarray:
    """Steps on the scale of a place's third coordinate."""
    return (LIMIT * (2 * np.log1p(steps) / np.log1p(LONGEST) - 1)).astype(np.float32)


def entities(layout: Layout) -> int:
    """Number of entities."""
    return layout.colours + layout.sizes.box_kinds


def observed(obs: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Which entities are observed (..., k) bool, and where (..., k, 2), in slot observations (..., d).

    An entity is observed if exactly one slot shows it: of several that look alike none can be told from the others.
    """
    discs = _observed(obs, layout, layout.discs, layout.colours)
    boxes = _observed(obs, layout, layout.boxes, layout.sizes.box_kinds)
    return np.concatenate([discs[0], boxes[0]], -1), np.concatenate([discs[1], boxes[1]], -2)


def _observed(
    obs: np.ndarray, layout: Layout, slots: tuple[int, int, int], kinds: int
) -> tuple[np.ndarray, np.ndarray]:
    start, count, width = slots
    lead = obs.shape[:-1]
    if not count or not kinds:
        return np.zeros((*lead, kinds), bool), np.zeros((*lead, kinds, 2), np.float32)
    slot = obs[..., start : start + count * width].reshape(*lead, count, width)
    shown = (slot[..., :1] > 0.5) & (slot[..., -kinds:] > 0.5)
    x, y = slot[..., 1], slot[..., 2]
    if layout.frame == "ego":
        px, py, cos, sin = (obs[..., i, None] for i in range(4))
        x, y = x * cos - y * sin + px, x * sin + y * cos + py
    which = shown.argmax(-2)
    places = np.stack([np.take_along_axis(v, which, -1) for v in (x, y)], -1)
    return shown.sum(-2) == 1, places


def hindsight(obs: np.ndarray, length: np.ndarray, layout: Layout) -> Labels:
    """Where each entity is next observed, at the same step or later.

    Args:
        obs: (T, n, d) whole episodes; beyond the end of a shorter one, anything.
        length: (n,) observations of each.
    """
    known, places = observed(obs, layout)
    known &= (np.arange(len(obs))[:, None] < length)[..., None]
    steps = np.zeros(known.shape, np.float32)
    for t in range(len(obs) - 2, -1, -1):
        _copy(known, places, steps, t, t + 1)
    return known, np.concatenate([places, scaled(steps)[..., None]], -1)


def last_seen(obs: np.ndarray, length: np.ndarray, layout: Layout) -> Labels:
    """Where each entity was last observed; arguments as of `hindsight`."""
    known, places = observed(obs, layout)
    steps = np.zeros(known.shape, np.float32)
    for t in range(1, len(obs)):
        _copy(known, places, steps, t, t - 1)
    return known, np.concatenate([places, scaled(steps)[..., None]], -1)


def _copy(known: np.ndarray, places: np.ndarray, steps: np.ndarray, t: int, neighbour: int) -> None:
    """What is not known at step t becomes what is known at a neighbouring step, one step further away."""
    new = known[neighbour] & ~known[t]
    places[t][new] = places[neighbour][new]
    steps[t][new] = steps[neighbour][new] + 1
    known[t] |= new


LABELS: dict[str, Callable[[np.ndarray, np.ndarray, Layout], Labels]] = {"hindsight": hindsight, "last-seen": last_seen}


class PlaceMap(nn.Module):
    """The head: features (..., features) -> for each entity, whether its place is known and a distribution over places."""

    centres: Tensor

    def __init__(self, features: int, hidden: int, layout: Layout) -> None:
        super().__init__()
        self.layout, self.entities = layout, entities(layout)
        self.net = mlp(features, hidden, 2, self.entities * (1 + 3 * BINS))
        self.register_buffer("centres", torch.linspace(-LIMIT, LIMIT, BINS), persistent=False)

    def _logits(self, features: Tensor) -> tuple[Tensor, Tensor]:
        out = self.net(features)
        known, place = out.split([self.entities, 3 * BINS * self.entities], -1)
        return known, place.reshape(*place.shape[:-1], self.entities, 3, BINS)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Probability (..., k) that a place is known, and the mean place (..., k, 3)."""
        known, place = self._logits(features)
        return torch.sigmoid(known), place.softmax(-1) @ self.centres

    def loss(self, features: Tensor, known: Tensor, places: Tensor) -> Tensor:
        """Cross-entropy (...), summed over entities and coordinates; labels known (..., k), places (..., k, 3)."""
        known_logits, logits = self._logits(features)
        at = (places.clamp(-LIMIT, LIMIT) + LIMIT) * ((BINS - 1) / (2 * LIMIT))
        low = at.floor().clamp(0, BINS - 2).long()
        logp = logits.log_softmax(-1).gather(-1, torch.stack([low, low + 1], -1))
        upper = at - low
        error = -(logp[..., 0] * (1 - upper) + logp[..., 1] * upper).sum(-1)
        whether = F.binary_cross_entropy_with_logits(known_logits, known, reduction="none")
        return (error * known + whether).sum(-1)

    def look_up(self, features: Tensor, obs: Tensor) -> Tensor:
        """Where the queried entity is from here, (..., LOOK_UP); zeros without a query or a pose in `obs` (..., d)."""
        known, places = self(features)
        query, pose = obs[..., self.layout.query], obs[..., self.layout.pose]
        asked = self._asked(query)
        place, when = (asked[..., None] * places).sum(-2).split([2, 1], -1)
        there = asked.sum(-1, keepdim=True) * (pose[..., 2:].abs().sum(-1, keepdim=True) > 0.5)
        away = (place - pose[..., :2]) * there
        dx, dy, cos, sin = away[..., :1], away[..., 1:], pose[..., 2:3], pose[..., 3:4]
        own = torch.cat([dx * cos + dy * sin, dy * cos - dx * sin], -1)
        distance = torch.linalg.vector_norm(own, dim=-1, keepdim=True)
        certain = (asked * known).sum(-1, keepdim=True) * there
        return torch.cat([certain, when * there, away, own, distance, own / (distance + CLOSE)], -1)

    def drawn(self, features: Tensor) -> dict[str, Tensor]:
        """`map` and `places`, as `unseen.agents.shared.graph_agent` documents them, where there are discs and kinds of box."""
        known, places = self(features)
        entries = torch.cat([known[..., None], places[..., :2]], -1)
        discs, boxes = entries.split([self.layout.colours, self.layout.sizes.box_kinds], -2)
        drawn = {"map": F.pad(discs, (0, DISC_FIELDS - BOX_FIELDS)), "places": boxes}
        there = {"map": self.layout.discs[1], "places": self.layout.sizes.box_kinds}
        return {name: value.flatten(1) for name, value in drawn.items() if there[name]}

    def _asked(self, query: Tensor) -> Tensor:
        """Weights (..., k) of entities for a query, a one-hot over the colours, the kinds of box, or both."""
        kinds, missing = self.layout.sizes.box_kinds, self.entities - query.shape[-1]
        pad = query.new_zeros(*query.shape[:-1], missing)
        return torch.cat([pad, query] if missing and query.shape[-1] == kinds else [query, pad], -1)
