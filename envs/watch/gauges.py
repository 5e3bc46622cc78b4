"""Rendering of tasks without a room: quantities as curves over time, controls as bars."""

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Gauge, Gauges, Imagined
from unseen.envs.watch import theme
from unseen.envs.watch.curves import DASH, HATCH, Sample, draw_panel, hatch, number
from unseen.envs.watch.fan import roll_outs
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import FRAME, Painter
from unseen.envs.watch.plain import CARD_WIDE, close_card, close_frame, draw_end, draw_step, open_card, open_frame
from unseen.envs.watch.theme import RGB, mix

HUES: tuple[RGB, ...] = ((96, 176, 250), (250, 194, 92), (186, 150, 246), (250, 142, 140), (126, 220, 214))
LONG = 240  # steps; with a longer horizon, the time axis grows as the episode proceeds


class GaugePainter(Painter):
    """Draws tasks whose view is `unseen.envs.core.view.Gauges`.

    The curves contain the steps that this painter has drawn since the reset; gaps are bridged by a straight line. The
    curves are cleared if the step number decreases, and at the first frame after the end of an episode. Imagined observations
    are drawn as a fan of what the agent expects to sense; a belief consists of positions in a room, and is not drawn.
    """

    def __init__(self, width: int = FRAME[0], height: int = FRAME[1], hidden: bool = True, keys: str = "") -> None:
        super().__init__(width, height, hidden, keys)
        self._history: dict[int, list[Sample]] = {}
        self._fans: list[list[np.ndarray]] = []
        self._reach = 0  # the last step that the time axis has to show
        self._ended = False

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
        page = open_frame(self.size, view.request, message or task.__name__)
        self._draw_panels(page, view, record, params, 24, 64, 616, 462, 14)
        draw_step(page, record, params, reward, 74)
        y = 110.0
        for line in page.wrapped(view.caption(record, params), 15, 264):
            page.text(line, 672, y, 15, theme.INK, fit=264)
            y += 20
        top = max(y + 16, 150)
        self._draw_controls(page, view, record, params, 672, top, 264, 390 - top, 14)
        self._draw_key(page, 680, 532)
        draw_end(page, view, record, params, 804, 400, 204)
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
        page = open_card(self.size, view.request, message)
        bars = self._controls_height(view)
        self._draw_panels(page, view, record, params, 12, 48, CARD_WIDE, 392 - bars, 12)
        self._draw_controls(page, view, record, params, 12, 456 - bars, CARD_WIDE, bars, 12)
        if record["done"]:
            draw_end(page, view, record, params, 12 + CARD_WIDE / 2, 448, CARD_WIDE - 90)
        else:
            page.text(view.caption(record, params), 12, 472, 13, theme.INK, fit=CARD_WIDE)
        return close_card(page, record, params)

    def _controls_height(self, view: Gauges) -> float:
        """Layout units that the controls take on a card."""
        return min(34.0 * len(view.controls), 136.0)

    def remember(self, record: np.void, params: Params, task: type[Task]) -> None:
        """Add the current values to the curves."""
        view, step = task.view, int(record["t"])
        assert isinstance(view, Gauges)
        last = next(iter(self._history.values()))[-1].step if self._history else -1
        if step < last or (self._ended and step != last):
            self._history, self._reach = {}, 0
        self._ended = bool(record["done"])
        for k, gauge in enumerate(view.gauges):
            past = self._history.setdefault(k, [])
            if past and past[-1].step == step:
                past.pop()
            target = gauge.target(record, params) if gauge.target is not None else None
            past.append(Sample(step, float(gauge.read(record, params)), bool(gauge.hidden(record, params)), target))

    def _note(self, record: np.void, params: Params, task: type[Task], imagined: Imagined | None) -> Gauges:
        """Add the current values to the curves, and keep what is imagined of those to come. Returns the task's view."""
        self.remember(record, params, task)
        view, step = task.view, int(record["t"])
        assert isinstance(view, Gauges)
        self._fans = [roll_outs(gauge, imagined, step, self._last_sensed(k)) for k, gauge in enumerate(view.gauges)]
        furthest = max((line[-1, 0] for fan in self._fans for line in fan), default=step)
        self._reach = min(max(self._reach, int(furthest)), params.horizon)
        return view

    def _last_sensed(self, k: int) -> tuple[int, float] | None:
        """Step and value of the last sample of a gauge that the agent sensed."""
        return next(((s.step, s.value) for s in reversed(self._history[k]) if not s.hidden), None)

    def _draw_panels(
        self, page: Page, view: Gauges, record: np.void, params: Params,
        x: float, y: float, wide: float, tall: float, size: float,
    ) -> None:  # fmt: skip
        """All curves in a rectangle, in one column, or in two if there are six or more."""
        n = len(view.gauges)
        columns = 1 if n < 6 else 2
        rows = -(-n // columns)
        gap, numbers = 0.9 * size, 1.4 * size  # between panels; of the steps' numbers below the last
        each, high = (wide - 24 * (columns - 1)) / columns, (tall - numbers + gap) / rows
        for k, gauge in enumerate(view.gauges):
            samples = self._history[k]
            draw_panel(
                page, gauge, samples, _axis(params.horizon, self._reach), HUES[k % len(HUES)],
                x + k // rows * (each + 24), y + k % rows * high, each, high - gap, self.hidden, size,
                axis=k % rows == rows - 1 or k == n - 1, time=view.time, appointment=view.appointment(record, params),
                fan=self._fans[k],
            )  # fmt: skip

    def _draw_controls(
        self, page: Page, view: Gauges, record: np.void, params: Params,
        x: float, y: float, wide: float, tall: float, size: float,
    ) -> None:  # fmt: skip
        """The controls, each a bar from zero or from the end of its range nearest to zero."""
        for k, gauge in enumerate(view.controls):
            at = y + min(2.8 * size, tall / len(view.controls)) * k
            value = float(gauge.read(record, params))
            start, end = ((v - gauge.low) / (gauge.high - gauge.low) for v in (_nearest_zero(gauge), value))
            written = page.text(f"{number(value)} {gauge.unit}", x + wide, at, size, theme.INK, right=True)
            page.text(gauge.name, x, at, size, theme.MUTED, fit=wide - written - 10)
            page.bar(start, end, x, at + 0.85 * size, wide)

    def _draw_key(self, page: Page, x: float, bottom: float, tall: float = 75) -> None:
        """The legend, with only the symbols that are in the picture, the first at most `tall` above the last."""
        samples = [sample for past in self._history.values() for sample in past]
        rows = []
        if any(sample.hidden for sample in samples):
            rows.append(("hatch", "shaded: the agent cannot sense it"))
            if self.hidden:
                rows.append(("dashes", "hidden value, shown only to you"))
        if any(sample.target for sample in samples):
            rows.append(("band", "target range"))
        if any(self._fans):
            rows.append(("fan", "roll-outs of its world model"))
        for k, (sign, text) in enumerate(rows):
            y = bottom - 10 - min(25, tall / max(len(rows) - 1, 1)) * (len(rows) - 1 - k)
            _draw_sign(page, sign, x, y)
            page.text(text, x + 20, y, 13, theme.MUTED)


def _axis(horizon: int, step: int) -> int:
    """Length of the time axis in steps: the horizon, or a half, a quarter, ... of it while the episode fits."""
    while horizon > LONG and horizon / 2 >= step:
        horizon = -(-horizon // 2)
    return horizon


def _nearest_zero(gauge: Gauge) -> float:
    return min(max(0.0, gauge.low), gauge.high)


def _draw_sign(page: Page, sign: str, x: float, y: float) -> None:
    box = page.rect(x - 8, y - 8, 18, 16)
    if sign == "hatch":
        hatch(page.surface, box, max(3, box.width // 4), mix(HATCH, theme.MUTED, 0.4))
    elif sign == "dashes":
        for left in (0.0, DASH[0] + DASH[1]):
            dash = page.px(x - 8 + left, y), page.px(x - 8 + left + DASH[0], y)
            pygame.draw.line(page.surface, mix(HUES[0], theme.PAPER, 0.35), *dash, page.px(2)[0])
    elif sign == "fan":
        for down in (2.0, -6.0, 6.0, -2.0):
            rgb = theme.MIND if down == -2.0 else mix(theme.BACK, theme.MIND, 0.5)
            pygame.draw.aaline(page.surface, rgb, page.px(x - 8, y), page.px(x + 9, y + down))
    else:
        pygame.draw.rect(page.surface, mix(theme.BACK, theme.GOOD, 0.25), box)
        for edge in (box.top, box.bottom):
            ends = (box.left, edge), (box.right - 1, edge)
            pygame.draw.line(page.surface, mix(theme.BACK, theme.GOOD, 0.6), *ends)
