"""An agent's memory and the predictions of its world model, for drawing over the true room."""

from dataclasses import dataclass, field

import numpy as np

from unseen.envs.core.view import Belief, Imagined
from unseen.envs.planar import palette
from unseen.envs.watch.scene import Scene
from unseen.envs.watch.theme import RGB


@dataclass(frozen=True)
class Ring:
    """Where the agent's map puts a disc: name and RGB of its colour, position in m."""

    name: str
    rgb: RGB
    x: float
    y: float


@dataclass(frozen=True)
class Place:
    """Where its map puts a kind of box: its name in `Look`, position in m."""

    kind: str
    x: float
    y: float


@dataclass(frozen=True)
class Path:
    """The predicted path of a disc: colour, and positions (h, 2) in m."""

    rgb: RGB
    xy: np.ndarray


@dataclass(frozen=True)
class Mind:
    """All of these, and predicted paths (h, 2) of the agent itself, in m.

    Attributes:
        way: what it is about to do.
        dropped: plans that it dropped; None if it did not plan.
    """

    rings: tuple[Ring, ...] = ()
    places: tuple[Place, ...] = ()
    paths: tuple[Path, ...] = ()
    way: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    dropped: tuple[np.ndarray, ...] | None = None


def mind_of(belief: Belief | None, imagined: Imagined | None, scene: Scene, row: int = 0) -> Mind | None:
    """The Mind of environment `row`; None if there is neither belief nor imagination.

    The objects of a belief are the colours of discs, or slots, of which each disc may have its own. A position is drawn if its
    probability of having been seen is above 0.5, a path while the imagined episode continues with probability above 0.5.
    """
    if belief is None and imagined is None:
        return None
    known = _known(scene, belief is None or belief.by_slot)
    rings: list[Ring] = []
    places: list[Place] = []
    paths: list[Path] = []
    way, dropped = np.zeros((0, 2)), None
    if belief is not None:
        rings = [Ring(*known[k], *at) for k, at in _seen(belief.seen[row], belief.xy[row]) if k in known]
        if belief.box_seen is not None and belief.box_xy is not None:
            kinds = scene.look.boxes
            boxes = _seen(belief.box_seen[row], belief.box_xy[row])
            places = [Place(kinds[k], *at) for k, at in boxes if k < len(kinds)]
    if imagined is not None:
        ends = np.flatnonzero(np.asarray(imagined.cont[row]) < 0.5)
        last = int(ends[0]) + 1 if len(ends) else None
        way = np.asarray(imagined.pose[row], dtype=float)[:last, :2]
        valid = np.isfinite(way).all(axis=1) & way.any(axis=1)  # zeros: a model that predicts no pose
        way = way[valid] if way.shape[1] else np.zeros((0, 2))
        if belief is not None:
            ahead = np.asarray(imagined.xy[row], dtype=float)[:last]
            seen = [k for k in _likely(belief.seen[row]) if k in known and k < ahead.shape[1]]
            paths = [Path(known[k][1], ahead[:, k]) for k in seen if np.isfinite(ahead[:, k]).all()]
        if imagined.dropped is not None and imagined.dropped.shape[-1]:
            others = [other[np.isfinite(other).all(axis=1)] for other in np.asarray(imagined.dropped[row], dtype=float)]
            dropped = tuple(other for other in others if len(other))
    return Mind(tuple(rings), tuple(places), tuple(paths), way, dropped)


def _known(scene: Scene, by_slot: bool) -> dict[int, tuple[str, RGB]]:
    """The colour of each object in a belief, of slots or of colours; objects that look alike are left out."""
    if scene.own_slots and by_slot:
        return {disc.index: (disc.name, disc.rgb) for disc in scene.discs}
    names = [disc.name for disc in scene.discs]
    return {k: colour for k, colour in enumerate(palette.SMALL) if names.count(colour[0]) < 2}


def _likely(seen: np.ndarray) -> list[int]:
    return [int(k) for k in np.flatnonzero(np.asarray(seen) > 0.5)]


def _seen(seen: np.ndarray, xy: np.ndarray) -> list[tuple[int, tuple[float, float]]]:
    """Index and position of objects that have probably been seen."""
    xy = np.asarray(xy, dtype=float)
    return [(k, (float(xy[k, 0]), float(xy[k, 1]))) for k in _likely(seen) if np.isfinite(xy[k]).all()]
