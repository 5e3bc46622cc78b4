"""Ramps: set deflectors and a launcher, then release the ball once; what will it do?"""

from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.params import choice, derived, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import MAX_SIDE
from unseen.envs.grid.floor import OBSERVE_STEPS
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import Look, PlanarTask, RoomParams, planar_sensors
from unseen.envs.planning.ramps import rules
from unseen.envs.planning.ramps.deflectors import MAX_DEFLECTORS
from unseen.envs.planning.ramps.draw import MAX_PILLARS
from unseen.envs.planning.ramps.lanes import LANE_PLAN
from unseen.envs.planning.ramps.references import REFERENCES


class RampsParams(RoomParams):
    """Parameters of Ramps."""

    renamed: ClassVar[Mapping[str, str]] = dict(RoomParams.renamed) | {
        "reach": "cells_per_power",
        "doubt": "candidates",
    }

    order: str = choice("colour", default="colour", doc="slot = record order: see Observation")
    room: float = real(1.8, 3.0, default=2.1, doc="half extent of the room from the rail to the eastern wall, m")
    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn")
    act: int = integer(4, 200, default=60, doc="steps of the act phase")
    cells: int = integer(5, MAX_SIDE, default=6, doc="cells a side")
    screen: int = integer(0, 4, default=3, doc="cells that the screen bars, from south to north; 0: there is none")
    pillars: int = integer(0, MAX_PILLARS, default=5, doc="padded pillars, a cell each")
    bends: tuple[int, int] = span(
        0, MAX_DEFLECTORS, default=(0, 2), doc="deflectors that must be used: the fewest, drawn evenly"
    )
    deflectors: int = integer(0, MAX_DEFLECTORS, default=3, doc="deflectors that may stand at once")
    powers: int = integer(1, rules.MAX_POWERS, default=4, doc="powers of the launcher")
    cells_per_power: int = integer(1, 5, default=3, doc="cells by which each power rolls the ball farther")
    releases: int = integer(
        1, rules.MAX_RELEASES, default=1, doc="real releases in an episode; after a miss the ball is put back"
    )
    candidates: int = integer(1, 6, default=4, doc="cells where, by the field alone, the block could be, at least")
    trap: float = real(
        0.0, 1.0, default=0.75, doc="share, among episodes with bends, in which greedy's plan is certain to fail"
    )

    def check(self) -> None:
        high = self.bends[1]
        if self.screen > self.cells - 2:
            raise BadParameter(f"screen={self.screen}: allowed is at most cells - 2 = {self.cells - 2}")
        longest = self.powers * self.cells_per_power
        if longest < self.cells:
            raise BadParameter(
                f"powers={self.powers}, cells_per_power={self.cells_per_power}: the longest roll, their product "
                f"{longest}, must be at least cells = {self.cells}"
            )
        if self.deflectors < high:
            raise BadParameter(f"deflectors={self.deflectors}: bends={self.bends} needs at least {high}")
        if high > 0 and self.screen == 0 and self.pillars == 0:
            raise BadParameter(
                f"bends={self.bends}: allowed is 0 where screen=0 and pillars=0, since nothing is in the way"
            )
        if high > max(self.pillars, 1):
            raise BadParameter(f"bends={self.bends}: allowed is at most max(pillars, 1) = {max(self.pillars, 1)}")
        if high > 0 and 0 < 2 * self.screen < self.candidates:
            raise BadParameter(f"candidates={self.candidates}: allowed is at most twice screen={self.screen}")
        if self.trap > 0 and (high == 0 or self.pillars == 0):
            raise BadParameter(f"trap={self.trap}: allowed is 0 where bends=0 or pillars=0: greedy does not fail there")

    observe_steps = derived(lambda self: OBSERVE_STEPS)
    scramble = depth = breadth = derived(lambda self: 0.0)
    radius = derived(lambda self: rules.BLOCK_RADIUS)

    @derived
    def sizes(self) -> Sizes:
        boxes = 1 + self.pillars + (self.screen > 0) + self.deflectors
        return Sizes(colours=2, disc_slots=2, box_slots=boxes, box_kinds=4, box_shape=1, signals=3)

    @property
    def horizon(self) -> int:
        return OBSERVE_STEPS + self.blackout[1] + self.act


P = RampsParams


class Ramps(PlanarTask):
    r"""Build so that the ball, released once, comes to rest against the block behind the screen.

    **Story.** A field of cells with padded pillars and a screen; along its western edge runs a launcher on a rail.
    While all is clear as glass, a block rolls to its place; then it is dusk, in which small things do not show. A
    builder walks from cell to cell and turns deflectors; the launcher keeps to the builder's row. Building costs only
    steps, and reveals nothing. Then the ball is released: it rolls east, every deflector turns it by a right angle
    without loss of speed, and anything padded stops it dead. It must come to rest against the block: too weak, it does
    not get there; too strong, it knocks the block away. Exactly one power fits each length of roll. The ball glows, and
    shows wherever it rolls. Imagine what it will do before you release it.

    **Levels.** The fewest deflectors with which the ball gets to the block, its bends, are drawn evenly from a range. 0:
    none, by day, no screen: choose the row and the power. 1: none, or one to get behind a screen; no pillars. 2
    (default): up to two among pillars; of the episodes with bends 75 % are adversarial to the greedy policy, whose plan
    is certain to fail, and 25 % are unconstrained, so that "do the opposite of greedy" does not work either. 3: two or
    three in a larger field. Levels 1 and 2 include episodes without bends because the reward is sparse: with at least
    one bend in each, random play would succeed in .006 of them at level 1 and in almost none at level 2, too few to
    learn from scratch; as they are, it succeeds in .05 and .015. `bends=(1, 2)` leaves the easy ones out. With
    `glass=True` it stays day and the block in sight: what is left of any level is planning. `releases` allows several
    real releases; after each miss ball and block are put back.

    **Actions.** East, north, west, south: one cell each, onto free ones. Turn: the next state of this cell's deflector,
    none, /, \ and round again (it stays none while as many as allowed stand elsewhere). Power: the next one, after the
    strongest the weakest. Release. Stay. They have no effect before the act phase, nor while the ball rolls. A
    continuous action (east, north, turn, power, release) is its largest part, if that is above .5 in magnitude; below
    zero, turn and power go the other way round.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Boxes show in the dusk: launcher, pillars, screen, then the
    deflectors in the order in which they were set (the last one moves into the place of one that is removed), with kind
    and orientation, so that the whole blueprint can be read from one row. Signals: the power, and the deflectors and
    releases left, as parts of what there is. From its release until the step after it has come to rest the ball is
    shown as if it were touched; a bump is heard. The builder stands beside a cell's deflector, out of the ball's way;
    nothing tells whether the block lies in the builder's cell.

    **Reward.** 1 in the step in which the ball comes to rest against the block; it ends the episode.

    **End.** Also with the last release's miss, and after `act` steps, about twice the most that the oracle takes; both
    `terminated`, since they are part of the rules. At the end the lights go on, and show where a block went that was
    knocked away. The last step's info holds `plan_steps` and `bends` of a plan.

    **Certified.** A roll is exact: v t - f t^2 / 2 along the lanes. `bends` in the record is the fewest deflectors with
    which the ball gets to the block at all, found by sweeps over all cells. Of the plans with that many, `reset` takes
    one with the shortest roll and tries it by the function that carries out real releases. `plan_steps` in the record,
    at most `act`, counts the steps of a builder who always goes to the nearest cell to be changed, which may not be the
    fewest. A reset costs about 4 microseconds at levels 0 and 1, 10 at level 2 and 44 at level 3.

    **References.** The oracle carries out such a plan from any blueprint: wrong deflectors are removed first. The
    tracker remembers where the block came to rest, reads the blueprint, and plans as the oracle does. Greedy plans
    straight or by one deflector as if there were no pillars; having no memory, it takes a block that it does not see to
    lie right behind the middle of the screen.

    **Leaks closed.** Field, block, builder and power are drawn anew each time; bends and traps are drawn before the
    field, so that rejected fields do not tilt their shares. Few cells take two or three bends, so that the field alone
    could tell where the block must be: hence all cells that fit are found, there are at least `candidates`, and the
    block is equally likely to be in any of them. Still, one plan may serve several cells of a lane: a player who knows
    all rules but has not seen the block can succeed in at most .26, .27 and .35 of the episodes of levels 1, 2 and 3.
    Reward and observations depend on nothing hidden, except for what a release shows.

    **Shift.** A field that is one cell wider (at 7 cells: one narrower).
    """

    title = "build so that the ball, released once, rests against the block"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
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
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "releases": (1, 2, 3, 4),
        "bends": (1, 2, 3),
        "pillars": (2, 4, 6, 8),
        "blackout": (0, 4, 8, 16),
    }
    view = Look(
        boxes=("launcher", "wall", "screen", "deflector"),
        discs=("ball", "block"),
        queries=("ball", "block"),
        request="bring the ball to rest at the {}",
        captions={
            "observe": "All is clear while the block rolls to its place.",
            "blackout": "Nothing shows for a moment.",
            "act": "Set deflectors and power, then release the ball.",
            "lit": "Set deflectors and power, then release the ball.",
            "over": "Lights on: now everything shows.",
        },
        won="it rests against the block",
        lost="missed",
        signals=("power", "deflectors left", "releases left"),
    )
    metrics = ("is_success", "plan_steps", "bends")
    scratch = LANE_PLAN
    reset, step = rules.reset, rules.step
    references = REFERENCES
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    action_low = (-1.0,) * 5
    action_high = (1.0,) * 5
    keys: ClassVar[Mapping[str, str]] = {
        "north": "w", "west": "a", "south": "s", "east": "d", "turn": "e", "power": "f", "release": "g", "stay": "x",
    }  # fmt: skip
    max_tries = 20_000  # a try costs a microsecond or two
