"""Drawing of boxes and discs by their names in `Look`, in the room with its light, or alone as an icon.

A name without a drawing is drawn as a block.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pygame

from unseen.envs.planar.world import BOX_HEIGHT
from unseen.envs.watch.brush import FINE, WHITE, Ahead, Brush, Overhead
from unseen.envs.watch.fog import box_corners
from unseen.envs.watch.furniture import FURNITURE, TONES, frame
from unseen.envs.watch.scene import Box, Disc, Painted, Scene
from unseen.envs.watch.theme import RGB, mix
from unseen.envs.watch.toys import COLLARED, TOYS

ROUND = ("lamp", "vase", "cup", "launcher", "lever")  # do not fill their box
HIDES = (
    "block",
    "screen",
    "tunnel",
    "siding",
    "wall",
    "cup",
    "crate",
    "door",
)  # made to hide: drawn as glass if nothing hides
NO_COLOUR: RGB = (168, 168, 172)  # of an unidentified disc


def clear(scene: Scene, box: Box) -> bool:
    """Whether a box is drawn as glass: because it is, or because boxes hide nothing in this room."""
    return box.kind == "glass" or (scene.glass and box.kind in HIDES)


def box_height(kind: str) -> float:
    """The height at which a glass box is drawn, m."""
    return {"tunnel": 0.55, "siding": 0.55, "cup": 0.5, "crate": 0.66}.get(kind, BOX_HEIGHT)


def colour_of(box: Box, identified: bool = True) -> RGB:
    """The colour of a box; grey if it is not identified."""
    return TONES.get(box.kind, box.rgb) if identified else (158, 152, 150)


def draw_box(
    canvas: pygame.Surface,
    eye: Overhead | Ahead,
    box: Box,
    lit: Sequence[bool],
    light: RGB,
    shade: RGB,
    identified: bool = True,
) -> None:
    """Draw a box.

    Args:
        lit: which of its four sides (see `box_corners`) the agent sees.
        light, shade: colour of the light on these sides, and on the others.
        identified: draw its kind; otherwise a grey block.
    """
    normals = np.array([(-box.sin, box.cos), (-box.cos, -box.sin), (box.sin, -box.cos), (box.cos, box.sin)])
    kind = box.kind if identified and box.kind in FURNITURE else "block"
    if kind == "lamp" and light != shade:  # it glows when lit
        light, shade = mix(light, WHITE, 0.6), mix(shade, WHITE, 0.6)
    if kind in ROUND:
        lit = [any(lit)] * 4
    top = light if any(lit) else shade

    def falls(normal: np.ndarray | None) -> RGB:
        return top if normal is None else light if lit[int(np.argmax(normals @ normal))] else shade

    cos, sin, hx, hy = frame(kind, box.x, box.y, box.cos, box.sin, box.hx, box.hy)
    brush = Brush(canvas, eye, box.x, box.y, cos, sin, falls)
    FURNITURE[kind](brush, hx, hy, colour_of(box, identified))
    brush.done()


def draw_pane(canvas: pygame.Surface, eye: Overhead, box: Box, high: float, rgb: RGB = (190, 222, 240)) -> None:
    """Draw a glass box on a canvas with alpha."""
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


def draw_disc(
    canvas: pygame.Surface, eye: Overhead | Ahead, disc: Disc, identified: bool = True, light: RGB = WHITE
) -> None:
    """Draw a disc, in its colour if `identified`."""
    brush = Brush(canvas, eye, disc.x, disc.y, math.cos(disc.facing), math.sin(disc.facing), lambda _: light)
    TOYS.get(disc.kind, TOYS["block"])(brush, disc.radius, disc.rgb if identified else NO_COLOUR)
    brush.done()


def draw_props(canvas: pygame.Surface, eye: Overhead | Ahead, props: Painted, light: RGB) -> None:
    """The task's own things, one over the other, in a light that is the same everywhere."""
    for paint, opacity in props:
        layer = canvas if opacity >= 1 else pygame.Surface(canvas.get_size(), pygame.SRCALPHA)
        brush = Brush(layer, eye, 0.0, 0.0, 1.0, 0.0, lambda _: light)
        paint(brush)
        brush.done()
        if layer is not canvas:
            layer.set_alpha(round(255 * opacity))
            canvas.blit(layer, (0, 0))


def collar(disc: Disc) -> bool:
    """Whether the colour of this disc is that of its collar."""
    return disc.kind in COLLARED


@lru_cache(maxsize=64)
def picture(kind: str, side: int, rgb: RGB | None = None, is_disc: bool = False) -> pygame.Surface:
    """An icon of the box or disc of that name, `side` pixels square, on a transparent background."""
    fine = 4
    canvas = pygame.Surface((side * fine, side * fine), pygame.SRCALPHA)
    half = 0.62 if not is_disc else 0.3
    away = 0.7 if is_disc else 1.7  # turned so that the front of furniture is visible
    eye = Overhead(side * fine, (half, half))
    eye = Overhead(side * fine, (half, half), (0, away * eye.scale + 0.04 * side * fine))
    if is_disc:
        disc = Disc(
            0, away, 0.13 if kind in COLLARED else 0.2, "", rgb or NO_COLOUR, True, kind=kind, facing=math.pi / 4
        )
        draw_disc(canvas, eye, disc)
    else:
        long = kind in ("couch", "bed", "screen", "door", "wall", "tunnel", "siding", "deflector", "table", "glass")
        hx = 0.26 if kind not in ("door", "screen", "wall", "glass") else 0.06
        hx = 0.46 if kind == "bed" else hx
        hy = 0.3 if kind == "bed" else 0.46 if long else 0.3
        box = Box(0, away, 0.0, 1.0, hx, hy, rgb or (164, 150, 138), kind)
        if kind == "glass":
            draw_pane(canvas, eye, box, 0.8)
        else:
            draw_box(canvas, eye, box, [True] * 4, WHITE, WHITE)
    return pygame.transform.smoothscale(canvas, (side, side))
