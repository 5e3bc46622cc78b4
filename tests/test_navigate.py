"""Driving and steering: the agent drives through nothing, and look-ahead finds the best sequence of arcs."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.planar import navigate
from unseen.envs.planar.geometry import FAR
from unseen.envs.planar.world import AGENT_RADIUS, drive, place_box, planar, push_out, slide

drive, place_box, push_out, slide = map(host, (drive, place_box, push_out, slide))

STATE = planar(6, 4)
STRIDE, TURN, REACH = 0.3, math.pi / 4, 0.5
MOVES = st.lists(st.tuples(st.floats(-1, 1), st.floats(-math.pi, math.pi)), min_size=1, max_size=40)


def empty_world(half: float = 3.0) -> np.void:
    s = np.zeros(1, STATE)[0]
    s["room_hx"] = s["room_hy"] = half
    return s


def drawn_world(seed: int, thick: float) -> np.void:
    """Boxes of at least half the thickness `thick` near the middle, discs among them, the agent outside."""
    rng = np.random.default_rng(seed)
    s = empty_world(2.5)
    s["n_boxes"], s["n_discs"] = 4, 4
    for k in range(4):
        a, (x, y) = rng.uniform(-np.pi, np.pi), rng.uniform(-1.4, 1.4, 2)
        place_box(s, k, 0, x, y, math.cos(a), math.sin(a), *rng.uniform(thick, thick + 0.2, 2))
    s["disc_x"], s["disc_y"], s["disc_radius"] = rng.uniform(-2, 2, 4), rng.uniform(-2, 2, 4), 0.1
    s["agent_x"], s["agent_y"] = push_out(s, *rng.uniform(-2.2, 2.2, 2), AGENT_RADIUS)
    s["heading"] = rng.uniform(-np.pi, np.pi)
    return s


@settings(max_examples=150, deadline=None)
@given(thin=st.floats(0.01, 0.15), angle=st.floats(-math.pi, math.pi), middle=st.floats(-0.3, 0.3), moves=MOVES)
def test_a_drive_never_crosses_a_box(
    thin: float, angle: float, middle: float, moves: list[tuple[float, float]]
) -> None:
    """Two chambers with thin walls: the agent stays in the one it starts in, whatever its stride."""
    s = empty_world()
    cos, sin = math.cos(angle), math.sin(angle)
    walls = [(1, 0, thin, 1 + thin), (-1, 0, thin, 1 + thin), (0, 1, 1 + thin, thin), (0, -1, 1 + thin, thin)]
    for k, (x, y, hx, hy) in enumerate([*walls, (middle, 0, thin, 1)]):
        place_box(s, k, 0, x * cos - y * sin, x * sin + y * cos, cos, sin, hx, hy)
    s["n_boxes"] = 5
    x = 0.5 * (middle - 1.0)
    s["agent_x"], s["agent_y"] = x * cos, x * sin
    for speed, turn in moves:
        drive(s, speed, turn)
        x, y = s["agent_x"] * cos + s["agent_y"] * sin, s["agent_y"] * cos - s["agent_x"] * sin
        assert -1 < x < middle and abs(y) < 1


@pytest.mark.parametrize("gap", [0.1, 0.3])
@settings(max_examples=60, deadline=None)
@example(thin=0.09375, wedge=0.1015625, moves=[(1.0, 0.0), (0.0, 3.0), (0.25, 3.0)])
@example(thin=0.015625, wedge=0.125, moves=[(1.0, 0.0)] * 4 + [(0.1875, 0.0)])  # one wall pushes it through the other
@given(thin=st.floats(0.01, 0.1), wedge=st.floats(0.1, 0.6), moves=MOVES)
def test_the_agent_is_not_squeezed_through_two_walls(
    gap: float, thin: float, wedge: float, moves: list[tuple[float, float]]
) -> None:
    """Two long walls leave a gap that is too narrow for the agent, which keeps driving into the wedge between them."""
    s = empty_world()
    s["n_boxes"] = 2
    long = 2.0
    for k, side in enumerate((1, -1)):  # they open towards negative x
        cos, sin = math.cos(wedge), -side * math.sin(wedge)
        place_box(s, k, 0, -long * cos, side * (0.5 * gap + long * abs(sin)), cos, sin, long, thin)
    s["agent_x"], s["agent_y"] = push_out(s, -2.7, 0.0, AGENT_RADIUS)
    inside = [_side(s, k) for k in range(2)]
    for speed, turn in moves:
        drive(s, abs(speed), 0.1 * turn)
        if s["agent_x"] > -0.05 or s["agent_x"] < -2.0 * long * math.cos(wedge) + 0.05:
            return  # past an end of the walls
        assert [_side(s, k) for k in range(2)] == inside


def _side(s: np.void, k: int) -> bool:
    return bool((s["agent_y"] - s["box_y"][k]) * s["box_cos"][k] > (s["agent_x"] - s["box_x"][k]) * s["box_sin"][k])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_before_a_thick_box_a_drive_is_one_step(seed: int) -> None:
    """Between two boxes it may be shorter: where they wedge the agent in, a whole step would jump over one of them."""
    s = drawn_world(seed, STRIDE - AGENT_RADIUS)
    s["n_boxes"] = 1
    s["agent_x"], s["agent_y"] = push_out(s, s["agent_x"], s["agent_y"], AGENT_RADIUS)
    x, y, h = s["agent_x"], s["agent_y"], s["heading"]
    one = push_out(s, x + STRIDE * math.cos(h), y + STRIDE * math.sin(h), AGENT_RADIUS)
    assert slide(s, x, y, h, STRIDE) == one


def by_trying_all(s: np.void, goal: tuple) -> int:
    """The first arc of the best of all sequences, of equals the first."""
    best, choice = FAR, 0
    for digits in itertools.product(range(3), repeat=navigate.DEPTH):
        arcs = digits[::-1]
        x, y, h, distance_cost, obstacle_cost = s["agent_x"], s["agent_y"], s["heading"], FAR, 0.0
        for step, a in enumerate(arcs):
            x, y, h = host(navigate.arc_pose)(s, x, y, h, a, STRIDE, TURN)
            distance_cost, obstacle_cost, ends = host(navigate._evaluate_pose)(
                s, goal, x, y, h, distance_cost, obstacle_cost, step
            )
            if ends:
                break
        if distance_cost + obstacle_cost < best:
            best, choice = distance_cost + obstacle_cost, arcs[0]
    return choice


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_look_ahead_finds_what_trying_all_sequences_finds(seed: int) -> None:
    s = drawn_world(seed, 0.05)
    gx, gy = s["disc_x"][1], s["disc_y"][1]
    wx, wy, _ = host(navigate.waypoint)(s, s["agent_x"], s["agent_y"], gx, gy)
    step_cost = 0.0 if (wx, wy) == (gx, gy) else navigate.STEP_COST
    disc = (wx, wy, step_cost, 1, REACH, s["disc_x"], s["disc_y"], s["disc_radius"], 0, 0.0)
    assert host(navigate.steer_to_disc)(s, 1, gx, gy, REACH, STRIDE, TURN) == by_trying_all(s, disc)
    rings = (s["disc_x"], s["disc_y"], np.full(4, 0.4), 4, 0.1)
    place = (1.0, -1.0, navigate.STEP_COST, -1, 0.0, *rings)
    assert host(navigate.steer_to_place)(s, 1.0, -1.0, *rings, STRIDE, TURN) == by_trying_all(s, place)
