"""How far an agent's map is from the truth, where it matters: the requested disc, while it is hidden and the agent acts.

The only place besides references and the audit that reads the true state, and only to measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.agents.protocol import Agent
from unseen.agents.shared import sightings
from unseen.agents.shared.envs import EnvConfig, Layout
from unseen.train.rollout import Rollout, make_env_for

FIRST_SEED = 2_000_000  # neither training nor scores use these test seeds


@dataclass(frozen=True)
class MapError:
    """Median distances, m, over all steps at which the requested disc is hidden in the act phase.

    Attributes:
        map: from its position in the agent's map; None if the map does not know it at half of the steps or more.
        last_seen: from where it was last observed; None likewise.
        steps: number of these steps.
    """

    map: float | None
    last_seen: float | None
    steps: int


def map_error(agent: Agent, env_config: EnvConfig, episodes: int) -> MapError | None:
    """The error of an agent's map over test episodes; None if it draws none, or no single disc is ever asked for."""
    if env_config.entry is None:  # Gymnasium's, of which many at once may be expensive
        return None
    env = make_env_for(agent, env_config, episodes)
    layout = getattr(env, "layout", None)
    if not isinstance(layout, Layout) or not layout.discs[1] or sightings.asks_for_boxes(layout):
        env.close()
        return None
    seen = np.full((episodes, layout.colours, 2), np.inf)
    errors: list[np.ndarray] = []
    for step in Rollout(agent, env, range(FIRST_SEED, FIRST_SEED + episodes)):
        belief = agent.belief(step.state)
        if belief is None or belief.xy.shape[1] != layout.colours:
            break
        observed, places = (part[:, : layout.colours] for part in sightings.observed(step.obs, layout))
        seen[observed] = layout.scale * places[observed]
        query = step.obs[:, layout.query]
        asked = query[:, : layout.colours].argmax(-1)
        rows = np.arange(episodes)
        alone, truth = _discs(env.world, layout.colours)  # type: ignore[attr-defined]
        acting = layout.acts(step.obs)
        counts = step.live & acting & query[:, : layout.colours].any(-1) & alone[rows, asked] & ~observed[rows, asked]
        xy = np.where(belief.seen[rows, asked][:, None] > 0.5, belief.xy[rows, asked], np.inf)
        pairs = np.stack([xy, seen[rows, asked]], 1) - truth[rows, asked][:, None]
        errors.append(np.linalg.norm(pairs[counts], axis=-1))
    env.close()
    if not errors or not sum(map(len, errors)):
        return None
    medians = np.median(np.concatenate(errors), axis=0)
    of_map, of_last_seen = (float(m) if np.isfinite(m) else None for m in medians)
    return MapError(of_map, of_last_seen, sum(map(len, errors)))


def _discs(world: np.ndarray, colours: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether there is exactly one disc of each colour (n, colours), and its position (n, colours, 2) m."""
    there = np.arange(world["disc_colour"].shape[1]) < world["n_discs"][:, None]
    match = there[..., None] & (world["disc_colour"][..., None] == np.arange(colours))
    which = match.argmax(1)
    xy = np.stack([np.take_along_axis(world[name], which, 1) for name in ("disc_x", "disc_y")], -1)
    return match.sum(1) == 1, xy
