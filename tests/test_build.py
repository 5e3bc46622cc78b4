"""`unseen build`: the private certificate, what is submitted, bad designs, bad agents, pictures."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.rng import PRIVATE, SPLITS, keys
from unseen.envs.errors import BadDesign
from unseen.envs.industry.proving_ground import design, manoeuvres
from unseen.envs.industry.proving_ground.certificate import Programme
from unseen.envs.suite import make_vec
from unseen.train.build import BuildConfig, build, wilson
from unseen.train.cli import main
from unseen.train.designs import NAMES, read_design, submissions
from unseen.train.errors import EvaluationError, UsageError

WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "onnx", "stable_baselines3"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from unseen.train.cli import main
sys.exit(main(["build", "surrogate-designer", "--programmes", "2", "--scenarios", "60", "--pictures", "0", "--json"]))
"""
SMALL = dict(programmes=2, scenarios=60, pictures=0)
ENV = EnvConfig("ProvingGround", 2, split="test")
AGENTS = """
import numpy as np
from unseen.agents.protocol import Agent

class Still(Agent):
    obs, action = "file", "continuous"
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        actions = np.zeros((len(obs), 17), np.float32)
        actions[:, 16] = 1
        return self.change(actions), state
    def change(self, actions):
        return actions

class Nan(Still):
    def change(self, actions):
        actions[1, 2] = np.nan
        return actions

class Outside(Still):
    def change(self, actions):
        actions[:, 9] = 1.5
        return actions

class Short(Still):
    def change(self, actions):
        return actions[:, :16]

class Raises(Still):
    def change(self, actions):
        raise RuntimeError("no idea")
"""


def env_and_programmes(n: int, level: int = 2) -> tuple[Any, list[Programme]]:
    env = make_vec("ProvingGround", n, action="continuous", level=level, split="test")
    env.reset(seed=0)
    return env, [Programme(env.world[k], env.params) for k in range(n)]


def written(tmp_path: Path, **change: Any) -> Path:
    value: dict[str, Any] = dict.fromkeys(NAMES, 0.0) | change
    path = tmp_path / "design.json"
    path.write_text(json.dumps({k: v for k, v in value.items() if v is not None}))
    return path


# --- the certificate ---


def test_private_keys_are_those_of_no_split() -> None:
    seeds = np.arange(50_000)
    private = keys(seeds, PRIVATE)
    others = np.concatenate([keys(seeds, split) for split in SPLITS])
    assert len(np.unique(np.concatenate([private, others]))) == 4 * len(seeds)


def test_the_certificate_agrees_with_the_environments_own() -> None:
    """What is certified is the same car in scenarios of the same distribution: with many scenarios both give the same rates."""
    env = make_vec("ProvingGround", 6, action="continuous", level=2, split="test", certify=500)
    env.reset(seed=0)
    programmes = [Programme(env.world[k], env.params) for k in range(6)]
    action = np.zeros((6, 17), np.float32)
    action[:, 16] = 1.0
    env.step(action)
    for k, programme in enumerate(programmes):
        private = programme.drive(np.zeros(10), programme.scenarios(k))
        assert np.abs(private.rates - env.world["passed"][k]).max() < 4 * math.sqrt(2 * 0.25 / 500)


def test_scenarios_are_private_fixed_and_drawn_for_the_brief() -> None:
    _, (one, other) = env_and_programmes(2)
    first, again, elsewhere = one.scenarios(0, 20), one.scenarios(0, 20), one.scenarios(1, 20)
    assert first.tobytes() == again.tobytes() != elsewhere.tobytes()
    assert (first["family"] == np.repeat(np.arange(6), 20)).all()
    assert first.tobytes() != other.scenarios(0, 20).tobytes()


@pytest.mark.parametrize("level", [0, 3])
def test_the_optimum_passes_everything_and_its_mirror_does_not(level: int) -> None:
    env, programmes = env_and_programmes(4, level)
    for world, programme in zip(env.world, programmes, strict=True):
        best = world["brief"] @ design.BENCHMARK.T - world["offset"]
        if (np.abs(best) <= 1).all():
            scenarios = programme.scenarios(0, 20)
            assert programme.drive(best, scenarios).passed.all()
            moved = best + np.where(np.arange(10) == design.CRUMPLE, -0.6, 0.0)
            assert not programme.drive(moved, scenarios).passed.all()


def test_search_finds_what_trying_all_finds() -> None:
    _, (programme,) = env_and_programmes(1)
    rng, scenarios = np.random.default_rng(0), programme.scenarios(5, 8)
    designs = np.concatenate([rng.uniform(-1, 1, (60, 10)), rng.uniform(-0.3, 0.3, (40, 10))])
    worst = np.array([programme.drive(z, scenarios).rates.min() for z in designs])
    best, rate = programme.best(designs, scenarios)
    assert rate == worst.max() and worst[best] == rate


def test_wilson_holds_what_it_should() -> None:
    assert wilson(0, 500).low == 0.0 and wilson(500, 500).high == pytest.approx(1.0)
    middle = wilson(250, 500)
    assert (middle.low, middle.high) == pytest.approx(
        (0.4563, 0.5437), abs=1e-4
    )  # R: prop.test(250, 500, correct=FALSE)


# --- who submits ---


def test_what_an_agent_commits_to_is_certified() -> None:
    (one,) = submissions(load_agent("reflex", "ProvingGround", 2), ENV, [7])
    env = make_vec("ProvingGround", 1, action="continuous", level=2, split="test")
    env.reset(seed=[7])
    known, offset = env.world["known"][0], env.world["offset"][0]
    wanted = np.clip(design.BENCHMARK @ env.world["brief"][0] - known * offset, -1, 1)
    assert one.design == pytest.approx(wanted, abs=1e-5) and (one.prototypes, one.tests) == (1, 0)


def test_an_agent_that_never_commits_is_certified_at_the_last_step(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        AGENTS
        + "\nclass Never(Still):\n    def change(self, a):\n        a[:, 16] = -1\n        a[:, 0] = .25\n        return a\n"
    )
    found = submissions(load_agent(f"{file}:Never", "ProvingGround", 2), ENV, [0, 1])
    assert [(one.tests, one.design[0], one.error) for one in found] == [(23, 0.25, "")] * 2


def test_oracle_above_tracker_above_universal(capsys: pytest.CaptureFixture[str]) -> None:
    reports = build(
        BuildConfig(agents=("oracle", "tracker", "universal"), level=2, programmes=6, scenarios=180, pictures=0)
    )
    oracle, tracker, universal = (report.score.point for report in reports if report.score)
    assert oracle == 1.0 and tracker > 0.7 and universal < 0.4
    said = capsys.readouterr().out
    for word in ("braking in a bend", "95 %", "the worst", "fails:", "6 of 6 can be built"):
        assert word in said


def test_the_included_designer_is_certified_without_torch() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True)
    (report,) = json.loads(run.stdout)
    assert [row["tests"] for row in report["programmes"]] == [12, 12]
    assert report["score"]["point"] > 0.3, "a random design passes nothing"


def test_json_has_every_failing_scenario_and_designs_that_can_be_given_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--level", "2", "--programmes", "1", "--scenarios", "120", "--pictures", "0", "--json"]
    assert main(["build", "universal", *words]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    (programme,) = report["programmes"]
    assert len(programme["failures"]) == sum(round(20 * (1 - p["point"])) for p in programme["passed"].values()) > 0
    for failure in programme["failures"]:
        assert min(failure["margins"].values()) < 0 and failure["family"] in manoeuvres.FAMILIES
    path = tmp_path / "again.json"
    path.write_text(json.dumps(programme["design"]))
    assert main(["build", "--design", str(path), *words]) == 0
    (again,) = json.loads(capsys.readouterr().out)
    assert again["programmes"][0]["passed"] == programme["passed"]
    assert again["programmes"][0]["failures"] == programme["failures"]


def test_pictures_show_the_worst(tmp_path: Path) -> None:
    from PIL import Image

    config = BuildConfig(agents=("universal",), level=2, programmes=1, scenarios=60, pictures=2, out=tmp_path)
    (report,) = build(config)
    drawn = [failure.picture for failure in report.programmes[0].failures if failure.picture]
    assert drawn == [str(tmp_path / f"universal-0-{k}.png") for k in range(2)]
    first, second = (np.asarray(Image.open(path).convert("RGB")) for path in drawn)
    assert first.std() > 10 and (first != second).any()


# --- what is bad ---


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spring": 1.2}, r"spring=1\.2: must be in -1\.\.1, which is 15000 to 45000 N/m"),
        ({"ABS slip": math.nan}, r"ABS slip=nan: must be in -1\.\.1"),
        ({"ABS slip": -math.inf}, r"ABS slip=-inf: must be in -1\.\.1"),
        ({"ABS slip": 10**400}, r"ABS slip=10{17}\.\.\.0{19}: must be in -1\.\.1"),
        ({"damper": None}, r"damper is missing: a number in -1\.\.1.*9 of 10"),
        ({"spring": "stiff"}, r"spring='stiff': must be a number"),
        ({"spring": "stiff" * 1000}, r"spring='stiffstiffst\.\.\.\w+': must be a number"),
        ({"sprung" * 1000: 0.0}, r"no variable 'sprungsprung\.\.\.\w+'; "),
        ({"spring": True}, r"spring=True: must be a number"),
        ({"sprung": 0.0}, r"no variable 'sprung'; did you mean spring"),
    ],
)
def test_bad_designs_name_the_variable_and_its_range(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadDesign, match=said):
        read_design(written(tmp_path, **change))
    assert main(["build", "--design", str(tmp_path / "design.json")]) == 2


@pytest.mark.parametrize(
    ("content", "said"), [("[0, 0]", "10 named numbers"), ("{", "not JSON"), ("{}", "brake bias is missing")]
)
def test_files_that_are_no_design_are_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(BadDesign, match=said):
        read_design(path)
    with pytest.raises(BadDesign, match="No such file"):
        read_design(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("more", "said"),
    [(dict(programmes=0), "programmes"), (dict(scenarios=100), "multiple of 6"), (dict(scenarios=0), "scenarios"),
     (dict(seed=-1), "seed"), (dict(agents=()), "name an agent")],
)  # fmt: skip
def test_bad_arguments_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build(BuildConfig(**(dict(agents=("reflex",)) | more)))


def test_one_bad_agent_does_not_end_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.py"
    file.write_text(AGENTS)
    bad = {
        "Nan": r"damper=nan: must be in -1..1",
        "Outside": r"centre of gravity=1.5: must be in -1..1",
        "Short": r"(2, 16), expected (2, 17)",
        "Raises": "no idea",
        "Missing": "does not define 'Missing'",
    }
    names = [f"{file}:{name}" for name in bad]
    with pytest.raises(EvaluationError) as caught:
        build(BuildConfig(agents=(*names, "nobody", "oracle"), level=2, **SMALL))  # type: ignore[arg-type]
    for said in (*bad.values(), "no agent 'nobody'"):
        assert said in str(caught.value)
    printed = capsys.readouterr()
    assert "oracle, 60 private scenarios" in printed.out and "mean 1.000" in printed.out
    assert main(["build", names[0], "--programmes", "2", "--scenarios", "60", "--pictures", "0"]) == 2


@pytest.mark.parametrize("name", ["no.onnx", "no.py:Agent", "nobody", ""])
def test_an_agent_is_named_once_where_it_cannot_be_loaded(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", name]) == 2
    said = capsys.readouterr().err
    assert said.startswith(("unseen: no.onnx: ", "unseen: no.py: ", "unseen: nobody: no agent", "unseen: no agent ''"))
    assert said.count("no.") == name.count("no.")


def test_a_run_of_an_agent_without_runs_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "tracker", "--run", "7"]) == 2
    assert capsys.readouterr().err == "unseen: tracker: run=7: tracker has no runs to choose from\n"


def test_a_bad_row_leaves_the_agents_other_programmes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.py"
    file.write_text(AGENTS)
    with pytest.raises(EvaluationError):
        build(BuildConfig(agents=(f"{file}:Nan",), level=2, json=True, **SMALL))  # type: ignore[arg-type]
    (report,) = json.loads(capsys.readouterr().out)
    assert report["score"] is None and [bool(row["error"]) for row in report["programmes"]] == [False, True]
    assert report["programmes"][0]["passed"]["braking"]["point"] >= 0
