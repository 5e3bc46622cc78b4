"""The report of a benchmark, from its stored results: `report.md` with the tables, `curves.svg`, and `imagination.svg` if agents plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unseen.train.benchmark.cells import Cell, Spec
from unseen.train.benchmark.figure import draw, draw_asked, draw_imagination
from unseen.train.benchmark.notes import notes
from unseen.train.benchmark.results import Result, strangers
from unseen.train.benchmark.summary import groups
from unseen.train.benchmark.tables import asked_table, imagined_table, rankings, safe, summary, table
from unseen.train.errors import StoreError
from unseen.train.files import write_text
from unseen.train.leaderboard.report import count


def write_report(spec: Spec, results: Mapping[str, Result], folder: Path, path: Path) -> Path:
    """Write the report into the folder of the results, and return its path. Raises StoreError.

    Args:
        results: by cell id.
        path: of the spec, for the command in the report.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figure, every = draw if spec.protocol is None else draw_asked, groups(spec, results)
        pictured = figure(spec, every, folder / "curves.svg")
        draw_imagination(spec, every, folder / "imagination.svg")
        report = folder / "report.md"
        write_text(report, markdown(spec, results, path.name, pictured, strangers(folder, spec)))
    except OSError as error:
        raise StoreError(folder, f"cannot be written: {error.strerror or error}") from error
    return report


def markdown(spec: Spec, results: Mapping[str, Result], file: str, pictured: bool, others: int = 0) -> str:
    """The report.

    Args:
        file: name of the spec.
        pictured: whether there is a curves.svg.
        others: number of stored results that are of none of its runs.
    """
    every = groups(spec, results)
    finished = sum(len(group.finished) for group in every)
    failed = sum(len(group.failed) for group in every)
    missing = len(spec.cells) - finished - failed
    parts = [
        f"# {safe(spec.title)}",
        f"Made by `unseen benchmark {file} --report`. Runs: {len(spec.cells)} planned, {finished} finished, {failed} failed, "
        f"{missing} unfinished."
        + (f" **{others} stored results are of no run of this specification.**" if others else ""),
        f"Search budget of the settings: {safe(spec.search)}",
    ]
    if pictured:
        parts.append("![Learning curves](curves.svg)" if spec.protocol is None else "![Asked](curves.svg)")
    if any(group.normalised() for group in every) and len(spec.envs) > 1 and spec.protocol is None:
        parts += ["## Overall", summary(spec, every)]
    if any(one.imagined for group in every for one in group.finished):
        parts += ["## By imagined steps", imagined_table(every, spec.imagined)]
    for env in spec.envs:
        own = [group for group in every if group.env is env]
        if spec.protocol is None:
            parts += [f"## {safe(env.label)}", table(own, env.threshold), rankings(own, env.threshold)]
        else:
            parts += [f"## {safe(env.label)}", asked_table(own, spec.protocol)]
    if failed:
        parts.append(_failures(spec, results))
    parts += ["## How to read this", notes(spec, results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _failures(spec: Spec, results: Mapping[str, Result]) -> str:
    def line(cell: Cell, result: Result) -> str:
        return f"- {safe(cell.title)}, at {count(result.steps)} steps: {safe(result.error)}"

    pairs = [(cell, results[cell.id]) for cell in spec.cells if cell.id in results]
    return "## Failed runs\n\n" + "\n".join(line(cell, one) for cell, one in pairs if one.error)
