"""A map of places, as a head of any recurrent network, and the look-up of what is asked for in it.

The head predicts, for each entity, whether its place is known, where it is, and when it is observed; and, where several may look alike,
how many sightings are to come. Its labels are those of `unseen.agents.shared.sightings`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.shared.envs import Layout
from unseen.agents.shared.graph_agent import BOX_FIELDS, DISC_FIELDS
from unseen.agents.shared.nets import mlp
from unseen.agents.shared.sightings import LIMIT, asks_for_boxes, entities, several

BINS = 17  # of each coordinate, in -LIMIT..LIMIT
LOOK_UP = 9  # known, when, dx and dy in the room's and in the agent's frame, distance, cos and sin of the bearing
WHEN_WEIGHT = 0.1  # of the time in the loss: when a thing is seen next depends on what the agent will do, so it is hard to predict
MOST, UNIT = 12, 4.0  # numbers of sightings: larger ones count as MOST; in the look-up they are in units of UNIT
CLOSE = 1e-3  # half rooms: keeps the bearing finite
FAR = 2.0  # half rooms: stands for the distance of a thing whose place is not known


def turned_back(away: Tensor, pose: Tensor) -> Tensor:
    """Differences (..., 2) in the room's frame, turned into the frame of an agent with this pose (..., 4): ahead and to the left."""
    dx, dy, cos, sin = away[..., :1], away[..., 1:], pose[..., 2:3], pose[..., 3:4]
    return torch.cat([dx * cos + dy * sin, dy * cos - dx * sin], -1)


class PlaceMap(nn.Module):
    """The head: features (..., features) -> for each of k entities, whether its place is known, distributions over x, y and time, and,
    where entities may look alike, over the number of sightings to come.

    Args:
        features: number of inputs.
        hidden: units of hidden layers.
    """

    weights: Tensor
    centres: Tensor
    counts: Tensor

    def __init__(self, features: int, hidden: int, layout: Layout) -> None:
        super().__init__()
        self.layout, self.entities = layout, entities(layout)
        self.number_classes = MOST + 1 if several(layout) else 0
        self.net = mlp(features, hidden, 2, self.entities * (1 + 3 * BINS + self.number_classes))
        self.look_up_size = LOOK_UP + bool(self.number_classes)
        self.register_buffer("weights", torch.tensor([1.0, 1.0, WHEN_WEIGHT]), persistent=False)
        self.register_buffer("centres", torch.linspace(-LIMIT, LIMIT, BINS), persistent=False)
        self.register_buffer("counts", torch.arange(self.number_classes) / UNIT, persistent=False)

    def _logits(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of known (..., k), places (..., k, 3, BINS) and numbers (..., k, number_classes)."""
        k, lead = self.entities, features.shape[:-1]
        known, place, number = self.net(features).split([k, 3 * BINS * k, self.number_classes * k], -1)
        return known, place.reshape(*lead, k, 3, BINS), number.reshape(*lead, k, self.number_classes)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Probability (..., k) that a place is known, and the mean place (..., k, 3)."""
        known, places, _ = self._means(features)
        return known, places

    def _means(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `forward` returns, and the mean number of sightings to come (..., k), in units of UNIT."""
        known, place, number = self._logits(features)
        return torch.sigmoid(known), place.softmax(-1) @ self.centres, number.softmax(-1) @ self.counts

    def loss(self, features: Tensor, known: Tensor, places: Tensor, numbers: Tensor) -> Tensor:
        """Cross-entropy (...), summed over entities and coordinates, with their weights.

        Labels: known (..., k), places (..., k, 3), numbers (..., k).
        """
        known_logits, logits, number_logits = self._logits(features)
        at = (places.clamp(-LIMIT, LIMIT) + LIMIT) * ((BINS - 1) / (2 * LIMIT))
        low = at.floor().clamp(0, BINS - 2).long()
        logp = logits.log_softmax(-1).gather(-1, torch.stack([low, low + 1], -1))
        upper = at - low
        error = -(logp[..., 0] * (1 - upper) + logp[..., 1] * upper) @ self.weights
        whether = F.binary_cross_entropy_with_logits(known_logits, known, reduction="none")
        loss = (error * known + whether).sum(-1)
        if self.number_classes:
            number = numbers.clamp(max=MOST).long()[..., None]
            loss = loss - number_logits.log_softmax(-1).gather(-1, number)[..., 0].sum(-1)
        return loss

    def labels(self, columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Labels known (..., k), places (..., k, 3) and numbers (..., k), from the columns (..., 5 k) of `map_columns`."""
        known, places, numbers = columns.split([self.entities, 3 * self.entities, self.entities], -1)
        return known, places.unflatten(-1, (-1, 3)), numbers

    def look_up(self, features: Tensor, obs: Tensor) -> Tensor:
        """The map's entry for the queried entity, also relative to the agent, (..., look_up_size): LOOK_UP numbers, and the number of
        sightings to come if it is predicted. Zeros without a query or a pose in `obs` (..., d); the number needs no pose."""
        return self._look_up(*self._means(features), obs)

    def _look_up(self, known: Tensor, places: Tensor, number: Tensor, obs: Tensor) -> Tensor:
        query, pose = obs[..., self.layout.query], obs[..., self.layout.pose]
        asked = self._asked(query)
        place, when = (asked[..., None] * places).sum(-2).split([2, 1], -1)
        there = asked.sum(-1, keepdim=True) * (pose[..., 2:].abs().sum(-1, keepdim=True) > 0.5)
        away = (place - pose[..., :2]) * there
        own = turned_back(away, pose)
        distance = torch.linalg.vector_norm(own, dim=-1, keepdim=True)
        certain = (asked * known).sum(-1, keepdim=True) * there
        found = [certain, when * there, away, own, distance, own / (distance + CLOSE)]
        if self.number_classes:
            found.append((asked * number).sum(-1, keepdim=True))
        return torch.cat(found, -1)

    @property
    def around_size(self) -> int:
        """Size of what `around` returns."""
        return self.look_up_size + 4 * self.entities

    def around(self, features: Tensor, obs: Tensor) -> Tensor:
        """The look-up, and for each entity whether its place is known, and x, y and distance in the agent's frame (0, 0, FAR if unknown).

        Features (..., features) and observations (..., d) -> (..., around_size).
        """
        known, places, number = self._means(features)
        looked_up = self._look_up(known, places, number, obs)
        pose = obs[..., None, self.layout.pose]
        own = turned_back(places[..., :2] - pose[..., :2], pose)
        distance = torch.linalg.vector_norm(own, dim=-1, keepdim=True)
        known = known[..., None]
        each = torch.cat([known, own * known, distance * known + FAR * (1 - known)], -1)
        return torch.cat([looked_up, each.flatten(-2)], -1)

    def drawn(self, features: Tensor) -> dict[str, Tensor]:
        """`map` (discs) and `places` (kinds of box), as `unseen.agents.shared.graph_agent` documents them, if there are any."""
        known, places = self(features)
        entries = torch.cat([known[..., None], places[..., :2]], -1)
        discs, boxes = entries.split([self.layout.colours, self.layout.sizes.box_kinds], -2)
        drawn = {"map": F.pad(discs, (0, DISC_FIELDS - BOX_FIELDS)), "places": boxes}
        there = {"map": self.layout.discs[1], "places": self.layout.sizes.box_kinds}
        return {name: value.flatten(1) for name, value in drawn.items() if there[name]}

    def _asked(self, query: Tensor) -> Tensor:
        """Weights (..., k) of entities for a query, which is one-hot over the colours, the kinds of box, or both."""
        pad = query.new_zeros(*query.shape[:-1], self.entities - query.shape[-1])
        return torch.cat([pad, query] if asks_for_boxes(self.layout) else [query, pad], -1)
