"""Load agents by roster name, file or class, and list the trained agents on disk."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from unseen.agents.card import Card, read_card
from unseen.agents.errors import BadAgent, BadCheckpoint, UnknownAgent
from unseen.agents.protocol import Agent
from unseen.agents.roster import ROSTER
from unseen.agents.shared import envs
from unseen.agents.shared.design_agent import DesignAgent
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.planning_agent import PlanningAgent
from unseen.envs.errors import nearest

TRAINED = Path(__file__).parent / "trained"
"""Trained agents shipped with the package: `<Env>/level<k>/<agent>-<seed>.onnx` with a `.json` card beside it."""


@dataclass(frozen=True)
class Run:
    """One trained agent on disk."""

    agent: str
    env: str
    level: int | str
    seed: int
    path: Path
    card: Card


def list_runs(name: str, env_name: str, level: int | str, root: Path | None = None) -> list[Run]:
    """Trained runs of agent `name` on an environment and level, sorted by seed. Raises BadCheckpoint for a bad card.

    A run counts only for the version of the environment that its card names.
    """
    config = EnvConfig(env_name)
    env, env_id = config.label, config.id
    runs = []
    for card_path in (root or TRAINED).joinpath(env, f"level{level}").glob(f"{name}-*.json"):
        seed = card_path.stem.removeprefix(f"{name}-")
        if not seed.isdigit():
            continue
        card = read_card(card_path)
        if card.env in ("", env_id):
            runs.append(Run(name, env, level, int(seed), card_path.with_suffix(".onnx"), card))
    return sorted(runs, key=lambda run: run.seed)


def load_agent(
    name_or_path: str,
    env_name: str,
    level: int | str | None,
    run: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    imagined: int | None = None,
) -> Agent:
    """Load an agent for `env_name` at `level`.

    Args:
        name_or_path: a roster name (which takes precedence over a file of the same name); `file.onnx`; the folder of a
            training run, which holds `agent.onnx`; or `file.py:Class`.
        run: training seed of the shipped agent; by default the run with the median final return.
        overrides: environment parameters that differ from the level's.
        imagined: of an agent that plans, the most imagined steps for a plan, or designs for a decision; by default its own.

    Raises:
        UnknownAgent, BadAgent, BadCheckpoint
    """
    agent = _load(name_or_path, EnvConfig(env_name, level, overrides=overrides or {}), run)
    if run is not None and not (name_or_path in ROSTER and ROSTER[name_or_path].trainable):
        raise BadAgent(f"run={run}: {agent.name} has no runs to choose from")
    if imagined is not None:
        if not isinstance(agent, PlanningAgent | DesignAgent):
            raise BadAgent(f"imagined={imagined}: {agent.name} does not plan")
        agent.imagined = imagined
    return agent


def _load(name_or_path: str, env: EnvConfig, run: int | None) -> Agent:
    if name_or_path in ROSTER and ROSTER[name_or_path].trainable:
        return _load_onnx(_pick(name_or_path, env, run).path, env, name_or_path)
    if name_or_path in ROSTER or envs.has_reference(env, name_or_path):
        from unseen.agents.references import make_reference

        return make_reference(name_or_path, env)
    file, colon, attribute = name_or_path.rpartition(":")
    if colon and file.endswith(".py"):
        return load_class(Path(file), attribute)
    path = Path(name_or_path)
    if path.suffix == ".onnx" or (name_or_path and path.is_dir()):  # "" would be the current folder
        return _load_onnx(path / "agent.onnx" if path.is_dir() else path, env, None)
    hint = "; give your own agent as file.py:Class" if path.suffix == ".py" else ""
    raise UnknownAgent(f"no agent {name_or_path!r}: {nearest(name_or_path, ROSTER)}{hint}")


def _pick(name: str, env: EnvConfig, seed: int | None) -> Run:
    level = env.chosen_level
    runs = [] if level is None else list_runs(name, env.name, level)
    if seed is not None:
        runs = [run for run in runs if run.seed == seed]
    if not runs:
        which = f"{name} on {env.name}" + ("" if level is None else f" level {level}")
        train = f"unseen train {name} {env.name}" + ("" if level is None else f" --level {level}")
        seeded = "" if seed is None else f" with seed {seed}"
        raise BadCheckpoint(f"no trained {which}{seeded} is included; train one with: {train}")
    return sorted(runs, key=lambda run: run.card.episode_return or 0.0)[len(runs) // 2]


def _load_onnx(path: Path, env: EnvConfig, name: str | None) -> Agent:
    from unseen.agents.onnx.agent import OnnxAgent, outputs_of
    from unseen.agents.onnx.designer import OnnxDesigner
    from unseen.agents.onnx.planner import OnnxPlanner

    outputs = outputs_of(path)
    kind = OnnxDesigner if "margins" in outputs else OnnxPlanner if "acts" in outputs else OnnxAgent
    return kind(path, env, name)


def load_class(file: Path, attribute: str) -> Agent:
    """Instantiate a user-defined agent class, without arguments.

    Raises:
        UnknownAgent: the file does not exist, or does not define that name.
        BadAgent: importing the file or making the agent raised, or the class is not a subclass of Agent.
    """
    module = load_module(file)
    if attribute not in vars(module):
        own = [v for v in vars(module).values() if inspect.isclass(v) and v.__module__ == module.__name__]
        classes = ", ".join(c.__name__ for c in own)
        raise UnknownAgent(f"{file} does not define {attribute!r}; it defines: {classes or 'no classes'}")
    kind = vars(module)[attribute]
    if not (inspect.isclass(kind) and issubclass(kind, Agent)):
        raise BadAgent(
            f"{file}:{attribute} is not a subclass of Agent: write `class {attribute}(Agent)` with "
            "`from unseen.agents.protocol import Agent`"
        )
    try:
        agent = kind()
    except Exception as error:
        raise BadAgent(f"{file}:{attribute}: could not be instantiated: {type(error).__name__}: {error}") from error
    agent.name = agent.name or f"{file.stem}:{attribute}"
    return agent


def load_module(file: Path) -> ModuleType:
    """Import a file afresh as a module registered in sys.modules. Raises UnknownAgent, BadAgent."""
    if not file.is_file():
        raise UnknownAgent(f"{file}: no such file")
    path = file.resolve()
    name = f"unseen_agent_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # a .py file always has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it is executed: dataclasses look up their module, and pickle does so later
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BadAgent(f"{file}: could not be imported: {type(error).__name__}: {error}") from error
    return module
