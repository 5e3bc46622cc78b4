"""Checkpoints of learners: tensors in `state.safetensors`, scalars and a manifest in `state.json`.

A learner implements one method for saving and loading, `sync(store)`, which passes every part of its state to a `Store`. A
`Writer` saves the parts, a `Reader` restores them, so that saving and loading cannot get out of step. The manifest holds
digests of the tensors and of itself, by which damage is detected.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unseen.agents.errors import BadCheckpoint

FORMAT = 1
TENSORS, MANIFEST = "state.safetensors", "state.json"

Scalar = TypeVar("Scalar", int, float, bool, str)


class Store(ABC):
    """Argument of `sync`. Every method takes the current value and returns the value to continue with."""

    reading: bool

    @abstractmethod
    def scalar(self, name: str, value: Scalar) -> Scalar:
        """A number, flag or string; its type must not change."""

    @abstractmethod
    def floats(self, name: str, values: Iterable[float]) -> list[float]:
        """A list of floats of any length."""

    @abstractmethod
    def tensor(self, name: str, value: Tensor, grows: bool = False) -> Tensor:
        """A tensor of fixed dtype and shape; with `grows`, the first dimension may differ. Keeps the value's device."""

    @abstractmethod
    def module(self, name: str, module: nn.Module) -> None:
        """Parameters and buffers, in place."""

    @abstractmethod
    def optimizer(self, name: str, optimizer: Optimizer) -> None:
        """The optimizer's moments, in place. Its settings are not stored."""

    @abstractmethod
    def rng(self, name: str, rng: np.random.Generator) -> None:
        """The state of a numpy generator, in place."""

    def array(self, name: str, value: np.ndarray, grows: bool = False) -> np.ndarray:
        """As `tensor`, for a numpy array."""
        return self.tensor(name, torch.from_numpy(np.ascontiguousarray(value)), grows).numpy()

    def generator(self, name: str, generator: torch.Generator) -> None:
        """The state of a torch generator, in place."""
        generator.set_state(self.tensor(name, generator.get_state()))

    def data(self, name: str, value: bytes) -> bytes:
        """Bytes of any length."""
        return self.array(name, np.frombuffer(value, np.uint8).copy(), grows=True).tobytes()


class Writer(Store):
    """Collects a learner's state. Tensors are copied when `write` is called, not before.

    Args:
        name, config: of the learner; a `Reader` must be given the same.
    """

    reading = False

    def __init__(self, name: str, config: Mapping[str, Any]) -> None:
        self._head = {"format": FORMAT, "agent": name, "config": dict(config)}
        self._tensors: dict[str, Tensor] = {}
        self._scalars: dict[str, Any] = {}

    def scalar(self, name: str, value: Scalar) -> Scalar:
        self._scalars[name] = value
        return value

    def floats(self, name: str, values: Iterable[float]) -> list[float]:
        self._scalars[name] = list(values)
        return self._scalars[name]

    def tensor(self, name: str, value: Tensor, grows: bool = False) -> Tensor:
        self._tensors[name] = value
        return value

    def module(self, name: str, module: nn.Module) -> None:
        self._tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}

    def optimizer(self, name: str, optimizer: Optimizer) -> None:
        for index, moments in optimizer.state_dict()["state"].items():
            self._tensors |= {f"{name}.{index}.{key}": value for key, value in moments.items()}

    def rng(self, name: str, rng: np.random.Generator) -> None:
        self._scalars[name] = _plain(rng.bit_generator.state)

    def write(self, folder: Path) -> None:
        """Write both files into an existing folder. Raises OSError."""
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        path = folder / TENSORS
        try:
            save_file({k: v.detach().cpu().contiguous().clone() for k, v in self._tensors.items()}, path)
        except SafetensorError as error:
            if "No space left" in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
            raise OSError(errno.EIO, str(error), str(path)) from error
        manifest = self._head | {"scalars": self._scalars, "tensors": hashlib.sha256(path.read_bytes()).hexdigest()}
        (folder / MANIFEST).write_text(seal(manifest), encoding="utf-8")


class Reader(Store):
    """Restores what a `Writer` of the same name and config wrote. Raises BadCheckpoint for any mismatch or damage."""

    reading = True

    def __init__(self, folder: Path, name: str, config: Mapping[str, Any]) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load

        self._where = folder
        try:
            manifest = unseal((folder / MANIFEST).read_text(encoding="utf-8"))
            data = (folder / TENSORS).read_bytes()
        except (OSError, ValueError) as error:
            raise BadCheckpoint(f"{folder}: not a checkpoint of {name}: {error}") from error
        if (manifest.get("format"), manifest.get("agent")) != (FORMAT, name):
            found = f"{manifest.get('agent')} in format {manifest.get('format')}"
            raise BadCheckpoint(f"{folder}: a checkpoint of {found}, not of {name} in format {FORMAT}")
        if manifest.get("config") != json.loads(json.dumps(dict(config))):
            raise BadCheckpoint(f"{folder}: made with other settings: {manifest.get('config')}")
        if hashlib.sha256(data).hexdigest() != manifest.get("tensors"):
            raise BadCheckpoint(f"{folder}: {TENSORS} is damaged: its digest differs from that in {MANIFEST}")
        try:
            loaded = load(data)
        except SafetensorError as error:
            raise BadCheckpoint(f"{folder}: {TENSORS}: {error}") from error
        # Cloned into torch's aligned memory: rounding depends on alignment, and views into a file have any alignment.
        self._tensors = {key: value.clone() for key, value in loaded.items()}
        self._scalars = manifest.get("scalars", {})

    def _fault(self, name: str, reason: str) -> BadCheckpoint:
        return BadCheckpoint(f"{self._where}: does not match this learner and environment: {name} {reason}")

    def _find(self, kept: Mapping[str, Any], name: str) -> Any:
        if name not in kept:
            raise self._fault(name, "is missing")
        return kept[name]

    def _part(self, prefix: str) -> dict[str, Tensor]:
        return {k[len(prefix) + 1 :]: v for k, v in self._tensors.items() if k.startswith(prefix + ".")}

    def scalar(self, name: str, value: Scalar) -> Scalar:
        kept = self._find(self._scalars, name)
        if type(kept) is not type(value):
            raise self._fault(name, f"is a {type(kept).__name__}, not a {type(value).__name__}")
        return kept

    def floats(self, name: str, values: Iterable[float]) -> list[float]:
        kept = self._find(self._scalars, name)
        if not isinstance(kept, list) or not all(isinstance(value, float) for value in kept):
            raise self._fault(name, "is not a list of floats")
        return kept

    def tensor(self, name: str, value: Tensor, grows: bool = False) -> Tensor:
        kept = self._find(self._tensors, name)
        skip = 1 if grows else 0
        if kept.dtype != value.dtype or kept.shape[skip:] != value.shape[skip:] or kept.ndim != value.ndim:
            raise self._fault(name, f"is {kept.dtype} {tuple(kept.shape)}, not {value.dtype} {tuple(value.shape)}")
        return kept.to(value.device)

    def module(self, name: str, module: nn.Module) -> None:
        try:
            module.load_state_dict(self._part(name))
        except RuntimeError as error:
            raise self._fault(name, f"differs: {error}") from error

    def optimizer(self, name: str, optimizer: Optimizer) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in self._part(name).items():
            index, _, moment = key.partition(".")
            state.setdefault(int(index), {})[moment] = value
        try:
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        except (ValueError, KeyError) as error:
            raise self._fault(name, f"differs: {error}") from error

    def rng(self, name: str, rng: np.random.Generator) -> None:
        kept = self._find(self._scalars, name)
        try:
            rng.bit_generator.state = _arrays(kept)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise self._fault(name, f"is not a generator state: {error}") from error


def seal(value: Mapping[str, Any]) -> str:
    """Serialise a JSON object together with its digest."""
    return json.dumps(dict(value) | {"digest": _digest(value)})


def unseal(text: str) -> dict[str, Any]:
    """Parse a sealed object. Raises ValueError if its digest does not match."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict) or found.pop("digest", None) != _digest(found):
        raise ValueError("damaged: its digest does not match")
    return found


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(value), sort_keys=True).encode()).hexdigest()


def _plain(state: Any) -> Any:
    """A generator's state with arrays converted to lists."""
    if isinstance(state, Mapping):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def _arrays(state: Any) -> Any:
    """The reverse of `_plain`."""
    if isinstance(state, Mapping):
        return {key: _arrays(value) for key, value in state.items()}
    return np.array(state, np.uint64) if isinstance(state, list) else state
