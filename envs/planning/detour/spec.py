"""Detour: the block is in sight behind glass, and the straight way to it is a pocket."""

from typing import Any, ClassVar

from unseen.envs.core.params import derived, flag, integer, real
from unseen.envs.errors import BadParameter
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import UNSTAGED, Look, PlanarTask, RoomParams, planar_sensors
from unseen.envs.planning.detour import rules
from unseen.envs.planning.detour.draw import RADIUS
from unseen.envs.planning.detour.references import REFERENCES
from unseen.envs.planning.detour.rules import DOORS, SMALL


class DetourParams(RoomParams):
    """Parameters of Detour."""

    fov: float = real(60.0, 360.0, default=120.0, doc="field of view, degrees")
    glass: bool = flag(default=True, doc="walls are of glass throughout; else they turn opaque after the first steps")
    barriers: int = integer(0, 2, default=1, doc="between agent and block: none, a pocket, or a court within a ring")
    depth: float = real(0.0, 1.8, default=1.3, doc="of the pocket at most, m; 0: a straight wall")
    breadth: float = real(0.5, 1.2, default=0.8, doc="half width of the pocket at most, m")
    gaps: bool = flag(default=True, doc="half of the pockets have an opening in one arm, where it is long enough")
    doors: int = integer(0, DOORS, default=0, doc="one-way doors into the ring; 0: one side of it is open")
    blocks: int = integer(1, SMALL, default=3, doc="small blocks, one of them asked for")
    act: int = integer(8, 150, default=60, doc="steps of an episode")

    def check(self) -> None:
        if self.doors and self.barriers < 2:
            raise BadParameter(f"doors={self.doors}: doors lead into the ring, and barriers={self.barriers} has none")
        need = max(1.2 * self.breadth + 0.7, 0.6 * self.depth + 1.2) if self.barriers < 2 else 2.5
        if self.room < need:
            sizes = "barriers=2" if self.barriers == 2 else f"breadth={self.breadth}, depth={self.depth}"
            raise BadParameter(f"room={self.room}: at least {need:g} is needed with {sizes}")

    # There is one phase, in which the agent acts from where it stands.
    observe_steps = blackout_low = blackout_high = derived(lambda self: 0)
    scramble = derived(lambda self: 0.0)
    radius = derived(lambda self: RADIUS)

    @derived
    def sizes(self) -> Sizes:
        boxes = 4  # a bottom and two arms, one of them in two pieces
        if self.barriers == 2 and self.doors == 0:
            boxes = 6  # a U, and three sides of a ring
        elif self.barriers == 2:  # a U and a ring, two more pieces for each door, and partitions between doors
            boxes = 7 + 2 * self.doors + (self.doors if self.doors > 1 else 0)
        return Sizes(colours=self.blocks, disc_slots=self.blocks, box_slots=boxes, box_kinds=2, box_shape=1)

    @property
    def horizon(self) -> int:
        return self.act


P = DetourParams


class Detour(PlanarTask):
    """Turn away from the block to reach it.

    **Story.** The block of the asked colour is in sight behind glass. Nothing at all is hidden, but the straight way to
    it leads into a pocket. An agent that heads for the block stands at the glass until time is up; the way there turns
    away from the block, loses sight of it, and goes round. Glass is solid; the agent slides along it. The first block
    touched ends the episode, with reward 1 if it is the one asked for.

    **Levels.** 0: no glass in the way: what is left is control. 1: a shallow U of glass, no block but the red one. 2
    (default): a deep pocket that opens towards the agent, which stands in it or before it; in half of the episodes one
    of its arms has an opening; two further blocks lie about. 3: the block lies in a U within a closed ring. Two one-way
    doors lead into the ring, which is parted so that each opens into its own part, and only one of these parts leads to
    the block. A door lets the agent through once, in the direction of its first axis, and is a wall from then on: after
    the wrong door the block cannot be reached. Egocentric slots, the nearest first.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees a step.

    **Observation.** See `unseen.envs.planar.layout.Layout`; boxes tell orientation, half extents and kind (wall, door),
    so that slots say where glass stands. The eye sees `fov` degrees: turning away from the block loses sight of it, as
    happens in nearly every episode (for at least 40 % of the steps of a good path), and the way back must be
    remembered. Pixels show glass as a veil; `rays` pass through it, as a lidar's do, so that there it is found by touch.

    **Glass.** `glass=True` here is the task itself. With `glass=False` walls turn opaque after the first 4
    observations, so that the block has been seen and is then out of sight behind them. Without barriers (level 0) the
    parameter has no effect.

    **Reward and end.** 1 for the asked block; a touch of any block or `act` steps end the episode, both `terminated`,
    since the deadline is part of the rules. The terminal observation shows everything; the last step's info holds
    `plan_steps`.

    **Certified.** A draw is accepted only if heading straight for the block fails within the time and the oracle's path
    (the shortest on a grid of the room, driven in the simulator by arcs) succeeds. `plan_steps` in the record is the
    length of that path in steps. It is not the fewest: a breadth-first search over arcs, with places within 8 cm taken
    for one, found plans 1 to 2 steps shorter on average.

    **Leaks closed.** There is no hidden truth. All that is built is turned at random; which side holds the mouth, which
    sides hold doors and which block is asked for are drawn independently of their indices.

    **Shift.** Pockets 1.2 x as large whose arms splay outwards by 10 to 20 degrees (else at most 5); rings 1.15 x as
    wide with doors near their corners (else near the middle).

    **Presets.** "barrier": a straight transparent barrier, after the detour problems of Koehler (The Mentality of
    Apes, 1925), which Animal-AI's test suites took up (O-PIAAGETS: Voudouris et al., 2022). "opaque-barrier": its
    twin, in which the block is out of sight once the agent moves: the classic comparison.
    """

    title = "come round the glass that bars the straight way"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STILL_TO_COME)
    levels: ClassVar[dict[int, P]] = {
        0: P(barriers=0, depth=0.3, breadth=0.5, blocks=1, room=2.0, act=20),
        1: P(depth=0.3, breadth=0.5, gaps=False, blocks=1, room=2.0, act=60),
        2: P(),
        3: P(barriers=2, doors=2, room=2.8, order="distance", frame="ego", act=80),
    }
    presets: ClassVar[dict[str, P]] = {
        "barrier": P(depth=0.0, gaps=False, blocks=1),
        "opaque-barrier": P(depth=0.0, gaps=False, blocks=1, glass=False),
    }
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "depth": (0.0, 0.4, 0.8, 1.2, 1.6),
        "breadth": (0.5, 0.8, 1.2),
        "fov": (360.0, 180.0, 120.0, 90.0),
    }
    view = Look(
        boxes=("wall", "door"),
        request="come round to the {} block",
        phases=UNSTAGED,
        captions={
            "act": "The straight way is barred: turn away from the block and come round.",
            "lit": "The straight way is barred: turn away from the block and come round.",
            "over": "Lights on: now everything shows.",
        },
        won="came round",
        lost="did not get there",
    )
    metrics = ("is_success", "plan_steps")
    scratch = rules.SCRATCH
    reset, step = rules.reset, rules.step
    references = REFERENCES
