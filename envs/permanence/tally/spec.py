"""Tally: how many are left behind the screen? Collect them all, then say that you are done."""

import math
from typing import Any, ClassVar

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.tally import rules
from unseen.envs.permanence.tally.marbles import BEAT, MAX_MARBLES
from unseen.envs.permanence.tally.references import ACTIONS, REFERENCES
from unseen.envs.permanence.tally.schedule import MORE_MOVES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import ARC_KEYS, Look, PlanarTask, StagedParams, planar_sensors

TRIP = 10  # steps of the act phase beside a reach for each marble: the way to the nest, and done
OWN_COLOURS = 6  # marbles that can have a colour each
SLOT_ORDERS = {"own": ("colour", "distance"), "same": ("place", "distance"), "two": ("distance",)}  # by `looks`


class TallyParams(StagedParams):
    """Parameters of Tally."""

    room: float = real(2.4, 5.0, default=2.5, doc="half extent of the room, m")
    fov: float = real(100.0, 360.0, default=360.0, doc="field of view, degrees: from the mat both boxes are in it")
    act: int = integer(12, 100, default=18, doc="steps of the act phase: enough for the way and `most` reaches")
    scramble: float = real(0.0, 0.2, default=0.2, doc="the agent is set down 1.1 m from the nest, give or take this, m")
    least: int = integer(1, 9, default=1, doc="fewest that can be left")
    most: int = integer(2, 10, default=4, doc="most that can be left")
    moves: tuple[int, int] = span(2, 12, default=(5, 7), doc="moves of each group that is counted apart, drawn")
    together: int = integer(1, 3, default=2, doc="most that go in, and that come out, in one move")
    looks: str = choice(
        "own", "same", "two", default="same", doc="a colour each, all alike, or two colours, of which one counts"
    )
    entry: str = choice("left", "either", default="either", doc="side from which marbles come")
    operation: str = choice("mixed", "add", "subtract", default="mixed", doc="any moves; or n + 1; or n - 1")
    breadth: float = real(0.5, 0.6, default=0.6, doc="half width of the screen, m")
    depth: float = real(0.03, 0.08, default=0.05, doc="half depth of the screen, m")
    radius: float = real(0.05, 0.1, default=0.08, doc="of a marble, m")

    def check(self) -> None:
        if self.least >= self.most:
            raise BadParameter(
                f"least={self.least}: allowed is less than most={self.most}, or there is nothing to remember"
            )
        if self.operation == "mixed":
            need = max(1 + math.ceil((self.most + 1) / self.together), 3)
            if self.moves[0] < need:
                raise BadParameter(
                    f"moves={self.moves}: most={self.most} needs at least {need} moves of together={self.together}"
                )
        else:
            first = self.most - 1 if self.operation == "add" else self.most + 1
            if self.moves != (2, 2) or self.looks == "two" or first > self.together:
                raise BadParameter(
                    f"operation={self.operation!r} needs moves=2, looks='own' or 'same', and together >= {first} for "
                    f"most={self.most}: got moves={self.moves}, looks={self.looks!r}, together={self.together}"
                )
        orders = SLOT_ORDERS[self.looks]
        if self.order not in orders:
            raise BadParameter(f"order={self.order!r}: looks={self.looks!r} allows {', '.join(map(repr, orders))}")
        limit = OWN_COLOURS if self.looks == "own" else MAX_MARBLES
        if self.in_play > limit:
            raise BadParameter(
                f"most={self.most} with together={self.together} and looks={self.looks!r} can have {self.in_play} "
                f"marbles in play: allowed are {limit}"
            )
        if self.act < self.most + TRIP:
            raise BadParameter(f"act={self.act}: most={self.most} needs at least {self.most + TRIP} steps")

    @derived
    def groups(self) -> int:
        """How many counts there are to keep."""
        return 2 if self.looks == "two" else 1

    @derived
    def cap(self) -> int:
        """The most marbles of a group behind the screen at any time."""
        return self.most + 1

    @property
    def in_play(self) -> int:
        """The most marbles that are in the world at once: behind the screen, entering and leaving."""
        return self.groups * self.cap + 2 * self.together

    @derived
    def observe_steps(self) -> int:
        """The most steps of the observe phase; in the shift some moves come on top."""
        more = MORE_MOVES if self.operation == "mixed" else 0
        return BEAT * self.groups * (self.moves[1] + more) + 2

    @derived
    def sizes(self) -> Sizes:
        n = self.in_play
        colours = {"own": n, "same": 1, "two": 2}[self.looks]
        return Sizes(colours=colours, disc_slots=n, box_slots=3, box_kinds=2, box_shape=1, signals=1)


P = TallyParams


class Tally(PlanarTask):
    """Collect all that are left behind the screen, then say that you are done.

    **Story.** The agent watches from a mat. Marbles come from a box at one side and roll behind a screen, where they
    lie in a nest; others roll out at the far end and are gone into another box: 1 + 2 - 1 ... A blackout falls for a
    random time, and the agent is set down anywhere round the nest, by dusk, in which marbles do not show. As soon as
    its hand reaches into the nest, and in every step in which it still does, it takes one of those that are left. It
    has to take them all and then say *done*. A hand that reaches into the empty nest has lost.

    **Levels.** 0: a glass screen and daylight, the visible twin. 1: 1 to 3 are left, one goes in or out at a time,
    each in a colour of its own, blackout 1-3. 2 (default): 1 to 4 are left, all alike, up to two in and two out at a
    time, from either side, blackout 2-6. 3: marbles of two colours, only one of which counts (the hand leaves the
    other), told after the blackout; 1 to 5 of each; nearest first, egocentric frame, blackout 5-15.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay, done. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step, and a third number that says done above 0.8. They have no effect until
    the act phase. In a step in which the agent says done it neither moves nor reaches. Until a marble has been taken,
    done does nothing, since at least one is left.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Slots of marbles are by colour where each has its own
    (`looks`), by place where all are alike, nearest first where there are two colours. A signal tells how many have
    been taken, as a fraction of `most`. A marble shows at rest, then rolling, then no more. In the terminal observation
    everything shows, also what is still in the nest.

    **Reward.** 1 for done when all that were left have been taken, else 0.

    **End.** Done, a reach into the empty nest, or `act` steps; all `terminated`: the deadline is part of the rules.

    **Why search replaces no memory.** An agent that could sweep until nothing more is found would need no number. Here
    only the reach that loses tells that nothing is left. Before every reach, an agent that does not know the number
    knows only that it is at least what was taken, so all that a policy without memory can choose is the count at which
    to stop. It succeeds when that is the number, in 1 of the (most - least + 1) equally likely cases, and mixing such
    policies does not help.

    **Leaks closed.** The number left, the number of moves and the last move (one in, or one out, evenly) are drawn
    independently, and the moves before lead there; pauses make all observe phases equally long. Marbles that went out
    are gone from the world and those that are left are covered, so no slot depends on them; the one that is taken is
    any of them, evenly, and shows in the hand, not where it lay. The agent is set down anywhere round the nest, out of
    its reach (pose is no memory). What arithmetic leaves open: the best guess from the last two moves alone is right in
    .57, .47 and .41 of episodes at levels 1, 2 and 3, from the last three in .63, .52 and .47, from how many moved at
    all in .69, .52 and .41 (chance .33, .25, .20).

    **Shift.** Two moves more for each colour, larger marbles (1.25 x), and from the other side where it was fixed.

    **Presets.** `addition` (1 + 1, and 2 + 1) and `subtraction` (2 - 1, and 3 - 1), after Wynn (1992), Addition and
    subtraction by human infants, Nature 358, 749-750. There the first dolls were put on the stage before the screen
    rose, and an operation had one right outcome; here all roll behind the screen, and two starts make the right one
    depend on what was seen.
    """

    title = "collect all that are left behind the screen, then say done"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16, glass=True),
        1: P(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16),
        2: P(order="place"),
        3: P(most=5, looks="two", blackout=(5, 15), act=22, order="distance", frame="ego"),
    }
    presets: ClassVar[dict[str, P]] = {
        "addition": P(operation="add", least=2, most=3, moves=(2, 2), together=2, order="place"),
        "subtraction": P(operation="subtract", least=1, most=2, moves=(2, 2), together=3, order="place"),
    }
    actions = ACTIONS
    action_low = (-1.0, -1.0, -1.0)
    action_high = (1.0, 1.0, 1.0)
    keys: ClassVar[dict[str, str]] = ARC_KEYS | {"done": "e"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "most": (2, 3, 4, 5, 6, 7), "moves": (5, 6, 8, 10, 12), "blackout": (0, 5, 10, 20, 40),
    }  # fmt: skip
    hidden = Hidden(rules.write_hidden, classes=lambda params: params.most - params.least + 1, when=acting)
    view = Look(
        boxes=("screen", "crate"),
        discs=("marble",),
        request="collect the {} marbles that are left, then say done",
        untold="collect all marbles that are left, then say done",
        captions={
            "observe": "Marbles go behind the screen and come out. How many are left?",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Take what is left from behind the screen, one by one. A reach too many loses.",
            "lit": "In full light, through glass: take all that are left, then say done.",
            "over": "Lights on: what is still behind the screen shows.",
        },
        won="took all that were left",
        lost="wrong number",
        signals=("taken",),
    )
    reset, step = rules.reset, rules.step
    references = REFERENCES
