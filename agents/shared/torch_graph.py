"""A torch module as a `Graph`: what an algorithm's policy is while it learns, and what is exported."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unseen.agents.shared.graph_agent import Arrays, Graph

ROWS = 64  # measured: a row of a product is the same to the bit wherever it lies among 64, and not among fewer than 32


class TorchGraph(Graph):
    """A module that takes tensors of the given names, in this order, and gives a tuple of the given outputs.

    Args:
        module: on any device; it is not copied, so that a policy follows its learner.
        example: inputs with a batch of any size, for shapes and dtypes.
        outputs: names.
    """

    def __init__(self, module: nn.Module, example: dict[str, Tensor], outputs: Sequence[str]) -> None:
        self.module, self.example = module, example
        self.inputs = {name: tuple(value.shape[1:]) for name, value in example.items()}
        self.outputs = tuple(outputs)
        self.rows = ROWS

    @torch.inference_mode()
    def run(self, inputs: Arrays) -> Arrays:
        device = next(self.module.parameters()).device
        given = [torch.tensor(inputs[name], device=device) for name in self.inputs]  # copies: aligned, rounded alike
        return dict(zip(self.outputs, (out.cpu().numpy() for out in self.module(*given)), strict=True))
