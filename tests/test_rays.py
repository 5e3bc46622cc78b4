"""Rays: each ends at whatever it meets first."""

import math

import numpy as np
import pytest

from unseen.envs.engine.geometry import segment_box
from unseen.envs.engine.sensors import RAYS
from unseen.envs.engine.world import DAY
from unseen.envs.suite import make_vec


@pytest.mark.parametrize("fov", [120.0, 340.0, 360.0])
def test_a_ray_ends_at_the_first_wall_or_tall_thing(fov: float) -> None:
    env = make_vec("Bedroom", 200, level=2, obs="rays", fov=fov)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for s in env.world:  # close to a piece of furniture, which then takes up much of the view
        k = rng.integers(s["n_tall"])
        away = 0.21 + max(s["hx"][k], s["hy"][k]) + rng.uniform(0, 0.1)
        s["ax"], s["ay"] = s["tx"][k] + away * s["tc"][k], s["ty"][k] + away * s["ts"][k]
        s["ah"] = rng.uniform(-math.pi, math.pi)
    rows = env.observe()
    at = env.layout.head
    assert (env.world["light"] == DAY).all()
    for s, row in zip(env.world, rows, strict=True):
        for i in range(RAYS):
            angle = s["ah"] + s["fov"] * (0.5 - (i + 0.5) / RAYS)
            dx, dy = math.cos(angle), math.sin(angle)
            wall = min((math.copysign(s["wx"], dx) - s["ax"]) / dx, (math.copysign(s["wy"], dy) - s["ay"]) / dy)
            tall = min(
                segment_box(s["ax"], s["ay"], dx, dy, *(s[name][k] for name in ("tx", "ty", "tc", "ts", "hx", "hy")))
                for k in range(s["n_tall"])
            )
            assert math.isclose(row[at + 3 * i] * 2 * s["wx"], min(wall, tall), rel_tol=1e-5)
            assert math.isclose(row[at + 3 * i + 1], (2 if tall < wall else 1) / 3, rel_tol=1e-5)
