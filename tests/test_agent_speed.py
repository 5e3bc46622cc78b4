"""`unseen bench --agents`: figures of agents, and the reasons for those that are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.errors import UnknownAgent  # noqa: E402
from unseen.agents.roster import trainable  # noqa: E402
from unseen.agents.shared.envs import EnvConfig  # noqa: E402
from unseen.train import agent_speed  # noqa: E402
from unseen.train.agent_speed import COLUMNS, agent_speeds, chosen  # noqa: E402
from unseen.train.benchmark.results import FINISHED, Result, as_text  # noqa: E402
from unseen.train.cli import main  # noqa: E402
from unseen.train.heldout import Score  # noqa: E402

ENV = EnvConfig("RolledBehind", 1)


def stored(folder: Path, curve: tuple, seed: int, **cell: object) -> None:
    what = {
        "agent": "gru-ppo",
        "settings": {},
        "env": "Unseen/RolledBehind-v1",
        "level": 1,
        "parameters": {},
        "obs": "",
    }
    result = Result(str(seed), what | cell, FINISHED, greedy=Score(10, 1.0, 1.0), curve=curve)
    (folder / "some").mkdir(exist_ok=True)
    (folder / "some" / f"{seed}-{len(cell)}.json").write_text(as_text(result))


def test_the_time_to_the_threshold_is_read_from_stored_runs(tmp_path: Path) -> None:
    for seed, cpu in enumerate((30.0, 50.0, 40.0)):
        stored(tmp_path, ((100, 10, cpu / 2, 0.5, 0.4), (200, 20, cpu, 0.95, 0.9)), seed)
    stored(tmp_path, ((100, 10, 1.0, 0.99, 0.9),), 3, settings={"lr": 1.0})
    stored(tmp_path, ((100, 10, 1.0, 0.99, 0.9),), 4, level=2)
    (tmp_path / "some" / "entropies.json").write_text("{}")
    found = agent_speed.Found()
    agent_speed._time_to_threshold(found, "gru-ppo", ENV, agent_speed.stored_results(tmp_path))
    assert found.values == {COLUMNS[0]: 40.0} and not found.reasons
    agent_speed._time_to_threshold(found, "dreamer", ENV, agent_speed.stored_results(tmp_path))
    assert found.reasons == ["no stored benchmark of it here"]
    stored(tmp_path, ((100, 10, 1.0, 0.2, 0.2),), 5, agent="ppo")
    failed = agent_speed.Found()
    agent_speed._time_to_threshold(failed, "ppo", ENV, agent_speed.stored_results(tmp_path))
    assert not failed.values and failed.reasons == ["1 of 1 stored runs did not reach 0.9"]


def test_agents_are_chosen_by_name() -> None:
    assert chosen(("dreamer",)) == ["dreamer"] and "gru-ppo" in chosen(()) and "tracker" not in chosen(())
    with pytest.raises(UnknownAgent, match="dreamre"):
        chosen(("dreamre",))


def speeds(
    agents: list[str], env: EnvConfig, device: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, float]]:
    """Figures of few decisions and updates, by agent and column."""
    small = {"envs": 4, "prefill": 4, "batch": 4, "hidden": 8, "deter": 8, "updates": 2, "imagined": 40}
    monkeypatch.setattr(agent_speed, "WARM_UPS", small | agent_speed.WARM_UPS)
    monkeypatch.setattr(agent_speed, "DECISIONS", 20)
    monkeypatch.setattr(agent_speed, "ROWS", 8)
    table = agent_speeds(env, agents, device, 0.05, results=Path("no such folder"))
    assert [row.name for row in table.rows] == agents
    return {row.name: {k: v for k, v in zip(COLUMNS, row.values, strict=True) if v is not None} for row in table.rows}


@pytest.mark.slow
def test_the_figures_of_agents_with_a_model_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    found = speeds(["gru-ppo", "dreamer"], ENV, "cpu", monkeypatch)
    assert set(found["dreamer"]) == set(COLUMNS[1:]) and set(found["gru-ppo"]) == set(COLUMNS[1:]) - {"imagined/s"}
    for figures in found.values():
        assert min(figures.values()) > 0 and figures["90 % ms, n=1"] >= figures["median ms, n=1"]


def test_an_agent_that_cannot_be_trained_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    table = agent_speeds(EnvConfig("Tally", 2), ["slot-search"], "cpu", 0.05)
    assert not table.rows[0].values and "needs slots" in table.rows[0].why


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("agent", [name for name in trainable() if name != "surrogate-designer"])
def test_a_gpu_learns_imagines_and_decides(agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = speeds([agent], EnvConfig("Unblock", 1) if agent == "slot-search" else ENV, "cuda", monkeypatch)
    assert set(found[agent]) >= set(COLUMNS[1:]) - {"start-up s", "imagined/s"}
    assert "imagined/s" in found[agent] or agent not in ("dreamer", "mapper", "latent-mpc", "jepa-mpc")


def test_the_command_prints_a_table_or_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_speed, "DECISIONS", 20)
    monkeypatch.setattr(agent_speed, "start_up", lambda agent, env: 0.5)
    monkeypatch.setattr(agent_speed, "WARM_UPS", {"envs": 4, "batch": 4})
    args = ["bench", "RolledBehind", "--agents", "--only", "gru-ppo", "--seconds", "0.05"]
    assert main(args) == 0
    said = capsys.readouterr().out
    assert "RolledBehind, level 1, on cpu" in said and "gru-ppo" in said and "no world model" in said
    assert main([*args, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["device"] == "cpu" and printed["agents"][0]["rows"][0]["name"] == "gru-ppo"
    assert main([*args, "--device", "abacus"]) == 2 and "abacus" in capsys.readouterr().err
    assert main([*args, "--threads", "99999999999"]) == 2 and "in 1..1024" in capsys.readouterr().err
    assert main(["bench", "RolledBehind", "--agents", "--only", "oracle"]) == 2
