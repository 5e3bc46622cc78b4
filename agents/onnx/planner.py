"""Trained agents that plan: the memory and the model are ONNX graphs, the search is ours.

The card's settings say how to search, as in `unseen info slot-search` and `unseen info latent-mpc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gymnasium import spaces

from unseen.agents.card import Card, read_card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.onnx.agent import OnnxGraph, check_fits, title
from unseen.agents.roster import maps_slots
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.planners import make_search
from unseen.agents.shared.planning_agent import GraphPlanningAgent
from unseen.agents.shared.repeat import stored_repeat

SETTINGS: Mapping[str, tuple[type, float, float]] = {
    "accept": (float, 0.0, 1.0),
    "trust": (float, 0.0, 1.0),
    "depth": (int, 1, 1000),
    "plans": (int, 0, 1_000_000),
    "gamma": (float, 0.0, 1.0),
    "temperature": (float, 1e-6, 1e6),
    "imagined": (int, 0, 1_000_000),
}
"""name -> type, and the range that is accepted"""
ROWS = 256  # batch size, where results depend on the batch size


class OnnxPlanner(GraphPlanningAgent):
    """A trained agent that plans.

    Args:
        path: the memory's .onnx file; the model is `<stem>.imagine.onnx`.
        env: the environment to act in.
        name: shown name; by default the one on the card.

    Raises:
        BadCheckpoint: a file is missing or invalid.
        BadAgent: the agent does not fit `env`.
    """

    def __init__(self, path: str | Path, env: EnvConfig, name: str | None = None) -> None:
        self.path = Path(path)
        card_path = self.path.with_suffix(".json")
        self.card = read_card(card_path) if card_path.is_file() else Card()
        memory = OnnxGraph(self.path, {"obs": 2, "state": 2, "first": 2}, {"new_state": 2, "acts": 1})
        step = OnnxGraph(
            self.path.with_suffix(".imagine.onnx"),
            {"state": 2, "action": 2},
            {"new_state": 2, "reward": 1, "continue": 1},
        )
        for graph in (memory, step):
            graph.rows = graph.rows and ROWS
        if step.width("state") != memory.width("state"):
            raise BadCheckpoint(f"{step.path}: the state differs in size from that of {self.path.name}")
        for output in ("prior", "value", "place"):
            if (output in memory.outputs) != (output in step.outputs):
                raise BadCheckpoint(f"{step.path}: output {output!r} is in one of the two graphs only")
        made = check_fits(self.path, memory, env, self.card.obs, self.card.action)
        space = made.vector.single_action_space
        assert isinstance(space, spaces.Discrete | spaces.Box)
        size = int(space.n) if isinstance(space, spaces.Discrete) else space.shape[0]
        if size != step.width("action"):
            raise BadAgent(f"{self.path}: has {step.width('action')} actions; {title(env)} has {space}")
        super().__init__(
            name or self.card.agent or self.path.stem,
            memory,
            step,
            make_search(space, "place" in step.outputs, _settings(self.card, self.path)),
            space,
            self.card.obs,
            self.card.action,
            self.card.scale if made.layout is None else made.layout.scale,
            maps_slots(self.card.agent, self.card.config),
        )
        self.repeat = stored_repeat(self.card.config, self.path)


def _settings(card: Card, where: Path) -> dict[str, Any]:
    """The settings of the search on a card. Raises BadCheckpoint."""
    settings: dict[str, Any] = {}
    for name, (kind, low, high) in SETTINGS.items():
        if name not in card.config:
            continue
        value = card.config[name]
        allowed = int if kind is int else int | float
        if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
            raise BadCheckpoint(f"{where}: {name}={value!r} on its card: expected a number in {low}..{high}")
        settings[name] = kind(value)
    return settings
