"""Audit of any Gymnasium environment: does it need memory, and do its observations leak what they should hide?

The user provides a function `answer(env) -> hashable or None` that reads the hidden label from an unwrapped environment; None where
nothing has to be hidden at this step. Everything else uses Gymnasium's interface.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from unseen.agents.load import load_module
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.train.audit.leaks import WINDOWS, format_scores
from unseen.train.audit.probes import FIRST, LATER, Episodes, chance, features, probe_history, probe_windows
from unseen.train.audit.report import Check, run_checks
from unseen.train.errors import BadAnswer, UsageError
from unseen.train.rollout import one_line

STEPS = 128  # maximum steps of a recorded episode
MAX_NUMBERS = 2**27  # limit on stored observation values
MAX_SIZE = 2**18  # values of one observation
HELD = 4.0  # mean number of steps for which persistent play repeats an action
TRAIN_SEED, TEST_SEED = 0, 1_000_000
PPO_STEPS, PPO_ENVS, PPO_EPISODES = 50_000, 16, 100
PPO_SECONDS = {False: 60.0, True: 20.0}  # quick -> limit on the CPU time of a run


@dataclass(frozen=True)
class Foreign:
    """A Gymnasium environment with its answer function.

    Attributes:
        env_config: names the environment; overrides are keywords of `gymnasium.make`.
        answer: returns the hidden label of an unwrapped environment; None where nothing has to be hidden now.
        quick: record fewer episodes, and train PPO for less time.
        seed: of the probes.
    """

    env_config: EnvConfig
    answer: Callable[[Any], Hashable]
    quick: bool = False
    seed: int = 0

    def make(self) -> gym.Env:
        """Make an environment with flat or image observations. Raises BadAgent, BadAnswer."""
        env = envs.make_one(self.env_config)
        size = int(np.prod(env.observation_space.shape or ()))
        if size > MAX_SIZE:
            env.close()
            name = self.env_config.name
            raise BadAnswer(name, f"an observation has {size} values; at most {MAX_SIZE} can be audited")
        return env

    def label(self, env: gym.Env) -> Hashable:
        """The hidden label now; None if there is none. Raises BadAnswer."""
        try:
            label = self.answer(env.unwrapped)
        except Exception as error:
            raise BadAnswer(self.answer.__name__, f"raised {one_line(error)}") from error
        if isinstance(label, np.generic):
            label = label.item()
        try:
            hash(label)
        except TypeError as error:
            reason = f"returned {type(label).__name__}, which is not hashable; return an int, a string or a tuple"
            raise BadAnswer(self.answer.__name__, reason) from error
        return label


def load_answer(text: str) -> Callable[[Any], Hashable]:
    """The function named "module:function" or "file.py:function". Raises UsageError, BadAnswer."""
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"--answer {text}: give module:function or file.py:function")
    try:
        module = load_module(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except Exception as error:
        raise BadAnswer(text, f"{place} could not be imported: {one_line(error)}") from error
    answer = getattr(module, name, None)
    if not callable(answer):
        raise BadAnswer(text, f"{place} has no function {name!r}")
    return answer


def foreign_checks(subject: Foreign) -> Iterator[Check]:
    """All checks of one environment. Raises BadAgent, BadAnswer."""
    env = subject.make()
    try:
        data = record(subject, env)
        yield from _probes(subject, data)
        yield from _determinism(subject, env)
        yield from _instances(subject, env)
    finally:
        env.close()
    yield from _ppo(subject)


# --- recording ---


def persistent_actions(env: gym.Env, rng: np.random.Generator, steps: int) -> list[Any]:
    """A list of actions, each repeated for a random number of steps: the agent travels further than with independent ones."""
    actions: list[Any] = []
    while len(actions) < steps:
        actions += [_sample(env.action_space, rng)] * int(rng.geometric(1 / HELD))
    return actions[:steps]


def random_actions(env: gym.Env, rng: np.random.Generator, steps: int) -> list[Any]:
    """A list of independent, uniformly random actions."""
    return [_sample(env.action_space, rng) for _ in range(steps)]


def _sample(space: spaces.Space, rng: np.random.Generator) -> Any:
    if isinstance(space, spaces.Discrete):
        return int(space.start + rng.integers(space.n))
    assert isinstance(space, spaces.Box)
    return rng.uniform(space.low, space.high).astype(space.dtype)


@dataclass
class ForeignEpisodes(Episodes):
    """Episodes with the numbers in their infos."""

    info: np.ndarray | None
    """(n, T, size) float32; None where infos contain no numbers"""


def _numbers(info: Mapping[str, Any]) -> np.ndarray:
    """The numeric values of an info as one row."""
    rows = [np.asarray(info[key]).ravel() for key in sorted(info)]
    return np.concatenate(
        [np.zeros(0, np.float32), *(row.astype(np.float32) for row in rows if row.dtype.kind in "fiub")]
    )


def record(subject: Foreign, env: gym.Env) -> ForeignEpisodes:
    """Record labelled episodes, alternating between uniformly random and persistent actions.

    Raises:
        BadAnswer: the answer function fails, hides nothing in most episodes, always gives the same label, or gives too many
            labels to learn.
    """
    rng = np.random.default_rng(subject.seed)
    first, _ = env.reset(seed=TRAIN_SEED)
    more = len(_numbers(env.step(_sample(env.action_space, rng))[4]))
    size = features(first[None]).shape[1]
    n = max(200, min(500 if subject.quick else 1_000, MAX_NUMBERS // (STEPS * size)))
    discrete = isinstance(env.action_space, spaces.Discrete)
    width = int(env.action_space.n) if discrete else env.action_space.shape[0]  # type: ignore[attr-defined, index]
    obs = np.zeros((n, STEPS, size), features(first[None]).dtype)
    actions, played, hides = (
        np.zeros((n, STEPS, width), np.float32),
        np.zeros((n, STEPS), bool),
        np.zeros((n, STEPS), bool),
    )
    info_rows = np.zeros((n, STEPS, more), np.float32)
    labels: dict[Hashable, int] = {}
    truth = np.zeros((n, STEPS), np.int64)
    for i in range(n):
        now, info = env.reset(seed=TRAIN_SEED + i)
        plan = (persistent_actions if i % 2 else random_actions)(env, rng, STEPS)
        for t, action in enumerate(plan):
            label = subject.label(env)
            obs[i, t], played[i, t] = features(now[None])[0], True
            numbers = _numbers(info)[:more]
            info_rows[i, t, : len(numbers)] = numbers
            if label is not None:
                hides[i, t], truth[i, t] = True, labels.setdefault(label, len(labels))
            actions[i, t] = np.eye(width)[action] if discrete else action  # spaces start at 0, see `envs.make_one`
            now, _, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                break
    name = subject.answer.__name__
    if hides.any(1).sum() < n // 2:
        raise BadAnswer(name, f"hides nothing in most episodes: a label in {hides.any(1).sum()} of {n}")
    if len(labels) < 2:
        raise BadAnswer(name, f"gives the same label in all {n} episodes: {next(iter(labels))!r}")
    if len(labels) > n // 8:
        raise BadAnswer(name, f"gives {len(labels)} labels in {n} episodes, too many to learn; give coarser ones")
    split, splits = np.zeros(n, np.int64), ("all",)
    return ForeignEpisodes(
        obs, actions, played, hides, truth, len(labels), split, splits, info=info_rows if more else None
    )


# --- checks ---


def _probes(subject: Foreign, data: ForeignEpisodes) -> Iterator[Check]:
    floor = guess(data)
    for window in WINDOWS:
        scores = probe_windows(data, window, subject.seed)
        limits = [sum(chance(data.classes, score.tests, floor[score.when])) for score in scores]
        want = "accuracy <= " + ", ".join(f"{limit:.3f}" for limit in limits)
        good = all(score.value <= limit for score, limit in zip(scores, limits, strict=True)) if window == 1 else None
        name = f"leak probe, last {window} observation{'s' if window > 1 else ''}"
        yield Check(name, want, format_scores(scores).removeprefix("all "), good)
    history = probe_history(data, subject.seed)
    yield Check("history probe", "above the windows", f"{history:.3f}", None)
    if data.info is not None:
        with_info = replace(data, obs=np.concatenate([data.obs.astype(np.float32), data.info], axis=2))
        scores = probe_windows(with_info, 1, subject.seed)
        yield Check(
            "leak probe, last observation and info",
            "as the first row",
            format_scores(scores).removeprefix("all "),
            None,
        )


def guess(data: Episodes) -> dict[str, float]:
    """Accuracy of a guess without observations, at the first hidden step (FIRST) and at later ones (LATER): the most frequent label, or
    the most frequent label of each step, whichever scores higher."""
    assert data.classes is not None
    first = np.zeros_like(data.hides)
    hidden = np.flatnonzero(data.hides.any(1))
    first[hidden, data.hides.argmax(1)[hidden]] = True
    out = {}
    for when, steps in ((FIRST, first), (LATER, data.hides & ~first)):
        count = np.zeros((data.hides.shape[1], data.classes))
        episode, step = np.nonzero(steps[: data.training])
        np.add.at(count, (step, data.truth[episode, step]), 1)
        held = steps[data.training :]
        truth, weight = data.truth[data.training :], held / np.maximum(held.sum(1, keepdims=True), 1)
        overall = (weight * (truth == count.sum(0).argmax())).sum() / max(weight.sum(), 1)
        timed = (weight * (truth == count.argmax(1))).sum() / max(weight.sum(), 1)
        out[when] = float(max(overall, timed, 1 / data.classes))
    return out


def _determinism(subject: Foreign, env: gym.Env) -> Iterator[Check]:
    """The same seed and actions give the same bytes in the same environment, in a new one, and in another process."""
    first = trace(env, subject.seed)

    def again(subject: Foreign) -> str:
        return "" if trace(env, subject.seed) == first else "the same environment, seeded again, gave other episodes"

    def anew(subject: Foreign) -> str:
        new = subject.make()
        try:
            return "" if trace(new, subject.seed) == first else "a new environment gave other episodes"
        finally:
            new.close()

    def elsewhere(subject: Foreign) -> str:
        config = subject.env_config
        code = "from unseen.train.audit.foreign import trace_of; print(trace_of())"
        words = [sys.executable, "-c", code, config.name, repr(dict(config.overrides)), str(subject.seed)]
        path = os.pathsep.join(filter(None, sys.path))
        run = subprocess.run(  # with another hash seed, which changes the order of sets of strings
            words, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": path}
        )
        if run.returncode:
            return f"could not be made in another process: {run.stderr.strip().splitlines()[-1]}"
        return "" if run.stdout.split()[-1] == first else "another process gave other episodes"

    checks = {
        "the same seed and actions again": again,
        "in a new environment": anew,
        "in another process": elsewhere,
    }
    yield from run_checks(checks, subject)


def trace(env: gym.Env, seed: int, episodes: int = 4) -> str:
    """A hash of all observations, rewards and flags of some episodes with fixed seeds and actions."""
    digest = hashlib.sha256()
    for i in range(episodes):
        obs, _ = env.reset(seed=seed + i)
        digest.update(np.ascontiguousarray(obs).tobytes())
        for action in persistent_actions(env, np.random.default_rng(i), STEPS):
            obs, reward, terminated, truncated, _ = env.step(action)
            digest.update(np.ascontiguousarray(obs).tobytes() + repr((float(reward), terminated, truncated)).encode())
            if terminated or truncated:
                break
    return digest.hexdigest()


def trace_of() -> str:
    """`trace` of the environment whose id, keywords and seed are on the command line."""
    name, overrides, seed = sys.argv[1:]
    return trace(envs.make_one(EnvConfig(name, overrides=ast.literal_eval(overrides))), int(seed))


def _instances(subject: Foreign, env: gym.Env) -> Iterator[Check]:
    """How often other seeds give the same first observation and label. Not judged: episodes may still differ in other ways."""
    n = 500 if subject.quick else 2_000
    keys = {}
    for split, start, count in (("train", TRAIN_SEED, n), ("test", TEST_SEED, n // 5)):
        keys[split] = np.array([_key(subject, env, start + i) for i in range(count)])
    shared = int(np.isin(keys["test"], keys["train"]).sum())
    got = f"{shared} of {n // 5} other seeds among {n}"
    yield Check("overlap of seeds: first observation and label", "0 if these make an instance", got, None)
    distinct = f"{len(np.unique(keys['train']))} of {n} seeds"
    yield Check("distinct first observations and labels", "", distinct, None)


def _key(subject: Foreign, env: gym.Env, seed: int) -> str:
    obs, _ = env.reset(seed=seed)
    return hashlib.sha256(np.ascontiguousarray(obs).tobytes() + repr(subject.label(env)).encode()).hexdigest()


def _ppo(subject: Foreign) -> Iterator[Check]:
    """Returns of PPO on one observation and on a stack of them, beside random play. Not judged: no chance level is declared."""
    env = subject.make()
    rng = np.random.default_rng(subject.seed)
    returns = [_random_return(env, rng, TEST_SEED + i) for i in range(PPO_EPISODES // 4)]
    env.close()
    yield Check("random play", f"{PPO_EPISODES // 4} episodes", _mean(returns), None)
    for stack, name in ((1, "PPO without memory"), (16, "PPO on a stack of 16 frames")):
        returns, steps = train_ppo(subject, stack)
        want = f"{PPO_STEPS} steps, or {PPO_SECONDS[subject.quick]:g} s of CPU"
        yield Check(name, want, f"{_mean(returns)}, {steps} steps", None)


def _mean(returns: list[float]) -> str:
    if not returns:
        return "no episode ended"
    return f"mean return {np.mean(returns):.3f} +- {1.96 * np.std(returns) / len(returns) ** 0.5:.3f}"


def _random_return(env: gym.Env, rng: np.random.Generator, seed: int) -> float:
    env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        _, reward, terminated, truncated, _ = env.step(_sample(env.action_space, rng))
        total, over = total + float(reward), terminated or truncated
    return total


def train_ppo(subject: Foreign, stack: int) -> tuple[list[float], int]:
    """Train PPO on the last `stack` observations, until its steps or its CPU time are used up.

    Returns:
        Returns of the last episodes, up to PPO_EPISODES, and the number of steps taken.
    """
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor

    torch.set_num_threads(1)
    vec: VecEnv = VecMonitor(DummyVecEnv([subject.make] * PPO_ENVS))
    image = len(vec.observation_space.shape or ()) == 3
    if stack > 1:
        vec = VecFrameStack(vec, stack)
    model = PPO(
        "CnnPolicy" if image else "MlpPolicy",
        vec,
        n_steps=128,
        batch_size=512,
        ent_coef=0.01,
        stats_window_size=PPO_EPISODES,
        seed=subject.seed,
        device="cpu",
    )
    end = time.process_time() + PPO_SECONDS[subject.quick]
    model.learn(PPO_STEPS, callback=lambda *_: time.process_time() < end)
    vec.close()
    return [float(episode["r"]) for episode in model.ep_info_buffer or ()], model.num_timesteps
