"""`unseen bench`: steps per second of the environments, and of two well-known environments for comparison; speed of agents.

Rates are per second of wall time and per second of CPU time; the latter vary less on a busy machine. Each is the median of
several rounds with random actions, including autoresets.
"""

from __future__ import annotations

import itertools
import json
import math
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

from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.envs.errors import BadParameter
from unseen.train import cold
from unseen.train.progress import Progress
from unseen.train.rollout import random_actions

ROUNDS = 5


@dataclass(frozen=True)
class BenchConfig:
    """What to measure."""

    env: Annotated[str, tyro.conf.Positional] = "RolledBehind"
    """environment to measure"""
    all: bool = False
    """measure every environment of the suite"""
    level: Annotated[int | str, tyro.conf.arg(metavar="LEVEL")] = 1
    """level, or the name of a preset"""
    obs: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SENSOR [SENSOR ...]", help_behavior_hint="")] = ()
    """observation modes; by default all but the privileged ones"""
    sizes: tuple[int, ...] = (64, 1024)
    """vector environment sizes; the scalar environment is always measured"""
    threads: int = 1
    """threads of the vector environments"""
    seconds: float = 1.0
    """seconds of wall time per measurement"""
    neighbours: bool = True
    """also measure Gymnasium's CartPole and, if installed, MiniGrid's Memory"""
    agents: bool = False
    """measure agents instead: how fast they learn, imagine, decide and start; see docs/measures.md"""
    only: Annotated[tuple[str, ...], tyro.conf.arg(metavar="AGENT [AGENT ...]", help_behavior_hint="")] = ()
    """with --agents: these alone; by default all that can be trained"""
    device: str = "cpu"
    """with --agents: torch device"""
    cold: bool = False
    """measure the CPU time of the first step instead, with different caches; by default of the default observation"""
    json: bool = False
    """print JSON instead of a table"""


@dataclass(frozen=True)
class Speed:
    """One measurement: environment steps per second of wall time and of CPU time (all threads)."""

    what: str
    obs: str
    envs: int
    per_second: float
    per_cpu_second: float


def measure(step: Callable[[int], Any], envs: int, seconds: float) -> tuple[float, float]:
    """Medians of steps per wall second and per CPU second; `step(i)` takes the i-th step of `envs` environments."""
    counter = itertools.count()
    calls = 1
    while True:  # find the number of calls per round; also warms up
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
    """Speed of a scalar environment without Gymnasium's wrappers, including resets."""
    env = env.unwrapped
    drawn = random_actions(env.action_space, 1024, 1)[:, 0]
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
    actions = random_actions(env.single_action_space, 64, n)
    env.reset(seed=0)
    try:
        return measure(lambda i: env.step(actions[i % 64]), n, seconds)
    finally:
        env.close()


def ours(config: BenchConfig) -> Iterator[Speed]:
    """Measure the requested environments, in every observation mode and size."""
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
    """(environment, observation mode) pairs to measure. Raises UnknownEnvironment."""
    found = []
    for name in names(config):
        sensors = suite.resolve(name).task.sensors
        found += [(name, obs) for obs in config.obs or [k for k, sensor in sensors.items() if not sensor.privileged]]
    return found


def neighbours(config: BenchConfig) -> Iterator[Speed]:
    """Measure a minimal native vector environment and a grid-world memory task on the same machine."""
    from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

    for n in (1, *config.sizes):
        yield Speed("CartPoleVectorEnv", "4 floats", n, *vector(CartPoleVectorEnv(n), config.seconds))
    if util.find_spec("minigrid"):
        import minigrid  # noqa: F401  (registers its ids)

        memory = gym.make("MiniGrid-MemoryS13-v0")
        yield Speed("MiniGrid-MemoryS13-v0", "7x7x3 grid", 1, *scalar(memory, config.seconds))


def first_step(config: BenchConfig) -> float:
    """Seconds from the first import to the end of the first step in a new interpreter, with compiled kernels cached."""
    script = (
        "import time; started = time.perf_counter()\n"
        "from unseen.envs.suite import make\n"
        f"env = make({config.env!r}, level={config.level!r}); env.reset(seed=0); env.step(env.action_space.sample())\n"
        "print(time.perf_counter() - started)"
    )
    run = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(3)]
    return statistics.median(float(each.stdout) for each in run)


def machine() -> dict[str, str]:
    """Machine and versions."""
    versions = {name: metadata.version(name) for name in ("unseen", "numba", "numpy", "gymnasium")}
    return {"machine": f"{platform.system()} {platform.machine()}", "python": platform.python_version(), **versions}


def bench(config: BenchConfig) -> None:
    """Measure and print the results. Raises UnknownEnvironment, BadParameter, BadAgent."""
    if not 0 < config.seconds < math.inf or config.threads < 1 or any(n < 1 for n in config.sizes):
        raise BadParameter("seconds must be positive, threads and sizes at least 1")
    for name, obs in modes(config):  # raises if the request is invalid
        suite.make(name, level=config.level, obs=obs)
    if config.agents:
        return bench_agents(config)
    if config.cold:
        return bench_cold(config)
    speeds: list[Speed] = []
    figures = len(modes(config)) * (1 + len(config.sizes)) + (2 + len(config.sizes)) * config.neighbours
    with Progress({"figures": 1 + figures}) as progress:
        suite.make(config.env, level=config.level).reset(seed=0)  # compile before measuring
        start = first_step(config)
        progress.advance("figures")
        for speed in itertools.chain(ours(config), neighbours(config) if config.neighbours else ()):
            speeds.append(speed)
            progress.advance("figures", 1, f"{speed.what}, {speed.obs}, n = {speed.envs}")
    if config.json:
        print(json.dumps({**machine(), "first_step_s": start, "speeds": [asdict(s) for s in speeds]}, indent=2))
    else:
        show(config, speeds, start)


def bench_agents(config: BenchConfig) -> None:
    """Measure agents, and print. Raises UnknownEnvironment, UnknownAgent, BadAgent, BadParameter."""
    from unseen.train.agent_speed import agent_speeds, chosen
    from unseen.train.measures.tables import show as show_table
    from unseen.train.trainer import set_up_torch

    if len(config.obs) > 1:
        raise BadParameter("with --agents: give one observation mode at most")
    set_up_torch(config.device, config.threads)
    picked = chosen(config.only)
    tables = []
    for name in names(config):
        env = EnvConfig(name, config.level, "".join(config.obs))
        with Progress({f"agents on {name}": len(picked)}) as progress:
            done = lambda agent, name=name: progress.advance(f"agents on {name}", 1, agent)  # noqa: E731
            tables.append(agent_speeds(env, picked, config.device, config.seconds, done))
    if config.json:
        print(json.dumps({**machine(), "device": config.device, "agents": [asdict(t) for t in tables]}, indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=True)
    for table in tables:
        show_table(table, console)
    console.print(", ".join(f"{key} {value}" for key, value in machine().items()), style="dim")


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
    console.print(
        "n = 1: Env.step without Gymnasium's wrappers. Larger n: vector environment, including copies of observations."
    )
    console.print(f"From the first import to the end of the first step, with cached kernels: {start:.2f} s.")
    console.print(", ".join(f"{key} {value}" for key, value in machine().items()), style="dim")
