"""Things that a query can name (colours of disc and kinds of box): their true, seen and mapped positions.

Arrays have one entry per thing, in the order of `unseen.agents.shared.sightings`. Besides this module, only references and audit read
the true state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.agents.protocol import Belief
from unseen.agents.shared import sightings
from unseen.agents.shared.envs import Layout, Rays
from unseen.envs.planar.world import DT
from unseen.train.measures.played import Played

OWN_SLOT = "index"  # the order of slots in which each disc has a slot of its own
NO_SLOT = "distance"  # the order in which none has


def truth(world: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Whether there is exactly one of each thing (..., k) bool, and its position (..., k, 2), m, in true states (...)."""
    parts = [("disc_colour", "n_discs", layout.colours, "disc"), ("box_kind", "n_boxes", layout.sizes.box_kinds, "box")]
    alone, places = [], []
    for label, count, kinds, prefix in parts:
        match = _match(world, label, count, kinds)
        which = match.argmax(-2)
        xy = [np.take_along_axis(world[f"{prefix}_{axis}"], which, -1) for axis in "xy"]
        alone.append(match.sum(-2) == 1)
        places.append(np.stack(xy, -1))
    return np.concatenate(alone, -1), np.concatenate(places, -2)


def _match(world: np.ndarray, label: str, count: str, kinds: int) -> np.ndarray:
    """Which bodies are of which kind, (..., bodies, kinds) bool."""
    there = np.arange(world[label].shape[-1]) < world[count][..., None]
    return there[..., None] & (world[label][..., None] == np.arange(kinds))


def slots_tell(layout: Layout) -> bool:
    """Whether a slot always shows the same thing, with its position in the room's frame."""
    return layout.order != NO_SLOT and layout.frame == "room"


def slot_of(world: np.ndarray, layout: Layout) -> np.ndarray:
    """The disc slot (..., colours) of each colour that only one disc has, for orders in which discs keep their slots."""
    match = _match(world, "disc_colour", "n_discs", layout.colours)
    if layout.order == OWN_SLOT:
        return match.argmax(-2)
    if layout.order == "place":  # by colour, then by place
        counts = match.sum(-2)
        return counts.cumsum(-1) - counts
    return np.broadcast_to(np.arange(layout.colours), match.sum(-2).shape)


def of_discs(values: np.ndarray, world: np.ndarray, layout: Layout, by_slot: bool) -> np.ndarray:
    """Values of discs by colour (n, colours, ...), given in the agent's order (n, k, ...): by slot, or already by colour."""
    if not by_slot:
        return values
    slots = slot_of(world, layout)
    return values[np.arange(len(values))[:, None], np.minimum(slots, values.shape[1] - 1)]


def mapped(belief: Belief, world: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Whether a map knows each thing (n, k) bool, and the position that it gives (n, k, 2), m."""
    n, kinds = len(world), layout.sizes.box_kinds
    known, xy = np.zeros((n, layout.colours), bool), np.zeros((n, layout.colours, 2))
    if belief.xy.shape[1]:
        known = of_discs(belief.seen, world, layout, belief.by_slot) > 0.5
        xy = of_discs(belief.xy, world, layout, belief.by_slot)
    boxes, box_xy = np.zeros((n, kinds), bool), np.zeros((n, kinds, 2))
    if belief.box_seen is not None and belief.box_xy is not None and belief.box_seen.shape[1]:
        boxes, box_xy = belief.box_seen > 0.5, belief.box_xy
    return np.concatenate([known, boxes], 1), np.concatenate([xy, box_xy], 1)


def no_map(belief: Belief | None, layout: Layout | None) -> str:
    """Why a map cannot be compared with the truth; "" if it can."""
    if layout is None:
        return "the observations are neither slots nor rays, so what is in sight is not known"
    if belief is None or not belief.xy.shape[1] + (0 if belief.box_seen is None else belief.box_seen.shape[1]):
        return "it draws no map"
    if belief.by_slot and not slots_tell(layout):
        return f"its map is of slots, which tell no place in the room here (order={layout.order}, frame={layout.frame})"
    return ""


@dataclass(frozen=True)
class Sights:
    """Sightings of k things in T steps of n episodes.

    Attributes:
        there: (T, n, k) bool: there is exactly one, so that it can be identified.
        true: (T, n, k, 2) true positions, m.
        seen: (T, n, k) bool: it is in sight.
        last: (T, n, k, 2) position where it was last seen, m; infinite before the first sighting.
        velocity: (T, n, k, 2) velocity when it was last seen, m/s.
        age: (T, n, k) steps since it was last seen.
        reach: half extent of the room, m.
    """

    there: np.ndarray
    true: np.ndarray
    seen: np.ndarray
    last: np.ndarray
    velocity: np.ndarray
    age: np.ndarray
    reach: float

    def nothing_moves(self, t: int) -> np.ndarray:
        """Positions of things (n, k, 2), m, at step t, if none has moved since it was last seen."""
        return self.last[t]

    def constant_velocity(self, t: int, ahead: int = 0) -> np.ndarray:
        """Positions of things (n, k, 2), m, `ahead` steps after step t, if they keep their last seen velocity up to the walls."""
        moved = self.last[t] + self.velocity[t] * (DT * (self.age[t] + ahead))[..., None]
        return np.where(np.isfinite(self.last[t]), moved.clip(-self.reach, self.reach), np.inf)


def sights(played: Played, layout: Layout, rays: Rays | None = None) -> Sights:
    """The sightings in recorded episodes of slots or rays; rays show no velocities, which are 0."""
    world = played.true_states()
    there, true = truth(world, layout)
    found = [_shown(obs, state, layout, rays) for obs, state in zip(played.obs, played.world, strict=True)]
    seen, shown, speed = (np.stack(part) for part in zip(*found, strict=True))
    last, velocity, age = np.full_like(shown, np.inf), np.zeros_like(speed), np.zeros(seen.shape)
    for t in range(len(seen)):
        if t:
            last[t], velocity[t], age[t] = last[t - 1], velocity[t - 1], age[t - 1] + 1
        now = seen[t]
        last[t][now], velocity[t][now], age[t][now] = shown[t][now], speed[t][now], 0
    return Sights(there, true, seen, last, velocity, age, layout.scale)


def _shown(
    obs: np.ndarray, world: np.ndarray, layout: Layout, rays: Rays | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which things are in sight (n, k) bool, their positions (n, k, 2), m, and velocities (n, k, 2), m/s.

    A disc with a slot of its own is identified by its slot.
    """
    n, kinds = len(obs), layout.sizes.box_kinds
    seen, places = sightings.observed(obs, layout, rays)
    xy, v = places * layout.scale, np.zeros(places.shape)
    start, count, width = layout.discs
    if not count or rays is not None:
        return seen, xy, v
    slots = obs[:, start : start + count * width].reshape(n, count, width)
    if layout.order == OWN_SLOT:
        slot = slots[np.arange(n)[:, None], slot_of(world, layout)]
        seen = np.concatenate([slot[..., 0] > 0.5, seen[:, layout.colours :]], 1)
        xy = np.concatenate([_in_room(slot[..., 1:3], obs, layout) * layout.scale, xy[:, layout.colours :]], 1)
    else:
        match = (slots[..., :1] > 0.5) & (slots[..., -layout.colours :] > 0.5)
        slot = np.take_along_axis(slots, match.argmax(1)[..., None], 1)
    speed = _rotated(slot[..., 3:5], obs, layout) * layout.speed_scale
    return seen, xy, np.concatenate([speed, np.zeros((n, kinds, 2))], 1)


def _rotated(vectors: np.ndarray, obs: np.ndarray, layout: Layout) -> np.ndarray:
    """Vectors (n, k, 2) in observations (n, d), rotated into the room's frame."""
    if layout.frame != "ego":
        return vectors
    cos, sin = obs[:, 2, None], obs[:, 3, None]
    return np.stack([vectors[..., 0] * cos - vectors[..., 1] * sin, vectors[..., 0] * sin + vectors[..., 1] * cos], -1)


def _in_room(xy: np.ndarray, obs: np.ndarray, layout: Layout) -> np.ndarray:
    """Positions (n, k, 2) in observations (n, d), in the room's frame and in units of the observation."""
    return _rotated(xy, obs, layout) + (obs[:, None, :2] if layout.frame == "ego" else 0.0)
