"""Leak and history probes: networks trained to decode the hidden truth from observations of random play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, policy
from unseen.train.rollout import Rollout

if TYPE_CHECKING:
    from torch import Tensor

WINDOWS = (1, 4, 16)
JUDGED_WINDOWS: dict[int | str, tuple[int, ...]] = {1: (1,), 2: (1, 4), 3: (1, 4, 16)}
"""Level -> windows that are judged; other windows are reported only. Presets: as level 1."""
HISTORY_THRESHOLD = {True: 0.95, False: 0.8}
"""Required score of the history probe: accuracy for a class (True), R2 for a vector (False)."""
MAX_NUMBERS = 2**28  # limit on stored observation values: with long episodes or large observations, fewer are played
IMAGE_SIDE = 16  # pixels per side of a downsampled image


@dataclass
class Episodes:
    """n episodes of random play, at most T steps each, without their final observations."""

    obs: np.ndarray
    """(n, T, d)"""
    actions: np.ndarray
    """(n, T, a) actions, one-hot if discrete"""
    played: np.ndarray
    """(n, T) bool: the step is part of the episode"""
    hides: np.ndarray
    """(n, T) bool: and the truth must be hidden at it"""
    truth: np.ndarray
    """(n, T) class labels, or (n, T, size) vectors"""
    classes: int | None
    """number of classes; None for vectors"""

    @property
    def n(self) -> int:
        return len(self.obs)

    @property
    def training(self) -> int:
        """Number of training episodes, which come first; the rest are for testing."""
        return self.n * 3 // 4


def leaks(subject: Subject) -> Iterator[Check]:
    """All probes of one environment at one level. Level 0 hides nothing."""
    if subject.task.hidden is None or subject.level == 0:
        return
    env = subject.make_vec(_episodes(subject))
    data = random_play(env, subject.seed + 1_000_000)
    if not data.hides.any(1).sum() > data.n // 2:
        yield Check("leak probe", "steps at which the truth is hidden", "none in at least half of the episodes", False)
        return
    judged = JUDGED_WINDOWS.get(subject.level, (1,))
    for window in WINDOWS:
        if subject.quick and window not in judged:
            continue
        score, tests = probe_windows(data, window, subject.seed)
        floor, margin = chance(data, tests)
        good = score <= floor + margin if window in judged else None
        name = f"leak probe, last {window} observation{'s' if window > 1 else ''}"
        yield Check(name, f"{_measure(data)} <= {floor:.3f} + {margin:.3f}", f"{score:.3f}", good)
    if not subject.quick:
        score, want = probe_history(data, subject.seed), HISTORY_THRESHOLD[data.classes is not None]
        good = score >= want if subject.level in (1, 2) else None
        yield Check("history probe", f"{_measure(data)} >= {want:g}", f"{score:.3f}", good)


def _episodes(subject: Subject) -> int:
    """Number of episodes to play."""
    one = subject.make_vec(1)
    wanted = 4_000 if subject.quick else 16_000
    obs, _ = one.reset(seed=0)
    return max(500, min(wanted, MAX_NUMBERS // (one.horizon * features(obs).shape[1])))


def _measure(data: Episodes) -> str:
    return "R2" if data.classes is None else "accuracy"


def chance(data: Episodes, tests: int) -> tuple[float, float]:
    """Chance level of a probe, and the margin above it that is within sampling error."""
    if data.classes is None:
        return 0.0, 3.5**2 / tests + 0.02
    p = 1 / data.classes
    return p, 3.5 * (p * (1 - p) / tests) ** 0.5 + 0.01


def features(obs: Any) -> np.ndarray:
    """Observations as vectors (n, d): images are downsampled, the parts of a dict concatenated."""
    if isinstance(obs, dict):
        return np.concatenate([features(part).astype(np.float32) for part in obs.values()], axis=1)
    if obs.ndim == 2:
        return obs
    n, height, width, channels = obs.shape
    down, across = -(-height // IMAGE_SIDE), -(-width // IMAGE_SIDE)
    cut = obs[:, : height // down * down, : width // across * across]
    blocks = cut.reshape(n, height // down, down, width // across, across, channels)
    return blocks.mean((2, 4), dtype=np.float32).reshape(n, -1).astype(np.uint8)


def random_play(env: TaskVectorEnv, seed: int) -> Episodes:
    """Record the first episode of every environment under random actions."""
    n, horizon, hidden = env.num_envs, env.horizon, env.task.hidden
    assert hidden is not None
    classes = None if hidden.classes is None else hidden.classes(env.params)
    data: Episodes | None = None
    codes = np.eye(len(env.batch.table), dtype=np.float32)
    for current in Rollout(policy("random"), env, range(seed, seed + n), fail_fast=True):
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
            )
        live, t = current.live, current.step
        data.obs[live, t], data.actions[live, t], data.truth[live, t] = rows[live], done[live], truth[live]
        data.played[:, t], data.hides[:, t] = live, live & env.batch.must_hide()
    assert data is not None
    return data


def probe_windows(data: Episodes, window: int, seed: int) -> tuple[float, int]:
    """Train a network to decode the truth from the last `window` observations, at steps at which it must be hidden.

    Returns:
        Test score, accuracy for a class or R2 for a vector, on one step per held-out episode; and the number of these.
    """
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    padded = np.pad(data.obs, ((0, 0), (window - 1, 0), (0, 0)))
    target = _Target(data)
    net = nn.Sequential(
        nn.Linear(padded.shape[-1] * window, 128),
        nn.ReLU(),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, target.width),
    )
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, weight_decay=1e-4)
    mean, std = _scaling(data)

    def rows(episode: np.ndarray, step: np.ndarray) -> Tensor:
        seen = padded[episode[:, None], step[:, None] + np.arange(window)]
        return torch.from_numpy(_scaled(seen, mean, std).reshape(len(episode), -1))

    episode, step = np.nonzero(data.hides[: data.training])
    for _ in range(600):
        pick = rng.integers(0, len(episode), 512)
        loss = target.loss(net(rows(episode[pick], step[pick])), episode[pick], step[pick])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    held = data.training + np.nonzero(data.hides[data.training :].any(1))[0]
    chosen = np.array([rng.choice(np.nonzero(data.hides[i])[0]) for i in held])
    with torch.no_grad():
        return target.score(net(rows(held, chosen)), held, chosen), len(held)


def probe_history(data: Episodes, seed: int) -> float:
    """Train a GRU to decode the truth from all observations and actions up to the first step at which it must be hidden, or
    up to the last such step if the first is the reset. Returns the test score."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    hidden = np.asarray(data.hides.any(1))
    first, last = data.hides.argmax(1), data.hides.shape[1] - 1 - data.hides[:, ::-1].argmax(1)
    when = np.where(first > 0, first, last)
    horizon = int(when[hidden].max()) + 1
    mean, std = _scaling(data)
    target, width = _Target(data), data.obs.shape[-1] + data.actions.shape[-1]
    gru, head = nn.GRU(width, 96, batch_first=True), nn.Linear(96, target.width)
    optimiser = torch.optim.Adam([*gru.parameters(), *head.parameters()], 2e-3)

    def read(pick: np.ndarray) -> Tensor:
        seen = _scaled(data.obs[pick, :horizon], mean, std)
        done = np.pad(data.actions[pick, : horizon - 1], ((0, 0), (1, 0), (0, 0)))  # the action before each observation
        memory, _ = gru(torch.from_numpy(np.concatenate([seen, done], axis=-1)))
        return head(memory[torch.arange(len(pick)), torch.from_numpy(when[pick])])

    train, rest = np.nonzero(hidden[: data.training])[0], data.training + np.nonzero(hidden[data.training :])[0]
    for epoch in range(24):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / 24) + 1e-4
        for pick in torch.from_numpy(train)[torch.randperm(len(train))].split(256):
            loss = target.loss(read(pick.numpy()), pick.numpy(), when[pick.numpy()])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        return target.score(read(rest), rest, when[rest])


def _scaling(data: Episodes) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each observation value in the training episodes, float32."""
    rows = data.obs[: data.training][data.played[: data.training]]
    mean, std = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    return mean.astype(np.float32), np.maximum(std, 1e-3).astype(np.float32)


def _scaled(rows: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Standardised features, clipped so that values constant in training cannot dominate."""
    return np.clip((rows - mean) / std, -10.0, 10.0)


class _Target:
    """Target of a probe: a class (cross-entropy), or a vector relative to its mean at that step (squared error)."""

    def __init__(self, data: Episodes) -> None:
        self.data = data
        self.width = data.classes or data.truth.shape[-1]
        if data.classes is None:
            truth, hides = data.truth[: data.training], data.hides[: data.training]
            self.mean = np.where(hides[..., None], truth, 0.0).sum(0) / np.maximum(hides.sum(0), 1)[:, None]
            beyond: np.ndarray = truth - self.mean
            self.std = np.maximum(beyond[hides].std(0), 1e-9)

    def loss(self, out: Tensor, episode: np.ndarray, step: np.ndarray) -> Tensor:
        import torch
        from torch import nn

        truth = self.data.truth[episode, step]
        if self.data.classes is not None:
            return nn.functional.cross_entropy(out, torch.from_numpy(truth))
        wanted = torch.from_numpy((truth - self.mean[step]) / self.std).float()
        return nn.functional.mse_loss(out, wanted)

    def score(self, out: Tensor, episode: np.ndarray, step: np.ndarray) -> float:
        """Accuracy, or R2 relative to each step's mean, averaged over the components that vary."""
        truth = self.data.truth[episode, step]
        if self.data.classes is not None:
            return float((out.argmax(-1).numpy() == truth).mean())
        wanted = (truth - self.mean[step]) / self.std
        left, total = ((wanted - out.numpy()) ** 2).sum(0), (wanted**2).sum(0)
        varies = total > 0
        return float((1 - left[varies] / total[varies]).mean()) if varies.any() else 0.0
