"""Rex: remember which dog wears which collar, and follow the dogs when they change places."""

import math
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rex import rules
from unseen.envs.permanence.rex.look import LOOK
from unseen.envs.permanence.rex.motion import BACK, GIVE_WAY
from unseen.envs.permanence.rex.references import REFERENCES
from unseen.envs.planar.layout import ORDERS, Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import PlanarTask, StagedParams, planar_sensors
from unseen.envs.planar.world import DT


class RexParams(StagedParams):
    """Parameters of Rex."""

    order: str = choice(
        *ORDERS,
        default="identity",
        doc="order of the dogs' slots, see Layout; by colour or place only if collars are visible from anywhere",
    )
    pieces: int = integer(2, rules.MAX_PIECES, default=4, doc="pieces of furniture")
    dogs: int = integer(1, rules.MAX_DOGS, default=3, doc="dogs, at most one per piece")
    crossings: tuple[int, int] = span(
        0, rules.MAX_ROUNDS, default=(0, 1), doc="rounds of meetings, too far away for collars to be visible, drawn"
    )
    together: bool = flag(
        default=False,
        doc="in a round, every dog meets a neighbour, in alternate gaps; otherwise two dogs meet",
    )
    feints: bool = flag(default=False, doc="in half of the meetings both dogs turn back; otherwise they always pass")
    request: str = choice(
        "collar", "furniture", "both", default="both", doc="kind of query; both: each in half of the episodes"
    )
    query: str = choice(
        "fixed",
        "first",
        "late",
        default="first",
        doc="always the red collar; or drawn, and shown from the start or after the blackout",
    )
    pace: float = real(
        1.0, 4.0, default=2.8, doc="speed of running dogs, m/s, rounded so that a run takes a whole number of steps"
    )
    near: float = real(0.0, 3.0, default=0.9, doc="distance within which a collar is visible, m; 0: from anywhere")
    jitter: float = real(0.0, 0.15, default=0.0, doc="jitter of the ring of furniture, rad")
    ring: float = real(0.9, 1.6, default=1.1, doc="radius of the ring of furniture, m")
    breadth: float = real(0.2, 0.45, default=0.34, doc="half width of a piece, m")
    depth: float = real(0.1, 0.25, default=0.2, doc="half depth of a piece, m")
    radius: float = real(0.1, 0.15, default=0.15, doc="radius of a dog, m")

    def check(self) -> None:
        pieces, dogs, ring = self.pieces, self.dogs, self.ring
        if dogs > pieces:
            raise BadParameter(f"dogs={dogs}: must be at most pieces={pieces}")
        if self.together and pieces % 2:
            raise BadParameter(f"together=True: pieces={pieces} must be even, so that every piece has a partner")
        if self.crossings[1] and not self.together and 2 * dogs <= pieces:
            raise BadParameter(
                f"crossings={self.crossings}: two dogs must be behind neighbouring pieces, so dogs={dogs} must be more "
                f"than half of pieces={pieces}"
            )
        if self.near > 0.0 and self.order in ("colour", "place"):
            raise BadParameter(
                f"order={self.order!r}: with near={self.near:g} the slot would tell a dog whose collar is not visible; "
                "use 'identity', 'distance' or 'index'"
            )
        if 0.0 < self.near < rules.NEAR:
            raise BadParameter(
                f"near={self.near}: must be 0 or at least {rules.NEAR}, or no collar would ever be visible"
            )
        half = math.pi / pieces
        gap = (ring - self.depth) * math.sin(half) - self.breadth * math.cos(half) - ring * self.jitter
        if gap < 0.2:
            raise BadParameter(
                f"pieces={pieces} with breadth={self.breadth} on ring={ring} leave no gaps to walk through"
            )
        if ring + BACK + GIVE_WAY + 0.2 > self.room:
            raise BadParameter(f"ring={ring}: dogs behind the ring do not fit into room={self.room}")

    @derived
    def run_steps(self) -> int:
        """Steps of a run from the mat to the dogs' ring."""
        return math.ceil((self.ring + BACK - rules.START) / (DT * self.pace) - 0.1)

    @derived
    def round_steps(self) -> int:
        """Steps of a run along the dogs' ring from a gap to the spot beside it."""
        return math.ceil(math.pi / self.pieces * (self.ring + BACK) / (DT * self.pace) - 0.1)

    @derived
    def meeting_steps(self) -> int:
        """Steps of a meeting."""
        return max(2 * self.round_steps, rules.SHORTEST_MEETING)

    @derived
    def pairs(self) -> int:
        """Meetings in a round."""
        return self.pieces // 2 if self.together else 1

    @derived
    def observe_steps(self) -> int:
        """Maximum number of steps of the observe phase: all runs and meetings, and one step at rest."""
        runs = rules.REST + rules.GAP * (self.dogs - 1) + self.run_steps + self.round_steps
        return runs + self.crossings[1] * self.meeting_steps + 1

    @derived
    def sizes(self) -> Sizes:
        kinds = 0 if self.request == "collar" else 2
        return Sizes(
            colours=self.dogs, disc_slots=self.dogs, box_slots=self.pieces, box_kinds=kinds, queries=self.dogs + kinds
        )


P = RexParams
ONE: dict[str, Any] = {
    "pieces": 3, "dogs": 2, "crossings": (0, 0), "request": "collar", "query": "fixed", "order": "index", "ring": 1.0,
    "breadth": 0.38, "blackout": (1, 3), "act": 14,
}  # fmt: skip


class Rex(PlanarTask):
    """Find the dog that wears the collar, after dogs that look alike have changed places.

    **Story.** The agent stands on a mat in a ring of furniture: one couch among armchairs, or one armchair among
    couches. Dogs stand close by, so that their coloured collars are visible. One after the other they run through a gap
    and hide behind a piece of furniture, where collars are not visible. Then neighbours run towards each other in the gap
    between their pieces, and either pass, which swaps their places, or turn back: dogs can be told apart only by tracking
    positions and velocities from step to step. After a blackout of random length the agent is at a new position and
    heading, and it is dusk: dogs are invisible, and every piece of furniture is a grey shape.

    **Query.** The collar of a dog or, depending on parameter `request`, the kind of the odd piece of furniture. One piece
    is right: the one with this dog behind it, or the odd one. The agent's answer is the first piece that it looks behind,
    which means to come within 0.5 m of the spot 0.65 m behind its centre with nothing in between. Looking behind an empty
    piece ends the episode like finding a wrong dog, so a guess is right with probability 1 / `pieces`, whatever the
    number of dogs. The two kinds of request demand different faculties and are scored apart: levels ask for dogs, the
    preset "couch" for furniture.

    **Levels.** 0: the visible twin of level 1: glass furniture, daylight, collars visible from anywhere. 1: always "find
    Rex, who wears red": 2 dogs, 3 pieces, no meeting, a fixed slot per dog (as if they differed in build), blackout of 1-3
    steps. 2 (default): 3 anonymous dogs, 3 pieces, one to four meetings in which two dogs pass; "find Rex", shown from the
    start; blackout 4-7. 3: any collar, shown only after the blackout; 6 dogs behind 6 pieces in a jittered ring; in each of
    six rounds all dogs meet a neighbour, to the left and to the right in turn, and half of the pairs turn back;
    egocentric; blackout 15-25; nothing is revealed at the end. Preset "couch": "find the couch" or "the armchair", the odd
    one of four pieces, while 4 dogs distract; blackout 16-24.

    **Faculties.** Success of the best policy that lacks exactly one, on 4,000 test episodes of levels 1 / 2 / 3 (`unseen
    audit Rex`). Chance is .333 / .333 / .167; the tracker reaches 1.00 at each level.

    - where, remembering where the asked dog went: .890 / .336 / .168 (without memory, by the odd piece of furniture, or
      the tracker on the last 4, 8 or 16 observations). Level 1 declares an excess, because its blackout is short.
    - collar, remembering which dog wears which collar: .490 / .347 / .161 (who knows the places of all dogs). Level 1
      declares an excess: with two dogs, knowing both places leaves a guess of one in two.
    - which, following dogs that change places: not at level 1 / .336 / .179 (by the place where the dog hid first, or by
      where its collar was last visible).
    - outcome, telling a pass from a turn back: level 3 only: .179 (as if dogs always passed, or never).
    - every, following all rounds of meetings: not at level 1 / .509 / .192 (the first round alone, or the last alone). Level 2
      declares an excess: a quarter of its episodes has one meeting.
    - long, following more than two rounds: level 3 only: .191 (the first two rounds, or the last two).

    In each meeting of level 2, two of three dogs change places, so that the asked dog is then behind every piece equally
    often, and the place of its first hide tells nothing. Episodes with one meeting teach what a meeting does: from 12,000
    episodes, a recurrent network learns to answer 1.00 of new ones correctly (history probe), but with two meetings in
    every episode it stays at chance. Who follows only two meetings finds the dog in two of three episodes.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees per step. Actions have no effect before the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Query and contact have an entry for each collar, then for
    couch and armchair; with request="collar" there are no entries for furniture, and kinds are not visible at all. A
    dog's velocity is that of its next step. The field of view is 360 degrees (parameter `fov`). At the end, contact
    shows what was found: the collar or, if the query was furniture or no dog is there, the kind of the piece. The
    terminal observation shows everything, except at level 3.

    **Reward.** 1 if the first piece looked behind is the right one, else 0.

    **End.** Looking behind a piece (terminated), or `act` steps of search (truncated).

    **Leaks closed.** The answer is drawn first, uniformly. All pieces have the same size, so that grey shapes look alike;
    exactly one is odd, whatever the query, so that the room does not reveal the kind of query. Where collars are
    invisible, slots do not identify dogs: they are filled round the room (level 2) or by distance (level 3). No collar is
    visible in the last 16 observations of the act phase at levels 2 and 3, and the random length of the blackout and the
    scrambled pose keep the pose from serving as memory. Dogs are invisible at dusk. All dogs are seen at rest before they
    run, and are fully hidden and at rest when the blackout starts.

    **Shift.** Faster runs (each part one step shorter), larger dogs (x 1.2), at level 3 one dog fewer, and a collar
    other than red if the query is fixed.
    """

    title = "find the dog that wears the collar, after dogs have changed places"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, by_touch=True)
    levels: ClassVar[dict[int, P]] = {
        0: P(**ONE, glass=True, near=0.0),
        1: P(**ONE),
        2: P(
            pieces=3, dogs=3, crossings=(1, 4), request="collar", query="fixed", order="identity", blackout=(4, 7),
        ),
        3: P(
            pieces=6, dogs=6, crossings=(6, 6), together=True, feints=True, request="collar", query="late",
            order="distance", frame="ego", jitter=0.06, ring=1.3, breadth=0.27, room=2.9, blackout=(15, 25), act=24,
            reveal=False,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "couch": P(
            dogs=4,
            crossings=(2, 2),
            together=True,
            feints=True,
            request="furniture",
            order="identity",
            blackout=(16, 24),
        ),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crossings": ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)), "blackout": (0, 5, 10, 20, 40), "pieces": (4, 5),
    }  # fmt: skip
    view = LOOK
    hidden = Hidden(
        rules.write_hidden,
        classes=lambda params: params.pieces,
        when=acting,
        change=rules.change_hidden,
        found=rules.found,
    )
    visible: ClassVar[dict[str, Any]] = {"glass": True, "near": 0.0}
    faculties: ClassVar[dict[str, Faculty]] = {
        "where": Faculty(
            "remember where the asked dog went, until long after it is out of sight",
            without=("reflex", "odd_piece"), windows=(4, 8, 16),
            excess={
                1: Excess(0.67, "a blackout of 1-3 steps lets small models learn, and the last 16 rows hold it all", only=("tracker-16",)),
            },
        ),
        "collar": Faculty(
            "remember which dog wears which collar, which shows only up close",
            without=("any_dog",),
            excess={1: Excess(0.17, "where there are two dogs, one who knows both their places guesses one of two")},
        ),
        "which": Faculty(
            "tell the dogs apart by following them, though they look alike and change places",
            without=("first_hide", "last_collar"), levels=(2, 3),
        ),
        "outcome": Faculty(
            "tell a meeting in which the dogs pass each other from one in which they turn back",
            without=("always_swap", "first_hide"), levels=(3,),
        ),
        "every": Faculty(
            "follow the dogs through all rounds of meetings, not only through the first or the last",
            without=("first_round", "last_round"), levels=(2, 3),
            excess={2: Excess(0.19, "a quarter of the episodes has a single meeting, which teaches what a meeting does")},
        ),
        "long": Faculty(
            "follow the dogs through more than two rounds",
            without=("first_two_rounds", "last_two_rounds"), levels=(3,),
        ),
    }  # fmt: skip
    reset, step = rules.reset, rules.step
    references = REFERENCES
