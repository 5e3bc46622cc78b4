"""The worker pool: results, crashes, time limits, errors, and clean-up."""

from __future__ import annotations

import math
import multiprocessing
import os
import time

import pytest

from unseen.train.errors import EvaluationError, WorkerLost
from unseen.train.leaderboard.workers import Pool


def test_every_task_is_answered_once() -> None:
    with Pool(math.factorial, 2) as pool:
        answers = dict(pool.run(range(20)))
    assert answers == {n: math.factorial(n) for n in range(20)}
    assert multiprocessing.active_children() == []


def test_a_pool_is_used_again() -> None:
    with Pool(os.path.basename, 2) as pool:
        for _ in range(2):
            assert dict(pool.run(["a/b", "c/d"])) == {"a/b": "b", "c/d": "d"}
        assert dict(pool.run([])) == {}


def test_a_worker_that_dies_is_named_and_the_rest_goes_on() -> None:
    """`os._exit(n)` kills its worker: each task is tried twice, and the pool goes on."""
    with Pool(os._exit, 2) as pool:
        answers = dict(pool.run([7, 9]))
    for code, answer in answers.items():
        assert isinstance(answer, WorkerLost)
        assert f"died (exit code {code})" in str(answer) and "second attempt" in str(answer)


def test_a_killed_workers_task_is_tried_again() -> None:
    """Killed from outside, once: another worker runs the task."""
    with Pool(time.sleep, 1) as pool:
        run = pool.run([0.0, 1.0, 0.1])
        assert next(run) == (0.0, None)
        (first,) = multiprocessing.active_children()
        first.kill()
        assert dict(run) == {1.0: None, 0.1: None}


def test_a_task_past_its_time_is_ended() -> None:
    """However slowly processes start: the limit is short only for the task that never ends."""
    with Pool(time.sleep, 1, seconds=0.1) as pool:
        ((_, lost),) = pool.run([1e6])
        assert isinstance(lost, WorkerLost) and "time limit of 0.1 s" in str(lost)
        pool.seconds = 1e6
        assert dict(pool.run([0.01])) == {0.01: None}


def test_an_error_of_our_own_is_not_hidden() -> None:
    with Pool(math.sqrt, 1) as pool, pytest.raises(EvaluationError, match=r"(?s)-1 failed:.*ValueError"):
        list(pool.run([4, -1]))
    assert multiprocessing.active_children() == []
