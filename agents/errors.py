"""Errors about agents. Each message names the faulty agent, file or value."""

from unseen.envs.errors import UnseenError


class UnknownAgent(UnseenError, ValueError):
    """There is no agent of that name; the message suggests similar names."""


class BadAgent(UnseenError):
    """An agent does not implement `Agent`, does not fit the environment, or raised an exception."""


class BadCheckpoint(UnseenError):
    """A stored agent or training checkpoint is missing, damaged, or not what it claims to be."""


class BadObservation(UnseenError, ValueError):
    """An observation is not finite or has the wrong shape."""


class MissingExtra(UnseenError, ImportError):
    """An optional dependency is needed; the message says what to install."""
