"""Checks of determinism: batches, replays, threads, snapshots, copies and pickles.

Each check returns an error message, or "".
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from itertools import islice

import numpy as np

from unseen.envs.core.env import TaskEnv
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.audit.report import Check, run_checks
from unseen.train.audit.subject import Fixed, Subject
from unseen.train.rollout import Rollout, random_actions

STEPS, MANY = 120, 64


def determinism(subject: Subject) -> Iterator[Check]:
    """All checks of determinism."""
    checks = {
        "a row of a batch equals the same seed alone, bit for bit": _batches_agree,
        "replay from a seed, and with 2 threads": _replays,
        "snapshot and restore": _restores,
        "pickle and deepcopy mid-episode": _copies,
    }
    yield from run_checks(checks, subject)


def _trace(env: TaskVectorEnv, seed: int, rows: slice, plan: np.ndarray) -> list[bytes]:
    """Bytes of observation, reward, flags and state at every step, for the environments `rows`."""
    run = Rollout(Fixed(plan), env, range(seed, seed + env.num_envs), once=False, fail_fast=True)
    out = []
    for current in islice(run, STEPS):
        arrays = [*_arrays(current.obs), current.reward, current.terminated, current.truncated, env.world]
        out.append(b"".join(np.ascontiguousarray(array[rows]).tobytes() for array in arrays))
    return out


def _arrays(obs: object) -> list[np.ndarray]:
    return list(obs.values()) if isinstance(obs, dict) else [obs]  # type: ignore[list-item]


def _batches_agree(subject: Subject) -> str:
    many = subject.make_vec(MANY)
    plan = random_actions(many.single_action_space, STEPS, MANY)
    for i in (0, 17, MANY - 1):
        one = _trace(subject.make_vec(1), 5 + i, slice(0, 1), plan[:, i : i + 1])
        if _trace(many, 5, slice(i, i + 1), plan) != one:
            return f"environment {i} of {MANY} differs from the same seed alone"
    return ""


def _replays(subject: Subject) -> str:
    plan = random_actions(subject.make_vec(1).single_action_space, STEPS, MANY)
    first, again, threaded = (
        _trace(subject.make_vec(MANY, threads=threads), 5, slice(None), plan) for threads in (1, 1, 2)
    )
    if first != again:
        return "replaying a seed gave a different episode"
    return "two threads differ from one" if first != threaded else ""


def _trace_scalar(env: TaskEnv, actions: np.ndarray) -> list[bytes]:
    """Bytes of every observation, reward and flag of a scalar environment under these actions."""
    out = []
    for action in actions:
        obs, reward, terminated, truncated, _ = env.step(action)
        parts = [array.tobytes() for array in _arrays(obs)]
        out.append(b"".join(parts) + np.float64(reward).tobytes() + bytes([terminated, truncated]))
        if terminated or truncated:
            env.reset()
    return out


def _started(subject: Subject, **more: str) -> tuple[TaskEnv, np.ndarray]:
    """A scalar environment after 7 steps, and 60 further actions."""
    env = subject.make(**more)
    actions = random_actions(env.action_space, 67, 1)[:, 0]
    env.reset(seed=3)
    _trace_scalar(env, actions[:7])
    return env, actions[7:]


def _restores(subject: Subject) -> str:
    env, actions = _started(subject)
    kept = env.snapshot()
    ahead = _trace_scalar(env, actions)
    env.restore(kept)
    return "" if _trace_scalar(env, actions) == ahead else "a restored environment behaves differently"


def _copies(subject: Subject) -> str:
    env, actions = _started(subject, render_mode="rgb_array")
    env.render()
    twins = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    ahead = _trace_scalar(env, actions)
    return "" if all(_trace_scalar(twin, actions) == ahead for twin in twins) else "a copy behaves differently"
