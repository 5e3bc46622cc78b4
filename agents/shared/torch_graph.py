"""A torch module as a `Graph`, for acting during training and for export."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unseen.agents.shared.graph_agent import Arrays, Graph

ROWS = 64  # measured: in batches of 64, results are bit-identical in every row; in batches below 32 they are not


class TorchGraph(Graph):
    """A module whose positional arguments are the inputs and which returns a tuple of the outputs; it runs in `eval` mode.

    Args:
        module: on any device; not copied, so that the policy follows its learner.
        example: named inputs with any batch size, in order; they define shapes and dtypes.
        outputs: names of the outputs.
        rows: batch size to run with, see `Graph`.
    """

    def __init__(self, module: nn.Module, example: dict[str, Tensor], outputs: Sequence[str], rows: int = ROWS) -> None:
        self.module, self.example = module, example
        self.inputs = {name: tuple(value.shape[1:]) for name, value in example.items()}
        self.outputs = tuple(outputs)
        self.rows = rows

    @torch.inference_mode()
    def run(self, inputs: Arrays) -> Arrays:
        device, training = next(self.module.parameters()).device, self.module.training
        given = [
            torch.tensor(inputs[name], device=device) for name in self.inputs
        ]  # copied into aligned memory: rounding depends on alignment
        outputs = self.module.eval()(*given)
        self.module.train(training)
        return dict(zip(self.outputs, (out.cpu().numpy() for out in outputs), strict=True))
