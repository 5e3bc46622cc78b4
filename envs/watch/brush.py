"""Two cameras, above the room and inside it, and a brush for solids: flat faces, shaded by their direction.

All lengths are in metres until a camera's `at`. A brush paints in the frame of one object, so that a drawing works for
any position and orientation. Drawings must paint far and low parts first.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pygame

from unseen.envs.planar.world import EYE, WALL_HEIGHT
from unseen.envs.watch.theme import RGB, mix

FINE = 2  # supersampling factor, for antialiasing
CAMERA = 11.0  # m above the floor, over the middle of the room
SUN = np.array([-0.5, 0.87])  # direction to the light, for the sides of things
CLOSE = 0.05  # m; anything nearer to the camera is not drawn
WHITE: RGB = (255, 255, 255)
BLACK: RGB = (0, 0, 0)
Points = Any  # (n, 2) or (n, 3), metres


@dataclass(frozen=True)
class Overhead:
    """A camera above the middle of the room; its image is `size` fine pixels wide."""

    size: int
    half: tuple[float, float]
    shift: tuple[float, float] = (0.0, 0.0)  # offset of the image in fine pixels

    place = (0.0, 0.0, CAMERA)
    by_depth = False  # parts are painted in the given order

    @property
    def scale(self) -> float:
        """Pixels per metre on the floor."""
        return self.size / (2 * max(self.half) * CAMERA / (CAMERA - WALL_HEIGHT)) * 0.985

    def at(self, points: Points, height: Any = 0.0) -> np.ndarray:
        """Pixels (m, 2) of `points` (m, 2) at `height` metres above the floor (a number, or one per point)."""
        nearer = self.scale * CAMERA / (CAMERA - np.asarray(height, dtype=float).reshape(-1, 1))
        return np.asarray(points, dtype=float) * nearer * (1, -1) + self.size / 2 + self.shift

    def spot(self, x: float, y: float, height: float = 0.0) -> tuple[float, float]:
        """`at` for a single point."""
        px, py = self.at(np.array([[x, y]]), height)[0]
        return float(px), float(py)

    def clipped(self, points: np.ndarray, heights: Any) -> np.ndarray:
        """Pixels of a polygon, all of which is in front of the camera."""
        return self.at(points, heights)

    def scale_at(self, point: np.ndarray) -> float:
        """Pixels per metre at a point of the room; 0 if it is not in front of the camera."""
        return self.scale


@dataclass(frozen=True)
class Ahead:
    """A camera in the room at the agent's eye, looking along `heading` (rad); `size` (w, h) in fine pixels."""

    size: tuple[int, int]
    x: float
    y: float
    heading: float
    fov: float  # rad

    by_depth = True  # parts are painted by their distance

    @property
    def place(self) -> tuple[float, float, float]:
        return self.x, self.y, EYE

    @property
    def focal(self) -> float:
        return self.size[0] / 2 / math.tan(self.fov / 2)

    def frame(self, points: Points) -> np.ndarray:
        """Metres ahead and to the left of the camera, (n, 2)."""
        c, s = math.cos(self.heading), math.sin(self.heading)
        return (np.asarray(points, dtype=float) - (self.x, self.y)) @ np.array([[c, -s], [s, c]])

    def at(self, points: Points, height: Any = 0.0) -> np.ndarray:
        """Pixels of points that are in front of the camera."""
        ahead, left = self.frame(points).T
        return self._pixels(ahead, left, np.broadcast_to(np.ravel(height), ahead.shape))

    def _pixels(self, ahead: np.ndarray, left: np.ndarray, height: np.ndarray) -> np.ndarray:
        nearer = self.focal / np.maximum(ahead, CLOSE)
        w, h = self.size
        return np.stack([w / 2 - left * nearer, h / 2 + (EYE - height) * nearer], axis=1)

    def clipped(self, points: np.ndarray, heights: Any) -> np.ndarray:
        """Pixels of the part of a polygon that is in front of the camera."""
        corners = np.column_stack([self.frame(points), np.broadcast_to(np.ravel(heights), len(points))])
        kept = []
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if a[0] >= CLOSE:
                kept.append(a)
            if (a[0] >= CLOSE) != (b[0] >= CLOSE):
                kept.append(a + (CLOSE - a[0]) / (b[0] - a[0]) * (b - a))
        return self._pixels(*np.array(kept).T) if len(kept) > 2 else np.zeros((0, 2))

    def scale_at(self, point: np.ndarray) -> float:
        ahead = float(self.frame(point[None])[0, 0])
        return self.focal / ahead if ahead > CLOSE else 0.0


def times(rgb: RGB, light: RGB) -> RGB:
    """A colour multiplied by the colour of the light."""
    r, g, b = (round(x * y / 255) for x, y in zip(rgb, light, strict=True))
    return r, g, b


def oval(x: float, y: float, rx: float, ry: float | None = None, n: int = 20) -> np.ndarray:
    """An ellipse as a polygon (n, 2), counter-clockwise."""
    turn = np.arange(n) * (2 * math.pi / n)
    return np.stack([x + rx * np.cos(turn), y + (rx if ry is None else ry) * np.sin(turn)], axis=1)


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> np.ndarray:
    """A rectangle with round corners as a polygon, counter-clockwise."""
    r = max(min(radius, (x1 - x0) / 2, (y1 - y0) / 2), 1e-4)
    quarter = np.linspace(0, math.pi / 2, 5)
    corners = [(x1 - r, y1 - r), (x0 + r, y1 - r), (x0 + r, y0 + r), (x1 - r, y0 + r)]
    arcs = [
        np.stack([x + r * np.cos(quarter + k * math.pi / 2), y + r * np.sin(quarter + k * math.pi / 2)], axis=1)
        for k, (x, y) in enumerate(corners)
    ]
    return np.concatenate(arcs)


class Brush:
    """Paints in the frame of one object at (x, y) whose first axis points along (cos, sin).

    Args:
        light: the colour of the light on a face with a given direction in the room, or facing up (None).
    """

    def __init__(
        self, canvas: pygame.Surface, eye: Overhead | Ahead, x: float, y: float, cos: float, sin: float,
        light: Callable[[np.ndarray | None], RGB] = lambda _: WHITE,
    ) -> None:  # fmt: skip
        self.canvas, self.eye, self.light = canvas, eye, light
        self.origin, self.axes = np.array([x, y]), np.array([[cos, sin], [-sin, cos]])
        self.parts: list[tuple[tuple[float, float], list[Callable[[], object]]]] = [((-1.0, 0.0), [])]

    def part(self, low: float, outline: Points) -> None:
        """Start a new solid, `low` metres above the floor."""
        if self.eye.by_depth:
            x, y, _ = self.eye.place
            middle = self.room(outline).mean(axis=0)
            self.parts.append(((round(low, 3), -math.hypot(middle[0] - x, middle[1] - y)), []))

    def put(self, paint: Callable[[], object]) -> None:
        """Paint now, or in `done`, when all parts and their distances are known."""
        if self.eye.by_depth:
            self.parts[-1][1].append(paint)
        else:
            paint()

    def done(self) -> None:
        """Paint all deferred parts: low before high, far before near."""
        for _, paints in sorted(self.parts, key=lambda part: part[0]):
            for paint in paints:
                paint()
        self.parts = [((-1.0, 0.0), [])]

    def room(self, points: Points) -> np.ndarray:
        """Points of the object's frame in room coordinates."""
        return np.asarray(points, dtype=float)[:, :2] @ self.axes + self.origin

    def pixels(self, points: Points, height: Any = 0.0) -> np.ndarray:
        return self.eye.at(self.room(points), height)

    def tone(self, rgb: RGB, normal: np.ndarray) -> RGB:
        """The colour of a face with this `normal` (3,) in the object's frame."""
        flat = normal[:2] @ self.axes
        up = float(max(normal[2], 0.0))
        bright = 0.86 if self.eye.by_depth else 0.62  # seen from above, darker sides set off the tops
        side = mix(BLACK, rgb, bright + 0.12 * float(flat @ SUN))
        return times(mix(side, mix(rgb, WHITE, 0.10), up), self.light(None if up > 0.7 else flat))

    def shows(self, point: Sequence[float], normal: Sequence[float]) -> bool:
        """Whether a face through `point` (3,) with this `normal` (3,) faces the camera."""
        (flat,), along = self.room([point]), np.asarray(normal, dtype=float)
        x, y, z = self.eye.place
        return bool((along[:2] @ self.axes) @ (np.array([x, y]) - flat) + along[2] * (z - point[2]) > 1e-9)

    def polygon(self, points: Points, heights: Any, rgb: RGB, width: int = 0) -> None:
        at = self.eye.clipped(self.room(points), heights)
        if len(at) > 2:
            self.put(lambda: pygame.draw.polygon(self.canvas, rgb, at, width))

    def face(self, points: Points, normal: Sequence[float], rgb: RGB) -> bool:
        """Paint a flat polygon (n, 3) if it faces the camera. Returns whether it does."""
        points, along = np.asarray(points, dtype=float), np.asarray(normal, dtype=float)
        along = along / (np.linalg.norm(along) + 1e-12)
        if not self.shows(points.mean(axis=0), along):
            return False
        self.polygon(points, points[:, 2], self.tone(rgb, along))
        return True

    def plate(self, outline: Points, height: float, rgb: RGB, rim: float = 0.0) -> None:
        """A horizontal polygon; its edge is lighter by `rim` > 0, or darker by `rim` < 0."""
        if self.eye.place[2] <= height:
            return
        colour = times(mix(rgb, WHITE, 0.10), self.light(None))
        self.polygon(outline, height, colour)
        if rim:
            self.polygon(outline, height, mix(colour, WHITE if rim > 0 else BLACK, abs(rim)), FINE)

    def line(self, points: Points, height: Any, rgb: RGB, width: float = 0.0) -> None:
        """A line `width` metres wide at a height, or through heights."""
        flat = self.room(points)
        scale = min(self.eye.scale_at(point) for point in flat)
        if scale <= 0 or (np.ndim(height) == 0 and self.eye.place[2] <= height):
            return
        wide = max(FINE, round(width * scale))
        at = self.eye.at(flat, height)
        colour = times(rgb, self.light(None))
        self.put(lambda: pygame.draw.lines(self.canvas, colour, False, at, wide))
        if wide > 2 * FINE:
            for point in at:
                self.put(partial(pygame.draw.circle, self.canvas, colour, point, wide / 2))

    def dot(self, x: float, y: float, height: float, radius: float, rgb: RGB) -> None:
        """A round spot, or a ball seen from any direction."""
        flat = self.room([(x, y)])
        scale = self.eye.scale_at(flat[0])
        if scale > 0:
            (point,) = self.eye.at(flat, height)
            size, colour = max(radius * scale, 0.75 * FINE), times(rgb, self.light(None))
            self.put(lambda: pygame.draw.circle(self.canvas, colour, point, size))

    def prism(
        self, outline: Points, low: float, high: float, rgb: RGB, top: RGB | None = None, rim: float = 0.25,
    ) -> None:  # fmt: skip
        """An upright prism over a counter-clockwise outline."""
        self.taper(outline, outline, low, high, rgb, top, rim)

    def taper(
        self, foot: Points, head: Points, low: float, high: float, rgb: RGB, top: RGB | None = None, rim: float = 0.25
    ) -> None:
        """A solid that tapers from the outline of its foot to that of its head."""
        foot, head = np.asarray(foot, dtype=float), np.asarray(head, dtype=float)
        n = len(foot)
        self.part(low, foot)
        for i in range(n):
            j = (i + 1) % n
            edge, slope = foot[j] - foot[i], (head[i] + head[j] - foot[i] - foot[j]) / 2
            length = np.hypot(*edge) + 1e-12
            out = np.array([edge[1], -edge[0]]) / length
            lean = -float(slope @ out) / max(high - low, 1e-6)
            quad = [(*foot[i], low), (*foot[j], low), (*head[j], high), (*head[i], high)]
            self.face(quad, (*out, lean), rgb)
        self.plate(head, high, top or rgb, rim)

    def box(self, x0: float, y0: float, x1: float, y1: float, low: float, high: float, rgb: RGB, radius: float = 0.0,
            rim: float = 0.25) -> None:  # fmt: skip
        """A prism over a rectangle in the object's frame, with rounded corners."""
        square = np.array([(x1, y1), (x0, y1), (x0, y0), (x1, y0)])
        self.prism(rounded(x0, y0, x1, y1, radius) if radius > 0 else square, low, high, rgb, None, rim)


def overturned_cup(b: Brush, r: float, high: float, rgb: RGB) -> None:
    """An upside-down cup: its lip on the floor, two bands, and the ring of its foot on top."""
    bands = [(1.0, 0.0), (1.0, 0.1), (0.9, 0.1), (0.8, 0.55), (0.75, 0.7), (0.66, 1.0)]
    for (r0, z0), (r1, z1) in zip(bands, bands[1:], strict=False):
        tone = mix(rgb, WHITE, 0.35) if z1 in (0.1, 0.7) else rgb
        b.taper(oval(0, 0, r0 * r, n=28), oval(0, 0, r1 * r, n=28), z0 * high, max(z1, z0 + 0.01) * high, tone, rim=0)
    b.plate(oval(0, 0, 0.66 * r, n=28), high, rgb, 0.35)
    b.plate(oval(0, 0, 0.46 * r, n=24), high, mix(rgb, (0, 0, 0), 0.22))
    b.plate(oval(0, 0, 0.36 * r, n=24), high, mix(rgb, (0, 0, 0), 0.06))
