"""What draws a task. A task's `view` names its painter as "module:Class"; environments, `play` and `unseen watch`
know nothing else of it."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.watch.window import Window

FRAME = (960, 600)  # width and height that a picture is laid out for
CARD = (400, 520)  # and those of the narrow one


class Painter(ABC):
    """Draws pictures of one environment, and shows them in a window of its own when asked to.

    Args:
        width, height: of the pictures in pixels; what is laid out for FRAME, or CARD, is scaled to fit.
        hidden: show the human what is hidden from the agent; a player would rather remember.
        keys: a line of help at the bottom, for those who have a keyboard.
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
        """The picture (height, width, 3) uint8 of one environment, a fresh array.

        Args:
            record: its state, one element of the environment's `world`.
            reward: of the step that led here.
            belief, imagined: what an agent has in memory, and what its world model predicts, for a batch of one;
                drawn over the truth where the painter can.
            message: a line at the top right, such as who plays.
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
    ) -> np.ndarray:
        """A narrow picture of the same for small places; it wants a painter in the proportions of CARD."""

    def between(self, before: np.void, after: np.void, part: float) -> np.void:
        """A record `part` of the way (in [0, 1]) from one step to the next, to draw a step as a smooth movement."""
        return before.copy()

    def show(self, frame: np.ndarray) -> None:
        """Put a frame into the window, which opens with the first one. Raises NoDisplay where there is no screen."""
        self._window.show(frame)

    def close(self) -> None:
        """Close the window, if it is open; harmless when repeated."""
        self._window.close()

    def is_closed_by(self, event: Any) -> bool:
        """Whether a pygame event asks for this painter's window to be closed."""
        return self._window.is_closed_by(event)
