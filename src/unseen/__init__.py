"""unseen: Gymnasium environments for object permanence and planning.

Importing this package registers the environments: `gymnasium.make("Unseen/RolledBehind-v0")`. Without the import, use
`gymnasium.make("unseen:Unseen/RolledBehind-v0")`. Heavy dependencies are imported on first use.
"""

from unseen.envs.suite import register_all

__version__ = "0.2.0"

register_all()
