"""First-person images show exactly what is visible."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.planar import palette
from unseen.envs.planar.camera.picture import render
from unseen.envs.planar.camera.pixels import write_pixels
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import DARK, DAY, DUSK, NIGHT, REVEAL, planar

exposed, write_pixels = map(host, (exposed, write_pixels))

AHEAD = math.radians(100)


def world(**fields: object) -> np.void:
    """An eye in the middle that looks east, at a block in the open, or hidden by a box where there is one."""
    s = np.zeros(1, planar(2, 2, ("signals", "i8"), ("free", "i8")))[0]  # its own parameters, too
    s["room_hx"] = s["room_hy"] = 2.5
    s["fov"], s["light"], s["touched"], s["contact"], s["query"] = AHEAD, DAY, -1, -1, 0
    s["box_x"][0], s["box_cos"][0], s["box_hx"][0], s["box_hy"][0] = 1.0, 1.0, 0.2, 0.4
    s["n_discs"], s["disc_x"][0], s["disc_radius"][0] = 1, 1.8, 0.12
    for name, value in fields.items():
        s[name] = value
    return s


def look(s: np.void) -> np.ndarray:
    o = np.zeros((64, 64, 3), np.uint8)
    write_pixels(s, s, o)
    return o


def red(image: np.ndarray) -> int:
    """How many pixels are of a red block, in any light."""
    r, g, b = (image[..., i].astype(int) for i in range(3))
    return int(((r > 2 * g) & (r > 2 * b) & (r > 60)).sum())


def test_a_block_in_the_open_shows_straight_ahead_and_a_box_hides_it() -> None:
    assert palette.SMALL[0][0] == "red"
    seen = render(world(), 120, 80, AHEAD)
    assert seen.shape == (80, 120, 3) and seen.dtype == np.uint8
    assert red(seen) > 10 and red(seen[:, 48:72]) == red(seen), "it is in the middle"
    assert red(seen[:40]) == 0, "and lower than the eye"
    assert red(render(world(n_boxes=1), 120, 80, AHEAD)) == 0
    assert red(render(world(n_boxes=1, glass=1), 120, 80, AHEAD)) > 10


def test_left_is_left() -> None:
    image = render(world(disc_y=(0.8, 0.0)), 120, 80, AHEAD)  # north of an eye that looks east
    assert red(image[:, :60]) == red(image) > 0


@pytest.mark.parametrize(("light", "shows"), [(DARK, False), (DUSK, False), (DAY, False), (REVEAL, True)])
def test_light(light: int, shows: bool) -> None:
    assert (red(render(world(n_boxes=1, light=light), 120, 80, AHEAD)) > 0) == shows
    assert red(render(world(light=DUSK), 120, 80, AHEAD)) == 0
    assert red(render(world(light=DUSK, touched=0), 120, 80, AHEAD)) > 0
    assert red(render(world(light=NIGHT), 120, 80, AHEAD)) == 0


def test_what_is_covered_or_too_far_for_its_colour() -> None:
    for picture in (look, lambda s: render(s, 120, 80, AHEAD)):
        bare, covered = world(n_discs=0, query=-1), world(disc_cover=(1, 0), query=-1)
        assert np.array_equal(picture(bare), picture(covered))
        assert red(picture(world(disc_cover=(1, 0), glass=1, query=-1))) > 0
        assert red(picture(world(colour_range=1.0, query=-1))) == 0 < red(picture(world(colour_range=2.0, query=-1)))
        assert not np.array_equal(picture(bare), picture(world(colour_range=1.0, query=-1))), "it shows all the same"


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.floats(1.3, 2.3), st.floats(-2.2, 2.2)), st.tuples(st.floats(1.3, 2.3), st.floats(-2.2, 2.2)),
    st.sampled_from([AHEAD, 7.0]), st.sampled_from([DARK, DUSK, DAY]), st.floats(-3, 3),
)  # fmt: skip
def test_where_a_hidden_block_is_changes_nothing(one, other, fov, light, heading) -> None:
    """No leak: two worlds that differ in a hidden block alone give the same observation, bit for bit."""
    pictures = []
    for x, y in (one, other):
        s = world(n_boxes=1, fov=fov, light=light, heading=heading, disc_x=(x, 0.0), disc_y=(y, 0.0))
        if light == DAY and exposed(s, 0.0, 0.0, x, y, 1.02 * 0.12):
            return
        pictures.append(look(s))
    assert np.array_equal(*pictures)
