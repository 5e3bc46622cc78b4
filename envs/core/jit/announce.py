"""One line on stderr about a first compilation: what is compiled, how far it is, and how long it took."""

import sys
import time
from types import TracebackType


class Announcement:
    """Says that a kernel is compiled, from entering to leaving it.

    Args:
        what: the kernel, in words.
        functions: how many device functions it is made of.
    """

    def __init__(self, what: str, functions: int) -> None:
        self._what, self._functions = what, functions
        self._done = self._quarters = 0

    def __enter__(self) -> "Announcement":
        global _current
        self._started = time.perf_counter()
        _write(f"unseen: compiling {self._what}, once: {self._functions} functions")
        _current = self
        return self

    def advance(self) -> None:
        """One more function is ready."""
        self._done += 1
        quarters = min(4 * self._done // max(self._functions, 1), 3)
        if quarters > self._quarters:
            self._quarters = quarters
            _write(f" .. {25 * quarters} %")

    def machine_code(self) -> None:
        """All functions are ready; what is left is the machine code of the whole."""
        _write(" .. machine code")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        global _current
        _current = None
        _write(f" .. {'done in' if kind is None else 'failed after'} {time.perf_counter() - self._started:.1f} s\n")


_current: Announcement | None = None


def advance() -> None:
    """A device function has been compiled or loaded, by itself or for the kernel that is announced."""
    if _current is not None:
        _current.advance()


def machine_code() -> None:
    """The functions of the kernel that is announced are linked, and its machine code is made."""
    if _current is not None:
        _current.machine_code()


def waiting(what: str) -> None:
    """Another process compiles the same kernel."""
    _write(f"unseen: waiting for another process that compiles {what}\n")


def _write(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
