"""CPU-seconds from the start of Python to the end of an environment's first step, as `unseen bench --cold` prints them.

Every figure is the median of fresh processes. They run a copy of the package, so that a function of it can be edited.
"""

from __future__ import annotations

import ast
import compileall
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import unseen
from unseen.envs import suite
from unseen.envs.core.jit.cache import PREFILLED

ROUNDS = 3
CASES = ("empty cache", "pre-filled", "one edit", "cached")
_PACKAGE = Path(unseen.__file__).parent
_FIRST_STEP = """
import json, sys, time
from unseen.envs.suite import make

name, level, obs = json.loads(sys.argv[1])
env = make(name, level=level, obs=obs)
env.reset(seed=0)
env.step(env.action_space.sample())
print(time.process_time())
"""


def cold_starts(name: str, level: int | str, obs: str) -> Iterator[float]:
    """A figure for each of CASES, of an environment of the suite."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        package = root / "unseen"
        shutil.copytree(_PACKAGE, package, ignore=shutil.ignore_patterns("*.onnx", PREFILLED.name))
        compileall.compile_dir(package, quiet=1)  # Python's own bytecode, which is there from the second start on
        first_step = ("-c", _FIRST_STEP, json.dumps([name, level, obs]))

        def median(*caches: str) -> float:
            return statistics.median(float(_python(root, cache, *first_step)) for cache in caches)

        yield median(*(f"empty {k}" for k in range(ROUNDS)))
        shipped = package / PREFILLED.relative_to(_PACKAGE)
        _python(root, "", "-m", "unseen", "prefill", name, "--pack", str(shipped))
        yield median(*(f"pre-filled {k}" for k in range(ROUNDS)))
        shipped.unlink()
        edits = []
        for k in range(ROUNDS):
            with _edited_step(name, package, k):
                edits.append(median("empty 0"))
        yield statistics.median(edits)
        yield median(*["empty 0"] * ROUNDS)  # no longer empty


def _python(root: Path, cache: str, *arguments: str) -> str:
    """What Python prints, with the package and the cache folder of that name in `root`."""
    env = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "UNSEEN_CACHE": str(root / cache)}
    return subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def _edited_step(name: str, package: Path, k: int) -> Iterator[None]:
    """The copy of the package with a k-th change in the environment's `step`, which computes something for nothing."""
    module = suite.SUITE[name].task.step.__module__
    path = package.joinpath(*module.split(".")[1:]).with_suffix(".py")
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    (step,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "step")
    step.body[1:1] = ast.parse(f"{step.args.args[0].arg}.t + {k}").body  # behind the docstring, where there is one
    path.write_text(ast.unparse(tree), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(source, encoding="utf-8")
