"""Kernels and stored scores are invalidated by a change of any file that the task imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TASK = """
from typing import Any, ClassVar

from rules_of_it import gain

from unseen.envs.core.device import device
from unseen.envs.core.params import Params
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Task, record
from unseen.envs.core.view import Gauges


class P(Params):
    @property
    def horizon(self) -> int:
        return 1


@device
def reset(s, p):
    return True


@device
def step(s, a, p, info):
    s.t += 1
    return gain(a[0]), True, False


@device
def write(s, p, o):
    o[0] = s.t


class Gain(Task):
    title = "one step"
    params = P
    state = record()
    sensors: ClassVar[Any] = {"row": Sensor(write, parts=lambda params: [Part("t", 1, 0.0, 1.0)])}
    levels: ClassVar[Any] = {0: P(), 2: P()}
    action_low = (0.0,)
    action_high = (1.0,)
    reset, step = reset, step
    view = Gauges(gauges=())
"""
RULES = """
from unseen.envs.core.device import device

from constants_of_it import GAIN


@device
def gain(x):
    return GAIN * x
"""
PLAY = """
import sys
from unseen.envs.core.identity import task_hash
from unseen.envs.suite import make, resolve
name = sys.argv[1]
env = make(name)
env.reset(seed=0)
print(env.step([1.0])[1], task_hash(resolve(name).task))
"""


def play(folder: Path) -> tuple[float, str]:
    """The reward of one step in a process of its own, and the hash of the task's sources."""
    paths = [str(folder), *sys.path]
    env = os.environ | {"UNSEEN_CACHE": str(folder / "cache"), "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    command = [sys.executable, "-c", PLAY, f"{folder / 'task.py'}:Gain"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    reward, digest = done.stdout.split()
    return float(reward), digest


def test_a_constant_two_imports_away_changes_kernel_and_hash(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(TASK)
    (tmp_path / "rules_of_it.py").write_text(RULES)
    (tmp_path / "constants_of_it.py").write_text("GAIN = 2.0\n")
    first, digest = play(tmp_path)
    assert (first, digest) == (2.0, play(tmp_path)[1])
    (tmp_path / "constants_of_it.py").write_text("GAIN = 3.0\n")
    second, other = play(tmp_path)
    assert second == 3.0 and other != digest
