"""Rex: remember which dog wears which collar, where each has gone, and which grey shape is the couch."""

import math
from typing import Any, ClassVar

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real, span
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rex import rules
from unseen.envs.permanence.rex.motion import BACK, GIVE_WAY
from unseen.envs.permanence.rex.references import REFERENCES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import Look, PlanarTask, StagedParams, planar_sensors
from unseen.envs.planar.world import DT


class RexParams(StagedParams):
    """Parameters of Rex."""

    pieces: int = integer(2, rules.TALL, default=4, doc="pieces of furniture")
    dogs: int = integer(1, rules.SMALL - 1, default=3, doc="dogs, fewer than pieces")
    crossings: tuple[int, int] = span(
        0, rules.MEETINGS, default=(0, 1), doc="meetings of two dogs, too far away for collars to show, drawn"
    )
    feints: bool = flag(default=False, doc="in half of the meetings both dogs turn back; else they always pass")
    request: str = choice("collar", "furniture", "both", default="both", doc="what is asked for; both: half and half")
    query: str = choice("fixed", "first", "late", default="first", doc="always the red collar; asked first, or late")
    pace: float = real(1.0, 4.0, default=2.8, doc="of running dogs, m/s, rounded so that a run takes whole steps")
    near: float = real(0.0, 3.0, default=0.9, doc="distance within which a collar shows, m; 0: from anywhere")
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
        if 0.0 < self.near < rules.NEAR:
            raise BadParameter(f"near={self.near}: allowed is 0, or {rules.NEAR} and more, else no collar ever shows")
        half = math.pi / pieces
        gap = (ring - self.depth) * math.sin(half) - self.breadth * math.cos(half) - ring * self.jitter
        if gap < 0.2:
            raise BadParameter(f"pieces={pieces} of breadth={self.breadth} on ring={ring}: no way between them")
        if ring + BACK + GIVE_WAY + 0.2 > self.room:
            raise BadParameter(f"ring={ring}: the dogs behind it do not fit into room={self.room}")

    @derived
    def run_steps(self) -> int:
        """Steps of a dog's run from the mat to the dogs' ring."""
        return math.ceil((self.ring + BACK - rules.START) / (DT * self.pace) - 0.1)

    @derived
    def round_steps(self) -> int:
        """Steps from a gap round to the spot beside it."""
        return math.ceil(math.pi / self.pieces * (self.ring + BACK) / (DT * self.pace) - 0.1)

    @derived
    def meeting_steps(self) -> int:
        """Steps of a meeting."""
        return max(2 * self.round_steps, rules.SHORTEST_MEETING)

    @derived
    def observe_steps(self) -> int:
        """Steps of the longest observe phase: all runs, the most meetings, and one step at rest."""
        runs = rules.REST + rules.GAP * (self.dogs - 1) + self.run_steps + self.round_steps
        return runs + self.crossings[1] * self.meeting_steps + 1

    @derived
    def sizes(self) -> Sizes:
        kinds = 0 if self.request == "collar" else 2
        return Sizes(
            colours=self.dogs, disc_slots=self.dogs, box_slots=self.pieces, box_kinds=kinds, queries=self.dogs + kinds
        )


P = RexParams


class Rex(PlanarTask):
    """Find the dog by its collar, and the couch by what it was before dusk.

    **Story.** The agent stands on a mat in a ring of furniture: one couch among armchairs, or one armchair among
    couches. Dogs stand close round it, so that their coloured collars show. One after the other they run out through a
    gap, and each hides behind a piece of furniture, where its collar does not show. Then two neighbours may run towards
    each other in the gap between their pieces, and either pass or turn back: only their places and velocities from
    step to step show which is which. A blackout falls for a random time; the agent is carried to another spot and
    heading; then it is dusk, in which no dog shows and every piece of furniture is a grey shape.

    **Request.** The collar of a dog, or (parameter `request`) the kind of the odd piece of furniture. One piece is right:
    the one that this dog is behind, or the odd one. The agent has one look: its answer is the first piece that it looks
    behind, which means to come within 0.5 m of the spot 0.65 m behind its centre with nothing between. A look behind an
    empty piece ends the search as a wrong dog does, so a guess is right one time in `pieces`, however few the dogs.

    **Levels.** 0: glass furniture, daylight, collars that show from anywhere: the visible twin. 1: "find Rex, who wears
    red": 2 dogs, 3 pieces, no meeting, a slot for each dog (as if they differed in build), blackout 1-3. 2 (default):
    3 anonymous dogs, 4 pieces, in half of the episodes a meeting of two dogs that pass; "find Rex", "the couch" or "the
    armchair", asked from the start; blackout 3-6. 3: any collar or kind, asked only after the blackout; 5 dogs, 6 pieces
    in a jittered ring, three meetings, each a feint with probability 1/2; egocentric; blackout 15-25.

    Level 2 always asks for the red collar because a recurrent network trained on 6,000 whole episodes that ask for a
    collar is then right in .999 of new ones; where the asked collar is drawn (`query="first"`), in .42.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Query and contact have an entry for each collar, then for
    couch and armchair; with request="collar" there are no entries for furniture, and kinds do not show at all. A dog's
    velocity is that of its next step. The field of view is all round (parameter `fov`). At the end, contact says what
    was found: the collar, or, if furniture was asked for or no dog is there, the kind of the piece. Then the lights go
    on: the terminal observation shows everything.

    **Reward.** 1 if the piece looked behind is the right one, else 0.

    **End.** A look behind a piece, or `act` steps of search; both `terminated`, since the deadline is part of the rules.

    **Leaks closed.** The answer is drawn first, and uniformly. All pieces have one size, so that grey shapes look alike;
    exactly one is odd whatever is asked for, so that the room does not give the request away. Where collars do not
    show, slots do not tell dogs apart: they are filled round the room (level 2) or by distance (level 3). A blackout of
    random length, with the pose and heading scrambled, is so long that the last 4 (level 2) and the last 16 observations
    (level 3) of the act phase contain none from before it. Dusk hides the dogs. All dogs are seen at rest before they
    run, and rest fully hidden when the blackout falls.

    **Shift.** Faster runs (each part a step shorter), larger dogs (1.2 x), at level 3 one dog fewer, and where only the
    red collar is asked for, any other.
    """

    title = "find the dog by its collar, and the couch in the dusk"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(glass=True, near=0.0),
        1: P(
            pieces=3, dogs=2, crossings=(0, 0), request="collar", query="fixed", order="index", ring=1.0, breadth=0.38,
            blackout=(1, 3), act=14,
        ),
        2: P(order="identity", query="fixed", blackout=(3, 6)),
        3: P(
            pieces=6, dogs=5, crossings=(3, 3), feints=True, query="late", order="distance", frame="ego", jitter=0.06,
            ring=1.3, breadth=0.27, room=2.9, blackout=(15, 25), act=24,
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "crossings": ((0, 0), (1, 1), (2, 2), (3, 3)), "blackout": (0, 5, 10, 20, 40), "pieces": (4, 5),
    }  # fmt: skip
    view = Look(
        boxes=("couch", "armchair"),
        discs=("dog",),
        request="find the dog with the {} collar",
        request_box="go to the {}, grey in the dusk",
        untold="who or what to find is asked after the blackout",
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
