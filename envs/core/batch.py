"""`Batch`: n environments of one task in one record array, advanced by one compiled kernel.

The scalar and the vector environment are both this, with n = 1 or more, so that they agree bit for bit.
"""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from unseen.envs.core import device
from unseen.envs.core.rng import MAX_SEED, SPLITS, keys
from unseen.envs.core.task import Task
from unseen.envs.errors import BadParameter, BadSnapshot, ResetFailed

RESET, NEXT_STEP, SAME_STEP, SENSE = 0, 1, 2, 3  # what `run` does
DICT_MODES = ("slots", "rays", "pixels")
REFERENCES = ("reflex", "tracker", "oracle")

_RUN = '''"""Generated: the kernel of {cls} with observation {mode!r}."""
from numba import njit
from {module} import {cls} as task

begin, step = task.begin, task.step
{sensors}

@njit(nogil=True, error_model="numpy")
def fresh(s, p):
    """Draw episodes until one is accepted; 1 if none was."""
    s.t = 0
    s.done = 0
    for i in range({max_tries}):
        s.tries = i + 1
        if begin(s, p):
            return 0
    s.done = 1
    s.failed += 1
    return 1

@njit(nogil=True, error_model="numpy")
def see(s, p, {rows}):
    {observe}

@njit(cache=True, nogil=True, error_model="numpy")
def run(what, S, A, P, R, T, U, {outs}, {finals}, lo, hi):
    """Returns the number of resets that failed."""
    p = P[0]
    failed = 0
    for i in range(lo, hi):
        s = S[i]
        if what == 0 or (what == 1 and s.done != 0):
            R[i] = 0.0
            T[i] = False
            U[i] = False
            failed += fresh(s, p)
        elif what != 3:
            r, t, u = step(s, A[i], p)
            R[i] = r
            T[i] = t
            U[i] = u
            if t or u:
                s.done = 1
                if what == 2:
                    see(s, p, {final_rows})
                    failed += fresh(s, p)
        see(s, p, {out_rows})
    return failed
'''

_REFERENCES = '''"""Generated: the reference policies of {cls}."""
from numba import njit
from {module} import {cls} as task
'''
_ORACLE = """
_oracle = task.oracle

@njit(cache=True, nogil=True, error_model="numpy")
def oracle(S, P, A):
    for i in range(S.shape[0]):
        A[i] = _oracle(S[i], P[0])
"""
_BY_SIGHT = """
_{name} = task.{name}

@njit(cache=True, nogil=True, error_model="numpy")
def {name}(O, M, P, A):
    for i in range(O.shape[0]):
        A[i] = _{name}(O[i], M[i], P[0])
"""
_ANSWERS = """
_answer = task.answer

@njit(cache=True, nogil=True, error_model="numpy")
def answers(S, A):
    for i in range(S.shape[0]):
        A[i] = _answer(S[i])
"""


def _module(task: type[Task]):
    return sys.modules[task.__module__]


def _kernel(task: type[Task], mode: str):
    names = DICT_MODES if mode == "dict" else (mode,)
    k = range(len(names))
    source = _RUN.format(
        cls=task.__name__,
        module=task.__module__,
        mode=mode,
        max_tries=task.max_tries,
        sensors="\n".join(f"observe{i} = task.sensor({name!r})" for i, name in enumerate(names)),
        rows=", ".join(f"o{i}" for i in k),
        observe="\n    ".join(f"observe{i}(s, p, o{i})" for i in k),
        outs=", ".join(f"O{i}" for i in k),
        finals=", ".join(f"F{i}" for i in k),
        out_rows=", ".join(f"O{i}[i]" for i in k),
        final_rows=", ".join(f"F{i}[i]" for i in k),
    )
    return device.build(f"{task.__name__}_{mode}", source, _module(task)).run


class Batch:
    """The state, buffers and kernel of n environments.

    Attributes:
        world: record array (n,), the true states: privileged.
        params: record array (1,), the knobs.
        obs: observation buffers, a tuple of arrays (n, ...), one a sensor.
        reward, terminated, truncated: results of the last step, (n,).
    """

    def __init__(
        self,
        task: type[Task],
        n: int,
        level: int | str,
        split: str,
        mode: str,
        knobs: Mapping[str, Any],
        threads: int = 1,
    ) -> None:
        if split not in SPLITS:
            raise BadParameter(f"split={split!r}: allowed are {', '.join(map(repr, SPLITS))}")
        modes = [*task.modes, "dict"]
        if mode not in modes:
            raise BadParameter(f"obs={mode!r}: {task.__name__} has {', '.join(map(repr, modes))}")
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise BadParameter(f"num_envs={n!r}: allowed is a positive integer")
        if not isinstance(threads, int) or threads < 1:
            raise BadParameter(f"threads={threads!r}: allowed is a positive integer")
        self.task, self.n, self.level, self.split, self.mode = task, int(n), level, split, mode
        self.values = task.values(level, knobs)
        self.params = task.params(self.values, split)
        self.world = np.zeros(n, task.state)
        self.world["done"] = 1
        self.seeds = np.zeros(n, np.uint64)
        self.actions = np.zeros((n, len(task.action_low)))
        self.table = np.array(list(task.actions.values()), dtype=np.float64).reshape(len(task.actions), -1)
        self.reward = np.zeros(n)
        self.terminated = np.zeros(n, np.bool_)
        self.truncated = np.zeros(n, np.bool_)
        self.names = DICT_MODES if mode == "dict" else (mode,)
        shapes = [task.shape(name, self.values) for name in self.names]
        self.obs = tuple(np.zeros((n, *shape), dtype) for shape, dtype in shapes)
        self.final = self.obs
        self.threads = threads
        self._load()

    def _load(self) -> None:
        self._run = _kernel(self.task, self.mode)
        self._pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None
        self._warm = False

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_run", "_pool")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._load()

    def keep_finals(self) -> None:
        """Give SAME_STEP steps buffers of their own for the last observations of episodes."""
        self.final = tuple(np.zeros_like(o) for o in self.obs)

    def run(self, what: int) -> None:
        """One kernel call over all environments; raises ResetFailed when no episode could be drawn."""
        args: tuple[Any, ...] = (self.world, self.actions, self.params, self.reward, self.terminated, self.truncated)
        args += (*self.obs, *self.final)
        if not self._warm:
            self._warm = True
            failed = device.announced(self._run, f"{self.task.__name__} ({self.mode})", (what, *args, 0, self.n))
        elif self._pool is None:
            failed = self._run(what, *args, 0, self.n)
        else:
            cuts = [self.n * i // self.threads for i in range(self.threads + 1)]
            calls = [(what, *args, *ends) for ends in zip(cuts[1:], cuts[2:], strict=False)]
            jobs = [self._pool.submit(self._run, *call) for call in calls]
            failed = self._run(what, *args, 0, cuts[1]) + sum(job.result() for job in jobs)
        if failed:
            i = int(np.nonzero(self.world["failed"])[0][0])
            self.world["failed"] = 0
            raise ResetFailed(
                f"{self.task.__name__}: no episode found in {self.task.max_tries} tries "
                f"(seed {self.seeds[i]}, split {self.split!r}, level {self.level}, knobs {self.values})"
            )

    def seed(self, seeds: Sequence[int] | np.ndarray) -> None:
        """Key environment i's generator with seeds[i], 0..2^62-1."""
        for s in (min(seeds), max(seeds)):
            if not 0 <= s <= MAX_SEED:
                raise BadParameter(f"seed={s}: allowed is 0..{MAX_SEED}")
        self.seeds[:] = np.asarray(seeds, dtype=np.uint64)
        self.world["rng"] = keys(self.seeds, self.split)

    def snapshot(self) -> bytes:
        """The exact state of all environments; `restore` takes it back."""
        return self.params.tobytes() + self.seeds.tobytes() + self.world.tobytes()

    def restore(self, data: bytes) -> None:
        """Return to a snapshot of a batch of the same task, knobs, split and size.

        Raises:
            BadSnapshot: the bytes are of another environment, or cut short.
        """
        head, seeds = self.params.nbytes, self.seeds.nbytes
        want = head + seeds + self.world.nbytes
        if not isinstance(data, (bytes, bytearray)) or len(data) != want:
            got = f"{len(data)} bytes" if isinstance(data, (bytes, bytearray)) else type(data).__name__
            raise BadSnapshot(f"a snapshot of {self.n} x {self.task.__name__} has {want} bytes, got {got}")
        if bytes(data[:head]) != self.params.tobytes():
            raise BadSnapshot(f"this snapshot was made with another level, split or knobs than {self.values}")
        self.seeds[:] = np.frombuffer(data, np.uint64, self.n, head)
        self.world[:] = np.frombuffer(data, self.task.state, self.n, head + seeds)
        self.run(SENSE)

    def reference(self, name: str) -> "Reference":
        """A reference policy over this batch: "oracle" (privileged), "tracker" or "reflex" (slots only)."""
        if name not in self.references:
            have = ", ".join(map(repr, self.references))
            raise BadParameter(f"reference {name!r}: {self.task.__name__} has {have}")
        return Reference(self, name)

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the task's reference policies."""
        return references_of(self.task)

    def answers(self) -> np.ndarray:
        """The hidden answer of every environment, (n,) int64: privileged. Raises BadParameter where there is none."""
        if self.task.answer is None:
            raise BadParameter(f"{self.task.__name__} has no hidden answer")
        out = np.zeros(self.n, np.int64)
        _references(self.task).answers(self.world, out)
        return out


def references_of(task: type[Task]) -> tuple[str, ...]:
    """Names of the reference policies that a task has."""
    return tuple(name for name in REFERENCES if getattr(task, name) is not None)


def _references(task: type[Task]):
    source = _REFERENCES.format(cls=task.__name__, module=task.__module__) + _ORACLE
    source += "".join(_BY_SIGHT.format(name=name) for name in references_of(task) if name != "oracle")
    source += _ANSWERS if task.answer is not None else ""
    return device.build(f"{task.__name__}_references", source, _module(task))


class Reference:
    """A scripted policy beside a task. The oracle reads the world; the others read slots and their own memory."""

    def __init__(self, batch: Batch, name: str) -> None:
        self.name, self.batch = name, batch
        self.memory = np.zeros(batch.n, batch.task.state)
        self._policy = getattr(_references(batch.task), name)

    def act(self, obs: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Discrete actions (n,) for slots rows obs (n, d); first[i] marks a row that opens an episode."""
        actions = np.zeros(self.batch.n, np.int64)
        if self.name == "oracle":
            self._policy(self.batch.world, self.batch.params, actions)
            return actions
        if "slots" not in self.batch.names:
            raise BadParameter(f"{self.name} reads obs='slots', this environment gives obs={self.batch.mode!r}")
        self.memory[np.asarray(first, dtype=bool)] = np.zeros(1, self.batch.task.state)
        if self.name == "reflex":  # memoryless by construction
            self.memory[:] = np.zeros(1, self.batch.task.state)
        self._policy(np.ascontiguousarray(obs, dtype=np.float32), self.memory, self.batch.params, actions)
        return actions
