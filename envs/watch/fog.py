"""The visibility polygon: the exact region of the floor that an eye in a room of boxes can see.

The region is star-shaped around the eye, so it is a polygon swept by angle, with rays at (and just beside) each corner
of each box and at the edges of the field of view. A point of the room is inside the polygon if and only if the straight
line to the eye is free and within the field of view; `tests/test_fog.py` checks this.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

_BESIDE = 1e-7  # rad; a ray offset by this much passes the corner


class Oriented(Protocol):
    """A box on the floor: centre (m), direction of its first axis (cos, sin) and half extents (m)."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def cos(self) -> float: ...
    @property
    def sin(self) -> float: ...
    @property
    def hx(self) -> float: ...
    @property
    def hy(self) -> float: ...


def box_corners(box: Oriented) -> np.ndarray:
    """The four corners of `box`, (4, 2) in metres, counter-clockwise; edge i runs from corner i to i + 1."""
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=float)
    local = signs * (box.hx, box.hy)
    turn = np.array([[box.cos, -box.sin], [box.sin, box.cos]])
    return local @ turn.T + (box.x, box.y)


def _edges(half: tuple[float, float], boxes: Sequence[Oriented]) -> np.ndarray:
    """Walls first, then the sides of each box: (n, 2, 2), start and end of each segment."""
    wx, wy = half
    rings = [np.array([[wx, wy], [-wx, wy], [-wx, -wy], [wx, -wy]])] + [box_corners(box) for box in boxes]
    return np.concatenate([np.stack([ring, np.roll(ring, -1, axis=0)], axis=1) for ring in rings])


def visible_polygon(
    eye: tuple[float, float],
    heading: float,
    fov: float,
    half: tuple[float, float],
    boxes: Sequence[Oriented] = (),
) -> np.ndarray:
    """The region visible from `eye`, as a polygon (m, 2) in metres, counter-clockwise.

    `heading` and `fov` (full angle) are in radians, `half` are the half extents of the room in metres, and `boxes` are
    the opaque boxes. With fov < 2 pi the polygon starts at the eye.
    """
    origin = np.asarray(eye, dtype=float)
    edges = _edges(half, boxes)
    to_corner = edges[:, 0] - origin
    angles = np.arctan2(to_corner[:, 1], to_corner[:, 0]) - heading
    angles = (angles + math.pi) % (2 * math.pi) - math.pi
    angles = np.concatenate([angles - _BESIDE, angles, angles + _BESIDE])
    all_round = fov >= 2 * math.pi
    if not all_round:
        angles = np.concatenate([angles[np.abs(angles) < fov / 2], [-fov / 2, fov / 2]])
    angles = np.sort(angles)

    ray = np.stack([np.cos(angles + heading), np.sin(angles + heading)], axis=1)  # (r, 2)
    side = edges[:, 1] - edges[:, 0]  # (n, 2)
    denominator = ray[:, None, 0] * side[None, :, 1] - ray[:, None, 1] * side[None, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = (to_corner[:, 0] * side[:, 1] - to_corner[:, 1] * side[:, 0])[None] / denominator
        across = (to_corner[None, :, 0] * ray[:, None, 1] - to_corner[None, :, 1] * ray[:, None, 0]) / denominator
    hit = (along > 0) & (across >= -1e-9) & (across <= 1 + 1e-9) & (np.abs(denominator) > 1e-12)
    reach = np.where(hit, along, np.inf).min(axis=1)
    reach = np.where(np.isfinite(reach), reach, 0.0)  # an eye outside the room sees nothing
    polygon = origin + ray * reach[:, None]
    return polygon if all_round else np.concatenate([origin[None], polygon])


def inside(polygon: np.ndarray, point: tuple[float, float]) -> bool:
    """Whether `point` is inside `polygon` (m, 2), by the even-odd rule."""
    x, y = point
    a, b = polygon, np.roll(polygon, -1, axis=0)
    straddles = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return bool(np.count_nonzero(straddles & (x < crossing)) % 2)


def free_line(eye: tuple[float, float], point: tuple[float, float], boxes: Sequence[Oriented]) -> bool:
    """Whether the straight line from `eye` to `point` meets none of `boxes` (slab test in each box's frame)."""
    for box in boxes:
        start, step = [], []
        for axis in ((box.cos, box.sin), (-box.sin, box.cos)):
            start.append((eye[0] - box.x) * axis[0] + (eye[1] - box.y) * axis[1])
            step.append((point[0] - eye[0]) * axis[0] + (point[1] - eye[1]) * axis[1])
        enter, leave = 0.0, 1.0
        for s, d, h in zip(start, step, (box.hx, box.hy), strict=True):
            if abs(d) < 1e-15:
                if abs(s) > h:
                    enter, leave = 1.0, 0.0
                continue
            t0, t1 = sorted(((-h - s) / d, (h - s) / d))
            enter, leave = max(enter, t0), min(leave, t1)
        if enter < leave:
            return False
    return True
