"""Adapt any Gymnasium environment to flat or image observations, and Discrete (starting at 0) or bounded 1-D Box actions."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import DtypeObservation, FilterObservation, FlattenObservation, TransformAction

from unseen.agents.errors import BadAgent
from unseen.envs.errors import UnknownEnvironment

SMALL_IMAGE = 32  # pixels: smaller uint8 arrays are treated as tables of codes, such as MiniGrid's views


def adapt(env: gym.Env, name: str) -> gym.Env:
    """Wrap an environment so that it has such observations and actions. Raises BadAgent.

    Keys of a Dict observation that are not numeric are dropped.
    """
    space = env.observation_space
    ignored = non_numeric_keys(space)
    if ignored and isinstance(space, spaces.Dict):
        env = FilterObservation(env, [key for key in space.spaces if key not in ignored])
    if not is_image(env.observation_space):
        if not _flattens(env.observation_space):
            raise BadAgent(
                f"{name}: observation space {env.observation_space} is not supported: it cannot be flattened to a fixed size"
            )
        env = DtypeObservation(FlattenObservation(env), np.float32)
    actions = env.action_space
    if isinstance(actions, spaces.Discrete):
        return TransformAction(env, partial(_shifted, start=actions.start), spaces.Discrete(int(actions.n)))
    if isinstance(actions, spaces.Box) and len(actions.shape) == 1 and actions.is_bounded():
        return env
    raise BadAgent(f"{name}: action space {actions} is not supported; supported are Discrete and bounded 1-D Box")


def _shifted(action: Any, start: Any) -> Any:
    return action + start


def non_numeric_keys(space: spaces.Space) -> tuple[str, ...]:
    """Keys of a Dict space that cannot be flattened to numbers, such as a mission text."""
    if not isinstance(space, spaces.Dict):
        return ()
    return tuple(key for key, part in space.spaces.items() if not _flattens(part))


def _flattens(space: spaces.Space) -> bool:
    """Whether a space flattens to a fixed number of numeric values. Text does not count."""
    if isinstance(space, spaces.Text):
        return False
    try:
        return isinstance(spaces.flatten_space(space), spaces.Box)
    except NotImplementedError:  # a custom space
        return False


def is_image(space: spaces.Space) -> bool:
    """Whether observations are images (height, width, channels)."""
    return (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and min(space.shape[:2]) >= SMALL_IMAGE
    )


def require_id(name: str, unknown: UnknownEnvironment) -> None:
    """Raise UnknownEnvironment unless Gymnasium has registered this id."""
    if ".py:" in name:  # a task file: the original error says what is wrong with it
        raise unknown
    package, _, plain = name.rpartition(":")
    if package:
        try:
            importlib.import_module(package)
        except (ImportError, TypeError, ValueError) as error:
            raise UnknownEnvironment(f"{name}: {package} could not be imported: {error}") from error
    if plain not in gym.registry:
        hint = "" if package else " (for an id of another package, give package:id)"
        raise UnknownEnvironment(f"{unknown} Gymnasium has no id {plain!r} either{hint}") from unknown
