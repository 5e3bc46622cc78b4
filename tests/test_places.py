"""The map of places: its labels, by hand and as properties, its loss and the look-up."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from unseen.agents.models.places import MOST, UNIT, PlaceMap  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, Layout, make  # noqa: E402
from unseen.agents.shared.sightings import counted, entities, hindsight, last_seen, observed, scaled, several  # noqa: E402
from unseen.envs.planar.layout import Sizes  # noqa: E402

LAYOUT = Layout(Sizes(colours=2, disc_slots=2, box_slots=1, box_kinds=1), 3.0, "distance", "room")


def rows(*discs: list[tuple[int, float, float]], layout: Layout = LAYOUT) -> np.ndarray:
    """Observations (T, d): at each step a list of (colour, x, y), shown in this order; colour -1 does not show."""
    out = np.zeros((len(discs), layout.size), np.float32)
    out[:, 2] = 1  # heading along x
    start, _, width = layout.discs
    for t, shown in enumerate(discs):
        for slot, (colour, x, y) in enumerate(shown):
            at = start + slot * width
            out[t, at : at + 3] = 1, x, y
            if colour >= 0:
                out[t, at + 5 + colour] = 1
    return out


def played(name: str, level: int, steps: int = 60, n: int = 8) -> tuple[np.ndarray, np.ndarray, Layout]:
    """Whole episodes under random actions: observations (T + 1, n, d) and lengths (n,)."""
    made = make(EnvConfig(name, level), n)
    rng = np.random.default_rng(0)
    obs, _ = made.vector.reset(seed=1)
    seen, length, playing = [obs], np.full(n, steps), np.ones(n, bool)
    for t in range(steps):
        obs, _, terminated, truncated, _ = made.vector.step(rng.integers(0, made.vector.single_action_space.n, n))
        seen.append(np.where(playing[:, None], obs, 0))
        over = playing & (terminated | truncated)
        length[over] = t + 1
        playing &= ~over
    assert made.layout is not None
    return np.stack(seen), length, made.layout


def test_hindsight_is_where_a_thing_comes_out_and_last_seen_where_it_went_in() -> None:
    obs = rows([(0, 0.1, 0.2)], [], [], [(0, 0.5, -0.5), (1, 0.3, 0.3)], [])[:, None]
    known, places, _ = hindsight(obs, np.array([5]), LAYOUT)
    assert known[:, 0, 0].tolist() == [True, True, True, True, False]
    np.testing.assert_allclose(places[:4, 0, 0, :2], [[0.1, 0.2], [0.5, -0.5], [0.5, -0.5], [0.5, -0.5]])
    np.testing.assert_allclose(places[:4, 0, 0, 2], scaled(np.array([0, 2, 1, 0])))
    assert known[:4, 0, 1].all() and not known[:, 0, 2].any()
    known, places, _ = last_seen(obs, np.array([5]), LAYOUT)
    assert known[:, 0, 1].tolist() == [False, False, False, True, True]
    np.testing.assert_allclose(places[:3, 0, 0, :2], [[0.1, 0.2]] * 3)
    np.testing.assert_allclose(places[:3, 0, 0, 2], scaled(np.array([0, 1, 2])))


def test_what_lies_after_the_end_of_an_episode_is_not_used() -> None:
    obs = rows([(0, 0.1, 0.2)], [], [(0, 0.9, 0.9)])[:, None]
    known, _, _ = hindsight(obs, np.array([2]), LAYOUT)
    assert known[:, 0, 0].tolist() == [True, False, False]


def test_of_two_that_look_alike_neither_is_observed() -> None:
    known, _ = observed(rows([(0, 0.1, 0.2), (0, 0.3, 0.3)], [(-1, 0.1, 0.2)]), LAYOUT)
    assert not known.any()


def test_numbers_are_those_of_sights() -> None:
    obs = rows([(0, 0.1, 0.2)], [], [(0, 0.1, 0.2), (0, 0.3, 0.3)], [(1, 0.1, 0.2)])[:, None]
    assert hindsight(obs, np.array([4]), LAYOUT).numbers[:, 0, :2].tolist() == [[3, 1], [2, 1], [2, 1], [0, 1]]
    assert hindsight(obs, np.array([2]), LAYOUT).numbers[:, 0, 0].tolist() == [1, 0, 0, 0]
    assert last_seen(obs, np.array([4]), LAYOUT).numbers[:, 0, :2].tolist() == [[1, 0], [1, 0], [3, 0], [3, 1]]


def test_where_several_may_look_alike_the_map_tells_how_many_sights_are_to_come() -> None:
    layout = Layout(Sizes(colours=1, disc_slots=5, box_slots=0), 3.0, "distance", "room")
    assert several(layout) and not several(LAYOUT)
    torch.manual_seed(0)
    head, alone = PlaceMap(4, 32, layout), PlaceMap(4, 32, LAYOUT)
    assert head.look_up_size == alone.look_up_size + 1
    features, numbers = torch.eye(4), torch.tensor([[0.0], [1.0], [3.0], [20.0]])
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        head.loss(features, torch.zeros(4, 1), torch.zeros(4, 1, 3), numbers).mean().backward()
        optimizer.step()
    obs = torch.zeros(4, layout.size)
    obs[:, layout.query.start] = 1
    with torch.no_grad():
        told = head.look_up(features, obs)[:, -1] * UNIT
    np.testing.assert_allclose(told, [0, 1, 3, MOST], atol=0.1)


def test_places_seen_from_the_agent_are_turned_into_the_room() -> None:
    layout = Layout(LAYOUT.sizes, 3.0, "distance", "ego")
    obs = rows([(1, 0.5, 0.0)], layout=layout)
    obs[:, :4] = 0.2, 0.3, 0.0, 1.0  # facing along y
    known, places = observed(obs, layout)
    assert known[0, 1]
    np.testing.assert_allclose(places[0, 1], [0.2, 0.8], atol=1e-6)


@pytest.mark.parametrize("name", ["RolledBehind", "Cups", "Rex", "Bedroom", "Tunnel", "Tally"])
@pytest.mark.parametrize("level", [1, 3])
def test_labels_are_places_that_are_really_observed(name: str, level: int) -> None:
    obs, length, layout = played(name, level)
    shown, where = observed(obs, layout)
    for label, future in ((hindsight, True), (last_seen, False)):
        known, places, _ = label(obs, length + 1, layout)
        for i, n in enumerate(length):
            for t in range(0, n + 1, 5):
                span = slice(t, n + 1) if future else slice(0, t + 1)
                for k in range(entities(layout)):
                    times = np.flatnonzero(shown[span, i, k])
                    assert known[t, i, k] == bool(len(times))
                    if len(times):
                        at = times[0 if future else -1]
                        away = at if future else t - at
                        np.testing.assert_array_equal(places[t, i, k, :2], where[span, i, k][at])
                        assert places[t, i, k, 2] == scaled(np.float32(away))


@pytest.mark.parametrize(
    ("name", "level"), [("RolledBehind", 2), ("Rex", 2), ("Cups", 2), ("Bedroom", 2), ("Detour", 2)]
)
def test_rays_show_what_slots_show(name: str, level: int) -> None:
    slots, rays = make(EnvConfig(name, level), 16), make(EnvConfig(name, level, obs="rays"), 16)
    layout, head, eye = slots.layout, rays.layout, rays.observation.rays
    assert layout is not None and head == layout and eye is not None
    discs = layout.colours if layout.discs[1] else 0
    rng = np.random.default_rng(0)
    seen, through = slots.vector.reset(seed=3)[0], rays.vector.reset(seed=3)[0]
    missed = found = 0
    for _ in range(30):
        shown, where = observed(seen, layout)
        shown_to_rays, hit = observed(through, head, eye)
        away = np.linalg.norm(where - seen[:, None, :2], axis=-1)
        apart = np.linalg.norm(where - hit, axis=-1)[:, :discs]
        both = (shown & shown_to_rays)[:, :discs]
        # to half a sector, and where only one edge shows, to a radius of .15 m more
        assert (apart <= np.sin(eye.fov / eye.count / 2) * away[:, :discs] + 0.15 / layout.scale)[both].all()
        one = counted(seen, layout) <= 1
        assert not (shown_to_rays & ~shown & one)[:, :discs].any(), "rays show no disc that slots do not"
        missed, found = missed + (shown & ~shown_to_rays).sum(), found + (shown & shown_to_rays).sum()
        action = rng.integers(0, slots.vector.single_action_space.n, 16)
        seen, through = slots.vector.step(action)[0], rays.vector.step(action)[0]
    assert found > 100 and missed < 0.2 * found


def test_rays_tell_two_discs_of_one_colour_by_their_depths() -> None:
    made = make(EnvConfig("Cups", 2, obs="rays"), 1)
    layout, eye = made.layout, made.observation.rays
    assert layout is not None and eye is not None
    row = np.zeros((1, made.observation.size), np.float32)
    row[0, 2] = 1  # facing along x
    ray = row[0, eye.start : eye.stop].reshape(eye.count, eye.width)
    straight = eye.count // 2
    ray[straight - 1 : straight + 1] = 0.25, 1, 1 / layout.colours
    known, places = observed(row, layout, eye)
    assert known[0].tolist() == [True, False] and counted(row, layout, eye)[0].tolist() == [1, 0]
    np.testing.assert_allclose(places[0, 0], [0.5, 0], atol=0.01)
    ray[3] = 0.3, 1, 1 / layout.colours
    assert not observed(row, layout, eye)[0].any() and counted(row, layout, eye)[0].tolist() == [2, 0]
    ray[3] = 0.3, 2 / 3, 1 / layout.colours
    assert observed(row, layout, eye)[0][0].tolist() == [True, False], "a box is no disc"


def test_the_loss_leads_to_the_labels() -> None:
    torch.manual_seed(0)
    head = PlaceMap(4, 32, LAYOUT)
    features = torch.randn(64, 4)
    places = torch.stack([features[:, :3].tanh() * 0.9] * 3, 1)
    known = (features[:, 3:] > 0).float().expand(-1, 3)
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        head.loss(features, known, places, known).mean().backward()
        optimizer.step()
    probability, mean = head(features)
    assert ((probability > 0.5) == (known > 0.5)).float().mean() > 0.98
    assert (mean - places)[known > 0.5].abs().mean() < 0.03


def test_the_look_up_points_to_what_is_asked_for() -> None:
    head = PlaceMap(4, 8, LAYOUT)
    obs = torch.zeros(3, LAYOUT.size)
    obs[:, :4] = torch.tensor([0.2, 0.1, 0.0, 1.0])  # facing along y
    obs[0, LAYOUT.query.start] = 1
    obs[1, LAYOUT.query.start + 1] = 1
    features = torch.randn(1, 4).expand(3, 4)
    with torch.no_grad():
        known, places = head(features)
        found = head.look_up(features, obs)
    assert found.shape == (3, head.look_up_size) and not found[2].any(), "nothing is asked"
    for row, entity in ((0, 0), (1, 1)):
        dx, dy = (places[row, entity, :2] - obs[row, :2]).tolist()
        expected = [float(known[row, entity]), float(places[row, entity, 2]), dx, dy, dy, -dx, np.hypot(dx, dy)]
        np.testing.assert_allclose(found[row, :7], expected, atol=1e-6)
    obs[0, 2:4] = 0  # no pose in a blackout
    assert not head.look_up(features, obs)[0].any()


@pytest.mark.parametrize(
    ("sizes", "entity"),
    [
        (Sizes(colours=2, disc_slots=2, box_slots=3, box_kinds=4, queries=4), 3),
        (Sizes(colours=2, disc_slots=2, box_slots=3, box_kinds=4, queries=6), 1),
        (Sizes(colours=2, disc_slots=2, box_slots=3, box_kinds=2), 1),
    ],
)
def test_a_query_names_colours_kinds_of_box_or_both(sizes: Sizes, entity: int) -> None:
    layout = Layout(sizes, 3.0, "colour", "room")
    head = PlaceMap(4, 8, layout)
    obs = torch.zeros(1, layout.size)
    obs[:, 2] = 1
    obs[:, layout.query.start + 1] = 1
    features = torch.randn(1, 4)
    np.testing.assert_allclose(
        head.look_up(features, obs)[0, 2:4].detach(), head(features)[1][0, entity, :2].detach(), atol=1e-6
    )
