"""Linked, plain or interpreted, an environment does the same to the bit; and which of the three is taken."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import episodes
import numba
import numpy as np
import pytest

from unseen.envs.core.device import device, host
from unseen.envs.core.jit.versions import TESTED, way
from unseen.envs.suite import SUITE

SCRIPT = Path(__file__).with_name("episodes.py")
SENSORS = {name: [k for k, s in entry.task.sensors.items() if not s.privileged] for name, entry in SUITE.items()}
ACTING = [f"{name}/{SENSORS[name][0]}/{each}" for name, entry in SUITE.items() for each in entry.task.references]
ALL = [f"{name}/{obs}" for name, sensors in SENSORS.items() for obs in sensors] + ACTING
# Their kernels are compiled for other quick tests too.
QUICK = [key for key in ALL if key.endswith(("/slots", "/monitor", "/tracker", "/oracle"))]
QUICK += ["RolledBehind/rays", "RolledBehind/pixels"]


@functools.cache
def elsewhere(keys: tuple[str, ...], variable: str) -> dict[str, str]:
    """The hashes of episodes in a process of its own, with VARIABLE=VALUE set."""
    name, _, value = variable.partition("=")
    env = {k: v for k, v in os.environ.items() if k not in ("NUMBA_DISABLE_JIT", "UNSEEN_COMPILER")} | {name: value}
    run = subprocess.run([sys.executable, SCRIPT, *keys], env=env, capture_output=True, text=True, check=True)
    return dict(line.split() for line in run.stdout.splitlines())


def quick_or_slow(quick: list[str]) -> list:
    return [pytest.param(key, marks=[] if key in quick else pytest.mark.slow) for key in ALL]


@pytest.mark.parametrize("key", quick_or_slow(QUICK))
def test_uncompiled_is_equal_to_compiled(key: str) -> None:
    together = tuple(QUICK) if key in QUICK else tuple(each for each in ALL if each not in QUICK)
    assert elsewhere(together, "NUMBA_DISABLE_JIT=1")[key] == episodes.episode(key)


@pytest.mark.parametrize("key", quick_or_slow(["Tunnel/slots", "Unblock/slots"]))
def test_plain_is_equal_to_linked(key: str) -> None:
    assert elsewhere((key,), "UNSEEN_COMPILER=plain")[key] == elsewhere((key,), "UNSEEN_COMPILER=linked")[key]


@pytest.mark.parametrize(
    ("version", "disabled", "asked", "taken"),
    [
        *[(f"{tested}.0", False, "", "linked") for tested in TESTED],
        *[(f"{tested}.1rc2", False, "", "linked") for tested in TESTED],
        ("0.61.0", False, "", "plain"),
        ("0.999.0", False, "", "plain"),
        ("1.0", False, "", "plain"),
        ("1.0.0.dev7+g0123", False, "", "plain"),
        ("0+unknown", False, "", "plain"),
        ("", False, "", "plain"),
        ("0.999.0", False, "linked", "linked"),
        ("0.68.1", False, "plain", "plain"),
        ("0.68.1", False, "other", "linked"),
        ("0.68.1", True, "", "interpreted"),
        ("0.999.0", True, "linked", "interpreted"),
    ],
)
def test_which_way_is_taken(version: str, disabled: bool, asked: str, taken: str) -> None:
    assert way(version, disabled, asked) == taken


def test_the_version_that_is_pinned_is_tested() -> None:
    pins = (Path(__file__).parents[1] / "constraints.txt").read_text(encoding="utf-8").split()
    (pin,) = (line for line in pins if line.startswith("numba=="))
    assert way(pin.removeprefix("numba=="), False, "") == "linked"


def taken(**variables: str) -> str:
    """The module that decorators come from, in a process of its own."""
    env = {k: v for k, v in os.environ.items() if k not in ("NUMBA_DISABLE_JIT", "UNSEEN_COMPILER")} | variables
    script = f"import numba\nnumba.__version__ = {numba.__version__!r}\n"
    script += "from unseen.envs.core import device\nprint(device.kernel.__module__.rpartition('.')[2])"
    if version := env.pop("VERSION", ""):
        script = script.replace(numba.__version__, version)
    return subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout


def test_the_environment_decides_the_way() -> None:
    assert taken(VERSION="0.999.0") == taken(UNSEEN_COMPILER="plain") == "plain\n"
    assert taken(NUMBA_DISABLE_JIT="1") == "interpreted\n"


def test_a_debugger_stops_in_step() -> None:
    play = "from unseen.envs.suite import make; env = make('Cups'); env.reset(seed=0); env.step(0); env.step(0)"
    debug = f"import pdb, unseen.envs.permanence.cups.rules as rules\npdb.run({play!r}, dict(rules=rules))"
    commands = "b rules.step\nc\nc\np ('t', int(s.t))\nwhere\nclear 1\nc\nq\n"
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-c", debug], env=env, input=commands, capture_output=True, text=True)
    assert "('t', 2)" in run.stdout, run.stdout + run.stderr
    assert "r, t, u = step(s, A[i], p, I[i])" in run.stdout  # the source of the generated loop, too


@device
def third(x, of=3):
    return x / of


@device
def ninth(x):
    return third(third(x))


def test_python_may_call_a_device_function() -> None:
    assert ninth(18.0) == host(ninth)(18.0) == 2.0
    assert third(10.0, of=5) == 2.0
    assert third(1.0, 0) == np.inf  # as in a kernel, and not as in Python


def scaled(by):
    @device
    def call(x):
        return by(x)

    return call


@pytest.mark.skipif(not hasattr(device, "compiler"), reason="of the linked way")
def test_names_of_compiled_closures_do_not_depend_on_the_order_of_imports() -> None:
    one, other, again = scaled(third), scaled(ninth), scaled(third)
    assert one.ordinal[:2] == other.ordinal[:2] == "u0" and one.ordinal != other.ordinal
    assert again.ordinal == one.ordinal.replace("u0", "u1")
    assert one(9.0) == again(9.0) == 3.0 and other(9.0) == 1.0
    acting = [reference.act for entry in SUITE.values() for reference in entry.task.references.values()]
    assert {act.ordinal[:2] for act in acting} <= {"u0", "u1"}  # of two references that wrap the same function
