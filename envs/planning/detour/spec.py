"""Detour: the target is visible behind glass, but the straight path to it is a dead end."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.params import derived, flag, integer, real
from unseen.envs.errors import BadParameter
from unseen.envs.planar.layout import Sizes
from unseen.envs.planar.task import PlanarTask, RoomParams, planar_sensors
from unseen.envs.planning.detour import rules
from unseen.envs.planning.detour.draw import RADIUS
from unseen.envs.planning.detour.look import LOOK
from unseen.envs.planning.detour.references import REFERENCES
from unseen.envs.planning.detour.rules import MAX_BLOCKS, MAX_DOORS

MAX_SPARE = 8  # spare steps with which a panel can fail


class DetourParams(RoomParams):
    """Parameters of Detour."""

    fov: float = real(60.0, 360.0, default=120.0, doc="field of view, degrees")
    glass: bool = flag(default=True, doc="walls are always glass; otherwise they turn opaque after the first steps")
    barriers: int = integer(0, 2, default=1, doc="0: nothing in the way; 1: a pocket; 2: a court within a ring")
    depth: float = real(0.0, 1.8, default=1.3, doc="maximum depth of the pocket, m; 0: a straight wall")
    breadth: float = real(0.5, 1.2, default=0.8, doc="maximum half width of the pocket, m")
    gaps: bool = flag(default=True, doc="half of the pockets have an opening in one arm, if it is long enough")
    doors: int = integer(0, MAX_DOORS, default=0, doc="one-way doors into the ring; 0: one side is open")
    blocks: int = integer(1, MAX_BLOCKS, default=3, doc="small blocks, one of which is the target")
    forms: bool = flag(
        default=False,
        doc="a pocket has an opening in an arm, half a lid, a fin on one side, or none of these, instead of `gaps`",
    )
    act: int = integer(8, 150, default=60, doc="maximum steps of an episode")
    spare: int = integer(0, 150, default=150, doc="steps of an episode beyond those of the certified path, up to `act`")
    plan_low: int = integer(0, 24, default=0, doc="minimum steps of the certified path")
    panel: int = integer(
        0, 16, default=0, doc="rounds in which players that do not plan must fail, for a draw to count"
    )
    foresight: int = integer(
        0, 1, default=0, doc="1: the panel also looks for one place by way of which two straight legs lead there"
    )
    night: bool = flag(
        default=False, doc="after the first steps only the agent's own pose is visible, and what it touches"
    )

    def check(self) -> None:
        if self.doors and self.barriers < 2:
            raise BadParameter(f"doors={self.doors}: must be 0 with barriers={self.barriers}, which has no ring")
        if self.barriers == 0 and (self.panel or self.plan_low):
            raise BadParameter(
                f"panel={self.panel}, plan_low={self.plan_low}: must be 0 with barriers=0, which is no obstacle"
            )
        if self.panel and self.spare > MAX_SPARE:
            raise BadParameter(f"spare={self.spare}: must be at most {MAX_SPARE} with panel={self.panel}")
        longest = 5 + int(4 * self.depth) if self.barriers == 1 else 24 if self.doors else 12
        if self.plan_low > longest:
            raise BadParameter(
                f"plan_low={self.plan_low}: must be at most {longest} with barriers={self.barriers}, depth={self.depth}"
            )
        least = (8, 24, 40)[self.barriers] + self.plan_low
        if self.act < least:
            raise BadParameter(
                f"act={self.act}: must be at least {least} with barriers={self.barriers}, plan_low={self.plan_low}"
            )
        need = max(1.2 * self.breadth + 0.7, 0.6 * self.depth + 1.2) if self.barriers < 2 else 2.5
        if self.room < need:
            sizes = "barriers=2" if self.barriers == 2 else f"breadth={self.breadth}, depth={self.depth}"
            raise BadParameter(f"room={self.room}: must be at least {need:g} with {sizes}")

    # A single phase, in which the agent acts from its initial pose.
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

    **Story.** The block of the queried colour, the target, is visible behind glass. Nothing is hidden, but the straight
    path to it leads into a dead end. An agent that heads for the target gets stuck at the glass until time runs out; the
    path to it turns away, loses sight of it, and goes round. Glass is solid; the agent slides along it. The first block
    that it touches ends the episode.

    **Levels.** 0: level 1 without the glass, a control that takes no plan. Level 1 hides nothing, so it is its own visible
    twin, and another one would say nothing. 1: a shallow U of glass, no other block. 2
    (default): a deep pocket that opens towards the agent, which starts inside or in front of it. It is plain, or has an
    opening in an arm, or a lid over part of its mouth, or a fin that makes the way round one side longer; two distractor
    blocks; a field of view of 240 degrees (180 at level 1). 3: the target is in a U within a closed ring with two one-way doors.
    Partitions divide the ring so that each door leads into its own part, and only one part leads to the target. A door
    lets the agent through once, in the direction of its first axis, and then becomes a wall: after the wrong door the
    target is unreachable. Everything is visible in the first 4 observations; then it is night, and the way of at least 24
    steps must be planned and walked from memory. Egocentric slots, nearest first; nothing is revealed at the end.

    **Faculties.** "plan": players that know where everything is but do not plan a path (`walkers`) must fail. Those that
    restart in a random direction when stuck, go by way of a random place, or follow walls are on the panel of every level,
    and at levels 2 and 3 so is one ("look") that looks for a place by way of which two straight legs lead there. A player that goes
    by way of two random places is on no panel. "where", at level 3: the reflex, and the tracker restarted on its last
    4, 8 or 16 observations. Levels 1 and 2 do not demand memory: a tracker of the last 16 observations does as well as
    one that remembers all. Mean returns (split "test", 4,000 episodes):

        level                     1      2      3
        random                    .017   .002   .000
        greedy                    .000   .000   .000
        restarts                  .000   .003   .001
        via                       .110   .033   .002
        two-places (on no panel)  .017   .017   .003
        left-hand, right-hand     .000   .001   .001
        look                      .112   .045   .010
        tracker-4, tracker-8        -      -    .000
        tracker-16                  -      -    .036
        tracker                   .991   .980   1.00
        oracle                    1.00   1.00   1.00

    "look" is on no panel at level 1.

    **Actions.** Discrete: forward, left (45 degrees, then forward), right, stay. Continuous: speed and turn in
    [-1, 1], at most 0.3 m and 45 degrees per step.

    **Observation.** See `unseen.envs.planar.layout.Layout`. Box slots include orientation, half extents and kind (wall,
    door), so they show where the glass is. The field of view is `fov` degrees: an agent that turns away loses sight of
    the target. At night, only the agent's own pose is visible, and what it touches. Pixels show glass as a veil; `rays`
    pass through glass, like those of a lidar, so there it can only be felt.

    **Glass.** Here `glass=True` is the task itself. With `glass=False`, walls turn opaque after the first 4
    observations, when the target has been seen, and then hide it. Without barriers (level 0) the parameter has no
    effect.

    **Reward.** 1 for touching the target first, else 0.

    **End.** The first touch of a block terminates the episode. It is truncated when the steps of the certified path and
    `spare` more have passed, at most `act`: there is time for a good plan, but not for trial and error. The terminal
    observation shows everything, except with `reveal=False`. The last step's info has `plan_steps`.

    **Verification.** `reset` accepts a draw only if heading straight for the target fails within the time limit and the
    oracle's path (the shortest on a grid of the room, driven by arcs in the simulator) succeeds. With `panel`, two players
    that follow walls, and so many rounds of the players that choose at random, must also fail within the episode's steps.
    A player is stopped when not even the shortest way leaves time to get there; one that drew no random number is played
    once.
    `plan_steps` is the length of that path in steps. It is not always minimal: a breadth-first search over arcs, with positions merged
    within 8 cm, found plans 1 to 2 steps shorter on average.

    **Leaks closed.** There is no hidden variable before night falls, so none is declared. Everything built is rotated at
    random; the side of the mouth, the sides with doors and the target are drawn independently of their indices.

    **Shift.** Pockets x 1.2 in size, with arms that splay outwards by 10 to 20 degrees (otherwise at most 5); rings x 1.15
    in width, with doors near the corners (otherwise near the middle).

    **Presets.** "barrier": a straight transparent barrier, after the detour problems of Koehler (The Mentality of
    Apes, 1925), which the test suites of Animal-AI adopted (O-PIAAGETS: Voudouris et al., 2022). "opaque-barrier": the
    classic comparison, in which the target is hidden once the agent moves. "night-pocket": level 2 at night, which takes
    permanence and planning.
    """

    title = "find the way around glass that blocks the straight path"
    params = P
    state = rules.STATE
    sensors = planar_sensors(rules.write_state, rules.STATE_EXTRA, by_touch=True)
    faculties: ClassVar[dict[str, Faculty]] = {
        "plan": Faculty(
            "plan the whole way before the first step",
            without=("greedy", "restarts", "via", "two-places", "left-hand", "right-hand", "look"),
            excess={
                1: Excess(
                    0.16, "one place beside the way is enough to get round some of the shallow Us, more of them under shift",
                    only=("via",),
                ),
            },
        ),
        "where": Faculty(
            "remember glass, doors and block after they were in sight",
            without=("reflex",), windows=(4, 8, 16), levels=(3,),
        ),
    }  # fmt: skip
    levels: ClassVar[dict[int, P]] = {
        0: P(fov=180.0, barriers=0, depth=0.4, breadth=0.5, gaps=False, blocks=1, room=2.0, act=20),
        1: P(fov=180.0, depth=0.4, breadth=0.5, gaps=False, blocks=1, room=2.0, spare=2, panel=3),
        2: P(fov=240.0, forms=True, plan_low=10, spare=5, panel=8, foresight=1),
        3: P(
            fov=360.0, barriers=2, doors=2, room=2.8, order="distance", frame="ego", act=90, plan_low=24, spare=8, panel=4,
            foresight=1, night=True, reveal=False,
        ),
    }  # fmt: skip
    presets: ClassVar[dict[str, P]] = {
        "barrier": P(depth=0.0, gaps=False, blocks=1),
        "opaque-barrier": P(depth=0.0, gaps=False, blocks=1, glass=False),
        "night-pocket": P(
            fov=360.0, forms=True, plan_low=10, spare=5, panel=8, foresight=1, night=True, reveal=False
        ),
    }  # fmt: skip
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {
        "depth": (1.25, 1.5, 1.8),
        "breadth": (0.5, 0.8, 1.2),
        "fov": (360.0, 180.0, 120.0, 90.0),
    }
    view = LOOK
    metrics = ("is_success", "plan_steps")
    scratch = rules.SCRATCH
    reset, step = rules.reset, rules.step
    references = REFERENCES
    max_tries = 3_000
