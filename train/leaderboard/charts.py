"""Charts of the leaderboard page: matplotlib SVGs adapted for embedding in HTML.

Placeholder colours are replaced by CSS variables, so that charts follow the page's light or dark scheme. Style attributes are
replaced by presentation attributes, so that the page's content security policy can forbid inline styles. Text stays text. The
output is deterministic.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from unseen.train.leaderboard.board import Board, Curve, Entry, Section

INK, MUTED, GRID = "#000001", "#000002", "#000003"
COLOURS = [f"#0000{10 + i}" for i in range(8)]  # --c0 .. --c7 of the page
VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--grid"} | {c: f"--c{i}" for i, c in enumerate(COLOURS)}

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "unseen",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "xtick.color": MUTED,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "text.parse_math": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
}


FIXED_COLOURS = {
    "ppo": 1,
    "recurrent-ppo": 2,
    "dreamer": 3,
    "mapper": 4,
    "gru-ppo": 5,
    "gru-mapper": 6,
}  # agents with the same colour on every board


def colour_index(board: Board) -> dict[str, int]:
    """Agent -> colour index. References share 0; other agents use the remaining colours in turn."""
    index: dict[str, int] = {}
    others = 0
    for entry in board.entries:
        if entry.name in index:
            continue
        if entry.kind == "reference":
            index[entry.name] = 0
        elif entry.kind != "yours" and entry.name in FIXED_COLOURS:
            index[entry.name] = FIXED_COLOURS[entry.name]
        else:
            index[entry.name] = 7 - others % 3
            others += 1
    return index


def scores(section: Section, index: Mapping[str, int]) -> str:
    """Chart of the normalised scores of a section: one panel per arena with anchors, with intervals and single training runs.

    Args:
        section: what to draw.
        index: colours, from `colour_index`.

    Returns "" if no arena has anchors.
    """
    import matplotlib

    arenas = [arena for arena in section.arenas if arena.oracle is not None]
    if not arenas:
        return ""
    shown = [entry for entry in section.entries if any(cell.normal for cell in entry.cells.values())]
    positions = _rows(shown)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(10.2, 0.9 + 0.3 * (max(positions.values(), default=0) + 1)), layout="constrained")
        figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr, call-arg]
        panels = figure.subplots(1, len(arenas), sharey=True, squeeze=False)[0]
        between = ", " if len(arenas) < 4 else "\n"
        for axes, arena in zip(panels, arenas, strict=True):
            twin = "the visible twin" if arena.level == 0 else arena.title
            axes.set_title(f"{arena.name}{between}{twin}", loc="left", fontsize=11 if len(arenas) < 5 else 9)
            axes.grid(axis="y", visible=False)
            axes.set_xticks([0, 0.5, 1], ["random", ".5", "oracle"])
            axes.spines["left"].set_visible(False)
            low, high = -0.08, 1.08
            for entry in shown:
                cell, y = entry.cells[arena.key], positions[entry.name]
                if cell.normal is None:
                    axes.text(0.02, y, cell.status, color=MUTED, va="center", fontsize=9)
                    continue
                colour = COLOURS[index[entry.name]]
                axes.plot(
                    [cell.normal.low, cell.normal.high], [y, y], color=colour, lw=5, alpha=0.3, solid_capstyle="round"
                )
                if cell.unit == "runs":
                    dots = arena.normalise([run.score for run in cell.runs])
                    axes.plot(dots, [y] * len(cell.runs), "o", color=colour, ms=3.5, mew=0, alpha=0.55)
                axes.plot([cell.normal.point], [y], "o", color=colour, ms=8, mew=0)
                low, high = min(low, cell.normal.low - 0.04), max(high, cell.normal.high + 0.04)
            axes.set_xlim(low, high)
        panels[0].set_yticks([positions[e.name] for e in shown], [_shortened(e.name) for e in shown])
        panels[0].set_ylim(max(positions.values(), default=0) + 0.6, -0.6)
        label = "Normalised score of every agent on every level, with 95 % intervals; the table below has the numbers"
        return _svg(figure, label)


def _shortened(name: str, most: int = 24) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _rows(shown: Sequence[Entry]) -> dict[str, float]:
    """Vertical position of each row, with a gap between kinds."""
    positions: dict[str, float] = {}
    y = 0.0
    for before, entry in zip([None, *shown], shown, strict=False):
        y += 0.0 if before is None else 1.0 if before.kind == entry.kind else 1.5
        positions[entry.name] = y
    return positions


def learning(board: Board, arena_key: str, index: Mapping[str, int]) -> str:
    """Learning curves, in the colours of `colour_index`, over environment steps and over CPU time; "" if there are none."""
    import matplotlib

    curves = [curve for curve in board.curves if curve.arena == arena_key and len(curve.points) > 1]
    if not curves:
        return ""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(10.2, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, column, scale, label in ((left, 0, 1.0, "environment steps"), (right, 1, 60.0, "CPU minutes")):
            for curve in curves:
                axes.plot(*_line(curve, column, scale), color=COLOURS[index[curve.agent]], lw=1.8, alpha=0.85)
            axes.set_xscale("log")
            axes.set_xlabel(label)
            if all(0 <= point[2] <= 1 for curve in curves for point in curve.points):
                axes.set_ylim(-0.02, 1.02)
            axes.xaxis.set_major_formatter(lambda value, _: short(value))
            axes.spines["left"].set_visible(False)
        left.set_ylabel("mean return")
        left.tick_params(axis="y", colors=MUTED)
        return _svg(figure, f"Learning curves on {arena_key}, against environment steps and against CPU time")


def _line(curve: Curve, column: int, scale: float) -> tuple[list[float], list[float]]:
    points = [(point[column] / scale, point[2]) for point in curve.points if point[column] > 0]
    return [x for x, _ in points], [y for _, y in points]


def short(value: float) -> str:
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"


def _svg(figure: Figure, label: str) -> str:
    """The figure as an <svg> element that uses the page's colours."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # ids must be unique in a page
    text = re.sub(r' style="([^"]*)"', lambda match: _attributes(match[1]), text)
    text = re.sub(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>", _opening(label), text, count=1, flags=re.S)
    for placeholder, variable in VARIABLES.items():
        text = text.replace(placeholder, f"var({variable})")
    return text


def _opening(label: str) -> str:
    return rf'<svg xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="\1" role="img" aria-label="{label}">'


def _attributes(style: str) -> str:
    """`fill: none; font: 11px 'DejaVu Sans'` as attributes. The font family is inherited from the page."""
    out = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"[\d.]+px", value)
            out.append(f'font-size="{size[0] if size else "11px"}"')
            if "bold" in value or re.search(r"\b[67]00\b", value):
                out.append('font-weight="600"')
        elif name and name != "font-family":
            out.append(f'{name}="{value}"')
    return " " + " ".join(out) if out else ""
