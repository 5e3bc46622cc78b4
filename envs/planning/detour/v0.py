"""Detour as it was in version 0: only heading straight for the block is certain to fail, and there is time for more."""

from typing import ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.faculty import Faculty
from unseen.envs.planar.slots import write_lit_slots
from unseen.envs.planar.task import planar_sensors
from unseen.envs.planning.detour import rules, spec

P = spec.DetourParams


@device
def write_state(s, p, o):
    """`state`, without the time limit."""
    write_lit_slots(s, p, o, s.query)
    rules.write_drive(s, p, o, o.shape[0] - 2)


class Detour(spec.Detour):
    __doc__ = __doc__
    sensors = planar_sensors(write_state, 2)
    levels: ClassVar[dict[int, P]] = {
        0: P(barriers=0, depth=0.3, breadth=0.5, blocks=1, room=2.0, act=20),
        1: P(depth=0.3, breadth=0.5, gaps=False, blocks=1, room=2.0, act=60),
        2: P(),
        3: P(barriers=2, doors=2, room=2.8, order="distance", frame="ego", act=80),
    }
    presets: ClassVar[dict[str, P]] = {name: spec.Detour.presets[name] for name in ("barrier", "opaque-barrier")}
    faculties: ClassVar[dict[str, Faculty]] = {}
    max_tries = 500
