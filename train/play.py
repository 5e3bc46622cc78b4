"""`unseen play`: an environment under the shared arguments, played with the keyboard."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.train.arguments import LevelArgument
from unseen.train.errors import UsageError

__all__ = ["PlayConfig", "play"]


@dataclass(frozen=True)
class PlayConfig(LevelArgument):
    """What to play. You see the picture, whatever --obs an agent would get."""

    env: str
    """name of the environment, such as RolledBehind, or file.py:Class"""
    seed: int = 0
    """of the first episode; the next ones count on"""
    fps: float = 4.0
    """steps a second while the world moves by itself"""
    hidden: bool = False
    """show what the agent cannot see"""
    episodes: int = 0
    """stop after so many; 0: when you quit"""


def play(config: PlayConfig) -> None:
    """Open a window and play until Esc.

    Raises UnknownEnvironment, BadParameter, UsageError, NotPlayable, NoDisplay.
    """
    env_config = config.env_config(config.env, config.level, "train")
    if env_config.entry is None:
        raise UsageError(f"{env_config.id} is played by Gymnasium's own `gymnasium.utils.play`")
    if env_config.action == "continuous":
        raise UsageError("the keyboard chooses among discrete actions: leave out --action continuous")
    from unseen.envs.watch import play as keyboard

    options = (config.seed, env_config.split, config.fps, config.hidden, config.episodes, env_config.overrides)
    keyboard.play(keyboard.PlayConfig(env_config.name, env_config.level, *options))
