"""RolledBehind as it was in version 0: short blackouts, colours that always show, and one bump at level 3."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rolled_behind import spec


class RolledBehindParams(spec.RolledBehindParams):
    """Parameters of RolledBehind 0. With `bump`, a reset may find no episode, because `check` did not refuse enough."""

    def check_bumps(self) -> None:
        if self.bump and self.blocks >= self.occluders:
            raise BadParameter(
                f"bump=True needs a vacant occluder: blocks={self.blocks} must be less than occluders={self.occluders}"
            )


P = RolledBehindParams


class RolledBehind(spec.RolledBehind):
    __doc__ = __doc__
    params = P
    levels: ClassVar[dict[int, P]] = {  # type: ignore[assignment]  # parameters of the subclass
        0: P(occluders=3, blocks=3, blackout=(1, 3), act=14, glass=True),
        1: P(occluders=3, blocks=3, blackout=(1, 3), act=14, query="fixed"),
        2: P(friction=2.0, breadth=0.32),
        3: P(
            occluders=6, blocks=5, blackout=(5, 15), act=24, query="late", order="distance", frame="ego", jitter=0.06,
            ring=1.3, breadth=0.3, depth=0.2, room=2.9, mixed=True, bump=True,
        ),
    }  # fmt: skip
    faculties: ClassVar[dict[str, Faculty]] = {}
    visible: ClassVar[dict[str, Any]] = {}
