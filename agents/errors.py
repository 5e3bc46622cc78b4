"""What can be wrong with an agent; each message names the thing at fault."""

from unseen.envs.errors import UnseenError


class UnknownAgent(UnseenError, ValueError):
    """No agent goes by that name; the message offers the nearest names."""


class BadAgent(UnseenError):
    """An agent was found but does not keep the `Agent` protocol, does not fit the environment, or raised."""


class BadCheckpoint(UnseenError):
    """A stored agent or training checkpoint is missing, damaged, or not what it claims to be."""


class BadObservation(UnseenError, ValueError):
    """An agent was given an observation that is not finite, or not of its shape."""


class MissingExtra(UnseenError, ImportError):
    """An optional dependency is needed; the message says what to install."""
