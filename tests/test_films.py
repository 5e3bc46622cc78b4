"""Watching agents: steps of an episode, windows, films in all formats, the gallery, and errors."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
from PIL import Image

from unseen.agents.errors import UnknownAgent
from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.envs.planar.world import REVEAL
from unseen.envs.watch.painter import Painter
from unseen.envs.watch.room import RoomPainter
from unseen.envs.watch.section import SectionPainter
from unseen.train.cli import main
from unseen.train.errors import AgentFailed
from unseen.train.film import FilmError, Shot, check_target, on_sheet, save_film
from unseen.train.gallery import BYTES, GalleryConfig, gallery
from unseen.train.rollout import make_env_for, rollout
from unseen.train.watch import WatchConfig, film, interpolate, load_agent_and_env, painter_of, watch, watched_steps

EXAMPLES = Path(__file__).parents[1] / "examples"
MONITOR = f"{EXAMPLES / 'blind_monitor.py'}:BlindMonitor"


# --- an episode ---


def test_instants_run_from_the_reset_to_the_end() -> None:
    env = suite.make_vec("RolledBehind", 1, level=1, split="test")
    steps = list(watched_steps(load_agent("tracker", "RolledBehind", 1), env, seed=5, horizon=3))
    assert [int(m.record["t"]) for m in steps] == list(range(len(steps)))
    assert [m.last for m in steps] == [False] * (len(steps) - 1) + [True]
    assert sum(m.reward for m in steps) == 1.0 and int(steps[-1].record["light"]) == REVEAL
    assert all(m.belief is not None and m.belief.xy.shape == (1, 3, 2) for m in steps)


@pytest.mark.parametrize("name", ["dreamer", "random"])
def test_what_is_watched_is_what_is_scored(name: str) -> None:
    """The same seed, alone and looked into at every step, or among others: the same episode."""
    agent, where = load_agent(name, "RolledBehind", 1), EnvConfig("RolledBehind", 1, split="test")
    outcomes = rollout(agent, make_env_for(agent, where, 12), range(12))
    for seed in (0, 7):
        env = make_env_for(agent, where, 1)
        steps = list(watched_steps(agent, env, seed, horizon=5))  # type: ignore[arg-type]
        assert len(steps) == outcomes[seed].length + 1
        assert sum(m.reward for m in steps) == outcomes[seed].episode_return
        assert [m.imagined is not None for m in steps] == [name == "dreamer" and not m.last for m in steps]


class Broken(Agent):
    name = "broken"

    def initial_state(self, seeds: np.ndarray) -> None:
        return None

    def act(self, *args: object, **kwargs: object) -> Any:
        raise KeyError("x")


def test_an_agent_that_raises_is_named() -> None:
    env = suite.make_vec("RolledBehind", 1)
    with pytest.raises(AgentFailed, match="'broken' at step 0: raised KeyError"):
        next(watched_steps(Broken(), env, 0, 3))


def test_a_step_is_drawn_in_parts_and_beliefs_move_along() -> None:
    env = suite.make_vec("RolledBehind", 1, level=1, split="test")
    steps = list(watched_steps(load_agent("tracker", "RolledBehind", 1), env, seed=5, horizon=3))
    shown = list(interpolate(steps, painter_of(env), 4))
    assert len(shown) == 4 * (len(steps) - 1) + 1
    (first, record, belief), (_, _, later) = shown[0], shown[2]
    assert first is steps[0] and np.array_equal(record["disc_x"], steps[0].record["disc_x"])
    assert belief is not None and later is not None and steps[0].belief is not None and steps[1].belief is not None
    step = steps[1].belief.xy - steps[0].belief.xy
    near = np.abs(step).max(-1) < 1.0
    assert near.any() and np.allclose((later.xy - belief.xy)[near], 0.5 * step[near])


# --- films and windows ---


def test_films_of_all_formats(tmp_path: Path) -> None:
    for name in ("film.gif", "film.mp4", "film.png"):
        if name.endswith("mp4"):
            pytest.importorskip("av")
        target = tmp_path / "new folder" / name
        watch(WatchConfig("tracker", "RolledBehind", level=1, seed=2, save=target))
        assert 10_000 < target.stat().st_size < 2_000_000
        if name.endswith("mp4"):
            import av

            with av.open(str(target)) as container:
                stream = container.streams.video[0]
                assert (stream.width, stream.height, stream.pix_fmt) == (960, 600, "yuv420p")
        else:
            with Image.open(target) as image:
                assert image.size == ((960, 600) if name.endswith("gif") else (1920, 1200))
                assert getattr(image, "n_frames", 1) > 10 or name.endswith("png")
    assert sorted(p.name for p in (tmp_path / "new folder").iterdir()) == sorted(
        {"film.gif", "film.png"} | {p.name for p in (tmp_path / "new folder").glob("*.mp4")}
    )


def test_an_environment_without_a_room_under_the_shared_arguments(tmp_path: Path) -> None:
    words = ["watch", "oracle", MONITOR, "--level", "1", "--env", "lead=8", "--split", "shift", "--episodes", "2"]
    run = subprocess.run(
        [sys.executable, "-m", "unseen", *words, "--save", tmp_path / "dose.png"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert "dose.png" in run.stdout and "episodes 2/2" in run.stderr
    with Image.open(tmp_path / "dose.png") as image:
        assert image.width in (960, 1920)


def test_a_window_shows_an_episode() -> None:
    watch(WatchConfig("oracle", "RolledBehind", level=0, episodes=1, speed=1e4))
    assert not pygame.display.get_init()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["oracle", "RolledBehind", "--save", "film.avi"], ".gif, .mp4, .png"),
        (["oracle", "RolledBehind", "--save", "film"], ".gif, .mp4, .png"),
        (["oracle", "CartPole-v1", "--save", "film.gif"], "Gymnasium environments have no view"),
        (["oracle", "RolledBehind", "--speed", "0"], "speed=0: must be in 0.001..10000"),
        (["oracle", "RolledBehind", "--speed", "nan", "--save", "film.png"], "speed=nan: must be in 0.001..10000"),
        (["oracle", "RolledBehind", "--speed", "1e-300", "--save", "film.png"], "speed=1e-300: must be in"),
        (["oracle", "RolledBehind", "--seed", "-1", "--save", "film.png"], "seed=-1: must be at least 0"),
        (["oracle", "RolledBehind", "--episodes", "-1", "--save", "film.png"], "episodes=-1: must be at least 0"),
        (["oracle", "RolledBehind", "--horizon", "0", "--save", "film.png"], "horizon=0: must be at least 1"),
        (["oracle", "RolledBehind", "--level", "dusk"], "level='dusk'"),
        (["gru-mapper", "RolledBehind", "--level", "1", "--obs", "rays", "--save", "film.gif"], "needs obs='slots'"),
        (
            ["gru-mapper", "RolledBehind", "--level", "1", "--env", "occluders=5", "--save", "film.gif"],
            "expects observations of size",
        ),
    ],
)
def test_what_cannot_be_watched_is_told(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *words]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_who_is_not_there() -> None:
    with pytest.raises(UnknownAgent):
        watch(WatchConfig("orakle", "RolledBehind"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([MONITOR], "has no keys"),
        (["RolledBehind", "--action", "continuous"], "discrete"),
        (["RolledBehind", "--env", "blackout=99"], "blackout=99"),
        (["CartPole-v1"], "gymnasium.utils.play"),
        (["RolledBehind", "--fps", "nan"], "fps=nan: must be positive"),
        (["RolledBehind", "--fps", "-1"], "fps=-1: must be positive"),
        (["RolledBehind", "--episodes", "-1"], "episodes=-1: must be at least 0"),
    ],
)
def test_what_cannot_be_played_is_told(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", *words]) == 2
    message = capsys.readouterr().err
    assert said in message and message.count("\n") == 1


def test_play_passes_everything_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.envs.watch import play as keyboard

    given: list[keyboard.PlayConfig] = []
    monkeypatch.setattr(keyboard, "play", given.append)
    words = ["--level", "1", "--split", "shift", "--env", "blackout=5,15", "--seed", "4", "--fps", "8", "--hidden"]
    assert main(["play", "rolledbehind", *words, "--episodes", "2"]) == 0
    assert given == [keyboard.PlayConfig("RolledBehind", 1, 4, "shift", 8.0, True, 2, {"blackout": (5, 15)})]


# --- files ---


def test_a_target_that_takes_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FilmError, match="cannot be written"):
        check_target(tmp_path / "file" / "film.gif")
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(FilmError, match="it is a folder"):
        check_target(tmp_path / "folder.gif")
    with pytest.raises(FilmError, match="nothing to save"):
        save_film(tmp_path / "film.gif", [])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FilmError, match="cannot be written"):
        check_target(tmp_path / "film.gif")


def test_a_failed_film_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the disk is full: the old file stays whole and no draft is left."""
    target = tmp_path / "film.png"
    save_film(target, [Shot(np.zeros((4, 4, 3), np.uint8), 1.0)])
    old = target.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FilmError, match="No space left"):
        save_film(target, [Shot(np.ones((4, 4, 3), np.uint8), 1.0)])
    assert target.read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["film.png"]


def test_a_contact_sheet_has_the_middle_of_each_chapter_and_the_end(tmp_path: Path) -> None:
    assert on_sheet(["a", "a", "a", "b", "b"]) == [1, 4]  # the middle of b is the end
    assert on_sheet(["a", "a", "a", "b", "b", "b"]) == [1, 4, 5]
    save_film(tmp_path / "sheet.png", [Shot(np.full((4, 6, 3), value, np.uint8), 1.0) for value in (1, 2, 3)])
    with Image.open(tmp_path / "sheet.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (8, 12, 3)
    assert [pixels[y, x, 0] for y, x in ((0, 0), (0, 6), (4, 0), (4, 6))] == [1, 2, 3, 0]


@pytest.mark.parametrize(("env", "painter"), [("Kiln", SectionPainter), ("RolledBehind", RoomPainter)])
def test_only_frames_that_a_contact_sheet_shows_are_drawn(
    env: str, painter: type[Painter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And they are those that a film shows, with the same curves of the past."""
    drawn, draw = [], painter.frame

    def count(*args: Any, **kwargs: Any) -> np.ndarray:
        drawn.append(draw(*args, **kwargs))
        return drawn[-1]

    monkeypatch.setattr(painter, "frame", count)
    config = WatchConfig("oracle", env, level=1, episodes=1, save=tmp_path / "sheet.png")
    agent, vector = load_agent_and_env(config, config.agent, config.env, config.level)
    chosen = film(agent, vector, config)
    assert len(drawn) == len(chosen) <= 4
    every = film(agent, vector, replace(config, save=tmp_path / "film.gif"))
    assert len(every) > 50
    assert all(any(np.array_equal(one.image, other.image) for other in every) for one in chosen)


def test_the_gallery_films_an_environment_and_writes_its_page(tmp_path: Path) -> None:
    folder, page = tmp_path / "new" / "films", tmp_path / "page" / "gallery.md"
    gallery(GalleryConfig("RolledBehind", out=folder, page=page, level=0))
    film = folder / "rolledbehind.gif"
    assert 10_000 < film.stat().st_size <= BYTES
    with Image.open(film) as image:
        assert image.n_frames > 10
    text = page.read_text()
    assert text.count("| **") == 1 and "**RolledBehind**" in text and '"../new/films/rolledbehind.gif"' in text
