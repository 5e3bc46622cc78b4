"""Colours and fonts. The colours of objects in a room are in `unseen.envs.planar.palette`."""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pygame
import pygame.font

RGB = tuple[int, int, int]

BACK: RGB = (20, 22, 29)
PANEL: RGB = (30, 33, 43)
LINE: RGB = (52, 57, 71)
INK: RGB = (238, 240, 245)
PAPER: RGB = (226, 229, 236)
MUTED: RGB = (154, 161, 177)
FAINT: RGB = (98, 105, 122)
AGENT: RGB = (244, 246, 250)
EYE: RGB = (38, 46, 62)
MIND: RGB = (150, 226, 255)
GOOD: RGB = (104, 214, 146)
BAD: RGB = (246, 112, 104)
PHASE: dict[str, RGB] = {"observe": (250, 194, 92), "blackout": (154, 122, 208), "act": (96, 176, 250)}


def phase(name: str, phases: Sequence[str]) -> RGB:
    """The colour of a phase: its own or, for other names, by position; the last phase always has that of "act"."""
    if name in PHASE or name not in phases:
        return PHASE.get(name, MIND)
    place = len(phases) - 1 - list(phases).index(name)
    return [PHASE["act"], PHASE["blackout"], PHASE["observe"], MIND][min(place, 3)]


def mix(a: RGB, b: RGB, part: float) -> RGB:
    """The colour interpolated between `a` and `b` by `part`."""
    r, g, b_ = (round(x + part * (y - x)) for x, y in zip(a, b, strict=True))
    return r, g, b_


def font(size: int, bold: bool = False) -> pygame.font.Font:
    """A font of `size` pixels: DejaVu Sans, which comes with matplotlib, else pygame's default (bold only).

    Only the font module is initialised: `pygame.init` would also initialise sound and joysticks, which is slow.
    """
    if not pygame.font.get_init():
        pygame.font.init()
    try:
        found = _load(size, bold)
        found.get_height()
    except pygame.error:  # somebody quit pygame since it was loaded, as gymnasium.utils.play does
        _load.cache_clear()
        found = _load(size, bold)
    return found


@lru_cache(maxsize=64)
def _load(size: int, bold: bool) -> pygame.font.Font:
    home = importlib.util.find_spec("matplotlib")  # found, not imported
    if home is not None and home.origin:
        name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
        path = Path(home.origin).parent / "mpl-data" / "fonts" / "ttf" / name
        if path.is_file():
            return pygame.font.Font(str(path), size)
    return pygame.font.Font(None, round(size * 1.3))
