"""Ramps: place deflectors and set a launcher, then release the ball once."""

from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import MAX_SIDE
from unseen.envs.grid.floor import OBSERVE_STEPS
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import ENDS, Look, PlanarTask, RoomParams, planar_sensors
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

    order: str = choice("colour", default="colour", doc="fixed, see Observation")
    room: float = real(1.8, 3.0, default=2.1, doc="half extent of the room from the rail to the eastern wall, m")
    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn")
    act: int = integer(4, 200, default=60, doc="steps of the act phase")
    cells: int = integer(5, MAX_SIDE, default=6, doc="cells per side")
    screen: int = integer(0, 4, default=3, doc="length of the screen in cells, south to north; 0: no screen")
    pillars: int = integer(0, MAX_PILLARS, default=5, doc="padded pillars, one cell each")
    bends: tuple[int, int] = span(
        0, MAX_DEFLECTORS, default=(0, 2), doc="minimum number of deflectors needed, drawn uniformly"
    )
    deflectors: int = integer(0, MAX_DEFLECTORS, default=3, doc="maximum number of deflectors on the field")
    powers: int = integer(1, rules.MAX_POWERS, default=4, doc="number of powers of the launcher")
    cells_per_power: int = integer(1, 5, default=3, doc="additional cells that the ball rolls per power")
    releases: int = integer(
        1, rules.MAX_RELEASES, default=1, doc="releases per episode; after a miss the ball is put back"
    )
    candidates: int = integer(1, 6, default=4, doc="minimum number of cells where the block could be, given the field")
    even_odds: bool = flag(default=False, doc="the parity of the block's row is drawn first, and no field reveals it")
    easy: float = real(0.0, 1.0, default=0.0, doc="fraction of the episodes in which bends is 0; needs even_odds")
    panel: int = integer(
        0, 8, default=0, doc="rounds in which a player that adds one deflector after the other must fail, for each cell"
    )
    trap: float = real(
        0.0, 1.0, default=0.75, doc="fraction of the episodes with bends in which the greedy plan is certain to fail"
    )

    def check(self) -> None:
        high = self.bends[1]
        if self.screen > self.cells - 2:
            raise BadParameter(f"screen={self.screen}: must be at most cells - 2 = {self.cells - 2}")
        longest = self.powers * self.cells_per_power
        if longest < self.cells:
            raise BadParameter(
                f"powers={self.powers}, cells_per_power={self.cells_per_power}: their product {longest}, the longest roll, "
                f"must be at least cells = {self.cells}"
            )
        if self.deflectors < high:
            raise BadParameter(f"deflectors={self.deflectors}: must be at least {high} for bends={self.bends}")
        if high > 0 and self.screen == 0 and self.pillars == 0:
            raise BadParameter(
                f"bends={self.bends}: must be 0 with screen=0 and pillars=0, since nothing is in the way"
            )
        if high > max(self.pillars, 1):
            raise BadParameter(f"bends={self.bends}: must be at most max(pillars, 1) = {max(self.pillars, 1)}")
        if high > 0 and 0 < 2 * self.screen < self.candidates:
            raise BadParameter(f"candidates={self.candidates}: must be at most twice screen={self.screen}")
        self._check_room_for_plans(high, longest)
        if self.easy > 0 and not self.even_odds:
            raise BadParameter(f"easy={self.easy}: must be 0 without even_odds")
        if self.panel and not self.even_odds:
            raise BadParameter(f"panel={self.panel}: must be 0 without even_odds")
        if self.panel and self.bends[0] < 3:
            raise BadParameter(f"panel={self.panel}: must be 0 unless bends is 3, or such a player hardly ever fails")
        if self.trap > 0 and (high == 0 or self.pillars == 0):
            raise BadParameter(
                f"trap={self.trap}: must be 0 with bends=0 or pillars=0, where the greedy plan cannot fail"
            )

    def _check_room_for_plans(self, high: int, longest: int) -> None:
        """Refuse parameters with which too few fields have a plan. Raises BadParameter."""
        if self.act < 16 + 12 * high:
            raise BadParameter(f"act={self.act}: must be at least {16 + 12 * high} with bends={self.bends}")
        if longest < self.cells + high:
            raise BadParameter(
                f"powers={self.powers}, cells_per_power={self.cells_per_power}: their product {longest}, the longest roll, "
                f"must be at least {self.cells + high} with cells={self.cells}, bends={self.bends}"
            )
        most = self.cells * self.cells // 5
        if self.pillars > most:
            raise BadParameter(f"pillars={self.pillars}: must be at most {most} with cells={self.cells}")
        if high > 2 and self.pillars < 4:
            raise BadParameter(f"pillars={self.pillars}: must be at least 4 with bends={self.bends}")
        if high > 1 and self.cells < 6:
            raise BadParameter(f"bends={self.bends}: must be at most 1 with cells={self.cells}, fewer than 6")

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
# Level 1. Level 0 is the same by day.
ONE: dict[str, Any] = dict(
    pillars=4, bends=(1, 1), deflectors=1, powers=3, cells_per_power=3, candidates=6, trap=0.0, even_odds=True,
    easy=0.08, act=40, blackout=(1, 1),
)  # fmt: skip
CHANCE = {0: 1.0, 1: 0.31, 2: 0.36, 3: 0.39}  # level -> measured, see `Ramps.chance`


class Ramps(PlanarTask):
    r"""Place deflectors so that the ball, released once, comes to rest against the block behind the screen.

    **Story.** A field of cells with padded pillars and a screen, and a launcher on a rail along its western edge. While
    everything is transparent, a block rolls to its cell; then it is dusk, and small objects are invisible. A builder
    walks from cell to cell and turns deflectors; the launcher stays in the builder's row. Building costs only steps, and
    reveals nothing. Then the ball is released: it rolls east, every deflector turns it by 90 degrees without loss of
    speed, and anything padded stops it. It must come to rest against the block: if it is too slow, it does not get there;
    if it is too fast, it knocks the block away. Exactly one power fits each length of roll. The ball is visible wherever
    it rolls. Imagine what it will do before you release it.

    **Levels.** The minimum number of deflectors needed, `bends`, is drawn uniformly from a range; in the fraction `easy` of
    the episodes it is 0. 0: level 1 by day. 1: one bend, to get behind a screen, among four pillars; 8 % of the
    episodes are easy, because with bends random play succeeds in .006 of them. 2 (default): two or three bends; the
    blackout outlasts a memory of 16 observations. 3: three bends in a larger field, and nothing is revealed at the end.
    With `glass=True` it stays day and the block stays visible, which leaves only the planning. `releases` allows several
    releases; after each miss, ball and block are put back.

    **Faculties.** All players but those of "where" know where the block is. "plan": one that uses no deflectors, and one
    that builds at random. "several", at levels 2 and 3: the best that one deflector can do. "together", at level 3:
    one deflector after the other, each where it brings the ball nearest to the block. That last player shows how far
    level 2 gets without looking further ahead; the parameter `panel` excludes episodes in which it succeeds. "where": the
    reflex, the tracker restarted on its last 4, 8 or 16 observations, and "blind", which knows everything else and the
    cells where the block may be, and so defines `chance`. Mean returns (split "test", 4,000 episodes):

        level                     1      2      3
        random                    .006   .001   .000
        straight                  .080   .030   .000
        random-build              .004   .001   .000
        one-deflector             1.00   .030   .000
        stepwise                  .977   .647   .117
        reflex                    .243   .188   .217
        blind (chance)            .310   .355   .390
        tracker-4                 .019   .000   .000
        tracker-8                 .422   .000   .000
        tracker-16                .997   .000   .000
        tracker, oracle           1.00   1.00   1.00

    At level 1 the tracker of the last 16 observations exceeds chance by .69, which is declared: the blackout takes a
    single step, so that small models learn it fast.

    **Actions.** East, north, west, south: one cell each, onto free cells. Turn: the next state of the deflector in this
    cell, in the cycle none, /, \ (no effect if the maximum number is already placed elsewhere). Power: the next power,
    with wrap-around. Release. Stay. Actions have no effect before the act phase, or while the ball rolls. A continuous
    action (east, north, turn, power, release) is converted to its largest component, if that is above .5 in magnitude;
    for negative values, turn and power go backwards.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Boxes are visible at dusk: launcher, pillars, screen, then
    the deflectors in order of placement (when one is removed, the last one takes its slot), with kind and orientation, so
    the whole construction can be read from one row. Signals: the power, and the deflectors and releases left, as
    fractions of their maximum. From its release until the step after it has come to rest, the ball is shown as touched;
    its collisions are heard as bumps. The builder stands beside the deflector of its cell, out of the ball's way; nothing
    reveals whether the block is in the builder's cell.

    **Reward.** 1 in the step in which the ball comes to rest against the block.

    **End.** Success or a miss with the last release terminates the episode; `act` steps, about twice the maximum that the
    oracle needs, truncate it. The terminal observation shows everything, including where a block went that was knocked
    away, except with `reveal=False`. The last step's info has `plan_steps` and `bends`.

    **Verification.** The roll is computed exactly, as v t - f t^2 / 2 along the lanes. `bends` is the minimum number of
    deflectors with which the ball can reach the block, found by sweeps over all cells. Among the plans with that number,
    `reset` takes one with the shortest roll and tests it with the function that also computes actual releases.
    `plan_steps`, at most `act`, is the number of steps of a builder that always goes to the nearest cell to be changed,
    which is not always minimal. Lanes are searched backwards from the block.

    **References.** The oracle executes such a plan from any state of the field, after removing wrong deflectors. The
    tracker remembers where the block came to rest, reads the construction from the row, and plans like the oracle. The
    reflex plans like the oracle; without memory, it assumes that a hidden block is right behind the middle of the screen.

    **Leaks closed.** Field, block, builder and power are redrawn every episode; bends, traps and the parity of the
    block's row, which is the hidden class, are drawn before the field, so that rejections do not bias them. Few cells
    need two or three bends, so the field alone could reveal where the block is. Therefore all suitable cells are found,
    and there must be at least `candidates` of them, about half in rows of either parity. Still, one plan may work for
    several cells of a lane: see "blind". Rewards and observations do not depend on anything hidden, except through a
    release.

    **Splits.** They are disjoint in field and block, up to reflection of north and south.

    **Shift.** A field that is one cell wider (one narrower at 7 cells).

    **Presets.** "from-memory": three bends that a player who adds one deflector after the other misses, and a blackout of
    at least 24 steps: permanence and planning.
    """

    title = "place deflectors so that a ball, released once, stops at the block"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA)
    hidden = Hidden(
        rules.write_hidden, classes=lambda params: 2, when=rules.hides, change=rules.change_hidden, found=rules.found
    )
    instance = rules.instance
    faculties: ClassVar[dict[str, Faculty]] = {
        "plan": Faculty(
            "imagine where the ball will go, and place deflectors for it", without=("straight", "random-build")
        ),
        "several": Faculty(
            "plan several deflectors, when no single one leads there", without=("one-deflector",), levels=(2, 3)
        ),
        "together": Faculty(
            "plan the deflectors together, not one after the other, each for the nearest approach", without=("stepwise",),
            levels=(3,),
        ),
        "where": Faculty(
            "remember where the block is, out of sight", without=("reflex", "blind"), windows=(4, 8, 16),
            excess={
                1: Excess(
                    0.7, "the blackout of level 1 takes a single step, so that small models learn it fast",
                    only=("tracker-8", "tracker-16"),
                ),
            },
        ),
    }  # fmt: skip
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    levels: ClassVar[dict[int, P]] = {
        0: P(**ONE, glass=True),
        1: P(**ONE),
        2: P(
            bends=(2, 3), powers=6, cells_per_power=2, candidates=5, trap=0.0, even_odds=True, easy=0.03,
            blackout=(16, 20),
        ),
        3: P(
            cells=7, room=2.4, screen=4, pillars=9, bends=(3, 3), powers=6, cells_per_power=2, candidates=4, trap=0.0,
            even_odds=True, panel=1, act=90, blackout=(18, 24), reveal=False,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "from-memory": P(
            bends=(3, 3), powers=6, cells_per_power=2, trap=0.0, even_odds=True, panel=1, act=90, blackout=(24, 32),
            reveal=False,
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "releases": (1, 2, 3, 4),
        "bends": (1, 2, 3),
        "pillars": (4, 5, 6),
        "blackout": (0, 4, 8, 16),
    }
    view = Look(
        boxes=("launcher", "wall", "screen", "deflector"),
        discs=("ball", "block"),
        queries=("ball", "block"),
        request="make the ball stop at the {}",
        captions=ENDS
        | {
            "observe": "Everything is transparent while the block rolls to its place.",
            "blackout": "Blackout. Nothing moves.",
            "act": "Set deflectors and power, then release the ball.",
            "lit": "Set deflectors and power, then release the ball.",
        },
        won="stopped at the block",
        lost="missed",
        signals=("power", "deflectors left", "releases left"),
        counts={
            "power": lambda p: p.powers,
            "deflectors left": lambda p: p.deflectors,
            "releases left": lambda p: p.releases,
        },
    )
    metrics = ("is_success", "plan_steps", "bends")
    scratch = LANE_PLAN
    reset, step = rules.reset, rules.step
    references = REFERENCES
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    action_low = (-1.0,) * 5
    action_high = (1.0,) * 5
    action_names = ("east", "north", "turn", "power", "release")
    keys: ClassVar[Mapping[str, str]] = {
        "north": "w", "west": "a", "south": "s", "east": "d", "turn": "e", "power": "f", "release": "g", "stay": "x",
    }  # fmt: skip

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """The score of the reference "blind", which knows everything but where the block is: measured for the levels.

        For other parameters, a bound: a plan works for at most `cells_per_power` of the cells where the block may be.
        """
        for level, known in cls.levels.items():
            if params == known:
                return CHANCE[level]
        return 1.0 if params.glass else min(1.0, params.cells_per_power / params.candidates)

    max_tries = 20_000  # a try takes one or two microseconds
