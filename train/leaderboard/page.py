"""The leaderboard as one self-contained, reproducible HTML file.

Names of agents are escaped, and the page's content security policy allows only its own style sheet and script, by hash.
"""

from __future__ import annotations

import base64
import hashlib
from itertools import groupby
from pathlib import Path

from unseen.train.leaderboard import report
from unseen.train.leaderboard.board import Board, Cell, Entry
from unseen.train.leaderboard.statistics import Interval

HERE = Path(__file__).parent

KINDS = {
    "reference": ("References", "scripted: the ends of the scale, and policies with and without memory"),
    "model-free": ("Model-free", "learn from reward, without a model"),
    "model-based": ("Model-based", "learn a world model, and the policy in imagined roll-outs"),
    "yours": ("Yours", "your agents"),
}


def render(board: Board) -> str:
    """Render the page. The output is deterministic."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from unseen.train.leaderboard import charts

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": report.number,
        "spread": report.spread,
        "count": report.count,
        "duration": report.duration,
        "milliseconds": report.milliseconds,
    }
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "sort.js"))
    colour = charts.colour_index(board)
    curves = {arena: charts.learning(board, arena.key, colour) for arena in board.arenas}
    return environment.get_template("page.html.j2").render(
        board=board,
        groups=lambda section: [(KINDS[kind], list(own)) for kind, own in groupby(section.entries, lambda e: e.kind)],
        colour=colour,
        scores=lambda section: Markup(charts.scores(section, colour)),
        overall=report.overall,
        curves=[(arena, Markup(svg)) for arena, svg in curves.items() if svg],
        learners=list(dict.fromkeys(e.name for e in board.entries if any(c.agent == e.name for c in board.curves))),
        rivals=lambda section: list(dict.fromkeys(comparison.left for comparison in section.comparisons)),
        chance=lambda section: {(c.left, c.right): c.probability for c in section.comparisons},
        rules=report.rules(board),
        strip=lambda cell: Markup(strip(cell)),
        training=report.training,
        map_error=lambda entry, arena: report.map_error(board, entry, arena),
        latency=lambda entry: report.latency(board, entry),
        most=_largest,
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'",
    )


def strip(cell: Cell) -> str:
    """A small chart of a normalised score: a line from random to oracle, the interval and the point."""
    assert cell.normal is not None

    def at(value: float) -> float:
        return round(4 + 92 * min(1.04, max(-0.04, value)), 1)

    normal: Interval = cell.normal
    low, high = at(normal.low), at(normal.high)
    return (
        '<svg class="strip" viewBox="0 0 100 8" aria-hidden="true"><path class="track" d="M4 4H96"/>'
        f'<path class="interval" d="M{low} 4H{max(high, low + 0.1):.1f}"/>'
        f'<circle class="point" cx="{at(normal.point)}" cy="4" r="3"/></svg>'
    )


def _largest(entry: Entry, figure: str) -> float | str:
    """Maximum of a training figure over levels, for sorting; "" if unknown."""
    known = [getattr(cell, figure) for cell in entry.cells.values()]
    return max((value for value in known if value is not None), default="")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
