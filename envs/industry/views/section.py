"""A piece in a furnace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.envs.core.view import Gauges


@dataclass(frozen=True, kw_only=True)
class Section(Gauges):
    """The view of a piece in a furnace: its section in the colours of its temperatures, beside the curves.

    Attributes:
        profile: (record, params) -> temperatures through half of the piece, from the core outwards, C. The agent never sees it.
        outer, inner: (record, params) -> temperature of the surface and of the core, C, sensed or true.
        shut, unprobed: (record, params) -> whether the agent cannot sense `outer` or `inner` now.
        around: (record, params) -> temperature of the furnace, C.
        half: (record, params) -> half the thickness of the piece, m, as the agent knows it.
    """

    painter: ClassVar[str] = "unseen.envs.watch.section:SectionPainter"

    profile: Callable[[np.void, Any], np.ndarray]
    outer: Callable[[np.void, Any], float]
    inner: Callable[[np.void, Any], float]
    shut: Callable[[np.void, Any], bool]
    unprobed: Callable[[np.void, Any], bool]
    around: Callable[[np.void, Any], float]
    half: Callable[[np.void, Any], float]

    def check(self, record: np.void, params: Any) -> None:
        for read in (self.profile, self.outer, self.inner, self.shut, self.unprobed, self.around, self.half):
            read(record, params)
        super().check(record, params)
