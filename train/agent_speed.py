"""How fast agents learn, imagine, decide and start, for `unseen bench --agents`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents.errors import BadCheckpoint, UnknownAgent
from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent, Learner
from unseen.agents.roster import ROSTER, learner_class, trainable
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import UnseenError, nearest
from unseen.train.benchmark.results import FINISHED, Result, from_text
from unseen.train.benchmark.summary import reached
from unseen.train.measures.tables import Row, Table
from unseen.train.rollout import Rollout, make_env_for

THRESHOLD = 0.9
WARM_UPS = {"actor_warmup_updates": 0, "map_warmup": 0, "random_episodes": 0}
"""settings without which the first updates are not like the later ones"""
WARM_SECONDS = 60.0  # at most, until the first update
BATCHES = (1, 32)
DECISIONS = 400  # at most, of each batch size
WARM_DECISIONS = 10
ROWS, HORIZON = 256, 16  # of imagined roll-outs
COLUMNS = (
    f"CPU-s to {THRESHOLD:g}".replace("0.", "."),
    "ms an update",
    "env steps/s",
    "imagined/s",
    *(f"{what}, n={n}" for n in BATCHES for what in ("median ms", "90 % ms")),
    "start-up s",
)
NOTE = (
    "steps, imagined transitions and updates by CPU time, on another device than the CPU by wall time; env steps/s: in training, "
    "updates included; decisions of n at once, wall time; start-up: from the first import to the end of the first decision"
)
START = """
import time; started = time.perf_counter()
import numpy as np
from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.train.rollout import make_env_for
env_config = EnvConfig({name!r}, {level!r}, {obs!r}, split="test")
agent = load_agent({agent!r}, {name!r}, {level!r})
env = make_env_for(agent, env_config, 1)
agent.attach(env); agent.seed(0)
obs, _ = env.reset(seed=[0])
agent.act(obs, agent.initial_state(np.zeros(1, np.uint64)), np.ones(1, bool))
print(time.perf_counter() - started)
"""


@dataclass
class Found:
    """Figures of one agent, in the order of COLUMNS, and the reasons for those that are missing."""

    values: dict[str, float] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row:
        return Row(name, tuple(self.values.get(column) for column in COLUMNS), "; ".join(self.reasons))


def chosen(only: Sequence[str]) -> list[str]:
    """The agents of these names, by default all that can be trained. Raises UnknownAgent."""
    for name in only:
        if name not in ROSTER or not ROSTER[name].trainable:
            raise UnknownAgent(f"no trainable agent {name!r}: {nearest(name, trainable())}")
    return list(only) or trainable()


def agent_speeds(
    env: EnvConfig,
    agents: Sequence[str],
    device: str,
    seconds: float,
    done: Callable[[str], None] = lambda agent: None,
    results: Path = Path("results"),
) -> Table:
    """Measure agents in an environment, a few seconds each.

    Args:
        device: torch device to learn on; on another than "cpu" the learner's policy decides there, instead of the stored agent.
        seconds: for each figure.
        done: called with the name of each agent that was measured.
        results: folder of stored benchmarks.
    """
    stored = stored_results(results)
    rows = []
    for name in agents:
        found = Found()
        _time_to_threshold(found, name, env, stored)
        try:
            learner = learner_class(name)(env, seed=0, device=device, config=_without_warm_up(name))
            _training(found, learner, device, seconds)
            agent = _actor(found, name, env, learner, device)
            _imagination(found, agent, env, device, seconds)
            _decisions(found, agent, env, seconds)
            rows.append(found.row(name))
        except UnseenError as error:
            rows.append(Row(name, why=str(error)))
        done(name)
    title = f"{env.label}, level {env.chosen_level}, on {device}"
    return Table(title, NOTE, COLUMNS, tuple(rows))


def _without_warm_up(name: str) -> dict[str, int]:
    settings = {part.name for part in fields(learner_class(name).config_class)}
    return {setting: value for setting, value in WARM_UPS.items() if setting in settings}


# --- CPU-seconds to the threshold ---


def stored_results(folder: Path) -> list[Result]:
    """The finished runs of all benchmarks below a folder; files that are no results are left out."""
    found = []
    for path in sorted(folder.glob("*/*.json")):
        try:
            result = from_text(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if result.status == FINISHED:
            found.append(result)
    return found


def _time_to_threshold(found: Found, name: str, env: EnvConfig, stored: Sequence[Result]) -> None:
    """The median over stored runs with the default settings."""
    wanted: dict[str, Any] = {"agent": name, "settings": {}, "env": env.id, "level": env.chosen_level, "parameters": {}}
    runs = [one for one in stored if all(one.cell.get(key) == value for key, value in wanted.items())]
    runs = [one for one in runs if one.cell.get("obs", "") == env.obs]
    times = [cpu for one in runs if (cpu := reached(one, "greedy", "cpu_s", THRESHOLD)) is not None]
    if not times:
        found.reasons.append("no stored benchmark of it here")
    elif np.isfinite(median := statistics.median(times)):
        found.values[COLUMNS[0]] = median
    else:
        found.reasons.append(f"{sum(map(np.isinf, times))} of {len(times)} stored runs did not reach {THRESHOLD:g}")


# --- learning ---


def _clock(device: str) -> Callable[[], float]:
    """CPU time, or, where the work is done elsewhere, wall time."""
    return time.process_time if device == "cpu" else time.perf_counter


def _training(found: Found, learner: Learner, device: str, seconds: float) -> None:
    """Updates and environment steps, after the first update."""
    clock, made = _clock(device), learner.update_time
    started = clock()
    while not made.updates and clock() - started < WARM_SECONDS:
        learner.advance()
    before, steps, started = replace(made), learner.steps, clock()
    while (spent := clock() - started) < seconds or learner.steps == steps:
        learner.advance()
    found.values["env steps/s"] = (learner.steps - steps) / spent
    updates = made.updates - before.updates
    if updates:
        used = made.cpu_s - before.cpu_s if device == "cpu" else made.wall_s - before.wall_s
        found.values["ms an update"] = 1e3 * used / updates
    else:
        found.reasons.append("no update was timed")


# --- acting ---


def _actor(found: Found, name: str, env: EnvConfig, learner: Learner, device: str) -> Agent:
    """The stored agent, or else the learner's policy."""
    if device == "cpu":
        try:
            agent = load_agent(name, env.name, env.level)
            found.values["start-up s"] = start_up(name, env)
            return agent
        except BadCheckpoint:
            pass  # none is included for this environment
    found.reasons.append("no stored agent: it decides by torch, as in training")
    return learner.policy()


def start_up(agent: str, env: EnvConfig) -> float:
    """Seconds from the first import to the end of the first decision of a stored agent, in a new interpreter; kernels cached."""
    script = START.format(name=env.name, level=env.level, obs=env.obs, agent=agent)
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    return statistics.median(float(json.loads(run.stdout)) for run in runs)


def _imagination(found: Found, agent: Agent, env: EnvConfig, device: str, seconds: float) -> None:
    """Transitions of the world model, in roll-outs of ROWS x HORIZON."""
    made = make_env_for(agent, replace(env, split="test"), ROWS)
    try:
        run = Rollout(agent, made, range(ROWS), once=False, fail_fast=True)
        state = next(iter(run)).state
    finally:
        made.close()
    own = agent.imagine(state, HORIZON)
    if own is None:
        found.reasons.append("no world model")
        return
    clock, count = _clock(device), 0
    started = clock()
    while (spent := clock() - started) < seconds:
        agent.imagine(state, HORIZON, own.action)  # given actions: a planner imagines nothing more than these
        count += 1
    found.values["imagined/s"] = count * ROWS * HORIZON / spent


def _decisions(found: Found, agent: Agent, env: EnvConfig, seconds: float) -> None:
    """Times of decisions in play, of one environment and of several at once."""
    if agent.repeat > 1:
        agent.repeat = 1  # every step decides
    for n in BATCHES:
        made = make_env_for(agent, replace(env, split="test"), n)
        times: list[float] = []
        try:
            started = time.perf_counter()
            for step in islice(Rollout(agent, made, range(n), once=False, fail_fast=True), WARM_DECISIONS + DECISIONS):
                times.append(step.seconds)
                if len(times) > 2 * WARM_DECISIONS and time.perf_counter() - started > seconds:
                    break
        finally:
            made.close()
        median, high = 1e3 * np.percentile(times[WARM_DECISIONS:], [50, 90])
        found.values |= {f"median ms, n={n}": float(median), f"90 % ms, n={n}": float(high)}
