"""`unseen audit ID --answer`: foreign environments, of which one leaks and one draws from elsewhere, and unsuitable answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import UnknownEnvironment
from unseen.train.audit import foreign
from unseen.train.audit.foreign import Foreign, foreign_checks, load_answer, train_ppo
from unseen.train.audit.report import Check
from unseen.train.cli import main
from unseen.train.errors import BadAnswer, UsageError

ANSWERS = Path(__file__).parents[1] / "examples" / "answers.py"
TOY = '''
import os
import gymnasium as gym, numpy as np

class Toy(gym.Env):
    """A cue at the reset, noise afterwards; the action that names the cue ends it. `leak` tells the cue at later steps."""
    action_space = gym.spaces.Discrete(3)

    def __init__(self, leak=False, drift=False, big=False, tells=False):
        self.leak, self.drift, self.tells = leak, drift, tells
        self.observation_space = gym.spaces.Box(-9, 9, (300_000 if big else 3,), np.float32)

    def look(self):
        out = np.zeros(self.observation_space.shape, np.float32)
        out[0] = self.np_random.random() + (os.getpid() if self.drift else 0)
        if self.t == 0 or (self.leak and self.t > 3):
            out[1] = self.cue
        return out, {"cue": self.cue} if self.tells else {"text": "no number"}

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.cue, self.t = int(self.np_random.integers(3)), 0
        return self.look()

    def step(self, action):
        self.t += 1
        obs, info = self.look()
        return obs, float(self.t == 20 and action == self.cue), self.t == 20, False, info

gym.register("Toy-v0", "toy_envs:Toy")
def cue(env): return env.cue if env.t else None
def fails(env): raise ValueError("no")
def unhashable(env): return [env.cue]
def never(env): return None
def same(env): return 7
def many(env): return float(env.np_random.random())
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "toy_envs.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(foreign, "WINDOWS", (1,))  # the others cost time
    monkeypatch.setattr(foreign, "STEPS", 24)
    yield "toy_envs:Toy-v0"
    gym.registry.pop("Toy-v0", None)
    sys.modules.pop("toy_envs", None)


@pytest.fixture(autouse=True)
def little_ppo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "PPO_STEPS", 2048)


def found(name: str, answer: str = "toy_envs:cue", **overrides: Any) -> dict[str, Check]:
    subject = Foreign(EnvConfig(name, overrides=overrides), load_answer(answer), quick=True)
    return {check.name: check for check in foreign_checks(subject)}


def test_an_environment_that_needs_memory_passes(toy: str) -> None:
    checks = found(toy)
    assert [check for check in checks.values() if check.passed is False] == []
    assert float(checks["history probe"].got) > 0.95
    assert checks["overlap of seeds: first observation and label"].got.startswith(
        "0 of 100"
    )  # noise is part of the key
    assert not any("info" in name for name in checks)


def test_a_leak_at_later_steps_is_found(toy: str) -> None:
    leaky = found(toy, leak=True)["leak probe, last 1 observation"]
    assert leaky.passed is False and float(leaky.got.split()[3]) > 0.9  # "... first step, ... later"


def test_what_info_tells_is_shown(toy: str) -> None:
    told = found(toy, tells=True)
    assert told["leak probe, last 1 observation"].passed
    assert told["leak probe, last observation and info"].got.startswith("1.000")


def test_another_process_that_differs_is_found(toy: str) -> None:
    checks = found(toy, drift=True)
    assert "another process gave other episodes" in checks["in another process"].got
    assert checks["in a new environment"].passed


def test_ppo_is_trained_for_the_stated_steps_or_time(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Foreign(EnvConfig(toy), load_answer("toy_envs:cue"))
    returns, steps = train_ppo(subject, 1)
    assert steps == 2048 and 0.1 < np.mean(returns) < 0.6
    assert len(train_ppo(subject, 16)[0]) > 50
    monkeypatch.setattr(foreign, "PPO_SECONDS", {False: 0.0})
    assert train_ppo(subject, 1)[1] < 2048


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("fails", "raised ValueError: no"),
        ("unhashable", "list, which is not hashable"),
        ("never", "hides nothing in most episodes"),
        ("same", "same label in all"),
        ("many", "too many to learn"),
    ],
)
def test_unsuitable_answers(toy: str, answer: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        found(toy, f"toy_envs:{answer}")


def test_large_observations_are_refused(toy: str) -> None:
    with pytest.raises(BadAnswer, match="300000 values"):
        found(toy, big=True)


def test_functions_that_are_missing(toy: str, tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match="no function 'nobody'"):
        load_answer("toy_envs:nobody")
    with pytest.raises(BadAnswer, match="could not be imported"):
        load_answer("no_such_module:cue")
    with pytest.raises(BadAnswer, match="no such file"):
        load_answer(f"{tmp_path / 'none.py'}:cue")
    with pytest.raises(UsageError, match="module:function"):
        load_answer("cue")
    assert load_answer(f"{tmp_path / 'toy_envs.py'}:cue").__name__ == "cue"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Nowhere-v0", "--answer", "toy_envs:cue"], "Gymnasium has no id"),
        (["RolledBehind", "--answer", "toy_envs:cue"], "outside of the suite"),
        (["toy_envs:Toy-v0", "--answer", "toy_envs:nobody"], "no function"),
        (["toy_envs:Toy-v0", "--answer", "toy_envs:cue", "--level", "1"], "leave them out"),
        (["--all", "--answer", "toy_envs:cue"], "one Gymnasium environment"),
        (["toy_envs:Toy-v0"], "give --answer"),
    ],
)
def test_errors_of_the_command(toy: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


def test_the_command_and_an_example_answer() -> None:
    pytest.importorskip("minigrid")
    words = ["minigrid:MiniGrid-MemoryS7-v0", "--answer", f"{ANSWERS}:memory_cue"]
    env = foreign.envs.make_one(EnvConfig(words[0]))
    answer, seen = load_answer(words[2]), set()
    for seed in range(20):
        env.reset(seed=seed)
        seen.add(answer(env.unwrapped))
    assert seen == {None, "key", "ball"}
    with pytest.raises(UnknownEnvironment):
        EnvConfig("minigrid:MiniGrid-Nothing-v0").entry  # noqa: B018


def test_the_table_has_no_levels(toy: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "unseen", "audit", toy, "--answer", "toy_envs:cue", "--quick", "--env", "leak=true"]
    path = ":".join(filter(None, sys.path))
    run = subprocess.run(words, capture_output=True, text=True, env={**foreign.os.environ, "PYTHONPATH": path})
    assert run.returncode == 1, run.stderr
    assert "Audit of Toy-v0" in run.stdout and run.stdout.count("FAIL") == 1 and "level" not in run.stdout
