"""ProvingGround: design a car in imagination, build few prototypes."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, integer, real
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import BRIEF, OFFSET_SHIFT, PARTS, WETTER
from unseen.envs.industry.proving_ground.look import LOOK
from unseen.envs.industry.proving_ground.references import REFERENCES


class GroundParams(Params):
    """Parameters of ProvingGround."""

    hidden: int = integer(0, PARTS, default=7, doc="offsets between drawing and car that are not known, of 10")
    offset: float = real(0.0, 0.4, default=0.35, doc="largest offset, in units of the design; shift: 1.2 times as much")
    slack: float = real(
        0.0, 3.0, default=0.5, doc="how much worse than the benchmark car a metric may be, in units of its spread"
    )
    noise: float = real(
        0.0, 1.0, default=0.1, doc="standard deviation of a margin that a test shows, in the same units"
    )
    certify: int = integer(1, 500, default=8, doc="held-out scenarios of each family that certification drives")

    @property
    def horizon(self) -> int:
        return rules.MOST


P = GroundParams


def file(params: P) -> list[Part]:
    wide = params.offset * OFFSET_SHIFT
    return [
        Part("brief: wet and snow share", 2, -1.0, WETTER),
        Part("brief: other numbers", BRIEF - 2, -1.0, 1.0),
        Part("offset, where it is known", PARTS, -wide, wide),
        Part("the offset is known", PARTS, 0.0, 1.0),
        Part("the prototype as drawn", PARTS, -1.0, 1.0),
        Part("a prototype is built", 1, 0.0, 1.0),
        Part("family of the last test", rules.COUNT, 0.0, 1.0),
        Part("its surface", len(rules.SURFACES), 0.0, 1.0),
        Part("its speed, severity, roughness and slope", rules.NUMBERS, -1.0, 1.0),
        Part("its margins", 3, -1.0, 1.0, f"{rules.FURTHEST:g} units"),
        Part("the car spun", 1, 0.0, 1.0),
        Part("tests of this prototype by family", rules.COUNT, 0.0, 1.0, "24"),
        Part("their worst margins", rules.COUNT, -1.0, 1.0, f"{rules.FURTHEST:g} units"),
        Part("steps left", 1, 0.0, 1.0, "24"),
        Part("prototypes built", 1, 0.0, 1.0, "24"),
    ]


class ProvingGround(Task):
    """Design a car in imagination, build few prototypes."""

    title = "design a car in imagination, build few prototypes"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "file": Sensor(rules.write_file, parts=file),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [
                *file(params),
                Part("offsets", PARTS, -1.0, 1.0),
                Part("design that is built as the benchmark", PARTS, -2.0, 2.0),
            ],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(hidden=0),
        1: P(hidden=4),
        2: P(hidden=7),
        3: P(hidden=10),
    }
    presets: ClassVar[dict[str, P]] = {
        "generous": P(slack=1.0),
        "strict": P(slack=0.3),
    }
    visible: ClassVar[dict[str, Any]] = {"hidden": 0}
    action_low = (-1.0,) * rules.ACTION
    action_high = (1.0,) * rules.ACTION
    reset, step = rules.reset, rules.step
    metrics = (
        "is_success", "pass_rate", "pass_braking", "pass_bend", "pass_lane_change", "pass_crash", "pass_rough_road",
        "pass_energy", "prototypes", "tests",
    )  # fmt: skip
    hidden = Hidden(
        rules.write_hidden, size=PARTS, when=rules.untested, change=rules.change_factory, found=rules.tested
    )
    faculties: ClassVar[dict[str, Faculty]] = {
        "tests": Faculty(
            "find out from tests how what is built differs from what is drawn",
            without=("reflex",), windows=(1,),
        ),
        "brief": Faculty(
            "design for what this car will meet",
            without=("universal", "briefless", "portfolio"),
        ),
    }  # fmt: skip
    references = REFERENCES
    score = Score(
        unit="share that passes in the worst family", low=-0.6, high=1.0, gates={"oracle": 0.9, "tracker": 0.5}
    )
    curves: ClassVar[dict[str, tuple[Any, ...]]] = {"hidden": (0, 2, 4, 7, 10)}
    view = LOOK
