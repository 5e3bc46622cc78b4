"""`unseen train`: run any learner to a budget, with logs, a curve, checkpoints and exact resume.

A run is a folder: `log.jsonl` (a line a report), `events.*` (TensorBoard), `checkpoint-N/` (the last two), and at
the end `agent.onnx` with its card `agent.json`. A checkpoint is written beside, synced and renamed, so that a
killed process leaves a whole one behind; on resume the log is cut back to it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents.agent import TRAINED, Agent
from unseen.agents.errors import BadCheckpoint
from unseen.agents.learner import Learner, learner_class
from unseen.envs.errors import UnseenError
from unseen.envs.suite import make_vec, resolve

HELD_OUT = 1_000_000  # the curve's seeds of split="test" start here; the leaderboard's start at 0


class BudgetError(UnseenError, ValueError):
    """A budget or a setting of the command line that makes no sense."""


@dataclass(frozen=True)
class TrainConfig:
    """Train an agent."""

    agent: str
    """ppo, recurrent-ppo, dreamer or mapper"""
    env: str
    """name of the environment"""
    level: int = 1
    """difficulty"""
    steps: int | None = None
    """budget in environment steps; 150000 where no budget is given"""
    minutes: float | None = None
    """budget in CPU-minutes, evaluation not counted"""
    seed: int = 0
    out: Path | None = None
    """folder of the run; runs/ENV/levelN/AGENT-SEED by default"""
    device: str = "cpu"
    """any torch device"""
    resume: bool = False
    """go on from the folder's last checkpoint"""
    set: tuple[str, ...] = ()
    """settings of the algorithm, as in --set entropy=0.03 batch=16"""
    report_every: int = 2_000
    """environment steps from one line of the log to the next"""
    eval_every: int = 10_000
    """environment steps from one point of the curve to the next"""
    eval_episodes: int = 200
    checkpoint_seconds: float = 60.0
    """CPU-seconds from one checkpoint to the next"""
    publish: bool = False
    """copy the result to the agents that ship with the package"""


@dataclass
class Progress:
    """What a run remembers besides its learner."""

    cpu: float = 0.0
    next_report: int = 0
    next_eval: int = 0
    log_lines: int = 0
    curve: list[list[float]] = field(default_factory=list)


def train(config: TrainConfig) -> Path:
    """Train, export, and return the run's folder.

    Raises:
        UnknownAgent, UnknownEnvironment, BudgetError, BadCheckpoint, BadAgent: naming what is wrong.
    """
    entry = resolve(config.env)
    if config.steps is not None and config.steps <= 0 or config.minutes is not None and config.minutes <= 0:
        raise BudgetError("the budget, --steps or --minutes, must be positive")
    maker = learner_class(config.agent)
    import torch

    torch.set_num_threads(1)  # one process a core: a second thread gives little here
    folder = config.out or Path("runs") / entry.name / f"level{config.level}" / f"{config.agent}-{config.seed}"
    learner = maker(entry.name, config.level, config.seed, config.device, parse_settings(config.set))
    run = Run(config, learner, folder, entry.name)
    if config.resume:
        run.load()
    elif any(folder.glob("checkpoint-*")):
        raise BadCheckpoint(f"{folder} holds a run already: go on with --resume, or choose another --out")
    return run.go()


def parse_settings(words: tuple[str, ...]) -> dict[str, Any]:
    """{"entropy": 0.03} from ("entropy=0.03",). Raises BudgetError."""
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BudgetError(f"--set {word}: expected name=value")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings


class Run:
    """One training run in its folder."""

    def __init__(self, config: TrainConfig, learner: Learner, folder: Path, env: str) -> None:
        self.config, self.learner, self.folder, self.env = config, learner, folder, env
        self.progress = Progress()
        self.budget = config.steps if config.steps or config.minutes else 150_000
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadCheckpoint(f"{folder}: cannot be written: {error.strerror}") from error
        self.figures: dict[str, float] = {}

    # --- the loop ---

    def go(self) -> Path:
        """Train to the budget; Ctrl-C saves and stops."""
        last_save = self.progress.cpu
        try:
            with Display(self) as display, self._log() as log:
                while not self.spent():
                    start = time.process_time()
                    self.figures = self.learner.advance()
                    self.progress.cpu += time.process_time() - start
                    if self.learner.steps >= self.progress.next_report:
                        self.progress.next_report = self.learner.steps + self.config.report_every
                        log.write(self)
                        display.update()
                    if self.learner.steps >= self.progress.next_eval:
                        self.progress.next_eval = self.learner.steps + self.config.eval_every
                        self.measure()
                    if self.progress.cpu - last_save >= self.config.checkpoint_seconds:
                        last_save = self.progress.cpu
                        self.save()
                if not self.progress.curve or self.progress.curve[-1][0] < self.learner.steps:
                    self.measure()
        except KeyboardInterrupt:
            self.save()
            print(f"unseen: stopped at {self.learner.steps} steps and saved; go on with --resume", file=sys.stderr)
            raise
        self.save()
        self.finish()
        return self.folder

    def spent(self) -> bool:
        minutes = self.config.minutes
        if minutes is not None and self.progress.cpu >= 60 * minutes:
            return True
        return self.budget is not None and self.learner.steps >= self.budget

    def measure(self) -> None:
        """A point of the curve: held-out episodes, greedy, not counted in CPU time."""
        score = success(self.learner.policy(), self.env, self.config.level, self.config.eval_episodes)
        self.progress.curve.append([self.learner.steps, round(self.progress.cpu, 1), round(score, 4)])

    # --- keeping it ---

    def _log(self) -> Log:
        return Log(self.folder, self.progress.log_lines)

    def save(self) -> None:
        """Write a whole checkpoint, then forget all but the last two."""
        name = f"checkpoint-{self.learner.steps:012d}"
        draft = self.folder / f".{name}.tmp"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            self.learner.save(draft)
            (draft / "progress.json").write_text(json.dumps(self.progress.__dict__ | {"agent": self.config.agent}))
            for file in draft.iterdir():
                with file.open("rb") as f:
                    os.fsync(f.fileno())
            shutil.rmtree(self.folder / name, ignore_errors=True)
            draft.rename(self.folder / name)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise BadCheckpoint(f"{self.folder}: no checkpoint could be written: {error.strerror or error}") from error
        for old in sorted(self.folder.glob("checkpoint-*"))[:-2]:
            shutil.rmtree(old, ignore_errors=True)

    def load(self) -> None:
        """Take up the newest whole checkpoint; the one before where that is damaged."""
        fault: Exception | None = None
        for path in sorted(self.folder.glob("checkpoint-*"), reverse=True):
            try:
                kept = json.loads((path / "progress.json").read_text())
                if kept.pop("agent") != self.config.agent:
                    raise BadCheckpoint(f"{path}: is a checkpoint of another agent than {self.config.agent}")
                self.learner.load(path)
                self.progress = Progress(**kept)
                return
            except (BadCheckpoint, OSError, ValueError, TypeError, KeyError) as error:
                fault = fault or error
        if fault is None:
            raise BadCheckpoint(f"{self.folder} holds no checkpoint to resume from")
        raise BadCheckpoint(f"{self.folder}: no checkpoint is whole: {fault}") from fault

    def finish(self) -> None:
        """Export the policy, with its card beside it."""
        path = self.folder / "agent.onnx"
        self.learner.export(path)
        card = self.card()
        path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
        if self.config.publish:
            target = TRAINED / self.env / f"level{self.config.level}"
            target.mkdir(parents=True, exist_ok=True)
            for suffix in (".onnx", ".imagine.onnx", ".json"):
                if path.with_suffix(suffix).exists():
                    name = f"{self.config.agent}-{self.config.seed}{suffix}"
                    shutil.copy(path.with_suffix(suffix), target / name)

    def card(self) -> dict[str, Any]:
        """Everything that is known of the trained agent."""
        versions = {}
        for package in ("unseen", "torch", "numpy", "numba", "gymnasium", "stable-baselines3", "sb3-contrib"):
            try:
                versions[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                continue
        settings = getattr(self.learner, "config", None)
        env = make_vec(self.env, 1, level=self.config.level)
        return {
            "agent": self.config.agent,
            "env": resolve(self.env).id,
            "level": self.config.level,
            "obs": "slots",
            "scale": getattr(env.layout, "scale", 1.0),
            "seed": self.config.seed,
            "steps": self.learner.steps,
            "cpu_s": round(self.progress.cpu, 1),
            "success": self.progress.curve[-1][2] if self.progress.curve else None,
            "config": settings.__dict__ if settings is not None else {},
            "versions": versions,
            "curve": self.progress.curve,
        }


def success(agent: Agent, env_name: str, level: int, episodes: int) -> float:
    """Mean return of a policy's most likely actions on held-out episodes (split "test")."""
    env = make_vec(env_name, episodes, level=level, split="test", obs=agent.obs)
    obs, _ = env.reset(seed=HELD_OUT)
    state = agent.initial_state(episodes)
    first, over, total = np.ones(episodes, bool), np.zeros(episodes, bool), np.zeros(episodes)
    while not over.all():
        actions, state = agent.act(obs, state, first)
        first = np.zeros(episodes, bool)
        obs, reward, terminated, truncated, _ = env.step(actions)
        total += np.where(over, 0, reward)
        over |= terminated | truncated
    return float(total.mean())


class Log:
    """`log.jsonl` and TensorBoard, cut back to where the run resumes."""

    def __init__(self, folder: Path, lines: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        path = folder / "log.jsonl"
        kept = path.read_text().splitlines()[:lines] if path.exists() else []
        path.write_text("".join(line + "\n" for line in kept))
        self._file = path.open("a")
        self._board = SummaryWriter(str(folder))

    def write(self, run: Run) -> None:
        row = {"steps": run.learner.steps, "cpu_s": round(run.progress.cpu, 1)}
        row |= {k: round(float(v), 5) for k, v in run.figures.items()}
        if run.progress.curve:
            row["held_out"] = run.progress.curve[-1][2]
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        run.progress.log_lines += 1
        for key, value in row.items():
            self._board.add_scalar(key, value, run.learner.steps)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._board.close()


class Display:
    """A progress bar on a terminal; a line a report elsewhere."""

    def __init__(self, run: Run) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.run = run
        self._tty = sys.stderr.isatty()
        if self._tty:
            from rich.console import Console

            note = TextColumn("{task.fields[note]}")
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), note)
            self._bar = Progress(*columns, console=Console(stderr=True))
            name = f"{run.config.agent} {run.env} level {run.config.level} seed {run.config.seed}"
            self._task = self._bar.add_task(name, total=1.0, note="")

    def update(self) -> None:
        run = self.run
        shown = {k: v for k, v in run.figures.items() if k in ("success", "map", "recon", "return", "loss", "entropy")}
        note = f"{run.learner.steps} steps, {run.progress.cpu:.0f} CPU-s, " + ", ".join(
            f"{k} {v:.3f}" for k, v in shown.items()
        )
        if not self._tty:
            print(note, file=sys.stderr, flush=True)
            return
        parts = []
        if run.budget:
            parts.append(run.learner.steps / run.budget)
        if run.config.minutes:
            parts.append(run.progress.cpu / 60 / run.config.minutes)
        self._bar.update(self._task, completed=min(1.0, max(parts)), note=note)

    def __enter__(self) -> Display:
        if self._tty:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._tty:
            self._bar.stop()
