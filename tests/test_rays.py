"""Each ray ends at the first thing it meets."""

import math

import numpy as np
import pytest

from unseen.envs.core.device import host
from unseen.envs.planar.geometry import segment_box
from unseen.envs.planar.rays import RAYS
from unseen.envs.planar.world import DAY
from unseen.envs.suite import make_vec

segment_box = host(segment_box)


@pytest.mark.parametrize("fov", [120.0, 340.0, 360.0])
def test_a_ray_ends_at_the_first_wall_or_box(fov: float) -> None:
    env = make_vec("Bedroom", 200, level=2, obs="rays", fov=fov)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for s in env.world:  # close to a piece of furniture, which then takes up much of the view
        k = rng.integers(s["n_boxes"])
        away = 0.21 + max(s["box_hx"][k], s["box_hy"][k]) + rng.uniform(0, 0.1)
        s["agent_x"], s["agent_y"] = s["box_x"][k] + away * s["box_cos"][k], s["box_y"][k] + away * s["box_sin"][k]
        s["heading"] = rng.uniform(-math.pi, math.pi)
    rows = env.observe()
    at = rows.shape[1] - 3 * RAYS
    assert (env.world["light"] == DAY).all()
    for s, row in zip(env.world, rows, strict=True):
        for i in range(RAYS):
            angle = s["heading"] + s["fov"] * (0.5 - (i + 0.5) / RAYS)
            dx, dy = math.cos(angle), math.sin(angle)
            wall = min(
                (math.copysign(s["room_hx"], dx) - s["agent_x"]) / dx,
                (math.copysign(s["room_hy"], dy) - s["agent_y"]) / dy,
            )
            box = min(
                segment_box(
                    s["agent_x"],
                    s["agent_y"],
                    dx,
                    dy,
                    *(s[name][k] for name in ("box_x", "box_y", "box_cos", "box_sin", "box_hx", "box_hy")),
                )
                for k in range(s["n_boxes"])
            )
            assert math.isclose(row[at + 3 * i] * 2 * s["room_hx"], min(wall, box), rel_tol=1e-5)
            assert math.isclose(row[at + 3 * i + 1], (2 if box < wall else 1) / 3, rel_tol=1e-5)
