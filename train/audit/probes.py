"""Probes: networks trained to decode the hidden truth from recorded observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

FIRST, LATER, ANY = "first step", "later", "any step"
IMAGE_SIDE = 16  # pixels per side of a downsampled image
HIDDEN = 96  # units of the GRU


@dataclass
class Episodes:
    """n episodes, at most T steps each, without their final observations."""

    obs: np.ndarray
    """(n, T, d)"""
    actions: np.ndarray
    """(n, T, a) actions, one-hot if discrete"""
    played: np.ndarray
    """(n, T) bool: the step is part of the episode"""
    hides: np.ndarray
    """(n, T) bool: the step is part of the episode, and the truth must be hidden at it"""
    truth: np.ndarray
    """(n, T) class labels, or (n, T, size) vectors"""
    classes: int | None
    """number of classes; None for vectors"""
    split: np.ndarray
    """(n,) index of the episode's split"""
    splits: tuple[str, ...]
    """names of the splits"""

    @property
    def n(self) -> int:
        return len(self.obs)

    @property
    def training(self) -> int:
        """Number of training episodes, which come first; the rest are for testing."""
        return self.n * 3 // 4

    @property
    def measure(self) -> str:
        """Name of the score of a probe."""
        return "R2" if self.classes is None else "accuracy"


@dataclass(frozen=True)
class Score:
    """Score of a probe on the held-out episodes of one split, at one kind of step.

    Attributes:
        split: name of the split.
        when: FIRST, the first step of an episode at which the truth must be hidden; LATER, another such step; or ANY of them.
        value: accuracy for a class, R2 for a vector.
        tests: number of steps tested, one an episode.
    """

    split: str
    when: str
    value: float
    tests: int


def chance(classes: int | None, tests: int, p: float | None = None) -> tuple[float, float]:
    """Chance level of a probe, and the margin above it that is within sampling error.

    Args:
        classes: number of classes; None for a vector.
        tests: number of steps tested.
        p: accuracy without looking; by default that of a guess among equally likely classes.
    """
    if classes is None:
        return 0.0, 3.5**2 / tests + 0.02
    p = 1 / classes if p is None else p
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


def probe_windows(data: Episodes, window: int, seed: int) -> list[Score]:
    """Train a network to decode the truth from the last `window` observations, at steps at which it must be hidden.

    One network is trained on the episodes of all splits, with the split as an input, so that it also finds a leak in only one split. For
    a class, half of the training samples are the first hidden steps of their episodes.

    Returns:
        Scores on held-out episodes of each split. For a class, at the first hidden step and at one later hidden step of each episode. For a
        vector, at one hidden step of each: R2 is relative to the mean over all episodes at a time step, from which episodes at their
        first hidden step differ.
    """
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    padded = np.pad(data.obs, ((0, 0), (window - 1, 0), (0, 0)))
    target = _Target(data)
    codes = np.eye(len(data.splits), dtype=np.float32)
    net = nn.Sequential(
        nn.Linear(padded.shape[-1] * window + len(codes), 128),
        nn.ReLU(),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, target.width),
    )
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, weight_decay=1e-4)
    mean, std = _scaling(data)

    def rows(episode: np.ndarray, step: np.ndarray) -> Tensor:
        seen = padded[episode[:, None], step[:, None] + np.arange(window)]
        flat = _scaled(seen, mean, std).reshape(len(episode), -1)
        return torch.from_numpy(np.concatenate([flat, codes[data.split[episode]]], axis=1))

    first = data.hides.argmax(1)
    episode, step = np.nonzero(data.hides[: data.training])
    starts = np.unique(episode)
    for _ in range(600):
        pick, early = rng.integers(0, len(episode), 512), starts[rng.integers(0, len(starts), 256)]
        who, at = episode[pick], step[pick]
        if data.classes is not None:
            who[256:], at[256:] = early, first[early]
        loss = target.loss(net(rows(who, at)), who, at)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    later = data.hides.copy()
    later[np.arange(data.n), first] = False
    scores = []
    for k, split in enumerate(data.splits):
        groups = ((FIRST, data.hides), (LATER, later)) if data.classes is not None else ((ANY, data.hides),)
        for when, choices in groups:
            held = data.training + np.nonzero((choices.any(axis=1) & (data.split == k))[data.training :])[0]
            if not len(held):
                continue
            at = first[held] if when == FIRST else np.array([rng.choice(np.nonzero(choices[i])[0]) for i in held])
            with torch.no_grad():
                scores.append(Score(split, when, target.score(net(rows(held, at)), held, at), len(held)))
    return scores


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
    gru, head = nn.GRU(width, HIDDEN, batch_first=True), nn.Linear(HIDDEN, target.width)
    biases = dict(gru.named_parameters())["bias_hh_l0"]
    with torch.no_grad():  # biases of the update gate: without this, some long blackouts are not learned
        biases[HIDDEN : 2 * HIDDEN] += 1.0
    optimiser = torch.optim.Adam([*gru.parameters(), *head.parameters()], 2e-3)

    def read(pick: np.ndarray) -> Tensor:
        seen = _scaled(data.obs[pick, :horizon], mean, std)
        done = np.pad(data.actions[pick, : horizon - 1], ((0, 0), (1, 0), (0, 0)))  # the action before each observation
        memory, _ = gru(torch.from_numpy(np.concatenate([seen, done], axis=-1)))
        return head(memory[torch.arange(len(pick)), torch.from_numpy(when[pick])])

    train, rest = np.nonzero(hidden[: data.training])[0], data.training + np.nonzero(hidden[data.training :])[0]
    size = min(256, len(train) // 16 + 1)  # about 16 updates per epoch or more, even with few episodes
    for epoch in range(24):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / 24) + 1e-4
        for pick in torch.from_numpy(train)[torch.randperm(len(train))].split(size):
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
    """Target of a probe: a class (cross-entropy), or a vector relative to its mean in that split at that step (squared
    error)."""

    def __init__(self, data: Episodes) -> None:
        self.data = data
        self.width = data.classes or data.truth.shape[-1]
        if data.classes is None:
            truth, hides, split = (x[: data.training] for x in (data.truth, data.hides, data.split))
            self.mean = np.zeros((len(data.splits), *truth.shape[1:]))
            for k in range(len(data.splits)):
                here = hides & (split == k)[:, None]
                self.mean[k] = np.where(here[..., None], truth, 0.0).sum(0) / np.maximum(here.sum(0), 1)[:, None]
            residual: np.ndarray = truth - self.mean[split]
            self.std = np.maximum(residual[hides].std(0), 1e-9)

    def _residual(self, episode: np.ndarray, step: np.ndarray) -> np.ndarray:
        """The vector relative to its mean in that split at that step, standardised."""
        return (self.data.truth[episode, step] - self.mean[self.data.split[episode], step]) / self.std

    def loss(self, out: Tensor, episode: np.ndarray, step: np.ndarray) -> Tensor:
        import torch
        from torch import nn

        if self.data.classes is not None:
            return nn.functional.cross_entropy(out, torch.from_numpy(self.data.truth[episode, step]))
        return nn.functional.mse_loss(out, torch.from_numpy(self._residual(episode, step)).float())

    def score(self, out: Tensor, episode: np.ndarray, step: np.ndarray) -> float:
        """Accuracy, or R2 relative to the mean in each split at each step, averaged over the components that vary."""
        if self.data.classes is not None:
            return float((out.argmax(-1).numpy() == self.data.truth[episode, step]).mean())
        wanted = self._residual(episode, step)
        left, total = ((wanted - out.numpy()) ** 2).sum(0), (wanted**2).sum(0)
        varies = total > 0
        return float((1 - left[varies] / total[varies]).mean()) if varies.any() else 0.0
