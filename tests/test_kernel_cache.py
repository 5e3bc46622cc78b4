"""Kernels and stored scores are invalidated by a change of any file that the task imports. Damaged files in the cache are
compiled again, and concurrent processes compile a kernel once.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def variables(folder: Path, compiler: str) -> dict[str, str]:
    """The environment of a process that imports the task of `folder`, with a cache in it."""
    paths = os.pathsep.join(path for path in (str(folder), *sys.path) if path)
    return os.environ | {"UNSEEN_CACHE": str(folder / "cache"), "PYTHONPATH": paths, "UNSEEN_COMPILER": compiler}


def command(folder: Path) -> list[str]:
    return [sys.executable, "-c", PLAY, f"{folder / 'task.py'}:Gain"]


def play(folder: Path, compiler: str = "") -> tuple[float, str, str]:
    """The reward of one step in a process of its own, the hash of the task's sources, and what was said on stderr."""
    done = subprocess.run(command(folder), env=variables(folder, compiler), capture_output=True, text=True, check=True)
    reward, digest = done.stdout.split()
    return float(reward), digest, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the task in three files."""
    (tmp_path / "task.py").write_text(TASK)
    (tmp_path / "rules_of_it.py").write_text(RULES)
    (tmp_path / "constants_of_it.py").write_text("GAIN = 2.0\n")
    return tmp_path


def test_a_constant_two_imports_away_changes_kernel_and_hash(folder: Path) -> None:
    first, digest, _ = play(folder)
    assert (first, digest) == (2.0, play(folder)[1])
    (folder / "constants_of_it.py").write_text("GAIN = 3.0\n")
    second, other, _ = play(folder)
    assert second == 3.0 and other != digest


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "zeroed": lambda data: bytes(len(data)),
    "random": lambda data: os.urandom(len(data)),
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("compiler", ["linked", "plain"])
def test_damaged_files_are_compiled_again(folder: Path, compiler: str) -> None:
    """Every file of the cache at once, in each way; in between, what was compiled anew is used again."""
    sound = play(folder, compiler)[:2]
    for damage, harm in DAMAGE.items():
        assert play(folder, compiler) == (*sound, "")  # nothing is compiled
        files = [path for path in (folder / "cache").rglob("*") if path.is_file()]
        assert len(files) > 3
        for path in files:
            path.write_bytes(harm(path.read_bytes()))
        reward, digest, said = play(folder, compiler)
        assert (reward, digest) == sound, damage
        assert "compiling Gain" in said, damage


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["linked", "plain"])
def test_each_file_may_be_damaged(folder: Path, compiler: str) -> None:
    sound = play(folder, compiler)[:2]
    files = {path: path.read_bytes() for path in (folder / "cache").rglob("*") if path.is_file()}
    for path, data in files.items():
        for harm in DAMAGE.values():
            path.write_bytes(harm(data))
            assert play(folder, compiler)[:2] == sound, path


@pytest.mark.skipif(os.name != "posix", reason="stops a process by a signal")
@pytest.mark.parametrize("compiler", ["linked", "plain"])
def test_two_processes_compile_a_kernel_once(folder: Path, compiler: str) -> None:
    """Both start from an empty cache. The first to compile is stopped meanwhile, so that the other has to wait."""
    env = variables(folder, compiler)
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    both = [subprocess.Popen(command(folder), bufsize=0, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    said = dict.fromkeys(both, b"")
    try:
        first = read_until(b"compiling Gain", both, said)
        first.send_signal(signal.SIGSTOP)
        (other,) = (process for process in both if process is not first)
        read_until(b"waiting for another process that compiles Gain", [other], said)
        first.send_signal(signal.SIGCONT)
        outputs = {process: process.communicate() for process in both}
    finally:
        for process in both:
            process.kill()
            process.wait()
    one, same = (outputs[process][0] for process in (first, other))
    assert one == same and one.startswith(b"2.0 ")
    said = {process: said[process] + outputs[process][1] for process in both}
    assert b"waiting" not in said[first] and b"done in" in said[first]
    assert b"compiling" not in said[other].replace(b"that compiles", b"")


def read_until(text: bytes, processes: list[Any], said: dict[Any, bytes]) -> Any:
    """The first of the processes that has written `text` to stderr."""
    while True:
        ready, _, _ = select.select([process.stderr for process in processes], [], [])
        for process in processes:
            if process.stderr in ready:
                new = os.read(process.stderr.fileno(), 4096)
                assert new, f"ended without {text!r}: {said[process]!r}"
                said[process] += new
                if text in said[process]:
                    return process
