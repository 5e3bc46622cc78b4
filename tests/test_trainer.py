"""The trainer: a complete run, and bit-identical results after a kill at any time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")

from safetensors.numpy import load_file

from unseen.agents.card import read_card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.load import load_agent
from unseen.agents.sb3.ppo import PPOLearner
from unseen.agents.shared.torch_learner import TorchLearner
from unseen.envs.errors import BadParameter
from unseen.envs.suite import SUITE, make_vec
from unseen.train import checkpoints, files
from unseen.train.budget import Budget, CpuClock
from unseen.train.cli import main
from unseen.train.errors import StoreError, TrainingDiverged
from unseen.train.lock import FolderLock
from unseen.train.logs import Display, Log
from unseen.train.trainer import TrainConfig, train

PPO = ("envs=4", "rollout=16", "batch=32", "epochs=1", "hidden=8")
MAPPER = (
    "envs=4", "batch=2", "prefill=4", "actor_warmup_updates=4", "imagination_starts=4", "horizon=2", "hidden=16", "replay_ratio=16",
)  # fmt: skip
COMMAND = [sys.executable, "-m", "unseen", "train"]


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exporting takes longer than all the rest here, and one test does it."""
    monkeypatch.setattr(TorchLearner, "export", lambda self, path: path.touch())


def config(out: Path, agent: str = "ppo", steps: int = 640, **more: object) -> TrainConfig:
    given = {"set": PPO, "eval_episodes": 10, "quiet": True, "checkpoint_every": 0.0} | more
    given = {"env": "RolledBehind", "level": 1} | given
    return TrainConfig(agent, steps=steps, out=out, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_a_seed_that_libraries_do_not_take_is_refused(seed: int, tmp_path: Path) -> None:
    with pytest.raises(BadAgent, match=f"seed={seed}: must be in 0..4294967295"):
        train(config(tmp_path / "run", seed=seed))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("threads", [0, -1, 99_999_999_999])
def test_threads_that_torch_does_not_take_are_refused(threads: int, tmp_path: Path) -> None:
    with pytest.raises(BadAgent, match=rf"threads={threads}: must be in 1\.\.1024"):
        train(config(tmp_path / "run", threads=threads))
    assert not (tmp_path / "run").exists()


def test_a_run_from_start_to_agent(tmp_path: Path) -> None:
    path = train(config(tmp_path / "run", final_episodes=30))
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["episodes"] == 30 and card["training_episodes"] > 0
    assert card["steps"] == 640 and card["env"] == "Unseen/RolledBehind-v1" and card["config"]["hidden"] == 8
    steps = [point[0] for point in card["curve"]]
    assert steps == sorted(set(steps)) and steps[-1] == 640
    assert card["curve"][-1][2] == card["episode_return"]
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["steps"] for row in rows] == list(range(64, 641, 64))
    assert len(checkpoints.found(tmp_path / "run" / "checkpoints")) == 2
    agent = load_agent(str(tmp_path / "run"), "RolledBehind", 1)
    assert agent.name == "ppo"


@pytest.mark.sample(3)
@pytest.mark.parametrize("agent, settings", [("ppo", PPO), ("dreamer", MAPPER)])
@pytest.mark.parametrize("env", SUITE)
def test_every_environment_can_be_trained_on_by_name(
    env: str, agent: str, settings: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unseen.train.trainer.FINAL_EPISODES", 20)
    sized = ["--set", *settings, "--eval-episodes", "10", "--quiet", "--out", str(tmp_path)]
    assert main(["train", agent, env, "--steps", "400", *sized]) == 0
    card = json.loads((tmp_path / "agent.json").read_text())
    assert card["env"] == SUITE[env].id and card["steps"] >= 400
    assert SUITE[env].task.score.low <= card["episode_return"] <= SUITE[env].task.score.high
    updates = [json.loads(line).get("prediction", 1.0) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(updates).all()
    made = load_agent(str(tmp_path), env, SUITE[env].default_level)
    obs, _ = make_vec(env, 2).reset(seed=0)
    actions, _ = made.act(obs, made.initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool))
    assert make_vec(env, 2).single_action_space.contains(actions[0])


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("agent", "env", "settings"),
    [
        ("ppo", "minigrid:MiniGrid-MemoryS7-v0", PPO),
        ("dreamer", "CartPole-v1", (*MAPPER, "sequence=20")),
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
    assert main(["evaluate", str(tmp_path), env, "--episodes", "2"]) == 0


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
@pytest.mark.parametrize(
    ("agent", "settings", "steps"),
    [("ppo", PPO, 6400), pytest.param("mapper", MAPPER, 500, marks=pytest.mark.slow)],
)
def test_killed_and_resumed_ends_bit_for_bit_as_uninterrupted(
    agent: str, settings: tuple[str, ...], steps: int, tmp_path: Path
) -> None:
    words = [agent, "RolledBehind", "--level", "1", "--steps", str(steps), "--checkpoint-every", "0"]
    words += ["--eval-episodes", "10", "--quiet", "--set", *settings]
    process = subprocess.Popen([*COMMAND, *words, "--out", str(tmp_path / "killed")], stderr=subprocess.PIPE)
    stored = tmp_path / "killed" / "checkpoints"
    while len(checkpoints.found(stored)) < 2 and process.poll() is None:
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


def endless(out: Path, *more: str) -> subprocess.Popen[str]:
    """A training process that has logged something and runs until it is stopped."""
    words = ["ppo", "RolledBehind", "--level", "1", "--steps", "100000000", *more, "--set", *PPO]
    process = subprocess.Popen([*COMMAND, *words, "--out", str(out)], stderr=subprocess.PIPE, text=True)
    log = out / "log.jsonl"
    while not (log.exists() and log.stat().st_size) and process.poll() is None:
        time.sleep(0.02)
    return process


def test_ctrl_c_saves(tmp_path: Path) -> None:
    process = endless(tmp_path / "run")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert "--resume" in said and "Traceback" not in said
    assert "ppo on RolledBehind level 1: 0 %" in said  # progress, though this is a pipe
    assert len(checkpoints.found(tmp_path / "run" / "checkpoints")) == 1


@pytest.mark.usefixtures("no_export")
def test_a_second_training_into_one_folder_is_refused_and_harms_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(config(tmp_path, steps=64))
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "run.lock"}
    first = FolderLock(tmp_path / "run.lock")  # as a training in progress holds it
    words = ["ppo", "RolledBehind", "--level", "1", "--steps", "128", "--resume", "--set", *PPO]
    assert main(["train", *words, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"in use by another process ({os.getpid()})" in said and said.count("\n") == 1
    assert {path: path.read_bytes() for path in kept} == kept
    first.release()
    first.release()
    assert main(["train", *words, "--eval-episodes", "10", "--out", str(tmp_path)]) == 0


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("do not cut")
    (tmp_path / "run.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="cannot be written"):
        train(config(tmp_path))
    assert (tmp_path / "precious").read_text() == "do not cut"


@pytest.mark.usefixtures("no_export")
@pytest.mark.skipif(sys.platform == "win32", reason="needs a file size limit")
def test_a_full_disk_is_told_in_one_line_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    """A file size limit causes the same errors as a full disk."""
    import resource

    words = ["ppo", "RolledBehind", "--level", "1", "--checkpoint-every", "0", "--eval-episodes", "10", "--quiet"]
    words += ["--set", *PPO, "hidden=128", "--out", str(tmp_path / "run")]  # checkpoints of some 300 kB
    assert main(["train", *words, "--steps", "64"]) == 0
    limited = subprocess.run(
        [*COMMAND, *words, "--steps", "640", "--resume"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert limited.returncode == 2 and limited.stderr.count("\n") == 1, limited.stderr
    assert "checkpoints: cannot write a checkpoint: " in limited.stderr
    assert [path.name for path in checkpoints.found(tmp_path / "run" / "checkpoints")] == ["step-000000000064"]
    assert not (tmp_path / "run" / "checkpoints" / ".writing").exists()
    assert main(["train", *words, "--steps", "128", "--resume"]) == 0


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Log, figures: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Log, "write", full)
    with pytest.raises(StoreError, match="run: cannot be written: No space left"):
        train(config(tmp_path / "run"))


@pytest.mark.usefixtures("no_export")
def test_windows_flushes_what_is_open_for_writing_and_opens_no_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    fsync, opened = os.fsync, os.open

    def windows_fsync(handle: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        fsync(handle)

    def windows_open(path: object, *args: object, **kwargs: object) -> int:
        if os.path.isdir(path):  # type: ignore[arg-type]
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", windows_fsync)
    monkeypatch.setattr(os, "open", windows_open)
    with pytest.raises(PermissionError):
        os.open(tmp_path, os.O_RDONLY)
    checkpoints.write(tmp_path / "checkpoints", 1, lambda folder: (folder / "state").write_text("x"), {})
    assert [path.name for path in checkpoints.found(tmp_path / "checkpoints")] == ["step-000000000001"]
    files.flush_folder(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "foo=3"],
        ["--set", "envs=none"],
        ["--set", "hidden"],
        ["--env", "occluders=99"],
        ["--env", "ocluders=4"],
        ["--env", "blackout"],
        ["--obs", "smell"],
        ["--action", "telepathic"],
        ["--split", "exam"],
        ["--split", "test"],
        ["--split", "shift"],
        ["--checkpoint-every", "nan"],
        ["--level", "9"],
        ["--device", "abacus"],
        ["--steps", "-3"],
        ["--resume"],
    ],
    ids=" ".join,
)
def test_a_rejected_setting_leaves_no_folder(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["train", "ppo", "RolledBehind", *words, "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


@pytest.mark.usefixtures("no_export")
def test_an_environment_of_gymnasiums(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("unseen.train.trainer.FINAL_EPISODES", 20)
    monkeypatch.chdir(tmp_path)
    words = ["train", "ppo", "CartPole-v1", "--eval-episodes", "5", "--set", *PPO]
    assert main([*words, "--steps", "128"]) == 0
    assert main([*words, "--steps", "256", "--resume"]) == 0
    assert "no snapshots: a resumed run starts new episodes" in capsys.readouterr().err
    folder = tmp_path / "runs" / "CartPole-v1" / "ppo-0"
    card = json.loads((folder / "agent.json").read_text())
    assert card["env"] == "CartPole-v1" and "level" not in card and card["episode_return"] > 5
    assert main([*words, "--steps", "64", "--publish", "--out", "other"]) == 2
    assert (
        "only agents for environments of the suite can be included" in capsys.readouterr().err
        and not Path("other").exists()
    )


@pytest.mark.usefixtures("no_export")
def test_parameters_of_the_environment_are_part_of_the_run(tmp_path: Path) -> None:
    shorter = {"parameters": ("blackout=1",), "steps": 64}
    train(config(tmp_path / "a", **shorter))
    with pytest.raises(BadCheckpoint, match="setting"):
        train(config(tmp_path / "a", steps=128, resume=True))
    train(config(tmp_path / "a", **(shorter | {"steps": 128, "resume": True})))
    plain = TrainConfig("ppo", "RolledBehind", level=1)
    assert plain.folder(plain.training_env()) == Path("runs/RolledBehind/level1/ppo-0")
    with pytest.raises(BadParameter, match="blackout=99"):
        train(config(tmp_path / "b", parameters=("blackout=99",)))


def test_bad_budgets_and_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadAgent, match="steps=0"):
        train(config(tmp_path, steps=0))
    with pytest.raises(BadAgent, match="NAME=VALUE"):
        train(config(tmp_path, set=("entropy",)))
    with pytest.raises(BadAgent, match="entropy"):
        train(config(tmp_path, set=("ent=.1",)))


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize(("agent", "settings", "most"), [("ppo", PPO, 4), ("dreamer", MAPPER, 0)])
def test_a_budget_in_episodes(agent: str, settings: tuple[str, ...], most: int, tmp_path: Path) -> None:
    path = train(config(tmp_path, agent, None, episodes=10, set=settings, final_episodes=5))  # type: ignore[arg-type]
    meta = checkpoints.read_meta(checkpoints.found(path.parent / "checkpoints")[-1])
    assert 10 <= meta["episodes"] <= 10 + most, "an episode of each environment may be more than was asked for"
    with pytest.raises(BadAgent, match="episodes=0"):
        train(config(tmp_path, episodes=0))


@pytest.mark.usefixtures("no_export")
@pytest.mark.parametrize(
    ("agent", "settings"),
    [
        ("gru-ppo", ("hidden=8", "epochs=1")),  # 256 environments by default
        ("sac", ("hidden=8", "random_steps=5000")),  # 1,024 steps between two updates
        ("dreamer", ("hidden=8", "deter=8", "prefill=100")),
    ],
)
def test_few_real_episodes_lower_the_number_of_environments(
    agent: str, settings: tuple[str, ...], tmp_path: Path
) -> None:
    few = {"env": "ProvingGround", "level": 2, "steps": None, "episodes": 10, "final_episodes": 5}
    card = read_card(train(config(tmp_path, agent, set=settings, **few)).with_suffix(".json"))  # type: ignore[arg-type]
    assert card.config["envs"] == card.overrides["envs"] == 10
    assert card.training_episodes is not None and 10 <= card.training_episodes < 20
    with pytest.raises(BadAgent, match="envs=11: at most 10, the budget in episodes"):
        train(config(tmp_path / "more", agent, set=("envs=11",), **few))  # type: ignore[arg-type]


@pytest.mark.usefixtures("no_export")
def test_a_loss_that_is_not_finite_stops_the_run_after_its_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = PPOLearner.advance
    bad = {"loss": float("nan")}
    monkeypatch.setattr(PPOLearner, "advance", lambda self: advance(self) | (bad if self.steps >= 256 else {}))
    with pytest.raises(TrainingDiverged, match="ppo: loss is nan at step 256"):
        train(config(tmp_path))
    assert [path.name for path in checkpoints.found(tmp_path / "checkpoints")][-1] == "step-000000000192"


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


def test_any_flipped_bit_of_what_the_trainer_noted_is_found(tmp_path: Path) -> None:
    meta = {"steps": 640, "cpu_s": 1.25, "wall_s": 2.5, "curve": [[640, 1.2, 0.375]], "agent": "ppo"}
    folder = checkpoints.write(tmp_path, 640, lambda folder: None, meta)
    assert checkpoints.read_meta(folder) == meta
    sound = (folder / checkpoints.META).read_bytes()
    for at in range(len(sound)):
        damaged = bytearray(sound)
        damaged[at] ^= 1 << at % 8
        (folder / checkpoints.META).write_bytes(damaged)
        with pytest.raises(BadCheckpoint):
            checkpoints.read_meta(folder)


def test_a_log_forgets_what_will_happen_again(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"steps": 1}\n{"steps": 2}\n{"steps": 3}\n{"ste')
    log = Log(tmp_path, 2)
    log.write({"steps": 5})
    log.close()
    rows = [json.loads(line)["steps"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [1, 2, 5]


def test_a_damaged_log_keeps_what_is_sound(tmp_path: Path) -> None:
    lines = [
        b'{"steps": 1}', b"\xff\xfe", b'{"steps": "2"}', b'{"steps": true}', b"[1]", b"null", b"", b"{" * 5_000,
        b"[" * 100_000, b'{"steps": 2, "loss": 0.5}', b'{"steps": NaN}',
    ]  # fmt: skip
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(lines))
    Log(tmp_path, 2).close()
    assert (tmp_path / "log.jsonl").read_bytes().splitlines() == [lines[0], lines[9]]


@pytest.mark.usefixtures("no_export")
def test_a_run_with_a_damaged_log_is_resumed(tmp_path: Path) -> None:
    train(config(tmp_path, steps=320))
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(b'\xff{"steps": "a lot"}\n')
    train(config(tmp_path, steps=640, resume=True))
    rows = [json.loads(line)["steps"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == list(range(64, 641, 64))


def test_the_display_speaks_at_once_and_then_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"steps": 5_000.0, "cpu_s": 3.0, "episode_return": 0.5, "loss": 0.25}
    display = Display("ppo on RolledBehind", every=1e9)
    display.show(0.1, figures)
    display.show(0.2, figures)
    display.say("done")
    display.close()
    assert capsys.readouterr().err == "ppo on RolledBehind: 10 %, 5 k steps, 3 CPU-s, return 0.50, loss 0.25\ndone\n"
    quiet = Display("ppo", quiet=True)
    quiet.show(0.1, figures)
    quiet.say("done")
    assert capsys.readouterr().err == ""


def test_budget_and_clock() -> None:
    assert Budget(100, None).share(50, 1e9) == 0.5
    assert Budget(100, 10.0).share(50, 8.0) == 0.8
    clock = CpuClock(carried=5.0)
    with clock.paused():
        with clock.paused():
            sum(range(2_000_000))
        assert 5.0 <= clock.seconds < 5.02  # what a checkpoint stores after an evaluation
    assert 5.0 <= clock.seconds < 5.02
