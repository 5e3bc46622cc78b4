"""Sightings of each entity in an episode: where it was last seen, where it is seen next, and how often.

An entity is what a query can name: a colour of disc or a kind of box. Positions are in the room's frame, in half rooms. `hindsight` and
`last_seen` compute labels for a map of places from the episode's observations and their layout alone, without the rules of a task.
Observations are slots or, where `rays` are given, rays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from unseen.agents.shared import ray_sightings
from unseen.agents.shared.envs import Layout, Rays

LIMIT = 1.0  # half rooms: labels of all coordinates are clipped to -LIMIT..LIMIT
LONGEST = 128  # steps: times are scaled logarithmically, 0 to -LIMIT and this to LIMIT


class Labels(NamedTuple):
    """Labels of the k entities at each of T observations of n episodes."""

    known: np.ndarray
    """(T, n, k) bool: the entity is seen at this step or later (hindsight), at this step or before (last seen)"""
    places: np.ndarray
    """(T, n, k, 3): x, y, and the number of steps until or since that sighting on the scale of `scaled`, where known"""
    numbers: np.ndarray
    """(T, n, k) int: number of sightings from this step on (hindsight) or so far (last seen), summed over steps and slots; if each of
    several identical things is seen once, this is the number of things"""


def scaled(steps: np.ndarray) -> np.ndarray:
    """Numbers of steps (...) on the scale of the third coordinate of `Labels.places`."""
    return (LIMIT * (2 * np.log1p(steps) / np.log1p(LONGEST) - 1)).astype(np.float32)


def entities(layout: Layout) -> int:
    """Number of entities."""
    return layout.colours + layout.sizes.box_kinds


def asks_for_boxes(layout: Layout) -> bool:
    """Whether queries name only kinds of box; otherwise they name colours of disc, or colours followed by kinds of box."""
    queries = layout.sizes.queries
    return queries != layout.colours and queries == layout.sizes.box_kinds


def observed(obs: np.ndarray, layout: Layout, rays: Rays | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Which entities are observed (..., k) bool, and where (..., k, 2), in observations (..., d).

    An entity is observed if exactly one slot shows it: several that look alike cannot be told apart.
    """
    if rays is not None:
        return ray_sightings.observed(obs, layout, rays)
    discs = _observed(obs, layout, layout.discs, layout.colours)
    boxes = _observed(obs, layout, layout.boxes, layout.sizes.box_kinds)
    return np.concatenate([discs[0], boxes[0]], -1), np.concatenate([discs[1], boxes[1]], -2)


def several(layout: Layout) -> bool:
    """Whether some entity can be shown more than once: there are more slots of discs than colours."""
    return layout.discs[1] > layout.colours


def counted(obs: np.ndarray, layout: Layout, rays: Rays | None = None) -> np.ndarray:
    """How many slots show each entity (..., k), in observations (..., d)."""
    if rays is not None:
        return ray_sightings.counted(obs, layout, rays)
    discs = _shown(_slots(obs, layout.discs), layout.colours)
    boxes = _shown(_slots(obs, layout.boxes), layout.sizes.box_kinds)
    return np.concatenate([discs.sum(-2), boxes.sum(-2)], -1)


def _slots(obs: np.ndarray, slots: tuple[int, int, int]) -> np.ndarray:
    """The slots (..., count, width) at `slots` (start, count, width) in observations (..., d)."""
    start, count, width = slots
    return obs[..., start : start + count * width].reshape(*obs.shape[:-1], count, width)


def _shown(slot: np.ndarray, kinds: int) -> np.ndarray:
    """Which of `kinds` each slot (..., count, width) shows, (..., count, kinds) bool."""
    return np.asarray((slot[..., :1] > 0.5) & (slot[..., slot.shape[-1] - kinds :] > 0.5))


def _observed(
    obs: np.ndarray, layout: Layout, slots: tuple[int, int, int], kinds: int
) -> tuple[np.ndarray, np.ndarray]:
    lead = obs.shape[:-1]
    if not slots[1] or not kinds:
        return np.zeros((*lead, kinds), bool), np.zeros((*lead, kinds, 2), np.float32)
    slot = _slots(obs, slots)
    shown = _shown(slot, kinds)
    x, y = slot[..., 1], slot[..., 2]
    if layout.frame == "ego":
        px, py, cos, sin = (obs[..., i, None] for i in range(4))
        x, y = x * cos - y * sin + px, x * sin + y * cos + py
    which = shown.argmax(-2)
    places = np.stack([np.take_along_axis(v, which, -1) for v in (x, y)], -1)
    return shown.sum(-2) == 1, places


def hindsight(obs: np.ndarray, length: np.ndarray, layout: Layout, rays: Rays | None = None) -> Labels:
    """Where each entity is next observed, at the same step or later, in how many steps, and the number of sightings from there on.

    A hidden entity is labelled with the place where it reappears or is found. An episode that ends with the lights on shows everything at
    its last step; other episodes leave more entities unknown.

    Args:
        obs: (T, n, d) whole episodes; values beyond the end of a shorter one are ignored.
        length: (n,) number of observations of each.
    """
    known, places = observed(obs, layout, rays)
    known &= (np.arange(len(obs))[:, None] < length)[..., None]
    steps = np.zeros(known.shape, np.float32)
    for t in range(len(obs) - 2, -1, -1):
        _copy(known, places, steps, t, t + 1)
    numbers = np.cumsum(_counted_inside(obs, length, layout, rays)[::-1], 0)[::-1]
    return Labels(known, np.concatenate([places, scaled(steps)[..., None]], -1), numbers)


def last_seen(obs: np.ndarray, length: np.ndarray, layout: Layout, rays: Rays | None = None) -> Labels:
    """Where each entity was last observed, how many steps ago, and the number of sightings so far; arguments as in `hindsight`.

    A control: the label of an entity that moved while hidden is wrong.
    """
    known, places = observed(obs, layout, rays)
    steps = np.zeros(known.shape, np.float32)
    for t in range(1, len(obs)):
        _copy(known, places, steps, t, t - 1)
    numbers = np.cumsum(_counted_inside(obs, length, layout, rays), 0)
    return Labels(known, np.concatenate([places, scaled(steps)[..., None]], -1), numbers)


def _counted_inside(obs: np.ndarray, length: np.ndarray, layout: Layout, rays: Rays | None) -> np.ndarray:
    """`counted`, 0 beyond the ends of episodes."""
    return counted(obs, layout, rays) * (np.arange(len(obs))[:, None] < length)[..., None]


def _copy(known: np.ndarray, places: np.ndarray, steps: np.ndarray, t: int, neighbour: int) -> None:
    """Fill in what is not known at step t from the neighbouring step, with a time distance that is one step longer."""
    new = known[neighbour] & ~known[t]
    places[t][new] = places[neighbour][new]
    steps[t][new] = steps[neighbour][new] + 1
    known[t] |= new


LABELS: dict[str, Callable[[np.ndarray, np.ndarray, Layout, Rays | None], Labels]] = {
    "hindsight": hindsight,
    "last-seen": last_seen,
}


def map_columns(
    obs: np.ndarray, length: np.ndarray, labels: str, layout: Layout, rays: Rays | None = None
) -> np.ndarray:
    """The labels of a map as columns (n, T, 5 k) of a replay: known, then places, then numbers.

    Args:
        obs: (n, T, d) whole episodes, episode-major.
        length: (n,) number of observations of each.
        labels: which of LABELS.
    """
    known, places, numbers = LABELS[labels](np.ascontiguousarray(obs.swapaxes(0, 1)), length, layout, rays)
    columns = np.concatenate([known, places.reshape(*known.shape[:2], -1), numbers], -1)
    return columns.swapaxes(0, 1).astype(np.float32)
