"""The mapper's labels: where each object was last seen."""

from __future__ import annotations

import numpy as np

from unseen.agents.models.mental_map import last_seen_discs, map_size, map_targets
from unseen.agents.shared.envs import Layout
from unseen.envs.planar.layout import Sizes
from unseen.envs.suite import make_vec


def rows(layout: Layout, sightings: list[list[tuple[int, list[float], int | None]]]) -> np.ndarray:
    """One episode (1, T, d): at each step (slot, [x, y, vx, vy], colour or None where it does not show)."""
    obs = np.zeros((1, len(sightings), layout.size), np.float32)
    start, _, width = layout.discs
    for t, step in enumerate(sightings):
        for slot, numbers, colour in step:
            at = start + slot * width
            obs[0, t, at] = 1
            obs[0, t, at + 1 : at + 5] = numbers
            if colour is not None:
                obs[0, t, at + 5 + colour] = 1
    return obs


def layout(order: str, frame: str, **sizes: int) -> Layout:
    return Layout(Sizes(colours=3, box_slots=2, disc_slots=2, **sizes), scale=2.5, order=order, frame=frame)


def test_last_seen_holds_what_has_gone_and_follows_colours_not_slots() -> None:
    lay = layout("distance", "room")
    obs = rows(lay, [[(0, [0.1, 0.2, 1, 0], 2)], [], [(0, [0.5, 0.5, 0, 0], 0), (1, [0.3, 0.2, 0, 0], 2)], []])
    seen = last_seen_discs(obs, lay)[0][0]
    np.testing.assert_allclose(seen[1], seen[0])
    np.testing.assert_allclose(seen[1, 2], [1, 0.1, 0.2, 1, 0])
    np.testing.assert_allclose(seen[3, 2], [1, 0.3, 0.2, 0, 0])
    np.testing.assert_allclose(seen[3, 0], [1, 0.5, 0.5, 0, 0])
    assert not seen[:, 1].any()


def test_last_seen_takes_nothing_whose_colour_does_not_show() -> None:
    lay = layout("distance", "room")
    assert not last_seen_discs(rows(lay, [[(0, [0.1, 0.2, 0, 0], None)]]), lay)[0].any()


def test_last_seen_turns_ego_frames_into_the_room() -> None:
    lay = layout("distance", "ego")
    obs = rows(lay, [[(0, [0.5, 0.0, 0.2, 0.0], 1)]])
    obs[0, 0, lay.pose] = [0.1, -0.2, 0.0, 1.0]  # heading up: ahead is +y
    np.testing.assert_allclose(last_seen_discs(obs, lay)[0][0, 0, 1], [1, 0.1, 0.3, 0.0, 0.2], atol=1e-6)


def test_way_to_asked_leads_from_the_present_place_and_hides_with_it() -> None:
    lay = layout("colour", "room")
    obs = rows(lay, [[(0, [0.4, 0.1, 0, 0], 0)], [], []])
    obs[0, :, lay.query.start] = 1
    obs[0, [0, 2], lay.pose.start : lay.pose.stop] = [0.1, 0.1, 1, 0]
    way = map_targets(obs, lay)[0, :, -3:]
    np.testing.assert_allclose(way[2], [1, 0.3, 0.0], atol=1e-6)
    assert not way[1].any()  # blackout: the pose does not show


def test_a_thing_with_its_own_slot_keeps_its_place_and_the_colour_it_once_showed() -> None:
    lay = layout("index", "room")
    obs = rows(lay, [[(1, [0.4, 0.1, 0, 0], 2)], [(1, [0.5, 0.1, 0, 0], None)], []])
    obs[0, :, lay.query.start + 2] = 1  # the colour that only the first step told is asked for
    obs[0, :, 2] = 1
    drawn = map_targets(obs, lay)[0]
    assert drawn.shape[-1] == map_size(lay) == 2 * 5 + 2 * 3 + 3
    np.testing.assert_allclose(drawn[2, 5:10], [1, 0.5, 0.1, 0, 0])
    np.testing.assert_allclose(drawn[2, 13:16], [0, 0, 1])
    np.testing.assert_allclose(drawn[2, -3:], [1, 0.5, 0.1], atol=1e-6)


def test_kinds_of_boxes_are_remembered_in_the_dark() -> None:
    lay = layout("colour", "room", box_kinds=4, queries=4)
    obs = rows(lay, [[], [], []])
    start, _, width = lay.boxes
    obs[0, 0, start + width : start + width + 3] = [1, 0.2, -0.3]
    obs[0, 0, start + width + 3 + 1] = 1  # slot 1 holds a thing of kind 1
    obs[0, :, lay.query.start + 1] = 1
    obs[0, :, :4] = [0.1, 0.1, 1, 0]
    drawn = map_targets(obs, lay)[0]
    np.testing.assert_allclose(drawn[2, 15 + 3 : 15 + 6], [1, 0.2, -0.3], atol=1e-6)
    np.testing.assert_allclose(drawn[2, -3:], [1, 0.1, -0.4], atol=1e-6)


def test_the_map_of_the_shell_game_follows_the_cup() -> None:
    n = 200
    env = make_vec("Unseen/Cups-v0", n, level=1)
    obs, _ = env.reset(seed=5)
    assert env.layout is not None and env.layout.covers == (1,)
    seen, at = [obs], []
    stay = np.full(n, list(env.task.actions).index("stay"))
    while not (obs[:, env.layout.phase][:, 2] > 0.5).all():  # nobody walks, so that no episode ends before all act
        at.append(env.world["disc_x"][np.arange(n), (env.world["disc_colour"] == 0).argmax(1)].copy())
        obs, *_ = env.step(stay)
        seen.append(obs)
    ball = map_targets(np.stack(seen[:-1], 1), env.layout)[..., 1] * env.layout.scale
    np.testing.assert_allclose(ball, np.stack(at, 1), atol=0.05)
    assert (np.ptp(ball[:, 6:], axis=1) > 0.3).mean() > 0.3  # it did go elsewhere under its cup
