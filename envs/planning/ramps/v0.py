"""Ramps as it was in version 0: episodes without bends at levels 1 and 2, and the reflex ignores pillars."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from unseen.envs.core.device import device
from unseen.envs.core.faculty import Faculty
from unseen.envs.core.reference import Reference, by_index
from unseen.envs.core.task import Task
from unseen.envs.grid.cells import EAST, count, nth, shift
from unseen.envs.grid.floor import side
from unseen.envs.planar.world import ACT
from unseen.envs.planning.ramps import spec
from unseen.envs.planning.ramps.lanes import search_greedily
from unseen.envs.planning.ramps.references import BELIEF, execute, update_map
from unseen.envs.planning.ramps.rules import ACTIONS, STAY

P = spec.RampsParams


@device
def reflex(o, m, p):
    """Straight or with one deflector, as if there were no pillars; a hidden block is taken to be behind the screen."""
    update_map(o, m, p)
    if m.phase != ACT:
        return STAY
    if m.goal == 0 and m.screen != 0:
        m.goal = shift(nth(m.screen, count(m.screen) // 2), EAST)
    if m.goal == 0 or not search_greedily(m, m.plan, p, side(p)):
        return STAY
    return execute(m, m.plan)


class Ramps(spec.Ramps):
    __doc__ = __doc__
    levels: ClassVar[dict[int, P]] = {
        0: P(
            cells=5, room=1.8, screen=0, pillars=2, bends=(0, 0), deflectors=0, powers=3, cells_per_power=2, trap=0.0,
            act=24, blackout=(0, 0), glass=True,
        ),
        1: P(
            cells=5, room=1.8, pillars=0, bends=(0, 1), deflectors=1, powers=2, cells_per_power=5, trap=0.0, act=32,
            blackout=(1, 1),
        ),
        2: P(blackout=(1, 2)),
        3: P(cells=7, room=2.4, screen=4, pillars=9, bends=(2, 3), powers=6, candidates=6, act=90, blackout=(1, 4)),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {}
    hidden = None  # type: ignore[assignment]
    instance: ClassVar[Callable | None] = None
    faculties: ClassVar[dict[str, Faculty]] = {}
    visible: ClassVar[dict[str, Any]] = {}
    references: ClassVar[Mapping[str, Reference]] = {  # type: ignore[assignment]
        name: spec.Ramps.references[name] for name in ("oracle", "tracker")
    } | {"reflex": Reference(by_index(reflex, ACTIONS), reads="slots", memory=BELIEF, remembers=False)}
    chance = Task.__dict__["chance"]
