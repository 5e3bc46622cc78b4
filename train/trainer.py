"""Train a learner: budget, progress, logs, checkpoints, learning curve and export.

The folder of a run contains `log.jsonl`, `tensorboard/`, `checkpoints/` and, at the end, `agent.onnx` with its card
`agent.json`. A lock prevents two processes from writing to it. A run may be killed at any time: after resuming, it ends with
bit-identical parameters to an uninterrupted run, on the same machine and versions, if the environment has snapshots.
"""

from __future__ import annotations

import json
import platform
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from unseen.agents.card import Card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.load import TRAINED
from unseen.agents.protocol import Learner
from unseen.agents.roster import ROSTER, learner_class
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.train import checkpoints
from unseen.train.arguments import LevelArgument, OptionalFloat, OptionalInt, OptionalPath, as_options
from unseen.train.budget import Budget, CpuClock
from unseen.train.errors import StoreError
from unseen.train.files import write_text
from unseen.train.heldout import mean_return
from unseen.train.lock import FolderLock
from unseen.train.logs import Display, Log

SPLIT = "train"
FINAL_EPISODES = 1_000


@dataclass(frozen=True)
class TrainConfig(LevelArgument):
    """What to train, for how long, and where to store it."""

    agent: str
    """ppo, recurrent-ppo, dreamer or mapper; see: unseen list"""
    env: str
    """name of an environment, file.py:Class, or a Gymnasium id such as CartPole-v1"""
    steps: OptionalInt = None
    """budget in environment steps; by default that of the agent, or no limit if --cpu-minutes is given"""
    cpu_minutes: OptionalFloat = None
    """budget in CPU time, not counting evaluation"""
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
    """environment steps between evaluations; by default 1/25 of the budget"""
    eval_episodes: int = 200
    """held-out episodes per evaluation"""
    set: Annotated[tuple[str, ...], arg(metavar="NAME=VALUE [NAME=VALUE ...]", help_behavior_hint="")] = ()
    """algorithm settings, such as --set ent_coef=.03 hidden=256; `unseen info AGENT` lists them"""
    publish: bool = False
    """copy the trained agent to those included in the package"""
    quiet: bool = False
    """show no progress"""

    def training_env(self) -> EnvConfig:
        """The training environment. Raises UnknownEnvironment, BadParameter."""
        return self.env_config(self.env, self.level, SPLIT)

    def folder(self, env_config: EnvConfig) -> Path:
        """The folder of the run."""
        level = [] if env_config.chosen_level is None else [f"level{env_config.chosen_level}"]
        return self.out or Path("runs", env_config.label, *level, f"{self.agent}-{self.seed}")

    def budget(self) -> Budget:
        """The training budget. Raises BadAgent if a number is not positive."""
        for name in ("steps", "cpu_minutes", "eval_every", "eval_episodes", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise BadAgent(f"{name}={value}: must be positive")
        steps = self.steps
        if steps is None and self.cpu_minutes is None:
            steps = ROSTER[self.agent].steps
        return Budget(steps, None if self.cpu_minutes is None else 60 * self.cpu_minutes)

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


def train(config: TrainConfig) -> Path:
    """Train, and return the path of the exported agent. The request is validated before the folder is created.

    Raises UnknownEnvironment, UnknownAgent, BadAgent, BadParameter, MissingExtra, BadCheckpoint, StoreError, StoreLocked;
    KeyboardInterrupt after Ctrl-C, once everything is saved.
    """
    kind, overrides = learner_class(config.agent), config.overrides()
    env_config, budget = config.training_env(), config.budget()
    if config.publish and env_config.entry is None:
        raise BadAgent(f"--publish: only agents for environments of the suite can be included, not for {env_config.id}")
    folder = config.folder(env_config)
    _kept(config, folder)
    _set_up_torch(config)
    learner = kind(env_config, config.seed, config.device, overrides)
    with _locked_folder(folder):
        kept = _kept(config, folder)
        meta: dict[str, Any] = {"steps": 0, "cpu_s": 0.0, "wall_s": 0.0, "curve": []}
        if kept:
            meta = _load_latest(learner, kept, _identity(config, env_config))
        return _Training(config, env_config, budget, folder, learner, meta).run()


def _kept(config: TrainConfig, folder: Path) -> list[Path]:
    """The checkpoints of the folder. Raises BadCheckpoint if there are any without `resume`, or none with it."""
    kept = checkpoints.found(folder / "checkpoints")
    if kept and not config.resume:
        raise BadCheckpoint(f"{folder} contains a training run: continue it with --resume, or choose another --out")
    if config.resume and not kept:
        raise BadCheckpoint(f"{folder} contains no checkpoint to resume from")
    return kept


def _set_up_torch(config: TrainConfig) -> None:
    """Set the number of threads and check the device. Raises BadAgent if there is no such device."""
    import torch

    torch.set_num_threads(config.threads)
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError) as error:  # raised by torch for an unknown or absent device
        raise BadAgent(f"device={config.device!r}: {str(error).splitlines()[0]}") from error


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
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


def _load_latest(learner: Learner, kept: list[Path], same: dict[str, Any]) -> dict[str, Any]:
    """Load the latest valid checkpoint and return the trainer's metadata."""
    fault = BadCheckpoint("no checkpoint")
    for path in reversed(kept):
        try:
            meta = checkpoints.read_meta(path)
            for name, value in same.items():
                if meta.get(name, value) != value:
                    raise BadCheckpoint(f"{path}: made with {name}={meta[name]}, not {value}")
            learner.load(path)
            return meta
        except BadCheckpoint as error:
            fault = error
    raise fault


class _Training:
    """A training run in progress."""

    def __init__(
        self,
        config: TrainConfig,
        env_config: EnvConfig,
        budget: Budget,
        folder: Path,
        learner: Learner,
        meta: dict[str, Any],
    ) -> None:
        self.config, self.env_config, self.budget, self.folder, self.learner = (
            config,
            env_config,
            budget,
            folder,
            learner,
        )
        self.curve: list[list[float]] = meta["curve"]
        self.clock = CpuClock(meta["cpu_s"])
        self.started = time.monotonic() - meta["wall_s"]
        self.every = config.eval_every or max((budget.steps or 1_000_000) // 25, 1)

    def run(self) -> Path:
        with self.clock.paused():
            log = Log(self.folder, self.learner.steps)
            level = "" if self.env_config.chosen_level is None else f" level {self.env_config.chosen_level}"
            display = Display(f"{self.config.agent} on {self.env_config.label}{level}", self.config.quiet)
            for note in self.learner.notes:
                display.say(note)
        saved = time.monotonic()
        try:
            with _stop_requested() as stop:
                while self.share < 1 and not stop.is_set():
                    figures = {"steps": self.learner.steps} | self.learner.advance()
                    figures |= {"steps": self.learner.steps, "cpu_s": self.clock.seconds, "wall_s": self._wall()}
                    with self.clock.paused():
                        if self.learner.steps // self.every > self._evaluated // self.every:
                            figures["heldout"] = self._evaluate(self.config.eval_episodes)
                        log.write(figures)
                        display.show(self.share, figures)
                        if time.monotonic() - saved > self.config.checkpoint_every:
                            self._checkpoint()
                            saved = time.monotonic()
                with self.clock.paused():
                    self._checkpoint()
            if stop.is_set():
                display.say(f"saved in {self.folder}; continue with the same command and --resume")
                raise KeyboardInterrupt
            with self.clock.paused():
                path = self._finish()
            last = self.curve[-1][2]
            display.say(f"{path}: mean return {last:.3f} on {FINAL_EPISODES} held-out episodes")
            return path
        finally:
            display.close()
            log.close()

    @property
    def share(self) -> float:
        return self.budget.share(self.learner.steps, self.clock.seconds)

    @property
    def _evaluated(self) -> int:
        return int(self.curve[-1][0]) if self.curve else 0

    def _wall(self) -> float:
        return time.monotonic() - self.started

    def _evaluate(self, episodes: int) -> float:
        spent = self.clock.seconds
        score = mean_return(self.learner.policy(), self.env_config, episodes)
        self.curve.append([self.learner.steps, round(spent, 1), round(score, 4)])
        return score

    def _checkpoint(self) -> None:
        now = {"steps": self.learner.steps, "cpu_s": self.clock.seconds, "wall_s": self._wall(), "curve": self.curve}
        meta = _identity(self.config, self.env_config) | now
        checkpoints.write(self.folder / "checkpoints", self.learner.steps, self.learner.save, meta)

    def _finish(self) -> Path:
        """Run the final evaluation, export the agent and write its card."""
        cpu = self.clock.seconds
        if self._evaluated == self.learner.steps:
            self.curve.pop()
        score = self._evaluate(FINAL_EPISODES)
        path = self.folder / "agent.onnx"
        self.learner.export(path)
        policy = self.learner.policy()
        made = envs.make(replace(self.env_config, obs=policy.obs, action=policy.action), 1)
        made.vector.close()
        card = Card(
            agent=self.config.agent,
            env=self.env_config.id,
            level=self.env_config.chosen_level,
            obs=policy.obs,
            action=policy.action,
            scale=1.0 if made.layout is None else made.layout.scale,
            seed=self.config.seed,
            config=asdict(self.learner.config),
            overrides=self.config.overrides(),
            steps=self.learner.steps,
            cpu_s=round(cpu, 1),
            episode_return=round(score, 4),
            episodes=FINAL_EPISODES,
            curve=tuple((int(steps), cpu_s, value) for steps, cpu_s, value in self.curve),
            versions=_versions(),
        )
        write_text(path.with_suffix(".json"), card.as_json())
        if self.config.publish:
            self._publish(path)
        return path

    def _publish(self, path: Path) -> None:
        target = TRAINED / self.env_config.label / f"level{self.env_config.chosen_level}"
        target.mkdir(parents=True, exist_ok=True)
        for suffix in (".imagine.onnx", ".onnx", ".json"):
            if (file := path.with_suffix(suffix)).exists():
                shutil.copy(file, target / f"{self.config.agent}-{self.config.seed}{suffix}")


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


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("unseen", "torch", "stable-baselines3", "sb3-contrib", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
