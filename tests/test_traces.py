"""The behaviour of environments is unchanged from `traces.json`, bit for bit, with the same mathematics library."""

from __future__ import annotations

import json

import pytest
import traces

from unseen.envs.suite import SUITE

STORED = json.loads(traces.TABLE.read_text())
CASES = {key: (name, kwargs) for name in SUITE for key, kwargs in traces.cases(name)}
# Of every environment, what shares kernels with other tests; the rest is left to `make test-all`.
QUICK = [
    "/".join([name, level, next(iter(entry.task.sensors)), *more])
    for name, entry in SUITE.items()
    for level, *more in (("1",), ("2", "shift"), ("3", "oracle"), ("3", "tracker"))
]


def test_the_table_holds_every_case() -> None:
    assert set(STORED["traces"]) == set(CASES)


@pytest.mark.skipif(STORED["canary"] != traces.canary(), reason="made with another mathematics library")
@pytest.mark.parametrize(
    "key", [pytest.param(key, marks=[] if key in QUICK else pytest.mark.slow) for key in sorted(CASES)]
)
def test_roll_outs_are_the_same_to_the_byte(key: str) -> None:
    name, kwargs = CASES[key]
    assert traces.trace(name, **kwargs) == STORED["traces"][key]
