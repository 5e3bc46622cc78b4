"""The picture tells the truth: fog against line of sight, phases that look different, films that can be opened."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pygame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from unseen.agents.errors import BadAgent, UnknownAgent
from unseen.envs import suite
from unseen.envs.core.task import Look
from unseen.envs.planar.sight import identifies_colour, sees, sees_box
from unseen.envs.planar.world import DARK, DAY, DUSK, NIGHT, REVEAL, planar
from unseen.envs.watch.brush import Eye
from unseen.envs.watch.draw import draw_room
from unseen.envs.watch.fog import box_corners, free_line, inside, visible_polygon
from unseen.envs.watch.furniture import FURNITURE
from unseen.envs.watch.mind import mind_of
from unseen.envs.watch.play import ARROWS, COMMANDS, PlayConfig, help_line, keys_to_action, play
from unseen.envs.watch.scene import Box, between, scene_of
from unseen.envs.watch.things import picture
from unseen.envs.watch.toys import TOYS
from unseen.envs.watch.view import NoDisplay, Viewer
from unseen.train.film import FilmError, Shot, check_target, save_film
from unseen.train.gallery import BYTES, GalleryConfig, gallery
from unseen.train.watch import WatchConfig, moments, watch

ROOM = planar(4, 4)
GREY = (150, 150, 150)


def a_record(**fields: object) -> np.void:
    """Two tall boxes, a block behind the first (east) and one in the open (north)."""
    s = np.zeros(1, ROOM)[0]
    s["room_hx"], s["room_hy"], s["fov"], s["light"], s["touched"], s["query"] = 2.5, 2.5, 7.0, DAY, -1, 1
    s["n_boxes"], s["n_discs"] = 2, 2
    s["box_x"][:2], s["box_cos"][:2], s["box_hx"][:2], s["box_hy"][:2] = (1.0, -1.0), 1.0, 0.2, 0.4
    s["disc_x"][:2], s["disc_y"][:2], s["disc_radius"][:2], s["disc_colour"][:2] = (1.9, 0.0), (0.0, 1.9), 0.12, (0, 1)
    for name, value in fields.items():
        s[name] = value
    return s


# --- fog ----------------------------------------------------------------------------------------------------

boxes = st.lists(
    st.builds(
        lambda x, y, turn, hx, hy: Box(x, y, math.cos(turn), math.sin(turn), hx, hy, GREY),
        *[st.floats(-2, 2)] * 2, st.floats(-math.pi, math.pi), st.floats(0.1, 0.5), st.floats(0.1, 0.5),
    ),
    max_size=4,
)  # fmt: skip
spots = st.tuples(st.floats(-2.3, 2.3), st.floats(-2.3, 2.3))


def clearance(polygon: np.ndarray, point: tuple[float, float]) -> float:
    """Distance from a point to the nearest edge of a polygon."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    side = b - a
    part = np.clip(((point - a) * side).sum(1) / np.maximum((side**2).sum(1), 1e-18), 0, 1)
    return float(np.hypot(*(a + part[:, None] * side - point).T).min())


@settings(max_examples=200, deadline=None)
@given(boxes, spots, spots, st.floats(-math.pi, math.pi), st.sampled_from([1.0, 2.1, 4.0, 7.0]))
def test_a_point_is_lit_if_and_only_if_it_is_in_view_with_a_free_line(boxes, eye, point, heading, fov) -> None:
    for box in boxes:  # the eye stands outside of every box
        x, y = eye[0] - box.x, eye[1] - box.y
        if abs(x * box.cos + y * box.sin) < box.hx + 1e-3 and abs(y * box.cos - x * box.sin) < box.hy + 1e-3:
            return
    polygon = visible_polygon(eye, heading, fov, (2.5, 2.5), boxes)
    if clearance(polygon, point) < 1e-4 or math.dist(eye, point) < 1e-3:
        return  # on the border of light and shade
    off = (math.atan2(point[1] - eye[1], point[0] - eye[0]) - heading + math.pi) % (2 * math.pi) - math.pi
    in_view = fov >= 2 * math.pi or abs(off) < fov / 2
    assert inside(polygon, point) == (in_view and free_line(eye, point, boxes))


def test_an_empty_room_is_all_lit_from_anywhere() -> None:
    polygon = visible_polygon((1.0, -2.0), 0.3, 7.0, (2.5, 1.5 + 1.0))
    x, y = polygon.T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    assert area == pytest.approx(25.0, rel=1e-6)


def test_corners_run_counter_clockwise() -> None:
    (x, y) = box_corners(Box(0.3, 0.2, math.cos(1), math.sin(1), 0.2, 0.4, GREY)).T
    assert np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2 == pytest.approx(4 * 0.2 * 0.4)


@settings(max_examples=60, deadline=None)
@given(
    spots, spots, st.floats(-3, 3), st.sampled_from([1.5, 7.0]), st.sampled_from([DARK, NIGHT, DUSK, DAY, REVEAL]),
    st.booleans(), st.booleans(), st.sampled_from([0.0, 1.5]), st.sampled_from([-1, 1]),
)  # fmt: skip
def test_what_is_drawn_as_seen_is_what_the_engine_shows(
    agent, block, heading, fov, light, glass, covered, near, touched
) -> None:
    s = np.zeros(1, ROOM)
    s[0] = a_record(ax=agent[0], ay=agent[1], ah=heading, fov=fov, light=light, glass=glass, near=near, touched=touched)
    s["disc_x"][0, 0], s["disc_y"][0, 0], s["disc_cover"][0, 0] = *block, covered
    scene = scene_of(s[0])
    assert [disc.seen for disc in scene.smalls] == [bool(sees(s[0], k)) for k in range(2)]
    assert [disc.told for disc in scene.smalls] == [bool(identifies_colour(s[0], k)) for k in range(2)]
    assert [box.seen for box in scene.talls] == [bool(sees_box(s[0], k)) for k in range(2)]


# --- scene and frames ---------------------------------------------------------------------------------------


def test_a_hidden_block_lies_in_the_fog_and_glass_lifts_it() -> None:
    scene = scene_of(a_record())
    assert [disc.seen for disc in scene.smalls] == [False, True]
    assert [inside(scene.visible, (disc.x, disc.y)) for disc in scene.smalls] == [False, True]
    assert scene.asked is not None and scene.asked.name == "blue"
    clear = scene_of(a_record(glass=1))
    assert all(disc.seen and inside(clear.visible, (disc.x, disc.y)) for disc in clear.smalls)


def test_lights_and_phases_look_different() -> None:
    viewer = Viewer()
    records = [a_record(light=light, phase=phase) for light, phase in ((DAY, 0), (DARK, 1), (DUSK, 2), (REVEAL, 2))]
    frames = [viewer.frame(record) for record in records]
    for k, frame in enumerate(frames):
        assert frame.shape == (600, 960, 3) and frame.dtype == np.uint8
        for other in frames[:k]:
            assert np.mean(np.any(frame != other, axis=2)) > 0.05
    assert np.array_equal(frames[0], viewer.frame(records[0])), "a frame is a function of the record"


def test_a_player_is_not_shown_what_is_hidden() -> None:
    """With `hidden=False` the picture is the same wherever the hidden block is."""
    near, far = a_record(), a_record()
    far["disc_x"][0], far["disc_y"][0] = 1.7, 0.1
    assert np.array_equal(Viewer(hidden=False).frame(near), Viewer(hidden=False).frame(far))
    assert not np.array_equal(Viewer().frame(near), Viewer().frame(far))


def test_a_mind_is_drawn_and_may_lack_parts() -> None:
    belief = {"seen": np.array([[1.0, 0.1]]), "xy": np.array([[[1.5, 0.5], [0.0, 0.0]]])}
    imagined = {"pose": np.array([[[0.3, 0, 1, 0], [0.6, 0, 1, 0]]]), "continue": np.array([[0.9, 0.1]])}
    mind = mind_of(belief, imagined)
    assert mind is not None and [thing[0] for thing in mind.things] == ["red"] and len(mind.way) == 2
    assert mind_of(None, None) is None
    still = mind_of({"seen": np.ones((1, 1)), "xy": np.full((1, 1, 2), np.nan)}, {"pose": np.zeros((1, 3, 4))})
    assert still is not None and not still.things and not len(still.way), "what is not known is not drawn"
    plain = Viewer().frame(a_record())
    assert not np.array_equal(plain, Viewer().frame(a_record(), belief=belief, imagined=imagined))


def test_movement_is_drawn_smoothly_and_jumps_are_not() -> None:
    before = a_record(t=4, ah=3.1)
    after = a_record(t=5, ax=0.2, ah=-3.1)
    mid = between(before, after, 0.5)
    assert mid["agent_x"] == pytest.approx(0.1) and abs(abs(mid["heading"]) - math.pi) < 1e-9
    assert between(before, a_record(t=5, ax=2.0), 0.5)["agent_x"] == before["agent_x"], "carried under the blackout"
    assert between(before, a_record(t=0), 0.5)["agent_x"] == before["agent_x"], "another episode"


@pytest.mark.parametrize("size", [(480, 300), (1280, 800), (640, 640)])
def test_any_size(size: tuple[int, int]) -> None:
    assert Viewer(*size).frame(a_record()).shape == (size[1], size[0], 3)


# --- looks --------------------------------------------------------------------------------------------------


class Zoo:
    """A task that is nothing but its look."""

    look = Look(
        tall=(*FURNITURE, "glass"), small=tuple(TOYS), asks=("red", "the couch", "the cat"), request="find {} quickly",
        untold="wait", phases=(), signals=("taken", "left"),
    )  # fmt: skip


def with_look(**look: object) -> type[Zoo]:
    return type("Zoo", (Zoo,), {"look": dataclasses.replace(Zoo.look, **look)})


def painted(record: np.void, hidden: bool = True, task: type[Zoo] = Zoo) -> np.ndarray:
    return Viewer(480, 300, hidden=hidden).frame(record, task=task)


@pytest.mark.parametrize(("names", "small"), [((*FURNITURE, "glass"), False), (tuple(TOYS), True)])
def test_every_look_draws_something_of_its_own_inside_the_picture(names: tuple[str, ...], small: bool) -> None:
    images = {name: pygame.surfarray.array3d(picture(name, 64, (222, 66, 60), small)) for name in names}
    alphas = {name: pygame.surfarray.array_alpha(picture(name, 64, (222, 66, 60), small)) for name in names}
    for k, name in enumerate(names):
        solid = alphas[name] > 20
        assert 0.03 < solid.mean() < 0.9, name
        assert not (solid[0].any() or solid[-1].any() or solid[:, 0].any() or solid[:, -1].any()), name
        for other in names[:k]:
            differs = np.any(images[name] != images[other], axis=2) & (solid | (alphas[other] > 20))
            assert differs.mean() > 0.02, (name, other)


@pytest.mark.parametrize("kind", range(len(Zoo.look.tall)))
@settings(max_examples=8, deadline=None)
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), turn=st.floats(-4, 4), hx=st.floats(0.03, 0.6), hy=st.floats(0.03, 0.6))
def test_a_tall_thing_stands_in_its_box(kind: int, x: float, y: float, turn: float, hx: float, hy: float) -> None:
    """Of any size and direction it is drawn, and near its box: nothing changes far from it."""
    s = a_record(n_tall=1, n_small=0, ax=-2.2, ay=2.2)
    s["box_x"][0], s["box_y"][0], s["box_cos"][0], s["box_sin"][0] = x, y, math.cos(turn), math.sin(turn)
    s["box_hx"][0], s["box_hy"][0], s["box_kind"][0] = hx, hy, kind
    scene = dataclasses.replace(scene_of(s, task=Zoo), light="reveal")
    empty = dataclasses.replace(scene, talls=())
    with_it, without = (pygame.surfarray.array3d(draw_room(each, 160)) for each in (scene, empty))
    changed = np.argwhere(np.any(with_it != without, axis=2))
    assert len(changed) > 5
    metres = (changed - 79.5) / (Eye(160, (2.5, 2.5)).scale) * (1, -1)
    assert np.hypot(*(metres - (x, y)).T).max() < math.hypot(hx, hy) + 0.75  # leaning outward, its mat, its shadow


@pytest.mark.parametrize("light", [DARK, NIGHT, DUSK, DAY])
@pytest.mark.parametrize("kind", range(len(TOYS)))
def test_hidden_things_show_only_as_ghosts(light: int, kind: int) -> None:
    """A thing behind another, or outside the light, or covered: with `hidden=False` its place and kind change nothing."""
    here, there = (a_record(light=light, n_small=1) for _ in range(2))
    here["disc_colour"][0] = there["disc_colour"][0] = kind
    there["disc_x"][0], there["disc_y"][0] = 1.7, 0.1
    assert np.array_equal(painted(here, False), painted(there, False))
    assert not np.array_equal(painted(here), painted(there))
    there["disc_x"][0], there["disc_y"][0], there["disc_cover"][0] = 0.5, 1.5, 1
    assert np.array_equal(painted(here, False), painted(there, False)), "covered"
    assert not np.array_equal(painted(here), painted(there))
    there["glass"], there["light"] = 1, DAY
    assert scene_of(there).smalls[0].seen


def test_a_cup_hides_its_ball_until_the_lights_go_on() -> None:
    task = with_look(small=("ball", "cup"))
    bare, full = (a_record(n_tall=0, n_small=k) for k in (1, 2))
    for s in (bare, full):
        s["disc_x"][:2], s["disc_y"][:2], s["disc_colour"][:2], s["disc_cover"][:2] = 0.8, 0.4, (1, 0), (0, 1)
    assert np.array_equal(painted(bare, False, task), painted(full, False, task))
    assert not np.array_equal(painted(bare, True, task), painted(full, True, task))
    bare["light"] = full["light"] = REVEAL
    assert not np.array_equal(painted(bare, False, task), painted(full, False, task))


def test_a_collar_shows_from_near_only() -> None:
    task = with_look(small=("dog",))
    red, blue = (a_record(n_tall=0, n_small=1, near=1.0) for _ in range(2))
    for s, colour in ((red, 0), (blue, 1)):
        s["disc_x"][0], s["disc_y"][0], s["disc_colour"][0] = 0.2, 1.8, colour
    assert scene_of(red, task=task).smalls[0].seen and not scene_of(red, task=task).smalls[0].told
    assert np.array_equal(painted(red, False, task), painted(blue, False, task))
    assert not np.array_equal(painted(red, True, task), painted(blue, True, task)), "the human is told"
    red["disc_y"][0] = blue["disc_y"][0] = 0.8
    assert not np.array_equal(painted(red, False, task), painted(blue, False, task))


def test_furniture_is_grey_in_a_plain_dusk() -> None:
    couch, crate = (a_record(light=DUSK, plain=1, n_small=0) for _ in range(2))
    couch["box_kind"][:2], crate["box_kind"][:2] = Zoo.look.tall.index("couch"), Zoo.look.tall.index("crate")
    assert np.array_equal(painted(couch, False), painted(crate, False))
    assert not np.array_equal(painted(couch), painted(crate))
    couch["light"] = crate["light"] = DAY
    assert not np.array_equal(painted(couch, False), painted(crate, False))


def test_at_night_a_player_feels_what_is_touched_and_sees_nothing() -> None:
    here, there = a_record(light=NIGHT), a_record(light=NIGHT)
    there["box_x"][:2], there["box_kind"][:2] = (1.5, -2.0), 3
    assert np.array_equal(painted(here, False), painted(there, False))
    assert not np.array_equal(painted(here), painted(there))
    assert painted(here).mean() < 0.6 * painted(a_record()).mean()
    couch = a_record(light=NIGHT, held=1)
    couch["box_kind"][:2] = Zoo.look.tall.index("couch")
    assert not np.array_equal(painted(couch, False), painted(here, False))
    assert [box.held for box in scene_of(couch, task=Zoo).talls].count(True) == 1


def test_tall_things_out_of_view_are_not_shown_to_a_player() -> None:
    here, there = a_record(fov=1.5, n_small=0), a_record(fov=1.5, n_small=0)
    there["box_y"][1] = 1.0  # behind its back
    assert np.array_equal(painted(here, False), painted(there, False))
    assert not np.array_equal(painted(here), painted(there))


def test_what_is_asked_has_a_colour_or_a_look() -> None:
    def asked(ask: int, task: object = Zoo, params: object = None) -> tuple[object, ...]:
        found = scene_of(a_record(ask=ask), params, task).asked
        return () if found is None else (found.name, found.rgb is not None, found.kind)

    assert asked(-1) == ()
    assert asked(0) == ("red", True, "block") and asked(1) == ("the couch", False, "couch")
    plain = with_look(asks=(), tall=("bed", "lamp"), small=("dog",))
    params = np.zeros(1, [("colours", "i8")])[0]
    params["colours"] = 2
    assert [asked(k, plain, params) for k in range(4)] == [
        ("red", True, "dog"), ("blue", True, "dog"), ("bed", False, "bed"), ("lamp", False, "lamp"),
    ]  # fmt: skip
    frames = [painted(a_record(ask=k)) for k in (-1, 0, 1)]
    assert not any(np.array_equal(frames[a], frames[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_a_task_may_have_neither_phases_nor_questions_nor_things() -> None:
    bare = with_look(phases=(), asks=(), request="look around", captions={}, signals=())
    scene = scene_of(a_record(ask=-1, n_tall=0, n_small=0), task=bare)
    assert scene.phases == ("act",) and scene.free and scene.asked is None and not scene.caption
    assert painted(a_record(ask=-1, n_tall=0, n_small=0), task=bare).shape == (300, 480, 3)
    own = with_look(phases=("build", "run"))
    assert [scene_of(a_record(phase=k), task=own).phase for k in range(2)] == ["build", "run"]
    assert scene_of(a_record(phase=0), task=own).free and not scene_of(a_record(phase=0)).free


def test_signals_are_shown() -> None:
    task = with_look(signals=("turned",))
    assert not np.array_equal(painted(a_record(), task=task), painted(a_record(signal=0.7), task=task))
    assert not np.array_equal(painted(a_record(signal=-0.7), task=task), painted(a_record(signal=0.7), task=task))


def test_a_map_of_slots_is_drawn_in_the_colours_of_the_things() -> None:
    belief = {"seen": np.array([[1.0, 0.0]]), "xy": np.array([[[1.5, 0.5], [0.0, 0.0]]])}
    s = a_record()
    s["disc_colour"][:2] = 4, 5
    mind = mind_of(belief, scene=dataclasses.replace(scene_of(s), own_slots=True))
    assert mind is not None and [thing[0] for thing in mind.things] == ["purple"]


def test_a_map_of_tall_things_is_drawn_where_they_are_out_of_sight() -> None:
    task = with_look(tall=("couch", "lamp"))
    places = {"tall_seen": np.array([[0.2, 0.9, 1.0]]), "tall_xy": np.array([[[0.0, 0.0], [-1.2, 1.0], [1.0, 1.0]]])}
    belief = {"seen": np.zeros((1, 0)), "xy": np.zeros((1, 0, 2))} | places
    mind = mind_of(belief, scene=scene_of(a_record(), task=task))
    assert mind is not None and mind.talls == (("lamp", -1.2, 1.0),), "kinds without a look are not drawn"
    dark = a_record(light=NIGHT)
    drawn = Viewer(480, 300).frame(dark, task=task, belief=belief)
    assert not np.array_equal(painted(dark, task=task), drawn)


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


def test_a_window_opens_and_closes_twice() -> None:
    env = suite.make("RolledBehind", render_mode="human")
    env.reset(seed=1)
    assert env.render() is None and pygame.display.get_init()
    env.close()
    env.close()
    assert not pygame.display.get_init()


def test_no_screen_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "there-is-no-such-driver")
    with pytest.raises(NoDisplay, match="no window"):
        Viewer().show(np.zeros((600, 960, 3), np.uint8))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_an_invisible_window_is_no_window() -> None:
    """SDL falls back to a driver without a screen, and a window that nobody can close would run on for ever."""
    code = "from unseen.envs.watch.view import Viewer as V; import numpy as n; V().show(n.zeros((600, 960, 3), 'u1'))"
    env = {k: v for k, v in os.environ.items() if k not in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "NoDisplay" in done.stderr


def test_fonts_survive_a_foreign_quit() -> None:
    """gymnasium.utils.play ends with pygame.quit."""
    frame = Viewer().frame(a_record())
    pygame.quit()
    assert np.array_equal(Viewer().frame(a_record()), frame)


def test_importing_the_suite_loads_no_pygame() -> None:
    code = "import sys, unseen, unseen.envs.suite; assert 'pygame' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- playing ------------------------------------------------------------------------------------------------


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
    """The world runs by itself until the player may act, then waits for keys."""
    calls = 0

    def events() -> list[pygame.event.Event]:
        nonlocal calls
        calls += 1
        if calls == 3:
            return [pygame.event.Event(pygame.KEYDOWN, key=key) for key in (pygame.K_h, pygame.K_PLUS)]
        return [pygame.event.Event(pygame.KEYDOWN, key=pygame.K_UP)] if calls > 4 else []

    play(PlayConfig("RolledBehind", level=1, fps=1e4, episodes=1), events)
    assert calls > 8 and not pygame.display.get_init()
    play(PlayConfig("RolledBehind", fps=1e4), lambda: [pygame.event.Event(pygame.QUIT)])


# --- watching -----------------------------------------------------------------------------------------------


def test_moments_run_from_the_reset_to_the_end() -> None:
    from unseen.agents.agent import load_agent

    env = suite.make_vec("RolledBehind", 1, level=1, split="test")
    told = list(moments(load_agent("tracker", "RolledBehind", 1), env, seed=5, horizon=3))
    assert [int(m.record["t"]) for m in told] == list(range(len(told)))
    assert [m.last for m in told] == [False] * (len(told) - 1) + [True]
    assert sum(m.reward for m in told) == 1.0 and int(told[-1].record["light"]) == REVEAL


def test_an_agent_that_raises_is_named() -> None:
    class Broken:
        name, obs = "broken", "slots"

        def initial_state(self, batch: int) -> None:
            return None

        def act(self, *args: object) -> None:
            raise KeyError("x")

    env = suite.make_vec("RolledBehind", 1)
    with pytest.raises(BadAgent, match="broken raised KeyError"):
        next(moments(Broken(), env, 0, 3))


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


def test_a_window_shows_an_episode() -> None:
    watch(WatchConfig("oracle", "RolledBehind", level=0, episodes=1, speed=1e4))
    assert not pygame.display.get_init()


@pytest.mark.parametrize("name", ["film.avi", "film"])
def test_an_unknown_format_names_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(FilmError, match=r"\.gif, \.mp4, \.png"):
        watch(WatchConfig("oracle", "RolledBehind", save=tmp_path / name))


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


def test_who_is_not_there() -> None:
    with pytest.raises(UnknownAgent):
        watch(WatchConfig("orakle", "RolledBehind"))


def test_the_gallery_films_an_environment_and_writes_its_page(tmp_path: Path) -> None:
    folder, page = tmp_path / "new" / "films", tmp_path / "page" / "gallery.md"
    gallery(GalleryConfig("RolledBehind", out=folder, page=page, level=0))
    film = folder / "rolledbehind.gif"
    assert 10_000 < film.stat().st_size <= BYTES
    with Image.open(film) as image:
        assert image.n_frames > 10
    text = page.read_text()
    assert text.count("| **") == 1 and "**RolledBehind**" in text and '"../new/films/rolledbehind.gif"' in text
