"""Rendering of rooms: fog agrees with visibility, phases look different, rings mark where objects were last seen."""

import dataclasses
import math

import numpy as np
import pygame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.params import derived, integer
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.sight import identifies_colour, sees, sees_box
from unseen.envs.planar.task import UNSTAGED, Look, Phase, PlanarTask, StagedParams
from unseen.envs.planar.world import ACT, DARK, DAY, DUSK, NIGHT, REVEAL, planar
from unseen.envs.watch.brush import Overhead
from unseen.envs.watch.draw import draw_room
from unseen.envs.watch.fog import inside
from unseen.envs.watch.furniture import FURNITURE
from unseen.envs.watch.mind import Place, mind_of
from unseen.envs.watch.room import RoomPainter
from unseen.envs.watch.scene import Scene, between, scene_of
from unseen.envs.watch.things import picture
from unseen.envs.watch.toys import TOYS

identifies_colour, sees, sees_box = map(host, (identifies_colour, sees, sees_box))

ROOM = planar(4, 4, signals=2)
spots = st.tuples(st.floats(-2.3, 2.3), st.floats(-2.3, 2.3))


class ZooParams(StagedParams):
    colours: int = integer(0, 6, default=6, doc="colours of discs")

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=self.colours, disc_slots=4, box_slots=4, signals=2)

    @property
    def horizon(self) -> int:
        return 40


PARAMS = ZooParams(act=16)


class Blocks(PlanarTask):
    """A task that is nothing but a plain look."""

    view = Look()


class Zoo(PlanarTask):
    """A task with one of everything that can be drawn."""

    view: Look = Look(
        boxes=(*FURNITURE, "glass"), discs=tuple(TOYS), queries=("red", "the couch", "the cat"),
        request="find {} quickly", request_unknown="wait", phases=UNSTAGED, signals=("taken", "left"),
    )  # fmt: skip


def with_look(**look: object) -> type[Zoo]:
    return type("Zoo", (Zoo,), {"view": dataclasses.replace(Zoo.view, **look)})


def a_record(**fields: object) -> np.void:
    """Two boxes, a disc behind the first (east) and one in the open (north)."""
    s = np.zeros(1, ROOM)[0]
    s["room_hx"], s["room_hy"], s["fov"], s["light"], s["touched"], s["query"] = 2.5, 2.5, 7.0, DAY, -1, 1
    s["n_boxes"], s["n_discs"], s["contact"], s["observe_steps"], s["blackout_steps"] = 2, 2, -1, 4, 3
    s["box_x"][:2], s["box_cos"][:2], s["box_hx"][:2], s["box_hy"][:2] = (1.0, -1.0), 1.0, 0.2, 0.4
    s["disc_x"][:2], s["disc_y"][:2], s["disc_radius"][:2], s["disc_colour"][:2] = (1.9, 0.0), (0.0, 1.9), 0.12, (0, 1)
    for name, value in fields.items():
        s[name] = value
    return s


def read(record: np.void, task: type[PlanarTask] = Blocks, params: ZooParams = PARAMS) -> Scene:
    return scene_of(record, params, task)


def painted(record: np.void, hidden: bool = True, task: type[PlanarTask] = Zoo, **kwargs: object) -> np.ndarray:
    return RoomPainter(480, 300, hidden=hidden).frame(record, PARAMS, task, **kwargs)


@settings(max_examples=60, deadline=None)
@given(
    spots, spots, st.floats(-3, 3), st.sampled_from([1.5, 7.0]), st.sampled_from([DARK, NIGHT, DUSK, DAY, REVEAL]),
    st.booleans(), st.booleans(), st.sampled_from([0.0, 1.5]), st.sampled_from([-1, 1]),
)  # fmt: skip
def test_what_is_drawn_as_seen_is_what_the_sensors_show(
    agent, block, heading, fov, light, glass, covered, near, touched
) -> None:
    s = np.zeros(1, ROOM)
    s[0] = a_record(
        agent_x=agent[0], agent_y=agent[1], heading=heading, fov=fov, light=light, glass=glass, colour_range=near,
        touched=touched,
    )  # fmt: skip
    s["disc_x"][0, 0], s["disc_y"][0, 0], s["disc_cover"][0, 0] = *block, covered
    scene = read(s[0])
    assert [disc.seen for disc in scene.discs] == [bool(sees(s[0], k)) for k in range(2)]
    assert [disc.identified for disc in scene.discs] == [bool(identifies_colour(s[0], k)) for k in range(2)]
    assert [box.seen for box in scene.boxes] == [bool(sees_box(s[0], k)) for k in range(2)]


# --- scene and frames ---------------------------------------------------------------------------------------


def test_a_hidden_block_lies_in_the_fog_and_glass_lifts_it() -> None:
    scene = read(a_record())
    assert [disc.seen for disc in scene.discs] == [False, True]
    assert [inside(scene.visible, (disc.x, disc.y)) for disc in scene.discs] == [False, True]
    assert scene.query is not None and scene.query.name == "blue"
    clear = read(a_record(glass=1))
    assert all(disc.seen and inside(clear.visible, (disc.x, disc.y)) for disc in clear.discs)


def test_lights_and_phases_look_different() -> None:
    painter = RoomPainter()
    records = [a_record(light=light, phase=phase) for light, phase in ((DAY, 0), (DARK, 1), (DUSK, 2), (REVEAL, 2))]
    frames = [painter.frame(record, PARAMS, Blocks) for record in records]
    for k, frame in enumerate(frames):
        assert frame.shape == (600, 960, 3) and frame.dtype == np.uint8
        for other in frames[:k]:
            assert np.mean(np.any(frame != other, axis=2)) > 0.05
    again = painter.frame(records[0], PARAMS, Blocks)
    assert np.array_equal(frames[0], again), "a frame is a function of the record"
    assert not np.shares_memory(frames[0], again), "each is an array of its own"


def test_a_player_is_not_shown_what_is_hidden() -> None:
    """With `hidden=False` the picture is the same wherever the hidden block is."""
    near, far = a_record(), a_record()
    far["disc_x"][0], far["disc_y"][0] = 1.7, 0.1
    assert np.array_equal(painted(near, False, Blocks), painted(far, False, Blocks))
    assert not np.array_equal(painted(near, True, Blocks), painted(far, True, Blocks))


def imagined(pose: object, cont: object, k: int = 0) -> Imagined:
    """A roll-out in which k things stay in the middle of the room."""
    shown = np.asarray(pose, dtype=float)[None]
    n, h = shown.shape[:2]
    return Imagined(np.zeros((n, h, k, 2)), shown, np.zeros((n, h)), np.array([cont]))


def test_a_map_and_a_prediction_are_drawn_as_far_as_they_go() -> None:
    scene, still = read(a_record()), np.zeros((3, 4))
    belief = Belief(np.array([[1.0, 0.1]]), np.array([[[1.5, 0.5], [0.0, 0.0]]]))
    ahead = imagined([[0.3, 0, 1, 0], [0.6, 0, 1, 0], [0.9, 0, 1, 0]], [0.9, 0.1, 0.9], k=2)
    mind = mind_of(belief, ahead, scene)
    assert mind is not None and [ring.name for ring in mind.rings] == ["red"] and not mind.places
    assert len(mind.way) == 2, "no further than the imagined end"
    assert [len(path.xy) for path in mind.paths] == [2], "paths of what has a ring"
    assert mind_of(None, None, scene) is None
    unknown = mind_of(Belief(np.ones((1, 1)), np.full((1, 1, 2), np.nan)), imagined(still, [1, 1, 1]), scene)
    assert unknown is not None and not unknown.rings and not len(unknown.way) and not unknown.paths
    alone = mind_of(None, imagined(still[:, :0], [1, 1, 1]), scene)
    assert alone is not None and not len(alone.way), "a model without a pose"
    plain, drawn = painted(a_record(), task=Blocks), painted(a_record(), task=Blocks, belief=belief, imagined=ahead)
    assert not np.array_equal(plain, drawn)


def test_a_plan_is_drawn_with_the_plans_dropped() -> None:
    scene, pose = read(a_record()), [[0.3, 0, 1, 0], [0.6, 0, 1, 0]]
    others = np.array([[[[0.2, 0.1], [0.4, 0.3]], [[-0.2, 0.1], [np.nan, np.nan]], [[np.nan] * 2] * 2]])
    planned = dataclasses.replace(imagined(pose, [1, 1]), dropped=others)
    mind = mind_of(None, planned, scene)
    assert mind is not None and mind.dropped is not None and [len(way) for way in mind.dropped] == [2, 1]
    blind = mind_of(None, dataclasses.replace(planned, dropped=others[..., :0]), scene)
    assert blind is not None and blind.dropped is None, "a model without a pose"
    frames = [painted(a_record(), task=Blocks, imagined=ahead) for ahead in (imagined(pose, [1, 1]), planned)]
    assert not np.array_equal(*frames)


def test_movement_is_drawn_smoothly_and_jumps_are_not() -> None:
    before = a_record(t=4, heading=3.1)
    after = a_record(t=5, agent_x=0.2, heading=-3.1)
    mid = between(before, after, 0.5)
    assert mid["agent_x"] == pytest.approx(0.1) and abs(abs(mid["heading"]) - math.pi) < 1e-9
    far = a_record(t=5, agent_x=2.0)
    assert between(before, far, 0.5)["agent_x"] == before["agent_x"], "carried under the blackout"
    assert between(before, a_record(t=0), 0.5)["agent_x"] == before["agent_x"], "another episode"


@pytest.mark.parametrize("size", [(480, 300), (1280, 800), (640, 640)])
def test_any_size(size: tuple[int, int]) -> None:
    assert RoomPainter(*size).frame(a_record(), PARAMS, Blocks).shape == (size[1], size[0], 3)
    assert RoomPainter(*size).card(a_record(), PARAMS, Blocks).shape == (size[1], size[0], 3)


# --- looks --------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("kind", range(len(Zoo.view.boxes)))
@settings(max_examples=8, deadline=None)
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), turn=st.floats(-4, 4), hx=st.floats(0.03, 0.6), hy=st.floats(0.03, 0.6))
def test_a_box_is_drawn_where_it_stands(kind: int, x: float, y: float, turn: float, hx: float, hy: float) -> None:
    """Of any size and direction it is drawn, and near its box: nothing changes far from it."""
    s = a_record(n_boxes=1, n_discs=0, agent_x=-2.2, agent_y=2.2)
    s["box_x"][0], s["box_y"][0], s["box_cos"][0], s["box_sin"][0] = x, y, math.cos(turn), math.sin(turn)
    s["box_hx"][0], s["box_hy"][0], s["box_kind"][0] = hx, hy, kind
    scene = dataclasses.replace(read(s, task=Zoo), light="reveal")
    empty = dataclasses.replace(scene, boxes=())
    with_it, without = (pygame.surfarray.array3d(draw_room(each, 160)) for each in (scene, empty))
    changed = np.argwhere(np.any(with_it != without, axis=2))
    assert len(changed) > 5
    metres = (changed - 79.5) / (Overhead(160, (2.5, 2.5)).scale) * (1, -1)
    assert np.hypot(*(metres - (x, y)).T).max() < math.hypot(hx, hy) + 0.75  # leaning outward, its mat, its shadow


@pytest.mark.parametrize("light", [DARK, NIGHT, DUSK, DAY])
@pytest.mark.parametrize("kind", range(len(TOYS)))
def test_hidden_things_show_only_as_ghosts(light: int, kind: int) -> None:
    """A thing behind another, or outside the light, or covered: with `hidden=False` its place and kind change nothing."""
    here, there = (a_record(light=light, n_discs=1) for _ in range(2))
    here["disc_colour"][0] = there["disc_colour"][0] = kind
    there["disc_x"][0], there["disc_y"][0] = 1.7, 0.1
    assert np.array_equal(painted(here, False), painted(there, False))
    assert not np.array_equal(painted(here), painted(there))
    there["disc_x"][0], there["disc_y"][0], there["disc_cover"][0] = 0.5, 1.5, 1
    assert np.array_equal(painted(here, False), painted(there, False)), "covered"
    assert not np.array_equal(painted(here), painted(there))
    there["glass"], there["light"] = 1, DAY
    assert read(there).discs[0].seen


def test_a_cup_hides_its_ball_until_the_lights_go_on() -> None:
    task = with_look(discs=("ball", "cup"))
    bare, full = (a_record(n_boxes=0, n_discs=k) for k in (1, 2))
    for s in (bare, full):
        s["disc_x"][:2], s["disc_y"][:2], s["disc_colour"][:2], s["disc_cover"][:2] = 0.8, 0.4, (1, 0), (0, 1)
    assert np.array_equal(painted(bare, False, task), painted(full, False, task))
    assert not np.array_equal(painted(bare, True, task), painted(full, True, task))
    bare["light"] = full["light"] = REVEAL
    assert not np.array_equal(painted(bare, False, task), painted(full, False, task))


def test_a_collar_shows_from_near_only() -> None:
    task = with_look(discs=("dog",))
    red, blue = (a_record(n_boxes=0, n_discs=1, colour_range=1.0) for _ in range(2))
    for s, colour in ((red, 0), (blue, 1)):
        s["disc_x"][0], s["disc_y"][0], s["disc_colour"][0] = 0.2, 1.8, colour
    assert read(red, task=task).discs[0].seen and not read(red, task=task).discs[0].identified
    assert np.array_equal(painted(red, False, task), painted(blue, False, task))
    assert not np.array_equal(painted(red, True, task), painted(blue, True, task)), "the human is told"
    red["disc_y"][0] = blue["disc_y"][0] = 0.8
    assert not np.array_equal(painted(red, False, task), painted(blue, False, task))


def test_furniture_is_grey_in_a_plain_dusk() -> None:
    couch, crate = (a_record(light=DUSK, kinds_hidden=1, n_discs=0) for _ in range(2))
    couch["box_kind"][:2], crate["box_kind"][:2] = Zoo.view.boxes.index("couch"), Zoo.view.boxes.index("crate")
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
    couch = a_record(light=NIGHT, contact=1)
    couch["box_kind"][:2] = Zoo.view.boxes.index("couch")
    assert not np.array_equal(painted(couch, False), painted(here, False))
    assert [box.touched for box in read(couch, task=Zoo).boxes].count(True) == 1


def test_boxes_out_of_view_are_not_shown_to_a_player() -> None:
    here, there = a_record(fov=1.5, n_discs=0), a_record(fov=1.5, n_discs=0)
    there["box_y"][1] = 1.0  # behind its back
    assert np.array_equal(painted(here, False), painted(there, False))
    assert not np.array_equal(painted(here), painted(there))


def test_what_is_asked_has_a_colour_or_a_look() -> None:
    def asked(query: int, task: type[PlanarTask] = Zoo, params: ZooParams = PARAMS) -> tuple[object, ...]:
        found = read(a_record(query=query), task, params).query
        return () if found is None else (found.name, found.rgb is not None, found.kind)

    assert asked(-1) == ()
    assert asked(0) == ("red", True, "block") and asked(1) == ("the couch", False, "couch")
    plain = with_look(queries=(), boxes=("bed", "lamp"), discs=("dog",))
    assert [asked(k, plain, PARAMS.replace(colours=2)) for k in range(4)] == [
        ("red", True, "dog"), ("blue", True, "dog"), ("bed", False, "bed"), ("lamp", False, "lamp"),
    ]  # fmt: skip
    frames = [painted(a_record(query=k)) for k in (-1, 0, 1)]
    assert not any(np.array_equal(frames[a], frames[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_a_task_may_have_neither_phases_nor_queries_nor_things() -> None:
    bare = with_look(phases=UNSTAGED, queries=(), request="look around", captions={}, signals=())
    scene = read(a_record(query=-1, n_boxes=0, n_discs=0), task=bare)
    assert scene.timeline == (("act", 40),) and scene.query is None and not scene.caption
    assert painted(a_record(query=-1, n_boxes=0, n_discs=0), task=bare).shape == (300, 480, 3)


def test_the_look_says_which_phases_there_are_and_how_long_they_last() -> None:
    assert read(a_record(phase=1)).timeline == (("observe", 4), ("blackout", 3), ("act", 16))
    assert [Blocks.view.chapter(a_record(phase=k)) for k in range(3)] == ["observe", "blackout", "act"]
    assert [Blocks.view.can_act(a_record(phase=k)) for k in range(3)] == [False, False, True]
    build, run = Phase("build", lambda s, p: s["blackout_steps"]), Phase("run", lambda s, p: 5, can_act=False)
    own = with_look(phases=(build, run))
    assert [read(a_record(phase=k), own).phase for k in (0, 1, ACT)] == ["build", "run", "run"]
    assert [own.view.can_act(a_record(phase=k)) for k in range(2)] == [True, False]
    assert read(a_record(t=8), own).out_of_time and not read(a_record(t=7), own).out_of_time
    pictures = [painted(a_record(phase=k), task=own) for k in range(2)]
    assert not np.array_equal(*pictures)


def test_signals_are_shown() -> None:
    task = with_look(signals=("turned",))
    assert not np.array_equal(painted(a_record(), task=task), painted(a_record(signal=0.7), task=task))
    assert not np.array_equal(painted(a_record(signal=-0.7), task=task), painted(a_record(signal=0.7), task=task))


def test_a_map_of_slots_is_drawn_in_the_colours_of_the_discs() -> None:
    belief = Belief(np.array([[1.0, 0.0]]), np.array([[[1.5, 0.5], [0.0, 0.0]]]), by_slot=True)
    s = a_record()
    s["disc_colour"][:2] = 4, 5
    mind = mind_of(belief, None, read(s, params=PARAMS.replace(order="index")))
    assert mind is not None and [ring.name for ring in mind.rings] == ["purple"]


def test_a_map_of_discs_that_look_alike_is_not_drawn() -> None:
    belief = Belief(np.ones((1, 2)), np.ones((1, 2, 2)))
    mind = mind_of(belief, None, read(a_record(disc_colour=1)))
    assert mind is not None and [ring.name for ring in mind.rings] == ["red"], "there are two blue ones"


def test_a_map_of_boxes_is_drawn_where_they_are_out_of_sight() -> None:
    task = with_look(boxes=("couch", "lamp"))
    seen, xy = np.array([[0.2, 0.9, 1.0]]), np.array([[[0.0, 0.0], [-1.2, 1.0], [1.0, 1.0]]])
    belief = Belief(np.zeros((1, 0)), np.zeros((1, 0, 2)), seen, xy)
    mind = mind_of(belief, None, read(a_record(), task))
    assert mind is not None and mind.places == (Place("lamp", -1.2, 1.0),), "kinds without a look are not drawn"
    dark = a_record(light=NIGHT)
    assert not np.array_equal(painted(dark, task=task), painted(dark, task=task, belief=belief))
