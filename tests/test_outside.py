"""benchmarks/outside.toml: every agent trains, is scored and reported on other people's memory tasks, where these are installed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sb3_contrib")

from unseen.train.benchmark.report import write_report
from unseen.train.benchmark.results import FINISHED, Result
from unseen.train.benchmark.run import Task, run_cell
from unseen.train.benchmark.spec import read_spec

SPEC = Path(__file__).parents[1] / "benchmarks" / "outside.toml"
RAW = tomllib.loads(SPEC.read_text(encoding="utf-8"))
SMALL = {
    "dreamer": "{ envs = 2, prefill = 2, batch = 2, deter = 16, hidden = 16, sequence = 8 }",
    "gru-ppo": "{ envs = 2, batch = 2, epochs = 1, hidden = 16, longest = 40 }",
    "recurrent-ppo": "{ envs = 2, rollout = 16, batch = 32, epochs = 1, hidden = 16, lstm = 16 }",
}


def missing(name: str) -> list[str]:
    """Packages that an environment needs and that are not installed."""
    needed = [name.partition(":")[0], *(["bsuite"] if "bsuite" in name else [])]
    return [package for package in needed if find_spec(package) is None]


def environments() -> Iterator[Any]:
    for env in RAW["environment"]:
        lacking = missing(env["name"])
        skip = pytest.mark.skipif(bool(lacking), reason=f"not installed: {', '.join(lacking)} (extra `outside`)")
        yield pytest.param(env, marks=skip, id=env["name"].partition(":")[2])


def small_spec(env: dict[str, Any]) -> str:
    """The specification with one environment, small agents and a tiny budget, as TOML."""
    lines = ['search = "none"', "seeds = [0]", "budget = { steps = 60 }"]
    lines += ["evaluation = { episodes = 2, final_episodes = 2, every = { steps = 60 } }"]
    for agent in RAW["agent"]:
        lines += [
            "[[agent]]",
            f'name = "{agent["name"]}"',
            f"set = {SMALL[agent['name']]}",
            f'label = "{agent["name"]}"',
        ]
    lines += ["[[environment]]", f'name = "{env["name"]}"']
    parameters = ", ".join(f"{name} = {json.dumps(value)}" for name, value in env.get("set", {}).items())
    return "\n".join([*lines, f"set = {{ {parameters} }}"])


@pytest.mark.parametrize("env", [*environments()])
def test_every_cell_trains_and_is_scored_and_reported(env: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(small_spec(env), encoding="utf-8")
    spec = read_spec(path)
    results: dict[str, Result] = {}
    for cell in spec.cells:
        result = run_cell(Task(cell, tmp_path / cell.id, checkpoint_every=60.0))
        assert isinstance(result, Result) and result.status == FINISHED, result
        assert result.steps >= 60 and result.greedy and result.sampled and result.curve
        results[cell.id] = result
    report = write_report(spec, results, tmp_path, path).read_text(encoding="utf-8")
    assert all(f"| {agent['name']} |" in report for agent in RAW["agent"])


def test_the_specification_is_valid() -> None:
    lacking = {package for env in RAW["environment"] for package in missing(env["name"])}
    if lacking:
        pytest.skip(f"not installed: {', '.join(sorted(lacking))} (extra `outside`)")
    assert len(read_spec(SPEC).cells) == len(RAW["environment"]) * len(RAW["agent"]) * len(RAW["seeds"])
