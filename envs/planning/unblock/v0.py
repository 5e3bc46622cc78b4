"""Unblock as it was in version 0: any number of pushes, and most plans take only two."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.planning.unblock import spec

P = spec.UnblockParams


class Unblock(spec.Unblock):
    __doc__ = __doc__
    levels: ClassVar[dict[int, P]] = {
        0: P(cells=5, rooms=2, crates=0, plan=(3, 6), act=32, moved=0, trap=0.0, blackout=(0, 0), glass=True),
        1: P(cells=5, rooms=2, crates=1, plan=(3, 6), act=32, moved=1, trap=0.0, blackout=(0, 0)),
        2: P(blackout=(1, 2)),
        3: P(crates=4, cells=7, plan=(14, 24), act=90, moved=2, blackout=(1, 4)),
    }
    presets: ClassVar[dict[str, P]] = {}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crates": (1, 2, 3, 4),
        "plan": ((4, 7), (8, 10), (11, 13), (14, 16)),
        "moved": (1, 2),
        "trap": (0.0, 0.5, 1.0),
    }
    faculties: ClassVar[dict[str, Faculty]] = {}
    hidden = None  # type: ignore[assignment]
    instance = None
    max_tries = 5000
