"""`unseen watch`: show an agent, with its map and its imagined roll-outs, in a window or as a film."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent, Belief, Imagined
from unseen.envs.core.lazy import load
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.arguments import LevelArgument, OptionalInt, OptionalPath
from unseen.train.errors import EvaluationError
from unseen.train.film import SHEET, Shot, check_target, on_sheet, save_film
from unseen.train.progress import Progress
from unseen.train.rollout import Rollout, make_env_for

if TYPE_CHECKING:
    from unseen.envs.watch.painter import Painter

__all__ = [
    "END_SECONDS",
    "STEP_SECONDS",
    "WatchConfig",
    "WatchedStep",
    "interpolate",
    "load_agent_and_env",
    "watch",
    "watched_steps",
]

STEP_SECONDS = 0.25
FRAMES_PER_STEP = 4  # frames per step
END_SECONDS = 1.75  # s, duration of the final frame of an episode
SLOWEST, FASTEST = 1e-3, 1e4  # of --speed
MAX_JUMP = 1.0  # m: larger changes of a believed position are not interpolated
HELP = "space: pause    N: one step    + -: speed    R: next episode    M: map on / off    Esc: quit"


@dataclass(frozen=True)
class WatchConfig(LevelArgument):
    """Which agent to watch, and in which environment."""

    agent: str
    """name of an agent, .onnx file, folder of a training run, or file.py:Class"""
    env: str
    """name of an environment, such as RolledBehind, or file.py:Class"""
    seed: int = 0
    """seed of the first episode; later episodes use the following seeds"""
    episodes: int = 0
    """number of episodes; 0: one in a film, and in a window until you quit"""
    save: OptionalPath = None
    """save a film (.gif, .mp4, or .png for a contact sheet) instead of opening a window"""
    speed: float = 1.0
    """playback speed; at 1 a step takes a quarter of a second"""
    run: OptionalInt = None
    """training seed of the included agent; by default the run with the median return"""
    horizon: int = 12
    """length of the imagined roll-outs that are drawn, in decisions of the agent"""


@dataclass(frozen=True)
class WatchedStep:
    """One step of an episode: a copy of the state, and the agent's belief after observing it."""

    record: np.void
    reward: float
    """of the previous step"""
    belief: Belief | None
    imagined: Imagined | None
    seed: int
    last: bool


def watched_steps(agent: Agent, env: TaskVectorEnv, seed: int, horizon: int) -> Iterator[WatchedStep]:
    """Run one episode of `agent` in a vector environment of size 1, including the final observation.

    Raises AgentFailed if the agent raises or returns an invalid action.
    """
    for current in Rollout(agent, env, [seed], observe_final=True, fail_fast=True):
        last = not current.live[0]
        imagined = None if last else agent.imagine(current.state, horizon)
        belief = agent.belief(current.state)
        yield WatchedStep(env.world[0].copy(), current.reward.item(0), belief, imagined, seed, last)


def watch(config: WatchConfig) -> None:
    """Run the agent and show or save the episodes.

    Raises UnknownEnvironment, UnknownAgent, BadCheckpoint, BadParameter, EvaluationError, FilmError, NoDisplay.
    """
    if not SLOWEST <= config.speed <= FASTEST:  # also of a NaN
        raise EvaluationError(f"speed={config.speed:g}: must be in {SLOWEST:g}..{FASTEST:g}")
    for name, least in (("seed", 0), ("episodes", 0), ("horizon", 1)):
        if getattr(config, name) < least:
            raise EvaluationError(f"{name}={getattr(config, name)}: must be at least {least}")
    if config.save is not None:
        check_target(config.save)
    agent, env = load_agent_and_env(config, config.agent, config.env, config.level, config.run)
    try:
        if config.save is None:
            _Window(agent, env, config).run()
        else:
            save_film(config.save, film(agent, env, config))
            print(f"wrote {config.save} ({config.save.stat().st_size / 1e6:.2f} MB)")
    finally:
        env.close()


def load_agent_and_env(
    given: LevelArgument, agent: str, env: str, level: int | str | None, run: int | None = None
) -> tuple[Agent, TaskVectorEnv]:
    """Load the agent, and make a vector environment of size 1 for it. Raises as `watch`."""
    env_config = given.env_config(env, level, "test")
    if env_config.entry is None:
        raise EvaluationError(f"{env_config.id} cannot be watched: Gymnasium environments have no view")
    made = load_agent(agent, env_config.name, env_config.level, run, env_config.overrides)
    vector = make_env_for(made, env_config, 1)
    assert isinstance(vector, TaskVectorEnv)
    return made, vector


def painter_of(env: TaskVectorEnv, *size: int, keys: str = "") -> Painter:
    """The painter of an environment."""
    return load(env.task.view.painter)(*size, keys=keys)


def interpolated(
    painter: Painter, before: WatchedStep, after: WatchedStep, part: float
) -> tuple[np.void, Belief | None]:
    """State and belief, interpolated by the fraction `part` between two steps."""
    record, belief = painter.between(before.record, after.record, part), before.belief
    if belief is None or after.belief is None:
        return record, belief
    step = after.belief.xy - belief.xy
    near = np.abs(step).max(-1, keepdims=True) < MAX_JUMP
    return record, replace(belief, xy=belief.xy + part * np.where(near, step, 0.0))


def interpolate(
    steps: Iterable[WatchedStep], painter: Painter, parts: int
) -> Iterator[tuple[WatchedStep, np.void, Belief | None]]:
    """For each step, `parts` interpolated states and beliefs up to the next one; the last step has one."""
    before: WatchedStep | None = None
    for current in steps:
        if before is not None:
            for k in range(parts):
                yield before, *interpolated(painter, before, current, k / parts)
        before = current
    if before is not None:
        yield before, before.record, before.belief


def _message(agent: Agent, env: TaskVectorEnv, current: WatchedStep) -> str:
    return f"{agent.name}   level {env.level}   {env.split} seed {current.seed}"


def film(agent: Agent, env: TaskVectorEnv, config: WatchConfig) -> list[Shot]:
    """Frames of the requested episodes; for a contact sheet, only those that it shows."""
    painter = painter_of(env)
    frames: list[tuple[WatchedStep, np.void, Belief | None]] = []
    seeds = range(config.seed, config.seed + max(1, config.episodes))
    with Progress({"episodes": len(seeds)}) as progress:
        for seed in seeds:
            frames += interpolate(watched_steps(agent, env, seed, config.horizon), painter, FRAMES_PER_STEP)
            progress.advance("episodes")
    drawn: Sequence[int] = range(len(frames))
    if config.save is not None and config.save.suffix.lower() == SHEET:
        drawn = on_sheet([f"{current.seed} {env.task.view.chapter(current.record)}" for current, *_ in frames])
    shots: list[Shot] = []
    for k, (current, record, belief) in enumerate(frames):
        if k not in drawn:
            painter.remember(record, env.params, env.task)
            continue
        thoughts, message = (belief, current.imagined), _message(agent, env, current)
        image = painter.frame(record, env.params, env.task, current.reward, *thoughts, message)
        shots.append(Shot(image, (END_SECONDS if current.last else STEP_SECONDS / FRAMES_PER_STEP) / config.speed))
    return shots


class _Window:
    """Plays episodes in a window, with keys to pause, step and change the speed."""

    def __init__(self, agent: Agent, env: TaskVectorEnv, config: WatchConfig) -> None:
        self.agent, self.env, self.config = agent, env, config
        self.painter = painter_of(env, keys=HELP)
        self.speed, self.show_map = config.speed, True
        self.paused = self.step_once = self.skip = self.quit = False

    def run(self) -> None:
        seed = self.config.seed
        try:
            while not self.quit and (self.config.episodes == 0 or seed < self.config.seed + self.config.episodes):
                self.episode(seed)
                seed += 1
        finally:
            self.painter.close()

    def episode(self, seed: int) -> None:
        self.skip = False
        before: WatchedStep | None = None
        for current in watched_steps(self.agent, self.env, seed, self.config.horizon):
            if before is not None:
                for k in range(1, FRAMES_PER_STEP):
                    self.draw(before, *interpolated(self.painter, before, current, k / FRAMES_PER_STEP))
                    self.wait(STEP_SECONDS / FRAMES_PER_STEP)
            self.draw(current, current.record, current.belief)
            self.wait(END_SECONDS if current.last else STEP_SECONDS / FRAMES_PER_STEP)
            self.hold(current)
            if self.quit or self.skip:
                return
            before = current

    def draw(self, current: WatchedStep, record: np.void, belief: Belief | None) -> None:
        shown = (belief, current.imagined) if self.show_map else (None, None)
        message = _message(self.agent, self.env, current) + ("   paused" if self.paused else "")
        frame = self.painter.frame(record, self.env.params, self.env.task, current.reward, *shown, message)
        self.painter.show(frame)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds / self.speed
        self.listen()
        while not (self.quit or self.skip) and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
            self.listen()

    def hold(self, current: WatchedStep) -> None:
        """Stay at this step while paused."""
        self.step_once = False
        while self.paused and not (self.quit or self.skip or self.step_once):
            self.draw(current, current.record, current.belief)
            time.sleep(0.03)
            self.listen()

    def listen(self) -> None:
        import pygame

        for event in pygame.event.get():
            if self.painter.is_closed_by(event):
                self.quit = True
            elif event.type == pygame.KEYDOWN:
                self.command(event.key)

    def command(self, key: int) -> None:
        import pygame

        if key in (pygame.K_ESCAPE, pygame.K_q):
            self.quit = True
        elif key in (pygame.K_SPACE, pygame.K_p):
            self.paused = not self.paused
        elif key in (pygame.K_n, pygame.K_RIGHT):
            self.paused = self.step_once = True
        elif key == pygame.K_r:
            self.skip = True
        elif key == pygame.K_m:
            self.show_map = not self.show_map
        elif key in (pygame.K_PLUS, pygame.K_EQUALS, pygame.K_KP_PLUS, pygame.K_UP):
            self.speed = min(self.speed * 1.5, 32.0)
        elif key in (pygame.K_MINUS, pygame.K_KP_MINUS, pygame.K_DOWN):
            self.speed = max(self.speed / 1.5, 0.1)
