"""Keyboard play: keys, turns, and environments that cannot be played."""

import numpy as np
import pygame
import pytest

from unseen.envs import suite
from unseen.envs.core.task import Score
from unseen.envs.planar.task import ARC_KEYS, PlanarTask
from unseen.envs.watch.play import ARROWS, COMMANDS, NotPlayable, PlayConfig, help_line, keys_to_action, play


def pressed(*keys: int) -> list[pygame.event.Event]:
    return [pygame.event.Event(pygame.KEYDOWN, key=key) for key in keys]


@pytest.mark.parametrize("name", suite.SUITE)
def test_no_action_has_a_key_that_the_window_takes(name: str) -> None:
    task = suite.SUITE[name].task
    assert set(task.keys) <= set(task.actions) and len(set(task.keys.values())) == len(task.keys)
    assert not set(task.keys.values()) & set(COMMANDS)
    line = help_line(task)
    assert all(f"{key.upper()}: {action}" in line for action, key in task.keys.items() if action not in ARROWS)


@pytest.mark.parametrize("name", suite.SUITE)
def test_keys_to_action_covers_the_actions(name: str) -> None:
    env = suite.make(name)
    if not env.task.keys:
        pytest.skip("this environment cannot be played by keyboard")
    keys = env.get_keys_to_action()
    assert keys == keys_to_action(env.task)
    assert set(keys.values()) == set(range(len(env.task.actions)))
    assert all(isinstance(key, int) for combo in keys for key in combo)


def test_up_and_left_together_turn_left() -> None:
    task = suite.resolve("RolledBehind").task
    keys, names = keys_to_action(task), list(task.actions)
    assert keys[tuple(sorted((pygame.K_UP, pygame.K_LEFT)))] == names.index("left")
    assert keys[(pygame.K_UP,)] == names.index("forward")


def test_a_game_is_played_by_keys_and_quits() -> None:
    """The world runs until the player can act, then waits for keys."""
    calls = 0

    def events() -> list[pygame.event.Event]:
        nonlocal calls
        calls += 1
        if calls == 3:
            return pressed(pygame.K_h, pygame.K_PLUS)
        return pressed(pygame.K_UP) if calls > 4 else []

    play(PlayConfig("RolledBehind", level=1, fps=1e4, episodes=1), events)
    assert calls > 8 and not pygame.display.get_init()
    play(PlayConfig("RolledBehind", fps=1e4), lambda: [pygame.event.Event(pygame.QUIT)])


@pytest.mark.parametrize("key", ["q", "space", "", "w"])
def test_a_key_that_cannot_be_used_is_refused(key: str) -> None:
    task = type("Odd", (PlanarTask,), {"keys": ARC_KEYS | {"stay": key}})
    with pytest.raises(NotPlayable, match=f"Odd: key '{key}' of 'stay'|Odd: key 'w' of 'forward'"):
        keys_to_action(task)


def test_the_help_names_only_the_keys_there_are() -> None:
    machine = type("Machine", (PlanarTask,), {"actions": {"open": (1.0, 0.0)}, "keys": {"open": "o"}})
    assert help_line(machine).split("    ")[:2] == ["O: open", "R: restart"]
    assert help_line(PlanarTask).split("    ")[:3] == ["arrows or wad: move", "space: stay", "R: restart"]


def test_the_score_of_several_games_is_what_the_task_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def frame(self: object, record: object, params: object, task: object, **kwargs: str) -> object:
        shown.append(kwargs["message"])
        return np.zeros((600, 960, 3), np.uint8)

    monkeypatch.setattr("unseen.envs.watch.room.RoomPainter.frame", frame)
    config = PlayConfig("RolledBehind", level=1, fps=1e4, episodes=1)
    play(config, lambda: pressed(pygame.K_UP))
    assert shown[-1].split()[1:3] == ["of", "1"]
    monkeypatch.setattr(suite.resolve("RolledBehind").task, "score", Score("litres", 0.0, None))
    play(config, lambda: pressed(pygame.K_UP))
    assert shown[-1].startswith("mean return")
