"""A test on a proving ground."""

from dataclasses import dataclass
from typing import ClassVar

from unseen.envs.core.view import Captioned


@dataclass(frozen=True)
class Track(Captioned):
    """The view of a proving ground: a test on the track, its margins, and the design.

    The record has the fields of ProvingGround's: rig, other, scenario, shown, worst, tried, passed, certified, drawn and offset.

    Attributes:
        families: names of the families of scenarios.
        metrics: the three metrics of each family.
        surfaces: names of the surfaces.
        variables: of the design: name, unit, value at -1 and at 1, and whether it is spaced in ratios.
        furthest: where margins are cut off.
    """

    painter: ClassVar[str] = "unseen.envs.watch.track:TrackPainter"

    families: tuple[str, ...]
    metrics: tuple[tuple[str, str, str], ...]
    surfaces: tuple[str, ...]
    variables: tuple[tuple[str, str, float, float, bool], ...]
    furthest: float
