"""Error of an agent's map, beside three baselines: last seen position, constant velocity, and the scripted tracker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.agents.protocol import Agent, Belief
from unseen.agents.shared import envs, sightings
from unseen.agents.shared.envs import EnvConfig, Layout
from unseen.train.measures.played import Played, play
from unseen.train.measures.tables import Row, Table, absent
from unseen.train.measures.things import Sights, mapped, no_map, sights

TITLE = "Map error"
NOTE = "m, median over steps; — where half or more are unknown. Asked: the requested thing, while acting"
COLUMNS = ("asked, hidden", "asked, in sight", "all, hidden", "all, in sight")
MAP, LAST_SEEN, VELOCITY, TRACKER, STEPS = "map", "last seen", "constant velocity", "tracker", "steps"


@dataclass(frozen=True)
class MapError:
    """Median distances, m, over all steps at which the requested thing is hidden in the act phase.

    Attributes:
        map: from its position in the agent's map; None if the map does not know it at half of the steps or more.
        last_seen: from where it was last observed; None likewise.
        steps: number of these steps.
    """

    map: float | None
    last_seen: float | None
    steps: int


def map_error(agent: Agent, env_config: EnvConfig, episodes: int) -> MapError | None:
    """The error of an agent's map over held-out episodes; None if the agent has no map, or no requested thing is ever hidden.

    Raises AgentFailed, and what `play` raises.
    """
    if env_config.entry is None or not _draws(agent, env_config):
        return None
    table = map_table(play(agent, env_config, episodes))
    steps = None if table.why else table.value(STEPS, COLUMNS[0])
    if not steps:
        return None
    return MapError(table.value(MAP, COLUMNS[0]), table.value(LAST_SEEN, COLUMNS[0]), int(steps))


def _draws(agent: Agent, env_config: EnvConfig) -> bool:
    """Whether an agent has a map at its first step, so that agents without one need not play all episodes."""
    played = play(agent, env_config, 1)
    return not no_map(played.beliefs[0], envs.layout_and_rays(played.env)[0])


def map_table(played: Played) -> Table:
    """The errors of a map and of the baselines, over recorded episodes."""
    layout, rays = envs.layout_and_rays(played.env)
    why = no_map(played.beliefs[0], layout)
    if why or layout is None:
        return absent(TITLE, why)
    seen = sights(played, layout, rays)
    rows = {
        MAP: _places(played.beliefs, played, layout),
        LAST_SEEN: seen.last,
        VELOCITY: np.stack([seen.constant_velocity(t) for t in range(len(seen.last))]),
    }
    tracked = _tracker(played)
    if tracked is not None:
        rows[TRACKER] = _places(tracked, played, layout)
    masks = _masks(played, layout, seen)
    found = [Row(name, tuple(_median(xy, seen.true, mask) for mask in masks)) for name, xy in rows.items()]
    if tracked is None:
        found.append(Row(TRACKER, why="there is none that keeps a map of discs"))
    found.append(Row(STEPS, tuple(int(mask.sum()) for mask in masks)))
    return Table(TITLE, NOTE, COLUMNS, tuple(found))


def _masks(played: Played, layout: Layout, seen: Sights) -> list[np.ndarray]:
    """For each column, the steps and things that count, (T, n, k) bool."""
    live = played.live[..., None] & seen.there
    asked = np.stack([_asked(obs, layout) for obs in played.obs]) & played.acting[..., None]
    return [live & where & sight for where in (asked, np.ones_like(asked)) for sight in (~seen.seen, seen.seen)]


def _asked(obs: np.ndarray, layout: Layout) -> np.ndarray:
    """Which thing the query in observations (n, d) names, (n, k) bool."""
    query = obs[:, layout.query] > 0.5
    pad = np.zeros((len(obs), sightings.entities(layout) - query.shape[1]), bool)
    return np.concatenate([pad, query] if sightings.asks_for_boxes(layout) else [query, pad], 1)


def _places(beliefs: list[Belief | None], played: Played, layout: Layout) -> np.ndarray:
    """Positions of things by the maps (T, n, k, 2), m; infinite where unknown."""
    places = []
    for belief, world in zip(beliefs, played.world, strict=True):
        assert belief is not None, "an agent that draws a map draws it at every step"
        known, xy = mapped(belief, world, layout)
        places.append(np.where(known[..., None], xy, np.inf))
    return np.stack(places)


def _tracker(played: Played) -> list[Belief | None] | None:
    """The maps of the environment's tracker on the same observations; None if there is no tracker with a map."""
    if not envs.has_reference(played.env_config, "tracker"):
        return None
    from unseen.agents.references import ReferenceAgent

    tracker = ReferenceAgent("tracker", envs.reference_obs(played.env_config, "tracker"))
    if tracker.obs != played.env.obs_mode:
        return None
    tracker.attach(played.env)
    beliefs: list[Belief | None] = []
    for t, obs in enumerate(played.obs):
        first = np.ones(played.n, bool) if t == 0 else played.live[t - 1] & ~played.live[t]
        tracker.act(obs, None, first)
        beliefs.append(tracker.belief(None))
    return None if beliefs[0] is None else beliefs


def _median(xy: np.ndarray, true: np.ndarray, mask: np.ndarray) -> float | None:
    """Median distance, m, of positions and true positions (T, n, k, 2) where `mask` (T, n, k); None if empty or infinite."""
    if not mask.any():
        return None
    median = float(np.median(np.linalg.norm(xy[mask] - true[mask], axis=-1)))
    return median if np.isfinite(median) else None
