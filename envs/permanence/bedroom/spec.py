"""Bedroom: look around, then walk in the dark to where the bed was."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.bedroom import draw, rules
from unseen.envs.permanence.bedroom.look import LOOK
from unseen.envs.permanence.bedroom.references import REFERENCES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import PlanarTask, StagedParams, planar_sensors


class BedroomParams(StagedParams):
    """Parameters of Bedroom."""

    places: int = integer(
        2, rules.MAX_PLACES, default=5, doc="places that can be queried: bed, door, lamp, table, armchair"
    )
    spots: int = integer(4, rules.MAX_SPOTS, default=6, doc="spots along the walls, at least one per place")
    vases: int = integer(0, rules.MAX_LOOSE, default=1, doc="vases, which must not be touched")
    crates: int = integer(0, rules.MAX_LOOSE, default=0, doc="crates, harmless obstacles")
    guards: bool = flag(
        default=False, doc="one more vase in front of every spot, between it and the middle of the room"
    )
    cat: bool = flag(default=False, doc="a walking cat, which must not be stepped on")
    look: int = integer(1, 60, default=20, doc="steps of the observe phase")
    dark: bool = flag(default=True, doc="the light is off in the act phase")
    drift: float = real(0.0, 0.6, default=0.0, doc="bound on the pose error in the dark, m (and half as many rad)")
    sense: int = integer(
        1,
        100,
        default=100,
        doc="observations in the dark in which the agent senses its pose; after these it has to count its own moves",
    )
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

        if self.guards:
            nearest = min(
                math.hypot(*draw.wall_spot(k, spots, room - draw.LINE, narrow * room - draw.LINE, 0.0)[:2])
                for k in range(spots)
                for narrow in (1.0, rules.NARROW)
            )
            wanted = self.clear + draw.GUARD + (0.7 if loose else 0.0)
            if nearest < wanted:
                raise BadParameter(
                    f"guards=True: room={room} is too small; the spot nearest to the middle is {nearest:.2f} m away, and "
                    f"must be at least {wanted:.2f} m away"
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
        boxes = self.places + self.vases + self.crates + (self.spots if self.guards else 0)
        return Sizes(
            colours=1, disc_slots=int(self.cat), box_slots=boxes, box_kinds=rules.KINDS, box_shape=1,
            queries=rules.KINDS, signals=1,
        )  # fmt: skip


P = BedroomParams


class Bedroom(PlanarTask):
    """Walk in the dark to a place that was seen in the light.

    **Story.** A bedroom by day: bed, door, lamp, table and armchair, each at one of several spots along the walls. There
    may be a vase in front of every spot, crates and a walking cat. The agent has `look` steps to look around and may walk
    meanwhile. After a blackout of random length it is at a new position and heading near the middle, and it is night:
    nothing is visible. The agent senses its own pose, whether it was blocked, and what it touches. It has to reach the
    queried place, round the vase in front of it. Humans can do this: Thomson (1983) had them walk blindfolded to targets
    that they had seen before.

    **Levels.** 0: level 1 with the light on. 1: always "find the bed", 3 places at 4 spots, no vases, a 360-degree field
    of view, blackout of 1-3 steps. 2 (default): 5 places at 6 spots, each spot guarded by a vase, 0.9 m from it towards
    the middle; the queried place is drawn and shown from the start; the field of view is 120 degrees, so the agent has to
    look around; blackout 16-20. 3: the query is shown only in the dark, so everything has to be remembered; 5 places at 8
    spots, 8 guards, 2 crates, blackout 16-24, egocentric anonymous slots. The pose is sensed once, when the blackout
    ends (`sense=1`); from then on the agent has to count its own moves. A cat keeps walking, straight ahead until it
    bumps into something, and must not be stepped on. The end shows nothing (`reveal=False`). (Level 2 does not use
    `query="late"` because that is far harder to learn: with look=16, the audit's recurrent probe found the answer in .22
    of the episodes, compared with .96 for `query="first"`.)

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, turn (90 degrees to the left, in place), stay.
    Continuous: speed and turn in [-1, 1], at most 0.3 m and 90 degrees per step. Actions have no effect in the blackout.

    **Observation.** See `unseen.envs.planar.layout.Layout`. By day, all furniture in view is visible, with kind,
    orientation and half extents. In the dark the agent still senses its pose (with the error of `drift`, and for
    `sense` observations only), `signals[0]` = 1 in a step in which an obstacle blocked it, contact = the kind of what it
    touches or has reached, and bump = 1 while the cat, which purrs, is within 1 m. With `reveal`, the terminal
    observation shows everything, including the true pose. Every agent receives it, but only an agent that predicts
    observations can learn from it.

    **Reward.** 1 for reaching the queried place, else 0.

    **End.** Reaching the first place in the act phase, which means to come within 0.72 m of its spot; touching a vase;
    or stepping on the cat (only by the agent's own movement): `terminated`. `act` steps without any of these are
    `truncated`. Bumping into walls and crates is harmless.

    **Faculties.** Each with the score of the best player that lacks only this, at levels 1, 2 and 3, over 10,000 episodes
    (chance is 1 / `places`: .333, .200, .200). "where", to remember where the queried place is: 1.000, .201, .208. At
    level 1 this is declared, because its blackout is short: the tracker restarted on the last 16 observations still
    sees the room, and 4 steps of looking keep the level learnable within a minute; a player that has not seen the room
    scores .336. "which", to remember all places (level 3): .208 with the bed alone. "way", not to walk straight at the
    place (levels 2 and 3): .130, .107. "self", to find one's bearings after being moved: .150, .071, .058. "steps", to
    count one's own moves (level 3): .020. Not demanded: to remember the vases. A player that knows where the queried
    place is and always swings out to the left before it (reference "swing") scores .67 and .65 at levels 2 and 3.

    **Visible twin.** The light stays on and the field of view is 360 degrees: what is out of a narrow eye's view is as
    hidden as what is in the dark, and has to be remembered in the same way.

    **Leaks closed.** The pose cannot serve as memory: it is scrambled, after a blackout of random length. All places have
    the same reach, a circle round their spot that contains every piece: if a wide bed could be reached from farther away
    than a lamp, walking past the lamps would find it without memory. Obstacles are placed independently of the query: all
    spots are guarded, the empty ones too.
    Touch still gives something away: an empty spot is not the queried place, so walking along the walls succeeds in 1 of
    `places` episodes (`chance`) rather than 1 of `spots`.

    **Shift.** A room narrower in one dimension (x 0.92), furniture shifted farther along the walls (0.1-0.2 m instead of
    up to 0.1 m), a faster cat (x 1.5), and at level 1 a place other than the bed.
    """

    title = "walk in the dark to a place that was seen in the light"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, by_touch=True)
    levels: ClassVar[dict[int, P]] = {
        0: P(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="fixed", dark=False),
        1: P(room=2.0, places=3, spots=4, vases=0, look=4, blackout=(1, 3), act=14, query="fixed"),
        2: P(room=2.5, vases=0, guards=True, fov=120.0, blackout=(16, 20), act=20),
        3: P(
            fov=120.0, blackout=(16, 24), act=30, look=24, room=2.9, spots=8, vases=0, guards=True, crates=2, cat=True,
            sense=1, query="late", order="distance", frame="ego", reveal=False,
        ),
    }  # fmt: skip
    actions: ClassVar[Mapping[str, tuple[float, ...]]] = rules.ACTIONS
    keys: ClassVar[dict[str, str]] = {"forward": "w", "left": "a", "right": "d", "turn": "e", "stay": "s"}
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "look": (1, 2, 4, 8, 20), "drift": (0.0, 0.15, 0.3, 0.45, 0.6), "blackout": (0, 4, 8, 16, 32, 60),
    }  # fmt: skip
    view = LOOK
    visible: ClassVar[dict[str, Any]] = {"dark": False, "fov": 360.0}
    hidden = Hidden(
        rules.write_hidden,
        classes=lambda params: params.spots,
        when=acting,
        change=rules.change_hidden,
        found=rules.found,
    )
    faculties: ClassVar[dict[str, Faculty]] = {
        "where": Faculty(
            "remember where the asked place is",
            without=("reflex", "nearest"), windows=(4, 8, 16),
            excess={
                1: Excess(
                    0.67, "4 steps of looking and a short blackout keep level 1 learnable within a minute",
                    only=("tracker-8", "tracker-16"),
                ),
            },
        ),
        "which": Faculty(
            "remember all places, since any of them may be asked for", without=("one_place",), levels=(3,),
        ),
        "way": Faculty(
            "remember what stands between, and walk round it", without=("beeline", "swing"), levels=(2, 3),
            excess={
                level: Excess(
                    0.5, "a habit, always passing to the left of what may stand there, replaces most of the memory",
                    only=("swing",),
                )
                for level in (2, 3)
            },
        ),
        "self": Faculty(
            "find one's bearings from one's own pose after being moved", without=("unmoved",),
        ),
        "steps": Faculty(
            "count one's own moves, when not even one's pose is sensed", without=("still",), levels=(3,),
        ),
    }  # fmt: skip
    reset, step = rules.reset, rules.step
    references = REFERENCES

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """By walking along the walls: empty spots cost nothing, and the first place reached is equally likely to be any of them."""
        return 1.0 / params.places
