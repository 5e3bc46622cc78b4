"""The trainer: a run from start to agent, and one killed at any moment that ends the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")

from safetensors.numpy import load_file

from unseen.agents.card import read_card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.load import load_agent
from unseen.agents.mapper import MapperLearner
from unseen.agents.sb3.ppo import PPOLearner
from unseen.envs.suite import SUITE, make_vec
from unseen.train import checkpoints
from unseen.train.budget import Budget, CpuClock
from unseen.train.cli import main
from unseen.train.errors import StoreError
from unseen.train.logs import Log
from unseen.train.trainer import TrainConfig, train

PPO = ("envs=4", "rollout=16", "batch=32", "epochs=1", "hidden=8")
MAPPER = (
    "envs=4",
    "batch=2",
    "prefill=4",
    "actor_warmup_updates=4",
    "starts=4",
    "horizon=2",
    "deter=16",
    "hidden=16",
    "replay_ratio=16",
)


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exporting takes longer than all the rest here, and one test does it."""
    monkeypatch.setattr(PPOLearner, "export", lambda self, path: path.touch())
    monkeypatch.setattr(MapperLearner, "export", lambda self, path: path.touch())


def config(out: Path, agent: str = "ppo", steps: int = 640, **more: object) -> TrainConfig:
    given = {"set": PPO, "eval_episodes": 10, "quiet": True, "checkpoint_every": 0.0} | more
    return TrainConfig(agent, "RolledBehind", 1, steps=steps, out=out, **given)  # type: ignore[arg-type]


def test_a_run_from_start_to_agent(tmp_path: Path) -> None:
    path = train(config(tmp_path / "run"))
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["steps"] == 640 and card["env"] == "Unseen/RolledBehind-v0" and card["config"]["hidden"] == 8
    steps = [point[0] for point in card["curve"]]
    assert steps == sorted(set(steps)) and steps[-1] == 640
    assert card["curve"][-1][2] == card["episode_return"]
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["steps"] for row in rows] == list(range(64, 641, 64))
    assert len(checkpoints.found(tmp_path / "run" / "checkpoints")) == 2
    agent = load_agent(str(tmp_path / "run"), "RolledBehind", 1)
    assert agent.name == "ppo"


@pytest.mark.parametrize("agent, settings", [("ppo", PPO), ("dreamer", MAPPER)])
@pytest.mark.parametrize("env", SUITE)
def test_every_environment_can_be_trained_on_by_name(
    env: str, agent: str, settings: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unseen.train.trainer.FINAL_EPISODES", 20)
    sized = ["--set", *settings, "--eval-episodes", "10", "--quiet", "--out", str(tmp_path)]
    assert main(["train", agent, env, "--steps", "400", *sized]) == 0
    card = json.loads((tmp_path / "agent.json").read_text())
    assert card["env"] == SUITE[env].id and card["steps"] >= 400 and 0 <= card["episode_return"] <= 1
    updates = [json.loads(line).get("recon", 1.0) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(updates).all()
    made = load_agent(str(tmp_path), env, SUITE[env].default_level)
    obs, _ = make_vec(env, 2).reset(seed=0)
    actions, _ = made.act(obs, made.initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool))
    assert make_vec(env, 2).single_action_space.contains(actions[0])


@pytest.mark.parametrize(
    ("agent", "env", "settings"),
    [
        ("dreamer", "CartPole-v1", (*MAPPER, "sequence=20")),
        ("ppo", "minigrid:MiniGrid-MemoryS7-v0", PPO),
        ("recurrent-ppo", "Pendulum-v1", (*PPO, "lstm=8")),
    ],
)
def test_any_environment_of_gymnasiums_can_be_trained_on(
    agent: str, env: str, settings: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unseen.train.trainer.FINAL_EPISODES", 3)
    if ":" in env:
        pytest.importorskip(env.partition(":")[0])
    command = ["train", agent, env, "--eval-episodes", "3", "--out", str(tmp_path), "--set", *settings]
    assert main([*command, "--steps", "300"]) == 0
    card = read_card(tmp_path / "agent.json")
    assert (card.env, card.level, card.obs, card.action) == (env.rpartition(":")[2], None, "", "")
    assert main([*command, "--steps", "600", "--resume"]) == 0  # with new episodes, as it says
    assert (read_card(tmp_path / "agent.json").steps or 0) >= 600
    assert load_agent(str(tmp_path), env, None).name == agent


@pytest.mark.usefixtures("no_export")
def test_a_folder_in_use_and_one_without_a_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="no checkpoint"):
        train(config(tmp_path, resume=True))
    train(config(tmp_path, steps=64))
    with pytest.raises(BadCheckpoint, match="--resume"):
        train(config(tmp_path))
    with pytest.raises(BadCheckpoint, match="seed=0"):
        train(config(tmp_path, seed=1, resume=True))


@pytest.mark.usefixtures("no_export")
def test_a_resumed_run_goes_on_to_a_larger_budget(tmp_path: Path) -> None:
    train(config(tmp_path / "a", steps=640))
    train(config(tmp_path / "b", steps=320))
    train(config(tmp_path / "b", steps=640, resume=True))
    assert_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.usefixtures("no_export")
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    train(config(tmp_path / "a", steps=640))
    train(config(tmp_path / "b", steps=320))
    newest = checkpoints.found(tmp_path / "b" / "checkpoints")[-1] / "state.safetensors"
    newest.write_bytes(newest.read_bytes()[:100])
    train(config(tmp_path / "b", steps=640, resume=True))
    assert_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize(("agent", "settings", "steps"), [("ppo", PPO, 6400), ("mapper", MAPPER, 500)])
def test_killed_and_resumed_ends_bit_for_bit_as_uninterrupted(
    agent: str, settings: tuple[str, ...], steps: int, tmp_path: Path
) -> None:
    words = ["train", agent, "RolledBehind", "--level", "1", "--steps", str(steps), "--checkpoint-every", "0"]
    words += ["--eval-episodes", "10", "--quiet", "--set", *settings]
    command = [sys.executable, "-m", "unseen.train.cli", *words, "--out", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    stored, deadline = tmp_path / "killed" / "checkpoints", time.monotonic() + 120
    while len(checkpoints.found(stored)) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.communicate()[1]
    reached = int(checkpoints.found(stored)[-1].name.removeprefix("step-"))
    assert 0 < reached < steps
    train(config(tmp_path / "killed", agent, steps, set=settings, resume=True, checkpoint_every=60.0))
    train(config(tmp_path / "whole", agent, steps, set=settings, checkpoint_every=60.0))
    assert_same(tmp_path / "killed", tmp_path / "whole")


def assert_same(a: Path, b: Path) -> None:
    """The last checkpoints, the logs' steps and the curves' steps and scores are equal."""
    left, right = (load_file(checkpoints.found(p / "checkpoints")[-1] / "state.safetensors") for p in (a, b))
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    steps = [[json.loads(line)["steps"] for line in (p / "log.jsonl").read_text().splitlines()] for p in (a, b)]
    assert steps[0] == steps[1]


def test_ctrl_c_saves(tmp_path: Path) -> None:
    words = ["train", "ppo", "RolledBehind", "--level", "1", "--steps", "100000000", "--set", *PPO]
    command = [sys.executable, "-m", "unseen.train.cli", *words, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log, deadline = tmp_path / "run" / "log.jsonl", time.monotonic() + 120
    while not (log.exists() and log.stat().st_size) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume" in said and "Traceback" not in said
    assert len(checkpoints.found(tmp_path / "run" / "checkpoints")) == 1


def test_bad_budgets_and_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadAgent, match="steps=0"):
        train(config(tmp_path, steps=0))
    with pytest.raises(BadAgent, match="NAME=VALUE"):
        train(config(tmp_path, set=("ent_coef",)))
    with pytest.raises(BadAgent, match="ent_coef"):
        train(config(tmp_path, set=("ent=.1",)))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        train(config(tmp_path / "file" / "run"))


def test_a_failed_checkpoint_leaves_the_ones_before(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, 1, lambda folder: None, {})

    def full(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        checkpoints.write(tmp_path, 2, full, {})
    assert [p.name for p in tmp_path.iterdir()] == ["step-000000000001"]


def test_a_log_forgets_what_will_happen_again(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"steps": 1}\n{"steps": 2}\n{"steps": 3}\n{"ste')
    log = Log(tmp_path, 2)
    log.write({"steps": 5})
    log.close()
    rows = [json.loads(line)["steps"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [1, 2, 5]


def test_budget_and_clock() -> None:
    assert Budget(100, None).share(50, 1e9) == 0.5
    assert Budget(100, 10.0).share(50, 8.0) == 0.8
    clock = CpuClock(carried=5.0)
    with clock.paused():
        sum(range(2_000_000))
    assert 5.0 <= clock.seconds < 5.02
