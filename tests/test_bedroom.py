"""Bedroom: placement of objects, darkness, termination, and odometry errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.kernels import SENSE
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.bedroom.contact import REACH
from unseen.envs.permanence.bedroom.draw import CRATE, VASE
from unseen.envs.permanence.bedroom.rules import MAX_PLACES
from unseen.envs.permanence.bedroom.spec import Bedroom
from unseen.envs.planar.world import ACT, AGENT_RADIUS, NIGHT, OBSERVE, REVEAL, push_out
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

push_out = host(push_out)

FORWARD, TURN_ROUND, STAY = 0, 3, 4
LEVELS = tuple(Bedroom.levels)


def to_the_dark(env: TaskVectorEnv, seed: int = 0) -> np.ndarray:
    """Stay until the act phase begins in every environment (their blackouts are equally long); the observation."""
    obs, _ = env.reset(seed=seed)
    while (env.world["phase"] != ACT).any():
        obs, *_ = env.step(np.full(env.num_envs, STAY))
    return obs


def dark(n: int, level: int = 2, **overrides: Any) -> TaskVectorEnv:
    env = make_vec("Bedroom", n, level=level, **{"blackout": 2, "look": 2, **overrides})
    to_the_dark(env)
    return env


def spot_of(s: np.void, k: int) -> np.ndarray:
    """The spot of place k, worked out from its box alone: 0.3 m from the wall at its back."""
    return np.array([s["box_x"][k], s["box_y"][k]]) + (0.3 - s["box_hx"][k]) * np.array(
        [s["box_cos"][k], s["box_sin"][k]]
    )


def corners(s: np.void, k: int) -> np.ndarray:
    """The corners of box k, (4, 2)."""
    a, b = s["box_hx"][k], s["box_hy"][k]
    at = np.array([[a, b], [a, -b], [-a, -b], [-a, b]])
    cos, sin = s["box_cos"][k], s["box_sin"][k]
    return np.array([s["box_x"][k], s["box_y"][k]]) + at @ np.array([[cos, sin], [-sin, cos]])


def apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two convex quadrilaterals do not overlap: a side of one of them separates them."""
    for shape in (one, other):
        for i in range(4):
            side = shape[(i + 1) % 4] - shape[i]
            normal = np.array([side[1], -side[0]])
            if (one @ normal).max() < (other @ normal).min() or (other @ normal).max() < (one @ normal).min():
                return True
    return False


# --- what stands where ---


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "places": st.integers(2, 5), "spots": st.integers(4, 8), "room": st.floats(1.5, 5.0),
            "vases": st.integers(0, 4), "crates": st.integers(0, 4), "cat": st.booleans(),
            "guards": st.booleans(), "scramble": st.floats(0.0, 0.5), "query": st.sampled_from(["fixed", "first", "late"]),
        }
    ),
    st.sampled_from(["train", "shift"]),
    st.integers(0, 10_000),
)  # fmt: skip
def test_what_parameters_allow_can_be_furnished(overrides: dict, split: str, seed: int) -> None:
    """Nothing overlaps, everything is in the room, and the agent is set down where it touches nothing."""
    try:
        env = make_vec("Bedroom", 4, split=split, **overrides)
    except BadParameter:
        return
    env.reset(seed=seed)
    p = env.params
    for s in env.world:
        n = int(s["n_boxes"])
        boxes = [corners(s, k) for k in range(n)]
        assert n == p.places + p.vases + p.crates + p.guards * p.spots
        assert all((np.abs(box) <= [s["room_hx"] + 1e-9, s["room_hy"] + 1e-9]).all() for box in boxes)
        assert all(apart(boxes[i], boxes[j]) for i in range(n) for j in range(i))
        assert push_out(s, s["spawn_x"], s["spawn_y"], AGENT_RADIUS + 0.06) == (s["spawn_x"], s["spawn_y"])
        for k in range(p.places):
            assert math.dist(spot_of(s, k), (s["spawn_x"], s["spawn_y"])) > REACH
        assert s["box_kind"][:n].tolist() == [
            *range(p.places), *[VASE] * p.vases, *[CRATE] * p.crates, *[VASE] * (p.guards * p.spots)
        ]  # fmt: skip
        assert len({*s["home"][: p.places]}) == p.places
        assert s["home"][s["target"]] == s["answer"] < p.spots
        assert p.query != "fixed" or (s["target"] == 0) == (split != "shift")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("split", ["train", "shift"])
def test_every_piece_inflated_by_the_agent_fits_inside_its_ring(level: int, split: str) -> None:
    """Otherwise a walk that keeps out of the rings would still touch large pieces, and find them without memory."""
    env = make_vec("Bedroom", 200, level=level, split=split)
    env.reset(seed=0)
    for s in env.world:
        for k in range(env.params.places):
            reach = np.linalg.norm(corners(s, k) - spot_of(s, k), axis=1).max() + AGENT_RADIUS
            assert reach <= REACH


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("split", ["train", "shift"])
def test_no_reset_fails_and_every_spot_is_asked_for_alike(level: int, split: str) -> None:
    env = make_vec("Bedroom", 20_000, level=level, split=split)
    env.reset(seed=0)
    spots = env.params.spots
    assert (env.world["tries"] == 1).all()
    share = np.bincount(env.batch.hidden(), minlength=spots) / 20_000
    assert share == pytest.approx(1 / spots, abs=4.5 * (1 / spots / 20_000) ** 0.5)
    for kind in range(env.params.places):  # nor does what is asked for tell where it stands
        asked = env.batch.hidden()[env.world["target"] == kind]
        if len(asked):
            share = np.bincount(asked, minlength=spots) / len(asked)
            assert share == pytest.approx(1 / spots, abs=4.5 * (1 / spots / len(asked)) ** 0.5)


@pytest.mark.parametrize("level", LEVELS)
def test_every_place_at_every_spot_can_be_reached(level: int) -> None:
    n = 1500
    env = make_vec("Bedroom", n, level=level)
    obs, _ = env.reset(seed=7)
    asked, spot = env.world["target"].copy(), env.batch.hidden()
    oracle = env.reference("oracle")
    score, over = np.zeros(n), np.zeros(n, bool)
    while not over.all():
        obs, reward, ended, *_ = env.step(oracle.act(obs, np.zeros(n, bool)))
        score += reward * ~over
        over |= ended
    for k in range(env.params.places):
        for j in range(env.params.spots):
            mine = (asked == k) & (spot == j)
            assert not mine.any() or score[mine].mean() > 0.8
    assert score.mean() >= 0.95


# --- what the dark hides ---


@pytest.mark.parametrize("level", [1, 2, 3])
def test_in_the_dark_no_observation_shows_where_anything_is(level: int) -> None:
    env = dark(16, level, obs="dict")
    assert (env.world["light"] == NIGHT).all()
    before = {name: rows.copy() for name, rows in zip(env.batch.names, env.batch.obs, strict=True)}
    w = env.world
    for name in ("box_x", "box_y", "disc_x", "disc_y"):
        w[name] += 0.3
    w["box_cos"], w["box_sin"] = w["box_sin"].copy(), w["box_cos"].copy()
    w["box_hx"] *= 1.5
    w["box_kind"] = (w["box_kind"] + 1) % MAX_PLACES
    w["target"] = (w["target"] + 1) % env.params.places
    w["answer"] += 1
    env.batch.run(SENSE)
    for name, rows in zip(env.batch.names, env.batch.obs, strict=True):
        assert np.array_equal(rows, before[name]), name
    w["light"] = REVEAL
    env.batch.run(SENSE)
    for name, rows in zip(env.batch.names, env.batch.obs, strict=True):
        assert not np.array_equal(rows, before[name]), name


@pytest.mark.parametrize("level", LEVELS)
def test_the_light_goes_out_except_at_level_0(level: int) -> None:
    env = dark(16, level)
    start, count, width = env.layout.boxes
    rows, _, ended, *_ = env.step(np.full(16, TURN_ROUND))
    assert not ended.any()
    assert (rows[:, start : start + count * width].any(1) == (level == 0)).all()
    assert (rows[:, env.layout.pose] != 0).any(1).all() == (level != 3)  # where the pose is sensed only once


def test_under_the_blackout_not_even_the_pose_shows_and_the_agent_does_not_move() -> None:
    env = make_vec("Bedroom", 32, level=3, look=1, blackout=6)
    env.reset(seed=0)
    obs, *_ = env.step(np.full(32, FORWARD))
    for _ in range(5):
        at = env.world[["agent_x", "agent_y", "heading"]].copy()
        assert (np.delete(obs, [5, *range(*env.layout.query.indices(999))], axis=1) == 0).all()
        obs, *_ = env.step(np.full(32, FORWARD))
        assert (env.world[["agent_x", "agent_y", "heading"]] == at).all()


def test_the_query_shows_when_its_parameter_says() -> None:
    for query, early in (("fixed", True), ("first", True), ("late", False)):
        env = make_vec("Bedroom", 16, level=2, query=query, look=2, blackout=2)
        obs, _ = env.reset(seed=0)
        assert (obs[:, env.layout.query].any(1) == early).all()
        obs = to_the_dark(env)
        assert (obs[:, env.layout.query].argmax(1) == env.world["target"]).all()


# --- what ends an episode ---


def put(env: TaskVectorEnv, x: np.ndarray, y: np.ndarray, heading: np.ndarray | float = 0.0) -> None:
    env.world["agent_x"], env.world["agent_y"], env.world["heading"] = x, y, heading


def spots(env: TaskVectorEnv, which: np.ndarray) -> np.ndarray:
    return np.array([spot_of(s, k) for s, k in zip(env.world, which, strict=True)])


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("right", [True, False])
def test_the_first_place_that_is_reached_ends_the_episode(level: int, right: bool) -> None:
    env = dark(64, level, cat=False, vases=0, crates=0, guards=False, reveal=True)
    which = (env.world["target"] + (not right)) % env.params.places
    at = spots(env, which) * (1 - 0.6 / np.linalg.norm(spots(env, which), axis=1, keepdims=True))
    put(env, *at.T)
    obs, reward, ended, *_ = env.step(np.full(64, STAY))
    assert ended.all() and (reward == right).all() and (env.world["light"] == REVEAL).all()
    assert (obs[:, env.layout.contact].argmax(1) == which).all()
    start, count, width = env.layout.boxes
    assert (obs[:, start : start + count * width : width] == 1).all()


def test_just_outside_the_ring_nothing_is_reached() -> None:
    env = dark(64, 1)
    at = spots(env, env.world["target"])
    inward = np.stack([env.world["box_cos"], env.world["box_sin"]])[:, np.arange(64), env.world["target"]].T
    for far, want in ((REACH + 0.01, False), (REACH - 0.01, True)):
        put(env, *(at + far * inward).T)
        _, reward, ended, *_ = env.step(np.full(64, STAY))
        assert (ended == want).all() and (reward == want).all()


@pytest.mark.parametrize(("kind", "ends"), [(VASE, True), (CRATE, False)])
def test_a_vase_must_not_be_touched_and_a_crate_may(kind: int, ends: bool) -> None:
    env = dark(64, 3, cat=False, drift=0.0)
    k = int(np.nonzero(env.world["box_kind"][0] == kind)[0][0])
    away = 0.75 - (env.world["box_x"][:, k] ** 2 + env.world["box_y"][:, k] ** 2) ** 0.5
    x, y = env.world["box_x"][:, k], env.world["box_y"][:, k]
    heading = np.arctan2(y, x)
    back = 0.45 if kind == VASE else 0.5
    assert (away < 0).all()
    put(env, x - back * np.cos(heading), y - back * np.sin(heading), heading)
    obs, reward, ended, *_ = env.step(np.full(64, FORWARD))
    assert (ended == ends).all() and (reward == 0).all()
    assert (obs[:, env.layout.contact].argmax(1) == kind).all()
    assert (obs[:, env.layout.signals] == 1).all()


def test_a_bump_into_the_wall_is_felt_and_ends_nothing() -> None:
    env = dark(64, 2, places=2, guards=False, room=2.3)
    w = env.world
    for k in range(2):  # out of the way
        w["box_x"][:, k], w["box_y"][:, k] = -2.0, 0.0
    put(env, np.full(64, 2.0), np.full(64, 0.0))
    obs, _, ended, *_ = env.step(np.full(64, FORWARD))
    assert not ended.any() and (obs[:, env.layout.signals] == 1).all() and (obs[:, env.layout.contact] == 0).all()
    put(env, np.full(64, 0.0), np.full(64, 0.0))
    obs, *_ = env.step(np.full(64, FORWARD))
    assert (obs[:, env.layout.signals] == 0).all()


@pytest.mark.parametrize("level", LEVELS)
def test_while_the_light_is_on_nothing_counts(level: int) -> None:
    env = make_vec("Bedroom", 200, level=level, look=40, blackout=1)
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    touched = np.zeros(200, bool)
    for _ in range(39):
        obs, reward, ended, *_ = env.step(rng.choice([0, 0, 0, 1, 2], 200))
        touched |= obs[:, env.layout.contact].any(1)
        assert not ended.any() and not reward.any() and (env.world["phase"] == OBSERVE).all()
    assert touched.mean() > 0.5


def test_the_agent_steps_on_the_cat_only_by_its_own_step() -> None:
    env = dark(32, 3, guards=False, crates=0)
    w = env.world
    for own in (False, True):  # first the cat walks up to the agent, then the agent steps on the cat
        put(env, np.zeros(32), np.zeros(32))
        w["disc_x"][:, 0], w["disc_y"][:, 0], w["disc_vx"][:, 0], w["disc_vy"][:, 0] = 0.42, 0.0, -0.4, 0.0
        obs, reward, ended, *_ = env.step(np.full(32, FORWARD if own else STAY))
        assert (ended == own).all() and (reward == 0).all()
        assert (obs[:, env.layout.bump] == 1).all()
    env = dark(32, 3, guards=False, crates=0)
    put(env, np.zeros(32), np.zeros(32))
    env.world["disc_x"][:, 0] = 1.2
    env.world["disc_vx"] = env.world["disc_vy"] = 0.0
    obs, *_ = env.step(np.full(32, STAY))
    assert (obs[:, env.layout.bump] == 0).all()


# --- odometry ---


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 0.6), st.integers(0, 1000))
def test_drift_keeps_within_its_bound(drift: float, seed: int) -> None:
    env = make_vec("Bedroom", 64, level=3, drift=drift, look=2, blackout=20, guards=False, sense=100, reveal=True)
    obs, _ = env.reset(seed=seed)
    most, differs = 0.0, False
    for t in range(40):
        w = env.world
        off = np.hypot(w["pose_error_x"], w["pose_error_y"])
        most = max(most, off.max())
        assert off.max() <= drift + 1e-12 and np.abs(w["pose_error_heading"]).max() <= drift / 2 + 1e-12
        assert t > 1 or off.max() == 0
        reported = obs[:, env.layout.pose][:, :2] * env.layout.scale
        true = np.stack([w["agent_x"], w["agent_y"]], 1)
        lit = w["light"] == REVEAL
        assert np.allclose(reported[lit], true[lit], atol=1e-5)
        night = w["light"] == NIGHT
        assert np.allclose(
            reported[night], (true + np.stack([w["pose_error_x"], w["pose_error_y"]], 1))[night], atol=1e-5
        )
        differs |= bool(night.any()) and not np.allclose(reported[night], true[night], atol=1e-4)
        obs, *_ = env.step(np.full(64, TURN_ROUND))
    assert most > drift / 2 and differs


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.integers(0, 1000))
def test_where_odometry_errs_all_positions_in_the_rooms_frame_move_with_it(
    x: float, y: float, h: float, seed: int
) -> None:
    """Egocentric positions do not change; those in the room's frame follow from them and from the reported pose."""
    room, ego = (make_vec("Bedroom", 4, level=3, order="colour", frame=frame, fov=360.0) for frame in ("room", "ego"))
    rows = {}
    for env in (room, ego):
        straight, _ = env.reset(seed=seed)
        for name, off in (("pose_error_x", x), ("pose_error_y", y), ("pose_error_heading", h)):
            env.world[name] = off
        env.batch.run(SENSE)
        rows[env.layout.frame] = env.batch.obs[0].copy()
        start, count, width = env.layout.boxes
        disc_start, _, disc_width = env.layout.discs
        if env is ego:
            assert np.array_equal(rows["ego"][:, start:], straight[:, start:])
    px, py, cos, sin = (rows["room"][:, i, None].astype(float) for i in range(4))
    for at, stride, number in ((start, width, count), (disc_start, disc_width, 1)):
        a, b = (
            rows[frame][:, at : at + stride * number].reshape(4, number, stride).astype(float)
            for frame in ("ego", "room")
        )
        assert np.allclose(b[..., 1], a[..., 1] * cos - a[..., 2] * sin + px, atol=1e-5)
        assert np.allclose(b[..., 2], a[..., 1] * sin + a[..., 2] * cos + py, atol=1e-5)
        assert np.allclose(b[..., 3], a[..., 3] * cos - a[..., 4] * sin, atol=1e-5)  # orientation, velocity
        assert np.allclose(b[..., 4], a[..., 3] * sin + a[..., 4] * cos, atol=1e-5)


def test_in_the_light_odometry_is_right() -> None:
    env = dark(32, 3, dark=False)
    assert not env.world["pose_error_x"].any() and not env.world["pose_error_heading"].any()


# --- the surface ---


def test_continuous_actions_do_what_the_arcs_do() -> None:
    arcs, free = make("Bedroom", level=1), make("Bedroom", level=1, action="continuous")
    arcs.reset(seed=5)
    free.reset(seed=5)
    for action in (0, 1, 3, 2, 4) * 4:
        a, b = arcs.step(action), free.step(np.array(list(Bedroom.actions.values())[action], np.float32))
        assert np.array_equal(a[0], b[0]) and a[1:4] == b[1:4]
        if a[2]:
            break


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (dict(places=6), "places=6: must be an integer in 2..5"),
        (dict(places=1), "places=1: must be an integer in 2..5"),
        (dict(spots=9), "spots=9: must be an integer in 4..8"),
        (dict(places=5, spots=4), "places=5: must be at most spots=4"),
        (dict(vases=3, crates=2), "vases=3, crates=2: must be at most 4 together"),
        (dict(spots=8, room=1.9), "spots=8: too many for room=1.9"),
        (dict(level=1, vases=1), "room=2.0: must be at least"),
        (dict(guards=True, room=2.0), "guards=True: room=2.0 is too small"),
        (dict(sense=0), "sense=0: must be an integer in 1..100"),
        (dict(look=0), "look=0: must be an integer in 1..60"),
        (dict(drift=0.7), "drift=0.7: must be a number in 0..0.6"),
        (dict(drift=float("nan")), "drift=nan"),
        (dict(dark=1), "dark=1: must be True or False"),
        (dict(query="never"), "query='never': must be one of 'fixed', 'first', 'late'"),
        (dict(lok=3), "did you mean 'look'"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(overrides: dict, named: str) -> None:
    with pytest.raises(BadParameter) as caught:
        make("Bedroom", **overrides)
    assert named in str(caught.value)


def test_an_episode_in_which_nothing_is_reached_takes_the_horizon() -> None:
    env = make_vec("Bedroom", 16, level=3, cat=False, blackout=(16, 16))
    env.reset(seed=0)
    for steps in range(1, env.horizon + 1):
        _, reward, terminated, truncated, _ = env.step(np.full(16, STAY))
        assert truncated.all() == truncated.any() == (steps == env.horizon) and not terminated.any()
    assert not reward.any()


def test_metrics_come_at_the_end_and_only_then() -> None:
    env = make_vec("Bedroom", 200, level=1)
    obs, infos = env.reset(seed=4)
    oracle, count = env.reference("oracle"), 0
    assert infos == {}
    for _ in range(40):
        obs, reward, ended, _, infos = env.step(oracle.act(obs, np.zeros(200, bool)))
        assert (infos == {}) == (not ended.any())
        if ended.any():
            assert np.array_equal(infos["_is_success"], ended)
            assert np.array_equal(infos["is_success"], reward > 0)
        count += ended.sum()
    assert count > 200


@pytest.mark.parametrize("obs", ["slots", "dict", "state"])
def test_every_observation_lies_in_its_space(obs: str) -> None:
    env = make_vec("Bedroom", 8, level=3, obs=obs, drift=0.6, look=4, blackout=16)
    rows, _ = env.reset(seed=0)
    for _ in range(60):
        assert env.observation_space.contains(rows)
        rows, *_ = env.step(env.action_space.sample())


# --- what is demanded ---


def score(env: TaskVectorEnv, name: str) -> float:
    return float(play(env, name, 0, env.num_envs).mean())


@pytest.mark.parametrize("level", [2, 3])
def test_the_straight_way_to_every_spot_is_barred(level: int) -> None:
    env = make_vec("Bedroom", 600, level=level, split="test")
    assert score(env, "tracker") > 0.9
    assert score(env, "beeline") < 0.2


def test_at_level_3_the_pose_is_sensed_once_and_own_moves_have_to_be_counted() -> None:
    env = make_vec("Bedroom", 300, level=3, split="test", blackout=16)
    to_the_dark(env)
    assert env.observe()[:, env.layout.pose].any(1).all()
    obs, *_ = env.step(np.full(300, STAY))
    assert not obs[:, env.layout.pose].any()
    assert score(env, "still") < 0.1


def test_the_twin_is_solved_without_memory() -> None:
    assert Bedroom.levels[0] == Bedroom.twin(1)
    for level in (2, 3):
        env = make_vec("Bedroom", 400, level=level, **Bedroom.visible)
        assert score(env, "reflex") > score(env, "oracle") - 0.05


def test_version_0_keeps_its_levels() -> None:
    env = make_vec("Unseen/Bedroom-v0", 400, level=2, split="test")
    assert not env.params.guards and env.params.blackout == (4, 8)
    assert score(env, "tracker") > 0.9
