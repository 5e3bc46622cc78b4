"""The identity of a task version, under which scores are stored."""

import functools

from unseen.envs.core.jit.fingerprint import fingerprint
from unseen.envs.core.kernels import run_kernel
from unseen.envs.core.rng import keys
from unseen.envs.core.task import Task

# Attributes for people or for the audit, on which no score depends.
SHOWN = ("title", "view", "keys", "curves", "anchors", "score", "hidden", "faculties", "visible", "reactive")


@functools.cache
def task_hash(task: type[Task]) -> str:
    """A hash of everything that affects an agent's score: rules, sensors, actions, levels and random numbers.

    It covers every function and constant that the task's functions use, in any file. Docstrings, comments and
    rendering do not affect it.
    """
    loops = [run_kernel(task, (name,)).py_func for name in task.sensors]
    return fingerprint(task, loops, keys, without=SHOWN)[:16]
