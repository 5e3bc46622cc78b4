"""Image rows: exact occlusion, symmetry, and independence of the batch."""

import math

import numpy as np
import pytest
from numba import njit

from unseen.envs.core.device import host
from unseen.envs.planar.camera.pixels import write_pixels
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import DARK, DAY, DUSK, planar

exposed = host(exposed)

FIELDS = [2.0 * math.pi, math.radians(115)]


@njit(error_model="numpy")
def run(worlds, o):
    for i in range(worlds.shape[0]):
        write_pixels(worlds[i], worlds[i], o[i])


def look(worlds: np.ndarray) -> np.ndarray:
    o = np.full((len(worlds), 64, 64, 3), 7, np.uint8)
    run(worlds, o)
    return o


def rooms(n: int, fov: float, light: int = DAY, seed: int = 0) -> np.ndarray:
    """Random rooms: three turned boxes round the eye, three blocks behind or beside them."""
    draw = np.random.default_rng(seed)
    s = np.zeros(n, planar(3, 3, ("signals", "i8"), ("free", "i8")))  # each its own parameters, too
    s["room_hx"] = s["room_hy"] = 2.5
    s["fov"], s["light"], s["touched"], s["contact"], s["query"] = fov, light, -1, -1, 0
    s["n_boxes"] = s["n_discs"] = 3
    s["agent_x"], s["agent_y"] = draw.uniform(-0.3, 0.3, (2, n))
    s["heading"] = draw.uniform(-3, 3, n)
    bearing, turn = draw.uniform(-3, 3, (2, n, 3))
    s["box_x"], s["box_y"], s["box_cos"], s["box_sin"] = np.cos(bearing), np.sin(bearing), np.cos(turn), np.sin(turn)
    s["box_hx"], s["box_hy"] = draw.uniform(0.1, 0.3, (2, n, 3))
    away = bearing + draw.normal(0, 0.25, (n, 3))
    s["disc_x"], s["disc_y"] = 1.9 * np.cos(away), 1.9 * np.sin(away)
    s["disc_radius"], s["disc_colour"], s["box_kind"] = 0.12, [0, 1, 2], [0, 1, 2]
    return s


@pytest.mark.parametrize("fov", FIELDS)
def test_the_colour_of_a_fully_hidden_block_changes_no_byte(fov: float) -> None:
    worlds = rooms(400, fov)
    hidden = [(i, k) for i, s in enumerate(worlds) for k in range(3)
              if not exposed(s, s["agent_x"], s["agent_y"], s["disc_x"][k], s["disc_y"][k], 1.02 * s["disc_radius"][k])]  # fmt: skip
    assert len(hidden) > 100
    before = worlds[[i for i, _ in hidden]]
    kept = before.copy()
    for s, (_, k) in zip(kept, hidden, strict=True):
        s["disc_colour"][k] = 5
    assert np.array_equal(look(before), look(kept))


@pytest.mark.parametrize("fov", FIELDS)
def test_dusk_and_blackout_hide_all_discs(fov: float) -> None:
    for light in (DUSK, DARK):
        worlds = rooms(50, fov, light)
        bare = worlds.copy()
        bare["n_discs"] = 0
        assert np.array_equal(look(worlds), look(bare))


@pytest.mark.parametrize("fov", FIELDS)
def test_one_is_many_and_what_the_row_held_before_does_not_matter(fov: float) -> None:
    worlds = rooms(40, fov)
    many = look(worlds)
    assert np.array_equal(many, np.concatenate([look(worlds[i : i + 1]) for i in range(40)]))
    again = np.random.default_rng(1).integers(0, 255, many.shape).astype(np.uint8)
    run(worlds, again)
    assert np.array_equal(many, again)


@pytest.mark.parametrize("fov", FIELDS)
def test_a_mirrored_world_gives_the_mirrored_picture(fov: float) -> None:
    """But for colours: the light comes from one side. So edges of what stands before the backdrop are compared."""
    worlds = rooms(40, fov)
    worlds["heading"] = 0.0
    mirrored = worlds.copy()
    for name in ("agent_y", "box_y", "box_sin", "disc_y"):
        mirrored[name] *= -1.0

    def blocks(images):
        images = images[:, :60].astype(int)
        return np.ptp(images, axis=-1) > 80

    one, two = blocks(look(worlds)), blocks(look(mirrored))
    assert one.sum() > 100 and np.array_equal(one, two[:, :, ::-1])
