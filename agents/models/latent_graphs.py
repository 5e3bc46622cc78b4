"""Graphs of a policy on world-model latents: one decision, and one imagined step; and the two graphs of an agent that plans."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from unseen.agents.models.latent import LatentModel
from unseen.agents.shared.actions import Categorical, DiscreteActions, SquashedNormal
from unseen.agents.shared.actor_critic import ActorCritic
from unseen.agents.shared.envs import Layout, ObservationSpec
from unseen.agents.shared.torch_graph import TorchGraph


class _LatentGraph(nn.Module):
    def __init__(self, model: LatentModel, ac: ActorCritic, layout: Layout | None) -> None:
        super().__init__()
        self.model, self.actor = model, ac.actor
        self.head, self.layout = ac.head, layout
        self.discrete = isinstance(ac.head, DiscreteActions)

    def decode_map(self, latent: Tensor) -> dict[str, Tensor]:
        """The positions that the model predicts; empty for observations without a layout."""
        return {} if self.layout is None else self.model.decode_map(latent, self.layout)

    def decode_step(self, latent: Tensor) -> dict[str, Tensor]:
        """What the model predicts of an imagined step: `pose`, `boxes` and `map`; without a layout `obs`, if it decodes vectors."""
        if self.layout is None:
            obs = None if self.model.observation.image else self.model.decode(latent)
            return {} if obs is None else {"obs": obs}
        drawn = {"pose": self.model.pose(latent, self.layout)} | self.model.decode_boxes(latent, self.layout)
        return drawn | {name: value for name, value in self.decode_map(latent).items() if name == "map"}

    def names(self, decode: Callable[[Tensor], dict[str, Tensor]]) -> list[str]:
        """The names of what `decode` returns."""
        device = next(self.model.parameters()).device
        return list(decode(torch.zeros(1, self.model.size, device=device)))

    def placeholders(self, n: int = 2) -> tuple[Tensor, Tensor]:
        """A latent and an action that define shapes and dtypes."""
        return torch.zeros(n, self.model.size), torch.from_numpy(self.head.zeros(n))


class ActGraph(_LatentGraph):
    """One decision. Noise: that of the model, then that of the policy if actions are continuous."""

    def forward(
        self, obs: Tensor, state: Tensor, last: Tensor, first: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        model = self.model
        noise = obs[:, :0] if noise is None else noise
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
        }  # fmt: skip
        if width:
            example["noise"] = torch.rand(n, width)
        names = ["action", "logits" if self.discrete else "explored", "new_state"]
        return TorchGraph(self, example, [*names, *self.names(self.decode_map)])


class ImagineGraph(_LatentGraph):
    """One imagined step. Noise: as in `ActGraph`."""

    def forward(self, state: Tensor, action: Tensor, noise: Tensor | None = None) -> tuple[Tensor, ...]:
        model = self.model
        noise = state[:, :0] if noise is None else noise
        latent = model.imagine_step(state, self.head.encode(action), noise[:, : model.groups])
        outputs = self.actor(model.actor_input(latent))
        if self.discrete:
            chosen: tuple[Tensor, ...] = (outputs,)
        else:
            policy = self.head.distribution(outputs)
            explored = policy.sample(noise[:, model.groups :])
            chosen = (self.head.decode(policy.mode()), self.head.decode(explored))
        return (latent, *chosen, model.reward(latent), model.continues(latent), *self.decode_step(latent).values())

    def graph(self) -> TorchGraph:
        state, action = self.placeholders()
        example = {"state": state, "action": action}
        width = self.model.groups + (0 if self.discrete else self.head.noise)
        if width:
            example["noise"] = torch.rand(len(state), width)
        chosen = ["logits"] if self.discrete else ["next_action", "explored"]
        names = ["new_state", *chosen, "reward", "continue"]
        return TorchGraph(self, example, [*names, *self.names(self.decode_step)])


class _PlanningGraph(_LatentGraph):
    """Rewards and values are in units of the spread of returns, at least `floor`: what counts much is the same in every task."""

    def __init__(self, model: LatentModel, ac: ActorCritic, layout: Layout | None, floor: float) -> None:
        super().__init__(model, ac, layout)
        self.ac, self.floor = ac, floor

    def unit(self) -> Tensor:
        low, high = self.ac.return_range
        return (high - low).clamp(min=self.floor)

    def outlook(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs `prior` and `value` for latents (n, F), as `unseen.agents.shared.planning_agent` documents them."""
        x = self.model.actor_input(latent)
        policy = self.ac.policy(x)
        if isinstance(policy, Categorical):
            prior = policy.probs.log()
        else:
            assert isinstance(policy, SquashedNormal)
            prior = torch.cat([policy.mean, policy.log_std.exp()], -1)
        return prior, self.ac.value(x) / self.unit()


class MemoryGraph(_PlanningGraph):
    """The latent from which it is planned. Noise: that of the model."""

    def forward(
        self, obs: Tensor, state: Tensor, last: Tensor, first: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        model = self.model
        embedded = model.encode(obs.reshape(-1, *model.observation.shape))
        noise = obs[:, :0] if noise is None else noise
        latent = model.observe(state, self.head.encode(last), embedded, 1 - first, noise)
        acts = torch.ones_like(obs[:, 0]) if self.layout is None else self.layout.acts(obs).to(obs.dtype)
        return (latent, *self.outlook(latent), acts, *self.decode_map(latent).values())

    def graph(self, observation: ObservationSpec) -> TorchGraph:
        state, last = self.placeholders()
        n = len(state)
        example = {"obs": torch.zeros(n, observation.size), "state": state, "last": last, "first": torch.ones(n, 1)}
        if self.model.groups:
            example["noise"] = torch.rand(n, self.model.groups)
        return TorchGraph(self, example, ["new_state", "prior", "value", "acts", *self.names(self.decode_map)])


class PlanGraph(_PlanningGraph):
    """One imagined step, to the most likely latent."""

    def forward(self, state: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        latent = model.likely_step(state, action if self.discrete else self.head.encode(action))
        outcome = latent, model.reward(latent) / self.unit(), model.continues(latent)
        return (*outcome, *self.outlook(latent), *self.decode_step(latent).values())

    def graph(self) -> TorchGraph:
        state = torch.zeros(2, self.model.size)
        names = ["new_state", "reward", "continue", "prior", "value", *self.names(self.decode_step)]
        return TorchGraph(self, {"state": state, "action": torch.zeros(2, self.head.size)}, names)
