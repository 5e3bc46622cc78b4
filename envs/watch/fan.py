"""What an agent's world model imagines that a gauge will show: its roll-outs as a fan of thin lines, from now on."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pygame

from unseen.envs.core.view import Gauge, Imagined
from unseen.envs.watch import theme

MAIN, OTHER = (235, 1.7), (115, 1.1)  # opacity and width of the first roll-out, and of the others
BRIDGE = 0.5  # opacity of a line over steps that the agent would not sense, of which nothing is imagined
DOT = 2.4  # units of the page: radius of a reading that the agent expects between two blind times


def roll_outs(gauge: Gauge, imagined: Imagined | None, now: int, last: tuple[int, float] | None) -> list[np.ndarray]:
    """Steps and imagined values of a gauge, (h, 2) for each roll-out; NaN where the agent would not sense it.

    Args:
        now: the present step.
        last: step and value when the agent last sensed it, where its lines start; None if it never has.
    """
    if imagined is None or imagined.obs is None or gauge.sensed is None:
        return []
    values = gauge.sensed(np.asarray(imagined.obs[0], dtype=float))
    steps = now + (np.arange(1, values.shape[1] + 1) if imagined.ahead is None else imagined.ahead[0])
    start = np.zeros((0, 2)) if last is None else np.array([last], dtype=float)
    known = [row for row in values if np.isfinite(row).any()]
    return [np.concatenate([start, np.column_stack([steps, row])]) for row in known]


def draw_fan(
    canvas: pygame.Surface,
    fan: Sequence[np.ndarray],
    place: Callable[[np.ndarray], np.ndarray],
    now: float,
    unit: float,
    stairs: bool,
) -> None:
    """Draw roll-outs (h, 2), the first one on top.

    Args:
        place: steps and values (h, 2) -> pixels.
        now: pixels from the left of the present step, where the fan begins.
        unit: pixels in one unit of the page.
        stairs: a value holds for the time before its step: each is a level line, joined in the first roll-out.
    """
    left = max(int(now), 0)
    size = canvas.get_width() - left, canvas.get_height()
    if size[0] <= 0:
        return
    for k, line in reversed(list(enumerate(fan))):
        opacity, wide = OTHER if k else MAIN
        layer = pygame.Surface(size, pygame.SRCALPHA)
        points = place(line) - (left, 0)
        known = np.isfinite(points[:, 1])
        beside = np.concatenate([[False], known, [False]])
        for point in points[known & ~beside[:-2] & ~beside[2:]]:
            pygame.draw.circle(layer, (*theme.MIND, opacity), point, DOT * unit)
        for i, j in pairwise(np.flatnonzero(known)):
            a, b = points[i], points[j]
            corner = (a[0], b[1]) if stairs else a
            rgba = (*theme.MIND, opacity if j == i + 1 else round(BRIDGE * opacity))
            pygame.draw.line(layer, rgba, corner, b, max(1, round(wide * unit)))
            if stairs and k == 0:
                pygame.draw.line(layer, rgba, a, corner, max(1, round(wide * unit)))
        canvas.blit(layer, (left, 0))
