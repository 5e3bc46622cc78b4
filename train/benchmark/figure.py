"""Learning curves of a benchmark: one row of panels for each environment, against steps, episodes and CPU-seconds, and, if measured,
the final score against imagined steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unseen.train.benchmark.cells import EnvEntry, Spec
from unseen.train.benchmark.results import CURVE, Result
from unseen.train.benchmark.summary import Group, begun
from unseen.train.curves import INK, MUTED, plain_settings
from unseen.train.leaderboard import charts

IMAGINED = "imagined"
AXES = {
    "steps": "environment steps", "episodes": "real episodes", "cpu_s": "CPU-seconds",
    IMAGINED: "imagined steps a plan, at most",
}  # fmt: skip
COLOURS = ("#0b7a75", "#4f86d9", "#c8781a", "#a8481f", "#7a4fb5", "#3b8f3b", "#b0417a", "#5b6370")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))  # of the first 8 agents, the next 8, and so on
COLUMNS = 3  # maximum number of columns, in the figure with one panel for each environment
GRID_POINTS = 100  # of the median curve
WIDTH = 10.2  # inches
LEGEND_WIDTH, LINE_WIDTH = 140, 6  # characters in a row of the legend, and of the line beside each label
WIDE = 300  # ratio of an axis's ends above which only powers of ten are labelled
Y_LABELS = {"success": "score", "return": "mean return"}


def draw(spec: Spec, every: Sequence[Group], path: Path) -> bool:
    """Write the figure. Returns False, and writes none, if there is no curve. Raises OSError."""
    if not any(one.curve for group in every for one in (*group.finished, *group.failed)):
        return False
    styles, envs = _shown(spec, every)
    axes_of = [axis for axis in AXES if axis != IMAGINED or _budgets(spec)]
    size = (len(envs), len(axes_of))
    with _panels(path, styles, size, 2.3 * len(envs) + 0.5, sharey="row") as panels:
        for line, env in zip(panels, envs, strict=True):
            for axes, axis in zip(line, axes_of, strict=True):
                _panel(axes, axis, env, every, styles, spec)
            line[0].set_title(env.label, loc="left")
            line[0].set_ylabel(Y_LABELS[spec.evaluation.score])
    return True


def draw_imagination(spec: Spec, every: Sequence[Group], path: Path) -> bool:
    """Like `draw`, with a column for each environment: scores against real episodes, and against imagined steps below."""
    if not any(one.imagined for group in every for one in group.finished):
        return False
    styles, envs = _shown(spec, every)
    with _panels(path, styles, (2, len(envs)), 5.2, sharey="col") as panels:
        for line, axis in zip(panels, ("episodes", IMAGINED), strict=True):
            line[0].set_ylabel(Y_LABELS[spec.evaluation.score])
            for axes, env in zip(line, envs, strict=True):
                _panel(axes, axis, env, every, styles, spec)
        for axes, env in zip(panels[0], envs, strict=True):
            axes.set_title(env.label, loc="left")
    return True


def draw_asked(spec: Spec, every: Sequence[Group], path: Path) -> bool:
    """Like `draw`, for a benchmark with free play and questions: one panel for each environment."""
    assert spec.protocol is not None
    if not any(one.curve for group in every for one in group.finished):
        return False
    styles, envs = _shown(spec, every)
    columns, at = min(COLUMNS, len(envs)), range(len(spec.protocol.asked))
    rows = -(-len(envs) // columns)
    with _panels(path, styles, (rows, columns), 2.6 * rows + 0.8, sharey="all") as panels:
        for axes, env in zip(panels.flat, envs, strict=False):
            for group in (one for one in every if one.env is env and one.finished):
                _plot_points(axes, at, [group.asked(k) for k in at], *styles[group.agent.label])
            axes.set_xticks(list(at), [str(count) for count in spec.protocol.asked])
            axes.set_xlabel("asked episodes" if spec.free else "real episodes")
            axes.set_ylabel(Y_LABELS[spec.evaluation.score])
            axes.set_title(env.label, loc="left")
            if spec.evaluation.score == "success":
                axes.set_ylim(-0.03, 1.03)
        for axes in panels.flat[len(envs) :]:
            axes.set_axis_off()
    return True


@contextmanager
def _panels(
    path: Path,
    styles: dict[str, tuple[str, Any]],
    size: tuple[int, int],
    height: float,
    sharey: Literal["row", "col", "all"],
) -> Iterator[Any]:
    """An array of empty panels of this size; afterwards the figure gets a legend and is written to `path`. Height in inches."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(plain_settings()):
        figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
        yield figure.subplots(*size, sharey=sharey, squeeze=False)
        _legend(figure, styles)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _shown(spec: Spec, every: Sequence[Group]) -> tuple[dict[str, tuple[str, Any]], list[EnvEntry]]:
    """Colour and dash of each agent that has been run, by label, and the environments with a run.

    An agent keeps its style when others follow.
    """
    agents, envs = begun(spec, every)
    styles = {a.label: (COLOURS[k % 8], DASHES[k // 8 % 3]) for k, a in enumerate(spec.agents) if a in agents}
    return styles, envs


def _budgets(spec: Spec) -> list[int]:
    """Numbers of imagined steps that a logarithmic axis can show."""
    return [steps for steps in spec.imagined if steps]


def _panel(
    axes: Any, axis: str, env: EnvEntry, every: Sequence[Group], styles: dict[str, tuple[str, Any]], spec: Spec
) -> None:
    """Plot the scores of all agents in one environment against one of AXES."""
    from matplotlib.ticker import LogLocator, NullFormatter

    for group in (one for one in every if one.env is env and one.agent.label in styles):
        style = styles[group.agent.label]
        if axis != IMAGINED:
            _plot(axes, group, axis, *style)
        elif any(found := {steps: scores for steps in _budgets(spec) if (scores := group.by_imagined(steps))}):
            _plot_points(axes, list(found), list(found.values()), *style)
    axes.axhline(env.threshold, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if right > WIDE * left else (1.0, 3.0)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda value, _: charts.short(value))
    axes.set_xlabel(AXES[axis])


def _plot(axes: Any, group: Group, axis: str, colour: str, dash: Any) -> None:
    """Plot every run as a thin line, a failed one with a cross at its end, and the median of the finished ones as a thick line."""
    if not group.agent.trains:
        for score in group.headline():
            axes.axhline(score, color=colour, lw=1.4, ls=dash)
        return
    policy = group.agent.policy
    lines = [line for one in group.finished if len((line := _points(one, axis, policy))[0])]
    for x, y in lines:
        if len(x) == 1:
            axes.plot(x, y, color=colour, marker="o", ms=3)
        else:
            axes.plot(x, y, color=colour, lw=0.7, alpha=0.4)
    for one in group.failed:
        x, y = _points(one, axis, policy)
        axes.plot(x, y, color=colour, lw=0.7, alpha=0.4, marker="x", markevery=[-1] if len(x) else [])
    if lines and (low := max(x[0] for x, _ in lines)) < (high := min(x[-1] for x, _ in lines)):
        grid = np.geomspace(low, high, GRID_POINTS)
        axes.plot(grid, np.median([np.interp(grid, x, y) for x, y in lines], axis=0), color=colour, lw=2, ls=dash)


def _plot_points(axes: Any, x: Sequence[int], scores: list[list[float]], colour: str, dash: Any) -> None:
    """Plot scores [point][run] at each x: runs as thin lines, their median as a thick one."""
    axes.plot(x, np.array(scores), color=colour, lw=0.7, alpha=0.4)
    axes.plot(x, np.median(scores, axis=1), color=colour, lw=2, ls=dash, marker="o", ms=3)


def _points(result: Result, axis: str, policy: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = CURVE.index(axis), CURVE.index(policy)
    points = np.array([(p[x], p[y]) for p in result.curve if p[x]], np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _legend(figure: Any, styles: dict[str, tuple[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=c, lw=2.2, ls=dash, label=name) for name, (c, dash) in styles.items()]
    columns = max(1, min(4, len(handles), LEGEND_WIDTH // (max(map(len, styles)) + LINE_WIDTH)))
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, frameon=False, labelcolor=INK)
