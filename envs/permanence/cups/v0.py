"""Cups as it was in version 0: few swaps, of one pair at a time, which often leave the ball where it was."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.permanence.cups import spec

P = spec.CupsParams


class Cups(spec.Cups):
    __doc__ = __doc__
    levels: ClassVar[dict[int, P]] = {
        0: P(cups=3, swaps=(1, 2), blackout=(1, 3), act=14, glass=True),
        1: P(cups=3, swaps=(1, 2), blackout=(1, 3), act=14),
        2: P(screen=True),
        3: P(
            cups=6, swaps=(4, 6), swap_steps=3, apart=5, screen=True, hops=0.4, frame="ego", jitter=0.04,
            blackout=(5, 15), act=20,
        ),
    }  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {}
    visible: ClassVar[dict[str, Any]] = {}
