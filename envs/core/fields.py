"""Checks that device functions only use fields that their records have, and set none that the engine keeps.

Numba would report a missing field only when a kernel is first compiled, in a long type error. This check reads the
source of the functions when an environment is made, and names the missing field.
"""

import ast
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from unseen.envs.core.reference import WORLD
from unseen.envs.core.task import Task

KEPT = frozenset(("t", "done", "tries", "failed"))  # of HEADER; `rng` is set by what draws


@dataclass(frozen=True)
class Fields:
    """The field names of a record type; `whose` is its name in messages, `kept` are those that only the engine sets."""

    whose: str
    names: frozenset[str]
    kept: frozenset[str] = frozenset()


def wrong_field(task: type[Task]) -> str | None:
    """One sentence about the first field that has the name of an attribute of NumPy's records, or that a device function of
    the task uses although it is missing, or sets although the engine keeps it; None if there is none."""
    params = task.levels[task.default_level].record("train")
    records = {"'state'": task.state, "'scratch'": task.scratch, task.params.__name__: params.dtype}
    records |= {f"memory of {name!r}": reference.memory for name, reference in task.references.items()}
    for whose, dtype in records.items():
        for name in _names(dtype):
            if hasattr(np.record, name):
                return f"{whose} has a field {name!r}, which is an attribute of NumPy's records; choose another name"
    p = Fields(task.params.__name__, frozenset(params.dtype.names or ()))
    s = Fields("'state'", frozenset(task.state.names or ()), KEPT)
    calls: list[tuple[Any, tuple[Fields | None, ...]]] = [
        (task.reset, (s, p, _of("'scratch'", task.scratch))),
        (task.step, (s, None, p)),
    ]
    calls += [(sensor.write, (s, p)) for sensor in task.sensors.values()]
    if task.diverged is not None:
        calls.append((task.diverged, (s, None)))
    if task.instance is not None:
        calls.append((task.instance, (s, p)))
    if task.hidden is not None:
        asked = (task.hidden.write, task.hidden.when, task.hidden.found, task.hidden.change)
        calls += [(function, (s, p)) for function in asked if function is not None]
    for name, reference in task.references.items():
        reads = s if reference.reads == WORLD else None
        calls.append((reference.act, (reads, _of(f"memory of {name!r}", reference.memory), p)))
    seen: set[Any] = set()
    for function, given in calls:
        for found in _search(function, given, seen):
            return found
    return None


def _names(dtype: np.dtype | None) -> Iterator[str]:
    """The names of the fields of a record type, those of records in it included."""
    if dtype is not None and dtype.fields:
        for name, (part, *_) in dtype.fields.items():
            yield name
            yield from _names(part.base)


def _of(whose: str, dtype: np.dtype | None) -> Fields | None:
    return None if dtype is None else Fields(whose, frozenset(dtype.names or ()))


def _search(function: Any, given: tuple[Fields | None, ...], seen: set[Any]) -> Iterator[str]:
    """What is wrong in a function, or a function it calls, when its arguments are the `given` records."""
    function = inspect.unwrap(function) if callable(function) else None  # a lazy "module:name" is not checked
    if not isinstance(function, FunctionType) or (function, given) in seen:
        return
    seen.add((function, given))
    node = _source(function)
    if node is None:
        return
    names = [argument.arg for argument in node.args.args]
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    records = {name: r for name, r in zip(names, given, strict=False) if r is not None and name not in bound}
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in records:
            record = records[part.value.id]
            where = f"{function.__module__}.{function.__qualname__}"
            if part.attr not in record.names:
                yield f"{record.whose} has no {part.attr!r}, which {where} uses"
            elif part.attr in record.kept and isinstance(part.ctx, ast.Store):
                yield f"{where} sets {part.attr!r} of {record.whose}, which the engine keeps"
        elif isinstance(part, ast.Call) and not part.keywords:
            passed = tuple(records.get(a.id) if isinstance(a, ast.Name) else None for a in part.args)
            if any(passed):
                yield from _search(_called(part.func, function), passed, seen)


def _called(node: ast.expr, function: FunctionType) -> Callable | None:
    """The function that a call expression refers to: a global or closure variable, or an attribute of a module."""
    known = inspect.getclosurevars(function)
    names = {**known.globals, **known.nonlocals}
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        module = names.get(node.value.id)
        return vars(module).get(node.attr) if isinstance(module, ModuleType) else None
    return None


def _source(function: FunctionType) -> ast.FunctionDef | None:
    """The AST of the function; None for a lambda, or if there is no source file."""
    return _definitions(function.__code__.co_filename).get(function.__code__.co_firstlineno)


@functools.cache
def _definitions(file: str) -> dict[int, ast.FunctionDef]:
    """Every function of a file by its first line (the line of its first decorator, if any)."""
    try:
        with open(file, encoding="utf-8") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError):
        return {}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.decorator_list[0].lineno if node.decorator_list else node.lineno: node for node in found}
