"""Errors that a user of the environments can cause; each names what is wrong and what is allowed."""

import difflib
from collections.abc import Iterable


class UnseenError(Exception):
    """Base of every error of this package that is the caller's to mend. The CLI prints it as one line."""


class UnknownEnvironment(UnseenError, ValueError):
    """No environment of this name."""


class BadParameter(UnseenError, ValueError):
    """A keyword of an environment is unknown, of the wrong type, out of range or in conflict with another."""


class UnknownKeyword(BadParameter, TypeError):
    """A keyword is not one of the environment's. Also a TypeError, as Python itself raises, on which some libraries rely."""


class BadTask(UnseenError, TypeError):
    """A task class lacks a piece, or has a wrong one; the message names it."""


class BadAction(UnseenError, ValueError):
    """An action is not of the action space: wrong shape, wrong dtype, out of range or not finite."""


class BadSnapshot(UnseenError, ValueError):
    """Bytes given to `restore` do not fit this environment."""


class ResetNeeded(UnseenError, RuntimeError):
    """`step` was called before `reset`, or after the episode had ended."""


class ResetFailed(UnseenError, RuntimeError):
    """No episode that satisfies the environment's conditions was found within the allowed tries."""


def nearest(name: str, known: Iterable[str]) -> str:
    """One phrase naming the known names closest to `name`, or all of them where none is close."""
    known = list(known)
    close = difflib.get_close_matches(name.lower(), [k.lower() for k in known], n=3, cutoff=0.4)
    names = [k for k in known if k.lower() in close] or known
    return ("did you mean " if close else "known are ") + ", ".join(names) + ("?" if close else "")
