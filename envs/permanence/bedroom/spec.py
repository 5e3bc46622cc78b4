"""Bedroom: look round, then walk in the dark to where the bed was."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.bedroom import draw, rules
from unseen.envs.permanence.bedroom.references import REFERENCES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import Look, PlanarTask, StagedParams, planar_sensors


class BedroomParams(StagedParams):
    """Parameters of Bedroom."""

    places: int = integer(
        2, rules.PLACES, default=5, doc="pieces that can be asked for: bed, door, lamp, table, armchair"
    )
    spots: int = integer(4, rules.SPOTS, default=6, doc="spots along the walls, at least one a place")
    vases: int = integer(0, rules.LOOSE, default=1, doc="must not be touched")
    crates: int = integer(0, rules.LOOSE, default=0, doc="stand about, and may be touched")
    cat: bool = flag(default=False, doc="a cat keeps walking, and must not be stepped on")
    look: int = integer(1, 60, default=20, doc="steps of the observe phase")
    dark: bool = flag(default=True, doc="the light goes out")
    drift: float = real(0.0, 0.6, default=0.0, doc="bound on the pose error in the dark, m (and half as many rad)")
    query: str = choice("fixed", "first", "late", default="first", doc="always the bed, asked first, or in the dark")

    def check(self) -> None:
        places, spots, room = self.places, self.spots, self.room
        if places > spots:
            raise BadParameter(f"places={places}: at most one a spot, and spots={spots}")
        if self.vases + self.crates > rules.LOOSE:
            raise BadParameter(f"vases={self.vases}, crates={self.crates}: allowed are {rules.LOOSE} together")
        for narrow in (1.0, rules.NARROW):
            a, b = room - draw.LINE, narrow * room - draw.LINE
            at = [draw.wall_spot(k, spots, a, b, 0.0) for k in range(spots)]
            if min(math.dist(at[i][:2], at[i - 1][:2]) for i in range(spots)) < draw.SPACE:
                raise BadParameter(f"spots={spots}: they do not fit into room={room}")
        loose = self.vases + self.crates + self.cat
        least = (self.clear + 1.1 if loose else self.clear + 0.55) / rules.NARROW
        if room < least:
            raise BadParameter(
                f"room={room}: at least {least:.2f} for scramble={self.scramble}"
                + (" with things about (vases, crates, cat)" if loose else "")
            )

    @derived
    def clear(self) -> float:
        """The least distance of loose things from the middle, m, so that the agent is not set down on one."""
        return math.sqrt(2) * self.scramble + draw.CLEAR

    @derived
    def observe_steps(self) -> int:
        """Steps of the observe phase."""
        return self.look

    @derived
    def radius(self) -> float:
        """Of the cat, m."""
        return draw.CAT

    @derived
    def depth(self) -> float:
        """What beliefs take for the half depth of boxes that do not tell their shape, m. Here all do."""
        return 0.0

    @derived
    def breadth(self) -> float:
        """Likewise, their half width."""
        return 0.0

    @derived
    def sizes(self) -> Sizes:
        boxes = self.places + self.vases + self.crates
        return Sizes(
            colours=1, disc_slots=int(self.cat), box_slots=boxes, box_kinds=rules.KINDS, box_shape=1,
            queries=rules.KINDS, signals=1,
        )  # fmt: skip


P = BedroomParams


class Bedroom(PlanarTask):
    """Walk in the dark to a place that was seen in the light.

    **Story.** A bedroom by day: bed, door, lamp, table and armchair, each at one of several spots along the walls; there
    may be vases and crates, and a walking cat. The agent has `look` steps to look round, and may walk meanwhile. A
    blackout falls for a random time, and the agent is carried to another spot and heading near the middle. Then it is
    night and nothing shows. The agent senses its own pose, whether it was stopped, and what it touches, and has to reach
    the asked place. People can: Thomson (1983) had them walk blindfolded to targets that they had seen before.

    **Levels.** 0: the light stays on, the visible twin. 1: "find the bed", 3 places at 4 spots, a field of view all
    round, blackout 1-3. 2 (default): 5 places at 6 spots, and a vase; any place is asked for, from the start; the field
    of view is 120 degrees, so that the agent has to look round. 3: asked only once it is dark, so that all has to be
    remembered; 5 places at 8 spots, 2 vases, 2 crates, blackout 16-24, egocentric anonymous slots; in blackout and dark
    the reported pose drifts from the true one, by a random walk of at most 0.3 m; and a cat keeps walking, straight on
    until it bumps into something, and must not be stepped on. (Level 2 does not ask late because that is far harder to
    learn: with look=16, the audit's recurrent probe found the answer in .22 of the episodes with `query="late"`, and in
    .96 when asked first.)

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, turn (90 degrees to the left, on the spot),
    stay. Continuous: speed and turn in [-1, 1], at most 0.3 m and 90 degrees a step. Under the blackout they have no
    effect.

    **Observation.** See `unseen.envs.planar.layout.Layout`. By day all furniture in view shows, with kind, orientation
    and half extents. The dark leaves: the pose (with its error), `signals[0]` = 1 in a step in which something solid
    stopped the agent, contact = the kind of what it touches or has reached, and bump = 1 while the cat is within 1 m,
    for it purrs. When the episode ends the lights go on: the terminal observation shows everything, and the true pose.
    Every agent receives it; only a predictive one can learn from it.

    **Reward.** 1 for reaching the asked place, 0 for all else.

    **End.** The first place that the agent reaches in the act phase, that is, comes within 0.72 m of its spot; touching
    a vase; stepping on the cat (by the agent's own step only); and `act` steps. All are `terminated`, since the deadline
    is part of the rules. Bumping into walls and crates is harmless.

    **Leaks closed.** The pose and heading are scrambled, with a blackout of random length (pose is no memory). All places
    are reached within the same circle round their spots, which contains every piece: if a wide bed could be touched from
    further away than a lamp, walking past the lamps would find it without memory. Loose things stand anywhere, whatever
    is asked for. What touch gives away remains: an empty spot is not the asked place, so walking round the walls finds
    it in up to 1 of `places` episodes (`chance`), and not in 1 of `spots`.

    **Shift.** A room that is narrower one way (0.92 x), pieces moved further along their walls (0.1-0.2 m instead of up
    to 0.1 m), a faster cat (1.5 x), and at level 1 another place than the bed.
    """

    title = "walk in the dark to a place that was seen in the light"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="first", dark=False),
        1: P(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="fixed"),
        2: P(room=2.3, fov=120.0, blackout=(4, 8), act=18),
        3: P(
            fov=120.0, blackout=(16, 24), act=30, look=24, room=2.9, spots=8, vases=2, crates=2, cat=True, drift=0.3,
            query="late", order="distance", frame="ego",
        ),
    }  # fmt: skip
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    keys: ClassVar[dict[str, str]] = {"forward": "w", "left": "a", "right": "d", "turn": "e", "stay": "s"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "look": (1, 2, 4, 8, 20), "drift": (0.0, 0.15, 0.3, 0.45, 0.6), "blackout": (0, 4, 8, 16, 32, 60),
    }  # fmt: skip
    view = Look(
        boxes=rules.NAMES,
        discs=("cat",),
        queries=rules.NAMES,
        request="go to the {}",
        untold="where to go is asked in the dark",
        captions={
            "observe": "The light is on: look round, it will go out.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Night: the agent senses only its pose, bumps and touch.",
            "lit": "The light is still on: all in view shows.",
            "over": "Lights on: now everything shows.",
        },
        won="found it",
        lost="wrong place, or something broke",
        signals=("bump",),
    )
    hidden = Hidden(rules.write_hidden, classes=lambda params: params.spots, when=acting)
    reset, step = rules.reset, rules.step
    references = REFERENCES

    @classmethod
    def chance(cls, params: P) -> float:
        """By walking round the walls: empty spots cost nothing, and the first place that is met is equally likely any of them."""
        return 1.0 / params.places
