"""Makes the last observations the memory of a policy without memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class StackGraph(nn.Module):
    """A policy graph on rows of the last k observations, as one on observations. Its state (n, (k - 1) d) holds the previous ones.

    Args:
        policy: the policy graph on rows (n, k d); see `unseen.agents.shared.graph_agent`.
        stack: k, at least 2.
    """

    def __init__(self, policy: Any, stack: int) -> None:
        super().__init__()
        self.policy: Any = policy  # "graph" would hide an attribute of the exporter's modules
        self.stack = stack
        self.outputs = [*policy.outputs, "new_state"]

    def example(self, n: int = 2) -> dict[str, Tensor]:
        """Example inputs with batch size n, which define the shapes."""
        inputs = self.policy.example(n)
        rows = inputs.pop("obs")
        size = rows.shape[1] // self.stack
        return {"obs": rows[:, :size], "state": rows[:, size:], "first": torch.ones(n, 1)} | inputs

    def forward(self, obs: Tensor, state: Tensor, first: Tensor, noise: Tensor | None = None) -> tuple[Tensor, ...]:
        rows = torch.cat([state * (1 - first), obs], -1)
        outputs = self.policy(rows) if noise is None else self.policy(rows, noise)
        return (*outputs, rows[:, obs.shape[-1] :])
