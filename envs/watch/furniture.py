"""Drawings of boxes: furniture, walls and machines, as in a doll's house seen from above.

Each drawing fills an oriented box of any size. In its frame the first axis points to the back (of a couch) or the head
(of a bed), the side away from the middle of the room. `FURNITURE` maps the names used by `Look` to drawings.
"""

import math
from collections.abc import Callable

import numpy as np

from unseen.envs.planar.world import BOX_HEIGHT
from unseen.envs.watch.brush import WHITE, Brush, oval, overturned_cup, rounded
from unseen.envs.watch.theme import RGB, mix

WOOD: RGB = (168, 122, 82)
DARK_WOOD: RGB = (122, 86, 62)
LINEN: RGB = (242, 238, 230)
TONES: dict[str, RGB] = {
    "couch": (112, 142, 160), "armchair": (196, 126, 98), "bed": (112, 134, 178), "door": (150, 104, 70),
    "lamp": (246, 214, 150), "vase": (92, 142, 178), "table": WOOD, "crate": (198, 156, 104),
    "screen": (222, 208, 186), "tunnel": (124, 130, 150), "siding": (124, 130, 150),
    "lever": (238, 198, 92), "glass": (190, 222, 236), "wall": (188, 180, 172), "deflector": (86, 108, 160),
    "launcher": (92, 98, 116), "cup": (196, 104, 84),
}  # fmt: skip
"""The average colour of each drawing; that of a "block" depends on its kind."""


def frame(kind: str, x: float, y: float, cos: float, sin: float, hx: float, hy: float) -> tuple[float, ...]:
    """(cos, sin, hx, hy) of the same box, rotated by multiples of 90 degrees so that its back faces away from the middle.

    Depending on `kind`, the back is along the shorter or the longer side.
    """
    if kind not in ("couch", "armchair", "bed", "door", "screen", "tunnel", "siding", "table", "deflector"):
        return cos, sin, hx, hy
    long = kind in ("bed", "tunnel", "siding", "table", "deflector")
    ways = [(cos, sin, hx, hy), (-cos, -sin, hx, hy), (-sin, cos, hy, hx), (sin, -cos, hy, hx)]

    def fits(way: tuple[float, ...]) -> tuple[bool, float]:
        c, s, depth, width = way
        right = depth >= 0.9 * width if long else depth <= 1.1 * width
        return right, round(x * c + y * s, 6)

    return max(ways, key=fits)


def block(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    b.box(-hx, -hy, hx, hy, 0, BOX_HEIGHT, rgb)


def _seat(b: Brush, hx: float, hy: float, rgb: RGB, cushions: int) -> None:
    """A couch: base, cushions, and on it the back and two arms."""
    arm = min(0.22 * hy * (1.0 if cushions > 1 else 1.3), 0.14)
    back = min(0.55 * hx, 0.17)
    seat, r = 0.24, min(hx, hy) * 0.3
    b.box(-hx, -hy, hx, hy, 0, seat, mix(rgb, (0, 0, 0), 0.16), r, 0)
    wide = 2 * (hy - arm) / cushions
    for k in range(cushions):
        y0 = arm - hy + k * wide
        b.box(0.01 - hx, y0 + 0.012, hx - back, y0 + wide - 0.012, seat, seat + 0.09, mix(rgb, WHITE, 0.14), 0.07, 0.2)
    for y in (arm / 2 - hy, hy - arm / 2):
        b.box(-hx, y - arm / 2, hx - back * 0.4, y + arm / 2, seat, 0.46, rgb, arm * 0.45, 0.25)
    b.box(hx - back, -hy, hx, hy, seat, 0.68, mix(rgb, WHITE, 0.05), back * 0.45, 0.3)


def couch(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    _seat(b, hx, hy, rgb, 3 if hy > 2.4 * hx else 2)


def armchair(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    _seat(b, hx, hy, rgb, 1)


def bed(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    r = min(hx, hy)
    b.box(-hx, -hy, hx, hy, 0, 0.16, WOOD, 0.04, 0)
    m = 0.07 * r
    b.box(m - hx, m - hy, hx - m, hy - m, 0.16, 0.34, LINEN, 0.12 * r, 0)
    fold = 0.22 * hx
    b.box(m - hx - 0.01, m - hy - 0.01, fold, hy - m + 0.01, 0.2, 0.37, rgb, 0.12 * r, 0.12)
    b.plate(rounded(fold - 0.2 * hx, m - hy - 0.01, fold, hy - m + 0.01, 0.03), 0.375, mix(rgb, WHITE, 0.55))
    for y in np.arange(-1, 2) * 0.5 * hy:
        b.line([(0.1 * hx - hx, y), (fold - 0.24 * hx, y)], 0.37, mix(rgb, WHITE, 0.13))
    pillows = 2 if hy > 0.32 else 1
    wide = 2 * (hy - 2 * m) / pillows
    for k in range(pillows):
        y0 = 2 * m - hy + k * wide
        b.box(0.52 * hx, y0 + 0.03, hx - 2 * m - 0.03, y0 + wide - 0.03, 0.34, 0.42, WHITE, 0.25 * r, -0.12)
    b.box(hx - 0.06, -hy, hx, hy, 0.16, 0.62, DARK_WOOD, 0.02, 0.2)


def door(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A door in its frame, with a mat in front."""
    high = 1.25
    mat = rounded(-hx - 0.34, -0.72 * hy, -hx - 0.05, 0.72 * hy, 0.03)
    b.plate(mat, 0, (150, 128, 104), -0.2)
    for k in range(1, 4):
        x = -hx - 0.05 - 0.29 * k / 4
        b.line([(x, -0.62 * hy), (x, 0.62 * hy)], 0, (128, 106, 84))
    b.box(-hx, -hy, hx, hy, 0, high, mix(rgb, WHITE, 0.42), 0, 0.3)
    for y0, y1, z0, z1, shade in (
        (-0.84 * hy, 0.84 * hy, 0.0, high - 0.1, 0.0), (-0.62 * hy, -0.1 * hy, 0.12, 0.5, 0.16),
        (0.1 * hy, 0.62 * hy, 0.12, 0.5, 0.16), (-0.62 * hy, -0.1 * hy, 0.62, 1.05, 0.16),
        (0.1 * hy, 0.62 * hy, 0.62, 1.05, 0.16),
    ):  # fmt: skip
        x = -hx - 1e-3
        b.face([(x, y1, z0), (x, y0, z0), (x, y0, z1), (x, y1, z1)], (-1, 0, 0), mix(rgb, (0, 0, 0), shade))
    b.box(-0.55 * hx, -0.84 * hy, 0.55 * hx, 0.84 * hy, high, high, rgb, 0, 0)
    b.dot(-hx - 0.03, -0.72 * hy, 0.55, 0.035, (236, 196, 92))


def lamp(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A floor lamp: foot, pole and a glowing shade."""
    r = min(hx, hy)
    b.prism(oval(0, 0, 0.62 * r), 0, 0.05, (98, 92, 92))
    b.prism(oval(0, 0, 0.09 * r + 0.01, n=10), 0.05, 0.72, (122, 116, 112), rim=0)
    b.taper(oval(0, 0, r, n=24), oval(0, 0, 0.62 * r, n=24), 0.66, 1.0, rgb, mix(rgb, WHITE, 0.3), 0.5)
    for part, white in ((0.5, 0.55), (0.36, 0.8), (0.2, 1.0)):
        b.plate(oval(0, 0, part * r, n=16), 1.0, mix(rgb, WHITE, white))


def vase(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A round vase with three flowers."""
    r = min(hx, hy)
    profile = [(0.0, 0.5), (0.12, 0.8), (0.26, 0.95), (0.4, 0.8), (0.52, 0.45), (0.6, 0.55)]
    for (z0, r0), (z1, r1) in zip(profile, profile[1:], strict=False):
        tone = LINEN if 0.2 < z1 < 0.45 else rgb
        b.taper(oval(0, 0, r0 * r), oval(0, 0, r1 * r), z0, z1, tone, rim=0)
    b.plate(oval(0, 0, 0.55 * r), 0.6, mix(rgb, WHITE, 0.3))
    b.plate(oval(0, 0, 0.4 * r), 0.6, (54, 60, 70))
    for k, petal in enumerate(((232, 108, 128), (250, 206, 96), (236, 236, 244))):
        turn = 0.5 + k * 2 * math.pi / 3
        x, y = 0.55 * r * math.cos(turn), 0.55 * r * math.sin(turn)
        b.line([(0, 0), (x, y)], [0.6, 0.86], (88, 142, 84), 0.018)
        for leaf in range(5):
            a = leaf * 2 * math.pi / 5
            b.dot(x + 0.2 * r * math.cos(a), y + 0.2 * r * math.sin(a), 0.86, 0.17 * r, petal)
        b.dot(x, y, 0.88, 0.12 * r, (240, 178, 70) if k != 1 else (190, 120, 60))


def table(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """Legs, a top with its grain, a bowl of fruit."""
    leg, r = min(0.06, 0.3 * min(hx, hy)), min(hx, hy)
    for i, j in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        x, y = i * (hx - leg), j * (hy - leg)
        b.box(x - leg, y - leg, x + leg, y + leg, 0, 0.5, mix(rgb, (0, 0, 0), 0.2))
    b.box(-hx, -hy, hx, hy, 0.5, 0.56, rgb, 0.22 * r, 0.25)
    for k in range(1, 5):
        y = hy * (k / 2.5 - 1)
        b.line([(-0.86 * hx, y), (0.86 * hx, y)], 0.56, mix(rgb, (0, 0, 0), 0.08))
    bowl = 0.42 * r
    b.taper(oval(0, 0, 0.6 * bowl), oval(0, 0, bowl), 0.56, 0.66, (236, 234, 230), (206, 208, 212), 0.6)
    for x, y, fruit in ((0.3, 0.25, (222, 92, 72)), (-0.4, 0.12, (246, 190, 80)), (0.05, -0.42, (132, 178, 92))):
        b.dot(x * bowl, y * bowl, 0.67, 0.4 * bowl, fruit)
        b.dot((x - 0.1) * bowl, (y + 0.12) * bowl, 0.69, 0.12 * bowl, mix(fruit, WHITE, 0.55))


def crate(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """Planks in a frame."""
    high, r = 0.66, min(hx, hy)
    dark, frame_ = mix(rgb, (0, 0, 0), 0.28), mix(rgb, (0, 0, 0), 0.1)
    b.box(-hx, -hy, hx, hy, 0, high, frame_, 0, 0)
    for axis in range(4):  # planks on the visible sides
        c, s = ((1, 0), (0, 1), (-1, 0), (0, -1))[axis]
        out, half = (hx, hy) if c else (hy, hx)
        for z0, z1 in ((0.1, 0.3), (0.34, 0.56)):
            quad = [
                (c * (out + 1e-3) - s * t, s * (out + 1e-3) + c * t, z)
                for t, z in ((-half * 0.82, z0), (half * 0.82, z0), (half * 0.82, z1), (-half * 0.82, z1))
            ]
            b.face(quad, (c, s, 0), mix(rgb, WHITE, 0.06))
    m = 0.2 * r
    b.plate([(hx - m, hy - m), (m - hx, hy - m), (m - hx, m - hy), (hx - m, m - hy)], high, mix(rgb, WHITE, 0.1))
    n = max(3, round(2 * (hy - m) / 0.11))
    for k in range(1, n):
        y = (m - hy) + 2 * (hy - m) * k / n
        b.line([(m - hx, y), (hx - m, y)], high, dark)
    b.line([(m - hx, m - hy), (hx - m, hy - m)], high, frame_, 0.7 * m)
    b.plate([(hx, hy), (-hx, hy), (-hx, hy - m), (hx, hy - m)], high, frame_, 0.12)
    b.plate([(hx, m - hy), (-hx, m - hy), (-hx, -hy), (hx, -hy)], high, frame_, 0.12)
    b.line([(m - hx, m - hy), (m - hx, hy - m)], high, dark)
    b.line([(hx - m, m - hy), (hx - m, hy - m)], high, dark)
    for x in (-1, 1):
        for y in (-1, 1):
            b.dot(x * (hx - m / 2), y * (hy - m / 2), high, 0.012, mix(rgb, (0, 0, 0), 0.55))


def screen(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A folding screen: panels of cloth between posts of wood."""
    high = BOX_HEIGHT
    n = max(2, round(2 * hy / 0.36))
    b.box(-hx, -hy, hx, hy, 0, high, DARK_WOOD, 0, 0.1)
    step = 2 * hy / n
    for side in (-1, 1):
        x = side * (hx + 1e-3)
        for k in range(n):
            y0, y1 = k * step - hy + 0.025, (k + 1) * step - hy - 0.025
            quad = [(x, y0, 0.06), (x, y1, 0.06), (x, y1, high - 0.06), (x, y0, high - 0.06)]
            b.face(quad if side > 0 else quad[::-1], (side, 0, 0), rgb if k % 2 else mix(rgb, (0, 0, 0), 0.09))
    for k in range(n):
        y0, y1 = k * step - hy + 0.02, (k + 1) * step - hy - 0.02
        inner = 0.6 * hx
        b.plate(
            [(inner, y1), (-inner, y1), (-inner, y0), (inner, y0)], high, rgb if k % 2 else mix(rgb, (0, 0, 0), 0.1)
        )


def tunnel(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """An arch along the longer side, dark inside, with a rim at both mouths."""
    rise = min(0.55, 1.1 * hy)
    for side in (-1, 1):  # dark openings
        x0, x1 = sorted((side * hx, side * (hx + 0.07)))
        b.plate(rounded(x0, -0.8 * hy, x1, 0.8 * hy, 0.07), 0, (74, 70, 72))
    turn = np.linspace(0, math.pi, 15)
    y, z = hy * np.cos(turn), rise * np.sin(turn)
    b.part(0, [(0, 0)])
    for k in range(14):
        a = (turn[k] + turn[k + 1]) / 2
        normal = (0, math.cos(a) / hy, math.sin(a) / rise)
        b.face([(-hx, y[k], z[k]), (hx, y[k], z[k]), (hx, y[k + 1], z[k + 1]), (-hx, y[k + 1], z[k + 1])], normal, rgb)
    rings = max(1, round(2 * hx / 0.3))
    for k in range(1, rings):
        _hoop(b, 2 * hx * k / rings - hx, y, z, mix(rgb, (0, 0, 0), 0.2), 0.0)
    for side in (-1, 1):
        x = side * hx
        if b.face(np.stack([np.full(15, x), y, z], axis=1), (side, 0, 0), mix(rgb, WHITE, 0.4)):
            b.face(np.stack([np.full(15, x), 0.8 * y, 0.84 * z], axis=1), (side, 0, 0), (26, 26, 34))
        _hoop(b, x, y, z, mix(rgb, WHITE, 0.45), 0.03)


def siding(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A tunnel with the sign of a siding on its roof: a track with a loop beside it."""
    tunnel(b, hx, hy, rgb)
    high = min(0.55, 1.1 * hy) + 0.02
    b.plate(rounded(-0.5, -0.3, 0.5, 0.3, 0.06), high, LINEN, -0.5)
    dark = (44, 46, 58)
    b.line([(-0.42, -0.14), (0.42, -0.14)], high, dark, 0.05)
    b.line([(-0.34, -0.14), (-0.18, 0.14), (0.18, 0.14), (0.34, -0.14)], high, dark, 0.05)


def lever(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A pedestal with a striped top, and a rod with a knob."""
    r = min(hx, hy)
    b.prism(oval(0, 0, 1.5 * r, n=24), 0, 0.06, (70, 74, 88), rim=0.3)
    b.box(-r, -r, r, r, 0.06, 0.4, rgb, 0.3 * r)
    for y in (-0.5 * r, 0.5 * r):
        b.line([(-0.7 * r, y), (0.7 * r, y)], 0.4, (44, 46, 58), 0.3 * r)
    b.part(0.4, [(0, 0)])
    b.line([(0, 0), (-0.9 * r, 0.4 * r)], [0.4, 0.8], (58, 60, 72), 0.05)
    b.dot(-0.9 * r, 0.4 * r, 0.82, 0.5 * r, (226, 84, 72))


def _hoop(b: Brush, x: float, y: np.ndarray, z: np.ndarray, rgb: RGB, width: float) -> None:
    """A ring round a vault, where the vault does not hide it."""
    n = len(y)
    shows = [
        b.shows((x, (y[k] + y[k + 1]) / 2, (z[k] + z[k + 1]) / 2), (0, z[k + 1] - z[k], y[k] - y[k + 1]))
        for k in range(n - 1)
    ]
    keep = [k for k in range(n) if (k < n - 1 and shows[k]) or (k > 0 and shows[k - 1])]
    if len(keep) > 1:
        b.line([(x, y[k]) for k in keep], z[keep], rgb, width)


def wall(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    b.box(-hx, -hy, hx, hy, 0, 1.15, rgb, 0, 0)
    m = min(0.25 * min(hx, hy), 0.03)
    b.plate([(hx - m, hy - m), (m - hx, hy - m), (m - hx, m - hy), (hx - m, m - hy)], 1.15, mix(rgb, WHITE, 0.22))


def deflector(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A low rail padded with rubber."""
    r = min(hx, hy)
    b.prism(rounded(-hx, -hy, hx, hy, r), 0, 0.26, rgb, mix(rgb, WHITE, 0.1), 0.35)
    inner = rounded(-hx + 0.4 * r, -hy + 0.4 * r, hx - 0.4 * r, hy - 0.4 * r, r)
    b.plate(inner, 0.26, (238, 198, 92))
    n = max(1, round(hx / 0.09))
    for k in range(n):  # chevrons
        x = (2 * k + 1) * hx / n - hx
        b.line([(x - 0.2 * r, -0.5 * r), (x + 0.2 * r, 0.5 * r)], 0.26, (70, 66, 76), 0.16 * r)


def launcher(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """A small cannon on a round base, its barrel along the first axis."""
    r = min(hx, hy)
    b.prism(oval(0, 0, 0.95 * r, n=24), 0, 0.1, rgb, mix(rgb, WHITE, 0.12), 0.3)
    for side in (-1, 1):
        b.box(
            -0.55 * r, side * 0.66 * r - 0.1 * r, 0.35 * r, side * 0.66 * r + 0.1 * r, 0.1, 0.26, DARK_WOOD, 0.05, 0.2
        )
    turn = np.linspace(0, math.pi, 11)
    tube, mouth = 0.46 * r, max(hx, 1.15 * r)
    y, z = tube * np.cos(turn), 0.16 + tube * np.sin(turn)
    b.part(0.16, [(0, 0)])
    for k in range(10):
        a = (turn[k] + turn[k + 1]) / 2
        b.face([(-0.75 * r, y[k], z[k]), (mouth, y[k], z[k]), (mouth, y[k + 1], z[k + 1]), (-0.75 * r, y[k + 1], z[k + 1])],
               (0, math.cos(a), math.sin(a)), (214, 108, 84))  # fmt: skip
    for x, wide in ((-0.7 * r, 0.05), (0.2 * r, 0.03), (mouth - 0.02, 0.05)):
        b.line([(x, v) for v in y], z, (246, 222, 190), wide)
    b.dot(-0.85 * r, 0, 0.2, 0.14 * r, (70, 66, 76))


def cup(b: Brush, hx: float, hy: float, rgb: RGB) -> None:
    """An upside-down cup."""
    r, high = min(hx, hy), min(0.4, 1.6 * min(hx, hy))
    overturned_cup(b, r, high, rgb)


FURNITURE: dict[str, Callable[[Brush, float, float, RGB], None]] = {
    "block": block, "couch": couch, "armchair": armchair, "bed": bed, "door": door, "lamp": lamp, "vase": vase,
    "table": table, "crate": crate, "screen": screen, "tunnel": tunnel, "siding": siding, "lever": lever,
    "wall": wall, "deflector": deflector, "launcher": launcher, "cup": cup,
}  # fmt: skip
