"""Properties of the rolling physics, on random worlds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.planar import physics
from unseen.envs.planar.geometry import disc_box, passes_by, segment_box
from unseen.envs.planar.world import planar

disc_box, passes_by, segment_box = map(host, (disc_box, passes_by, segment_box))

STATE = planar(3, 4)
WORLDS = st.integers(0, 2**32 - 1)


def drawn_world(seed: int, top: float) -> np.ndarray:
    """Boxes near the middle and discs outside of them, at speeds up to `top` m/s."""
    rng = np.random.default_rng(seed)
    world = np.zeros(1, STATE)
    s = world[0]
    s["room_hx"] = s["room_hy"] = 2.5
    s["n_boxes"], s["n_discs"] = 3, 4
    angle = rng.uniform(-np.pi, np.pi, 3)
    s["box_cos"], s["box_sin"] = np.cos(angle), np.sin(angle)
    s["box_x"], s["box_y"] = rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3)
    s["box_hx"], s["box_hy"] = rng.uniform(0.1, 0.3, 3), rng.uniform(0.1, 0.3, 3)
    s["disc_radius"] = rng.uniform(0.08, 0.15, 4)
    place = np.array([[-2, -2], [2, -2], [-2, 2], [2, 2]]) + rng.uniform(-0.2, 0.2, (4, 2))
    s["disc_x"], s["disc_y"] = place.T
    speed, direction = rng.uniform(0, top, 4), rng.uniform(-np.pi, np.pi, 4)
    s["disc_vx"], s["disc_vy"] = speed * np.cos(direction), speed * np.sin(direction)
    return world


@settings(max_examples=200, deadline=None)
@given(WORLDS)
def test_a_line_does_not_meet_the_boxes_it_passes_by(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, dx, dy, cx, cy = rng.uniform(-2, 2, 6)
    angle, (hx, hy) = rng.uniform(-np.pi, np.pi), rng.uniform(0.0, 0.5, 2)
    meets = segment_box(x, y, dx, dy, cx, cy, np.cos(angle), np.sin(angle), hx, hy) < 1e29
    assert not (meets and passes_by(x, y, dx, dy, cx, cy, hx + hy))


def energy(s: np.void) -> float:
    return float((s["disc_vx"] ** 2 + s["disc_vy"] ** 2).sum())


@settings(max_examples=60, deadline=None)
@given(WORLDS, st.floats(0.0, 8.0), st.floats(0.0, 1.0))
def test_energy_never_grows(seed: int, friction: float, restitution: float) -> None:
    world = drawn_world(seed, 8.0)
    for _ in range(20):
        before = energy(world[0])
        host(physics.roll)(world[0], 0.25, friction, restitution)
        assert energy(world[0]) <= before * (1 + 1e-12)


@settings(max_examples=60, deadline=None)
@given(WORLDS)
def test_nothing_leaves_the_room_or_stays_inside_a_box(seed: int) -> None:
    world = drawn_world(seed, 12.0)
    for _ in range(20):
        host(physics.roll)(world[0], 0.25, 1.0, 0.9)
        s = world[0]
        for k in range(4):
            assert max(abs(s["disc_x"][k]), abs(s["disc_y"][k])) <= 2.5 - s["disc_radius"][k] + 1e-9
            for j in range(3):
                box = (s[name][j] for name in ("box_x", "box_y", "box_cos", "box_sin", "box_hx", "box_hy"))
                depth, _, _ = disc_box(s["disc_x"][k], s["disc_y"][k], 0.5 * s["disc_radius"][k], *box)
                assert depth < s["disc_radius"][k]  # never with its centre in the box


@settings(max_examples=40, deadline=None)
@given(st.floats(1.0, 40.0), st.floats(-0.15, 0.15))
def test_a_fast_disc_does_not_tunnel_through_a_thin_box(speed: float, offset: float) -> None:
    world = np.zeros(1, STATE)
    s = world[0]
    s["room_hx"] = s["room_hy"] = 5.0
    s["n_boxes"] = s["n_discs"] = 1
    s["box_cos"][0], s["box_hx"][0], s["box_hy"][0] = 1.0, 0.05, 1.0
    s["disc_radius"][0], s["disc_x"][0], s["disc_y"][0], s["disc_vx"][0] = 0.1, -1.0, offset, speed
    host(physics.roll)(s, 0.25, 0.0, 0.5)
    assert s["disc_x"][0] < 0


@given(st.floats(0.1, 3.0), st.floats(0.5, 8.0))
@settings(max_examples=40, deadline=None)
def test_at_launch_speed_a_disc_rolls_the_distance(distance: float, friction: float) -> None:
    world = np.zeros(1, STATE)
    s = world[0]
    s["room_hx"] = s["room_hy"] = 9.0
    s["n_discs"] = 1
    s["disc_radius"][0], s["disc_vx"][0] = 0.12, host(physics.launch_speed)(distance, friction)
    for _ in range(60):
        host(physics.roll)(s, 0.25, friction, 0.9)
    assert s["disc_vx"][0] == 0 and abs(s["disc_x"][0] - distance) < 0.01


def test_a_head_on_bump_passes_the_speed_on_and_is_heard() -> None:
    world = np.zeros(1, STATE)
    s = world[0]
    s["room_hx"] = s["room_hy"] = 9.0
    s["n_discs"] = 2
    s["disc_radius"][:2], s["disc_x"][:2], s["disc_vx"][0] = 0.1, (-1.0, 0.0), 5.0
    host(physics.roll)(s, 0.25, 0.0, 1.0)
    assert s["bump"] == 1
    np.testing.assert_allclose(s["disc_vx"][:2], (0.0, 5.0), atol=1e-9)
