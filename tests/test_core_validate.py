"""An incomplete or invalid task class raises an error that names the attribute when the environment is made."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.envs.core.device import device
from unseen.envs.core.env import TaskEnv
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params, derived, integer
from unseen.envs.core.reference import Reference
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import FLOAT, Score, Task, record
from unseen.envs.core.validate import validate
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.core.view import Gauge, Gauges, View
from unseen.envs.errors import BadTask, UnseenError
from unseen.envs.suite import make


class CountParams(Params):
    steps: int = integer(1, 9, default=3, doc="steps of an episode")

    @derived
    def half(self) -> float:
        return self.steps / 2

    @property
    def horizon(self) -> int:
        return self.steps


@device
def reset(s, p):
    s.level = p.half
    return True


@device
def step(s, a, p, info):
    s.level += a[0]
    return a[0], s.t >= p.steps, False


@device
def write(s, p, o):
    o[0] = s.level


@device
def hidden(s, p, out):
    out[0] = s.level


@device
def act(x, m, p, a):
    a[0] = x.level


PIECES: dict[str, Any] = {
    "title": "count",
    "params": CountParams,
    "state": record(("level", FLOAT)),
    "sensors": {"row": Sensor(write, parts=lambda params: [Part("level", 1, -99.0, 99.0)])},
    "levels": {1: CountParams(), 2: CountParams(steps=4)},
    "actions": {"less": (-1.0,), "more": (1.0,)},
    "reset": reset,
    "step": step,
    "view": Gauges(gauges=(Gauge("level", lambda s, p: s["level"], -9, 9),)),
}
OPTIONAL: dict[str, Any] = {
    "presets": {"long": CountParams(steps=9)},
    "default_level": 1,
    "action_low": (-1.0,),
    "action_high": (1.0,),
    "action_names": ("change",),
    "keys": {"less": "a"},
    "max_tries": 7,
    "metrics": ("is_success", "cost"),
    "hidden": Hidden(hidden),
    "references": {"oracle": Reference(act)},
    "score": Score(),
    "curves": {"steps": (1, 5)},
    "anchors": {1: (0.0, 1.0)},
}
WHOLE = PIECES | OPTIONAL


def task(pieces: dict[str, Any]) -> type[Task]:
    return type("Count", (Task,), pieces)


def refused(pieces: dict[str, Any], name: str) -> None:
    """By both environments, before anything is compiled."""
    for surface in (TaskEnv, TaskVectorEnv):
        with pytest.raises(BadTask, match=rf"Count.*\b{name}\b") as caught:
            surface(task(pieces))
        assert isinstance(caught.value, UnseenError) and "\n" not in str(caught.value)


Count = task(WHOLE)


def test_the_whole_one_is_made() -> None:
    env = TaskEnv(Count)
    env.reset(seed=0)
    assert [env.step(1)[1:3] for _ in range(3)] == [(1.0, False), (1.0, False), (1.0, True)]
    validate(Count)


def test_it_lies_where_kernels_can_import_it() -> None:
    refused(WHOLE, "top level of a module")


@pytest.mark.parametrize("name", PIECES)
def test_each_piece_is_needed(name: str) -> None:
    """`actions` may be left out where there are bounds; here there are none."""
    refused({k: v for k, v in PIECES.items() if k != name}, name)


@pytest.mark.parametrize("wrong", [None, 3.5, "text", object(), []], ids=lambda wrong: type(wrong).__name__)
@pytest.mark.parametrize("name", WHOLE)
def test_each_piece_is_of_its_kind(name: str, wrong: Any) -> None:
    if (name == "hidden" and wrong is None) or (name == "title" and wrong == "text"):
        return  # that is allowed
    refused(WHOLE | {name: wrong}, name)


WITHOUT_WRITE = dataclasses.replace(PIECES["sensors"]["row"], write=None)
WITHOUT_PARTS = Sensor(write)
PRIVILEGED = dataclasses.replace(PIECES["sensors"]["row"], privileged=True)


class WithoutHorizon(Params):
    """A class of parameters that does not say how long an episode lasts."""


class WithoutDerived(CountParams):
    @derived
    def size(self) -> int:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"params": WithoutHorizon, "levels": {1: WithoutHorizon()}, "presets": {}, "curves": {}}, "horizon"),
        ({"params": WithoutDerived, "levels": {1: WithoutDerived()}, "presets": {}}, "size"),
        ({"params": int}, "params"),
        ({"state": np.dtype([("level", FLOAT)])}, "state"),
        ({"sensors": {}}, "sensors"),
        ({"sensors": {"row": write}}, "sensors"),
        ({"sensors": {"row": WITHOUT_WRITE}}, "write"),
        ({"sensors": {"row": WITHOUT_PARTS}}, "parts"),
        ({"sensors": {"row": PRIVILEGED}}, "sensors"),
        ({"sensors": {"dict": PIECES["sensors"]["row"]}}, "sensors"),
        ({"levels": {}}, "levels"),
        ({"levels": {"1": CountParams()}}, "default_level"),
        ({"levels": {1: {"steps": 3}}}, "levels"),
        ({"presets": {"long": {"steps": 3}}}, "presets"),
        ({"presets": {3: CountParams()}}, "presets"),
        ({"default_level": 5}, "default_level"),
        ({"actions": {}, "action_low": (), "action_high": (), "action_names": (), "keys": {}}, "actions"),
        ({"actions": {"less": (-1.0, 0.0), "more": (1.0, 0.0)}}, "actions"),
        ({"actions": {"less": -1.0, "more": 1.0}}, "actions"),
        ({"action_low": (-1.0, -1.0)}, "action_low"),
        ({"action_low": (1.0,), "action_high": (-1.0,)}, "action_low"),
        ({"action_high": (float("inf"),)}, "action_high"),
        ({"action_names": ("change", "speed")}, "action_names"),
        ({"action_names": (1,)}, "action_names"),
        ({"keys": {"jump": "j"}}, "keys"),
        ({"max_tries": 0}, "max_tries"),
        ({"metrics": ("cost",)}, "is_success"),
        ({"metrics": ("is_success", "cost", "cost")}, "metrics"),
        ({"metrics": ("is_success", 3)}, "metrics"),
        ({"hidden": Hidden(None)}, "hidden"),  # type: ignore[arg-type]
        ({"hidden": Hidden(hidden, size=0)}, "hidden"),
        ({"references": {"oracle": act}}, "references"),
        ({"references": {"oracle": Reference(None)}}, "act"),  # type: ignore[arg-type]
        ({"references": {"oracle": Reference(act, reads="rays")}}, "rays"),
        ({"view": View()}, "painter"),
        ({"curves": {"stepz": (1, 2)}}, "curves"),
        ({"anchors": {7: (0.0, 1.0)}}, "anchors"),
        ({"anchors": {1: 0.5}}, "anchors"),
    ],
)
def test_pieces_within_pieces_are_named(change: dict[str, Any], name: str) -> None:
    refused(WHOLE | change, name)


@device
def bonus(record, of):
    return record.level + of.bonus


@device
def reset_without_field(s, p):
    s.speed = 0.0
    return True


@device
def step_without_parameter(s, a, p, info):
    return bonus(s, p), s.t >= p.steps, False


@device
def advance(record):
    record.t += 1


@device
def step_that_counts(s, a, p, info):
    advance(s)
    return 0.0, s.t >= p.steps, False


@device
def act_without_memory(x, m, p, a):
    m.count += 1


MEMORY = np.dtype([("level", FLOAT)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reset": reset_without_field}, "'state' has no 'speed', which .*reset_without_field uses"),
        ({"step": step_that_counts}, "advance sets 't' of 'state', which the engine keeps"),
        ({"step": step_without_parameter}, "CountParams has no 'bonus', which .*bonus uses"),
        (
            {"references": {"tracker": Reference(act_without_memory, memory=MEMORY)}},
            "memory of 'tracker' has no 'count'",
        ),
        ({"hidden": Hidden(reset_without_field)}, "'state' has no 'speed'"),
        ({"diverged": reset_without_field}, "'state' has no 'speed'"),
        ({"state": record(("flat", FLOAT))}, "'state' has a field 'flat', which is an attribute of NumPy's records"),
        ({"scratch": np.dtype([("part", np.dtype([("mean", FLOAT)]), (2,))])}, "'scratch' has a field 'mean'"),
    ],
)
def test_fields_that_functions_ask_for_are_there(
    change: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In functions that are called by others too; not only when a kernel or a reference is compiled at last."""
    broken = task(WHOLE | change)
    monkeypatch.setitem(globals(), "Count", broken)
    with pytest.raises(BadTask, match=message):
        TaskEnv(broken)


def test_a_parameter_that_only_a_tracker_asks_for_is_missed(tmp_path: Path) -> None:
    lines = (Path(__file__).parents[1] / "examples" / "which_box.py").read_text().splitlines()
    (tmp_path / "box.py").write_text("\n".join(line for line in lines if not line.lstrip().startswith("depth:")))
    with pytest.raises(BadTask, match="WhichBox: WhichBoxParams has no 'depth', which"):
        make(f"{tmp_path / 'box.py'}:WhichBox", level=1)
