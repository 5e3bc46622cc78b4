"""The relational model as the two graphs of a planning agent: see `unseen.agents.shared.planning_agent`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unseen.agents.models import tokens
from unseen.agents.models.relational import RelationalModel
from unseen.agents.shared.graph_agent import BOX_FIELDS, DISC_FIELDS
from unseen.agents.shared.torch_graph import TorchGraph


class RememberGraph(nn.Module):
    """The memory as a graph: (obs, state, first) -> the state from which plans start. See `unseen.agents.shared.graph_agent`."""

    OUTPUTS = ("new_state", "place", "acts", "map")

    def __init__(self, model: RelationalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, obs: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, ...]:
        new_state = self.model.remember(state * (1 - first), obs)
        acts = obs[:, self.model.layout.phase][:, -1]
        return new_state, self.model.places(new_state), acts, _drawn(self.model, new_state)

    def graph(self) -> TorchGraph:
        obs = torch.zeros(2, self.model.size, device=self.model.steps.device)
        example = {"obs": obs, "state": obs.clone(), "first": obs[:, :1].clone()}
        return TorchGraph(self, example, self.OUTPUTS)


class PredictGraph(nn.Module):
    """One imagined step as a graph: (state, one-hot action) -> the next state, its reward, and the other outputs that planning uses."""

    OUTPUTS = ("new_state", "reward", "continue", "log_prob", "novelty", "place", "acts", "map", "boxes", "pose")

    def __init__(self, model: RelationalModel) -> None:
        super().__init__()
        self.model = model
        self.parts = model.parts()

    def forward(self, state: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        after, log_prob, arrivals = model.imagined(state, action, self.parts)
        at = tokens.tokens(model.layout, after)
        reward, over = torch.sigmoid(model.outcomes(after, at, arrivals, self.parts)).unbind(-1)
        drawn = _drawn(model, after), model.boxes(after)[..., :BOX_FIELDS].flatten(1), after[:, model.layout.pose]
        return (
            after,
            reward,
            1 - over,
            log_prob,
            model.novelty(after, at, tuple(arrival.rolled > 0.5 for arrival in arrivals), self.parts),
            model.places(after),
            model.acts(after, self.parts),
            *drawn,
        )

    def graph(self, rows: int) -> TorchGraph:
        zeros = torch.zeros(2, self.model.size, device=self.model.steps.device)
        example = {"state": zeros, "action": zeros[:, : self.model.actions].clone()}
        return TorchGraph(self, example, self.OUTPUTS, rows)


def _drawn(model: RelationalModel, state: Tensor) -> Tensor:
    """The discs of states (B, d) as the output `map` (B, 5 k)."""
    return model.discs(state)[..., :DISC_FIELDS].flatten(1)
