"""A drive along a street."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.view import Captioned


@dataclass(frozen=True)
class Pedestrian:
    """Somebody in a street.

    Attributes:
        x, y: where they are, m. The agent sees them there if `seen`.
        seen: whether the agent does.
        last_y: where it last saw them; None if it never did, or if they are in a house now.
        empty: whether they have empty hands, as the agent saw.
    """

    x: float
    y: float
    seen: bool
    last_y: float | None
    empty: bool


@dataclass(frozen=True)
class Scene:
    """What there is to draw of a car in a street. Metres and seconds; x along the street, y to the left.

    Attributes:
        length, half: of the street, and half the width of its carriageway.
        car: x, y and yaw of its centre of gravity.
        outline: distances from there to its front, rear and side.
        eye: where the driver looks from.
        vans: x of rear and front, y of both sides, each.
        glass: whether one can see through them.
        people: who is outside.
        speed, top: m/s, and the most.
        accel, lateral: m/s^2.
        pedal: -1 to 1.
        grip: of the road, and whether the agent knows it from a sensor.
        hit: where somebody or something was hit; None: nowhere.
    """

    length: float
    half: float
    car: tuple[float, float, float]
    outline: tuple[float, float, float]
    eye: tuple[float, float]
    vans: tuple[tuple[float, float, float, float], ...]
    glass: bool
    people: tuple[Pedestrian, ...]
    speed: float
    top: float
    accel: float
    lateral: float
    pedal: float
    grip: tuple[float, bool]
    hit: tuple[float, float] | None


@dataclass(frozen=True)
class Street(Captioned):
    """The view of a drive along a street, from above.

    Attributes:
        scene: (record, params) -> what there is to draw.
    """

    painter: ClassVar[str] = "unseen.envs.watch.street:StreetPainter"

    scene: Callable[[np.void, Any], Scene]

    def check(self, record: np.void, params: Any) -> None:
        self.scene(record, params)
        super().check(record, params)
