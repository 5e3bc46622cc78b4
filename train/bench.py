"""`unseen bench`: how fast this machine steps the environments, beside two neighbours measured in the same run.

Wall time says what one gets; CPU time says what it costs, and moves less on a busy machine. Each figure is the
median of several rounds of random actions, autoresets included.
"""

from __future__ import annotations

import itertools
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from typing import Annotated, Any

import gymnasium as gym
import tyro

from unseen.envs import suite
from unseen.envs.errors import BadParameter
from unseen.train import cold
from unseen.train.progress import Progress
from unseen.train.rollout import some_actions

ROUNDS = 5


@dataclass(frozen=True)
class BenchConfig:
    """What to measure."""

    env: Annotated[str, tyro.conf.Positional] = "RolledBehind"
    """environment"""
    all: bool = False
    """every registered environment"""
    level: Annotated[int | str, tyro.conf.arg(metavar="LEVEL")] = 1
    """its level, or the name of a preset"""
    obs: tuple[str, ...] = ()
    """observation modes; by default all that are not privileged"""
    sizes: tuple[int, ...] = (64, 1024)
    """numbers of environments in a vector environment; the single one is always measured"""
    threads: int = 1
    """Python threads of the vector environments"""
    seconds: float = 1.0
    """wall time spent on each figure"""
    neighbours: bool = True
    """also measure Gymnasium's CartPole and MiniGrid's Memory (if installed)"""
    cold: bool = False
    """measure instead what the first step costs, with much to compile and little; by default of the default observation"""
    json: bool = False
    """print JSON instead of a table"""


@dataclass(frozen=True)
class Speed:
    """One figure: environment steps per second of wall time and of CPU time (all threads)."""

    what: str
    obs: str
    envs: int
    per_second: float
    per_cpu_second: float


def measure(step: Callable[[int], Any], envs: int, seconds: float) -> tuple[float, float]:
    """Medians of steps per wall second and per CPU second; `step(i)` takes the i-th step of `envs` environments."""
    counter = itertools.count()
    calls = 1
    while True:  # calls that fill a round; this also warms up
        started = time.perf_counter()
        for _ in range(calls):
            step(next(counter))
        if time.perf_counter() - started > 0.02:
            break
        calls *= 2
    calls = max(1, round(calls * seconds / ROUNDS / (time.perf_counter() - started)))
    wall, cpu = [], []
    for _ in range(ROUNDS):
        wall_started, cpu_started = time.perf_counter(), time.process_time()
        for _ in range(calls):
            step(next(counter))
        wall.append(time.perf_counter() - wall_started)
        cpu.append(max(time.process_time() - cpu_started, 1e-9))
    return calls * envs / statistics.median(wall), calls * envs / statistics.median(cpu)


def scalar(env: gym.Env, seconds: float) -> tuple[float, float]:
    """Speed of one Env below Gymnasium's wrappers, resets included."""
    env = env.unwrapped
    drawn = some_actions(env.action_space, 1024, 1)[:, 0]
    actions = drawn.tolist() if drawn.ndim == 1 else list(drawn)
    env.reset(seed=0)

    def step(i: int) -> None:
        _, _, terminated, truncated, _ = env.step(actions[i % 1024])
        if terminated or truncated:
            env.reset()

    try:
        return measure(step, 1, seconds)
    finally:
        env.close()


def vector(env: gym.vector.VectorEnv, seconds: float) -> tuple[float, float]:
    """Speed of a vector environment."""
    n = env.num_envs
    actions = some_actions(env.single_action_space, 64, n)
    env.reset(seed=0)
    try:
        return measure(lambda i: env.step(actions[i % 64]), n, seconds)
    finally:
        env.close()


def ours(config: BenchConfig) -> Iterator[Speed]:
    """Every environment that is asked for, in every observation mode, at every size."""
    for name, obs in modes(config):
        one = suite.make(name, level=config.level, obs=obs)
        yield Speed(name, obs, 1, *scalar(one, config.seconds))
        for n in config.sizes:
            many = suite.make_vec(name, n, level=config.level, obs=obs, threads=config.threads)
            yield Speed(name, obs, n, *vector(many, config.seconds))


def names(config: BenchConfig) -> list[str]:
    """The environments to measure. Raises UnknownEnvironment."""
    return list(suite.SUITE) if config.all else [suite.resolve(config.env).name]


def modes(config: BenchConfig) -> list[tuple[str, str]]:
    """Environments, each with every observation mode that is measured. Raises UnknownEnvironment."""
    found = []
    for name in names(config):
        sensors = suite.resolve(name).task.sensors
        found += [(name, obs) for obs in config.obs or [k for k, sensor in sensors.items() if not sensor.privileged]]
    return found


def neighbours(config: BenchConfig) -> Iterator[Speed]:
    """What others do on the same machine: the simplest native vector environment, and a grid memory task."""
    from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

    for n in (1, *config.sizes):
        yield Speed("CartPoleVectorEnv", "4 floats", n, *vector(CartPoleVectorEnv(n), config.seconds))
    if util.find_spec("minigrid"):
        import minigrid  # noqa: F401  (registers its ids)

        memory = gym.make("MiniGrid-MemoryS13-v0")
        yield Speed("MiniGrid-MemoryS13-v0", "7x7x3 grid", 1, *scalar(memory, config.seconds))


def first_step(config: BenchConfig) -> float:
    """Seconds from a fresh interpreter's first import to the end of its first step, kernels being in the cache."""
    script = (
        "import time; started = time.perf_counter()\n"
        "from unseen.envs.suite import make\n"
        f"env = make({config.env!r}, level={config.level!r}); env.reset(seed=0); env.step(env.action_space.sample())\n"
        "print(time.perf_counter() - started)"
    )
    run = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(3)]
    return statistics.median(float(each.stdout) for each in run)


def machine() -> dict[str, str]:
    """What the figures depend on."""
    versions = {name: metadata.version(name) for name in ("unseen", "numba", "numpy", "gymnasium")}
    return {"machine": f"{platform.system()} {platform.machine()}", "python": platform.python_version(), **versions}


def bench(config: BenchConfig) -> None:
    """Measure and print. Raises UnknownEnvironment, BadParameter."""
    if config.seconds <= 0 or config.threads < 1 or any(n < 1 for n in config.sizes):
        raise BadParameter("seconds must be positive, threads and sizes at least 1")
    for name, obs in modes(config):  # whatever is wrong with the request shows here
        suite.make(name, level=config.level, obs=obs)
    if config.cold:
        return bench_cold(config)
    speeds: list[Speed] = []
    figures = len(modes(config)) * (1 + len(config.sizes)) + (2 + len(config.sizes)) * config.neighbours
    with Progress({"figures": 1 + figures}) as progress:
        suite.make(config.env, level=config.level).reset(seed=0)  # compiles what is not in the cache
        start = first_step(config)
        progress.advance("figures")
        for speed in itertools.chain(ours(config), neighbours(config) if config.neighbours else ()):
            speeds.append(speed)
            progress.advance("figures", 1, f"{speed.what}, {speed.obs}, n = {speed.envs}")
    if config.json:
        print(json.dumps({**machine(), "first_step_s": start, "speeds": [asdict(s) for s in speeds]}, indent=2))
    else:
        show(config, speeds, start)


def bench_cold(config: BenchConfig) -> None:
    """Measure first steps in fresh processes, and print. Raises UnknownEnvironment, BadParameter."""
    rows = [
        (name, obs) for name, obs in modes(config) if config.obs or obs == next(iter(suite.resolve(name).task.sensors))
    ]
    if own := [name for name, _ in rows if name not in suite.SUITE]:
        raise BadParameter(f"env={own[0]!r}: cold starts are measured of {', '.join(suite.SUITE)}")
    figures: list[dict[str, Any]] = []
    with Progress({"figures": len(rows) * len(cold.CASES)}) as progress:
        for name, obs in rows:
            figures.append({"what": name, "obs": obs})
            for case, seconds in zip(cold.CASES, cold.cold_starts(name, config.level, obs), strict=True):
                figures[-1][case] = seconds
                progress.advance("figures", 1, f"{name}, {obs}, {case}")
    if config.json:
        print(json.dumps({**machine(), "cold_starts_cpu_s": figures}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"CPU-seconds from the start of Python to the end of the first step, level {config.level}")
    table.add_column("environment")
    table.add_column("observation")
    for case in cold.CASES:
        table.add_column(case, justify="right")
    for row in figures:
        table.add_row(row["what"], row["obs"], *(f"{row[case]:.1f}" for case in cold.CASES))
    console = Console()
    console.print(table)
    console.print(
        "empty cache: everything is compiled\n"
        "pre-filled: the cache is empty, but compiled device functions came with the package\n"
        "one edit: everything was compiled before `step` was edited\n"
        "cached: nothing is compiled"
    )
    console.print(", ".join(f"{key} {value}" for key, value in machine().items()), style="dim")


def show(config: BenchConfig, speeds: list[Speed], start: float) -> None:
    """The table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Steps per second, level {config.level}, {config.threads} thread(s)")
    table.add_column("environment")
    table.add_column("observation")
    for heading in ("n", "per second", "per CPU-second"):
        table.add_column(heading, justify="right")
    previous = None
    for speed in speeds:
        if previous and (speed.what, speed.obs) != (previous.what, previous.obs):
            table.add_section()
        table.add_row(
            speed.what, speed.obs, str(speed.envs), f"{speed.per_second:,.0f}", f"{speed.per_cpu_second:,.0f}"
        )
        previous = speed
    console = Console()
    console.print(table)
    console.print("n = 1 is Env.step below Gymnasium's wrappers; larger n a vector environment, its copies included.")
    console.print(f"From the first import to the end of the first step, kernels in the cache: {start:.2f} s.")
    console.print(", ".join(f"{key} {value}" for key, value in machine().items()), style="dim")
