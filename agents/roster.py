"""THE table of agents: one row each, read by help, list, train and leaderboard."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from unseen.agents.errors import MissingExtra, UnknownAgent
from unseen.agents.protocol import Learner
from unseen.envs.errors import nearest

KINDS = ("reference", "model-free", "model-based")

TRAINING = ("torch", "safetensors", "onnx", "onnxscript")
SB3 = (*TRAINING, "stable_baselines3")


@dataclass(frozen=True)
class Row:
    """One agent.

    Attributes:
        name: as it is called.
        kind: one of KINDS.
        summary: what it does.
        supervision: what it learns from besides reward; for a reference, what it is told.
        learner: "module:Class" that trains it; None for one that needs no training.
        steps: environment steps that training takes by default.
        extras: modules that training needs beyond the core: pip install 'unseen[train]'.
    """

    name: str
    kind: str
    summary: str
    supervision: str
    learner: str | None = None
    steps: int = 0
    extras: tuple[str, ...] = ()

    @property
    def trainable(self) -> bool:
        return self.learner is not None


ROSTER: dict[str, Row] = {
    row.name: row
    for row in [
        Row("random", "reference", "picks any action, whatever it observes", "none"),
        Row("reflex", "reference", "the best scripted agent without a memory", "scripted"),
        Row("tracker", "reference", "scripted: remembers where everything was last seen", "scripted"),
        Row("oracle", "reference", "scripted: sees through walls", "scripted, and told everything"),
        Row(
            "ppo", "model-free", "PPO without a memory (stable-baselines3)", "none",
            "unseen.agents.sb3.ppo:PPOLearner", 1_000_000, SB3,
        ),
        Row(
            "recurrent-ppo", "model-free", "PPO with an LSTM (sb3-contrib)", "none",
            "unseen.agents.sb3.recurrent_ppo:RecurrentPPOLearner", 1_000_000, (*SB3, "sb3_contrib"),
        ),
        Row(
            "dreamer", "model-based", "learns a world model and trains its policy in imagined roll-outs",
            "self-prediction", "unseen.agents.dreamer:DreamerLearner", 150_000, TRAINING,
        ),
        Row(
            "mapper", "model-based", "dreamer that is also taught, by a scripted tracker, where things were last seen",
            "scripted labels", "unseen.agents.mapper:MapperLearner", 150_000, TRAINING,
        ),
    ]
}  # fmt: skip


def trainable() -> list[str]:
    """Names of the agents that can be trained."""
    return [row.name for row in ROSTER.values() if row.trainable]


def learner_class(name: str) -> type[Learner]:
    """What trains the agent `name`; imported only now, because torch is an optional extra.

    Raises:
        UnknownAgent: there is no such trainable agent.
        MissingExtra: a package of the extra is not installed.
    """
    row = ROSTER.get(name)
    if row is None or row.learner is None:
        raise UnknownAgent(f"no trainable agent {name!r}: {nearest(name, trainable())}")
    module, _, attribute = row.learner.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in row.extras:
            raise
        raise MissingExtra(f"training {name} needs {error.name}: pip install 'unseen[train]'") from error
