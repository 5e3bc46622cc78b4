"""Checks of the Gymnasium interface. Each check returns an error message, or ""."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice

import numpy as np

from unseen.train.audit.report import Check, run_checks
from unseen.train.audit.subject import Subject, policy
from unseen.train.rollout import Rollout

N = 256
ADVICE = "symmetric and normalized"  # stable-baselines3's advice on action units, which is not an error


def surface(subject: Subject) -> Iterator[Check]:
    """All checks of the interface."""
    yield from run_checks(
        {"observations lie in their space": _in_space, "environment checkers and double close": _checkers}, subject
    )


def _in_space(subject: Subject) -> str:
    env = subject.make_vec(N)
    run = Rollout(policy("random"), env, range(9, 9 + N), once=False, fail_fast=True)
    for current in islice(run, 3 * env.horizon):
        if not env.observation_space.contains(current.obs):
            rows = current.obs.values() if isinstance(current.obs, dict) else [current.obs]
            most = max(float(np.abs(row).max()) for row in rows)
            return f"step {current.step}: an observation with maximum {most:.2f} is outside of its space"
    return ""


def _checkers(subject: Subject) -> str:
    import gymnasium as gym
    from gymnasium.utils.env_checker import check_env as gymnasium_check
    from stable_baselines3.common.env_checker import check_env as sb3_check

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        env = gym.make(subject.entry.id, **subject.keywords).unwrapped
        try:
            gymnasium_check(env, skip_render_check=True)
            sb3_check(env)
        except AssertionError as error:
            return str(error).splitlines()[0]
        env.close()
        env.close()
    messages = [str(w.message).splitlines()[0] for w in caught if issubclass(w.category, UserWarning)]
    faults = [line for line in messages if ADVICE not in line]
    return faults[0] if faults else ""
