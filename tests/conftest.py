"""Headless and quiet: no window, no sound, one thread a library. And which tests are left to `make test-all`."""

from __future__ import annotations

import os
from itertools import groupby

import pytest

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what `sample(n)` leaves out: of n parametrisations the first and the last are kept, and some between."""
    sampled = [item for item in items if item.get_closest_marker("sample") and isinstance(item, pytest.Function)]
    for _, group in groupby(sampled, key=lambda item: (item.path, item.originalname)):
        cases = list(group)
        marker = cases[0].get_closest_marker("sample")
        assert marker is not None
        n = min(marker.args[0], len(cases))
        kept = {round(k * (len(cases) - 1) / max(n - 1, 1)) for k in range(n)}
        for index, item in enumerate(cases):
            if index not in kept:
                item.add_marker(pytest.mark.slow)
