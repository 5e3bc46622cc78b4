"""unseen: act on what you cannot see; imagine before you act."""

__version__ = "0.1.0"
