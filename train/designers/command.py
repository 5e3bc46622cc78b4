"""The command `unseen designers`: what imagination is worth to a designer of cars, as tables and a figure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from tyro.conf import arg

from unseen.agents.protocol import MAX_TRAINING_SEED
from unseen.train.designers.report import draw, markdown
from unseen.train.designers.study import QUICK, Row, Study, StudyConfig
from unseen.train.errors import StoreError, UsageError
from unseen.train.files import check_folder, write_text

__all__ = ["DesignersConfig", "designers"]

SPEEDS = ("imagined", "simulated")  # scenarios per CPU-second


@dataclass(frozen=True)
class DesignersConfig:
    """What to compare. What is stored is not run again."""

    level: int = 2
    """level of ProvingGround"""
    seeds: Annotated[tuple[int, ...], arg(metavar="INT [INT ...]", help_behavior_hint="(default: 0 1 2)")] = (0, 1, 2)
    """training seeds; each has its own held-out programmes"""
    past: Annotated[
        tuple[int, ...], arg(metavar="INT [INT ...]", help_behavior_hint="(default: 10 30 100 300 1000)")
    ] = ()
    """numbers of past programmes to learn from, for seeds without a stored result"""
    out: Path = Path("results/industry/designers")
    """folder for seed-*.json, report.md and score.svg"""
    quick: bool = False
    """few programmes and scenarios, to try the command"""
    report: bool = False
    """run nothing: make tables and figure from the stored results"""


def designers(config: DesignersConfig) -> Path:
    """Run what is not stored, and write the report. Returns its path.

    Raises UsageError, MissingExtra, StoreError.
    """
    good = all(0 <= seed <= MAX_TRAINING_SEED for seed in config.seeds)
    if not config.seeds or not good or len(set(config.seeds)) < len(config.seeds):
        raise UsageError(f"--seeds: different integers in 0..{MAX_TRAINING_SEED}")
    if any(after <= before for before, after in zip((0, *config.past), config.past, strict=False)):
        raise UsageError("--past: increasing integers from 1 on")
    plan = replace(QUICK if config.quick else StudyConfig(config.level), level=config.level, seeds=config.seeds)
    results = []
    for seed in config.seeds:
        path = config.out / f"seed-{seed}.json"
        if config.report and not path.exists():
            raise UsageError(f"--report: {path} is missing")
        found = _read(path, plan) if path.exists() else Found((), {})
        if not config.report:
            found = _complete(
                found, replace(plan, seeds=(seed,), past=_past(found.rows) or config.past or plan.past), path
            )
        results.append(found)
    rows = [row for found in results for row in found.rows]
    speeds = [found.speeds for found in results]
    plan = replace(plan, past=_past(rows))
    report, figure = config.out / "report.md", config.out / "score.svg"
    with _writing(report):
        write_text(report, markdown(plan, rows, speeds))
    with _writing(figure):
        draw(plan, rows, figure)
    print(report.read_text(encoding="utf-8"), end="")
    return report


class Found(NamedTuple):
    """The results of a seed: rows, and scenarios per CPU-second, "imagined" and "simulated"."""

    rows: Sequence[Row]
    speeds: dict[str, float]


def _past(rows: Sequence[Row]) -> tuple[int, ...]:
    """The numbers of past programmes in these rows."""
    return tuple(sorted({row.past for row in rows if row.past}))


def _complete(found: Found, plan: StudyConfig, path: Path) -> Found:
    """Run what is missing of a seed, and store it. Raises StoreError before it runs if nothing can be stored."""
    check_folder(path.parent)
    from unseen.train.trainer import set_up_torch

    set_up_torch("cpu", 1)
    study = Study(plan, lambda text: print(text, flush=True), found.rows, found.speeds)
    study.run()
    if len(study.rows) == len(found.rows):
        return found
    made = {
        "plan": _comparable(plan),
        "speeds": study.speeds,
        "rows": [asdict(row) for row in study.rows],
    }
    with _writing(path):
        write_text(path, json.dumps(made) + "\n")
    return Found(study.rows, study.speeds)


def _read(path: Path, plan: StudyConfig) -> Found:
    """A stored result. Raises StoreError if it is not one, or of another plan."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        stored = {name: made["plan"].get(name) for name in _comparable(plan)}
        if stored != json.loads(json.dumps(_comparable(plan))):
            raise StoreError(path, "made with another plan; choose another --out, or remove it")
        rows = [Row(**_tuples(row)) for row in made["rows"]]
        if not any(row.past for row in rows):
            raise ValueError("nobody in it has learned from past programmes")
        return Found(rows, {name: float(made["speeds"][name]) for name in SPEEDS})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(path, f"cannot be read: {type(error).__name__}: {error}") from error


def _comparable(plan: StudyConfig) -> dict[str, Any]:
    """The parts of a plan that must be the same in all seeds."""
    return {name: value for name, value in asdict(plan).items() if name not in ("seeds", "past", "curve")}


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(map(float, value)) if isinstance(value, list) else value for name, value in row.items()}


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """OSErrors inside the context become StoreErrors."""
    try:
        yield
    except OSError as error:
        raise StoreError(path, f"cannot be written: {error.strerror or error}") from error
