"""Checkpoints of training: arrays as safetensors, the rest as JSON. Nothing is ever unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from unseen.agents.errors import BadCheckpoint


def write(folder: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write `tensors.safetensors` and `learner.json` into `folder`."""
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, folder / "tensors.safetensors")
    (folder / "learner.json").write_text(json.dumps(meta), encoding="utf-8")


def read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write` wrote. Raises BadCheckpoint, naming the file at fault."""
    path = folder / "tensors.safetensors"
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(f"{path}: missing or truncated: {error}") from error
    path = folder / "learner.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCheckpoint(f"{path}: missing or truncated: {error}") from error
    return tensors, meta


def optimiser_tensors(optimiser: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """The state of `optimiser`, flat, by parameter index and name."""
    state = optimiser.state_dict()["state"]
    return {f"{prefix}.{i}.{name}": value for i, entry in state.items() for name, value in entry.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], prefix: str) -> None:
    """Put back what `optimiser_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix + "."):
            index, name = key.removeprefix(prefix + ".").split(".")
            state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
