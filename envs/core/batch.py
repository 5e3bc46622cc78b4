"""`Batch`: n environments of one task in one record array, advanced by one compiled kernel.

The single and the vector environment both run on a `Batch`, so they agree bit for bit.
"""

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from unseen.envs.core import checks, device
from unseen.envs.core.kernels import RESET, RESET_PENDING, SENSE, hidden_kernel, instance_kernel, run_kernel
from unseen.envs.core.params import Params
from unseen.envs.core.rng import MAX_SEED, SPLITS, keys
from unseen.envs.core.task import Task
from unseen.envs.core.validate import validate
from unseen.envs.errors import BadParameter, BadSnapshot, ResetFailed, shown

ALL = "dict"  # the observation mode that returns every sensor except the privileged ones
NO_LIMIT = 2**62  # steps
PER_ENV = ("world", "seeds", "seeded", "actions", "reward", "terminated", "truncated", "info")


class Batch:
    """The state, buffers and kernel of n environments.

    Args:
        keywords: keywords of the environment other than its parameters, listed when an unknown keyword is given.
        overrides: parameters that replace those of the level.

    Attributes:
        params: the parameters.
        world: record array (n,), the true states: privileged.
        done: view (n,) of the records' `done`: nonzero where no episode is running.
        seeds: the seed last given to each generator, (n,); `seeded` (n,) is False where none was given.
        actions: action rows (n, d) for the next step.
        obs: observation buffers, a tuple of arrays (n, ...), one per sensor, in the order of `names`.
        reward, terminated, truncated: results of the last step, (n,).
        info: rows (n, k) of the task's metrics, valid where the task has just ended an episode. Where only
            `max_episode_steps` ended it, the first metric is NaN.
    """

    def __init__(
        self,
        task: type[Task],
        n: int,
        level: int | str | None,
        split: str,
        mode: str | None,
        keywords: Sequence[str],
        overrides: Mapping[str, Any],
        threads: int = 1,
        max_episode_steps: int | None = None,
    ) -> None:
        validate(task)  # type: ignore[arg-type]
        mode = next(iter(task.sensors)) if mode is None else mode
        if split not in SPLITS:
            raise BadParameter(f"split={shown(split)}: allowed are {', '.join(map(repr, SPLITS))}")
        if mode not in [*task.sensors, ALL]:
            raise BadParameter(f"obs={shown(mode)}: {task.__name__} has {', '.join(map(repr, [*task.sensors, ALL]))}")
        self.level = task.level_named(task.default_level if level is None else level)
        self.task, self.split, self.mode = task, split, mode
        self.n, self.threads = checks.count("num_envs", n), checks.count("threads", threads)
        if max_episode_steps is not None:
            max_episode_steps = checks.count("max_episode_steps", max_episode_steps)
        self.max_episode_steps = max_episode_steps
        self.params: Params = task.at(self.level, overrides, keywords)
        self.param_record = self.params.record(split)
        open_sensors = sorted(name for name, sensor in task.sensors.items() if not sensor.privileged)
        self.names = tuple(open_sensors) if mode == ALL else (mode,)  # sorted, as in a gymnasium.spaces.Dict
        self.table = np.array(list(task.actions.values()), dtype=np.float64).reshape(-1, task.width())
        n = self.n
        self.world = np.zeros(n, task.state)
        self.world["done"] = 1
        self.seeds = np.zeros(n, np.uint64)
        self.seeded = np.zeros(n, np.bool_)
        self._all_seeded = False
        self.actions = np.zeros((n, task.width()))
        self.reward = np.zeros(n)
        self.terminated = np.zeros(n, np.bool_)
        self.truncated = np.zeros(n, np.bool_)
        self.info = np.zeros((n, len(task.metrics)))
        sensors = [task.sensors[name] for name in self.names]
        self.obs = tuple(np.zeros((n, *sensor.shape(self.params)), sensor.dtype) for sensor in sensors)
        self.final = self.obs
        self._load()

    def _load(self) -> None:
        self._run = run_kernel(self.task, self.names)
        self._pool: ThreadPoolExecutor | None = None
        self._pool_pid = -1
        self._warm = False
        self._bind()

    def _bind(self) -> None:
        """Prepare the arguments of every kernel call once, one tuple per thread."""
        self.done = self.world["done"]
        world = (self.world, self.actions, self.param_record, self.reward, self.terminated, self.truncated)
        limit = NO_LIMIT if self.max_episode_steps is None else self.max_episode_steps
        cuts = [self.n * i // self.threads for i in range(self.threads + 1)]
        self._calls = []
        for i in range(self.threads):
            scratch = () if self.task.scratch is None else (np.zeros(1, self.task.scratch),)
            self._calls.append((limit, *world, self.info, *scratch, *self.obs, *self.final, *cuts[i : i + 2]))

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_run", "_pool", "_calls", "done")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._load()

    def row(self, i: int) -> "Batch":
        """Environment i as a batch of one that shares memory with this batch."""
        one = object.__new__(Batch)
        one.__dict__.update(self.__dict__)
        one.n = one.threads = 1
        for name in PER_ENV:
            setattr(one, name, getattr(self, name)[i : i + 1])
        one.obs, one.final = (tuple(o[i : i + 1] for o in buffers) for buffers in (self.obs, self.final))
        one._bind()
        return one

    def allocate_final_obs(self) -> None:
        """Allocate separate buffers for the final observations of episodes, which SAME_STEP returns."""
        self.final = tuple(np.zeros_like(o) for o in self.obs)
        self._bind()

    @property
    def never_reset(self) -> bool:
        """Whether any environment has never been reset."""
        return not self.world["tries"].all()

    def reset(self, where: np.ndarray | None = None) -> None:
        """Start an episode in every environment, or where the bool array `where` (n,) is True."""
        self.draw_seeds()
        self.done[slice(None) if where is None else where] = RESET_PENDING
        self.run(RESET)

    def run(self, what: int) -> None:
        """Run the kernel once over all environments. `what` is one of the modes in `unseen.envs.core.kernels`.

        Raises:
            ResetFailed: no episode could be drawn.
        """
        calls = self._calls
        if not self._warm:
            self._warm = True
            failed = device.announced(self._run, f"{self.task.__name__} ({self.mode})", (what, *calls[0]))
            failed += sum(self._run(what, *call) for call in calls[1:])
        elif self.threads == 1:
            failed = self._run(what, *calls[0])
        else:
            jobs = [self._workers().submit(self._run, what, *call) for call in calls[1:]]
            failed = self._run(what, *calls[0]) + sum(job.result() for job in jobs)
        if failed:
            i = int(np.nonzero(self.world["failed"])[0][0])
            self.world["failed"] = 0
            raise ResetFailed(
                f"{self.task.__name__}: no valid episode found in {self.task.max_tries} tries "
                f"(seed {self.seeds[i]}, split {self.split!r}, level {self.level}, {self.params})"
            )

    def _workers(self) -> ThreadPoolExecutor:
        """The worker threads. A forked child does not inherit its parent's threads, so it starts new ones."""
        if self._pool is None or self._pool_pid != os.getpid():
            self._pool, self._pool_pid = ThreadPoolExecutor(self.threads - 1), os.getpid()
        return self._pool

    def seed(self, seeds: Sequence[int] | np.ndarray, where: np.ndarray | None = None) -> None:
        """Seed the generators with integers in 0..2^62-1: all of them, or those where `where` (n,) is True."""
        for s in (min(seeds), max(seeds)):
            if not 0 <= s <= MAX_SEED:
                raise BadParameter(f"seed={s}: must be in 0..{MAX_SEED}")
        marked = slice(None) if where is None else where
        self.seeds[marked] = np.asarray(seeds, dtype=np.uint64)
        self.world["rng"][marked] = keys(self.seeds[marked], self.split)
        self.seeded[marked] = True

    def draw_seeds(self) -> None:
        """Give a random seed to every generator that has none yet."""
        if not self._all_seeded:
            new = ~self.seeded
            if new.any():
                self.seed(np.random.default_rng().integers(MAX_SEED, size=int(new.sum()), endpoint=True), new)
            self._all_seeded = True

    def snapshot(self) -> bytes:
        """The exact state of all environments, for `restore`."""
        self.draw_seeds()
        body = self.param_record.tobytes() + self.seeds.tobytes() + self.world.tobytes()
        return self._digest(body) + body

    def restore(self, data: bytes) -> None:
        """Restore a snapshot taken from a batch of the same task, parameters, split and size.

        Raises:
            BadSnapshot: the bytes are corrupt, truncated, or come from a different environment.
        """
        head, seeds = self.param_record.nbytes, self.seeds.nbytes
        want = 32 + head + seeds + self.world.nbytes
        if not isinstance(data, (bytes, bytearray)) or len(data) != want:
            got = f"{len(data)} bytes" if isinstance(data, (bytes, bytearray)) else type(data).__name__
            raise BadSnapshot(f"a snapshot of {self.n} x {self.task.__name__} has {want} bytes; got {got}")
        digest, body = bytes(data[:32]), bytes(data[32:])
        if digest != self._digest(body):
            raise BadSnapshot(f"not a snapshot of {self.task.__name__}, or corrupt")
        if body[:head] != self.param_record.tobytes():
            raise BadSnapshot(
                f"the snapshot was taken with a different level, split or parameters; this environment has {self.params}"
            )
        self.seeds[:] = np.frombuffer(body, np.uint64, self.n, head)
        self.world[:] = np.frombuffer(body, self.task.state, self.n, head + seeds)
        self.seeded[:] = True
        self.run(SENSE)

    def _digest(self, body: bytes) -> bytes:
        """Digest of a snapshot's body, task and layout, so that only a matching state ever reaches the kernels."""
        kind = f"{self.task.__name__} {self.task.state.descr} {self.param_record.dtype.descr}"
        return hashlib.sha256(kind.encode() + b"\0" + body).digest()

    @property
    def layout(self) -> Any:
        """Layout of the observed row; None if the sensor declares none, or if several sensors are observed."""
        describe = self.task.sensors[self.names[0]].layout if self.mode != ALL else None
        return None if describe is None else describe(self.params)

    def metrics(self, ended: np.ndarray) -> dict[str, np.ndarray]:
        """Metrics of the episodes that have `ended` (n,), in the format of Gymnasium's vector infos.

        Each metric is an array (n,) with a mask (n,) under "_name". An episode that only `max_episode_steps` ended has
        no metrics.
        """
        success, valid = self.info[:, 0], ended
        if self.max_episode_steps is not None:
            valid = ended & ~np.isnan(success)
            if not valid.any():
                return {}
        found = {"is_success": (success > 0.5) & valid, "_is_success": valid.copy()}
        for k in range(1, len(self.task.metrics)):
            name = self.task.metrics[k]
            found |= {name: np.where(valid, self.info[:, k], 0.0), f"_{name}": valid.copy()}
        return found

    def metrics_of(self, i: int) -> dict[str, float | bool]:
        """Metrics of environment i, whose episode has just ended; empty if only `max_episode_steps` ended it."""
        values = dict(zip(self.task.metrics, self.info[i].tolist(), strict=True))
        success = values["is_success"]
        return {} if math.isnan(success) else values | {"is_success": success > 0.5}

    def hidden(self) -> np.ndarray:
        """The hidden variable of every environment: labels (n,) int64, or vectors (n, size) float64. Privileged.

        Raises:
            BadParameter: the task declares no hidden variable.
        """
        hidden = self.task.hidden
        if hidden is None:
            raise BadParameter(f"{self.task.__name__} declares no hidden variable")
        out = np.zeros((self.n, hidden.size))
        hidden_kernel(self.task, "write")(self.world, self.param_record, out)
        return out[:, 0].astype(np.int64) if hidden.is_class else out

    def instances(self) -> np.ndarray:
        """A hash of every environment's instance, (n,) uint64, before any step of its episode. Privileged.

        Raises:
            BadParameter: the task declares no `instance`.
        """
        if self.task.instance is None:
            raise BadParameter(f"{self.task.__name__} declares no instance")
        out = np.zeros(self.n, np.uint64)
        instance_kernel(self.task)(self.world, self.param_record, out)
        return out

    def must_hide(self) -> np.ndarray:
        """Where a short window of recent observations must not reveal the hidden variable now: (n,) bool. Raises as `hidden`."""
        return self._ask_hidden("when", np.zeros(self.n, np.bool_))

    def found(self) -> np.ndarray:
        """Where the agent has uncovered the hidden variable by its own actions: (n,) bool. Raises as `hidden`."""
        return self._ask_hidden("found", np.zeros(self.n, np.bool_))

    def change_hidden(self, where: np.ndarray) -> np.ndarray:
        """Change the hidden variable, and nothing else, in the environments that the mask `where` (n,) selects.

        Returns:
            (n,) bool, the environments in which it was changed.

        Raises:
            BadParameter: the task declares no `Hidden.change`.
        """
        if self.task.hidden is not None and self.task.hidden.change is None:
            raise BadParameter(f"the hidden variable of {self.task.__name__} has no 'change'")
        return self._ask_hidden("change", where.copy())

    def _ask_hidden(self, name: str, flags: np.ndarray) -> np.ndarray:
        if self.task.hidden is None:
            raise BadParameter(f"{self.task.__name__} declares no hidden variable")
        hidden_kernel(self.task, name)(self.world, self.param_record, flags)
        return flags
