"""Parameters accept exactly the values that their declarations allow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.envs.core.params import Params, choice, flag, integer, real, span, vector
from unseen.envs.errors import BadParameter


class Kinds(Params):
    count: int = integer(0, 10, default=3, doc="an integer")
    size: float = real(-1.0, 1.0, default=0.5, doc="a number")
    lit: bool = flag(default=False, doc="a flag")
    word: str = choice("one", "two", default="one", doc="a word")
    steps: tuple[int, int] = span(0, 9, default=(1, 2), doc="a pair")
    row: tuple[float, ...] = vector(0.0, 5.0, default=(1.0, 2.0), doc="two numbers")
    table: tuple[tuple[float, ...], ...] = vector(0.0, 5.0, default=((1.0, 2.0), (3.0, 4.0)), doc="a table")


NO_NUMBERS: list[Any] = [
    math.nan,
    math.inf,
    -math.inf,
    10**400,
    -(10**400),
    1j,
    "1",
    b"1",
    None,
    True,
    np.True_,
    [],
    {},
]
BAD: dict[str, list[Any]] = {
    "count": [*NO_NUMBERS, 2.5, 11, -1, np.float32("nan"), np.array([1, 2])],
    "size": [*NO_NUMBERS, 1.5, np.float64("inf")],
    "lit": [0, 1, "yes", None],
    "word": ["three", "", None, 0, ["one"]],
    "steps": [*NO_NUMBERS, (5, 2), (1, 2, 3), (1,), "long", (1, math.nan), (1, True), (1, 2.5), (0, 10)],
    "row": [*NO_NUMBERS, (1.0,), (1.0, 6.0), ("1", "2"), (True, False), (1j, 0), ((1.0,), (1.0, 2.0)), (1.0, math.nan)],
    "table": [(1.0, 2.0), ((1.0, 2.0), (3.0,)), ((1.0, 2.0), (3.0, math.inf))],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values], ids=repr
)
def test_wrong_values_are_named_with_what_is_allowed(name: str, value: Any) -> None:
    with pytest.raises(BadParameter, match=f"^{name}=.*must be"):
        Kinds(**{name: value})
    with pytest.raises(BadParameter, match=f"^{name}="):
        Kinds().replace(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "want"),
    [
        ("count", np.int8(4), 4),
        ("count", 4.0, 4),
        ("size", np.float32(0.5), 0.5),
        ("size", 1, 1.0),
        ("lit", np.True_, True),
        ("steps", 4, (4, 4)),
        ("steps", [1, np.int64(3)], (1, 3)),
        ("row", [1, 2], (1.0, 2.0)),
        ("table", np.ones((2, 2)), ((1.0, 1.0), (1.0, 1.0))),
    ],
)
def test_numpys_numbers_become_pythons(name: str, value: Any, want: Any) -> None:
    found = getattr(Kinds(**{name: value}), name)
    assert found == want and type(found) is type(want)


@given(st.integers(0, 10), st.floats(-1, 1), st.sampled_from(["one", "two"]))
def test_kernels_get_the_values(count: int, size: float, word: str) -> None:
    p = Kinds(count=count, size=size, word=word).record("test")[0]
    assert (p["count"], p["size"], p["word"], p["split"]) == (count, size, ("one", "two").index(word), 1)
    assert (p["steps_low"], p["steps_high"]) == (1, 2) and p["table"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
