"""Unblock: crates stand in the doorways; pushed the wrong way, one jams the way for good."""

from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.params import choice, derived, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import MAX_SIDE
from unseen.envs.grid.floor import OBSERVE_STEPS, SLIM
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import Look, PlanarTask, RoomParams, planar_sensors
from unseen.envs.planning.unblock import rules
from unseen.envs.planning.unblock.crates import MAX_PLAN, SEARCH
from unseen.envs.planning.unblock.draw import MAX_CRATES
from unseen.envs.planning.unblock.references import REFERENCES


class UnblockParams(RoomParams):
    """Parameters of Unblock."""

    order: str = choice("colour", default="colour", doc="slot = record order: one block, crates first, then walls")
    room: float = real(1.75, 4.0, default=2.0, doc="half extent of the flat, m")
    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn")
    act: int = integer(4, 200, default=50, doc="steps of the act phase")
    crates: int = integer(0, MAX_CRATES, default=2, doc="crates: the first in a doorway, the others there or near one")
    cells: int = integer(5, MAX_SIDE, default=6, doc="cells a side")
    rooms: int = integer(2, 4, default=4, doc="rooms of the flat")
    plan: tuple[int, int] = span(1, MAX_PLAN, default=(5, 12), doc="steps of the shortest plan, lowest and highest")
    moved: int = integer(0, MAX_CRATES, default=1, doc="crates that the shortest plan pushes, at least")
    trap: float = real(0.0, 1.0, default=0.75, doc="share of episodes in which greedy's pushes jam the way for good")

    def check(self) -> None:
        low, high = self.plan
        near = 1 if self.crates > 0 else 2  # steps to a cell that nothing can hide
        if high <= near:
            raise BadParameter(f"plan={self.plan}: within {near} steps the block is in sight, so that more are needed")
        longest = self.cells * (self.cells - 1)  # cells on either side of the shortest wall, but for the agent's
        if self.crates == 0 and low > longest:
            raise BadParameter(
                f"plan={self.plan}: without crates no plan has more than cells x (cells - 1) = {longest}"
            )
        if self.act < high:
            raise BadParameter(f"act={self.act}: plan={self.plan} needs at least {high} steps")
        if self.trap > 0 and self.crates < 1:
            raise BadParameter(f"trap={self.trap}: allowed is 0 where crates=0, since nothing can jam")
        if self.moved > self.crates:
            raise BadParameter(f"moved={self.moved}: allowed is at most crates={self.crates}")

    observe_steps = derived(lambda self: OBSERVE_STEPS)
    scramble = derived(lambda self: 0.0)
    radius = derived(lambda self: rules.RADIUS)

    @derived
    def depth(self) -> float:
        """Half extent of a crate, m; likewise `breadth`."""
        return SLIM * 2 * self.room / self.cells

    @derived
    def breadth(self) -> float:
        return self.depth

    @derived
    def sizes(self) -> Sizes:
        walls = {2: 2, 3: 5, 4: 7}[self.rooms]
        return Sizes(colours=1, disc_slots=1, box_slots=self.crates + walls, box_kinds=2, box_shape=1)

    @property
    def horizon(self) -> int:
        return OBSERVE_STEPS + self.blackout[1] + self.act


P = UnblockParams


class Unblock(PlanarTask):
    """Reach the block that rolled behind the crates.

    **Story.** A small flat: rooms of a few cells, doorways, and crates that stand in or near them. While walls and
    crates are clear as glass, a block rolls to its place; then they turn opaque, and it lies out of sight, with a
    crate in every way to it. Walking into a crate pushes it one cell, if the cell beyond is free (Sokoban's rule).
    Nothing can be pulled: a crate pushed the wrong way jams the way for good. Look ahead before you push.

    **Levels.** 0: no crates, all of glass: what is left is walking. 1: two rooms, one crate in the only doorway,
    which can simply be pushed on. 2 (default): four rooms and two crates that interact: 75 % of episodes are adversarial
    to the greedy policy, whose pushes jam the way for good although either crate alone would not stop it; the other
    25 % are unconstrained, so that "do the opposite of greedy" does not work either. 3: four crates, plans of 14 to 24
    steps. With `glass=True` the block stays in sight: what is left of any level is planning.

    **Actions.** East, north, west, south, one cell each, and stay; the agent faces the way it goes, also when it is
    stopped. There are no turns or arcs: each of the four moves, so that random play pushes things. They have no effect
    until the act phase. The rules are on a grid, so that the simulator is exact and a search can certify every episode;
    a continuous action (east, north) is a direction only, its larger part if that is above .5 in magnitude.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Crates keep their slots; walls follow, one box
    for each run of cells. Boxes show wherever they stand, the block only in line of sight. It is small: a crate, which
    stands on feet, slides over it and then covers it.

    **Reward.** 1 in the step in which the agent stands in the block's cell; it ends the episode.

    **End.** Also after `act` steps, about four times the longest plan; both `terminated`, since the deadline is part
    of the rules. A jam is not reported: the episode goes on until its time is up. At the end the lights go on. The last
    step's info holds `plan_steps`, the length of the shortest plan.

    **Certified.** `reset` searches breadth-first over (agent, crates), in steps. `plan_steps` in the record is the length
    of a shortest plan; where `trap` is 1, `jam_here` and `jam_crates` are where greedy ends, and an exhaustive search
    found no plan from there. Where a search would look at more than 256 arrangements of crates it stops; the lengths
    found by then are exact. A reset costs about 4 microseconds at levels 0 and 1, 50 at level 2 and 340 at level 3.

    **References.** The oracle follows a shortest plan, and makes a new one where it was led off it. The tracker
    remembers where the block came to rest and plans from what it sees. Greedy takes the shortest path on which every
    push is possible as things stand now; having no memory, it pushes on at the nearest crate while it sees no block.

    **Leaks closed.** Flats, crates, agent and block are drawn anew each time; whether it is a trap is drawn before
    the flat, so that rejected flats do not tilt its share. Reward and observations depend on nothing hidden.

    **Shift.** A flat that is one cell wider (at 7 cells: one narrower).
    """

    title = "push crates out of the way without jamming it"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(cells=5, rooms=2, crates=0, plan=(3, 6), act=32, moved=0, trap=0.0, blackout=(0, 0), glass=True),
        1: P(cells=5, rooms=2, crates=1, plan=(3, 6), act=32, moved=1, trap=0.0, blackout=(0, 0)),
        2: P(blackout=(1, 2)),
        3: P(crates=4, cells=7, plan=(14, 24), act=90, moved=2, blackout=(1, 4)),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crates": (1, 2, 3, 4),
        "plan": ((4, 7), (8, 10), (11, 13), (14, 16)),
        "moved": (1, 2),
        "trap": (0.0, 0.5, 1.0),
    }
    view = Look(
        boxes=("crate", "wall"),
        request="reach the {} block behind the crates",
        captions={
            "observe": "Walls and crates are clear while the block rolls to its place.",
            "blackout": "Nothing shows for a moment.",
            "act": "Push crates out of the way; nothing can be pulled back.",
            "lit": "Push crates out of the way; nothing can be pulled back.",
            "over": "Lights on: now everything shows.",
        },
        won="reached it",
        lost="out of time",
    )
    metrics = ("is_success", "plan_steps")
    scratch = SEARCH
    reset, step = rules.reset, rules.step
    references = REFERENCES
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    keys: ClassVar[Mapping[str, str]] = {"north": "w", "west": "a", "south": "s", "east": "d", "stay": "x"}
    max_tries = 5000  # a try costs some ten microseconds
