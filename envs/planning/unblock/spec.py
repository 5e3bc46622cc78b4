"""Unblock: crates stand in the doorways, and a wrong push blocks the way for good."""

from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import MAX_SIDE
from unseen.envs.grid.floor import OBSERVE_STEPS, SLIM
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import ENDS, Look, PlanarTask, RoomParams, planar_sensors
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
    spare: int = integer(0, 2, default=0, doc="pushes beyond the fewest that suffice, if they are limited")
    pushes: tuple[int, int] = span(
        1, MAX_PUSHES, default=(3, 8), doc="range of the fewest pushes, if they are limited; the least is drawn"
    )
    panel: int = integer(
        0, 16, default=16, doc="players of each kind that push at random and must fail, if pushes are limited"
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
        if self.limited:
            self._check_limited()
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

    def _check_limited(self) -> None:
        """Refuse what so few flats allow that a reset might fail."""
        if self.trap > 0:
            raise BadParameter(f"trap={self.trap}: must be 0 with limited=True, where greedy always fails")
        most = self.crates + (0 if self.rival else 1) - (1 if self.cells < MAX_SIDE else 0)
        demands = {
            "cells": (self.cells >= 6, "at least 6"),
            "rooms": (self.rooms == 4, "4"),
            "crates": (self.crates >= 3, "at least 3"),
            "pillars": (self.pillars <= 4, "at most 4"),
            "moved": (self.moved <= 2, "at most 2"),
            "plan": (self.plan[0] <= 8 and self.plan[1] >= 24, "a range that contains 8..24"),
            "spare": (self.spare == 0 or not self.rival, "0 with rival=True"),
            "panel": (self.panel <= (4 if self.rival else 16), "at most 16, or 4 with rival=True"),
            "foresight": (self.foresight == 0 or not self.rival, "0 with rival=True"),
            "final": (not self.final or not self.rival, "False with rival=True"),
            "pushes": (
                self.pushes[0] <= most and self.pushes[1] >= 5 + self.spare,
                f"a range that begins at {most} or below and ends at {5 + self.spare} or above",
            ),
        }
        for name, (holds, allowed) in demands.items():
            if not holds:
                raise BadParameter(f"{name}={getattr(self, name)}: must be {allowed} with limited=True")

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
LIMITED: dict[str, Any] = {"limited": True, "final": True, "trap": 0.0, "plan": (3, 40)}  # at all levels
FURTHER: dict[str, Any] = LIMITED | {
    "crates": 5, "cells": 7, "pillars": 4, "pushes": (5, 7), "foresight": 2, "act": 80, "blackout": (17, 21), "reveal": False,
}  # fmt: skip


class Unblock(PlanarTask):
    """Reach the block that rolled behind the crates.

    **Story.** A small flat with rooms of a few cells, doorways, and crates in or near them. While walls and crates are
    transparent, a block rolls to its cell; then they turn opaque and hide it, with a crate on every path to it. Walking
    into a crate pushes it by one cell if the cell beyond is free (as in Sokoban). Nothing can be pulled, and the agent
    has strength for just as many pushes as the best plan needs: a wrong push cannot be made up for. Look ahead before
    you push.

    **Levels.** 1: a flat of 6 x 6 cells with four rooms, one pillar and three crates; plans of 3 to 5 pushes. 0: the same
    with transparent walls and crates. 2 (default): 7 x 7 cells and five crates, plans of 4 to 7 pushes. 3: two pillars as
    well, plans of 4 to 7 pushes that two pushes of look-ahead do not find, a blackout longer than 16 steps, nothing
    revealed at the end, and an egocentric frame, which turns with each action. The preset "allocentric" is level 3 in the
    room's frame, which a search in a learned model solves (results/open_planning). The preset "hidden-goal" asks for memory
    and a plan at once: the block could as well have rolled to another hidden cell that takes as many pushes, but begins
    with another one. `glass=True` leaves the block visible, so that only planning remains.

    **Actions.** East, north, west, south (one cell each), and stay. The agent faces the direction of its action, even
    when it is blocked. There are no turns, so random play pushes crates. Actions have no effect before the act phase. The
    dynamics are on a grid, so that the simulator is exact and every episode can be verified by search. A continuous
    action (east, north) is converted to the direction of its larger component, if that is above .5 in magnitude.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Each crate keeps its slot; walls and pillars follow, one box
    per run of cells. Boxes are always visible, the block only in line of sight. The signal is the number of pushes left,
    in units of 12. The block is small: a crate, which stands on feet, slides over it and then covers it.

    **Reward.** 1 in the step in which the agent enters the block's cell.

    **End.** Reaching the block (terminated), or `act` steps (truncated), at least twice the longest plan. Dead ends are
    not reported: the episode continues until time runs out. The terminal observation shows everything, except at level 3.
    The last step's info has `plan_steps`, the length of the certified plan.

    **Faculties.** "plan": players that know where everything is, but plan at most a push ahead (at level 3, two). They walk
    to the block if a way is open, make a push that opens one if they see it, and otherwise push at random: any crate,
    only those that leave the fewest crates in the way, or only those that leave no more. "irreversibility": a player that
    plans perfectly, but as if crates could be pulled back. Mean returns of the best of each family at levels 1, 2 and 3
    (split "test", 4,000 episodes): "plan" .043, .008, .003, two pushes ahead .014 at level 3; "irreversibility" .096, .026, .021.

    **Verification.** `reset` searches breadth-first over (crates, cells that the agent can walk to), in pushes, so that
    the strength given is exactly the fewest pushes that lead to the block. A cell is accepted only where greedy fails, and
    `panel` players of each random kind, and where fewer moves of crates would do if these could be pulled. The panel is
    not played: the probability with which a player succeeds is computed exactly, and the cell accepted with the
    probability with which so many fail. Where pushes are limited, no crate is stuck at the start, most stand in doorways,
    and the agent can choose among at least crates - 1 pushes, because other draws are hardly ever accepted.
    With `limited=False` pushes are free, the plan is the shortest in steps, and if `trap` is 1, `jam_here` and
    `jam_crates` are the final state of the greedy policy, from which an exhaustive search found no plan.

    **References.** The oracle follows a plan with the fewest pushes and replans if it was diverted. The tracker remembers
    where the block came to rest and plans from what it sees. The reflex plans as well, but remembers nothing: while it sees
    no block, it plans to a hidden cell that takes as many pushes as it has left.

    **Leaks closed.** Flat, crates, agent and block are redrawn every episode. The least number of pushes is drawn before
    the flat, so that rejections tilt it little. Rewards and observations do not depend on anything hidden. `hidden` is the
    position of the block; a probe is asked for it in the last step of the blackout only, because afterwards walls and
    crates tell where a block can be hidden. Splits are disjoint in the arrangement of walls and crates.

    **Shift.** A flat that is one cell wider (one narrower at 7 cells).
    """

    title = "push crates out of the way without blocking it for good"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, by_touch=True)
    levels: ClassVar[dict[int, P]] = {
        0: P(crates=3, cells=7, pillars=3, pushes=(4, 5), panel=12, act=80, blackout=(2, 4), glass=True, **LIMITED),
        1: P(crates=3, cells=7, pillars=3, pushes=(4, 5), panel=12, act=80, blackout=(2, 4), **LIMITED),
        2: P(crates=5, cells=7, pillars=3, pushes=(4, 7), act=80, blackout=(4, 7), **LIMITED),
        3: P(frame="ego", **FURTHER),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "allocentric": P(**FURTHER),
        "hidden-goal": P(
            crates=5, cells=7, pillars=3, pushes=(3, 6), panel=4, foresight=0, rival=True, act=80, blackout=(17, 21), reveal=False,
            limited=True, trap=0.0, plan=(3, 40),
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crates": (3, 4, 5),
        "pushes": ((4, 5), (5, 6), (6, 7)),
        "spare": (0, 1, 2),
    }
    faculties: ClassVar[dict[str, Faculty]] = {
        "plan": Faculty(
            "choose the first push for the sake of the last",
            without=(
                "greedy", "random-pushes", "careful-pushes", "one-ahead", "one-ahead-nearer", "one-ahead-careful",
            ),
        ),
        "plan further": Faculty(
            "choose the first push for the sake of the third and later",
            without=("two-ahead", "two-ahead-nearer", "two-ahead-careful"),
            levels=(3,),
        ),
        "irreversibility": Faculty("know that no push can be taken back", without=("puller",)),
    }  # fmt: skip
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    hidden = Hidden(rules.write_hidden, size=2, when=rules.last_dark, change=rules.change_hidden, found=rules.found)
    instance = rules.instance
    view = Look(
        boxes=("crate", "wall"),
        request="reach the {} block behind the crates",
        captions=ENDS
        | {
            "observe": "Walls and crates are transparent while the block rolls to its place.",
            "blackout": "Blackout. Nothing moves.",
            "act": "Push crates out of the way; nothing can be pulled back.",
            "lit": "Push crates out of the way; nothing can be pulled back.",
        },
        won="reached it",
        lost="out of time",
        signals=("pushes left",),
        counts={"pushes left": lambda p: MAX_PUSHES},
    )
    metrics = ("is_success", "plan_steps")
    scratch = SCRATCH
    reset, step = rules.reset, rules.step
    references = REFERENCES
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    action_names = ("east", "north")
    keys: ClassVar[Mapping[str, str]] = {"north": "w", "west": "a", "south": "s", "east": "d", "stay": "x"}
    max_tries = 400_000  # most tries take a few microseconds
