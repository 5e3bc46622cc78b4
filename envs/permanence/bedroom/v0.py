"""Bedroom as it was in version 0: the way to most places is free, and level 2 goes dark for a few steps only."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.permanence.bedroom import spec

P = spec.BedroomParams


class Bedroom(spec.Bedroom):
    __doc__ = __doc__
    levels: ClassVar[dict[int, P]] = {
        0: P(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="first", dark=False),
        1: P(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="fixed"),
        2: P(room=2.3, fov=120.0, blackout=(4, 8), act=18),
        3: P(
            fov=120.0, blackout=(16, 24), act=30, look=24, room=2.9, spots=8, vases=2, crates=2, cat=True, drift=0.3,
            query="late", order="distance", frame="ego",
        ),
    }  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {}
    visible: ClassVar[dict[str, Any]] = {}
