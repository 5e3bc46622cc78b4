"""Detour: glass and doors hold, every draw is solvable and only by a detour, and the presets are what they are called."""

import heapq
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.errors import BadParameter
from unseen.envs.planar.physics import path_clear
from unseen.envs.planar.world import AGENT_RADIUS, REVEAL, STRIDE
from unseen.envs.planning.detour.distance_field import (
    BLOCKED,
    FIELD,
    INFINITE,
    RESOLUTION,
    agent_in_box,
    beyond_door,
    cell_of,
    centre_of,
    least_metres,
)
from unseen.envs.planning.detour.draw import DOOR, WALL
from unseen.envs.planning.detour.path import REACH, plan_path
from unseen.envs.planning.detour.rules import LOOK_STEPS
from unseen.envs.planning.detour.spec import Detour
from unseen.envs.suite import make, make_vec, resolve
from unseen.train.audit.subject import play

agent_in_box, beyond_door, cell_of = map(host, (agent_in_box, beyond_door, cell_of))
centre_of, least_metres, path_clear, plan_path = map(host, (centre_of, least_metres, path_clear, plan_path))

FORWARD, STAY = 0, 3
LEVELS = tuple(resolve("Detour").levels)


@cache
def envs(level: int | str, n: int = 64, action: str = "discrete") -> TaskVectorEnv:
    return make_vec("Detour", n, level=level, action=action)


def doors_of(s: np.void) -> range:
    return range(s["n_boxes"] - s["doors"], s["n_boxes"])


def field_of(s: np.void) -> np.void:
    """The distances to the asked block."""
    field = np.zeros(1, FIELD)[0]
    plan_path(s, field)
    return field


def stand_at_door(s: np.void, k: int, along: float) -> None:
    """Put the agent before (along < 0) or behind door k, facing it."""
    s["agent_x"], s["agent_y"] = s["box_x"][k] + along * s["box_cos"][k], s["box_y"][k] + along * s["box_sin"][k]
    s["heading"] = math.atan2(s["box_sin"][k], s["box_cos"][k]) + (math.pi if along > 0 else 0.0)


# --- the walls and the doors ---


@settings(max_examples=12, deadline=None)
@given(
    level=st.sampled_from([1, 2, 3]),
    seed=st.integers(0, 2**40),
    rows=st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=10, max_size=30),
)
def test_glass_is_solid_however_one_drives(level: int, seed: int, rows: list[tuple[float, float]]) -> None:
    env = envs(level, 12, "continuous")
    env.reset(seed=seed)
    live = np.ones(12, bool)
    for row in rows:
        _, _, terminated, _, _ = env.step(np.tile(np.array(row, np.float32), (12, 1)))
        live &= ~terminated
        for s in env.world[live]:
            worst = max(
                agent_in_box(s, k, s["agent_x"], s["agent_y"]) for k in range(s["n_boxes"]) if s["box_kind"][k] == WALL
            )
            assert worst < 0.02
            assert (
                abs(s["agent_x"]) <= s["room_hx"] - AGENT_RADIUS + 1e-9
                and abs(s["agent_y"]) <= s["room_hy"] - AGENT_RADIUS + 1e-9
            )


def test_a_door_lets_through_once_and_in_one_direction() -> None:
    env = make_vec("Detour", 64, level=3, blocks=1)
    env.reset(seed=1)
    w = env.world
    doors = [doors_of(s)[i % 2] for i, s in enumerate(w)]
    for s, k in zip(w, doors, strict=True):
        stand_at_door(s, k, 0.5)
    env.step(np.full(64, FORWARD))
    env.step(np.full(64, FORWARD))
    for s, k in zip(w, doors, strict=True):
        assert (
            beyond_door(s, k, s["agent_x"], s["agent_y"]) >= 0.2 and s["box_kind"][k] == DOOR
        )  # shut to who comes from behind
        stand_at_door(s, k, -0.5)
    for _ in range(3):
        env.step(np.full(64, FORWARD))
    through = [
        i for i, (s, k) in enumerate(zip(w, doors, strict=True)) if beyond_door(s, k, s["agent_x"], s["agent_y"]) > 0.25
    ]
    assert len(through) > 48  # the others slid along a wall or touched a block
    for i in through:
        s, k = w[i], doors[i]
        assert s["box_kind"][k] == WALL
        s["heading"] += math.pi
    for _ in range(4):
        env.step(np.full(64, FORWARD))
    assert all(beyond_door(w[i], doors[i], w[i]["agent_x"], w[i]["agent_y"]) >= 0.2 for i in through)


def test_who_turns_back_in_the_doorway_has_not_used_the_door() -> None:
    env = make_vec("Detour", 64, level=3, blocks=1)
    env.reset(seed=2)
    for s in env.world:
        stand_at_door(s, doors_of(s)[0], -0.3)
    env.step(np.full(64, FORWARD))
    assert all(s["in_door"] == doors_of(s)[0] for s in env.world if not s["done"])
    for s in env.world:
        s["heading"] += math.pi
    env.step(np.full(64, FORWARD))
    env.step(np.full(64, FORWARD))
    for s in env.world[env.world["done"] == 0]:
        assert (
            s["in_door"] == -1
            and s["box_kind"][doors_of(s)[0]] == DOOR
            and beyond_door(s, doors_of(s)[0], s["agent_x"], s["agent_y"]) < 0
        )


def test_one_door_is_right_and_the_wrong_one_is_for_good() -> None:
    env = make_vec("Detour", 200, level=3, blocks=1)
    obs, _ = env.reset(seed=3)
    w, wrong = env.world, np.full(200, -1)
    for i, s in enumerate(w):
        inner, field = [], field_of(s)
        for k in doors_of(s):
            c = cell_of(s, s["box_x"][k] + 0.45 * s["box_cos"][k], s["box_y"][k] + 0.45 * s["box_sin"][k])
            inner.append(field["distance"][c] < INFINITE)
        assert sum(inner) <= 1
        if sum(inner) == 1:
            wrong[i] = doors_of(s)[inner.index(False)]
            stand_at_door(s, wrong[i], 0.45)
            s["box_kind"][wrong[i]] = WALL
    caught = wrong >= 0
    assert caught.mean() > 0.9
    assert (env.reference("oracle").act(obs, np.zeros(200, bool))[caught] == STAY).all()
    rng, over, total = np.random.default_rng(0), ~caught, np.zeros(200)
    for _ in range(80):
        _, reward, terminated, truncated, _ = env.step(rng.integers(0, 3, 200))
        total += np.where(over, 0, reward)
        over |= terminated | truncated
    assert over.all() and total.sum() == 0


# --- the certificate ---


@pytest.mark.parametrize("split", ["test", "shift"])
@pytest.mark.parametrize("level", [*LEVELS, *Detour.presets])
def test_the_certified_path_works_and_the_straight_way_does_not(level: int | str, split: str) -> None:
    env = make_vec("Detour", 200, level=level, split=split)
    obs, _ = env.reset(seed=4)
    shortest, steps = env.world["plan_steps"].copy(), np.zeros(200, int)
    oracle, over = env.reference("oracle"), np.zeros(200, bool)
    assert (shortest > 0).all() and (shortest <= env.params.act).all()
    while not over.all():
        obs, reward, terminated, _, infos = env.step(oracle.act(obs, np.zeros(200, bool)))
        steps += ~over
        ends = terminated & ~over
        assert (reward[ends] == 1).all()
        if ends.any():  # the path's length is told at the end
            assert (infos["plan_steps"][ends] == shortest[ends]).all()
        over |= terminated
    assert (steps == shortest).all()
    greedy = play(env, "reflex", 4, 200).mean()
    assert greedy >= 0.95 if level == 0 else greedy <= 0.05
    assert play(env, "tracker", 4, 200).mean() >= 0.9


def test_the_field_is_the_shortest_way_on_its_grid() -> None:
    env = envs(3)
    env.reset(seed=5)
    for s in env.world[:6]:
        field = field_of(s)
        mark, best = field["mark"], {}
        heap = [(0, int(c)) for c in np.nonzero(field["distance"] == 0)[0]]
        assert heap
        for _, c in heap:
            x, y = centre_of(s, c)
            assert math.hypot(x - s["disc_x"][s["target"]], y - s["disc_y"][s["target"]]) < REACH
        while heap:
            d, c = heapq.heappop(heap)
            if c in best:
                continue
            best[c] = d
            for di in (-1, 0, 1):
                for dj in (-1, 0, 1):
                    i, j = c // RESOLUTION + di, c % RESOLUTION + dj
                    n = i * RESOLUTION + j
                    if not (di or dj) or not (0 <= i < RESOLUTION and 0 <= j < RESOLUTION) or mark[n] == BLOCKED:
                        continue
                    k = mark[c] - 1
                    if k >= 0 and mark[n] != k + 1 and beyond_door(s, k, *centre_of(s, n)) >= 0:
                        continue  # into a doorway from behind the door
                    heapq.heappush(heap, (d + (7 if di and dj else 5), n))
        assert all(best.get(c, INFINITE) == field["distance"][c] for c in range(RESOLUTION * RESOLUTION))


@pytest.mark.parametrize("level", [2, 3])
def test_resets_never_fail(level: int) -> None:
    envs(level, 4_000).reset(seed=6)


@pytest.mark.parametrize(("level", "most"), [(1, 3), (2, 7), (3, 11)])
def test_a_reset_needs_few_tries(level: int, most: int) -> None:
    env = make_vec("Detour", 500, level=level)
    env.reset(seed=0)
    assert env.world["tries"].mean() < most


@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_walk_that_succeeds_would_be_given_up(level: int) -> None:
    n = 60
    env = make_vec("Detour", n, level=level)
    env.reset(seed=3)
    fields, steps = [field_of(s) for s in env.world], env.world["plan_steps"].copy()
    oracle, first = env.reference("oracle"), np.zeros(n, bool)
    for t in range(steps.max() - 1):
        for s, field, most in zip(env.world, fields, steps, strict=True):
            assert t >= most or least_metres(s, field) <= (most - t) * STRIDE
        env.step(oracle.act(None, first))


def test_the_block_is_in_view_at_first_and_lost_on_the_way() -> None:
    env = envs(2, 300)
    obs, _ = env.reset(seed=7)
    start, count, width = env.layout.discs
    oracle, lost, over = env.reference("oracle"), np.zeros(300, bool), np.zeros(300, bool)
    slot = start + width * env.world["query"]
    assert (obs[np.arange(300), slot] == 1).all()
    while not over.all():
        obs, _, terminated, _, _ = env.step(oracle.act(obs, np.zeros(300, bool)))
        over |= terminated
        lost |= ~over & (obs[np.arange(300), slot] == 0)
    assert lost.mean() > 0.7


def test_another_block_ends_the_episode_with_nothing() -> None:
    env = envs(2)
    env.reset(seed=8)
    for s in env.world:
        k = (s["target"] + 1) % 3
        s["disc_x"][k], s["disc_y"][k] = (
            s["agent_x"] + 0.3 * math.cos(s["heading"]),
            s["agent_y"] + 0.3 * math.sin(s["heading"]),
        )
        s["n_boxes"] = 0
    _, reward, terminated, _, _ = env.step(np.full(64, STAY))
    assert terminated.all() and (reward == 0).all() and (env.world["light"] == REVEAL).all()


@pytest.mark.parametrize("level", [1, 2, 3, "night-pocket"])
@pytest.mark.parametrize("name", ["greedy", "restarts", "via", "two-places", "left-hand", "right-hand", "look"])
def test_who_does_not_plan_fails_although_he_knows_where_everything_is(level: int | str, name: str) -> None:
    env = make_vec("Detour", 400, level=level, split="test")
    assert play(env, name, 0, 400).mean() <= (0.17 if level == 1 else 0.08)


def test_level_0_is_level_1_without_the_glass() -> None:
    assert Detour.levels[0].replace((), act=60) == Detour.levels[1].replace((), barriers=0, panel=0, spare=150)


def test_at_night_nothing_shows_but_the_pose_and_what_is_touched() -> None:
    one, other = (make_vec("Detour", 100, level=3, obs="dict") for _ in range(2))
    for env in (one, other):
        env.reset(seed=12)
        for _ in range(LOOK_STEPS):
            env.step(np.full(100, STAY))
    for s in other.world:  # the asked block and another change places
        k, j = s["target"], (s["target"] + 1) % 3
        for axis in ("disc_x", "disc_y"):
            s[axis][k], s[axis][j] = s[axis][j], s[axis][k]
    rng, open_ = np.random.default_rng(0), np.ones(100, bool)
    for _ in range(20):
        before, after = one.observe(), other.observe()
        for name in ("slots", "rays", "pixels"):
            assert np.array_equal(before[name][open_], after[name][open_]), name
        actions = rng.integers(0, 3, 100)
        for env in (one, other):
            _, _, terminated, truncated, _ = env.step(actions)
            open_ &= ~(terminated | truncated)
    assert open_.sum() > 60
    one.world["light"] = other.world["light"] = REVEAL  # the comparison can fail
    assert not np.array_equal(one.observe()["slots"], other.observe()["slots"])


def test_time_is_up_soon_after_the_certified_path_and_that_truncates() -> None:
    env = make_vec("Detour", 100, level=2)
    env.reset(seed=13)
    limit, plan = env.world["limit"].copy(), env.world["plan_steps"].copy()
    assert (limit == np.minimum(plan + env.params.spare, env.params.act)).all()
    for t in range(1, limit.max() + 1):
        _, reward, terminated, truncated, _ = env.step(np.full(100, STAY))
        assert (truncated == (limit == t))[limit >= t].all() and not terminated[limit >= t].any()


# --- what shows ---


@pytest.mark.parametrize("level", [2, "opaque-barrier"])
def test_what_is_out_of_sight_is_in_no_observation(level: int | str) -> None:
    env = make_vec("Detour", 80, level=level, obs="dict")
    env.reset(seed=9)
    for _ in range(LOOK_STEPS):
        env.step(np.full(80, STAY))
    for s in env.world:
        if level == 2:
            s["heading"] += math.pi  # the block is behind the agent now
        s["disc_x"][s["target"]] += 0.02
    before = env.observe()
    for s in env.world:
        s["disc_x"][s["target"]] -= 0.04
        s["plan_steps"] += 5
    after = env.observe()
    hidden = [i for i, s in enumerate(env.world) if not shows(s)]
    assert len(hidden) > 30
    for name in ("slots", "rays", "pixels"):
        assert np.array_equal(before[name][hidden], after[name][hidden]), name


def shows(s: np.void) -> bool:
    """Whether the asked block is in view, a hand's breadth to spare, with nothing opaque before it."""
    x, y = s["disc_x"][s["target"]], s["disc_y"][s["target"]]
    off = (math.atan2(y - s["agent_y"], x - s["agent_x"]) - s["heading"] + math.pi) % (2 * math.pi) - math.pi
    around = [(x + 0.2 * math.cos(a), y + 0.2 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 12)]
    clear = s["glass"] == 1 or any(path_clear(s, s["agent_x"], s["agent_y"], *point) for point in around)
    return abs(off) < 0.5 * s["fov"] + 0.3 and clear


def test_slots_tell_walls_and_the_direction_of_doors() -> None:
    env = make_vec("Detour", 32, level=3, order="colour", frame="room", fov=360.0)
    obs, _ = env.reset(seed=10)
    start, count, width = env.layout.boxes
    for row, s in zip(obs, env.world, strict=True):
        slots = row[start : start + count * width].reshape(count, width)
        assert (slots[: s["n_boxes"], 0] == 1).all() and count == s["n_boxes"]
        for k in range(s["n_boxes"]):
            want = [
                s["box_x"][k] / s["room_hx"],
                s["box_y"][k] / s["room_hx"],
                s["box_cos"][k],
                s["box_sin"][k],
                s["box_hx"][k] / s["room_hx"],
                s["box_hy"][k] / s["room_hx"],
            ]
            assert np.allclose(slots[k, 1:7], want, atol=1e-6)
            assert list(slots[k, 7:]) == ([0, 1] if k in doors_of(s) else [1, 0])


@pytest.mark.parametrize("obs", ["dict", "state"])
def test_every_observation_lies_in_its_space(obs: str) -> None:
    env = make_vec("Detour", 8, level=3, obs=obs)
    rows, _ = env.reset(seed=0)
    for _ in range(90):
        assert env.observation_space.contains(rows)
        rows, *_ = env.step(env.action_space.sample())


# --- presets and parameters ---


def test_barrier_is_one_straight_transparent_wall_across_the_way() -> None:
    env = make_vec("Detour", 100, level="barrier")
    obs, _ = env.reset(seed=11)
    start = env.layout.discs[0]
    for _ in range(LOOK_STEPS + 2):
        assert (obs[:, start] == 1).all()  # it never goes out of sight of who stays
        for s in env.world:
            assert s["n_boxes"] == 1 and s["glass"] == 1
            assert not path_clear(s, s["agent_x"], s["agent_y"], s["disc_x"][0], s["disc_y"][0])
        obs, *_ = env.step(np.full(100, STAY))


def test_opaque_barrier_is_its_twin_that_hides_the_block_once_it_has_been_seen() -> None:
    env, twin = make_vec("Detour", 100, level="opaque-barrier"), make_vec("Detour", 100, level="barrier")
    obs, _ = env.reset(seed=11)
    twin.reset(seed=11)
    for name in ("agent_x", "agent_y", "heading", "disc_x", "disc_y", "box_x", "box_y", "plan_steps"):
        assert np.array_equal(env.world[name], twin.world[name])
    start = env.layout.discs[0]
    for _ in range(LOOK_STEPS):
        assert (obs[:, start] == 1).all()
        obs, *_ = env.step(np.full(100, STAY))
    assert (obs[:, start] == 0).mean() > 0.7  # of the others an edge looks out beside the wall
    assert (env.world["glass"] == 0).all()


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        (dict(barriers=3), "0..2"), (dict(doors=4, barriers=2), "0..3"), (dict(doors=2), "barriers=1"),
        (dict(blocks=0), "1..4"), (dict(depth=-0.1), "0..1.8"), (dict(glass=1), "True or False"),
        (dict(act=1.5), "8..150"), (dict(barriers=2, room=2.0), "2.5"), (dict(breadth=float("nan")), "0.5..1.2"),
        (dict(room=1.6), "room"), (dict(deep=1.0), "depth"), (dict(blackout=3), "unexpected keyword argument"),
        (dict(barriers=0), "barriers=0"), (dict(spare=20), "panel=8"), (dict(depth=0.5), "plan_low=10"),
        (dict(act=20), "at least 34"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named_with_what_is_allowed(parameters: dict, says: str) -> None:
    with pytest.raises(BadParameter) as caught:
        make("Detour", **parameters)
    assert says in str(caught.value) and any(name in str(caught.value) for name in parameters)


@pytest.mark.parametrize("depth", Detour.curves["depth"])
def test_the_curve_over_depth_can_be_drawn(depth: float) -> None:
    for split in ("test", "shift"):
        make_vec("Detour", 500, level=2, depth=depth, split=split).reset(seed=0)


@pytest.mark.parametrize("split", ["train", "shift"])
def test_accepted_parameters_can_be_drawn_and_end_by_their_horizon(split: str) -> None:
    rng, made = np.random.default_rng(0), 0
    while made < 25:
        drawn = dict(
            room=float(rng.uniform(2.5, 5.0)), barriers=int(rng.integers(0, 3)), doors=int(rng.integers(0, 4)),
            depth=float(rng.uniform(0.0, 1.8)), breadth=float(rng.uniform(0.5, 1.2)), blocks=int(rng.integers(1, 5)),
            forms=bool(rng.integers(2)), act=int(rng.integers(8, 151)), spare=int(rng.integers(0, 20)),
            plan_low=int(rng.integers(0, 25)) * int(rng.integers(2)), panel=int(rng.integers(0, 17)),
            foresight=int(rng.integers(2)), night=bool(rng.integers(2)),
        )  # fmt: skip
        try:
            env = make_vec("Detour", 8, level=2, split=split, **drawn)
        except BadParameter:
            continue
        made += 1
        env.reset(seed=0)
        over, limit = np.zeros(8, bool), env.world["limit"].copy()
        for _ in range(limit.max()):
            _, _, terminated, truncated, _ = env.step(np.full(8, STAY))
            over |= terminated | truncated
        assert limit.max() <= env.horizon and over.all()
