"""`unseen evaluate`: environments of the suite, user-defined ones, and Gymnasium's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import BadParameter
from unseen.train.cli import main
from unseen.train.errors import AgentFailed, EvaluationError
from unseen.train.evaluate import EvaluateConfig, evaluate
from unseen.train.measures.map_error import map_error

MONITOR = str(Path(__file__).parents[1] / "examples" / "blind_monitor.py") + ":BlindMonitor"
MANNERS = """
import numpy as np
from unseen.agents.protocol import Agent

class Straight(Agent):
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int), state

class Nan(Straight):
    def act(self, obs, state, first, explore=False):
        return np.full(len(obs), np.nan), state

class Sometimes(Straight):
    def act(self, obs, state, first, explore=False):
        return np.where(obs[:, 0] > 0.1, 99, 0), state
"""


def test_the_score_and_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate(EvaluateConfig("reflex", "rolledbehind", level=0, episodes=40, json=True))
    assert result.raw is not None and result.raw.point > 0.9 and len(result.outcomes) == 40
    printed = json.loads(capsys.readouterr().out)
    assert printed["raw"]["point"] == result.raw.point and printed["latency"]["p50_ms"] > 0
    assert printed["success"]["point"] == printed["raw"]["point"] and printed["episodes"] == 40
    assert printed["normal"]["point"] > 0.9 and printed["level"] == 0 and printed["env"] == "RolledBehind"
    later = evaluate(EvaluateConfig("reflex", "RolledBehind", level=0, episodes=3, seed=30))
    assert [outcome.seed for outcome in later.outcomes] == [30, 31, 32]
    again = evaluate(EvaluateConfig("reflex", "RolledBehind", level=0, episodes=140))
    assert again.outcomes[:40] == result.outcomes
    said = capsys.readouterr()
    assert "140 held-out episodes" in said.out
    for word in ("return", "success", "normalised", "95 %", "length", "decision"):
        assert word in said.out
    assert "episodes of reflex 140/140" in said.err


@pytest.mark.parametrize(
    "more",
    [
        dict(parameters=("blackout=5,15",)),
        dict(split="shift"),
    ],
)
def test_without_an_anchor_the_return_is_raw(more: dict, capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate(EvaluateConfig("oracle", "RolledBehind", level=1, episodes=20, **more))
    assert result.normal is None and result.raw is not None and result.raw.point > 0.8
    assert "normalised" not in capsys.readouterr().out


def test_split_and_parameters_matter() -> None:
    def lengths(**more: object) -> list[int]:
        found = evaluate(EvaluateConfig("oracle", "RolledBehind", level=1, episodes=20, **more))  # type: ignore[arg-type]
        return [outcome.length for outcome in found.outcomes]

    plain = lengths()
    assert plain == lengths(split="test") != lengths(split="train")
    assert min(lengths(parameters=("blackout=30",))) > max(plain)


def test_an_environment_of_ones_own_without_anchors_and_with_metrics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.py"
    text = Path(MONITOR.rpartition(":")[0]).read_text()
    bare.write_text(text.replace("    anchors: ClassVar", "    no_anchors: ClassVar"))
    assert main(["evaluate", "tracker", f"{bare}:BlindMonitor", "--episodes", "30", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["normal"] is None and printed["raw"]["point"] > 0.9
    assert set(printed["outcomes"][0]["metrics"]) == {"is_success", "worst_error"}


def test_an_environment_of_gymnasiums(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "random", "CartPole-v1", "--episodes", "20"]) == 0
    said = capsys.readouterr().out
    assert "random on CartPole-v1, 20 held-out episodes" in said and "success" not in said
    assert main(["evaluate", "oracle", "CartPole-v1", "--episodes", "20"]) == 2


def test_an_agent_that_fails_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "manners.py"
    file.write_text(MANNERS)
    with pytest.raises(AgentFailed, match=r"manners.py:Nan.*every episode failed.*at step 0: action .*nan"):
        evaluate(EvaluateConfig(f"{file}:Nan", "RolledBehind", level=1, episodes=5))
    result = evaluate(EvaluateConfig(f"{file}:Sometimes", "RolledBehind", level=1, episodes=40))
    assert result.raw is None and result.latency is None
    failed = [outcome for outcome in result.outcomes if outcome.error]
    assert 0 < len(failed) < 40 and f"no score: {len(failed)} episodes failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "error", "named"),
    [
        (dict(episodes=0), EvaluationError, "at least 1"),
        (dict(level=9), BadParameter, "level=9"),
        (dict(parameters=("occluders=9",)), BadParameter, "occluders=9"),
        (dict(obs="smell"), BadParameter, "smell"),
        (dict(split="exam"), BadParameter, "exam"),
    ],
)
def test_what_cannot_be_is_told(config: dict, error: type[Exception], named: str) -> None:
    with pytest.raises(error, match=named):
        evaluate(EvaluateConfig("random", "RolledBehind", **config))


def test_the_error_of_a_map_is_measured_where_the_asked_thing_is_hidden() -> None:
    env_config = EnvConfig("RolledBehind", 1, split="test")
    exact = map_error(load_agent("tracker", "RolledBehind", 1), env_config, 40)
    assert exact is not None and exact.steps > 100
    assert exact.map is not None and exact.map < 0.05, "the tracker computes where blocks come to rest"
    assert exact.last_seen is not None and exact.last_seen > 0.5, "blocks roll on after they were last seen"
    assert map_error(load_agent("reflex", "RolledBehind", 1), env_config, 4) is None, "no map"
    assert map_error(load_agent("tracker", "Bedroom", 1), EnvConfig("Bedroom", 1, split="test"), 4) is None, "no discs"
