"""RolledBehind: remember behind which occluder each block rolled."""

import math
from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rolled_behind import rules
from unseen.envs.permanence.rolled_behind.draw import BEHIND, LAUNCH_STEPS, ROLL_STEPS, VOLLEY_FROM, VOLLEY_RANGE
from unseen.envs.permanence.rolled_behind.look import LOOK
from unseen.envs.permanence.rolled_behind.references import REFERENCES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import PlanarTask, StagedParams, planar_sensors
from unseen.envs.planar.world import DT

MIN_GAP = 0.03  # rad between the middle of a gap and the occluder beside it, as seen from the centre
# With hidden bumps or far rolls: parameter -> its range. Otherwise too few draws end as planned.
BUMP_LIMITS = {
    "breadth": (0.2, 0.32), "depth": (0.1, 0.2), "ring": (1.2, 1.4), "friction": (2.5, 8.0), "jitter": (0.0, 0.08),
    "blocks": (4, 6), "radius": (0.08, 0.13), "scramble": (0.0, 0.35),
}  # fmt: skip


class RolledBehindParams(StagedParams):
    """Parameters of RolledBehind."""

    occluders: int = integer(2, rules.MAX_OCCLUDERS, default=4, doc="tall blocks")
    blocks: int = integer(2, rules.MAX_BLOCKS, default=4, doc="small blocks, at most one per occluder")
    query: str = choice(
        "fixed",
        "first",
        "late",
        default="first",
        doc="the target is always red; or drawn, and shown from the start or after the blackout",
    )
    jitter: float = real(0.0, 0.15, default=0.0, doc="jitter of the occluders' ring, rad")
    ring: float = real(0.9, 1.4, default=1.0, doc="radius of the occluders' ring, m")
    breadth: float = real(0.2, 0.5, default=0.38, doc="half width of an occluder, m")
    depth: float = real(0.1, 0.3, default=0.22, doc="half depth of an occluder, m")
    radius: float = real(0.08, 0.15, default=0.12, doc="radius of a small block, m")
    friction: float = real(
        1.0,
        8.0,
        default=3.8,
        doc="deceleration of a rolling block, m/s^2; lower values make blocks roll slower and longer",
    )
    mixed: bool = flag(
        default=False,
        doc="each block rolls in a random direction round the ring; otherwise all roll in the same direction",
    )
    bump: bool = flag(default=False, doc="one block bumps another during the blackout")
    volley: bool = flag(
        default=False,
        doc="during the blackout, each block of one half bumps one of the other half, which then rolls behind the next "
        "occluder",
    )
    far: bool = flag(default=False, doc="half of the rolls go past one occluder and end behind the next one")
    named: int = integer(
        0, 100, default=0, doc="steps for which colours are visible, after which all blocks look alike; 0: always"
    )

    def check(self) -> None:
        if self.blocks > self.occluders:
            raise BadParameter(f"blocks={self.blocks}: must be at most occluders={self.occluders}")
        if self.ring + BEHIND + 2 * self.radius > self.room + 0.2:
            raise BadParameter(f"ring={self.ring}: blocks behind the ring do not fit into room={self.room}")
        if self.named and self.order in ("colour", "place"):
            raise BadParameter(
                f"order={self.order!r}: with named={self.named} the slot would tell a block whose colour is not visible; "
                "use 'identity', 'distance' or 'index'"
            )
        gap = math.pi / self.occluders - math.atan(self.breadth / (self.ring - self.depth))
        if gap < MIN_GAP:
            raise BadParameter(
                f"breadth={self.breadth}: {self.occluders} occluders with depth={self.depth} on ring={self.ring} leave no "
                "gap in which a block is visible"
            )
        self.check_bumps()

    def check_bumps(self) -> None:
        """Refuse what leaves a bump, a volley or a far roll no room."""
        if self.bump and self.blocks >= self.occluders:
            raise BadParameter(
                f"bump=True needs a vacant occluder: blocks={self.blocks} must be less than occluders={self.occluders}"
            )
        if self.volley and (self.bump or self.blocks != self.occluders):
            raise BadParameter(
                f"volley=True needs a block for each occluder and bump=False: got blocks={self.blocks}, "
                f"occluders={self.occluders}, bump={self.bump}"
            )
        for name in ("bump", "volley", "far"):
            if not getattr(self, name):
                continue
            if self.occluders != 6:
                raise BadParameter(f"occluders={self.occluders}: must be 6 with {name}=True")
            for limited, (low, high) in BUMP_LIMITS.items():
                if not low <= getattr(self, limited) <= high:
                    raise BadParameter(
                        f"{limited}={getattr(self, limited):g}: must be in {low:g}..{high:g} with {name}=True"
                    )
        outside = {"volley": VOLLEY_FROM + VOLLEY_RANGE, "bump": 1.2}
        for name, more in outside.items():
            need = self.ring + BEHIND + more + 1.25 * self.radius
            if getattr(self, name) and self.room < need:
                raise BadParameter(
                    f"room={self.room:g}: must be at least {need:.2f} with {name}=True and ring={self.ring:g}"
                )

    @derived
    def rolls(self) -> int:
        """The number of blocks that roll behind an occluder; the others are bumpers."""
        return self.blocks // 2 if self.volley else self.blocks - (1 if self.bump else 0)

    @derived
    def observe_steps(self) -> int:
        """Steps of the observe phase: until the last roll has ended, except that of the bumper."""
        gaps = 1.5 if self.far else 0.5  # the longest roll, in multiples of the distance between occluders
        chord = 2 * (self.ring + BEHIND) * math.sin(math.pi * gaps / self.occluders)  # m, of one roll
        roll_steps = max(ROLL_STEPS, math.ceil(math.sqrt(2 * chord / self.friction) / DT - 0.1))
        return LAUNCH_STEPS * (self.rolls - 1) + roll_steps + 1 + (2 if self.bump or self.volley else 0)

    @derived
    def check_rolls(self) -> bool:
        """Whether rolls may interfere with each other, so that a reset must rehearse them."""
        return self.mixed or self.bump or self.volley or self.far

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=self.blocks, disc_slots=self.blocks, box_slots=self.occluders)


P = RolledBehindParams


class RolledBehind(PlanarTask):
    """Fetch the block that rolled behind another.

    **Story.** The agent stands on a mat inside a ring of tall blocks, the occluders. One after the other, small coloured
    blocks roll behind occluders until none is visible. After a blackout of random length the agent is at a new position
    and heading, and it is dusk: small blocks are invisible. The agent has to fetch the block of the queried colour. The
    first block it touches ends the episode.

    **Levels.** 0: level 1 with glass occluders and daylight, the visible twin. 1: always "find the red block", 3
    occluders, blackout of 1-3 steps. 2 (default): the colour is drawn and shown from the start, 4 occluders, blackout
    10-16. 3: the query is shown only after the blackout of 12-20 steps; 6 occluders in a jittered ring, 6 blocks,
    egocentric frame, slots by distance. Colours are visible only in the first observation: then all blocks look alike
    and must be told apart by where they came from. Three blocks roll behind the next occluder or the one after it. In
    the blackout each of the other three, the bumpers, hits one of these, which is only heard, as a flag; so no block
    ends where it was last seen, and where each went must be inferred from physics. Two of five requests are for a bumper. The
    end reveals nothing.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees per step. Actions have no effect before the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. The field of view is 360 degrees (parameter `fov`), because
    blocks roll on all sides while the agent stands still. At levels 0-2 the terminal observation shows everything. Every
    agent receives it, but only an agent that predicts observations can learn from it.

    **Reward.** 1 for touching the queried block first, else 0.

    **End.** The first touch is `terminated`; `act` steps of search without one are `truncated`.

    **Faculties.** At levels 1, 2 and 3 (chance: 1 / `blocks`, .333, .250, .167), over 4,000 test episodes, the best player
    that lacks just one faculty scores:
    "where", remember where the block went: 1.00 (declared), .252, .168.
    "which", remember which block is which: .332, .242, .205.
    "way", follow it from where it starts: .500, .481, .378 (declared).
    "physics", infer the bumps, at level 3: .200.
    Under shift there is one block fewer at levels 1 and 2, so that chance is .500 and .333 there. The tracker measures how
    fast rolling blocks slow down, which shift changes.
    Declared are: at level 1 the last 16 observations are enough, which keeps the time in which a small model learns
    within a minute; a block goes behind one of the two occluders beside it at levels 1 and 2, as a bumper does at level
    3.

    **Leaks closed.** The slot does not give the answer away: slots are by colour and the queried colour is drawn, or
    slots are by distance. The pose cannot serve as memory: it is scrambled, after a blackout of random length. Peeking
    cannot replace memory: it is dusk. Every block is seen at rest before it rolls. When the blackout starts and ends,
    blocks are at rest and fully hidden, from the mat and from the new pose; bumpers are still rolling when it starts. Every
    occluder hides one block, so that a search that passes by empty places gains nothing.

    **Shift.** Faster rolls (friction x 1.5), larger blocks (x 1.25), one block fewer (not at level 3), and a colour other than red if the
    query is fixed.
    """

    title = "fetch the block that rolled behind another"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, by_touch=True)
    levels: ClassVar[dict[int, P]] = {
        0: P(occluders=3, blocks=3, blackout=(1, 3), act=14, query="fixed", glass=True),
        1: P(occluders=3, blocks=3, blackout=(1, 3), act=14, query="fixed"),
        # Slower rolls past narrower occluders: each block is seen at two positions, which reveal its direction.
        2: P(friction=2.0, breadth=0.32, blackout=(10, 16)),
        3: P(
            occluders=6, blocks=6, blackout=(12, 20), act=26, query="late", order="distance", frame="ego", jitter=0.06,
            ring=1.4, breadth=0.24, depth=0.12, room=4.2, mixed=True, far=True, volley=True, named=1, reveal=False,
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "blackout": (0, 5, 10, 20, 40), "occluders": (4, 5, 6), "scramble": (0.0, 0.2, 0.35, 0.5),
    }  # fmt: skip
    hidden = Hidden(
        rules.write_hidden,
        classes=lambda params: params.occluders,
        when=acting,
        change=rules.change_hidden,
        found=rules.found,
    )
    view = LOOK
    faculties: ClassVar[dict[str, Faculty]] = {
        "where": Faculty(
            "remember where the asked block went, until long after it is out of sight",
            without=("reflex", "sweep_left", "sweep_right"), windows=(4, 8, 16),
            excess={
                1: Excess(
                    0.7, "a short blackout keeps the time in which a small model learns within a minute of CPU",
                    only=("tracker-8", "tracker-16"),
                ),
            },
        ),
        "which": Faculty("remember which block is which", without=("any_block", "any_roller")),
        "way": Faculty(
            "follow the block from where it starts to where it goes",
            without=("start",),
            excess={
                1: Excess(0.2, "a block goes behind one of the two occluders beside it, so that a small model learns it"),
                2: Excess(0.25, "as at level 1"),
                3: Excess(0.24, "a bumper ends behind one of the two occluders beside it"),
            },
        ),
        "physics": Faculty(
            "infer a bump that is not seen",
            without=("halt", "no_bump"),
            levels=(3,),
        ),
    }  # fmt: skip
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    reset, step = rules.reset, rules.step
    max_tries = 2_000  # under shift, one in 44 draws of level 3 is kept

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """Without memory, each block is equally likely to be the queried one, and the first touch ends the episode."""
        return 1.0 / (params.blocks - rules.fewer_blocks(params, split == "shift"))

    references = REFERENCES
