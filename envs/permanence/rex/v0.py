"""Rex as it was in version 0: few meetings, and half of the requests are for furniture."""

from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.faculty import Faculty
from unseen.envs.permanence.rex import rules, spec
from unseen.envs.planar.task import planar_sensors

MEETINGS = 4  # for which `state` has room


@device
def write_state(s, p, o):
    """`state`, with room for fewer meetings."""
    rules.write_script(s, p, o, MEETINGS)


class Rex(spec.Rex):
    __doc__ = __doc__
    sensors = planar_sensors(write_state, rules.STATE_DOGS + 3 * MEETINGS)
    levels: ClassVar[dict[int, spec.RexParams]] = {
        0: spec.RexParams(glass=True, near=0.0, order="colour"),
        1: spec.RexParams(**spec.ONE),
        2: spec.RexParams(order="identity", query="fixed", blackout=(3, 6)),
        3: spec.RexParams(
            pieces=6, dogs=5, crossings=(3, 3), feints=True, query="late", order="distance", frame="ego", jitter=0.06,
            ring=1.3, breadth=0.27, room=2.9, blackout=(15, 25), act=24,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, spec.RexParams]] = {}
    faculties: ClassVar[dict[str, Faculty]] = {}
    visible: ClassVar[dict[str, Any]] = {}
