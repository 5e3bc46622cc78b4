"""Painters draw tasks. A task's `view` names its painter as "module:Class", which is all that other code knows of it."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.watch.window import Window

FRAME = (960, 600)  # width and height of the layout
CARD = (400, 520)  # width and height of the narrow layout


class Painter(ABC):
    """Draws frames of one environment, and can show them in its own window.

    Args:
        width, height: size of the frames in pixels; the layout for FRAME, or CARD, is scaled to fit.
        hidden: show what is hidden from the agent.
        keys: a line of help at the bottom about the keys.
    """

    def __init__(self, width: int = FRAME[0], height: int = FRAME[1], hidden: bool = True, keys: str = "") -> None:
        self.size = (width, height)
        self.hidden, self.keys = hidden, keys
        self._window = Window()

    @abstractmethod
    def frame(
        self,
        record: np.void,
        params: Params,
        task: type[Task],
        reward: float = 0.0,
        belief: Belief | None = None,
        imagined: Imagined | None = None,
        message: str = "",
    ) -> np.ndarray:
        """The frame of one environment, (height, width, 3) uint8, a new array.

        Args:
            record: its state, one element of the environment's `world`.
            reward: reward of the last step.
            belief, imagined: an agent's memory and the predictions of its world model, for a batch of one, drawn over the
                true state if the painter supports it.
            message: a line at the top right, such as the name of the agent.
        """

    @abstractmethod
    def card(
        self,
        record: np.void,
        params: Params,
        task: type[Task],
        reward: float = 0.0,
        belief: Belief | None = None,
        imagined: Imagined | None = None,
        message: str = "",
    ) -> np.ndarray:
        """A narrow version of the frame, with the `message` in the picture. The painter should have the proportions of CARD."""

    def remember(self, record: np.void, params: Params, task: type[Task]) -> None:  # noqa: B027  most draw the present only
        """Take note of a state that is not drawn, for painters that draw the past."""

    def between(self, before: np.void, after: np.void, part: float) -> np.void:
        """A record interpolated between two steps (`part` in [0, 1]), for smooth animation."""
        return before.copy()

    def show(self, frame: np.ndarray) -> None:
        """Show a frame in the window, which opens on the first call. Raises NoDisplay if there is no screen."""
        self._window.show(frame)

    def close(self) -> None:
        """Close the window, if it is open. May be called repeatedly."""
        self._window.close()

    def is_closed_by(self, event: Any) -> bool:
        """Whether a pygame event closes this painter's window."""
        return self._window.is_closed_by(event)
