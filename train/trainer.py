"""Train a learner: budget, progress, logs, checkpoints, learning curve and export.

The folder of a run contains `log.jsonl`, `tensorboard/`, `checkpoints/` and, at the end, `agent.onnx` with its card
`agent.json`. A lock prevents two processes from writing to it. A run may be killed at any time: after resuming, it ends with
bit-identical parameters to an uninterrupted run, on the same machine and versions, if the environment has snapshots.
"""

from __future__ import annotations

import json
import math
import platform
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from unseen.agents.card import Card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.load import TRAINED
from unseen.agents.protocol import MAX_TRAINING_SEED, Learner
from unseen.agents.roster import ROSTER, learner_class
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import shown
from unseen.train import checkpoints
from unseen.train.arguments import LevelArgument, OptionalFloat, OptionalInt, OptionalPath, as_options
from unseen.train.budget import Budget
from unseen.train.errors import StoreError
from unseen.train.files import write_text
from unseen.train.fit import CHECKPOINTS, FRESH, Evaluate, Fit, restore
from unseen.train.heldout import FIRST_SEED, POINTS_SEED, score
from unseen.train.lock import FolderLock
from unseen.train.logs import Display

SPLIT = "train"
FINAL_EPISODES = 1_000
MOST_THREADS = 1024


@dataclass(frozen=True)
class TrainConfig(LevelArgument):
    """What to train, for how long, and where to store it."""

    agent: str
    """such as ppo, gru-mapper or dreamer; see: unseen list"""
    env: str
    """name of an environment, file.py:Class, or a Gymnasium id such as CartPole-v1"""
    steps: OptionalInt = None
    """budget in environment steps; by default that of the agent, or no limit if another budget is given"""
    cpu_minutes: OptionalFloat = None
    """budget in CPU time, not counting evaluation"""
    episodes: OptionalInt = None
    """budget in real episodes; those that have begun are finished: at most one in each of `envs` environments, or a roll-out of ppo"""
    seed: int = 0
    """seed of training"""
    out: OptionalPath = None
    """folder of the run; by default runs/ENV/levelLEVEL/AGENT-SEED"""
    resume: bool = False
    """continue from the last checkpoint in that folder"""
    device: str = "cpu"
    """torch device"""
    threads: int = 1
    """torch threads; one process per core is faster than more threads"""
    checkpoint_every: float = 60.0
    """seconds between checkpoints"""
    eval_every: OptionalInt = None
    """environment steps between evaluations; by default 1/25 of the budget in steps, or else of a million"""
    eval_episodes: int = 200
    """held-out episodes per evaluation"""
    final_episodes: OptionalInt = None
    """held-out episodes after training (default: 1000)"""
    set: Annotated[tuple[str, ...], arg(metavar="NAME=VALUE [NAME=VALUE ...]", help_behavior_hint="")] = ()
    """algorithm settings, such as --set entropy=.03 hidden=256; `unseen info AGENT` lists them"""
    publish: bool = False
    """copy the trained agent to those included in the package"""
    quiet: bool = False
    """show no progress"""

    def training_env(self) -> EnvConfig:
        """The training environment. Raises UnknownEnvironment, BadParameter, BadAgent."""
        if self.split not in ("", SPLIT):
            raise BadAgent(
                f"split={self.split}: agents are trained on the split {SPLIT!r}; the others are for evaluation"
            )
        return self.env_config(self.env, self.level, SPLIT)

    def folder(self, env_config: EnvConfig) -> Path:
        """The folder of the run."""
        level = [] if env_config.chosen_level is None else [f"level{env_config.chosen_level}"]
        return self.out or Path("runs", env_config.label, *level, f"{self.agent}-{self.seed}")

    def budget(self) -> Budget:
        """The training budget. Raises BadAgent if a number is not positive."""
        for name in ("steps", "cpu_minutes", "episodes", "eval_every", "eval_episodes", "final_episodes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise BadAgent(f"{name}={value}: must be positive")
        if not 0 <= self.checkpoint_every < math.inf:
            raise BadAgent(f"checkpoint_every={self.checkpoint_every}: must be a finite number of seconds, 0 or more")
        steps = self.steps
        if steps is None and self.cpu_minutes is None and self.episodes is None:
            steps = ROSTER[self.agent].steps
        return Budget(steps, None if self.cpu_minutes is None else 60 * self.cpu_minutes, self.episodes)

    def overrides(self) -> dict[str, Any]:
        """The settings given by `set`, parsed as JSON where possible. Raises BadAgent."""
        settings = {}
        for item in self.set:
            name, equals, text = item.partition("=")
            if not equals:
                raise BadAgent(f"--set {item}: give NAME=VALUE")
            try:
                settings[name] = float(text) if text.startswith((".", "-.")) else json.loads(text)
            except ValueError:
                settings[name] = text
        return settings

    def settings(self) -> dict[str, Any]:
        """`overrides`, with no more environments than the budget has episodes.

        Raises BadAgent, also if more are asked for; UnknownAgent, MissingExtra.
        """
        settings, most = self.overrides(), self.episodes
        envs = settings.get("envs", getattr(learner_class(self.agent).config_class, "envs", 0))
        if most is None or not isinstance(envs, int) or envs <= most:
            return settings
        if "envs" in settings:
            raise BadAgent(f"setting envs={envs}: at most {most}, the budget in episodes")
        return settings | {"envs": most}


def train(config: TrainConfig) -> Path:
    """Train, and return the path of the exported agent. The request is validated before the folder is created.

    Raises UnknownEnvironment, UnknownAgent, BadAgent, BadParameter, MissingExtra, BadCheckpoint, StoreError, StoreLocked;
    KeyboardInterrupt after Ctrl-C, once everything is saved.
    """
    kind, env_config = learner_class(config.agent), config.training_env()
    budget, settings = config.budget(), config.settings()
    if not 0 <= config.seed <= MAX_TRAINING_SEED:
        raise BadAgent(f"seed={config.seed}: must be in 0..{MAX_TRAINING_SEED}")
    if config.publish and env_config.entry is None:
        raise BadAgent(f"--publish: only agents for environments of the suite can be included, not for {env_config.id}")
    folder = config.folder(env_config)
    _is_resumed(config, folder)
    set_up_torch(config.device, config.threads)
    learner = kind(env_config, config.seed, config.device, settings)
    with locked_folder(folder):
        identity = _identity(config, env_config)
        meta = restore(learner, folder, identity) if _is_resumed(config, folder) else FRESH
        return _run(config, env_config, budget, folder, learner, identity, meta)


def _is_resumed(config: TrainConfig, folder: Path) -> bool:
    """Whether to continue a run. Raises BadCheckpoint if there is one without `resume`, or none with it."""
    kept = checkpoints.found(folder / CHECKPOINTS)
    if kept and not config.resume:
        raise BadCheckpoint(f"{folder} contains a training run: continue it with --resume, or choose another --out")
    if config.resume and not kept:
        raise BadCheckpoint(f"{folder} contains no checkpoint to resume from")
    return config.resume


def set_up_torch(device: str, threads: int) -> None:
    """Set the number of threads and check the device. Raises BadAgent if there is no such device, or not so many threads."""
    if not 1 <= threads <= MOST_THREADS:
        raise BadAgent(f"threads={shown(threads)}: must be in 1..{MOST_THREADS}")
    import torch

    torch.set_num_threads(threads)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # raised by torch for an unknown or absent device
        raise BadAgent(f"device={device!r}: {str(error).splitlines()[0]}") from error


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Create the run's folder and lock it. OSErrors inside the context, such as a full disk, become StoreErrors."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(folder / "run.lock")
        try:
            yield
        finally:
            lock.release()
    except BrokenPipeError:  # of stdout, not of the folder
        raise
    except OSError as error:
        raise StoreError(folder, f"cannot be written: {error.strerror or error}") from error


def _identity(config: TrainConfig, env_config: EnvConfig) -> dict[str, Any]:
    """Values that must not change when a run is resumed."""
    same = {"agent": config.agent, "env": env_config.id, "level": env_config.chosen_level, "seed": config.seed}
    return same | {"setting": as_options(env_config, SPLIT)}


def _run(
    config: TrainConfig,
    env_config: EnvConfig,
    budget: Budget,
    folder: Path,
    learner: Learner,
    identity: Mapping[str, Any],
    meta: Mapping[str, Any],
) -> Path:
    """Train up to the budget, evaluate and export."""

    def heldout(episodes: int, first: int) -> Evaluate:
        return lambda policy: {"heldout": score(policy, env_config, episodes, first=first).episode_return}

    level = "" if env_config.chosen_level is None else f" level {env_config.chosen_level}"
    display = Display(f"{config.agent} on {env_config.label}{level}", config.quiet)
    try:
        for note in learner.notes:
            display.say(note)
        if config.settings() != config.overrides():
            display.say(f"envs={budget.episodes}: an episode in each is the whole budget")
        every = Budget(config.eval_every or max((budget.steps or 1_000_000) // 25, 1), None)
        evaluate = heldout(config.eval_episodes, POINTS_SEED)
        fit = Fit(
            learner, folder, budget, evaluate, every,
            identity=identity, meta=meta, checkpoint_every=config.checkpoint_every, show=display.show,
        )  # fmt: skip
        with _stop_requested() as stop:
            complete = fit.run(stop)
        if stop.is_set() or not complete:
            display.say(f"saved in {folder}; continue with the same command and --resume")
            raise KeyboardInterrupt
        episodes = config.final_episodes or FINAL_EPISODES
        final = fit.measure(heldout(episodes, FIRST_SEED))
        path = _export(config, env_config, fit, episodes)
        played = "" if learner.episodes is None else f", after {learner.episodes} real ones"
        display.say(f"{path}: mean return {final['heldout']:.3f} on {episodes} held-out episodes{played}")
        return path
    finally:
        display.close()


def _export(config: TrainConfig, env_config: EnvConfig, fit: Fit, episodes: int) -> Path:
    """Export the agent and write its card; `episodes` is the number of those after training."""
    learner, path = fit.learner, fit.folder / "agent.onnx"
    learner.export(path)
    policy = learner.policy()
    made = envs.make(replace(env_config, obs=policy.obs, action=policy.action), 1)
    made.vector.close()
    last = fit.curve[-1]
    card = Card(
        agent=config.agent,
        env=env_config.id,
        level=env_config.chosen_level,
        obs=policy.obs,
        action=policy.action,
        scale=1.0 if made.layout is None else made.layout.scale,
        seed=config.seed,
        config=asdict(learner.config),
        overrides=config.settings(),
        steps=learner.steps,
        training_episodes=learner.episodes,
        cpu_s=last["cpu_s"],
        episode_return=last["heldout"],
        episodes=episodes,
        curve=tuple((point["steps"], point["cpu_s"], point["heldout"]) for point in fit.curve),
        versions=versions(),
    )
    write_text(path.with_suffix(".json"), card.as_json())
    if config.publish:
        _publish(config, env_config, path)
    return path


def _publish(config: TrainConfig, env_config: EnvConfig, path: Path) -> None:
    """Copy a run to the agents that the package includes, with weights of 16 bits."""
    from unseen.agents.onnx.half import write_half

    target = TRAINED / env_config.label / f"level{env_config.chosen_level}"
    target.mkdir(parents=True, exist_ok=True)
    for suffix in (".imagine.onnx", ".onnx", ".json"):
        if (file := path.with_suffix(suffix)).exists():
            write = shutil.copy if suffix == ".json" else write_half
            write(file, target / f"{config.agent}-{config.seed}{suffix}")


@contextmanager
def _stop_requested() -> Iterator[threading.Event]:
    """An event set by Ctrl-C or SIGTERM, so that the current update is completed; a second signal interrupts at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def versions() -> dict[str, str]:
    """Versions of Python and the packages that matter for training."""
    found = {"python": platform.python_version()}
    for package in ("unseen", "torch", "stable-baselines3", "sb3-contrib", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
