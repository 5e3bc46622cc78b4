"""`unseen watch`: an agent at work, in a window or saved as a film, with what it believes and imagines."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents.errors import BadAgent
from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent, Belief, Imagined
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.train.film import Shot, check_target, save_film

__all__ = ["LINGER", "STEP_SECONDS", "Moment", "WatchConfig", "moments", "pictures", "watch"]

STEP_SECONDS = 0.25
SMOOTH = 4  # pictures a step
LINGER = 1.75  # s that the end of an episode stays
HELP = "space: pause    N: one step    + -: speed    R: next episode    M: mind on / off    Esc: quit"


@dataclass(frozen=True)
class WatchConfig:
    """Whom to watch, where."""

    agent: str
    """name, a trained .onnx file or a run's folder, or file.py:Class"""
    env: str
    """name of the environment, such as RolledBehind"""
    level: int | str | None = None
    """difficulty, or the name of a preset; its default without"""
    seed: int = 0
    """of the first episode; the next ones count on"""
    split: str = "test"
    """train, test or shift"""
    episodes: int = 0
    """how many; 0: one into a film, and in a window until you quit"""
    save: Path | None = None
    """write a film instead of opening a window: .gif, .mp4 or .png"""
    speed: float = 1.0
    """times as fast as life (a step lasts a quarter of a second)"""
    run: int | None = None
    """training seed of the shipped agent; the typical one without"""
    horizon: int = 12
    """steps of imagination that are drawn"""


@dataclass(frozen=True)
class Moment:
    """One step of one episode: a copy of the world, and what the agent has in mind after seeing it."""

    record: np.void
    reward: float
    belief: dict[str, np.ndarray] | None
    imagined: dict[str, np.ndarray] | None
    seed: int
    last: bool


def moments(agent: Agent, env: Any, seed: int, horizon: int) -> Iterator[Moment]:
    """One episode of `agent` in the vector environment `env` of one, from the reset to the end inclusive."""
    obs, _ = env.reset(seed=seed)
    agent.attach(env)
    state = agent.initial_state(np.array([seed], np.uint64))
    reward, over, first = 0.0, False, np.ones(1, bool)
    while True:
        try:
            action, state = agent.act(obs, state, first)
        except Exception as error:
            raise BadAgent(f"{agent.name} raised {type(error).__name__}: {error}") from error
        belief = _believed(agent.belief(state))
        imagined = None if over else _imagined(agent.imagine(state, horizon))
        yield Moment(env.world[0].copy(), reward, belief, imagined, seed, over)
        if over:
            return
        obs, rewards, terminated, truncated, _ = env.step(action)
        reward, over, first = float(rewards[0]), bool(terminated[0] or truncated[0]), np.zeros(1, bool)


def _believed(belief: Belief | None) -> dict[str, np.ndarray] | None:
    """A belief as `unseen.envs.watch.mind` draws it."""
    if belief is None:
        return None
    return {"seen": belief.seen, "xy": belief.xy, "tall_seen": belief.box_seen, "tall_xy": belief.box_xy}


def _imagined(imagined: Imagined | None) -> dict[str, np.ndarray] | None:
    """Likewise for a roll-out."""
    if imagined is None:
        return None
    return {"xy": imagined.xy, "pose": imagined.pose, "continue": imagined.cont}


def watch(config: WatchConfig) -> None:
    """Run the agent and show it, or save it.

    Raises UnknownEnvironment, UnknownAgent, BadCheckpoint, BadParameter, FilmError, NoDisplay.
    """
    entry = suite.resolve(config.env)
    level = entry.default_level if config.level is None else config.level
    if config.save is not None:
        check_target(config.save)
    agent = load_agent(config.agent, entry.name, level, config.run)
    env = envs.make(EnvConfig(entry.name, level, agent.obs, agent.action, config.split), 1).vector
    try:
        if config.save is not None:
            save_film(config.save, film(agent, env, config))
            print(f"wrote {config.save} ({config.save.stat().st_size / 1e6:.2f} MB)")
        else:
            _Window(agent, env, config).run()
    finally:
        env.close()


def _between(before: Moment, after: Moment, part: float) -> tuple[np.void, dict[str, np.ndarray] | None]:
    """The world and the belief `part` of the way to the next moment, so that rings roll with the blocks."""
    from unseen.envs.watch.scene import between

    belief = before.belief
    if belief is not None and after.belief is not None:
        step = after.belief["xy"] - belief["xy"]
        near = np.abs(step).max(-1, keepdims=True) < 1.0
        belief = belief | {"xy": belief["xy"] + part * np.where(near, step, 0.0)}
    return between(before.record, after.record, part), belief


def pictures(told: Iterable[Moment], parts: int) -> Iterator[tuple[Moment, np.void, dict[str, np.ndarray] | None]]:
    """Each moment with the worlds and beliefs to draw it by: `parts` on the way to the next one, and one at the end."""
    before: Moment | None = None
    for moment in told:
        if before is not None:
            for k in range(parts):
                yield before, *_between(before, moment, k / parts)
        before = moment
    if before is not None:
        yield before, before.record, before.belief


def _message(agent: Agent, env: Any, moment: Moment) -> str:
    return f"{agent.name}   level {env.level}   {env.split} seed {moment.seed}"


def film(agent: Agent, env: Any, config: WatchConfig) -> list[Shot]:
    """The pictures of some episodes. Phases are named, so that a contact sheet can choose among them."""
    from unseen.envs.watch.scene import scene_of
    from unseen.envs.watch.view import Viewer

    viewer = Viewer()
    shots: list[Shot] = []
    for seed in range(config.seed, config.seed + max(1, config.episodes)):
        for moment, record, belief in pictures(moments(agent, env, seed, config.horizon), SMOOTH):
            image = viewer.frame(
                record, env.params[0], env.task, moment.reward, belief, moment.imagined, _message(agent, env, moment)
            )
            scene = scene_of(moment.record, env.params[0], env.task)
            shown = LINGER if moment.last else STEP_SECONDS / SMOOTH
            shots.append(Shot(image, shown / config.speed, f"{seed} {scene.phase}"))
    return shots


class _Window:
    """Shows episode after episode; the keyboard pauses, steps and hurries."""

    def __init__(self, agent: Agent, env: Any, config: WatchConfig) -> None:
        from unseen.envs.watch.view import Viewer

        self.agent, self.env, self.config = agent, env, config
        self.viewer = Viewer(keys=HELP)
        self.speed, self.mind = config.speed, True
        self.paused = self.step_once = self.skip = self.quit = False

    def run(self) -> None:
        seed = self.config.seed
        try:
            while not self.quit and (self.config.episodes == 0 or seed < self.config.seed + self.config.episodes):
                self.episode(seed)
                seed += 1
        finally:
            self.viewer.close()

    def episode(self, seed: int) -> None:
        self.skip = False
        before: Moment | None = None
        for moment in moments(self.agent, self.env, seed, self.config.horizon):
            if before is not None:
                for k in range(1, SMOOTH):
                    self.draw(before, *_between(before, moment, k / SMOOTH))
                    self.wait(STEP_SECONDS / SMOOTH)
            self.draw(moment, moment.record, moment.belief)
            self.wait(LINGER if moment.last else STEP_SECONDS / SMOOTH)
            self.hold(moment)
            if self.quit or self.skip:
                return
            before = moment

    def draw(self, moment: Moment, record: np.void, belief: dict[str, np.ndarray] | None) -> None:
        belief, imagined = (belief, moment.imagined) if self.mind else (None, None)
        message = _message(self.agent, self.env, moment) + ("   paused" if self.paused else "")
        self.viewer.show(
            self.viewer.frame(record, self.env.params[0], self.env.task, moment.reward, belief, imagined, message)
        )

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds / self.speed
        self.listen()
        while not (self.quit or self.skip) and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
            self.listen()

    def hold(self, moment: Moment) -> None:
        """Stay at this moment while paused."""
        self.step_once = False
        while self.paused and not (self.quit or self.skip or self.step_once):
            self.draw(moment, moment.record, moment.belief)
            time.sleep(0.03)
            self.listen()

    def listen(self) -> None:
        import pygame

        for event in pygame.event.get():
            if event.type == pygame.QUIT:
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
            self.mind = not self.mind
        elif key in (pygame.K_PLUS, pygame.K_EQUALS, pygame.K_KP_PLUS, pygame.K_UP):
            self.speed = min(self.speed * 1.5, 32.0)
        elif key in (pygame.K_MINUS, pygame.K_KP_MINUS, pygame.K_DOWN):
            self.speed = max(self.speed / 1.5, 0.1)
