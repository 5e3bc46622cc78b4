"""What an agent with a world model has in mind, in metres of the room, ready to be drawn over the truth.

A world model offers `belief(state)` and `imagine(state, None, horizon)` (see `unseen.agents.agent.Agent`); here the
row of one environment becomes a `Mind`. Nothing is imported from the agents: they are only dicts of arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from unseen.envs.planar import palette
from unseen.envs.watch.scene import Scene

__all__ = ["Mind", "mind_of"]

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Mind:
    """Believed small things (colour name, colour, x, y), tall ones (look, x, y) and, from imagination, ways (h, 2) in
    metres."""

    things: tuple[tuple[str, RGB, float, float], ...] = ()
    talls: tuple[tuple[str, float, float], ...] = ()
    way: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))  # where it imagines to go
    paths: tuple[np.ndarray, ...] = ()  # where it imagines each thing to go
    path_rgb: tuple[RGB, ...] = ()


def mind_of(
    belief: Mapping[str, np.ndarray] | None,
    imagined: Mapping[str, np.ndarray] | None = None,
    row: int = 0,
    scene: Scene | None = None,
) -> Mind | None:
    """The Mind of environment `row`; None when there is neither belief nor imagination.

    `belief`: "seen" (n, k) in [0, 1] and "xy" (n, k, 2) metres, k the index of the colour, or of the small thing of
    the `scene` where each has its own slot; "tall_seen" and "tall_xy" likewise, of the kinds of tall things, which
    the scene names.
    `imagined`: "pose" (n, h, >= 2) and "xy" (n, h, k, 2), metres; "continue" (n, h) cuts the way where the
    imagined episode is over. Each key may be missing.
    """
    if belief is None and imagined is None:
        return None
    known = dict(enumerate(palette.SMALL))
    if scene is not None and scene.own_slots:
        known = {disc.index: (disc.name, disc.rgb) for disc in scene.smalls}
    elif scene is not None:  # of several that look alike, a place tells nothing
        names = [disc.name for disc in scene.smalls]
        known = {k: (name, rgb) for k, (name, rgb) in known.items() if names.count(name) < 2}
    talls: list[tuple[str, float, float]] = []
    if scene is not None and belief is not None and "tall_xy" in belief:
        seen, xy = np.asarray(belief["tall_seen"])[row], np.asarray(belief["tall_xy"], dtype=float)[row]
        looks = scene.look.tall
        sure = [k for k in map(int, np.flatnonzero(seen > 0.5)) if k < len(looks) and np.isfinite(xy[k]).all()]
        talls = [(looks[k], float(xy[k, 0]), float(xy[k, 1])) for k in sure]
    things: list[tuple[str, RGB, float, float]] = []
    if belief is not None:
        seen, xy = np.asarray(belief["seen"])[row], np.asarray(belief["xy"], dtype=float)[row]
        for k in map(int, np.flatnonzero(seen > 0.5)):
            if k in known and np.isfinite(xy[k]).all():
                name, rgb = known[k]
                things.append((name, rgb, float(xy[k, 0]), float(xy[k, 1])))
    way, paths, colours = np.zeros((0, 2)), [], []
    if imagined is not None:
        last = _length(imagined, row)
        if "pose" in imagined:
            way = np.asarray(imagined["pose"], dtype=float)[row, :last, :2]
            way = way[np.isfinite(way).all(axis=1) & way.any(axis=1)]  # zeros: a model that does not tell poses
        if "xy" in imagined and belief is not None:
            ahead = np.asarray(imagined["xy"], dtype=float)[row, :last]
            for k in map(int, np.flatnonzero(np.asarray(belief["seen"])[row] > 0.5)):
                if k in known and np.isfinite(ahead[:, k]).all():
                    paths.append(ahead[:, k])
                    colours.append(known[k][1])
    return Mind(tuple(things), tuple(talls), way, tuple(paths), tuple(colours))


def _length(imagined: Mapping[str, np.ndarray], row: int) -> int | None:
    """How many imagined steps to draw: up to the first that likely ends the episode."""
    if "continue" not in imagined:
        return None
    ends = np.flatnonzero(np.asarray(imagined["continue"])[row] < 0.5)
    return int(ends[0]) + 1 if len(ends) else None
