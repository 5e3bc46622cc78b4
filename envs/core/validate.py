"""Whether a task class is whole: every piece that an author writes is there, and of the right kind."""

import functools
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.fields import missing_field
from unseen.envs.core.hidden import Hidden
from unseen.envs.core.params import Params
from unseen.envs.core.reference import WORLD, Reference
from unseen.envs.core.sensor import Sensor
from unseen.envs.core.task import HEADER, Score, Task
from unseen.envs.core.view import View
from unseen.envs.errors import BadTask

NOTHING = type(None)
PIECES: dict[str, Any] = {
    "title": str, "params": type, "state": np.dtype, "sensors": Mapping, "levels": Mapping, "presets": Mapping,
    "default_level": int, "actions": Mapping, "action_low": tuple, "action_high": tuple, "keys": Mapping,
    "reset": Callable, "scratch": (np.dtype, NOTHING), "step": Callable, "max_tries": int, "metrics": tuple,
    "hidden": (Hidden, NOTHING), "faculties": Mapping, "visible": Mapping, "instance": (Callable, NOTHING),
    "references": Mapping, "view": View, "score": Score, "curves": Mapping,
    "anchors": Mapping, "chance": Callable,
}  # fmt: skip


@functools.cache
def validate(task: type[Task]) -> None:
    """Raise BadTask naming the first piece of a task that is missing or wrong."""

    def need(ok: bool, what: str) -> None:
        if not ok:
            raise BadTask(f"{task.__name__}: {what}")

    for name, kind in PIECES.items():
        need(hasattr(task, name), f"has no {name!r}; see unseen.envs.core.task.Task")
        given = getattr(task, name)
        need(isinstance(given, kind), f"{name!r} is {given!r}, not a {_said(kind)}")
    _parameters(task, need)
    _actions(task, need)
    names = task.state.names or ()
    need(names[: len(HEADER)] == tuple(name for name, _ in HEADER), "'state' is not made by record(...)")
    need(task.max_tries > 0, f"'max_tries' is {task.max_tries}, not a positive integer")
    need(bool(task.sensors), "'sensors' is empty")
    for name, sensor in task.sensors.items():
        need(isinstance(sensor, Sensor), f"'sensors' has {name!r}: {sensor!r}, not a Sensor")
        need(name not in (WORLD, "dict"), f"'sensors' has {name!r}, a name that has a meaning of its own")
        need((sensor.parts is None) != (sensor.image is None), f"sensor {name!r} has not one of 'parts' and 'image'")
        need(isinstance(sensor.write, (Callable, str)), f"sensor {name!r} has a 'write' that is no function")  # type: ignore[arg-type]
    need(any(not sensor.privileged for sensor in task.sensors.values()), "'sensors' has none that is not privileged")
    need(all(isinstance(name, str) for name in task.metrics), f"'metrics' is {task.metrics!r}, not a tuple of names")
    need(task.metrics[:1] == ("is_success",), "the first of 'metrics' is not 'is_success'")
    need(len(set(task.metrics)) == len(task.metrics), f"'metrics' has a name twice: {task.metrics}")
    if task.hidden is not None:
        need(callable(task.hidden.write), "'hidden' has a 'write' that is no function")
        need(task.hidden.size > 0, f"'hidden' has size {task.hidden.size}")
        for name in task.hidden.independent:
            own = name in names[len(HEADER) :] and task.state[name].kind == "i"  # a subarray is of kind "V"
            need(own, f"'hidden' has independent={name!r}, which is no scalar integer field of the record")
    for name, reference in task.references.items():
        need(isinstance(reference, Reference), f"'references' has {name!r}: {reference!r}, not a Reference")
        need(callable(reference.act), f"reference {name!r} has an 'act' that is no function")
        known = reference.reads == WORLD or reference.reads in task.sensors
        need(known, f"reference {name!r} reads {reference.reads!r}, which is neither {WORLD!r} nor a sensor")
    _faculties(task, need)
    need(hasattr(task.view, "painter"), "'view' has no 'painter'")
    at_top = vars(sys.modules[task.__module__]).get(task.__name__) is task
    need(at_top, f"is not to be imported from {task.__module__}, as kernels do: define it at the top of a file")
    missing = missing_field(task)
    need(missing is None, str(missing))


def _faculties(task: type[Task], need: Callable[[bool, str], None]) -> None:
    for name, faculty in task.faculties.items():
        need(isinstance(faculty, Faculty), f"'faculties' has {name!r}: {faculty!r}, not a Faculty")
        need(bool(faculty.players), f"faculty {name!r} has no player that lacks it: give 'without' or 'windows'")
        unknown = set(faculty.without) - set(task.references)
        need(not unknown, f"faculty {name!r} names no references: {sorted(unknown)}")
        tracked = not faculty.windows or "tracker" in task.references
        need(tracked, f"faculty {name!r} has 'windows', but the task has no reference 'tracker'")
        need(all(k > 0 for k in faculty.windows), f"faculty {name!r} has windows {faculty.windows}, not positive")
        strange = ({*faculty.levels} | {*faculty.excess}) - {*task.levels}
        need(not strange, f"faculty {name!r} names no levels: {sorted(strange)}")
    unknown = set(task.visible) - set(task.params.specs())
    need(not unknown, f"'visible' names no parameters: {sorted(unknown)}")


def _parameters(task: type[Task], need: Callable[[bool, str], None]) -> None:
    """Parameters, levels and presets, and what refers to them."""
    need(issubclass(task.params, Params), "'params' is not a subclass of Params")
    need(bool(task.levels), "'levels' is empty")
    need(task.default_level in task.levels, f"'default_level' is {task.default_level!r}, which is not among its levels")
    for where, kind in (("levels", int), ("presets", str)):
        for level, params in getattr(task, where).items():
            need(isinstance(level, kind), f"{where!r} has {level!r}, not a {kind.__name__}")
            need(isinstance(params, task.params), f"{where!r} has {level!r}: {params!r}, not a {task.params.__name__}")
            for name in ("horizon", *params.derived_names()):
                need(_is_given(params, name), f"{task.params.__name__} has no {name!r}")
            need(params.horizon > 0, f"{task.params.__name__} has a 'horizon' of {params.horizon} steps at {level!r}")
    unknown = set(task.curves) - set(task.params.specs())
    need(not unknown, f"'curves' names no parameters: {sorted(unknown)}")
    strange = set(task.anchors) - set(task.levels)
    need(not strange, f"'anchors' names no levels: {sorted(strange, key=repr)}")
    pairs = all(isinstance(pair, tuple) and len(pair) == 2 for pair in task.anchors.values())
    need(pairs, f"'anchors' is {task.anchors!r}, not pairs of mean returns")


def _actions(task: type[Task], need: Callable[[bool, str], None]) -> None:
    low, high = task.action_low, task.action_high
    need(bool(task.actions) or bool(low), "has neither 'actions' nor 'action_low' and 'action_high'")
    need(len(low) == len(high), "'action_low' and 'action_high' differ in length")
    bounds = all(math.isfinite(a) and math.isfinite(b) and a < b for a, b in zip(low, high, strict=True))
    need(bounds, f"'action_low' {low} is not below 'action_high' {high}")
    for name, row in task.actions.items():
        need(isinstance(row, tuple) and bool(row), f"'actions' has {name!r}: {row!r}, not a tuple of floats")
    widths = {len(row) for row in task.actions.values()} | ({len(low)} if low else set())
    need(len(widths) == 1, f"'actions' and bounds have rows of different lengths: {sorted(widths)}")
    unknown = set(task.keys) - set(task.actions)
    need(not unknown, f"'keys' names unknown actions: {sorted(unknown, key=repr)}")


def _said(kind: Any) -> str:
    """A kind in words."""
    if isinstance(kind, tuple):
        return " or ".join(map(_said, kind))
    return "None" if kind is NOTHING else kind.__name__


def _is_given(params: Params, name: str) -> bool:
    try:
        getattr(params, name)
    except NotImplementedError:  # the base class only declares it
        return False
    return True
