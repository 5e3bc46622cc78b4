"""The legend of a room's picture, with only the symbols that can currently appear."""

import math

import numpy as np
import pygame

from unseen.envs.watch import theme
from unseen.envs.watch.mind import Mind
from unseen.envs.watch.page import Page
from unseen.envs.watch.scene import LOST, Scene
from unseen.envs.watch.theme import mix
from unseen.envs.watch.things import NO_COLOUR
from unseen.envs.watch.toys import COLLARED

SAMPLE = (52, 112, 224)  # colour of a disc in the legend
GHOST = (110, 150, 236)
SHADED = {
    "blackout": "blackout: the agent sees nothing",
    "night": "dark: the agent can only feel",
    LOST: "dark: the agent does not even sense where it is",
}  # by light; in any other light, areas that it cannot see are shaded


def draw_legend(page: Page, scene: Scene, mind: Mind | None, hidden: bool) -> None:
    """Draw the legend. `hidden`: the picture shows what the agent cannot see."""
    rows: list[tuple[str, str]] = []
    kinds = {disc.kind for disc in scene.discs}
    noun = kinds.pop() if len(kinds) == 1 else "object"
    if not scene.done:
        rows.append(("fog", SHADED.get(scene.light, "shaded: the agent cannot see it")))
        if hidden and scene.discs:
            rows.append(("ghost", f"hidden {noun}, shown only to you"))
        if hidden and scene.colour_range:
            collar = noun in COLLARED
            rows.append(
                (
                    "collar",
                    "collar colour, too far away for the agent to see" if collar else "colour, hidden from the agent",
                )
            )
    if mind is not None:
        if mind.rings:
            rows.append(("ring", f"where its map puts a {noun}"))
        if mind.places:
            rows.append(("place", "where its map puts furniture"))
        if mind.dropped is not None:
            rows.append(("plan", "its plan, and plans that it dropped"))
        elif len(mind.way) or mind.paths:
            rows.append(("way", "prediction of its world model"))
    top = 470 if scene.signals else 450
    for k, (sign, text) in enumerate(rows):
        y = top + min(25, (532 - top) / max(len(rows), 1)) * k
        _draw_sign(page, sign, 524, y)
        page.text(text, 548, y, 14, theme.MUTED)


def _draw_sign(page: Page, sign: str, x: float, y: float) -> None:
    (px, py), r, canvas = page.px(x, y), page.px(8)[0], page.surface
    if sign == "fog":
        box = pygame.Rect(px - r, py - r, 2 * r, 2 * r)
        pygame.draw.rect(canvas, (228, 218, 202), box)
        pygame.draw.polygon(canvas, (84, 84, 104), [box.topleft, box.topright, box.bottomleft])
    elif sign == "ghost":
        patch = pygame.Surface((4 * r, 4 * r), pygame.SRCALPHA)
        pygame.draw.circle(patch, (*SAMPLE, 90), (2 * r, 2 * r), r)
        canvas.blit(patch, (px - 2 * r, py - 2 * r))
        for arc in _dashes(px, py, r):
            pygame.draw.aalines(canvas, GHOST, False, arc)
    elif sign == "collar":
        for arc in _dashes(px, py, r):
            pygame.draw.lines(canvas, GHOST, False, arc, 2)
        pygame.draw.circle(canvas, NO_COLOUR, (px, py), r * 0.5)
    elif sign == "ring":
        pygame.draw.circle(canvas, theme.INK, (px, py), r + 1, 3)
        pygame.draw.circle(canvas, SAMPLE, (px, py), r, 2)
    elif sign == "place":
        pygame.draw.rect(canvas, theme.INK, (px - r, py - r, 2 * r, 2 * r), 3, 4)
        pygame.draw.rect(canvas, theme.MIND, (px - r + 1, py - r + 1, 2 * r - 2, 2 * r - 2), 2, 4)
    else:
        for k in range(4):
            dot = mix(theme.MIND, theme.BACK, k / 4.5)
            pygame.draw.circle(canvas, dot, (px + (k - 1.5) * r * 0.75, py), max(2, r * (0.4 - 0.06 * k)))
        if sign == "plan":
            end = (px + 0.9 * r, py + 0.8 * r)
            pygame.draw.aaline(canvas, theme.MUTED, (px - 1.5 * r, py + 0.2 * r), end)
            pygame.draw.circle(canvas, theme.MUTED, end, 0.3 * r, 1)


def _dashes(x: float, y: float, r: float) -> list[np.ndarray]:
    """A dashed circle."""
    arcs = [np.linspace(k * math.pi / 4, (k + 0.55) * math.pi / 4, 4) for k in range(8)]
    return [np.stack([x + r * np.cos(arc), y + r * np.sin(arc)], axis=1) for arc in arcs]
