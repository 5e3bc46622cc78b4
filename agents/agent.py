"""The `Agent` protocol, the roster of agents, and how one is loaded by name, by file or by class.

Agents are batched throughout: row i of every array belongs to environment i.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from unseen.agents.errors import BadAgent, BadCheckpoint, UnknownAgent
from unseen.envs.errors import nearest

TRAINED = Path(__file__).parent / "trained"
"""Agents shipped with the package: `<Env>/level<k>/<agent>-<seed>.onnx` with a `.json` card beside it."""


@runtime_checkable
class Agent(Protocol):
    """Anything that acts. Optional methods are listed below; nothing else is looked for.

    `attach(vec_env)`: called once before acting, for references that look into the world.
    `seed(int)`: restarts the agent's own random numbers, so that a run can be repeated exactly.
    World models: `belief(state) -> {"seen": (n, k), "xy": (n, k, 2)}`, metres in the room's frame, and of each kind of
    tall thing "tall_seen", "tall_xy" where it tells these;
    `imagine(state, actions=None, horizon=15) -> {"xy": (n, H, k, 2), "pose": (n, H, 4), "reward": (n, H),
    "continue": (n, H)}`, following the agent's own policy where `actions` (n, H) is None.
    """

    name: str
    obs: str
    """Observation mode that it needs: "slots", "rays", "pixels", ..."""

    def initial_state(self, batch: int) -> Any:
        """Memory for `batch` environments before anything was seen."""

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        """Actions (n,) for `obs` (n, d) and the new memory.

        `first` (n,) bool marks rows whose observation opens an episode: their memory restarts inside.
        `explore` draws from the policy instead of taking its most likely action.
        """


@dataclass(frozen=True)
class AgentInfo:
    """One row of the roster."""

    kind: str
    """reference, model-free, model-based or yours"""
    summary: str
    trainable: bool = False


AGENTS = {
    "random": AgentInfo("reference", "picks any action, whatever it sees"),
    "reflex": AgentInfo("reference", "the best scripted agent without a memory"),
    "tracker": AgentInfo("reference", "scripted: remembers where everything was last seen"),
    "oracle": AgentInfo("reference", "scripted: looks through walls"),
    "ppo": AgentInfo("model-free", "PPO without a memory (stable-baselines3)", True),
    "recurrent-ppo": AgentInfo("model-free", "PPO with an LSTM (sb3-contrib)", True),
    "dreamer": AgentInfo("model-based", "learns a world model and trains its policy in imagined roll-outs", True),
    "mapper": AgentInfo(
        "model-based", "dreamer that is also taught, by a scripted tracker, where things were last seen", True
    ),
}


@dataclass(frozen=True)
class Run:
    """One trained agent on disk."""

    agent: str
    env: str
    level: int | str
    seed: int
    path: Path
    card: dict[str, Any]


def list_runs(name: str, env_name: str, level: int | str, root: Path | None = None) -> list[Run]:
    """Trained runs of `name` on that environment and level, by seed. Raises BadCheckpoint on a bad card."""
    from unseen.envs.suite import resolve

    env = resolve(env_name).label
    runs = []
    for card_path in (root or TRAINED).joinpath(env, f"level{level}").glob(f"{name}-*.json"):
        seed = card_path.stem.removeprefix(f"{name}-")
        if not seed.isdigit():
            continue
        runs.append(Run(name, env, level, int(seed), card_path.with_suffix(".onnx"), read_card(card_path)))
    return sorted(runs, key=lambda run: run.seed)


def read_card(path: Path) -> dict[str, Any]:
    """The JSON card of a trained agent. Raises BadCheckpoint."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCheckpoint(f"{path}: not a readable card: {error}") from error
    if not isinstance(card, dict):
        raise BadCheckpoint(f"{path}: a card is a JSON object, not {type(card).__name__}")
    return card


def load_agent(name_or_path: str, env_name: str, level: int | str, run: int | None = None) -> Agent:
    """An agent ready to act in `env_name` at `level`.

    `name_or_path`: a name of the roster; `file.onnx`, or a training run's folder holding `agent.onnx`;
    or `file.py:Class`, an agent of your own. `run` picks a shipped agent by its training seed; without it
    the typical one is taken: the median of the final success.
    Raises UnknownAgent, BadAgent, BadCheckpoint.
    """
    file, colon, attribute = name_or_path.rpartition(":")
    if colon and file.endswith(".py"):
        return _load_class(Path(file), attribute)
    path = Path(name_or_path)
    if path.suffix == ".onnx" or path.is_dir():
        return _load_onnx(path / "agent.onnx" if path.is_dir() else path, env_name, level)
    if name_or_path not in AGENTS:
        hint = "; your own is given as file.py:Class" if path.suffix == ".py" else ""
        raise UnknownAgent(f"no agent {name_or_path!r}: {nearest(name_or_path, AGENTS)}{hint}")
    if not AGENTS[name_or_path].trainable:
        from unseen.agents.references import reference

        return reference(name_or_path, env_name, level)
    return _load_onnx(_pick(name_or_path, env_name, level, run).path, env_name, level, name_or_path)


def _pick(name: str, env_name: str, level: int | str, seed: int | None) -> Run:
    runs = list_runs(name, env_name, level)
    if seed is not None:
        runs = [run for run in runs if run.seed == seed]
    if not runs:
        which = f"{name} on {env_name} level {level}" + ("" if seed is None else f" with seed {seed}")
        train = f"unseen train {name} {env_name} --level {level}"
        raise BadCheckpoint(f"no trained {which} is shipped; train it: {train}")
    return sorted(runs, key=lambda run: run.card.get("success") or 0.0)[len(runs) // 2]


def _load_onnx(path: Path, env_name: str, level: int | str, name: str | None = None) -> Agent:
    from unseen.agents.onnx_agent import OnnxAgent

    return OnnxAgent(path, env_name, level, name=name)


def _load_class(file: Path, attribute: str) -> Agent:
    """The user's own class: made without arguments, checked against the protocol."""
    if not file.is_file():
        raise UnknownAgent(f"{file}: no such file")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None  # a .py file always has both
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadAgent(f"{file}: could not be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, attribute):
        own = [v for v in vars(module).values() if inspect.isclass(v) and v.__module__ == module.__name__]
        classes = [c.__name__ for c in own]
        raise UnknownAgent(f"{file} has no {attribute!r}; it has: {', '.join(classes) or 'no class'}")
    try:
        agent = getattr(module, attribute)()
    except Exception as error:
        raise BadAgent(f"{file}:{attribute}: could not be made: {type(error).__name__}: {error}") from error
    for method in ("initial_state", "act"):
        if not callable(getattr(agent, method, None)):
            raise BadAgent(f"{file}:{attribute} has no method {method}(); see unseen.agents.agent.Agent")
    for field, default in (("name", f"{file.stem}:{attribute}"), ("obs", "slots")):
        if not hasattr(agent, field):
            setattr(agent, field, default)
    return agent
