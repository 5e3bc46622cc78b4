"""Drawings of discs: blocks, balls, cups and animals.

Each drawing has the size of a disc of the given radius; the first axis of its frame points ahead. `TOYS` maps the names
used by `Look` to drawings.
"""

import math
from collections.abc import Callable

import numpy as np

from unseen.envs.watch.brush import WHITE, Brush, oval, overturned_cup
from unseen.envs.watch.theme import RGB, mix

HEIGHT = 0.16  # m, of a block
COLLARED = ("dog", "cat")  # only their collar has the colour
NOSE: RGB = (52, 44, 44)


def block(b: Brush, r: float, rgb: RGB) -> None:
    if b.eye.by_depth:  # a drum
        b.prism(oval(0, 0, r, n=32), 0, 2 * r, rgb, rim=0)
        return
    for k in range(5):  # its round side, from the floor up
        b.dot(0, 0, HEIGHT * k / 5, r, mix((0, 0, 0), rgb, 0.62 + 0.04 * k))
    b.dot(0, 0, HEIGHT, r, rgb)
    _glint(b, 0.36 * r, -0.25 * r, 0.3 * r, HEIGHT, mix(rgb, WHITE, 0.38))


def _glint(b: Brush, r: float, dx: float, dy: float, height: float, rgb: RGB) -> None:
    """A reflection at an offset in room coordinates, whatever the heading of the object."""
    x, y, up = _aside(b, dx, dy)
    b.dot(x, y, height + up, r, rgb)


def _aside(b: Brush, dx: float, dy: float) -> tuple[float, float, float]:
    """An offset to the right and up in the picture, converted to the object's frame and a height."""
    if not b.eye.by_depth:
        x, y = b.axes @ (dx, dy)
        return float(x), float(y), 0.0
    ex, ey, _ = b.eye.place
    away = b.origin - (ex, ey)
    away = away / (np.hypot(*away) + 1e-12)
    x, y = b.axes @ (away[1] * dx, -away[0] * dx)
    return float(x), float(y), dy


def ball(b: Brush, r: float, rgb: RGB) -> None:
    for k in range(13):  # a sphere: rings that shrink and brighten
        part = k / 12
        x, y, up = _aside(b, -0.26 * r * part, 0.3 * r * part)
        b.dot(x, y, r + up, r * (1 - 0.78 * part), mix(mix(rgb, (0, 0, 0), 0.34), mix(rgb, WHITE, 0.22), part**0.7))
    _glint(b, 0.16 * r, -0.36 * r, 0.4 * r, r, mix(rgb, WHITE, 0.85))


def marble(b: Brush, r: float, rgb: RGB) -> None:
    b.dot(0, 0, r, r, mix(rgb, (0, 0, 0), 0.3))
    b.dot(0, 0, r, 0.88 * r, mix(rgb, WHITE, 0.62))
    if b.eye.by_depth:
        b.dot(0, 0, r, 0.5 * r, rgb)
    for turn in (0.0, 2 * math.pi / 3, 4 * math.pi / 3):  # three twisted leaves in the glass
        t = np.linspace(0, 1, 7)
        inner = np.stack([0.8 * r * t * np.cos(turn + 1.3 * t), 0.8 * r * t * np.sin(turn + 1.3 * t)], axis=1)
        outer = np.stack(
            [0.8 * r * t * np.cos(turn + 0.8 + 1.3 * t), 0.8 * r * t * np.sin(turn + 0.8 + 1.3 * t)], axis=1
        )
        b.plate(np.concatenate([inner, outer[::-1]]), r, rgb)
    _glint(b, 0.2 * r, -0.34 * r, 0.36 * r, r, WHITE)


def cup(b: Brush, r: float, rgb: RGB) -> None:
    """An upside-down cup."""
    overturned_cup(b, r, 2.0 * r, rgb)


def _limbs(b: Brush, r: float, spots: tuple[tuple[float, float], ...], rgb: RGB) -> None:
    for x, y in spots:
        if b.eye.by_depth:
            b.prism(oval(0.8 * x * r, 0.8 * y * r, 0.17 * r, n=10), 0, 0.7 * r, mix(rgb, (0, 0, 0), 0.12), rim=0)
        b.plate(oval(x * r, y * r, 0.3 * r, 0.2 * r, 10), 0.02, rgb)


def _mound(b: Brush, x: float, long: float, wide: float, low: float, high: float, rgb: RGB, dark: float = 0.28) -> None:
    """A rounded solid of horizontal slices, few when seen from above and many from the side."""
    b.part(0, [(x, 0)])
    layers = 16 if b.eye.by_depth else 4
    for k in range(layers):
        part = k / (layers - 1)
        round_ = math.sqrt(1 - 0.6 * (2 * part - 1) ** 4) if b.eye.by_depth else 1.0
        tone = mix((0, 0, 0), rgb, 1 - dark + (dark - 0.07) * part)
        b.plate(oval(x, 0, long * round_, wide * round_), low + (high - low) * part, tone)


def _body(b: Brush, r: float, long: float, wide: float, at: float, high: float, rgb: RGB) -> None:
    _mound(b, at * r, long * r, wide * r, 0.35 * high, high, rgb)
    b.plate(oval((at - 0.1) * r, 0, 0.72 * long * r, 0.5 * wide * r), high, mix(rgb, WHITE, 0.14))


def _collar(b: Brush, r: float, x: float, wide: float, high: float, rgb: RGB) -> None:
    """A band round the neck, wide enough to be recognised from above, with a tag."""
    b.part(0, [(x * r, 0)])
    bow = [(x * r - 0.14 * r * abs(t) ** 2, wide * r * t) for t in np.linspace(-1, 1, 7)]
    b.line(bow, high, mix(rgb, (0, 0, 0), 0.35), 0.5 * r)
    b.line(bow, high + 0.01, rgb, 0.36 * r)


def dog(b: Brush, r: float, rgb: RGB) -> None:
    """A tan dog with dark ears; `rgb` is its collar's colour."""
    coat, dark = (204, 160, 112), (122, 84, 58)
    high = 1.25 * r
    _limbs(b, r, ((0.5, 0.56), (0.5, -0.56), (-0.95, 0.52), (-0.95, -0.52)), mix(coat, WHITE, 0.25))
    b.part(0, [(-1.6 * r, 0)])
    tail = [(-1.25 * r, 0), (-1.6 * r, 0.12 * r), (-1.9 * r, 0.42 * r)]
    b.line(tail, [0.6 * high, 0.8 * high, high], mix(coat, dark, 0.35), 0.24 * r)
    _body(b, r, 1.08, 0.66, -0.35, high, coat)
    b.plate(oval(-0.62 * r, 0.12 * r, 0.42 * r, 0.34 * r, 12), high, mix(coat, dark, 0.4))  # a patch on the back
    _collar(b, r, 0.52, 0.48, high, rgb)
    head = high * 1.15
    b.part(0, [(0.95 * r, 0)])
    for side in (-1, 1):
        b.plate(_turned(oval(0, 0, 0.42 * r, 0.22 * r, 12), 0.9 * r, side * 0.56 * r, side * 2.2), head * 0.9, dark)
    _mound(b, 1.1 * r, 0.51 * r, 0.49 * r, 0.55 * head, head, coat, 0.2)
    b.part(0, [(1.5 * r, 0)])
    for part in (0.7, 0.76, 0.82, 0.9)[0 if b.eye.by_depth else 3 :]:
        b.plate(oval(1.5 * r, 0, 0.36 * r, 0.27 * r, 14), head * part, mix(coat, WHITE, part - 0.55))
    b.dot(1.8 * r, 0, head * 0.9, 0.13 * r, NOSE)
    for side in (-1, 1):
        b.dot(1.26 * r, side * 0.24 * r, head, 0.09 * r, NOSE)


def cat(b: Brush, r: float, rgb: RGB) -> None:
    """A grey cat with a long tail and stripes; `rgb` is its collar's colour."""
    coat, dark = (134, 138, 150), (84, 88, 100)
    high = 1.1 * r
    _limbs(b, r, ((0.55, 0.42), (0.55, -0.42), (-0.9, 0.46), (-0.9, -0.46)), (232, 232, 236))
    b.part(0, [(-1.6 * r, 0)])
    t = np.linspace(0, 1, 12)
    tail = np.stack([-1.2 * r - 0.95 * r * t, 0.5 * r * np.sin(3.4 * t)], axis=1)
    b.line(tail, high * (0.5 + 0.4 * t), dark, 0.2 * r)
    b.line(tail[-3:], high * 0.92, (232, 232, 236), 0.2 * r)
    _body(b, r, 1.05, 0.54, -0.3, high, coat)
    for x in (-0.95, -0.6, -0.25):
        b.line([(x * r - 0.08 * r, -0.36 * r), (x * r, 0), (x * r - 0.08 * r, 0.36 * r)], high, dark, 0.12 * r)
    _collar(b, r, 0.55, 0.38, high, rgb)
    head = high * 1.15
    _mound(b, 1.07 * r, 0.48 * r, 0.5 * r, 0.55 * head, head, coat, 0.25)
    for side in (-1, 1):
        ear = np.array([(0.66, 0.62), (1.16, 0.5), (0.72, 0.14)]) * (r, side * r)
        b.plate(ear, head, dark)
        b.plate((ear - ear.mean(axis=0)) * 0.5 + ear.mean(axis=0), head, (222, 164, 160))
    b.plate(oval(1.1 * r, 0, 0.44 * r, 0.44 * r), head, coat)
    b.plate(oval(1.36 * r, 0, 0.18 * r, 0.24 * r, 12), head, (232, 232, 236))
    b.dot(1.5 * r, 0, head, 0.07 * r, (222, 130, 130))
    for side in (-1, 1):
        b.dot(1.22 * r, side * 0.24 * r, head, 0.1 * r, (196, 214, 96))
        b.dot(1.24 * r, side * 0.24 * r, head, 0.05 * r, NOSE)
        for spread in (0.42, 0.56):
            b.line([(1.42 * r, side * 0.2 * r), (1.52 * r, side * spread * r)], head, (196, 196, 204))


def _turned(outline: np.ndarray, x: float, y: float, angle: float) -> np.ndarray:
    """An outline round the origin, turned, then moved to (x, y)."""
    c, s = math.cos(angle), math.sin(angle)
    return outline @ np.array([[c, s], [-s, c]]) + (x, y)


TOYS: dict[str, Callable[[Brush, float, RGB], None]] = {
    "block": block, "ball": ball, "marble": marble, "cup": cup, "dog": dog, "cat": cat,
}  # fmt: skip
