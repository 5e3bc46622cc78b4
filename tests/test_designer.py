"""surrogate-designer: inference of the factory, imagination, training on what is observed alone, export; and the study around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.load import load_agent
from unseen.agents.shared.design_agent import DesignAgent, Thinking
from unseen.agents.shared.designing import CONTEXT, FAMILIES, LIMIT, Forecast, Trials, choose, draw_contexts
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.graph_agent import Arrays, Graph
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import BRIEF
from unseen.envs.suite import make_vec
from unseen.train.cli import main
from unseen.train.designers.baselines import BASELINES, LocalSearch, RandomSearch, made
from unseen.train.designers.command import _comparable
from unseen.train.designers.controls import CONTROLS, Recaller, lessons, nearest, regression
from unseen.train.designers.study import QUICK, Row
from unseen.train.designs import submissions
from unseen.train.rollout import Rollout, rollout

pytest.importorskip("torch")
from unseen.agents.surrogate_designer import SurrogateDesignerLearner

ENV = EnvConfig("ProvingGround", 2, "file", "continuous", "test")
SMALL = dict(hidden=24, updates=1200, explore_imagined=20, imagined=30, tests=6)


class Known(Graph):
    """Two members that predict margins by a formula of what is built."""

    inputs = {"built": (20,), "context": (CONTEXT,)}
    outputs = ("margins", "spreads", "prior")
    rows = 0

    def __init__(self, formula: Any, spread: float = 0.1) -> None:
        self.formula, self.spread = formula, spread

    def run(self, inputs: Arrays) -> Arrays:
        n = len(inputs["built"])
        built = inputs["built"].reshape(n, 2, 10)
        margins = np.stack([self.formula(built[:, k], inputs["context"]) for k in range(2)], 1).reshape(n, 6)
        spreads = np.full((n, 6), self.spread, np.float32)
        return {"margins": margins.astype(np.float32), "spreads": spreads, "prior": np.full((n, 1), 0.2, np.float32)}


def some_tests(rng: np.random.Generator, m: int, known: np.ndarray, offset: np.ndarray, formula: Any) -> Trials:
    drawn = rng.uniform(-0.5, 0.5, (m, 10))
    context = rng.uniform(-1, 1, (m, CONTEXT))
    margins = formula(drawn + offset, context)
    rows = [np.tile(np.where(known, offset, 0.0), (m, 1)), np.tile(known.astype(float), (m, 1))]
    return Trials(np.zeros(m, np.int64), *(np.asarray(x, np.float32) for x in (drawn, *rows, context, margins)))


def played(agent: DesignAgent, n: int, first: int = 0) -> tuple[np.ndarray, list[Any]]:
    """All actions (steps, n, 17) of an agent in n programmes, and the outcomes."""
    env = make_vec("ProvingGround", n, action="continuous", level=2, split="test", certify=1)
    run = Rollout(agent, env, range(first, first + n), fail_fast=True)
    return np.array([step.actions for step in run]), run.outcomes


# --- inference ---


def test_offsets_that_explain_the_tests_are_found() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(10, 3)), rng.normal(size=(10, 3))

    def formula(built: np.ndarray, context: np.ndarray) -> np.ndarray:
        return 0.3 * (built * (1 + context[:, 3:13])) @ a + 0.3 * np.sin(built @ b) + 0.2 * context[:, :3]

    known, offset = np.arange(10) < 3, rng.uniform(-0.35, 0.35, 10)
    forecast = Forecast(Known(formula, 0.02))
    before = forecast.before(np.where(known, offset, 0.0), known.astype(float))
    assert (before.offsets == np.where(known, offset, 0.0)).all()
    after = forecast.after(some_tests(rng, 40, known, offset, formula))
    assert np.abs(after.offsets - offset).max() < 0.02
    assert (np.linalg.eigvalsh(after.covariance[0][3:, 3:]) > 0).all()
    assert np.trace(after.covariance[0]) < 0.1 * np.trace(before.covariance[0])


def test_with_a_linear_model_the_belief_is_ridge_regression() -> None:
    """An outside reference: the normal equations, solved apart."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=(10, 3))

    def formula(built: np.ndarray, context: np.ndarray) -> np.ndarray:
        return built @ a * 0.3

    offset = rng.uniform(-0.2, 0.2, 10)
    spread = 5.0  # wide, so that no test counts as odd
    tests = some_tests(rng, 12, np.zeros(10, bool), offset, formula)
    found = Forecast(Known(formula, spread)).after(tests).offsets[0]
    x = np.tile(0.3 * a.T, (12, 1))
    y = (tests.margins - formula(tests.drawn, tests.context)).reshape(-1)
    wanted = np.linalg.solve(x.T @ x / spread**2 + np.eye(10) / 0.2**2, x.T @ y / spread**2)
    assert found == pytest.approx(wanted, rel=0.1, abs=2e-4)


def test_margins_that_were_cut_off_tell_nothing() -> None:
    rng = np.random.default_rng(2)
    tests = some_tests(rng, 12, np.zeros(10, bool), np.full(10, 0.3), lambda built, context: built[:, :3])
    tests.margins[:] = LIMIT
    assert np.abs(Forecast(Known(lambda built, context: built[:, :3])).after(tests).offsets).max() == 0.0


def test_an_observation_is_read_as_the_test_it_shows() -> None:
    env = make_vec("ProvingGround", 3, action="continuous", level=2, noise=0.0)
    env.reset(seed=0)
    action = np.random.default_rng(0).uniform(-1, 1, (3, 17)).astype(np.float32)
    action[:, rules.COMMIT] = -1
    obs, *_ = env.step(action)
    for k in range(3):
        tests, world = Trials.of(obs[k : k + 1]), env.world[k]
        assert tests.drawn[0] == pytest.approx(action[k, :10]) and tests.margins[0] == pytest.approx(
            world["margin"], abs=1e-5
        )
        assert tests.context[0, :13] == pytest.approx(world["brief"], abs=1e-6)
        assert tests.context[0, 13:19].argmax() == world["scenario"]["family"]
        assert tests.context[0, 19:22].argmax() == world["scenario"]["surface"]
        assert tests.context[0, 22:] == pytest.approx(world["numbers"], abs=1e-6)
        assert tests.offset[0] == pytest.approx(world["offset"] * world["known"], abs=1e-6)


# --- imagination ---


def test_more_imagined_designs_find_better_ones_and_one_is_planning_off() -> None:
    target = np.linspace(-0.5, 0.5, 10)

    def formula(built: np.ndarray, context: np.ndarray) -> np.ndarray:
        worst = 0.3 - np.abs(built - target).max(1)
        return np.repeat(worst[:, None], 3, axis=1)

    forecast, rng = Forecast(Known(formula)), np.random.default_rng(0)
    belief = forecast.before(np.full(10, 0.2), np.ones(10))
    contexts = draw_contexts(np.zeros(13), 2, rng)
    bounds = []
    for imagined in (1, 20, 4000):
        chosen = choose(forecast, belief, contexts, imagined, 0.5, np.random.default_rng(1))
        bounds.append(chosen.bound)
        if imagined == 1:
            assert (chosen.design == -0.2).all()
    assert bounds[0] <= bounds[1] < bounds[2]
    assert np.abs(chosen.design + 0.2 - target).max() < 0.3 and chosen.claim == 1.0


def test_imagined_scenarios_cover_every_family_and_surface() -> None:
    contexts = draw_contexts(np.full(13, 0.3), 6, np.random.default_rng(0))
    assert contexts.shape == (36, CONTEXT) and (contexts[:, :13] == 0.3).all()
    assert (contexts[:, 13:19].sum(0) == 6).all() and (contexts[:, 19:22].sum(0) == 12).all()
    assert (contexts[:, 13:19].argmax(1) == np.repeat(np.arange(FAMILIES), 6)).all()


def test_an_agent_tests_as_often_as_it_says_and_its_programmes_do_not_depend_on_the_batch() -> None:
    forecast = Forecast(Known(lambda built, context: 0.3 - np.abs(built[:, :3])))
    agent = DesignAgent("designer", forecast, Thinking(tests=7, prototypes=2, imagined=20, scenarios=1, caution=0.5))
    three, outcomes = played(agent, 3)
    assert [one.length for one in outcomes] == [8] * 3
    alone, _ = played(agent, 1, first=1)
    assert (three[:, 1] == alone[:, 0]).all()
    drawn = three[:, :, :10]
    assert (drawn[:4] == drawn[0]).all() and (drawn[4:7] == drawn[4]).all() and (drawn[4] != drawn[0]).any(-1).all()


@pytest.mark.parametrize(("tests", "prototypes"), [(5, 4), (6, 6), (9, 6), (5, 1)])
def test_it_tests_as_many_prototypes_as_it_says(tests: int, prototypes: int) -> None:
    forecast = Forecast(Known(lambda built, context: 0.3 - np.abs(built[:, :3])))
    agent = DesignAgent("designer", forecast, Thinking(tests, prototypes, imagined=5, scenarios=1, caution=0.5))
    drawn = played(agent, 1)[0][:tests, 0, :10]
    assert len(np.unique(drawn, axis=0)) == prototypes


# --- training ---


@pytest.fixture(scope="module")
def trained() -> SurrogateDesignerLearner:
    learner = SurrogateDesignerLearner(EnvConfig("ProvingGround", 2, split="train"), 0, config=SMALL)
    learner.stop_at = 14
    while learner.episodes < 14:
        learner.advance()
    return learner


def test_it_learns_from_what_it_observes_in_so_many_programmes(trained: SurrogateDesignerLearner) -> None:
    assert trained.episodes == 14 and trained.steps == 14 * 24 and len(trained.past) == 14 * 23
    assert trained.env.obs == "file" and (np.bincount(trained.past.programme) == 23).all()
    assert (trained.past.offset[trained.past.known < 0.5] == 0).all()  # what is hidden is not there
    assert len(np.unique(trained.past.drawn, axis=0)) == len(trained.past)


def test_the_model_predicts_tests_of_other_programmes(trained: SurrogateDesignerLearner) -> None:
    other = SurrogateDesignerLearner(EnvConfig("ProvingGround", 2, split="test"), 5, config=SMALL | dict(updates=1))
    other.stop_at = 6
    other.advance()

    def correlation(learner: SurrogateDesignerLearner) -> float:
        forecast, past = learner.policy().forecast, other.past
        built = np.repeat((past.drawn + past.offset)[:, None], forecast.members, axis=1)
        predicted = np.clip(forecast.margins(built, past.context)[0].mean(1), -LIMIT, LIMIT)
        return float(np.corrcoef(predicted.ravel(), past.margins.ravel())[0, 1])

    assert correlation(trained) > 0.35 > 0.2 > abs(correlation(other))


def test_training_resumes_bit_for_bit(tmp_path: Path) -> None:
    def new() -> SurrogateDesignerLearner:
        learner = SurrogateDesignerLearner(EnvConfig("ProvingGround", 2), 3, config=SMALL | dict(random_programmes=3))
        learner.stop_at = 4
        return learner

    whole = new()
    whole.advance()
    whole.save(tmp_path)
    resumed = new()
    resumed.load(tmp_path)
    for learner in (whole, resumed):
        learner.stop_at = 7
        learner.advance()
    assert whole.episodes == resumed.episodes == 7
    for one, other in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert one.equal(other)
    assert (whole.past.drawn == resumed.past.drawn).all()


def test_an_exported_agent_acts_as_the_trained_one(trained: SurrogateDesignerLearner, tmp_path: Path) -> None:
    path = tmp_path / "agent.onnx"
    trained.export(path)
    card = {
        "agent": "surrogate-designer",
        "config": {"tests": 6, "prototypes": 2, "imagined": 1, "scenarios": 4, "caution": 0.5},
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    stored = load_agent(str(path), "ProvingGround", 2)
    assert isinstance(stored, DesignAgent) and stored.thinking.tests == 6
    own = trained.policy()
    own.imagined = 1  # so that rounding cannot choose another design
    (mine, _), (theirs, _) = played(own, 3), played(stored, 3)
    assert mine == pytest.approx(theirs, abs=1e-3)
    planned = load_agent(str(path), "ProvingGround", 2, imagined=40)
    assert played(planned, 1)[0].shape == (7, 1, 17)
    with pytest.raises(BadAgent, match="ProvingGround"):
        load_agent(str(path), "Kiln", 2)
    path.with_suffix(".json").write_text(json.dumps({"config": {"tests": -3}}))
    with pytest.raises(BadCheckpoint, match="tests=-3"):
        load_agent(str(path), "ProvingGround", 2)


@pytest.mark.parametrize(
    ("env", "config", "said"),
    [("Kiln", {}, "plays ProvingGround only"), ("ProvingGround", {"tests": 24}, "tests=24"),
     ("ProvingGround", {"tests": 3, "prototypes": 4}, "prototypes=4"), ("ProvingGround", {"member": 3}, "did you mean members"),
     ("ProvingGround", {"members": 0}, "members=0: must be positive"), ("ProvingGround", {"hidden": -1}, "hidden=-1: must be positive"),
     ("ProvingGround", {"batch": 0}, "batch=0: must be positive"), ("ProvingGround", {"scenarios": 0}, "scenarios=0: must be positive"),
     ("ProvingGround", {"lr": 0.0}, "lr must be positive"), ("ProvingGround", {"explore": -0.1}, "the others at least 0")],
)  # fmt: skip
def test_what_it_cannot_do_is_said(env: str, config: dict[str, Any], said: str) -> None:
    with pytest.raises(BadAgent, match=said):
        SurrogateDesignerLearner(EnvConfig(env, 2), config=config)


def test_the_command_trains_it_and_builds_its_design(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--episodes",
        "6",
        "--final-episodes",
        "2",
        "--eval-episodes",
        "2",
        "--quiet",
        "--out",
        str(tmp_path / "run"),
    ]
    settings = ["--set", *(f"{name}={value}" for name, value in SMALL.items())]
    assert main(["train", "surrogate-designer", "ProvingGround", *words, *settings]) == 0
    capsys.readouterr()
    build = [
        "build",
        str(tmp_path / "run"),
        "--imagined",
        "10",
        "--programmes",
        "1",
        "--scenarios",
        "60",
        "--pictures",
        "0",
    ]
    assert main(build) == 0
    assert "6 tests" in capsys.readouterr().out


# --- baselines and the study ---


def test_the_best_past_design_is_that_whose_margin_stands_out_in_its_family() -> None:
    """Family 1 has wider margins than family 0: by the margin alone, the worse design of the second programme would be the best."""
    forecast = Forecast(Known(lambda built, context: 0.3 - np.abs(built[:, :3])))
    context = np.zeros((5, CONTEXT), np.float32)
    context[:, 0] = [-1, -1, 1, 1, 1]  # the brief
    context[[0, 1, 2], BRIEF] = context[[3, 4], BRIEF + 1] = 1
    margins = np.repeat(np.array([[0.1], [0.0], [0.4], [0.5], [0.7]], np.float32), 3, axis=1)
    drawn = np.tile(np.arange(5, dtype=np.float32)[:, None] / 10, 10)
    offset, known = np.full((5, 10), 0.05, np.float32), np.ones((5, 10), np.float32)
    past = Trials(np.array([0, 0, 1, 1, 1]), drawn, offset, known, context, margins)
    found = lessons(past, forecast)
    assert found.briefs[:, 0].tolist() == [-1, 1]
    assert found.best == pytest.approx(np.tile([[0.05], [0.25]], 10)), "as built, offsets included"
    assert found.passing == pytest.approx(np.tile([[0.1], [0.35]], 10))
    past.margins[:2] = -1.0  # nothing passes in the first programme
    assert lessons(past, forecast).passing[0] == pytest.approx(np.full(10, 0.05))


def test_controls_recall_the_nearest_brief_and_regress_on_all() -> None:
    rng = np.random.default_rng(0)
    briefs, weights = rng.uniform(-1, 1, (200, BRIEF)), 0.1 * rng.normal(size=(BRIEF, 10))
    built = 0.2 + briefs @ weights
    assert (nearest(briefs, built)(briefs[7] + 1e-3) == built[7]).all()
    brief = rng.uniform(-1, 1, BRIEF)
    assert regression(briefs, built)(brief) == pytest.approx(0.2 + brief @ weights, abs=1e-3)
    noisy = built + 0.5 * rng.normal(size=built.shape)
    few = regression(
        briefs[:15], noisy[:15]
    )  # hardly any more than the 13 numbers of a brief: only a strong penalty helps
    plain, *_ = np.linalg.lstsq(np.c_[np.ones(15), briefs[:15]], noisy[:15], rcond=None)
    miss, plain_miss = (
        (np.array([f(one) for one in briefs]) - built).std() for f in (few, lambda one: np.r_[1, one] @ plain)
    )
    assert miss < 0.5 * plain_miss


def test_a_recaller_draws_its_target_less_what_it_believes_of_the_factory() -> None:
    forecast = Forecast(Known(lambda built, context: 0.3 - np.abs(built[:, :3])))
    target = np.linspace(-0.5, 0.5, 10)
    agent = Recaller("control", forecast, Thinking(6, 2, imagined=99, scenarios=1, caution=0.5), lambda brief: target)
    env = make_vec("ProvingGround", 2, action="continuous", level=1, split="test")
    obs, _ = env.reset(seed=0)
    actions, _ = agent.act(obs, agent.initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool))
    assert actions[:, :10] == pytest.approx(target - env.world["offset"] * env.world["known"], abs=1e-6)
    assert [one.tests for one in submissions(agent, ENV, [0, 1])] == [6, 6]


@pytest.mark.parametrize("kind", BASELINES)
def test_searches_spend_their_budget_and_build_the_best_they_tried(kind: type) -> None:
    if kind.__name__ == "BayesianSearch":
        pytest.importorskip("sklearn")
    found = submissions(kind(26), ENV, [0, 1], endless=True)
    assert made(26) == 24
    for one in found:  # the best is built again, unless it was the last
        assert one.tests == 24 and one.prototypes in (4, 5) and not one.error
    first, again = found[0].design, submissions(kind(26), ENV, [0], endless=True)[0].design
    assert (first == again).all()


def test_a_search_within_the_environments_tests_needs_no_longer_programme() -> None:
    env = make_vec("ProvingGround", 2, action="continuous", level=2, split="test", certify=1)
    outcomes = rollout(RandomSearch(18), env, range(2), metrics=("tests",), fail_fast=True)
    assert [(one.length, one.metrics["tests"]) for one in outcomes] == [(19, 18)] * 2


def test_local_search_starts_from_the_universal_design_as_it_should_be_drawn() -> None:
    env = make_vec("ProvingGround", 2, action="continuous", level=1, split="test")
    obs, _ = env.reset(seed=0)
    agent = LocalSearch(12)
    actions, _ = agent.act(obs, agent.initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool))
    assert actions[:, :10] == pytest.approx(-env.world["offset"] * env.world["known"], abs=1e-6)


def test_the_command_compares_designers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    words = ["designers", "--quick", "--seeds", "0", "--out", str(tmp_path)]
    assert main(words) == 0
    printed = capsys.readouterr().out
    for word in (
        "Bayesian optimisation, no past programme",
        "8 past programmes",
        "another programme's latent",
        "CPU-second",
    ):
        assert word in printed
    rows = json.loads((tmp_path / "seed-0.json").read_text())["rows"]
    assert all(0 <= score <= 1 for row in rows for score in row["scores"])
    assert {row["designer"] for row in rows} >= {"surrogate-designer", "random search", "tracker", "oracle"}
    assert (tmp_path / "score.svg").read_text().startswith("<?xml")
    counted = [(row["past"], row["tests"], row["imagined"], row["note"], row["designer"]) for row in rows]
    assert len(set(counted)) == len(counted), "every designer is measured once"
    assert {(row["past"], row["tests"]) for row in rows if row["designer"] in CONTROLS} == {
        (4, 8),
        (4, 12),
        (8, 8),
        (8, 12),
    }
    before = (tmp_path / "seed-0.json").stat().st_mtime_ns
    assert main([*words, "--report"]) == 0  # and nothing is run again
    assert (tmp_path / "seed-0.json").stat().st_mtime_ns == before
    stored = json.loads((tmp_path / "seed-0.json").read_text())
    less = [row for row in rows if row["designer"] not in ("tracker", "best past design")]
    (tmp_path / "seed-0.json").write_text(json.dumps(stored | {"rows": less}))
    capsys.readouterr()
    assert main(words) == 0
    ran = [line for line in capsys.readouterr().out.splitlines() if line.startswith("seed 0: ")]
    assert len(ran) == len(rows) - len(less) == 5, "only what is missing"
    again = json.loads((tmp_path / "seed-0.json").read_text())["rows"]
    key = lambda row: (row["designer"], row["past"], row["tests"], row["imagined"], row["note"], row["scores"])  # noqa: E731
    assert sorted(map(key, again)) == sorted(map(key, rows))
    assert main(["designers", "--seeds", "0", "--out", str(tmp_path), "--report"]) == 2  # of another plan
    assert main(["designers", "--quick", "--seeds", "0", "0", "--out", str(tmp_path)]) == 2
    assert main(["designers", "--quick", "--seeds", "4294967296", "--out", str(tmp_path)]) == 2
    (tmp_path / "seed-0.json").write_text("[]")
    assert main([*words, "--report"]) == 2


MADE: dict[str, Any] = {
    "plan": _comparable(QUICK),
    "speeds": {"imagined": 1.0, "simulated": 1.0},
    "rows": [asdict(Row("surrogate-designer", 0, past=4, tests=8, imagined=10, scores=(0.5,)))],
}
"""A stored result."""


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda made: {"plan": made["plan"]}, "KeyError: 'rows'"),
        (lambda made: {**made, "rows": []}, "nobody in it has learned"),
        (lambda made: {**made, "rows": [{"who": 1}]}, "unexpected keyword argument 'who'"),
        (lambda made: {**made, "rows": [{**made["rows"][0], "scores": ["high"]}]}, "could not convert string to float"),
        (lambda made: {**made, "speeds": {}}, "KeyError: 'imagined'"),
        (lambda made: {**made, "plan": {}}, "made with another plan"),
    ],
)
def test_a_damaged_result_of_designers_is_told_in_one_line(
    broken: Callable[[Any], Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "seed-0.json"
    path.write_text(json.dumps(broken(MADE)))
    assert main(["designers", "--quick", "--report", "--seeds", "0", "--out", str(tmp_path)]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"unseen: {path}: ") and said in complaint and complaint.count("\n") == 1


def test_designers_that_cannot_store_anything_do_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "a file"
    taken.write_text("")
    assert main(["designers", "--quick", "--seeds", "0", "--out", str(taken)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err == f"unseen: {taken}: cannot be written: File exists\n"


def test_the_figure_does_not_need_every_comparison(tmp_path: Path) -> None:
    """As with --past 10, at which not all numbers of imagined designs are run."""
    (tmp_path / "seed-0.json").write_text(json.dumps(MADE))
    assert main(["designers", "--quick", "--report", "--seeds", "0", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "score.svg").stat().st_size > 0


def test_the_report_tells_how_many_tests_the_searches_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seed-0.json").write_text(json.dumps(MADE))
    assert main(["designers", "--quick", "--report", "--seeds", "0", "--out", str(tmp_path)]) == 0
    assert "| 8 tests | 12 tests |" in (said := capsys.readouterr().out)
    assert "so they make only 6 of 8 tests." in said


@pytest.mark.parametrize("name", ["report.md", "score.svg"])
def test_a_report_that_cannot_be_written_is_told_in_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seed-0.json").write_text(json.dumps(MADE))
    words = ["designers", "--quick", "--report", "--seeds", "0", "--out", str(tmp_path)]
    assert main(words) == 0
    capsys.readouterr()
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert main(words) == 2
    assert capsys.readouterr().err == f"unseen: {tmp_path / name}: cannot be written: Is a directory\n"
