"""How a task is shown to a person. What is drawn is declared here; the drawing is loaded by name when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np


class View:
    """Base of what a task gives to be drawn.

    Attributes:
        painter: "module:Class" of the `unseen.envs.watch.painter.Painter` that draws it, imported on first use.
    """

    painter: ClassVar[str]

    def check(self, record: np.void, params: Any) -> None:
        """Read what it needs of a record, all zero, and of parameters; an AttributeError, KeyError or ValueError about
        what they lack is told when an environment is made, not when it is first drawn."""

    def chapter(self, record: np.void) -> str:
        """Which part of the episode this moment belongs to; a contact sheet shows one picture of each."""
        return ""

    def can_act(self, record: np.void) -> bool:
        """Whether actions have an effect now. Where they have none, play does not wait for a key."""
        return True


@dataclass(frozen=True)
class Belief:
    """Where an agent last saw things, for n environments and k things that it can tell apart; positions in metres, in
    the frame of the world.

    Attributes:
        seen: (n, k) in [0, 1]: whether it has a position for the thing, or how probably it was seen.
        xy: (n, k, 2) m; read only where `seen`.
        box_seen, box_xy: likewise (n, m) and (n, m, 2), for each kind of box; None, or m = 0: it keeps none in memory.
    """

    seen: np.ndarray
    xy: np.ndarray
    box_seen: np.ndarray | None = None
    box_xy: np.ndarray | None = None


@dataclass(frozen=True)
class Imagined:
    """A roll-out of an agent's world model under its own policy, H steps from the present, in n environments.

    Attributes:
        xy: (n, H, k, 2) m: the things of `Belief`; k = 0 for a model of something else.
        pose: (n, H, 4): x, y in m, cos and sin of the heading; zeros where the model predicts no pose; (n, H, 0) for a
            model without one.
        reward: (n, H).
        cont: (n, H) probability that the episode goes on after the step.
        action: (n, H) indices, or (n, H, a) rows: what led to each step; None where the model does not say.
    """

    xy: np.ndarray
    pose: np.ndarray
    reward: np.ndarray
    cont: np.ndarray
    action: np.ndarray | None = None


@dataclass(frozen=True)
class Gauge:
    """One quantity of a task without a room: a curve over time, or, among a view's `controls`, a bar.

    Attributes:
        name: what it is.
        read: (record, params) -> its present value.
        low, high: the range of the axis.
        unit: of its values.
        hidden: (record, params) -> whether the agent cannot sense it now.
        target: (record, params) -> the range (low, high) in which it should be now, shaded; None where there is none.
    """

    name: str
    read: Callable[[np.void, Any], float]
    low: float
    high: float
    unit: str = ""
    hidden: Callable[[np.void, Any], bool] = lambda record, params: False
    target: Callable[[np.void, Any], tuple[float, float]] | None = None


@dataclass(frozen=True)
class Gauges(View):
    """Quantities over time, for tasks without a room.

    Attributes:
        gauges: curves, from the top down.
        controls: what the agent sets, as bars. They are read from the record, so the task keeps its last action there.
        request: one sentence above the picture: what has to be done.
        caption: (record, params) -> one sentence about this moment.
        succeeded: (record, params) -> whether an episode that has ended was a success; None: it is neither success nor
            failure.
        outcome: what an episode's end is called, by `succeeded`.
    """

    painter: ClassVar[str] = "unseen.envs.watch.gauges:GaugePainter"

    gauges: tuple[Gauge, ...]
    controls: tuple[Gauge, ...] = ()
    request: str = ""
    caption: Callable[[np.void, Any], str] = lambda record, params: ""
    succeeded: Callable[[np.void, Any], bool | None] = lambda record, params: None
    outcome: Mapping[bool | None, str] = field(
        default_factory=lambda: {True: "success", False: "failure", None: "end of the episode"}
    )
