"""Factory: send each part to its machine, though it is seen only before it goes into the tunnel."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.errors import BadParameter
from unseen.envs.industry.factory import rules
from unseen.envs.industry.factory.look import LOOK
from unseen.envs.industry.factory.references import ACTIONS, REFERENCES
from unseen.envs.industry.factory.rules import DRAIN, MOST_PARTS, MOST_SLOTS, SLOWER
from unseen.envs.industry.factory.tunnel import INSIDE


class FactoryParams(Params):
    """Parameters of Factory."""

    glass: bool = flag(default=False, doc="the panel shows which part comes out next, and when")
    pace: int = integer(1, 60, default=5, doc="steps from one part to the next")
    gap: int = integer(1, 120, default=8, doc="steps that a belt runs from one part of a lane to the next")
    transit: tuple[int, int] = span(10, 100, default=(20, 60), doc="length of a lane in steps, drawn; shift: 1.25 times as long")
    apart: int = integer(0, 80, default=20, doc="difference of the two lengths, at least")
    jam: int = integer(0, 10_000, default=30, doc="steps after which a running lane jams, on average; 0: never")
    lamps: bool = flag(default=True, doc="lamps show which lanes run")
    work: int = integer(0, 100, default=2, doc="steps for which a part keeps its machine busy")
    slots: int = integer(1, MOST_SLOTS, default=6, doc="parts that can wait at the entry")
    cracked: float = real(0.0, 0.9, default=0.2, doc="probability that a part is cracked")
    steps: int = integer(100, 1000, default=300, doc="length of a shift")

    def check(self) -> None:
        if self.apart > self.transit[1] - self.transit[0]:
            raise BadParameter(f"apart={self.apart}: lengths in {self.transit} differ by {self.transit[1] - self.transit[0]} at most")
        if (self.steps - DRAIN) // self.pace > MOST_PARTS:
            raise BadParameter(f"steps={self.steps}, pace={self.pace}: more than {MOST_PARTS} parts in a shift")
        if SLOWER * self.transit[1] / self.gap > INSIDE - 1:
            raise BadParameter(f"gap={self.gap}, transit={self.transit}: more than {INSIDE - 1} parts in a lane, on the split 'shift'")

    @property
    def horizon(self) -> int:
        return self.steps


P = FactoryParams


def panel(params: P) -> list[Part]:
    far = SLOWER * params.transit[1] / rules.SCALE
    return [
        Part("a part waits", 1, 0.0, 1.0),
        Part("its kind: 1, 2, 3, cracked", 4, 0.0, 1.0),
        Part("slots taken", 1, 0.0, 1.0),
        Part("a lane's entry is free", 2, 0.0, 1.0),
        Part("lamp: a lane runs", 2, 0.0, 1.0),
        Part("length of a lane", 2, 0.0, far, "20 steps"),
        Part("the gate leads to machine 1, 2, 3, the bin", 4, 0.0, 1.0),
        Part("a part has just come out", 1, 0.0, 1.0),
        Part("a machine is still busy for", 3, 0.0, params.work / rules.SCALE, "20 steps"),
        Part("glass: a part is inside", 1, 0.0, 1.0),
        Part("glass: distance of the next", 1, 0.0, far, "20 steps"),
        Part("glass: its kind", 4, 0.0, 1.0),
        Part("time", 1, 0.0, 1.0, "shift"),
    ]


class Factory(Task):
    """Send each part to its machine, though it is seen only before it goes into the tunnel.

    DOC
    """

    title = "send parts that come out of a tunnel to their machines"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "panel": Sensor(rules.write_panel, parts=panel),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [*panel(params), Part("tunnel", rules.STATE_EXTRA, -100, 1000)],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(glass=True, pace=11, gap=21, work=4, jam=0, slots=3),
        1: P(pace=11, gap=21, work=4, jam=0, slots=3),
        2: P(),
        3: P(pace=3, gap=5, jam=120, lamps=False),
    }
    visible: ClassVar[dict[str, Any]] = {"glass": True}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    keys: ClassVar[dict[str, str]] = dict(zip(actions, "01256789", strict=True))
    reset, step = rules.reset, rules.step
    metrics = ("is_success", "sorted", "wrong", "wasted", "fallen", "jams")
    hidden = Hidden(
        rules.write_hidden, classes=lambda params: rules.KINDS, when=rules.long_inside, change=rules.change_kind, found=rules.came_out
    )
    faculties: ClassVar[dict[str, Faculty]] = {
        "which": Faculty("remember what each part is until it comes out", without=("as-last", "reflex"), windows=(1, 16)),
        "order": Faculty("know in which order parts of two lanes come out", without=("in-order", "one-lane")),
        "when": Faculty("know how far the belts have run, though they stop", without=("unstoppable",), levels=(2, 3),
            excess={2: Excess(0.2, "lamps tell when to restart; between two jams the lanes can run empty, and then the error is gone")},
        ),
    }
    references = REFERENCES
    score = Score(unit="good parts in their machines, less what was lost", low=-6.0, high=1.0, gates={"oracle": 0.9, "tracker": 0.75})
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"pace": (12, 9, 6, 4, 3)}
    view = LOOK

    @classmethod
    def chance(cls, params: P, split: str = "test") -> float:
        """Who does not know what comes out does best to send all of it to the bin; with glass, what "reflex" scores."""
        return 0.95 if params.glass else 0.0
