"""Play an environment with the keyboard. What the agent cannot see is not shown, so you have to remember it too.

The environment waits for a key, except while actions have no effect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pygame

from unseen.envs import suite
from unseen.envs.core.env import TaskEnv
from unseen.envs.core.lazy import load
from unseen.envs.core.task import Task
from unseen.envs.errors import UnseenError
from unseen.envs.watch.painter import Painter

ARROWS = {
    "forward": pygame.K_UP, "left": pygame.K_LEFT, "right": pygame.K_RIGHT, "stay": pygame.K_SPACE,
    "north": pygame.K_UP, "west": pygame.K_LEFT, "south": pygame.K_DOWN, "east": pygame.K_RIGHT,
}  # fmt: skip
COMMANDS = "qrhpn"  # letters reserved for commands of the window
SMOOTH = 5  # frames per step


class NotPlayable(UnseenError, ValueError):
    """The task has no keys, or an invalid one."""


@dataclass(frozen=True)
class PlayConfig:
    """What to play."""

    env: str
    """name of the environment, such as RolledBehind"""
    level: int | str | None = None
    """difficulty level, where 0 hides nothing, or the name of a preset"""
    seed: int = 0
    """seed of the first episode; it increases by 1 with each episode"""
    split: str = "train"
    """train, test or shift"""
    fps: float = 4.0
    """steps per second"""
    hidden: bool = False
    """show what the agent cannot see"""
    episodes: int = 0
    """stop after this many episodes; 0: play until you quit"""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """parameters of the environment that replace those of the level"""


def keys_to_action(task: type[Task]) -> dict[tuple[int, ...], int]:
    """Key combinations for `gymnasium.utils.play`: the characters in `task.keys`, and arrow keys for movement.

    The left and right arrow keys steer with or without "up". `gymnasium.utils.play` does not wait for a key, so pass
    `noop=list(task.actions).index("stay")`.

    Raises:
        NotPlayable: the task has no keys, or one that is not a single character, is used twice or is reserved.
    """
    if not task.keys:
        raise NotPlayable(f"{task.__name__} has no keys: it cannot be played by keyboard")
    letters = list(task.keys.values())
    for action, key in task.keys.items():
        if len(key) != 1 or key in COMMANDS or letters.count(key) > 1:
            raise NotPlayable(
                f"{task.__name__}: key {key!r} of {action!r}: must be a single character, unique among the actions, "
                f"and none of {', '.join(COMMANDS)}"
            )
    names = list(task.actions)
    keys: dict[tuple[int, ...], int] = {}
    for index, name in enumerate(names):
        if name in ARROWS:
            keys[(ARROWS[name],)] = index
        if name in task.keys:
            keys[(ord(task.keys[name]),)] = index
    for side in ("left", "right"):
        if side in names and "forward" in names:
            keys[tuple(sorted((ARROWS[side], ARROWS["forward"])))] = names.index(side)
            if side in task.keys and "forward" in task.keys:
                keys[tuple(sorted((ord(task.keys[side]), ord(task.keys["forward"]))))] = names.index(side)
    return keys


def help_line(task: type[Task]) -> str:
    """A line about the keys, for the bottom of the window."""
    ways = "".join(task.keys[name] for name in ARROWS if name != "stay" and name in task.keys)
    own = [f"{task.keys[name].upper()}: {name}" for name in task.actions if name not in ARROWS and name in task.keys]
    parts = [f"arrows or {ways}: move"] if ways else []
    parts += ["space: stay"] if "stay" in task.actions else []
    return "    ".join([*parts, *own, "R: restart", "H: show hidden", "P: pause", "+ -: speed", "Esc: quit"])


def play(config: PlayConfig, events: Callable[[], list[pygame.event.Event]] | None = None) -> None:
    """Open a window and play until Esc. `events` replaces the keyboard in tests.

    Raises UnknownEnvironment, BadParameter, NotPlayable, NoDisplay.
    """
    task = suite.resolve(config.env).task
    keys = keys_to_action(task)
    env = suite.make(config.env, level=config.level, split=config.split, action="discrete", **config.overrides)
    painter = load(task.view.painter)(hidden=config.hidden, keys=help_line(task))
    try:
        _Game(env, painter, keys, config, events or pygame.event.get).run()
    finally:
        painter.close()
        env.close()


class _Game:
    """A session: episodes, score, speed and pause."""

    def __init__(
        self, env: TaskEnv, painter: Painter, keys: dict[tuple[int, ...], int], config: PlayConfig,
        events: Callable[[], list[pygame.event.Event]],
    ) -> None:  # fmt: skip
        self.env, self.painter, self.keys, self.config, self.events = env, painter, keys, config, events
        names = list(env.task.actions)
        self.idle = names.index("stay") if "stay" in names else 0  # the action while actions have no effect
        self.clock = pygame.time.Clock()
        self.speed = config.fps
        self.seed = config.seed
        self.played, self.score = 0, 0.0
        self.paused = self.quit = False
        self.step_once = self.again = False
        self.down: set[int] = set()

    def run(self) -> None:
        while not self.quit:
            self.episode()
            self.seed += 1

    def episode(self) -> None:
        self.env.reset(seed=self.seed)
        reward, total, done, self.again = 0.0, 0.0, False, False
        self.draw(self.env.world[0], 0.0)
        while not (self.quit or self.again):
            before = self.env.world[0].copy()
            pressed = self.listen()
            if self.quit or self.again:
                break
            action = self.chosen(pressed) if self.env.task.view.can_act(before) else self.idle
            if done or action is None or (self.paused and not self.step_once):
                self.draw(before, reward)
                self.clock.tick(30)
                continue
            self.step_once = False
            _, reward, terminated, truncated, _ = self.env.step(action)
            total += reward
            for k in range(1, SMOOTH):
                self.draw(self.painter.between(before, self.env.world[0], k / SMOOTH), 0.0)
                self.clock.tick(self.speed * SMOOTH)
            if terminated or truncated:
                done = True
                self.played += 1
                self.score += total
                if self.played == self.config.episodes:
                    self.quit = True
            self.draw(self.env.world[0], reward)
            self.clock.tick(self.speed * SMOOTH)

    def chosen(self, pressed: set[int]) -> int | None:
        """The action for the keys that are down or were tapped since the last step; None if there is none."""
        keys = self.down | pressed
        combos = [combo for combo in self.keys if keys.issuperset(combo)]
        return self.keys[max(combos, key=len)] if combos else None

    def listen(self) -> set[int]:
        """Read the keyboard. Returns the keys pressed since the last call."""
        pressed: set[int] = set()
        for event in self.events():
            if self.painter.is_closed_by(event):
                self.quit = True
            elif event.type == pygame.KEYUP:
                self.down.discard(event.key)
            elif event.type == pygame.KEYDOWN:
                pressed.add(event.key)
                self.down.add(event.key)
                self.command(event.key)
        return pressed

    def command(self, key: int) -> None:
        if key in (pygame.K_ESCAPE, pygame.K_q):
            self.quit = True
        elif key in (pygame.K_r, pygame.K_RETURN):
            self.again = True
        elif key == pygame.K_h:
            self.painter.hidden = not self.painter.hidden
        elif key == pygame.K_p:
            self.paused = not self.paused
        elif key == pygame.K_n:
            self.paused = self.step_once = True
        elif key in (pygame.K_PLUS, pygame.K_EQUALS, pygame.K_KP_PLUS):
            self.speed = min(self.speed * 1.5, 60.0)
        elif key in (pygame.K_MINUS, pygame.K_KP_MINUS):
            self.speed = max(self.speed / 1.5, 0.5)

    def scored(self) -> str:
        """The number of episodes won, or the mean return if returns are not 0 or 1."""
        if self.env.task.score.high == 1.0:
            return f"{self.score:g} of {self.played}"
        return f"mean return {self.score / self.played:.4g}"

    def draw(self, record: Any, reward: float) -> None:
        scored = self.scored() if self.played else self.env.task.__name__
        message = f"level {self.env.level}   seed {self.seed}   {scored}"
        if record["done"]:
            message = f"{scored}   R: play again"
        elif self.paused:
            message = "paused   P: continue   N: single step"
        frame = self.painter.frame(record, self.env.params, self.env.task, reward=reward, message=message)
        self.painter.show(frame)
