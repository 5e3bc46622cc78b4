"""Kernels that run a task over many environments, generated for each task and observation mode."""

import sys
from types import ModuleType

from unseen.envs.core import device, finite
from unseen.envs.core.task import Task

RESET, NEXT_STEP, SAME_STEP, SENSE, STEP = 0, 1, 2, 3, 4  # modes of `run`
RESET_PENDING = 2  # value of `done` that marks a record for the next RESET; other records are left unchanged
HELD = 3  # value of `done` that marks a record that steps leave unchanged, with its observation

_RUN = '''"""Generated: {cls} with the observations {names}."""
import numpy as np
from unseen.envs.core.device import device, kernel
from {module} import {cls} as task

reset, step = task.reset, task.step
{sensors}{instance}{finite}

@device
def draw(s, p{w}):
    """Draw episodes until one is accepted. Returns 1 if none was, else 0."""
    s.t = 0
    s.done = 0
    for i in range({max_tries}):
        s.tries = i + 1
        if reset(s, p{w}){mine}:
            return 0
    s.done = 1
    s.failed += 1
    return 1

@device
def sense(s, p, {rows}):
    {sense}

@kernel
def run(what, limit, S, A, P, R, T, U, I, {scratch}{outs}, {finals}, lo, hi):
    """Returns the number of resets that failed."""
    p = P[0]
{first_scratch}    failed = 0
    for i in range(lo, hi):
        s = S[i]
        if what != 3 and s.done == 3:
            R[i] = 0.0
            T[i] = False
            U[i] = False
            continue
        if (what == 0 and s.done == 2) or (what == 1 and s.done != 0):
            R[i] = 0.0
            T[i] = False
            U[i] = False
            failed += draw(s, p{w})
        elif what == 0:
            continue
        elif what != 3:
            if s.t == 0:
                I[i, :] = 0.0
            s.t += 1
            r, t, u = step(s, A[i], p, I[i])
{diverged}            if s.t >= limit:
                if not (t or u):  # truncated from outside: the task has no metrics
                    I[i, 0] = np.nan
                u = True
            R[i] = r
            T[i] = t
            U[i] = u
            if t or u:
                s.done = 1
                if what == 2:
                    sense(s, p, {final_rows})
                    failed += draw(s, p{w})
        sense(s, p, {out_rows})
    return failed
'''

_FINITE = """
diverged = task.diverged
"""
_DIVERGED = """            if not (abs(r) < {largest} and finite(s)):
                failed += draw(s, p{w})
                I[i, :] = 0.0
                diverged(s, I[i])
                r, t, u = 0.0, True, False
"""

_REFERENCES = '''"""Generated: the reference policies of {cls}."""
from unseen.envs.core.device import kernel
from {module} import {cls} as task
'''
_REFERENCE = """
_act{k} = task.references[{name!r}].act

@kernel
def act{k}(X, M, P, A):
    for i in range(X.shape[0]):
        _act{k}(X[i], M[i], P[0], A[i])
"""

_HIDDEN = '''"""Generated: the hidden variable of {cls}."""
from unseen.envs.core.device import kernel
from {module} import {cls} as task

_write, _when, _found = task.hidden.write, task.hidden.when, task.hidden.found

@kernel
def write(S, P, O):
    for i in range(S.shape[0]):
        _write(S[i], P[0], O[i])

@kernel
def when(S, P, B):
    for i in range(S.shape[0]):
        B[i] = _when(S[i], P[0])

@kernel
def found(S, P, B):
    for i in range(S.shape[0]):
        B[i] = _found(S[i], P[0])
'''
_CHANGE = """
_change = task.hidden.change

@kernel
def change(S, P, B):
    for i in range(S.shape[0]):
        if B[i]:
            B[i] = _change(S[i], P[0])
"""


_INSTANCE = '''"""Generated: the instances of {cls}."""
from unseen.envs.core.device import kernel
from {module} import {cls} as task

_instance = task.instance

@kernel
def instances(S, P, O):
    for i in range(S.shape[0]):
        O[i] = _instance(S[i], P[0])
'''


def _build(task: type[Task], name: str, source: str, *more: str) -> ModuleType:
    """Build a kernel module. `more`: names of other modules that define its functions."""
    return device.build(
        f"{task.__name__}_{name}", source, *(sys.modules[module] for module in (task.__module__, *more))
    )


def run_kernel(task: type[Task], names: tuple[str, ...]):
    """The kernel `run` of a task, which writes the observations of the named sensors."""
    k = range(len(names))
    w = "" if task.scratch is None else ", w"
    checked = task.diverged is not None
    source = _RUN.format(
        cls=task.__name__,
        module=task.__module__,
        names=", ".join(names),
        max_tries=task.max_tries,
        w=w,
        scratch="" if task.scratch is None else "W, ",
        first_scratch="" if task.scratch is None else "    w = W[0]\n",
        instance=""
        if task.instance is None
        else "\ninstance = task.instance\nfrom unseen.envs.core.splits import in_split",
        mine="" if task.instance is None else " and in_split(instance(s, p), p.split)",
        finite=_FINITE + finite.source(task.state) if checked else "",
        diverged=_DIVERGED.format(largest=finite.LARGEST, w=w) if checked else "",
        sensors="\n".join(f"write{i} = task.sensors[{name!r}].function" for i, name in enumerate(names)),
        rows=", ".join(f"o{i}" for i in k),
        sense="\n    ".join(f"write{i}(s, p, o{i})" for i in k),
        outs=", ".join(f"O{i}" for i in k),
        finals=", ".join(f"F{i}" for i in k),
        out_rows=", ".join(f"O{i}[i]" for i in k),
        final_rows=", ".join(f"F{i}[i]" for i in k),
    )
    functions = [task.sensors[name].function for name in names]
    return _build(task, "_".join(names), source, *(f.__module__ for f in functions)).run


def reference_kernel(task: type[Task], name: str):
    """act(X, M, P, A) of a reference: its inputs (n,), memories (n,), parameters (1,) and action rows (n, d)."""
    source = _REFERENCES.format(cls=task.__name__, module=task.__module__)
    source += "".join(_REFERENCE.format(k=k, name=each) for k, each in enumerate(task.references))
    kernel = getattr(_build(task, "references", source), f"act{list(task.references).index(name)}")
    return device.named(kernel, f"{task.__name__} ({name})")


def hidden_kernel(task: type[Task], name: str):
    """One kernel of the hidden variable, over records S (n,) with parameters P (1,).

    "write" (S, P, O) fills the values O (n, size). "when" and "found" (S, P, B) fill the flags B (n,). "change" (S, P, B)
    changes the variable in the records that B selects, and clears B where it could not.
    """
    assert task.hidden is not None
    source = _HIDDEN + (_CHANGE if task.hidden.change is not None else "")
    module = _build(task, "hidden", source.format(cls=task.__name__, module=task.__module__))
    return device.named(getattr(module, name), f"{task.__name__} (hidden variable: {name})")


def instance_kernel(task: type[Task]):
    """instances(S, P, O) of a task that declares `instance`: freshly drawn records (n,), parameters (1,), hashes (n,)."""
    module = _build(task, "instance", _INSTANCE.format(cls=task.__name__, module=task.__module__))
    return device.named(module.instances, f"{task.__name__} (instances)")
