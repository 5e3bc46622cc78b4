"""Errors caused by the caller. Each message says what is wrong and what would be valid."""

import difflib
import reprlib
from collections.abc import Iterable


class UnseenError(Exception):
    """Base class of errors that the caller can fix. The CLI prints them as one line."""


class UnknownEnvironment(UnseenError, ValueError):
    """There is no environment of this name."""


class BadParameter(UnseenError, ValueError):
    """A keyword of an environment is unknown, has the wrong type, is out of range, or conflicts with another."""


class UnknownKeyword(BadParameter, TypeError):
    """Unknown keyword. It is also a TypeError, as Python itself would raise, which some libraries rely on."""


class BadTask(UnseenError, TypeError):
    """A task class is incomplete or invalid; the message names the attribute."""


class BadAction(UnseenError, ValueError):
    """An action is not in the action space: wrong shape or dtype, out of range, or not finite."""


class BadDesign(UnseenError, ValueError):
    """A design to be built is incomplete or not in its box; the message names the variable and its range."""


class BadSnapshot(UnseenError, ValueError):
    """The bytes passed to `restore` are not a snapshot of this environment."""


class ResetNeeded(UnseenError, RuntimeError):
    """`step` was called before `reset` or after the end of an episode."""


class ResetFailed(UnseenError, RuntimeError):
    """`reset` found no valid episode within the maximum number of tries."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A phrase with the known names most similar to `name`, best first, or with all of them if none is similar."""
    known = list(known)
    close = difflib.get_close_matches(name.lower(), [k.lower() for k in known], n=3, cutoff=0.4)
    names = [k for lower in dict.fromkeys(close) for k in known if k.lower() == lower] or known
    return ("did you mean " if close else "valid names: ") + ", ".join(names) + ("?" if close else "")


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # Python writes no integer of thousands of digits
            return f"an integer of {x.bit_length()} bits"


def shown(value: object) -> str:
    """A value as it stands in a message: its `repr`, shortened. It does not raise."""
    return _Short().repr(value)
