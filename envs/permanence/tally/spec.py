"""Tally: count the marbles behind the screen, collect them all, then say done."""

import math
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.tally import rules
from unseen.envs.permanence.tally.look import LOOK
from unseen.envs.permanence.tally.marbles import BEAT, MAX_MARBLES
from unseen.envs.permanence.tally.references import ACTIONS, REFERENCES
from unseen.envs.permanence.tally.schedule import MORE_MOVES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import ARC_KEYS, PlanarTask, StagedParams, planar_sensors

TRIP = 10  # steps of the act phase in addition to one per marble: the walk to the nest, and done
OWN_COLOURS = 6  # maximum number of marbles with a colour each
SLOT_ORDERS = {"own": ("colour", "distance"), "same": ("place", "distance"), "two": ("distance",)}  # by `looks`


class TallyParams(StagedParams):
    """Parameters of Tally."""

    room: float = real(2.4, 5.0, default=2.5, doc="half extent of the room, m")
    fov: float = real(
        100.0, 360.0, default=360.0, doc="field of view, degrees; wide enough to see both crates from the mat"
    )
    act: int = integer(12, 100, default=18, doc="steps of the act phase; enough for the walk and `most` reaches")
    scramble: float = real(0.0, 0.2, default=0.2, doc="the agent spawns 1.1 m from the nest, plus or minus this, m")
    least: int = integer(1, 9, default=1, doc="minimum number left")
    most: int = integer(2, 10, default=4, doc="maximum number left")
    moves: tuple[int, int] = span(2, 12, default=(5, 7), doc="moves of each group, drawn")
    peak: int = integer(
        0,
        10,
        default=0,
        doc="maximum number of marbles of a group behind the screen at any time, if the last moves are to be independent "
        "of the number left; 0: most + 1, and they depend on it",
    )
    together: int = integer(1, 3, default=2, doc="maximum number of marbles that go in, and that come out, in one move")
    looks: str = choice(
        "own",
        "same",
        "two",
        default="same",
        doc="a colour per marble, all alike, or two colours, one of which is queried",
    )
    entry: str = choice("left", "either", default="either", doc="side from which marbles enter")
    operation: str = choice("mixed", "add", "subtract", default="mixed", doc="any moves; or n + 1; or n - 1")
    breadth: float = real(0.5, 0.6, default=0.6, doc="half width of the screen, m")
    depth: float = real(0.03, 0.08, default=0.05, doc="half depth of the screen, m")
    radius: float = real(0.05, 0.1, default=0.08, doc="radius of a marble, m")

    def check(self) -> None:
        if self.least >= self.most:
            raise BadParameter(
                f"least={self.least}: must be less than most={self.most}, or there is nothing to remember"
            )
        if self.peak:
            if self.operation != "mixed" or self.peak <= self.most + 1:
                raise BadParameter(
                    f"peak={self.peak}: must be more than most + 1 = {self.most + 1}, with operation='mixed'"
                )
            if self.moves[0] < self.head + 2:
                raise BadParameter(
                    f"moves={self.moves}: peak={self.peak} needs at least {self.head + 2} moves with together={self.together}"
                )
        if self.operation == "mixed":
            need = max(1 + math.ceil((self.most + 1) / self.together), 3)
            if self.moves[0] < need:
                raise BadParameter(
                    f"moves={self.moves}: most={self.most} needs at least {need} moves with together={self.together}"
                )
        else:
            first = self.most - 1 if self.operation == "add" else self.most + 1
            if self.moves != (2, 2) or self.looks == "two" or first > self.together:
                raise BadParameter(
                    f"operation={self.operation!r} with most={self.most} needs moves=2, looks='own' or 'same', and "
                    f"together >= {first}: got moves={self.moves}, looks={self.looks!r}, together={self.together}"
                )
        orders = SLOT_ORDERS[self.looks]
        if self.order not in orders:
            raise BadParameter(
                f"order={self.order!r}: must be one of {', '.join(map(repr, orders))} with looks={self.looks!r}"
            )
        limit = OWN_COLOURS if self.looks == "own" else MAX_MARBLES
        if self.in_play > limit:
            raise BadParameter(
                f"most={self.most} with together={self.together} and looks={self.looks!r} can put {self.in_play} "
                f"marbles in play: must be at most {limit}"
            )
        if self.act < self.most + TRIP:
            raise BadParameter(f"act={self.act}: most={self.most} needs at least {self.most + TRIP} steps")

    @derived
    def groups(self) -> int:
        """The number of groups to count."""
        return 2 if self.looks == "two" else 1

    @derived
    def cap(self) -> int:
        """Maximum number of marbles of a group behind the screen at any time."""
        return self.peak or self.most + 1

    @derived
    def head(self) -> int:
        """With a peak, the number of first moves, which alone depend on the number left."""
        return max(2, math.ceil(self.cap / self.together))

    @property
    def in_play(self) -> int:
        """Maximum number of marbles in the world at once: behind the screen, entering and leaving."""
        return self.groups * self.cap + 2 * self.together

    @derived
    def observe_steps(self) -> int:
        """Maximum number of steps of the observe phase, including the extra moves under shift."""
        more = MORE_MOVES if self.operation == "mixed" else 0
        return BEAT * self.groups * (self.moves[1] + more) + 2

    @derived
    def sizes(self) -> Sizes:
        n = self.in_play
        colours = {"own": n, "same": 1, "two": 2}[self.looks]
        return Sizes(colours=colours, disc_slots=n, box_slots=3, box_kinds=2, box_shape=1, signals=1)


P = TallyParams


class Tally(PlanarTask):
    """Collect all marbles left behind the screen, then say done.

    **Story.** The agent watches from a mat. Marbles come out of a crate on one side and roll behind a screen into a nest;
    others roll out at the far end and disappear into another crate: 1 + 2 - 1 ... After a blackout of random length the
    agent is at a random position round the nest, and it is dusk: marbles are invisible. In every step in which it is
    within reach of the nest, it takes one of the marbles left there. It has to take them all and then say *done*.
    Reaching into the empty nest loses.

    **Levels.** 0: level 1 with a glass screen and daylight, the visible twin. 1: 1 to 3 are left; one marble goes in or out at a
    time, each with its own colour; blackout of 1-3 steps. 2 (default): 1 to 4 are left, all alike, and
    up to 7 lie behind the screen at a time; 9-11 moves, in each of which up to two go in and two come out, from either
    side; blackout 6-10. 3: marbles of two colours, mixed, of which only one is queried (the agent never takes the
    other), shown after the blackout; 1 to 6 of each are left, up to 9 lie behind the screen; 8-10 moves of each colour,
    of up to three in and three out; slots nearest first, egocentric frame, blackout 8-16. The end reveals nothing.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay, done. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees per step, and a third component that means done above 0.8. Actions have no
    effect before the act phase. `done` is a no-op until one marble has been taken, since at least one is left; in a step
    with `done` the agent neither moves nor reaches.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Slots of marbles are by colour if each has its own (`looks`),
    by place if all are alike, and nearest first if there are two colours. A signal gives the number taken, as a fraction
    of `most`. A marble is seen at rest, then rolling, then disappears. At levels 0-2 the terminal observation
    shows everything, including the marbles still in the nest.

    **Reward.** 1 for saying done when all marbles left have been taken, else 0.

    **End.** Done and a reach into the empty nest are `terminated`; `act` steps without either are `truncated`.

    **Faculties.** At levels 1, 2 and 3 (chance .333, .250, .167), the best player that lacks just one faculty scores:
    "count", count all marbles that go in and come out: .511 (declared), .292, .190 (1,000 episodes).
    Some of these players know the last 1, 2 or 4 moves, what went in, or the last 4, 8 or 16 observations. At level
    1 the excess is declared: few moves of single
    marbles keep the time in which a small model learns within a minute.
    "which", count the two colours apart, at level 3: .301, by half the number of all marbles. This is declared: the sum
    of two independent numbers tells something about each, and whoever knows it is right in .306 of episodes.

    **Why search cannot replace memory.** An agent that could search until nothing more is found would not need to count.
    Here only the losing reach reveals that nothing is left. Before every reach, an agent that does not know the number
    knows only that it is at least the number taken, so a memoryless policy can only choose at which count to stop. It
    succeeds if that is the number, which has probability 1 / (most - least + 1), and mixing such policies does not help.

    **Leaks closed.** The number left, the number of moves and the last move (one in or one out, equally likely) are drawn
    independently. At levels 2 and 3, so are all other moves but the first four (level 2) or three (level 3) of a colour,
    so that whoever saw none of these knows nothing; the first ones lead to the number with which the others begin. At
    levels 0 and 1 (`peak=0`), all earlier moves are drawn to lead to the number left, so that the last ones tell
    something: the best guess from the last two moves is right in .57 of episodes, from the last three in .63, from the
    total number of marbles moved in .69. Pauses make all observe phases equally long. Marbles that went out are removed
    and those that are left are covered, so no slot depends on them. The marble taken is drawn uniformly and appears in
    the hand, not where it lay. The agent spawns anywhere round the nest, out of reach, so the pose cannot serve as
    memory.

    **Shift.** Two more moves per colour, larger marbles (x 1.25), and the other side if it is fixed.

    **Presets.** `addition` (1 + 1 and 2 + 1) and `subtraction` (2 - 1 and 3 - 1) follow Wynn (1992), Addition and
    subtraction by human infants, Nature 358, 749-750. There the first dolls were on the stage before the screen rose,
    and each operation had a single correct outcome; here all marbles roll behind the screen, and there are two starting
    numbers, so that the correct outcome depends on what was seen.
    """

    title = "collect all marbles left behind the screen, then say done"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA)
    levels: ClassVar[dict[int, P]] = {
        0: P(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16, glass=True),
        1: P(most=3, moves=(5, 6), together=1, looks="own", entry="left", blackout=(1, 3), act=16),
        2: P(moves=(9, 11), peak=7, blackout=(6, 10), order="place"),
        3: P(
            most=6,
            moves=(8, 10),
            peak=9,
            together=3,
            looks="two",
            blackout=(8, 16),
            act=24,
            order="distance",
            frame="ego",
            reveal=False,
        ),
    }
    presets: ClassVar[dict[str, P]] = {
        "addition": P(operation="add", least=2, most=3, moves=(2, 2), together=2, order="place"),
        "subtraction": P(operation="subtract", least=1, most=2, moves=(2, 2), together=3, order="place"),
    }
    actions = ACTIONS
    action_low = (-1.0, -1.0, -1.0)
    action_high = (1.0, 1.0, 1.0)
    action_names = ("speed", "turn", "done")
    keys: ClassVar[dict[str, str]] = ARC_KEYS | {"done": "e"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "most": (2, 3, 4, 5), "moves": (6, 8, 10, 12), "blackout": (0, 5, 10, 20, 40),
    }  # fmt: skip
    hidden = Hidden(
        rules.write_hidden,
        classes=lambda params: params.most - params.least + 1,
        when=acting,
        change=rules.change_hidden,
        found=rules.found,
    )
    faculties: ClassVar[dict[str, Faculty]] = {
        "count": Faculty(
            "count all marbles that go in and come out",
            without=("reflex", "last_move", "last_2_moves", "last_4_moves", "middle", "ins_only"),
            windows=(4, 8, 16),
            excess={
                1: Excess(
                    0.4, "a few moves of single marbles, so that a small model learns within a minute",
                    only=("ins_only", "last_4_moves"),
                ),
            },
        ),
        "which": Faculty(
            "count marbles of the two colours apart",
            without=("colour_blind", "other_colour"),
            levels=(3,),
            excess={3: Excess(0.15, "the sum of two independent numbers tells something about each")},
        ),
    }  # fmt: skip
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    view = LOOK
    reset, step = rules.reset, rules.step
    references = REFERENCES
