"""What is the same to the compiler and to stored scores, and what is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import unseen
from unseen.envs.core.jit.fingerprint import fingerprint
from unseen.envs.suite import SUITE

BASE = '''
import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from unseen.envs.core.device import device

GAIN = 2.0
ROW = np.array([1.0, 2.0])
PAIR = (1, 2.5)
DTYPE = np.dtype([("x", "f8"), ("y", "i4")], align=True)
NAMES = {"left": 1, "right": 2}
other = __import__("types").ModuleType("other")
other.LOSS = 3


class Kind(Enum):
    A = 0


@dataclass(frozen=True)
class Size:
    """How large."""

    width: int = 3


SIZE = Size()


@device
def inner(x):
    """What is inside."""
    return x * GAIN


def shifted(by):
    @device
    def shift(x):
        return x + by

    return shift


shift = shifted(1.0)


@device
def outer(x, k=1):
    """What is asked for."""
    # a comment
    return inner(x) + shift(x) + ROW[k] + PAIR[1] + other.LOSS + (x if x in (1, 2) else 0)


def plain(x):
    return outer, DTYPE, NAMES, Kind.A, SIZE, math.pi


class Task:
    """A class."""

    step = outer
    levels = {0: SIZE}

    @property
    def half(self):
        return GAIN / 2

    @classmethod
    def twice(cls):
        return plain(2)
'''
# old text, new text, and what must notice: the device function `outer`, the function `plain`, the class `Task`.
CHANGES = [
    ("GAIN = 2.0", "GAIN = 2.5", True),
    ("GAIN = 2.0", "GAIN = 2", True),
    ("[1.0, 2.0]", "[1.0, 3.0]", True),
    ("[1.0, 2.0])", "[1.0, 2.0], dtype=np.float32)", True),
    ("PAIR = (1, 2.5)", "PAIR = (1, 2.25)", True),
    ("other.LOSS = 3", "other.LOSS = 4", True),
    ("shifted(1.0)", "shifted(-1.0)", True),
    ("x + by", "x - by", True),
    ("x * GAIN", "x / GAIN", True),
    ("k=1", "k=0", True),
    ("in (1, 2)", "in (1, 3)", True),
    ("ROW[k]", "ROW[k - 1]", True),
    ('("y", "i4")', '("y", "i8")', False),
    ("align=True", "align=False", False),
    ('"left": 1, "right": 2', '"right": 2, "left": 1', False),
    ("A = 0", "A = 1", False),
    ("width: int = 3", "width: int = 4", False),
]
NO_CHANGES = [
    ("What is inside.", "What lies inside."),
    ('    """What is asked for."""\n', ""),
    ("    # a comment\n", "    # two lines\n    # of comment\n\n"),
    ('"""How large."""', '"""How wide."""'),
    ("GAIN = 2.0\n", "GAIN = 1.0 + 1.0\nUNUSED = 7\n"),
    ("(1, 2.5)", "(1, 5 / 2)"),
]


def module(source: str) -> ModuleType:
    made = ModuleType("fingerprinted")
    sys.modules["fingerprinted"] = made
    exec(compile(source, "<fingerprinted>", "exec"), vars(made))
    return made


def prints(source: str) -> dict[str, str]:
    made = module(source)
    return {name: fingerprint(getattr(made, name)) for name in ("outer", "plain", "Task")}


@pytest.mark.parametrize(("old", "new", "compiled"), CHANGES)
def test_a_change_of_what_is_computed_is_noticed(old: str, new: str, compiled: bool) -> None:
    assert old in BASE
    before, after = prints(BASE), prints(BASE.replace(old, new, 1))
    assert {name for name in before if before[name] != after[name]} == {"plain", "Task"} | (
        {"outer"} if compiled else set()
    )


@pytest.mark.parametrize(("old", "new"), NO_CHANGES)
def test_words_do_not_matter(old: str, new: str) -> None:
    assert old in BASE
    assert prints(BASE) == prints(BASE.replace(old, new, 1))


def test_what_a_class_alone_says_is_noticed() -> None:
    before, after = prints(BASE), prints(BASE.replace("GAIN / 2", "GAIN / 4"))
    assert before["Task"] != after["Task"] and before["outer"] == after["outer"]


def test_functions_that_call_each_other_are_told_apart() -> None:
    source = "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and even(n - 1)\n"
    made, other = module(source), module(source.replace("n != 0", "n > 0"))
    assert fingerprint(made.even) != fingerprint(made.odd) != fingerprint(other.odd)
    assert fingerprint(made.even) == fingerprint(module(source).even) != fingerprint(other.even)


def test_near_values_are_told_apart() -> None:
    values = [0, 0.0, -0.0, False, "0", b"0", None, (), (0,), ((0,),), (0, 0), [0], {0}, {0: 0}, float("nan")]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


ALL = set(SUITE)
HASHES = """
from unseen.envs.core.identity import task_hash
from unseen.envs.suite import SUITE
print(*(f"{name}={task_hash(entry.task)}" for name, entry in SUITE.items()))
"""


def hashes(root: Path, **variables: str) -> dict[str, str]:
    """The hash of every environment of the suite, in a process that imports the package from `root`."""
    env = os.environ | {"PYTHONPATH": str(root)} | variables
    run = subprocess.run([sys.executable, "-c", HASHES], env=env, capture_output=True, text=True, check=True)
    return dict(pair.split("=") for pair in run.stdout.split())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package to edit."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(Path(unseen.__file__).parent, root / "unseen", ignore=shutil.ignore_patterns("*.onnx", "*.pyc"))
    return root


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        (
            "planar/world.py",
            "AGENT_RADIUS = 0.2",
            "AGENT_RADIUS = 0.25",
            ALL - {"Unblock", "Ramps", "Dosing", "Kiln", "Factory", "ProvingGround", "ProvingGroundDrive", "Crane"},
        ),
        ("core/rng.py", "np.uint64(30)", "np.uint64(29)", ALL),
        ("core/kernels.py", "s.failed += 1", "s.failed += 2", ALL),
        ("permanence/cups/motion.py", "BULGE = 0.3", "BULGE = 0.31", {"Cups"}),
        ("permanence/cups/spec.py", "cups=6", "cups=5", {"Cups"}),
        ("permanence/cups/spec.py", "Lift the cup", "Turn the cup", set()),
        ("core/rng.py", "Random numbers by splitmix64", "Random numbers", set()),
        ("core/jit/announce.py", "unseen: compiling", "compiling", set()),
    ],
)
def test_scores_are_filed_by_what_decides_them(copy: Path, file: str, old: str, new: str, changed: set[str]) -> None:
    """A constant in any file that a task imports; levels; the loop that is generated; and no words."""
    path = copy / "unseen" / "envs" / file
    source = path.read_text()
    assert old in source
    before = hashes(copy)
    path.write_text(source.replace(old, new, 1))
    try:
        after = hashes(copy)
    finally:
        path.write_text(source)
    assert {name for name in ALL if before[name] != after[name]} == changed


def test_scores_are_filed_alike_however_they_are_compiled(copy: Path) -> None:
    linked = hashes(copy, UNSEEN_COMPILER="linked", PYTHONHASHSEED="1")
    assert linked == hashes(copy, UNSEEN_COMPILER="plain", PYTHONHASHSEED="2")
