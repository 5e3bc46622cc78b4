"""Results of cells: one small JSON file each, without paths of the machine."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any

from unseen.train.benchmark.cells import Cell, Spec, measure
from unseen.train.errors import StoreError
from unseen.train.files import flush_folder, write_text
from unseen.train.heldout import Score

FINISHED, FAILED = "finished", "failed"
CURVE = ("steps", "episodes", "cpu_s", "greedy", "sampled")
"""Columns of a learning curve. What scores are is said by `Evaluation.score`."""


@dataclass(frozen=True)
class Result:
    """The result of a cell."""

    id: str
    cell: Mapping[str, Any]
    """what defines the cell; see `Cell.content`"""
    status: str
    error: str = ""
    steps: int = 0
    episodes: int | None = None
    """real episodes of training; None if the learner does not count them"""
    cpu_s: float = 0.0
    """CPU-seconds of training alone"""
    wall_s: float = 0.0
    """wall time of the run in seconds, evaluations included"""
    greedy: Score | None = None
    """final score, with the most likely actions"""
    sampled: Score | None = None
    """final score, with actions sampled from the policy; None for a scripted agent"""
    anchors: tuple[float, float] | None = None
    """mean returns of random play and the oracle; None without anchors"""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """all settings of the algorithm"""
    versions: Mapping[str, str] = field(default_factory=dict)
    """versions of packages, by name"""
    machine: str = ""
    """operating system and kind of processor"""
    pace: float | None = None
    """CPU-seconds of a fixed workload on the core that ended the training, see `unseen.train.pace`; None if it was not measured"""
    imagined: tuple[tuple[int, float], ...] = ()
    """pairs of a maximum number of imagined steps per plan and the score with it, of a planning agent"""
    curve: tuple[tuple[Any, ...], ...] = ()
    """points with the columns CURVE"""

    def score(self, policy: str) -> Score | None:
        """The final score of a policy; a scripted agent has only one."""
        return self.greedy if policy == "greedy" or self.sampled is None else self.sampled

    def measured(self, found: Score) -> float:
        """The number that stands for a score of this cell; see `Evaluation.score`."""
        return measure(found, self.cell.get("evaluation", {}).get("score", "success"))


def as_text(result: Result) -> str:
    """The result as JSON with one key, and one point of the curve, a line."""
    values = dict(vars(result))
    for policy in ("greedy", "sampled"):
        values[policy] = values[policy] and vars(values[policy])
    points = ",".join("\n  " + json.dumps(point, allow_nan=False) for point in values.pop("curve"))
    lines = [f' "{name}": {json.dumps(value, allow_nan=False)}' for name, value in values.items()]
    return "{\n" + ",\n".join([*lines, f' "curve": [{points}]']) + "\n}\n"


def from_text(text: str) -> Result:
    """Raises ValueError, KeyError or TypeError if the text is not that of a result."""
    values = json.loads(text)
    unknown = set(values) - {part.name for part in fields(Result)}
    if unknown or values["status"] not in (FINISHED, FAILED):
        raise ValueError(f"unknown keys {sorted(unknown)} or status")
    for policy in ("greedy", "sampled"):
        values[policy] = values[policy] and Score(**values[policy])
    if values["status"] == FINISHED and values["greedy"] is None:
        raise ValueError("finished without a score")
    values["anchors"] = values["anchors"] and tuple(values["anchors"])
    for name in ("imagined", "curve"):
        values[name] = tuple(tuple(point) for point in values.get(name, ()))
    if any(len(point) != len(CURVE) for point in values["curve"]):
        raise ValueError(f"a point of the curve has the columns {', '.join(CURVE)}")
    result = Result(**values)
    _check_values(result)
    return result


def _check_values(result: Result) -> None:
    """Raises ValueError if a value is of another type, or a number is not finite."""
    for kind, names in ((dict, ("cell", "settings", "versions")), (str, ("error", "machine"))):
        for name in names:
            if not isinstance(getattr(result, name), kind):
                raise ValueError(f"{name} is {getattr(result, name)!r}")
    if result.anchors is not None and len(result.anchors) != 2:
        raise ValueError(f"anchors are {result.anchors!r}")
    scores = [tuple(vars(score).values()) for score in (result.greedy, result.sampled) if score is not None]
    amounts = (result.steps, result.episodes, result.cpu_s, result.wall_s, result.pace, *(result.anchors or ()))
    for value in chain(amounts, *scores, *result.imagined, *result.curve):
        if value is not None and (not isinstance(value, int | float) or not math.isfinite(value)):
            raise ValueError(f"{value!r} is not a number")


def path_of(folder: Path, cell: Cell) -> Path:
    """The file of a cell's result. Its name describes the cell; the id at its end distinguishes cells that differ in anything else."""
    env = cell.env.config
    level = "" if env.chosen_level is None else f"{env.chosen_level}-"
    return folder / re.sub(r"[^\w.-]", "-", f"{cell.agent.name}-{env.label}-{level}{cell.seed}-{cell.id}.json")


def write(folder: Path, cell: Cell, result: Result) -> None:
    """Store a result atomically. Raises StoreError."""
    path = path_of(folder, cell)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, as_text(result))
        flush_folder(folder)
    except OSError as error:
        raise StoreError(path, f"cannot be written: {error.strerror or error}") from error


def strangers(folder: Path, spec: Spec) -> int:
    """Number of stored results that are of no cell of the spec, as after a change of its settings."""
    return len(set(folder.glob("*.json")) - {path_of(folder, cell) for cell in spec.cells})


def read(folder: Path, spec: Spec) -> dict[str, Result]:
    """The stored results of the spec's cells, by id. Raises StoreError for a damaged file."""
    found = {}
    for cell in spec.cells:
        path = path_of(folder, cell)
        try:
            if path.is_file():
                result = from_text(path.read_text(encoding="utf-8"))
                if result.id != cell.id:
                    raise ValueError(f"has the id {result.id}")
                found[cell.id] = result
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
            raise StoreError(path, f"not a result ({error}); delete it to run the cell again") from error
    return found
