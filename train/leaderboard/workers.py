"""A pool of worker processes that survives crashes of workers.

concurrent.futures breaks the whole pool when a worker dies, and does not say which task it ran. Here each worker has its own
pipe and one task at a time, so that a crash or timeout is attributed to its task. The task is retried once in a new process;
after that its result is WorkerLost. Processes are spawned, which is safe with threads and works on every system.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from unseen.train.errors import EvaluationError, WorkerLost

T = TypeVar("T")
R = TypeVar("R")

TASK_SECONDS = 600.0
TRIES = 2
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def _serve(function: Callable[[Any], Any], connection: Connection) -> None:
    """Main loop of a worker: run tasks until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (True, function(task))
        except Exception:
            answer = (False, traceback.format_exc())
        try:
            connection.send(answer)
        except OSError:  # the parent has exited
            return


def _end_with_parent() -> None:
    """End this process when its parent is gone, even in the middle of a task."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Worker(Generic[T]):
    """One process and its current task."""

    def __init__(self, name: str, function: Callable[[T], Any]):
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(function, theirs), name=name, daemon=True)
        before = {key: os.environ.get(key) for key in ONE_THREAD}
        os.environ.update(ONE_THREAD)  # one process per core: no threads in numerical libraries
        try:
            self.process.start()
        finally:
            for key, value in before.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value
        theirs.close()

    def assign(self, task: T, tries: int, seconds: float) -> None:
        self.task, self.tries, self.deadline = task, tries, time.monotonic() + seconds
        try:
            self.connection.send(task)
        except OSError:
            pass  # the worker died; `run` notices the closed pipe

    def stop(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


class Pool(Generic[T, R]):
    """Runs a function over tasks in worker processes. Use it in a ``with`` block.

    Args:
        function: picklable, with one argument.
        workers: number of processes.
        seconds: time limit per task, after which the worker is killed.
    """

    def __init__(self, function: Callable[[T], R], workers: int = 2, seconds: float = TASK_SECONDS):
        self.function, self.workers, self.seconds = function, workers, seconds
        self._started = 0
        self._idle: list[_Worker[T]] = []
        self._busy: list[_Worker[T]] = []

    @property
    def running(self) -> list[T]:
        """The tasks that workers are running now."""
        return [worker.task for worker in list(self._busy)]

    def __enter__(self) -> Pool[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._idle + self._busy:
            worker.stop()
        self._idle, self._busy = [], []

    def run(self, tasks: Iterable[T]) -> Iterator[tuple[T, R | WorkerLost]]:
        """Yield each task with its result, in order of completion.

        Raises:
            EvaluationError: the function raised an exception; the message has its traceback.
        """
        queue: deque[tuple[T, int]] = deque((task, 1) for task in tasks)
        while queue or self._busy:
            while queue and len(self._busy) < self.workers:
                worker = self._idle.pop() if self._idle else self._start()
                worker.assign(*queue.popleft(), self.seconds)
                self._busy.append(worker)
            remaining = min(worker.deadline for worker in self._busy) - time.monotonic()
            ready = wait([worker.connection for worker in self._busy], max(0.0, remaining))
            for worker in list(self._busy):
                overdue = time.monotonic() > worker.deadline
                if worker.connection not in ready and not overdue:
                    continue
                self._busy.remove(worker)
                try:
                    if worker.connection not in ready:
                        raise TimeoutError(f"exceeded the time limit of {self.seconds:g} s")
                    fine, answer = worker.connection.recv()
                except (EOFError, OSError) as error:
                    worker.stop()
                    if worker.tries < TRIES:
                        queue.appendleft((worker.task, worker.tries + 1))
                        continue
                    late = isinstance(error, TimeoutError)
                    why = str(error) if late else f"died (exit code {worker.process.exitcode})"
                    lost = WorkerLost(f"{worker.name} {why}, on the second attempt, running {worker.task}")
                    yield worker.task, lost
                    continue
                self._idle.append(worker)
                if not fine:
                    raise EvaluationError(f"{worker.task} failed:\n{answer}")
                yield worker.task, answer

    def _start(self) -> _Worker[T]:
        self._started += 1
        return _Worker(f"worker-{self._started}", self.function)
