"""The report and the live table, on results made up here: medians, times, rankings, failures and what is unfinished."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from unseen.train.benchmark import results as stored
from unseen.train.benchmark.cells import Amount, Cell, FreePlay, Protocol, Spec
from unseen.train.benchmark.command import BenchmarkConfig, benchmark
from unseen.train.benchmark.live import Live, progress
from unseen.train.benchmark.page import renew
from unseen.train.benchmark.report import markdown, write_report
from unseen.train.benchmark.results import Result, as_text, from_text
from unseen.train.benchmark.run import Task
from unseen.train.benchmark.spec import read_spec
from unseen.train.benchmark.summary import begun, claims, groups, median, reached, soonness
from unseen.train.benchmark.tables import summary
from unseen.train.errors import StoreError
from unseen.train.heldout import Score

SPEC = """
search = "three settings | each"
seeds = {seeds}
budget = {{ steps = 1000 }}
[[agent]]
name = "ppo"
label = "good <b>"
[[agent]]
name = "ppo"
label = "bad"
policy = "sampled"
set = {{ hidden = 8 }}
[[agent]]
name = "oracle"
[[environment]]
name = "RolledBehind"
levels = [1]
"""


BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def make(tmp_path: Path, seeds: str = "[0, 1, 2, 3, 4]", levels: str = "[1]") -> Spec:
    path = tmp_path / "made_up.toml"
    path.write_text(SPEC.format(seeds=seeds).replace("levels = [1]", f"levels = {levels}"))
    return read_spec(path)


def result(cell: Cell, score: float, curve: tuple[float, ...] = ()) -> Result:
    points = tuple((100 * (k + 1), 10 * (k + 1), 0.5 * (k + 1), y, y / 2) for k, y in enumerate(curve))
    found = Score(1_000, score, score)
    sampled = found if cell.agent.trains else None
    more = dict(steps=100 * len(curve), cpu_s=9.5, anchors=(0.072, 1.0), machine="abacus", versions={"torch": "2"})
    return Result(cell.id, cell.content, "finished", greedy=found, sampled=sampled, curve=points, **more)  # type: ignore[arg-type]


def filled(spec: Spec) -> dict[str, Result]:
    found = {}
    for cell in spec.cells:
        good = cell.agent.label != "bad"
        curve = (0.1, 0.95, 0.99) if good else (0.1, 0.2, 0.3)
        found[cell.id] = result(cell, (0.97 if good else 0.3) + 0.001 * cell.seed, curve if cell.agent.trains else ())
    return found


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    for one in filled(make(tmp_path)).values():
        text = as_text(one)
        assert as_text(from_text(text)) == text and json.loads(text)["id"] == one.id
        assert from_text(text).greedy == one.greedy and from_text(text).curve == one.curve
        assert text.count("\n") == 2 + len(vars(one)) + len(one.curve)
    with pytest.raises(ValueError, match="unknown keys"):
        from_text(text.replace('"steps"', '"stops"'))
    with pytest.raises(ValueError, match="without a score"):
        from_text(as_text(replace(one, greedy=None)))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("steps", "many", "'many' is not a number"),
        ("anchors", ["low", "high"], "'low' is not a number"),
        ("anchors", [1.0], "anchors are"),
        ("greedy", {"episodes": 1, "episode_return": math.nan, "success": None}, "nan is not a number"),
        ("curve", [[1, 2, 3, "a", "b"]], "'a' is not a number"),
        ("versions", 5, "versions is 5"),
        ("machine", {}, "machine is"),
    ],
)
def test_a_result_with_a_value_of_another_type_is_none(name: str, value: object, said: str, tmp_path: Path) -> None:
    values = json.loads(as_text(next(iter(filled(make(tmp_path)).values()))))
    with pytest.raises(ValueError, match=said):
        from_text(json.dumps(values | {name: value}))


def test_rankings_from_five_runs_on(tmp_path: Path) -> None:
    spec = make(tmp_path)
    report = markdown(spec, filled(spec), "made_up.toml", False)
    assert "Runs: 11 planned, 11 finished, 0 failed, 0 unfinished" in report and "three settings \\| each" in report
    assert "| good &lt;b> | none | 5 | **.97** (.97–.97) | .97 (.97–.97) | .97 (.97–.97) | 200 (200–200) | 20" in report
    assert "| bad | none | 5 | .30 (.30–.30) | **.30** (.30–.30) | .25 (.25–.25) | never | never | never |" in report
    assert "| oracle | scripted, with the full state | scripted | **.97** | — | .97 |" in report
    for what in ("Higher final score", "Fewer environment steps to .90", "Fewer CPU-seconds to", "Better on both axes"):
        assert f"{what}" in report
    assert "good &lt;b> than bad (1.00–1.00)" in report and "bad than good" not in report
    assert "on different processors" not in report
    results = filled(spec)
    results[spec.cells[0].id] = replace(results[spec.cells[0].id], machine="slide rule")
    mixed = markdown(spec, results, "made_up.toml", False)
    assert "Fewer CPU-seconds to .90, on different processors" in mixed


def test_the_pace_of_the_cores_is_told(tmp_path: Path) -> None:
    spec = make(tmp_path)
    plain = filled(spec)
    assert "fixed workload" not in markdown(spec, plain, "made_up.toml", False)
    good = [cell.id for cell in spec.cells if cell.agent.label.startswith("good")]
    even = plain | {id: replace(plain[id], pace=0.1) for id in good[1:]}
    report = markdown(spec, even, "made_up.toml", False)
    assert "`unseen.train.pace`): good &lt;b> 100, unknown for 1 of 5 runs." in report
    assert "on different processors" not in report
    uneven = even | {good[0]: replace(plain[good[0]], pace=0.25)}
    report = markdown(spec, uneven, "made_up.toml", False)
    assert "good &lt;b> 100 (100–250)." in report and "Fewer CPU-seconds to .90, on different processors" in report
    assert from_text(as_text(uneven[good[0]])).pace == 0.25


def test_the_pace_is_that_of_a_fixed_workload() -> None:
    torch = pytest.importorskip("torch")
    from unseen.train.pace import pace

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    assert 0 < pace() < 10
    assert torch.equal(torch.rand(1), expected)


def test_all_environments_stand_in_one_table(tmp_path: Path) -> None:
    spec = make(tmp_path, "[0, 1]", "[1, 2]")
    found = filled(spec)
    gone = next(cell for cell in spec.cells if cell.agent.label == "bad" and cell.env.label == "RolledBehind 2")
    del found[gone.id]
    report = markdown(spec, found, "made_up.toml", False)
    assert "| agent | learns from, besides reward | runs | RolledBehind 1 | RolledBehind 2 | overall |" in report
    assert "| good &lt;b> | none | 2 | .97 (.97–.97)<br>20, 1 s | .97 (.97–.97)<br>20, 1 s | .97" in report
    assert "| bad | none | 1 to 2 of 2 | .30 (.30–.30)<br>never | .30<br>never | .25" in report
    assert "| oracle | scripted, with the full state | scripted | .97 | .97 | .97 |" in report
    assert "## Overall" not in markdown(make(tmp_path), filled(make(tmp_path)), "made_up.toml", False)


def test_what_has_not_been_run_is_named_below_the_table(tmp_path: Path) -> None:
    spec = make(tmp_path, "[0, 1]", "[1, 2]")
    begun = {cell.id for cell in spec.cells if cell.agent.label != "bad" and cell.env.label == "RolledBehind 1"}
    table = summary(spec, groups(spec, {id: one for id, one in filled(spec).items() if id in begun}))
    assert "| agent | learns from, besides reward | runs | RolledBehind 1 | overall |" in table
    assert "| bad |" not in table and table.endswith("Without a finished run yet: bad, RolledBehind 2.")
    nothing = summary(spec, groups(spec, {}))
    assert "| bad | none | 0 of 2 | — | — | incomplete |" in nothing and "Without" not in nothing


def test_results_of_other_settings_are_counted(tmp_path: Path) -> None:
    spec = make(tmp_path)
    for cell in spec.cells[:2]:
        stored.write(tmp_path / "results", cell, filled(spec)[cell.id])
    assert stored.strangers(tmp_path / "results", spec) == 0
    (tmp_path / "results" / "bad-RolledBehind-1-0-000000000000.json").write_text("{}", encoding="utf-8")
    report = write_report(spec, stored.read(tmp_path / "results", spec), tmp_path / "results", Path("made_up.toml"))
    assert "**1 stored results are of no run of this specification.**" in report.read_text(encoding="utf-8")


def test_tables_go_into_a_page(tmp_path: Path) -> None:
    page, made = tmp_path / "page.md", "<!-- benchmark made_up: begin -->\n{}\n<!-- benchmark made_up: end -->\n"
    more = made.replace("made_up", "made_up imagined")
    page.write_text("before\n" + made.format("old") + more.format("old"), encoding="utf-8")
    renew(page, {"made_up": "| new |", "made_up imagined": "| more |", "made_up other": "| not wanted |"})
    assert page.read_text(encoding="utf-8") == "before\n" + made.format("| new |") + more.format("| more |")
    for name in ("made", "other"):
        with pytest.raises(StoreError, match=f"benchmark {name}: begin"):
            renew(page, {name: "| newer |"})
    with pytest.raises(StoreError, match=r"missing\.md"):
        renew(tmp_path / "missing.md", {"made_up": "| new |"})
    page.write_text(made.format("old").partition("old")[0], encoding="utf-8")
    with pytest.raises(StoreError, match="benchmark made_up: end"):
        renew(page, {"made_up": "| new |"})


def test_a_page_stays_what_it_is(tmp_path: Path) -> None:
    """A link stays a link, and the rights of its file are kept; comments inside a line are text."""
    begin, end = "<!-- benchmark made_up: begin -->", "<!-- benchmark made_up: end -->"
    file, page = tmp_path / "file.md", tmp_path / "page.md"
    file.write_text(f"by `{begin}` and `{end}`\n{begin}\nold\n{end}\n", encoding="utf-8")
    file.chmod(0o640)
    page.symlink_to(file)
    renew(page, {"made_up": "new"})
    assert file.read_text(encoding="utf-8") == f"by `{begin}` and `{end}`\n{begin}\nnew\n{end}\n"
    assert page.is_symlink() and file.stat().st_mode & 0o777 == 0o640
    file.write_text(2 * f"{begin}\nold\n{end}\n", encoding="utf-8")
    with pytest.raises(StoreError, match="once"):
        renew(page, {"made_up": "new"})


def test_a_page_that_cannot_take_the_tables_is_refused_before_anything_runs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no comments", encoding="utf-8")
    for name in ("smoke", "asked_smoke"):
        with pytest.raises(StoreError, match=f"benchmark {name}: begin"):
            benchmark(
                BenchmarkConfig(BENCHMARKS / f"{name}.toml", page=(page,), out=tmp_path / "out", work=tmp_path / "work")
            )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.md"]


def test_a_spec_chooses_between_success_and_return(tmp_path: Path) -> None:
    spec = make(tmp_path)
    cell = spec.cells[0]
    assert "score" not in cell.content["evaluation"], "the ids of cells without it have not changed"
    by_return = replace(cell, evaluation=replace(cell.evaluation, score="return"))
    assert by_return.id != cell.id
    found = Score(200, 0.25, success=0.75)
    assert cell.evaluation.measure(found) == 0.75 and by_return.evaluation.measure(found) == 0.25
    assert by_return.evaluation.measure(replace(found, success=None)) == 0.25
    for one, shown in ((cell, 0.75), (by_return, 0.25)):
        assert Result(one.id, one.content, "finished", greedy=found).measured(found) == shown
    assert "Score: mean return over" in markdown(
        replace(spec, evaluation=by_return.evaluation), filled(spec), "made_up.toml", False
    )


def test_no_ranking_below_five_runs(tmp_path: Path) -> None:
    spec = make(tmp_path)
    found = filled(spec)
    gone = next(cell for cell in spec.cells if cell.agent.label == "bad" and cell.seed == 4)
    del found[gone.id]
    report = markdown(spec, found, "made_up.toml", False)
    assert "Higher final score" not in report and "4 of 5, 1 unfinished" in report
    assert "Not ranked, with fewer than 5 finished runs: bad (4)." in report
    found[gone.id] = Result(gone.id, gone.content, "failed", "ValueError: |x|", steps=300)
    report = markdown(spec, found, "made_up.toml", False)
    assert (
        "4 of 5, 1 failed" in report and "- bad on RolledBehind 1, seed 4, at 300 steps: ValueError: \\|x\\|" in report
    )


def test_a_failed_run_counts_as_the_worst(tmp_path: Path) -> None:
    spec = make(tmp_path, "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]")
    found = filled(spec)
    for cell in spec.cells:
        if cell.agent.label == "good <b>" and cell.seed >= 5:
            found[cell.id] = Result(cell.id, cell.content, "failed", "no")
    own = [group for group in groups(spec, found) if group.agent.trains]
    assert claims(own, lambda group: group.headline()) == []
    assert claims(own, soonness("steps", 0.9)) == []


def test_times_and_medians(tmp_path: Path) -> None:
    spec = make(tmp_path)
    found = filled(spec)
    good = found[spec.cells[0].id]
    assert reached(good, "greedy", "steps", 0.9) == 200 and reached(good, "greedy", "cpu_s", 0.9) == 1.0
    assert reached(good, "sampled", "steps", 0.9) == math.inf
    assert reached(replace(good, curve=((1, None, 1.0, 1.0, 1.0),)), "greedy", "episodes", 0.9) is None
    middle = median([1.0, 2.0, 30.0])
    assert middle is not None and (middle.point, middle.low, middle.high) == (2.0, 1.0, 30.0)
    assert median([]) is None


def test_what_differs_between_runs_is_said(tmp_path: Path) -> None:
    spec = make(tmp_path)
    found = filled(spec)
    first = spec.cells[0].id
    assert "differ between runs" not in markdown(spec, found, "made_up.toml", False)
    found[first] = replace(found[first], versions={"torch": "3"}, settings={"lr": 1})
    found[spec.cells[3].id] = replace(found[spec.cells[3].id], settings={"lr": 2})
    report = markdown(spec, found, "made_up.toml", False)
    assert "The settings differ between runs: good &lt;b>" in report
    assert "versions of packages differ between runs: torch 2 and 3" in report


def test_the_files_are_the_same_each_time(tmp_path: Path) -> None:
    spec = make(tmp_path)
    for cell in spec.cells:
        stored.write(tmp_path / "made_up", cell, filled(spec)[cell.id])
    found = stored.read(tmp_path / "made_up", spec)
    assert len(found) == len(spec.cells)
    for name in ("a", "b"):
        assert write_report(spec, found, tmp_path / name, Path("made_up.toml")) == tmp_path / name / "report.md"
    for name in ("report.md", "curves.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_live_table_and_the_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    spec = make(tmp_path)
    found = filled(spec)
    running, waiting = spec.cells[0], spec.cells[1]
    del found[running.id], found[waiting.id]
    tasks = [Task(cell, tmp_path / cell.id, 60.0) for cell in (running, waiting)]
    clock = iter(range(100, 200, 10))
    monkeypatch.setattr("unseen.train.benchmark.live.time.monotonic", lambda: next(clock))
    live = Live(spec, found, tasks, lambda: tasks[:1])
    assert live.eta() is None
    (tmp_path / running.id).mkdir()
    (tmp_path / running.id / "log.jsonl").write_text('{"steps": 300}\n{"steps": 500, "cpu_s": 4.0}\n{"ste')
    assert progress(tasks[0]) == (0.5, 500, 4.0) and progress(tasks[1])[0] == 0
    assert live.eta() == 30.0  # half a cell in 10 s, one and a half to go
    console = Console(width=120, file=io.StringIO())
    console.print(live.render())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "good <b>" in text and ".97 4/5 +50 %" in text and "RolledBehind 1, seed 0: 50 %, 500 steps, 4 CPU-s" in text
    assert "9 of 11 cells have a result; about 60 s left" in text


def test_progress_in_episodes_and_of_free_play(tmp_path: Path) -> None:
    cell = make(tmp_path).cells[0]
    counted = Task(replace(cell, budget=Amount(episodes=200)), tmp_path / "counted", 60.0)
    free = replace(cell, agent=replace(cell.agent, free=FreePlay(300)), protocol=Protocol(asked=(0, 10, 100)))
    asked = Task(free, tmp_path / "asked", 60.0)
    for folder, episodes in (("counted", 50), ("asked/free", 100)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "log.jsonl").write_text(f'{{"steps": 9, "cpu_s": 1.0, "episodes": {episodes}}}\n')
    assert progress(counted) == (0.25, 9, 1.0) and progress(asked) == (0.25, 9, 1.0)
    (tmp_path / "asked/asked").mkdir()
    (tmp_path / "asked/asked/log.jsonl").write_text('{"steps": 90, "cpu_s": 3.0, "episodes": 310}\n')
    assert progress(asked) == (0.775, 90, 3.0)


def test_a_failed_run_is_shown_and_only_what_has_not_been_run_is_left_out(tmp_path: Path) -> None:
    spec = make(tmp_path, "[0, 1]", "[1, 2]")
    cells = [cell for cell in spec.cells if cell.env.label == "RolledBehind 1"]
    bad = [cell for cell in cells if cell.agent.label == "bad"]
    broken = {cell.id: replace(result(cell, 0.3, (0.1, 0.2)), status="failed", error="NaN") for cell in bad}
    agents, envs = begun(spec, groups(spec, broken))
    assert [agent.label for agent in agents] == ["bad"] and [env.label for env in envs] == ["RolledBehind 1"]
    assert begun(spec, groups(spec, {})) == (list(spec.agents), list(spec.envs))
