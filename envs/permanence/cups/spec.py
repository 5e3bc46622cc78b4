"""Cups: the shell game. Keep track of the cup with the ball."""

import math
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.cups import motion, rules
from unseen.envs.permanence.cups.look import LOOK
from unseen.envs.permanence.cups.references import REFERENCES
from unseen.envs.permanence.cups.script import MAX_CUPS, MAX_EVENTS
from unseen.envs.planar.layout import ORDERS, Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import PlanarTask, StagedParams, planar_sensors

MIN_GAP = 0.45  # minimum distance between the centres of neighbouring cups, m
SLOT_ORDERS = ("place", "distance", "index")  # by colour, all cups would share one slot


class CupsParams(StagedParams):
    """Parameters of Cups."""

    room: float = real(1.9, 5.0, default=2.0, doc="half extent of the room, m")
    order: str = choice(
        *ORDERS,
        default="place",
        doc="order of the cups' slots: left to right (place), nearest first (distance), or a fixed slot per cup, as if cups "
        "were distinguishable (index)",
    )
    cups: int = integer(2, MAX_CUPS, default=4, doc="identical cups")
    swaps: tuple[int, int] = span(
        0, MAX_EVENTS - 1, default=(2, 4), doc="number of events (swaps, meetings or rounds), drawn"
    )
    swap_steps: int = integer(3, 12, default=4, doc="steps of one event")
    apart: int = integer(1, MAX_CUPS - 1, default=1, doc="maximum distance of a swap, in places; 1: neighbours only")
    screen: bool = flag(default=False, doc="a tall screen hides one place, or several, while cups move")
    panels: int = integer(
        1,
        rules.MAX_BOXES,
        default=1,
        doc="neighbouring places that the screen hides; more than 1 only with play='round'",
    )
    hops: float = real(
        0.0,
        1.0,
        default=0.0,
        doc="fraction of events that are meetings of neighbours; in half of these a bump signals a tip, which passes a "
        "ball under one cup to the other",
    )
    hides: int = integer(0, 3, default=0, doc="times that the ball is first hidden under a decoy cup and shown again")
    play: str = choice(
        "swap",
        "move",
        "round",
        default="swap",
        doc="two cups swap places; only the ball's cup moves, to a free place; or in each round all cups pair off at random "
        "and swap",
    )
    arc: float = real(60.0, 170.0, default=150.0, doc="angle of the arc of cups round the mat, degrees")
    ring: float = real(1.1, 1.5, default=1.2, doc="radius of the arc, m")
    jitter: float = real(0.0, 0.06, default=0.0, doc="jitter of the places, rad and m")
    radius: float = real(0.08, 0.12, default=0.1, doc="radius of a cup, m")

    def check(self) -> None:
        if self.order not in SLOT_ORDERS:
            allowed = ", ".join(map(repr, SLOT_ORDERS))
            raise BadParameter(f"order={self.order!r}: must be one of {allowed}, because all cups have the same colour")
        gap = 2 * self.ring * math.sin(self.spacing / 2) - 2 * self.jitter
        if gap < MIN_GAP:
            raise BadParameter(
                f"cups={self.cups} on arc={self.arc:g}, ring={self.ring:g} are {gap:.2f} m apart; they must be at least "
                f"{MIN_GAP:g} m apart"
            )
        bulge = motion.widest(self.cups // 2) if self.play == "round" else motion.BULGE
        if self.ring + self.jitter + bulge + 1.2 * self.radius > self.room:
            raise BadParameter(f"ring={self.ring:g}: swapping cups do not fit into room={self.room:g}")
        if self.play == "move":
            if not self.screen:
                raise BadParameter("play='move' needs screen=True, because the cup must move out of sight")
            for name in ("hops", "hides"):
                if getattr(self, name):
                    raise BadParameter(f"{name}={getattr(self, name)}: must be 0 with play='move'")
        if self.play == "round" and self.hops:
            raise BadParameter(f"hops={self.hops}: must be 0 with play='round'")
        if self.panels > 1 and self.play != "round":
            raise BadParameter(f"panels={self.panels}: must be 1 with play={self.play!r}")
        if self.panels > 1 and 2 * self.panels > self.cups:
            raise BadParameter(f"panels={self.panels}: must hide at most half of cups={self.cups}")

    @derived
    def places(self) -> int:
        """Places for cups; with play="move" one of them is free."""
        return self.cups + (1 if self.play == "move" else 0)

    @derived
    def spacing(self) -> float:
        """Angle between neighbouring places, rad."""
        return math.radians(self.arc) / (self.places - 1)

    @derived
    def depth(self) -> float:
        """Half depth of the screen, m."""
        return rules.SCREEN_DEPTH

    @derived
    def breadth(self) -> float:
        """Half width of the screen, m: it hides a single place."""
        half_angle = min(0.55 * self.spacing, math.radians(35.0))
        return rules.SCREEN_AT * self.ring * math.tan(half_angle)

    @derived
    def observe_steps(self) -> int:
        """Maximum number of steps of the observe phase, including the extra event under shift."""
        covered_at = self.hides * motion.CYCLE + motion.REST + motion.ROLL
        return covered_at + rules.PAUSE + (self.swaps[1] + 1) * (self.swap_steps + 1)

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=2, disc_slots=self.cups + 1, box_slots=self.panels)


P = CupsParams


class Cups(PlanarTask):
    """Lift the cup that the ball went under: the shell game.

    **Story.** Identical cups stand on an arc round a mat, from which the agent watches. A ball lies in the open, then
    rolls under one of the cups. Then come several rounds, in each of which all cups pair off at random, and the two of a
    pair circle each other and swap places. After a blackout of random length the agent is at a new position and heading.
    Now, in full light, it may walk. It lifts the first cup that it touches, which ends the episode.

    **Levels.** 0: level 1 with glass cups, through which the ball is visible. 1: 3 cups, one or two rounds of one swap each,
    blackout of 3-5 steps. 2 (default): 5 cups, one to four faster rounds of two swaps at once, and a tall screen that hides two
    neighbouring places. What happens there must be inferred from the other cups: a cup that goes behind the screen sends
    out its partner, and if none goes in or out, the two behind the screen swap unseen, within the round that is seen. 3:
    6 cups on a jittered arc, 8-10 rounds of three swaps at once (in 1 of 6, nothing moves), egocentric frame, blackout 5-15, and the end
    shows nothing (`reveal=False`), so that only the reward tells whether the right cup was lifted.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees per step. Actions have no effect before the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Colour 0 is the ball, colour 1 a cup. A cup's velocity is
    that of its next step, so a swap can be recognised by which cups start to move, and in which direction. The screen
    stands only while cups move; in the act phase all cups are visible. The query is always the ball, which is visible
    in the terminal observation if `reveal`.

    **Reward.** 1 for lifting the cup with the ball, else 0.

    **End.** The first touch is `terminated`; `act` steps of search without one are `truncated`.

    **Faculties.** Each with the score of the best player that lacks only this, at levels 1, 2 and 3, over 10,000 episodes
    (chance is 1 / `cups`: .333, .200, .167; the tracker reaches 1.00). "where", to remember under which cup the ball went:
    .61, .40, .165. "every swap", to follow the cup through all of them: .67, .41, .169. "long", to go on after two rounds:
    .60, .170 at levels 2 and 3. "unseen", to infer swaps behind the screen: .46, .197. A round takes a cup to any place with
    equal chance, wherever it was, so that whoever misses the first place or a whole round is left with chance. That leaves
    nothing to learn from step by step: with two rounds in every episode of level 1, or with 6 to 8 at level 2, no learner got
    above chance. Levels 1 and 2 therefore have episodes with one round, in which a learner finds out what a round does, and
    declare what is above chance because of them. Level 3 has none.

    **Leaks closed.** Cups share the slots of one colour, ordered by place, so no slot keeps the identity of a cup. The
    events and the final place of the ball are drawn independently, and its first place is computed from them: to an
    agent that missed where the ball went, the events give no information, and the final place is uniform. The ball is
    seen going under a cup before the screen appears, and where the screen stands is independent of the ball. The pose
    cannot serve as memory: it is scrambled, after a blackout of random length. A hidden ball cannot be touched: contact
    is reported only for cups.

    **Shift.** Larger cups (x 1.2), events one step faster, and one more event.

    **Other play.** play="swap" (version 0): one pair at a time, neighbours or at most `apart` places apart, never the
    pair of the swap before; a fraction `hops` of the events are meetings, in half of which a bump is heard, because the
    cups were tipped, and a ball under one of them passed to the other.

    **Presets.** "a-not-b" follows Piaget (The construction of reality in the child, 1954), as do the A-not-B tasks of
    O-PIAAGETS in Animal-AI (Voudouris et al., 2022): the ball is hidden under A and shown again twice, then it is hidden
    under B, and no cup moves. "invisible-displacement" follows Piaget's sixth stage: the ball goes under a cup, which
    moves behind a screen to a free place and stays there.
    """

    title = "lift the cup that the ball went under"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, covers=(rules.CUP,))
    levels: ClassVar[dict[int, P]] = {
        0: P(cups=3, play="round", swaps=(1, 2), blackout=(3, 5), act=14, glass=True),
        1: P(cups=3, play="round", swaps=(1, 2), blackout=(3, 5), act=14),
        2: P(cups=5, play="round", swaps=(1, 4), swap_steps=3, screen=True, panels=2),
        3: P(
            cups=6, play="round", swaps=(8, 10), swap_steps=3, ring=1.3, screen=True, panels=2, frame="ego", jitter=0.04,
            blackout=(5, 15), act=20, reveal=False,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "a-not-b": P(cups=2, swaps=(0, 0), hides=2, blackout=(0, 2)),
        "invisible-displacement": P(cups=3, swaps=(1, 1), play="move", screen=True, blackout=(0, 2)),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "swaps": (0, 1, 2, 4, 6, 8), "cups": (4, 5, 6), "swap_steps": (8, 6, 4, 3), "blackout": (0, 5, 10, 20, 40),
    }  # fmt: skip
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    hidden = Hidden(
        rules.write_hidden,
        classes=lambda params: params.cups,
        when=acting,
        change=rules.change_hidden,
        found=rules.found,
    )
    faculties: ClassVar[dict[str, Faculty]] = {
        "where": Faculty(
            "remember under which cup the ball went",
            without=("reflex",), windows=(4, 8, 16),
            excess={
                1: Excess(0.3, "an episode with one round and a short blackout fits into 16 observations", only=("tracker-16",)),
                2: Excess(0.22, "so do some with one round, whatever the blackout", only=("tracker-16",)),
            },
        ),
        "every swap": Faculty(
            "follow the cup through every swap",
            without=("first", "one_swap", "last_missed", "not_first"),
            excess={
                1: Excess(0.36, "half of the episodes have one round only, from which following is learned first", only=("one_swap",)),
                2: Excess(0.24, "a quarter of the episodes has one round only, from which following is learned first", only=("one_swap",)),
            },
        ),
        "long": Faculty(
            "go on until the last swap",
            without=("two_swaps",), levels=(2, 3),
            excess={2: Excess(0.43, "half of the episodes have one or two rounds, from which following is learned first")},
        ),
        "unseen": Faculty(
            "infer a swap behind the screen from what the other cups do",
            without=("screen_ignored",), levels=(2, 3),
            excess={2: Excess(0.29, "with few rounds, the ball's cup often passes no place behind the screen")},
        ),
    }  # fmt: skip
    view = LOOK
    reset, step = rules.reset, rules.step
    references = REFERENCES
