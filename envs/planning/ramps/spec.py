"""Ramps: place deflectors and set a launcher, then release the ball once."""

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
        if self.trap > 0 and (high == 0 or self.pillars == 0):
            raise BadParameter(
                f"trap={self.trap}: must be 0 with bends=0 or pillars=0, where the greedy plan cannot fail"
            )

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
    r"""Place deflectors so that the ball, released once, comes to rest against the block behind the screen.

    **Story.** A field of cells with padded pillars and a screen, and a launcher on a rail along its western edge. While
    everything is transparent, a block rolls to its cell; then it is dusk, and small objects are invisible. A builder
    walks from cell to cell and turns deflectors; the launcher stays in the builder's row. Building costs only steps, and
    reveals nothing. Then the ball is released: it rolls east, every deflector turns it by 90 degrees without loss of
    speed, and anything padded stops it. It must come to rest against the block: if it is too slow, it does not get there;
    if it is too fast, it knocks the block away. Exactly one power fits each length of roll. The ball is visible wherever
    it rolls. Imagine what it will do before you release it.

    **Levels.** The minimum number of deflectors needed, `bends`, is drawn uniformly from a range. 0: no bends, by day, no
    screen: choose the row and the power. 1: no bends, or one to get behind a screen; no pillars. 2 (default): up to two
    bends among pillars. 75 % of the episodes with bends are adversarial to the greedy policy, whose plan is certain to
    fail, and 25 % are unconstrained, so that "do the opposite of greedy" does not work either. 3: two or three bends in a
    larger field. Levels 1 and 2 include episodes without bends because the reward is sparse: with at least one bend in
    each, random play would succeed in .006 of them at level 1 and in almost none at level 2, too few to learn from
    scratch; as they are, it succeeds in .05 and .015. `bends=(1, 2)` excludes the easy episodes. With `glass=True` it
    stays day and the block stays visible, which leaves only the planning. `releases` allows several releases; after each
    miss, ball and block are put back.

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

    **End.** Success, a miss with the last release, or `act` steps, about twice the maximum that the oracle needs. All are
    `terminated`, because they are part of the rules. The terminal observation shows everything, including where a block
    went that was knocked away. The last step's info has `plan_steps` and `bends`.

    **Verification.** The roll is computed exactly, as v t - f t^2 / 2 along the lanes. `bends` is the minimum number of
    deflectors with which the ball can reach the block, found by sweeps over all cells. Among the plans with that number,
    `reset` takes one with the shortest roll and tests it with the function that also computes actual releases.
    `plan_steps`, at most `act`, is the number of steps of a builder that always goes to the nearest cell to be changed,
    which is not always minimal. A reset takes about 4 microseconds at levels 0 and 1, 10 at level 2 and 44 at level 3.

    **References.** The oracle executes such a plan from any state of the field, after removing wrong deflectors. The
    tracker remembers where the block came to rest, reads the construction from the row, and plans like the oracle. The
    greedy policy goes straight or uses one deflector, as if there were no pillars; without memory, it assumes that a
    hidden block is right behind the middle of the screen.

    **Leaks closed.** Field, block, builder and power are redrawn every episode; bends and traps are drawn before the
    field, so that rejections do not bias them. Few cells need two or three bends, so the field alone could reveal where
    the block is. Therefore all suitable cells are found, there must be at least `candidates` of them, and the block is
    equally likely to be in any of them. Still, one plan may work for several cells of a lane: a policy that knows all
    rules but has not seen the block can succeed in at most .26, .27 and .35 of the episodes of levels 1, 2 and 3. Rewards
    and observations do not depend on anything hidden, except through a release.

    **Shift.** A field that is one cell wider (one narrower at 7 cells).
    """

    title = "place deflectors so that a ball, released once, stops at the block"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA)
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
        request="make the ball stop at the {}",
        captions={
            "observe": "Everything is transparent while the block rolls to its place.",
            "blackout": "A short blackout.",
            "act": "Set deflectors and power, then release the ball.",
            "lit": "Set deflectors and power, then release the ball.",
            "over": "Lights on: everything is visible.",
        },
        won="stopped at the block",
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
    max_tries = 20_000  # a try takes one or two microseconds
