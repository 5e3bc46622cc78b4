"""The benchmark command: whole runs, kill -9 and resumption, failing learners, the report from stored results alone, and Ray."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

from unseen.agents.references import RandomAgent
from unseen.train.benchmark import run
from unseen.train.benchmark.cells import Cell
from unseen.train.benchmark.results import Result
from unseen.train.benchmark.spec import read_spec
from unseen.train.cli import main
from unseen.train.heldout import Score

PPO = "envs = 4, rollout = 16, batch = 32, epochs = 1, hidden = 8"
SPEC = """
search = "none"
seeds = {seeds}
threshold = 0.1
budget = {{ steps = {steps} }}
evaluation = {{ episodes = 10, final_episodes = 20 }}

[[agent]]
name = "ppo"
set = {{ {settings} }}

[[agent]]
name = "{other}"

[[environment]]
name = "RolledBehind"
levels = [1]
"""


def write_spec(
    folder: Path, seeds: str = "[0, 1]", steps: int = 640, settings: str = PPO, other: str = "reflex"
) -> Path:
    path = folder / "tiny.toml"
    path.write_text(SPEC.format(seeds=seeds, steps=steps, settings=settings, other=other))
    return path


def words(spec: Path, out: Path, *more: str) -> list[str]:
    return ["benchmark", str(spec), "--out", str(out / "results"), "--work", str(out / "work"), *more]


def stored(out: Path) -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_text()) for path in (out / "results" / "tiny").glob("*.json")}


def without_clocks(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Results without what depends on the speed of the machine."""
    for one in results.values():
        del one["cpu_s"], one["wall_s"], one["pace"]
        one["curve"] = [point[:2] + point[3:] for point in one["curve"]]
    return results


def test_from_specification_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = write_spec(tmp_path)
    assert main(words(spec, tmp_path, "--workers", "2")) == 0
    said = capsys.readouterr()
    assert "[3/3]" in said.err and "3 planned, 3 finished, 0 failed, 0 unfinished" in said.out
    results = stored(tmp_path)
    assert len(results) == 3
    ppo = next(one for one in results.values() if one["cell"]["agent"] == "ppo" and one["cell"]["seed"] == 1)
    assert ppo["status"] == "finished" and ppo["steps"] == 640 and ppo["settings"]["hidden"] == 8
    assert [point[0] for point in ppo["curve"]] == list(range(64, 641, 64))
    assert ppo["curve"][-1][1] == ppo["episodes"] > 0 and ppo["greedy"]["episodes"] == ppo["sampled"]["episodes"] == 20
    assert str(tmp_path) not in json.dumps(list(results.values()))
    assert not [path for path in (tmp_path / "work" / "tiny").iterdir() if path.is_dir()]  # checkpoints are gone

    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "results").rglob("*.json")}
    assert main(words(spec, tmp_path)) == 0
    assert "3/3" not in capsys.readouterr().err
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before}

    folder, copy = tmp_path / "results" / "tiny", tmp_path / "copy" / "results" / "tiny"
    copy.mkdir(parents=True)
    for path in before:
        shutil.copy(path, copy)
    assert main(words(spec, tmp_path / "copy", "--report")) == 0
    for name in ("report.md", "curves.svg"):
        assert (copy / name).read_bytes() == (folder / name).read_bytes()
    assert not (tmp_path / "copy" / "work").exists()


def test_a_part_of_it_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = write_spec(tmp_path)
    for part in (("--seeds", "1"), ("--agents", "reflex", "--environments", "RolledBehind 1"), ("--seeds", "0", "1")):
        assert main(words(spec, tmp_path, "--workers", "1", *part)) == 0
    said = capsys.readouterr()
    for finished in (1, 2, 3):
        assert f"3 planned, {finished} finished, 0 failed, {3 - finished} unfinished" in said.out
    assert "[1/3] ppo" in said.err and "seed 1" in said.err.split("[1/3]")[1].split("[")[0]


def test_only_what_is_run_needs_the_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = write_spec(tmp_path)
    spec.write_text('device = "nowhere"\n' + spec.read_text())
    assert main(words(spec, tmp_path, "--workers", "1")) == 2 and "nowhere" in capsys.readouterr().err
    assert main(words(spec, tmp_path, "--workers", "1", "--agents", "reflex")) == 0


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (("--seeds", "0", "7"), "--seeds: 7 is not in"),
        (("--agents", "sac"), "allowed: ppo envs=4"),
        (("--environments", "RolledBehind"), "allowed: RolledBehind 1"),
        (("--seeds", "1", "--agents", "reflex"), "has all of these"),
        (("--seeds",), "--seeds: needs at least one; allowed: 0; 1"),
        (("--checkpoint-every", "nan"), "--checkpoint-every: must be a finite number"),
        (("--checkpoint-every", "-5"), "--checkpoint-every: must be a finite number"),
    ],
)
def test_a_part_that_is_not_there_is_refused(
    part: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(write_spec(tmp_path), tmp_path, *part)) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "results").exists()


def test_training_ends_once_two_points_in_a_row_are_at_the_score_to_stop_at(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, seeds="[0]")
    spec.write_text(spec.read_text().replace("= 10,", "= 10, stop = 0.0,"))
    assert main(words(spec, tmp_path, "--workers", "1")) == 0
    ppo = next(one for one in stored(tmp_path).values() if one["cell"]["agent"] == "ppo")
    assert ppo["status"] == "finished" and ppo["steps"] == 128 and len(ppo["curve"]) == 2
    assert ppo["greedy"]["episodes"] == 20
    assert "two points of the curve in a row were at .00" in (tmp_path / "results" / "tiny" / "report.md").read_text()


def test_agents_that_plan_are_scored_by_imagined_steps(tmp_path: Path) -> None:
    text = SPEC.format(seeds="[0]", steps=1, settings="", other="random").replace('"ppo"', '"simulator-mpc"')
    text = (
        text.replace("set = {  }\n", "")
        .replace("RolledBehind", "Unblock")
        .replace("= 10,", "= 10, imagined = [0, 2000],")
    )
    (tmp_path / "tiny.toml").write_text(text)
    assert main(words(tmp_path / "tiny.toml", tmp_path, "--workers", "1")) == 0
    results = {one["cell"]["agent"]: one["imagined"] for one in stored(tmp_path).values()}
    assert results["random"] == [] and [steps for steps, _ in results["simulator-mpc"]] == [0, 2000]
    assert (tmp_path / "results" / "tiny" / "imagination.svg").is_file()
    without, much = (score for _, score in results["simulator-mpc"])
    assert without < 0.5 < much
    report = (tmp_path / "results" / "tiny" / "report.md").read_text()
    assert "| agent | runs | ≤ 0 imagined | ≤ 2 k imagined |" in report


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killed_and_resumed_gives_the_same_results(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, steps=1920)
    command = [sys.executable, "-m", "unseen", *words(spec, tmp_path, "--workers", "1", "--checkpoint-every", "0")]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    work = tmp_path / "work" / "tiny"
    while not (kept := list(work.glob("*/checkpoints/step-*"))) and driver.poll() is None:
        time.sleep(0.005)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL, driver.communicate()[1]
    worker = int((kept[0].parents[1] / "run.lock").read_text())
    for _ in range(600):
        if not is_running(worker):
            break
        time.sleep(0.1)
    assert not is_running(worker)  # it ended with its driver, in the middle of its cell
    assert len(stored(tmp_path)) < 3
    assert main(words(spec, tmp_path, "--workers", "2")) == 0
    assert main(words(spec, tmp_path / "whole", "--workers", "2")) == 0
    resumed, whole = without_clocks(stored(tmp_path)), without_clocks(stored(tmp_path / "whole"))
    assert len(whole) == 3 and resumed == whole


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_a_failing_learner_is_recorded_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = write_spec(tmp_path, seeds="[0]", settings=f"{PPO}, lr = 1e30")
    assert main(words(spec, tmp_path, "--workers", "1")) == 0
    assert "1 finished, 1 failed" in capsys.readouterr().out
    (failed,) = (one for one in stored(tmp_path).values() if one["status"] == "failed")
    assert "TrainingDiverged: ppo: value_loss is inf" in failed["error"] and failed["greedy"] is None
    report = (tmp_path / "results" / "tiny" / "report.md").read_text()
    assert "## Failed runs" in report and "0 of 1, 1 failed" in report
    (trace,) = (tmp_path / "work" / "tiny").glob("*/error.txt")
    assert "Traceback" in trace.read_text()
    assert main(words(spec, tmp_path)) == 0 and "[2/2]" not in capsys.readouterr().err
    assert main(words(spec, tmp_path, "--retry")) == 0 and "[2/2]" in capsys.readouterr().err


def test_a_second_driver_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from unseen.train.lock import FolderLock

    (tmp_path / "work" / "tiny").mkdir(parents=True)
    lock = FolderLock(tmp_path / "work" / "tiny" / "run.lock")
    assert main(words(write_spec(tmp_path), tmp_path)) == 2
    assert "in use by another process" in capsys.readouterr().err
    lock.release()


def test_what_cannot_run_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    for value, message in (("ray", "pip install 'unseen[ray]'"), ("0", "must be at least 1"), ("few", "--workers")):
        assert main(words(write_spec(tmp_path), tmp_path, "--workers", value)) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1


def test_a_damaged_result_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = write_spec(tmp_path, seeds="[0]", other="random")
    assert main(words(spec, tmp_path, "--report")) == 0
    assert "2 planned, 0 finished, 0 failed, 2 unfinished" in capsys.readouterr().out
    from unseen.train.benchmark import results
    from unseen.train.benchmark.spec import read_spec

    results.path_of(tmp_path / "results" / "tiny", read_spec(spec).cells[0]).write_text('{"id": 1}')
    assert main(words(spec, tmp_path, "--report")) == 2
    assert "not a result" in capsys.readouterr().err


def test_a_benchmark_that_cannot_store_anything_does_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write_spec(tmp_path, seeds="[0]", other="random")
    (tmp_path / "results").write_text("")
    assert main(words(spec, tmp_path)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot be written" in said and str(tmp_path / "results") in said


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    yield
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("two_nodes")
def test_ray_gives_the_results_of_the_local_pool_though_a_worker_is_killed(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, steps=1920)
    killed: list[int] = []

    def kill_one() -> None:
        while not (kept := list((tmp_path / "work" / "tiny").glob("*/checkpoints/step-*"))):
            time.sleep(0.005)
        killed.append(int((kept[0].parents[1] / "run.lock").read_text()))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    assert main(words(spec, tmp_path, "--workers", "ray", "--checkpoint-every", "0")) == 0
    killer.join()
    assert killed and killed[0] != os.getpid()
    assert main(words(spec, tmp_path / "local", "--workers", "2")) == 0
    assert len(stored(tmp_path)) == 3
    assert without_clocks(stored(tmp_path)) == without_clocks(stored(tmp_path / "local"))


@pytest.mark.parametrize(("samples", "played"), [(True, [False, True]), (False, [False])])
def test_an_agent_that_never_samples_is_scored_once(
    samples: bool, played: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fake(policy: object, cell: object, episodes: int, sampled: bool, first: int) -> Score:
        calls.append(sampled)
        return Score(episodes, 0.5, 0.5)

    monkeypatch.setattr(run, "_score", fake)
    agent = RandomAgent()
    agent.samples = samples
    scores = run._scores(agent, cast(Cell, None), 3)
    assert calls == played
    assert scores == {"greedy": Score(3, 0.5, 0.5), "sampled": Score(3, 0.5, 0.5)}


def test_a_failure_while_scoring_keeps_what_training_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(agent: object, cell: Cell) -> None:
        raise ValueError("lost the thread")

    monkeypatch.setattr(run, "_by_imagined", fail)
    cell = read_spec(write_spec(tmp_path)).cells[0]
    result = run.run_cell(run.Task(cell, tmp_path / cell.id, 60.0))
    assert isinstance(result, Result) and result.status == "failed" and "lost the thread" in result.error
    assert result.steps == 640 and result.curve and result.greedy is None


def test_scoring_by_imagined_steps_does_not_count_as_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def think(agent: object, cell: Cell) -> tuple[tuple[int, float], ...]:
        until = time.process_time() + 3
        while time.process_time() < until:
            pass
        return ()

    monkeypatch.setattr(run, "_by_imagined", think)
    cell = read_spec(write_spec(tmp_path)).cells[0]
    result = run.run_cell(run.Task(cell, tmp_path / cell.id, 60.0))
    assert isinstance(result, Result) and result.cpu_s < result.curve[-1][2] + 1.5
