"""Bedroom: look around, then walk in the dark to where the bed was."""

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
        2, rules.MAX_PLACES, default=5, doc="places that can be queried: bed, door, lamp, table, armchair"
    )
    spots: int = integer(4, rules.MAX_SPOTS, default=6, doc="spots along the walls, at least one per place")
    vases: int = integer(0, rules.MAX_LOOSE, default=1, doc="vases, which must not be touched")
    crates: int = integer(0, rules.MAX_LOOSE, default=0, doc="crates, harmless obstacles")
    cat: bool = flag(default=False, doc="a walking cat, which must not be stepped on")
    look: int = integer(1, 60, default=20, doc="steps of the observe phase")
    dark: bool = flag(default=True, doc="the light is off in the act phase")
    drift: float = real(0.0, 0.6, default=0.0, doc="bound on the pose error in the dark, m (and half as many rad)")
    query: str = choice(
        "fixed",
        "first",
        "late",
        default="first",
        doc="always the bed; or drawn, and shown from the start or only in the dark",
    )

    def check(self) -> None:
        places, spots, room = self.places, self.spots, self.room
        if places > spots:
            raise BadParameter(f"places={places}: must be at most spots={spots}")
        if self.vases + self.crates > rules.MAX_LOOSE:
            raise BadParameter(f"vases={self.vases}, crates={self.crates}: must be at most {rules.MAX_LOOSE} together")
        for narrow in (1.0, rules.NARROW):
            a, b = room - draw.LINE, narrow * room - draw.LINE
            at = [draw.wall_spot(k, spots, a, b, 0.0) for k in range(spots)]
            if min(math.dist(at[i][:2], at[i - 1][:2]) for i in range(spots)) < draw.SPACE:
                raise BadParameter(f"spots={spots}: too many for room={room}")
        loose = self.vases + self.crates + self.cat
        least = (self.clear + 1.1 if loose else self.clear + 0.55) / rules.NARROW
        if room < least:
            raise BadParameter(
                f"room={room}: must be at least {least:.2f} for scramble={self.scramble}"
                + (" with vases, crates or a cat" if loose else "")
            )

    @derived
    def clear(self) -> float:
        """The minimum distance of obstacles from the middle, m, so that the agent never spawns on one."""
        return math.sqrt(2) * self.scramble + draw.CLEAR

    @derived
    def observe_steps(self) -> int:
        """Steps of the observe phase."""
        return self.look

    @derived
    def radius(self) -> float:
        """Radius of the cat, m."""
        return draw.CAT

    @derived
    def depth(self) -> float:
        """Unused: the slots of all boxes give their shape."""
        return 0.0

    @derived
    def breadth(self) -> float:
        """Unused, like `depth`."""
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

    **Story.** A bedroom by day: bed, door, lamp, table and armchair, each at one of several spots along the walls. There
    may be vases, crates and a walking cat. The agent has `look` steps to look around and may walk meanwhile. After a
    blackout of random length it is at a new position and heading near the middle, and it is night: nothing is visible.
    The agent senses its own pose, whether it was blocked, and what it touches. It has to reach the queried place. Humans
    can do this: Thomson (1983) had them walk blindfolded to targets that they had seen before.

    **Levels.** 0: the light stays on, the visible twin. 1: always "find the bed", 3 places at 4 spots, a 360-degree field
    of view, blackout of 1-3 steps. 2 (default): 5 places at 6 spots and a vase; the queried place is drawn and shown from
    the start; the field of view is 120 degrees, so the agent has to look around. 3: the query is shown only in the dark,
    so everything has to be remembered; 5 places at 8 spots, 2 vases, 2 crates, blackout 16-24, egocentric anonymous
    slots. In the blackout and the dark the reported pose drifts from the true one, by a random walk of at most 0.3 m. A
    cat keeps walking, straight ahead until it bumps into something, and must not be stepped on. (Level 2 does not use
    `query="late"` because that is far harder to learn: with look=16, the audit's recurrent probe found the answer in .22
    of the episodes, compared with .96 for `query="first"`.)

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, turn (90 degrees to the left, in place), stay.
    Continuous: speed and turn in [-1, 1], at most 0.3 m and 90 degrees per step. Actions have no effect in the blackout.

    **Observation.** See `unseen.envs.planar.layout.Layout`. By day, all furniture in view is visible, with kind,
    orientation and half extents. In the dark the agent still senses its pose (with the error), `signals[0]` = 1 in a
    step in which an obstacle blocked it, contact = the kind of what it touches or has reached, and bump = 1 while the
    cat, which purrs, is within 1 m. The terminal observation shows everything, including the true pose. Every agent
    receives it, but only an agent that predicts observations can learn from it.

    **Reward.** 1 for reaching the queried place, else 0.

    **End.** Reaching the first place in the act phase, which means to come within 0.72 m of its spot; touching a vase;
    stepping on the cat (only by the agent's own movement); or `act` steps. All are `terminated`, because the deadline is
    part of the rules. Bumping into walls and crates is harmless.

    **Leaks closed.** The pose cannot serve as memory: it is scrambled, after a blackout of random length. All places have
    the same reach, a circle round their spot that contains every piece: if a wide bed could be reached from farther away
    than a lamp, walking past the lamps would find it without memory. Obstacles are placed independently of the query.
    Touch still gives something away: an empty spot is not the queried place, so walking along the walls succeeds in 1 of
    `places` episodes (`chance`) rather than 1 of `spots`.

    **Shift.** A room narrower in one dimension (x 0.92), furniture shifted farther along the walls (0.1-0.2 m instead of
    up to 0.1 m), a faster cat (x 1.5), and at level 1 a place other than the bed.
    """

    title = "walk in the dark to a place that was seen in the light"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA)
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
        request_unknown="where to go will be shown in the dark",
        captions={
            "observe": "Look around before the light goes out.",
            "blackout": "Blackout. The agent is moved to a new position.",
            "act": "Night: the agent senses only its pose, bumps and touch.",
            "lit": "The light stays on: everything in view is visible.",
            "over": "Lights on: everything is visible.",
        },
        won="found it",
        lost="wrong place, or broke something",
        signals=("bump",),
    )
    hidden = Hidden(rules.write_hidden, classes=lambda params: params.spots, when=acting)
    reset, step = rules.reset, rules.step
    references = REFERENCES

    @classmethod
    def chance(cls, params: P) -> float:
        """By walking along the walls: empty spots cost nothing, and the first place reached is equally likely to be any of them."""
        return 1.0 / params.places
