"""How a task is rendered. A view only declares what to draw; the drawing code is imported on first use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np


class View:
    """Base class of a task's view.

    Attributes:
        painter: "module:Class" of the `unseen.envs.watch.painter.Painter` that draws it, imported on first use.
    """

    painter: ClassVar[str]

    def check(self, record: np.void, params: Any) -> None:
        """Read what it needs of a record, all zero, and of parameters; an AttributeError, KeyError or ValueError about
        what they lack is told when an environment is made, not when it is first drawn."""

    def chapter(self, record: np.void) -> str:
        """The part of the episode that this state belongs to; a contact sheet shows one frame of each."""
        return ""

    def can_act(self, record: np.void) -> bool:
        """Whether actions have an effect now. If not, `unseen play` does not wait for a key."""
        return True


@dataclass(frozen=True)
class Belief:
    """Where an agent takes objects to be, for n environments and k distinguishable objects, in world coordinates (m).

    Attributes:
        seen: (n, k) in [0, 1]: the probability that the position is known.
        xy: (n, k, 2) m; meaningful only where `seen`.
        box_seen, box_xy: the same for m kinds of box, (n, m) and (n, m, 2); None or m = 0 if boxes are not remembered.
        by_slot: the objects are the slots of the observation; else they are the colours of discs.
        parts: (n, l, k, 2): kind, and steps of a running belt to the exit, of up to k parts in each of l lanes of a conveyor; NaN where
            there is no part; None in other tasks.
    """

    seen: np.ndarray
    xy: np.ndarray
    box_seen: np.ndarray | None = None
    box_xy: np.ndarray | None = None
    by_slot: bool = False
    parts: np.ndarray | None = None


@dataclass(frozen=True)
class Imagined:
    """An imagined rollout: H steps of an agent's world model under its plan or its policy, or given actions, in n environments.

    Attributes:
        xy: (n, H, k, 2) m: positions of the objects of `Belief`; k = 0 if the model predicts none.
        pose: (n, H, 4): x, y (m), cos and sin of the heading, or zeros for an unknown pose; (n, H, 0) if the model
            predicts no pose.
        reward: (n, H).
        cont: (n, H) probability that the episode continues after the step.
        action: (n, H) indices or (n, H, a) rows: the action before each step; None if unknown.
        dropped: (n, K, H, 2) m: where the agent would have gone by other plans, which it imagined and dropped when it made the
            present one; NaN after their ends. (n, K, H, 0) if the model predicts no pose; None for an agent that does not plan, or
            has no plan.
        seen: (n, H, k) in [0, 1]: the probability that the position is predicted at all; None: it is.
        box_seen, box_xy: the same for the m box slots of the observation, (n, H, m) and (n, H, m, 2); None if not predicted.
        obs: (n, R, H, d): predicted observations in their own units, in R roll-outs: first the one that the other fields describe, then
            others, in which policy and model are sampled or which follow dropped plans. NaN after their ends; None if not predicted.
        ahead: (n, H) environment steps from now to each imagined step, which may be a decision of several; None: 1, 2, ..., H.
    """

    xy: np.ndarray
    pose: np.ndarray
    reward: np.ndarray
    cont: np.ndarray
    action: np.ndarray | None = None
    dropped: np.ndarray | None = None
    seen: np.ndarray | None = None
    box_seen: np.ndarray | None = None
    box_xy: np.ndarray | None = None
    obs: np.ndarray | None = None
    ahead: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Captioned(View):
    """A view with words: what is asked for, what happens, and how it ended.

    Attributes:
        request: one sentence above the picture that states the task.
        caption: (record, params) -> one sentence about the current state.
        succeeded: (record, params) -> whether the ended episode was a success; None if it was neither.
        outcome: value of `succeeded` -> label of the end of an episode.
    """

    request: str = ""
    caption: Callable[[np.void, Any], str] = lambda record, params: ""
    succeeded: Callable[[np.void, Any], bool | None] = lambda record, params: None
    outcome: Mapping[bool | None, str] = field(
        default_factory=lambda: {True: "success", False: "failure", None: "end of the episode"}
    )

    def check(self, record: np.void, params: Any) -> None:
        self.caption(record, params)


@dataclass(frozen=True)
class Gauge:
    """One quantity of a task without a room, drawn as a curve over time, or as a bar if it is one of `controls`.

    Attributes:
        name: its label.
        read: (record, params) -> its current value.
        low, high: the range of the axis.
        unit: its unit.
        hidden: (record, params) -> whether the agent cannot sense it now.
        target: (record, params) -> the current target range (low, high), drawn as a band; None if there is none.
        bars: draw a bar for each step instead of a curve, as for what is given in it.
        sensed: observations (..., d) -> its values (...) as they tell them, NaN where they do not; for drawing those that an agent
            imagines. None if no observation tells it.
    """

    name: str
    read: Callable[[np.void, Any], float]
    low: float
    high: float
    unit: str = ""
    hidden: Callable[[np.void, Any], bool] = lambda record, params: False
    target: Callable[[np.void, Any], tuple[float, float]] | None = None
    bars: bool = False
    sensed: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Gauges(Captioned):
    """The view of a task without a room: quantities over time.

    Attributes:
        gauges: the curves, from top to bottom.
        controls: what the agent sets, drawn as bars. They are read from the record, so the task must store its last
            action there.
        appointment: (record, params) -> a step that the agent knows of, such as an announced end, and its name, drawn as a
            vertical line; None if there is none now.
        time: the unit of the time axis, and how many of it a step takes.
    """

    painter: ClassVar[str] = "unseen.envs.watch.gauges:GaugePainter"

    gauges: tuple[Gauge, ...]
    controls: tuple[Gauge, ...] = ()
    appointment: Callable[[np.void, Any], tuple[int, str] | None] = lambda record, params: None
    time: tuple[str, float] = ("step", 1.0)
