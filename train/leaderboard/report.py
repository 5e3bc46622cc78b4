"""The leaderboard as text: terminal table and Markdown."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from unseen.train.leaderboard.board import Board, Cell, Entry, Section
from unseen.train.leaderboard.statistics import RANKING_RUNS, Interval

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from unseen.train.leaderboard.contestants import Arena


WIDE = 10_000  # columns of a console on which nothing wraps


def number(value: float) -> str:
    """Two decimals without a leading zero: .93, 1.00, -.12."""
    text = f"{round(value, 2) + 0.0:.2f}"  # + 0.0: no minus sign before a zero
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def spread(interval: Interval) -> str:
    return f"{number(interval.low)} to {number(interval.high)}"


def short(interval: Interval) -> str:
    return f"{number(interval.low)}–{number(interval.high)}"


def count(value: float | None) -> str:
    """Abbreviated count: 150 k, 1.2 M; an em dash for None."""
    if value is None:
        return "—"
    value = float(f"{value:.3g}")  # first, so that 999,900 is 1 M
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def duration(seconds: float | None) -> str:
    """Duration: 45 s, 12 min, 3.2 h; an em dash for None."""
    if seconds is None:
        return "—"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def milliseconds(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def span(values: list[float], shown: list[str]) -> str:
    """The range of some values, or the single value if they are equal."""
    if not values:
        return "—"
    ordered = [text for _, text in sorted(zip(values, shown, strict=True))]
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]} – {ordered[-1]}"


def training(entry: Entry) -> tuple[str, str, str]:
    """Environment steps, real episodes and CPU time of training, as ranges over levels."""
    cells = entry.cells.values()
    steps = [cell.steps for cell in cells if cell.steps is not None]
    episodes = [cell.training_episodes for cell in cells if cell.training_episodes is not None]
    seconds = [cell.cpu_seconds for cell in cells if cell.cpu_seconds is not None]
    shown = (list(map(count, steps)), list(map(count, episodes)), list(map(duration, seconds)))
    return span(steps, shown[0]), span(episodes, shown[1]), span(seconds, shown[2])


def latency(board: Board, entry: Entry) -> tuple[float | None, float | None]:
    """Median and 95th percentile of the decision time in ms, in the slowest column of the table."""
    found = [one for key, one in board.latency.get(entry.name, {}).items() if key in entry.cells]
    if not found:
        return None, None
    slowest = max(found, key=lambda one: one.p50_ms)
    return slowest.p50_ms, slowest.p95_ms


def map_error(board: Board, entry: Entry, arena: Arena) -> str:
    """Error of the agent's own map, and of the last seen position, as text; "" if it has no map."""
    found = board.map_error.get(entry.name, {}).get(arena.key)
    if found is None:
        return ""
    drawn, last = ("unknown" if m is None else f"{number(m)} m" for m in (found.map, found.last_seen))
    return f"map {drawn}, last seen {last}"


def rules(board: Board) -> list[str]:
    """Notes on how to read the table."""
    runs = [len(cell.runs) for entry in board.entries for cell in entry.cells.values() if cell.unit == "runs"]
    lines = [
        f"Score: mean return over {board.episodes} episodes on held-out seeds. Normalised scores: random = 0 and "
        "oracle = 1, by frozen anchors, not clipped.",
        "Overall: interquartile mean of the normalised scores over the columns of a table. Level 0, the visible twin, is a control, "
        "and counts only in a table of its own.",
        "Intervals: 95 % percentile bootstrap over training runs for agents with several, else over episodes.",
    ]
    if board.budget:
        lines.append(
            f"Budget: agents trained on at most {board.budget.episodes} real episodes, by their cards, and scripted references."
        )
        for why, names in (("trained on more", board.budget.more), ("unknown number", board.budget.unknown)):
            if names:
                lines.append(f"Left out, at least on some levels ({why}): {', '.join(names)}.")
    if any(arena.oracle is None for arena in board.arenas):
        lines.append(
            "Without frozen anchors (presets, changed parameters, split shift) scores are raw and do not count overall."
        )
    if board.arenas and board.arenas[0].options:
        lines.append(f"Environment options: {board.arenas[0].options}")
    if runs and min(runs) < RANKING_RUNS:
        few = f"{min(runs)}" if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
        lines.append(
            f"Intervals from {few} training runs have less than 95 % coverage (about 85 % with 3 runs): rankings need "
            f"at least {RANKING_RUNS} runs."
        )
    if any(cell.trained_on is not None for entry in board.entries for cell in entry.cells.values()):
        lines.append(
            "* Trained on level 1 and tested on its visible twin, whose observations differ from those in training."
        )
    if any(cell.steps for entry in board.entries for cell in entry.cells.values()):
        lines.append(
            "Training: environment steps, real episodes and CPU time of one run (median over runs), where known."
        )
    if board.map_error:
        lines.append(
            "Map: median distance between the place of the requested hidden thing in the agent's own map and its true place, over "
            "200 episodes. Last seen: the same for the place where it was last seen."
        )
    lines.append(
        "Decision: median time per decision at batch size 1 in ms (95th percentile), on this machine; not comparable "
        "across machines."
    )
    return lines


def _text(cell: Cell, drawn: str) -> Text:
    from rich.text import Text

    if cell.raw is None:
        if cell.status == "missing":
            return Text("untrained", style="dim")
        return Text(f"failed\n{cell.failed} of {cell.episodes}", style="red")
    star = "" if cell.trained_on is None else "*"
    normal = (star if cell.normal is None else f"  {number(cell.normal.point)}{star}", "cyan")
    notes = "\n".join([short(cell.raw), *(drawn.split(", ") if drawn else [])])
    return Text.assemble((number(cell.raw.point), "bold"), normal, "\n", (notes, "dim"))


def overall(section: Section, entry: Entry) -> str:
    """Text for a missing overall score."""
    return "incomplete" if section.counted and entry.overall is None else "—"


def _name(entry: Entry) -> Text:
    from rich.text import Text

    runs = {len(cell.runs) for cell in entry.cells.values() if cell.unit == "runs"}
    trained = f"\n{min(runs)} runs" if len(runs) == 1 else f"\n{min(runs)} to {max(runs)} runs" if runs else ""
    return Text.assemble((entry.name, "bold"), (trained, "dim"))


def print_board(board: Board, page: Path) -> None:
    """Print the tables, notes, failures, and the paths of the results."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    tables = [_table(board, section, maps=True) for section in board.sections]
    widest = max(Console(width=WIDE).measure(table).maximum for table in tables)
    if not console.is_terminal:
        console = Console(width=max(console.width, widest))  # do not wrap tables in files
    elif widest > console.width:
        tables = [_table(board, section, maps=False) for section in board.sections]
    for table in tables:
        console.print(table)
    for line in rules(board):
        console.print(Text(line, style="dim"))
    for name, key, error in board.failures:
        console.print(Text(f"failed: {name} on {key}: {error}", style="red"))
    console.print(Text(f"\npage   {page}\ndata   {page.with_name('board.json')}\nstore  {page.parent}"))


def _table(board: Board, section: Section, maps: bool) -> Table:
    """The table of a section, for the terminal. maps: with the errors of maps, which take room."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        title_justify="left",
        title_style="bold",
    )
    table.title = section.title
    table.add_column("agent", min_width=13, no_wrap=True)
    several = len({arena.name for arena in section.arenas}) > 1
    for arena in section.arenas:
        table.add_column(f"{arena.name}\n{arena.title}" if several else arena.title, no_wrap=True)
    for title in ("overall", "training", "ms"):
        table.add_column(title, justify="right", no_wrap=True)
    for kind, group in groupby(section.entries, key=lambda entry: entry.kind):
        table.add_section()
        table.add_row(Text(kind, style="italic dim"))
        for entry in group:
            p50, p95 = latency(board, entry)
            score = entry.overall
            steps, episodes, cpu = training(entry)
            table.add_row(
                _name(entry),
                *(
                    _text(entry.cells[arena.key], map_error(board, entry, arena) if maps else "")
                    for arena in section.arenas
                ),
                overall(section, entry) if score is None else f"{number(score.point)}\n{short(score)}",
                "\n".join(part for part in (steps, f"{episodes} ep.", cpu) if not part.startswith("—")) or "—",
                "—" if p50 is None else f"{milliseconds(p50)}\n({milliseconds(p95)})",
            )
    return table


def markdown(board: Board) -> str:
    """The tables and notes in Markdown."""
    lines = []
    for section in board.sections:
        if len(board.sections) > 1:
            lines += [f"### {section.title}", ""]
        lines += [*_markdown_table(board, section), ""]
    notes = "  \n".join(rule.replace("* ", "\\* ", 1) if rule.startswith("*") else rule for rule in rules(board))
    return "\n".join([*lines, notes, ""])


def _markdown_table(board: Board, section: Section) -> list[str]:
    """The table of a section, as lines of Markdown."""
    head = ["agent", *(f"{arena.name} {arena.level}" for arena in section.arenas), "overall", "training", "decision"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for entry in section.entries:
        cells = []
        for arena in section.arenas:
            cell = entry.cells[arena.key]
            star = "" if cell.trained_on is None else "*"
            shown = f"{number(cell.raw.point)}{star} ({short(cell.raw)})" if cell.raw else cell.status
            drawn = map_error(board, entry, arena)
            cells.append(f"{shown}; {drawn}" if drawn else shown)
        score = entry.overall
        total = overall(section, entry) if score is None else f"**{number(score.point)}** ({short(score)})"
        steps, episodes, cpu = training(entry)
        parts = (f"{steps} steps", f"{episodes} episodes", cpu)
        cost = ", ".join(part for part in parts if not part.startswith("—")) or "—"
        p50 = latency(board, entry)[0]
        name = entry.name.replace("|", "\\|").replace("<", "&lt;")
        row = [name, *cells, total, cost, "—" if p50 is None else f"{milliseconds(p50)} ms"]
        lines.append("| " + " | ".join(row) + " |")
    return lines
