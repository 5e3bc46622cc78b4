"""Validation of task classes: every required attribute is present and has the right type."""

import functools
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unseen.envs.core.faculty import Faculty
from unseen.envs.core.fields import wrong_field
from unseen.envs.core.hidden import EXEMPT, Hidden
from unseen.envs.core.params import Params
from unseen.envs.core.reference import WORLD, Reference, split_name
from unseen.envs.core.sensor import Sensor
from unseen.envs.core.task import HEADER, Score, Task
from unseen.envs.core.view import View
from unseen.envs.errors import BadTask

NOTHING = type(None)
PIECES: dict[str, Any] = {
    "title": str, "params": type, "state": np.dtype, "sensors": Mapping, "levels": Mapping, "presets": Mapping,
    "default_level": int, "actions": Mapping, "action_low": tuple, "action_high": tuple, "action_names": tuple,
    "keys": Mapping, "reset": Callable, "scratch": (np.dtype, NOTHING), "step": Callable,
    "diverged": (Callable, NOTHING), "max_tries": int, "metrics": tuple, "hidden": (Hidden, NOTHING),
    "faculties": Mapping, "visible": Mapping, "instance": (Callable, NOTHING), "references": Mapping,
    "reactive": tuple, "view": View, "score": Score, "curves": Mapping, "anchors": Mapping, "chance": Callable,
}  # fmt: skip


@functools.cache
def validate(task: type[Task]) -> None:
    """Raise BadTask for the first attribute of a task that is missing or invalid."""

    def need(ok: bool, what: str) -> None:
        if not ok:
            raise BadTask(f"{task.__name__}: {what}")

    for name, kind in PIECES.items():
        need(hasattr(task, name), f"has no {name!r}; see unseen.envs.core.task.Task")
        given = getattr(task, name)
        need(isinstance(given, kind), f"{name!r} must be a {_kind_name(kind)}, got {given!r}")
    _parameters(task, need)
    _actions(task, need)
    names = task.state.names or ()
    need(names[: len(HEADER)] == tuple(name for name, _ in HEADER), "'state' must be made with record(...)")
    need(task.max_tries > 0, f"'max_tries' must be a positive integer, got {task.max_tries}")
    need(bool(task.sensors), "'sensors' is empty")
    for name, sensor in task.sensors.items():
        need(isinstance(sensor, Sensor), f"'sensors': {name!r} must be a Sensor, got {sensor!r}")
        need(name not in (WORLD, "dict"), f"'sensors' has {name!r}, which is a reserved name")
        need((sensor.parts is None) != (sensor.image is None), f"sensor {name!r} needs either 'parts' or 'image'")
        need(isinstance(sensor.write, (Callable, str)), f"'write' of sensor {name!r} is not a function")  # type: ignore[arg-type]
    need(
        any(not sensor.privileged for sensor in task.sensors.values()),
        "'sensors' needs at least one that is not privileged",
    )
    need(
        all(isinstance(name, str) for name in task.metrics),
        f"'metrics' must be a tuple of strings, got {task.metrics!r}",
    )
    need(task.metrics[:1] == ("is_success",), "the first of 'metrics' must be 'is_success'")
    need(len(set(task.metrics)) == len(task.metrics), f"'metrics' has duplicate names: {task.metrics}")
    if task.hidden is not None:
        for piece in ("write", "when", "found", "change"):
            function = getattr(task.hidden, piece)
            fit = callable(function) or (piece == "change" and function is None)
            need(fit, f"{piece!r} of 'hidden' is not a function")
        need(task.hidden.size > 0, f"'size' of 'hidden' must be positive, got {task.hidden.size}")
        for name in task.hidden.independent:
            own = name in names[len(HEADER) :] and task.state[name].kind == "i"  # a subarray is of kind "V"
            need(own, f"'hidden' has independent={name!r}, which is no scalar integer field of the record")
        for row in task.hidden.unjudged:
            need(row in EXEMPT, f"'hidden' has unjudged={row!r}; only {', '.join(map(repr, EXEMPT))} may be")
    for name, reference in task.references.items():
        need(isinstance(reference, Reference), f"'references': {name!r} must be a Reference, got {reference!r}")
        need(callable(reference.act), f"'act' of reference {name!r} is not a function")
        known = reference.reads == WORLD or reference.reads in task.sensors
        need(known, f"reference {name!r} reads {reference.reads!r}, which is neither {WORLD!r} nor a sensor")
    _faculties(task, need)
    unknown = {split_name(name)[0] for name in task.reactive} - {*task.references, "reflex"}
    need(not unknown, f"'reactive' has unknown references: {sorted(unknown)}")
    need(hasattr(task.view, "painter"), "'view' has no 'painter'")
    try:
        task.view.check(np.zeros(1, task.state)[0], task.levels[task.default_level])
    except (AttributeError, KeyError, ValueError) as error:
        need(False, f"'view' reads what is not there: {error}")
    at_top = vars(sys.modules[task.__module__]).get(task.__name__) is task
    need(at_top, f"cannot be imported from {task.__module__}, as kernels do: define it at the top level of a module")
    wrong = wrong_field(task)
    need(wrong is None, str(wrong))


def _faculties(task: type[Task], need: Callable[[bool, str], None]) -> None:
    for name, faculty in task.faculties.items():
        need(isinstance(faculty, Faculty), f"'faculties': {name!r} must be a Faculty, got {faculty!r}")
        need(bool(faculty.policies), f"faculty {name!r} has no ablated policy: give 'without' or 'windows'")
        unknown = set(faculty.without) - set(task.references)
        need(not unknown, f"faculty {name!r} has unknown references: {sorted(unknown)}")
        tracked = not faculty.windows or "tracker" in task.references
        need(tracked, f"faculty {name!r} has 'windows', but the task has no reference 'tracker'")
        need(
            all(k > 0 for k in faculty.windows),
            f"'windows' of faculty {name!r} must be positive, got {faculty.windows}",
        )
        excepted = {policy for excess in faculty.excess.values() for policy in excess.only}
        unknown = excepted - set(faculty.policies)
        need(not unknown, f"faculty {name!r} excepts policies that it does not have: {sorted(unknown)}")
        strange = ({*faculty.levels} | {*faculty.excess}) - {*task.levels}
        need(not strange, f"faculty {name!r} has unknown levels: {sorted(strange)}")
    unknown = set(task.visible) - set(task.params.specs())
    need(not unknown, f"'visible' has unknown parameters: {sorted(unknown)}")


def _parameters(task: type[Task], need: Callable[[bool, str], None]) -> None:
    """Check parameters, levels and presets, and the attributes that refer to them."""
    need(issubclass(task.params, Params), "'params' must be a subclass of Params")
    need(bool(task.levels), "'levels' is empty")
    need(task.default_level in task.levels, f"'default_level' is {task.default_level!r}, which is not in 'levels'")
    for where, kind in (("levels", int), ("presets", str)):
        for level, params in getattr(task, where).items():
            need(isinstance(level, kind), f"{where!r} has the key {level!r}, which is not a {kind.__name__}")
            need(
                isinstance(params, task.params),
                f"{where!r}[{level!r}] must be a {task.params.__name__}, got {params!r}",
            )
            for name in ("horizon", *params.derived_names()):
                need(_is_given(params, name), f"{task.params.__name__} has no {name!r}")
            need(
                params.horizon > 0,
                f"'horizon' of {task.params.__name__} is {params.horizon} at {level!r}, but must be positive",
            )
    unknown = set(task.curves) - set(task.params.specs())
    need(not unknown, f"'curves' has unknown parameters: {sorted(unknown)}")
    strange = set(task.anchors) - set(task.levels)
    need(not strange, f"'anchors' has unknown levels: {sorted(strange, key=repr)}")
    pairs = all(isinstance(pair, tuple) and len(pair) == 2 for pair in task.anchors.values())
    need(pairs, f"'anchors' must hold pairs of mean returns, got {task.anchors!r}")


def _actions(task: type[Task], need: Callable[[bool, str], None]) -> None:
    low, high = task.action_low, task.action_high
    need(bool(task.actions) or bool(low), "needs 'actions', or 'action_low' and 'action_high'")
    need(len(low) == len(high), "'action_low' and 'action_high' differ in length")
    bounds = all(math.isfinite(a) and math.isfinite(b) and a < b for a, b in zip(low, high, strict=True))
    need(bounds, f"'action_low' {low} must be finite and below 'action_high' {high}")
    names = task.action_names
    need(len(names) in (0, len(low)), f"'action_names' {names} must be one name for each of the {len(low)} bounds")
    need(all(isinstance(name, str) for name in names), f"'action_names' must be strings, got {names}")
    for name, row in task.actions.items():
        need(isinstance(row, tuple) and bool(row), f"'actions': {name!r} must be a tuple of floats, got {row!r}")
    widths = {len(row) for row in task.actions.values()} | ({len(low)} if low else set())
    need(len(widths) == 1, f"the rows of 'actions' and the bounds differ in length: {sorted(widths)}")
    unknown = set(task.keys) - set(task.actions)
    need(not unknown, f"'keys' has unknown actions: {sorted(unknown, key=repr)}")


def _kind_name(kind: Any) -> str:
    """The name of a type, or of a tuple of types, for messages."""
    if isinstance(kind, tuple):
        return " or ".join(map(_kind_name, kind))
    return "None" if kind is NOTHING else kind.__name__


def _is_given(params: Params, name: str) -> bool:
    try:
        getattr(params, name)
    except NotImplementedError:  # the base class only declares it
        return False
    return True
