"""unseen: act on what you cannot see; imagine before you act.

Importing this registers the environments with Gymnasium, and loads nothing heavy:
`gymnasium.make("Unseen/RolledBehind-v0")`, or `gymnasium.make("unseen:Unseen/RolledBehind-v0")` in one go.
"""

from unseen.envs.suite import register_all

__version__ = "0.2.0"

register_all()
