"""Cups: the shell game. Keep your eye on the cup that the ball went under."""

import math
from typing import Any, ClassVar

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.cups import motion, rules
from unseen.envs.permanence.cups.references import REFERENCES
from unseen.envs.permanence.cups.script import MAX_CUPS, MAX_EVENTS
from unseen.envs.planar.layout import ORDERS, Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import Look, PlanarTask, StagedParams, planar_sensors

MIN_GAP = 0.45  # m between the centres of neighbouring cups, at least
SLOT_ORDERS = ("place", "distance", "index")  # by colour there would be one slot for all cups


class CupsParams(StagedParams):
    """Parameters of Cups."""

    room: float = real(1.9, 5.0, default=2.0, doc="half extent of the room, m")
    order: str = choice(
        *ORDERS,
        default="place",
        doc="slots of cups: from left to right (place), nearest first (distance), or each its own, as if cups could be "
        "told apart (index)",
    )
    cups: int = integer(2, MAX_CUPS, default=4, doc="identical cups")
    swaps: tuple[int, int] = span(
        0, MAX_EVENTS - 1, default=(2, 4), doc="events, drawn: times that cups trade places (or meet)"
    )
    swap_steps: int = integer(3, 12, default=4, doc="steps of one event")
    apart: int = integer(
        1, MAX_CUPS - 1, default=1, doc="places between two cups that swap, at most; 1: neighbours only"
    )
    screen: bool = flag(default=False, doc="a tall screen stands before one place while cups move")
    hops: float = real(
        0.0,
        1.0,
        default=0.0,
        doc="share of events in which two neighbours only meet; in half of these a bump tells that they were tipped and "
        "the ball passed to the other",
    )
    hides: int = integer(0, 3, default=0, doc="times that the ball is first hidden under another cup and shown again")
    play: str = choice("swap", "move", default="swap", doc="cups swap, or the ball's cup alone moves to a free place")
    arc: float = real(60.0, 170.0, default=150.0, doc="the cups' arc round the mat, degrees")
    ring: float = real(1.1, 1.5, default=1.2, doc="radius of that arc, m")
    jitter: float = real(0.0, 0.06, default=0.0, doc="of the places, rad and m")
    radius: float = real(0.08, 0.12, default=0.1, doc="of a cup, m")

    def check(self) -> None:
        if self.order not in SLOT_ORDERS:
            allowed = ", ".join(map(repr, SLOT_ORDERS))
            raise BadParameter(f"order={self.order!r}: all cups are of one colour; allowed are {allowed}")
        gap = 2 * self.ring * math.sin(self.spacing / 2) - 2 * self.jitter
        if gap < MIN_GAP:
            raise BadParameter(
                f"cups={self.cups} on arc={self.arc:g}, ring={self.ring:g} stand {gap:.2f} m apart; allowed is "
                f"{MIN_GAP:g} m or more"
            )
        if self.ring + self.jitter + motion.BULGE + 1.2 * self.radius > self.room:
            raise BadParameter(f"ring={self.ring:g}: cups that swap do not fit into room={self.room:g}")
        if self.play == "move":
            if not self.screen:
                raise BadParameter("play='move' needs screen=True: the cup moves out of sight")
            for name in ("hops", "hides"):
                if getattr(self, name):
                    raise BadParameter(f"{name}={getattr(self, name)}: allowed with play='move' is 0")

    @derived
    def places(self) -> int:
        """Places for cups; one of them is free where the ball's cup moves alone."""
        return self.cups + (1 if self.play == "move" else 0)

    @derived
    def spacing(self) -> float:
        """The angle between neighbouring places, rad."""
        return math.radians(self.arc) / (self.places - 1)

    @derived
    def depth(self) -> float:
        """Half depth of the screen, m."""
        return rules.SCREEN_DEPTH

    @derived
    def breadth(self) -> float:
        """Half width of the screen, m: it hides one place alone."""
        half_angle = min(0.55 * self.spacing, math.radians(35.0))
        return rules.SCREEN_AT * self.ring * math.tan(half_angle)

    @derived
    def observe_steps(self) -> int:
        """The most steps of the observe phase; the shift adds an event."""
        covered_at = self.hides * motion.CYCLE + motion.REST + motion.ROLL
        return covered_at + rules.PAUSE + (self.swaps[1] + 1) * (self.swap_steps + 1)

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=2, disc_slots=self.cups + 1, box_slots=1)


P = CupsParams


class Cups(PlanarTask):
    """Lift the cup that the ball went under: the shell game.

    **Story.** Identical cups stand on an arc round the mat on which the agent stands and watches. A ball lies in the
    open, rolls, and goes under one of them. Then cups trade places, two at a time, circling each other. A blackout
    falls for a random time and the agent is carried to another spot and heading. Then, in full light, it may walk: the
    first cup that it touches is lifted and ends the episode, with reward 1 if the ball is under it, else 0.

    **Levels.** 0: glass cups, through which the ball shows, the visible twin. 1: 3 cups, one or two swaps of
    neighbours, blackout 1-3. 2 (default): 4 cups, 2-4 swaps of neighbours, and a tall screen that hides one place
    taking part in a swap: who goes in and who comes out must be inferred. 3: 6 cups, 4-6 faster events between any two
    places of a jittered arc. Two fifths of them are meetings: neighbours meet, touch and part. In half of the meetings
    a bump is heard: the cups were tipped, and a ball under one of them passed to the other. Egocentric frame, blackout
    5-15.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Colour 0 is the ball, colour 1 any cup. A cup's velocity
    is what its next step brings, so that which cups begin to move, and in which direction, tells a swap. The screen
    stands only while cups move: in the act phase all cups show, and where it stood tells nothing. What is asked for is
    always the ball, which shows in the terminal observation.

    **Reward.** 1 for the right cup, once; else 0.

    **End.** A touch, or `act` steps of search; both `terminated`, since the deadline is part of the rules.

    **Leaks closed.** Cups share the slots of one colour, ordered by place, so that no slot keeps a cup's identity. The
    events and the ball's final place are drawn independently, and its first place follows from both: whoever missed
    where the ball went under learns nothing from any event, and the final place is uniform. The ball is seen to go
    under before the screen goes up. No swap undoes the one just before, so that staying with the first place is no
    strategy. A scramble of pose and heading with a blackout of random length (pose is no memory). A hidden ball cannot
    be touched: contact is reported for cups alone.

    **Shift.** Larger cups (1.2 x), events one step faster, and one event more.

    **Presets.** "a-not-b" follows Piaget (The construction of reality in the child, 1954), as do the A-not-B tasks of
    O-PIAAGETS in Animal-AI (Voudouris et al., 2022): twice the ball is hidden under A and shown again, then it is
    hidden under B, and no cup moves. "invisible-displacement" follows Piaget's sixth stage: the ball goes under a
    cup, which moves behind a screen to a place that was free, and stays.
    """

    title = "lift the cup that the ball went under"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME, covers=(rules.CUP,))
    levels: ClassVar[dict[int, P]] = {
        0: P(cups=3, swaps=(1, 2), blackout=(1, 3), act=14, glass=True),
        1: P(cups=3, swaps=(1, 2), blackout=(1, 3), act=14),
        2: P(screen=True),
        3: P(
            cups=6, swaps=(4, 6), swap_steps=3, apart=5, screen=True, hops=0.4, frame="ego", jitter=0.04,
            blackout=(5, 15), act=20,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "a-not-b": P(cups=2, swaps=(0, 0), hides=2, blackout=(0, 2)),
        "invisible-displacement": P(cups=3, swaps=(1, 1), play="move", screen=True, blackout=(0, 2)),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "swaps": (0, 1, 2, 4, 6, 8), "cups": (2, 3, 4, 5, 6), "swap_steps": (8, 6, 4, 3), "blackout": (0, 5, 10, 20, 40),
    }  # fmt: skip
    hidden = Hidden(rules.write_hidden, classes=lambda params: params.cups, when=acting)
    view = Look(
        boxes=("screen",),
        discs=("ball", "cup"),
        queries=("ball", "cup"),
        request="lift the cup that hides the {}",
        captions={
            "observe": "The ball goes under a cup; then cups trade places.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "All cups look alike. The first one touched is lifted.",
            "lit": "All cups look alike. The first one touched is lifted.",
            "over": "The cups show what is under them.",
        },
        won="lifted the right cup",
        lost="nothing under it",
    )
    reset, step = rules.reset, rules.step
    references = REFERENCES
