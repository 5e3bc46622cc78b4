"""Export a torch graph as ONNX, without information about the exporting machine."""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from unseen.agents.shared.torch_graph import TorchGraph


def write_onnx(graph: TorchGraph, path: Path) -> None:
    """Export with a dynamic batch size and embedded weights. The module itself is not modified.

    The stack traces that the exporter attaches to nodes are removed, since they hold local paths.
    """
    module = copy.deepcopy(graph.module).cpu().eval()
    inputs = tuple(graph.example.values())
    batch = torch.export.Dim("n", min=1, max=1 << 20)
    shapes: Any = tuple({0: batch} for _ in inputs)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is not installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=shapes,
            verbose=False,
        )
    assert program is not None
    parts: list[Any] = [program.model.graph, *program.model.functions.values()]
    for part in parts:
        for node in part.all_nodes():
            node.metadata_props.clear()
    program.save(str(path), external_data=False)
