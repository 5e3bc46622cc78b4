"""Graphs of a policy on world-model latents: one decision, and one imagined step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unseen.agents.models.rssm import RSSM
from unseen.agents.shared.actions import DiscreteActions
from unseen.agents.shared.actor_critic import ActorCritic
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.graph_agent import BOX_FIELDS
from unseen.agents.shared.torch_graph import TorchGraph


class _LatentGraph(nn.Module):
    def __init__(self, model: RSSM, ac: ActorCritic, layout: Layout | None) -> None:
        super().__init__()
        self.model, self.actor = model, ac.actor
        self.head, self.layout = ac.head, layout
        self.discrete = isinstance(ac.head, DiscreteActions)

    def decode_map(self, latent: Tensor) -> dict[str, Tensor]:
        """The positions that the model predicts; empty for observations without a layout."""
        return {} if self.layout is None else self.model.decode_map(latent, self.layout)

    def placeholders(self, n: int = 2) -> tuple[Tensor, Tensor]:
        """A latent and an action that define shapes and dtypes."""
        return torch.zeros(n, self.model.size), torch.from_numpy(self.head.zeros(n))


class ActGraph(_LatentGraph):
    """One decision. Noise: S columns for the posterior, then those of the policy if actions are continuous."""

    def forward(self, obs: Tensor, state: Tensor, last: Tensor, first: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        embedded = model.encode(obs.reshape(-1, *model.observation.shape))
        latent = model.observe(state, self.head.encode(last), embedded, 1 - first, noise[:, : model.groups])
        outputs = self.actor(model.actor_input(latent))
        if self.discrete:
            chosen = (outputs.argmax(-1), outputs)
        else:
            policy = self.head.distribution(outputs)
            explored = policy.sample(noise[:, model.groups :])
            chosen = (self.head.decode(policy.mode()), self.head.decode(explored))
        return (*chosen, latent, *self.decode_map(latent).values())

    def graph(self, observation: ObservationSpec) -> TorchGraph:
        state, last = self.placeholders()
        n = len(state)
        width = self.model.groups + (0 if self.discrete else self.head.noise)
        example = {
            "obs": torch.zeros(n, observation.size), "state": state, "last": last, "first": torch.ones(n, 1),
            "noise": torch.rand(n, width),
        }  # fmt: skip
        names = ["action", "logits" if self.discrete else "explored", "new_state"]
        return TorchGraph(self, example, [*names, *self.map_outputs()])

    def map_outputs(self) -> list[str]:
        device = next(self.model.parameters()).device
        return list(self.decode_map(torch.zeros(1, self.model.size, device=device)))


class ImagineGraph(_LatentGraph):
    """One imagined step."""

    def forward(self, state: Tensor, action: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        latent = model.imagine_step(state, self.head.encode(action), noise)
        outputs = self.actor(model.actor_input(latent))
        if not self.discrete:
            outputs = self.head.decode(self.head.distribution(outputs).mode())
        common = (latent, outputs, model.reward(latent), model.continues(latent))
        if self.layout is None:
            return common
        decoded = model.decode(latent)
        start, count, width = self.layout.boxes
        boxes = decoded[:, start : start + count * width].reshape(-1, count, width)[..., :BOX_FIELDS].flatten(1)
        discs = (self.decode_map(latent)["map"],) if self.layout.discs[1] else ()
        return (*common, decoded[:, self.layout.pose], *((boxes,) if count else ()), *discs)

    def graph(self) -> TorchGraph:
        state, action = self.placeholders()
        names = ["new_state", "logits" if self.discrete else "next_action", "reward", "continue"]
        if self.layout is not None:
            names += ["pose", *(["boxes"] if self.layout.boxes[1] else []), *(["map"] if self.layout.discs[1] else [])]
        example = {"state": state, "action": action, "noise": torch.rand(len(state), self.model.groups)}
        return TorchGraph(self, example, names)
