"""A world model around a map of places: a memory, a predictor of the next observation, and heads for reward and end.

Shapes: n rows, D size of the memory, O of an observation, M of the map's output (`PlaceMap.around`), A of an encoded action. A latent is
[memory, observation, map], of size F = D + O + M, and is deterministic; its observation is standardised. In imagination the predicted
observation replaces the next one, and updates the memory too.

With a map, the memory learns from the map's labels alone, and predictions are made from observation and map output only, not from the
memory. Without a map, predictions are made from memory and observation, and the memory learns from the prediction losses.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models.latent import LatentModel
from unseen.agents.models.places import PlaceMap, turned_back
from unseen.agents.shared.encoders import Standardise
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.nets import BINS, Memory, TwoHot, mlp, norm

STEP = 0.1  # half rooms and radians: unit of the predicted change of the pose


class MappedModel(LatentModel):
    """The model, of vector observations.

    Args:
        actions: size A of an encoded action.
        hidden: size D of the memory, and units of hidden layers.
        layout: of slots or rays: changes of pose are then predicted in the agent's own frame; None for other vectors.
        has_map: whether there is a map; it needs a layout.
    """

    groups = 0  # of noise variables: nothing is sampled

    def __init__(
        self,
        observation: ObservationSpec,
        actions: int,
        hidden: int,
        layout: Layout | None,
        has_map: bool = True,
    ) -> None:
        super().__init__()
        self.observation, self.layout = observation, layout
        self.standardise = Standardise(observation.size)
        self.memory = Memory(observation.size, hidden)
        self.map = PlaceMap(hidden, hidden, layout) if has_map and layout is not None else None
        self.parts = [hidden, observation.size, 0 if self.map is None else self.map.around_size]
        self.size = sum(self.parts)
        inputs = self.size if self.map is None else self.size - hidden
        self.from_latent = nn.Linear(inputs, hidden, bias=False)
        # A layer of its own, so that a few action inputs weigh as much as many others.
        self.from_action = nn.Linear(actions, hidden)
        self.gain = nn.Parameter(torch.ones(hidden))
        self.predictor = mlp(hidden, hidden, 1, observation.size, zero=True)
        self.reward_head = mlp(inputs, hidden, 2, BINS, zero=True)
        self.cont_head = mlp(inputs, hidden, 2, 1)
        self.twohot = TwoHot()

    # --- WorldModel ---

    def encode(self, obs: Tensor) -> Tensor:
        return self.standardise(obs)

    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; neither action nor noise is used."""
        return self._latent(self.memory.step(embedded, self.memory_of(latent) * keep), embedded)

    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; noise is not used. The predicted observation updates the memory."""
        return self._ahead(latent, self.change(latent, action))

    def reward(self, latent: Tensor) -> Tensor:
        return self.twohot.mean(self.reward_head(self._present(latent)))

    def continues(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(self.cont_head(self._present(latent))[..., 0])

    def decode(self, latent: Tensor) -> Tensor:
        return self.standardise.inverse(latent.split(self.parts, -1)[1])

    # --- outputs for the viewer ---

    def pose(self, latent: Tensor, layout: Layout) -> Tensor:
        return self.decode(latent)[..., layout.pose]

    def decode_map(self, latent: Tensor, layout: Layout) -> dict[str, Tensor]:
        return {} if self.map is None else self.map.drawn(self.memory_of(latent))

    # --- learning ---

    def observe_episodes(self, obs: Tensor) -> Tensor:
        """Latents (T, n, F) of whole episodes of observations (T, n, O)."""
        seen = self.standardise(obs)
        return self._latent(self.memory(seen)[0], seen)

    def change(self, latent: Tensor, action: Tensor) -> Tensor:
        """Predicted change of the observation (n, O): of the pose as `moved` returns it, of the rest in standard deviations."""
        return self.predictor(
            F.silu(norm(self.from_latent(self._present(latent)) + self.from_action(action), self.gain))
        )

    def losses(self, latent: Tensor, action: Tensor, ahead: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Losses (n,) of predicting the next step from latents (n, F) and actions (n, A).

        Reward and termination are learned on predicted latents, since that is where they are used. A terminal observation is not
        predicted, since the lights may go on.

        Args:
            ahead: the next step: `obs` (n, O), `reward` (n,) and `terminated` (n,).
        """
        change = self.change(latent, action)
        seen = latent.split(self.parts, -1)[1]
        target = self.standardise(ahead["obs"]) - seen
        if self.layout is not None:
            pose = self.layout.pose
            target = replaced(target, pose, moved(self.decode(latent)[..., pose], ahead["obs"][..., pose]))
        inputs = self._present(self._ahead(latent, change.detach()))
        goes_on = 1 - ahead["terminated"]
        return {
            "prediction": (change - target).square().mean(-1) * goes_on,
            "reward": self.twohot.loss(self.reward_head(inputs), ahead["reward"]),
            "continue": F.binary_cross_entropy_with_logits(self.cont_head(inputs)[..., 0], goes_on, reduction="none"),
        }

    def parameter_groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Parameters of memory and map, and all others."""
        remembers = [*self.memory.parameters(), *([] if self.map is None else self.map.parameters())]
        known = {id(p) for p in remembers}
        return remembers, [p for p in self.parameters() if id(p) not in known]

    # --- parts ---

    def memory_of(self, latent: Tensor) -> Tensor:
        """The memory (..., D) in latents (..., F)."""
        return latent[..., : self.parts[0]]

    def _latent(self, memory: Tensor, seen: Tensor) -> Tensor:
        """The latent (..., F) of a memory (..., D) and a standardised observation (..., O)."""
        if self.map is None:
            return torch.cat([memory, seen], -1)
        return torch.cat([memory, seen, self.map.around(memory, self.standardise.inverse(seen)).detach()], -1)

    def _present(self, latent: Tensor) -> Tensor:
        """The part of a latent that predictions are made from."""
        return latent if self.map is None else latent[..., self.parts[0] :]

    def _ahead(self, latent: Tensor, change: Tensor) -> Tensor:
        """The next latent (n, F) after a change (n, O) of the observation."""
        memory, seen, _ = latent.split(self.parts, -1)
        ahead = seen + change
        if self.layout is not None:
            pose = self.layout.pose
            there = move(self.standardise.inverse(seen)[..., pose], change[..., pose])
            ahead = replaced(ahead, pose, self.standardise.part(there, pose))
        return self._latent(self.memory.step(ahead, memory), ahead)


def replaced(row: Tensor, columns: slice, values: Tensor) -> Tensor:
    """Rows (..., O) with other values (..., m) in some columns."""
    return torch.cat([row[..., : columns.start], values, row[..., columns.stop :]], -1)


def moved(pose: Tensor, ahead: Tensor) -> Tensor:
    """The change (..., 4) from one pose (..., 4) to another: forward, left, and of the turn cosine - 1 and sine; in units of STEP."""
    turn = turned_back(ahead[..., 2:], pose)
    return torch.cat([turned_back(ahead[..., :2] - pose[..., :2], pose), turn[..., :1] - 1, turn[..., 1:]], -1) / STEP


def move(pose: Tensor, change: Tensor) -> Tensor:
    """The pose (..., 4) after a change (..., 4) as `moved` returns it."""
    x, y, cos, sin = pose.unbind(-1)
    forward, left, c, s = (change * STEP).unbind(-1)
    turned = F.normalize(torch.stack([cos * (1 + c) - sin * s, sin * (1 + c) + cos * s], -1), dim=-1)
    place = torch.stack([x + forward * cos - left * sin, y + forward * sin + left * cos], -1)
    return torch.cat([place, turned], -1)
