"""A load on a crane."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.view import Gauges


@dataclass(frozen=True)
class Ride:
    """What there is to draw of a load on a crane, in m and rad, seen from the side.

    Attributes:
        trolley, target: along the rail; the start is at 0.
        buffers: the ends of the rail.
        depth: of the target below the rail.
        hoist: length of the rope, as the hoist's reading says.
        seen: angle of the rope at the last sight of the load, which the agent saw.
        reach: how far the load would swing to either side if it went on as at that sight, rad.
        age: of that sight, s; 0: the load is seen now.
        angle: the true one, which the agent does not see.
        deepest: m below the rail that the picture has to show.
        service: part of the maintenance that is still to come; 0: none.
        wear, logged: of the crane, 1: it fails; now, and at its last inspection, of which the agent knows.
        gauged: whether the agent sees a gauge of the wear.
    """

    trolley: float
    target: float
    buffers: tuple[float, float]
    depth: float
    hoist: float
    seen: float
    reach: float
    age: float
    angle: float
    deepest: float
    service: float
    wear: float
    logged: float
    gauged: bool


@dataclass(frozen=True, kw_only=True)
class Hoist(Gauges):
    """The view of a load on a crane: from the side, over the curves of its swing. The record has the fields x, hoist and angle.

    Attributes:
        ride: (record, params) -> what there is to draw.
    """

    painter: ClassVar[str] = "unseen.envs.watch.hoist:HoistPainter"

    ride: Callable[[np.void, Any], Ride]

    def check(self, record: np.void, params: Any) -> None:
        self.ride(record, params)
        super().check(record, params)
