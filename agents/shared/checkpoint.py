"""A learner's checkpoint: tensors in `state.safetensors`, and scalars with a manifest in `state.json`.

A learner has one method, `sync(store)`, that hands everything it is made of to a `Store`. A `Writer` copies it out, a
`Reader` copies it in, so that the two cannot drift apart. The manifest holds a digest of the tensors and one of itself:
a flipped bit is refused.
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
    """What `sync` speaks to. Every method takes the present value and gives the one to go on with."""

    reading: bool

    @abstractmethod
    def scalar(self, name: str, value: Scalar) -> Scalar:
        """One number, flag or text; it keeps its type."""

    @abstractmethod
    def floats(self, name: str, values: Iterable[float]) -> list[float]:
        """A list of any length."""

    @abstractmethod
    def tensor(self, name: str, value: Tensor, grows: bool = False) -> Tensor:
        """Of the same dtype and shape, or where it `grows` of any length; on the present value's device."""

    @abstractmethod
    def module(self, name: str, module: nn.Module) -> None:
        """Parameters and buffers, in place."""

    @abstractmethod
    def optimizer(self, name: str, optimizer: Optimizer) -> None:
        """Its moments, in place; its settings are those that it was made with."""

    @abstractmethod
    def rng(self, name: str, rng: np.random.Generator) -> None:
        """The state of a numpy generator, in place."""

    def array(self, name: str, value: np.ndarray, grows: bool = False) -> np.ndarray:
        """As `tensor`."""
        return self.tensor(name, torch.from_numpy(np.ascontiguousarray(value)), grows).numpy()

    def generator(self, name: str, generator: torch.Generator) -> None:
        """The state of a torch generator, in place."""
        generator.set_state(self.tensor(name, generator.get_state()))

    def data(self, name: str, value: bytes) -> bytes:
        """Bytes of any length."""
        return self.array(name, np.frombuffer(value, np.uint8).copy(), grows=True).tobytes()


class Writer(Store):
    """Gathers a learner's state. Tensors are copied when `write` is called, not before.

    Args:
        name, config: of the learner; a reader has to have the same.
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
    """Gives back what a `Writer` of the same name and config wrote. Every fault is a BadCheckpoint."""

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
            raise BadCheckpoint(f"{folder}: is a checkpoint of {found}, not of {name} in format {FORMAT}")
        if manifest.get("config") != json.loads(json.dumps(dict(config))):
            raise BadCheckpoint(f"{folder}: was made with other settings: {manifest.get('config')}")
        if hashlib.sha256(data).hexdigest() != manifest.get("tensors"):
            raise BadCheckpoint(f"{folder}: {TENSORS} is damaged: it is not what {MANIFEST} says")
        try:
            loaded = load(data)
        except SafetensorError as error:
            raise BadCheckpoint(f"{folder}: {TENSORS}: {error}") from error
        # Clones lie in torch's own memory, which is always aligned alike: kernels round with the alignment of what they
        # read, and views into a file lie where they happen to.
        self._tensors = {key: value.clone() for key, value in loaded.items()}
        self._scalars = manifest.get("scalars", {})

    def _fault(self, name: str, reason: str) -> BadCheckpoint:
        return BadCheckpoint(f"{self._where}: does not fit this learner and environment: {name} {reason}")

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
            raise self._fault(name, "is no list of floats")
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
            raise self._fault(name, f"is no state of a generator: {error}") from error


def seal(value: Mapping[str, Any]) -> str:
    """A JSON object as text, with a digest of itself."""
    return json.dumps(dict(value) | {"digest": _digest(value)})


def unseal(text: str) -> dict[str, Any]:
    """The object that was sealed. Raises ValueError where it is not what was sealed."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(found, dict) or found.pop("digest", None) != _digest(found):
        raise ValueError("damaged: its digest is another")
    return found


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(value), sort_keys=True).encode()).hexdigest()


def _plain(state: Any) -> Any:
    """A generator's state with lists for arrays."""
    if isinstance(state, Mapping):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def _arrays(state: Any) -> Any:
    """The reverse of `_plain`."""
    if isinstance(state, Mapping):
        return {key: _arrays(value) for key, value in state.items()}
    return np.array(state, np.uint64) if isinstance(state, list) else state
