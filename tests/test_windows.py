"""Windows are independent: closing, copying or dropping one leaves the others and pygame's video system working."""

import copy
import gc
import os
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pygame
import pytest

from unseen.envs import suite
from unseen.envs.watch.painter import Painter
from unseen.envs.watch.room import RoomPainter
from unseen.envs.watch.window import NoDisplay, Window

BLACK = np.zeros((60, 80, 3), np.uint8)


def test_two_windows_live_apart() -> None:
    one, two = Window(), Window()
    one.show(BLACK)
    two.show(BLACK)
    one.close()
    one.close()
    two.show(BLACK)
    one.show(BLACK)
    two.close()
    one.show(BLACK)
    assert pygame.display.get_init()
    one.close()
    assert not pygame.display.get_init(), "the last one stops the video system"


def test_a_copy_begins_without_a_window() -> None:
    window = Window()
    window.show(BLACK)
    for twin in (copy.copy(window), copy.deepcopy(window), pickle.loads(pickle.dumps(window))):
        twin.close()
        twin.show(BLACK)
        twin.close()
        window.show(BLACK)
    window.close()
    assert not pygame.display.get_init()


def test_a_forgotten_window_closes_itself_alone() -> None:
    kept, forgotten = Window(), Window()
    kept.show(BLACK)
    forgotten.show(BLACK)
    del forgotten
    gc.collect()
    kept.show(BLACK)
    assert pygame.display.get_init()
    del kept
    gc.collect()
    assert not pygame.display.get_init()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_window_survives_a_foreign_quit(restarted: bool) -> None:
    """gymnasium.utils.play ends with pygame.quit."""
    one, two = Window(), Window()
    one.show(BLACK)
    two.show(BLACK)
    pygame.quit()
    if restarted:
        pygame.display.init()
    one.show(BLACK)
    two.close()
    one.show(BLACK)
    one.close()
    pygame.display.quit()


def test_a_foreign_display_is_left_open() -> None:
    """For example that of another library's environment, opened before or after ours."""
    window = Window()
    pygame.display.init()
    window.show(BLACK)
    window.close()
    assert pygame.display.get_init()
    pygame.display.quit()
    window.show(BLACK)
    foreign = pygame.display.set_mode((80, 60))
    window.close()
    assert pygame.display.get_init() and pygame.display.get_surface() is foreign
    pygame.display.quit()


def test_a_window_is_closed_by_its_own_cross_and_by_no_other() -> None:
    one, two = RoomPainter(80, 60), RoomPainter(80, 60)
    one.show(BLACK)
    two.show(BLACK)
    pygame.event.clear()
    pygame.event.post(pygame.event.Event(pygame.WINDOWCLOSE, window=one._window._window))
    event = pygame.event.get(pygame.WINDOWCLOSE)[0]
    assert one.is_closed_by(event) and not two.is_closed_by(event)
    assert two.is_closed_by(pygame.event.Event(pygame.QUIT))
    one.close()
    two.close()


def test_no_screen_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "there-is-no-such-driver")
    with pytest.raises(NoDisplay, match="no window"):
        Window().show(BLACK)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_an_invisible_window_is_no_window() -> None:
    """SDL falls back to a driver without a display, whose window could never be closed."""
    code = "from unseen.envs.watch.window import Window as W; import numpy as n; W().show(n.zeros((60, 80, 3), 'u1'))"
    env = {k: v for k, v in os.environ.items() if k not in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode != 0 and "NoDisplay" in done.stderr


# --- environments -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", suite.SUITE)
def test_every_environment_renders_and_stays_picklable(name: str) -> None:
    env = suite.make(name, render_mode="rgb_array")
    env.reset(seed=1)
    first = env.render()
    assert first is not None and first.shape == (600, 960, 3)
    twin, clone = copy.deepcopy(env), pickle.loads(pickle.dumps(env))
    assert np.array_equal(twin.render(), first) and np.array_equal(clone.render(), first)
    env.close()
    env.close()


def test_two_human_environments_live_apart() -> None:
    """As a task's view names the painter, so that each environment has one of its own."""
    one, two = (suite.make("RolledBehind", render_mode="human") for _ in range(2))
    one.reset(seed=1)
    two.reset(seed=2)
    twin = copy.deepcopy(one)
    twin.step(0)
    twin.close()
    one.step(0)
    one.close()
    two.step(0)
    one.reset(seed=3)
    del one, twin
    gc.collect()
    two.step(0)
    assert two.render() is None and pygame.display.get_init()
    two.close()
    two.close()
    assert not pygame.display.get_init()


def test_frames_can_be_collected() -> None:
    """Gymnasium's own wrapper for "rgb_array_list" keeps the frames: each is an array of its own."""
    env = gym.wrappers.RenderCollection(suite.make("RolledBehind", render_mode="rgb_array"))
    env.reset(seed=1)
    for _ in range(12):
        env.step(0)
    frames = env.render()
    assert env.render_mode == "rgb_array_list" and len(frames) == 13
    assert not any(np.shares_memory(a, b) for a, b in zip(frames, frames[1:], strict=False))
    assert all(not np.array_equal(a, b) for a, b in zip(frames, frames[1:], strict=False)), "the timeline moves on"
    assert env.render() == []
    env.close()


def test_frames_of_a_vector_environment_are_its_environments() -> None:
    env = suite.make_vec("RolledBehind", 2, render_mode="rgb_array")
    env.reset(seed=[5, 6])
    one, two = env.render()
    alone = suite.make("RolledBehind", render_mode="rgb_array")
    for seed, frame in ((5, one), (6, two)):
        alone.reset(seed=seed)
        assert np.array_equal(alone.render(), frame)
    env.close()
    alone.close()


def test_fonts_survive_a_foreign_quit() -> None:
    env = suite.make("RolledBehind", render_mode="rgb_array")
    env.reset(seed=1)
    frame = env.render()
    pygame.quit()
    assert np.array_equal(env.render(), frame)


def test_a_painter_must_draw_both_pictures() -> None:
    assert Painter.__abstractmethods__ == {"frame", "card"}


def test_importing_the_suite_loads_no_pygame() -> None:
    code = "import sys, unseen, unseen.envs.suite; assert 'pygame' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
