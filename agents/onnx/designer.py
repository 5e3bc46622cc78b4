"""Trained agents that design by imagination: the ensemble is an ONNX graph, the search is ours.

The card's settings say how to design, as in `unseen info surrogate-designer`.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from unseen.agents.card import Card, read_card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.onnx.agent import OnnxGraph, title
from unseen.agents.shared.design_agent import DesignAgent, Thinking
from unseen.agents.shared.designing import CONTEXT, MARGINS, PARTS, Forecast
from unseen.agents.shared.envs import EnvConfig

DEFAULT = Thinking(tests=12, prototypes=2, imagined=1000, scenarios=4, caution=0.5)
HIGHEST = {
    "tests": 1000,
    "prototypes": 1000,
    "imagined": 1_000_000,
    "scenarios": 1000,
    "caution": 100.0,
    "explore": 2.0,
}


class OnnxDesigner(DesignAgent):
    """A trained agent that designs.

    Args:
        path: the ensemble's .onnx file.
        env: the environment to act in.
        name: shown name; by default the one on the card.

    Raises:
        BadCheckpoint: a file is missing or invalid.
        BadAgent: the environment is not ProvingGround.
    """

    def __init__(self, path: str | Path, env: EnvConfig, name: str | None = None) -> None:
        self.path = Path(path)
        card_path = self.path.with_suffix(".json")
        self.card = read_card(card_path) if card_path.is_file() else Card()
        graph = OnnxGraph(self.path, {"built": 2, "context": 2}, {"margins": 2, "spreads": 2, "prior": 2})
        members = graph.width("built") // PARTS
        if not members or graph.width("built") % PARTS or graph.width("context") != CONTEXT:
            raise BadCheckpoint(f"{self.path}: expected inputs built (n, {PARTS} e) and context (n, {CONTEXT})")
        for output in ("margins", "spreads"):
            if graph.output_shapes[output][-1] != MARGINS * members:
                raise BadCheckpoint(f"{self.path}: expected an output {output} (n, {MARGINS * members})")
        entry = env.entry
        if entry is None or entry.name != "ProvingGround":
            raise BadAgent(f"{self.path}: designs cars for ProvingGround; it cannot act in {title(env)}")
        super().__init__(name or self.card.agent or self.path.stem, Forecast(graph), _thinking(self.card, self.path))


def _thinking(card: Card, where: Path) -> Thinking:
    """The settings on a card. Raises BadCheckpoint."""
    settings: dict[str, Any] = {}
    for field in fields(Thinking):
        default = getattr(DEFAULT, field.name)
        value, kind = card.config.get(field.name, default), type(default)
        low = 1 if kind is int else 0
        allowed = int if kind is int else int | float
        if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= HIGHEST[field.name]:
            raise BadCheckpoint(
                f"{where}: {field.name}={value!r} on its card: expected a number in {low}..{HIGHEST[field.name]}"
            )
        settings[field.name] = kind(value)
    return Thinking(**settings)
