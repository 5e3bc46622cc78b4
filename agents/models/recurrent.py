"""A recurrent actor-critic with an optional map of places, and the graph of one of its decisions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unseen.agents.models.places import PlaceMap
from unseen.agents.shared.actions import ActionHead, DiscreteActions
from unseen.agents.shared.encoders import Standardise, ignore, make_encoder, prepare
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.nets import BINS, Memory, TwoHot, mlp
from unseen.agents.shared.torch_graph import TorchGraph


class RecurrentActorCritic(nn.Module):
    """Actor and critic on a GRU's features, the present vector and, with a map, the look-up of what is asked for.

    With a map, the GRU learns from the map's labels alone; actor and critic read its features and the look-up.
    """

    def __init__(
        self, observation: ObservationSpec, head: ActionHead, hidden: int, map_layout: Layout | None = None
    ) -> None:
        super().__init__()
        self.observation, self.head = observation, head
        self.standardise = None if observation.image else Standardise(observation.size)
        # A vector goes into the GRU as it is: with an MLP before it, what is to be remembered is harder to find.
        plain = not observation.image and observation.rays is None
        self.encoder = nn.Identity() if plain else make_encoder(observation, hidden)
        self.gru = Memory(observation.size if plain else hidden, hidden)
        # An image is encoded once, for the GRU: a second time for actor and critic would cost as much as all the rest.
        self.glance = None if observation.image else make_encoder(observation, hidden)
        self.map = None if map_layout is None else PlaceMap(hidden, hidden, map_layout)
        inputs = hidden * (1 if self.glance is None else 2) + (0 if self.map is None else self.map.look_up_size)
        self.actor = mlp(inputs, hidden, 2, head.outputs, zero=True)
        self.critic = mlp(inputs, hidden, 2, BINS, zero=True)
        self.twohot = TwoHot()

    @property
    def size(self) -> int:
        """Size of the memory."""
        return self.gru.hidden_size

    def prepared(self, obs: Tensor) -> Tensor:
        """Observations (..., *shape) as the encoders read them: pixels scaled to [0, 1], vectors standardised."""
        return prepare(obs, self.observation) if self.standardise is None else self.standardise(obs)

    def remember(self, obs: Tensor) -> Tensor:
        """Features (T, n, size) of whole episodes of observations (T, n, ...)."""
        return self.gru(self.encoder(self.prepared(obs)))[0]

    def step(self, obs: Tensor, memory: Tensor) -> Tensor:
        """Features (n, size), which are also the next memory, of observations (n, ...) after `memory` (n, size)."""
        return self.gru.step(self.encoder(self.prepared(obs)), memory)

    def ignore(self, columns: slice) -> None:
        """The memory takes no notice of columns of a vector until it learns to: for what was never seen in training."""
        if isinstance(self.encoder, nn.Identity):
            with torch.no_grad():
                self.gru.weight_ih_l0[:, columns] = 0
        else:
            ignore(self.encoder, columns)

    def parameter_groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Parameters of memory and map, and those of actor and critic."""
        memory = [self.encoder, self.gru, *([] if self.map is None else [self.map])]
        policy = [self.actor, self.critic, *([] if self.glance is None else [self.glance])]
        return [p for part in memory for p in part.parameters()], [p for part in policy for p in part.parameters()]

    def inputs(self, features: Tensor, obs: Tensor) -> Tensor:
        """Inputs of actor and critic, for features (..., size) and observations (..., *shape)."""
        parts = [features] if self.glance is None else [features, self.glance(self.prepared(obs))]
        if self.map is not None:
            with torch.no_grad():
                parts.append(self.map.look_up(features, obs))
        return torch.cat(parts, -1)

    def value(self, inputs: Tensor) -> Tensor:
        return self.twohot.mean(self.critic(inputs))


class RecurrentGraph(nn.Module):
    """One decision; see `unseen.agents.shared.graph_agent`."""

    def __init__(self, net: RecurrentActorCritic) -> None:
        super().__init__()
        self.net = net

    def forward(self, obs: Tensor, state: Tensor, first: Tensor, noise: Tensor | None = None) -> tuple[Tensor, ...]:
        net, head = self.net, self.net.head
        rows = obs.reshape(-1, *net.observation.shape)
        memory = net.step(rows, state * (1 - first))
        outputs = net.actor(net.inputs(memory, rows))
        if noise is None:
            chosen = (outputs.argmax(-1), outputs)
        else:
            policy = head.distribution(outputs)
            chosen = (head.decode(policy.mode()), head.decode(policy.sample(noise)))
        drawn = {} if net.map is None else net.map.drawn(memory)
        return (*chosen, memory, *drawn.values())

    def graph(self) -> TorchGraph:
        net, n = self.net, 2
        example = {
            "obs": torch.zeros(n, net.observation.size),
            "state": torch.zeros(n, net.size),
            "first": torch.ones(n, 1),
        }
        names = ["action", "logits", "new_state"]
        if not isinstance(net.head, DiscreteActions):
            example["noise"] = torch.rand(n, net.head.noise)
            names[1] = "explored"
        drawn = [] if net.map is None else list(net.map.drawn(torch.zeros(n, net.size, device=net.map.centres.device)))
        return TorchGraph(self, example, names + drawn)
