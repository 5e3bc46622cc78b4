"""Looking ahead: the search finds what trying all ways finds."""

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.engine import navigate
from unseen.envs.engine.geometry import FAR
from unseen.envs.engine.world import AGENT_RADIUS, clear_of_solids, planar, put_tall

STATE = planar(6, 4)
STRIDE, TURN, REACH = 0.3, math.pi / 4, 0.5


def drawn_world(seed: int, thick: float) -> np.void:
    """Boxes of at least half the thickness `thick` about the middle, small things among them, the agent outside."""
    rng = np.random.default_rng(seed)
    s = np.zeros(1, STATE)[0]
    s["wx"] = s["wy"] = 2.5
    s["n_tall"], s["n_small"] = 4, 4
    for k in range(4):
        a, (x, y) = rng.uniform(-np.pi, np.pi), rng.uniform(-1.4, 1.4, 2)
        put_tall(s, k, 0, x, y, math.cos(a), math.sin(a), *rng.uniform(thick, thick + 0.2, 2))
    s["bx"], s["by"], s["br"] = rng.uniform(-2, 2, 4), rng.uniform(-2, 2, 4), 0.1
    s["ax"], s["ay"] = clear_of_solids(s, *rng.uniform(-2.2, 2.2, 2), AGENT_RADIUS)
    s["ah"] = rng.uniform(-np.pi, np.pi)
    return s


def by_trying_all(s: np.void, aim: tuple) -> int:
    """The first arc of the best of all ways, the first of equals."""
    best, choice = FAR, 0
    for digits in itertools.product(range(3), repeat=navigate.DEPTH):
        arcs = digits[::-1]
        x, y, h, near, fear = s["ax"], s["ay"], s["ah"], FAR, 0.0
        for step, a in enumerate(arcs):
            x, y, h = navigate.arc(s, x, y, h, a, STRIDE, TURN)
            near, fear, ends = navigate._judge(s, aim, x, y, h, near, fear, step)
            if ends:
                break
        if near + fear < best:
            best, choice = near + fear, arcs[0]
    return choice


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_search_finds_what_trying_all_ways_finds(seed: int) -> None:
    s = drawn_world(seed, 0.05)
    wx, wy, _ = navigate.waypoint(s, s["ax"], s["ay"], s["bx"][1], s["by"][1])
    late = 0.0 if (wx, wy) == (s["bx"][1], s["by"][1]) else navigate.LATE
    touch = (wx, wy, late, 1, REACH, s["bx"], s["by"], s["br"], 0, 0.0)
    assert navigate.fetch(s, 1, s["bx"][1], s["by"][1], REACH, STRIDE, TURN) == by_trying_all(s, touch)
    ring = np.full(4, 0.4)
    rings = (1.0, -1.0, navigate.LATE, -1, 0.0, s["bx"], s["by"], ring, 4, 0.1)
    assert navigate.walk(s, 1.0, -1.0, s["bx"], s["by"], ring, 4, 0.1, STRIDE, TURN) == by_trying_all(s, rings)
