"""Overlays for the human: ghosts of what the agent does not see, its memory, and the predictions of its world model."""

import math
from dataclasses import replace

import numpy as np
import pygame

from unseen.envs.planar.world import AGENT_RADIUS
from unseen.envs.watch import theme
from unseen.envs.watch.brush import FINE, Overhead
from unseen.envs.watch.mind import Mind, Place, Ring
from unseen.envs.watch.scene import Box, Disc, Scene
from unseen.envs.watch.theme import RGB, mix
from unseen.envs.watch.things import collar, draw_box, draw_disc, picture


def draw_ghosts(canvas: pygame.Surface, eye: Overhead, scene: Scene, boxes: list[Box]) -> None:
    """Draw what the agent does not see: hidden discs, and colours and kinds that it cannot identify."""
    if not scene.dark and any(not box.identified for box in boxes):
        layer = pygame.Surface((eye.size, eye.size), pygame.SRCALPHA)
        for box in boxes:
            if not box.identified:
                draw_box(layer, eye, box, [True] * 4, (236, 236, 255), (236, 236, 255))
        layer.set_alpha(112)
        canvas.blit(layer, (0, 0))
    for disc in scene.discs:
        centre, radius = eye.spot(disc.x, disc.y), disc.radius * eye.scale
        edge = mix(disc.rgb, (255, 255, 255), 0.15)
        if not disc.seen:
            if disc.kind == "block":
                _wash(canvas, disc.rgb, 90, centre, radius)
            else:
                translucent(canvas, eye, disc, 176 if disc.covered else 104)
            wide = 1.0 if disc.kind in ("block", "ball", "marble") else 1.7 if collar(disc) else 1.25
            _dashed(canvas, edge, centre, wide * radius, round(1.5 * FINE), 9 if wide == 1.0 else 12)
        elif not disc.identified:
            _dashed(canvas, edge, centre, (2.1 if collar(disc) else 1.5) * radius, round(1.5 * FINE), 12)


def draw_letter(canvas: pygame.Surface, eye: Overhead, disc: Disc) -> None:
    """The initial of a disc's colour, dark on light or light on dark."""
    if not disc.letter:
        return
    inside, least = 1.4 * disc.radius * eye.scale, 0.027 * eye.size
    size = round(max(inside, least))
    dark = float(np.dot(disc.rgb, (0.299, 0.587, 0.114))) > 110
    ink, edge = (theme.BACK, theme.AGENT) if dark else (theme.AGENT, theme.BACK)
    font = theme.font(size, bold=True)
    x, y = eye.spot(disc.x, disc.y, 0.16)
    if inside < least or collar(disc):  # beside it, so that its colour shows
        x, y = x + disc.radius * eye.scale + 0.5 * size, y - 0.5 * size
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        around = font.render(disc.letter, True, edge)
        canvas.blit(around, around.get_rect(center=(x + dx * FINE, y + dy * FINE)))
    inner = font.render(disc.letter, True, ink)
    canvas.blit(inner, inner.get_rect(center=(x, y)))


def draw_mind(canvas: pygame.Surface, eye: Overhead, scene: Scene, mind: Mind) -> None:
    """Draw rings where its map puts discs, frames where it puts boxes, and predicted paths."""
    for path in mind.paths:
        _fading(canvas, eye, path.xy, path.rgb, of_disc=True)
    for way in mind.dropped or ():
        _faint(canvas, eye, way)
    if len(mind.way):
        apart = np.hypot(*(mind.way - scene.agent[:2]).T) > AGENT_RADIUS  # not on its own face
        _fading(canvas, eye, mind.way[apart], theme.MIND, of_disc=False)
    for place in mind.places:
        if not any(box.kind == place.kind and box.seen and box.identified for box in scene.boxes):
            _place(canvas, eye, place)  # not needed for what is in sight
    for ring in mind.rings:
        _ring(canvas, eye, scene, ring)


def _place(canvas: pygame.Surface, eye: Overhead, place: Place) -> None:
    (cx, cy), r = eye.spot(place.x, place.y), 0.26 * eye.scale
    frame = pygame.Rect(0, 0, 2 * r, 2 * r)
    frame.center = round(cx), round(cy)
    pygame.draw.rect(canvas, theme.INK, frame, round(4.8 * FINE), round(0.3 * r))
    pygame.draw.rect(canvas, theme.MIND, frame.inflate(-2.4 * FINE, -2.4 * FINE), round(2.4 * FINE), round(0.3 * r))
    little = picture(place.kind, round(1.5 * r)).copy()
    little.set_alpha(220)
    canvas.blit(little, little.get_rect(center=frame.center))


def _ring(canvas: pygame.Surface, eye: Overhead, scene: Scene, ring: Ring) -> None:
    """A ring, and a line from it to the true position of the disc."""
    centre, radius = eye.spot(ring.x, ring.y), 0.19 * eye.scale
    alike = [disc for disc in scene.discs if disc.name == ring.name]
    if len(alike) == 1 and not alike[0].seen:
        real = alike[0]
        if np.hypot(real.x - ring.x, real.y - ring.y) > 0.1:
            pygame.draw.line(canvas, mix(ring.rgb, theme.INK, 0.2), centre, eye.spot(real.x, real.y), FINE)
    _wash(canvas, ring.rgb, 60, centre, radius * 1.25)
    pygame.draw.circle(canvas, theme.INK, centre, radius + 1.2 * FINE, round(3.6 * FINE))
    pygame.draw.circle(canvas, ring.rgb, centre, radius, round(2.4 * FINE))


def _fading(canvas: pygame.Surface, eye: Overhead, xy: np.ndarray, rgb: RGB, of_disc: bool) -> None:
    """A predicted path: a row of dots that fades with time."""
    n = len(xy)
    for k, (x, y) in enumerate(xy):
        fade = 1 - k / n
        radius = (0.05 if of_disc else 0.035 + 0.05 * fade) * eye.scale
        _wash(canvas, rgb, round(40 + 170 * fade), eye.spot(float(x), float(y), 0.0 if of_disc else 0.1), radius)


def _faint(canvas: pygame.Surface, eye: Overhead, xy: np.ndarray) -> None:
    """A path that was not taken: a thin line, with a small ring at its end."""
    if len(xy) < 2:
        return
    layer = pygame.Surface((eye.size, eye.size), pygame.SRCALPHA)
    at = eye.at(xy, 0.1)
    for rgb, wide in ((theme.EYE, 2.6), (theme.MIND, 1.0)):  # with a dark rim, to be seen on any floor
        pygame.draw.lines(layer, (*rgb, 120), False, at, round(wide * FINE))
        pygame.draw.circle(layer, (*rgb, 150), at[-1], (0.04 + 0.008 * wide) * eye.scale, round(wide * FINE))
    canvas.blit(layer, (0, 0))


def translucent(canvas: pygame.Surface, eye: Overhead, disc: Disc, alpha: int, identified: bool = True) -> None:
    """A translucent disc."""
    side = math.ceil(6 * disc.radius * eye.scale)
    px, py = eye.spot(disc.x, disc.y)
    patch = pygame.Surface((side, side), pygame.SRCALPHA)
    corner = (round(px - side / 2), round(py - side / 2))
    draw_disc(patch, replace(eye, shift=(-corner[0], -corner[1])), disc, identified)
    patch.set_alpha(alpha)
    canvas.blit(patch, corner)


def _dashed(canvas: pygame.Surface, rgb: RGB, centre: tuple[float, float], radius: float, width: int, n: int) -> None:
    turn = 2 * math.pi / n
    for k in range(n):
        angles = np.linspace(k * turn, (k + 0.58) * turn, 6)
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre
        pygame.draw.lines(canvas, rgb, False, points, width)


def _wash(canvas: pygame.Surface, rgb: RGB, alpha: int, centre: tuple[float, float], radius: float) -> None:
    """A translucent disc."""
    side = 2 * math.ceil(radius) + 2
    patch = pygame.Surface((side, side), pygame.SRCALPHA)
    pygame.draw.circle(patch, (*rgb, alpha), (side / 2, side / 2), radius)
    canvas.blit(patch, (centre[0] - side / 2, centre[1] - side / 2))
