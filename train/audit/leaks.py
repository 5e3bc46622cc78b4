"""Leak and history probes of an environment of the suite, on recorded episodes of mixed play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces

from unseen.agents.protocol import Agent
from unseen.agents.references import RandomAgent
from unseen.envs.core.hidden import HISTORY
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.audit.probes import Episodes, Score, chance, features, probe_history, probe_windows
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, policy
from unseen.train.rollout import Rollout

WINDOWS = (1, 4, 16)
JUDGED_WINDOWS: dict[int | str, tuple[int, ...]] = {1: (1,), 2: (1, 4), 3: (1, 4, 16)}
"""Level -> windows that are judged; other windows are reported only. Presets: as level 1."""
HISTORY_THRESHOLD = {True: 0.95, False: 0.8}
"""Required score of the history probe: accuracy for a class (True), R2 for a vector (False)."""
HISTORY_EPISODES = (16_000, 32_000)
"""Episodes recorded for the history probe: where it fails with fewer, it is trained again with more."""
SPLITS = ("train", "shift")
MAX_NUMBERS = 2**28  # limit on stored observation values: with long episodes or large observations, fewer are played


class MixedPlay(Agent):
    """Plays a third of the episodes each at random, forward, and wiggling.

    With discrete actions, forward is the first action, and wiggling alternates between "left" and "right" or, where these do not exist,
    between the second and the third action. With a Box, forward is the maximum of the first component and the middle of the others, and
    wiggling is forward with the last component alternating between its bounds.
    """

    name = "mixed play"

    def __init__(self, names: tuple[str, ...]) -> None:
        """`names` of the discrete actions."""
        self.random = RandomAgent()
        self.turns = [names.index(turn) if turn in names else 1 + k for k, turn in enumerate(("left", "right"))]

    def attach(self, env: Any) -> None:
        self.random.attach(env)
        self.space = env.single_action_space

    def seed(self, seed: int) -> None:
        self.random.seed(seed)

    def initial_state(self, seeds: np.ndarray) -> tuple[Any, int]:
        return self.random.initial_state(seeds), 0

    def act(
        self, obs: Any, state: tuple[Any, int], first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, tuple[Any, int]]:
        memory, step = state
        actions, memory = self.random.act(obs, memory, first, explore)
        actions = actions.copy()
        if isinstance(self.space, spaces.Discrete):
            actions[1::3] = self.space.start
            actions[2::3] = self.space.start + self.turns[step % 2] % self.space.n
        else:
            low, high = self.space.low, self.space.high
            actions[1::3] = actions[2::3] = (low + high) / 2
            actions[1::3, 0] = actions[2::3, 0] = high[0]
            actions[2::3, -1] = (low if step % 2 else high)[-1]
        return actions, (memory, step + 1)


def leaks(subject: Subject) -> Iterator[Check]:
    """All probes of one environment at one level. Level 0 hides nothing."""
    if subject.task.hidden is None or subject.level == 0:
        return
    sensors = [name for name, sensor in subject.task.sensors.items() if not sensor.privileged]
    default = subject.env_config.obs or sensors[0]
    yield from _windows(subject, default, "")
    if subject.quick:
        return
    if not subject.env_config.obs:
        for name in sensors[1:]:
            yield from _windows(subject, name, f" of {name}")
    yield from _history(subject)


def _windows(subject: Subject, sensor: str, of: str) -> Iterator[Check]:
    """The leak probes of one sensor, over all windows. of: suffix of the rows' names, " of SENSOR", or "" for the default sensor."""
    data = mixed_play(subject, sensor)
    for k, split in enumerate(SPLITS):
        here = data.split == k
        if not data.hides[here].any(1).sum() > here.sum() // 2:
            want = f"steps in {split} at which the truth is hidden"
            yield Check(f"leak probe{of}", want, "none in at least half of the episodes", False)
            return
    judged = JUDGED_WINDOWS.get(subject.level, (1,))
    for window in WINDOWS:
        if (subject.quick or of) and window not in judged:
            continue
        scores = probe_windows(data, window, subject.seed)
        floor, margin = chance(data.classes, min(score.tests for score in scores))
        good = all(score.value <= sum(chance(data.classes, score.tests)) for score in scores)
        name = f"leak probe, last {window} observation{'s' if window > 1 else ''}{of}"
        want = f"{data.measure} <= {floor:.3f} + {margin:.3f}"
        yield Check(name, want, format_scores(scores), good if window in judged else None)


def format_scores(scores: list[Score]) -> str:
    """Scores as text, such as "train 0.330 first step, 0.340 later; shift ..."."""
    groups: dict[str, list[str]] = {}
    for score in scores:
        groups.setdefault(score.split, []).append(f"{score.value:.3f} {score.when}")
    return "; ".join(f"{split} {', '.join(parts)}" for split, parts in groups.items())


def _history(subject: Subject) -> Iterator[Check]:
    assert subject.task.hidden is not None
    excuse = subject.task.hidden.unjudged.get(HISTORY)
    judged = subject.level in (1, 2) and excuse is None
    for wanted in HISTORY_EPISODES if judged else HISTORY_EPISODES[:1]:
        n = _episodes(subject, subject.env_config.obs or None, wanted)
        data = play_episodes(subject.make_vec(n), policy("random"), subject.seed + 1_000_000)
        score, want = probe_history(data, subject.seed), HISTORY_THRESHOLD[data.classes is not None]
        if score >= want:
            break
    got = f"{score:.3f} from {data.training} episodes" + (f"; not judged: {excuse}" if excuse else "")
    yield Check(HISTORY, f"{data.measure} >= {want:g}", got, score >= want if judged else None)


def _episodes(subject: Subject, sensor: str | None, wanted: int) -> int:
    """Number of episodes, at most `wanted`, whose observations by this sensor fit into memory."""
    one = subject.make_vec(1, **({"obs": sensor} if sensor else {}))
    obs, _ = one.reset(seed=0)
    return max(500, min(wanted, MAX_NUMBERS // (one.horizon * features(obs).shape[1])))


def mixed_play(subject: Subject, sensor: str) -> Episodes:
    """Episodes of mixed play, alternating between the splits "train" and "shift", observed by one sensor."""
    n = _episodes(subject, sensor, 6_000 if subject.quick else 16_000) // len(SPLITS)
    parts = []
    for split in SPLITS:
        env = subject.make_vec(n, obs=sensor, split=split)
        parts.append(play_episodes(env, MixedPlay(tuple(env.task.actions)), subject.seed + 1_000_000))
    return interleaved(parts, SPLITS)


def interleaved(parts: list[Episodes], splits: tuple[str, ...]) -> Episodes:
    """Episodes of each split, equally many, as one data set in which the splits alternate, so that the held-out part has all splits."""
    longest = max(part.obs.shape[1] for part in parts)

    def merge(name: str) -> np.ndarray:
        arrays = [getattr(part, name) for part in parts]
        merged = np.zeros((len(arrays) * len(arrays[0]), longest, *arrays[0].shape[2:]), arrays[0].dtype)
        for k, array in enumerate(arrays):
            merged[k :: len(arrays), : array.shape[1]] = array
        return merged

    whole: dict[str, Any] = {name: merge(name) for name in ("obs", "actions", "played", "hides", "truth")}
    split = np.arange(len(whole["obs"])) % len(parts)
    return replace(parts[0], **whole, split=split, splits=splits)


def play_episodes(env: TaskVectorEnv, agent: Agent, seed: int) -> Episodes:
    """Record the first episode of each environment under an agent, with seeds seed .. seed + n - 1."""
    n, horizon, hidden = env.num_envs, env.horizon, env.task.hidden
    assert hidden is not None
    classes = None if hidden.classes is None else hidden.classes(env.params)
    data: Episodes | None = None
    codes = np.eye(len(env.batch.table), dtype=np.float32)
    for current in Rollout(agent, env, range(seed, seed + n), fail_fast=True):
        rows, truth = features(current.obs), env.batch.hidden()
        done = codes[current.actions] if current.actions.ndim == 1 else current.actions
        if data is None:
            data = Episodes(
                np.zeros((n, horizon, rows.shape[1]), rows.dtype),
                np.zeros((n, horizon, done.shape[1]), np.float32),
                np.zeros((n, horizon), bool),
                np.zeros((n, horizon), bool),
                np.zeros((n, horizon, *truth.shape[1:]), truth.dtype),
                classes,
                np.zeros(n, np.int64),
                (env.batch.split,),
            )
        live, t = current.live, current.step
        data.obs[live, t], data.actions[live, t], data.truth[live, t] = rows[live], done[live], truth[live]
        data.played[:, t], data.hides[:, t] = live, live & env.batch.must_hide()
    assert data is not None
    return data
