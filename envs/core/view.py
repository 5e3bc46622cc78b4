"""How a task is shown to a person. What is drawn is declared here; the drawing is loaded by name when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np


class View:
    """Base of what a task gives to be drawn.

    Attributes:
        painter: "module:Class" that draws it, imported on first use; see `unseen.envs.watch.viewer`.
    """

    painter: ClassVar[str]


@dataclass(frozen=True)
class Gauge:
    """One quantity of a task without a room, drawn as a curve over time.

    Attributes:
        name: what it is; `unit`: of its values.
        read: (record, params) -> its present value.
        low, high: the range of the axis.
        hidden: (record, params) -> whether the agent cannot sense it now.
    """

    name: str
    read: Callable[[np.void, Any], float]
    low: float
    high: float
    unit: str = ""
    hidden: Callable[[np.void, Any], bool] = lambda record, params: False


@dataclass(frozen=True)
class Gauges(View):
    """Quantities over time, for tasks without a room.

    Attributes:
        gauges: from the top down.
        request: one sentence above the picture: what has to be done.
        caption: (record, params) -> one sentence about this moment.
        outcome: (record, params) -> what an episode's end is called.
    """

    painter: ClassVar[str] = "unseen.envs.watch.gauges:GaugePainter"

    gauges: tuple[Gauge, ...]
    request: str = ""
    caption: Callable[[np.void, Any], str] = lambda record, params: ""
    outcome: Mapping[bool, str] = field(default_factory=lambda: {True: "done", False: "failed"})
