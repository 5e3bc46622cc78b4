"""Unblock: crates stand in the doorways, and a wrong push blocks the way for good."""

from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import MAX_SIDE
from unseen.envs.grid.floor import OBSERVE_STEPS, SLIM
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import Look, PlanarTask, RoomParams, planar_sensors
from unseen.envs.planning.unblock import rules
from unseen.envs.planning.unblock.crates import MAX_PLAN
from unseen.envs.planning.unblock.draw import MAX_CRATES, MAX_PILLARS, SCRATCH
from unseen.envs.planning.unblock.pushes import MAX_PUSHES
from unseen.envs.planning.unblock.references import REFERENCES


class UnblockParams(RoomParams):
    """Parameters of Unblock."""

    order: str = choice("colour", default="colour", doc="fixed: crates first, then walls")
    room: float = real(1.75, 4.0, default=2.0, doc="half extent of the flat, m")
    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn")
    act: int = integer(4, 200, default=50, doc="steps of the act phase")
    crates: int = integer(0, MAX_CRATES, default=2, doc="crates: the first in a doorway, the others in or near one")
    cells: int = integer(5, MAX_SIDE, default=6, doc="cells per side")
    rooms: int = integer(2, 4, default=4, doc="rooms of the flat")
    plan: tuple[int, int] = span(1, MAX_PLAN, default=(5, 12), doc="range of the length of the shortest plan, steps")
    moved: int = integer(0, MAX_CRATES, default=1, doc="minimum number of crates that the shortest plan pushes")
    trap: float = real(
        0.0, 1.0, default=0.75, doc="fraction of episodes in which the greedy policy blocks the way for good"
    )

    pillars: int = integer(0, MAX_PILLARS, default=0, doc="walls of one cell, anywhere but in doorways")
    limited: bool = flag(
        default=False,
        doc="the agent can push only as often as the plan with the fewest pushes needs, plus `spare`; the block is then "
        "placed by `pushes`, `panel` and `foresight`, not by `trap`",
    )
    spare: int = integer(0, MAX_PUSHES, default=0, doc="pushes beyond the fewest that suffice, if they are limited")
    pushes: tuple[int, int] = span(
        1, MAX_PUSHES, default=(3, 8), doc="range of the fewest pushes, if they are limited; the least is drawn"
    )
    panel: int = integer(
        0, 64, default=16, doc="players of each kind that push at random and must fail, if pushes are limited"
    )
    foresight: int = integer(0, 2, default=1, doc="pushes that the players of the panel look ahead")
    final: bool = flag(
        default=False,
        doc="if pushes are limited: if crates could be pulled back, fewer moves of crates would do, so that who plans as "
        "if they could goes wrong",
    )
    rival: bool = flag(
        default=False,
        doc="the block might as well have rolled to another cell, with as many pushes, but another first push",
    )

    def check(self) -> None:
        low, high = self.plan
        if self.limited and self.trap > 0:
            raise BadParameter(f"trap={self.trap}: must be 0 with limited=True, where greedy always fails")
        near = 1 if self.crates > 0 else 2  # steps to a cell that nothing can hide
        if high <= near:
            raise BadParameter(f"plan={self.plan}: must allow more than {near} steps, or the block is never hidden")
        longest = self.cells * (self.cells - 1)  # cells on either side of the shortest wall, but for the agent's
        if self.crates == 0 and low > longest:
            raise BadParameter(
                f"plan={self.plan}: without crates no plan is longer than cells x (cells - 1) = {longest}"
            )
        if self.act < high:
            raise BadParameter(f"act={self.act}: must be at least {high} for plan={self.plan}")
        if self.trap > 0 and self.crates < 1:
            raise BadParameter(f"trap={self.trap}: must be 0 with crates=0, since nothing can block the way")
        if self.moved > self.crates:
            raise BadParameter(f"moved={self.moved}: must be at most crates={self.crates}")

    observe_steps = derived(lambda self: OBSERVE_STEPS)
    scramble = derived(lambda self: 0.0)
    radius = derived(lambda self: rules.RADIUS)

    @derived
    def depth(self) -> float:
        """Half extent of a crate, m; the same as `breadth`."""
        return SLIM * 2 * self.room / self.cells

    @derived
    def breadth(self) -> float:
        return self.depth

    @derived
    def sizes(self) -> Sizes:
        boxes = self.crates + {2: 2, 3: 5, 4: 7}[self.rooms] + self.pillars
        signals = 1 if self.limited else 0
        return Sizes(colours=1, disc_slots=1, box_slots=boxes, box_kinds=2, box_shape=1, signals=signals)

    @property
    def horizon(self) -> int:
        return OBSERVE_STEPS + self.blackout[1] + self.act


P = UnblockParams


class Unblock(PlanarTask):
    """Reach the block that rolled behind the crates.

    **Story.** A small flat with rooms of a few cells, doorways, and crates in or near them. While walls and crates are
    transparent, a block rolls to its cell; then they turn opaque and hide it, with a crate on every path to it. Walking
    into a crate pushes it by one cell if the cell beyond is free (as in Sokoban). Nothing can be pulled: a crate pushed
    the wrong way can block the way for good. Look ahead before you push.

    **Levels.** 0: no crates, transparent walls: only walking. 1: two rooms and one crate in the only doorway, which can
    simply be pushed on. 2 (default): four rooms and two crates that interact: 75 % of episodes are adversarial to the
    greedy policy, whose pushes block the way for good although either crate alone would not stop it; the other 25 % are
    unconstrained, so that "do the opposite of greedy" does not work either. 3: four crates, plans of 14 to 24 steps.
    With `glass=True` the block stays visible, which leaves only the planning.

    **Actions.** East, north, west, south (one cell each), and stay. The agent faces the direction of its action, even
    when it is blocked. There are no turns, so random play pushes crates. Actions have no effect before the act phase. The
    dynamics are on a grid, so that the simulator is exact and every episode can be verified by search. A continuous
    action (east, north) is converted to the direction of its larger component, if that is above .5 in magnitude.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Each crate keeps its slot; walls follow, one box per run of
    cells. Boxes are always visible, the block only in line of sight. The block is small: a crate, which
    stands on feet, slides over it and then covers it.

    **Reward.** 1 in the step in which the agent enters the block's cell.

    **End.** Reaching the block, or `act` steps, about four times the longest plan. Both are `terminated`, because the
    deadline is part of the rules. Dead ends are not reported: the episode continues until time runs out. The terminal
    observation shows everything. The last step's info has `plan_steps`, the length of the shortest plan.

    **Verification.** `reset` runs a breadth-first search over (agent, crates). `plan_steps` is the length of a shortest
    plan. If `trap` is 1, `jam_here` and `jam_crates` are the final state of the greedy policy, from which an exhaustive
    search found no plan. A search stops at 256 arrangements of crates; the lengths found by then are exact. A reset takes
    about 4 microseconds at levels 0 and 1, 50 at level 2 and 340 at level 3.

    **References.** The oracle follows a shortest plan and replans if it was diverted. The tracker remembers where the
    block came to rest and plans from what it sees. The greedy policy takes the shortest path on which every push is
    possible in the current state; without memory, it heads for the nearest crate while it sees no block.

    **Leaks closed.** Flat, crates, agent and block are redrawn every episode. Whether it is a trap is drawn before the
    flat, so that rejections do not bias the share of traps. Rewards and observations do not depend on anything hidden.

    **Shift.** A flat that is one cell wider (one narrower at 7 cells).
    """

    title = "push crates out of the way without blocking it for good"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA)
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
            "observe": "Walls and crates are transparent while the block rolls to its place.",
            "blackout": "A short blackout.",
            "act": "Push crates out of the way; nothing can be pulled back.",
            "lit": "Push crates out of the way; nothing can be pulled back.",
            "over": "Lights on: everything is visible.",
        },
        won="reached it",
        lost="out of time",
    )
    metrics = ("is_success", "plan_steps")
    scratch = SCRATCH
    reset, step = rules.reset, rules.step
    references = REFERENCES
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    keys: ClassVar[Mapping[str, str]] = {"north": "w", "west": "a", "south": "s", "east": "d", "stay": "x"}
    max_tries = 5000  # a try takes about ten microseconds
