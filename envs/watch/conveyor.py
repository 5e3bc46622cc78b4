"""Rendering of a tunnel from above: parts at the entry, two lanes under a roof, the gate and the machines."""

from collections.abc import Sequence

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.industry.views.conveyor import Conveyor, Lane, Plant
from unseen.envs.watch import theme
from unseen.envs.watch.curves import SHADED, hatch
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import Painter
from unseen.envs.watch.plain import CARD_WIDE, close_card, close_frame, draw_end, draw_step, open_card, open_frame
from unseen.envs.watch.theme import RGB, mix

HUES: tuple[RGB, ...] = (
    (96, 176, 250),
    (250, 194, 92),
    (186, 150, 246),
    (140, 146, 160),
)  # by kind; the last is cracked
STATES: dict[str, RGB] = {"runs": theme.GOOD, "restarting": (250, 194, 92), "jammed": theme.BAD}
BELT: RGB = (44, 48, 60)
STEPS = np.arange(0, 1, 1 / 12)[:, None]  # along a side of a part, for dashes
CHEVRON = 14.0  # layout units between the marks on a belt
Parts = list[list[tuple[int, float]]]
"""For each lane, kind and steps of a running belt to the exit of the parts inside."""


class ConveyorPainter(Painter):
    """Draws tasks whose view is `unseen.envs.industry.views.conveyor.Conveyor`.

    Where an agent believes parts to be is drawn over where they are. Imagination is not drawn.
    """

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
        view = task.view
        assert isinstance(view, Conveyor)
        plant = view.plant(record, params)
        page = open_frame(self.size, view.request, message or task.__name__)
        page.text(view.caption(record, params), 24, 66, 15, theme.INK, fit=560)
        draw_step(page, record, params, reward, 66)
        believed = _believed(belief)
        self._draw_plant(page, plant, believed, 24, 100, 912, 330, 14)
        self._draw_counts(page, plant, 936, 474, 15)
        self._draw_key(page, plant, believed is not None, 24, 474, 912, 13)
        draw_end(page, view, record, params, 480, 245, 400)
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
        view = task.view
        assert isinstance(view, Conveyor)
        plant = view.plant(record, params)
        page = open_card(self.size, view.request, message)
        believed = _believed(belief)
        self._draw_plant(page, plant, believed, 12, 52, CARD_WIDE, 300, 11)
        self._draw_key(page, plant, believed is not None, 12, 380, CARD_WIDE, 12)
        self._draw_counts(page, plant, 12 + CARD_WIDE, 446, 13)
        draw_end(page, view, record, params, 12 + CARD_WIDE / 2, 180, CARD_WIDE - 90)
        page.text(view.caption(record, params), 12, 472, 13, theme.INK, fit=CARD_WIDE)
        return close_card(page, record, params)

    def _draw_plant(
        self,
        page: Page,
        plant: Plant,
        believed: Parts | None,
        x: float,
        y: float,
        wide: float,
        tall: float,
        size: float,
    ) -> None:
        """Entry on the left, tunnel in the middle, machines on the right."""
        r = 0.7 * size
        entry, exits = 0.13 * wide, 0.27 * wide
        left, right = x + entry, x + wide - exits
        middle = y + tall / 2
        heights = [y + tall * (0.3 + 0.4 * k / max(len(plant.lanes) - 1, 1)) for k in range(len(plant.lanes))]
        self._draw_entry(page, plant, x + 0.3 * entry, middle, tall, r, size)
        longest = max(lane.length for lane in plant.lanes)
        roof = (left + 0.36 * entry, y + 0.1 * tall, right - left - 0.36 * entry, 0.8 * tall)
        self._draw_roof(page, plant, *roof)
        start, end = roof[0] + 2 * r, right - 2.5 * r
        for height in heights:
            join = page.px(end, height), page.px(right + 0.5 * r, middle)
            pygame.draw.line(page.surface, mix(BELT, theme.BACK, 0.35), *join, page.px(1.4 * r)[0])
        for k, lane in enumerate(plant.lanes):
            begin = end - (end - start) * lane.length / longest
            self._draw_lane(
                page,
                plant,
                k,
                lane,
                begin,
                end,
                heights[k],
                (x + 0.62 * entry, middle),
                roof[0],
                r,
                size,
                believed is not None,
            )
            if believed is not None:
                _draw_believed(page, believed[k], lane.length, begin, end, heights[k] + 2.5 * r, r)
        self._draw_roof_words(page, plant, roof, size)
        self._draw_exits(page, plant, right, x + wide, y, tall, middle, r, size)

    def _draw_entry(
        self, page: Page, plant: Plant, x: float, middle: float, tall: float, r: float, size: float
    ) -> None:
        """The slots, the first part below the camera on top; the agent does not see what the others are."""
        step = min(2.7 * r, 0.62 * tall / max(plant.slots, 1))
        for k in range(plant.slots):
            at = middle + step * k
            box = page.rect(x - 1.2 * r, at - 1.2 * r, 2.4 * r, 2.4 * r)
            pygame.draw.rect(page.surface, theme.LINE, box, max(1, page.px(1)[0]), border_radius=page.px(3)[0])
            if k < len(plant.waiting):
                if k == 0:
                    _draw_part(page, plant.waiting[0], x, at, r)
                elif self.hidden:
                    _draw_part(page, plant.waiting[k], x, at, r, ghost=True)
                else:
                    _draw_unknown(page, x, at, r)
        top = middle - 3.6 * r
        cone = [page.px(x, top), page.px(x - 1.3 * r, middle - 1.2 * r), page.px(x + 1.3 * r, middle - 1.2 * r)]
        pygame.draw.polygon(page.surface, mix(theme.MIND, theme.BACK, 0.7), cone)
        pygame.draw.rect(
            page.surface, theme.MIND, page.rect(x - 0.8 * r, top - 0.9 * r, 1.6 * r, r), border_radius=page.px(2)[0]
        )
        page.text("camera", x - page.width("camera", 0.86 * size) / 2, top - 1.9 * r, 0.86 * size, theme.MUTED)

    def _draw_roof(self, page: Page, plant: Plant, x: float, y: float, wide: float, tall: float) -> None:
        box = page.rect(x, y, wide, tall)
        hatch(page.surface, box, max(4, page.px(11)[0]))
        edge = theme.MIND if plant.glass is not None else theme.LINE
        pygame.draw.rect(
            page.surface, mix(edge, theme.BACK, 0.3), box, max(1, page.px(2)[0]), border_radius=page.px(5)[0]
        )

    def _draw_roof_words(self, page: Page, plant: Plant, roof: tuple[float, ...], size: float) -> None:
        page.text("tunnel", roof[0] + 8, roof[1] + 0.9 * size, 0.86 * size, theme.MUTED)
        if plant.glass is not None:
            text = f"the glass shows the next part: out in {plant.glass[2]}"
            page.text(text, roof[0] + 8, roof[1] + roof[3] - 0.9 * size, 0.86 * size, theme.MIND, fit=roof[2] - 16)

    def _draw_lane(
        self, page: Page, plant: Plant, k: int, lane: Lane, begin: float, end: float, y: float,
        source: tuple[float, float], wall: float, r: float, size: float, believes: bool,
    ) -> None:  # fmt: skip
        """Feeder, belt, lamps, and of the parts inside what may be shown. A length on the picture is a time."""
        width = page.px(1.4 * r)[0]
        dark = mix(BELT, theme.BACK, 0.35)
        feeder = [page.px(*source), page.px(wall - 0.8 * r, y), page.px(begin, y)]
        pygame.draw.lines(page.surface, dark, False, feeder, width)
        pygame.draw.rect(
            page.surface, BELT, page.rect(begin, y - 1.25 * r, end - begin, 2.5 * r), border_radius=page.px(4)[0]
        )
        for n in range(int((end - begin) / CHEVRON)):
            at = begin + 8 + n * CHEVRON
            mark = [page.px(at, y - 4), page.px(at + 4, y), page.px(at, y + 4)]
            pygame.draw.lines(page.surface, mix(BELT, theme.INK, 0.16), False, mark)
        page.text(f"{lane.length} steps", begin, y + (4.4 if believes else 2.3) * r, 0.86 * size, theme.MUTED)
        gate = theme.GOOD if lane.free else theme.BAD
        pygame.draw.rect(page.surface, gate, page.rect(wall - 0.25 * r, y - 1.25 * r, 0.5 * r, 2.5 * r))
        if lane.lamp or (self.hidden and lane.state != "runs"):
            at, hue = end - 1.2 * r, STATES[lane.state]
            dim = 0.0 if lane.lamp else 0.4  # a hidden state is dimmed, and has no lamp
            page.text(lane.state, at - 0.8 * r, y - 2.2 * r, 0.86 * size, mix(hue, SHADED, dim), right=True)
            if lane.lamp:
                pygame.draw.circle(page.surface, hue, page.px(at, y - 2.2 * r), page.px(0.45 * r)[0])
        scale = (end - begin) / max(lane.length, 1)
        if self.hidden:
            for kind, steps in lane.parts:
                _draw_part(page, kind, end - max(steps, 0) * scale, y, 0.9 * r, ghost=True)
        if plant.glass is not None and plant.glass[0] == k:
            _, kind, steps = plant.glass
            _draw_part(page, kind, end - min(steps, lane.length) * scale, y, 0.9 * r)

    def _draw_exits(
        self,
        page: Page,
        plant: Plant,
        x: float,
        right: float,
        y: float,
        tall: float,
        middle: float,
        r: float,
        size: float,
    ) -> None:
        """The beam, the gate's arm, machines and the bin."""
        beam = theme.BAD if plant.out is not None else mix(theme.BAD, theme.BACK, 0.65)
        pygame.draw.line(
            page.surface,
            beam,
            page.px(x + 1.6 * r, middle - 2.4 * r),
            page.px(x + 1.6 * r, middle + 2.4 * r),
            page.px(2)[0],
        )
        for end in (-2.4 * r, 2.4 * r):
            pygame.draw.circle(page.surface, beam, page.px(x + 1.6 * r, middle + end), page.px(0.35 * r)[0])
        page.text("beam", x + 0.9 * r, middle + 3.8 * r, 0.86 * size, theme.MUTED)
        pivot = x + 4.2 * r
        n = len(plant.busy) + 1
        wide = min(0.5 * (right - x), 104.0)
        high = 0.7 * tall / n
        for kind in range(n):
            at = y + tall * (kind + 0.5) / n
            on = kind == plant.gate
            arm = page.px(pivot, middle), page.px(right - wide, at)
            rgb = theme.INK if on else mix(BELT, theme.BACK, 0.35)
            pygame.draw.line(page.surface, rgb, *arm, page.px(4 if on else 2)[0])
            box = page.rect(right - wide, at - high / 2, wide, high)
            pygame.draw.rect(page.surface, mix(HUES[kind], theme.BACK, 0.8), box, border_radius=page.px(5)[0])
            pygame.draw.rect(
                page.surface, HUES[kind] if on else mix(HUES[kind], theme.BACK, 0.45), box,
                max(1, page.px(2 if on else 1)[0]), border_radius=page.px(5)[0],
            )  # fmt: skip
            _draw_part(page, kind, right - wide + 1.7 * r, at, 0.7 * r)
            bin_ = kind == n - 1
            text = "bin" if bin_ else "busy" if plant.busy[kind] else "free"
            page.text(
                text,
                right - wide + 3 * r,
                at,
                size,
                theme.INK if not bin_ and plant.busy[kind] else theme.MUTED,
                fit=wide - 3.4 * r,
            )
        pygame.draw.circle(page.surface, theme.INK, page.px(pivot, middle), page.px(0.5 * r)[0])
        if plant.out is not None:
            if self.hidden:
                _draw_part(page, plant.out, x + 1.6 * r, middle, r, ghost=True)
            else:
                _draw_unknown(page, x + 1.6 * r, middle, r)

    def _draw_counts(self, page: Page, plant: Plant, right: float, y: float, size: float) -> None:
        for name, number in reversed(plant.counts):
            rgb = theme.MUTED if not number else theme.GOOD if name == "right" else theme.BAD
            right -= page.text(f"{name} {number}", right, y, size, rgb, right=True) + 16

    def _draw_key(self, page: Page, plant: Plant, believes: bool, x: float, y: float, wide: float, size: float) -> None:
        """The legend, with only the symbols that can be in the picture."""
        r, at = 0.5 * size, x + 8
        names = [*(f"for machine {k + 1}" for k in range(len(plant.busy))), "cracked, for the bin"]
        for kind, name in enumerate(names):
            if at + 2 * r + page.width(name, size) > x + 400:
                at, y = x + 8, y + 1.7 * size
            _draw_part(page, kind, at, y, r)
            at += 2 * r + page.text(name, at + 2 * r, y, size, theme.MUTED) + 16
        for rgb in (theme.GOOD, theme.BAD):
            pygame.draw.rect(page.surface, rgb, page.rect(at - 0.2 * r, y - r, 0.6 * r, 2 * r))
            at += 1.6 * r
        page.text("entry free, taken", at, y, size, theme.MUTED)
        y += 1.7 * size
        if self.hidden:
            _draw_part(page, 0, x + 8, y, r, ghost=True)
            at = page.text("dashed: hidden from the agent, shown only to you", x + 8 + 2 * r, y, size, theme.MUTED)
        else:
            _draw_unknown(page, x + 8, y, r)
            at = page.text("the agent does not see which part this is", x + 8 + 2 * r, y, size, theme.MUTED)
        if believes:
            at += x + 24 + 2 * r
            words = "as the agent believes"
            if at + 6 * r + page.width(words, size) > x + wide:
                at, y = x, y + 1.7 * size
            _draw_believed(page, [(0, 1)], 2, at, at + 4 * r, y, r)
            page.text(words, at + 5 * r, y, size, theme.MUTED)


def _believed(belief: Belief | None) -> Parts | None:
    """The parts of a belief; None if there is none about a tunnel."""
    if belief is None or belief.parts is None:
        return None
    return [[(int(kind), float(steps)) for kind, steps in lane if kind >= 0] for lane in belief.parts[0]]


def _outline(page: Page, kind: int, x: float, y: float, r: float) -> list[tuple[int, ...]]:
    """The corners of a part: each kind has a shape of its own."""
    sides, turn = ((24, 0.0), (4, 0.25 * np.pi), (3, -0.5 * np.pi), (6, 0.0))[min(kind, 3)]
    scale = (1.0, 1.2, 1.25, 1.05)[min(kind, 3)] * r
    return [
        page.px(x + scale * np.cos(turn + a), y + scale * np.sin(turn + a))
        for a in 2 * np.pi * np.arange(sides) / sides
    ]


def _draw_part(page: Page, kind: int, x: float, y: float, r: float, ghost: bool = False) -> None:
    """A part; a cracked one has a crack. Ghosts are dashed outlines."""
    corners, rgb = _outline(page, kind, x, y, r), HUES[min(kind, 3)]
    if ghost:
        pygame.draw.polygon(page.surface, mix(rgb, SHADED, 0.72), corners)
        sides = np.array([*corners, corners[0]], float)
        ring = np.concatenate([a + (b - a) * STEPS for a, b in zip(sides[:-1], sides[1:], strict=True)])
        unit = len(ring) // 24
        for start in range(0, len(ring), 3 * unit):
            ends = ring[start], ring[(start + 2 * unit) % len(ring)]
            pygame.draw.line(page.surface, rgb, *ends, max(1, page.px(1.5)[0]))
    else:
        pygame.draw.polygon(page.surface, rgb, corners)
    if kind >= 3:
        crack = [(-0.25, -0.9), (0.2, -0.25), (-0.2, 0.2), (0.25, 0.9)]
        line = [page.px(x + a * r, y + b * r) for a, b in crack]
        pygame.draw.lines(
            page.surface, theme.BACK if not ghost else rgb, False, line, max(1, page.px(2 if not ghost else 1)[0])
        )


def _draw_believed(
    page: Page, parts: Sequence[tuple[int, float]], length: int, begin: float, end: float, y: float, r: float
) -> None:
    """A lane as an agent believes it to be: a line as long as the belt, with the parts on it."""
    line = page.px(begin, y), page.px(end, y)
    pygame.draw.line(page.surface, mix(theme.MIND, theme.BACK, 0.3), *line, max(1, page.px(1.5)[0]))
    for kind, steps in parts:
        at = end - (end - begin) * min(max(steps / max(length, 1), 0.0), 1.0)
        _draw_part(page, kind, at, y, 0.8 * r)


def _draw_unknown(page: Page, x: float, y: float, r: float) -> None:
    """A part of which the agent does not see what it is."""
    pygame.draw.circle(page.surface, theme.FAINT, page.px(x, y), page.px(r)[0])
    page.text("?", x - page.width("?", 1.5 * r, True) / 2, y, 1.5 * r, theme.BACK, bold=True)
