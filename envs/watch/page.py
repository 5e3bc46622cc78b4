"""A page with a fixed layout that scales to any size, and the elements that all pictures share: text, a badge, bars and
the timeline."""

from collections.abc import Sequence

import numpy as np
import pygame

from unseen.envs.watch import theme
from unseen.envs.watch.theme import RGB, mix

NARROW = 2.0  # layout units: narrower cells of the timeline are merged


class Page:
    """A page in the colour of the window.

    Args:
        size: width and height in pixels.
        design: width and height in layout units, the units of all other lengths here.

    Attributes:
        surface: the surface to draw on.
    """

    def __init__(self, size: tuple[int, int], design: tuple[int, int]) -> None:
        self._scale = min(size[0] / design[0], size[1] / design[1])
        self.surface = pygame.Surface(size)
        self.surface.fill(theme.BACK)

    def pixels(self) -> np.ndarray:
        """The image, (height, width, 3) uint8, as a new array."""
        return np.ascontiguousarray(pygame.surfarray.array3d(self.surface).swapaxes(0, 1))

    def px(self, *lengths: float) -> tuple[int, ...]:
        """Lengths in pixels."""
        return tuple(round(self._scale * length) for length in lengths)

    def units(self, pixels: float) -> float:
        """A length in pixels, converted to layout units."""
        return pixels / self._scale

    def rect(self, x: float, y: float, wide: float, tall: float) -> pygame.Rect:
        """A rectangle in pixels."""
        return pygame.Rect(*self.px(x, y, wide, tall))

    def font(self, size: float, bold: bool = False, least: int = 8) -> pygame.font.Font:
        """The font of height `size`, but at least `least` pixels."""
        return theme.font(max(least, round(size * self._scale)), bold)

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """The width of a text."""
        return self.units(self.font(size, bold).size(text)[0])

    def words(self, text: str, size: float, rgb: RGB, bold: bool = False) -> pygame.Surface:
        """A text as a surface."""
        return self.font(size, bold, least=1).render(text, True, rgb)

    def text(
        self, text: str, x: float, y: float, size: float, rgb: RGB = theme.INK, bold: bool = False,
        right: bool = False, fit: float = 0.0,
    ) -> float:  # fmt: skip
        """Write at (x, y), the middle of the left (or right) end of the line. Returns the width of the text.

        With `fit` > 0, the font shrinks if the text would be wider than that.
        """
        image = self.font(size, bold).render(text, True, rgb)
        if fit and image.get_width() > fit * self._scale:
            size *= fit * self._scale / image.get_width()
            image = theme.font(max(6, int(size * self._scale)), bold).render(text, True, rgb)
        left = self._scale * x - (image.get_width() if right else 0)
        self.surface.blit(image, (round(left), round(self._scale * y - image.get_height() / 2)))
        return self.units(image.get_width())

    def wrapped(self, text: str, size: float, wide: float) -> list[str]:
        """The text in lines of at most `wide`."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(longer, size) <= wide:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def badge(self, text: str, good: bool | None, middle: float, y: float, fit: float) -> None:
        """The outcome of an episode: a green badge with a tick, a red one with a cross, or a plain one (None)."""
        rgb = theme.MUTED if good is None else theme.GOOD if good else theme.BAD
        size = min(18.0, 18 * fit / self.units(self.words(text, 18, theme.BACK, bold=True).get_width()))
        image = self.words(text, size, theme.BACK, bold=True)
        mark = 0 if good is None else 22
        w = self.units(image.get_width()) + 36 + mark
        x = middle - w / 2
        box = self.rect(x, y, w, 40)
        pygame.draw.rect(self.surface, mix(rgb, theme.BACK, 0.75), box.inflate(6, 6), border_radius=self.px(23)[0])
        pygame.draw.rect(self.surface, rgb, box, border_radius=self.px(20)[0])
        self.surface.blit(image, self.px(x + 18 + mark, y + 20 - self.units(image.get_height()) / 2))
        if good is None:
            return
        strokes = [[(16, 21), (22, 27), (32, 14)]] if good else [[(17, 14), (30, 27)], [(30, 14), (17, 27)]]
        for stroke in strokes:
            points = [self.px(x + a, y + b) for a, b in stroke]
            pygame.draw.lines(self.surface, theme.BACK, False, points, self.px(4)[0])

    def bar(self, start: float, end: float, x: float, y: float, wide: float) -> None:
        """A bar from `start` to `end`, in [0, 1] along a track, with a mark at its start."""
        track = self.rect(x, y, wide, 7)
        pygame.draw.rect(self.surface, theme.LINE, track, border_radius=self.px(3)[0])
        zero = track.left + int(start * track.width)
        left, right = sorted((zero, round(zero + (min(max(end, 0.0), 1.0) - start) * track.width)))
        rgb = theme.MIND if end >= start else theme.PHASE["observe"]
        pygame.draw.rect(self.surface, rgb, (left, track.top, max(right - left, 1), track.height))
        pygame.draw.rect(self.surface, theme.INK, (zero, track.top - 1, max(1, self.px(1)[0]), track.height + 2))

    def timeline(
        self, parts: Sequence[tuple[str, int]], current: str, step: int, done: bool,
        x: float = 24, y: float = 542, wide: float = 912,
    ) -> None:  # fmt: skip
        """One cell per step, in the colour of its phase, with the current one highlighted; a bar if cells would be too narrow.

        Args:
            parts: name and steps of each phase.
            current: name of the current phase.
        """
        names = [name for name, _ in parts]
        total = max(sum(steps for _, steps in parts), 1)
        tall, cell, at = 12.0, wide / total, 0
        spans: list[tuple[int, int, RGB]] = []  # from step, to step, colour
        labels: list[tuple[bool, float, str, RGB]] = []
        for name, steps in parts:
            hue = theme.phase(name, names)
            now = name == current and not done
            if steps and len(parts) > 1:
                labels.append((not now, x + at * cell, name, hue if now else theme.FAINT))
            if cell > NARROW:
                cuts = list(range(at, at + steps + 1))
            else:
                cuts = sorted({at, min(max(step, at), at + steps), at + steps})
            dim = mix(hue, theme.BACK, 0.80)
            spans += [(a, b, hue if a < step else dim) for a, b in zip(cuts, cuts[1:], strict=False)]
            at += steps
        if not done:
            present = min(step, total - 1)
            spans.append((present, present + 1, theme.INK))
        edge = 1.0 if cell > 5 else 0.5 if cell > NARROW else 0.0
        for a, b, rgb in spans:
            left, right = self.px(x + a * cell + edge, x + b * cell - edge)
            top, bottom = self.px(y, y + tall)
            area = (left, top, max(right - left, 1), bottom - top)
            pygame.draw.rect(self.surface, rgb, area, border_radius=self.px(min(3.0, cell / 3))[0])
        taken: list[tuple[float, float]] = []
        for later, start, name, rgb in sorted(
            labels
        ):  # the current one first; other names are skipped if they would overlap
            end = start + self.width(name, 13, not later)
            if all(end + 6 < a or start > b + 6 for a, b in taken):
                self.text(name, start, y + tall + 15, 13, rgb, bold=not later)
                taken.append((start, end))
