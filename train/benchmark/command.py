"""The command `unseen benchmark`."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from unseen.agents.errors import BadAgent
from unseen.agents.load import load_agent
from unseen.agents.roster import learner_class
from unseen.agents.shared.settings import configure
from unseen.train.benchmark import results as stored
from unseen.train.benchmark.cells import Cell, Spec
from unseen.train.benchmark.on_ray import RayPool
from unseen.train.benchmark.page import renew, tables_in
from unseen.train.benchmark.report import write_report
from unseen.train.benchmark.results import FAILED, Result
from unseen.train.benchmark.spec import BadSpec, read_spec
from unseen.train.benchmark.summary import groups
from unseen.train.benchmark.tables import tables
from unseen.train.errors import StoreError, UsageError, WorkerLost
from unseen.train.files import check_folder
from unseen.train.leaderboard.workers import Pool

__all__ = ["BenchmarkConfig", "benchmark"]

NO_LIMIT = 1e6  # seconds for one cell: about as long as the operating system can wait in one call


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to run. A benchmark that was interrupted or killed continues when it is run again."""

    spec: Annotated[Path, arg(metavar="SPEC.toml")]
    """the specification; see docs/benchmark.md"""
    report: bool = False
    """train nothing: make the tables and figures from the stored results"""
    page: Annotated[tuple[Path, ...], arg(metavar="FILE.md ...", help_behavior_hint="")] = ()
    """also renew the tables of these pages: each goes between `<!-- benchmark NAME: begin -->` and `<!-- benchmark NAME: end -->`.
    NAME is the benchmark's name or, for scores by imagined steps, that name and the word imagined"""
    workers: Annotated[int | Literal["ray"] | None, arg(metavar="INT|ray", help_behavior_hint="")] = None
    """worker processes, each with one thread; by default one for each core. ray: on the cluster of RAY_ADDRESS, or locally"""
    seeds: Annotated[tuple[int, ...] | None, arg(metavar="SEED ...", help_behavior_hint="")] = None
    """run only these seeds of the specification, by default all; likewise `agents` and `environments`. The report is of all cells.
    SPEC.toml goes before options with several values"""
    agents: Annotated[tuple[str, ...] | None, arg(metavar="LABEL ...", help_behavior_hint="")] = None
    """run only agents with these labels"""
    environments: Annotated[tuple[str, ...] | None, arg(metavar="LABEL ...", help_behavior_hint="")] = None
    """run only environments with these labels, such as "Cups 2"; drivers that run different parts at once need different folders `work`"""
    retry: bool = False
    """run failed cells again, from the start"""
    out: Path = Path("results")
    """results are stored in a folder of the benchmark's name below this one"""
    work: Path = Path("runs/benchmark")
    """folder for logs and checkpoints of unfinished cells"""
    checkpoint_every: float = 60.0
    """seconds between checkpoints"""


def benchmark(config: BenchmarkConfig) -> Path:
    """Run the cells without a result, and write the report. Returns its path.

    Raises:
        BadSpec, MissingExtra: before anything is run.
        StoreError, StoreLocked: running it again continues from there.
        UsageError: `workers` is not positive, or a seed or label is not in the specification.
    """
    spec = read_spec(config.spec)
    chosen = _chosen(config, spec)
    folder = config.out / spec.name
    for page in config.page:
        tables_in(page, tables(spec, groups(spec, {})))  # before anything is run
    if not config.report:
        if isinstance(config.workers, int) and config.workers < 1:
            raise UsageError("--workers: must be at least 1")
        if not 0 <= config.checkpoint_every < math.inf:
            raise UsageError("--checkpoint-every: must be a finite number of seconds, 0 or more")
        _check_agents(config.spec, spec, chosen, here=config.workers != "ray")
        _run(config, spec, chosen, folder)
    results = stored.read(folder, spec)
    report = write_report(spec, results, folder, config.spec)
    for page in config.page:
        renew(page, tables(spec, groups(spec, results)))
    print(report.read_text(encoding="utf-8"), end="")
    return report


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chosen(config: BenchmarkConfig, spec: Spec) -> list[Cell]:
    """The cells with the chosen seeds, agents and environments. Raises UsageError."""
    chosen = list(spec.cells)
    parts: list[tuple[str, tuple[Any, ...] | None, Callable[[Cell], Any]]] = [
        ("seeds", config.seeds, lambda cell: cell.seed),
        ("agents", config.agents, lambda cell: cell.agent.label),
        ("environments", config.environments, lambda cell: cell.env.label),
    ]
    for option, wanted, value in parts:
        if wanted is None:
            continue
        known = dict.fromkeys(map(value, spec.cells))
        if not wanted:
            raise UsageError(f"--{option}: needs at least one; allowed: {'; '.join(map(str, known))}")
        for one in wanted:
            if one not in known:
                raise UsageError(f"--{option}: {one!r} is not in {config.spec}; allowed: {'; '.join(map(str, known))}")
        chosen = [cell for cell in chosen if value(cell) in wanted]
    if not chosen:
        raise UsageError(f"--seeds, --agents, --environments: no cell of {config.spec} has all of these")
    return chosen


def _check_agents(path: Path, spec: Spec, cells: Sequence[Cell], here: bool) -> None:
    """Check settings, environments and device of the agents of some cells, as far as that takes no time.

    Args:
        here: agents are trained on this machine, so that it has to have the device.

    Raises BadSpec, and MissingExtra if training needs a package.
    """
    trained = [cell for cell in cells if cell.agent.trains]
    for k, agent in enumerate(spec.agents):
        if any(cell.agent is agent for cell in trained):
            try:
                configure(learner_class(agent.name).config_class, agent.settings)
            except BadAgent as error:
                raise BadSpec(f"{path}: agent[{k}].set: {error}") from error
    for cell in {(cell.agent.label, cell.env.label): cell for cell in cells}.values():
        env = cell.env.config
        try:
            if cell.agent.trains:
                learner_class(cell.agent.name).check(env, cell.device)
            else:
                load_agent(cell.agent.name, env.name, env.level, None, env.overrides)
        except BadAgent as error:
            raise BadSpec(f"{path}: {cell.agent.label} on {cell.env.label}: {error}") from error
    if here and trained:
        from unseen.train.trainer import set_up_torch

        try:
            set_up_torch(trained[0].device, 1)
        except BadAgent as error:
            raise BadSpec(f"{path}: {error}") from error


def _run(config: BenchmarkConfig, spec: Spec, chosen: Sequence[Cell], folder: Path) -> None:
    from unseen.train.benchmark.live import Live
    from unseen.train.benchmark.run import Task
    from unseen.train.trainer import locked_folder

    folder_of_work = (config.work / spec.name).resolve()
    with locked_folder(folder_of_work):
        results = stored.read(folder, spec)
        tasks = []
        for cell in chosen:
            task = Task(cell, folder_of_work / cell.id, config.checkpoint_every)
            known = results.get(cell.id)
            if known is not None and known.status == FAILED and config.retry:
                del results[cell.id]
                known = None
                shutil.rmtree(task.folder, ignore_errors=True)
            if known is None:
                tasks.append(task)
            elif known.status != FAILED:  # the folder is left over if the benchmark was killed after storing the result
                shutil.rmtree(task.folder, ignore_errors=True)
        if not tasks:
            return
        check_folder(folder)
        with _pool(config.workers, len(tasks)) as pool, Live(spec, results, tasks, lambda: pool.running) as live:
            for task, answer in pool.run(tasks):
                if isinstance(answer, WorkerLost):
                    live.say(f"{answer}; it has no result, and runs again the next time")
                elif isinstance(answer, StoreError):
                    raise answer
                elif isinstance(answer, Result):
                    stored.write(folder, task.cell, answer)
                    results[task.cell.id] = answer
                    if answer.status != FAILED:
                        shutil.rmtree(task.folder, ignore_errors=True)
                    live.ended(task.cell, answer)


def _pool(workers: int | Literal["ray"] | None, tasks: int) -> Pool | RayPool:
    from unseen.train.benchmark.run import run_cell, work

    if workers == "ray":
        return RayPool(run_cell, usable_cores())
    return Pool(work, min(workers or usable_cores(), tasks), NO_LIMIT)
