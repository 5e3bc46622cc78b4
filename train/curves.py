"""`unseen curves`: plot the learning curves of the included agents, one panel per environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from unseen.agents.load import Run, list_runs
from unseen.agents.roster import trainable
from unseen.envs.errors import UnseenError
from unseen.envs.suite import SUITE, Entry, resolve
from unseen.train.errors import StoreError
from unseen.train.leaderboard import charts

COLUMNS = 3
COLOURS = {
    "ppo": "#c8781a", "recurrent-ppo": "#a8481f", "dreamer": "#4f86d9", "mapper": "#0b7a75", "gru-ppo": "#8e3fa8",
    "gru-mapper": "#b8336a",
}  # fmt: skip
"""The same as on the leaderboard page."""
INK, MUTED, GRID = "#22252b", "#666c77", "#e2e4e8"


class NoCurves(UnseenError, LookupError):
    """There is no trained agent for the requested environments and level."""


@dataclass(frozen=True)
class CurvesConfig:
    """What to plot, and where."""

    env: Annotated[Positional[tuple[str, ...]], arg(metavar="[ENV ...]", help_behavior_hint="")] = ()
    """environments; by default all with a trained agent"""
    level: int = 1
    """training level"""
    against: Literal["steps", "cpu"] = "steps"
    """x axis: environment steps or CPU minutes"""
    out: Path = Path("curves.svg")
    """image file: .svg, .png or .pdf"""


def curves(config: CurvesConfig) -> Path:
    """Plot the curves and return the path of the image. Raises UnknownEnvironment, NoCurves, StoreError."""
    entries = [resolve(name) for name in config.env] or list(SUITE.values())
    runs = {entry.name: _runs(entry, config.level) for entry in entries}
    entries = [entry for entry in entries if runs[entry.name]]
    if not entries:
        raise NoCurves(f"no trained agent is included for {', '.join(runs)} at level {config.level}; see: unseen list")
    try:
        config.out.parent.mkdir(parents=True, exist_ok=True)
        _draw(entries, runs, config)
    except (OSError, ValueError) as error:  # ValueError: a format unknown to matplotlib
        raise StoreError(config.out, str(error)) from error
    print(config.out)
    return config.out


def _runs(entry: Entry, level: int) -> list[Run]:
    found = [run for name in trainable() for run in list_runs(name, entry.name, level)]
    return [run for run in found if len(run.card.curve) > 1]


def memoryless(entry: Entry, level: int) -> float | None:
    """The best score without memory; None for tasks, and levels, that need no memory."""
    task = entry.task
    return None if task.hidden is None or level == 0 else task.chance(task.at(level))


def _draw(entries: list[Entry], runs: dict[str, list[Run]], config: CurvesConfig) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    column, unit, label = (0, 1.0, "environment steps") if config.against == "steps" else (1, 60.0, "CPU minutes")
    with matplotlib.rc_context(plain_settings()):
        figure = Figure(figsize=(3.4 * columns, 2.5 * rows + 0.35), layout="constrained", facecolor="white")
        alike = all((entry.task.score.low, entry.task.score.high) == (0.0, 1.0) for entry in entries)
        panels = figure.subplots(rows, columns, sharex=True, sharey=alike, squeeze=False)
        for axes in panels.flat[len(entries) :]:
            axes.remove()
        for axes, entry in zip(panels.flat, entries, strict=False):
            axes.set_title(f"{entry.name}, level {config.level}", loc="left")
            if (ceiling := memoryless(entry, config.level)) is not None:
                axes.axhline(ceiling, color=MUTED, lw=1.2, ls=(0, (4, 3)))
            for run in runs[entry.name]:
                points = [(point[column] / unit, point[2]) for point in run.card.curve if point[column] > 0]
                axes.plot(*zip(*points, strict=True), color=COLOURS.get(run.agent, INK), lw=1.9)
            axes.set_xscale("log")
            if alike:
                axes.set_ylim(-0.02, 1.02)
            axes.xaxis.set_major_formatter(lambda value, _: charts.short(value))
        for axes in panels[:, 0]:
            axes.set_ylabel("mean return")
        for k, axes in enumerate(panels.flat[: len(entries)]):
            if k + columns >= len(entries):
                axes.set_xlabel(label)
                axes.tick_params(labelbottom=True)
        _legend(
            figure, [name for name in COLOURS if any(run.agent == name for found in runs.values() for run in found)]
        )
        figure.savefig(config.out, metadata={"Date": None} if config.out.suffix == ".svg" else None, dpi=150)


def _legend(figure: Any, agents: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=COLOURS[name], lw=2.4, label=name) for name in agents]
    handles.append(Line2D([], [], color=MUTED, lw=1.2, ls=(0, (4, 3)), label="best score without memory"))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, handlelength=1.6)


def plain_settings() -> dict[Any, Any]:
    """The settings of the leaderboard's charts with fixed colours, since a standalone image has no CSS variables."""
    plain = {charts.INK: INK, charts.MUTED: MUTED, charts.GRID: GRID}
    same = {name: plain.get(value, value) for name, value in charts.SETTINGS.items()}
    return same | {"svg.fonttype": "path", "font.size": 10, "axes.titlesize": 10.5, "ytick.color": MUTED}
