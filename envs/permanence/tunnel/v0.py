"""Tunnel as it was in version 0."""

from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.faculty import Faculty
from unseen.envs.permanence.tunnel import rules, spec
from unseen.envs.permanence.tunnel.spec import TunnelParams as P
from unseen.envs.planar.task import planar_sensors

STATE_EXTRA = 8 + 6 * 3  # there were up to three balls


@device
def write_state(s, p, o):
    """`state` with scripts of three balls."""
    rules.write_script(s, p, o, o.shape[0] - STATE_EXTRA)


class Tunnel(spec.Tunnel):
    """Version 0 of Tunnel: standing at the right exit is enough at level 1, and 16 observations often are at level 2."""

    sensors = planar_sensors(write_state, STATE_EXTRA)
    levels: ClassVar[dict[int, P]] = {
        0: P(exits=3, fork=0.0, lane=2.2, carpet=1.0, blackout=(1, 3), slack=(0, 4), patience=8, glass=True),
        1: P(exits=3, fork=0.0, lane=2.2, carpet=1.0, blackout=(1, 3), slack=(0, 4), patience=8),
        2: P(blackout=(2, 5)),
        3: P(
            exits=5, balls=2, query="late", fork=1.6, lane=2.2, siding=True, blackout=(15, 20), order="distance",
            frame="ego",
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, Any]] = {}
    faculties: ClassVar[dict[str, Faculty]] = {}
