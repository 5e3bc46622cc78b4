"""Curves over time: one panel per quantity; periods that the agent cannot sense are shaded and dashed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pygame

from unseen.envs.core.view import Gauge
from unseen.envs.watch import theme
from unseen.envs.watch.fan import draw_fan
from unseen.envs.watch.page import Page
from unseen.envs.watch.theme import RGB, mix

FINE = 3  # supersampling factor, for antialiasing
SHADED: RGB = (21, 23, 30)
HATCH: RGB = (44, 48, 62)
PAD = 6.0  # units of the page between the axes' ends and the border, so that the present point is whole there
FAR = 5.0  # lengths of the axis; what is further away is drawn there, out of sight
DASH = (5.0, 4.0)  # lengths of a dash and of the gap after it, in units of the page


@dataclass(frozen=True)
class Sample:
    """The value of a gauge at one step.

    Attributes:
        step: steps since the reset.
        value: in the gauge's unit.
        hidden: whether the agent cannot sense it.
        target: the target range, if any.
    """

    step: int
    value: float
    hidden: bool
    target: tuple[float, float] | None


def draw_panel(
    page: Page, gauge: Gauge, samples: Sequence[Sample], steps: int, rgb: RGB,
    x: float, y: float, wide: float, tall: float, show_hidden: bool, size: float = 14, axis: bool = True,
    time: tuple[str, float] = ("step", 1.0), appointment: tuple[int, str] | None = None, fan: Sequence[np.ndarray] = (),
) -> None:  # fmt: skip
    """Draw a gauge's name, current value, axes and curve into a rectangle of the page.

    Args:
        samples: from the oldest to the current one, in order of their steps.
        steps: the length of the time axis.
        show_hidden: also draw what the agent cannot sense.
        size: font size.
        axis: label the time, below the rectangle.
        time: its unit, and how many of it a step takes.
        appointment: a step marked by a vertical line, and its name, written below the axis.
        fan: imagined roll-outs, see `unseen.envs.watch.fan.roll_outs`.
    """
    now, margin, top = samples[-1], 2.6 * size, 1.75 * size
    named = page.text(
        gauge.name, x + margin, y + 0.6 * size, size, mix(rgb, theme.INK, 0.35), bold=True, fit=0.5 * wide
    )
    page.text(gauge.unit, x + margin + named + 0.6 * size, y + 0.6 * size, 0.86 * size, theme.MUTED)
    shown = number(now.value) if show_hidden or not now.hidden else "not sensed"
    written = page.text(shown, x + wide, y + 0.55 * size, 1.15 * size, _pale(rgb, now), bold=True, right=True)
    if now.hidden and show_hidden:
        page.text("hidden", x + wide - written - 0.6 * size, y + 0.6 * size, 0.86 * size, theme.MUTED, right=True)
    plot = page.rect(x + margin, y + top, wide - margin, tall - top)
    page.surface.blit(_plot(page, gauge, samples, steps, rgb, plot.size, show_hidden, fan), plot)
    if appointment is not None and appointment[0] <= steps:
        inner = page.units(plot.width) - 2 * PAD
        across = page.px(page.units(plot.left) + PAD + appointment[0] / steps * inner)[0]
        pygame.draw.line(page.surface, theme.INK, (across, plot.top), (across, plot.bottom), max(1, page.px(1.5)[0]))
    for value in ticks(gauge.low, gauge.high, 4 if tall > 110 else 2):
        part = (value - gauge.low) / (gauge.high - gauge.low)
        at = page.units(plot.bottom) - PAD - part * (page.units(plot.height) - 2 * PAD)
        page.text(number(value), x + margin - 0.5 * size, at, 0.79 * size, theme.MUTED, right=True)
    if axis:
        base = page.units(plot.bottom) + 0.75 * size
        unit, each = time

        def write(word: str, step: float, rgb: RGB) -> tuple[float, float]:
            middle = page.units(plot.left) + PAD + step / steps * (page.units(plot.width) - 2 * PAD)
            taken = page.width(word, 0.79 * size)
            left = min(middle - taken / 2, x + wide - taken)
            page.text(word, left, base, 0.79 * size, rgb)
            return left - 6, left + taken + 6

        known = (0.0, 0.0)
        if appointment is not None and appointment[0] <= steps:
            known = write(appointment[1], appointment[0], theme.INK)
        for tick in ticks(0, steps * each, 6)[1:]:
            middle = page.units(plot.left) + PAD + tick / each / steps * (page.units(plot.width) - 2 * PAD)
            if not known[0] - 12 < middle < known[1] + 12:
                write(number(tick), tick / each, theme.FAINT)
        page.text(unit, x + margin, base, 0.79 * size, theme.FAINT)


def number(value: float) -> str:
    """A number with three significant digits, without an exponent if that is short."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if 999.5 <= abs(value) < 1e7 else f"{value:.3g}"


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers within [low, high], at most `most` + 1 of them."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _pale(rgb: RGB, sample: Sample) -> RGB:
    return mix(rgb, theme.MUTED, 0.55) if sample.hidden else rgb


def _plot(
    page: Page,
    gauge: Gauge,
    samples: Sequence[Sample],
    steps: int,
    rgb: RGB,
    size: tuple[int, int],
    show_hidden: bool,
    fan: Sequence[np.ndarray],
) -> pygame.Surface:
    """The curve on its background, a surface of `size` pixels."""
    width, height = (side * FINE for side in size)
    unit = FINE * page.px(100)[0] / 100  # fine pixels in one unit of the page
    pad = PAD * unit
    canvas = pygame.Surface((width, height))
    canvas.fill(theme.PANEL)

    def down(value: np.ndarray | float) -> np.ndarray | float:
        part = np.clip((value - gauge.low) / (gauge.high - gauge.low), -FAR, FAR)
        return height - pad - part * (height - 2 * pad)

    def place(points: np.ndarray) -> np.ndarray:
        return np.column_stack([pad + points[:, 0] / steps * (width - 2 * pad), down(points[:, 1])])

    at = place(np.array([(s.step, s.value) for s in samples]))
    runs = _runs(samples)
    for hidden, run in runs:
        if hidden:
            left, right = math.floor(at[run[0], 0]), math.ceil(at[run[-1], 0])
            hatch(
                canvas, pygame.Rect(left, 0, right - left, height), max(4, round(7 * unit)), thick=max(1, round(unit))
            )
    for value in ticks(gauge.low, gauge.high, 4):
        pygame.draw.line(canvas, theme.LINE, (0, float(down(value))), (width, float(down(value))), FINE // 2)
    targets = [(x, down(s.target[0]), down(s.target[1])) for x, s in zip(at[:, 0], samples, strict=True) if s.target]
    if targets:
        _band(canvas, np.array(targets), unit)
    if gauge.bars:
        _bars(canvas, at, rgb, height - pad, max(1.0, (width - 2 * pad) / steps))
        draw_fan(canvas, fan, place, at[-1, 0], unit, stairs=True)
        return pygame.transform.smoothscale(canvas, size)
    shown = [k for k, sample in enumerate(samples) if not sample.hidden]
    for k in shown:  # a single reading between two blind times has no curve
        if (k == 0 or samples[k - 1].hidden) and (k + 1 == len(samples) or samples[k + 1].hidden):
            pygame.draw.circle(canvas, rgb, at[k], 3.2 * unit)
    for hidden, run in runs:
        points = at[run]
        if not hidden:
            _area(canvas, points, rgb, height)
            _line(canvas, rgb, points, 2.4 * unit)
        elif show_hidden:
            for dash in _dashes(points, DASH[0] * unit, DASH[1] * unit):
                _line(canvas, mix(rgb, theme.PAPER, 0.35), dash, 1.8 * unit)
    draw_fan(canvas, fan, place, at[-1, 0], unit, stairs=False)
    if math.isfinite(samples[-1].value) and (show_hidden or not samples[-1].hidden):
        _present(canvas, at[-1], rgb, samples[-1].hidden, unit)
    return pygame.transform.smoothscale(canvas, size)


def _runs(samples: Sequence[Sample]) -> list[tuple[bool, list[int]]]:
    """Segments of the curve as indices of samples. A piece between two samples is hidden if either of them is.

    NaN values interrupt the curve.
    """
    runs: list[tuple[bool, list[int]]] = []
    for k, (a, b) in enumerate(zip(samples, samples[1:], strict=False)):
        if not (math.isfinite(a.value) and math.isfinite(b.value)):
            continue
        hidden = a.hidden or b.hidden
        if runs and runs[-1][0] == hidden and runs[-1][1][-1] == k:
            runs[-1][1].append(k + 1)
        else:
            runs.append((hidden, [k, k + 1]))
    return runs


def hatch(
    canvas: pygame.Surface, area: pygame.Rect, gap: int, rgb: RGB = HATCH, thick: int = 1, ground: RGB | None = SHADED
) -> None:
    """Shade what the agent cannot sense, like fog in a room, with lines `gap` pixels apart; without a ground, lines only."""
    before = canvas.get_clip()
    canvas.set_clip(area.clip(before))
    if ground is not None:
        canvas.fill(ground)
    for x in range(
        area.left // gap * gap - area.height, area.right, gap
    ):  # fixed to the canvas, so that they do not crawl
        pygame.draw.line(canvas, rgb, (x, area.bottom), (x + area.height, area.top), thick)
    canvas.set_clip(before)


def _band(canvas: pygame.Surface, targets: np.ndarray, unit: float) -> None:
    """Draw the target range over time, (n, 3): x, and y of its lower and upper end."""
    if len(targets) == 1:
        targets = np.concatenate([targets, targets + (3 * unit, 0, 0)])
    across, low, high = targets.T
    low_edge, high_edge = np.column_stack([across, low]), np.column_stack([across, high])
    layer = pygame.Surface(canvas.get_size(), pygame.SRCALPHA)
    pygame.draw.polygon(layer, (*theme.GOOD, 44), np.concatenate([low_edge, high_edge[::-1]]))
    for edge in (low_edge, high_edge):
        pygame.draw.lines(layer, (*theme.GOOD, 120), False, edge, max(1, round(unit)))
    canvas.blit(layer, (0, 0))


def _bars(canvas: pygame.Surface, points: np.ndarray, rgb: RGB, foot: float, wide: float) -> None:
    """A bar for each step, which ends at its point."""
    for x, y in points:
        area = pygame.Rect(math.floor(x - wide), math.floor(y), math.ceil(wide), max(math.ceil(foot - y), 1))
        pygame.draw.rect(canvas, rgb, area)


def _area(canvas: pygame.Surface, points: np.ndarray, rgb: RGB, height: int) -> None:
    """A faint wash from the curve down to the axis."""
    layer = pygame.Surface(canvas.get_size(), pygame.SRCALPHA)
    foot = [(points[-1, 0], height), (points[0, 0], height)]
    pygame.draw.polygon(layer, (*rgb, 30), np.concatenate([points, foot]))
    canvas.blit(layer, (0, 0))


def _line(canvas: pygame.Surface, rgb: RGB, points: np.ndarray, width: float) -> None:
    """A line with round joints and ends."""
    pygame.draw.lines(canvas, rgb, False, points, round(width))
    for point in points:
        pygame.draw.circle(canvas, rgb, point, width / 2)


def _dashes(points: np.ndarray, dash: float, gap: float) -> list[np.ndarray]:
    """The dashes of a dashed line through points (n, 2)."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    found = []
    for start in np.arange(0.0, length[-1], dash + gap):
        end = min(start + dash, length[-1])
        inner = length[(length > start) & (length < end)]
        along = np.concatenate([[start], inner, [end]])
        found.append(np.column_stack([np.interp(along, length, points[:, axis]) for axis in (0, 1)]))
    return found


def _present(canvas: pygame.Surface, point: np.ndarray, rgb: RGB, hidden: bool, unit: float) -> None:
    """Draw the current value: a point, hollow if the agent cannot sense it; an arrow if it is outside the range of the axis."""
    (x, y), height = point, canvas.get_height()
    if not 0 <= y <= height:
        tip, foot = (2 * unit, 9 * unit) if y < 0 else (height - 2 * unit, height - 9 * unit)
        pygame.draw.polygon(canvas, rgb, [(x, tip), (x - 5 * unit, foot), (x + 5 * unit, foot)])
        return
    pygame.draw.circle(canvas, mix(theme.PANEL, rgb, 0.35), point, 6 * unit)
    pygame.draw.circle(canvas, rgb, point, 4 * unit)
    pygame.draw.circle(canvas, SHADED if hidden else theme.INK, point, 2.2 * unit)
