"""The table of agents, one row each. The command-line help, list, train and leaderboard read it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        name: on the command line.
        kind: one of KINDS.
        summary: one line for `unseen list`.
        supervision: what it learns from besides reward; for a reference, what it has access to.
        learner: "module:Class" of its Learner; None for an agent that is not trained.
        steps: default training budget in environment steps.
        extras: modules needed for training that the core does not install.
        goal: whether it labels by the goal what it remembers of free play, when it is asked; see `Learner.ask`.
        slot_map: without a map of places, it draws the slots of its observation; see `maps_slots`.
    """

    name: str
    kind: str
    summary: str
    supervision: str
    learner: str | None = None
    steps: int = 0
    extras: tuple[str, ...] = ()
    goal: bool = False
    slot_map: bool = False

    @property
    def trainable(self) -> bool:
        return self.learner is not None


ROSTER: dict[str, Row] = {
    row.name: row
    for row in [
        Row("random", "reference", "uniformly random actions", "none"),
        Row("reflex", "reference", "the best scripted policy without memory", "scripted"),
        Row("tracker", "reference", "scripted: remembers where it last saw each object", "scripted"),
        Row("oracle", "reference", "scripted: has access to the full state", "scripted, with the full state"),
        Row(
            "simulator-mpc", "reference", "plans in the true simulator", "the simulator, with the full state"
        ),
        Row(
            "ppo", "model-free", "PPO without memory (stable-baselines3)", "none",
            "unseen.agents.sb3.ppo:PPOLearner", 1_000_000, SB3,
        ),
        Row(
            "ppo-stack", "model-free", "PPO on the last 16 observations (stable-baselines3)", "none",
            "unseen.agents.sb3.ppo:PPOStackLearner", 1_000_000, SB3,
        ),
        Row(
            "recurrent-ppo", "model-free", "PPO with an LSTM (sb3-contrib)", "none",
            "unseen.agents.sb3.recurrent_ppo:RecurrentPPOLearner", 1_000_000, (*SB3, "sb3_contrib"),
        ),
        Row(
            "dqn", "model-free", "DQN without memory, for discrete actions (stable-baselines3)", "none",
            "unseen.agents.sb3.dqn:DQNLearner", 500_000, SB3,
        ),
        Row(
            "sac", "model-free", "SAC without memory, for continuous actions (stable-baselines3)", "none",
            "unseen.agents.sb3.sac:SACLearner", 200_000, SB3,
        ),
        Row(
            "gru-ppo", "model-free", "PPO with a GRU, on whole episodes", "none",
            "unseen.agents.gru_ppo:GRUPPOLearner", 1_000_000, TRAINING,
        ),
        Row(
            "gru-mapper", "model-free", "gru-ppo with a map of where each thing is, in which it looks up what is asked for",
            "hindsight", "unseen.agents.gru_ppo:GRUMapperLearner", 1_000_000, TRAINING,
        ),
        Row(
            "dreamer", "model-based", "learns a world model, and the policy in imagined roll-outs",
            "self-prediction", "unseen.agents.dreamer:DreamerLearner", 150_000, TRAINING, goal=True, slot_map=True,
        ),
        Row(
            "slot-search", "model-based", "learns a relational world model of slots, and acts by search in it",
            "self-prediction", "unseen.agents.slot_search:SlotSearchLearner", 40_000, TRAINING, goal=True, slot_map=True,
        ),
        Row(
            "latent-mpc", "model-based", "dreamer that plans in the latents of its model, with its policy and its critic",
            "self-prediction", "unseen.agents.latent_mpc:LatentMPCLearner", 150_000, TRAINING, goal=True, slot_map=True,
        ),
        Row(
            "jepa-mpc", "model-based", "latent-mpc with a model that predicts embeddings instead of observations",
            "self-prediction, hindsight", "unseen.agents.jepa_mpc:JEPAMPCLearner", 150_000, TRAINING, goal=True,
        ),
        Row(
            "surrogate-designer", "model-based", "learns what tests of a car show, and designs cars in imagination (ProvingGround)",
            "self-prediction", "unseen.agents.surrogate_designer:SurrogateDesignerLearner", 24_000, TRAINING,
        ),
        Row(
            "mapper", "model-based", "learns a map of where each thing is, a world model around it, and the policy in imagined roll-outs",
            "self-prediction, hindsight", "unseen.agents.mapper:MapperLearner", 150_000, TRAINING, goal=True,
        ),
    ]
}  # fmt: skip


def maps_slots(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether the objects of an agent's map are the slots of its observation; else they are colours of discs and kinds of box,
    as in a map of places (setting `map`)."""
    return name in ROSTER and ROSTER[name].slot_map and settings.get("map", "none") == "none"


MAP_LABELS = {"none": "", "last-seen": "last sights", "hindsight": "hindsight"}
"""what the labels of a map, by the setting `map`, are called as supervision"""


def supervision(name: str, settings: Mapping[str, Any]) -> str:
    """What agent `name` learns from besides reward, with these settings."""
    row = ROSTER[name]
    if settings.get("map") not in MAP_LABELS:
        return row.supervision
    kinds = [kind for kind in row.supervision.split(", ") if kind not in ("none", "hindsight")]
    return ", ".join(filter(None, [*kinds, MAP_LABELS[settings["map"]]])) or "none"


def trainable() -> list[str]:
    """Names of the agents that can be trained."""
    return [row.name for row in ROSTER.values() if row.trainable]


def learner_class(name: str) -> type[Learner]:
    """The Learner class of agent `name`, imported on demand, since torch is an optional dependency.

    Raises:
        UnknownAgent: there is no trainable agent of that name.
        MissingExtra: a required package is not installed.
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
