"""A recurrent actor-critic with an optional map of places, and the graph of one of its decisions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unseen.agents.models.places import LOOK_UP, PlaceMap
from unseen.agents.shared.actions import ActionHead, DiscreteActions
from unseen.agents.shared.encoders import make_encoder, prepare
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.nets import BINS, Memory, TwoHot, mlp
from unseen.agents.shared.torch_graph import TorchGraph


class RecurrentActorCritic(nn.Module):
    """Actor and critic on a GRU's features, the present observation and, with a map, the look-up of what is asked for.

    The look-up is not differentiated: the map learns from its own labels alone.
    """

    def __init__(
        self, observation: ObservationSpec, head: ActionHead, hidden: int, map_layout: Layout | None = None
    ) -> None:
        super().__init__()
        self.observation, self.head = observation, head
        self.encoder = make_encoder(observation, hidden)
        self.gru = Memory(hidden, hidden)
        self.glance = make_encoder(observation, hidden)
        self.map = None if map_layout is None else PlaceMap(hidden, hidden, map_layout)
        inputs = 2 * hidden + (0 if self.map is None else LOOK_UP)
        self.actor = mlp(inputs, hidden, 2, head.outputs, zero=True)
        self.critic = mlp(inputs, hidden, 2, BINS, zero=True)
        self.twohot = TwoHot()

    @property
    def size(self) -> int:
        """Size of the memory."""
        return self.gru.hidden_size

    def remember(self, obs: Tensor) -> Tensor:
        """Features (T, n, size) of whole episodes of observations (T, n, ...)."""
        return self.gru(self.encoder(prepare(obs, self.observation)))[0]

    def step(self, obs: Tensor, memory: Tensor) -> Tensor:
        """Features (n, size), which are also the next memory, of observations (n, ...) after `memory` (n, size)."""
        return self.gru.step(self.encoder(prepare(obs, self.observation)), memory)

    def groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Parameters of memory and map, and those of actor and critic."""
        memory = [self.encoder, self.gru, *([] if self.map is None else [self.map])]
        policy = [self.glance, self.actor, self.critic]
        return [p for part in memory for p in part.parameters()], [p for part in policy for p in part.parameters()]

    def inputs(self, features: Tensor, obs: Tensor) -> Tensor:
        """Inputs of actor and critic, for features (..., size) and observations (..., *shape)."""
        parts = [features, self.glance(prepare(obs, self.observation))]
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
