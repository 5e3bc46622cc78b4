"""Ramps: set deflectors and a launcher, then release the ball once; what will it do?"""

from typing import Any, ClassVar

from unseen.envs.core.params import choice, derived, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import SIDE
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import Look, PlanarTask, RoomParams, planar_sensors
from unseen.envs.planning.ramps import rules
from unseen.envs.planning.ramps.references import REFERENCES
from unseen.envs.planning.ramps.rules import BLOCK_RADIUS, DEFLECTORS, OBSERVE_STEPS, PILLARS, POWERS, RELEASES


class RampsParams(RoomParams):
    """Parameters of Ramps."""

    order: str = choice("colour", default="colour", doc="slot = record order: see Observation")
    room: float = real(1.8, 3.0, default=2.1, doc="half extent of the room from the rail to the eastern wall, m")
    blackout: tuple[int, int] = span(0, 60, default=(2, 6), doc="steps of the blackout, drawn")
    act: int = integer(4, 200, default=60, doc="steps of the act phase")
    cells: int = integer(5, SIDE, default=6, doc="cells a side")
    screen: int = integer(0, 4, default=3, doc="cells that the screen bars, from south to north; 0: there is none")
    pillars: int = integer(0, PILLARS, default=5, doc="padded pillars, a cell each")
    bends: tuple[int, int] = span(
        0, DEFLECTORS, default=(0, 2), doc="deflectors that must be used: the fewest, drawn evenly"
    )
    deflectors: int = integer(0, DEFLECTORS, default=3, doc="deflectors that may stand at once")
    powers: int = integer(1, POWERS, default=4, doc="powers of the launcher")
    reach: int = integer(1, 5, default=3, doc="cells that the ball rolls farther with each power")
    releases: int = integer(
        1, RELEASES, default=1, doc="real releases in an episode; after a miss the ball is put back"
    )
    doubt: int = integer(1, 6, default=4, doc="cells of the field where the block could as well lie, at least")
    trap: float = real(
        0.0, 1.0, default=0.75, doc="share, among episodes with bends, in which greedy's plan is certain to fail"
    )

    def check(self) -> None:
        high = self.bends[1]
        if self.screen > self.cells - 2:
            raise BadParameter(f"screen={self.screen}: allowed is at most cells - 2 = {self.cells - 2}")
        longest = self.powers * self.reach
        if longest < self.cells:
            raise BadParameter(
                f"powers={self.powers}, reach={self.reach}: the longest roll, powers x reach = {longest}, "
                f"must be at least cells = {self.cells}"
            )
        if self.deflectors < high:
            raise BadParameter(f"deflectors={self.deflectors}: bends={self.bends} needs at least {high}")
        if high > 0 and self.screen == 0 and self.pillars == 0:
            raise BadParameter(
                f"bends={self.bends}: allowed is 0 where screen=0 and pillars=0, since nothing is in the way"
            )
        if high > max(self.pillars, 1):
            raise BadParameter(f"bends={self.bends}: allowed is at most max(pillars, 1) = {max(self.pillars, 1)}")
        if high > 0 and 0 < 2 * self.screen < self.doubt:
            raise BadParameter(f"doubt={self.doubt}: allowed is at most twice screen={self.screen}")
        if self.trap > 0 and (high == 0 or self.pillars == 0):
            raise BadParameter(f"trap={self.trap}: allowed is 0 where bends=0 or pillars=0: greedy does not fail there")

    observe_steps = derived(lambda self: OBSERVE_STEPS)
    scramble = depth = breadth = derived(lambda self: 0.0)
    radius = derived(lambda self: BLOCK_RADIUS)

    @derived
    def sizes(self) -> Sizes:
        talls = 1 + self.pillars + (self.screen > 0) + self.deflectors
        return Sizes(colours=2, disc_slots=2, box_slots=talls, box_kinds=4, box_shape=1, signals=3)

    @property
    def horizon(self) -> int:
        return OBSERVE_STEPS + self.blackout[1] + self.act


P = RampsParams


class Ramps(PlanarTask):
    r"""Build so that the ball, released once, comes to rest against the block behind the screen.

    **Story.** A field of cells with padded pillars and a screen; along its western edge runs a launcher on a rail.
    While all is clear as glass, a block rolls to its place; then it is dusk, and what is small does not show any more.
    A builder walks from cell to cell and turns deflectors; the launcher keeps to the builder's row. Building costs
    nothing but steps, and tells nothing. Then the ball is released: it rolls east, is turned by a right angle by every
    deflector, loses no speed there, and is stopped dead by whatever is padded. It must come to rest against the block:
    too weak, it does not get there; too strong, it knocks the block away. There is one power for every length of way.
    The ball glows: it shows wherever it rolls. Imagine what it will do before you release it.

    **Levels.** How many deflectors a way to the block takes at least, its bends, is drawn evenly from a range. 0:
    none, by day, no screen: choose the row and the power. 1: none, or one to get behind a screen; no pillars. 2
    (default): up to two among pillars; where it takes any, greedy's plan is certain to fail in three of four episodes,
    and in the others nothing is asked of greedy, so that its opposite is no policy either. 3: two or three in a larger
    field. Levels 1 and 2 hold the easier sorts of episode as well, because the reward is sparse: where each takes a
    bend, random play succeeds in .006 of them at level 1 and in next to none at level 2, and nothing could be learned
    from scratch; so it is .05 and .015. `bends=(1, 2)` leaves them out. With `glass=True` it stays day and the block
    in sight: what is left of any level is planning. `releases` allows several real releases, after each miss of which
    ball and block are put back.

    **Actions.** East, north, west, south: one cell each, onto free ones; turn: this cell's deflector, none, then /,
    then \, then none (it stays none while all that are allowed stand elsewhere); power: the next one, after the
    strongest the weakest; release; stay. They have no effect until the act phase, nor while the ball rolls. A
    continuous action (east, north, turn, power, release) is its largest part, if above .5 in magnitude; turn and power
    below zero go the other way round.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Tall things show in the dusk: launcher, pillars, screen,
    then the deflectors in the order of setting (the last moves into the place of one that is taken away), with their
    kinds and orientation, so that the whole blueprint can be read from one row. Signals: the power, the deflectors and
    the releases left, as parts of what there is. From its release on the ball is followed as if by touch, until the step
    after it has come to rest; a bump is heard. The builder stands beside a cell's deflector and is in no way of the
    ball; nothing tells whether the block lies in its cell.

    **Reward.** 1 in the step in which the ball comes to rest against the block; it ends the episode.

    **End.** Also with the last release's miss, and after `act` steps, about twice the most that the oracle takes; both
    `terminated`, since they are part of the rules. At the end the lights go on, and show where a block went that was
    knocked away.

    **Certified.** A roll is exact: v t - f t^2 / 2 along the lanes. `bends` in the record is the fewest deflectors
    with which any way leads to the block, whatever its length, by sweeps over all cells; the plan beside it has that
    many and, of those, the shortest roll (`length` cells). `reset` has tried it by the function that carries out real
    releases, and counted the `steps` that it takes, no more than `act`: those of a builder who always goes to the
    nearest cell to be changed, so that they may not be the fewest. A reset costs about 2 microseconds at levels 0 and
    1, 8 at level 2 and 40 at level 3.

    **References.** The oracle carries out the plan in the record from any blueprint: wrong deflectors are taken away
    first. The tracker remembers where the block came to rest, reads the blueprint, and searches as the oracle does.
    Greedy plans straight or round one corner as if there were no pillars; having no memory, it takes a block that it
    does not see to lie right behind the middle of the screen.

    **Leaks closed.** Field, block, builder and power are drawn anew each time; bends and traps are drawn before the
    field, so that what is rejected does not tilt their shares. Few cells take two or three bends, so that who knew the
    rules could tell from the field alone where the block must be (at first 2.8 cells on average at level 3): now all
    cells that would do are found, there are at least `doubt`, and the block is in any of them with the same chance.
    Still, one plan may do for several cells of a lane: who knew all rules, but had not seen the block, could at best
    succeed in .26, .27 and .35 of the episodes of levels 1, 2 and 3. Reward and observations depend on no hidden
    thing, but for what a release shows.

    **Shift.** A field that is one cell wider (at 7 cells: one narrower).
    """

    title = "build so that the ball, released once, rests against the block"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(
            cells=5,
            room=1.8,
            screen=0,
            pillars=2,
            bends=0,
            deflectors=0,
            powers=3,
            reach=2,
            trap=0.0,
            act=24,
            blackout=0,
            glass=True,
        ),
        1: P(cells=5, room=1.8, pillars=0, bends=(0, 1), deflectors=1, powers=2, reach=5, trap=0.0, act=32, blackout=1),
        2: P(blackout=(1, 2)),
        3: P(cells=7, room=2.4, screen=4, pillars=9, bends=(2, 3), powers=6, doubt=6, act=90, blackout=(1, 4)),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "releases": (1, 2, 3, 4),
        "bends": (1, 2, 3),
        "pillars": (2, 4, 6, 8),
        "blackout": (0, 4, 8, 16),
    }
    view = Look(
        tall=("launcher", "wall", "screen", "deflector"),
        small=("ball", "block"),
        asks=("ball", "block"),
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
    reset, step = rules.reset, rules.step
    references = REFERENCES
    actions: ClassVar[dict[str, tuple[float, ...]]] = rules.ACTIONS
    action_low = (-1.0,) * 5
    action_high = (1.0,) * 5
    keys: ClassVar[dict[str, str]] = {
        "north": "w",
        "west": "a",
        "south": "s",
        "east": "d",
        "turn": "e",
        "power": "f",
        "release": "g",
        "stay": "x",
    }
    max_tries = 20_000
