"""When two versions of an environment are the same: what stored scores are filed under."""

import functools

from unseen.envs.core.jit.fingerprint import fingerprint
from unseen.envs.core.kernels import run_kernel
from unseen.envs.core.rng import keys
from unseen.envs.core.task import Task

# Attributes of a task that are for people, or for the audit: no score depends on them.
SHOWN = ("title", "view", "keys", "curves", "anchors", "score", "hidden", "faculties", "visible")


@functools.cache
def task_hash(task: type[Task]) -> str:
    """A hash of all that decides what an agent scores in `task`: rules, sensors, actions, levels, generator.

    It follows every name that the task's functions use, into whichever file. Docstrings, comments and pictures do not
    enter.
    """
    loops = [run_kernel(task, (name,)).py_func for name in task.sensors]
    return fingerprint(task, loops, keys, without=SHOWN)[:16]
