"""The room from above, as a doll's house: walls and boxes stand up in a slight perspective, and what the agent
cannot see lies in the shade.

Painted `FINE` times too large and scaled down, which smooths every edge. All lengths are metres until `Eye.at`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pygame

from unseen.envs.engine import palette
from unseen.envs.engine.world import TALL_HEIGHT, WALL_HEIGHT
from unseen.envs.watch import theme
from unseen.envs.watch.fog import box_corners
from unseen.envs.watch.mind import Mind
from unseen.envs.watch.scene import Box, Disc, Scene
from unseen.envs.watch.theme import RGB, mix

__all__ = ["Eye", "draw_room"]

FINE = 2
CAMERA = 11.0  # m above the floor, over the middle of the room
SUN = np.array([-0.5, 0.87])  # direction to the light, for the sides of boxes
SHADE = {"day": (96, 102, 134), "dusk": (70, 76, 112), "curtain": (58, 54, 84), "reveal": (255, 255, 255)}
LIT = {"day": (255, 255, 255), "dusk": (158, 164, 204), "curtain": (58, 54, 84), "reveal": (255, 255, 255)}
SMALL_HEIGHT = 0.16


@dataclass(frozen=True)
class Eye:
    """Where a point of the room is in the picture: a camera over the middle, `size` fine pixels wide."""

    size: int
    half: tuple[float, float]

    @property
    def scale(self) -> float:
        """Pixels per metre on the floor."""
        return self.size / (2 * max(self.half) * CAMERA / (CAMERA - WALL_HEIGHT)) * 0.985

    def at(self, points: np.ndarray, height: float = 0.0) -> np.ndarray:
        """Pixels (m, 2) of `points` (m, 2) that are `height` metres above the floor."""
        nearer = self.scale * CAMERA / (CAMERA - height)
        return np.asarray(points, dtype=float) * (nearer, -nearer) + self.size / 2

    def spot(self, x: float, y: float, height: float = 0.0) -> tuple[float, float]:
        """`at` for one point."""
        px, py = self.at(np.array([[x, y]]), height)[0]
        return float(px), float(py)


def draw_room(scene: Scene, size: int, mind: Mind | None = None, hidden: bool = True) -> pygame.Surface:
    """The room of `scene` as a square surface of `size` pixels, with what `mind` holds drawn over it.

    `hidden`: draw ghosts of the small things that the agent cannot see.
    """
    eye = Eye(size * FINE, scene.half)
    canvas = pygame.Surface((eye.size, eye.size))
    canvas.fill(theme.BACK)
    _floor(canvas, eye)
    _shadows(canvas, eye, scene)
    for disc in scene.smalls:
        if disc.seen:
            _block(canvas, eye, disc)
    _fog(canvas, eye, scene)
    for box in sorted(scene.talls, key=lambda b: -math.hypot(b.x, b.y)):
        _tall(canvas, eye, scene, box)
    if scene.dark:
        _curtain(canvas, eye)
    _agent(canvas, eye, scene)
    for disc in scene.smalls:
        if disc.seen and disc.touched:
            _block(canvas, eye, disc)
        elif hidden and not disc.seen:
            _ghost(canvas, eye, disc)
    if mind is not None:
        _mind(canvas, eye, scene, mind)
    return pygame.transform.smoothscale(canvas, (size, size))


# --- the room -----------------------------------------------------------------------------------------------


def _room_corners(half: tuple[float, float]) -> np.ndarray:
    return np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=float) * half


def _floor(canvas: pygame.Surface, eye: Eye) -> None:
    corners = _room_corners(eye.half)
    low, high = eye.at(corners), eye.at(corners, WALL_HEIGHT)
    for i, tone in enumerate((0.80, 0.92, 1.0, 0.88)):  # north, west, south, east: as if lit from the south-east
        j = (i + 1) % 4
        pygame.draw.polygon(canvas, mix((0, 0, 0), _plain(palette.WALL), tone), [low[i], low[j], high[j], high[i]])
    pygame.draw.polygon(canvas, _plain(palette.FLOOR), low)
    wx, wy = eye.half
    seam = mix(_plain(palette.FLOOR), (0, 0, 0), 0.07)
    for k in range(1, math.ceil(2 * wx)):
        pygame.draw.line(canvas, seam, eye.spot(k - wx, -wy), eye.spot(k - wx, wy), FINE)
    for k in range(1, math.ceil(2 * wy)):
        pygame.draw.line(canvas, seam, eye.spot(-wx, k - wy), eye.spot(wx, k - wy), FINE)
    pygame.draw.polygon(canvas, mix(_plain(palette.WALL), (0, 0, 0), 0.45), low, FINE)


def _shadows(canvas: pygame.Surface, eye: Eye, scene: Scene) -> None:
    """Soft shadows where things stand: painted small, so that scaling up blurs them."""
    coarse = 2 * FINE
    small = pygame.Surface((eye.size // coarse, eye.size // coarse))
    small.fill((255, 255, 255))
    depth = (214, 210, 206) if scene.glass else (166, 160, 158)
    for box in scene.talls:
        grown = Box(box.x, box.y, box.cos, box.sin, box.hx + 0.09, box.hy + 0.09, box.rgb)
        pygame.draw.polygon(small, depth, (eye.at(box_corners(grown) + (0.05, -0.07))) / coarse)
    spots = [(d.x, d.y, d.radius) for d in scene.smalls if d.seen] + [(*scene.agent[:2], scene.agent_radius)]
    for x, y, radius in spots:
        px, py = eye.spot(x + 0.03, y - 0.04)
        pygame.draw.circle(small, (178, 172, 170), (px / coarse, py / coarse), 1.15 * radius * eye.scale / coarse)
    soft = pygame.transform.smoothscale(_blurred(small, 4), (eye.size, eye.size))
    canvas.blit(soft, (0, 0), special_flags=pygame.BLEND_RGB_MULT)


def _blurred(surface: pygame.Surface, radius: int) -> pygame.Surface:
    if hasattr(pygame.transform, "gaussian_blur"):  # pygame-ce; plain pygame draws harder shadows
        return pygame.transform.gaussian_blur(surface, radius)
    return surface


def _fog(canvas: pygame.Surface, eye: Eye, scene: Scene) -> None:
    """Darken what the agent cannot see; a wall is lit as far as its foot is."""
    if scene.light == "reveal":
        return
    veil = pygame.Surface((eye.size // FINE, eye.size // FINE))
    veil.fill(SHADE[scene.light])
    if not scene.dark and len(scene.visible) > 2:
        polygon = scene.visible
        pygame.draw.polygon(veil, LIT[scene.light], eye.at(polygon) / FINE)
        after = np.roll(polygon, -1, axis=0)
        for axis, limit in enumerate(scene.half):
            along_wall = (np.abs(np.abs(polygon[:, axis]) - limit) < 1e-6) & (
                np.abs(polygon[:, axis] - after[:, axis]) < 1e-6
            )
            for i in np.flatnonzero(along_wall):
                foot, top = (
                    eye.at(np.array([polygon[i], after[i]])),
                    eye.at(np.array([after[i], polygon[i]]), WALL_HEIGHT),
                )
                pygame.draw.polygon(veil, LIT[scene.light], np.concatenate([foot, top]) / FINE)
    veil = pygame.transform.smoothscale(veil, (eye.size, eye.size))
    canvas.blit(veil, (0, 0), special_flags=pygame.BLEND_RGB_MULT)


def _times(rgb: RGB, light: RGB) -> RGB:
    r, g, b = (round(x * y / 255) for x, y in zip(rgb, light, strict=True))
    return r, g, b


def _lit_sides(scene: Scene, corners: np.ndarray) -> list[bool]:
    """Which of a box's four sides the agent sees a part of: those that its view ends on."""
    if scene.light in ("reveal", "curtain") or scene.glass:
        return [scene.light != "curtain"] * 4
    polygon = scene.visible
    after = np.roll(polygon, -1, axis=0)
    middle = (polygon + after) / 2
    wide = np.hypot(*(after - polygon).T) > 1e-4
    lit = []
    for i in range(4):
        a, b = corners[i], corners[(i + 1) % 4]
        side = (b - a) / np.hypot(*(b - a))
        along = (middle - a) @ side
        beside = (middle - a) @ np.array([-side[1], side[0]])
        on = (np.abs(beside) < 1e-5) & (along > 0) & (along < np.hypot(*(b - a))) & wide
        lit.append(bool(on.any()))
    return lit


def _tall(canvas: pygame.Surface, eye: Eye, scene: Scene, box: Box) -> None:
    corners = box_corners(box)
    low, high = eye.at(corners), eye.at(corners, TALL_HEIGHT)
    lit = _lit_sides(scene, corners)
    if scene.glass:
        pane = pygame.Surface((eye.size, eye.size), pygame.SRCALPHA)
        for i in range(4):
            pygame.draw.polygon(pane, (176, 214, 232, 46), [low[i], low[i - 1], high[i - 1], high[i]])
        pygame.draw.polygon(pane, (206, 234, 246, 64), high)
        for i in range(4):
            pygame.draw.line(pane, (226, 244, 252, 150), low[i], high[i], FINE)
        pygame.draw.polygon(pane, (236, 248, 255, 220), high, FINE)
        pygame.draw.polygon(pane, (226, 244, 252, 120), low, FINE)
        canvas.blit(pane, (0, 0))
        return
    for i in range(4):
        j = (i + 1) % 4
        outward = np.array([corners[j][1] - corners[i][1], corners[i][0] - corners[j][0]])
        outward /= np.hypot(*outward) + 1e-12
        if outward @ corners[i] > 0:  # turned away from the camera, which is over the middle
            continue
        tone = mix((0, 0, 0), box.rgb, 0.62 + 0.12 * float(outward @ SUN))
        light = LIT[scene.light] if lit[i] else SHADE[scene.light]
        pygame.draw.polygon(canvas, _times(tone, light), [low[i], low[j], high[j], high[i]])
    seen = any(lit)
    top = _times(mix(box.rgb, (255, 255, 255), 0.10), LIT[scene.light] if seen else SHADE[scene.light])
    pygame.draw.polygon(canvas, top, high)
    pygame.draw.polygon(canvas, mix(top, (255, 255, 255), 0.25), high, FINE)


def _curtain(canvas: pygame.Surface, eye: Eye) -> None:
    """Folds of cloth over the whole room."""
    across = np.arange(eye.size) / eye.size
    fold = 0.5 + 0.5 * np.sin(across * 2 * math.pi * 15 + 1.2 * np.sin(across * 2 * math.pi * 3))
    cloth = np.array([58.0, 44.0, 82.0]) + fold[:, None] * np.array([26.0, 20.0, 34.0])
    strip = pygame.surfarray.make_surface(np.repeat(cloth[:, None].astype(np.uint8), 1, axis=1))
    veil = pygame.transform.scale(strip, (eye.size, eye.size))
    veil.set_alpha(188)
    canvas.blit(veil, (0, 0))


# --- what moves ---------------------------------------------------------------------------------------------


def _block(canvas: pygame.Surface, eye: Eye, disc: Disc) -> None:
    radius = disc.radius * eye.scale
    for k in range(5):  # its round side, from the floor up
        side = mix((0, 0, 0), disc.rgb, 0.62 + 0.04 * k)
        pygame.draw.circle(canvas, side, eye.spot(disc.x, disc.y, SMALL_HEIGHT * k / 5), radius)
    px, py = eye.spot(disc.x, disc.y, SMALL_HEIGHT)
    pygame.draw.circle(canvas, disc.rgb, (px, py), radius)
    pygame.draw.circle(
        canvas, mix(disc.rgb, (255, 255, 255), 0.38), (px - radius * 0.25, py - radius * 0.3), radius * 0.36
    )
    if disc.touched:
        pygame.draw.circle(canvas, theme.INK, (px, py), radius * 1.5, 2 * FINE)


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


def _ghost(canvas: pygame.Surface, eye: Eye, disc: Disc) -> None:
    """Where a block is that the agent cannot see: for the human only."""
    centre, radius = eye.spot(disc.x, disc.y), disc.radius * eye.scale
    _wash(canvas, disc.rgb, 90, centre, radius)
    _dashed(canvas, mix(disc.rgb, (255, 255, 255), 0.15), centre, radius, round(1.5 * FINE), 9)


def _agent(canvas: pygame.Surface, eye: Eye, scene: Scene, strength: float = 1.0) -> None:
    x, y, heading = scene.agent
    lift = 0.3
    radius = scene.agent_radius * eye.scale
    top = eye.spot(x, y, lift)
    for k in range(6):
        pygame.draw.circle(canvas, mix(theme.EYE, theme.AGENT, 0.35 + 0.05 * k), eye.spot(x, y, lift * k / 6), radius)
    pygame.draw.circle(canvas, theme.AGENT, top, radius)
    pygame.draw.circle(canvas, mix(theme.AGENT, theme.EYE, 0.25), top, radius, FINE)

    def polar(angle: float, part: float) -> tuple[float, float]:
        return top[0] + part * radius * math.cos(heading + angle), top[1] - part * radius * math.sin(heading + angle)

    visor = [polar(a, 0.86) for a in np.linspace(-0.9, 0.9, 15)] + [
        polar(a, 0.42) for a in np.linspace(0.75, -0.75, 12)
    ]
    pygame.draw.polygon(canvas, theme.EYE, visor)
    pygame.draw.polygon(canvas, theme.AGENT, [polar(0, 1.42), polar(0.36, 1.04), polar(-0.36, 1.04)])
    for side in (-0.42, 0.42):
        pygame.draw.circle(canvas, (142, 224, 255), polar(side, 0.65), radius * 0.115)


# --- what is in its mind ------------------------------------------------------------------------------------


def _mind(canvas: pygame.Surface, eye: Eye, scene: Scene, mind: Mind) -> None:
    for k, path in enumerate(mind.paths):
        _fading(canvas, eye, path, mind.path_rgb[k], small=True)
    if len(mind.way):
        apart = np.hypot(*(mind.way - scene.agent[:2]).T) > scene.agent_radius  # not on its own face
        _fading(canvas, eye, mind.way[apart], theme.MIND, small=False)
    truth = {disc.name: disc for disc in scene.smalls}
    for name, rgb, x, y in mind.blocks:
        centre, radius = eye.spot(x, y), 0.19 * eye.scale
        real = truth.get(name)
        if real is not None and not real.seen:
            off = np.hypot(real.x - x, real.y - y)
            if off > 0.1:
                pygame.draw.line(canvas, mix(rgb, theme.INK, 0.2), centre, eye.spot(real.x, real.y), FINE)
        _wash(canvas, rgb, 60, centre, radius * 1.25)
        pygame.draw.circle(canvas, theme.INK, centre, radius + 1.2 * FINE, round(3.6 * FINE))
        pygame.draw.circle(canvas, rgb, centre, radius, round(2.4 * FINE))


def _fading(canvas: pygame.Surface, eye: Eye, path: np.ndarray, rgb: RGB, small: bool) -> None:
    """An imagined path: a row of ghosts, the further ahead the fainter."""
    n = len(path)
    for k, (x, y) in enumerate(path):
        fade = 1 - k / n
        radius = (0.05 if small else 0.035 + 0.05 * fade) * eye.scale
        _wash(canvas, rgb, round(40 + 170 * fade), eye.spot(float(x), float(y), 0.0 if small else 0.1), radius)


def _plain(colour: object) -> RGB:
    r, g, b = (int(v) for v in colour)  # type: ignore[attr-defined]
    return r, g, b
