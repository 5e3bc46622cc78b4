"""Run one cell, in a worker process."""

from __future__ import annotations

import math
import os
import shutil
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from unseen.agents.errors import BadCheckpoint
from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.references import RandomAgent
from unseen.agents.roster import learner_class
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.planning_agent import PlanningAgent
from unseen.train.benchmark.asked import Course
from unseen.train.benchmark.cells import Amount, Cell
from unseen.train.benchmark.results import CURVE, FAILED, FINISHED, Result
from unseen.train.budget import Budget
from unseen.train.errors import EvaluationError, StoreError, StoreLocked
from unseen.train.fit import CHECKPOINTS, FRESH, Fit, restore
from unseen.train.heldout import FIRST_SEED, POINTS_SEED, Score, score
from unseen.train.leaderboard.contestants import make_arena
from unseen.train.leaderboard.machine import this_run
from unseen.train.rollout import one_line
from unseen.train.trainer import locked_folder, set_up_torch, versions

PATIENCE = 60.0  # seconds to wait for a folder that a worker of a killed benchmark still locks
WARM_UP = 4  # episodes that compile the environment


@dataclass(frozen=True)
class Task:
    """A cell, the folder for its log and checkpoints, and the seconds between checkpoints."""

    cell: Cell
    folder: Path
    checkpoint_every: float

    def __str__(self) -> str:
        return self.cell.title


def work(task: Task) -> Result | StoreError:
    """`run_cell` in a worker process: what it prints goes to `output.txt` in the cell's folder, not into the live table."""
    try:
        task.folder.mkdir(parents=True, exist_ok=True)
        with (task.folder / "output.txt").open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    except OSError as error:
        return StoreError(task.folder, f"cannot be written: {error.strerror or error}")
    return run_cell(task)


def run_cell(task: Task) -> Result | StoreError:
    """Train and score a cell, from its last checkpoint if there is one.

    If the learner, the agent or the environment raises, the result is a failed one with the message and what training took; the traceback
    is in `error.txt` in the cell's folder. If the folder cannot be written or locked, the StoreError is returned: it says nothing about
    the cell.
    """
    cell = task.cell
    fits: list[Fit] = []  # those of the run that have begun
    try:
        with ExitStack() as stack:
            _lock(stack, task.folder)
            try:
                if not cell.agent.trains:
                    return _play(cell)
                set_up_torch(cell.device, 1)
                _warm_up(cell.env.config)
                return _train(task, fits) if cell.protocol is None else _ask(task, fits)
            except StoreError:
                raise
            except Exception as error:
                (task.folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
                return _result(cell, FAILED, error=one_line(error), **(_training(fits[-1]) if fits else {}))
    except StoreError as error:
        return error


def _lock(stack: ExitStack, folder: Path) -> None:
    """Lock the cell's folder. Raises StoreError, StoreLocked."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return stack.enter_context(locked_folder(folder))
        except StoreLocked:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _train(task: Task, fits: list[Fit]) -> Result:
    cell, config, evaluation = task.cell, task.cell.env.config, task.cell.evaluation
    kind, identity = learner_class(cell.agent.name), {"id": cell.id}
    learner = kind(config, cell.seed, cell.device, cell.agent.settings)
    try:
        meta: Mapping[str, Any] = restore(learner, task.folder, identity)
    except (
        BadCheckpoint
    ):  # none, or none that this version can read: a new learner, since this one may have loaded a part
        shutil.rmtree(task.folder / CHECKPOINTS, ignore_errors=True)
        meta, learner = FRESH, kind(config, cell.seed, cell.device, cell.agent.settings)
    final: dict[str, Score] = {}
    solved = threading.Event()

    def points(policy: Agent) -> dict[str, float]:
        return {
            name: evaluation.measure(one)
            for name, one in _scores(policy, cell, evaluation.episodes, POINTS_SEED).items()
        }

    def look(share: float, figures: Mapping[str, float]) -> None:
        if evaluation.stop is not None and _stays_at(evaluation.stop, cell.agent.policy, fit.curve):
            solved.set()

    def last_point(policy: Agent) -> dict[str, float]:
        final.update(_scores(policy, cell, evaluation.final_episodes))
        return {name: evaluation.measure(one) for name, one in final.items()}

    fit = Fit(
        learner, task.folder, _budget(cell.budget), points, _budget(cell.every),
        identity=identity, meta=meta, checkpoint_every=task.checkpoint_every, show=look, tensorboard=False,
    )  # fmt: skip
    fits.append(fit)
    look(fit.share, {})  # a resumed run may have ended already
    fit.run(solved)
    fit.measure(last_point)
    with fit.clock.paused():  # scoring is no training
        imagined = _by_imagined(learner.policy(), cell)
    return _result(cell, FINISHED, imagined=imagined, **_training(fit), **final)


def _stays_at(stop: float, policy: str, curve: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last two points of a curve are at or above a score."""
    return len(curve) > 1 and all(point[policy] >= stop for point in curve[-2:])


def _ask(task: Task, fits: list[Fit]) -> Result:
    """Train and score by the protocol of free play and questions."""
    cell = task.cell
    final: dict[str, Score] = {}

    def points(policy: Agent) -> dict[str, float]:
        final.update(_scores(policy, cell, cell.evaluation.final_episodes))
        return {name: cell.evaluation.measure(one) for name, one in final.items()}

    fit = Course(cell, task.folder, points, task.checkpoint_every, fits.append).run()
    return _result(cell, FINISHED, **_training(fit), **final)


def _training(fit: Fit) -> dict[str, Any]:
    """The fields of a `Result` that describe its training."""
    from unseen.train.pace import pace

    learner = fit.learner
    return {
        "steps": learner.steps,
        "episodes": learner.episodes,
        "cpu_s": round(fit.clock.seconds, 1),
        "wall_s": round(fit.wall_s, 1),
        "pace": round(pace(), 3),
        "settings": asdict(learner.config),
        "curve": tuple(tuple(point[name] for name in CURVE) for point in fit.curve),
    }


def _play(cell: Cell) -> Result:
    """Score an agent that is not trained."""
    config = cell.env.config
    agent = load_agent(cell.agent.name, config.name, config.level, None, config.overrides)
    greedy = _score(agent, cell, cell.evaluation.final_episodes)
    return _result(cell, FINISHED, greedy=greedy, imagined=_by_imagined(agent, cell))


def _result(cell: Cell, status: str, **more: object) -> Result:
    config = replace(cell.env.config, split=cell.evaluation.split)
    anchors = None
    if config.entry is not None and status == FINISHED:
        arena = make_arena(config)
        anchors = None if arena.random is None or arena.oracle is None else (arena.random, arena.oracle)
    same = {"anchors": anchors, "versions": versions(), "machine": this_run().machine}
    return Result(cell.id, cell.content, status, **(same | more))  # type: ignore[arg-type]


def _scores(policy: Agent, cell: Cell, episodes: int, first: int = FIRST_SEED) -> dict[str, Score]:
    greedy = _score(policy, cell, episodes, False, first)
    return {"greedy": greedy, "sampled": _score(policy, cell, episodes, True, first) if policy.samples else greedy}


def _by_imagined(agent: Agent, cell: Cell) -> tuple[tuple[int, float], ...]:
    """`Result.imagined`."""
    if not isinstance(agent, PlanningAgent):
        return ()
    found = []
    for steps in cell.evaluation.imagined:
        agent.imagined = steps
        found.append((steps, cell.evaluation.measure(_score(agent, cell, cell.evaluation.episodes))))
    return tuple(found)


def _score(policy: Agent, cell: Cell, episodes: int, sampled: bool = False, first: int = FIRST_SEED) -> Score:
    found = score(policy, cell.env.config, episodes, sampled=sampled, split=cell.evaluation.split, first=first)
    if not math.isfinite(found.episode_return):
        raise EvaluationError(f"the mean return is {found.episode_return}")
    return replace(found, episode_return=round(found.episode_return, 4))


def _budget(amount: Amount) -> Budget:
    return Budget(amount.steps, amount.cpu_seconds, amount.episodes)


def _warm_up(config: EnvConfig) -> None:
    """Compile the environment, or load its compiled kernels, so that this does not count as CPU time of training."""
    score(RandomAgent(), config, WARM_UP)
