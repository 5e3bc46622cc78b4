"""Tally as it was in version 0: fewer moves, of which the last ones tell much about the number left."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.permanence.tally import spec

P = spec.TallyParams


class Tally(spec.Tally):
    __doc__ = __doc__
    levels: ClassVar[dict[int, P]] = {
        0: P(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16, glass=True),
        1: P(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16),
        2: P(order="place"),
        3: P(most=5, looks="two", blackout=(5, 15), act=22, order="distance", frame="ego"),
    }
    faculties: ClassVar[dict[str, Faculty]] = {}
    visible: ClassVar[dict[str, Any]] = {}
