"""Reading a learner's checkpoint: `state.safetensors` beside `state.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from unseen.agents.errors import BadCheckpoint


def read_state(folder: Path, name: str, config: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and figures of the learner called `name`, made with the settings `config`. Raises BadCheckpoint."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = aligned(load_file(str(folder / "state.safetensors")))
        meta = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError, SafetensorError) as error:
        raise BadCheckpoint(f"{folder}: not a checkpoint of {name}: {error}") from error
    if meta.get("config") != config:
        raise BadCheckpoint(f"{folder}: was made with other settings: {meta.get('config')}")
    return tensors, meta


def aligned(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same in memory of torch's own, which is always aligned alike.

    The kernels round differently with the alignment of what they read, and an exact resume needs the same
    rounding; arrays of numpy's and views into a file lie where they happen to.
    """
    return {name: value.clone() for name, value in tensors.items()}
