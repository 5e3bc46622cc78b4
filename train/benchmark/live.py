"""Progress of a benchmark on stderr: a live table on a terminal, one line for each cell that ends elsewhere."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from unseen.train.benchmark.asked import ASKED, FREE
from unseen.train.benchmark.cells import Amount, Cell, Spec
from unseen.train.benchmark.results import FINISHED, Result
from unseen.train.benchmark.run import Task
from unseen.train.leaderboard.report import count, duration, number

LOG = "log.jsonl"
TAIL = 4096  # bytes at the end of a log that hold its last line
UNTRAINED_WEIGHT = 0.01  # weight of a cell that is only scored, in the estimate of the time left


class Live:
    """Shows the cells of `spec`. Use it in a ``with`` block.

    Args:
        results: by cell id; the caller adds new ones.
        tasks: the cells to run.
        running: returns the tasks that are running now.
    """

    def __init__(
        self, spec: Spec, results: dict[str, Result], tasks: Sequence[Task], running: Callable[[], list[Task]]
    ) -> None:
        self.spec, self.results, self.tasks, self.running = spec, results, tasks, running
        self._started = time.monotonic()
        self._before = self._work_done()
        self._screen: Any = None

    def __enter__(self) -> Live:
        done, failed = len(self.results), sum(one.status != FINISHED for one in self.results.values())
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live as Screen

            self._screen = Screen(get_renderable=self.render, console=Console(stderr=True), refresh_per_second=1)
            self._screen.start()
        else:
            self.say(f"{self.spec.name}: {done} of {len(self.spec.cells)} cells have a result ({failed} failed)")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._screen is not None:
            self._screen.stop()

    def ended(self, cell: Cell, result: Result) -> None:
        """Report a result that the caller has stored."""
        if self._screen is None or result.status != FINISHED:
            at = f"[{len(self.results)}/{len(self.spec.cells)}]"
            self.say(f"{at} {cell.title}: {outcome(result)}{self._left()}")

    def say(self, text: str) -> None:
        if self._screen is not None:
            self._screen.console.print(f"unseen: {text}", highlight=False, markup=False)
        else:
            print(f"unseen: {text}", file=sys.stderr, flush=True)

    def eta(self) -> float | None:
        """Estimated seconds until all cells have ended, at the speed so far; None if nothing was done yet."""
        done = self._work_done()
        left, gained = sum(map(_weight, self.tasks)) - done, done - self._before
        return None if gained <= 0 else max(0.0, left * (time.monotonic() - self._started) / gained)

    def _left(self) -> str:
        seconds = self.eta()
        return "" if not seconds else f"; about {duration(seconds)} left"

    def _work_done(self) -> float:
        return sum(_weight(task) * self._share(task) for task in self.tasks)

    def _share(self, task: Task) -> float:
        return 1.0 if task.cell.id in self.results else progress(task)[0]

    def render(self) -> Any:
        """A table of agents x environments, with median scores and numbers of runs; below it, what is running."""
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        tasks = {task.cell.id: task for task in self.tasks}
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", title=self.spec.title, title_style="")
        table.add_column("agent")
        for env in self.spec.envs:
            table.add_column(env.label)
        for agent in self.spec.agents:
            row = []
            for env in self.spec.envs:
                cells = [cell for cell in self.spec.cells if cell.agent is agent and cell.env is env]
                found = [self.results[cell.id] for cell in cells if cell.id in self.results]
                shares = [progress(tasks[c.id])[0] for c in cells if c.id in tasks and c.id not in self.results]
                row.append(_group(agent.policy, found, len(cells), sum(shares)))
            table.add_row(agent.label, *row)
        lines = []
        for task in self.running():
            share, steps, cpu = progress(task)
            if not steps:
                continue
            lines.append(f"{task.cell.title}: {100 * share:.0f} %, {count(steps)} steps, {cpu:.0f} CPU-s")
        seconds = self.eta()
        left = "estimating the time left" if seconds is None else f"about {duration(seconds)} left"
        state = f"{len(self.results)} of {len(self.spec.cells)} cells have a result; {left}"
        return Group(table, Text("\n".join(lines), style="dim"), Text(state))


def _group(policy: str, found: Sequence[Result], n: int, begun: float) -> str:
    """Runs of one agent on one environment: ".97 3/5 +40 %"."""
    finished = [one for one in found if one.status == FINISHED]
    scores = [one.measured(final) for one in finished if (final := one.score(policy))]
    text = f"{number(statistics.median(scores))} " if scores else ""
    text += f"{len(finished)}/{n}"
    if failed := len(found) - len(finished):
        text += f" {failed} failed"
    return text + (f" +{100 * begun:.0f} %" if begun else "")


def outcome(result: Result) -> str:
    """A result in a line."""
    if result.status != FINISHED:
        return f"failed: {result.error}"
    parts = [f"{number(result.measured(s))} {name}" for name in ("greedy", "sampled") if (s := result.score(name))]
    trained = f", {count(result.steps)} steps, {result.cpu_s:.0f} CPU-s" if result.steps else ""
    return ", ".join(parts if result.sampled else parts[:1]) + trained


def progress(task: Task) -> tuple[float, int, float]:
    """Used fraction of the budget, steps, and CPU-seconds of a cell, from its log; zeros if it has not begun."""
    cell = task.cell
    if cell.protocol is None or cell.agent.free is None:
        budget, last = cell.budget, _last_line(task.folder / LOG)
    else:
        budget = Amount(episodes=cell.agent.free.episodes + cell.protocol.asked[-1])
        last = _last_line(task.folder / ASKED / LOG) or _last_line(task.folder / FREE / LOG)
    steps, cpu, episodes = (float(last.get(name, 0)) for name in ("steps", "cpu_s", "episodes"))
    used = ((steps, budget.steps), (cpu, budget.cpu_seconds), (episodes, budget.episodes))
    return min(1.0, max((amount / limit for amount, limit in used if limit), default=0.0)), int(steps), cpu


def _last_line(path: Path) -> dict[str, Any]:
    """The last complete line of a JSONL file that another process writes to; {} if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.read().split(b"\n")[:-1]
        found = json.loads(lines[-1])
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError, IndexError):
        return {}


def _weight(task: Task) -> float:
    """Work of a cell, for the estimate of the time left: its budget in CPU-seconds, or 1 if it has none."""
    return (task.cell.budget.cpu_seconds or 1.0) if task.cell.agent.trains else UNTRAINED_WEIGHT
