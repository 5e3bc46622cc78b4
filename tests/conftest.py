"""Test configuration: no display, no sound, one thread per library; selection of quick tests."""

from __future__ import annotations

import os
import sys
from itertools import groupby
from types import ModuleType
from typing import Any

import numpy as np
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


class BlankPainter:
    """Draws frames whose first pixel counts the steps, and keeps what it was told to show in a window."""

    shown: list[np.ndarray] = []

    def __init__(self, hidden: bool = False) -> None:
        self.hidden = hidden

    def frame(self, record: np.void, *args: Any, **kwargs: Any) -> np.ndarray:
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[0, 0] = record["t"]
        return picture

    def show(self, frame: np.ndarray) -> None:
        self.shown.append(frame)

    def close(self) -> None:
        pass


@pytest.fixture
def blank_painter(monkeypatch: pytest.MonkeyPatch) -> type[BlankPainter]:
    """RolledBehind drawn by BlankPainter: render modes without a window or a font."""
    from unseen.envs.core.view import View
    from unseen.envs.permanence.rolled_behind.spec import RolledBehind

    class Blank(View):
        painter = "blank_painter:BlankPainter"

    module = ModuleType("blank_painter")
    module.__dict__["BlankPainter"] = BlankPainter
    monkeypatch.setitem(sys.modules, "blank_painter", module)
    monkeypatch.setattr(RolledBehind, "view", Blank())
    monkeypatch.setattr(BlankPainter, "shown", [])
    return BlankPainter
