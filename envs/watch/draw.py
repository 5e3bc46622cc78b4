"""The room from above, as a doll's house: walls and things stand up in a slight perspective, and what the agent
cannot see lies in the shade.

What is told to the human alone is drawn as ghosts. Without them (`hidden=False`) the picture holds nothing that the
agent cannot see.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pygame

from unseen.envs.planar import palette
from unseen.envs.planar.world import WALL_HEIGHT
from unseen.envs.watch import theme
from unseen.envs.watch.brush import FINE, Eye
from unseen.envs.watch.fog import box_corners
from unseen.envs.watch.mind import Mind
from unseen.envs.watch.scene import Box, Disc, Scene
from unseen.envs.watch.theme import RGB, mix
from unseen.envs.watch.things import ROUND, clear, collar, draw_pane, draw_small, draw_tall, picture, tall_height

__all__ = ["draw_room"]

# What the light leaves of a colour, out of the agent's sight and in it.
SHADE: dict[str, RGB] = {
    "day": (96, 102, 134), "dusk": (70, 76, 112), "night": (50, 58, 100), "blackout": (58, 54, 84),
    "reveal": (255, 255, 255),
}  # fmt: skip
LIT: dict[str, RGB] = SHADE | {"day": (255, 255, 255), "dusk": (158, 164, 204)}


def draw_room(scene: Scene, size: int, mind: Mind | None = None, hidden: bool = True) -> pygame.Surface:
    """The room of `scene` as a square surface of `size` pixels, with what `mind` holds drawn over it.

    `hidden`: show also what the agent cannot see, small things as ghosts.
    """
    eye = Eye(size * FINE, scene.half)
    canvas = pygame.Surface((eye.size, eye.size))
    canvas.fill(theme.BACK)
    talls = [box for box in scene.talls if hidden or box.seen or box.held]
    talls.sort(key=lambda b: -math.hypot(b.x, b.y))
    shown = sorted((d for d in scene.smalls if d.seen), key=lambda d: -math.hypot(d.x, d.y))
    high = eye.at(_room_corners(scene.half), WALL_HEIGHT)
    canvas.set_clip(pygame.Rect(*np.floor(high.min(axis=0)), *np.ceil(np.ptp(high, axis=0) + 1)))
    _floor(canvas, eye)
    _shadows(canvas, eye, scene, talls, shown)
    _fog(canvas, eye, scene)
    for disc in shown:
        if not scene.dark:
            _small(canvas, eye, scene, disc)
    for box in talls:
        if not clear(scene, box):
            _tall(canvas, eye, scene, box)
    _panes(canvas, eye, scene, [box for box in talls if clear(scene, box)])
    if scene.light == "blackout":
        _curtain(canvas, eye, hidden)
    elif scene.light == "night":
        _night(canvas, eye)
    _agent(canvas, eye, scene)
    for disc in shown:
        if disc.touched:
            _small(canvas, eye, scene, disc)
            _touch(canvas, eye, disc)
    canvas.set_clip(None)
    if hidden:
        _ghosts(canvas, eye, scene, talls)
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


def _shadows(canvas: pygame.Surface, eye: Eye, scene: Scene, talls: list[Box], smalls: list[Disc]) -> None:
    """Soft shadows where things stand: painted small, so that scaling up blurs them."""
    coarse = 2 * FINE
    small = pygame.Surface((eye.size // coarse, eye.size // coarse))
    small.fill((255, 255, 255))
    for box in talls:
        depth = (214, 210, 206) if clear(scene, box) else (166, 160, 158)
        grown = replace(box, hx=box.hx + 0.09, hy=box.hy + 0.09)
        if box.kind in ROUND:
            radius = (min(box.hx, box.hy) + 0.05) * eye.scale / coarse
            px, py = eye.spot(box.x + 0.05, box.y - 0.07)
            pygame.draw.circle(small, depth, (px / coarse, py / coarse), radius)
            continue
        pygame.draw.polygon(small, depth, (eye.at(box_corners(grown) + (0.05, -0.07))) / coarse)
    spots = [(d.x, d.y, d.radius) for d in smalls] + [(*scene.agent[:2], scene.agent_radius)]
    for x, y, radius in spots:
        px, py = eye.spot(x + 0.03, y - 0.04)
        pygame.draw.circle(small, (178, 172, 170), (px / coarse, py / coarse), 1.15 * radius * eye.scale / coarse)
    soft = pygame.transform.smoothscale(_blurred(small, max(1, round(eye.size / 232))), (eye.size, eye.size))
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
    for box in scene.talls:  # no dark patch under what stands in the light and does not fill its box
        if box.kind in ROUND and any(_lit_sides(scene, box_corners(box))):
            px, py = eye.spot(box.x, box.y)
            radius = (min(box.hx, box.hy) + 0.03) * eye.scale / FINE
            pygame.draw.circle(veil, LIT[scene.light], (px / FINE, py / FINE), radius)
    veil = pygame.transform.smoothscale(veil, (eye.size, eye.size))
    canvas.blit(veil, (0, 0), special_flags=pygame.BLEND_RGB_MULT)


def _lit_sides(scene: Scene, corners: np.ndarray) -> list[bool]:
    """Which of a box's four sides the agent sees a part of: those that its view ends on."""
    if scene.light == "reveal" or scene.dark or scene.glass:
        return [not scene.dark] * 4
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
    if box.held:  # touched: a bright rim on the floor, of which it stands in the middle
        grown = replace(box, hx=box.hx + 0.07, hy=box.hy + 0.07)
        pygame.draw.polygon(canvas, theme.INK, eye.at(box_corners(grown)))
    lit = _lit_sides(scene, box_corners(box))
    light, shade = LIT[scene.light], SHADE[scene.light]
    if scene.light == "night":  # a little lighter than the floor, or they would be lost on it
        light = shade = mix(shade, theme.MUTED, 0.45)
    draw_tall(canvas, eye, box, lit, light, shade, box.told)


def _panes(canvas: pygame.Surface, eye: Eye, scene: Scene, boxes: list[Box]) -> None:
    """Things of glass; doors among them have a warm tone."""
    if not boxes:
        return
    layer = pygame.Surface((eye.size, eye.size), pygame.SRCALPHA)
    for box in boxes:
        draw_pane(layer, eye, box, tall_height(box.kind), (240, 186, 128) if box.kind == "door" else (190, 222, 240))
    if scene.dark:
        layer.set_alpha(90)
    canvas.blit(layer, (0, 0))


def _curtain(canvas: pygame.Surface, eye: Eye, thin: bool) -> None:
    """Folds of cloth over the whole room; a thin one lets the human see through."""
    across = np.arange(eye.size) / eye.size
    fold = 0.5 + 0.5 * np.sin(across * 2 * math.pi * 15 + 1.2 * np.sin(across * 2 * math.pi * 3))
    cloth = np.array([58.0, 44.0, 82.0]) + fold[:, None] * np.array([26.0, 20.0, 34.0])
    strip = pygame.surfarray.make_surface(np.repeat(cloth[:, None].astype(np.uint8), 1, axis=1))
    veil = pygame.transform.scale(strip, (eye.size, eye.size))
    if thin:
        veil.set_alpha(188)
    canvas.blit(veil, (0, 0))


def _night(canvas: pygame.Surface, eye: Eye) -> None:
    """Nothing is lit: darker towards the walls, and a moon that helps nobody."""
    n = 64
    x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    light = np.clip(255 * (1.04 - 0.2 * (x**2 + y**2)), 0, 255)
    shade = np.stack([0.92 * light, 0.96 * light, light], axis=2).astype(np.uint8)
    veil = pygame.transform.smoothscale(pygame.surfarray.make_surface(shade), (eye.size, eye.size))
    canvas.blit(veil, (0, 0), special_flags=pygame.BLEND_RGB_MULT)
    r = 0.022 * eye.size
    moon = pygame.Surface((2 * r, 2 * r), pygame.SRCALPHA)
    pygame.draw.circle(moon, (226, 230, 246, 235), (r, r), r)
    pygame.draw.circle(moon, (0, 0, 0, 0), (0.55 * r, 0.75 * r), 0.88 * r)
    canvas.blit(moon, (0.955 * eye.size - r, 0.045 * eye.size - r))


# --- what moves ---------------------------------------------------------------------------------------------


def _small(canvas: pygame.Surface, eye: Eye, scene: Scene, disc: Disc) -> None:
    """A small thing that shows; a cup over something that shows too is seen through."""
    over = disc.kind == "cup" and any(
        d.covered and d.seen and math.hypot(d.x - disc.x, d.y - disc.y) < disc.radius for d in scene.smalls
    )
    if over:
        _translucent(canvas, eye, disc, 96, disc.told)
    else:
        draw_small(canvas, eye, disc, disc.told)


def _touch(canvas: pygame.Surface, eye: Eye, disc: Disc) -> None:
    pygame.draw.circle(canvas, theme.INK, eye.spot(disc.x, disc.y, 0.16), disc.radius * eye.scale * 1.5, 2 * FINE)


def _translucent(canvas: pygame.Surface, eye: Eye, disc: Disc, alpha: int, told: bool = True) -> None:
    side = math.ceil(6 * disc.radius * eye.scale)
    px, py = eye.spot(disc.x, disc.y)
    patch = pygame.Surface((side, side), pygame.SRCALPHA)
    corner = (round(px - side / 2), round(py - side / 2))
    draw_small(patch, replace(eye, shift=(-corner[0], -corner[1])), disc, told)
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


def _ghosts(canvas: pygame.Surface, eye: Eye, scene: Scene, talls: list[Box]) -> None:
    """What the agent does not see, for the human only: hidden small things, colours and kinds it cannot tell."""
    if not scene.dark and any(not box.told for box in talls):
        layer = pygame.Surface((eye.size, eye.size), pygame.SRCALPHA)
        for box in talls:
            if not box.told:
                draw_tall(layer, eye, box, [True] * 4, (236, 236, 255), (236, 236, 255))
        layer.set_alpha(112)
        canvas.blit(layer, (0, 0))
    for disc in scene.smalls:
        centre, radius = eye.spot(disc.x, disc.y), disc.radius * eye.scale
        edge = mix(disc.rgb, (255, 255, 255), 0.15)
        if not disc.seen:
            if disc.kind == "block":
                _wash(canvas, disc.rgb, 90, centre, radius)
            else:
                _translucent(canvas, eye, disc, 176 if disc.covered else 104)
            wide = 1.0 if disc.kind in ("block", "ball", "marble") else 1.7 if collar(disc) else 1.25
            _dashed(canvas, edge, centre, wide * radius, round(1.5 * FINE), 9 if wide == 1.0 else 12)
        elif not disc.told:
            _dashed(canvas, edge, centre, (2.1 if collar(disc) else 1.5) * radius, round(1.5 * FINE), 12)


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
    for kind, x, y in mind.talls:
        if any(box.kind == kind and box.seen and box.told for box in scene.talls):
            continue  # what is in sight needs no map
        (cx, cy), r = eye.spot(x, y), 0.26 * eye.scale
        frame = pygame.Rect(0, 0, 2 * r, 2 * r)
        frame.center = round(cx), round(cy)
        pygame.draw.rect(canvas, theme.INK, frame, round(4.8 * FINE), round(0.3 * r))
        pygame.draw.rect(canvas, theme.MIND, frame.inflate(-2.4 * FINE, -2.4 * FINE), round(2.4 * FINE), round(0.3 * r))
        little = picture(kind, round(1.5 * r)).copy()
        little.set_alpha(220)
        canvas.blit(little, little.get_rect(center=frame.center))
    for name, rgb, x, y in mind.things:
        centre, radius = eye.spot(x, y), 0.19 * eye.scale
        alike = [disc for disc in scene.smalls if disc.name == name]
        if len(alike) == 1 and not alike[0].seen:
            real = alike[0]
            if np.hypot(real.x - x, real.y - y) > 0.1:
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
