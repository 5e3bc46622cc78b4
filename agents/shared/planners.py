"""The choice of a planner for an action space and a model, with the settings of an agent."""

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

IMAGINED = 100  # imagined steps for a plan, if the settings have no `imagined`


def make_search(space: Space, has_places: bool, settings: Mapping[str, Any]) -> Search:
    """How an agent plans in a learned model.

    Where states can be distinguished, by best-first search, whose plans are followed until an observation differs from the prediction.
    Elsewhere a new plan is made at every step: by tree search for discrete actions, by shooting for continuous ones.

    Args:
        space: of the actions.
        has_places: whether the model's transitions have a `place`, which distinguishes states.
        settings: by name. Names unknown to the planner are ignored; missing ones have the planner's default.
    """
    imagined = settings.get("imagined", IMAGINED)

    def given(**names: str) -> dict[str, Any]:
        return {ours: settings[name] for ours, name in names.items() if name in settings}

    if has_places:
        best_first = BestFirst(**given(accept="accept", trust="trust", depth="depth"))
        return Search(best_first, imagined, settings.get("plans", ALWAYS), follow=best_first.depth)
    planner: Planner
    if isinstance(space, spaces.Discrete):
        planner = TreeSearch(**given(discount="gamma", depth="depth", temperature="temperature"))
    else:
        planner = Shooting(**given(discount="gamma", horizon="depth"))
    return Search(planner, imagined)
