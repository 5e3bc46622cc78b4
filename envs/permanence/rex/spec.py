"""Rex: remember which dog wears which collar, where each has gone, and which grey shape is the couch."""

import math
from typing import Any, ClassVar

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rex import rules
from unseen.envs.permanence.rex.references import REFERENCES
from unseen.envs.permanence.rex.rules import BACK, DT, GAP, LANE, MEETINGS, NEAR, REST, SMALL, START, TALL
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import Look, PlanarTask, StagedParams, planar_sensors


class RexParams(StagedParams):
    """Parameters of Rex."""

    pieces: int = integer(2, TALL, default=4, doc="pieces of furniture")
    dogs: int = integer(1, SMALL - 1, default=3, doc="dogs, fewer than pieces")
    crossings: tuple[int, int] = span(
        0, MEETINGS, default=(0, 1), doc="meetings of two dogs, out of collar range, drawn"
    )
    feints: bool = flag(
        default=False, doc="half of the meetings end with both dogs turning back; else they always pass"
    )
    request: str = choice("collar", "furniture", "both", default="both", doc="what is asked for; both: half and half")
    query: str = choice("fixed", "first", "late", default="first", doc="of collars always red; asked first, or late")
    pace: float = real(1.0, 4.0, default=2.8, doc="of running dogs, m/s, or what comes near it in whole steps")
    near: float = real(0.0, 3.0, default=0.9, doc="m within which a collar can be told; 0: from anywhere")
    jitter: float = real(0.0, 0.15, default=0.0, doc="of the ring of furniture, rad")
    ring: float = real(0.9, 1.6, default=1.1, doc="radius of the ring of furniture, m")
    breadth: float = real(0.2, 0.45, default=0.34, doc="half width of a piece, m")
    depth: float = real(0.1, 0.25, default=0.2, doc="half depth of a piece, m")
    radius: float = real(0.1, 0.15, default=0.15, doc="of a dog, m")

    def check(self) -> None:
        pieces, dogs, ring = self.pieces, self.dogs, self.ring
        if dogs >= pieces:
            raise BadParameter(f"dogs={dogs}: allowed is fewer than pieces={pieces}")
        if self.crossings[1] and 2 * dogs <= pieces:
            raise BadParameter(
                f"crossings={self.crossings}: needs two dogs behind neighbouring pieces, so more dogs than half "
                f"the pieces; dogs={dogs}, pieces={pieces}"
            )
        if 0.0 < self.near < NEAR:
            raise BadParameter(f"near={self.near}: allowed is 0, or {NEAR} and more, else no collar ever shows")
        half = math.pi / pieces
        gap = (ring - self.depth) * math.sin(half) - self.breadth * math.cos(half) - ring * self.jitter
        if gap < 0.2:
            raise BadParameter(f"pieces={pieces} of breadth={self.breadth} on ring={ring}: no way between them")
        if ring + BACK + LANE + 0.2 > self.room:
            raise BadParameter(f"ring={ring}: the dogs behind it do not fit into room={self.room}")

    def _steps(self, metres: float) -> float:
        """Steps that a dog takes to run so far."""
        return metres / (DT * self.pace)

    @derived
    def out(self) -> int:
        """Steps of the run from the mat to the dogs' ring."""
        return math.ceil(self._steps(self.ring + BACK - START) - 0.1)

    @derived
    def along(self) -> int:
        """Steps from a gap round to the spot beside it."""
        return math.ceil(self._steps(math.pi / self.pieces * (self.ring + BACK)) - 0.1)

    @derived
    def meet(self) -> int:
        """Steps of one meeting."""
        return 2 * self.along

    @derived
    def observe_steps(self) -> int:
        """Steps of the longest observe phase."""
        return REST + GAP * (self.dogs - 1) + self.out + self.along + self.crossings[1] * self.meet + 1

    @derived
    def sizes(self) -> Sizes:
        dogs = self.dogs
        kinds = 0 if self.request == "collar" else 2
        return Sizes(colours=dogs, disc_slots=dogs, box_slots=self.pieces, box_kinds=kinds, queries=dogs + kinds)

    @property
    def horizon(self) -> int:
        return self.observe_steps + self.blackout[1] + self.act


P = RexParams


class Rex(PlanarTask):
    """Find the dog by its collar, and the couch by what it was before dusk.

    **Story.** The agent stands on a mat, ringed by furniture: one couch among armchairs, or one armchair among
    couches. Dogs stand close round it, where their coloured collars can be told. One after the other they run out
    through a gap and hide behind a piece of furniture each; collars do not show from there. Two neighbours may then
    run towards each other in the gap between their pieces, and there either pass or turn back: only their places and
    velocities from moment to moment tell which is which. A blackout falls for a random time; the agent is carried to
    another spot and heading; then it is dusk, in which dogs do not show and any furniture is a grey shape.

    **Request.** The collar of a dog, or (knob `request`) the kind of the odd piece of furniture. Either has one right
    piece of furniture: the one behind which that dog is, or the odd one. The agent has one look: the first piece it
    looks behind, that is, comes within 0.5 m of the spot 0.65 m behind its centre with nothing between, is its
    answer. So an empty place ends the search as a wrong dog does, and who remembers nothing is right once in as many
    times as there are pieces, however few the dogs.

    **Levels.** 0: glass furniture, daylight, collars told from anywhere: the visible twin. 1: "find Rex, who wears
    red": 2 dogs, 3 pieces, no meeting, each dog with a slot of its own (dogs can be told apart by build), blackout
    1-3. 2 (default): 3 anonymous dogs, 4 pieces, in half of the episodes a meeting of two dogs that pass, "find Rex",
    "the couch" or "the armchair", told from the start, blackout 3-6. 3: any collar or kind, asked only after the
    blackout; 5 dogs, 6 pieces in a jittered ring, three meetings of which half are feints, egocentric, blackout 15-25.

    What level 2 asks is set by what a recurrent network learns from 6,000 whole episodes that ask for a collar: it is
    right in .999 of others as it stands, and in .42 where the asked collar is drawn (`query="first"`).

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. What can be asked for, and held, are the colours and
    then couch and armchair (where furniture is never asked for: colours only, and kinds are not told). A dog's
    velocity is that of the step to come. The eye sees all round (knob `fov`). `held` tells at the end what was found:
    the collar, or, if furniture was asked for or no dog is there, the kind of furniture. When the episode ends the
    lights go on: the terminal observation shows everything.

    **Reward.** 1 if the piece looked behind is the right one, else 0.

    **End.** A look behind furniture, or `act` steps of search; both `terminated`.

    **Leaks closed.** The answer is drawn first and uniform. All pieces have one size, so that a grey shape tells
    nothing; exactly one is odd whatever is asked for, so that the room does not tell the request. No slot tells who a
    dog is where its collar cannot be told: they are filled round the room (level 2) or by distance (level 3). A
    blackout of random length with a scramble of pose and heading, at levels 2 and 3 so long that the last 4 and the
    last 16 observations of the act phase hold none from before it; dusk; all dogs are seen at rest before they run, and
    rest fully hidden when the blackout falls.

    **Shift.** Faster runs (each leg a step shorter), larger dogs (1.2 x), at level 3 one dog fewer, and where only
    the red collar is asked for, another one.
    """

    title = "find the dog by its collar, and the couch in the dusk"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(glass=True, near=0.0),
        1: P(
            pieces=3,
            dogs=2,
            crossings=(0, 0),
            request="collar",
            query="fixed",
            order="index",
            ring=1.0,
            breadth=0.38,
            blackout=(1, 3),
            act=14,
        ),
        2: P(order="identity", query="fixed", blackout=(3, 6)),
        3: P(
            pieces=6,
            dogs=5,
            crossings=(3, 3),
            feints=True,
            query="late",
            order="distance",
            frame="ego",
            jitter=0.06,
            ring=1.3,
            breadth=0.27,
            room=2.9,
            blackout=(15, 25),
            act=24,
        ),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crossings": ((0, 0), (1, 1), (2, 2), (3, 3)),
        "blackout": (0, 5, 10, 20, 40),
        "pieces": (4, 5),
    }
    view = Look(
        tall=("couch", "armchair"),
        small=("dog",),
        request="find the dog with the {} collar",
        request_tall="go to the {}, grey in the dusk",
        untold="whom or what to find is told after the blackout",
        captions={
            "observe": "Collars show from near. Then the dogs run and hide, and some may change places.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Dusk hides the dogs, and all furniture is grey. One look behind a piece is the answer.",
            "lit": "In full light: all that is in sight shows.",
            "over": "Lights on: now everything shows.",
        },
        won="found",
        lost="not here",
    )
    hidden = Hidden(rules.write_hidden, classes=lambda params: params.pieces, when=acting)
    reset, step = rules.reset, rules.step
    references = REFERENCES
