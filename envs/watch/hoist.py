"""Rendering of a load on a crane from the side, over the curve of its swing."""

import math
from collections.abc import Callable

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.industry.views.hoist import Hoist, Ride
from unseen.envs.watch import theme
from unseen.envs.watch.curves import HATCH, hatch
from unseen.envs.watch.gauges import GaugePainter
from unseen.envs.watch.page import Page
from unseen.envs.watch.plain import CARD_WIDE, close_card, close_frame, draw_end, draw_step, open_card, open_frame
from unseen.envs.watch.theme import RGB, mix

STEEL: RGB = (104, 112, 130)
GROUND: RGB = (44, 48, 60)
LOAD: RGB = (250, 194, 92)
HALF = 0.8  # m, half the width of the load
FLOOR = 20.0  # layout units that the ground takes
Place = Callable[[float, float], tuple[float, float]]
"""Layout units of a point that is so many m along the rail, and down from it."""


class HoistPainter(GaugePainter):
    """Draws tasks whose view is `unseen.envs.core.view.Hoist`."""

    def between(self, before: np.void, after: np.void, part: float) -> np.void:
        record = before.copy()
        for name in ("x", "hoist", "angle"):
            record[name] = (1 - part) * before[name] + part * after[name]
        return record

    def frame(
        self,
        record: np.void,
        params: Params,
        task: type[Task],
        reward: float = 0.0,
        belief: Belief | None = None,
        imagined: Imagined | None = None,
        message: str = "",
    ) -> np.ndarray:
        view = self._note(record, params, task, imagined)
        assert isinstance(view, Hoist)
        page = open_frame(self.size, view.request, message or task.__name__)
        page.text(view.caption(record, params), 24, 64, 15, theme.INK, fit=600)
        draw_step(page, record, params, reward, 64)
        self._draw_site(page, view.ride(record, params), 24, 84, 912, 268, 13)
        self._draw_panels(page, view, record, params, 24, 362, 620, 170, 13)
        self._draw_controls(page, view, record, params, 676, 376, 260, 76, 13)
        self._draw_wear(page, view.ride(record, params), 676, 448, 260, 13)
        self._draw_key(page, 684, 540, 53)
        draw_end(page, view, record, params, 480, 160, 400)
        return close_frame(page, record, params, self.keys)

    def card(
        self,
        record: np.void,
        params: Params,
        task: type[Task],
        reward: float = 0.0,
        belief: Belief | None = None,
        imagined: Imagined | None = None,
        message: str = "",
    ) -> np.ndarray:
        view = self._note(record, params, task, imagined)
        assert isinstance(view, Hoist)
        page = open_card(self.size, view.request, message)
        self._draw_site(page, view.ride(record, params), 12, 44, CARD_WIDE, 226, 11)
        self._draw_wear(page, view.ride(record, params), 12, 284, CARD_WIDE, 11)
        self._draw_panels(page, view, record, params, 12, 306, CARD_WIDE, 150, 11)
        draw_end(page, view, record, params, 12 + CARD_WIDE / 2, 110, CARD_WIDE - 60)
        page.text(view.caption(record, params), 12, 474, 13, theme.INK, fit=CARD_WIDE)
        return close_card(page, record, params)

    def _draw_site(self, page: Page, ride: Ride, x: float, y: float, wide: float, tall: float, size: float) -> None:
        """Rail, trolley, rope, load and target, to one scale in both directions."""
        area = page.rect(x, y, wide, tall)
        pygame.draw.rect(page.surface, theme.PANEL, area, border_radius=page.px(5)[0])
        page.surface.set_clip(area)
        left, right = ride.buffers
        head = 30.0  # layout units above the rail
        scale = min((wide - 40) / (right - left), (tall - head - FLOOR) / (ride.deepest + 1.4 * HALF))
        origin = x + wide / 2 - scale * (left + right) / 2
        rail = y + head

        def at(across: float, down: float) -> tuple[float, float]:
            return origin + scale * across, rail + scale * down

        floor = y + tall - FLOOR
        pygame.draw.rect(page.surface, GROUND, page.rect(x, floor, wide, y + tall - floor))
        self._draw_target(page, at, ride, floor, scale, size)
        for end in (left, right):
            self._draw_leg(page, at(end, 0)[0], rail, floor)
        pygame.draw.line(page.surface, STEEL, page.px(*at(left, 0)), page.px(*at(right, 0)), page.px(5)[0])
        for metre in range(math.ceil(left / 5) * 5, int(right) + 1, 5):
            tick = at(metre, 0)[0]
            pygame.draw.line(page.surface, theme.FAINT, page.px(tick, rail - 11), page.px(tick, rail - 6), 1)
            page.text(f"{metre}", tick - page.width(f"{metre}", 0.75 * size) / 2, rail - 19, 0.75 * size, theme.FAINT)
        hook = at(ride.trolley, 0)
        seen = ride.age == 0
        if seen:
            self._draw_load(page, hook, ride.seen, ride.hoist, scale)
        else:
            self._draw_fan(page, ride, hook, scale, size)
            self._draw_load(page, hook, ride.seen, ride.hoist, scale, ghost=theme.MUTED)
            if self.hidden and math.isfinite(ride.angle):
                self._draw_load(page, hook, ride.angle, ride.hoist, scale, ghost=LOAD)
        self._draw_trolley(page, hook, scale)
        words = "the load is seen" if seen else f"grey: where it was seen {ride.age:.1f} s ago"
        page.text(words, x + 10, y + tall - 0.5 * FLOOR, 0.9 * size, theme.INK if seen else theme.MUTED)
        if self.hidden and not seen:
            told = "dashed: where it is, hidden"
            page.text(told, x + wide - 10, y + tall - 0.5 * FLOOR, 0.9 * size, LOAD, right=True)
        if ride.service > 0:
            self._draw_service(page, ride, x + wide / 2, rail + 16, size)
        page.surface.set_clip(None)

    def _draw_leg(self, page: Page, x: float, top: float, floor: float) -> None:
        """A leg of the portal, of lattice."""
        half, wide = 6.0, max(1, page.px(1.5)[0])
        for side in (-half, half):
            pygame.draw.line(page.surface, STEEL, page.px(x + side, top), page.px(x + side, floor), wide)
        count = max(1, int((floor - top) // 16))
        for k in range(count):
            ends = top + (floor - top) * k / count, top + (floor - top) * (k + 1) / count
            side = half if k % 2 else -half
            pygame.draw.line(
                page.surface,
                mix(STEEL, theme.PANEL, 0.35),
                page.px(x - side, ends[0]),
                page.px(x + side, ends[1]),
                wide,
            )
        pygame.draw.rect(page.surface, theme.BAD, page.rect(x - 3, top - 9, 6, 9))

    def _draw_target(self, page: Page, at: Place, ride: Ride, floor: float, scale: float, size: float) -> None:
        """The pedestal on which the load is to stand, with marks as wide as the load."""
        middle, top = at(ride.target, ride.depth + HALF)
        half = 1.9 * HALF * scale
        pygame.draw.rect(page.surface, GROUND, page.rect(middle - half, top, 2 * half, floor - top + 2))
        pygame.draw.rect(page.surface, theme.GOOD, page.rect(middle - HALF * scale, top, 2 * HALF * scale, 4))
        pygame.draw.line(
            page.surface, mix(theme.GOOD, theme.PANEL, 0.55), page.px(middle, at(0, 0.4)[1]), page.px(middle, top), 1
        )
        page.text(
            "target",
            middle - page.width("target", 0.86 * size) / 2,
            min(top + 1.1 * size, floor - 4),
            0.86 * size,
            theme.GOOD,
        )

    def _draw_fan(self, page: Page, ride: Ride, hook: tuple[float, float], scale: float, size: float) -> None:
        """Where the load may be if it swings as far as when it was seen."""
        reach = min(max(ride.reach, 0.02), 1.2)
        long = scale * (ride.hoist + HALF)
        angles = np.linspace(-reach, reach, 24)
        arc = [page.px(hook[0] + long * math.sin(a), hook[1] + long * math.cos(a)) for a in angles]
        lines, shape = (pygame.Surface(page.surface.get_size(), pygame.SRCALPHA) for _ in range(2))
        hatch(lines, page.surface.get_clip(), max(4, page.px(9)[0]))
        pygame.draw.polygon(shape, (255, 255, 255, 255), [page.px(*hook), *arc])
        lines.blit(shape, (0, 0), special_flags=pygame.BLEND_RGBA_MULT)
        page.surface.blit(lines, (0, 0))
        pygame.draw.lines(page.surface, mix(HATCH, theme.MUTED, 0.4), False, arc, max(1, page.px(1)[0]))
        page.text(
            "?",
            hook[0] - page.width("?", 1.5 * size, True) / 2,
            hook[1] + 0.72 * long,
            1.5 * size,
            theme.MUTED,
            bold=True,
        )

    def _draw_trolley(self, page: Page, hook: tuple[float, float], scale: float) -> None:
        x, y = hook
        half = max(0.9 * scale, 9.0)
        pygame.draw.rect(page.surface, theme.MIND, page.rect(x - half, y - 8, 2 * half, 7), border_radius=page.px(2)[0])
        for wheel in (-0.65 * half, 0.65 * half):
            pygame.draw.circle(page.surface, theme.INK, page.px(x + wheel, y), page.px(3.2)[0])
        pygame.draw.circle(page.surface, theme.BACK, page.px(x, y - 4.5), page.px(2.6)[0])

    def _draw_load(
        self, page: Page, hook: tuple[float, float], angle: float, rope: float, scale: float, ghost: RGB | None = None
    ) -> None:
        """Rope and load at an angle; a ghost is an outline with dashes."""
        if not (math.isfinite(angle) and math.isfinite(rope)):
            return
        sine, cosine = math.sin(angle), math.cos(angle)

        def to(across: float, along: float) -> tuple[float, float]:
            return hook[0] + scale * (across * cosine + along * sine), hook[1] + scale * (
                along * cosine - across * sine
            )

        corners = [to(a, rope + b) for a, b in ((-HALF, -HALF), (HALF, -HALF), (HALF, HALF), (-HALF, HALF))]
        eye = to(0, rope - HALF - 0.35)
        thin = max(1, page.px(1.5)[0])
        if ghost is None:
            pygame.draw.line(page.surface, theme.PAPER, page.px(*hook), page.px(*eye), thin)
            for corner in corners[:2]:
                pygame.draw.line(page.surface, theme.PAPER, page.px(*eye), page.px(*corner), thin)
            points = [page.px(*corner) for corner in corners]
            pygame.draw.polygon(page.surface, LOAD, points)
            pygame.draw.polygon(page.surface, mix(LOAD, theme.BACK, 0.45), points, max(1, page.px(2)[0]))
            band = [page.px(*to(a, rope + b)) for a, b in ((-HALF, -0.12), (HALF, -0.12), (HALF, 0.12), (-HALF, 0.12))]
            pygame.draw.polygon(page.surface, mix(LOAD, theme.BACK, 0.35), band)
            return
        dashed = ghost == LOAD
        for a, b in (
            (hook, eye),
            (eye, corners[0]),
            (eye, corners[1]),
            *zip(corners, [*corners[1:], corners[0]], strict=True),
        ):
            _line(page, mix(ghost, theme.PANEL, 0.1 if dashed else 0.45), a, b, thin, dashed)

    def _draw_wear(self, page: Page, ride: Ride, x: float, y: float, wide: float, size: float) -> None:
        """The wear as a bar: what the log says, and what has come since, which is hatched for whoever does not know it."""
        shown = self.hidden or ride.gauged
        page.text("wear", x, y, size, theme.MUTED)
        words = f"{100 * ride.wear:.0f} %" if shown else f"{100 * ride.logged:.0f} % + ?"
        page.text(words, x + wide, y, size, theme.INK, right=True)
        if not ride.gauged:
            page.text("now, hidden" if shown else "log, and since", x + wide / 2 - 30, y, 0.86 * size, theme.FAINT)
        track = page.rect(x, y + 0.85 * size, wide, 7)
        pygame.draw.rect(page.surface, theme.LINE, track, border_radius=page.px(3)[0])

        def to(part: float) -> int:
            return track.left + round(min(max(part, 0.0), 1.0) * track.width) if math.isfinite(part) else track.left

        now, logged = to(ride.wear), to(ride.logged)
        pygame.draw.rect(
            page.surface, theme.PHASE["observe"], (track.left, track.top, logged - track.left, track.height)
        )
        if shown:
            pygame.draw.rect(page.surface, theme.BAD, (logged, track.top, max(now - logged, 0), track.height))
        else:
            rest = pygame.Rect(logged, track.top, track.right - logged, track.height)
            hatch(page.surface, rest, max(4, page.px(6)[0]), theme.FAINT, ground=None)
        pygame.draw.rect(page.surface, theme.INK, (track.right - 2, track.top - 2, 2, track.height + 4))

    def _draw_service(self, page: Page, ride: Ride, middle: float, y: float, size: float) -> None:
        words = f"maintenance, {100 * (1 - ride.service):.0f} %"
        half = page.width(words, size, True) / 2 + 8
        box = page.rect(middle - half, y, 2 * half, 1.8 * size)
        pygame.draw.rect(page.surface, theme.BACK, box, border_radius=page.px(4)[0])
        pygame.draw.rect(page.surface, theme.MIND, box, max(1, page.px(1)[0]), border_radius=page.px(4)[0])
        page.text(words, middle - half + 8, y + 0.9 * size, size, theme.MIND, bold=True)


def _line(page: Page, rgb: RGB, a: tuple[float, float], b: tuple[float, float], thin: int, dashed: bool) -> None:
    """A straight line, in dashes if asked for."""
    start, end = np.array(a), np.array(b)
    long = float(np.hypot(*(end - start)))
    if not dashed or long < 1:
        pygame.draw.line(page.surface, rgb, page.px(*a), page.px(*b), thin)
        return
    for at in np.arange(0, long, 7.0):
        ends = start + (end - start) * at / long, start + (end - start) * min(at + 4.0, long) / long
        pygame.draw.line(page.surface, rgb, page.px(*ends[0]), page.px(*ends[1]), thin)
