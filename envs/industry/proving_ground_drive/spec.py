"""ProvingGroundDrive: drive past parked vans that people have gone behind."""

from typing import Any, ClassVar

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, flag, integer, real, span
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import Score, Task
from unseen.envs.errors import BadParameter
from unseen.envs.industry.proving_ground_drive import rules
from unseen.envs.industry.proving_ground_drive.look import LOOK
from unseen.envs.industry.proving_ground_drive.references import ACTIONS, REFERENCES
from unseen.envs.industry.proving_ground_drive.rules import MOST_VANS, STEPS


class ProvingGroundDriveParams(Params):
    """Parameters of ProvingGroundDrive."""

    glass: bool = flag(default=False, doc="vans are of glass, and the cockpit tells when somebody behind one will set off")
    sensor: bool = flag(default=False, doc="a sensor shows the grip of the road")
    rest: float = real(0.2, 10.0, default=3.0, doc="s for which people rest behind a van, on average")
    spread: float = real(0.0, 5.0, default=0.7, doc="s by which that may be shorter or longer")
    vans: int = integer(1, MOST_VANS, default=8, doc="parked vans")
    length: float = real(2.0, 18.0, default=6.0, doc="length of a van, m")
    returning: float = real(0.0, 1.0, default=0.55, doc="probability that somebody goes behind a van and comes back")
    staying: float = real(0.0, 1.0, default=0.2, doc="probability that somebody goes there and stays")
    turning: float = real(0.0, 1.0, default=0.1, doc="probability that somebody comes out, and turns back at the corner")
    meeting: float = real(0.0, 1.0, default=0.8, doc="probability that who comes back is in the way of a car at full speed")
    grip: tuple[int, int] = span(10, 120, default=(25, 100), doc="grip of the road, percent of dry asphalt, drawn")

    def check(self) -> None:
        if self.returning + self.staying + self.turning > 1.0 + 1e-9:
            raise BadParameter(
                f"returning={self.returning}, staying={self.staying}, turning={self.turning}: their sum must be at most 1"
            )

    @property
    def horizon(self) -> int:
        return STEPS


P = ProvingGroundDriveParams


def cockpit(params: P) -> list[Part]:
    return [
        Part("speed", 1, 0.0, 3.0, "10 m/s"),
        Part("left of the middle", 1, -2.0, 2.0, "m"),
        Part("yaw", 1, -10.0, 10.0, "0.1 rad"),
        Part("yaw rate", 1, -4.0, 4.0, "rad/s"),
        Part("steering angle", 1, -10.0, 10.0, "0.1 rad"),
        Part("acceleration", 1, -2.0, 2.0, "10 m/s2"),
        Part("pedal", 1, -1.0, 1.0),
        Part("slip of the front wheels", 1, -1.0, 1.0),
        Part("a sensor shows the grip", 1, 0.0, 1.0),
        Part("its grip", 1, 0.0, 1.2),
        Part("way to the end of the street", 1, 0.0, 3.0, "100 m"),
        Part("time", 1, 0.0, 1.0, "20 s"),
        *(
            part
            for k in range(1, MOST_VANS + 1)
            for part in (
                Part(f"van {k} is ahead", 1, 0.0, 1.0),
                Part("way to where people walk", 1, 0.0, 3.0, "100 m"),
                Part("somebody is in sight", 1, 0.0, 1.0),
                Part("left of the middle", 1, -1.0, 1.5, "4 m"),
                Part("speed to the left", 1, -1.0, 1.0, "3 m/s"),
                Part("with empty hands", 1, 0.0, 1.0),
                Part("glass: is on the carriageway in", 1, 0.0, 2.0, "10 s"),
            )
        ),
    ]


class ProvingGroundDrive(Task):
    """Drive."""

    title = "drive past parked vans that people have gone behind"
    params = P
    state = rules.STATE
    sensors: ClassVar[dict[str, Sensor]] = {
        "cockpit": Sensor(rules.write_cockpit, parts=cockpit),
        "state": Sensor(
            rules.write_state,
            parts=lambda params: [*cockpit(params), Part("people", rules.STATE_EXTRA, -10, 100)],
            privileged=True,
        ),
    }
    levels: ClassVar[dict[int, P]] = {
        0: P(glass=True, sensor=True, rest=1.5, spread=0.0),
        1: P(rest=1.5, spread=0.0),
        2: P(rest=2.5, spread=0.7),
        3: P(rest=3.5, spread=1.8),
    }
    presets: ClassVar[dict[str, P]] = {}
    visible: ClassVar[dict[str, Any]] = {"glass": True, "sensor": True}
    actions: ClassVar[dict[str, tuple[float, ...]]] = ACTIONS
    action_low = (-1.0, -1.0)
    action_high = (1.0, 1.0)
    reset, step = rules.reset, rules.step
    metrics = ("is_success", "hit", "seconds", "way_m", "hardest_braking_mps2", "nuisance_stops", "jerk_mps3", "ended_by")
    hidden = Hidden(rules.write_hidden, size=1, when=rules.hides, change=rules.change_plan, found=rules.found)
    references = REFERENCES
    score = Score(unit="street driven", low=-3.5, high=1.0, gates={"oracle": 0.8, "tracker": 0.5})
    view = LOOK
