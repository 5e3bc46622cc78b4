"""Which planner is used where, with the settings of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces

from unseen.agents.protocol import Planner
from unseen.agents.shared.planning_agent import ALWAYS, Search
from unseen.agents.shared.priors import Space
from unseen.agents.shared.search import BestFirst
from unseen.agents.shared.shooting import Shooting
from unseen.agents.shared.tree_search import TreeSearch

IMAGINED = 100  # where nothing else is said


def make_search(space: Space, told_apart: bool, settings: Mapping[str, Any]) -> Search:
    """How an agent plans in a learned model.

    Where states can be told apart, by best-first search, whose plans are followed until something else happens; else anew at
    every step: discrete actions by tree search, continuous ones by shooting.

    Args:
        told_apart: the model's transitions have a place.
        settings: by name; what a planner does not know is ignored, and what is missing has the planner's default.
    """
    imagined = settings.get("imagined", IMAGINED)

    def given(**names: str) -> dict[str, Any]:
        return {ours: settings[name] for ours, name in names.items() if name in settings}

    if told_apart:
        best_first = BestFirst(**given(accept="accept", trust="trust", depth="depth"))
        return Search(best_first, imagined, settings.get("plans", ALWAYS), follow=best_first.depth)
    planner: Planner
    if isinstance(space, spaces.Discrete):
        planner = TreeSearch(**given(discount="gamma", depth="depth", temperature="temperature"))
    else:
        planner = Shooting(**given(discount="gamma", horizon="depth"))
    return Search(planner, imagined)
