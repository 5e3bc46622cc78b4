"""Rendering of a piece in a furnace: its section in the colours of glowing steel, under the bars of the controls."""

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.view import Gauges
from unseen.envs.industry.views.section import Section
from unseen.envs.watch import theme
from unseen.envs.watch.curves import HATCH, hatch, number
from unseen.envs.watch.gauges import GaugePainter
from unseen.envs.watch.page import Page
from unseen.envs.watch.theme import RGB, mix

GLOW: tuple[tuple[float, RGB], ...] = (
    (20, (72, 80, 96)), (350, (88, 70, 84)), (550, (112, 34, 34)), (700, (176, 34, 22)), (800, (226, 66, 22)),
    (870, (250, 108, 30)), (950, (255, 158, 52)), (1050, (255, 206, 104)), (1200, (255, 242, 196)),
)  # fmt: skip
"""Temperature in C -> colour, from cold steel to white heat."""
WALL: RGB = (78, 66, 60)
BRICK: RGB = (58, 49, 45)
EMBER: RGB = (78, 30, 14)
LARGEST = 0.12  # m, half of a piece that fills the furnace
TALL = 130.0  # layout units that the section takes on a card


def glow(temp: float) -> RGB:
    """The colour of steel at `temp` C; of a temperature that is no number, that of cold steel."""
    if not np.isfinite(temp):
        return GLOW[0][1]
    at = [t for t, _ in GLOW]
    r, g, b = (round(float(np.interp(temp, at, [rgb[k] for _, rgb in GLOW]))) for k in range(3))
    return r, g, b


class SectionPainter(GaugePainter):
    """Draws tasks whose view is `unseen.envs.core.view.Section`."""

    def _controls_height(self, view: Gauges) -> float:
        return super()._controls_height(view) + TALL

    def _draw_controls(
        self, page: Page, view: Gauges, record: np.void, params: Params,
        x: float, y: float, wide: float, tall: float, size: float,
    ) -> None:  # fmt: skip
        """The controls, and below them the furnace in section."""
        assert isinstance(view, Section)
        bars = 2.8 * size * len(view.controls)
        super()._draw_controls(page, view, record, params, x, y, wide, bars, size)
        self._draw_furnace(page, view, record, params, x, y + bars, wide, tall - bars - 4, size)

    def _draw_furnace(
        self, page: Page, view: Section, record: np.void, params: Params,
        x: float, y: float, wide: float, tall: float, size: float,
    ) -> None:  # fmt: skip
        """Brick walls, the hot gas, the piece, and what of its temperatures may be shown."""
        around, shut, unprobed = view.around(record, params), view.shut(record, params), view.unprobed(record, params)
        thick = 9.0
        pygame.draw.rect(page.surface, WALL, page.rect(x, y, wide, tall), border_radius=page.px(4)[0])
        for k in range(int(wide // 14) + 1):
            for edge in (y, y + tall - thick):
                at = x + min(14.0 * k, wide)
                pygame.draw.line(
                    page.surface, BRICK, page.px(at, edge), page.px(at, edge + thick), max(1, page.px(1)[0])
                )
        inner = page.rect(x + thick, y + thick, wide - 2 * thick, tall - 2 * thick)
        pygame.draw.rect(page.surface, mix(glow(around), EMBER, 0.55), inner)
        half = min(view.half(record, params) / LARGEST, 1.0) * 0.5 * (tall - 2 * thick - 8)
        middle, long = y + tall / 2, min(0.56 * wide, wide - 146)
        piece = page.rect(x + thick + 12, middle - half, long, 2 * half)
        for at in (0.2, 0.8):  # skids carry it
            left, foot = x + thick + 12 + at * long, middle + half
            pygame.draw.rect(page.surface, WALL, page.rect(left - 4, foot, 8, y + tall - thick - foot))
        self._draw_piece(page, view, record, params, piece, shut, unprobed)
        self._draw_door(page, x + wide, middle, half, shut)
        right = x + wide - thick - 6
        written = page.text(f"{number(around)} C", right, y + thick + 0.7 * size, 0.86 * size, theme.INK, right=True)
        page.text("gas", right - written - 5, y + thick + 0.7 * size, 0.86 * size, theme.MUTED, right=True)
        foot = page.units(piece.right) + 6
        for name, value, unseen, at in (
            ("surface", view.outer(record, params), shut, middle - half + 3),
            ("core", view.inner(record, params), unprobed, middle),
        ):
            shown = f"{number(value)} C" if self.hidden or not unseen else "?"
            at = max(at, y + thick + 1.9 * size) if name == "surface" else max(at, y + thick + 3.2 * size)
            taken = page.text(shown, right, at, 0.86 * size, theme.MUTED if unseen else theme.INK, right=True)
            page.text(name, right - taken - 5, at, 0.86 * size, theme.MUTED, right=True, fit=right - taken - 8 - foot)

    def _draw_piece(
        self, page: Page, view: Section, record: np.void, params: Params, piece: pygame.Rect, shut: bool, unprobed: bool
    ) -> None:
        """The piece: its temperatures as colours for who may see them, else only what is sensed."""
        if self.hidden:
            temps = np.asarray(view.profile(record, params), dtype=float)
            across = np.abs(np.linspace(-1, 1, piece.height)) * (len(temps) - 1)
            for k, temp in enumerate(np.interp(across, np.arange(len(temps)), temps)):
                line = piece.left, piece.top + k
                pygame.draw.line(page.surface, glow(temp), line, (piece.right - 1, line[1]))
        else:
            hatch(page.surface, piece, max(4, page.px(7)[0]), mix(HATCH, theme.MUTED, 0.3))
            skin = max(2, page.px(4)[0])
            if not shut:
                for top in (piece.top, piece.bottom - skin):
                    pygame.draw.rect(
                        page.surface, glow(view.outer(record, params)), (piece.left, top, piece.width, skin)
                    )
            if not unprobed:
                pygame.draw.circle(page.surface, glow(view.inner(record, params)), piece.center, 2 * skin)
        pygame.draw.rect(page.surface, mix(theme.INK, theme.BACK, 0.3), piece, max(1, page.px(1)[0]))
        if not unprobed:
            tip = piece.center
            pygame.draw.line(
                page.surface, theme.INK, (piece.left - page.px(21)[0], tip[1]), tip, max(1, page.px(1.5)[0])
            )
            pygame.draw.circle(page.surface, theme.INK, tip, page.px(2.5)[0])

    def _draw_door(self, page: Page, right: float, middle: float, half: float, shut: bool) -> None:
        """The door in the right wall: a plate, which is up while the pyrometer looks in."""
        tall = 34.0
        gap = page.rect(right - 9, middle - tall / 2, 9, tall)
        pygame.draw.rect(page.surface, theme.MUTED if shut else theme.BACK, gap)
        if not shut:
            pygame.draw.rect(page.surface, theme.MUTED, page.rect(right - 9, middle - tall, 9, tall / 2))
            eye = page.px(right + 4, middle)
            pygame.draw.circle(page.surface, theme.MIND, eye, page.px(4)[0])
