"""RolledBehind: remember where the blue block went when it rolled behind the red one."""

import math
from typing import Any, ClassVar

from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import choice, derived, flag, integer, real
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rolled_behind import rules
from unseen.envs.permanence.rolled_behind.draw import BEHIND, LAUNCH_STEPS, ROLL_STEPS
from unseen.envs.permanence.rolled_behind.references import REFERENCES
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.stage import acting
from unseen.envs.planar.task import Look, PlanarTask, StagedParams, planar_sensors
from unseen.envs.planar.world import DT


class RolledBehindParams(StagedParams):
    """Parameters of RolledBehind."""

    occluders: int = integer(2, rules.MAX_OCCLUDERS, default=4, doc="tall blocks")
    blocks: int = integer(2, rules.MAX_BLOCKS, default=4, doc="small blocks, at most one for each occluder")
    query: str = choice(
        "fixed", "first", "late", default="first", doc="always red; or drawn, and asked at once or after the blackout"
    )
    jitter: float = real(0.0, 0.15, default=0.0, doc="of the occluders' ring, rad")
    ring: float = real(0.9, 1.4, default=1.0, doc="radius of the occluders' ring, m")
    breadth: float = real(0.2, 0.5, default=0.38, doc="half width of an occluder, m")
    depth: float = real(0.1, 0.3, default=0.22, doc="half depth of an occluder, m")
    radius: float = real(0.08, 0.15, default=0.12, doc="of a small block, m")
    friction: float = real(
        1.0, 8.0, default=3.8, doc="deceleration of a rolling block, m/s^2; with less, blocks roll slower and longer"
    )
    mixed: bool = flag(default=False, doc="each block rolls either way round the ring; else all roll the same way")
    bump: bool = flag(default=False, doc="one block bumps another during the blackout")

    def check(self) -> None:
        if self.blocks > self.occluders:
            raise BadParameter(f"blocks={self.blocks}: allowed is at most occluders={self.occluders}")
        if self.bump and self.blocks >= self.occluders:
            raise BadParameter(
                f"bump=True needs an occluder to spare: got blocks={self.blocks}, occluders={self.occluders}"
            )
        if self.ring + BEHIND + 2 * self.radius > self.room + 0.2:
            raise BadParameter(f"ring={self.ring}: the blocks behind it do not fit into room={self.room}")

    @derived
    def observe_steps(self) -> int:
        """Steps of the observe phase: all launches, and the last roll to its end; the bumper's roll is not waited for."""
        rolls = self.blocks - (1 if self.bump else 0)
        chord = 2 * (self.ring + BEHIND) * math.sin(math.pi / (2 * self.occluders))  # m, of one roll
        roll_steps = max(ROLL_STEPS, math.ceil(math.sqrt(2 * chord / self.friction) / DT - 0.1))
        return LAUNCH_STEPS * (rolls - 1) + roll_steps + 1 + (2 if self.bump else 0)

    @derived
    def check_rolls(self) -> bool:
        """Whether rolls may disturb one another, so that a reset rehearses them."""
        return self.mixed or self.bump

    @derived
    def sizes(self) -> Sizes:
        return Sizes(colours=self.blocks, disc_slots=self.blocks, box_slots=self.occluders)


P = RolledBehindParams


class RolledBehind(PlanarTask):
    """Fetch the block that rolled behind another.

    **Story.** The agent stands on a mat inside a ring of tall blocks. Small coloured blocks roll, one after the other,
    each behind a tall block, until none can be seen. A blackout falls for a random time; the agent is carried to
    another spot and heading; then it is dusk, in which small blocks do not show. It has to fetch the block of the
    asked colour: the first block it touches ends the episode, with reward 1 if it is the one asked for, else 0.

    **Levels.** 0: glass blocks and daylight, the visible twin. 1: "find the red one", 3 occluders, blackout 1-3.
    2 (default): the colour is drawn and asked from the start, 4 occluders, blackout 2-6. 3: asked only after the
    blackout, 6 occluders in a jittered ring, 5 blocks, egocentric frame, slots by distance, blackout 5-15; during the
    blackout one block bumps another, heard as a flag, so that where that one went must be inferred by physics.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step. They have no effect until the act phase.

    **Observation.** See `unseen.envs.planar.layout.Layout`. The field of view is 360 degrees (parameter `fov`), since
    blocks roll on every side while the agent stands still. The terminal observation shows everything: every agent
    receives it, but only a predictive one can learn from it.

    **Reward.** 1 for the asked block, once; else 0.

    **End.** A touch, or `act` steps of search; both `terminated`, since the deadline is part of the rules.

    **Leaks closed.** Slots are by colour, with the asked colour drawn, or by distance. A scramble of pose and heading
    with a blackout of random length (pose is no memory). Dusk (peeking replaces no memory). Every block is seen at rest
    before it rolls. When the blackout falls and when it ends, blocks are at rest and fully hidden, from the mat as from
    the new pose.

    **Shift.** Faster rolls (friction 1.5 x), larger blocks (1.25 x), one block fewer, and where the query is fixed
    another colour than red.
    """

    title = "fetch the block that rolled behind another"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(occluders=3, blocks=3, blackout=(1, 3), act=14, glass=True),
        1: P(occluders=3, blocks=3, blackout=(1, 3), act=14, query="fixed"),
        # Slower rolls past narrower occluders: a block is seen in two places on its way, which tell the direction.
        2: P(friction=2.0, breadth=0.32),
        3: P(
            occluders=6, blocks=5, blackout=(5, 15), act=24, query="late", order="distance", frame="ego", jitter=0.06,
            ring=1.3, breadth=0.3, depth=0.2, room=2.9, mixed=True, bump=True,
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "blackout": (0, 5, 10, 20, 40), "occluders": (4, 5, 6), "scramble": (0.0, 0.2, 0.35, 0.5),
    }  # fmt: skip
    hidden = Hidden(rules.write_hidden, classes=lambda params: params.occluders, when=acting)
    view = Look(
        captions={
            "observe": "Blocks roll out of sight, one after the other.",
            "blackout": "Nothing shows. The agent is carried elsewhere.",
            "act": "Dusk hides small blocks until one is touched.",
            "lit": "In full light: all that is in sight shows.",
            "over": "Lights on: now everything shows.",
        },
    )
    reset, step = rules.reset, rules.step
    references = REFERENCES
