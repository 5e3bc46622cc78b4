"""An area is drawn as visible exactly if it is in the field of view with a free line of sight."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.watch.fog import box_corners, free_line, inside, visible_polygon
from unseen.envs.watch.scene import Box

GREY = (150, 150, 150)
boxes = st.lists(
    st.builds(
        lambda x, y, turn, hx, hy: Box(x, y, math.cos(turn), math.sin(turn), hx, hy, GREY),
        *[st.floats(-2, 2)] * 2, st.floats(-math.pi, math.pi), st.floats(0.1, 0.5), st.floats(0.1, 0.5),
    ),
    max_size=4,
)  # fmt: skip
spots = st.tuples(st.floats(-2.3, 2.3), st.floats(-2.3, 2.3))


def clearance(polygon: np.ndarray, point: tuple[float, float]) -> float:
    """Distance from a point to the nearest edge of a polygon."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    side = b - a
    part = np.clip(((point - a) * side).sum(1) / np.maximum((side**2).sum(1), 1e-18), 0, 1)
    return float(np.hypot(*(a + part[:, None] * side - point).T).min())


@settings(max_examples=200, deadline=None)
@given(boxes, spots, spots, st.floats(-math.pi, math.pi), st.sampled_from([1.0, 2.1, 4.0, 7.0]))
def test_a_point_is_lit_if_and_only_if_it_is_in_view_with_a_free_line(boxes, eye, point, heading, fov) -> None:
    for box in boxes:  # the eye stands outside of every box
        x, y = eye[0] - box.x, eye[1] - box.y
        if abs(x * box.cos + y * box.sin) < box.hx + 1e-3 and abs(y * box.cos - x * box.sin) < box.hy + 1e-3:
            return
    polygon = visible_polygon(eye, heading, fov, (2.5, 2.5), boxes)
    if clearance(polygon, point) < 1e-4 or math.dist(eye, point) < 1e-3:
        return  # on the border of light and shade
    off = (math.atan2(point[1] - eye[1], point[0] - eye[0]) - heading + math.pi) % (2 * math.pi) - math.pi
    in_view = fov >= 2 * math.pi or abs(off) < fov / 2
    assert inside(polygon, point) == (in_view and free_line(eye, point, boxes))


def test_an_empty_room_is_all_lit_from_anywhere() -> None:
    polygon = visible_polygon((1.0, -2.0), 0.3, 7.0, (2.5, 1.5 + 1.0))
    x, y = polygon.T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    assert area == pytest.approx(25.0, rel=1e-6)


def test_corners_run_counter_clockwise() -> None:
    (x, y) = box_corners(Box(0.3, 0.2, math.cos(1), math.sin(1), 0.2, 0.4, GREY)).T
    assert np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2 == pytest.approx(4 * 0.2 * 0.4)
