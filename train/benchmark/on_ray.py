"""Runs cells on a Ray cluster: that of RAY_ADDRESS, or without it the cores of this machine.

Ray restarts a task when its worker or its node dies; it continues from its last checkpoint. For that, and for progress in the live table,
all nodes have to see the folder of checkpoints. Only the driver writes results.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from unseen.agents.errors import MissingExtra
from unseen.train.errors import EvaluationError, WorkerLost
from unseen.train.leaderboard.workers import ONE_THREAD

T = TypeVar("T")
R = TypeVar("R")

RETRIES = 2  # after the first attempt


class RayPool(Generic[T, R]):
    """Runs a function over tasks, as `unseen.train.leaderboard.workers.Pool` does. Use it in a ``with`` block.

    Args:
        function: importable on all nodes, with one argument.
        workers: number of cores of this machine to use if there is no cluster.

    Raises MissingExtra without the package ray, EvaluationError if the cluster cannot be reached.
    """

    def __init__(self, function: Callable[[T], R], workers: int) -> None:
        self.function, self.workers = function, workers
        self._pending: dict[Any, T] = {}

    @property
    def running(self) -> list[T]:
        """The tasks that have no result yet. Ray does not say which of them it has started."""
        return list(self._pending.values())

    def __enter__(self) -> RayPool[T, R]:
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("--workers ray needs ray: pip install 'unseen[ray]'") from error
        here: dict[str, Any] = {"num_cpus": self.workers, "include_dashboard": False}
        cluster = {} if os.environ.get("RAY_ADDRESS") else here
        try:
            ray.init(runtime_env={"env_vars": ONE_THREAD}, log_to_driver=False, logging_level=logging.ERROR, **cluster)
        except (ConnectionError, ValueError) as error:
            raise EvaluationError(f"Ray at {os.environ.get('RAY_ADDRESS')}: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        ray.shutdown()
        self._pending = {}

    def run(self, tasks: Iterable[T]) -> Iterator[tuple[T, R | WorkerLost]]:
        """Yield each task with its result, in order of completion. Raises EvaluationError if the function raised."""
        import ray

        call = ray.remote(num_cpus=1, max_retries=RETRIES)(self.function)
        self._pending = {call.remote(task): task for task in tasks}
        while self._pending:
            (ready,), _ = ray.wait(list(self._pending), num_returns=1)
            task = self._pending.pop(ready)
            try:
                answer = ray.get(ready)
            except ray.exceptions.RayTaskError as error:
                raise EvaluationError(f"{task} failed:\n{error}") from error
            except ray.exceptions.RayError as error:
                answer = WorkerLost(f"Ray lost {task} {RETRIES + 1} times: {str(error).splitlines()[0]}")
            yield task, answer
