"""A separate window per painter, so that closing one leaves the others open."""

import os
import weakref
from typing import Any

import numpy as np
import pygame

from unseen.envs.errors import UnseenError


class NoDisplay(UnseenError, RuntimeError):
    """There is no display to open a window on."""


class _Video:
    """The pygame video system of the process: it starts with the first window and stops after the last.

    It is left running if other code has started it, or uses `pygame.display`.
    """

    def __init__(self) -> None:
        self.windows = 0
        self.started_here = False

    def enter(self) -> None:
        """Register a window. Raises pygame.error if there is no display."""
        if not pygame.display.get_init():
            pygame.display.init()
            driver = pygame.display.get_driver()
            if driver in ("offscreen", "dummy") and driver != os.environ.get("SDL_VIDEODRIVER"):
                pygame.display.quit()  # SDL's fallback: an invisible window
                raise pygame.error("no screen")
            self.started_here = True
        self.windows += 1

    def leave(self) -> None:
        """Unregister a window."""
        self.windows -= 1
        if self.windows == 0 and self.started_here:
            self.started_here = False
            if pygame.display.get_surface() is None:
                pygame.display.quit()


_VIDEO = _Video()


def _destroy(window: pygame.Window) -> None:
    try:
        window.destroy()
    except pygame.error:  # somebody quit pygame, which took the window along
        pass
    _VIDEO.leave()


class Window:
    """A window for frames of one size. The first frame opens it; it closes on `close` or when garbage-collected.

    A copied or unpickled object starts without a window.
    """

    def __init__(self, title: str = "unseen") -> None:
        self.title = title
        self._window: pygame.Window | None = None
        self._close: weakref.finalize | None = None

    def show(self, frame: np.ndarray) -> None:
        """Show a frame (height, width, 3) uint8 and process window events.

        Raises NoDisplay.
        """
        if self._window is None:
            self._open(frame)
        try:
            self._flip(frame)
        except pygame.error:  # somebody quit pygame since the last frame, as gymnasium.utils.play does
            self.close()
            self._open(frame)
            self._flip(frame)

    def is_closed_by(self, event: pygame.event.Event) -> bool:
        """Whether an event closes this window."""
        return event.type == pygame.QUIT or (event.type == pygame.WINDOWCLOSE and event.window is self._window)

    def _open(self, frame: np.ndarray) -> None:
        height, width, _ = frame.shape
        try:
            _VIDEO.enter()
            try:
                self._window = pygame.Window(self.title, (width, height))
            except pygame.error:
                _VIDEO.leave()
                raise
        except pygame.error as error:
            raise NoDisplay(f"no window can be opened here ({error}); frames can be saved without one") from None
        self._close = weakref.finalize(self, _destroy, self._window)

    def _flip(self, frame: np.ndarray) -> None:
        assert self._window is not None
        pygame.event.pump()
        self._window.get_surface().blit(pygame.surfarray.make_surface(frame.swapaxes(0, 1)), (0, 0))
        self._window.flip()

    def close(self) -> None:
        """Close the window, if it is open. May be called repeatedly."""
        self._window = None
        if self._close is not None:
            self._close()
            self._close = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_window": None, "_close": None}
