"""`unseen play`: play an environment with the keyboard."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.train.arguments import LevelArgument
from unseen.train.errors import UsageError

__all__ = ["PlayConfig", "play"]

FASTEST = 1e4  # steps per second


@dataclass(frozen=True)
class PlayConfig(LevelArgument):
    """What to play. The picture does not depend on --obs."""

    env: str
    """name of an environment, such as RolledBehind, or file.py:Class"""
    seed: int = 0
    """seed of the first episode; later episodes use the following seeds"""
    fps: float = 4.0
    """steps per second while actions have no effect"""
    hidden: bool = False
    """also show what the agent cannot see"""
    episodes: int = 0
    """number of episodes; 0: until you quit"""


def play(config: PlayConfig) -> None:
    """Open a window and play until Esc.

    Raises UnknownEnvironment, BadParameter, UsageError, NotPlayable, NoDisplay.
    """
    env_config = config.env_config(config.env, config.level, "train")
    if env_config.entry is None:
        raise UsageError(f"{env_config.id} is a Gymnasium environment: use gymnasium.utils.play")
    if not 0.0 < config.fps <= FASTEST:  # also of a NaN
        raise UsageError(f"fps={config.fps:g}: must be positive, and at most {FASTEST:g}")
    if config.episodes < 0:
        raise UsageError(f"episodes={config.episodes}: must be at least 0")
    if env_config.action == "continuous":
        raise UsageError("keyboard play uses discrete actions: remove --action continuous")
    from unseen.envs.watch import play as keyboard

    options = (config.seed, env_config.split, config.fps, config.hidden, config.episodes, env_config.overrides)
    keyboard.play(keyboard.PlayConfig(env_config.name, env_config.level, *options))
