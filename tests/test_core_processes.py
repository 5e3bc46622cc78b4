"""Environments in other processes: fork with threads, pickles, workers."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AsyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

import unseen
from unseen.envs import own
from unseen.envs.suite import make, make_vec, resolve

ID = "Unseen/RolledBehind-v1"
EXAMPLE = Path(__file__).parents[1] / "examples" / "which_box.py"
OWN = f"{EXAMPLE}:WhichBox"


def python(code: str, *args: str, cwd: str = "/") -> str:
    """What a fresh interpreter prints that runs `code` in a process of its own."""
    env = os.environ | {"PYTHONPATH": str(Path(unseen.__file__).parents[1])}
    run = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, cwd=cwd, env=env)
    assert run.returncode == 0, run.stderr
    return run.stdout


FORK = """
import os, sys
import numpy as np
from unseen.envs.suite import make_vec

def plan(t):
    return np.full(64, t % 4)

env, twin = make_vec("RolledBehind", 64, threads=3), make_vec("RolledBehind", 64)
for one in (env, twin):
    one.reset(seed=0)
    for t in range(5):
        one.step(plan(t))
child = os.fork()
for t in range(5, 40):
    assert np.array_equal(env.step(plan(t))[0], twin.step(plan(t))[0])
if child:
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_goes_on_with_threads_of_its_own() -> None:
    """In the parent too; and both interpreters end by themselves."""
    assert python(FORK).split() == ["0"]


def test_a_pickle_is_taken_up_by_a_fresh_interpreter(tmp_path: Path) -> None:
    code = (
        "import pickle, sys, numpy as np\n"
        "env = pickle.load(open(sys.argv[1], 'rb'))\n"
        "obs = [env.step(action)[0] for action in (0, 1, 2, 3)]\n"
        "np.save(sys.argv[1] + '.npy', obs)\n"
        "print(env.np_random_seed, repr(env.params) == sys.argv[2])"
    )
    for k, name in enumerate(("RolledBehind", OWN)):
        env = make(name, level=1)
        env.reset(seed=3)
        env.step(0)
        file = tmp_path / f"{k}.pkl"
        file.write_bytes(pickle.dumps(env))
        assert python(code, str(file), repr(env.params)).split() == ["3", "True"]
        want = [env.step(action)[0] for action in (0, 1, 2, 3)]
        assert np.array_equal(np.load(f"{file}.npy"), want)


MAKERS: dict[str, Callable[[], gym.Env]] = {
    "table": lambda: gym.make(f"unseen:{ID}", level=1),
    "own": lambda: make(OWN, level=1),
    "spec": lambda: gym.make(SPEC),
}
SPEC: EnvSpec = gym.make(resolve(OWN).id, level=1).spec  # type: ignore[assignment]


def first_steps(env: gym.Env) -> list[Any]:
    return [env.reset(seed=5)[0], *(env.step(np.int64(action))[0] for action in (0, 1, 3))]


@pytest.mark.sample(2)
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_gymnasiums_worker_processes_make_it(context: str, maker: str) -> None:
    want = first_steps(MAKERS[maker]())
    env = AsyncVectorEnv([MAKERS[maker]] * 2, context=context)
    try:
        found = [env.reset(seed=[5, 5])[0], *(env.step(np.full(2, action))[0] for action in (0, 1, 3))]
    finally:
        env.close()
    assert all(np.array_equal(row, w) for rows, w in zip(found, want, strict=True) for row in rows)


@pytest.mark.sample(2)
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_stable_baselines_worker_processes_make_it(method: str, maker: str) -> None:
    vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
    want = first_steps(MAKERS[maker]())
    env = vec_env.SubprocVecEnv([MAKERS[maker]] * 2, start_method=method)
    try:
        env.seed(5)  # the second gets 6
        found = [env.reset(), *(env.step(np.full(2, action))[0] for action in (0, 1, 3))]
    finally:
        env.close()
    assert all(np.array_equal(rows[0], w) for rows, w in zip(found, want, strict=True))


def test_gymnasium_makes_your_own_in_workers_by_its_id() -> None:
    env = gym.make_vec(
        resolve(OWN).id, num_envs=2, vectorization_mode="async", vector_kwargs={"context": "spawn"}, level=1
    )
    try:
        assert np.array_equal(env.reset(seed=5)[0][0], first_steps(make(OWN, level=1))[0])
    finally:
        env.close()


@given(st.text(min_size=1))
def test_a_module_name_spells_a_path(path: str) -> None:
    path = "/" + path
    name = own.module_name(Path(path))
    assert own.path_of(name) == Path(path)
    assert all(part.isidentifier() and part.isascii() for part in name.split("."))


def test_your_own_file_is_loaded_once_under_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE.parent)
    assert resolve("which_box.py:WhichBox").task is resolve(OWN).task
    spec = gym.spec(resolve("which_box.py:WhichBox").id)
    assert spec.kwargs == {"name": OWN}  # absolute: a worker may live in another folder


def test_a_file_that_is_gone_is_named_by_the_pickle_that_needs_it(tmp_path: Path) -> None:
    file = tmp_path / "gone.py"
    file.write_text(EXAMPLE.read_text())
    data = pickle.dumps(make(f"{file}:WhichBox", level=1))
    file.unlink()
    (tmp_path / "data").write_bytes(data)
    code = "import pickle, sys\ntry: pickle.load(open(sys.argv[1], 'rb'))\nexcept Exception as error: print(error)"
    assert str(file) in python(code, str(tmp_path / "data"))


def test_threads_share_one_batch_in_any_process() -> None:
    """The pool that a pickle leaves behind is made anew."""
    env = make_vec("RolledBehind", 8, threads=2)
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.zeros(8, int))
    twin = pickle.loads(pickle.dumps(env))
    assert np.array_equal(twin.step(np.zeros(8, int))[0], env.step(np.zeros(8, int))[0])
