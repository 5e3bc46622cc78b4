"""Do the splits share episodes? Instances are compared, not seeds: in a small task, different seeds may give the same instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from unseen.envs.core.task import HEADER
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.audit.report import Check

DISTINCT = 100_000  # instances that every level but 0 must have
ODD = np.uint64(0x9E3779B97F4A7C15)
RULE_OF_THREE = 3.0  # upper 95 % confidence bound on the expected number of events where none was seen


def instances(keys: Mapping[str, np.ndarray], judged: bool, many: bool = True) -> Iterator[Check]:
    """No instance of "train" occurs in another split, and there are enough of them.

    Args:
        keys: split -> `instance_keys` of its resets, without splits in which resets failed.
        judged: whether the checks can fail: a small task of the user's may have few instances.
        many: whether the check of the number of distinct instances can fail.
    """
    if "train" not in keys:
        return
    train = keys["train"]
    n = len(train)
    for split in [name for name in keys if name != "train"]:
        shared = int(np.isin(keys[split], train).sum())
        got = f"{shared} of {len(keys[split])} among {n} resets of train"
        yield Check(f"instance overlap of train and {split}", "0", got, shared == 0 if judged else None)
    pairs = coinciding_pairs(train)
    count = n * (n - 1) / 2 / (pairs or RULE_OF_THREE)
    got = f"{'about' if pairs else 'more than'} {count:.2g} ({pairs} pairs of {n} resets coincide)"
    yield Check("distinct instances", f">= {DISTINCT}", got, count >= DISTINCT if judged and many else None)


def instance_keys(env: TaskVectorEnv) -> np.ndarray:
    """A key (n,) uint64 of the instance in each freshly reset environment: that of the task's `instance` or, if it declares none, a hash of
    the whole record without its header, in which any difference makes another instance."""
    if env.task.instance is not None:
        return env.batch.instances()
    world = env.world.copy()
    for name, _ in HEADER:
        world[name] = 0
    key = np.zeros(len(world), np.uint64)
    words = np.frombuffer(world.tobytes(), np.uint64).reshape(len(world), -1)  # all fields have 8 bytes
    with np.errstate(over="ignore"):
        for column in words.T:
            key = (key ^ column) * ODD
            key ^= key >> np.uint64(32)
    return key


def coinciding_pairs(keys: np.ndarray) -> int:
    """Number of pairs of equal keys: with N equally likely instances, n (n - 1) / 2 N are expected."""
    count = np.unique(keys, return_counts=True)[1]
    return int((count * (count - 1) // 2).sum())
