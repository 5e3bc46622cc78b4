"""Things of a `Look` by name: drawn in the room, in the light that falls on them, or alone as a little picture.

Names that nobody knows are drawn as blocks, so that a task may name things before they have a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pygame

from unseen.envs.planar.world import BOX_HEIGHT
from unseen.envs.watch.brush import FINE, WHITE, Ahead, Brush, Eye
from unseen.envs.watch.fog import box_corners
from unseen.envs.watch.furniture import FURNITURE, TONES, frame
from unseen.envs.watch.scene import Box, Disc, Scene
from unseen.envs.watch.theme import RGB, mix
from unseen.envs.watch.toys import COLLARED, TOYS

__all__ = [
    "NO_COLOUR",
    "ROUND",
    "clear",
    "collar",
    "colour_of",
    "draw_pane",
    "draw_small",
    "draw_tall",
    "picture",
    "tall_height",
]

ROUND = ("lamp", "vase", "cup", "launcher")  # do not fill their box
HIDES = ("block", "screen", "tunnel", "wall", "cup", "crate", "door")  # made to hide: glass where nothing hides
NO_COLOUR: RGB = (168, 168, 172)  # of a small thing whose colour the agent cannot tell


def clear(scene: Scene, box: Box) -> bool:
    """Whether a tall thing is drawn as glass: what it is made of, or what hides in a task whose covers are of glass."""
    return box.kind == "glass" or (scene.glass and box.kind in HIDES)


def tall_height(kind: str) -> float:
    """Metres; those that are drawn as glass."""
    return {"tunnel": 0.55, "cup": 0.5, "crate": 0.66}.get(kind, BOX_HEIGHT)


def colour_of(box: Box, told: bool = True) -> RGB:
    """The colour of a tall thing, or of one of which it cannot be told what it is."""
    return TONES.get(box.kind, box.rgb) if told else (158, 152, 150)


def draw_tall(
    canvas: pygame.Surface, eye: Eye | Ahead, box: Box, lit: Sequence[bool], light: RGB, shade: RGB, told: bool = True
) -> None:
    """A tall thing; `lit` tells which of its four sides (see `box_corners`) the agent sees, `told` whether it shows
    as what it is or as a grey block."""
    normals = np.array([(-box.sin, box.cos), (-box.cos, -box.sin), (box.sin, -box.cos), (box.cos, box.sin)])
    kind = box.kind if told and box.kind in FURNITURE else "block"
    if kind == "lamp" and light != shade:  # while there is light, it has its own light
        light, shade = mix(light, WHITE, 0.6), mix(shade, WHITE, 0.6)
    if kind in ROUND:
        lit = [any(lit)] * 4
    top = light if any(lit) else shade

    def falls(normal: np.ndarray | None) -> RGB:
        return top if normal is None else light if lit[int(np.argmax(normals @ normal))] else shade

    cos, sin, hx, hy = frame(kind, box.x, box.y, box.cos, box.sin, box.hx, box.hy)
    brush = Brush(canvas, eye, box.x, box.y, cos, sin, falls)
    FURNITURE[kind](brush, hx, hy, colour_of(box, told))
    brush.done()


def draw_pane(canvas: pygame.Surface, eye: Eye, box: Box, high: float, rgb: RGB = (190, 222, 240)) -> None:
    """A box of glass on a canvas with alpha."""
    corners = box_corners(box)
    low, up = eye.at(corners), eye.at(corners, high)
    pale, white = mix(rgb, WHITE, 0.35), mix(rgb, WHITE, 0.75)
    for i in range(4):
        pygame.draw.polygon(canvas, (*rgb, 46), [low[i], low[i - 1], up[i - 1], up[i]])
    pygame.draw.polygon(canvas, (*pale, 64), up)
    for i in range(4):
        pygame.draw.line(canvas, (*white, 150), low[i], up[i], FINE)
    pygame.draw.polygon(canvas, (*white, 220), up, FINE)
    pygame.draw.polygon(canvas, (*white, 120), low, FINE)


def draw_small(canvas: pygame.Surface, eye: Eye | Ahead, disc: Disc, told: bool = True, light: RGB = WHITE) -> None:
    """A small thing; `told`: in its colour, or in none."""
    brush = Brush(canvas, eye, disc.x, disc.y, math.cos(disc.facing), math.sin(disc.facing), lambda _: light)
    TOYS.get(disc.kind, TOYS["block"])(brush, disc.radius, disc.rgb if told else NO_COLOUR)
    brush.done()


def collar(disc: Disc) -> bool:
    """Whether the colour of this thing is that of its collar."""
    return disc.kind in COLLARED


@lru_cache(maxsize=64)
def picture(kind: str, side: int, rgb: RGB | None = None, small: bool = False) -> pygame.Surface:
    """A little picture, `side` pixels square, of the thing of that name, on nothing."""
    fine = 4
    canvas = pygame.Surface((side * fine, side * fine), pygame.SRCALPHA)
    half = 0.62 if not small else 0.3
    away = 0.7 if small else 1.7  # the front of furniture shows where it stands away from the middle
    eye = Eye(side * fine, (half, half))
    eye = Eye(side * fine, (half, half), (0, away * eye.scale + 0.04 * side * fine))
    if small:
        disc = Disc(
            0, away, 0.13 if kind in COLLARED else 0.2, "", rgb or NO_COLOUR, True, kind=kind, facing=math.pi / 4
        )
        draw_small(canvas, eye, disc)
    else:
        long = kind in ("couch", "bed", "screen", "door", "wall", "tunnel", "deflector", "table", "glass")
        hx = 0.26 if kind not in ("door", "screen", "wall", "glass") else 0.06
        hx = 0.46 if kind == "bed" else hx
        hy = 0.3 if kind == "bed" else 0.46 if long else 0.3
        box = Box(0, away, 0.0, 1.0, hx, hy, rgb or (164, 150, 138), kind)
        if kind == "glass":
            draw_pane(canvas, eye, box, 0.8)
        else:
            draw_tall(canvas, eye, box, [True] * 4, WHITE, WHITE)
    return pygame.transform.smoothscale(canvas, (side, side))
