"""What the trainer asks of a learning algorithm, and the table of those that there are.

A learner owns its environments, its networks and every random number generator it draws from, so
that `save` then `load` continues exactly where it stopped: the same parameters, bit for bit, as if
it had never been interrupted.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from unseen.agents.agent import Agent
from unseen.agents.errors import BadAgent, MissingExtra, UnknownAgent
from unseen.envs.errors import nearest


class Learner(Protocol):
    """One algorithm learning one environment at one level from one seed."""

    name: str
    steps: int
    """Environment steps consumed so far."""

    def __init__(
        self,
        env_name: str,
        level: int,
        seed: int = 0,
        device: str = "cpu",
        config: dict[str, Any] | None = None,
    ) -> None:
        """`config` overrides the algorithm's own settings by name; an unknown name is a ValueError."""

    def advance(self) -> dict[str, float]:
        """Collect and update for a second or two; return figures to log (`success`, losses, ...)."""

    def policy(self) -> Agent:
        """The present policy, for evaluation; acting with it must not disturb training."""

    def save(self, folder: Path) -> None:
        """Write everything needed to continue exactly into `folder`, which exists and is empty."""

    def load(self, folder: Path) -> None:
        """Take up again what `save` wrote. Raises BadCheckpoint."""

    def export(self, path: Path) -> None:
        """Write the policy as ONNX to `path` (and a world model's `<stem>.imagine.onnx` beside it)."""


LEARNERS = {
    "ppo": ("unseen.agents.baselines", "PPOLearner"),
    "recurrent-ppo": ("unseen.agents.baselines", "RecurrentPPOLearner"),
    "dreamer": ("unseen.agents.dreamer", "DreamerLearner"),
    "mapper": ("unseen.agents.mapper", "MapperLearner"),
}
"""name -> (module, class); imported only when asked for, because torch is an optional extra."""

_EXTRAS = ("torch", "stable_baselines3", "sb3_contrib", "safetensors", "onnx", "onnxscript", "tensorboard")


def learner_class(name: str) -> type[Learner]:
    """The learner called `name`. Raises UnknownAgent, or MissingExtra when torch is not installed."""
    if name not in LEARNERS:
        raise UnknownAgent(f"no trainable agent {name!r}: {nearest(name, LEARNERS)}")
    module, attribute = LEARNERS[name]
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _EXTRAS:
            raise
        raise MissingExtra(f"training {name} needs {error.name}: pip install 'unseen[train]'") from error


Config = TypeVar("Config")


def configure(kind: type[Config], overrides: Mapping[str, Any] | None) -> Config:
    """The dataclass `kind` with its defaults overridden by name. Raises BadAgent naming what is known."""
    known: dict[str, Any] = {f.name: f.default for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in (overrides or {}).items():
        if name not in known:
            raise BadAgent(f"no setting {name!r}; {nearest(name, known)}")
        want = type(known[name])
        if isinstance(value, bool) != (want is bool) or not isinstance(value, int if want is int else int | want):
            raise BadAgent(f"setting {name}={value!r}: allowed is {want.__name__}")
    typed = {name: type(known[name])(value) for name, value in (overrides or {}).items()}
    return replace(kind(), **typed)  # type: ignore[type-var]
