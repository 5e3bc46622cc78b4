"""Latent-mpc: it trains as a dreamer, its graphs plan as torch does, planning off is its policy, and whole commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnxscript")

from unseen.agents.dreamer import DreamerLearner  # noqa: E402
from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.latent_mpc import LatentMPCLearner  # noqa: E402
from unseen.agents.load import load_agent  # noqa: E402
from unseen.agents.onnx.planner import OnnxPlanner  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.planning_agent import GraphPlanningAgent  # noqa: E402
from unseen.agents.shared.shooting import Shooting  # noqa: E402
from unseen.agents.shared.tree_search import TreeSearch  # noqa: E402
from unseen.train.cli import main  # noqa: E402

SMALL = {
    "envs": 8, "batch": 4, "prefill": 4, "actor_warmup_updates": 3, "imagination_starts": 8, "horizon": 4, "deter": 32, "hidden": 32,
}  # fmt: skip
PLAN = {"imagined": 40, "depth": 5}
DISCRETE, CONTINUOUS = EnvConfig("RolledBehind", 1), EnvConfig("RolledBehind", 1, action="continuous")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trained(env: EnvConfig = DISCRETE, updates: int = 5, **config: Any) -> LatentMPCLearner:
    made = LatentMPCLearner(env, config=SMALL | PLAN | config)
    while made.updates < updates:
        made.advance()
    return made


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


def played(agent: GraphPlanningAgent, env: EnvConfig, rows: range, steps: int) -> tuple[list[Any], Any]:
    """Actions in environments with these seeds, and the agent's last memory."""
    vector = make(env, len(rows)).vector
    obs, _ = vector.reset(seed=list(rows))
    state, first, taken = agent.initial_state(np.array(rows, np.uint64)), np.ones(len(rows), bool), []
    for _ in range(steps):
        actions, state = agent.act(obs, state, first)
        taken.append(actions.copy())
        obs, _, terminated, truncated, _ = vector.step(actions)
        first = terminated | truncated
    return taken, state


def test_it_trains_as_a_dreamer() -> None:
    one, other = LatentMPCLearner(DISCRETE, config=SMALL | PLAN), DreamerLearner(DISCRETE, config=SMALL)
    for _ in range(2):
        mine, theirs = one.advance(), other.advance()
        assert mine == theirs
    left, right = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(left[name], right[name]) for name in right)


@pytest.mark.parametrize("env", [DISCRETE, CONTINUOUS], ids=["discrete", "continuous"])
def test_onnx_plans_as_torch(env: EnvConfig, tmp_path: Path) -> None:
    made = trained(env)
    path = tmp_path / "agent.onnx"
    made.export(path)
    path.with_suffix(".json").write_text(json.dumps({"agent": "latent-mpc", "config": PLAN, "action": env.action}))
    ours, exported = made.policy(), load_agent(str(path), env.name, env.level)
    assert isinstance(exported, OnnxPlanner) and exported.name == "latent-mpc"
    assert isinstance(exported.search.planner, Shooting if env.action else TreeSearch)
    assert exported.search.imagined == 40
    n = 5
    vector = make(env, n).vector
    obs, _ = vector.reset(seed=3)
    first, mine, yours = np.ones(n, bool), ours.initial_state(seeds(n)), exported.initial_state(seeds(n))
    for _ in range(16):
        actions, mine = ours.act(obs, mine, first)
        same, yours = exported.act(obs, yours, first)
        np.testing.assert_allclose(mine.now.state, yours.now.state, atol=1e-3)
        for one, other in zip(
            mine.plans, yours.plans, strict=True
        ):  # of plans worth the same, rounding may choose another
            assert (one is None) == (other is None)
            assert one is None or other is None or one.worth == pytest.approx(other.worth, abs=1e-3)
        assert actions.shape == same.shape and actions.dtype == same.dtype
        yours = yours._replace(now=mine.now, last=mine.last, plans=mine.plans)  # errors of rounding do not add up
        obs, _, terminated, truncated, _ = vector.step(actions)
        first = terminated | truncated
    assert mine.searches.any() and vector.single_action_space.contains(actions[0])
    left, right = ours.imagine(mine, 5), exported.imagine(yours, 5)
    assert left is not None and right is not None and left.dropped is not None and right.dropped is not None
    for name in ("xy", "pose", "reward", "cont", "action"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=1e-3, err_msg=name)
    assert left.dropped.shape[0] == n and left.dropped.shape[2:] == (5, 2) and np.isfinite(left.dropped[0]).any()
    fewer = load_agent(str(path), env.name, env.level, imagined=7)
    assert isinstance(fewer, OnnxPlanner) and fewer.imagined == 7


@pytest.mark.parametrize("env", [DISCRETE, CONTINUOUS], ids=["discrete", "continuous"])
def test_an_episode_does_not_depend_on_its_batch(env: EnvConfig) -> None:
    agent = trained(env).policy()
    whole, _ = played(agent, env, range(20, 26), 14)
    alone, _ = played(agent, env, range(22, 23), 14)
    for many, one in zip(whole, alone, strict=True):
        np.testing.assert_array_equal(many[2], one[0])


@pytest.mark.parametrize("env", [DISCRETE, CONTINUOUS], ids=["discrete", "continuous"])
def test_planning_off_is_the_policy(env: EnvConfig) -> None:
    made = trained(env, imagined=0)
    dreamer = super(type(made).__mro__[1], made)  # the graphs and the agent of a dreamer, on the same networks
    plain, obs = dreamer.policy(), make(env, 6).vector.reset(seed=0)[0]
    plain._act = dreamer.act_graph()
    planner = made.policy()
    first = np.ones(6, bool)
    expected, _ = plain.act(obs, plain.initial_state(seeds(6)), first)
    actions, state = planner.act(obs, planner.initial_state(seeds(6)), first)
    np.testing.assert_allclose(actions, expected, atol=1e-4)
    assert not state.searches.any()
    ahead = planner.imagine(state, 4)
    assert ahead is not None and ahead.dropped is None and (ahead.cont > 0).all(), (
        "it imagines what its policy would do"
    )
    explored = [planner.act(obs, planner.initial_state(seeds(6) + 6 * k), first, explore=True)[0] for k in range(9)]
    assert len(np.unique(np.stack(explored), axis=0)) > 1


def test_where_actions_have_no_effect_nothing_is_planned() -> None:
    _, state = played(trained().policy(), DISCRETE, range(3), 4)  # it watches
    assert not state.searches.any() and not state.now.acts.any()


def test_a_world_model_and_a_planner_need_each_other(tmp_path: Path) -> None:
    path = tmp_path / "agent.onnx"
    trained().export(path)
    path.with_suffix(".json").write_text(json.dumps({"action": "continuous"}))
    with pytest.raises(BadAgent, match="has 4 actions"):
        OnnxPlanner(path, CONTINUOUS)
    path.with_suffix(".json").unlink()
    path.with_suffix(".imagine.onnx").write_bytes(path.read_bytes())
    with pytest.raises(BadCheckpoint, match="action"):
        OnnxPlanner(path, DISCRETE)


def test_whole_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unseen.train.trainer.FINAL_EPISODES", 4)
    settings = [f"{name}={value}" for name, value in (SMALL | {"imagined": 8}).items()]
    words = ["RolledBehind", "--level", "1"]
    run = [
        "--steps",
        "400",
        "--eval-every",
        "400",
        "--eval-episodes",
        "2",
        "--quiet",
        "--out",
        str(tmp_path / "run"),
        "--set",
        *settings,
    ]
    assert main(["train", "latent-mpc", *words, *run]) == 0
    for imagined in ("0", "12"):
        command = ["evaluate", str(tmp_path / "run"), *words, "--episodes", "3", "--imagined", imagined, "--json"]
        capsys.readouterr()
        assert main(command) == 0
        printed = json.loads(capsys.readouterr().out)
        assert len(printed["outcomes"]) == 3 and printed["latency"]["p50_ms"] > 0
    film = tmp_path / "film.png"
    assert main(["watch", str(tmp_path / "run"), *words, "--save", str(film), "--episodes", "1"]) == 0
    assert film.stat().st_size > 1000


def test_the_simulator_plans_with_continuous_actions(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulator-mpc", "RolledBehind", "--level", "1", "--action", "continuous", "--episodes", "8", "--json"]
    scores = {}
    for imagined in ("0", "8000"):
        assert main(["evaluate", *words, "--imagined", imagined]) == 0
        scores[imagined] = json.loads(capsys.readouterr().out)["raw"]["point"]
    assert scores["0"] < 0.5 < scores["8000"]
