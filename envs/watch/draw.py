"""The room from above, as a doll's house in slight perspective; what the agent cannot see is in the shade.

With `hidden=False`, which omits what `overlay` adds for the human, the image contains nothing that the agent cannot see.
"""

import math
from dataclasses import replace

import numpy as np
import pygame

from unseen.envs.planar import palette
from unseen.envs.planar.world import AGENT_RADIUS, BOX_HEIGHT, WALL_HEIGHT
from unseen.envs.watch import theme
from unseen.envs.watch.brush import FINE, Overhead
from unseen.envs.watch.fog import box_corners
from unseen.envs.watch.mind import Mind
from unseen.envs.watch.overlay import draw_ghosts, draw_letter, draw_mind, translucent
from unseen.envs.watch.scene import LOST, Box, Disc, Scene
from unseen.envs.watch.theme import RGB, mix
from unseen.envs.watch.things import ROUND, box_height, clear, draw_box, draw_disc, draw_pane, draw_props

# Colour of the light outside and inside the agent's sight.
SHADE: dict[str, RGB] = {
    "day": (96, 102, 134), "dusk": (70, 76, 112), "night": (50, 58, 100), "blackout": (58, 54, 84),
    LOST: (50, 58, 100), "reveal": (255, 255, 255),
}  # fmt: skip
LIT: dict[str, RGB] = SHADE | {"day": (255, 255, 255), "dusk": (158, 164, 204)}


def draw_room(scene: Scene, size: int, mind: Mind | None = None, hidden: bool = True) -> pygame.Surface:
    """The room of `scene` as a square surface of `size` pixels, with `mind` drawn over it.

    `hidden`: also show what the agent cannot see; discs are drawn as ghosts.
    """
    eye = Overhead(size * FINE, scene.half)
    canvas = pygame.Surface((eye.size, eye.size))
    canvas.fill(theme.BACK)
    placed = hidden or scene.light != LOST  # whether it may show where the agent is, and so what it touches
    boxes = [box for box in scene.boxes if hidden or box.seen or (box.touched and placed)]
    boxes.sort(key=lambda b: -math.hypot(b.x, b.y))
    shown = sorted((d for d in scene.discs if d.seen), key=lambda d: -math.hypot(d.x, d.y))
    high = eye.at(_room_corners(scene.half), WALL_HEIGHT)
    canvas.set_clip(pygame.Rect(*np.floor(high.min(axis=0)), *np.ceil(np.ptp(high, axis=0) + 1)))
    _floor(canvas, eye)
    draw_props(canvas, eye, scene.under, (255, 255, 255))
    _shadows(
        canvas, eye, scene, boxes, [(d.x, d.y, d.radius) for d in shown] + [(*scene.agent[:2], AGENT_RADIUS)] * placed
    )
    _fog(canvas, eye, scene, boxes)
    for disc in shown:
        if not scene.dark:
            _disc(canvas, eye, scene, disc)
    for box in boxes:
        if not clear(scene, box):
            _box(canvas, eye, scene, box)
    _panes(canvas, eye, scene, [box for box in boxes if clear(scene, box)])
    draw_props(canvas, eye, scene.over, LIT[scene.light])
    if scene.light == "blackout":
        _blackout(canvas, eye, hidden)
    elif scene.light in ("night", LOST):
        _night(canvas, eye)
    if placed:
        _agent(canvas, eye, scene)
    for disc in shown:
        if disc.touched:
            _disc(canvas, eye, scene, disc)
            _touch(canvas, eye, disc)
    canvas.set_clip(None)
    if hidden:
        draw_ghosts(canvas, eye, scene, boxes)
    if mind is not None:
        draw_mind(canvas, eye, scene, mind)
    for disc in scene.discs:
        if hidden or (disc.seen and disc.identified):
            draw_letter(canvas, eye, disc)
    return pygame.transform.smoothscale(canvas, (size, size))


def _room_corners(half: tuple[float, float]) -> np.ndarray:
    return np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=float) * half


def _floor(canvas: pygame.Surface, eye: Overhead) -> None:
    corners = _room_corners(eye.half)
    low, high = eye.at(corners), eye.at(corners, WALL_HEIGHT)
    for i, tone in enumerate((0.80, 0.92, 1.0, 0.88)):  # north, west, south, east: as if lit from the south-east
        j = (i + 1) % 4
        pygame.draw.polygon(canvas, mix((0, 0, 0), palette.WALL, tone), [low[i], low[j], high[j], high[i]])
    pygame.draw.polygon(canvas, palette.FLOOR, low)
    wx, wy = eye.half
    seam = mix(palette.FLOOR, (0, 0, 0), 0.07)
    for k in range(1, math.ceil(2 * wx)):
        pygame.draw.line(canvas, seam, eye.spot(k - wx, -wy), eye.spot(k - wx, wy), FINE)
    for k in range(1, math.ceil(2 * wy)):
        pygame.draw.line(canvas, seam, eye.spot(-wx, k - wy), eye.spot(wx, k - wy), FINE)
    pygame.draw.polygon(canvas, mix(palette.WALL, (0, 0, 0), 0.45), low, FINE)


def _shadows(
    canvas: pygame.Surface, eye: Overhead, scene: Scene, boxes: list[Box], spots: list[tuple[float, float, float]]
) -> None:
    """Soft shadows under boxes, and at spots (x, y, radius): painted small, so that scaling up blurs them."""
    coarse = 2 * FINE
    small = pygame.Surface((eye.size // coarse, eye.size // coarse))
    small.fill((255, 255, 255))
    for box in boxes:
        depth = (214, 210, 206) if clear(scene, box) else (166, 160, 158)
        grown = replace(box, hx=box.hx + 0.09, hy=box.hy + 0.09)
        if box.kind in ROUND:
            radius = (min(box.hx, box.hy) + 0.05) * eye.scale / coarse
            px, py = eye.spot(box.x + 0.05, box.y - 0.07)
            pygame.draw.circle(small, depth, (px / coarse, py / coarse), radius)
            continue
        pygame.draw.polygon(small, depth, (eye.at(box_corners(grown) + (0.05, -0.07))) / coarse)
    for x, y, radius in spots:
        px, py = eye.spot(x + 0.03, y - 0.04)
        pygame.draw.circle(small, (178, 172, 170), (px / coarse, py / coarse), 1.15 * radius * eye.scale / coarse)
    soft = pygame.transform.smoothscale(
        pygame.transform.gaussian_blur(small, max(1, round(eye.size / 232))), (eye.size, eye.size)
    )
    canvas.blit(soft, (0, 0), special_flags=pygame.BLEND_RGB_MULT)


def _fog(canvas: pygame.Surface, eye: Overhead, scene: Scene, boxes: list[Box]) -> None:
    """Darken what the agent cannot see; a wall is lit where its foot is."""
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
    for box in boxes:  # no dark patch under lit objects that do not fill their box
        if box.kind in ROUND and any(_lit_sides(scene, box_corners(box))):
            px, py = eye.spot(box.x, box.y)
            radius = (min(box.hx, box.hy) + 0.03) * eye.scale / FINE
            pygame.draw.circle(veil, LIT[scene.light], (px / FINE, py / FINE), radius)
    veil = pygame.transform.smoothscale(veil, (eye.size, eye.size))
    canvas.blit(veil, (0, 0), special_flags=pygame.BLEND_RGB_MULT)


def _lit_sides(scene: Scene, corners: np.ndarray) -> list[bool]:
    """Which of a box's four sides the agent can see at least in part."""
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


def _box(canvas: pygame.Surface, eye: Overhead, scene: Scene, box: Box) -> None:
    if box.touched:  # touched: a bright outline on the floor
        grown = replace(box, hx=box.hx + 0.07, hy=box.hy + 0.07)
        pygame.draw.polygon(canvas, theme.INK, eye.at(box_corners(grown)))
    lit = _lit_sides(scene, box_corners(box))
    light, shade = LIT[scene.light], SHADE[scene.light]
    if scene.light in ("night", LOST):  # slightly lighter than the floor, for contrast
        light = shade = mix(shade, theme.MUTED, 0.45)
    draw_box(canvas, eye, box, lit, light, shade, box.identified)


def _panes(canvas: pygame.Surface, eye: Overhead, scene: Scene, boxes: list[Box]) -> None:
    """Glass boxes; doors have a warm tone."""
    if not boxes:
        return
    layer = pygame.Surface((eye.size, eye.size), pygame.SRCALPHA)
    for box in boxes:
        door = box.kind == "door"
        draw_pane(layer, eye, box, box_height(box.kind), (240, 186, 128) if door else (190, 222, 240))
        if door:
            _way_through(layer, eye, box)
    if scene.dark:
        layer.set_alpha(90)
    canvas.blit(layer, (0, 0))


def _way_through(canvas: pygame.Surface, eye: Overhead, door: Box) -> None:
    """An arrow across a glass door, which lets through in the direction of its first axis only."""
    ahead, aside = np.array([door.cos, door.sin]), np.array([-door.sin, door.cos])
    long, wide = door.hx + 0.2, min(0.5 * door.hy, 0.16)
    outline = [
        (long, 0),
        (0, wide),
        (0, 0.4 * wide),
        (-long, 0.4 * wide),
        (-long, -0.4 * wide),
        (0, -0.4 * wide),
        (0, -wide),
    ]
    at = eye.at([(door.x, door.y) + a * ahead + b * aside for a, b in outline], 0.5 * BOX_HEIGHT)
    pygame.draw.polygon(canvas, (*theme.EYE, 255), at)
    pygame.draw.polygon(canvas, (*theme.AGENT, 255), at, FINE)


def _blackout(canvas: pygame.Surface, eye: Overhead, thin: bool) -> None:
    """Folds of cloth over the whole room; if `thin`, the human can see through it."""
    across = np.arange(eye.size) / eye.size
    fold = 0.5 + 0.5 * np.sin(across * 2 * math.pi * 15 + 1.2 * np.sin(across * 2 * math.pi * 3))
    cloth = np.array([58.0, 44.0, 82.0]) + fold[:, None] * np.array([26.0, 20.0, 34.0])
    strip = pygame.surfarray.make_surface(np.repeat(cloth[:, None].astype(np.uint8), 1, axis=1))
    veil = pygame.transform.scale(strip, (eye.size, eye.size))
    if thin:
        veil.set_alpha(188)
    canvas.blit(veil, (0, 0))


def _night(canvas: pygame.Surface, eye: Overhead) -> None:
    """Night: darker towards the walls, with a decorative moon."""
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


def _disc(canvas: pygame.Surface, eye: Overhead, scene: Scene, disc: Disc) -> None:
    """A visible disc; a cup over a visible object is translucent."""
    over = disc.kind == "cup" and any(
        d.covered and d.seen and math.hypot(d.x - disc.x, d.y - disc.y) < disc.radius for d in scene.discs
    )
    if over:
        translucent(canvas, eye, disc, 96, disc.identified)
    else:
        draw_disc(canvas, eye, disc, disc.identified)


def _touch(canvas: pygame.Surface, eye: Overhead, disc: Disc) -> None:
    pygame.draw.circle(canvas, theme.INK, eye.spot(disc.x, disc.y, 0.16), disc.radius * eye.scale * 1.5, 2 * FINE)


def _agent(canvas: pygame.Surface, eye: Overhead, scene: Scene) -> None:
    x, y, heading = scene.agent
    lift = 0.3
    radius = AGENT_RADIUS * eye.scale
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
