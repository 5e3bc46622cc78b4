"""Sightings of each entity in observations "rays": the same as `unseen.agents.shared.sightings` finds in slots, less exactly.

A place is known to half a sector: with 24 rays all round, to .13 of the distance.
"""

from __future__ import annotations

import numpy as np

from unseen.agents.shared.envs import Layout, Rays

BOX, DISC = 2 / 3, 1.0  # values of a ray's kind
HALF_ROOMS = 2.0  # half rooms per unit of depth


def observed(obs: np.ndarray, layout: Layout, rays: Rays) -> tuple[np.ndarray, np.ndarray]:
    """Which entities are observed (..., k) bool, and where (..., k, 2), in observations (..., d).

    A disc enters the rays that show it with the depth of its centre, so a colour is that of exactly one disc if all its rays have the same
    depth. A kind of box is observed if any ray shows it, at the mean of the points that the rays hit.
    """
    depth, discs, boxes = _read(obs, layout, rays)
    found = [discs.any(-2) & (_spread(depth, discs) == 0), boxes.any(-2)]
    pose = obs[..., layout.pose]
    offset = rays.fov / 2 - (np.arange(rays.count) + 0.5) * (rays.fov / rays.count)
    heading = np.arctan2(pose[..., 3], pose[..., 2])
    angle = heading[..., None] + offset
    hit = pose[..., None, :2] + HALF_ROOMS * depth[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    shown = np.concatenate([discs, boxes], -1)
    count = np.maximum(shown.sum(-2), 1)[..., None]
    places = np.einsum("...rk,...rx->...kx", shown.astype(np.float32), hit.astype(np.float32)) / count
    return np.concatenate(found, -1), places.astype(np.float32)


def counted(obs: np.ndarray, layout: Layout, rays: Rays) -> np.ndarray:
    """How many discs of each colour are seen, and whether each kind of box is, (..., k), in observations (..., d)."""
    depth, discs, boxes = _read(obs, layout, rays)
    depths = np.sort(np.where(discs, depth[..., None], np.inf), -2)
    new = np.isfinite(depths)
    new[..., 1:, :] &= depths[..., 1:, :] != depths[..., :-1, :]
    return np.concatenate([new.sum(-2), boxes.any(-2)], -1)


def _read(obs: np.ndarray, layout: Layout, rays: Rays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The depth of each ray (..., count), and which colours of disc and kinds of box it shows, (..., count, kinds) bool."""
    ray = obs[..., rays.start : rays.stop].reshape(*obs.shape[:-1], rays.count, rays.width)
    discs = _shows(ray, DISC, layout.colours)
    return ray[..., 0], discs, _shows(ray, BOX, layout.sizes.box_kinds)


def _shows(ray: np.ndarray, kind: float, looks: int) -> np.ndarray:
    which = np.rint(ray[..., 2:] * looks) == np.arange(1, looks + 1)
    return np.asarray(which & (np.abs(ray[..., 1:2] - kind) < 0.1))


def _spread(depth: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """The difference (..., k) of the largest and the smallest depth at which each thing is shown; not above 0 if it is not shown."""
    each = depth[..., None]
    return np.where(shown, each, -np.inf).max(-2) - np.where(shown, each, np.inf).min(-2)
