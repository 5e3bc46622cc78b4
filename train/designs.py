"""Designs for ProvingGround: those in files, and those that agents commit to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents.protocol import Agent
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import BadDesign, nearest, shown
from unseen.envs.industry.proving_ground.certificate import Certificate, Programme
from unseen.envs.industry.proving_ground.design import PARTS, VARIABLES
from unseen.train.rollout import Rollout, make_env_for

NAMES = [row[0] for row in VARIABLES]


def read_design(path: Path) -> np.ndarray:
    """The design (10,) in a file. Raises BadDesign."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDesign(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise BadDesign(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadDesign(f"{path}: expected an object with {PARTS} named numbers: {', '.join(NAMES)}")
    for name in value:
        if name not in NAMES:
            raise BadDesign(f"{path}: no variable {shown(name)}; {nearest(name, NAMES)}")
    for k, name in enumerate(NAMES):
        if name not in value:
            raise BadDesign(
                f"{path}: {name} is missing: a number in {_range(k)}; {len(value)} of {PARTS} variables are given"
            )
        if isinstance(value[name], bool) or not isinstance(value[name], int | float):
            raise BadDesign(f"{path}: {name}={shown(value[name])}: must be a number in {_range(k)}")
        if not -1.0 <= value[name] <= 1.0:
            raise BadDesign(f"{path}: {name}={shown(value[name])}: must be in {_range(k)}")
    return np.array([float(value[name]) for name in NAMES])


def fault_of(design: np.ndarray) -> str:
    """What is wrong with a design (10,), by variable and range; "" if it is one."""
    bad = [k for k, z in enumerate(np.asarray(design).tolist()) if not -1.0 <= z <= 1.0]
    return f"{NAMES[bad[0]]}={float(design[bad[0]]):g}: must be in {_range(bad[0])}" if bad else ""


def _range(k: int) -> str:
    _, unit, low, high, _ = VARIABLES[k]
    return f"-1..1, which is {low:g} to {high:g} {unit}".rstrip()


@dataclass
class Submission:
    """What an agent has committed to in a programme.

    Attributes:
        seed: of the programme.
        programme: for its certificate.
        design: (10,), meaningless with an `error`.
    """

    seed: int
    programme: Programme
    design: np.ndarray
    prototypes: int = 0
    tests: int = 0
    error: str = ""

    def certify(self, each: int) -> Certificate:
        """Drive the private certificate of the programme, `each` scenarios of a family."""
        return self.programme.drive(self.design, self.programme.scenarios(self.seed, each))


class _Checked(Agent):
    """Passes on what an agent does, and notes what is wrong with its designs.

    Attributes:
        faults: row -> the first fault.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent, self.name, self.obs, self.action = agent, agent.name, agent.obs, agent.action
        self.faults: dict[int, str] = {}
        self.attach, self.seed = agent.attach, agent.seed  # type: ignore[method-assign]

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self.agent.initial_state(seeds)

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        actions, state = self.agent.act(obs, state, first)
        rows = np.asarray(actions)
        if rows.ndim == 2 and rows.shape[1] >= PARTS and rows.dtype.kind == "f":
            for row, fault in enumerate(map(fault_of, rows[:, :PARTS])):
                if fault:
                    self.faults.setdefault(row, fault)
        return actions, state


def submissions(
    agent: Agent, env_config: EnvConfig, seeds: Sequence[int], *, endless: bool = False
) -> list[Submission]:
    """Let an agent play one programme for each seed. Raises EvaluationError and BadAgent if it cannot play at all.

    Args:
        endless: a programme has as many tests as the agent likes, not only those of the environment. The clock then stands still.
    """
    n, checked = len(seeds), _Checked(agent)
    env: Any = make_env_for(agent, replace(env_config, action="continuous"), n)
    env.reset(seed=list(seeds))
    programmes = _programmes(env)
    run = Rollout(checked, env, seeds, name=agent.name, metrics=("prototypes", "tests"))
    designs = np.zeros((n, PARTS))
    for step in run:  # a programme's last action commits, whatever it asks for
        designs[step.live] = step.actions[step.live, :PARTS]
        if endless:
            env.world["t"][step.live] = 1
    env.close()
    found = []
    for k, outcome in enumerate(run.outcomes):
        error = f"agent {agent.name!r}: {checked.faults[k]}" if outcome.error and k in checked.faults else outcome.error
        prototypes, tests = (int(outcome.metrics.get(name, 0)) for name in ("prototypes", "tests"))
        found.append(Submission(outcome.seed, programmes[k], designs[k], prototypes, tests, error))
    return found


def submit_to_all(design: np.ndarray, env_config: EnvConfig, seeds: Sequence[int]) -> list[Submission]:
    """The same design (10,) for the programme of each seed, without a test."""
    env: Any = envs.make(replace(env_config, action="continuous"), len(seeds)).vector
    env.reset(seed=list(seeds))
    programmes = _programmes(env)
    env.close()
    return [Submission(seed, one, design, 1) for seed, one in zip(seeds, programmes, strict=True)]


def _programmes(env: Any) -> list[Programme]:
    """The programmes that have just begun in a vector environment."""
    return [Programme(record, env.params) for record in env.world]
